//! What parts say, kept short enough for the table: an interchange is one item of at most 400 KB, and a hundred messages of
//! a thousand characters each are more than that in some scripts. Shorter ones are never touched.

use domain::Part;

use crate::limits;

/// Shortens the messages of parts that take more room together than there is, each to an equal share of it, and says so in
/// them.
pub(super) fn messages(mut parts: Vec<Part>) -> Vec<Part> {
    let room: usize = parts.iter().filter_map(|part| part.message.as_deref()).map(stored).sum();
    if room <= limits::PART_MESSAGES_STORED {
        return parts;
    }
    let share = limits::PART_MESSAGES_STORED / parts.len();
    for message in parts.iter_mut().filter_map(|part| part.message.as_mut()) {
        if stored(message) > share {
            *message = shortened(message, share);
        }
    }
    parts
}

fn shortened(message: &str, share: usize) -> String {
    let says = format!("… (shortened: it had {} characters)", message.chars().count());
    let mut left = share.saturating_sub(stored(&says));
    let fits = message.chars().take_while(|c| {
        let size = escaped(*c);
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    });
    fits.collect::<String>() + &says
}

/// Bytes of a text as it is kept: inside JSON.
fn stored(text: &str) -> usize {
    text.chars().map(escaped).sum()
}

fn escaped(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    }
}
