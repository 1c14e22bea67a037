//! An operator's desk: a stack, a proxy before it, and a browser. What goes wrong is told with a picture.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use serde_json::json;
use tests::{START, World};
use tokio::time::timeout;

use crate::chrome::Chrome;
use crate::page::Page;
use crate::proxy::Proxy;

/// Everything a test in the browser has.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) proxy: Proxy,
    pub(crate) page: Page,
    refusals_are_expected: AtomicBool,
}

/// Orders of the demo that fail.
const DEMO_FAILURES: u64 = 7;

/// How long a test may take on a machine that is busy with others. Neither browser nor driver promise to answer at all.
const LONGEST: Duration = Duration::from_mins(4);

/// How long it may take to tell what is seen when a test has failed.
const PICTURE: Duration = Duration::from_secs(20);

/// Runs a test at a desk where the demo pipeline runs, and its orders have failed.
pub(crate) async fn beside_the_demo(test: impl AsyncFnOnce(&Desk)) {
    let world = World::start().await;
    for queue in demo::QUEUES {
        world.stack.add_external_consumer(queue);
    }
    let config = demo::DemoConfig { http: world.stack.http_url(), aws: world.stack.aws_url(), token: None };
    let pipeline = tokio::spawn(demo::run(config));
    at_a_desk_of(world, async |desk| {
        let failed = async || {
            let counts = desk.world.get(&format!("/flows/{}", demo::FLOW)).await.json()["counts"].clone();
            let of = |status: &str| counts[status].as_u64().unwrap_or_default();
            (of("failed") + of("partially_failed") == DEMO_FAILURES).then_some(())
        };
        desk.page.until("failed orders of the demo", failed).await;
        desk.world.settle().await;
        test(desk).await;
    })
    .await;
    pipeline.abort();
}

/// Runs a test at a desk before this stack. It fails when the browser has anything to complain of.
pub(crate) async fn at_a_desk_of(world: World, test: impl AsyncFnOnce(&Desk)) {
    let (proxy, chrome) = tokio::join!(Proxy::start(world.stack.http_url()), Chrome::start());
    let page = Page::new(chrome.client.clone(), chrome.devtools.clone(), proxy.url());
    set_the_clock(&page).await;
    let desk = Desk { world, proxy, page, refusals_are_expected: AtomicBool::new(false) };
    let attempt = async {
        test(&desk).await;
        desk.has_no_complaints().await;
    };
    let attempt = async { timeout(LONGEST, attempt).await.unwrap_or_else(|_| panic!("no end in {LONGEST:?}")) };
    let outcome = AssertUnwindSafe(attempt).catch_unwind().await;
    if outcome.is_err() {
        // Telling may fail itself, or never end, where the browser is gone, and must not hide the failure then.
        let telling = timeout(PICTURE, desk.tell_what_is_seen());
        let _ = AssertUnwindSafe(telling).catch_unwind().await;
    }
    chrome.stop().await;
    desk.world.stop().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// The browser's clock goes on from where the stack's stands, so that "5 min ago" is.
async fn set_the_clock(page: &Page) {
    let start: Timestamp = START.parse().expect("a time");
    let ahead = start.as_millisecond() - Timestamp::now().as_millisecond();
    let source = format!(
        "{{ const Real = Date; globalThis.Date = class extends Real {{
             constructor(...parts) {{ if (parts.length) super(...parts); else super(Real.now() + {ahead}); }}
             static now() {{ return Real.now() + {ahead}; }} }}; }}"
    );
    page.devtools.command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await;
}

impl Desk {
    /// From here on the browser may log answers that are no success: the test is about them.
    pub(crate) fn expects_refusals(&self) {
        self.refusals_are_expected.store(true, Ordering::Relaxed);
    }

    /// Fails when a script broke, the policy was breached, or an answer was no success that the test did not expect.
    pub(crate) async fn has_no_complaints(&self) {
        let expected = self.refusals_are_expected.load(Ordering::Relaxed);
        let log = self.page.log().await;
        let complaint = |source: &str, level: &str| level == "SEVERE" && !(expected && source == "network");
        let complaints: Vec<_> = log.iter().filter(|entry| complaint(&entry.source, &entry.level)).collect();
        assert!(complaints.is_empty(), "the browser complains: {complaints:#?}");
    }

    /// A picture of the page, its address and the browser's log, for whoever has to find out what went wrong.
    async fn tell_what_is_seen(&self) {
        let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
        let file = pictures().join("failed").join(format!("{test}.png"));
        self.page.picture(&file).await;
        eprintln!("the page at {} is shown in {}", self.page.address().await, file.display());
        for entry in self.page.log().await {
            eprintln!("{} {} {}", entry.level, entry.source, entry.message);
        }
        for asked in self.proxy.asked().iter().rev().take(10).rev() {
            eprintln!("asked {asked}");
        }
        eprintln!("it says: {}", self.page.text().await);
    }
}

/// Where pictures of the page are put: beside what cargo builds, so they are never kept.
pub(crate) fn pictures() -> PathBuf {
    let own = std::env::current_exe().expect("the test knows its own binary");
    // The test's own binary stands in target/<profile>/deps.
    own.ancestors().nth(3).expect("the test's binary stands in target/<profile>/deps").join("console")
}
