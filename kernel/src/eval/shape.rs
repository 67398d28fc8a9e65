//! Which types a cell can give another structure.

use swath_link::exchange::PRIMITIVES;

/// Words that a type's text may have whose meaning no cell can change.
const SETTLED: [&str; 11] = [
    "std", "core", "alloc", "swath", "dyn", "static", "mut", "const", "fn", "for", "unsafe",
];

/// Whether no cell can change the layout of a type: it names nothing but the standard library and ours.
pub(crate) fn is_settled(type_name: &str) -> bool {
    super::items::heads(type_name).into_iter().all(|word| {
        SETTLED.contains(&word)
            || PRIMITIVES.contains(&word)
            || word.starts_with(|first: char| first.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_of_cells_and_of_other_crates_can_change() {
        assert!(is_settled(
            "std::vec::Vec<(f64, &'static str, [swath::Scene; 3])>"
        ));
        assert!(is_settled("std::boxed::Box<dyn std::ops::Fn(f64) -> f64>"));
        assert!(!is_settled("std::vec::Vec<Point>") && !is_settled("ndarray::Array"));
    }
}
