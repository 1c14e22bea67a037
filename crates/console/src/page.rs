//! The two answers that are made when the function starts: the shell of every page and what the page is told of its stack.

use serde_json::{Value, json};
use startup::SignIn;

use crate::files::{self, File};

/// Where the files of one build stand; another build's have another address.
pub(crate) const ASSETS: &str = "/console/assets/";

/// Stands in the shell for [`ASSETS`] and the digest.
const PLACE: &str = "{{assets}}";

/// The scopes that the page asks for. A user with fewer gets fewer, and the page shows less.
const SCOPES: [&str; 6] =
    ["openid", "reprise/read", "reprise/payload", "reprise/operate", "reprise/erase", "reprise/configure"];

/// The shell, naming its files by `digest`.
///
/// # Errors
/// When the binary was built without it.
pub(crate) fn shell(digest: &str) -> anyhow::Result<File> {
    let text = files::index()?.replace(PLACE, &format!("{ASSETS}{digest}"));
    Ok(File::new("text/html; charset=utf-8", text))
}

/// What the page has to know before it calls anything.
pub(crate) fn config(sign_in: Option<&SignIn>) -> File {
    let config = sign_in.map_or_else(
        || json!({}),
        |sign_in| -> Value { json!({ "issuer": sign_in.issuer, "clientId": sign_in.client_id, "scopes": SCOPES }) },
    );
    File::new("application/json", config.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attributes that hold a script begin like this.
    fn is_handler(attribute: &str) -> bool {
        attribute.starts_with("on") && attribute.split_once('=').is_some_and(|(name, _)| name.len() > 2)
    }

    #[test]
    fn the_shell_holds_nothing_inline_and_nothing_of_another_site() {
        let shell = shell("d1").unwrap();
        let text = shell.text.to_lowercase();
        for inline in ["<style", " style=", "javascript:", "http:", "https:", "src=\"//", "href=\"//"] {
            assert!(!text.contains(inline), "{inline}");
        }
        for script in text.split("<script").skip(1) {
            let (tag, rest) = script.split_once('>').unwrap();
            assert!(tag.contains("src="), "a script without a file: {tag}");
            assert!(rest.starts_with("</script>"), "a script of its own: {rest}");
        }
        assert_eq!(text.split_whitespace().find(|word| is_handler(word)), None);
    }

    #[test]
    fn the_shell_names_its_files_by_their_digest() {
        let shell = shell("0123456789abcdef").unwrap();
        assert!(shell.text.contains("/console/assets/0123456789abcdef/"), "{}", shell.text);
        assert!(!shell.text.contains(PLACE));
    }

    #[test]
    fn without_an_issuer_there_is_nothing_to_tell() {
        assert_eq!(config(None).text, "{}");
    }

    #[test]
    fn with_an_issuer_the_page_is_told_where_and_as_whom_to_sign_in() {
        let sign_in = SignIn { issuer: "https://id.example".into(), client_id: "console".into(), origins: Vec::new() };
        let config: Value = serde_json::from_str(&config(Some(&sign_in)).text).unwrap();
        assert_eq!((&config["issuer"], &config["clientId"]), (&json!("https://id.example"), &json!("console")));
        assert_eq!(config["scopes"][0], "openid");
        assert_eq!(config["scopes"].as_array().unwrap().len(), 6);
    }
}
