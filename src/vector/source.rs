use std::path::{Path, PathBuf};

use super::{Buffer, ReadOnce};

/// A vector file and what it does not say itself: the layer to read, its coordinate reference system, which of its
/// features count, how far lines and points reach. A path alone is one, too.
///
/// ```
/// use swath::vector::VectorSource;
/// let buildings = VectorSource::new("city.gpkg").layer("buildings").crs("EPSG:32633");
/// assert_eq!(buildings.path().to_str(), Some("city.gpkg"));
/// let same_file = VectorSource::from("city.gpkg");
/// assert_eq!(same_file.path(), buildings.path());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSource {
    pub(crate) path: PathBuf,
    pub(crate) layer: Option<String>,
    pub(crate) crs: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) encoding: Option<String>,
    pub(crate) buffer: Option<Buffer>,
    pub(crate) elsewhere: bool,
    /// That features far from the scene need not be read: the file is read for other scenes, too.
    pub(crate) near: Option<ReadOnce>,
}

impl VectorSource {
    /// A file that is read as it says itself.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: crate::paths::expanded(path.as_ref()).into_owned(),
            layer: None,
            crs: None,
            filter: None,
            encoding: None,
            buffer: None,
            elsewhere: false,
            near: None,
        }
    }

    /// The layer of this name, for files with several.
    #[must_use]
    #[doc(alias = "layer_name")]
    pub fn layer(mut self, name: impl Into<String>) -> Self {
        self.layer = Some(name.into());
        self
    }

    /// The coordinate reference system of the coordinates, whatever the file says: `EPSG:32633`, WKT or a PROJ string, with
    /// longitude or easting first; `urn:ogc:def:crs:EPSG::4326` in the order that EPSG gives, here latitude first; `raster`
    /// for the raster's own, whether it names a system or not; `pixels` for pixels of the raster, x to the right from its
    /// left edge and y down from its top edge (or up, when all of y is below 0, as QGIS has it for images without a place).
    #[must_use]
    #[doc(alias = "set_crs")]
    #[doc(alias = "to_crs")]
    pub fn crs(mut self, definition: impl Into<String>) -> Self {
        self.crs = Some(definition.into());
        self
    }

    /// Only the features for which this condition holds, in OGR's SQL: `split = 'train' AND height > 3`. Names of
    /// properties stand in double quotes or none, text in single quotes.
    #[must_use]
    #[doc(alias = "query")]
    #[doc(alias = "where_clause")]
    pub fn filter(mut self, condition: impl Into<String>) -> Self {
        self.filter = Some(condition.into());
        self
    }

    /// The encoding of the file's text, such as `CP1252` or `UTF-8`, where the file does not say it: a shapefile without
    /// a `.cpg` file, a table. Formats that are UTF-8 by their definition need none.
    #[must_use]
    pub fn encoding(mut self, name: impl Into<String>) -> Self {
        self.encoding = Some(name.into());
        self
    }

    /// Makes areas of lines and points: all that lies at most so far from them ([`Buffer::meters`], [`Buffer::pixels`],
    /// [`Buffer::width`]). Without it they are left out. Of several layers, those with lines or points are meant then.
    ///
    /// ```
    /// use swath::vector::{Buffer, VectorSource};
    /// let roads = VectorSource::new("roads.gpkg").buffer(Buffer::meters(3.0));
    /// let trees = VectorSource::new("trees.gpkg").buffer(Buffer::pixels(4.0));
    /// ```
    #[must_use]
    #[doc(alias = "line_bufs")]
    #[doc(alias = "point_bufs")]
    #[doc(alias = "BufferTransformer")]
    pub fn buffer(mut self, buffer: Buffer) -> Self {
        self.buffer = Some(buffer);
        self
    }

    /// Says that it is meant when all labels lie elsewhere: a scene outside the extent of its labels is then all
    /// background, with a notice, and no error. A scene within the extent needs no permission.
    #[must_use]
    pub const fn allow_elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl<P: AsRef<Path>> From<P> for VectorSource {
    fn from(path: P) -> Self {
        Self::new(path)
    }
}

impl From<&Self> for VectorSource {
    fn from(source: &Self) -> Self {
        source.clone()
    }
}
