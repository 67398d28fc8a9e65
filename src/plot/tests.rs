//! What every picture promises: words on the axes, escaped names, nothing that is not a number, colours that can be read.

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

use super::canvas::Ticks;
use super::image::{
    Stretch, class_map, decode_png, encode_best, encode_png, encode_rgba_png, encode_webp,
    outlines, overlay, rgb, rgb_auto,
};
use super::*;
use crate::chips::Chip;
use crate::display::Show;
use crate::labels::{Classes, IGNORE};
use crate::raster::{Patch, PixelWindow, Size};
use crate::{Error, Hint};

fn patch(width: usize, height: usize, bands: &[&[f32]]) -> Patch {
    let data = bands.concat();
    Patch {
        size: Size { width, height },
        bands: bands.len(),
        data,
        valid: vec![1; width * height],
    }
}

fn chip(side: usize, label: u8) -> Chip {
    let values: Vec<f32> = (0..side * side).map(|at| at as f32).collect();
    Chip {
        window: PixelWindow {
            col: 0,
            row: 0,
            width: side,
            height: side,
        },
        patch: patch(side, side, &[&values, &values, &values]),
        labels: vec![label; side * side],
    }
}

#[track_caller]
fn svg(figure: &Figure) -> String {
    let svg = figure.svg().expect("a plot");
    assert!(
        !svg.contains("NaN") && !svg.contains("inf"),
        "a coordinate is not a number: {svg}"
    );
    assert_eq!(svg.matches("<svg ").count(), svg.matches("</svg>").count());
    for sentinel in ["#010102", "#010103", "#010104", "#010105", "#010106"] {
        assert!(!svg.contains(sentinel), "a colour was not replaced");
    }
    svg
}

#[test]
fn curves_name_their_axes_and_series() {
    let series = [
        Series::of_values("loss <train>", [0.9, 0.4]),
        Series::of_values("IoU & co", [0.2, 0.6]).on_right(),
    ];
    let figure = Curves::new("Run \"7\"")
        .x_label("epoch")
        .y_label("loss")
        .right_label("score")
        .series(series)
        .figure();
    let svg = svg(&figure);
    for words in [
        "epoch",
        "score",
        "loss &lt;train&gt;",
        "IoU &amp; co",
        "Run &quot;7&quot;",
    ] {
        assert!(svg.contains(words), "{words} is missing");
    }
    assert_eq!(
        figure.output().text,
        "Run \"7\": loss <train>: 0.4000 at 2; IoU & co: 0.6000 at 2"
    );
}

#[test]
fn plots_of_empty_constant_and_broken_data_are_drawn() {
    let broken = [f64::NAN, 1.0, f64::INFINITY, 2.0, f64::NEG_INFINITY];
    for values in [
        vec![],
        vec![0.0; 3],
        vec![5.0],
        broken.to_vec(),
        vec![1e300, -1e300],
        vec![f64::MAX, f64::MIN],
        vec![1e-320],
    ] {
        svg(&curves(
            &[
                Series::of_values("a", values.clone()),
                Series::of_values("b", values.clone()).on_right(),
            ],
            "t",
        ));
        svg(&bars(
            &["a", "b", "c", "d", "e", "f"],
            &[("IoU", values)],
            "t",
        ));
    }
    svg(&curves(&[], ""));
    svg(&confusion_matrix::<&str>(&[], &[]));
    svg(&confusion_matrix(&["only"], &[]));
    svg(&histogram::<&str>(&patch(0, 0, &[]), &[], "none"));
    svg(&histogram(&patch(2, 1, &[&[3.0, 3.0]]), &["constant"], "t"));
    svg(&histogram(
        &patch(2, 1, &[&[f32::NAN, f32::INFINITY]]),
        &["odd"],
        "t",
    ));
}

#[test]
fn a_curve_with_a_gap_is_drawn_in_two_pieces() {
    let gap = Series::of_values("a", [1.0, 2.0, f64::NAN, 2.0, 1.0]).color([9, 8, 7]);
    assert_eq!(svg(&curves(&[gap], "")).matches("<polyline").count(), {
        let whole = Series::of_values("a", [1.0, 2.0, 1.5, 2.0, 1.0]).color([9, 8, 7]);
        svg(&curves(&[whole], "")).matches("<polyline").count() + 1
    });
}

