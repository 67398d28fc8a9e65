//! The cells with magics in the pages of `docs/` are written rightly.

use std::path::{Path, PathBuf};

use super::{Surroundings, plan};

/// The folder of the book.
const BOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// Usage lines instead of cells: made from the table of magics.
const REFERENCE: &str = "magics.md";

fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "md")
            && !path.ends_with(REFERENCE)
        {
            found.push(path);
        }
    }
}

/// The code of the `text` blocks of a page.
fn cells(page: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut lines = page.lines();
    while lines.any(|line| line == "```text") {
        let cell: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        cells.push(cell.join("\n"));
    }
    cells
}

#[test]
fn the_magics_of_the_book_are_written_rightly() {
    let mut files = Vec::new();
    pages(Path::new(BOOK), &mut files);
    let mut lines = 0;
    for file in files {
        for cell in cells(&std::fs::read_to_string(&file).unwrap()) {
            for line in cell.lines().filter(|line| line.starts_with('%')) {
                lines += 1;
                if let Err(error) = plan(line, &Surroundings::none()) {
                    panic!(
                        "{}: {line}\n{}\n{}",
                        file.display(),
                        error.message,
                        error.usage
                    );
                }
            }
        }
    }
    assert!(lines > 20, "{lines} lines with magics were found");
}
