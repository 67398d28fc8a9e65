//! One grid for several rasters, and how each of them lies on it.

use super::join_error::JoinError;
use super::layer::Lie;
use super::warp::{Resampling, Warp};
use super::{GeoReference, PixelMap, PixelWindow, Raster, RasterError, Resolution, Size, crs, gsd};
use crate::Result;

/// Grids whose pixels lie this near to each other, in pixels, are one.
const SAME: f64 = 0.01;
/// Points along each side of a raster that are brought into another system.
const ALONG: usize = 21;
/// The most columns and rows, as GDAL counts them.
const LONGEST: f64 = i32::MAX as f64;

/// The pixels of a raster that is made of others.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) place: GeoReference,
    pub(super) size: Size,
}

/// An extent in pixels: left, top, right, bottom.
pub(super) type Extent = [f64; 4];

/// How a raster lies on a grid.
pub(super) struct Placed {
    pub(super) lie: Lie,
    pub(super) area: PixelWindow,
}

impl Grid {
    pub(super) fn of(raster: &Raster) -> Self {
        Self {
            place: raster.georeference(),
            size: raster.size(),
        }
    }

    pub(super) fn extent(&self) -> Extent {
        [0.0, 0.0, self.size.width as f64, self.size.height as f64]
    }

    /// The way to the pixels of a raster, and back.
    fn ways(&self, raster: &Raster) -> Result<(PixelMap, PixelMap)> {
        let (own, other) = (&self.place, raster.georeference());
        let one = own.crs_wkt.is_empty()
            || other.crs_wkt.is_empty()
            || crs::same(&own.crs_wkt, &other.crs_wkt);
        Ok(match one {
            true => (
                PixelMap::in_one_system(own, &other, raster.size()),
                PixelMap::in_one_system(&other, own, self.size),
            ),
            false => (
                PixelMap::between(own, &other, raster.size())?,
                PixelMap::between(&other, own, self.size)?,
            ),
        })
    }

    /// What a raster covers in pixels of this grid; `None` where nothing of it has a place here.
    pub(super) fn extent_of(&self, raster: &Raster) -> Result<Option<Extent>> {
        let (_, back) = self.ways(raster)?;
        let size = raster.size();
        let (wide, high) = (size.width as f64, size.height as f64);
        let shares = (0..ALONG).map(|at| at as f64 / (ALONG - 1) as f64);
        let edges: Vec<(f64, f64)> = shares
            .flat_map(|at| {
                [
                    (at * wide, 0.0),
                    (at * wide, high),
                    (0.0, at * high),
                    (wide, at * high),
                ]
            })
            .collect();
        let mut extent: Option<Extent> = None;
        for (x, y) in back.points(&edges)? {
            if x.is_finite() && y.is_finite() {
                let [left, top, right, bottom] = extent.unwrap_or([x, y, x, y]);
                extent = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
            }
        }
        Ok(extent)
    }

    /// The same pixels over another extent: outwards to whole pixels, or inwards.
    ///
    /// # Errors
    /// [`JoinError::TooLarge`], [`JoinError::NoCommonGround`].
    pub(super) fn over(&self, extent: Extent, outwards: bool) -> Result<Self> {
        let [left, top, right, bottom] = extent;
        let down = |at: f64| (at + SAME).floor();
        let up = |at: f64| (at - SAME).ceil();
        let start = |at| if outwards { down(at) } else { up(at) };
        let end = |at| if outwards { up(at) } else { down(at) };
        let (col, row) = (start(left), start(top));
        let (wide, high) = (end(right) - col, end(bottom) - row);
        if !(wide >= 1.0 && high >= 1.0) {
            return Err(JoinError::NoCommonGround.into());
        }
        if wide > LONGEST || high > LONGEST || col.abs() > 1e15 || row.abs() > 1e15 {
            return Err(JoinError::TooLarge { wide, high }.into());
        }
        let mut place = self.place.clone();
        place.transform = place.transform.offset(col as i64, row as i64);
        let size = Size::new(wide as usize, high as usize);
        place.size = Some(size);
        Ok(Self { place, size })
    }

