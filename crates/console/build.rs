//! Lays the page's files down as the binary serves them: scripts and styles without comments and white space, which only
//! authors read. A change of any of them rebuilds the binary.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use minifier::js::{clean_tokens_except, simple_minify};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=web");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let mut files: Vec<PathBuf> = fs::read_dir("web")?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.sort();
    let mut table = String::from("&[\n");
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidFilename)?;
        let laid_down = out.join(name);
        fs::write(&laid_down, served(&path)?)?;
        table.push_str(&format!("    ({name:?}, include_str!({laid_down:?})),\n"));
    }
    table.push_str("]\n");
    fs::write(out.join("web.rs"), table)
}

fn served(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    let wrong = |error: &str| io::Error::other(format!("{}: {error}", path.display()));
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("js") => {
            // Nothing is kept that need not be, so a loop must not end in an empty statement.
            let tokens = simple_minify(&text).map_err(wrong)?;
            Ok(tokens.apply(|tokens| clean_tokens_except(tokens, |_| true)).to_string())
        }
        // Nor does a last declaration need its end.
        Some("css") => Ok(minifier::css::minify(&text).map_err(wrong)?.to_string().replace(";}", "}")),
        _ => Ok(text),
    }
}
