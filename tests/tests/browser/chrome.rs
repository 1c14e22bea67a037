//! A Chromium of its own for a test, driven through chromedriver, and gone when the test is, however it ends.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::devtools::DevTools;

/// What to type where one of the programs is missing.
const INSTALL: &str = "apt-get install chromium chromium-driver";

/// Nothing but the page under test is to be loaded or asked for.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // What fades in has less contrast on the way.
    "--force-prefers-reduced-motion",
    "--window-size=1280,900",
];

/// How long a page may take to load and a script to run, in milliseconds.
const PATIENCE: u32 = 20_000;

/// How long it may take to end in good order.
const FAREWELL: Duration = Duration::from_secs(5);

/// A browser with one session.
pub(crate) struct Chrome {
    pub(crate) client: Client,
    pub(crate) devtools: DevTools,
    driver: Driver,
}

/// Runs the driver until its input ends, which it does with the test, even with one that is killed. Then driver and
/// browser, which are of its group, are killed. Nobody but the driver holds its output, which so ends with it.
const UNTIL_THE_END: &str = "\"$0\" --port=0 & exec >&-; read -r end; kill -KILL 0";

/// The shell's process, which leads a group that its browser belongs to, too.
struct Driver {
    child: Child,
    /// The browser's profile: empty at first, removed at last.
    _profile: TempDir,
}

impl Chrome {
    /// Starts a browser that knows nothing.
    pub(crate) async fn start() -> Self {
        let (chromium, chromedriver) = (program("chromium"), program("chromedriver"));
        let profile = TempDir::new().expect("a directory for the profile");
        let capabilities = capabilities(&chromium, profile.path());
        let mut child = Command::new("sh")
            .args(["-c", UNTIL_THE_END])
            .arg(chromedriver)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver starts");
        let output = child.stdout.take().expect("its output");
        // From here on it ends with this value.
        let driver = Driver { child, _profile: profile };
        let port = tokio::task::spawn_blocking(move || port(output)).await.expect("its output is read");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await;
        let client = client.expect("Chromium starts");
        let devtools = DevTools::connect(&client).await;
        Self { client, devtools, driver }
    }

    /// Ends it in good order where it still listens.
    pub(crate) async fn stop(self) {
        // What does not end by itself ends with the driver.
        let _ = tokio::time::timeout(FAREWELL, self.client.close()).await;
        drop(self.driver);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Where a program lies that the tests cannot do without.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("the tests in a browser need `{name}`: {INSTALL}"))
}

/// The port that chromedriver says it has taken. The rest of its output is read and forgotten.
fn port(output: impl std::io::Read + Send + 'static) -> u16 {
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let said = lines.find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
    std::thread::spawn(move || lines.for_each(drop));
    said.expect("chromedriver says on which port it listens")
}

fn capabilities(chromium: &Path, profile: &Path) -> Map<String, Value> {
    let mut arguments: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    let capabilities = json!({
        "browserName": "chrome",
        // An alert that nobody expects stays open, so that whatever comes next fails on it.
        "unhandledPromptBehavior": "ignore",
        "timeouts": { "pageLoad": PATIENCE, "script": PATIENCE },
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": { "binary": chromium, "args": arguments },
    });
    match capabilities {
        Value::Object(capabilities) => capabilities,
        _ => Map::new(),
    }
}
