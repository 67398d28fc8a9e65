//! Grids of chips: imagery with labels drawn over, numbered; and truth beside prediction.

use super::figure::Figure;
use super::image::{
    Encoded, RgbImage, RgbaImage, Stretch, box_lines, class_map, colored, default_bands,
    encode_best, hatch, region_lines, rgb,
};
use super::legend::{Entry, Swatch, entries_html};
use crate::Result;
use crate::boxes::Annotation;
use crate::display::FONT;
use crate::display::escape;
use crate::display::html::{MUTED, TEXT, image_html};
use crate::labels::{Classes, IGNORE};
use crate::raster::Patch;

/// Space between chips in pixels.
const GAP: usize = 4;
/// How wide a grid may become: as wide as outputs are in a window of 1360 pixels with the side bar open.
const WIDEST: usize = 900;
/// The ground between chips, neutral on both themes.
const BETWEEN: [u8; 3] = [189; 3];

/// With more boxes than this in a chip their lines are thin.
const CROWDED: usize = 60;

/// A chip, as a grid draws it.
pub trait Tile {
    /// Its imagery.
    fn imagery(&self) -> &Patch;
    /// A class for each pixel, row by row; empty without labels.
    fn labels(&self) -> &[u8];
    /// Its boxes, in its own pixels.
    fn boxes(&self) -> &[Annotation];
}

/// What a grid shows of each chip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChipGrid {
    bands: Option<Vec<usize>>,
    stretches: Option<Vec<Stretch>>,
    title: String,
    /// The numbers of the chips, where they are not the first ones.
    numbers: Vec<usize>,
    /// How many chips there are, where not all are shown.
    all: Option<usize>,
    /// What is written on the imagery of each row of a comparison.
    rows: Vec<String>,
}

impl ChipGrid {
    /// Red, green and blue as far as the scene knows them ([`super::image::composite`]), stretched the same way for all
    /// chips.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Other bands: one in gray, or three as red, green and blue, counted from 0.
    #[must_use]
    pub fn bands(mut self, bands: impl IntoIterator<Item = usize>) -> Self {
        self.bands = Some(bands.into_iter().collect());
        self
    }

    /// These bands, unless others were asked for.
    pub(crate) fn or_bands(mut self, bands: Vec<usize>) -> Self {
        self.bands = self.bands.or(Some(bands));
        self
    }

    /// Other stretches, one for each band shown; otherwise percentiles of the chips together.
    #[must_use]
    pub fn stretches(mut self, stretches: impl IntoIterator<Item = Stretch>) -> Self {
        self.stretches = Some(stretches.into_iter().collect());
        self
    }

    /// A line over the grid.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The numbers of the chips.
    pub(crate) fn numbered(mut self, numbers: Vec<usize>) -> Self {
        self.numbers = numbers;
        self
    }

    /// How many chips there are, those that are not shown among them.
    pub(crate) fn of(mut self, all: usize) -> Self {
        self.all = Some(all);
        self
    }

    /// Words on the imagery of each row of a comparison.
    pub(crate) fn rows(mut self, words: Vec<String>) -> Self {
        self.rows = words;
        self
    }

    fn shown(&self, patches: &[&Patch]) -> (Vec<usize>, Vec<Stretch>) {
        let count = patches.first().map_or(0, |patch| patch.bands);
        let bands = self.bands.clone().unwrap_or_else(|| default_bands(count));
        let stretches = self
            .stretches
            .clone()
            .unwrap_or_else(|| bands.iter().map(|&band| common(patches, band)).collect());
        (bands, stretches)
    }
}

