//! The process behind an execution environment: started with what Lambda would set, watched to its end.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use local_aws::Caller;
use tokio::process::{Child, Command};

use super::environment::Environment;
use super::{RuntimeApi, Surroundings, log};
use crate::template::Function;

/// What a process keeps of the developer's own environment. Their AWS profile and region are none of its business.
const INHERITED: &[&str] = &["PATH", "RUST_BACKTRACE", "RUST_LOG"];

/// Starts the function's binary for `environment`. The process is killed when the child is dropped.
///
/// A `local` that is killed itself takes no child along, but leaves none either: the Runtime API is gone, so a process
/// ends with its first call to it, at once when idle, else when its invocation is done.
pub(super) fn start(
    function: &Function,
    environment: &Environment,
    surroundings: &Surroundings,
    runtime_api: RuntimeApi,
) -> std::io::Result<Child> {
    let mut command = Command::new(surroundings.binaries.join(&function.binary));
    command
        .env_clear()
        .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("TZ", ":UTC")
        .env("AWS_REGION", &surroundings.region)
        .env("AWS_DEFAULT_REGION", &surroundings.region)
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_SESSION_TOKEN", "local")
        .env("AWS_EXECUTION_ENV", "AWS_Lambda_Custom")
        .env("AWS_LAMBDA_RUNTIME_API", format!("http://{runtime_api}/{}", environment.id))
        .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.to_string())
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", &environment.id)
        .env("_HANDLER", "bootstrap")
        // Part of the user agent of its AWS calls: faults of the endpoint can tell who calls, and kill it.
        .env("AWS_SDK_UA_APP_ID", Caller::new(&function.name, &environment.id).app_id())
        .envs(&surroundings.variables)
        .envs(&function.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A Ctrl-C in the terminal is for `local`, which then stops its processes in order.
        .process_group(0)
        .kill_on_drop(true);
    command.spawn()
}

/// Watches the process to its end, passing on what it writes.
pub(super) async fn watch(mut child: Child, function: String, environment: Arc<Environment>, readers: log::Readers) {
    let output = child.stdout.take().map(|stdout| log::pass_on(stdout, function.clone(), readers.clone()));
    let errors = child.stderr.take().map(|stderr| log::pass_on(stderr, function.clone(), readers.clone()));
    let ending = async {
        let status = tokio::select! {
            status = child.wait() => status,
            () = environment.to_be_killed() => {
                // It fails only for a process that has ended already.
                let _ = child.start_kill();
                child.wait().await
            }
        };
        environment.ended(status.map_or_else(|error| error.to_string(), describe));
    };
    tokio::join!(ending, or_nothing(output), or_nothing(errors));
}

async fn or_nothing(reading: Option<impl Future<Output = ()>>) {
    if let Some(reading) = reading {
        reading.await;
    }
}

/// As Lambda words it.
fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(9)) => "signal: killed".to_owned(),
        (None, Some(signal)) => format!("signal: {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}
