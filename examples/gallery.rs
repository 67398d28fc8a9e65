//! Writes every kind of picture that Swath draws to a folder, as files and as two pages in JupyterLab's colors:
//! `cargo run --release --example gallery -- OUT_FOLDER [SCENE LABELS CLASS]`. The data is made up and always the same,
//! but for the scene when one is given.

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

use std::path::{Path, PathBuf};

use swath::chips::{Chip, Chips};
use swath::display::{Output, Show};
use swath::labels::Classes;
use swath::plot::image::{class_map, rgb_auto};
use swath::plot::{
    ChipGrid, Curves, Figure, Overlay, Series, bars, chip_grid, chip_grid_with, comparison,
    confusion_matrix, curves, facts_html, histogram, legend_html, prediction_overlay, table_html,
};
use swath::raster::{Patch, PixelWindow, Size};
use swath::scene::{Scene, Split};

/// JupyterLab's own variables, as its light and dark themes set them.
const LIGHT: &str = "--jp-layout-color0:#fff;--jp-layout-color1:#fff;--jp-ui-font-color1:rgba(0,0,0,.87);\
    --jp-ui-font-color2:rgba(0,0,0,.54);--jp-border-color1:#bdbdbd;--jp-border-color2:#e0e0e0;\
    --jp-ui-font-family:system-ui,sans-serif;--jp-brand-color1:#1976d2";
const DARK: &str = "--jp-layout-color0:#111;--jp-layout-color1:#212121;--jp-ui-font-color1:rgba(255,255,255,1);\
    --jp-ui-font-color2:rgba(255,255,255,.7);--jp-border-color1:#616161;--jp-border-color2:#424242;\
    --jp-ui-font-family:system-ui,sans-serif;--jp-brand-color1:#2196f3";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .unwrap_or_else(|| "gallery".to_owned()),
    );
    std::fs::create_dir_all(&folder)?;
    let mut pieces: Vec<(String, String)> = Vec::new();
    for (name, figure) in figures()? {
        save(&folder, &name, &figure)?;
        pieces.push((name.clone(), figure.html()));
        if figure.svg().is_some() {
            pieces.push((format!("{name}, live form"), figure.live_html()));
        }
    }
    let mut outputs = outputs()?;
    let rest: Vec<String> = std::env::args().skip(2).collect();
    if let Some([scene, labels, class]) = rest.first_chunk() {
        outputs.extend(real(scene, labels, class)?);
    }
    for (name, output) in outputs {
        save_flat(&folder, &name, &output)?;
        pieces.push((name, output.html.unwrap_or_default()));
    }
    for (theme, variables, scheme) in [("light", LIGHT, "light"), ("dark", DARK, "dark")] {
        let mut all = String::new();
        for (name, html) in &pieces {
            let piece = format!("<h4 style=\"margin:18px 0 4px\">{name}</h4>\n{html}\n");
            std::fs::write(
                folder.join(format!("{}-{theme}.html", file_name(name))),
                page(&piece, variables, scheme),
            )?;
            all.push_str(&piece);
        }
        std::fs::write(
            folder.join(format!("all-{theme}.html")),
            page(&all, variables, scheme),
        )?;
    }
    println!("{} pictures in {}", pieces.len(), folder.display());
    let start = std::time::Instant::now();
    let bytes: usize = (0..20).map(|_| training(24).live_html().len()).sum();
    println!(
        "a live curve: {:.2} ms, {} bytes",
        start.elapsed().as_secs_f64() * 50.0,
        bytes / 20
    );
    Ok(())
}

fn file_name(name: &str) -> String {
    name.chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .collect()
}

fn page(body: &str, variables: &str, scheme: &str) -> String {
    format!(
        "<!doctype html><meta charset=\"utf-8\"><style>:root{{{variables};color-scheme:{scheme}}} body{{background:\
         var(--jp-layout-color0);color:var(--jp-ui-font-color1);font-family:sans-serif;margin:16px;max-width:1050px}}</style>\n{body}"
    )
}