/// The median of the chips' own percentiles: one cloud or one dark chip does not change all the others.
fn common(patches: &[&Patch], band: usize) -> Stretch {
    let each: Vec<Stretch> = patches
        .iter()
        .filter(|patch| patch.valid.iter().any(|&valid| valid != 0))
        .map(|patch| Stretch::of_patch(patch, band))
        .collect();
    let median = |pick: fn(&Stretch) -> f32| {
        let mut values: Vec<f32> = each.iter().map(pick).collect();
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    if each.is_empty() {
        Stretch::new(0.0, 1.0)
    } else {
        Stretch::new(median(|one| one.low), median(|one| one.high))
    }
}

/// One cell: the imagery at `side` pixels with labels filled lightly and outlined, or boxes.
fn tile(
    patch: &Patch,
    (labels, boxes): (&[u8], &[Annotation]),
    bands: &[usize],
    stretches: &[Stretch],
    classes: &Classes,
    side: usize,
) -> Result<RgbImage> {
    let image = rgb(patch, bands, stretches)?;
    let (width, height) = if patch.size.width >= patch.size.height {
        (
            side,
            (patch.size.height * side / patch.size.width.max(1)).max(1),
        )
    } else {
        (
            (patch.size.width * side / patch.size.height.max(1)).max(1),
            side,
        )
    };
    let mut image = image.scaled(width, height);
    if labels.len() == patch.size.width * patch.size.height && !labels.is_empty() {
        let drawn = nearest(
            labels,
            (patch.size.width, patch.size.height),
            (width, height),
        );
        let fill = class_map(&drawn, width, height, classes)?;
        let mut lines = region_lines(&fill, width, height);
        let valid = nearest(
            &patch.valid,
            (patch.size.width, patch.size.height),
            (width, height),
        );
        let ignored = drawn
            .iter()
            .zip(valid)
            .map(|(&label, valid)| label == IGNORE && valid != 0);
        hatch(&mut lines, &ignored.collect::<Vec<_>>(), (width, height));
        image = image.with_overlay(&fill, 0.28).with_overlay(&lines, 1.0);
    } else {
        // Labels show where the objects are; boxes over them would hide their outlines.
        let size = (patch.size.width, patch.size.height);
        let boxes: Vec<_> = colored(boxes, classes, size, (width, height)).collect();
        let mut lines = RgbaImage::transparent(width, height);
        box_lines(
            &mut lines,
            &boxes,
            if boxes.len() > CROWDED { 1 } else { 2 },
        );
        image = image.with_overlay(&lines, 1.0);
    }
    Ok(image)
}

fn nearest(
    labels: &[u8],
    (width, height): (usize, usize),
    (to_width, to_height): (usize, usize),
) -> Vec<u8> {
    let row = |row: usize| {
        (0..to_width)
            .map(move |col| labels[row * height / to_height * width + col * width / to_width])
    };
    (0..to_height).flat_map(row).collect()
}

/// A grid of chips, `columns` beside each other, numbered from 0 as [`crate::chips::Chips::get`] counts them, labels
/// drawn over, and a legend. No chips give an empty picture that says so.
///
/// # Errors
/// [`super::PlotError`] when a chip's buffers do not fit its size.
pub fn chip_grid<C: Tile>(chips: &[C], classes: &Classes, columns: usize) -> Result<Figure> {
    chip_grid_with(chips, classes, columns, &ChipGrid::new())
}

/// [`chip_grid`] with other bands, stretches or a title.
///
/// # Errors
/// As [`chip_grid`], and [`super::PlotError::Band`] for a band that the chips do not have.
pub fn chip_grid_with<C: Tile>(
    chips: &[C],
    classes: &Classes,
    columns: usize,
    options: &ChipGrid,
) -> Result<Figure> {
    let patches: Vec<&Patch> = chips.iter().map(Tile::imagery).collect();
    let (bands, stretches) = options.shown(&patches);
    let columns = columns.clamp(1, chips.len().max(1));
    let side = cell_side(&patches, columns);
    let mut tiles = Vec::with_capacity(chips.len());
    for (index, chip) in chips.iter().enumerate() {
        let drawn = (chip.labels(), chip.boxes());
        let mut image = tile(chip.imagery(), drawn, &bands, &stretches, classes, side)?;
        let number = options.numbers.get(index).copied().unwrap_or(index);
        image.tag(0, 0, &number.to_string());
        tiles.push(image);
    }
    let labeled = chips
        .iter()
        .any(|chip| !chip.labels().is_empty() || !chip.boxes().is_empty());
    let text = match patches.first() {
        None => "No chips".to_owned(),
        Some(first) => format!(
            "{}{} chips of {} x {} pixels{}",
            chips.len(),
            match options.all {
                Some(all) if all > chips.len() => format!(" of {all}"),
                _ => String::new(),
            },
            first.size.width,
            first.size.height,
            if labeled {
                format!(", labels: {}", class_names(classes))
            } else {
                ", no labels".to_owned()
            }
        ),
    };
    let labels = chips.iter().map(Tile::labels);
    finish(
        &mosaic(&tiles, columns, side),
        &options.title,
        &text,
        &legend(&patches, labels, classes, labeled),
    )
}

/// Imagery, truth and prediction of each chip beside each other, one chip a row. `predictions` holds one class map per
/// chip, `[height, width]`.
///
/// # Errors
/// As [`chip_grid`].
pub fn comparison<C: Tile>(
    chips: &[C],
    predictions: &[Vec<u8>],
    classes: &Classes,
    options: &ChipGrid,
) -> Result<Figure> {
    let patches: Vec<&Patch> = chips.iter().map(Tile::imagery).collect();
    let (bands, stretches) = options.shown(&patches);
    let side = cell_side(&patches, 3);
    let mut tiles = Vec::with_capacity(chips.len() * 3);
    for (chip, prediction) in chips.iter().zip(predictions) {
        for (heading, labels) in [
            ("imagery", &[][..]),
            ("truth", chip.labels()),
            ("prediction", prediction),
        ] {
            let mut image = tile(
                chip.imagery(),
                (labels, &[]),
                &bands,
                &stretches,
                classes,
                side,
            )?;
            if tiles.len() < 3 {
                image.tag(0, 0, heading);
            }
            if let Some(words) = options.rows.get(tiles.len() / 3)
                && tiles.len().is_multiple_of(3)
            {
                image.tag(0, image.height.saturating_sub(20), words);
            }
            tiles.push(image);
        }
    }
    let text = format!(
        "Imagery, truth and prediction of {} chips; classes: {}",
        tiles.len() / 3,
        class_names(classes)
    );
    finish(
        &mosaic(&tiles, 3, side),
        &options.title,
        &text,
        &legend(&patches, chips.iter().map(Tile::labels), classes, true),
    )
}

/// What the grid shows: the classes, the background where there are labels for each pixel, ignored and invalid pixels
/// where there are any.
fn legend<'a>(
    patches: &[&Patch],
    labels: impl Iterator<Item = &'a [u8]>,
    classes: &Classes,
    labeled: bool,
) -> Vec<Entry> {
    let (mut pixels, mut ignored) = (false, false);
    for (labels, patch) in labels.zip(patches) {
        pixels |= !labels.is_empty();
        let valid = labels.iter().zip(&patch.valid);
        ignored |= valid
            .clone()
            .any(|(&label, &valid)| label == IGNORE && valid != 0);
    }
    let mut entries = match (labeled, pixels) {
        (false, _) => Vec::new(),
        (true, true) => Entry::of_classes(classes),
        (true, false) => Entry::of_colored(classes),
    };
    if ignored {
        entries.push(Entry::new("ignored", Swatch::Hatched));
    }
    if patches.iter().any(|patch| patch.valid.contains(&0)) {
        entries.push(Entry::new("no data", Swatch::Invalid));
    }
    entries
}

