//! The page's modules that need no page: code pages and layouts of payloads, tested by node's own runner.

use std::path::Path;
use std::process::Command;

#[test]
fn the_modules_that_need_no_page_keep_their_promises() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/console/web-tests");
    let run = Command::new("node").arg("--test").arg(&tests).output();
    let run = run.expect("node runs: install Node.js 20 or later");
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{told}{}", String::from_utf8_lossy(&run.stderr));
    let passed = told.lines().find_map(|line| line.split_once("pass ")?.1.trim().parse::<u32>().ok());
    assert!(passed.is_some_and(|passed| passed >= 30), "{told}");
}
