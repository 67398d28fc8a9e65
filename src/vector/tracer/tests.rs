use geo::{Area, Coord, LineString, Polygon};
use rand::{RngExt as _, SeedableRng as _};

use super::Tracer;
use crate::Result;
use crate::raster::Size;
use crate::raster::gdal_library::{self, c_string};
use crate::vector::{LabelPolygon, geos, polygonize};

/// Corners as whole numbers.
type Ring = Vec<(i64, i64)>;

/// Without points on straight edges, from the highest and leftmost corner, in the direction that puts the area above 0.
fn plain(ring: &LineString<f64>) -> Ring {
    let points: Vec<(i64, i64)> = ring.0[1..]
        .iter()
        .map(|at| (at.x as i64, at.y as i64))
        .collect();
    let count = points.len();
    let mut corners: Ring = (0..count)
        .filter(|&at| {
            let (before, here, after) = (
                points[(at + count - 1) % count],
                points[at],
                points[(at + 1) % count],
            );
            let (from, to) = (
                (here.0 - before.0, here.1 - before.1),
                (after.0 - here.0, after.1 - here.1),
            );
            from.0 * to.1 != from.1 * to.0
        })
        .map(|at| points[at])
        .collect();
    let area: i64 = (0..corners.len())
        .map(|at| {
            let (from, to) = (corners[at], corners[(at + 1) % corners.len()]);
            from.0 * to.1 - to.0 * from.1
        })
        .sum();
    if area < 0 {
        corners.reverse();
    }
    let first = (0..corners.len()).min_by_key(|&at| (corners[at].1, corners[at].0));
    corners.rotate_left(first.unwrap_or(0));
    corners
}

fn plainly(polygon: &LabelPolygon) -> (u8, Ring, Vec<Ring>) {
    let mut holes: Vec<Ring> = polygon.geometry.interiors().iter().map(plain).collect();
    holes.sort();
    (polygon.label, plain(polygon.geometry.exterior()), holes)
}

/// What the linked GDAL traces with four neighbors.
fn by_gdal(labels: &[u8], size: Size) -> Vec<LabelPolygon> {
    let name = c_string(&format!(
        "MEM:::DATAPOINTER={:p},PIXELS={},LINES={}",
        labels.as_ptr(),
        size.width,
        size.height
    ));
    let mut polygons = Vec::new();
    // SAFETY: the labels outlive the datasets, every pointer is checked, and what is made is destroyed.
    let (_, messages) = gdal_library::with_messages(|| unsafe {
        let (none, no_options) = (
            std::ptr::null_mut::<std::ffi::c_void>(),
            std::ptr::null_mut(),
        );
        let (raster, no_list) = (gdal_library::OPEN_RASTER, std::ptr::null());
        let source = gdal_sys::GDALOpenEx(name.as_ptr(), raster, no_list, no_list, no_list);
        assert!(!source.is_null());
        let driver = gdal_sys::GDALGetDriverByName(c"Memory".as_ptr());
        assert!(!driver.is_null());
        let target = gdal_sys::GDALCreate(driver, c"".as_ptr(), 0, 0, 0, 0, no_options);
        let kind = gdal_sys::OGRwkbGeometryType::wkbPolygon;
        let layer =
            gdal_sys::GDALDatasetCreateLayer(target, c"labels".as_ptr(), none, kind, no_options);
        let field = gdal_sys::OGR_Fld_Create(c"label".as_ptr(), gdal_sys::OGRFieldType::OFTInteger);
        gdal_sys::OGR_L_CreateField(layer, field, 1);
        gdal_sys::OGR_Fld_Destroy(field);
        let band = gdal_sys::GDALGetRasterBand(source, 1);
        let failed = gdal_sys::GDALPolygonize(band, band, layer, 0, no_options, None, none);
        assert_eq!(failed, 0);
        gdal_sys::OGR_L_ResetReading(layer);
        loop {
            let feature = gdal_sys::OGR_L_GetNextFeature(layer);
            if feature.is_null() {
                break;
            }
            let shape = gdal_sys::OGR_F_GetGeometryRef(feature);
            let ring = |index| {
                let ring = gdal_sys::OGR_G_GetGeometryRef(shape, index);
                let point = |at| Coord {
                    x: gdal_sys::OGR_G_GetX(ring, at),
                    y: gdal_sys::OGR_G_GetY(ring, at),
                };
                let points = (0..gdal_sys::OGR_G_GetPointCount(ring)).map(point);
                LineString(points.collect())
            };
            let mut rings = (0..gdal_sys::OGR_G_GetGeometryCount(shape)).map(ring);
            polygons.push(LabelPolygon {
                geometry: Polygon::new(rings.next().unwrap(), rings.collect()),
                label: gdal_sys::OGR_F_GetFieldAsInteger(feature, 0) as u8,
            });
            gdal_sys::OGR_F_Destroy(feature);
        }
        gdal_sys::GDALClose(target);
        gdal_sys::GDALClose(source);
    });
    assert!(!messages.failed(), "{messages:?}");
    polygons
}