fn class_names(classes: &Classes) -> String {
    Entry::of_colored(classes)
        .into_iter()
        .map(|entry| entry.name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// As large as fits, but small chips are not blown up beyond three times their size.
fn cell_side(patches: &[&Patch], columns: usize) -> usize {
    let longest = patches
        .iter()
        .map(|patch| patch.size.width.max(patch.size.height))
        .max()
        .unwrap_or(0);
    let room = (WIDEST + GAP) / columns - GAP.min(WIDEST / columns);
    room.min(longest * 3).clamp(16, 256)
}

fn mosaic(tiles: &[RgbImage], columns: usize, side: usize) -> RgbImage {
    if tiles.is_empty() {
        return RgbImage::default();
    }
    let rows = tiles.len().div_ceil(columns);
    let mut picture = RgbImage::filled(
        columns * (side + GAP) - GAP,
        rows * (side + GAP) - GAP,
        BETWEEN,
    );
    for (index, tile) in tiles.iter().enumerate() {
        let col = index % columns * (side + GAP) + (side - tile.width.min(side)) / 2;
        let row = index / columns * (side + GAP) + (side - tile.height.min(side)) / 2;
        picture.paste(tile, col, row);
    }
    picture
}

/// A picture with a title over it, its legend and a line of text under it.
pub(crate) fn finish(
    picture: &RgbImage,
    title: &str,
    text: &str,
    entries: &[Entry],
) -> Result<Figure> {
    let image = if picture.data.is_empty() {
        String::new()
    } else {
        let Encoded { bytes, media_type } = encode_best(picture)?;
        image_html(media_type, &bytes, text)
    };
    let heading = if title.is_empty() {
        String::new()
    } else {
        format!("<div style=\"font-weight:600\">{}</div>", escape(title))
    };
    let html = format!(
        "<div style=\"{FONT};{TEXT}\">{heading}{image}{}<div style=\"{MUTED}\">{}</div></div>",
        if entries.is_empty() {
            String::new()
        } else {
            entries_html(entries)
        },
        escape(text)
    );
    let flat = super::image::with_legend(picture, entries);
    let plain = if title.is_empty() {
        text.to_owned()
    } else {
        format!("{title}: {text}")
    };
    Ok(Figure::imagery(html, flat, plain.clone(), plain))
}
