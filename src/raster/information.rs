use std::ffi::c_int;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use gdal_sys::GDALColorInterp;

use super::band::Reading;
use super::describe::{band_of, colors, data_type_of, expanded, platform};
use super::gdal_library::{c_string, text};
use super::handle::Handle;
use super::options::{OpenOptions, chosen};
use super::place::Place;
use super::{
    Band, BandRole, DataType, GeoReference, GeoTransform, RasterError, Size, roles, sensors,
};
use crate::report::{Notice, Report};

/// What is read once when a raster is opened.
#[derive(Clone, Debug)]
pub(crate) struct Information {
    pub(crate) size: Size,
    /// The bands with imagery; alpha bands are left out.
    pub(crate) bands: Vec<Band>,
    pub(crate) masks: Masks,
    /// Whether GDAL's own averages would mix what is not to be mixed: parts of numbers, numbers of colors, pixels that
    /// are valid for GDAL alone.
    pub(crate) averages_itself: bool,
    /// Whether values are numbers of colors or classes, between which nothing lies.
    pub(crate) numbers: bool,
    /// Whether there are places that no file covers, or that a file behind it calls invalid.
    pub(crate) gaps: bool,
    /// What the file or its name says of the satellite or aircraft.
    pub(crate) platform: String,
    /// The names and descriptions of further rasters in the same file.
    pub(crate) subdatasets: Vec<(String, String)>,
    pub(crate) block: Size,
    pub(crate) overviews: usize,
    pub(crate) transform: GeoTransform,
    pub(crate) georeferenced: bool,
    pub(crate) crs_wkt: String,
    /// Whether the place is one that was stated, by a person or a table, and not what the file says.
    pub(crate) stated: bool,
    /// Why there is no place on the ground, in the file's own terms.
    pub(crate) missing_place: Option<String>,
    pub(crate) category_names: Vec<String>,
    pub(crate) driver: String,
    /// What was left out or assumed.
    pub(crate) report: Report,
}

/// Where the validity of whole pixels is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Masks {
    /// Alpha bands: 0 is invalid.
    pub(crate) alpha: Vec<c_int>,
    /// A band whose mask is that of all bands.
    pub(crate) dataset: Option<c_int>,
}

impl Information {
    /// # Errors
    /// [`RasterError::NoSuchBand`] for a band that the options name and the file does not have.
    pub(crate) fn read(
        handle: &Handle,
        options: &OpenOptions,
        path: &Path,
    ) -> Result<Self, RasterError> {
        let mut information = Self::of_file(handle, path);
        information.choose(handle, options, path)?;
        options.stated.apply(&mut information, path)?;
        Ok(information)
    }

    /// As the file says: all bands that are not marked as alpha.
    fn of_file(handle: &Handle, path: &Path) -> Self {
        let dataset = handle.raw();
        // SAFETY: the dataset is open, band numbers run from 1 to its count, and GDAL owns every string it returns.
        unsafe {
            let count = gdal_sys::GDALGetRasterCount(dataset);
            let mut bands = Vec::new();
            let mut masks = Masks::default();
            for number in 1..=count {
                let band = gdal_sys::GDALGetRasterBand(dataset, number);
                let meaning = gdal_sys::GDALGetRasterColorInterpretation(band);
                if meaning == GDALColorInterp::GCI_AlphaBand && count > 1 {
                    masks.alpha.push(number);
                    continue;
                }
                let mut one = band_of(band, number, meaning);
                match Mask::of(gdal_sys::GDALGetMaskFlags(band) as u32) {
                    Mask::None => {}
                    // GDAL and rasterio ask an explicit mask alone; nodata values beside it do not count.
                    Mask::Dataset => {
                        masks.dataset.get_or_insert(number);
                        one.missing = None;
                    }
                    Mask::Band => {
                        one.own_mask = true;
                        one.missing = None;
                    }
                }
                bands.push(one);
            }
            if bands.len() > 1 {
                for band in &mut bands {
                    band.role = band.role.filter(|role| *role != BandRole::Gray);
                }
            }
            let platform = platform(dataset);
            roles::of_products(&mut bands, &platform);
            sensors::fill_roles(&mut bands, path);
            let first = bands
                .first()
                .map(|band| gdal_sys::GDALGetRasterBand(dataset, band.number));
            let mut block = (0, 0);
            let mut overviews = 0;
            let mut category_names = Vec::new();
            if let Some(band) = first {
                gdal_sys::GDALGetBlockSize(band, &raw mut block.0, &raw mut block.1);
                overviews = usize::try_from(gdal_sys::GDALGetOverviewCount(band)).unwrap_or(0);
                category_names = string_list(gdal_sys::GDALGetRasterCategoryNames(band).cast());
                if category_names.is_empty() {
                    category_names = class_tags(dataset);
                }
            }
            let place = Place::read(dataset, path);
            Self {
                size: Size {
                    width: usize::try_from(gdal_sys::GDALGetRasterXSize(dataset)).unwrap_or(0),
                    height: usize::try_from(gdal_sys::GDALGetRasterYSize(dataset)).unwrap_or(0),
                },
                bands,
                masks,
                averages_itself: false,
                numbers: !category_names.is_empty(),
                gaps: false,
                platform,
                subdatasets: subdatasets(dataset),
                block: Size {
                    width: usize::try_from(block.0).unwrap_or(0).max(1),
                    height: usize::try_from(block.1).unwrap_or(0).max(1),
                },
                overviews,
                transform: place.transform,
                georeferenced: place.transform != GeoTransform::PIXELS,
                crs_wkt: place.crs_wkt,
                stated: false,
                missing_place: place.missing,
                category_names,
                driver: text(gdal_sys::GDALGetDescription(
                    gdal_sys::GDALGetDatasetDriver(dataset),
                )),
                report: place.report,
            }
        }
    }

