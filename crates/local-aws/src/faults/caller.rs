//! Identifies the calling function's process by the application id in the SDK's user agent.

/// How many characters of an environment's id are used. SDKs warn about application ids of more than 50 characters.
const ID_LENGTH: usize = 12;

/// An execution environment of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The function's name.
    pub function: String,
    /// The first characters of the environment's id.
    pub environment: String,
}

impl Caller {
    /// The environment with this id, which consists of letters and digits.
    #[must_use]
    pub fn new(function: &str, environment: &str) -> Self {
        Self { function: function.to_owned(), environment: environment.chars().take(ID_LENGTH).collect() }
    }

    /// The value of `AWS_SDK_UA_APP_ID` for its process.
    #[must_use]
    pub fn app_id(&self) -> String {
        format!("{}.{}", self.function, self.environment)
    }

    /// Parses `app/<function>.<environment>` in a user agent.
    pub(super) fn of_user_agent(user_agent: &str) -> Option<Self> {
        let app = user_agent.split(' ').find_map(|word| word.strip_prefix("app/"))?;
        let (function, environment) = app.rsplit_once('.')?;
        Some(Self::new(function, environment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_is_read_from_the_user_agent_that_its_application_id_makes() {
        let caller = Caller::new("reprise-run-job", "0123456789abcdef0123456789abcdef");
        assert_eq!(caller.app_id(), "reprise-run-job.0123456789ab");
        let agent = format!("aws-sdk-rust/1.3 ua/2.1 api/sqs/1.1 os/linux lang/rust/1.95 m/E app/{}", caller.app_id());
        assert_eq!(Caller::of_user_agent(&agent), Some(caller));
        for other in ["", "aws-cli/2.1", "aws-sdk-rust/1.3 app/orders"] {
            assert_eq!(Caller::of_user_agent(other), None, "{other}");
        }
    }
}
