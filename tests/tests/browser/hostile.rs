//! Messages are written by strangers. Whatever they hold is shown, and nothing of it happens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::{World, report};

use crate::desk::{Desk, at_a_desk_of};
use crate::page::Name;

/// What a browser would run if it ever took text for markup. `hit` is what it would leave behind.
const SCRIPTS: &str = "<script>window.hit=1</script><img src=x onerror=\"window.hit=2\"><svg onload=window.hit=3>\
    <a href=\"javascript:window.hit=4\">look</a><iframe srcdoc=\"<script>parent.hit=5</script>\"></iframe>\
    \"><style>*{display:none}</style><base href=//evil.example><!--]]>'-alert(6)-'${alert(7)}{{hit}}";

/// Turns what follows around, isolates it, and joins, where a page lets it.
const MARKS: &str = "\u{202e}rtl\u{2066}iso\u{200f}\u{200b}zero\u{feff}bom\u{2028}line\u{0}nul\u{7}bell\u{1b}[31mred";

/// Whom a look at the message must not reach.
const LINK: &str = "javascript:window.hit=8";

/// Every field that a stranger writes, filled with `text`, as long as it may be.
fn full_of(id: &str, text: &str) -> Value {
    let cut = |most: usize| text.chars().take(most).collect::<String>();
    let key: String = text.chars().filter(char::is_ascii_graphic).take(100).collect();
    let more = json!({
        "status": "partially_failed", "phase": "delivery", "origin": cut(200), "sender": cut(200), "receiver": cut(200),
        "partner": cut(200), "sourceId": cut(200), "correlationId": cut(200), "orderKey": key,
        "parts": [{ "id": cut(100), "status": "failed", "message": cut(900) }],
        // Codes are logged, and a log must hold no payload: it has markup of its own.
        "error": { "category": "system", "code": "<b onclick=window.hit=9>E1</b>", "message": text },
        "payloads": { "sender": { "body": format!("<html><body lang=x>{text}</body></html>"), "contentType": "text/html" },
                      "receiver": { "body": format!("<a xlink:href=\"{LINK}\">{text}</a>"), "contentType": "image/svg+xml" } },
    });
    report(id, "orders", more)
}

/// A flow full of hostile messages.
async fn besieged() -> World {
    let world = World::start().await;
    let name: String = format!("{MARKS}{SCRIPTS}").replace(char::is_control, "").chars().take(200).collect();
    world.put("/flows/orders", json!({ "displayName": name, "retry": { "mode": "manual" } })).await.ok();
    let long = "W".repeat(9_900);
    for (id, text) in [("scripts", SCRIPTS), ("marks", MARKS), ("long", &long), ("link", LINK)] {
        world.report(full_of(id, text)).await;
    }
    // A line of a megabyte, nearly; bytes that are no text; nothing but NUL.
    let line = format!("{{\"a\":\"{}\"}}", "x".repeat(900_000));
    let bytes = [b"UNB+".as_slice(), &[0; 300], &[0xff, 0xfe, 0x80], SCRIPTS.as_bytes()].concat();
    for (id, sender) in [
        ("line", json!({ "body": line, "contentType": "application/json" })),
        ("bytes", json!({ "body": STANDARD.encode(bytes), "encoding": "base64", "contentType": "text/html" })),
        ("nuls", json!({ "body": STANDARD.encode([0; 5_000]), "encoding": "base64" })),
    ] {
        world.report(report(id, "orders", json!({ "payloads": { "sender": sender } }))).await;
    }
    // No report at all: it is kept as a dead letter, as it came.
    world.send([format!("{{\"type\":\"interchange.failed\",\"interchangeId\":7,\"flow\":\"{SCRIPTS}\"")]).await;
    let kept = world.get("/flows/orders/interchanges").await.ok()["items"].as_array().map_or(0, Vec::len);
    assert_eq!(kept, 7, "each of them was taken as a report");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_message_holds_runs_or_breaks_the_layout() {
    at_a_desk_of(besieged().await, async |desk| {
        let page = &desk.page;
        page.open("/console").await;
        page.says("unassigned").await;
        is_harmless(desk, "the flows").await;
        for flow in ["orders", "unassigned"] {
            page.open(&format!("/console/flows/{flow}")).await;
            page.find("checkbox", "Tick all on this page").await;
            is_harmless(desk, flow).await;
        }
        for id in ["scripts", "marks", "long", "link", "line", "bytes", "nuls"] {
            page.open(&format!("/console/interchanges/{id}")).await;
            page.says("Event log").await;
            every_view_of_the_payloads(desk, id).await;
        }
        page.open("/console/flows/orders/settings").await;
        page.button("Save").await;
        is_harmless(desk, "the settings").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_address_is_no_more_than_an_address() {
    at_a_desk_of(besieged().await, async |desk| {
        desk.expects_refusals();
        let hostile: String = url::form_urlencoded::byte_serialize(SCRIPTS.as_bytes()).collect();
        for path in [
            format!("/console/flows/{}", hostile.replace('+', "%20")),
            format!("/console/interchanges/{}", hostile.replace('+', "%20")),
            format!("/console/flows/orders?message={hostile}&sourceId={hostile}&group={hostile}&status={hostile}&order=x&limit=9"),
            format!("/console?q={hostile}"),
            format!("/console/{hostile}"),
        ] {
            desk.page.open(&path).await;
            desk.page.find("heading", Name::Has("")).await;
            is_harmless(desk, &path).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_reason_is_shown_as_it_was_given() {
    at_a_desk_of(besieged().await, async |desk| {
        let page = &desk.page;
        page.open("/console/interchanges/scripts").await;
        page.button("Delete").await.click().await;
        page.find("textbox", "Reason").await.fill(SCRIPTS).await;
        is_harmless(desk, "the dialog").await;
        page.button("Delete this message").await.click().await;
        page.says("Deleted").await;
        page.says("<script>window.hit=1</script>").await;
        is_harmless(desk, "the log").await;
    })
    .await;
}

/// Brings both payloads into view, in every way that they can be looked at.
async fn every_view_of_the_payloads(desk: &Desk, id: &str) {
    let page = &desk.page;
    for view in ["Laid out", "As it is", "Hex"] {
        page.run("document.querySelector('.payloads')?.scrollIntoView()").await;
        for radio in page.all("radio").await.into_iter().filter(|radio| radio.name == view) {
            radio.click().await;
        }
        is_harmless(desk, &format!("{id}, {view}")).await;
    }
}

/// Nothing ran, nothing became markup, and the page is no wider than its window, on a desk or in a hand.
async fn is_harmless(desk: &Desk, what: &str) {
    let page = &desk.page;
    let made = "return [window.hit, document.querySelector('main :is(script, img, svg, iframe, base, style, object)')?.outerHTML,
        [...document.querySelectorAll('[href], [src], [action]')].find((e) => /^(javascript|data):/i.test(e.href ?? e.src))?.outerHTML]";
    assert_eq!(page.run(made).await, json!([null, null, null]), "{what}");
    for width in [390, 1280] {
        page.is_sized(width, 800).await;
        page.fits_its_window().await;
    }
    desk.has_no_complaints().await;
}