fn save(folder: &Path, name: &str, figure: &Figure) -> swath::Result<()> {
    if figure.svg().is_some() {
        figure.save(folder.join(format!("{name}.svg")))
    } else {
        figure.save(folder.join(format!("{name}.png")))?;
        save_flat(folder, name, &figure.output())
            .map_err(|source| swath::FileError::new(folder, source).into())
    }
}

fn save_flat(folder: &Path, name: &str, output: &Output) -> std::io::Result<()> {
    if let Some(bytes) = &output.webp {
        std::fs::write(folder.join(format!("{name}-flat.webp")), bytes)?;
    }
    if let Some(bytes) = &output.png {
        std::fs::write(folder.join(format!("{name}-flat.png")), bytes)?;
    }
    std::fs::write(
        folder.join(format!("{name}.txt")),
        format!("{}\n", output.text),
    )
}

fn figures() -> swath::Result<Vec<(String, Figure)>> {
    let classes = Classes::new(["building", "road", "tree & shrub", "<b>car</b>"]);
    let chips: Vec<Chip> = (0..8).map(|index| chip(index, 256, 3)).collect();
    let predictions: Vec<Vec<u8>> = chips.iter().map(|chip| worn(&chip.labels)).collect();
    let many = [
        "background",
        "building",
        "road",
        "tree",
        "car",
        "water",
        "bare soil",
        "crops",
        "a class with a very long name",
        "x",
    ];
    let counts: Vec<u64> = (0..100)
        .map(|at| {
            if at % 11 == 0 {
                90_000 + at * 700
            } else {
                (at * 7919) % 4_000
            }
        })
        .collect();
    let figure = |name: &str, figure| (name.to_owned(), figure);
    let mut nothing = chip(3, 128, 3);
    nothing.patch.valid.fill(0);
    Ok(vec![
        figure("curves-training", training(24)),
        figure("curves-first-epoch", training(1)),
        figure("curves-long", long_run()),
        figure(
            "curves-empty",
            curves(&[Series::new("loss", [])], "Training"),
        ),
        figure("curves-odd", odd_curves()),
        figure(
            "bars",
            bars(
                &["building", "road", "tree & shrub", "<b>car</b>"],
                &[
                    ("IoU", vec![0.71, 0.52, f64::NAN, 0.08]),
                    ("F1", vec![0.83, 0.68, 0.0, 0.15]),
                ],
                "Scores on the test area",
            ),
        ),
        figure(
            "bars-one",
            bars(
                &["building"],
                &[("pixels", vec![1_234_567.0])],
                "Pixels per class",
            ),
        ),
        figure("bars-empty", bars::<&str, &str>(&[], &[], "Scores")),
        figure(
            "matrix-two",
            confusion_matrix(
                &["background", "building"],
                &[1_904_112, 40_231, 61_877, 180_456],
            ),
        ),
        figure(
            "matrix-four",
            confusion_matrix(
                &["background", "building", "road <main>", "tree & shrub"],
                &[
                    9_000, 200, 30, 4, 20, 800, 90, 3, 10, 50, 400, 0, 0, 0, 0, 0,
                ],
            ),
        ),
        figure("matrix-ten", confusion_matrix(&many, &counts)),
        figure("matrix-empty", confusion_matrix::<&str>(&[], &[])),
        figure(
            "histogram",
            histogram(
                &chip(1, 256, 3).patch,
                &["red", "green", "blue"],
                "Values of town.tif",
            ),
        ),
        figure(
            "histogram-eight",
            histogram(
                &chip(1, 256, 8).patch,
                &["coastal", "blue", "green"],
                "Eight bands",
            ),
        ),
        figure(
            "histogram-empty",
            histogram(&nothing.patch, &["red"], "No valid pixels"),
        ),
        figure("chips", chip_grid(&chips, &classes, 4)?),
        figure(
            "chips-gray",
            chip_grid_with(
                &chips[..3],
                &classes,
                3,
                &ChipGrid::new().bands([2]).title("Band 3 <only>"),
            )?,
        ),
        figure(
            "chips-none",
            chip_grid::<swath::chips::Chip>(&[], &classes, 4)?,
        ),
        figure(
            "comparison",
            comparison(
                &chips[..3],
                &predictions,
                &classes,
                &ChipGrid::new().title("Validation"),
            )?,
        ),
        figure(
            "image",
            Figure::from_image(
                rgb_auto(&chip(5, 400, 3).patch, None)?,
                "town.tif: red, green, blue",
            )?,
        ),
    ])
}

