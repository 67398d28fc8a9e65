//! `.swath` bundles: one safetensors file with the weights, and everything else as JSON in its header.
//!
//! Loading a bundle reads numbers and text; nothing in it is executed, and it names no other file.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use swath_link::bundle::{CHECKPOINT, KEY};

use super::{
    AnyNetwork, Architecture, Blueprint, ModelError, NamedTensors, Normalization, Segmentation,
    Task, TrainedArea, TrainedBand, weights,
};
use crate::labels::CellRule;
use crate::paths::expanded;
use crate::raster::BandTransform;
use crate::{Result, staged};

/// The newest bundle format this library reads, and the one it writes.
pub const FORMAT: u32 = 1;

/// Everything a bundle of task `T` holds beside the weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct BundleMeta<T: Task = Segmentation> {
    /// The bundle format: [`FORMAT`] when written by this library.
    pub format: u32,
    /// What the network is for: [`Task::NAME`]. Bundles from before there was a choice are for segmentation.
    #[serde(default = "segmentation")]
    pub task: String,
    /// The network.
    pub architecture: Blueprint<T>,
    /// The number of image bands.
    pub bands: usize,
    /// The bands' names, as many as `bands` or none.
    #[serde(default)]
    pub band_names: Vec<String>,
    /// What each band held in training, as many as `bands` or none: other imagery is compared with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trained_bands: Vec<TrainedBand>,
    /// What the imagery's bands went through before the network saw them: made again on a raw scene.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<BandTransform>,
    /// The bands before the first transform; none where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raw_band_names: Vec<String>,
    /// What was trained on: a score there says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trained_areas: Vec<TrainedArea>,
    /// Class names by index; index 0 is the background.
    pub classes: Vec<String>,
    /// Class colors by index.
    #[serde(default)]
    pub colors: Vec<[u8; 3]>,
    /// How pixel values become the network's input.
    #[serde(alias = "normalisation")]
    pub normalization: Normalization,
    /// The side of the chips it was trained with, in pixels.
    pub chip_size: usize,
    /// The ground sample distance of the training imagery in meters, across and down, where known.
    #[serde(default, alias = "metres_per_pixel")]
    pub gsd: Option<[f64; 2]>,
    /// The score from which a detector's boxes count, where validation found one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// How the training cells got their classes, for a classifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cells: Option<CellRule>,
    /// The license of the weights, where known.
    #[serde(default, alias = "licence")]
    pub license: Option<String>,
    /// Where the weights come from: scene, steps, scores, version. Free text by key.
    #[serde(default)]
    pub provenance: BTreeMap<String, String>,
}

fn segmentation() -> String {
    Segmentation::NAME.to_owned()
}

impl BundleMeta {
    /// The required parts for a segmentation model; the others can be set on the result.
    #[must_use]
    pub fn new(
        architecture: impl Into<Architecture>,
        bands: usize,
        classes: Vec<String>,
        normalization: Normalization,
        chip_size: usize,
    ) -> Self {
        Self::for_task(architecture, bands, classes, normalization, chip_size)
    }
}