    /// Of a raster that is made of others while it is read.
    pub(super) fn composed(
        size: Size,
        bands: Vec<Band>,
        place: GeoReference,
        driver: &str,
        report: Report,
    ) -> Self {
        Self {
            size,
            bands,
            masks: Masks::default(),
            averages_itself: true,
            numbers: false,
            gaps: true,
            platform: String::new(),
            subdatasets: Vec::new(),
            block: Size::new(256.min(size.width).max(1), 256.min(size.height).max(1)),
            overviews: 0,
            transform: place.transform,
            georeferenced: place.transform != GeoTransform::PIXELS,
            crs_wkt: place.crs_wkt,
            stated: false,
            missing_place: place.missing,
            category_names: Vec::new(),
            driver: driver.to_owned(),
            report,
        }
    }

    /// Applies what a person says, and settles what each band is read as.
    fn choose(
        &mut self,
        handle: &Handle,
        options: &OpenOptions,
        path: &Path,
    ) -> Result<(), RasterError> {
        let dataset = handle.raw();
        let mut alpha: Vec<Band> = Vec::new();
        for &number in &self.masks.alpha {
            // SAFETY: the dataset is open and has the band.
            alpha.push(unsafe {
                let band = gdal_sys::GDALGetRasterBand(dataset, number);
                Band {
                    role: None,
                    ..band_of(band, number, GDALColorInterp::GCI_AlphaBand)
                }
            });
        }
        let alone = self.bands.len() == 1;
        let bands = std::mem::take(&mut self.bands);
        for band in bands {
            // SAFETY: the dataset is open and has the band.
            let table = unsafe {
                colors(gdal_sys::GDALGetRasterColorTable(
                    gdal_sys::GDALGetRasterBand(dataset, band.number),
                ))
            };
            match table {
                Some(table) if options.expands_palette(alone) => {
                    self.report.push(
                        Notice::converted(format!(
                            "{} holds numbers of the {} colors of a palette, which were read as bands of red, green and \
                             blue",
                            band.name,
                            table.len()
                        ))
                        .next(
                            "`Scene::open_with(path, OpenOptions::new().palette_as_numbers())` reads the numbers",
                        ),
                    );
                    self.bands.extend(expanded(&band, &Arc::new(table)));
                }
                Some(table) => {
                    // Whoever asks for the numbers, as all labels do, knows it.
                    if !options.wants_palette_numbers() {
                        self.report.push(
                            Notice::noted(format!(
                                "{} has a palette of {} colors: its values are numbers of colors or classes, not measurements",
                                band.name,
                                table.len()
                            ))
                            .next("`OpenOptions::new().palette_as_colors()` makes bands of red, green and blue of them"),
                        );
                    }
                    self.numbers = true;
                    self.bands.push(band);
                }
                None => self.bands.push(band),
            }
        }
        if options.alpha_as_imagery {
            self.bands.append(&mut alpha);
            self.bands.sort_by_key(|band| band.number);
            self.masks.alpha.clear();
        }
        let mut all = std::mem::take(&mut self.bands);
        let imagery = all.len();
        all.append(&mut alpha);
        options.state_bands(&mut all);
        options.set_nodata(&mut all, path)?;
        match &options.bands {
            None => all.truncate(imagery),
            Some(choices) => {
                let places: Result<Vec<usize>, _> = choices
                    .iter()
                    .map(|choice| chosen(choice, &all, path))
                    .collect();
                let bands: Vec<Band> = places?.into_iter().map(|at| all[at].clone()).collect();
                self.masks
                    .alpha
                    .retain(|number| bands.iter().all(|band| band.number != *number));
                all = bands;
            }
        }
        self.bands = all;
        self.averages_itself = options.changes_validity()
            || self
                .bands
                .iter()
                .any(|band| band.reading != Reading::Plain || alpha_of_gdal(handle, band.number));
        self.say(options);
        Ok(())
    }

