//! The drawn town and the drawn place of Sentinel-2: the same everywhere, true to the pixel.

use swath::labels::IGNORE;
use swath::prelude::{BandTransform, Scene};
use swath::raster::{PixelWindow, Raster};
use swath::samples::{Sentinel, sentinel_in, town_in};

#[test]
fn the_same_seed_draws_the_same_town() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, again, other) = (
        town_in(a.path(), 1, 600),
        town_in(b.path(), 1, 600),
        town_in(a.path(), 2, 600),
    );
    let read = |town: &swath::samples::Town| {
        Raster::open(&town.scene_path)
            .unwrap()
            .read(&PixelWindow::new(0, 0, 600, 600))
            .unwrap()
    };
    let (one, again, other) = (one.unwrap(), again.unwrap(), other.unwrap());
    assert_eq!(read(&one), read(&again));
    assert_ne!(read(&one), read(&other));
    let labels = |town: &swath::samples::Town| {
        let scene = town.scene().unwrap();
        scene.label_window(&scene.area()).unwrap()
    };
    assert_eq!(labels(&one), labels(&again));
}

/// Neighboring pixels of a road's edge differ in the picture where they differ in the labels: asphalt is gray, and what
/// the labels call road is never green.
#[test]
fn labels_lie_where_things_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town_in(folder.path(), 5, 1200).unwrap().scene().unwrap();
    assert_eq!(
        scene.classes().names(),
        ["background", "building", "car", "road", "tree"]
    );
    let (patch, labels) = (
        scene.read(&scene.area()).unwrap(),
        scene.label_window(&scene.area()).unwrap(),
    );
    let mut counts = [0usize; 5];
    let mut green = [0usize; 5];
    for (pixel, &label) in labels.iter().enumerate() {
        assert_ne!(label, IGNORE);
        let [r, g, b] = [0, 1, 2].map(|band| patch.band(band)[pixel]);
        counts[usize::from(label)] += 1;
        green[usize::from(label)] += usize::from(g > r + 12.0 && g > b + 12.0);
    }
    for (name, share) in [
        ("building", 0.08),
        ("car", 0.001),
        ("road", 0.1),
        ("tree", 0.01),
    ] {
        let class = scene.classes().index_of(name).unwrap();
        assert!(
            counts[class] as f64 > share * labels.len() as f64,
            "{name}: {counts:?}"
        );
    }
    assert_eq!(green[3], 0, "no road is green");
    assert!(
        green[4] * 10 > counts[4] * 7,
        "most of every tree is: {green:?} of {counts:?}"
    );
    assert_eq!(scene.raster().nominal_gsd(), (0.3, 0.3));
}

#[test]
fn a_place_as_sentinel_2_sees_it_has_bands_of_three_sizes_and_the_convention_of_its_values() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let place = sentinel_in(a.path(), 1, 120).unwrap();
    let again = sentinel_in(b.path(), 1, 120).unwrap();
    let other = sentinel_in(a.path(), 2, 115).unwrap();
    assert_eq!(place, sentinel_in(a.path(), 1, 120).unwrap());
    let date = place.dates[2];
    let read = |place: &Sentinel, band: &str| {
        let raster = Raster::open(place.file(date, band)).unwrap();
        raster.read(&raster.full()).unwrap()
    };
    for (band, pixel) in [
        ("B02", 10),
        ("B05", 20),
        ("B11", 20),
        ("B01", 60),
        ("SCL", 20),
    ] {
        let raster = Raster::open(place.file(date, band)).unwrap();
        assert_eq!(raster.size().width, 1200 / pixel, "{band}");
        assert_eq!(raster.nominal_gsd(), (pixel as f64, pixel as f64));
        assert_eq!(raster.crs_name(), "EPSG:32632");
        assert_eq!(read(&place, band), read(&again, band));
        // Rounded up to a multiple of six.
        assert_ne!(read(&place, band), read(&other, band));
    }
    let red = Raster::open(place.file(date, "B04")).unwrap();
    let band = &red.bands()[0];
    assert_eq!(
        (band.scale, band.offset, band.nodata),
        (0.0001, -0.1, Some(0.0))
    );
    assert_eq!(band.role, Some(swath::raster::BandRole::Red));
    let values = read(&place, "B04");
    assert!(
        values
            .data
            .iter()
            .all(|&value| (1000.0..9000.0).contains(&value))
    );
    let truth = Raster::open(&place.land_cover_path).unwrap();
    assert_eq!(truth.category_names()[1..3], ["bare", "built"]);
}

