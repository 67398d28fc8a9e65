//! Tables: the properties of features, without their shapes.

use super::VectorSource;
use super::layer::OpenLayer;
use crate::{Result, session};

/// The rows of a table in any format that OGR reads (CSV, Parquet, GeoPackage, a spreadsheet), as text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    /// One value for each column; `None` where there is none.
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

impl Table {
    /// The place of the first column that is called by one of these names, the likeliest of them first; capitals do not count.
    pub(crate) fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|wanted| {
            let same = |name: &String| name.trim().eq_ignore_ascii_case(wanted);
            self.columns.iter().position(same)
        })
    }
}

/// Reads the layer that the source names, or the first one.
///
/// # Errors
/// [`super::VectorError`] when the file cannot be read to its end.
pub(crate) fn read_table(source: &VectorSource) -> Result<Table> {
    let layer = OpenLayer::open_table(source)?;
    let columns = layer.property_names();
    let fields: Vec<_> = columns
        .iter()
        .filter_map(|name| layer.field(name))
        .collect();
    let mut rows = Vec::new();
    layer.for_each(|feature, count| -> Result<()> {
        if count % 4096 == 0 {
            session::check_interrupt("reading a table")?;
        }
        // SAFETY: the feature lives until this call ends, and the fields are its layer's.
        let value = |field: &&super::values::Field| unsafe { field.value(feature, &layer.texts) };
        rows.push(fields.iter().map(value).collect());
        Ok(())
    })?;
    Ok(Table { columns, rows })
}
