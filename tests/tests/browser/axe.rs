//! axe-core, which knows what people with a screen reader, a keyboard or weak eyes stumble over.

use std::path::Path;

use serde_json::Value;

use crate::page::Page;

/// Where npm puts it.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/browser-tools/node_modules/axe-core/axe.min.js");

/// Fails when axe-core finds a serious or critical fault in what is on the page now; `what` names it.
pub(crate) async fn finds_nothing_serious(page: &Page, what: &str) {
    let script = std::fs::read_to_string(Path::new(SCRIPT));
    let script = script.unwrap_or_else(|_| panic!("axe-core is missing: npm ci --prefix tests/browser-tools"));
    if page.run("return typeof axe").await != "object" {
        page.run(&script).await;
    }
    let run = "const [done] = arguments;
        axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations
            .filter((fault) => ['serious', 'critical'].includes(fault.impact))
            .map((fault) => `${fault.impact} ${fault.id}: ${fault.help}\\n`
                + fault.nodes.slice(0, 5).map((node) => `    ${node.html}\\n      ${node.failureSummary}`).join('\\n'))),
            (error) => done([String(error)]));";
    let faults = page.client.execute_async(run, Vec::new()).await.expect("axe-core runs");
    let faults: Vec<&str> = faults.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(faults.is_empty(), "{what}: {}", faults.join("\n"));
}
