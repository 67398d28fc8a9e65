//! How much of a value's text a person gets to see at once, and how the rest is told.
//!
//! The text is bounded while it is written: a vector of millions of numbers never becomes megabytes, and a `Debug` that
//! never ends comes to its end.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::fmt::{self, Debug, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

/// A screen has some 60 lines; one very long line takes as much room as they do.
const MAX_LINES: usize = 60;
const MAX_CHARACTERS: usize = 6_000;
/// Elements of a collection that are shown at most, as in IPython.
const MAX_ELEMENTS: usize = 1_000;
/// For how long the rest is still counted before it is given up.
const COUNTING: Duration = Duration::from_millis(200);
/// How many pieces are counted between two looks at the clock.
const PIECES_PER_LOOK: u32 = 16;
/// Where the text may be cut nicer than in the middle of a number.
const NICE_CUT: usize = 100;

/// Ends a `Debug` that goes on writing long after anybody reads it.
struct Enough;

/// Takes a text until a screen is full; the rest is only counted.
#[derive(Default)]
struct Screen {
    text: String,
    characters: usize,
    lines: usize,
    /// When the screen was full.
    full_since: Option<Instant>,
    left_out: usize,
    pieces: u32,
    given_up: bool,
    /// Whether giving up must not unwind: a lock that is held meanwhile would be poisoned.
    holds_locks: bool,
}

impl Screen {
    /// How many bytes of `piece` still fit.
    fn room(&mut self, piece: &str) -> usize {
        for (at, character) in piece.char_indices() {
            if self.characters == MAX_CHARACTERS
                || (character == '\n' && self.lines + 1 == MAX_LINES)
            {
                return at;
            }
            self.characters += 1;
            self.lines += usize::from(character == '\n');
        }
        piece.len()
    }

    /// Counts what is left out; an error when that takes too long.
    fn count(&mut self, rest: &str, full_since: Instant) -> fmt::Result {
        self.left_out += rest.chars().count();
        self.pieces += 1;
        if self.given_up {
            return Err(fmt::Error);
        }
        if self.pieces.is_multiple_of(PIECES_PER_LOOK) && full_since.elapsed() > COUNTING {
            self.given_up = true;
            if !self.holds_locks {
                resume_unwind(Box::new(Enough));
            }
            return Err(fmt::Error);
        }
        Ok(())
    }
}

impl Write for Screen {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if let Some(since) = self.full_since {
            return self.count(piece, since);
        }
        let (shown, rest) = piece.split_at(self.room(piece));
        self.text.push_str(shown);
        if rest.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        self.full_since = Some(now);
        self.count(rest, now)
    }
}

/// The `{:?}` text of a value, a screen at most. `type_name` tells whether a lock may be held while it is written.
pub(super) fn debug_text(value: &dyn Debug, type_name: &str) -> String {
    let mut screen = Screen {
        holds_locks: ["Mutex<", "RwLock<"]
            .iter()
            .any(|lock| type_name.contains(lock)),
        ..Screen::default()
    };
    write(&mut screen, format_args!("{value:?}"));
    finished(screen)
}

/// Writes; a panic of the value's own goes on.
fn write(screen: &mut Screen, text: fmt::Arguments<'_>) {
    let written = catch_unwind(AssertUnwindSafe(|| screen.write_fmt(text)));
    if let Err(payload) = written
        && !payload.is::<Enough>()
        // A `Debug` that unwraps what we refuse.
        && !screen.given_up
    {
        resume_unwind(payload);
    }
}

/// The text with a last line about what it lacks.
fn finished(screen: Screen) -> String {
    let mut text = screen.text;
    if screen.full_since.is_none() {
        return text;
    }
    let shown = cut_nicely(&mut text);
    let left_out = screen.left_out + screen.characters - shown;
    let note = if screen.given_up {
        format!("cut after {} characters", grouped(shown))
    } else {
        format!(
            "{} more of {} characters",
            grouped(left_out),
            grouped(left_out + shown)
        )
    };
    text.push_str(&remark(&note));
    text
}

fn remark(note: &str) -> String {
    format!("\n… {note}: `show_all(&value)` shows it whole")
}

