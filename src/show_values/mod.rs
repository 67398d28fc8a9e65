//! How values look in a cell that have no picture of their own: facts for a single one, a table for a list of them.
//!
//! What a type has to say stands here, a file for each domain; how it is laid out is [`crate::display`]'s.

mod boxes;
mod classify;
mod evaluate;
mod geometry;
mod joins;
mod labels;
mod models;
mod plot;
mod predict;
mod raster;
mod scene;
mod train;
mod vector;

#[cfg(test)]
mod prelude_tests;

use std::ops::RangeInclusive;

use crate::display::{Output, Show};

/// What `to_json` of ours gives, as JSON.
impl Show for serde_json::Value {
    fn output(&self) -> Output {
        Output::text(format!("{self:#}"))
    }
}

/// `12.5 to 80`, or one number where both are the same.
fn range_words(range: &RangeInclusive<f64>) -> String {
    use crate::display::records::number;
    match range.start() == range.end() {
        true => number(*range.start()),
        false => format!("{} to {}", number(*range.start()), number(*range.end())),
    }
}

/// The numbers between brackets, so many of them.
fn list_words<T: ToString>(values: &[T], most: usize) -> String {
    let mut words: Vec<String> = values.iter().take(most).map(T::to_string).collect();
    if values.len() > most {
        words.push(format!("… {} more", values.len() - most));
    }
    words.join(", ")
}
