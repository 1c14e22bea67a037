//! The messages that are measured. Each has all optional fields and a payload of its own.

use serde_json::{Value, json};

/// Their flow.
pub(crate) const FLOW: &str = "orders-inbound";

/// The size of a payload in bytes. Most orders are smaller than 1 KB.
const PAYLOAD_BYTES: usize = 800;

/// Which payloads a report contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payloads {
    Sender,
    Receiver,
    Both,
}

/// The id of the `n`-th message.
pub(crate) fn id(n: usize) -> String {
    format!("0193a2b4-5c6d-7e8f-9a0b-{n:012x}")
}

/// A report that the `n`-th message failed.
pub(crate) fn failed(n: usize, payloads: Payloads, now: &str) -> Value {
    let payload = |side: &str| json!({ "body": body(side, n), "contentType": "application/edifact" });
    let payloads = match payloads {
        Payloads::Sender => json!({ "sender": payload("sender") }),
        Payloads::Receiver => json!({ "receiver": payload("receiver") }),
        Payloads::Both => json!({ "sender": payload("sender"), "receiver": payload("receiver") }),
    };
    json!({
        "type": "interchange.failed", "interchangeId": id(n), "flow": FLOW, "attempt": 1, "occurredAt": now,
        "origin": "Step 3 - receiver communication", "sender": "ACME", "receiver": "GLOBEX", "partner": "GLOBEX",
        "sourceId": format!("PO-{n}"), "correlationId": format!("c-{n}"),
        "error": { "category": "system", "code": "ETIMEDOUT", "message": "connect timeout to erp.globex.example:443" },
        "payloads": payloads,
    })
}

/// A report that the second attempt of the `n`-th message completed.
pub(crate) fn completed(n: usize, now: &str) -> Value {
    json!({ "type": "interchange.completed", "interchangeId": id(n), "flow": FLOW, "attempt": 2, "occurredAt": now })
}

fn body(side: &str, n: usize) -> String {
    let head = format!("UNB+UNOC:3+{side}:14+{n}:14+261120:1400+{n}'UNH+{n}+ORDERS:D:96A:UN'BGM+220+PO-{n}+9'");
    let lines = (1..).map(|line| format!("LIN+{line}++{}:EN'QTY+21:{}'", 4_000_862_141_404_usize + n * line, n % line));
    let mut body: String = std::iter::once(head).chain(lines.take(PAYLOAD_BYTES / 20)).collect();
    body.truncate(PAYLOAD_BYTES);
    body
}
