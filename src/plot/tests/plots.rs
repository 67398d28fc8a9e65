use rand::RngExt as _;

use super::{cases, patch};
use crate::display::Show as _;
use crate::plot::canvas::Ticks;
use crate::plot::histogram::Bins;
use crate::plot::{
    Curves, Figure, Series, bars, confusion_matrix, contrast, curves, histogram, series_color,
    text_on,
};

#[track_caller]
fn svg(figure: &Figure) -> String {
    let svg = figure.svg().expect("a plot");
    assert!(
        !svg.contains("NaN") && !svg.contains("inf"),
        "a coordinate is not a number: {svg}"
    );
    assert_eq!(svg.matches("<svg ").count(), svg.matches("</svg>").count());
    for sentinel in ["#010102", "#010103", "#010104", "#010105", "#010106"] {
        assert!(!svg.contains(sentinel), "a color was not replaced");
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

#[test]
fn whole_numbers_that_are_equally_frequent_give_a_flat_histogram() {
    let values: Vec<f32> = (0..=255).map(|value| value as f32).collect();
    let shares = Bins::covering(0.0, 255.0, true).shares(&values);
    assert_eq!(shares, vec![1.0 / 64.0; 64]);
    let few = Bins::covering(3.0, 5.0, true).shares(&[3.0, 4.0, 4.0, 5.0]);
    assert_eq!(few, [0.25, 0.5, 0.25]);
    assert_eq!(Bins::covering(7.0, 7.0, true).shares(&[7.0]), [1.0]);
    assert_eq!(
        Bins::covering(0.1, 0.1, false)
            .shares(&[0.1])
            .iter()
            .sum::<f64>(),
        1.0
    );
}
