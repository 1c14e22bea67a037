//! Everything without a mouse.

use fantoccini::key::Key;
use serde_json::json;

use crate::axe;
use crate::desk::at_a_desk_of;
use crate::orders::{failed, newest_job};
use crate::page::{Name, Page};

/// More than any way from one thing to another by Tab.
const MOST_TABS: usize = 120;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_found_ticked_and_retried_by_keyboard_alone() {
    at_a_desk_of(failed(3).await, async |desk| {
        let page = &desk.page;
        page.open("/console").await;
        page.says("Orders to partners").await;
        tab_to(page, "link", "Orders to partners").await;
        enter(page).await;
        page.is_at("/console/flows/orders").await;
        page.find("checkbox", "Tick PO-002").await;

        tab_to(page, "checkbox", "Tick PO-002").await;
        page.press(&[' ']).await;
        page.says("1 ticked").await;
        shift_tab_to(page, "button", "Retry 1").await;
        enter(page).await;
        page.find("textbox", "Reason").await;
        assert_eq!(focus(page).await, ("textbox".to_owned(), "Reason".to_owned()), "the dialog takes the focus");
        page.type_text("by keyboard").await;
        tab_to(page, "button", "Retry this message").await;
        enter(page).await;
        page.gone("dialog", Name::Has("")).await;
        assert_eq!(desk.world.interchange("PO-002").await["status"], "waiting_for_retry");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_ordered_with_a_canary_and_cancelled_by_keyboard_alone() {
    at_a_desk_of(failed(5).await, async |desk| {
        let page = &desk.page;
        page.open("/console/flows/orders").await;
        page.find("checkbox", "Tick PO-002").await;
        tab_to(page, "checkbox", "Tick all on this page").await;
        page.press(&[' ']).await;
        page.button(Name::Has("Select all")).await;
        shift_tab_to(page, "button", "Select all").await;
        enter(page).await;
        shift_tab_to(page, "button", "Delete").await;
        shift_tab_to(page, "button", "Retry").await;
        enter(page).await;
        page.button("Retry 5 messages").await;
        page.type_text("by keyboard").await;
        tab_to(page, "DisclosureTriangle", "More").await;
        page.press(&[' ']).await;
        tab_to(page, "spinbutton", "Canary").await;
        page.type_text("1").await;
        tab_to(page, "button", "Retry 5 messages").await;
        enter(page).await;
        page.gone("dialog", Name::Has("")).await;
        assert_eq!(newest_job(&desk.world).await["canary"], json!(1));

        page.button("Cancel job").await;
        to_the_top(page).await;
        tab_to(page, "button", "Cancel job").await;
        enter(page).await;
        page.dialog().await;
        tab_to(page, "button", "Cancel job").await;
        enter(page).await;
        page.gone("dialog", Name::Has("")).await;
        let cancelled = async || {
            desk.world.advance("1s").await;
            (newest_job(&desk.world).await["status"] == "cancelled").then_some(())
        };
        page.until("cancelled job", cancelled).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_changed_and_a_filter_set_by_keyboard_alone() {
    at_a_desk_of(failed(3).await, async |desk| {
        let page = &desk.page;
        page.open("/console/flows/orders").await;
        page.find("checkbox", "Tick PO-002").await;
        page.press(&['/']).await;
        page.type_text("catalogue").await;
        page.is_at("/console/flows/orders?message=catalogue").await;
        page.gone("checkbox", "Tick PO-001").await;
        to_the_top(page).await;
        tab_to(page, "link", "Settings").await;
        enter(page).await;
        page.find("textbox", "Display name").await;
        tab_to(page, "textbox", "Display name").await;
        page.press(&[Key::End.into()]).await;
        page.type_text(", by hand").await;
        tab_to(page, "button", "Save").await;
        enter(page).await;
        page.says("Saved").await;
        assert_eq!(desk.world.get("/flows/orders").await.ok()["displayName"], "Orders to partners, by hand");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_is_restarted_and_another_deleted_by_keyboard_alone() {
    at_a_desk_of(failed(3).await, async |desk| {
        let page = &desk.page;
        for (id, action, status) in [("PO-001", "Restart", "waiting_for_restart"), ("PO-002", "Delete", "deleted")] {
            page.open(&format!("/console/interchanges/{id}")).await;
            page.button(action).await;
            to_the_top(page).await;
            tab_to(page, "button", action).await;
            enter(page).await;
            page.find("textbox", "Reason").await;
            axe::finds_nothing_serious(page, action).await;
            page.type_text("by keyboard").await;
            tab_to(page, "button", &format!("{action} this message")).await;
            enter(page).await;
            page.gone("dialog", Name::Has("")).await;
            assert_eq!(desk.world.interchange(id).await["status"], status);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_are_listed_and_put_away_by_keyboard() {
    at_a_desk_of(failed(3).await, async |desk| {
        let page = &desk.page;
        page.open("/console/flows/orders").await;
        page.find("checkbox", "Tick PO-002").await;
        page.press(&['?']).await;
        page.says("next / previous message").await;
        axe::finds_nothing_serious(page, "keys").await;
        page.press(&[Key::Escape.into()]).await;
        page.gone("dialog", Name::Has("")).await;
        page.press(&['j', 'j', 'x']).await;
        page.says("1 ticked").await;
        page.press(&[Key::Escape.into()]).await;
        page.says("Tick messages to act on them").await;
    })
    .await;
}

async fn enter(page: &Page) {
    page.press(&[Key::Enter.into()]).await;
}

async fn tab_to(page: &Page, role: &str, name: &str) {
    step_to(page, role, name, &[Key::Tab.into()]).await;
}

async fn shift_tab_to(page: &Page, role: &str, name: &str) {
    step_to(page, role, name, &[Key::Shift.into(), Key::Tab.into()]).await;
}

/// Presses `keys` until the focus is on something of this role whose name begins so.
async fn step_to(page: &Page, role: &str, name: &str, keys: &[char]) {
    let mut on_the_way = Vec::new();
    for _ in 0..MOST_TABS {
        page.chord(keys).await;
        let now = focus(page).await;
        if now.0 == role && now.1.starts_with(name) {
            return;
        }
        on_the_way.push(now);
    }
    panic!("the focus never came to {role} “{name}”: {on_the_way:?}");
}

/// As a person who starts anew: the focus is on nothing.
async fn to_the_top(page: &Page) {
    page.run("document.activeElement?.blur(); getSelection().collapse(document.body, 0)").await;
}

/// Role and name of what has the focus.
async fn focus(page: &Page) -> (String, String) {
    let active = json!({ "expression": "document.activeElement" });
    let active = page.devtools.command("Runtime.evaluate", active).await;
    let query = json!({ "objectId": active["result"]["objectId"], "fetchRelatives": false });
    let tree = page.devtools.command("Accessibility.getPartialAXTree", query).await;
    let text = |part: &str| tree["nodes"][0][part]["value"].as_str().unwrap_or_default().to_owned();
    (text("role"), text("name"))
}
