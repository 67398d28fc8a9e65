//! Files that are to become one raster, before they are opened: what was given and chosen.

use crate::display::fields::{tabled, titled, titled_output};
use crate::display::{Output, Show, counted};
use crate::raster::{Mosaic, OpenOptions, SeriesDate, Stack, StackPart, TimeSeries};
use crate::report::{Notice, Report, several_files};

/// Rows of files and dates.
const ROWS: usize = 20;

/// One below the other.
fn together(above: &Output, below: &Output) -> Output {
    Output::html(
        format!("{}\n{}", above.text, below.text),
        above.as_html() + &below.as_html(),
    )
}

fn table(heads: &[&str], rows: Vec<Vec<String>>) -> Output {
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let all = rows.len();
    let shown: Vec<Vec<String>> = rows.into_iter().take(ROWS).collect();
    counted(tabled(&heads, &shown), shown.len(), all)
}

/// What was chosen for opening, where anything was.
fn with_options(output: Output, title: &str, options: &OpenOptions) -> Output {
    match *options == OpenOptions::new() {
        true => output,
        false => together(&output, &titled_output(title, options)),
    }
}

/// Where the files are, what was chosen, and a row for each date.
impl Show for TimeSeries {
    fn output(&self) -> Output {
        let mut facts = self.facts();
        match self.listed() {
            Ok((dates, report)) => {
                facts.insert(0, ("dates", dates.len().to_string()));
                let rows = dates.iter().enumerate().map(|(at, (date, files))| {
                    vec![at.to_string(), date.to_string(), several_files(files)]
                });
                let table = table(&["", "date", "files"], rows.collect());
                together(&titled("TimeSeries", &facts), &table).with_report(&report)
            }
            Err(error) => {
                facts.insert(0, ("dates", format!("none: {error}")));
                titled("TimeSeries", &facts).with_report(&nothing("the series has no date"))
            }
        }
    }
}

/// Its date, files and mask.
impl Show for SeriesDate {
    fn output(&self) -> Output {
        let paths: Vec<_> = self.paths().map(std::path::Path::to_owned).collect();
        let mut facts = vec![
            ("date", self.written().to_owned()),
            ("files", several_files(&paths)),
        ];
        facts.extend(self.mask_words().map(|mask| ("mask", mask)));
        titled("SeriesDate", &facts)
    }
}

/// What was chosen, and a row for each file.
impl Show for Stack {
    fn output(&self) -> Output {
        let rows = self.parts().iter().enumerate().map(|(at, part)| {
            let mut row = vec![at.to_string()];
            row.extend(part.row());
            row
        });
        let table = table(&["", "name", "file", "resampling"], rows.collect());
        together(&titled("Stack", &self.facts()), &table)
    }
}

/// Its file, and what was chosen for it.
impl Show for StackPart {
    fn output(&self) -> Output {
        let [name, file, resampling] = self.row();
        let facts = [("file", file), ("name", name), ("resampling", resampling)];
        let said: Vec<(&str, String)> = (facts.into_iter())
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let options = self.file_options();
        with_options(titled("StackPart", &said), "options of the file", options)
    }
}

/// What was given and chosen, and how many files that are; whether they are tiles shows when they are opened.
impl Show for Mosaic {
    fn output(&self) -> Output {
        let mut facts = self.facts();
        let mut report = Report::new();
        match self.listed() {
            Ok((files, gone)) => {
                facts.insert(1, ("files", files.len().to_string()));
                if gone > 0 {
                    let text = format!("{gone} of {} files are not there", files.len());
                    report.push(Notice::noted(text).count(gone).next("check the paths"));
                } else if files.is_empty() {
                    report.push(
                        Notice::noted("the mosaic has no tiles")
                            .next("`Mosaic::new(\"tiles/*.tif\")` names some"),
                    );
                }
            }
            Err(error) => {
                facts.insert(1, ("files", format!("none: {error}")));
                report = nothing("the mosaic has no tiles");
            }
        }
        let facts = titled("Mosaic", &facts);
        with_options(facts, "options of every tile", self.tile_options()).with_report(&report)
    }
}

/// Says that nothing was found; why stands among the facts, and the error of opening has a hint.
fn nothing(what: &str) -> Report {
    let notice = Notice::noted(what).next("opening it says what helps");
    std::iter::once(notice).collect()
}

crate::show_in_cells!(TimeSeries, SeriesDate, Stack, StackPart, Mosaic);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Resolution;

    #[test]
    fn what_is_to_be_joined_is_told_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in [
            "S2_20230415_B04.tif",
            "S2_20230415_B08.tif",
            "S2_20230604_B04.tif",
        ] {
            std::fs::write(folder.path().join(name), "").expect("it is written");
        }
        let series = TimeSeries::new(folder.path())
            .bands(["B04"])
            .mask("SCL", [3, 8]);
        let shown = series.output();
        for words in [
            "dates",
            "2023-04-15",
            "S2_20230415_B08.tif",
            "SCL, missing where it is 3, 8",
            "2 of 2 dates have no file that is called \"SCL\"",
            "B04",
        ] {
            assert!(shown.text.contains(words), "{words}: {}", shown.text);
        }
        assert!(shown.html.is_some());
        let none = TimeSeries::new("nowhere/*.tif").output().text;
        assert!(
            none.contains("none: ") && none.contains("the series has no date"),
            "{none}"
        );
        let none = series.between("2020-01-01", "2020-12-31").output().text;
        assert!(none.contains("the series has no date"), "{none}");
        let none = Mosaic::new("nowhere/*.tif").output().text;
        assert!(none.contains("the mosaic has no tiles"), "{none}");
        let gone = [
            folder.path().join("S2_20230415_B04.tif"),
            folder.path().join("gone.tif"),
        ];
        let gone = Mosaic::new(gone).output().text;
        assert!(gone.contains("1 of 2 files are not there"), "{gone}");
        let stack = Stack::new([("red", "B04.tif"), ("swir", "B11.tif")])
            .pixel_size(Resolution::Meters(20.0));
        let mosaic = Mosaic::new("tiles/*.tif").options(OpenOptions::new().nodata(0.0));
        let date = SeriesDate::new("2023-04-15", ["a.tif"]).mask("c.tif", [1]);
        let part = StackPart::new("a.tif").named("red");
        for (output, words) in [
            (stack.output(), "B11.tif"),
            (stack.output(), "20 m"),
            (mosaic.output(), "tiles/*.tif"),
            (mosaic.output(), "nodata"),
            (date.output(), "c.tif, missing where it is 1"),
            (part.output(), "red"),
        ] {
            assert!(output.text.contains(words), "{words}: {}", output.text);
            // Not the text of `Debug`.
            assert!(
                !output.text.contains('{') && !output.text.contains("Some("),
                "{}",
                output.text
            );
        }
    }
}
