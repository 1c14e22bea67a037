//! The files of the page, as they were when this binary was built.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Names and texts, as `build.rs` laid them down.
const WEB: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/web.rs"));

/// Letters of a digest that stand in addresses and entity tags: 64 bits.
const LETTERS: usize = 16;

/// A text that is served, compressed once at most.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) content_type: &'static str,
    pub(crate) text: Cow<'static, str>,
    compressed: OnceLock<String>,
}

impl File {
    pub(crate) fn new(content_type: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { content_type, text: text.into(), compressed: OnceLock::new() }
    }

    /// It as gzip, in base64, as a function hands bytes to API Gateway.
    pub(crate) fn compressed(&self) -> &str {
        self.compressed.get_or_init(|| STANDARD.encode(gzip(self.text.as_bytes())))
    }

    /// Names the content.
    pub(crate) fn digest(&self) -> String {
        shortened(Sha256::digest(self.text.as_bytes()).as_slice())
    }
}

/// The shell of every page.
///
/// # Errors
/// When the binary was built without it.
pub(crate) fn index() -> anyhow::Result<&'static str> {
    let shell = WEB.iter().find(|(name, _)| *name == "index.html");
    shell.map(|(_, text)| *text).ok_or_else(|| anyhow::anyhow!("the console was built without index.html"))
}

/// Everything but the shell, by its name. A note that stands among the files has no type and is not served.
pub(crate) fn assets() -> BTreeMap<&'static str, File> {
    let assets = WEB.iter().filter(|(name, _)| *name != "index.html");
    assets.filter_map(|&(name, text)| Some((name, File::new(content_type(name)?, text)))).collect()
}

/// Names all of it together: names and contents.
pub(crate) fn digest() -> String {
    let mut digest = Sha256::new();
    for (name, text) in WEB {
        // No name holds a NUL, and lengths keep one file's end from being another one's beginning.
        digest.update(format!("{name}\0{}\0", text.len()));
        digest.update(text.as_bytes());
    }
    shortened(digest.finalize().as_slice())
}

fn content_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Memory takes whatever is written to it.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn shortened(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()[..LETTERS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All scripts and styles together, as they are before compression.
    const BUDGET: usize = 106_000;

    #[test]
    fn scripts_and_styles_keep_to_their_budget() {
        let assets = assets();
        let counted = assets.iter().filter(|(path, _)| path.ends_with(".js") || path.ends_with(".css"));
        let sizes: BTreeMap<&str, usize> = counted.map(|(path, file)| (*path, file.text.len())).collect();
        let total: usize = sizes.values().sum();
        assert!(total <= BUDGET, "{total} bytes of {BUDGET}: {sizes:#?}");
        assert!(total > 0, "there is nothing");
    }

    #[test]
    fn no_script_makes_markup_or_code_from_text_or_calls_another_site() {
        let forbidden = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "srcdoc",
            "setHTML",
            "createContextualFragment",
            "DOMParser",
        ];
        for (path, file) in assets() {
            let found = forbidden.iter().find(|word| file.text.contains(**word));
            assert_eq!(found, None, "{path}");
            let elsewhere = file.text.lines().find(|line| names_another_site(line));
            assert_eq!(elsewhere, None, "{path}");
        }
    }

    #[test]
    fn what_is_compressed_is_what_is_served_without() {
        use std::io::Read as _;
        let file = File::new("text/plain", "ab".repeat(1_000));
        let bytes = STANDARD.decode(file.compressed()).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, file.text);
        assert!(bytes.len() < 100);
    }

    #[test]
    fn the_digest_is_short_and_changes_with_the_content() {
        let [a, b] = ["a", "b"].map(|text| File::new("text/plain", text).digest());
        assert_eq!((a.len(), digest().len()), (LETTERS, LETTERS));
        assert_ne!(a, b);
    }

    /// The name of a namespace is an address that nobody calls.
    fn names_another_site(line: &str) -> bool {
        line.replace("http://www.w3.org/2000/svg", "").contains("://") && line.contains("http")
    }
}
