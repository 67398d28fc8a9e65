//! What maps and objects are saved as: styles that QGIS takes, formats with what each of them loses.

use std::path::Path;

use super::SaveOptions;
use super::map_tests::{GRID, UTM, folder, imagery, map_of};
use crate::labels::{Classes, Drawn, raster_style, vector_style};
use crate::raster::{GeoTransform, read_style};
use crate::vector::{Format, Outlines, VectorError, property_names, read_polygons};
use crate::{Error, Hint as _, Result};

fn text(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// Whether GDAL's parser of XML takes a style, which then is one of a vector layer.
fn is_vector_style(path: &Path) -> bool {
    let error = read_style(path).err().map(|error| error.to_string());
    error.is_some_and(|error| error.contains("it is the style of a vector layer"))
}

#[test]
fn maps_have_styles_with_the_names_and_colors_of_their_classes() -> Result<()> {
    let folder = folder();
    let map = map_of(&imagery(folder.path(), GRID, UTM)?, true)?;
    let out = folder.path().join("out");
    map.save(&out)?;
    let style = read_style(&out.join("labels.qml"))?;
    let found: Vec<_> = (style.values.iter())
        .map(|of| (of.value, of.name.as_str(), of.color))
        .collect();
    let expected: Vec<_> = (map.classes().iter().enumerate())
        .map(|(index, class)| (index as f64, class.name.as_str(), Some(class.color)))
        .collect();
    assert_eq!(found, expected);
    // Nothing is seen of the background.
    let labels = text(out.join("labels.qml"));
    assert!(
        labels.contains("alpha=\"0\" label=\"background\""),
        "{labels}"
    );
    assert!(is_vector_style(&out.join("polygons.qml")));
    let polygons = text(out.join("polygons.qml"));
    let [red, green, blue] = map.classes().colors()[1];
    assert!(polygons.contains(" value=\"building\" label=\"building\""));
    assert!(polygons.contains(&format!(
        "k=\"outline_color\" v=\"{red},{green},{blue},255\""
    )));
    Ok(())
}

#[test]
fn odd_names_are_well_formed_in_styles() -> Result<()> {
    let folder = folder();
    let odd = ["a<b>&\"c\"", "Wald & Flur", "水 'x'", "bell\u{7}"];
    let classes = Classes::new(odd);
    let path = folder.path().join("a.qml");
    std::fs::write(&path, raster_style(&classes)).unwrap();
    let names: Vec<String> = (read_style(&path)?.values.into_iter().skip(1))
        .map(|of| of.name)
        .collect();
    assert_eq!(
        names,
        ["a<b>&\"c\"", "Wald & Flur", "水 'x'", "bell\u{fffd}"]
    );
    for drawn in [Drawn::Areas, Drawn::Boxes, Drawn::Points] {
        std::fs::write(&path, vector_style(&classes, drawn)).unwrap();
        assert!(is_vector_style(&path), "{drawn:?}");
    }
    Ok(())
}

#[test]
fn a_style_that_somebody_made_stays_and_ours_are_replaced() -> Result<()> {
    let folder = folder();
    let map = map_of(&imagery(folder.path(), GRID, UTM)?, true)?;
    let out = folder.path().join("out");
    assert!(map.save(&out)?.report().is_empty());
    assert!(map.save(&out)?.report().is_empty());
    let own = "<qgis><renderer-v2 type=\"singleSymbol\"/></qgis>";
    std::fs::write(out.join("polygons.qml"), own).unwrap();
    let saved = map.save(&out)?;
    assert_eq!(text(out.join("polygons.qml")), own);
    assert!(text(out.join("labels.qml")).contains("written by Swath"));
    let report = saved.report().to_string();
    assert!(report.contains("stays as it is (polygons.qml)"), "{report}");
    assert!(!saved.iter().any(|path| path.ends_with("polygons.qml")));
    // Of a map without polygons the style of earlier ones goes, but not that of a user.
    map.save_with(&out, SaveOptions::new().polygons(false))?;
    assert!(out.join("polygons.qml").exists() && !out.join("polygons.gpkg").exists());

    let objects = map.objects()?;
    let path = folder.path().join("houses.gpkg");
    let files = objects.save(&path)?;
    assert_eq!(files.to_vec(), [path.clone(), path.with_extension("qml")]);
    std::fs::write(path.with_extension("qml"), own).unwrap();
    let files = objects.save(&path)?;
    assert!(files.report().mentions("houses.qml"));
    assert_eq!(text(path.with_extension("qml")), own);
    Ok(())
}

/// The names of the fields of a dBASE table (dBASE III: descriptors of 32 bytes from byte 32 on, ended by 0x0d).
fn fields(dbf: &Path) -> Vec<String> {
    let bytes = std::fs::read(dbf).unwrap();
    bytes[32..]
        .chunks(32)
        .take_while(|field| field[0] != 0x0d)
        .map(|field| {
            let name = field[..11]
                .split(|byte| *byte == 0)
                .next()
                .unwrap_or_default();
            String::from_utf8_lossy(name).into_owned()
        })
        .collect()
}

#[test]
fn maps_are_saved_in_every_format() -> Result<()> {
    let folder = folder();
    let scene = imagery(folder.path(), GRID, UTM)?;
    let map = map_of(&scene, true)?;
    let out = folder.path().join("out");
    let formats = [
        Format::FlatGeobuf,
        Format::Shapefile,
        Format::GeoPackage,
        Format::GeoJson,
    ];
    let saved = map.save_with(&out, SaveOptions::new().formats(formats))?;
    let reference = scene.raster().georeference();
    let read = |ending: &str| {
        let path = out.join("polygons").with_extension(ending);
        assert!(saved.contains(&path), "{saved:?}");
        assert_eq!(
            property_names(&path)?,
            ["class", "score", "area_m2"],
            "{ending}"
        );
        read_polygons(&path, &reference, Some("class"))
    };
    let mut all = Vec::new();
    for ending in ["gpkg", "geojson", "fgb", "shp"] {
        let mut features = read(ending)?;
        // FlatGeobuf sorts by place.
        features.sort_by(|a, b| {
            let area = geo::Area::unsigned_area;
            area(&a.geometry)
                .total_cmp(&area(&b.geometry))
                .then(a.class.cmp(&b.class))
        });
        let facts: Vec<_> = (features.iter())
            .map(|one| {
                (
                    one.class.clone(),
                    geo::Area::unsigned_area(&one.geometry).round(),
                )
            })
            .collect();
        all.push(facts);
    }
    assert_eq!(all[0].len(), 4);
    assert!(all.iter().all(|facts| *facts == all[0]), "{all:?}");
    // FlatGeobuf's magic bytes: "fgb", major version 3.
    let fgb = std::fs::read(out.join("polygons.fgb")).unwrap();
    assert_eq!(&fgb[..4], b"fgb\x03");
    assert_eq!(text(out.join("polygons.cpg")), "UTF-8");
    assert_eq!(
        fields(&out.join("polygons.dbf")),
        ["class", "score", "area_m2"]
    );
    // Another choice of formats leaves none of the others.
    map.save_with(&out, SaveOptions::new().formats([Format::GeoJson]))?;
    for ending in ["gpkg", "fgb", "shp", "shx", "dbf", "prj", "cpg"] {
        assert!(
            !out.join("polygons").with_extension(ending).exists(),
            "{ending}"
        );
    }
    Ok(())
}

#[test]
fn what_a_shapefile_loses_of_objects_is_said() -> Result<()> {
    let folder = folder();
    let objects = map_of(&imagery(folder.path(), GRID, UTM)?, true)?.objects()?;
    let path = folder.path().join("objects.shp");
    let files = objects.save(&path)?;
    assert!(files.report().mentions("perim_m"));
    assert_eq!(
        fields(&path.with_extension("dbf")),
        [
            "class", "score", "area_m2", "perim_m", "width_m", "height_m"
        ]
    );
    Ok(())
}

/// Debian's GDAL has no driver of Parquet: the error names it; where there is one, the file is read again.
#[test]
fn geoparquet_is_written_or_the_missing_driver_is_named() -> Result<()> {
    let folder = folder();
    let scene = imagery(folder.path(), GRID, UTM)?;
    let map = map_of(&scene, true)?;
    let path = folder.path().join("a.parquet");
    match map.objects()?.save(&path) {
        Ok(_) => {
            let reference = scene.raster().georeference();
            assert_eq!(read_polygons(&path, &reference, Some("class"))?.len(), 4);
        }
        Err(error) => {
            assert!(
                matches!(error, Error::Vector(VectorError::NoDriver { .. })),
                "{error}"
            );
            let said = format!("{error} {}", error.hint().unwrap_or_default());
            assert!(
                said.contains("\"Parquet\"") && said.contains(".fgb"),
                "{said}"
            );
            let out = folder.path().join("out");
            map.save(&out)?;
            let before = std::fs::read(out.join("labels.tif")).unwrap();
            let options = SaveOptions::new().formats([Format::GeoParquet]);
            assert!(map.save_with(&out, &options).is_err());
            assert_eq!(std::fs::read(out.join("labels.tif")).unwrap(), before);
            assert!(out.join("polygons.gpkg").is_file());
            assert!(!path.exists());
        }
    }
    Ok(())
}

#[test]
fn without_a_place_every_format_has_pixels() -> Result<()> {
    let folder = folder();
    let scene = imagery(folder.path(), GeoTransform::PIXELS, "")?;
    let map = map_of(&scene, true)?;
    let out = folder.path().join("out");
    let formats = [Format::FlatGeobuf, Format::Shapefile];
    map.save_with(&out, SaveOptions::new().formats(formats))?;
    assert!(!out.join("polygons.prj").exists());
    for name in ["polygons.fgb", "polygons.shp"] {
        assert_eq!(
            property_names(out.join(name))?,
            ["class", "score", "area"],
            "{name}"
        );
    }
    Ok(())
}

/// The map of 1, 4, 7 and 8 pixels of half a square meter; the one of 8 is a ring around a pixel.
#[test]
fn outlines_are_drawn_while_polygons_are_saved_and_afterwards() -> Result<()> {
    let folder = folder();
    let map = map_of(&imagery(folder.path(), GRID, UTM)?, true)?;
    let out = folder.path().join("out");
    let areas = |objects: &super::Objects| {
        let mut areas = objects.areas();
        areas.sort_by(f64::total_cmp);
        areas
    };
    let filled = Outlines::new().fill_holes_m2(1.0);
    let objects = map.objects()?.with_outlines(&filled)?;
    assert_eq!(areas(&objects), [0.5, 2.0, 3.5, 4.5]);
    assert!(objects.report().mentions("1 holes below 1 m² were filled"));
    // Places and scores stay.
    let (new, old) = (objects.get(0).cloned(), map.objects()?.get(0).cloned());
    assert_eq!(
        new.map(|one| (one.center, one.score)),
        old.map(|one| (one.center, one.score))
    );

    let options = SaveOptions::new()
        .formats([Format::GeoJson])
        .outlines(filled);
    let saved = map.save_with(&out, options.clone().min_area_pixels(4.0))?;
    assert!(saved.report().mentions("1 holes below 1 m² were filled"));
    assert!(saved.report().mentions("1 areas below 4 pixels"));
    let json: serde_json::Value =
        serde_json::from_str(&text(out.join("polygons.geojson"))).unwrap();
    let mut saved: Vec<f64> = (json["features"].as_array().unwrap().iter())
        .filter_map(|feature| feature["properties"]["area_m2"].as_f64())
        .collect();
    saved.sort_by(f64::total_cmp);
    assert_eq!(saved, [2.0, 3.5, 4.5]);

    let right = Outlines::new().right_angles(true);
    let objects = map.objects()?.with_outlines(&right)?;
    assert_eq!(objects.count(), 4);
    let notices: Vec<String> = objects.report().iter().map(ToString::to_string).collect();
    // Each outline is told of once.
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(
        notices[0].contains("1 outlines got right angles"),
        "{notices:?}"
    );
    assert!(
        notices[1].contains("3 outlines have no form"),
        "{notices:?}"
    );
    for wrong in [
        Outlines::new().simplify_m(-1.0),
        Outlines::new().fill_holes_m2(f64::NAN),
    ] {
        assert!(map.objects()?.with_outlines(&wrong).is_err());
        assert!(
            map.save_with(&out, SaveOptions::new().outlines(wrong))
                .is_err()
        );
    }
    assert!(
        map.save_with(&out, SaveOptions::new().min_area_pixels(-1.0))
            .is_err()
    );
    assert!(
        out.join("polygons.geojson").is_file(),
        "what was there stays"
    );
    Ok(())
}
