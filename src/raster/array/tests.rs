use ndarray::{Array2, Array3, s};

use super::*;
use crate::raster::{GeoTransform, PixelWindow, RasterType, RasterWriter, WriterOptions, held};

fn of(dim: (usize, usize, usize)) -> Array3<f32> {
    Array3::from_shape_fn(dim, |(band, row, col)| {
        (1000 * band + 50 * row + col) as f32
    })
}

fn values(raster: &Raster) -> Array3<f32> {
    raster.read(&raster.full()).unwrap().to_array()
}

/// Against the same pixels written as a GeoTIFF and read back.
#[test]
fn an_array_is_read_as_a_file_of_the_same_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let array = of((2, 30, 40));
    let grid = GeoTransform::north_up(500_000.0, 4_000_000.0, 10.0);
    let mut writer = RasterWriter::create(
        &path,
        Size::new(40, 30),
        2,
        RasterType::F32,
        grid,
        "EPSG:32613",
        WriterOptions::default().nodata(1005.0),
    )
    .unwrap();
    writer
        .write_window(&PixelWindow::new(0, 0, 40, 30), array.as_slice().unwrap())
        .unwrap();
    writer.finish().unwrap();
    let file = Raster::open(&path).unwrap();
    let place = GeoReference::new(grid, "EPSG:32613");
    let raster = Raster::from_array(
        ImageArray::new(array)
            .nodata(1005.0)
            .place(place)
            .named("town"),
    )
    .unwrap();
    for window in [
        PixelWindow::new(-3, -2, 20, 10),
        PixelWindow::new(5, 6, 7, 8),
        file.full(),
    ] {
        assert_eq!(raster.read(&window).unwrap(), file.read(&window).unwrap());
    }
    let (own, other) = (raster.statistics().unwrap(), file.statistics().unwrap());
    assert_eq!((own[1].mean, own[1].count), (other[1].mean, other[1].count));
    assert_eq!(raster.crs_name(), file.crs_name());
    assert_eq!(
        (raster.transform(), raster.size()),
        (file.transform(), file.size())
    );
    assert_eq!(raster.path().file_name().unwrap(), "town");
    assert_eq!(raster.format(), "MEM");
    let small = Size::new(10, 6);
    let (one, two) = (
        raster.read_scaled(&file.full(), small).unwrap(),
        file.read_scaled(&file.full(), small).unwrap(),
    );
    assert_eq!(one.valid, two.valid);
}

#[test]
fn strides_types_and_axes_are_those_of_the_array() {
    let array = of((3, 8, 9));
    let part = array.slice(s![..;2, 1..7;2, ..;-1]);
    assert_eq!(values(&Raster::from_array(part).unwrap()), part);
    assert_eq!(
        values(&Raster::from_array(array.slice(s![1.., .., ..])).unwrap()),
        array.slice(s![1.., .., ..])
    );
    assert_eq!(
        values(&Raster::from_array(array.clone().slice_move(s![1..2, .., ..])).unwrap()),
        array.slice(s![1..2, .., ..])
    );
    let last = array.clone().permuted_axes([1, 2, 0]);
    assert_eq!(
        values(&Raster::from_array(ImageArray::new(&last).bands_last()).unwrap()),
        array
    );
    let standard = last.as_standard_layout().into_owned();
    assert_eq!(
        values(&Raster::from_array(ImageArray::new(standard).bands_last()).unwrap()),
        array
    );
    let plane = array.slice(s![1, .., ..]);
    assert_eq!(
        values(&Raster::from_array(plane).unwrap()).slice(s![0, .., ..]),
        plane
    );
    assert_eq!(
        values(&Raster::from_array(array.clone().into_dyn()).unwrap()),
        array
    );
    macro_rules! of_type {
        ($($number:ty => $kind:ident),+) => {$(
            let typed = array.mapv(|value| (value as i64 % 100) as $number);
            let raster = Raster::from_array(typed.view()).unwrap();
            assert_eq!(raster.data_type(), DataType::$kind);
            assert_eq!(values(&raster), typed.mapv(|value| value as f32));
        )+};
    }
    of_type!(u8 => U8, i8 => I8, u16 => U16, i16 => I16, u32 => U32, i32 => I32, u64 => U64, i64 => I64, f32 => F32, f64 => F64);
    let negative = Raster::from_array(Array2::<i8>::from_elem((2, 2), -128)).unwrap();
    assert_eq!(values(&negative)[[0, 1, 1]], -128.0);
    let truth = Raster::from_array(Array2::<bool>::from_elem((2, 2), true)).unwrap();
    assert_eq!(
        (truth.data_type(), values(&truth)[[0, 0, 0]]),
        (DataType::U8, 1.0)
    );
}

