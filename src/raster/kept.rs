//! Small rasters that are read again and again, decoded once: chips of a thousand tiles come from memory, and not from files that
//! are opened and decompressed for every one of them.
//!
//! GDAL's own cache holds blocks of open files only, and a thread keeps a few files open. What is held here is bounded as GDAL's
//! cache usually is (5 % of the memory unless `GDAL_CACHEMAX` is set). Once it is full, what nobody holds any more, or has not read for a
//! minute, makes room; nothing else does, since going round more files than fit would otherwise never find one of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::by_band::ByBand;
use super::open::Inner;
use super::{PixelWindow, Raster, Size};

/// Rasters of more pixels are not held: a window of one is a small part of it.
const PIXELS: usize = 1 << 20;
/// Nor are those of more values.
const VALUES: usize = 1 << 22;
/// What has not been read for so long makes room.
const UNUSED: Duration = Duration::from_secs(60);

/// Set where a raster cannot be held: a damaged part would hide the others.
#[derive(Debug, Default)]
pub(super) struct Damaged(AtomicBool);

/// A whole raster as [`ByBand`] has it, in the smallest type that holds every value exactly.
#[derive(Debug)]
pub(super) struct Kept {
    size: Size,
    values: Values,
    /// `None` where all pixels are valid.
    base: Option<Vec<u8>>,
    present: Vec<Option<Vec<u8>>>,
}

#[derive(Debug)]
enum Values {
    U8(Vec<u8>),
    U16(Vec<u16>),
    F32(Vec<f32>),
}

#[derive(Default)]
struct Shelf {
    held: HashMap<u64, Entry>,
    bytes: usize,
}

struct Entry {
    kept: Arc<Kept>,
    owner: Weak<Inner>,
    read: Instant,
}

static SHELF: Mutex<Option<Shelf>> = Mutex::new(None);

impl Raster {
    /// The part of a small raster in a window, at its own size, from memory; `None` when it is to be read from the file.
    pub(super) fn kept_part(&self, window: &PixelWindow, inside: &PixelWindow) -> Option<ByBand> {
        let full = self.full();
        let values = full.area().saturating_mul(self.band_count());
        // Whole rasters are read once, for statistics.
        if full.area() > PIXELS || values > VALUES || inside.area() == full.area() {
            return None;
        }
        let inner = &*self.inner;
        if inner.files.changed().is_some() {
            // The handle says so.
            return None;
        }
        if let Some(kept) = held(inner.id) {
            return Some(kept.part(window, inside));
        }
        if inner.damaged.0.load(Ordering::Relaxed) || !has_room(values) {
            return None;
        }
        let nearest = gdal_sys::GDALRIOResampleAlg::GRIORA_NearestNeighbour;
        let Ok(whole) = self.read_by_band(&full, full.size(), nearest) else {
            inner.damaged.0.store(true, Ordering::Relaxed);
            return None;
        };
        let kept = Arc::new(Kept::of(whole));
        hold(inner.id, &kept, Arc::downgrade(&self.inner));
        Some(kept.part(window, inside))
    }
}

impl Kept {
    fn of(whole: ByBand) -> Self {
        let ByBand {
            size,
            data,
            base,
            present,
        } = whole;
        let all = |most: f32| {
            data.iter().all(|&value| {
                value >= 0.0 && value <= most && value.fract() == 0.0 && value.is_sign_positive()
            })
        };
        let values = if all(255.0) {
            Values::U8(data.iter().map(|&value| value as u8).collect())
        } else if all(65_535.0) {
            Values::U16(data.iter().map(|&value| value as u16).collect())
        } else {
            Values::F32(data)
        };
        Self {
            size,
            values,
            base: base.contains(&0).then_some(base),
            present,
        }
    }

    fn bytes(&self) -> usize {
        let values = match &self.values {
            Values::U8(values) => values.len(),
            Values::U16(values) => 2 * values.len(),
            Values::F32(values) => 4 * values.len(),
        };
        let masks = self.present.iter().flatten().chain(&self.base);
        values + masks.map(Vec::len).sum::<usize>()
    }

    /// `inside` is the part of `window` that lies on the raster.
    fn part(&self, window: &PixelWindow, inside: &PixelWindow) -> ByBand {
        let size = window.size();
        let mut part = ByBand::nothing(size, self.present.len());
        let from = |row: usize| (inside.row as usize + row) * self.size.width + inside.col as usize;
        let (left, top) = (
            (inside.col - window.col) as usize,
            (inside.row - window.row) as usize,
        );
        let to = |row: usize| (top + row) * size.width + left;
        let (width, area, whole) = (inside.width, size.area(), self.size.area());
        for row in 0..inside.height {
            let (from, to) = (from(row), to(row));
            match &self.base {
                None => part.base[to..to + width].fill(1),
                Some(base) => part.base[to..to + width].copy_from_slice(&base[from..from + width]),
            }
            for band in 0..self.present.len() {
                let source = band * whole + from..band * whole + from + width;
                let target = &mut part.data[band * area + to..band * area + to + width];
                match &self.values {
                    Values::U8(values) => converted(&values[source], target),
                    Values::U16(values) => converted(&values[source], target),
                    Values::F32(values) => target.copy_from_slice(&values[source]),
                }
            }
        }
        for (band, present) in self.present.iter().enumerate() {
            let Some(present) = present else {
                continue;
            };
            let mut own = vec![1; area];
            for row in 0..inside.height {
                let (from, to) = (from(row), to(row));
                own[to..to + width].copy_from_slice(&present[from..from + width]);
            }
            part.present[band] = own.contains(&0).then_some(own);
        }
        part
    }
}

