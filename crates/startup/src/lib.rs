//! Start-up of the functions: environment, clients, clock and log. The only place that reads any of them.

mod clock;
mod log;
mod metrics;
mod settings;
mod sign_in;
mod stack;

use std::future::Future;
use std::pin::Pin;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

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
        // On the heap and without a name: the SDK's futures nest deeper than the compiler likes to follow.
        let answer: Pin<Box<dyn Future<Output = anyhow::Result<A>> + '_>> = Box::pin(handler(event.payload));
        async {
            let answer = answer.await;
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
