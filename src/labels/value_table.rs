use crate::display::{Output, Show, escape};

/// One value of a raster.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ValueCount {
    /// The value, as `LabelValues` takes it: `10`, or `[255, 0, 0]` for a color.
    pub value: String,
    /// Pixels of it.
    pub pixels: u64,
    /// What the file calls it.
    pub name: Option<String>,
}

/// The values of a raster and how many pixels each has, the most frequent first
/// ([`crate::raster::Raster::value_table`]).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ValueTable {
    /// The values; only the most frequent ones when there are more than a table holds.
    pub values: Vec<ValueCount>,
    /// Different values.
    pub different: usize,
    /// Pixels without data: NaN, masked or transparent.
    pub no_data: u64,
    /// The file's nodata value, whose pixels are counted among the values.
    pub nodata: Option<String>,
    /// Of so many blocks one was counted: 1 unless the raster is very large.
    pub one_of: usize,
}

impl Show for ValueTable {
    fn output(&self) -> Output {
        let mut text = "     pixels  value".to_owned();
        let mut html = "<table><tr><th>pixels</th><th>value</th><th></th></tr>".to_owned();
        let mut row = |pixels: u64, value: &str, what: &str| {
            text += &format!("\n{pixels:>11}  {value}");
            if !what.is_empty() {
                text += &format!("  {what}");
            }
            html += &format!(
                "<tr><td>{pixels}</td><td>{}</td><td>{}</td></tr>",
                escape(value),
                escape(what)
            );
        };
        for one in &self.values {
            let nodata = self.nodata.as_ref() == Some(&one.value);
            let what = match (&one.name, nodata) {
                (Some(name), false) => name.clone(),
                (Some(name), true) => format!("{name} (nodata value)"),
                (None, true) => "(nodata value)".to_owned(),
                (None, false) => String::new(),
            };
            row(one.pixels, &one.value, &what);
        }
        if self.no_data > 0 {
            row(self.no_data, "no data", "");
        }
        html += "</table>";
        let mut also = |note: String| {
            text += &format!("\n{note}");
            html += &format!("<div>{note}</div>");
        };
        if self.different > self.values.len() {
            also(format!(
                "and {} values more",
                self.different - self.values.len()
            ));
        }
        if self.one_of > 1 {
            also(format!("counted on one of {} blocks", self.one_of));
        }
        Output::styled(text, html)
    }
}

crate::show_in_cells!(ValueTable);
