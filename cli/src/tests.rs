//! Lines as people write them.

use std::path::PathBuf;

use crate::{
    CellWay, Command, DeviceName, Fusion, LibraryCommand, OutlineWay, PolygonFormat,
    PredictArguments, ScoreWay, Views,
};

fn parse(line: &str) -> Result<Command, crate::Mistake> {
    crate::parse(line.split_whitespace())
}

fn predict(line: &str) -> PredictArguments {
    match parse(line) {
        Ok(Command::Library(LibraryCommand::Predict(arguments))) => arguments,
        other => panic!("{line}: {other:?}"),
    }
}

/// The first line of what a mistake says.
fn mistake(line: &str) -> String {
    let error = parse(line).expect_err("a mistake");
    assert_eq!(error.exit_code(), 2, "{line}");
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn paths(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

#[test]
fn the_tree_is_sound() {
    crate::command().debug_assert();
}

#[test]
fn options_come_in_any_order_and_both_forms() {
    let arguments = predict("swath predict --out=here model.swath --quiet scene.tif --window 12");
    assert_eq!(arguments.bundle, PathBuf::from("model.swath"));
    assert_eq!(arguments.scenes, paths(&["scene.tif"]));
    assert_eq!(arguments.out, PathBuf::from("here"));
    assert_eq!(arguments.model.window, Some(12));
    assert!(arguments.quiet && !arguments.model.any_values);
}

#[test]
fn mistakes_are_named() {
    assert_eq!(
        mistake("swath info"),
        "error: the following required arguments were not provided:"
    );
    assert_eq!(
        mistake("swath data fetch a b"),
        "error: unexpected argument 'b' found"
    );
    assert_eq!(
        mistake("swath data search naip -o a --bbox 1,2,3"),
        "error: invalid value '1,2,3' for '--bbox <WEST,SOUTH,EAST,NORTH>': expected WEST,SOUTH,EAST,NORTH in degrees, such as \
         85.48,27.59,85.56,27.66"
    );
    assert_eq!(
        mistake("swath predict a b -o"),
        "error: a value is required for '--out <DIR>' but none was supplied"
    );
    assert_eq!(
        mistake("swath predict a b -o x --outt y"),
        "error: unexpected argument '--outt' found"
    );
    assert_eq!(
        mistake("swath predict a b --out x --out y"),
        "error: the argument '--out <DIR>' cannot be used multiple times"
    );
    assert_eq!(
        mistake("swath predict a b -o x --window many"),
        "error: invalid value 'many' for '--window <PX>': expected a whole number of pixels"
    );
    assert_eq!(
        mistake("swath predict a b -o x --threshold"),
        "error: a value is required for '--threshold <P>' but none was supplied"
    );
}

#[test]
fn a_last_word_with_dots_and_repeated_options_take_several() {
    let arguments = predict("swath predict a -o map b --also x c --also=y");
    assert_eq!(arguments.scenes, paths(&["b", "c"]));
    assert_eq!(arguments.out, PathBuf::from("map"));
    assert_eq!(arguments.model.also, paths(&["x", "y"]));
    let missing = parse("swath predict a -o map").expect_err("no scene");
    assert!(missing.to_string().contains("<SCENE>"), "{missing}");
    assert!(
        parse("swath predict a b -o map -x").is_err(),
        "an unknown short option is no file"
    );
}

#[test]
fn after_two_dashes_all_words_are_positional() {
    let arguments = predict("swath predict -o map -- --json -");
    assert_eq!(arguments.bundle, PathBuf::from("--json"));
    assert_eq!(arguments.scenes, paths(&["-"]));
}

#[test]
fn scenes_are_several_and_say_which_part_of_them_counts() {
    let line = "swath evaluate m a b --labels l/{stem}.gpkg --class c --bands 4,nir --pixel-size 0.5 --crop 0,-1,8,9 --only split=test";
    let arguments = match parse(line) {
        Ok(Command::Library(LibraryCommand::Evaluate(arguments))) => arguments,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(arguments.scenes, paths(&["a", "b"]));
    let imagery = arguments.imagery;
    assert_eq!(imagery.bands, ["4", "nir"]);
    assert_eq!(
        (imagery.pixel_size, imagery.crop),
        (Some(0.5), Some([0, -1, 8, 9]))
    );
    assert_eq!(imagery.only, Some(("split".to_owned(), "test".to_owned())));
    assert_eq!(imagery.given(), Some("--bands"));
    for (option, words) in [
        ("--crop 0,0,0,4", "COL,ROW,WIDTH,HEIGHT"),
        ("--crop 1,2,3", "COL,ROW,WIDTH,HEIGHT"),
        ("--only split", "COLUMN=VALUE"),
        ("--pixel-size -1", "above 0"),
    ] {
        let told = mistake(&format!("swath predict a b -o c {option}"));
        assert!(told.contains(words), "{option}: {told}");
    }
}

#[test]
fn the_old_names_of_fusion_are_understood() {
    let new = predict("swath predict a b -o c --fusion soft-nms");
    assert_eq!(new.objects.fusion, Some(Fusion::SoftNms));
    let old = predict("swath predict a b -o c --merge weighted --merge-iou 0.4");
    assert_eq!(old.objects.fusion, Some(Fusion::Weighted));
    assert_eq!(old.objects.fusion_iou, Some(0.4));
    assert_eq!(old.objects.given(), Some("--fusion"));
}

#[test]
fn a_negative_number_is_a_value_and_is_refused_as_one() {
    for option in [
        "--threshold -0.5",
        "--threshold nan",
        "--batch 0",
        "--min-area -3",
    ] {
        let told = mistake(&format!("swath predict a b -o c {option}"));
        assert!(told.contains("invalid value"), "{option}: {told}");
    }
}

#[test]
fn values_are_typed() {
    let line = "swath predict a b -o c --tta turns --device cuda:2 --threshold 0.5 --min-area 1e3 --any-values";
    let arguments = predict(line);
    assert_eq!(arguments.model.tta, Some(Views::Turns));
    assert_eq!(arguments.model.device, Some(DeviceName::Cuda(2)));
    assert_eq!(arguments.threshold, Some(0.5));
    assert_eq!(arguments.maps.min_area, Some(1000.0));
    assert_eq!(arguments.maps.given(), Some("--min-area"));
    assert_eq!(arguments.model.given(), Some("--tta"));
    let words = [
        "swath",
        "predict",
        "a",
        "b",
        "-o",
        "c",
        "--formats",
        "gpkg, geojson",
    ];
    match crate::parse(words) {
        Ok(Command::Library(LibraryCommand::Predict(arguments))) => {
            assert_eq!(
                arguments.maps.formats,
                [PolygonFormat::Gpkg, PolygonFormat::Geojson]
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn texts_may_begin_with_a_dash() {
    let words = [
        "swath",
        "evaluate",
        "a",
        "b",
        "--label-raster",
        "r",
        "--values",
        "-1:water,0:background",
    ];
    match crate::parse(words) {
        Ok(Command::Library(LibraryCommand::Evaluate(arguments))) => {
            assert_eq!(
                arguments.labels.values.as_deref(),
                Some("-1:water,0:background")
            );
        }
        other => panic!("{other:?}"),
    }
    let words = [
        "swath", "info", "a", "--labels", "b", "--class", "c", "--where", "-x < 3",
    ];
    match crate::parse(words) {
        Ok(Command::Library(LibraryCommand::Info(arguments))) => {
            assert_eq!(arguments.labels.condition.as_deref(), Some("-x < 3"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn switches_may_be_repeated() {
    assert!(predict("swath predict a b -o c --quiet --quiet").quiet);
}

#[test]
fn a_later_mistake_is_told_as_the_others_are() {
    let told = crate::mistake(&["data", "fetch"], "'--x' is not for y").to_string();
    assert_eq!(
        told,
        "error: '--x' is not for y\n\nUsage: swath data fetch <NAME>\n\nFor more information, try '--help'.\n"
    );
}

#[test]
fn the_program_is_called_swath_whatever_its_file_is_called() {
    let error = crate::parse(["/opt/bin/swath-dev", "predict"]).expect_err("a mistake");
    assert!(
        error.to_string().contains("Usage: swath predict "),
        "{error}"
    );
}

#[test]
fn maps_are_saved_as_the_library_can() {
    let line = "swath predict a b -o c --outlines right-angles --simplify 0.5 --fill-holes 4 --min-pixels 9 --scores percent";
    let maps = predict(line).maps;
    assert_eq!(maps.outlines, Some(OutlineWay::RightAngles));
    assert_eq!((maps.simplify, maps.fill_holes), (Some(0.5), Some(4.0)));
    assert_eq!(maps.min_pixels, Some(9.0));
    assert_eq!(maps.scores, Some(ScoreWay::Percent));
    assert_eq!(maps.given(), Some("--min-pixels"));
    // Boxes have formats, too, and nothing else of it.
    let boxes = predict("swath predict a b -o c --formats fgb").maps;
    assert_eq!(
        (boxes.of_maps_alone(), boxes.given()),
        (None, Some("--formats"))
    );
    for (options, words) in [
        ("--scores u8 --no-scores", "cannot be used with"),
        (
            "--outlines right-angles --no-polygons",
            "'--no-polygons' writes none",
        ),
        ("--scores u16", "invalid value"),
        ("--simplify -1", "0 or more"),
        ("--outlines round", "invalid value"),
    ] {
        let told = mistake(&format!("swath predict a b -o c {options}"));
        assert!(told.contains(words), "{options}: {told}");
    }
}

#[test]
fn cells_and_series_are_said_in_words() {
    let line = "swath predict a b -o c --series --mask SCL:0,1,3 --between 2023-04-01,2023-09-30 --cells object:0.5";
    let arguments = predict(line);
    assert_eq!(arguments.labels.cells, Some(CellWay::Object(0.5)));
    let imagery = arguments.imagery;
    assert!(imagery.series);
    assert_eq!(imagery.mask, Some(("SCL".to_owned(), vec![0, 1, 3])));
    assert_eq!(
        imagery.between,
        Some(("2023-04-01".to_owned(), "2023-09-30".to_owned()))
    );
    assert_eq!(imagery.given(), Some("--series"));
    for (options, words) in [
        ("--mask SCL:0", "required"),
        ("--series --mask SCL", "NAME:CODE"),
        ("--series --between 2023", "DATE,DATE"),
        ("--series --nodata 0", "cannot be used with"),
        ("--cells half", "object:0.5"),
        ("--cells cell:2", "object:0.5"),
    ] {
        let told = mistake(&format!("swath predict a b -o c {options}"));
        assert!(told.contains(words), "{options}: {told}");
    }
}
