//! The order pipeline: mapping, then delivery. A restart runs both steps, a retry only the delivery.

use jiff::Timestamp;

use crate::mapping::{self, MappingError, Units};
use crate::partner::{self, DeliveryError};

/// The version of the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mapping {
    /// The unit for cartons is missing.
    Broken,
    Repaired,
}

impl Mapping {
    fn units(self) -> Units {
        match self {
            Self::Broken => &[("PCE", "piece")],
            Self::Repaired => &[("PCE", "piece"), ("KAR", "carton")],
        }
    }
}

/// The pipeline with one version of its mapping.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pipeline {
    /// The start of the demo. The partners' failures depend on the time since then.
    pub(crate) started: Timestamp,
    pub(crate) mapping: Mapping,
}

/// The outcome of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered,
    NotMapped(MappingError),
    /// The mapping succeeded, its result is `xml`.
    NotDelivered {
        xml: String,
        error: DeliveryError,
    },
}

impl Pipeline {
    /// Runs both steps. The payload is the buyer's order.
    pub(crate) fn map_and_deliver(&self, edifact: &str, now: Timestamp) -> Outcome {
        match mapping::map(edifact, self.mapping.units()) {
            Ok(mapped) => self.deliver(&mapped.partner, mapped.xml, now),
            Err(error) => Outcome::NotMapped(error),
        }
    }

    /// Runs the delivery only. The payload is an order that was mapped before.
    pub(crate) fn deliver_mapped(&self, xml: &str, now: Timestamp) -> Outcome {
        let partner = xml.split_once("<Supplier>").and_then(|(_, rest)| rest.split_once("</Supplier>"));
        self.deliver(partner.map_or("", |(partner, _)| partner), xml.to_owned(), now)
    }

    fn deliver(&self, partner: &str, xml: String, now: Timestamp) -> Outcome {
        match partner::deliver(partner, &xml, now.duration_since(self.started)) {
            Ok(()) => Outcome::Delivered,
            Err(error) => Outcome::NotDelivered { xml, error },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order;
    use jiff::ToSpan;

    fn outcomes(pipeline: Pipeline, now: Timestamp) -> Vec<(String, Outcome)> {
        let outcome = |order: order::Order| (order.number.clone(), pipeline.map_and_deliver(&order.edifact(now), now));
        order::demo_orders().into_iter().map(outcome).collect()
    }

    #[test]
    fn at_the_start_one_order_is_delivered_two_are_not_mapped_and_five_are_not_delivered() {
        let started: Timestamp = "2026-11-20T14:00:00Z".parse().unwrap();
        let outcomes = outcomes(Pipeline { started, mapping: Mapping::Broken }, started);
        let numbers = |matches: fn(&Outcome) -> bool| -> Vec<_> {
            outcomes.iter().filter(|(_, outcome)| matches(outcome)).map(|(number, _)| number.as_str()).collect()
        };
        assert_eq!(numbers(|outcome| *outcome == Outcome::Delivered), ["PO-1006"]);
        assert_eq!(numbers(|outcome| matches!(outcome, Outcome::NotMapped(_))), ["PO-1004", "PO-1005"]);
        let undelivered = numbers(|outcome| matches!(outcome, Outcome::NotDelivered { .. }));
        assert_eq!(undelivered, ["PO-1001", "PO-1002", "PO-1003", "PO-1007", "PO-1008"]);
    }

    #[test]
    fn two_hours_later_only_the_order_to_hooli_fails() {
        let started: Timestamp = "2026-11-20T14:00:00Z".parse().unwrap();
        let outcomes = outcomes(Pipeline { started, mapping: Mapping::Repaired }, started + 2.hours());
        let failed: Vec<_> = outcomes.iter().filter(|(_, outcome)| *outcome != Outcome::Delivered).collect();
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].0, "PO-1008");
    }

    #[test]
    fn an_order_that_was_mapped_before_is_delivered_without_mapping() {
        let started: Timestamp = "2026-11-20T14:00:00Z".parse().unwrap();
        let pipeline = Pipeline { started, mapping: Mapping::Broken };
        let edifact = order::demo_orders()[0].edifact(started);
        let Outcome::NotDelivered { xml, .. } = pipeline.map_and_deliver(&edifact, started) else {
            panic!("GLOBEX is down")
        };
        assert_eq!(pipeline.deliver_mapped(&xml, started + 1.hour()), Outcome::Delivered);
    }
}
