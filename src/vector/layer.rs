//! The layer that is read: its features, all of them or an error.

use std::cell::Cell;
use std::path::Path;

use gdal_sys::{OGREnvelope, OGRFeatureH, OGRGeometryH, OGRLayerH, OGRwkbGeometryType};

use super::choose::{Holds, LayerFacts, choose};
use super::dbf;
use super::file::{TEXT_GEOMETRIES, VectorFile};
use super::values::{Field, Texts};
use super::{VectorError, VectorSource};
use crate::raster::gdal_library::{self, c_string, text};
use crate::raster::{GeoReference, PixelWindow, crs, outline};
use crate::report::{Notice, Report, file_name};
use crate::session::words;

/// An open vector file with the layer that is read.
#[derive(Debug)]
pub(super) struct OpenLayer {
    file: VectorFile,
    layer: OGRLayerH,
    fields: Vec<Field>,
    pub(super) texts: Texts,
    /// What was assumed on the way to the layer.
    pub(super) notices: Report,
    filter: Option<String>,
    /// Whether features far from the scene are passed over.
    near: Cell<bool>,
}

impl OpenLayer {
    /// Opens the layer that the source names, or the one that [`choose`] finds for the properties that are asked for.
    pub(super) fn open(source: &VectorSource, asked: &[&str]) -> Result<Self, VectorError> {
        let mut file = VectorFile::open(source)?;
        let mut notices = Report::new();
        if let Some(notice) = reopened(&mut file, source)? {
            notices.push(notice);
        }
        let layers = file.layers()?;
        let facts = file.facts(&layers, source.layer.is_none())?;
        if facts.is_empty() {
            return Err(no_layer(&file));
        }
        let (index, notice) = choose(
            file.path(),
            &facts,
            source.layer.as_deref(),
            asked,
            source.buffer.is_some(),
        )?;
        let about = file_name(file.path());
        notices.extend(file.notices.clone());
        notices.extend(notice.map(|notice| notice.about(about.clone())));
        let layer = layers[index];
        let utf8 = hands_out_utf8(layer);
        if file.is_shapefile() {
            if source.encoding.is_some() && !utf8 {
                return Err(VectorError::UnknownEncoding {
                    path: file.path().to_owned(),
                    encoding: source.encoding.clone().unwrap_or_default(),
                });
            }
            if facts[index].properties.is_empty() && !file.is_virtual() {
                let text = "the shapefile has no .dbf file, so its features have no properties";
                let step = "copy the .dbf beside the .shp, too";
                notices.push(Notice::noted(text).about(about).next(step));
            }
        }
        let texts = Texts::new(source.encoding.as_deref().filter(|_| !utf8));
        // SAFETY: the layer is open.
        let fields = file.listening(|| unsafe { Field::all(layer, &texts) })?;
        let names = fields.iter().map(|field| field.name.as_str());
        words::know_properties(&source.path, names);
        let open = Self {
            file,
            layer,
            fields,
            texts,
            notices,
            filter: source.filter.clone(),
            near: Cell::new(false),
        };
        if let Some(condition) = &source.filter {
            open.set_filter(condition)?;
        }
        Ok(open)
    }

    /// Opens the layer of a source for one raster: as a whole or, where other rasters are labeled from the file too, what is
    /// near this one.
    pub(super) fn open_for(
        source: &VectorSource,
        asked: &[&str],
        target: &GeoReference,
    ) -> Result<Self, VectorError> {
        let near = source.near.as_ref().filter(|_| source.buffer.is_none());
        if let Some(once) = near
            && let Some(layer) = once.near(source, asked, target)?
        {
            return Ok(layer);
        }
        let layer = Self::open(source, asked)?;
        if near.is_some() {
            layer.keep_near(source.crs.as_deref(), target);
        }
        Ok(layer)
    }