#[test]
fn the_truth_of_a_place_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let place = sentinel_in(folder.path(), 4, 240).unwrap();
    let scene = place.scene().unwrap();
    assert_eq!(
        scene.classes().names(),
        [
            "background",
            "bare",
            "built",
            "forest",
            "maize",
            "water",
            "wheat"
        ]
    );
    // The outlines, burned in their order, are the raster of the truth.
    let truth = Raster::open(&place.land_cover_path).unwrap();
    let cover = truth.read(&truth.full()).unwrap();
    let patch = scene.read(&scene.area()).unwrap();
    let labels = scene.label_window(&scene.area()).unwrap();
    let mut counts = [0usize; 7];
    for (at, &label) in labels.iter().enumerate() {
        if patch.valid[at] == 0 {
            assert_eq!(label, IGNORE);
            continue;
        }
        assert_eq!(f32::from(label), cover.data[at], "pixel {at}");
        counts[usize::from(label)] += 1;
    }
    assert!(
        counts.iter().all(|&count| count > 200),
        "all classes are there: {counts:?}"
    );
    // Clouds and shadows lie where SCL says: elsewhere nothing is as bright as a cloud, and water never is brighter than soil.
    let series = scene.read_series(&scene.area()).unwrap();
    let blue = series.bands.iter().position(|name| name == "B02").unwrap();
    let mut clouds = 0;
    for date in 0..series.dates.len() {
        let raw = Raster::open(place.file(series.dates[date], "B02")).unwrap();
        let raw = raw.read(&raw.full()).unwrap();
        for (pixel, &stored) in raw.data.iter().enumerate() {
            let reflectance = f64::from(stored) * 0.0001 - 0.1;
            match series.value(date, blue, pixel / 240, pixel % 240) {
                Some(_) => assert!(reflectance < 0.25, "{reflectance} is a cloud"),
                None => clouds += usize::from(reflectance > 0.3),
            }
        }
    }
    assert!(clouds > 1000, "{clouds}");
}

/// Means of NDVI by class and date, of pixels without clouds: what tells the crops apart is the date.
#[test]
fn the_two_crops_differ_by_date_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = sentinel_in(folder.path(), 1, 240).unwrap();
    let series = place.series().bands(["B04", "B08"]);
    // Of the two bands of near infrared the broad one is meant, as in an index.
    let all = place.scene().unwrap();
    all.show_series_bands(["nir", "red", "green"]).unwrap();
    let one = all.on_date(place.dates[0]).unwrap();
    one.show_bands(["swir2", "nir", "red"]).unwrap();
    assert!(one.show_bands(["rededge"]).is_err());
    let scene = place
        .labeled(&Scene::series_with(series).unwrap())
        .unwrap()
        .with_transforms([
            BandTransform::linear(0.0001, -0.1),
            BandTransform::index("ndvi"),
        ])
        .unwrap();
    let labels = scene.label_window(&scene.area()).unwrap();
    let pixels = scene.read_series(&scene.area()).unwrap();
    let class = |name: &str| scene.classes().index_of(name).unwrap();
    let mean = |name: &str, date: usize| {
        let (mut sum, mut count) = (0.0, 0);
        for (at, &label) in labels.iter().enumerate() {
            if usize::from(label) == class(name)
                && let Some(value) = pixels.value(date, 2, at / 240, at % 240)
            {
                sum += f64::from(value);
                count += 1;
            }
        }
        assert!(count > 100, "{name} on {date}: {count}");
        sum / f64::from(count)
    };
    let (may, june, august) = (2, 3, 4);
    assert!(mean("wheat", may) > mean("maize", may) + 0.3);
    assert!(mean("maize", august) > mean("wheat", august) + 0.3);
    assert!((mean("maize", june) - mean("wheat", june)).abs() < 0.08);
    for date in [may, june, august] {
        assert!(mean("water", date) < 0.0 && mean("forest", date) > 0.6);
    }
}

#[test]
fn a_place_of_no_size_is_refused_and_one_that_cannot_be_drawn_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for size in [0, 10_981, 1_000_000] {
        let error = sentinel_in(folder.path(), 1, size).unwrap_err();
        assert!(error.to_string().contains(&size.to_string()), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // What stands in the way of a band is a folder.
    let place = sentinel_in(folder.path(), 1, 66).unwrap();
    let band = place.file(place.dates[3], "B05");
    std::fs::remove_file(&place.land_cover_path).unwrap();
    std::fs::remove_file(&band).unwrap();
    std::fs::create_dir_all(band.join("in the way")).unwrap();
    sentinel_in(folder.path(), 1, 66).unwrap_err();
    assert!(!place.folder.exists());
    assert_eq!(sentinel_in(folder.path(), 1, 66).unwrap(), place);
}
