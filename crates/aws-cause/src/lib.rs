//! What an AWS call failed of, in one line. The SDK's own debug text holds requests and answers, and so whatever was in
//! them: none of that may reach a log.

use std::error::Error;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Most characters of a cause.
const MOST: usize = 500;

/// The service's code and message; where no service answered, the chain of causes.
#[must_use]
pub fn cause<E, R>(error: &SdkError<E, R>) -> String
where
    E: Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    let text = match error.as_service_error() {
        Some(service) => match (service.code(), service.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            (None, _) => "the service answered with an error without a code".to_owned(),
        },
        None => chain(error),
    };
    text.chars().take(MOST).collect()
}

fn chain<E, R>(error: &SdkError<E, R>) -> String
where
    E: Error + 'static,
    R: std::fmt::Debug,
{
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
