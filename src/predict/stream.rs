//! The streaming loop of maps: windows that were scored are blended in the sliding strip, and leave as finished rows.

use super::batch::BatchSize;
use super::blend_strip::{BlendStrip, Placement};
use super::progress::Progress;
use super::runner::Runner;
use super::windows::{PlannedWindow, WindowPlan, reflected};
use crate::Result;
use crate::raster::{Patch, PixelWindow, Size};

/// What the loop needs besides its closures.
pub(super) struct Stream<'a> {
    pub(super) plan: &'a WindowPlan,
    pub(super) classes: usize,
    /// See [`super::PredictOptions::threshold`].
    pub(super) threshold: Option<f32>,
    /// Windows scored at once.
    pub(super) batch: BatchSize,
}

/// Finished rows of the class map and of the scores.
pub(super) trait RowSink {
    /// Takes row `row` of the area: classes, and stored scores by class.
    ///
    /// # Errors
    /// Whatever the writing of files can fail with.
    fn row(&mut self, strip: &mut BlendStrip) -> Result<()>;
}

impl Stream<'_> {
    /// Reads, scores and hands on every row of the area, in order.
    ///
    /// `score` gets a batch of windows of the plan's network size and returns probabilities
    /// `[batch, classes, height, width]`. See [`Runner::run`] for the rest.
    ///
    /// # Errors
    /// As [`Runner::run`], and whatever `sink` fails with.
    pub(super) fn run(
        self,
        read: impl Fn(&PixelWindow) -> Result<Option<Patch>> + Send + Sync,
        score: impl FnMut(&[Patch]) -> Result<Vec<f32>>,
        sink: &mut impl RowSink,
        progress: &mut Progress,
    ) -> Result<()> {
        let plan = self.plan;
        let (size, area) = (plan.network_size(), plan.area());
        let mut strip = BlendStrip::new(
            area.width,
            size.height.min(area.height),
            self.classes,
            self.threshold,
        );
        let runner = Runner {
            windows: plan.len(),
            batch: self.batch.clone(),
            doing: "predicting the scene",
            progress,
        };
        let each = self.classes * size.width * size.height;
        runner.run(
            |index| {
                let window = plan.get(index);
                let patch = read(&window.source)?;
                Ok((window, patch.map(|patch| padded(patch, size))))
            },
            score,
            |windows, patches, scores: Vec<f32>| {
                let scored = windows.iter().zip(patches).zip(scores.chunks_exact(each));
                for ((window, patch), scores) in scored {
                    self.add(&mut strip, *window, patch, scores, sink)?;
                }
                Ok(())
            },
        )?;
        self.finish_rows(&mut strip, area.height, sink)
    }

    fn add(
        &self,
        strip: &mut BlendStrip,
        window: PlannedWindow,
        patch: &Patch,
        scores: &[f32],
        sink: &mut impl RowSink,
    ) -> Result<()> {
        let (columns, rows) = (self.plan.columns(), self.plan.rows());
        let top = rows.starts[window.row];
        // Windows come row by row: no later one reaches above this one.
        self.finish_rows(strip, top, sink)?;
        let size = self.plan.network_size();
        let placement = Placement {
            left: columns.starts[window.column],
            top,
            column_weights: &columns.weights[window.column],
            row_weights: &rows.weights[window.row],
            stride: size.width,
            height: size.height,
        };
        strip.add(&placement, scores, &patch.valid);
        Ok(())
    }

    fn finish_rows(
        &self,
        strip: &mut BlendStrip,
        end: usize,
        sink: &mut impl RowSink,
    ) -> Result<()> {
        while strip.top() < end {
            sink.row(strip)?;
        }
        Ok(())
    }
}