    /// What a person should know of the bands without a look at their pixels.
    fn say(&mut self, options: &OpenOptions) {
        let mut said: Vec<Notice> = Vec::new();
        let places = |is: &dyn Fn(&Band) -> bool| -> (usize, String) {
            let names: Vec<&str> = self
                .bands
                .iter()
                .filter(|band| is(band))
                .map(|band| band.name.as_str())
                .collect();
            (names.len(), named(&names))
        };
        let (count, names) = places(&|band| band.reading == Reading::Amplitude);
        if count > 0 {
            said.push(
                Notice::converted(format!(
                    "complex values were read as their amplitude, the phase is left out ({names})"
                ))
                .count(count)
                .next("export phase or intensity as a band of its own where a model needs it"),
            );
        }
        let (count, names) = places(&|band| band.scale != 1.0 || band.offset != 0.0);
        if count > 0 {
            let first = self
                .bands
                .iter()
                .find(|band| band.scale != 1.0 || band.offset != 0.0);
            let (scale, offset) = first.map_or((1.0, 0.0), |band| (band.scale, band.offset));
            said.push(
                Notice::noted(format!(
                    "values are as stored; the file gives a scale and an offset to {names} (value x {scale} + {offset})"
                ))
                .count(count)
                .next("`raster.bands()` has them; a model needs files with the same ones"),
            );
        }
        said.extend(super::code_bands::say_codes(&self.bands, |_| {
            format!("{} leaves it out", crate::host::Step::LeaveBandsOut)
        }));
        let misfit = |band: &Band| {
            band.missing
                .is_some_and(|value| !value.fits(band.data_type) && !value.as_f64().is_nan())
                && !matches!(band.reading, Reading::Color { .. })
        };
        let (count, names) = places(&misfit);
        if let Some(band) = self.bands.iter().find(|band| misfit(band)) {
            let value = band.nodata.unwrap_or_default();
            said.push(
                Notice::noted(format!(
                    "no pixel can hold the nodata value {value} in {names} ({}), so that it takes nothing away",
                    band.data_type
                ))
                .count(count)
                .next(format!("{} states another", crate::host::Step::StateNodata)),
            );
        }
        if options.bands.is_none() && !self.subdatasets.is_empty() && !self.bands.is_empty() {
            let count = self.subdatasets.len();
            let names: Vec<&str> = self
                .subdatasets
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            said.push(
                Notice::left_out(format!(
                    "the file also holds rasters that are opened by a name of their own: {}",
                    named(&names)
                ))
                .count(count)
                .next("open one by that name"),
            );
        }
        self.report.extend(said);
    }

    /// A text that differs where values or their validity are read in another way.
    pub(crate) fn key(&self) -> String {
        let mut key = format!("{:?} {:?}", self.size, self.masks);
        for band in &self.bands {
            let _ = write!(
                key,
                "\n{} {} {:?} {:?} {}",
                band.number, band.data_type, band.reading, band.missing, band.own_mask
            );
        }
        key
    }

    /// Whether any pixel inside the raster can be invalid.
    pub(crate) fn can_be_invalid(&self) -> bool {
        self.gaps || self.masks != Masks::default() || self.bands.iter().any(Band::can_miss)
    }

