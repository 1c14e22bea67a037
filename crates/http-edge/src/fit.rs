//! How much one answer holds. A function answers with 6 MB at most, and what is more would come out as a 500: so whatever grows
//! with what is kept is cut to what fits, and the answer says where it goes on.

use serde_json::Value;

/// Most bytes of the parts of an answer: below the 6,291,556 that Lambda takes, with room for what stands around them.
pub(crate) const MAX_BYTES: usize = 5_500_000;

/// What a part takes of an answer. A body is a text in the answer's JSON, where quotes and backslashes take two bytes.
pub(crate) fn bytes(part: &Value) -> usize {
    let text = part.to_string();
    text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

/// How many of these parts, from the first on, fit beside `held` bytes; one at least, so that every answer gets on.
pub(crate) fn fitting<'a>(parts: impl IntoIterator<Item = &'a Value>, held: usize) -> usize {
    let mut sum = held;
    let fits = |part: &&Value| {
        sum += bytes(part);
        sum <= MAX_BYTES
    };
    parts.into_iter().take_while(fits).count().max(1)
}

/// A page of a list whose order changes while it is walked, after the key `after`, and the key to go on from.
///
/// All of it in its own order where that fits into one answer. Where it does not, pages go by the keys, which do not change, so
/// that none is missed and none comes twice; each page has its items in the list's own order.
pub(crate) fn page(mut items: Vec<(String, Value)>, after: Option<&str>) -> (Vec<Value>, Option<String>) {
    items.retain(|(key, _)| after.is_none_or(|after| key.as_str() > after));
    let mut keyed: Vec<(&str, &Value)> = items.iter().map(|(key, item)| (key.as_str(), item)).collect();
    keyed.sort_unstable_by_key(|(key, _)| *key);
    let fitting = fitting(keyed.iter().map(|(_, item)| *item), 0);
    let next = (fitting < keyed.len()).then(|| keyed[fitting - 1].0.to_owned());
    if let Some(last) = &next {
        items.retain(|(key, _)| key <= last);
    }
    (items.into_iter().map(|(_, item)| item).collect(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(keys: &[&str], size: usize) -> Vec<(String, Value)> {
        keys.iter().map(|key| ((*key).to_owned(), Value::from(format!("{key}{}", "x".repeat(size))))).collect()
    }

    fn keys(page: &[Value]) -> Vec<&str> {
        page.iter().filter_map(|item| item.as_str()?.get(..1)).collect()
    }

    #[test]
    fn what_fits_is_one_page_in_its_own_order() {
        let (page, next) = page(items(&["c", "a", "b"], 10), None);
        assert_eq!((keys(&page), next), (vec!["c", "a", "b"], None));
        assert_eq!(super::page(Vec::new(), None), (Vec::new(), None));
    }

    #[test]
    fn what_does_not_fit_is_walked_by_key_and_shown_in_its_own_order() {
        let all = || items(&["c", "a", "d", "b"], 2_000_000);
        let (first, next) = page(all(), None);
        assert_eq!((keys(&first), next.as_deref()), (vec!["a", "b"], Some("b")));
        let (second, end) = page(all(), next.as_deref());
        assert_eq!((keys(&second), end), (vec!["c", "d"], None));
    }

    #[test]
    fn an_item_that_fits_nowhere_is_a_page_all_the_same() {
        let (first, next) = page(items(&["a", "b"], MAX_BYTES), None);
        assert_eq!((keys(&first), next.as_deref()), (vec!["a"], Some("a")));
    }

    #[test]
    fn a_part_takes_what_it_has_in_an_answer_of_a_function() {
        let part = serde_json::json!({ "message": "he said \"\\\u{1}\n\u{7f}é\"" });
        let in_answer = Value::from(part.to_string()).to_string();
        assert_eq!(bytes(&part), in_answer.len() - 2);
    }
}
