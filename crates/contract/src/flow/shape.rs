//! What a configuration of this release consists of: the members that a `PUT` may have are these, and those of another
//! release are told from them by the same list.

use serde_json::{Map, Value};

/// Members of an object by name.
type Members = Map<String, Value>;

/// How a value of a configuration is made up.
pub(super) enum Shape {
    /// A value that is read as one.
    Value,
    /// An object with these members. Others belong to a later release and are kept.
    Object(&'static [(&'static str, Shape)]),
    /// As `Object`, and what replaces it replaces all of it: members of another stage or schedule say nothing of a new one.
    Choice(&'static [(&'static str, Shape)]),
    /// An object with names of the user's.
    Each(&'static Shape),
    /// A list. It is replaced as a whole.
    List(&'static Shape),
}

use Shape::{Choice, Each, List, Object};

/// A stage.
pub(super) const STAGE: Shape = Choice(&[("queueUrl", Shape::Value)]);

const SCHEDULE: Shape = Choice(&[
    ("kind", Shape::Value),
    ("delays", Shape::Value),
    ("first", Shape::Value),
    ("factor", Shape::Value),
    ("cap", Shape::Value),
    ("limit", Shape::Value),
    ("every", Shape::Value),
    ("interval", Shape::Value),
    ("at", Shape::Value),
    ("timezone", Shape::Value),
    ("lapse", Shape::Value),
    ("batch", Shape::Value),
]);

/// A retry policy.
pub(super) const POLICY: Shape = Object(&[
    ("mode", Shape::Value),
    ("schedule", SCHEDULE),
    ("categories", Shape::Value),
    ("jitter", Shape::Value),
    ("action", Shape::Value),
]);

/// A partner.
pub(super) const PARTNER: Shape = Object(&[("retry", POLICY)]);

/// A dead-letter queue.
pub(super) const DEAD_LETTER_QUEUE: Shape = Choice(&[("arn", Shape::Value), ("phase", Shape::Value)]);

/// Both stages.
pub(super) const STAGES: Shape = Choice(&[("sender", STAGE), ("receiver", STAGE)]);

/// How outcomes are confirmed.
pub(super) const CONFIRMATION: Shape = Object(&[
    ("mode", Shape::Value),
    ("within", Shape::Value),
    ("inNetworkWithin", Shape::Value),
    ("early", Shape::Value),
]);

/// A whole configuration.
pub(super) const CONFIG: Shape = Object(&[
    ("active", Shape::Value),
    ("displayName", Shape::Value),
    ("stages", STAGES),
    ("deadLetterQueues", List(&DEAD_LETTER_QUEUE)),
    ("functions", Shape::Value),
    ("senders", Shape::Value),
    ("confirmation", CONFIRMATION),
    ("retry", POLICY),
    ("partners", Each(&PARTNER)),
]);

impl Shape {
    /// The names of its members; none where it has none of its own.
    pub(super) fn names(&self) -> Vec<&'static str> {
        match self {
            Object(members) | Choice(members) => members.iter().map(|(name, _)| *name).collect(),
            Each(_) | List(_) | Shape::Value => Vec::new(),
        }
    }

    fn member(&self, name: &str) -> Option<&Shape> {
        match self {
            Object(members) | Choice(members) => members.iter().find(|(known, _)| *known == name).map(|(_, of)| of),
            Each(shape) => Some(shape),
            List(_) | Shape::Value => None,
        }
    }
}

/// The members that this release knows, and of the others those that it keeps.
pub(super) fn split(value: &Value, shape: &Shape) -> (Members, Members) {
    let (mut known, mut unknown) = (Members::new(), Members::new());
    for (name, value) in value.as_object().into_iter().flatten() {
        let Some(member) = shape.member(name) else {
            if matches!(shape, Object(_)) {
                unknown.insert(name.clone(), value.clone());
            }
            continue;
        };
        let (own, others) = one(value, member);
        known.insert(name.clone(), own);
        if !others.is_empty() && !matches!(shape, Choice(_)) {
            unknown.insert(name.clone(), Value::Object(others));
        }
    }
    (known, unknown)
}

fn one(value: &Value, shape: &Shape) -> (Value, Members) {
    match (value, shape) {
        (Value::Object(_), Object(_) | Choice(_) | Each(_)) => {
            let (known, unknown) = split(value, shape);
            (Value::Object(known), unknown)
        }
        (Value::Array(items), List(item)) => (items.iter().map(|it| one(it, item).0).collect(), Members::new()),
        _ => (value.clone(), Members::new()),
    }
}

/// Puts what [`split`] kept back into a configuration of this release, where the object that it stood in is still there.
pub(super) fn merge(config: &mut Members, unknown: Members, shape: &Shape) {
    for (name, value) in unknown {
        match (shape.member(&name), config.get_mut(&name), value) {
            (None, None, value) => {
                config.insert(name, value);
            }
            (Some(member), Some(Value::Object(inner)), Value::Object(unknown)) => merge(inner, unknown, member),
            _ => {}
        }
    }
}
