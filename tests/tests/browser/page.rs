//! The page as a person meets it: by roles and names, with patience, and with nothing said on the console.

use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::Client;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use serde_json::{Value, json};

use crate::console_log::{self, LogEntry};
use crate::devtools::DevTools;
use crate::seen::{self, Seen};

/// How long anything may take before a test gives up. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// An open page. Clones are of the same.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) client: Client,
    pub(crate) devtools: DevTools,
    origin: String,
}

/// A word by which something is found: its whole name, or a part of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Name<'a> {
    Is(&'a str),
    Has(&'a str),
}

impl Name<'_> {
    fn fits(self, name: &str) -> bool {
        match self {
            Self::Is(text) => name.trim() == text,
            Self::Has(text) => name.contains(text),
        }
    }
}

impl<'a> From<&'a str> for Name<'a> {
    fn from(text: &'a str) -> Self {
        Self::Is(text)
    }
}

impl Page {
    pub(crate) fn new(client: Client, devtools: DevTools, origin: String) -> Self {
        Self { client, devtools, origin }
    }

    /// Opens a path of the console.
    pub(crate) async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.origin)).await.expect("the page is opened");
    }

    /// Path and query as the address line has them.
    pub(crate) async fn address(&self) -> String {
        let url = self.client.current_url().await.expect("an address");
        url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
    }

    /// Waits until `look` finds something; `what` is told when it never does.
    pub(crate) async fn until<T, F: Future<Output = Option<T>>>(&self, what: &str, look: impl Fn() -> F) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "in {PATIENCE:?} there was no {what}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits for the first element with this role and name.
    pub(crate) async fn find<'a>(&self, role: &str, name: impl Into<Name<'a>>) -> Seen {
        self.find_in(None, role, name.into()).await
    }

    /// The same, inside another element.
    pub(crate) async fn find_within<'a>(&self, within: &Seen, role: &str, name: impl Into<Name<'a>>) -> Seen {
        self.find_in(Some(within), role, name.into()).await
    }

    async fn find_in(&self, within: Option<&Seen>, role: &str, name: Name<'_>) -> Seen {
        let what = format!("{role} {name:?}");
        let look = async || seen::all(self, within, role).await.into_iter().find(|seen| name.fits(&seen.name));
        self.until(&what, look).await
    }

    /// Whether there is such an element now.
    pub(crate) async fn has<'a>(&self, role: &str, name: impl Into<Name<'a>>) -> bool {
        let name = name.into();
        self.all(role).await.iter().any(|seen| name.fits(&seen.name))
    }

    /// Waits until there is no such element.
    pub(crate) async fn gone<'a>(&self, role: &str, name: impl Into<Name<'a>>) {
        let name = name.into();
        self.until(&format!("end of {role} {name:?}"), async || (!self.has(role, name).await).then_some(())).await;
    }

    /// Everything with this role.
    pub(crate) async fn all(&self, role: &str) -> Vec<Seen> {
        seen::all(self, None, role).await
    }

    pub(crate) async fn all_within(&self, within: &Seen, role: &str) -> Vec<Seen> {
        seen::all(self, Some(within), role).await
    }

    pub(crate) async fn button<'a>(&self, name: impl Into<Name<'a>>) -> Seen {
        self.find("button", name).await
    }

    pub(crate) async fn link<'a>(&self, name: impl Into<Name<'a>>) -> Seen {
        self.find("link", name).await
    }

    pub(crate) async fn dialog(&self) -> Seen {
        self.find("dialog", Name::Has("")).await
    }

    /// The text of the whole page as it is shown, blanks folded.
    pub(crate) async fn text(&self) -> String {
        let text = self.run("return document.body?.innerText ?? ''").await;
        text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Waits until the page says this somewhere.
    pub(crate) async fn says(&self, text: &str) {
        self.until(&format!("text “{text}”"), async || self.says_now(text).await.then_some(())).await;
    }

    /// Waits until the page says this nowhere.
    pub(crate) async fn says_no_more(&self, text: &str) {
        self.until(&format!("end of “{text}”"), async || (!self.says_now(text).await).then_some(())).await;
    }

    async fn says_now(&self, text: &str) -> bool {
        let script = "return document.body.innerText.replace(/\\s+/g, ' ').includes(arguments[0])";
        self.client.execute(script, vec![text.into()]).await.is_ok_and(|says| says == true)
    }

    /// Waits until the address is this.
    pub(crate) async fn is_at(&self, address: &str) {
        let at = async || {
            let now = self.address().await;
            (now == address).then_some(())
        };
        self.until(&format!("address {address}"), at).await;
    }

    /// Waits until the window is on this site and shows something. The driver itself waits for pages that are on their way;
    /// questions about roles and names, which go past it, would be lost with the page that they were put to.
    pub(crate) async fn is_on(&self, origin: &str) {
        let there = async || {
            let url = self.client.current_url().await.ok()?;
            let shown = "return document.readyState === 'complete' && document.body.innerText !== ''";
            let shown = self.client.execute(shown, Vec::new()).await.ok()?;
            (url.as_str().starts_with(origin) && shown == true).then_some(())
        };
        self.until(&format!("page of {origin}"), there).await;
    }

    /// Runs a script in the page and gives what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Presses keys wherever the focus is, one after the other.
    pub(crate) async fn press(&self, keys: &[char]) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for key in keys {
            actions = actions.then(KeyAction::Down { value: *key }).then(KeyAction::Up { value: *key });
        }
        self.client.perform_actions(actions).await.expect("keys are pressed");
    }

    /// Holds keys down together, in this order, and lets them go.
    pub(crate) async fn chord(&self, keys: &[char]) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for key in keys {
            actions = actions.then(KeyAction::Down { value: *key });
        }
        for key in keys.iter().rev() {
            actions = actions.then(KeyAction::Up { value: *key });
        }
        self.client.perform_actions(actions).await.expect("keys are pressed");
    }

    /// Types a text wherever the focus is.
    pub(crate) async fn type_text(&self, text: &str) {
        self.press(&text.chars().collect::<Vec<_>>()).await;
    }

    /// What the reader's system prefers: `light` or `dark`.
    pub(crate) async fn prefers(&self, scheme: &str) {
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools.command("Emulation.setEmulatedMedia", feature).await;
    }

    /// How large the window is inside.
    pub(crate) async fn is_sized(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Fails when the page is wider than its window: something pushed it apart.
    pub(crate) async fn fits_its_window(&self) {
        let script = "const wide = document.documentElement;
            if (wide.scrollWidth <= wide.clientWidth) return null;
            const out = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > wide.clientWidth + 1);
            return out.slice(0, 3).map((e) => e.outerHTML.slice(0, 200)).join('\\n') || 'something';";
        let out = self.run(script).await;
        assert_eq!(out, Value::Null, "the page is wider than its window: {}", out.as_str().unwrap_or_default());
    }

    /// Writes a picture of what the window shows, in the format that the file's name says.
    pub(crate) async fn picture(&self, file: &Path) {
        let format = file.extension().and_then(|ending| ending.to_str()).unwrap_or("png");
        let parameters = json!({ "format": format, "quality": 80 });
        let picture = self.devtools.command("Page.captureScreenshot", parameters).await;
        let bytes = STANDARD.decode(picture["data"].as_str().unwrap_or_default()).expect("a picture in base64");
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder for pictures");
        std::fs::write(file, bytes).expect("the picture is written");
    }

    /// What the browser has logged since it was last asked.
    pub(crate) async fn log(&self) -> Vec<LogEntry> {
        console_log::read(&self.client).await
    }
}