impl<T: Task> BundleMeta<T> {
    /// The required parts for a model of any task.
    #[must_use]
    pub fn for_task(
        architecture: impl Into<Blueprint<T>>,
        bands: usize,
        classes: Vec<String>,
        normalization: Normalization,
        chip_size: usize,
    ) -> Self {
        let provenance =
            BTreeMap::from([("swath".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
        Self {
            format: FORMAT,
            task: T::NAME.to_owned(),
            architecture: architecture.into(),
            bands,
            band_names: Vec::new(),
            trained_bands: Vec::new(),
            transforms: Vec::new(),
            raw_band_names: Vec::new(),
            trained_areas: Vec::new(),
            classes,
            colors: Vec::new(),
            normalization,
            chip_size,
            gsd: None,
            threshold: None,
            cells: None,
            license: None,
            provenance,
        }
    }
}

/// Whether there is a file that is no bundle and no safetensors file: to replace it would lose somebody's data.
fn is_of_others(path: &Path) -> bool {
    use std::io::Read as _;
    let Ok(file) = std::fs::File::open(path) else {
        return false;
    };
    let mut start = Vec::new();
    if file.take(9).read_to_end(&mut start).is_err() || start.is_empty() {
        return false;
    }
    // The length of the header, and the object that it is.
    start.len() < 9 || start[8] != b'{' || start[6..8] != [0, 0]
}

/// Writes a bundle. The old file, if there is one, stays whole until the new one is on disk.
///
/// # Errors
///
/// When the file cannot be written.
pub fn save_bundle(
    path: impl AsRef<Path>,
    meta: &BundleMeta,
    network: &dyn AnyNetwork,
) -> Result<()> {
    save_tensors(path.as_ref(), meta, &network.named_tensors())
}

/// [`save_bundle`] from tensors already at hand.
///
/// # Errors
///
/// When the file cannot be written.
pub fn save_tensors<T: Task>(
    path: &Path,
    meta: &BundleMeta<T>,
    tensors: &NamedTensors,
) -> Result<()> {
    let path = &*expanded(path);
    let wrong = |reason: String| ModelError::Bundle {
        path: path.to_owned(),
        reason,
    };
    if is_of_others(path) {
        let path = path.to_owned();
        return Err(ModelError::FileOfOthers { path }.into());
    }
    let json = serde_json::to_string(meta).map_err(|error| wrong(error.to_string()))?;
    let mut views = Vec::with_capacity(tensors.len());
    for (name, data) in tensors {
        let values = data
            .as_slice::<f32>()
            .map_err(|_| wrong(format!("{name} is not a 32-bit float tensor")))?;
        let view = TensorView::new(
            Dtype::F32,
            data.shape().to_vec(),
            bytemuck::cast_slice(values),
        )
        .map_err(|error| wrong(error.to_string()))?;
        views.push((name.as_str(), view));
    }
    let bytes = safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), json)])))
        .map_err(|error| wrong(error.to_string()))?;
    staged::write(path, &bytes)
        .map_err(|source| ModelError::File(crate::FileError::new(path.to_owned(), source)).into())
}

/// How PyTorch's files begin: as zip archives, before version 1.6 as pickles of protocol 2. A bundle begins with the length
/// of its header, which is not as large as these would be.
const PYTORCH: [&[u8]; 2] = [b"PK\x03\x04", b"\x80\x02\x8a\x0a"];

/// So many bytes say what another file is.
const START: u64 = 2048;

/// What the model in a file is for ([`Task::NAME`]), by the file's header alone; `None` for a file that is no bundle or
/// cannot be read, of which loading says what is wrong.
#[must_use]
pub fn bundle_task(path: impl AsRef<Path>) -> Option<String> {
    let header = swath_link::bundle::read_header(&expanded(path.as_ref()))?;
    Some(header.task.unwrap_or_else(segmentation))
}

/// What a file is that begins like no model, by its first bytes; `None` for what may be one.
fn other_kind(path: &Path) -> std::io::Result<Option<&'static str>> {
    let mut start = Vec::new();
    std::fs::File::open(path)?
        .take(START)
        .read_to_end(&mut start)?;
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    // A bundle begins with eight bytes of a length, the last of which are 0.
    let json = [b'{', b'[']
        .into_iter()
        .any(|open| text.trim_ascii_start().first() == Some(&open))
        && !text.iter().take(8).any(|&byte| byte == 0);
    if json {
        let geojson = ["\"FeatureCollection\"", "\"Feature\"", "\"geometry\""];
        let text = String::from_utf8_lossy(text);
        let is_geojson = geojson.iter().any(|word| text.contains(word));
        return Ok(Some(if is_geojson {
            "a GeoJSON file, which holds labels or polygons"
        } else {
            "a JSON file"
        }));
    }
    let kinds: [(&[u8], &str); 6] = [
        (
            b"SQLite format 3",
            "a GeoPackage or another SQLite file, which holds labels or polygons",
        ),
        (
            b"\x00\x00\x27\x0a",
            "a shapefile, which holds labels or polygons",
        ),
        (b"II*\0", "a TIFF file, which holds imagery"),
        (b"MM\0*", "a TIFF file, which holds imagery"),
        (b"\x89PNG", "a PNG file, which holds imagery"),
        (b"<?xml", "an XML file"),
    ];
    let found = kinds
        .into_iter()
        .find(|(magic, _)| start.starts_with(magic));
    Ok(found.map(|(_, name)| name))
}

/// Reads the bundle of a segmentation model.
///
/// # Errors
///
/// As [`load_bundle_for`].
pub fn load_bundle(path: impl AsRef<Path>) -> Result<(BundleMeta, NamedTensors)> {
    load_bundle_for::<Segmentation>(path.as_ref())
}

