//! Chips that teach a classifier nothing, since the rule gives them no class.

use crate::chips::Chip;
use crate::labels::CellRule;
use crate::report::Notice;

/// Chips that came, and how many of them have no class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unclassed {
    came: usize,
    without: usize,
}

impl Unclassed {
    /// Counts the chips of a batch.
    pub(super) fn count(&mut self, chips: &[Chip]) {
        self.came += chips.len();
        self.without += chips.iter().filter(|chip| chip.class.is_none()).count();
    }

    /// What there is to say of them, where cells get their classes by `rule`.
    pub(super) fn notice(self, rule: &CellRule) -> Option<Notice> {
        let Self { came, without } = self;
        (without > 0).then(|| {
            Notice::left_out(format!(
                "{without} of {came} chips have no class and do not count in the loss: less than half of their pixels count, or the \
                 rule leaves them out (cells are {})",
                rule.words()
            ))
            .count(without)
            .next("`scene.with_cells(rule)?` gives another rule; chips are cut where labels are complete by `.labeled_within(area)?`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chips_without_a_class_are_told_with_their_count() {
        let some = Unclassed {
            came: 12,
            without: 3,
        };
        let notice = some.notice(&CellRule::majority());
        assert_eq!(notice.as_ref().and_then(Notice::counted), Some(3));
        assert!(notice.is_some_and(|notice| notice.text().starts_with("3 of 12 chips")));
        let none = Unclassed {
            came: 12,
            without: 0,
        };
        assert_eq!(none.notice(&CellRule::majority()), None);
    }
}
