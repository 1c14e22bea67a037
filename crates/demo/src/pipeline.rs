//! The order pipeline: mapping, then delivery. A restart runs both, a retry the second alone.

use jiff::Timestamp;

use crate::mapping::{self, MappingError, Units};
use crate::partner::{self, Refusal};

/// The mapping as it was when the orders came in, and as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mapping {
    /// Nobody thought of cartons.
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

/// The pipeline at one moment of its life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pipeline {
    /// When the demo began: the partners' troubles count from there.
    pub(crate) started: Timestamp,
    pub(crate) mapping: Mapping,
}

/// What came of one trip through the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered,
    NotMapped(MappingError),
    /// With the payload that was mapped and is good.
    NotDelivered {
        xml: String,
        refusal: Refusal,
    },
}

impl Pipeline {
    /// From the sender stage on: the payload is what the buyer sent.
    pub(crate) fn map_and_deliver(&self, edifact: &str, now: Timestamp) -> Outcome {
        match mapping::map(edifact, self.mapping.units()) {
            Ok(mapped) => self.deliver(&mapped.partner, mapped.xml, now),
            Err(error) => Outcome::NotMapped(error),
        }
    }

    /// From the receiver stage on: the payload is what the partner is to get.
    pub(crate) fn deliver_mapped(&self, xml: &str, now: Timestamp) -> Outcome {
        let partner = xml.split_once("<Supplier>").and_then(|(_, rest)| rest.split_once("</Supplier>"));
        self.deliver(partner.map_or("", |(partner, _)| partner), xml.to_owned(), now)
    }

    fn deliver(&self, partner: &str, xml: String, now: Timestamp) -> Outcome {
        match partner::deliver(partner, &xml, now.duration_since(self.started)) {
            Ok(()) => Outcome::Delivered,
            Err(refusal) => Outcome::NotDelivered { xml, refusal },
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
        order::of_the_day().into_iter().map(outcome).collect()
    }

    #[test]
    fn of_the_days_orders_one_goes_well_and_the_others_fail_in_every_way() {
        let started: Timestamp = "2026-11-20T14:00:00Z".parse().unwrap();
        let outcomes = outcomes(Pipeline { started, mapping: Mapping::Broken }, started);
        let numbers = |is: fn(&Outcome) -> bool| -> Vec<_> {
            outcomes.iter().filter(|(_, outcome)| is(outcome)).map(|(number, _)| number.as_str()).collect()
        };
        assert_eq!(numbers(|outcome| *outcome == Outcome::Delivered), ["PO-1006"]);
        assert_eq!(numbers(|outcome| matches!(outcome, Outcome::NotMapped(_))), ["PO-1004", "PO-1005"]);
        let undelivered = numbers(|outcome| matches!(outcome, Outcome::NotDelivered { .. }));
        assert_eq!(undelivered, ["PO-1001", "PO-1002", "PO-1003", "PO-1007", "PO-1008"]);
    }

    #[test]
    fn two_hours_later_all_but_the_partner_that_is_gone_take_their_orders() {
        let started: Timestamp = "2026-11-20T14:00:00Z".parse().unwrap();
        let outcomes = outcomes(Pipeline { started, mapping: Mapping::Repaired }, started + 2.hours());
        let failed: Vec<_> = outcomes.iter().filter(|(_, outcome)| *outcome != Outcome::Delivered).collect();
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].0, "PO-1008");
    }

    #[test]
    fn what_was_mapped_once_is_delivered_deliver_mapped() {
        let started: Timestamp = "2026-11-20T14:00:00Z".parse().unwrap();
        let pipeline = Pipeline { started, mapping: Mapping::Broken };
        let edifact = order::of_the_day()[0].edifact(started);
        let Outcome::NotDelivered { xml, .. } = pipeline.map_and_deliver(&edifact, started) else {
            panic!("GLOBEX is down")
        };
        assert_eq!(pipeline.deliver_mapped(&xml, started + 1.hour()), Outcome::Delivered);
    }
}