    /// A layer in memory with what was said of the file that its features are of.
    pub(super) fn of_memory(
        file: VectorFile,
        layer: OGRLayerH,
        notices: Report,
    ) -> Result<Self, VectorError> {
        let texts = Texts::new(None);
        // SAFETY: the layer is open.
        let fields = file.listening(|| unsafe { Field::all(layer, &texts) })?;
        Ok(Self {
            file,
            layer,
            fields,
            texts,
            notices,
            filter: None,
            near: Cell::new(false),
        })
    }

    /// Passes over what lies outside of a rectangle, and what a condition does not hold for.
    pub(super) fn begin_near(
        &mut self,
        [left, bottom, right, top]: [f64; 4],
        filter: Option<&str>,
    ) -> Result<(), VectorError> {
        if let Some(condition) = filter {
            self.filter = Some(condition.to_owned());
            self.set_filter(condition)?;
        }
        // SAFETY: the layer is open.
        unsafe { gdal_sys::OGR_L_SetSpatialFilterRect(self.layer, left, bottom, right, top) };
        self.near.set(true);
        Ok(())
    }

    /// Opens the layer that the source names, or the first one, for its properties alone.
    pub(super) fn open_table(source: &VectorSource) -> Result<Self, VectorError> {
        let file = VectorFile::open(source)?;
        let layers = file.layers()?;
        let facts = file.facts(&layers, false)?;
        let index = match &source.layer {
            None => 0,
            Some(_) => choose(file.path(), &facts, source.layer.as_deref(), &[], false)?.0,
        };
        let Some(&layer) = layers.get(index) else {
            return Err(no_layer(&file));
        };
        let texts = Texts::new(
            source
                .encoding
                .as_deref()
                .filter(|_| !hands_out_utf8(layer)),
        );
        // SAFETY: the layer is open.
        let fields = file.listening(|| unsafe { Field::all(layer, &texts) })?;
        let open = Self {
            file,
            layer,
            fields,
            texts,
            notices: Report::new(),
            filter: source.filter.clone(),
            near: Cell::new(false),
        };
        if let Some(condition) = &source.filter {
            open.set_filter(condition)?;
        }
        Ok(open)
    }

    /// Passes over features far from a raster, where OGR has an index. Where it cannot be said for sure which these are, or where
    /// the raster lies outside of all features, nothing is passed over, and what is read says so.
    fn keep_near(&self, stated: Option<&str>, target: &GeoReference) {
        let Some([left, bottom, right, top]) = self.around(stated, target, None) else {
            return;
        };
        // SAFETY: the layer is open.
        unsafe { gdal_sys::OGR_L_SetSpatialFilterRect(self.layer, left, bottom, right, top) };
        self.near.set(true);
    }

    /// The raster with what is close to it, in the layer's coordinates: left, bottom, right and top. `extent` is that of all
    /// features, where the layer holds not all of them.
    pub(super) fn around(
        &self,
        stated: Option<&str>,
        target: &GeoReference,
        extent: Option<OGREnvelope>,
    ) -> Option<[f64; 4]> {
        let size = target.size?;
        let own = self.crs_wkt().ok()?;
        let definition = stated.unwrap_or(&own);
        if definition.is_empty() || target.crs_wkt.is_empty() {
            return None;
        }
        let system = crs::parse_stated(definition)
            .ok()
            .filter(crs::has_x_first)?;
        let raster = crs::x_first(&crs::parse(&target.crs_wkt).ok()?);
        let way = crs::between(&raster, &crs::x_first(&system)).ok()?;
        let points = outline(target, &PixelWindow::full(size));
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        if !way.transform(&mut xs, &mut ys) {
            return None;
        }
        let span = |values: &[f64]| {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            // An outline between the points that were moved reaches a little further.
            let more = (high - low) * 0.1;
            (low - more, high + more)
        };
        let ((left, right), (bottom, top)) = (span(&xs), span(&ys));
        // Longitudes that go round have no left and right.
        if system.is_geographic() && (right - left > 90.0 || left < -180.0 || right > 180.0) {
            return None;
        }
        let extent = extent.or_else(|| self.extent())?;
        let touches = extent.MinX <= right
            && extent.MaxX >= left
            && extent.MinY <= top
            && extent.MaxY >= bottom;
        touches.then_some([left, bottom, right, top])
    }