#[test]
fn a_long_curve_stays_small_and_keeps_its_peak() {
    let points = (0..500_000).map(|at| {
        (
            f64::from(at),
            if at == 250_000 {
                9.0
            } else {
                f64::from(at % 7) / 7.0
            },
        )
    });
    let figure = curves(&[Series::new("loss", points)], "");
    let svg = svg(&figure);
    assert!(svg.len() < 120_000, "{} bytes", svg.len());
    let highest = |line: &str| {
        let points = line
            .split("points=\"")
            .nth(1)
            .unwrap_or_default()
            .split('"')
            .next()
            .unwrap_or_default();
        let rows = points
            .split_whitespace()
            .filter_map(|point| point.split(',').nth(1))
            .filter_map(|row| row.parse::<i32>().ok());
        rows.collect::<Vec<_>>()
    };
    let curve = svg
        .lines()
        .filter(|line| line.contains("<polyline"))
        .max_by_key(|line| line.len())
        .unwrap();
    let mut rows = highest(curve);
    rows.sort_unstable();
    assert!(
        rows[0] + 100 < rows[10],
        "the one peak stands out: {:?}",
        &rows[..12]
    );
}

#[test]
fn a_confusion_matrix_puts_truth_in_rows() {
    let figure = confusion_matrix(&["background", "<building>"], &[90, 10, 40, 60]);
    let svg = svg(&figure);
    for words in [
        "truth",
        "prediction",
        "&lt;building&gt;",
        "90.0 %",
        "40.0 %",
        "60.0 %",
    ] {
        assert!(svg.contains(words), "{words} is missing");
    }
    assert!(figure.alt().contains("background as <building>: 10.0 %"));
    assert!(figure.alt().contains("<building> as background: 40.0 %"));
}

#[test]
fn a_class_that_does_not_occur_is_a_dash() {
    assert!(svg(&confusion_matrix(&["a", "b"], &[5, 0, 0, 0])).contains('–'));
    assert!(svg(&bars(&["a"], &[("IoU", vec![f64::NAN])], "t")).contains('–'));
}

/// A source of random numbers for each of 500 cases.
fn cases() -> impl Iterator<Item = Pcg64> {
    (0..500).map(Pcg64::seed_from_u64)
}

#[test]
fn text_in_matrix_cells_can_be_read() {
    for mut case in cases() {
        let ground: [u8; 3] = std::array::from_fn(|_| case.random());
        assert!(contrast(text_on(ground), ground) >= 4.5, "{ground:?}");
    }
}

#[test]
fn ticks_cover_their_range_and_are_few() {
    for mut case in cases() {
        let (low, span) = (
            case.random_range(-1e9..1e9),
            10f64.powf(case.random_range(-6.0..9.0)),
        );
        let ticks = Ticks::covering(low, low + span, 5);
        let positions = ticks.positions();
        assert!(
            ticks.low <= low + span * 1e-6 && ticks.high >= low + span * (1.0 - 1e-6),
            "{low} {span} {ticks:?}"
        );
        assert!(
            (2..=12).contains(&positions.len()),
            "{low} {span} {positions:?}"
        );
    }
}

#[test]
fn a_stretch_is_monotone() {
    for mut case in cases() {
        let mut value = || case.random_range(-2e4..2e4f32);
        let (stretch, one, two) = (Stretch::new(value(), value()), value(), value());
        assert!(
            stretch.byte(one.min(two)) <= stretch.byte(one.max(two)),
            "{stretch:?} {one} {two}"
        );
    }
}

#[test]
fn png_survives_a_round_trip() -> crate::Result<()> {
    for mut case in cases().take(50) {
        let (width, height) = (case.random_range(1..9), case.random_range(1..9));
        let data = (0..width * height * 4).map(|_| case.random()).collect();
        let image = RgbaImage {
            width,
            height,
            data,
        };
        assert_eq!(decode_png(&encode_rgba_png(&image)?)?, image);
    }
    Ok(())
}

#[test]
fn series_stand_out_from_light_and_dark_grounds() {
    for index in 0..8 {
        let color = series_color(index);
        for ground in [[255, 255, 255], [252, 252, 251], [17, 17, 17], [33, 33, 33]] {
            assert!(
                contrast(color, ground) >= 2.9,
                "{color:?} on {ground:?}: {:.2}",
                contrast(color, ground)
            );
        }
    }
}

