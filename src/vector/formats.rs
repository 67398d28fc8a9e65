//! What is no vector file that GDAL reads here: what it is instead, and how to get features out of it.

use std::path::Path;

use super::VectorError;
use crate::raster::gdal_library::{self, Messages};

/// In the words of QGIS, which reads more formats than this build of GDAL.
pub(super) const EXPORT: &str = "open it in QGIS and choose Layer > Save As…, format GeoPackage";

/// Formats by extension: what they are, and the way to features.
const KNOWN: &[(&[&str], &str, &str)] = &[
    (
        &["parquet", "geoparquet", "feather", "arrow"],
        "a GeoParquet or Arrow table",
        "save it as GeoPackage: in QGIS Layer > Save As…, in geopandas `frame.to_file(\"labels.gpkg\")`; a table without shapes as \
         CSV: `pandas.read_parquet(\"scenes.parquet\").to_csv(\"scenes.csv\", index=False)`",
    ),
    (
        &["dwg"],
        "an AutoCAD drawing of a newer version than GDAL reads",
        "save it as DXF, or in QGIS choose Project > Import/Export > Import Layers from DWG/DXF…, then save the layer as \
         GeoPackage",
    ),
    (
        &["qgz", "qgs"],
        "a QGIS project, which only names its layers",
        "open it in QGIS, and save the layer with Layer > Save As…, format GeoPackage",
    ),
    (
        &["lyr", "lyrx", "mxd", "aprx", "mapx", "lpk", "lpkx", "mpk"],
        "an ArcGIS map or layer file, which only names its data",
        "give the data set that the layer shows (.shp, .gdb), or export the layer: Data > Export Features, to a shapefile or \
         GeoPackage",
    ),
    (
        &["qlr", "qml", "sld", "qmd"],
        "a QGIS style or layer definition without features",
        "give the data set that it belongs to",
    ),
    (
        &["mdb", "accdb"],
        "a personal geodatabase or Access file",
        "export the layer from ArcGIS as a shapefile or file geodatabase (.gdb)",
    ),
    (
        &["cpg", "prj", "sbn", "sbx", "qix", "idx"],
        "a part of a shapefile without shapes",
        "give the .shp file; .shx, .dbf, .prj and .cpg are found beside it",
    ),
    (
        &["rar", "7z", "bz2", "xz"],
        "an archive of a kind that GDAL does not open",
        "unpack it, and give the file inside",
    ),
    (
        &["las", "laz", "ply", "pcd"],
        "a point cloud",
        "labels are areas: make polygons of it first",
    ),
];

/// Why no driver opened a file.
pub(super) fn not_read(path: &Path, messages: &Messages) -> VectorError {
    let path_buf = path.to_owned();
    if is_raster(path) {
        return VectorError::IsARaster { path: path_buf };
    }
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let extension = extension.to_lowercase();
    let other = |what: &str, way: &str| VectorError::OtherFormat {
        path: path.to_owned(),
        what: what.to_owned(),
        way: way.to_owned(),
    };
    if extension == "shp" && !has_sibling(path, "shx") {
        return other(
            "a shapefile without its .shx file",
            "a shapefile is several files of one name: copy .shx, .dbf, .prj and .cpg beside the .shp, too. Where the .shx \
             is lost, open the .shp in QGIS, which makes a new one",
        );
    }
    if let Some((_, what, way)) = KNOWN
        .iter()
        .find(|(ends, ..)| ends.contains(&extension.as_str()))
    {
        return other(what, way);
    }
    if path.is_dir() {
        return match extension.as_str() {
            "gdb" => other("a file geodatabase that GDAL does not open", EXPORT),
            _ => other(
                "a folder without vector files of one kind",
                "give the file inside, such as \"folder/labels.gpkg\"; of folders, those of shapefiles (.shp) are read",
            ),
        };
    }
    let start = start_of(path);
    if start.is_empty() && std::fs::metadata(path).is_ok_and(|facts| facts.len() == 0) {
        return other(
            "a file of zero bytes",
            "the download or copy that made it did not finish: fetch it again",
        );
    }
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return other(
            "text in UTF-16, where UTF-8 is expected",
            "save it as UTF-8 in the editor or program that made it",
        );
    }
    let starts_as_json = start.trim_ascii_start().starts_with(b"{");
    let holds = |key: &[u8]| start.windows(key.len()).any(|part| part == key);
    if starts_as_json && (holds(b"\"annotations\"") || holds(b"\"shapes\"") || holds(b"\"images\""))
    {
        return other(
            "a file of annotations in pixels (COCO or labelme)",
            "`.with_boxes(path, class)` reads boxes in pixels",
        );
    }
    VectorError::NotAVector {
        path: path_buf,
        detail: messages.joined("no format recognizes it"),
    }
}

/// Whether GDAL opens it as imagery.
pub(super) fn is_raster(path: &Path) -> bool {
    let name = gdal_library::c_path(path);
    let (is_raster, _) = gdal_library::with_messages(|| {
        // SAFETY: the name is a valid C string, null lists stand for the defaults, and what was opened is closed.
        unsafe {
            let none = std::ptr::null();
            let dataset = gdal_sys::GDALOpenEx(
                name.as_ptr(),
                gdal_library::OPEN_RASTER,
                std::ptr::null(),
                std::ptr::null(),
                none,
            );
            if dataset.is_null() {
                return false;
            }
            let bands = gdal_sys::GDALGetRasterCount(dataset);
            gdal_sys::GDALClose(dataset);
            bands > 0
        }
    });
    is_raster
}

/// Whether a file of the same name with another extension lies beside this one.
pub(super) fn has_sibling(path: &Path, extension: &str) -> bool {
    [extension.to_owned(), extension.to_uppercase()]
        .iter()
        .any(|end| path.with_extension(end).exists())
}

fn start_of(path: &Path) -> Vec<u8> {
    use std::io::Read as _;
    let mut start = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        // What cannot be read has no start.
        let _ = file.take(1 << 16).read_to_end(&mut start);
    }
    start
}