    /// The extent of all features, by reading them where it is not known.
    fn extent(&self) -> Option<OGREnvelope> {
        let mut extent = OGREnvelope {
            MinX: 0.0,
            MaxX: 0.0,
            MinY: 0.0,
            MaxY: 0.0,
        };
        // SAFETY: the layer is open and the place is ours; 1 asks for the extent even where that takes a pass.
        let failed = unsafe { gdal_sys::OGR_L_GetExtent(self.layer, &raw mut extent, 1) };
        (failed == 0).then_some(extent)
    }

    /// Whether what is near comes in the order of an index: formats with one, whose files are in the order of their numbers (FID).
    pub(super) fn is_in_order_of_index(&self) -> bool {
        const INDEXED: [&str; 5] = [
            "GPKG",
            "SQLite",
            "FlatGeobuf",
            "OpenFileGDB",
            "ESRI Shapefile",
        ];
        self.near.get() && INDEXED.contains(&self.driver())
    }

    /// Whether features far from the raster are passed over.
    pub(super) fn is_near(&self) -> bool {
        self.near.get()
    }

    /// OGR's own handle.
    pub(super) fn raw(&self) -> OGRLayerH {
        self.layer
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// GDAL's short name of the file's format.
    pub(super) fn driver(&self) -> &str {
        &self.file.driver
    }

    /// What GDAL opened.
    pub(super) fn opened(&self) -> &Path {
        &self.file.opened
    }

    /// Whether GDAL decodes its text.
    pub(super) fn is_utf8(&self) -> bool {
        hands_out_utf8(self.layer)
    }

    /// The names of the features' properties.
    pub(super) fn property_names(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.name.clone()).collect()
    }

    /// The property of this name.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The coordinate reference system as WKT; empty when the file names none.
    pub(super) fn crs_wkt(&self) -> Result<String, VectorError> {
        let ((wkt, is_there), messages) = gdal_library::with_messages(|| {
            let mut wkt = std::ptr::null_mut();
            // SAFETY: the layer owns its reference system; the text is ours to free.
            unsafe {
                let system = gdal_sys::OGR_L_GetSpatialRef(self.layer);
                if system.is_null() || gdal_sys::OSRExportToWkt(system, &raw mut wkt) != 0 {
                    return (String::new(), !system.is_null());
                }
                let copied = text(wkt);
                gdal_sys::VSIFree(wkt.cast());
                (copied, true)
            }
        });
        if wkt.is_empty() && (is_there || messages.failed()) {
            return Err(VectorError::UnreadableCrs {
                path: self.path().to_owned(),
                detail: messages.joined("GDAL gives no reason"),
            });
        }
        Ok(wkt)
    }

    /// Calls `each` with every feature and how many came before it.
    ///
    /// # Errors
    /// [`VectorError::Read`] when GDAL says that something failed, with a feature or at their end, when a geometry of a
    /// table is no geometry, and when fewer features came than the file says it has.
    pub(super) fn for_each<E>(
        &self,
        mut each: impl FnMut(OGRFeatureH, usize) -> Result<(), E>,
    ) -> Result<(), E>
    where
        E: From<VectorError>,
    {
        let mut count = 0;
        // SAFETY: the layer is open; every feature is destroyed after use.
        let reset = || unsafe { gdal_sys::OGR_L_ResetReading(self.layer) };
        self.file.listening(reset)?;
        loop {
            // SAFETY: as above.
            let (feature, messages) = gdal_library::with_messages(|| unsafe {
                gdal_sys::OGR_L_GetNextFeature(self.layer)
            });
            if messages.failed() {
                // SAFETY: as above; destroying nothing is allowed.
                unsafe { gdal_sys::OGR_F_Destroy(feature) };
                let detail = messages.joined("GDAL gives no reason");
                return Err(self.failed_at(count, detail).into());
            }
            if feature.is_null() {
                break;
            }
            let outcome = match self.broken_geometry(feature) {
                Some(column) => {
                    let detail = format!(
                        "what row {} has in the column {column:?} is no geometry",
                        count + 1
                    );
                    Err(self.file.broken(detail).into())
                }
                None => each(feature, count),
            };
            // SAFETY: as above.
            unsafe { gdal_sys::OGR_F_Destroy(feature) };
            outcome?;
            count += 1;
        }
        self.check_count(count).map_err(E::from)
    }