#[test]
fn tick_labels_have_the_decimals_their_step_needs() {
    let labels = |low, high| {
        let ticks = Ticks::covering(low, high, 5);
        ticks
            .positions()
            .into_iter()
            .map(|value| ticks.label(value))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(labels(0.0, 1.0), "0.0 0.2 0.4 0.6 0.8 1.0");
    assert_eq!(labels(-0.5, 0.5), "-0.6 -0.4 -0.2 0.0 0.2 0.4 0.6");
    assert_eq!(labels(0.0, 200_000.0), "0 50k 100k 150k 200k");
    assert_eq!(labels(0.0, 1_000_000.0), "0 0.2M 0.4M 0.6M 0.8M 1.0M");
    assert_eq!(labels(0.0, 24.0), "0 5 10 15 20 25");
}

#[test]
fn a_stretch_maps_its_ends_to_black_and_white() {
    let stretch = Stretch::new(100.0, 300.0);
    assert_eq!(
        [50.0, 100.0, 200.0, 300.0, 999.0, f32::NAN].map(|value| stretch.byte(value)),
        [0, 0, 128, 255, 255, 0]
    );
    assert_eq!(
        Stretch::new(7.0, 7.0).byte(7.0),
        127,
        "a constant band is mid-grey"
    );
    assert_eq!(Stretch::new(f32::NAN, 7.0), Stretch::new(0.0, 1.0));
}

#[test]
fn percentiles_of_a_patch_leave_out_invalid_pixels() {
    let values: Vec<f32> = (0..101)
        .map(|value| value as f32)
        .chain([9_999.0, f32::NAN])
        .collect();
    let mut patch = patch(103, 1, &[&values]);
    patch.valid[101] = 0;
    assert_eq!(Stretch::of_patch(&patch, 0), Stretch::new(2.0, 98.0));
    patch.valid.fill(0);
    assert_eq!(Stretch::of_patch(&patch, 0), Stretch::new(0.0, 1.0));
    assert_eq!(
        Stretch::of_patch(&patch, 7),
        Stretch::new(0.0, 1.0),
        "a band that is not there"
    );
}

#[test]
fn bands_can_be_shown_in_any_order_and_invalid_pixels_are_grey() -> crate::Result<()> {
    let mut patch = patch(
        2,
        1,
        &[&[0.0, 10.0], &[10.0, 0.0], &[0.0, 0.0], &[5.0, 5.0]],
    );
    patch.valid[1] = 0;
    let stretches = [Stretch::new(0.0, 10.0); 3];
    assert_eq!(
        rgb(&patch, &[1, 0, 3], &stretches)?.data,
        [255, 0, 128, 128, 128, 128]
    );
    assert_eq!(
        rgb(&patch, &[0], &stretches)?.data,
        [0, 0, 0, 128, 128, 128]
    );
    let error = rgb(&patch, &[0, 1, 4], &stretches).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot draw band 4: the image has 4 (counted from 0)"
    );
    assert_eq!(error.hint().as_deref(), Some("bands are 0 to 3"));
    assert!(rgb(&patch, &[0, 1], &stretches).is_err());
    patch.data.pop();
    assert!(rgb_auto(&patch, None).is_err());
    Ok(())
}

#[test]
fn labels_are_blended_and_background_and_ignored_pixels_left() -> crate::Result<()> {
    let classes = Classes::new(["building"]).with_color("building", [200, 100, 0]);
    let mut image = RgbImage::filled(4, 1, [100, 100, 100]);
    overlay(&mut image, &[0, 1, IGNORE, 9], &classes, 0.5)?;
    assert_eq!(
        image.data,
        [100, 100, 100, 150, 100, 50, 100, 100, 100, 100, 100, 100]
    );
    assert!(matches!(
        overlay(&mut image, &[0; 3], &classes, 0.5),
        Err(Error::Plot(PlotError::Shape { .. }))
    ));
    assert_eq!(
        class_map(&[0, 1, IGNORE, 9], 4, 1, &classes)?.data,
        [[0; 4], [200, 100, 0, 255], [0; 4], [0; 4]].concat()
    );
    Ok(())
}

