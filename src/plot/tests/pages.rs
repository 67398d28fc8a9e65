use super::patch;
use crate::Hint as _;
use crate::chips::Chip;
use crate::display::Show as _;
use crate::labels::{Classes, IGNORE};
use crate::plot::image::{class_map, decode_png};
use crate::plot::{
    ChipGrid, Figure, Overlay, RgbImage, Series, chip_grid, comparison, curves, facts_html,
    prediction_overlay, table_html, table_text,
};
use crate::raster::PixelWindow;

fn chip(side: usize, label: u8) -> Chip {
    let values: Vec<f32> = (0..side * side).map(|at| at as f32).collect();
    Chip {
        scene: 0,
        window: PixelWindow {
            col: 0,
            row: 0,
            width: side,
            height: side,
        },
        patch: patch(side, side, &[&values, &values, &values]),
        labels: vec![label; side * side],
        boxes: Vec::new(),
        class: None,
    }
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
    assert_eq!(
        chip_grid::<Chip>(&[], &classes, 4)?.output().text,
        "No chips"
    );
    let mut unlabeled = chip(16, 0);
    unlabeled.labels.clear();
    assert!(
        chip_grid(&[unlabeled], &classes, 0)?
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