    /// The numbers (FID) of the features for which a condition holds besides the filter.
    ///
    /// # Errors
    /// [`VectorError::BadFilter`], [`VectorError::Read`].
    pub(super) fn numbers_where(&self, condition: &str) -> Result<Vec<i64>, VectorError> {
        self.check_names(condition)?;
        let whole = match &self.filter {
            Some(filter) => format!("({filter}) AND ({condition})"),
            None => condition.to_owned(),
        };
        self.apply(Some(&whole), condition)?;
        let (numbers, messages) = gdal_library::with_messages(|| {
            let mut numbers = Vec::new();
            // SAFETY: the layer is open; every feature is destroyed after use.
            unsafe {
                gdal_sys::OGR_L_ResetReading(self.layer);
                loop {
                    let feature = gdal_sys::OGR_L_GetNextFeature(self.layer);
                    if feature.is_null() {
                        break;
                    }
                    numbers.push(gdal_sys::OGR_F_GetFID(feature));
                    gdal_sys::OGR_F_Destroy(feature);
                }
            }
            numbers
        });
        self.apply(self.filter.as_deref(), condition)?;
        match messages.failed() {
            true => Err(self.bad_filter(condition, messages.joined("GDAL gives no reason"))),
            false => Ok(numbers),
        }
    }

    /// How many features there are, the filter apart.
    pub(super) fn unfiltered(&self) -> Result<usize, VectorError> {
        // SAFETY: the layer is open; no filter is a null pointer.
        let count = self.file.listening(|| unsafe {
            gdal_sys::OGR_L_SetAttributeFilter(self.layer, std::ptr::null());
            gdal_sys::OGR_L_GetFeatureCount(self.layer, 1)
        })?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// A failure while features are read; with a filter and no feature yet, most likely the filter's.
    fn failed_at(&self, count: usize, detail: String) -> VectorError {
        match &self.filter {
            Some(condition) if count == 0 => self.bad_filter(condition, detail),
            _ => self.file.broken(if count == 0 {
                detail
            } else {
                format!("after {count} features: {detail}")
            }),
        }
    }

    fn bad_filter(&self, condition: &str, detail: String) -> VectorError {
        VectorError::BadFilter {
            path: self.path().to_owned(),
            filter: condition.to_owned(),
            detail,
            names: self.property_names(),
        }
    }

    fn set_filter(&self, condition: &str) -> Result<(), VectorError> {
        self.check_names(condition)?;
        self.apply(Some(condition), condition)
    }

    fn check_names(&self, condition: &str) -> Result<(), VectorError> {
        // SQLite takes a quoted name that it does not know for text, and compares that.
        let is_known = |name: &str| {
            let name = name.to_lowercase();
            ["fid", "ogc_fid", "rowid", "geom", "geometry", "id"].contains(&name.as_str())
                || self
                    .fields
                    .iter()
                    .any(|field| field.name.to_lowercase() == name)
        };
        if let Some(name) = quoted_names(condition)
            .into_iter()
            .find(|name| !is_known(name))
        {
            return Err(self.bad_filter(condition, format!("there is no property {name:?}")));
        }
        Ok(())
    }

    /// Reads only what a filter lets through; `condition` is what a person wrote of it.
    fn apply(&self, filter: Option<&str>, condition: &str) -> Result<(), VectorError> {
        let (code, messages) = gdal_library::with_messages(|| {
            let filter = filter.map(c_string);
            let pointer = filter
                .as_ref()
                .map_or(std::ptr::null(), |filter| filter.as_ptr());
            // SAFETY: the layer is open; the condition is copied; no filter is a null pointer.
            unsafe { gdal_sys::OGR_L_SetAttributeFilter(self.layer, pointer) }
        });
        if code != 0 || messages.failed() {
            let detail = messages.joined("GDAL gives no reason");
            return Err(self.bad_filter(condition, detail));
        }
        Ok(())
    }

    /// The column of well-known text of which GDAL has made nothing, although it is not empty.
    fn broken_geometry(&self, feature: OGRFeatureH) -> Option<&str> {
        if self.file.driver != "CSV" {
            return None;
        }
        // SAFETY: the feature is live.
        if unsafe { !gdal_sys::OGR_F_GetGeometryRef(feature).is_null() } {
            return None;
        }
        let is_geometry = |field: &&Field| {
            TEXT_GEOMETRIES
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&field.name))
        };
        let field = self.fields.iter().find(is_geometry)?;
        // SAFETY: as above, and the field is one of the layer's.
        let written = unsafe { field.value(feature, &self.texts) }?;
        let empty = written.trim().is_empty() || written.to_uppercase().contains("EMPTY");
        (!empty).then_some(field.name.as_str())
    }

    fn check_count(&self, read: usize) -> Result<(), VectorError> {
        if self.filter.is_some() || self.near.get() {
            return Ok(());
        }
        // SAFETY: the layer is open; 0 asks for what is known without reading everything again.
        let told = self
            .file
            .listening(|| unsafe { gdal_sys::OGR_L_GetFeatureCount(self.layer, 0) })?;
        // A negative count says that nobody knows.
        let told = usize::try_from(told).ok();
        let Some(told) = told.or_else(|| mid_rows(&self.file.opened)) else {
            return Ok(());
        };
        if read >= told {
            return Ok(());
        }
        let deleted = match self.file.is_shapefile() {
            true => self.table_facts().map_or(0, |facts| facts.deleted),
            false => 0,
        };
        if read + deleted >= told {
            return Ok(());
        }
        Err(self.file.broken(format!(
            "the file says it has {told} features, {read} could be read"
        )))
    }

    fn table_facts(&self) -> Option<dbf::TableFacts> {
        // SAFETY: the layer is open and owns its name.
        let name = unsafe { text(gdal_sys::OGR_L_GetName(self.layer)) };
        table_of(&self.file.opened, &name)
    }
}