/// Continues a patch that is smaller than `size` by reflection to the right and below. Its `valid` stays as it was, so
/// that it still covers only real pixels.
fn padded(patch: Patch, size: Size) -> Patch {
    if patch.size == size {
        return patch;
    }
    let mut data = Vec::with_capacity(patch.bands * size.width * size.height);
    for band in 0..patch.bands {
        for row in 0..size.height {
            let start =
                (band * patch.size.height + reflected(row, patch.size.height)) * patch.size.width;
            let source = &patch.data[start..][..patch.size.width];
            data.extend((0..size.width).map(|column| source[reflected(column, source.len())]));
        }
    }
    Patch {
        size,
        bands: patch.bands,
        data,
        valid: patch.valid,
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;
    use crate::predict::ScoreType;

    /// Keeps everything in memory.
    #[derive(Default)]
    struct Rows {
        labels: Vec<u8>,
        /// `[row][class][column]`
        scores: Vec<Vec<Vec<u8>>>,
        width: usize,
        classes: usize,
    }

    impl RowSink for Rows {
        fn row(&mut self, strip: &mut BlendStrip) -> Result<()> {
            let start = self.labels.len();
            self.labels.resize(start + self.width, 7);
            let mut scores = vec![vec![0.0; self.width]; self.classes];
            let mut rows: Vec<&mut [f32]> = scores.iter_mut().map(Vec::as_mut_slice).collect();
            strip.finish_row(&mut self.labels[start..], &mut rows);
            let stored = |row: Vec<f32>| row.into_iter().map(|score| ScoreType::U8.byte(score));
            let scores = scores.into_iter().map(|row| stored(row).collect());
            self.scores.push(scores.collect());
            Ok(())
        }
    }

    /// A one-band image whose values depend on the position alone, with a hole.
    fn value(col: i64, row: i64) -> f32 {
        ((col * 31 + row * 17) % 97) as f32 / 97.0
    }

    fn is_valid(col: i64, row: i64) -> bool {
        !((40..60).contains(&col) && (30..90).contains(&row))
    }

    fn read(window: &PixelWindow) -> Result<Option<Patch>> {
        let size = Size {
            width: window.width,
            height: window.height,
        };
        let mut patch = Patch {
            size,
            bands: 1,
            data: Vec::new(),
            valid: Vec::new(),
        };
        for row in window.row..window.row + window.height as i64 {
            for col in window.col..window.col + window.width as i64 {
                patch.data.push(if is_valid(col, row) {
                    value(col, row)
                } else {
                    0.0
                });
                patch.valid.push(u8::from(is_valid(col, row)));
            }
        }
        Ok(Some(patch))
    }

    fn run(
        area: PixelWindow,
        side: usize,
        overlap: usize,
        batch: usize,
        score: impl FnMut(&[Patch]) -> Result<Vec<f32>>,
    ) -> Result<Rows> {
        let plan = WindowPlan::new(area, side, overlap);
        let mut rows = Rows {
            width: area.width,
            classes: 2,
            ..Rows::default()
        };
        let mut progress = Progress::new("predicting", plan.len(), true);
        Stream {
            plan: &plan,
            classes: 2,
            threshold: None,
            batch: BatchSize::fixed(batch),
        }
        .run(read, score, &mut rows, &mut progress)?;
        Ok(rows)
    }

    /// Probability of class 1 equals the pixel's value.
    fn pixelwise(patches: &[Patch]) -> Result<Vec<f32>> {
        let scores = |patch: &Patch| {
            patch
                .data
                .iter()
                .map(|v| 1.0 - v)
                .chain(patch.data.iter().copied())
                .collect::<Vec<_>>()
        };
        Ok(patches.iter().flat_map(scores).collect())
    }

    #[test]
    fn a_pixelwise_network_gives_the_pixelwise_map_everywhere() -> Result<()> {
        let mut rng = Pcg64::seed_from_u64(2);
        for _ in 0..40 {
            let (width, height) = (rng.random_range(1..200), rng.random_range(1..150));
            let (side, overlap, batch) = (
                rng.random_range(32..100),
                rng.random_range(0..48),
                rng.random_range(1..5),
            );
            let area = PixelWindow {
                col: 5,
                row: 3,
                width,
                height,
            };
            let rows = run(area, side, overlap, batch, pixelwise)?;
            assert_eq!(rows.labels.len(), width * height);
            for (index, label) in rows.labels.iter().enumerate() {
                let (row, col) = (index / width, index % width);
                let (x, y) = (area.col + col as i64, area.row + row as i64);
                let score = rows.scores[row][1][col];
                if is_valid(x, y) {
                    let expected = value(x, y);
                    assert_eq!(
                        *label,
                        u8::from(expected > 0.5),
                        "windows of {side} px, overlap {overlap}, at {x} {y}"
                    );
                    assert!((f32::from(score) / 254.0 - expected).abs() < 0.0021);
                } else {
                    assert_eq!((*label, score), (255, 255));
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_constant_network_gives_the_constant_everywhere() -> Result<()> {
        let mut rng = Pcg64::seed_from_u64(3);
        for _ in 0..30 {
            // Not near the border between two stored values, which rounding errors may cross.
            let stored = rng.random_range(0..255);
            let constant =
                (stored as f32 + rng.random_range(-0.4..0.4_f32)).clamp(0.0, 254.0) / 254.0;
            let (side, overlap) = (rng.random_range(32..80), rng.random_range(0..64));
            let area = PixelWindow {
                col: 100,
                row: 100,
                width: 150,
                height: 70,
            };
            let score = |patches: &[Patch]| {
                let pixels = patches[0].size.width * patches[0].size.height;
                let one = [vec![1.0 - constant; pixels], vec![constant; pixels]].concat();
                Ok(one.repeat(patches.len()))
            };
            let rows = run(area, side, overlap, 3, score)?;
            assert!(
                rows.scores
                    .iter()
                    .flat_map(|row| &row[1])
                    .all(|score| i32::from(*score) == stored),
                "{constant}"
            );
        }
        Ok(())
    }

    #[test]
    fn windows_without_valid_pixels_are_not_scored() -> Result<()> {
        let hole = PixelWindow {
            col: 40,
            row: 30,
            width: 20,
            height: 60,
        };
        let rows = run(hole, 32, 0, 1, |_| panic!("nothing to score"))?;
        assert!(rows.labels.iter().all(|label| *label == 255));
        assert_eq!(rows.labels.len(), 20 * 60);
        Ok(())
    }

    #[test]
    fn an_error_of_the_reader_ends_the_prediction() {
        let plan = WindowPlan::new(
            PixelWindow {
                col: 0,
                row: 0,
                width: 500,
                height: 500,
            },
            64,
            0,
        );
        let mut rows = Rows {
            width: 500,
            classes: 2,
            ..Rows::default()
        };
        let mut progress = Progress::new("predicting", plan.len(), true);
        let failing = |window: &PixelWindow| {
            if window.row < 100 {
                read(window)
            } else {
                Err(crate::Error::Interrupted { doing: "a test" })
            }
        };
        let outcome = Stream {
            plan: &plan,
            classes: 2,
            threshold: None,
            batch: BatchSize::fixed(4),
        }
        .run(failing, pixelwise, &mut rows, &mut progress);
        assert!(
            matches!(outcome, Err(crate::Error::Interrupted { doing: "a test" })),
            "{outcome:?}"
        );
    }
}