    /// The smallest type that holds the values of every band.
    pub(crate) fn data_type(&self) -> DataType {
        let types = self.bands.iter().map(|band| band.data_type);
        types.reduce(DataType::union).unwrap_or(DataType::Unknown)
    }
}

/// Whether GDAL takes an alpha band into account when it averages this band, although it is imagery here.
fn alpha_of_gdal(handle: &Handle, number: c_int) -> bool {
    // SAFETY: the dataset is open and has the band.
    unsafe {
        let band = gdal_sys::GDALGetRasterBand(handle.raw(), number);
        gdal_sys::GDALGetRasterColorInterpretation(band) == GDALColorInterp::GCI_AlphaBand
            && gdal_sys::GDALGetRasterCount(handle.raw()) > 1
    }
}

/// At most six names, and how many more there are.
pub(super) fn named(names: &[&str]) -> String {
    let mut text = names[..names.len().min(6)].join(", ");
    if names.len() > 6 {
        let _ = write!(text, " and {} more", names.len() - 6);
    }
    text
}

/// The names and descriptions of the rasters in a container.
///
/// # Safety
/// `dataset` is open.
unsafe fn subdatasets(dataset: gdal_sys::GDALDatasetH) -> Vec<(String, String)> {
    // SAFETY: by the caller's promise; GDAL owns the list.
    let items =
        unsafe { string_list(gdal_sys::GDALGetMetadata(dataset, c"SUBDATASETS".as_ptr()).cast()) };
    let mut found: Vec<(String, String)> = Vec::new();
    for item in items {
        let Some((key, value)) = item.split_once('=') else {
            continue;
        };
        if key.ends_with("_NAME") {
            found.push((value.to_owned(), String::new()));
        } else if key.ends_with("_DESC")
            && let Some(last) = found.last_mut()
        {
            last.1 = value.to_owned();
        }
    }
    found
}

/// What GDAL's `GMF_*` flags say of a band's mask; alpha is found by a band's meaning instead, and nodata by its value.
enum Mask {
    None,
    Dataset,
    Band,
}

impl Mask {
    fn of(flags: u32) -> Self {
        const ALL_VALID: u32 = 1;
        const PER_DATASET: u32 = 2;
        const ALPHA: u32 = 4;
        const NODATA: u32 = 8;
        if flags & (ALL_VALID | ALPHA) != 0 || flags & (NODATA | PER_DATASET) == NODATA {
            Self::None
        } else if flags & PER_DATASET != 0 {
            // With the flag of nodata, too, it is the `NODATA_VALUES` of all bands together.
            Self::Dataset
        } else {
            Self::Band
        }
    }
}

/// Copies a null-terminated list of strings that GDAL owns.
///
/// # Safety
/// `list` is null or a valid GDAL string list.
unsafe fn string_list(list: *const *const std::ffi::c_char) -> Vec<String> {
    let mut strings = Vec::new();
    if !list.is_null() {
        let mut next = list;
        // SAFETY: by the caller's promise the list ends with a null pointer.
        unsafe {
            while !(*next).is_null() {
                strings.push(text(*next));
                next = next.add(1);
            }
        }
    }
    strings
}

/// The names in the tags `CLASS_0`, `CLASS_1`, … of a file of one band of whole numbers: what [`super::RasterWriter`] writes
/// into the file itself, beside the category names that GDAL keeps in an `.aux.xml` file, which is lost where a file is copied
/// alone.
///
/// # Safety
/// `dataset` is an open dataset.
pub(super) unsafe fn class_tags(dataset: gdal_sys::GDALDatasetH) -> Vec<String> {
    /// Values of a byte.
    const MOST: usize = 256;
    // SAFETY: by the caller's promise; a dataset of one band has a first one; GDAL owns the strings, which are copied at once.
    unsafe {
        if gdal_sys::GDALGetRasterCount(dataset) != 1 {
            return Vec::new();
        }
        let band = gdal_sys::GDALGetRasterBand(dataset, 1);
        if data_type_of(band).is_float() {
            return Vec::new();
        }
        let tag = |value: usize| {
            let key = c_string(&format!("CLASS_{value}"));
            let found = gdal_sys::GDALGetMetadataItem(dataset, key.as_ptr(), std::ptr::null());
            (!found.is_null()).then(|| text(found))
        };
        (0..MOST).map_while(tag).collect()
    }
}
