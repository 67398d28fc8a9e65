//! Units and transforms of images.

use super::*;

/// D7: world files have no system, so nobody knows what a unit is.
#[test]
fn units_are_not_taken_for_meters() {
    let folder = folder();
    let path = placed(folder.path(), "", [1000.0, 0.5, 0.0, 2000.0, 0.0, -0.5]);
    let raster = Raster::open(&path).unwrap();
    assert!(raster.is_georeferenced());
    assert_eq!(
        (raster.gsd(), raster.pixel_words().as_deref()),
        (None, Some("0.5 x 0.5 of unknown unit"))
    );
    let scene = Scene::open(&path).unwrap();
    let text = swath::display::Show::output(&scene).text;
    assert!(
        text.contains("0.5 x 0.5 of unknown unit")
            && !text.contains(" m,")
            && !text.contains("32 m"),
        "{text}"
    );
    assert!(
        scene
            .report()
            .mentions("names no coordinate reference system")
    );
    let error = Scene::open_at(&path, Resolution::Meters(1.0)).unwrap_err();
    assert!(error.to_string().contains("how long a meter is"), "{error}");
    assert!(Scene::open_at(&path, Resolution::Factor(0.5)).is_ok());
    let error = scene
        .chips(Chips::random(1, 16).window_meters(5.0..=8.0))
        .unwrap_err();
    assert!(error.to_string().contains("how long a meter is"), "{error}");
    // Labels without a system are in the same coordinates, those with one are refused.
    let world = SQUARE.map(|(col, row)| (1000.0 + col * 0.5, 2000.0 - row * 0.5));
    assert_eq!(
        ones(
            &path,
            gpkg(folder.path(), "own.gpkg", "", vec![ring(&world)])
        ),
        600
    );
    let named = gpkg(
        folder.path(),
        "named.gpkg",
        "EPSG:32633",
        vec![ring(&world)],
    );
    assert!(
        refusal(&path, &named)
            .0
            .contains("nobody says in which system")
    );
    assert_eq!(ones(&path, VectorSource::new(&named).crs("raster")), 600);
    // Feet are known.
    let feet = Raster::open(placed(
        folder.path(),
        "EPSG:2263",
        [1e6, 1.0, 0.0, 2e5, 0.0, -1.0],
    ))
    .unwrap();
    assert!((feet.gsd().unwrap().0 - 0.3048).abs() < 1e-5);
}

/// A `.prj` file beside an image with a transform but without a system, as QGIS and ArcGIS read it.
#[test]
fn a_prj_file_beside_the_image_names_its_system() {
    let folder = folder();
    let path = placed(folder.path(), "", [5e5, 0.5, 0.0, 5e6, 0.0, -0.5]);
    let esri = "PROJCS[\"WGS_1984_UTM_Zone_33N\",GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\",6378137.0,\
                298.257223563]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],PROJECTION[\"Transverse_Mercator\"],\
                PARAMETER[\"False_Easting\",500000.0],PARAMETER[\"False_Northing\",0.0],PARAMETER[\"Central_Meridian\",15.0],\
                PARAMETER[\"Scale_Factor\",0.9996],PARAMETER[\"Latitude_Of_Origin\",0.0],UNIT[\"Meter\",1.0]]";
    std::fs::write(path.with_extension("prj"), esri).unwrap();
    let scene = Scene::open(&path).unwrap();
    assert_eq!(scene.raster().gsd(), Some((0.5, 0.5)));
    let coarse = Scene::open_at(&path, Resolution::Meters(1.0)).unwrap();
    assert_eq!(coarse.raster().gsd(), Some((1.0, 1.0)));
    assert!(scene.report().mentions("is that of"), "{}", scene.report());
    let meters = SQUARE.map(|(col, row)| (5e5 + col * 0.5, 5e6 - row * 0.5));
    assert_eq!(
        ones(
            &path,
            gpkg(folder.path(), "a.gpkg", "EPSG:32633", vec![ring(&meters)])
        ),
        600
    );
}

/// f28: the axes of a NetCDF file are in degrees.
#[test]
fn degrees_of_netcdf_are_no_meters() {
    let name = format!(
        "NETCDF:\"{}\":ndvi",
        case("f28-containers/day.nc").display()
    );
    let raster = Raster::open(&name).unwrap();
    let words = raster.pixel_words().unwrap();
    assert!(words.starts_with("0.01 x 0.01 degrees ("), "{words}");
    assert!(raster.report().mentions("WGS 84"), "{}", raster.report());
}

/// Turned, south-up and sheared images: rasterio, the polygon in the image's own coordinates, 600 pixels each.
#[test]
fn every_transform_with_an_area_works() {
    let folder = folder();
    for transform in [
        [5e5, 1.0, 0.0, 5e6, 0.0, 1.0],
        [5e5, 0.6, 0.8, 5e6, 0.8, -0.6],
        [5e5, -1.0, 0.0, 5e6, 0.0, -1.0],
        [5e5, 1.0, 0.25, 5e6, 0.0, -1.0],
        [5e5, 0.0, 1.0, 5e6, 1.0, 0.0],
    ] {
        let image = placed(folder.path(), "EPSG:32633", transform);
        let corner = |point| GeoTransform(transform).world_from_pixel(point);
        let corners = [(9.9, 9.9), (29.9, 9.9), (29.9, 39.9), (9.9, 39.9)].map(corner);
        let labels = gpkg(folder.path(), "a.gpkg", "EPSG:32633", vec![ring(&corners)]);
        assert_eq!(ones(&image, &labels), 600, "{transform:?}");
    }
}
