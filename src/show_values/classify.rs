//! Cells of classified scenes.

use crate::classify::{Cell, CellGrid};
use crate::display::{Record, show_fields, show_records};

impl Record for Cell {
    const COLUMNS: &'static [&'static str] = &["window", "class", "score"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.window.to_string(),
            self.class.to_string(),
            format!("{:.3}", self.score),
        ]
    }
}

show_records!(Cell);
show_fields!(CellGrid);