/// Ends the text after a comma or a line if there is one near; the number of characters that stay.
fn cut_nicely(text: &mut String) -> usize {
    let near = text
        .char_indices()
        .rev()
        .nth(NICE_CUT)
        .map_or(0, |(at, _)| at);
    let nice = text[near..]
        .rfind([',', '\n'])
        .map_or(text.len(), |comma| near + comma + 1);
    text.truncate(nice);
    text.chars().count()
}

/// `1234567` is `1,234,567`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A text of somebody else's making, such as a panic's, with its middle left out when it is long.
pub(super) fn shortened(text: &str) -> String {
    let (head, tail) = (MAX_CHARACTERS * 3 / 4, MAX_CHARACTERS / 4);
    let total = text.chars().count();
    if total <= head + tail {
        return text.to_owned();
    }
    let at = |place: usize| {
        text.char_indices()
            .nth(place)
            .map_or(text.len(), |(at, _)| at)
    };
    format!(
        "{}\n… {} characters are left out …\n{}",
        &text[..at(head)],
        grouped(total - head - tail),
        &text[at(total - tail)..]
    )
}

/// Takes an element, or a key and its value; whether it wants more.
type Each<'a> = dyn FnMut(&dyn Debug, Option<&dyn Debug>) -> bool + 'a;

/// A collection that knows how many elements it has, so that what is left out can be told exactly.
pub trait Long {
    /// The number of elements.
    fn length(&self) -> usize;
    /// The signs around them.
    fn brackets(&self) -> [char; 2];
    /// Gives the elements one after the other, keys with their values, until the function has enough.
    fn visit(&self, each: &mut Each<'_>);
}

macro_rules! long_lists {
    ($open:literal $close:literal: $([$($generics:tt)*] $type:ty),+ $(,)?) => {$(
        impl<$($generics)*> Long for $type {
            fn length(&self) -> usize {
                self.iter().len()
            }
            fn brackets(&self) -> [char; 2] {
                [$open, $close]
            }
            fn visit(&self, each: &mut Each<'_>) {
                let _ = self.iter().all(|element| each(element, None));
            }
        }
    )+};
}

long_lists!('[' ']': [E: Debug] [E], [E: Debug] Vec<E>, [E: Debug, const N: usize] [E; N], [E: Debug] VecDeque<E>,
    [E: Debug] BinaryHeap<E>, [E: Debug] LinkedList<E>, [E: Debug] Box<[E]>);
long_lists!('{' '}': [E: Debug] BTreeSet<E>, [E: Debug, S] HashSet<E, S>);

macro_rules! long_maps {
    ($([$($generics:tt)*] $type:ty),+) => {$(
        impl<$($generics)*> Long for $type {
            fn length(&self) -> usize {
                self.len()
            }
            fn brackets(&self) -> [char; 2] {
                ['{', '}']
            }
            fn visit(&self, each: &mut Each<'_>) {
                let _ = self.iter().all(|(key, value)| each(key, Some(value)));
            }
        }
    )+};
}

long_maps!([K: Debug, V: Debug] BTreeMap<K, V>, [K: Debug, V: Debug, S] HashMap<K, V, S>);

impl<L: Long + ?Sized> Long for &L {
    fn length(&self) -> usize {
        (**self).length()
    }
    fn brackets(&self) -> [char; 2] {
        (**self).brackets()
    }
    fn visit(&self, each: &mut Each<'_>) {
        (**self).visit(each);
    }
}

/// The `{:?}` text of a collection, whole elements only where one fits.
pub(super) fn long_text(
    length: usize,
    brackets: [char; 2],
    visit: &mut dyn FnMut(&mut Each<'_>),
    type_name: &str,
) -> String {
    let mut screen = Screen {
        holds_locks: type_name.contains("Mutex<") || type_name.contains("RwLock<"),
        ..Screen::default()
    };
    write(&mut screen, format_args!("{}", brackets[0]));
    let mut shown = 0;
    let mut whole = 1;
    visit(&mut |element, value| {
        if shown == MAX_ELEMENTS {
            return false;
        }
        let comma = if shown == 0 { "" } else { ", " };
        match value {
            None => write(&mut screen, format_args!("{comma}{element:?}")),
            Some(value) => write(&mut screen, format_args!("{comma}{element:?}: {value:?}")),
        }
        if screen.full_since.is_some() {
            return false;
        }
        whole = screen.text.len();
        shown += 1;
        true
    });
    if shown == length {
        screen.text.push(brackets[1]);
        return screen.text;
    }
    if shown == 0 {
        // Not even the first one fits.
        return finished(screen);
    }
    screen.text.truncate(whole);
    let note = format!(
        "{} more of {} elements",
        grouped(length - shown),
        grouped(length)
    );
    format!("{}, …{}{}", screen.text, brackets[1], remark(&note))
}

/// The text of a panic's payload, if it has one.
pub(super) fn payload_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without text")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn long<L: Long>(value: &L) -> String {
        long_text(
            value.length(),
            value.brackets(),
            &mut |each| value.visit(each),
            std::any::type_name::<L>(),
        )
    }