/// The rows of the `.mid` file beside a `.mif`: it has one for each object, while the `.mif` itself tells no number and
/// reads as whole when it is cut between two objects.
fn mid_rows(opened: &Path) -> Option<usize> {
    let extension = opened.extension()?;
    if !extension.eq_ignore_ascii_case("mif") {
        return None;
    }
    let rows = ["mid", "MID"]
        .iter()
        .find_map(|end| std::fs::read(opened.with_extension(end)).ok())?;
    let is_row = |line: &&[u8]| !line.trim_ascii().is_empty();
    Some(rows.split(|&byte| byte == b'\n').filter(is_row).count())
}

/// What is in the table of a shapefile, or of a layer of a folder of them.
fn table_of(opened: &Path, layer: &str) -> Option<dbf::TableFacts> {
    let is_file = ["shp", "shx", "dbf"].iter().any(|end| {
        opened
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case(end))
    });
    let stem = match is_file {
        true => opened.to_owned(),
        false => opened.join(format!("{layer}.shp")),
    };
    ["dbf", "DBF"]
        .iter()
        .find_map(|end| dbf::examine(&stem.with_extension(end)))
}

/// Opens a shapefile once more where its text is not what it is said to be, so that names, values and filters are right.
/// Without a `.cpg` file or a code page GDAL hands out bytes; geopandas (pyogrio) takes ISO-8859-1, of which Windows-1252
/// is the extension that is in use.
fn reopened(file: &mut VectorFile, source: &VectorSource) -> Result<Option<Notice>, VectorError> {
    let layers = file.layers()?;
    let ([layer], true, None) = (&layers[..], file.is_shapefile(), &source.encoding) else {
        return Ok(None);
    };
    // SAFETY: the layer is open and owns its name and metadata.
    let (name, said) = unsafe {
        let key = c_string("SOURCE_ENCODING");
        let said =
            gdal_sys::GDALGetMetadataItem(*layer, key.as_ptr(), c_string("SHAPEFILE").as_ptr());
        (text(gdal_sys::OGR_L_GetName(*layer)), text(said))
    };
    let Some(facts) = table_of(&file.opened, &name) else {
        return Ok(None);
    };
    let about = file_name(file.path());
    if !facts.beyond_ascii {
        return Ok(None);
    }
    let is_utf8 = said.is_empty() || said.eq_ignore_ascii_case("UTF-8");
    if is_utf8 == facts.utf8 {
        return Ok(None);
    }
    if !is_utf8 {
        let text = format!("the file says that its text is {said}, but all of it reads as UTF-8");
        let step =
            "if names look broken, `VectorSource::new(path).encoding(\"UTF-8\")` reads them right";
        return Ok(Some(Notice::noted(text).about(about).next(step)));
    }
    for encoding in ["CP1252", "ISO-8859-1"] {
        let again = VectorFile::open_as(source, Some(encoding))?;
        if again.layers()?.iter().all(|&layer| hands_out_utf8(layer)) {
            *file = again;
            break;
        }
    }
    let why = match said.is_empty() {
        true => "no .cpg file says how its text is encoded, and it is not UTF-8",
        false => "its text is not UTF-8, although the file says so",
    };
    let text = format!("{why}: it was read as ISO-8859-1 (Windows-1252)");
    let step = "`VectorSource::new(path).encoding(name)` names another encoding";
    Ok(Some(Notice::assumed(text).about(about).next(step)))
}