    /// The same extent with pixels of another size.
    ///
    /// # Errors
    /// [`RasterError::UnknownUnit`], [`RasterError::BadResolution`].
    pub(super) fn at(&self, resolution: Resolution, path: &std::path::Path) -> Result<Self> {
        let (factor_x, factor_y) = match resolution {
            Resolution::Factor(factor) => (factor, factor),
            Resolution::Meters(meters) => {
                let (x, y) =
                    gsd::gsd(&self.place, self.size).ok_or_else(|| RasterError::UnknownUnit {
                        path: path.to_owned(),
                    })?;
                (x / meters, y / meters)
            }
        };
        let (wide, high) = (
            (self.size.width as f64 * factor_x).round(),
            (self.size.height as f64 * factor_y).round(),
        );
        let possible = |length: f64| (1.0..LONGEST).contains(&length);
        if !(factor_x > 0.0 && factor_y > 0.0 && possible(wide) && possible(high)) {
            return Err(RasterError::BadResolution {
                path: path.to_owned(),
                resolution,
                size: self.size,
            }
            .into());
        }
        let size = Size::new(wide as usize, high as usize);
        let mut place = self.place.clone();
        place.transform = place.transform.scaled(
            self.size.width as f64 / wide,
            self.size.height as f64 / high,
        );
        place.size = Some(size);
        Ok(Self { place, size })
    }

    /// How a raster with this extent on the grid lies on it.
    pub(super) fn placed(
        &self,
        raster: &Raster,
        extent: Extent,
        resampling: Resampling,
    ) -> Result<Placed> {
        let (forth, back) = self.ways(raster)?;
        let size = raster.size();
        let (wide, high) = (size.width as f64, size.height as f64);
        let corners = back.points(&[(0.0, 0.0), (wide, 0.0), (0.0, high), (wide, high)])?;
        let origin = (corners[0].0.round(), corners[0].1.round());
        let expected = [(0.0, 0.0), (wide, 0.0), (0.0, high), (wide, high)];
        let same = corners.iter().zip(expected).all(|(corner, (x, y))| {
            (corner.0 - origin.0 - x).abs() < SAME && (corner.1 - origin.1 - y).abs() < SAME
        });
        if same && origin.0.abs() < 1e15 && origin.1.abs() < 1e15 {
            let (col, row) = (origin.0 as i64, origin.1 as i64);
            return Ok(Placed {
                lie: Lie::Pixels { col, row },
                area: PixelWindow::new(col, row, size.width, size.height),
            });
        }
        let [left, top, right, bottom] = extent;
        let middle = (
            f64::midpoint(left.max(0.0), right.min(self.size.width as f64)),
            f64::midpoint(top.max(0.0), bottom.min(self.size.height as f64)),
        );
        let wanted = match resampling {
            Resampling::Auto if raster.inner.information.numbers => Resampling::Nearest,
            other => other,
        };
        // Beyond the grid nothing is asked for.
        let own = [
            left.floor().max(-1.0),
            top.floor().max(-1.0),
            right.ceil().min(self.size.width as f64 + 1.0),
            bottom.ceil().min(self.size.height as f64 + 1.0),
        ];
        Ok(Placed {
            lie: Lie::Warped(Warp::new(forth, wanted, middle)?),
            area: PixelWindow::new(
                own[0] as i64,
                own[1] as i64,
                (own[2] - own[0]).max(0.0) as usize,
                (own[3] - own[1]).max(0.0) as usize,
            ),
        })
    }
}

/// What two extents share, from 0 to 1 of the first.
pub(super) fn shared(first: Extent, second: Extent) -> f64 {
    let along =
        |at: usize| (first[at + 2].min(second[at + 2]) - first[at].max(second[at])).max(0.0);
    let whole = (first[2] - first[0]) * (first[3] - first[1]);
    if whole > 0.0 {
        along(0) * along(1) / whole
    } else {
        0.0
    }
}