fn converted<T: Copy + Into<f32>>(from: &[T], to: &mut [f32]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from.into();
    }
}

fn with_shelf<T>(work: impl FnOnce(&mut Shelf) -> T) -> T {
    let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
    work(shelf.get_or_insert_with(Shelf::default))
}

fn held(id: u64) -> Option<Arc<Kept>> {
    with_shelf(|shelf| {
        let entry = shelf.held.get_mut(&id)?;
        entry.read = Instant::now();
        Some(Arc::clone(&entry.kept))
    })
}

/// Bytes that may be held: a twentieth of the memory, or what the user lets GDAL hold.
fn most() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| {
        // SAFETY: a plain question to GDAL.
        let of_gdal = usize::try_from(unsafe { gdal_sys::GDALGetCacheMax64() }).unwrap_or(0);
        // Where the system does not say it, GDAL's own limit is that of both.
        let memory = super::memory::physical().unwrap_or(0);
        let memory = usize::try_from(memory).unwrap_or(usize::MAX);
        match std::env::var_os("GDAL_CACHEMAX") {
            Some(_) => of_gdal,
            None => of_gdal.max(memory / 20),
        }
    })
}

/// Whether so many bytes more can be held.
fn has_room(bytes: usize) -> bool {
    let most = most();
    with_shelf(|shelf| {
        if shelf.bytes + bytes > most {
            let Shelf { held, bytes } = shelf;
            held.retain(|_, entry| {
                let stays = entry.owner.strong_count() > 0 && entry.read.elapsed() < UNUSED;
                if !stays {
                    *bytes -= entry.kept.bytes();
                }
                stays
            });
        }
        shelf.bytes + bytes <= most
    })
}

fn hold(id: u64, kept: &Arc<Kept>, owner: Weak<Inner>) {
    let bytes = kept.bytes();
    if !has_room(bytes) {
        return;
    }
    with_shelf(|shelf| {
        let entry = Entry {
            kept: Arc::clone(kept),
            owner,
            read: Instant::now(),
        };
        // Another thread may have been faster.
        if shelf.held.insert(id, entry).is_none() {
            shelf.bytes += bytes;
        }
    });
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// A window of what is held is that window of the whole, masks and what lies outside included.
    #[test]
    fn parts_are_windows_of_the_whole() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(2);
        for kind in 0..3 {
            let size = Size::new(13, 9);
            let mut whole = ByBand::nothing(size, 2);
            for value in &mut whole.data {
                *value = match kind {
                    0 => f32::from(random.random::<u8>()),
                    1 => f32::from(random.random::<u16>()),
                    _ => random.random_range(-1.0..1.0),
                };
            }
            whole
                .base
                .iter_mut()
                .for_each(|valid| *valid = u8::from(kind == 0 || random.random::<bool>()));
            whole.present[1] = (kind > 0).then(|| {
                (0..size.area())
                    .map(|_| u8::from(random.random::<bool>()))
                    .collect()
            });
            let kept = Kept::of(whole.clone());
            assert_eq!(matches!(kept.values, Values::U8(_)), kind == 0);
            for _ in 0..50 {
                let window = PixelWindow::new(
                    random.random_range(-4..12),
                    random.random_range(-4..8),
                    random.random_range(1..9),
                    random.random_range(1..9),
                );
                let Some(inside) = PixelWindow::full(size).intersect(&window) else {
                    continue;
                };
                let part = kept.part(&window, &inside);
                for at in 0..window.area() {
                    let (col, row) = (
                        window.col + (at % window.width) as i64,
                        window.row + (at / window.width) as i64,
                    );
                    let there = PixelWindow::full(size).contains_pixel(col, row);
                    let from = if there {
                        row as usize * size.width + col as usize
                    } else {
                        0
                    };
                    assert_eq!(part.base[at], if there { whole.base[from] } else { 0 });
                    for band in 0..2 {
                        let value = part.data[band * window.area() + at];
                        assert_eq!(
                            value,
                            if there {
                                whole.data[band * size.area() + from]
                            } else {
                                0.0
                            }
                        );
                        if there {
                            assert_eq!(part.valid(band)[at], whole.valid(band)[from]);
                        }
                    }
                }
            }
        }
    }
}