/// Whether GDAL decodes the text of a layer; otherwise it hands out the file's bytes.
fn hands_out_utf8(layer: OGRLayerH) -> bool {
    // SAFETY: the layer is open; the name is OGR's `OLCStringsAsUTF8`.
    unsafe { gdal_sys::OGR_L_TestCapability(layer, c"StringsAsUTF8".as_ptr()) != 0 }
}

fn no_layer(file: &VectorFile) -> VectorError {
    match super::formats::is_raster(file.path()) {
        true => VectorError::IsARaster {
            path: file.path().to_owned(),
        },
        false => VectorError::NotAVector {
            path: file.path().to_owned(),
            detail: "it has no layer".to_owned(),
        },
    }
}

impl VectorFile {
    fn is_virtual(&self) -> bool {
        gdal_library::is_virtual(&self.opened)
    }

    fn layers(&self) -> Result<Vec<OGRLayerH>, VectorError> {
        // SAFETY: the dataset is open; layers are numbered from 0 to their count.
        self.listening(|| unsafe {
            (0..gdal_sys::GDALDatasetGetLayerCount(self.dataset))
                .map(|number| gdal_sys::GDALDatasetGetLayer(self.dataset, number))
                .filter(|layer| !layer.is_null())
                .collect()
        })
    }

    /// What the layers hold; where there are several to choose from, those that do not say so are looked through.
    fn facts(&self, layers: &[OGRLayerH], to_choose: bool) -> Result<Vec<LayerFacts>, VectorError> {
        let several = to_choose && layers.len() > 1;
        let facts = |&layer: &OGRLayerH| -> Result<LayerFacts, VectorError> {
            let texts = Texts::new(None);
            // SAFETY: the layer is open, and owns its name and definition.
            let (name, kind, properties, mut features) = self.listening(|| unsafe {
                let properties = Field::all(layer, &texts);
                // The layers of OpenStreetMap come from one pass: none can be counted on its own.
                let force = i32::from(several && self.driver != "OSM");
                (
                    texts.decoded(gdal_sys::OGR_L_GetName(layer)),
                    gdal_sys::OGR_L_GetGeomType(layer),
                    properties.into_iter().map(|field| field.name).collect(),
                    usize::try_from(gdal_sys::OGR_L_GetFeatureCount(layer, force)).ok(),
                )
            })?;
            // SAFETY: the word belongs to GDAL.
            let mut geometry = unsafe { text(gdal_sys::OGRGeometryTypeToName(kind)) };
            let holds = match declared(kind) {
                Some(holds) => holds,
                None if self.driver == "OSM" => Holds::Others,
                None if several => {
                    let (all, areas) = self.areas_in(layer)?;
                    features = Some(all);
                    geometry = match areas {
                        0 => "no areas".to_owned(),
                        1 => "1 area".to_owned(),
                        _ => format!("{areas} areas"),
                    };
                    if areas > 0 {
                        Holds::Areas
                    } else {
                        Holds::Others
                    }
                }
                None => Holds::Areas,
            };
            Ok(LayerFacts {
                name,
                features,
                holds,
                geometry,
                properties,
            })
        };
        layers.iter().map(facts).collect()
    }

