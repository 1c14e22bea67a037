//! The names that callers choose, checked once where they enter.

use std::fmt;

/// A name that does not follow its rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be {allowed}")]
pub struct InvalidName {
    /// The rule in words, as a caller reads it: `1-128 of A-Za-z0-9._:@+=~,-`.
    pub allowed: &'static str,
}

/// Makes a name out of any text: what may not be in one becomes `-`, what is too long is cut.
fn cleaned(text: &str, most: usize, marks: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    let name: String = text.chars().take(most).map(|c| if fits(c) { c } else { '-' }).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

fn checked(name: String, most: usize, marks: &str, allowed: &'static str) -> Result<String, InvalidName> {
    let fits = (1..=most).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || marks.as_bytes().contains(&b));
    if fits { Ok(name) } else { Err(InvalidName { allowed }) }
}

const ID_MARKS: &str = "._:@+=~,-";
const FLOW_MARKS: &str = "._-";

/// Identifies one message on all its trips through the pipeline: 1-128 of `A-Za-z0-9._:@+=~,-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterchangeId(String);

impl InterchangeId {
    /// # Errors
    /// `InvalidName` when a character or the length is outside the rule.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidName> {
        checked(id.into(), 128, ID_MARKS, "1-128 of A-Za-z0-9._:@+=~,-").map(Self)
    }

    /// The id closest to a name that others chose by rules of their own, a Lambda request's or a queue message's.
    #[must_use]
    pub fn closest_to(foreign: &str) -> Self {
        Self(cleaned(foreign, 128, ID_MARKS))
    }

    /// The id as it travels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names an integration flow: 1-64 of `A-Za-z0-9._-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowName(String);

impl FlowName {
    /// # Errors
    /// `InvalidName` when a character or the length is outside the rule.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidName> {
        checked(name.into(), 64, FLOW_MARKS, "1-64 of A-Za-z0-9._-").map(Self)
    }

    /// The name closest to one that others chose by rules of their own, a function's.
    #[must_use]
    pub fn closest_to(foreign: &str) -> Self {
        Self(cleaned(foreign, 64, FLOW_MARKS))
    }

    /// The flow that keeps what no flow claims: dead letters of unknown queues and broken reports.
    #[must_use]
    pub fn unassigned() -> Self {
        Self("unassigned".to_owned())
    }

    /// Whether this is [`FlowName::unassigned`].
    #[must_use]
    pub fn is_unassigned(&self) -> bool {
        self.0 == "unassigned"
    }

    /// The name as it travels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InterchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for FlowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interchange_id_may_use_every_mark_that_the_contract_names() {
        assert!(InterchangeId::new("A-z0.9_:@+=~,-").is_ok());
        assert!(InterchangeId::new("x".repeat(128)).is_ok());
    }

    #[test]
    fn a_foreign_name_of_any_kind_comes_close_to_one_of_ours() {
        assert_eq!(InterchangeId::closest_to("dlq-4711/ä b").as_str(), "dlq-4711---b");
        assert_eq!(FlowName::closest_to("order:inbound").as_str(), "order-inbound");
        for foreign in ["", "ok", &"ü#".repeat(200)] {
            assert!(InterchangeId::new(InterchangeId::closest_to(foreign).as_str()).is_ok());
            assert!(FlowName::new(FlowName::closest_to(foreign).as_str()).is_ok());
        }
    }

    #[test]
    fn empty_long_and_foreign_names_are_refused() {
        for bad in ["", "a b", "a/b", "a#b", "ä", &"x".repeat(129)] {
            assert!(InterchangeId::new(bad).is_err(), "{bad}");
        }
        for bad in ["", "a:b", "a/b", &"x".repeat(65)] {
            assert!(FlowName::new(bad).is_err(), "{bad}");
        }
    }
}
