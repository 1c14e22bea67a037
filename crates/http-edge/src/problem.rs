//! Problems (RFC 9457): what went wrong, in words and members that help; a 5xx tells nothing internal.

use app::{ActError, AppError, ConfigureError, JobError};
use contract::FieldError;
use domain::{Flow, Refusal};
use serde_json::{Map, Value, json};
use table::TableError;

/// An answer that is not what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    slug: &'static str,
    title: &'static str,
    detail: Option<String>,
    members: Map<String, Value>,
}

impl Problem {
    fn new(status: u16, slug: &'static str, title: &'static str) -> Self {
        Self { status, slug, title, detail: None, members: Map::new() }
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn field(field: &str, problem: &str) -> Self {
        Self::new(400, "invalid-field", "A field is missing or wrong")
            .detail(format!("`{field}` {problem}"))
            .with("field", field)
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(404, "not-found", "There is no such thing").detail(format!("there is no {what} {id}"))
    }

    pub(crate) fn no_route() -> Self {
        Self::new(404, "not-found", "There is no such thing").detail("there is no such route")
    }

    pub(crate) fn too_large(most: usize) -> Self {
        Self::new(413, "too-large", "The request is too large").detail(format!("at most {most} bytes are taken"))
    }

    /// What another release stored and this one cannot read. It says nothing of how it is stored.
    fn unreadable(what: &str, id: &str) -> Self {
        Self::new(409, "unreadable", "What is stored cannot be read")
            .detail(format!("this release cannot read what is stored of {what} {id}; nothing else is affected"))
    }

    /// A flow whose configuration cannot be read, with its version for the `PUT` that replaces it.
    pub(crate) fn unreadable_flow(flow: &Flow) -> Self {
        let name = &flow.name;
        let detail =
            format!("this release cannot read the configuration of flow {name}; PUT /flows/{name} replaces it");
        Self::unreadable("flow", name.as_str()).detail(detail).with("version", flow.version)
    }

    pub(crate) fn internal() -> Self {
        Self::new(500, "internal", "Something went wrong here")
            .detail("nothing is lost; try again, and look at the function's log if it stays")
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "type": format!("urn:reprise:problem:{}", self.slug),
            "title": self.title,
            "status": self.status,
        });
        if let Some(body) = body.as_object_mut() {
            if let Some(detail) = &self.detail {
                body.insert("detail".to_owned(), detail.as_str().into());
            }
            // RFC 9457 reserves `status` for the HTTP status; everything else may be added.
            body.extend(self.members.clone().into_iter().filter(|(name, _)| name != "status"));
        }
        body
    }
}

impl Problem {
    fn key_reused() -> Self {
        Self::new(422, "idempotency-key-reused", "The Idempotency-Key was used before")
            .detail("it was used for another request; take a fresh key for a new one")
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        Self::field(&error.field, &error.problem)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let title = match refusal {
            Refusal::NotFailed { .. } => "The interchange is not failed",
            Refusal::Erased => "The interchange is erased",
            Refusal::NoReceiverPayload => "There is no receiver payload",
            Refusal::NoSenderPayload => "There is no sender payload",
            Refusal::NoAttemptLeft => "There is no attempt left",
            Refusal::FlowInactive => "The flow is inactive",
            Refusal::StageNotConfigured { .. } => "The stage queue is not configured",
            Refusal::StageNotUnderstood { .. } => "The stage is not understood by this release",
        };
        let problem = Self::new(409, refusal.slug(), title);
        match refusal {
            Refusal::NotFailed { status } => {
                problem.detail(refusal.to_string()).with("interchangeStatus", status.as_str())
            }
            Refusal::Erased => problem.detail(refusal.to_string()),
            Refusal::NoReceiverPayload => problem.detail("there is no receiver payload to retry; restart is possible"),
            Refusal::NoSenderPayload => problem.detail("there is no sender payload to restart; retry is possible"),
            Refusal::NoAttemptLeft => problem.detail(refusal.to_string()),
            Refusal::FlowInactive => problem.detail("activate the flow with PUT /flows/{flow} first"),
            Refusal::StageNotConfigured { side } => {
                let field = format!("stages.{}.queueUrl", side.as_str());
                problem.detail(format!("set `{field}` with PUT /flows/{{flow}} first")).with("field", field)
            }
            Refusal::StageNotUnderstood { side } => {
                let field = format!("stages.{}", side.as_str());
                let detail = format!("what `{field}` says is of another release; PUT /flows/{{flow}} replaces it");
                problem.detail(detail).with("field", field)
            }
        }
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        tracing::error!(error = app::chain(&error), "a request failed");
        match error {
            AppError::Table(TableError::Unreadable { what: what @ ("interchange" | "flow" | "job"), id, .. }) => {
                Self::unreadable(what, &id)
            }
            _ => Self::internal(),
        }
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::NotFound(id) => Self::not_found("interchange", id.as_str()),
            ActError::Refused { refusal, interchange } => {
                let nothing = interchange.sender_payloads.current().is_none();
                let problem = Self::from(refusal).with("interchangeId", interchange.id.as_str());
                match refusal {
                    Refusal::NoReceiverPayload if nothing => problem.detail("there is no payload to send"),
                    _ => problem,
                }
            }
            ActError::NotSent { cause } => Self::new(409, "send-failed", "The stage queue did not take the message")
                .detail(format!("the interchange is failed again: {cause}")),
            ActError::KeyReused => Self::key_reused(),
            ActError::App(error) => error.into(),
        }
    }
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        match error {
            JobError::NoFlow(flow) => Self::not_found("flow", flow.as_str()),
            JobError::NoJob(job) => Self::not_found("job", &job.0),
            JobError::Refused(refusal) => refusal.into(),
            JobError::Field(error) => error.into(),
            JobError::Active(job) => Self::new(409, "job-active", "The flow has an active job")
                .detail(format!("wait for it or cancel it: /jobs/{}", job.0))
                .with("job", format!("/jobs/{}", job.0)),
            JobError::KeyReused => Self::key_reused(),
            JobError::Ended(status) => Self::new(409, "job-ended", "The job has ended")
                .detail(format!("it is {} already", status.as_str()))
                .with("jobStatus", status.as_str()),
            JobError::App(error) => error.into(),
        }
    }
}

impl From<ConfigureError> for Problem {
    fn from(error: ConfigureError) -> Self {
        match error {
            ConfigureError::Field(error) => error.into(),
            ConfigureError::VersionMismatch { version } => {
                Self::new(412, "version-mismatch", "The flow was changed by someone else")
                    .detail(format!("read it again; it has version {version}"))
                    .with("version", version)
            }
            ConfigureError::JobActive(job) => JobError::Active(job).into(),
            ConfigureError::App(error) => error.into(),
        }
    }
}
