//! What is read by an id, as far as the caller may see it.

use domain::{FlowAccess, FlowName};
use table::TableError;

/// What was read by its id; nothing where it belongs to a flow that the caller may not see.
///
/// What cannot be read is refused only to those who may see its flow. Where that is not known, it is so to those who may see every
/// flow: to others, that something is there would tell of another flow.
///
/// # Errors
/// As the read had.
pub(crate) fn seen<T>(
    access: &FlowAccess,
    read: Result<Option<T>, TableError>,
    flow: impl FnOnce(&T) -> &FlowName,
) -> Result<Option<T>, TableError> {
    match read {
        Ok(found) => Ok(access.visible(found, flow)),
        Err(TableError::Unreadable { flow, .. })
            if !flow.as_ref().map_or(!access.is_limited(), |f| access.allows(f)) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable(flow: Option<&str>) -> Result<Option<FlowName>, TableError> {
        let flow = flow.map(|name| FlowName::new(name).unwrap());
        Err(TableError::Unreadable { what: "interchange", id: "4711".to_owned(), flow, cause: "HEAD".to_owned() })
    }

    #[test]
    fn what_cannot_be_read_is_refused_to_those_who_may_see_its_flow_and_is_nothing_to_others() {
        let limited = FlowAccess::listed(["orders-*"]);
        for (access, flow, is_refused) in [
            (&limited, Some("orders-in"), true),
            (&limited, Some("invoices"), false),
            (&limited, None, false),
            (&FlowAccess::all(), Some("invoices"), true),
            (&FlowAccess::all(), None, true),
        ] {
            let answer = seen(access, unreadable(flow), |flow| flow);
            assert_eq!(answer.is_err(), is_refused, "{flow:?} {access}");
        }
    }
}
