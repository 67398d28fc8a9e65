use std::ops::Range;
use std::path::Path;

use serde_json::{Value, json};

use super::archive::Archive;
use super::{DataError, fetch};
use crate::raster::{
    GeoTransform, PixelWindow, Raster, RasterType, RasterWriter, Size, WriterOptions,
};
use crate::{Result, session};

const TILE: usize = 256;
const ZOOM: u32 = 18;
const PREFIX: &str = "fair/infra/data/sample/";

/// Pixels at a block's outer border where polygons that cross it are absent.
const UNLABELED_BORDER: f64 = 20.0;

/// Tiles side by side, by their column and row numbers in the web map's grid at zoom 18.
#[derive(Clone, Debug)]
struct Block {
    columns: Range<u32>,
    rows: Range<u32>,
}

impl Block {
    fn size(&self) -> Size {
        Size::new(self.columns.len() * TILE, self.rows.len() * TILE)
    }

    /// In web mercator.
    fn transform(&self) -> GeoTransform {
        const HALF_WORLD: f64 = 20_037_508.342_789_244;
        let tile = 2.0 * HALF_WORLD / f64::from(1u32 << ZOOM);
        let (x, y) = (
            f64::from(self.columns.start) * tile - HALF_WORLD,
            HALF_WORLD - f64::from(self.rows.start) * tile,
        );
        GeoTransform::north_up(x, y, tile / TILE as f64)
    }

    /// West, south, east and north in degrees, without `border` pixels on every side.
    fn degrees(&self, border: f64) -> [f64; 4] {
        let world = f64::from(1u32 << ZOOM);
        let tiles = border / TILE as f64;
        let longitude = |column: f64| column / world * 360.0 - 180.0;
        let latitude = |row: f64| {
            (std::f64::consts::PI * (1.0 - 2.0 * row / world))
                .sinh()
                .atan()
                .to_degrees()
        };
        [
            longitude(f64::from(self.columns.start) + tiles),
            latitude(f64::from(self.rows.end) - tiles),
            longitude(f64::from(self.columns.end) - tiles),
            latitude(f64::from(self.rows.start) + tiles),
        ]
    }
}

/// The labeled training blocks. Row 110123 of the southern one is left out: its top is not labeled.
fn west() -> Block {
    Block {
        columns: 193_337..193_342,
        rows: 110_117..110_123,
    }
}
fn south() -> Block {
    Block {
        columns: 193_342..193_357,
        rows: 110_124..110_129,
    }
}
fn test() -> Block {
    Block {
        columns: 193_343..193_349,
        rows: 110_117..110_123,
    }
}

/// Builds the mosaics and label files; returns their names.
pub(super) fn build(archive: &mut Archive, dir: &Path) -> Result<Vec<String>> {
    let all = Block {
        columns: 193_337..193_357,
        rows: 110_117..110_129,
    };
    let mut files = Vec::new();
    for (name, part, frame, blocks) in [
        ("banepa_train_west", "train", west(), vec![west()]),
        ("banepa_test", "test", test(), vec![test()]),
        ("banepa_train_all", "train", all, vec![west(), south()]),
    ] {
        mosaic(
            archive,
            &dir.join(format!("{name}.tif")),
            part,
            &frame,
            &blocks,
        )?;
        let labels = labels(archive, part, &blocks)?;
        fetch::write(&dir.join(format!("{name}.geojson")), &labels)?;
        files.extend([format!("{name}.tif"), format!("{name}.geojson")]);
    }
    let aoi = "banepa_train_all_aoi.geojson";
    fetch::write(
        &dir.join(aoi),
        rectangles(&[west(), south()]).to_string().as_bytes(),
    )?;
    files.push(aoi.to_owned());
    Ok(files)
}