#[test]
fn what_is_no_imagery_is_refused() {
    let error = |array: ImageArray| match Raster::from_array(array).unwrap_err() {
        crate::Error::Raster(RasterError::Array(error)) => error,
        other => panic!("{other}"),
    };
    assert!(matches!(
        error(of((0, 3, 4)).into()),
        ArrayError::Empty { .. }
    ));
    assert!(matches!(
        error(of((3, 0, 4)).into()),
        ArrayError::Empty { .. }
    ));
    assert!(matches!(
        error(
            of((1, 3, 4))
                .into_dyn()
                .insert_axis(ndarray::Axis(0))
                .into()
        ),
        ArrayError::Axes { .. }
    ));
    let named = ImageArray::new(of((3, 4, 5))).band_names(["red", "nir"]);
    assert!(matches!(
        error(named),
        ArrayError::Names {
            expected: 3,
            found: 2
        }
    ));
    let place = GeoReference::new(GeoTransform::north_up(0.0, 0.0, 1.0), "EPSG:999999");
    assert!(Raster::from_array(ImageArray::new(of((1, 2, 2))).place(place)).is_err());
    let tall = Raster::from_array(of((40, 30, 3))).unwrap();
    assert!(
        tall.report()
            .iter()
            .any(|notice| notice.text().contains("40 bands of 3 x 30"))
    );
    let bytes = Raster::from_array(Array3::<u8>::zeros((3, 4, 5))).unwrap();
    assert_eq!(bytes.band_names(), ["red", "green", "blue"]);
    assert!(
        bytes
            .report()
            .iter()
            .any(|notice| notice.text().contains("red, green and blue"))
    );
}

#[test]
fn not_a_number_is_invalid_and_names_with_signs_are_kept() {
    let mut array = of((2, 3, 3));
    array[[1, 1, 1]] = f32::NAN;
    array[[0, 2, 2]] = f32::INFINITY;
    let array = ImageArray::new(array)
        .band_names(["<red> & 'x'", "near \"infrared\""])
        .named("a/b.c");
    let raster = Raster::from_array(array).unwrap();
    assert_eq!(raster.band_names(), ["<red> & 'x'", "near \"infrared\""]);
    let patch = raster.read(&raster.full()).unwrap();
    assert_eq!(patch.valid, [1, 1, 1, 1, 0, 1, 1, 1, 0]);
    assert!(!patch.valid_array()[[1, 1]] && patch.valid_array()[[0, 1]]);
}

/// Held by whatever reads from it, in every thread; then GDAL knows the name no more.
#[test]
fn an_array_is_freed_with_its_last_raster() {
    let raster = Raster::from_array(of((2, 300, 200))).unwrap();
    let path = raster.path().to_owned();
    let again = Raster::open(&path).unwrap();
    let expected = values(&raster);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(values(&again), expected));
        }
    });
    drop(raster);
    assert_eq!(values(&again), expected);
    assert!(held::Held::named(&path).is_some());
    let half = again.at(crate::raster::Resolution::Factor(0.5)).unwrap();
    drop(again);
    assert_eq!(half.size(), Size::new(100, 150));
    assert!(half.read(&half.full()).is_ok());
    drop(half);
    assert!(held::Held::named(&path).is_none());
    assert!(Raster::open(&path).is_err());
}
