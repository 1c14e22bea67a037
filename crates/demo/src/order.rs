//! The demo orders and their EDIFACT form.

use jiff::Timestamp;

/// A purchase order from a buyer to a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) number: String,
    pub(crate) buyer: String,
    pub(crate) partner: String,
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) article: String,
    pub(crate) quantity: u32,
    /// A code of the UN/EDIFACT list: `PCE` for pieces, `KAR` for cartons.
    pub(crate) unit: String,
}

/// The orders that arrive when the demo starts. Their numbers never change, so a stack that kept its data recognises them.
pub(crate) fn demo_orders() -> Vec<Order> {
    vec![
        order("PO-1001", "ACME", "GLOBEX", &[("4711", 12, "PCE")]),
        order("PO-1002", "ACME", "GLOBEX", &[("4712", 3, "PCE"), ("4720", 40, "PCE")]),
        order("PO-1003", "BOLT", "GLOBEX", &[("4711", 100, "PCE")]),
        order("PO-1004", "ACME", "INITECH", &[("8001", 2, "KAR")]),
        order("PO-1005", "BOLT", "INITECH", &[("8001", 5, "KAR"), ("8002", 10, "PCE")]),
        order("PO-1006", "ACME", "INITECH", &[("8002", 7, "PCE")]),
        order("PO-1007", "ACME", "UMBRELLA", &[("9901", 1, "PCE"), ("9902", 1, "PCE"), ("9931", 6, "PCE")]),
        order("PO-1008", "BOLT", "HOOLI", &[("5005", 1, "PCE")]),
    ]
}

fn order(number: &str, buyer: &str, partner: &str, lines: &[(&str, u32, &str)]) -> Order {
    let line = |&(article, quantity, unit): &(&str, u32, &str)| Line {
        article: article.to_owned(),
        quantity,
        unit: unit.to_owned(),
    };
    Order {
        number: number.to_owned(),
        buyer: buyer.to_owned(),
        partner: partner.to_owned(),
        lines: lines.iter().map(line).collect(),
    }
}

impl Order {
    /// The order as an ORDERS message of the directory D.96A.
    pub(crate) fn edifact(&self, at: Timestamp) -> String {
        let Order { number, buyer, partner, lines } = self;
        let reference = number.trim_start_matches("PO-");
        let mut segments = vec![
            format!("UNB+UNOC:3+{buyer}+{partner}+{}+{reference}", at.strftime("%y%m%d:%H%M")),
            format!("UNH+{reference}+ORDERS:D:96A:UN"),
            format!("BGM+220+{number}+9"),
            format!("DTM+137:{}:102", at.strftime("%Y%m%d")),
            format!("NAD+BY+{buyer}::92"),
            format!("NAD+SU+{partner}::92"),
        ];
        for (index, line) in lines.iter().enumerate() {
            segments.push(format!("LIN+{}++{}:IN", index + 1, line.article));
            segments.push(format!("QTY+21:{}:{}", line.quantity, line.unit));
        }
        segments.push("UNS+S".to_owned());
        // The count includes UNH and UNT, but not UNB.
        segments.push(format!("UNT+{}+{reference}", segments.len()));
        segments.push(format!("UNZ+1+{reference}"));
        segments.iter().map(|segment| format!("{segment}'\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_written_as_edifact() {
        let order = order("PO-1001", "ACME", "GLOBEX", &[("4711", 12, "PCE")]);
        let expected = "UNB+UNOC:3+ACME+GLOBEX+261120:1400+1001'\n\
                        UNH+1001+ORDERS:D:96A:UN'\n\
                        BGM+220+PO-1001+9'\n\
                        DTM+137:20261120:102'\n\
                        NAD+BY+ACME::92'\n\
                        NAD+SU+GLOBEX::92'\n\
                        LIN+1++4711:IN'\n\
                        QTY+21:12:PCE'\n\
                        UNS+S'\n\
                        UNT+9+1001'\n\
                        UNZ+1+1001'\n";
        assert_eq!(order.edifact("2026-11-20T14:00:00Z".parse().unwrap()), expected);
    }

    #[test]
    fn every_order_has_its_own_number() {
        let mut numbers: Vec<_> = demo_orders().into_iter().map(|order| order.number).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), demo_orders().len());
    }
}