fn outputs() -> swath::Result<Vec<(String, Output)>> {
    let classes = Classes::new(["building", "road", "tree & shrub", "<b>car</b>"]);
    let scene = chip(5, 640, 3);
    let base = rgb_auto(&scene.patch, None)?;
    let prediction = class_map(&worn(&scene.labels), 640, 640, &classes)?;
    let rows = vec![
        vec![
            "building".to_owned(),
            "0.912".to_owned(),
            "0.874".to_owned(),
            "1,204,113".to_owned(),
        ],
        vec![
            "<road>".to_owned(),
            "0.60".to_owned(),
            "–".to_owned(),
            "88".to_owned(),
        ],
    ];
    Ok(vec![
        (
            "overlay".to_owned(),
            prediction_overlay(&base, &prediction, &classes),
        ),
        (
            "overlay-caption".to_owned(),
            Overlay::new(&base, &prediction, &classes)
                .opacity(0.3)
                .scale_bar(0.3)
                .caption("test <area>")
                .output()?,
        ),
        (
            "table".to_owned(),
            Output::html(
                "",
                table_html(&["class", "precision", "recall", "pixels"], &rows),
            ),
        ),
        (
            "facts".to_owned(),
            Output::html(
                "",
                facts_html(&[
                    ("file", "a & b.tif".to_owned()),
                    ("size", "640 x 640 pixels".to_owned()),
                ]),
            ),
        ),
        ("legend".to_owned(), Output::html("", legend_html(&classes))),
    ])
}

fn real(scene: &str, labels: &str, class: &str) -> swath::Result<Vec<(String, Output)>> {
    let scene = Scene::open(scene)?.with_labels(labels, class)?;
    let bands = scene.band_count();
    let (left, _) = scene.split(Split::columns(0.5));
    let chips = scene.chips(Chips::random(8, 256).seed(7))?;
    Ok(vec![
        ("scene".to_owned(), scene.output()),
        ("scene-left".to_owned(), left.output()),
        (
            "scene-bands".to_owned(),
            scene.show_bands([bands - 1, bands / 2, 0])?.output(),
        ),
        ("scene-histogram".to_owned(), scene.histogram()?.output()),
        ("scene-chips".to_owned(), chips.output()),
    ])
}

fn training(epochs: usize) -> Figure {
    let loss = |epoch: usize| 0.15 + 0.6 * (-0.2 * epoch as f64).exp();
    let steps = (0..epochs * 40).map(|step| {
        (
            step as f64 / 40.0 + 0.025,
            loss(step / 40) + 0.08 * noise(step as u32) as f64,
        )
    });
    let epochs_of = |value: &dyn Fn(usize) -> f64| {
        (1..=epochs)
            .map(|epoch| (epoch as f64, value(epoch)))
            .collect::<Vec<_>>()
    };
    Curves::new("Training U-Net (EfficientNet-Lite0)")
        .x_label("epoch")
        .y_label("loss")
        .right_label("mean IoU")
        .x_limits(0.0, 24.0)
        .mark(20.0)
        .series([
            Series::new("step", steps).faint().color([0, 114, 178]),
            Series::new("training loss", epochs_of(&loss)),
            Series::new(
                "validation loss",
                epochs_of(&|epoch| loss(epoch) + 0.05 + 0.002 * epoch as f64),
            ),
            Series::new(
                "mean IoU",
                epochs_of(&|epoch| 0.8 - 0.6 * (-0.25 * epoch as f64).exp()),
            )
            .on_right(),
        ])
        .figure()
}