    #[test]
    fn what_fits_on_a_screen_is_as_debug_writes_it() {
        let map = BTreeMap::from([(1, "a"), (2, "b")]);
        assert_eq!(long(&map), format!("{map:?}"));
        let list = vec![Some(1.5), None];
        assert_eq!(long(&list), format!("{list:?}"));
        assert_eq!(long(&Vec::<u8>::new()), "[]");
        assert_eq!(debug_text(&"a\n\"b", "&str"), "\"a\\n\\\"b\"");
        let exact = "x".repeat(MAX_CHARACTERS - 2);
        assert_eq!(debug_text(&exact, ""), format!("{exact:?}"));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let text = long(&vec![0.5_f32; 2_000_000]);
        assert!(text.len() < 7_000 && text.starts_with("[0.5, 0.5,"));
        assert!(
            text.ends_with(
                "0.5, …]\n… 1,999,000 more of 2,000,000 elements: `show_all(&value)` shows it whole"
            ),
            "{}",
            &text[text.len() - 200..]
        );
        let text = long(&vec!["é".repeat(4_000); 3]);
        assert!(text.contains("… 2 more of 3 elements"));
        let text = debug_text(&"é".repeat(10_000), "String");
        assert!(
            text.contains("4,002 more of 10,002 characters"),
            "{}",
            &text[text.len() - 100..]
        );
    }

    #[test]
    fn a_tall_text_is_cut_by_lines() {
        struct Tall(usize);
        impl Debug for Tall {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (0..self.0).try_for_each(|line| writeln!(f, "line {line}"))
            }
        }
        let text = debug_text(&Tall(1_000), "");
        assert_eq!(text.lines().count(), MAX_LINES + 1, "{text}");
        assert!(text.contains("line 58\n") && !text.contains("line 60\n"));
        assert_eq!(debug_text(&Tall(10), "").lines().count(), 10);
    }

    #[test]
    fn a_debug_without_end_comes_to_its_end() {
        struct Endless(bool);
        impl Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if self.0 {
                    return f.debug_list().entries(std::iter::repeat(1)).finish();
                }
                loop {
                    let _ = f.write_str("again ");
                }
            }
        }
        for value in [Endless(true), Endless(false)] {
            let text = debug_text(&value, "Endless");
            assert!(text.contains("cut after ") && text.len() < 7_000, "{text}");
        }
    }

    #[test]
    fn a_lock_around_a_long_value_is_not_poisoned() {
        let lock = Mutex::new(vec![1_u8; 20_000_000]);
        let text = debug_text(&lock, std::any::type_name_of_val(&lock));
        assert!(text.contains("cut after "), "{}", text.len());
        assert!(lock.lock().is_ok());
    }

    #[test]
    fn a_panic_in_a_debug_goes_on() {
        struct Bad;
        impl Debug for Bad {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("bad debug")
            }
        }
        let caught = catch_unwind(|| debug_text(&Bad, "Bad"))
            .map_err(|payload| payload_text(&*payload).to_owned());
        assert_eq!(caught, Err("bad debug".to_owned()));
    }

    #[test]
    fn a_long_message_keeps_its_beginning_and_its_end() {
        let text = shortened(&format!("first {} last", "x".repeat(1_000_000)));
        assert!(text.starts_with("first ") && text.ends_with(" last") && text.len() < 7_000);
        assert_eq!(shortened("short"), "short");
    }
}
