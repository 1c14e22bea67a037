//! Start-up of the functions: environment, clients, clock and log. The only place that reads any of them.

mod again;
mod clock;
mod conflicts;
mod log;
mod metrics;
mod settings;
mod sign_in;
mod stack;

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use again::received;
pub use clock::Clock;
pub use log::start as start_log;
pub use sign_in::SignIn;
pub use stack::Stack;

/// Serves a function's events with `handler` until Lambda ends the environment. What each one counted is written when it is
/// over, before Lambda has its answer.
///
/// # Errors
/// When the runtime API cannot be reached any more.
pub async fn serve<E, A, H, F>(handler: H) -> Result<(), Error>
where
    E: DeserializeOwned,
    A: Serialize,
    H: Fn(E) -> F,
    F: Future<Output = anyhow::Result<A>>,
{
    let clock = &Clock::from_env();
    lambda_runtime::run(service_fn(|event: LambdaEvent<E>| {
        let left = time_left(&event.context);
        // On the heap and without a name: the SDK's futures nest deeper than the compiler likes to follow.
        let answer: Pin<Box<dyn Future<Output = anyhow::Result<A>> + '_>> = Box::pin(handler(event.payload));
        async move {
            let answer = tokio::time::timeout(left, answer).await;
            let answer = answer.unwrap_or_else(|_| Err(anyhow::anyhow!("the invocation came to the end of its time")));
            metrics::flush(clock);
            answer.map_err(|error| {
                let chain = format!("{error:#}");
                tracing::error!(error = chain, "an invocation failed");
                Error::from(chain)
            })
        }
    }))
    .await
}

/// Before an invocation's end: what it takes to say that it has failed.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long an invocation may go on before Lambda would end it without a word in the log.
fn time_left(context: &lambda_runtime::Context) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(context.deadline).saturating_sub(now).saturating_sub(LAST_WORDS)
}
