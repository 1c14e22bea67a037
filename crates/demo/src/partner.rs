//! The partners: which orders they accept, and when.

use jiff::SignedDuration;

/// How long GLOBEX is down. The first two automatic retries of the default ladder fail, the third succeeds.
const GLOBEX_OUTAGE: SignedDuration = SignedDuration::from_mins(20);

/// When UMBRELLA adds the missing article to its catalogue.
const UMBRELLA_UPDATE: SignedDuration = SignedDuration::from_mins(10);

/// The article that is missing in UMBRELLA's catalogue at first, and the order line with it.
const UNKNOWN_ARTICLE: &str = "9931";
const UNKNOWN_LINE: &str = "line-3";

/// The reason why an order was not delivered completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeliveryError {
    /// The partner cannot be reached.
    Unreachable { code: &'static str, message: String },
    /// The partner accepted all lines except this one.
    LineRefused { id: &'static str, message: String },
}

/// Delivers an order to `partner`. `elapsed` is the time since the start of the demo.
pub(crate) fn deliver(partner: &str, xml: &str, elapsed: SignedDuration) -> Result<(), DeliveryError> {
    let unreachable = |code, message: &str| Err(DeliveryError::Unreachable { code, message: message.to_owned() });
    match partner {
        "GLOBEX" if elapsed < GLOBEX_OUTAGE => unreachable("ETIMEDOUT", "connect timeout to erp.globex.example:443"),
        "HOOLI" => unreachable("ECONNREFUSED", "connection refused by edi.hooli.example:4080"),
        "UMBRELLA" if elapsed < UMBRELLA_UPDATE && xml.contains(UNKNOWN_ARTICLE) => {
            let message = format!("article {UNKNOWN_ARTICLE} is not in the catalogue");
            Err(DeliveryError::LineRefused { id: UNKNOWN_LINE, message })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivers_after(minutes: i64, partner: &str) -> bool {
        deliver(partner, "<Line article=\"9931\"/>", SignedDuration::from_mins(minutes)).is_ok()
    }

    #[test]
    fn globex_is_up_again_between_the_second_and_third_retry_of_the_ladder() {
        assert!(!delivers_after(0, "GLOBEX"));
        assert!(!delivers_after(5, "GLOBEX"));
        assert!(!delivers_after(17, "GLOBEX"));
        assert!(delivers_after(75, "GLOBEX"));
    }

    #[test]
    fn umbrella_accepts_the_article_after_ten_minutes_and_hooli_never_answers() {
        assert!(!delivers_after(5, "UMBRELLA"));
        assert!(delivers_after(15, "UMBRELLA"));
        assert!(!delivers_after(60 * 48, "HOOLI"));
        assert!(delivers_after(0, "INITECH"));
    }
}
