//! Which flows a caller may see. Whatever is no part of them does not exist for that caller.

use std::fmt;

use crate::FlowName;

/// What an entry of an access ends in when it stands for every flow whose name begins with the rest.
const ANY_END: char = '*';

/// The flows that one caller may see and act on.
///
/// What is read by an id passes [`FlowAccess::visible`] before anything of it is shown or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowAccess(Flows);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Flows {
    All,
    /// Names, and prefixes that end in `*`.
    Listed(Vec<String>),
}

impl FlowAccess {
    /// Every flow: of callers in a stack that limits nobody.
    #[must_use]
    pub fn all() -> Self {
        Self(Flows::All)
    }

    /// The flows that are listed: by name, or by a prefix that ends in `*`; a lone `*` is every flow, an empty list none.
    /// Upper and lower case differ, as they do in names of flows. An entry that no flow can be called allows nothing.
    #[must_use]
    pub fn listed<'a>(entries: impl IntoIterator<Item = &'a str>) -> Self {
        let mut entries: Vec<String> = entries.into_iter().map(str::to_owned).collect();
        entries.sort_unstable();
        entries.dedup();
        Self(if entries.iter().any(|entry| entry == "*") { Flows::All } else { Flows::Listed(entries) })
    }

    /// Whether there are flows that the caller may not see.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        matches!(self.0, Flows::Listed(_))
    }

    /// Whether the caller may see this flow, be there one of this name or not.
    #[must_use]
    pub fn allows(&self, flow: &FlowName) -> bool {
        let Flows::Listed(entries) = &self.0 else { return true };
        entries.iter().any(|entry| match entry.strip_suffix(ANY_END) {
            Some(prefix) => flow.as_str().starts_with(prefix),
            None => entry == flow.as_str(),
        })
    }

    /// What was found by its id, where the caller may see the flow it belongs to; `None` as if it were not there.
    #[must_use]
    pub fn visible<T>(&self, found: Option<T>, flow: impl FnOnce(&T) -> &FlowName) -> Option<T> {
        found.filter(|found| self.allows(flow(found)))
    }

    /// The name under which an Idempotency-Key of the caller is kept. A caller who does not see all flows shares keys with
    /// others about the same flow only, so that no answer tells what a key was used for elsewhere.
    #[must_use]
    pub fn key_name(&self, flow: &FlowName, key: &str) -> String {
        // No header holds a line break, so the name is nobody's whole key.
        if self.is_limited() { format!("{flow}\n{key}") } else { key.to_owned() }
    }
}

impl fmt::Display for FlowAccess {
    /// As a list of all that the caller may see is described: `all flows`, `flows a, b-*`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Flows::All => f.write_str("all flows"),
            Flows::Listed(entries) => write!(f, "flows {}", entries.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entries: &[&str], flow: &str) -> bool {
        FlowAccess::listed(entries.iter().copied()).allows(&FlowName::new(flow).unwrap())
    }

    #[test]
    fn a_name_allows_itself_and_a_prefix_what_begins_with_it() {
        for (entries, flow, allows) in [
            (&["orders"][..], "orders", true),
            (&["orders"], "orders-inbound", false),
            (&["orders"], "Orders", false),
            (&["orders-*"], "orders-inbound", true),
            (&["orders-*"], "orders-", true),
            (&["orders-*"], "orders", false),
            (&["orders-*"], "invoices", false),
            (&["invoices", "orders-*"], "invoices", true),
            (&["*"], "invoices", true),
            (&["*", "orders"], "unassigned", true),
            (&["orders-*"], "unassigned", false),
            (&[], "orders", false),
            (&[""], "orders", false),
            (&["o*ders"], "orders", false),
            (&["*rs"], "orders", false),
        ] {
            assert_eq!(allowed(entries, flow), allows, "{entries:?} {flow}");
        }
    }

    #[test]
    fn what_belongs_to_another_flow_is_as_if_it_were_not_there() {
        let (own, foreign) = (FlowName::new("orders-in").unwrap(), FlowName::new("invoices").unwrap());
        let access = FlowAccess::listed(["orders-*"]);
        assert_eq!(access.visible(Some(own.clone()), |flow| flow), Some(own.clone()));
        assert_eq!(access.visible(Some(foreign.clone()), |flow| flow), None);
        assert_eq!(access.visible(None, |flow: &FlowName| flow), None);
        assert_eq!(FlowAccess::all().visible(Some(foreign.clone()), |flow| flow), Some(foreign));
    }

    #[test]
    fn a_limited_callers_key_is_kept_by_flow_and_everybody_elses_as_it_is() {
        let [own, other] = ["orders-in", "orders-out"].map(|name| FlowName::new(name).unwrap());
        let limited = FlowAccess::listed(["orders-*"]);
        assert_eq!(FlowAccess::all().key_name(&own, "k"), "k");
        assert_eq!(FlowAccess::listed(["*"]).key_name(&own, "k"), "k");
        assert_ne!(limited.key_name(&own, "k"), limited.key_name(&other, "k"));
        assert_eq!(limited.key_name(&own, "k"), FlowAccess::listed(["orders-in"]).key_name(&own, "k"));
    }

    #[test]
    fn an_access_is_described_by_what_it_lists_in_whatever_order() {
        assert_eq!(FlowAccess::all().to_string(), "all flows");
        assert_eq!(FlowAccess::listed(["b-*", "a", "a"]).to_string(), FlowAccess::listed(["a", "b-*"]).to_string());
    }
}