#[test]
fn patches_are_those_of_gdal() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(8);
    for round in 0..400 {
        let size = Size::new(random.random_range(1..40), random.random_range(1..40));
        let classes = random.random_range(2..6);
        // Noise, or blobs of noise drawn larger.
        let grain = if round % 2 == 0 { 1 } else { 3 };
        let noise: Vec<u8> = (0..size.area())
            .map(|_| random.random_range(0..classes))
            .collect();
        let labels: Vec<u8> = (0..size.area())
            .map(|at| {
                (
                    at / size.width / grain * size.width + at % size.width / grain,
                    at,
                )
            })
            .map(|(from, at)| match random.random_range(0..20) {
                0 => noise[at],
                _ => noise[from],
            })
            .collect();
        let ours = polygonize(&labels, size).unwrap();
        let mut ours: Vec<_> = ours.iter().map(plainly).collect();
        let mut gdals: Vec<_> = by_gdal(&labels, size).iter().map(plainly).collect();
        ours.sort();
        gdals.sort();
        assert_eq!(ours, gdals, "{size:?} {labels:?}");
    }
}

/// Of rings that touch themselves, as rasterio 1.4.4 (GDAL 3.10) gives them: `features.shapes(a, connectivity=4)`.
#[test]
fn a_patch_that_touches_itself_has_a_hole() {
    let patches = polygonize(&[1, 1, 1, 1, 2, 1, 1, 1, 2], Size::new(3, 3)).unwrap();
    let largest = patches.iter().find(|one| one.label == 1).unwrap();
    let outline: Vec<(f64, f64)> = vec![
        (0.0, 0.0),
        (0.0, 3.0),
        (2.0, 3.0),
        (2.0, 2.0),
        (3.0, 2.0),
        (3.0, 0.0),
        (0.0, 0.0),
    ];
    let hole = vec![(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0), (1.0, 1.0)];
    let expected = Polygon::new(outline.into(), vec![hole.into()]);
    assert_eq!(largest.geometry, expected);
    assert_eq!(patches.len(), 3);
    // The same the other way round, which the highest corner of a ring is not.
    let patches = polygonize(&[2, 1, 1, 1, 2, 1, 1, 1, 1], Size::new(3, 3)).unwrap();
    let largest = patches.iter().find(|one| one.label == 1).unwrap();
    assert_eq!(largest.geometry.interiors().len(), 1);
    assert_eq!(largest.geometry.unsigned_area(), 7.0);
}

#[test]
fn all_are_valid_and_cover_every_pixel_once() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(9);
    let size = Size::new(120, 90);
    for classes in [2, 3, 7] {
        let labels: Vec<u8> = (0..size.area())
            .map(|_| random.random_range(0..classes))
            .collect();
        let patches = polygonize(&labels, size).unwrap();
        let area: f64 = patches.iter().map(|one| one.geometry.unsigned_area()).sum();
        let pixels = labels.iter().filter(|&&label| label != 0).count();
        assert_eq!(area, pixels as f64);
        for patch in &patches {
            assert!(geos::is_valid(&patch.geometry), "{patch:?}");
            assert!(patch.geometry.exterior().is_closed());
        }
    }
}

/// What is held is what is open at a row: 20,000 rows of small patches need no more than 200.
#[test]
fn memory_does_not_grow_with_the_rows() -> Result<()> {
    let width = 300;
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(10);
    let mut tracer = Tracer::new(width);
    let mut held = Vec::new();
    let mut patches = 0;
    for row in 0..20_000 {
        let labels: Vec<u8> = (0..width)
            .map(|at| match random.random_range(0..30) {
                0 => 0,
                _ => ((at / 10 + row / 10 * 7) % 3) as u8,
            })
            .collect();
        tracer.row(&labels, |_| {
            patches += 1;
            Ok(())
        })?;
        if row == 200 || row == 19_999 {
            held.push((
                tracer.corners.all.len(),
                tracer.ends.all.len(),
                tracer.patches.all.len(),
            ));
        }
    }
    tracer.finish(|_| Ok(()))?;
    assert!(patches > 20_000, "{patches}");
    let (early, late) = (held[0], held[1]);
    assert!(
        late.0 < 2 * early.0 && late.1 < 2 * early.1 && late.2 < 2 * early.2,
        "{held:?}"
    );
    Ok(())
}
