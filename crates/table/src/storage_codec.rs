//! Where an interchange's items are, as a short text in its head: `< 1 3 +420 -310 s1`. Short, because a head below 1 KB
//! costs half of what a larger one does.

use domain::{Digest, Interchange, Payloads, StorageLayout};

/// Stands where there is more than the head names.
const OLDER: char = '<';

/// Before the bytes of the log's last item.
const BYTES: char = '+';

/// Before how many of them are payloads.
const INLINE: char = '-';

/// Before the number of a revision whose payload has items of its own: a letter for each side.
fn sides(interchange: &Interchange) -> [(char, &Payloads); 3] {
    [('s', &interchange.sender_payloads), ('r', &interchange.receiver_payloads), ('a', &interchange.attributes)]
}

pub(crate) fn text(storage: &StorageLayout, interchange: &Interchange) -> String {
    let older = storage.older.then(|| OLDER.to_string());
    let mut words: Vec<String> = older.into_iter().chain(storage.items.iter().map(u64::to_string)).collect();
    words.push(format!("{BYTES}{}", storage.bytes));
    if storage.inline > 0 {
        words.push(format!("{INLINE}{}", storage.inline));
    }
    words.extend(storage.chunked.iter().filter_map(|digest| named(*digest, interchange)));
    words.join(" ")
}

/// Reads the text in the head of `interchange`, whose payloads are read already.
pub(crate) fn read(text: &str, interchange: &Interchange) -> StorageLayout {
    let mut storage = StorageLayout::default();
    for word in text.split_whitespace() {
        let Some(mark) = word.chars().next() else { continue };
        let number = &word[mark.len_utf8()..];
        match mark {
            '0'..='9' => storage.items.extend(word.parse::<u64>()),
            OLDER => storage.older = true,
            BYTES => storage.bytes = number.parse().unwrap_or_default(),
            INLINE => storage.inline = number.parse().unwrap_or_default(),
            side => storage.chunked.extend(digest(side, number, interchange)),
        }
    }
    storage
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