/// Writes the tiles one by one, each with its place beside it, and one label file for each part; returns all names.
pub(super) fn tiles(archive: &mut Archive, dir: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for (part, blocks) in [("train", vec![west(), south()]), ("test", vec![test()])] {
        let folder = dir.join(part);
        std::fs::create_dir_all(&folder)
            .map_err(|source| DataError::File(crate::FileError::new(folder.clone(), source)))?;
        for block in &blocks {
            for row in block.rows.clone() {
                for column in block.columns.clone() {
                    session::check_interrupt("writing tiles")?;
                    let name = format!("OAM-{column}-{row}-{ZOOM}");
                    // JPEG, whatever the package calls it.
                    let bytes = archive.read(&format!("{PREFIX}{part}/oam/{name}.tif"))?;
                    let tile = Block {
                        columns: column..column + 1,
                        rows: row..row + 1,
                    };
                    for (file, bytes) in [
                        (format!("{part}/{name}.jpg"), bytes),
                        (format!("{part}/{name}.jpg.aux.xml"), place_beside(&tile)),
                    ] {
                        fetch::write(&dir.join(&file), &bytes)?;
                        files.push(file);
                    }
                }
            }
        }
        let labels = labels(archive, part, &blocks)?;
        fetch::write(&dir.join(format!("{part}.geojson")), &labels)?;
        files.push(format!("{part}.geojson"));
    }
    Ok(files)
}

/// What GDAL reads beside an image that has no place of its own (its "persistent auxiliary metadata").
fn place_beside(block: &Block) -> Vec<u8> {
    let numbers = block.transform().0.map(|number| format!("{number:?}"));
    format!(
        "<PAMDataset>\n  <SRS>EPSG:3857</SRS>\n  <GeoTransform>{}</GeoTransform>\n</PAMDataset>\n",
        numbers.join(", ")
    )
    .into_bytes()
}

/// Joins the tiles of some blocks in one frame; what no tile covers is transparent.
fn mosaic(
    archive: &mut Archive,
    path: &Path,
    part: &str,
    frame: &Block,
    blocks: &[Block],
) -> Result<()> {
    let whole = blocks
        .iter()
        .map(|block| block.size().area())
        .sum::<usize>()
        == frame.size().area();
    let options = if whole {
        WriterOptions::default()
    } else {
        WriterOptions::default().alpha()
    };
    let bands = if whole { 3 } else { 4 };
    let mut writer = RasterWriter::create(
        path,
        frame.size(),
        bands,
        RasterType::U8,
        frame.transform(),
        "EPSG:3857",
        options,
    )?;
    // GDAL reads a tile from a file; one that is overwritten for each tile is enough.
    let scratch = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .tempdir()
        .map_err(|source| DataError::File(crate::FileError::new(std::env::temp_dir(), source)))?;
    for block in blocks {
        for row in block.rows.clone() {
            for column in block.columns.clone() {
                session::check_interrupt("joining tiles")?;
                let bytes =
                    archive.read(&format!("{PREFIX}{part}/oam/OAM-{column}-{row}-{ZOOM}.tif"))?;
                let file = scratch.path().join(format!("{column}-{row}.tif"));
                std::fs::write(&file, bytes).map_err(|source| {
                    DataError::File(crate::FileError::new(file.clone(), source))
                })?;
                let tile = Raster::open(&file)?;
                let mut values = tile.read(&PixelWindow::new(0, 0, TILE, TILE))?.data;
                if values.len() != 3 * TILE * TILE {
                    let detail = format!(
                        "tile {column}-{row} has {} bands, 3 are expected",
                        tile.band_count()
                    );
                    return Err(DataError::Unpack { path: file, detail }.into());
                }
                if !whole {
                    values.extend(std::iter::repeat_n(255.0, TILE * TILE));
                }
                let place = PixelWindow::new(
                    i64::from(column - frame.columns.start) * TILE as i64,
                    i64::from(row - frame.rows.start) * TILE as i64,
                    TILE,
                    TILE,
                );
                writer.write_window(&place, &values)?;
                let _ = std::fs::remove_file(file);
            }
        }
    }
    writer.finish()?;
    Ok(())
}

