//! The partners: who takes an order, and when.

use jiff::SignedDuration;

/// How long GLOBEX is down. The first two automatic retries of the default ladder still meet it so, the third does not.
const GLOBEX_IS_DOWN_FOR: SignedDuration = SignedDuration::from_mins(20);

/// When UMBRELLA has the missing article in its catalogue.
const UMBRELLA_KNOWS_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// The article that UMBRELLA does not know at first, and the line that asks for it.
const UNKNOWN_ARTICLE: &str = "9931";
const UNKNOWN_LINE: &str = "line-3";

/// Why a partner did not take an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It cannot be reached.
    Unreachable { code: &'static str, message: String },
    /// It took the order but for one line.
    Line { id: &'static str, message: String },
}

/// What `partner` says to an order, so long after the demo began.
pub(crate) fn deliver(partner: &str, xml: &str, elapsed: SignedDuration) -> Result<(), Refusal> {
    let unreachable = |code, message: &str| Err(Refusal::Unreachable { code, message: message.to_owned() });
    match partner {
        "GLOBEX" if elapsed < GLOBEX_IS_DOWN_FOR => {
            unreachable("ETIMEDOUT", "connect timeout to erp.globex.example:443")
        }
        "HOOLI" => unreachable("ECONNREFUSED", "connection refused by edi.hooli.example:4080"),
        "UMBRELLA" if elapsed < UMBRELLA_KNOWS_AFTER && xml.contains(UNKNOWN_ARTICLE) => {
            let message = format!("article {UNKNOWN_ARTICLE} is not in the catalogue");
            Err(Refusal::Line { id: UNKNOWN_LINE, message })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(minutes: i64, partner: &str) -> bool {
        deliver(partner, "<Line article=\"9931\"/>", SignedDuration::from_mins(minutes)).is_ok()
    }

    #[test]
    fn globex_comes_back_after_the_second_retry_of_the_ladder_and_before_the_third() {
        assert!(!after(0, "GLOBEX"));
        assert!(!after(5, "GLOBEX"));
        assert!(!after(17, "GLOBEX"));
        assert!(after(75, "GLOBEX"));
    }

    #[test]
    fn umbrella_learns_the_article_and_hooli_is_gone() {
        assert!(!after(5, "UMBRELLA"));
        assert!(after(15, "UMBRELLA"));
        assert!(!after(60 * 48, "HOOLI"));
        assert!(after(0, "INITECH"));
    }
}
