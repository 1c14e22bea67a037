//! Which path answers what, and how long a browser may keep it.

use std::collections::BTreeMap;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::{HeaderMap, HeaderValue, header};
use startup::SignIn;

use crate::files::{self, File};
use crate::{headers, page};

/// A file under its digest is never another one.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Ask each time; an unchanged one costs 304 and no body.
const ASK: HeaderValue = HeaderValue::from_static("no-cache");

/// The next build may have it.
const NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// Everything that is served under `/console`.
#[derive(Debug)]
pub(crate) struct Site {
    shell: File,
    config: File,
    /// By what stands after the digest.
    assets: BTreeMap<&'static str, File>,
    /// Where this build's files stand.
    here: String,
    headers: HeaderMap,
}

impl Site {
    /// # Errors
    /// When the binary was built without its files, or an address of `sign_in` is none.
    pub(crate) fn new(sign_in: Option<&SignIn>) -> anyhow::Result<Self> {
        let digest = files::digest();
        Ok(Self {
            shell: page::shell(&digest)?,
            config: page::config(sign_in),
            assets: files::assets(),
            here: format!("{}{digest}/", page::ASSETS),
            headers: headers::everywhere(sign_in)?,
        })
    }

    /// Paths are looked up among the files of this build and nowhere else, so none leads out of them. A file of another
    /// build is not there: serving this build's in its place would mix two builds in one page. An open page has
    /// loaded all of its own, so it lives on.
    pub(crate) fn answer(&self, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
        let path = request.raw_path.as_deref().unwrap_or_default();
        if let Some(name) = path.strip_prefix(self.here.as_str()) {
            return self.assets.get(name).map_or_else(|| self.missing(), |file| self.found(file, IMMUTABLE, request));
        }
        match path {
            "/console/config.json" => self.fresh(&self.config, request),
            _ if path.starts_with(page::ASSETS) => self.missing(),
            // The page finds its own way from here.
            _ => self.fresh(&self.shell, request),
        }
    }

    /// A file whose address does not change with its content.
    fn fresh(&self, file: &File, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
        // Weak: compressed or not, it is the same content.
        let tag = format!("W/\"{}\"", file.digest());
        let mut answer = if knows(&request.headers, &tag) {
            let mut answer = self.with_status(304);
            answer.headers.insert(header::CACHE_CONTROL, ASK);
            answer.headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
            answer
        } else {
            self.found(file, ASK, request)
        };
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            answer.headers.insert(header::ETAG, tag);
        }
        answer
    }

    fn found(&self, file: &File, keep: HeaderValue, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
        let mut answer = self.with_status(200);
        answer.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
        answer.headers.insert(header::CACHE_CONTROL, keep);
        answer.headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if takes_gzip(&request.headers) {
            answer.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            answer.body = Some(Body::Text(file.compressed().to_owned()));
            answer.is_base64_encoded = true;
        } else {
            answer.body = Some(Body::Text(file.text.clone().into_owned()));
        }
        answer
    }

    fn missing(&self) -> ApiGatewayV2httpResponse {
        let mut answer = self.with_status(404);
        answer.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        answer.headers.insert(header::CACHE_CONTROL, NEVER);
        answer.body = Some(Body::Text("There is no such file in this build of the console. Reload the page.".into()));
        answer
    }

    fn with_status(&self, status: i64) -> ApiGatewayV2httpResponse {
        let mut answer = ApiGatewayV2httpResponse::default();
        answer.status_code = status;
        answer.headers = self.headers.clone();
        answer
    }
}

/// Whether the browser has what `tag` names.
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    values(headers, header::IF_NONE_MATCH).any(|known| known.trim() == "*" || opaque(known) == opaque(tag))
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    values(headers, header::ACCEPT_ENCODING).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

fn values(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','))
}

#[cfg(test)]
mod tests;
