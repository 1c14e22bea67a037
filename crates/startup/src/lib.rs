//! Start-up of the functions: environment, AWS clients, clock and log. No other crate reads the environment or the time.

mod clock;
mod conflicts;
mod delivery;
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

pub use clock::Clock;
pub use delivery::received;
pub use log::start as start_log;
pub use sign_in::SignIn;
pub use stack::Stack;

/// Runs `handler` for each event of the function, until Lambda ends the environment. Writes the metrics of an invocation
/// before it returns the response to Lambda.
///
/// # Errors
/// If the runtime API can no longer be reached.
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
        // Boxed, because the nested types of the SDK's futures are too deep for the compiler.
        let answer: Pin<Box<dyn Future<Output = anyhow::Result<A>> + '_>> = Box::pin(handler(event.payload));
        async move {
            let answer = tokio::time::timeout(left, answer).await;
            let answer = answer.unwrap_or_else(|_| Err(anyhow::anyhow!("the invocation ran out of time")));
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

/// The handler stops this long before Lambda's deadline, to log the failure and write the metrics.
const DEADLINE_MARGIN: Duration = Duration::from_millis(500);

/// The time that is left for the handler. Lambda would end the invocation at its deadline without a line in the log.
fn time_left(context: &lambda_runtime::Context) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(context.deadline).saturating_sub(now).saturating_sub(DEADLINE_MARGIN)
}
