//! The whole stack on this machine: endpoint, resources, functions, event sources and HTTP API, started and stopped as one.

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
use crate::consumers::{Consumers, Waited};
use crate::gateway::Gateway;
use crate::invoker::Invoker;
use crate::lambda::{Failure, Lambda, NoSuchFunction, Outcome, Surroundings};
use crate::options::{StackError, StackOptions};
use crate::provision::provision;
use crate::sign_in;
use crate::sources::Sources;
use crate::template::{Place, Template};

/// What the stack is called, and so its table, and the beginning of every other name.
const STACK: &str = "reprise";

/// A running stack. Dropping it kills every function process; [`Stack::shutdown`] also waits until they are gone.
pub struct Stack {
    inner: Arc<Inner>,
    http: SocketAddr,
    template: Template,
    tasks: JoinSet<()>,
    issuer: Option<TestIssuer>,
    /// Locked for as long as the stack runs.
    _data: Option<File>,
}

/// What outlives no stack, and is called from several sides.
pub(crate) struct Inner {
    aws: Aws,
    pub(crate) lambda: Arc<Lambda>,
    sources: Sources,
    consumers: Consumers,
}

impl Stack {
    /// Starts everything. What the template names exists when this returns, and both addresses answer.
    ///
    /// # Errors
    /// Whatever stands in the way; nothing is left running then.
    pub async fn start(options: StackOptions) -> Result<Self, StackError> {
        let aws = Aws::start(aws_options(&options));
        Self::start_beside(options, aws).await
    }

