//! The stack on this machine: starts and stops the endpoint, resources, functions, event sources and HTTP API together.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use local_aws::{ACCOUNT, Aws, REGION, StartError};
use test_issuer::TestIssuer;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::activity::Activity;
use crate::consumers::ExternalConsumers;
use crate::gateway::Gateway;
use crate::invoker::Invoker;
use crate::lambda::{InvocationError, InvocationResult, Lambda, NoSuchFunction, ProcessSettings};
use crate::options::{StackError, StackOptions};
use crate::provision::provision;
use crate::services::Services;
use crate::sign_in;
use crate::sources::Sources;
use crate::template::{StackContext, Template};

/// The name of the stack. It is also the name of the table and the start of every other name.
const STACK_NAME: &str = "reprise";

/// A running stack. Dropping it kills every function process. [`Stack::shutdown`] also waits until the processes have ended.
pub struct Stack {
    services: Arc<Services>,
    http: SocketAddr,
    template: Template,
    tasks: JoinSet<()>,
    issuer: Option<TestIssuer>,
    /// Holds the lock on the data directory while the stack runs.
    _data_lock: Option<File>,
}

impl Stack {
    /// Starts the stack. When this returns, every resource of the template exists and both addresses answer.
    ///
    /// # Errors
    /// If a part does not start. Nothing is left running then.
    pub async fn start(options: StackOptions) -> Result<Self, StackError> {
        let aws = Aws::start(aws_options(&options));
        Self::start_with(options, aws).await
    }

    /// Like [`Self::start`], and counts the AWS calls of the functions with [`Aws::meter`].
    ///
    /// # Errors
    /// Like [`Self::start`].
    pub async fn start_metered(options: StackOptions) -> Result<Self, StackError> {
        let aws = Aws::start_metered(aws_options(&options));
        Self::start_with(options, aws).await
    }

    /// Like [`Self::start`], and lets [`Aws::faults`] change the result of every AWS call of the functions.
    ///
    /// # Errors
    /// Like [`Self::start`].
    pub async fn start_faulty(options: StackOptions) -> Result<Self, StackError> {
        let aws = Aws::start_faulty(aws_options(&options));
        Self::start_with(options, aws).await
    }

    async fn start_with(
        options: StackOptions,
        aws: impl Future<Output = Result<Aws, StartError>>,
    ) -> Result<Self, StackError> {
        let text = std::fs::read_to_string(&options.template)
            .map_err(|source| StackError::Read { path: options.template.clone(), source })?;
        let data_lock = options.data.as_deref().map(lock_directory).transpose()?;
        let listener = listen(options.http).await?;
        let http = listener.local_addr().map_err(|source| StackError::Http { address: options.http, source })?;
        let issuer = sign_in::listen(options.issuer).await?;
        let aws = aws.await?;
        let claim = options.flows_claim.as_deref();
        let parameters = issuer.as_ref().map(|issuer| sign_in::parameters(issuer, claim)).unwrap_or_default();
        let started = match Template::parse(&text, &stack_context(&aws), &parameters) {
            Ok(template) => Self::start_services(&aws, template, listener, http, &options.binaries).await,
            Err(error) => Err(error.into()),
        };
        match started {
            Ok(mut stack) => {
                let (template, clock) = (&stack.template, aws.clock());
                let claim = options.flows_claim;
                stack.issuer = issuer.map(|issuer| sign_in::serve(issuer, template, claim, clock.clone()));
                stack._data_lock = data_lock;
                Ok(stack)
            }
            Err(error) => {
                aws.shutdown().await;
                Err(error)
            }
        }
    }

    async fn start_services(
        aws: &Aws,
        template: Template,
        listener: TcpListener,
        http: SocketAddr,
        binaries: &Path,
    ) -> Result<Self, StackError> {
        check_binaries(&template, binaries)?;
        provision(aws, &template).await?;

        let activity = Activity::default();
        let settings = process_settings(aws, binaries);
        let lambda = Lambda::start(&template.functions, settings, &activity).await.map_err(StackError::Runtime)?;
        let lambda = Arc::new(lambda);
        let mut tasks = JoinSet::new();
        let sources = Sources::start(&template, aws.sqs(), &lambda, &activity, &mut tasks);
        let gateway =
            Gateway::new(&template, lambda.clone(), aws.clock().clone(), ACCOUNT).map_err(StackError::Gateway)?;
        tasks.spawn(gateway.serve(listener));

        let consumers = ExternalConsumers::default();
        let services = Arc::new(Services { aws: aws.clone(), lambda, sources, consumers });
        aws.set_invoker(Arc::new(Invoker(Arc::downgrade(&services))));
        Ok(Self { services, http, template, tasks, issuer: None, _data_lock: None })
    }

