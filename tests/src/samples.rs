//! Payloads as trading partners send them, in every encoding and shape that must come back byte for byte. All are written for
//! these tests. The long ones are generated, with the same bytes in every run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const ORDERS: &str = "UNB+UNOC:3+4012345000009:14+4098765000007:14+261120:1400+7'UNH+1+ORDERS:D:96A:UN'BGM+220+PO-1001+9'\
    DTM+137:20261120:102'NAD+BY+4012345000009::9'LIN+1++4000862141404:EN'QTY+21:48'UNS+S'UNT+8+1'UNZ+1+7'";
const X12: &str = "ISA*00*          *00*          *ZZ*ACME           *ZZ*GLOBEX         *261120*1400*U*00401*000000007*0*T*>~\n\
    GS*PO*ACME*GLOBEX*20261120*1400*7*X*004010~\nST*850*0001~\nBEG*00*SA*PO-1001**20261120~\nPO1*1*48*EA*3.15**VP*A-17~\n\
    CTT*1~\nSE*5*0001~\nGE*1*7~\nIEA*1*000000007~\n";
const INVOICE: &str = "<?xml version=\"1.0\"?>\r\n<Invoice xmlns=\"urn:example:invoice\">\r\n\t<ID>R-17</ID>\r\n\t\
    <Party>Bäckerei Łoś &amp; Söhne – 東京</Party>\r\n\t<Total currency=\"EUR\">1.234,50 €</Total>\r\n</Invoice>\r\n\r\n";

/// A payload with its name and media type.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What is special about it. Valid as an interchange id.
    pub name: &'static str,
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

impl Sample {
    /// The payload as an SQS body; `None` when SQS refuses it. SQS accepts a text that is not empty and valid in XML 1.0.
    #[must_use]
    pub fn as_sqs_text(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        let refused = |c: char| (c < ' ' && !"\t\n\r".contains(c)) || c == '\u{fffe}' || c == '\u{ffff}';
        (!text.is_empty() && !text.contains(refused)).then_some(text)
    }

    /// The payload as a JSON string inside an SQS body; `None` when it is not text. JSON escapes control characters.
    #[must_use]
    pub fn as_json_text(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        (!text.contains(['\u{fffe}', '\u{ffff}'])).then_some(text)
    }

    /// The payload as a member of a report: text, or base64 when it is not text.
    #[must_use]
    pub fn in_report(&self) -> Value {
        match self.as_json_text() {
            Some(text) => json!({ "body": text, "contentType": self.content_type }),
            None => json!({ "body": STANDARD.encode(&self.bytes), "encoding": "base64",
                            "contentType": self.content_type }),
        }
    }
}

/// Every sample. Any two neighbours fit into one report.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let utf16 = INVOICE.encode_utf16().flat_map(u16::to_le_bytes);
    let controls = "UNB\u{1d}UNOA\u{1f}1\u{1c}UNH\u{1d}1\u{1c}\0\u{7f}\u{85}";
    let mut samples = vec![
        sample("edifact", "application/edifact", ORDERS),
        sample(
            "edifact-latin-1",
            "application/edifact",
            [ORDERS.as_bytes(), b"FTX+AAI+++Gr\xfc\xdfe aus K\xf6ln'"].concat(),
        ),
        sample("x12", "application/edi-x12", X12),
        sample("xml-utf-8", "application/xml; charset=utf-8", INVOICE),
        sample("xml-utf-16", "application/xml", [0xff, 0xfe].into_iter().chain(utf16).collect::<Vec<u8>>()),
        sample("byte-order-mark", "text/csv", "\u{feff}order;quantity\r\nPO-1001;48\r\n"),
        sample("control-characters", "application/edifact", controls),
        sample(
            "json",
            "application/json",
            "{ \"type\": \"order\",  \"lines\": [1, 2.50, 1e3], \"note\": \"\\u00fc\" }\n",
        ),
        sample("looks-like-base64", "text/plain", "QUJDRA=="),
        sample("blanks", "text/plain", " \t \r\n "),
        sample("line-feed", "text/plain", "\n"),
        sample("beyond-the-basic-plane", "text/plain", "𝄞 🚚 \u{10ffff}"),
        sample("no-character", "text/plain", "a\u{ffff}b"),
        sample("empty", "application/octet-stream", ""),
    ];
    samples.push(sample("noise", "application/octet-stream", noise(64 * 1024)));
    samples.push(sample("zeros", "application/octet-stream", vec![0; 4_096]));
    samples.push(sample("megabyte", "text/plain", lines(1_000_000)));
    samples
}

/// Pseudo-random bytes (xorshift) that do not compress and are not text. The same in every run.
#[must_use]
pub fn noise(length: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[7]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Text of this length, made of numbered segments.
fn lines(length: usize) -> String {
    let mut text: String = (1..).map(|n| format!("LIN+{n}++4000862141404:EN'")).take(length / 20).collect();
    text.truncate(length);
    text
}

fn sample(name: &'static str, content_type: &'static str, bytes: impl Into<Vec<u8>>) -> Sample {
    Sample { name, content_type, bytes: bytes.into() }
}