    /// As [`Self::start`], with the endpoint's meter running: [`Aws::meter`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_metered(options: StackOptions) -> Result<Self, StackError> {
        let aws = Aws::start_metered(aws_options(&options));
        Self::start_beside(options, aws).await
    }

    /// As [`Self::start`], with every AWS call of the functions within reach of [`local_aws::Faults`]: [`Aws::faults`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_faulty(options: StackOptions) -> Result<Self, StackError> {
        let aws = Aws::start_faulty(aws_options(&options));
        Self::start_beside(options, aws).await
    }

    async fn start_beside(
        options: StackOptions,
        aws: impl Future<Output = Result<Aws, StartError>>,
    ) -> Result<Self, StackError> {
        let text = std::fs::read_to_string(&options.template)
            .map_err(|source| StackError::Read { path: options.template.clone(), source })?;
        let data = options.data.as_deref().map(lock).transpose()?;
        let listener = listen(options.http).await?;
        let http = listener.local_addr().map_err(|source| StackError::Http { address: options.http, source })?;
        let issuer = sign_in::listening(options.issuer).await?;
        let aws = aws.await?;
        let claim = options.flows_claim.as_deref();
        let parameters = issuer.as_ref().map(|issuer| sign_in::parameters(issuer, claim)).unwrap_or_default();
        let started = match Template::read(&text, &place(&aws), &parameters) {
            Ok(template) => Self::start_on(&aws, template, listener, http, &options.binaries).await,
            Err(error) => Err(error.into()),
        };
        match started {
            Ok(mut stack) => {
                let (template, clock) = (&stack.template, aws.clock());
                let claim = options.flows_claim;
                stack.issuer = issuer.map(|issuer| sign_in::serve(issuer, template, claim, clock.clone()));
                stack._data = data;
                Ok(stack)
            }
            Err(error) => {
                aws.shutdown().await;
                Err(error)
            }
        }
    }

    async fn start_on(
        aws: &Aws,
        template: Template,
        listener: TcpListener,
        http: SocketAddr,
        binaries: &Path,
    ) -> Result<Self, StackError> {
        check_binaries(&template, binaries)?;
        provision(aws, &template).await?;

        let activity = Activity::default();
        let surroundings = surroundings(aws, binaries);
        let lambda = Lambda::start(&template.functions, surroundings, &activity).await.map_err(StackError::Runtime)?;
        let lambda = Arc::new(lambda);
        let mut tasks = JoinSet::new();
        let sources = Sources::start(&template, aws.sqs(), &lambda, &activity, &mut tasks);
        let gateway =
            Gateway::new(&template, lambda.clone(), aws.clock().clone(), ACCOUNT).map_err(StackError::Gateway)?;
        tasks.spawn(gateway.serve(listener));

        let inner = Arc::new(Inner { aws: aws.clone(), lambda, sources, consumers: Consumers::default() });
        aws.set_invoker(Arc::new(Invoker(Arc::downgrade(&inner))));
        Ok(Self { inner, http, template, tasks, issuer: None, _data: None })
    }

    /// Where the HTTP API answers: `http://127.0.0.1:3000`.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// Where the AWS endpoint answers: `http://127.0.0.1:4566`.
    pub fn aws_url(&self) -> String {
        self.inner.aws.url()
    }

    pub fn aws(&self) -> &Aws {
        &self.inner.aws
    }

    /// What runs here.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Whose tokens the API asks for, where it asks for any.
    pub fn issuer(&self) -> Option<&TestIssuer> {
        self.issuer.as_ref()
    }

    /// Resolves when every event source is drained and nothing is in flight. Batch windows end at once meanwhile.
    pub async fn settle(&self) {
        self.inner.settle().await;
    }

    /// Someone outside consumes this queue all the time: settling waits a moment for them, too.
    pub fn consumed_from_outside(&self, queue: &str) {
        self.inner.consumers.add(queue);
    }

    /// Runs a function, by its name or ARN, and gives its answer.
    ///
    /// # Errors
    /// The function's own failure, or what Lambda says of one that timed out, died or does not exist.
    pub async fn invoke(&self, function: &str, payload: impl Into<Bytes>) -> Outcome {
        match self.inner.lambda.invoke(function, payload.into()).await {
            Ok(outcome) => outcome,
            Err(error) => Err(Failure::new("ResourceNotFoundException", error.to_string())),
        }
    }

    /// Tells `reader` of every line that a function process writes from now on, with the function's name. There is one reader.
    pub fn read_along(&self, reader: impl Fn(&str, &str) + Send + Sync + 'static) {
        self.inner.lambda.read_along(reader);
    }

    /// The process ids of a function's living environments.
    ///
    /// # Errors
    /// When the template has no such function.
    pub fn environment_pids(&self, function: &str) -> Result<Vec<u32>, NoSuchFunction> {
        self.inner.lambda.pids(function)
    }

    /// Kills all environments of a function with `SIGKILL`, in the middle of what they do, and says how many there were.
    /// Resolves when they are gone.
    ///
    /// # Errors
    /// When the template has no such function.
    pub async fn kill_environments(&self, function: &str) -> Result<usize, NoSuchFunction> {
        self.inner.lambda.kill(function).await
    }

    /// Stops everything: no child process is left and its ports are free.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
        if let Some(issuer) = self.issuer.take() {
            issuer.shutdown().await;
        }
        self.inner.lambda.stop().await;
        self.inner.aws.clone().shutdown().await;
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.inner.lambda.abandon();
        // The endpoint stops serving as soon as its runtime gets to it; without a runtime there is nothing that serves.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(self.inner.aws.clone().shutdown());
        }
    }
}

impl Inner {
    pub(crate) async fn settle(&self) {
        loop {
            self.sources.settle().await;
            match self.consumers.done(self.aws.sqs()).await {
                Waited::NotAtAll => return,
                Waited::AMoment => {}
            }
        }
    }
}

fn aws_options(options: &StackOptions) -> local_aws::Options {
    local_aws::Options { listen: options.aws, data: options.data.clone(), clock: options.clock }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StackError> {
    TcpListener::bind(address).await.map_err(|source| StackError::Http { address, source })
}

fn place(aws: &Aws) -> Place {
    Place { stack: STACK.into(), region: REGION.into(), account: ACCOUNT.into(), endpoint: aws.url() }
}

/// Two stacks on one directory would overwrite each other's messages.
fn lock(data: &Path) -> Result<File, StackError> {
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

fn surroundings(aws: &Aws, binaries: &Path) -> Surroundings {
    let clock = std::path::absolute(aws.clock().file()).unwrap_or_else(|_| aws.clock().file().to_owned());
    let variables = [
        ("AWS_ENDPOINT_URL", aws.url()),
        ("AWS_ENDPOINT_URL_DYNAMODB", aws.dynamodb_url()),
        ("REPRISE_CLOCK_FILE", clock.to_string_lossy().into_owned()),
    ];
    Surroundings {
        binaries: binaries.to_owned(),
        region: REGION.to_owned(),
        variables: variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}