    /// The URL of the HTTP API, for example `http://127.0.0.1:3000`.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// The URL of the AWS endpoint, for example `http://127.0.0.1:4566`.
    pub fn aws_url(&self) -> String {
        self.services.aws.url()
    }

    pub fn aws(&self) -> &Aws {
        &self.services.aws
    }

    /// The template of this stack, with every intrinsic function evaluated.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The test issuer whose tokens the API requires. `None` if the API requires no tokens.
    pub fn issuer(&self) -> Option<&TestIssuer> {
        self.issuer.as_ref()
    }

    /// Resolves when every event source is drained and nothing is in flight. Batch windows end at once during the wait.
    pub async fn settle(&self) {
        self.services.settle().await;
    }

    /// Registers a queue that something outside the stack consumes. [`Self::settle`] waits up to three seconds for it too.
    pub fn add_external_consumer(&self, queue: &str) {
        self.services.consumers.add(queue);
    }

    /// Invokes a function by its name or ARN and returns its response.
    ///
    /// # Errors
    /// The error that the function returned, or Lambda's error if it timed out, exited or does not exist.
    pub async fn invoke(&self, function: &str, payload: impl Into<Bytes>) -> InvocationResult {
        match self.services.lambda.invoke(function, payload.into()).await {
            Ok(result) => result,
            Err(error) => Err(InvocationError::new("ResourceNotFoundException", error.to_string())),
        }
    }

    /// Calls `listener` with the function's name and the line for every line that a function process writes from now on.
    /// Only the first listener is used.
    pub fn on_log_line(&self, listener: impl Fn(&str, &str) + Send + Sync + 'static) {
        self.services.lambda.on_log_line(listener);
    }

    /// The process ids of a function's running environments.
    ///
    /// # Errors
    /// If the template has no such function.
    pub fn environment_pids(&self, function: &str) -> Result<Vec<u32>, NoSuchFunction> {
        self.services.lambda.pids(function)
    }

    /// Kills all environments of a function with `SIGKILL`, also during an invocation. Returns their number when they have
    /// ended.
    ///
    /// # Errors
    /// If the template has no such function.
    pub async fn kill_environments(&self, function: &str) -> Result<usize, NoSuchFunction> {
        self.services.lambda.kill(function).await
    }

    /// Stops everything. When this returns, no child process is left and the ports are free.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
        if let Some(issuer) = self.issuer.take() {
            issuer.shutdown().await;
        }
        self.services.lambda.stop().await;
        self.services.aws.clone().shutdown().await;
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.services.lambda.stop_now();
        // The endpoint stops when the runtime runs this task. Without a runtime the endpoint has stopped already.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(self.services.aws.clone().shutdown());
        }
    }
}

fn aws_options(options: &StackOptions) -> local_aws::Options {
    local_aws::Options { listen: options.aws, data: options.data.clone(), clock: options.clock }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StackError> {
    TcpListener::bind(address).await.map_err(|source| StackError::Http { address, source })
}

fn stack_context(aws: &Aws) -> StackContext {
    StackContext { stack: STACK_NAME.into(), region: REGION.into(), account: ACCOUNT.into(), endpoint: aws.url() }
}

/// Locks the data directory, because two stacks on one directory would overwrite each other's messages.
fn lock_directory(data: &Path) -> Result<File, StackError> {
    let failed = |source| StackError::Data { path: data.to_owned(), source };
    std::fs::create_dir_all(data).map_err(failed)?;
    let file = File::create(data.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StackError::DataInUse { path: data.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn check_binaries(template: &Template, binaries: &Path) -> Result<(), StackError> {
    for function in &template.functions {
        let path = binaries.join(&function.binary);
        if !path.is_file() {
            return Err(StackError::NoBinary { function: function.name.clone(), path });
        }
    }
    Ok(())
}

fn process_settings(aws: &Aws, binaries: &Path) -> ProcessSettings {
    let clock = std::path::absolute(aws.clock().file()).unwrap_or_else(|_| aws.clock().file().to_owned());
    let variables = [
        ("AWS_ENDPOINT_URL", aws.url()),
        ("AWS_ENDPOINT_URL_DYNAMODB", aws.dynamodb_url()),
        ("REPRISE_CLOCK_FILE", clock.to_string_lossy().into_owned()),
    ];
    ProcessSettings {
        binaries: binaries.to_owned(),
        region: REGION.to_owned(),
        variables: variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}
