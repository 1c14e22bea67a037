//! Where an interchange's items are, as a short text in its head: `< 1 3 +420 -310 s1`. Short, because a head below 1 KB
//! costs half of what a larger one does.

use domain::{Digest, Interchange, Kept, Payloads};

/// Stands where there is more than the head names.
const OLDER: char = '<';

/// Before the bytes of the log's last item.
const BYTES: char = '+';

/// Before how many of them are payloads.
const CARRIED: char = '-';

/// Before the number of a revision whose payload has items of its own: a letter for each side.
fn sides(interchange: &Interchange) -> [(char, &Payloads); 3] {
    [('s', &interchange.sender_payloads), ('r', &interchange.receiver_payloads), ('a', &interchange.attributes)]
}

pub(crate) fn text(kept: &Kept, interchange: &Interchange) -> String {
    let older = kept.older.then(|| OLDER.to_string());
    let mut words: Vec<String> = older.into_iter().chain(kept.items.iter().map(u64::to_string)).collect();
    words.push(format!("{BYTES}{}", kept.bytes));
    if kept.carried > 0 {
        words.push(format!("{CARRIED}{}", kept.carried));
    }
    words.extend(kept.apart.iter().filter_map(|digest| named(*digest, interchange)));
    words.join(" ")
}

/// Reads the text in the head of `interchange`, whose payloads are read already.
pub(crate) fn read(text: &str, interchange: &Interchange) -> Kept {
    let mut kept = Kept::default();
    for word in text.split_whitespace() {
        let Some(mark) = word.chars().next() else { continue };
        let number = &word[mark.len_utf8()..];
        match mark {
            '0'..='9' => kept.items.extend(word.parse::<u64>()),
            OLDER => kept.older = true,
            BYTES => kept.bytes = number.parse().unwrap_or_default(),
            CARRIED => kept.carried = number.parse().unwrap_or_default(),
            side => kept.apart.extend(digest(side, number, interchange)),
        }
    }
    kept
}

fn named(digest: Digest, interchange: &Interchange) -> Option<String> {
    sides(interchange).into_iter().find_map(|(side, payloads)| {
        let revision = payloads.0.iter().find(|revision| revision.meta.digest == digest)?;
        Some(format!("{side}{}", revision.number))
    })
}

fn digest(side: char, number: &str, interchange: &Interchange) -> Option<Digest> {
    let (_, payloads) = sides(interchange).into_iter().find(|(letter, _)| *letter == side)?;
    payloads.revision(number.parse().ok()?).map(|revision| revision.meta.digest)
}