    /// How many features a layer has, and how many of them hold an area.
    fn areas_in(&self, layer: OGRLayerH) -> Result<(usize, usize), VectorError> {
        // SAFETY: the layer is open; every feature is destroyed after use.
        self.listening(|| unsafe {
            let (mut all, mut areas) = (0, 0);
            gdal_sys::OGR_L_ResetReading(layer);
            loop {
                let feature = gdal_sys::OGR_L_GetNextFeature(layer);
                if feature.is_null() {
                    gdal_sys::OGR_L_ResetReading(layer);
                    return (all, areas);
                }
                all += 1;
                areas += usize::from(is_area(gdal_sys::OGR_F_GetGeometryRef(feature)));
                gdal_sys::OGR_F_Destroy(feature);
            }
        })
    }
}

/// What a layer of this type holds; `None` where it may be anything.
fn declared(kind: OGRwkbGeometryType::Type) -> Option<Holds> {
    // SAFETY: these look at numbers alone.
    unsafe {
        let flat = gdal_sys::OGR_GT_Flatten(kind);
        let is = |parent| gdal_sys::OGR_GT_IsSubClassOf(flat, parent) != 0;
        match flat {
            OGRwkbGeometryType::wkbNone => Some(Holds::Rows),
            OGRwkbGeometryType::wkbUnknown | OGRwkbGeometryType::wkbGeometryCollection => None,
            _ if is(OGRwkbGeometryType::wkbSurface) || is(OGRwkbGeometryType::wkbMultiSurface) => {
                Some(Holds::Areas)
            }
            OGRwkbGeometryType::wkbPolyhedralSurface | OGRwkbGeometryType::wkbTIN => {
                Some(Holds::Areas)
            }
            _ => Some(Holds::Others),
        }
    }
}

/// # Safety
/// `geometry` is null or a live geometry.
unsafe fn is_area(geometry: OGRGeometryH) -> bool {
    if geometry.is_null() {
        return false;
    }
    // SAFETY: by the caller's promise; parts live as long as the whole.
    unsafe {
        match declared(gdal_sys::OGR_G_GetGeometryType(geometry)) {
            Some(holds) => holds == Holds::Areas,
            None => (0..gdal_sys::OGR_G_GetGeometryCount(geometry))
                .any(|part| is_area(gdal_sys::OGR_G_GetGeometryRef(geometry, part))),
        }
    }
}

/// The names in double quotes of a condition; text in single quotes is skipped.
fn quoted_names(condition: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut open: Option<(char, String)> = None;
    for letter in condition.chars() {
        open = match open.take() {
            None if letter == '"' || letter == '\'' => Some((letter, String::new())),
            None => None,
            Some((quote, inside)) if letter == quote => {
                if quote == '"' {
                    names.push(inside);
                }
                None
            }
            Some((quote, mut inside)) => {
                inside.push(letter);
                Some((quote, inside))
            }
        };
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_condition_are_those_in_double_quotes() {
        assert_eq!(
            quoted_names("\"kind\" = 'a \"b\"' AND \"my split\" > 3"),
            ["kind", "my split"]
        );
        assert!(quoted_names("kind = 'it''s'").is_empty());
    }
}
