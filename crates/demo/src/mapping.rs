//! Step 2: maps the buyer's EDIFACT to the XML of the partners.

use std::fmt::Write;

/// The mapping table of units: the EDIFACT code and the name in the XML.
pub(crate) type Units = &'static [(&'static str, &'static str)];

/// The reason why a message cannot be mapped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MappingError {
    #[error("segment {0} is missing")]
    Missing(&'static str),
    #[error("line {line}: unit {unit} is not in the mapping table")]
    Unit { line: usize, unit: String },
}

/// A mapped order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MappedOrder {
    pub(crate) number: String,
    pub(crate) partner: String,
    pub(crate) xml: String,
}

/// Maps an ORDERS message.
pub(crate) fn map(edifact: &str, units: Units) -> Result<MappedOrder, MappingError> {
    let segments: Vec<Vec<&str>> =
        edifact.split('\'').map(|segment| segment.trim().split(['+', ':']).collect()).collect();
    let find = |tag: &'static str, qualifier: Option<&str>, element: usize| {
        let matches = |segment: &&Vec<&str>| {
            segment[0] == tag && qualifier.is_none_or(|qualifier| segment.get(1) == Some(&qualifier))
        };
        let value = segments.iter().find(matches).and_then(|segment| segment.get(element));
        value.copied().ok_or(MappingError::Missing(tag))
    };
    let number = find("BGM", None, 2)?;
    let date = find("DTM", Some("137"), 2)?;
    let (buyer, partner) = (find("NAD", Some("BY"), 2)?, find("NAD", Some("SU"), 2)?);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Order number=\"{number}\" date=\"{date}\">\n  \
         <Buyer>{buyer}</Buyer>\n  <Supplier>{partner}</Supplier>\n"
    );
    let articles = segments.iter().filter(|segment| segment[0] == "LIN");
    let quantities = segments.iter().filter(|segment| segment[0] == "QTY");
    for (index, (article, quantity)) in articles.zip(quantities).enumerate() {
        let line = index + 1;
        let article = article.get(3).ok_or(MappingError::Missing("LIN"))?;
        let [_, _, amount, code] = quantity[..] else { return Err(MappingError::Missing("QTY")) };
        let unit = units.iter().find(|(edifact, _)| *edifact == code).map(|(_, name)| name);
        let unit = unit.ok_or_else(|| MappingError::Unit { line, unit: code.to_owned() })?;
        // Writing to a string does not fail.
        let _ =
            writeln!(xml, "  <Line number=\"{line}\" article=\"{article}\" quantity=\"{amount}\" unit=\"{unit}\"/>");
    }
    xml.push_str("</Order>\n");
    Ok(MappedOrder { number: number.to_owned(), partner: partner.to_owned(), xml })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order;

    const PIECES: Units = &[("PCE", "piece")];

    fn edifact(number: &str) -> String {
        let order = order::demo_orders().into_iter().find(|order| order.number == number).unwrap();
        order.edifact("2026-11-20T14:00:00Z".parse().unwrap())
    }

    #[test]
    fn an_order_is_mapped_line_by_line() {
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
            <Order number=\"PO-1002\" date=\"20261120\">\n  \
            <Buyer>ACME</Buyer>\n  \
            <Supplier>GLOBEX</Supplier>\n  \
            <Line number=\"1\" article=\"4712\" quantity=\"3\" unit=\"piece\"/>\n  \
            <Line number=\"2\" article=\"4720\" quantity=\"40\" unit=\"piece\"/>\n\
            </Order>\n";
        let mapped = MappedOrder { number: "PO-1002".into(), partner: "GLOBEX".into(), xml: expected.into() };
        assert_eq!(map(&edifact("PO-1002"), PIECES), Ok(mapped));
    }

    #[test]
    fn the_error_of_an_unknown_unit_names_line_and_unit() {
        let error = map(&edifact("PO-1004"), PIECES).unwrap_err();
        assert_eq!(error.to_string(), "line 1: unit KAR is not in the mapping table");
    }

    #[test]
    fn text_that_is_not_an_order_is_an_error() {
        assert_eq!(map("hello", PIECES), Err(MappingError::Missing("BGM")));
    }
}