#[test]
fn outlines_leave_the_inside_visible() -> crate::Result<()> {
    let classes = Classes::new(["building"]).with_color("building", [255, 0, 0]);
    let mut labels = vec![0; 49];
    for row in 1..6 {
        labels[row * 7 + 1..row * 7 + 6].fill(1);
    }
    let mut image = RgbImage::filled(7, 7, [9; 3]);
    outlines(&mut image, &labels, &classes, 1)?;
    assert_eq!(image.pixel(1, 1), [255, 0, 0]);
    assert_eq!(image.pixel(3, 1), [255, 0, 0]);
    assert_eq!(image.pixel(3, 3), [9; 3]);
    assert_eq!(image.pixel(0, 0), [9; 3]);
    let mut full = RgbImage::filled(7, 7, [9; 3]);
    outlines(&mut full, &[1; 49], &classes, 1)?;
    assert_eq!(
        full,
        RgbImage::filled(7, 7, [9; 3]),
        "a region that goes on beyond the picture has no border in it"
    );
    outlines(&mut RgbImage::default(), &[], &classes, 1)
}

#[test]
fn images_are_averaged_down_and_repeated_up() {
    let image = RgbImage {
        width: 2,
        height: 2,
        data: vec![0, 0, 0, 100, 100, 100, 200, 200, 200, 100, 100, 100],
    };
    assert_eq!(image.scaled(1, 1).pixel(0, 0), [100; 3]);
    assert_eq!(image.scaled(4, 4).pixel(3, 0), [100; 3]);
    assert_eq!(image.scaled(4, 4).pixel(0, 3), [200; 3]);
    let wide = RgbImage::filled(3000, 10, [1; 3]).fitted(1000);
    assert_eq!((wide.width, wide.height), (1000, 3));
    assert_eq!(RgbImage::default().scaled(2, 2).data.len(), 12);
}

#[test]
fn webp_is_close_to_the_image_and_png_takes_over_where_it_cannot_be_had() -> crate::Result<()> {
    let data = (0..64 * 64)
        .flat_map(|at| [(at % 64 * 3) as u8, (at / 64 * 3) as u8, 90])
        .collect();
    let image = RgbImage {
        width: 64,
        height: 64,
        data,
    };
    if let Some(webp) = encode_webp(&image)? {
        assert_eq!((&webp[..4], &webp[8..12]), (&b"RIFF"[..], &b"WEBP"[..]));
        assert!(webp.len() < encode_png(&image)?.len());
    }
    let thin = RgbImage::filled(20_000, 1, [7; 3]);
    assert_eq!(encode_webp(&thin)?, None);
    let encoded = encode_best(&thin)?;
    assert_eq!(encoded.media_type, "image/png");
    assert_eq!(decode_png(&encoded.bytes)?.pixel(19_999, 0), [7, 7, 7, 255]);
    assert_eq!(
        decode_png(&encode_best(&RgbImage::default())?.bytes)?.width,
        1
    );
    assert!(
        encode_best(&RgbImage {
            width: 5,
            height: 5,
            data: vec![0; 3]
        })
        .is_err()
    );
    assert!(decode_png(b"not a picture").is_err());
    Ok(())
}

#[test]
fn a_chip_grid_shows_text_html_and_a_flat_picture() -> crate::Result<()> {
    let classes = Classes::new(["<script>alert(1)</script>"]);
    let figure = chip_grid(&[chip(32, 1), chip(32, 0), chip(32, IGNORE)], &classes, 2)?;
    let output = figure.output();
    let html = output.html.unwrap_or_default();
    assert!(html.contains("alt=\"3 chips of 32 x 32 pixels") && html.contains("&lt;script&gt;"));
    assert!(!html.contains("<script"));
    assert!(output.text.starts_with("3 chips of 32 x 32 pixels"));
    assert!(output.webp.is_some() || output.png.is_some());
    assert_eq!(chip_grid(&[], &classes, 4)?.output().text, "No chips");
    let mut unlabelled = chip(16, 0);
    unlabelled.labels.clear();
    assert!(
        chip_grid(&[unlabelled], &classes, 0)?
            .output()
            .text
            .ends_with("no labels")
    );
    let mut damaged = chip(16, 0);
    damaged.patch.data.clear();
    assert!(chip_grid(&[damaged], &classes, 1).is_err());
    comparison(&[chip(32, 1)], &[vec![0; 1024]], &classes, &ChipGrid::new()).map(|_| ())
}

