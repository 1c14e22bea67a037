//! Who may report to a flow: what comes from elsewhere is kept as a dead letter of `unassigned`. So is everything that names
//! a flow whose configuration cannot be read.

use std::collections::HashMap;

use contract::intake::refuse;
use domain::{Flow, FlowName};

use crate::triage::Arrival;

/// Turns away what names a flow whose configuration lists its senders and none that this came from, or cannot be read: it becomes
/// a dead letter of `unassigned` that says which interchange and flow it was about. Nothing of that flow is touched.
pub(crate) fn turn_away(arrivals: &mut [Arrival<'_>], flows: &HashMap<FlowName, Flow>) {
    for Arrival { record, intake } in arrivals {
        let report = &intake.incoming.report;
        let Some(flow) = flows.get(&report.flow) else { continue };
        if flow.takes_from(record.sender, record.dead_letter_source) {
            continue;
        }
        let from = record.sender.unwrap_or("a sender that SQS does not name");
        let through = record.dead_letter_source.map(|queue| format!(" through {queue}")).unwrap_or_default();
        let because = match flow.is_unreadable() {
            true => "whose configuration cannot be read, so that it is not known who may report to it; it came from",
            false => "whose `senders` do not list where it came from:",
        };
        let why = format!("speaks of interchange {} of flow {}, {because} {from}{through}", report.id, flow.name);
        *intake = refuse(record, &why);
    }
}
