//! A request to act on one interchange whose function may have died: its message is sent if it was claimed, and if no
//! send is recorded.

use domain::{Claim, InterchangeId, Timestamp};
use queues::WorkItem;
use table::{Leased, Unit};

use crate::execute::{Decision, Tally};
use crate::{AppError, Runner};

impl Runner {
    /// Sends what a request has claimed, once.
    pub(crate) async fn request(&self, id: &InterchangeId, request: &str, now: Timestamp) -> Result<(), AppError> {
        let unit = Unit::Request(request.to_owned());
        match self.table.take_lease(&unit, now).await? {
            Leased::Done => return Ok(()),
            Leased::Busy(until) => {
                let again = WorkItem::Send { interchange: id.to_string(), request: request.to_owned() };
                return self.come_back(again, until, now).await;
            }
            Leased::Taken(_) => {}
        }
        let claim = Claim::Request(request.to_owned());
        let decide = |interchange: domain::Interchange| {
            if interchange.is_claimed_by(&claim) { Decision::Resume } else { Decision::Skip("handled") }
        };
        let mut tally = Tally::default();
        if let Err(error) = self.executor.execute(std::slice::from_ref(id), None, decide, &mut tally, now).await {
            self.give_up(&unit, None, now).await;
            return Err(error);
        }
        Ok(self.table.finish_request(request, now).await?)
    }
}
