//! What stands between the browser and the stack: it hands everything through, remembers what was asked, and does what
//! networks and gateways do on a bad day.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What happens to a request in place of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The connection breaks.
    Gone,
    /// This status with this JSON body, and nothing of it reaches the stack.
    Says(u16, Value),
    /// The answer waits until the fault is lifted.
    Slow,
    /// The stack does it, and the answer gets lost on its way back.
    AnswerLost,
}

/// A running proxy.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    stack: String,
    http: reqwest::Client,
    asked: Mutex<Vec<String>>,
    faults: Mutex<Vec<Rule>>,
    /// Counts up whenever a fault is lifted.
    lifted: watch::Sender<usize>,
}

/// `begins` is the beginning of `METHOD /path?query`.
struct Rule {
    begins: String,
    fault: Fault,
}

impl Proxy {
    /// Stands before `stack`.
    pub(crate) async fn start(stack: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            stack,
            http: reqwest::Client::new(),
            asked: Mutex::default(),
            faults: Mutex::default(),
            lifted: watch::Sender::new(0),
        });
        let task = tokio::spawn(accept(listener, shared.clone()));
        Self { address, shared, task }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, as `METHOD /path?query`.
    pub(crate) fn asked(&self) -> Vec<String> {
        locked(&self.shared.asked).clone()
    }

    /// Requests so far that begin like this: `POST /flows/orders/retry`.
    pub(crate) fn count(&self, begins: &str) -> usize {
        locked(&self.shared.asked).iter().filter(|asked| asked.starts_with(begins)).count()
    }

    /// From now on every request that begins like this meets `fault`; the latest rule counts.
    pub(crate) fn inject(&self, begins: &str, fault: Fault) {
        locked(&self.shared.faults).push(Rule { begins: begins.to_owned(), fault });
    }

    /// Every request to the API that reads or writes, but none of the page's own files.
    pub(crate) fn inject_into_api(&self, fault: &Fault) {
        for path in ["/flows", "/interchanges", "/jobs"] {
            for method in ["GET", "POST", "PUT"] {
                self.inject(&format!("{method} {path}"), fault.clone());
            }
        }
    }

    /// All is well again, and what waited goes on.
    pub(crate) fn heal(&self) {
        locked(&self.shared.faults).clear();
        self.shared.lifted.send_modify(|times| *times += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, shared.clone()));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| {
        let shared = shared.clone();
        async move { shared.answer(request).await }
    });
    // An error is a browser that left, or the fault of a broken connection.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The connection ends without an answer.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken on purpose")
    }
}

impl std::error::Error for Broken {}

impl From<Infallible> for Broken {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Broken> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let line = format!("{} {path}", request.method());
        locked(&self.asked).push(line.clone());
        let mut lifted = self.lifted.subscribe();
        match self.fault(&line) {
            Some(Fault::Gone) => Err(Broken),
            Some(Fault::Says(status, body)) => Ok(says(status, &body)),
            Some(Fault::Slow) => {
                let _ = lifted.changed().await;
                self.forward(request).await
            }
            Some(Fault::AnswerLost) => {
                self.forward(request).await?;
                Err(Broken)
            }
            None => self.forward(request).await,
        }
    }

    fn fault(&self, line: &str) -> Option<Fault> {
        let faults = locked(&self.faults);
        faults.iter().rev().find(|rule| line.starts_with(&rule.begins)).map(|rule| rule.fault.clone())
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Broken> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let call = self.http.request(head.method, format!("{}{path}", self.stack)).headers(head.headers).body(body);
        let answer = call.send().await.map_err(|_| Broken)?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|_| Broken)?;
        // The length is told anew.
        headers.remove(CONTENT_LENGTH);
        headers.remove(TRANSFER_ENCODING);
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

fn says(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    response.body(Full::new(body.to_string().into())).expect("a response")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
