//! Many scenes that are predicted bit by bit, or by several jobs at a time.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::values;

/// What a call of `swath predict` does of the work on many scenes.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct ManyOptions {
    /// Leave scenes as they are that the same models have finished with the same options
    #[arg(long, help_heading = "Many scenes")]
    pub resume: bool,
    /// A division of the scenes into parts, for several jobs: written with --parts, taken with --part
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Many scenes")]
    pub plan: Option<PathBuf>,
    /// Predict nothing: divide what is not finished into at most N parts of equal work, by pixels
    #[arg(
        long,
        value_name = "N",
        requires = "plan",
        conflicts_with = "part",
        value_parser = values::parts,
        allow_negative_numbers = true,
        help_heading = "Many scenes"
    )]
    pub parts: Option<usize>,
    /// Predict this part of the plan, counted from 1, and leave what is finished
    #[arg(
        long,
        value_name = "K",
        requires = "plan",
        value_parser = values::parts,
        allow_negative_numbers = true,
        help_heading = "Many scenes"
    )]
    pub part: Option<usize>,
    /// Predict nothing: join what was predicted, in DIR/joined, score it together, and say what is missing
    #[arg(long, conflicts_with_all = ["plan", "resume"], help_heading = "Many scenes")]
    pub join: bool,
}

impl ManyOptions {
    /// A plan is written or taken.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        match (&self.plan, self.parts, self.part) {
            (Some(_), None, None) => Err(
                "'--plan' needs '--parts <N>', which writes it, or '--part <K>', which predicts a part of it",
            ),
            _ => Ok(()),
        }
    }
}