fn long_run() -> Figure {
    let steps = (0..200_000u32).map(|step| {
        (
            f64::from(step),
            2.0 / (1.0 + f64::from(step) / 9_000.0) + 0.3 * f64::from(noise(step)),
        )
    });
    Curves::new("200,000 steps")
        .x_label("step")
        .y_label("loss")
        .series([Series::new("loss", steps)])
        .figure()
}

fn odd_curves() -> Figure {
    curves(
        &[
            Series::of_values(
                "has <gaps> & \"quotes\"",
                [1.0, 2.0, f64::NAN, 2.5, f64::INFINITY, 2.0, 1.0],
            ),
            Series::of_values("constant", [1.5; 7]),
            Series::of_values("single", [2.2]),
        ],
        "Gaps, constants and <markup>",
    )
}

/// A number in -0.5 to 0.5 that looks random and is always the same for a seed.
fn noise(seed: u32) -> f32 {
    let mixed = seed.wrapping_mul(0x9E37_79B9) ^ 0x85EB_CA6B;
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D);
    let mixed = (mixed ^ (mixed >> 12)).wrapping_mul(0x297A_2D39);
    (mixed ^ (mixed >> 15)) as f32 / u32::MAX as f32 - 0.5
}

/// Roofs, streets, trees and cars on grass, in 11-bit values, with a strip without data at the right of some chips.
fn chip(index: u32, side: usize, bands: usize) -> Chip {
    let mut labels = vec![0u8; side * side];
    let mut draw = |col: usize, row: usize, width: usize, height: usize, class: u8| {
        for line in row..(row + height).min(side) {
            for column in col..(col + width).min(side) {
                labels[line * side + column] = class;
            }
        }
    };
    draw(0, side / 3, side, side / 14, 2);
    draw(side * 2 / 3, 0, side / 14, side, 2);
    for item in 0..40 {
        let random = |salt: u32, range: usize| {
            ((noise(index * 977 + item * 31 + salt) + 0.5) * range as f32) as usize
        };
        let (col, row) = (random(1, side), random(2, side));
        match item % 5 {
            0 | 1 => draw(
                col,
                row,
                14 + random(3, side / 7),
                12 + random(4, side / 8),
                1,
            ),
            2 | 3 => draw(col, row, 8 + random(5, 10), 8 + random(6, 10), 3),
            _ => draw(col, side / 3 + 4, 9, 5, 4),
        }
    }
    let colors = [
        [520.0, 640.0, 380.0],
        [1350.0, 1150.0, 1050.0],
        [800.0, 810.0, 830.0],
        [250.0, 430.0, 230.0],
        [1700.0, 300.0, 320.0],
    ];
    let mut data = vec![0.0; bands * side * side];
    let mut valid = vec![1; side * side];
    for (pixel, &label) in labels.iter().enumerate() {
        if index % 4 == 3 && pixel % side > side * 4 / 5 {
            valid[pixel] = 0;
        }
        for band in 0..bands {
            let shade = colors[usize::from(label)][band % 3] + 60.0 * band as f32;
            data[band * side * side + pixel] =
                shade * (1.0 + 0.25 * noise(pixel as u32 + index * 65_537 + band as u32 * 77));
        }
    }
    let labels = labels
        .iter()
        .zip(&valid)
        .map(|(&label, &valid)| if valid == 0 { 255 } else { label })
        .collect();
    let patch = Patch {
        size: Size {
            width: side,
            height: side,
        },
        bands,
        data,
        valid,
    };
    Chip {
        scene: 0,
        window: PixelWindow {
            col: 0,
            row: 0,
            width: side,
            height: side,
        },
        patch,
        labels,
        boxes: Vec::new(),
        class: None,
    }
}

/// A prediction that is nearly right: shifted by a few pixels, with cars missed.
fn worn(labels: &[u8]) -> Vec<u8> {
    let shifted = (0..labels.len()).map(|at| labels[at.saturating_sub(3)]);
    shifted
        .map(|label| if label == 4 || label == 255 { 0 } else { label })
        .collect()
}