/// The building outlines that touch one of the blocks, with the properties `osm_id`, `class` and `roof`.
fn labels(archive: &mut Archive, part: &str, blocks: &[Block]) -> Result<Vec<u8>> {
    let name = format!("{PREFIX}{part}/osm/labels.geojson");
    let bytes = archive.read(&name)?;
    let unreadable = |detail: String| DataError::Unpack {
        path: name.clone().into(),
        detail,
    };
    let collection: Value =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    let features = collection["features"]
        .as_array()
        .ok_or_else(|| unreadable("it has no features".to_owned()))?;
    let areas: Vec<[f64; 4]> = blocks.iter().map(|block| block.degrees(0.0)).collect();
    let kept: Vec<Value> = features
        .iter()
        .filter(|feature| {
            areas
                .iter()
                .any(|area| touches(&feature["geometry"]["coordinates"], area))
        })
        .map(|feature| {
            let properties = &feature["properties"];
            json!({
                "type": "Feature",
                "properties": {
                    "osm_id": properties["osm_id"],
                    "class": "building",
                    "roof": roof(properties["tags"]["roof:material"].as_str()),
                },
                "geometry": feature["geometry"],
            })
        })
        .collect();
    Ok(json!({ "type": "FeatureCollection", "features": kept })
        .to_string()
        .into_bytes())
}

/// The three materials that occur often, spelled in one way.
fn roof(material: Option<&str>) -> &'static str {
    match material {
        Some("concrete" | "concerte") => "concrete",
        Some("tin" | "metal") => "tin",
        _ => "other",
    }
}

/// Whether a polygon's bounding box and an area share a point.
fn touches(coordinates: &Value, [west, south, east, north]: &[f64; 4]) -> bool {
    let mut bounds = [
        f64::INFINITY,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NEG_INFINITY,
    ];
    extend(coordinates, &mut bounds);
    bounds[0] < *east && bounds[2] > *west && bounds[1] < *north && bounds[3] > *south
}

fn extend(coordinates: &Value, bounds: &mut [f64; 4]) {
    let Some(items) = coordinates.as_array() else {
        return;
    };
    if let [Value::Number(x), Value::Number(y), ..] = items.as_slice() {
        let (x, y) = (
            x.as_f64().unwrap_or(f64::NAN),
            y.as_f64().unwrap_or(f64::NAN),
        );
        *bounds = [
            bounds[0].min(x),
            bounds[1].min(y),
            bounds[2].max(x),
            bounds[3].max(y),
        ];
    } else {
        items.iter().for_each(|item| extend(item, bounds));
    }
}

/// The blocks without their unlabeled borders.
fn rectangles(blocks: &[Block]) -> Value {
    let features: Vec<Value> = blocks
        .iter()
        .map(|block| {
            let [west, south, east, north] = block.degrees(UNLABELED_BORDER);
            let ring = [
                [west, south],
                [east, south],
                [east, north],
                [west, north],
                [west, south],
            ];
            json!({
                "type": "Feature",
                "properties": {},
                "geometry": { "type": "Polygon", "coordinates": [ring] },
            })
        })
        .collect();
    json!({ "type": "FeatureCollection", "features": features })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_lie_where_the_development_mosaics_do() {
        // `gdalinfo` of ../shared/data/banepa.
        for (block, x, y) in [
            (west(), 9_518_703.132_353, 3_203_475.855_431_735_5),
            (test(), 9_519_620.376_692_42, 3_203_475.855_431_735_5),
        ] {
            let t = block.transform().0;
            assert!(
                (t[0] - x).abs() < 1e-6
                    && (t[3] - y).abs() < 1e-6
                    && (t[1] - 0.597_164_283_477_939).abs() < 1e-12
            );
        }
        assert_eq!(
            (west().size(), test().size()),
            (Size::new(1280, 1536), Size::new(1536, 1536))
        );
    }

    #[test]
    fn degrees_of_a_block_agree_with_its_corner() {
        let [west, _, _, north] = west().degrees(0.0);
        assert!(
            (west - 85.507_965_087_890_6).abs() < 1e-9
                && (north - 27.638_523_614_271_9).abs() < 1e-9
        );
    }

    #[test]
    fn training_and_test_blocks_are_disjoint() {
        for block in [west(), south()] {
            let apart = |a: &Range<u32>, b: &Range<u32>| a.end <= b.start || b.end <= a.start;
            assert!(apart(&block.columns, &test().columns) || apart(&block.rows, &test().rows));
        }
    }
}