#[test]
fn the_overlay_has_one_slider_and_its_own_names() -> crate::Result<()> {
    let classes = Classes::new(["a\"><img src=x onerror=alert(1)>"]);
    let base = RgbImage::filled(80, 60, [50; 3]);
    let map = class_map(&vec![1; 4800], 80, 60, &classes)?;
    let (one, two) = (
        prediction_overlay(&base, &map, &classes),
        prediction_overlay(&base, &map, &classes),
    );
    let html = one.html.clone().unwrap_or_default();
    assert_eq!(html.matches("type=\"range\"").count(), 1);
    assert_eq!(
        html.matches("<img ").count(),
        2,
        "the class name is not an element"
    );
    assert!(!html.contains("http"), "nothing is loaded from elsewhere");
    assert_ne!(one.html, two.html, "each output has names of its own");
    assert!(one.webp.is_some() || one.png.is_some());
    let flat = Overlay::new(&base, &map, &classes).opacity(1.0).flat();
    assert_eq!(
        flat.pixel(40, 30),
        classes.get(1).map_or([0; 3], |class| class.color)
    );
    let wide = RgbImage::filled(400, 300, [50; 3]);
    let barred = Overlay::new(&wide, &map, &classes)
        .opacity(1.0)
        .scale_bar(1.0)
        .flat();
    assert_eq!(
        barred.pixel(30, 291),
        [255; 3],
        "the scale bar lies over the classes"
    );
    let broken = RgbImage {
        width: 9,
        height: 9,
        data: vec![],
    };
    assert!(
        prediction_overlay(&broken, &map, &classes)
            .text
            .contains("expected 243 values, found 0")
    );
    Ok(())
}

#[test]
fn tables_align_numbers_and_escape_everything() {
    let rows = vec![
        vec!["<b>".to_owned(), "1,204".to_owned()],
        vec!["a & b".to_owned(), "–".to_owned()],
    ];
    let html = table_html(&["class", "pixels"], &rows);
    assert!(html.contains("&lt;b&gt;") && html.contains("a &amp; b") && !html.contains("<b>"));
    assert_eq!(html.matches("text-align:right").count(), 3);
    assert_eq!(
        table_text(&["class", "pixels"], &rows),
        "class  pixels\n<b>     1,204\na & b       –"
    );
    assert!(table_html(&[], &[]).contains("<tbody></tbody>"));
    assert_eq!(table_text(&[], &[]), "");
    assert!(facts_html(&[("file", "<x>".to_owned())]).contains("&lt;x&gt;"));
}

#[test]
fn figures_save_whole_files_by_their_ending() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let plot = curves(&[Series::of_values("loss", [1.0, 2.0])], "Loss");
    plot.save(folder.path().join("loss.svg"))?;
    assert!(std::fs::read_to_string(folder.path().join("loss.svg"))?.starts_with("<svg"));
    let error = plot.save(folder.path().join("loss.png")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("expected a name that ends in .svg or .html"),
        "{error}"
    );
    let picture = Figure::from_image(RgbImage::filled(9, 4, [1, 2, 3]), "nine by four")?;
    picture.save(folder.path().join("image.PNG"))?;
    assert_eq!(
        decode_png(&std::fs::read(folder.path().join("image.PNG"))?)?.pixel(8, 3),
        [1, 2, 3, 255]
    );
    picture.save(folder.path().join("image.html"))?;
    let error = picture
        .save(folder.path().join("no such folder/image.png"))
        .unwrap_err();
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("create_dir_all"))
    );
    assert_eq!(
        std::fs::read_dir(folder.path())?.count(),
        3,
        "no temporary files are left"
    );
    Ok(())
}

#[test]
fn a_live_plot_follows_the_theme_and_a_kept_one_does_not() {
    let figure = curves(&[Series::of_values("loss", [1.0, 2.0])], "Loss \"<1>\"");
    assert!(
        figure
            .live_html()
            .contains("var(--jp-ui-font-color1,#212121)")
    );
    assert!(
        figure
            .live_html()
            .contains("aria-label=\"Loss &quot;&lt;1&gt;&quot;: loss")
    );
    assert!(
        figure
            .html()
            .starts_with("<img src=\"data:image/svg+xml;base64,")
    );
    assert!(!figure.output().svg.unwrap_or_default().contains("var("));
}