/// Reads the bundle of a model of one task.
///
/// # Errors
///
/// When the file cannot be read, is damaged, is newer than this library, is for another task, or names anything outside
/// itself.
pub fn load_bundle_for<T: Task>(path: &Path) -> Result<(BundleMeta<T>, NamedTensors)> {
    let path = &*expanded(path);
    let io = |source| ModelError::File(crate::FileError::new(path.to_owned(), source));
    if let Some(found) = other_kind(path).map_err(io)? {
        let path = path.to_owned();
        return Err(ModelError::NotAModel { path, found }.into());
    }
    let bytes = std::fs::read(path).map_err(io)?;
    let wrong = |reason: String| ModelError::Bundle {
        path: path.to_owned(),
        reason,
    };
    let weights_alone = || ModelError::WeightsAlone {
        path: path.to_owned(),
    };
    if PYTORCH.iter().any(|start| bytes.starts_with(start)) {
        // What every archive of PyTorch holds.
        let is_archive = bytes.starts_with(PYTORCH[0]);
        let name: &[u8] = b"data.pkl";
        if is_archive && !bytes.windows(name.len()).any(|it| it == name) {
            let (path, found) = (path.to_owned(), "a ZIP archive");
            return Err(ModelError::NotAModel { path, found }.into());
        }
        return Err(weights_alone().into());
    }
    let (_, header) = SafeTensors::read_metadata(&bytes)
        .map_err(|error| wrong(format!("damaged header ({error})")))?;
    let metadata = header.metadata().as_ref();
    if metadata.is_some_and(|metadata| metadata.contains_key(CHECKPOINT)) {
        return Err(ModelError::NotAModel {
            path: path.to_owned(),
            found: "a checkpoint of a training",
        }
        .into());
    }
    let json = metadata
        .and_then(|metadata| metadata.get(KEY))
        .ok_or_else(weights_alone)?;
    // Version and task first: others may have other fields.
    #[derive(Deserialize)]
    struct Version {
        format: u32,
        #[serde(default = "segmentation")]
        task: String,
    }
    let Version { format, task } =
        serde_json::from_str(json).map_err(|error| wrong(format!("damaged header ({error})")))?;
    if format > FORMAT {
        return Err(ModelError::BundleTooNew {
            path: path.to_owned(),
            found: format,
            supported: FORMAT,
        }
        .into());
    }
    if task != T::NAME {
        return Err(ModelError::OtherTask {
            path: path.to_owned(),
            found: task,
            expected: T::NAME,
        }
        .into());
    }
    let meta: BundleMeta<T> =
        serde_json::from_str(json).map_err(|error| wrong(format!("damaged header ({error})")))?;
    check::<T>(&meta).map_err(wrong)?;
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| wrong(format!("damaged weights ({error})")))?;
    if let Some(name) = file.names().into_iter().find(|name| escapes(name)) {
        return Err(wrong(format!("the tensor name {name:?} is a path")).into());
    }
    let tensors = weights::float_tensors(&file);
    for (name, data) in &tensors {
        let values = data.as_slice::<f32>().unwrap_or_default();
        let unusable = values.iter().filter(|value| !value.is_finite()).count();
        if unusable > 0 {
            let all = values.len();
            return Err(wrong(format!(
                "{unusable} of the {all} weights {name:?} are no numbers"
            ))
            .into());
        }
    }
    Ok((meta, tensors))
}

fn check<T: Task>(meta: &BundleMeta<T>) -> Result<(), String> {
    let norm = &meta.normalization;
    if norm.mean.len() != meta.bands || norm.std.len() != meta.bands {
        return Err(format!(
            "{} bands, but normalization for {} and {}",
            meta.bands,
            norm.mean.len(),
            norm.std.len()
        ));
    }
    if norm.std.iter().any(|&std| !std.is_finite() || std <= 0.0)
        || norm.mean.iter().any(|mean| !mean.is_finite())
    {
        return Err("its normalization is not finite or divides by zero".to_owned());
    }
    if !(2..=255).contains(&meta.classes.len()) {
        return Err(format!(
            "{} classes; 2 to 255 are possible",
            meta.classes.len()
        ));
    }
    if !meta.colors.is_empty() && meta.colors.len() != meta.classes.len() {
        return Err(format!(
            "{} classes, but {} colors",
            meta.classes.len(),
            meta.colors.len()
        ));
    }
    let names = meta.architecture.name();
    if escapes(&names) {
        return Err(format!("the architecture name {names:?} is a path"));
    }
    Ok(())
}

/// Whether a name could reach another file when someone used it as one.
fn escapes(name: &str) -> bool {
    name.contains("..") || name.contains(['/', '\\', '\0']) || Path::new(name).is_absolute()
}

#[cfg(test)]
mod tests;
