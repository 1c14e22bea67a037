//! Starts the process of an execution environment with the variables that Lambda sets, and waits until it ends.

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use local_aws::Caller;
use tokio::process::{Child, Command};

use super::environment::Environment;
use super::log;
use super::settings::ProcessSettings;
use crate::template::Function;

/// The variables of the developer's environment that a process inherits. The AWS profile and region are not among them.
const INHERITED: &[&str] = &["PATH", "RUST_BACKTRACE", "RUST_LOG"];

/// Starts the function's binary for `environment`. The process is killed when the child is dropped.
///
/// If `local` itself is killed, its processes are not killed with it. They lose the Runtime API and exit at their next call
/// to it: at once when idle, else when their invocation is done.
pub(super) fn start(
    function: &Function,
    environment: &Environment,
    settings: &ProcessSettings,
    runtime_api: SocketAddr,
) -> std::io::Result<Child> {
    let mut command = Command::new(settings.binaries.join(&function.binary));
    command
        .env_clear()
        .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("TZ", ":UTC")
        .env("AWS_REGION", &settings.region)
        .env("AWS_DEFAULT_REGION", &settings.region)
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
        // Becomes part of the user agent of its AWS calls, so that a fault of the endpoint can find the caller and kill it.
        .env("AWS_SDK_UA_APP_ID", Caller::new(&function.name, &environment.id).app_id())
        .envs(&settings.variables)
        .envs(&function.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A process group of its own does not get the Ctrl-C of the terminal: `local` gets it and stops its processes.
        .process_group(0)
        .kill_on_drop(true);
    command.spawn()
}

/// Waits until the process ends, kills it when its environment asks for that, and logs what it writes.
pub(super) async fn watch(
    mut child: Child,
    function: String,
    environment: Arc<Environment>,
    listener: log::LogListener,
) {
    let output = child.stdout.take().map(|stdout| log::forward_lines(stdout, function.clone(), listener.clone()));
    let errors = child.stderr.take().map(|stderr| log::forward_lines(stderr, function.clone(), listener.clone()));
    let exit = async {
        let status = tokio::select! {
            status = child.wait() => status,
            () = environment.kill_requested() => {
                // Fails only if the process has ended already.
                let _ = child.start_kill();
                child.wait().await
            }
        };
        environment.process_ended(status.map_or_else(|error| error.to_string(), describe));
    };
    tokio::join!(exit, run_if_some(output), run_if_some(errors));
}

async fn run_if_some(future: Option<impl Future<Output = ()>>) {
    if let Some(future) = future {
        future.await;
    }
}

/// The exit status in Lambda's words.
fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(9)) => "signal: killed".to_owned(),
        (None, Some(signal)) => format!("signal: {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}
