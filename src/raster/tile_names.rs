//! Where tiles lie that say it by their names alone.

use std::path::Path;

use super::grid::Grid;
use super::join_error::JoinError;
use super::{GeoReference, GeoTransform, Size, crs};
use crate::Result;
use crate::report::{Notice, Report, file_name};

/// How the numbers in names are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counting {
    pub(super) columns_first: bool,
    pub(super) from_the_south: bool,
}

/// Tiles with their places: the first column and row of each in pixels of the grid.
pub(super) struct Laid {
    pub(super) grid: Grid,
    pub(super) places: Vec<(i64, i64)>,
    pub(super) report: Report,
}

/// Half the width of web mercator in meters.
const HALF_EARTH: f64 = 20_037_508.342_789_244;
/// The most columns and rows of a raster.
const LONGEST: i64 = i32::MAX as i64;
/// Numbers that all are multiples of as much as this count pixels, not tiles.
const PIXELS: i64 = 8;

/// Where each tile lies by its name.
///
/// # Errors
/// [`JoinError::Unplaced`], [`JoinError::OtherSize`], [`JoinError::TooLarge`].
pub(super) fn laid(tiles: &[(&Path, Size)], counting: Counting) -> Result<Laid> {
    let web: Option<Vec<Web>> = tiles.iter().map(|(path, _)| web_tile(path)).collect();
    if let Some(web) = web
        && let Some(first) = web.first()
        && web.iter().all(|tile| tile.zoom == first.zoom)
        && tiles.iter().all(|(_, size)| *size == tiles[0].1)
    {
        return of_web(tiles, &web, counting);
    }
    let mut numbers = Vec::with_capacity(tiles.len());
    let mut told = true;
    for (path, _) in tiles {
        let (row, col, lettered) = row_and_column(path, counting)?;
        told &= lettered;
        numbers.push((row, col));
    }
    let divisor = numbers
        .iter()
        .fold(0, |all, &(row, col)| gcd(gcd(all, row), col));
    let in_pixels = divisor >= PIXELS;
    let largest = tiles.iter().fold(Size::new(0, 0), |all, (_, size)| {
        Size::new(all.width.max(size.width), all.height.max(size.height))
    });
    let (first_row, first_col) = (
        numbers.iter().map(|place| place.0).min().unwrap_or(0),
        numbers.iter().map(|place| place.1).min().unwrap_or(0),
    );
    let step = match in_pixels {
        true => (1, 1),
        false => (largest.height as i64, largest.width as i64),
    };
    let mut places = Vec::with_capacity(tiles.len());
    let (mut wide, mut high) = (0i64, 0i64);
    let last = numbers
        .iter()
        .fold((0, 0), |all, one| (all.0.max(one.0), all.1.max(one.1)));
    for ((path, size), &(row, col)) in tiles.iter().zip(&numbers) {
        let smaller = (size.width < largest.width && col != last.1)
            || (size.height < largest.height && row != last.0);
        if smaller && !in_pixels {
            return Err(JoinError::OtherSize {
                path: (*path).to_owned(),
                found: *size,
                expected: largest,
            }
            .into());
        }
        let top = (row - first_row).saturating_mul(step.0);
        let left = (col - first_col).saturating_mul(step.1);
        places.push((left, top));
        wide = wide.max(left.saturating_add_unsigned(size.width as u64));
        high = high.max(top.saturating_add_unsigned(size.height as u64));
    }
    if wide > LONGEST || high > LONGEST {
        return Err(JoinError::TooLarge {
            wide: wide as f64,
            high: high as f64,
        }
        .into());
    }
    let mut report = Report::new();
    let order = match (told, counting.columns_first) {
        (true, _) => "by the letters in their names",
        (false, false) => "the first number in a name is the row, the second the column",
        (false, true) => "the first number in a name is the column, the second the row",
    };
    let unit = if in_pixels { "pixels" } else { "tiles" };
    let (example, (row, col)) = (file_name(tiles[0].0), numbers[0]);
    let mut notice = Notice::assumed(format!(
        "the {} tiles have no place on the ground, and lie where their names say, counted in {unit}: {order} ({example} is \
         row {row}, column {col})",
        tiles.len()
    ))
    .count(tiles.len());
    if !told {
        notice = notice.next(match counting.columns_first {
            true => "look at a picture: leave `.columns_first()` out if tiles do not meet",
            false => "look at a picture: `Scene::mosaic_with(Mosaic::new(tiles).columns_first())` if tiles do not meet",
        });
    }
    report.push(notice);
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    let twice = sorted.windows(2).filter(|two| two[0] == two[1]).count();
    if twice > 0 {
        report.push(
            Notice::noted(format!(
                "{twice} tiles have the row and column of another one and lie over it"
            ))
            .count(twice)
            .next("name the tiles that are meant"),
        );
    }
    let size = Size::new(wide.max(1) as usize, high.max(1) as usize);
    let mut place = GeoReference::new(GeoTransform::PIXELS, "");
    place.size = Some(size);
    Ok(Laid {
        grid: Grid { place, size },
        places,
        report,
    })
}

fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A tile of a map on the web.
struct Web {
    zoom: u32,
    col: i64,
    row: i64,
}

/// `…/15/17602/10749.png`: zoom, column, row.
fn web_tile(path: &Path) -> Option<Web> {
    let number = |text: &std::ffi::OsStr| -> Option<i64> {
        let text = text.to_str()?;
        (text.len() <= 9 && text.chars().all(|one| one.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten()
    };
    let row = number(path.file_stem()?)?;
    let parent = path.parent()?;
    let col = number(parent.file_name()?)?;
    let zoom = number(parent.parent()?.file_name()?)?;
    let zoom = u32::try_from(zoom).ok().filter(|zoom| *zoom <= 30)?;
    let along = 1i64 << zoom;
    (row < along && col < along).then_some(Web { zoom, col, row })
}

/// # Source
/// The OGC's Two Dimensional Tile Matrix Set, `WebMercatorQuad`: EPSG:3857, column 0 at 180 degrees west, row 0 in the north.
fn of_web(tiles: &[(&Path, Size)], web: &[Web], counting: Counting) -> Result<Laid> {
    let (size, zoom) = (tiles[0].1, web[0].zoom);
    let along = 1i64 << zoom;
    let row = |tile: &Web| match counting.from_the_south {
        true => along - 1 - tile.row,
        false => tile.row,
    };
    let first_col = web.iter().map(|tile| tile.col).min().unwrap_or(0);
    let first_row = web.iter().map(row).min().unwrap_or(0);
    let last_col = web.iter().map(|tile| tile.col).max().unwrap_or(0);
    let last_row = web.iter().map(row).max().unwrap_or(0);
    let (width, height) = (size.width as i64, size.height as i64);
    let wide = (last_col - first_col + 1).saturating_mul(width);
    let high = (last_row - first_row + 1).saturating_mul(height);
    if wide > LONGEST || high > LONGEST {
        return Err(JoinError::TooLarge {
            wide: wide as f64,
            high: high as f64,
        }
        .into());
    }
    let side = 2.0 * HALF_EARTH / along as f64;
    let transform = GeoTransform([
        first_col as f64 * side - HALF_EARTH,
        side / width as f64,
        0.0,
        HALF_EARTH - first_row as f64 * side,
        0.0,
        -side / height as f64,
    ]);
    let wkt = crs::parse("EPSG:3857")?.to_wkt().unwrap_or_default();
    let mut place = GeoReference::new(transform, wkt);
    let whole = Size::new(wide as usize, high as usize);
    place.size = Some(whole);
    let order = match counting.from_the_south {
        true => "rows counted from the south (TMS)",
        false => "rows counted from the north (XYZ)",
    };
    let mut notice = Notice::assumed(format!(
        "the {} tiles are named z/x/y (zoom {zoom}): they lie in web mercator (EPSG:3857), {order}",
        tiles.len()
    ))
    .count(tiles.len());
    if !counting.from_the_south {
        notice = notice.next(
            "`Mosaic::new(tiles).from_the_south()` if the tiles are of a Tile Map Service (TMS), as gdal2tiles writes them",
        );
    }
    Ok(Laid {
        places: web
            .iter()
            .map(|tile| {
                (
                    (tile.col - first_col) * width,
                    (row(tile) - first_row) * height,
                )
            })
            .collect(),
        grid: Grid { place, size: whole },
        report: [notice].into_iter().collect(),
    })
}

/// Row and column in a name, and whether letters say which is which.
fn row_and_column(path: &Path, counting: Counting) -> Result<(i64, i64, bool), JoinError> {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let unplaced = |reason: String| JoinError::Unplaced {
        path: path.to_owned(),
        reason,
    };
    // Runs of digits with the letters before them.
    let mut found: Vec<(String, i64)> = Vec::new();
    let (mut letters, mut digits) = (String::new(), String::new());
    let mut put = |letters: &mut String, digits: &mut String| -> Result<(), JoinError> {
        if digits.is_empty() {
            return Ok(());
        }
        let number = digits
            .parse::<i64>()
            .ok()
            .filter(|number| *number < 1 << 40);
        let number = number.ok_or_else(|| unplaced(format!("the number {digits} is too large")))?;
        found.push((std::mem::take(letters), number));
        digits.clear();
        Ok(())
    };
    // `row_3`, `row-3`, `row=3`: the word before the number counts, whatever stands before that.
    let mut separated = false;
    for one in stem.chars() {
        if one.is_ascii_digit() {
            digits.push(one);
            continue;
        }
        put(&mut letters, &mut digits)?;
        if one.is_alphabetic() {
            if separated {
                letters.clear();
            }
            letters.push(one);
        }
        separated = !one.is_alphabetic();
    }
    put(&mut letters, &mut digits)?;
    let rows = ["r", "row", "y", "ty", "top", "yoff"];
    let columns = ["c", "col", "column", "x", "tx", "left", "xoff"];
    let lettered = |words: &[&str]| {
        let is = |(letters, _): &&(String, i64)| words.contains(&letters.as_str());
        found.iter().rfind(is).map(|(_, number)| *number)
    };
    if let (Some(row), Some(col)) = (lettered(&rows), lettered(&columns)) {
        return Ok((row, col, true));
    }
    match found.as_slice() {
        [.., (_, first), (_, second)] => Ok(match counting.columns_first {
            true => (*second, *first, false),
            false => (*first, *second, false),
        }),
        _ => Err(unplaced(format!(
            "two numbers are expected in it, {} found",
            match found.len() {
                0 => "none is",
                _ => "one is",
            }
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str], size: Size, counting: Counting) -> Result<Laid> {
        let tiles: Vec<(&Path, Size)> = names.iter().map(|name| (Path::new(name), size)).collect();
        laid(&tiles, counting)
    }

    #[test]
    fn names_say_rows_and_columns() {
        let size = Size::new(256, 100);
        let usual = Counting::default();
        let columns = Counting {
            columns_first: true,
            ..usual
        };
        let places = |names: &[&str], counting| of(names, size, counting).unwrap().places;
        assert_eq!(
            places(&["tile_3_7.png", "tile_4_9.png"], usual),
            [(0, 0), (512, 100)]
        );
        assert_eq!(
            places(&["tile_3_7.png", "tile_4_9.png"], columns),
            [(0, 0), (256, 200)]
        );
        // Letters say it, whatever the order is to be.
        for counting in [usual, columns] {
            assert_eq!(
                places(&["r003_c007.tif", "r004_c009.tif"], counting),
                [(0, 0), (512, 100)]
            );
            assert_eq!(
                places(&["x7y3.png", "x9y4.png"], counting),
                [(0, 0), (512, 100)]
            );
            assert_eq!(
                places(&["a_row_3_col_7.png", "a_row_4_col_9.png"], counting),
                [(0, 0), (512, 100)]
            );
        }
        // Multiples of pixels.
        assert_eq!(
            places(&["t_0_0.png", "t_0_512.png", "t_400_0.png"], usual),
            [(0, 0), (512, 0), (0, 400)]
        );
        // Other numbers before them say nothing.
        assert_eq!(
            places(&["2021_b2_0_1.png", "2021_b2_0_2.png"], usual),
            [(0, 0), (256, 0)]
        );
        for names in [["tile.png", "tile_1.png"], ["tile_1.png", "tile_2.png"]] {
            assert!(of(&names, size, usual).is_err());
        }
        let huge = ["t_0_99999999999999999999.png", "t_0_1.png"];
        assert!(of(&huge, size, usual).is_err());
        assert!(of(&["t_0_0.png", "t_1_99999999999.png"], size, usual).is_err());
    }

    /// mercantile: `xy_bounds(17602, 10749, 15)` has left 1493190.814..., top 6894601.... (computed below by its formula).
    #[test]
    fn web_tiles_lie_in_web_mercator() {
        let size = Size::new(256, 256);
        let names = ["/m/15/17602/10749.png", "/m/15/17603/10750.png"];
        let laid = of(&names, size, Counting::default()).unwrap();
        assert_eq!(laid.places, [(0, 0), (256, 256)]);
        assert_eq!(laid.grid.size, Size::new(512, 512));
        let t = laid.grid.place.transform.0;
        // The width of the Earth at zoom 15 is 32768 tiles of 1222.99 m.
        assert!((t[1] - 4.777_314_267_823_516).abs() < 1e-9, "{t:?}");
        let left = -20_037_508.342_789_244 + 17_602.0 * 1_222.992_452_562_82;
        assert!((t[0] - left).abs() < 1e-3, "{t:?}");
        let south = Counting {
            from_the_south: true,
            ..Counting::default()
        };
        assert_eq!(
            of(&names, size, south).unwrap().places,
            [(0, 256), (256, 0)]
        );
        // Several zooms are no map, and these names are then rows and columns of nothing.
        assert!(of(&["/m/15/1/2.png", "/m/14/1/2.png"], size, south).is_err());
    }
}
