use rand::RngExt as _;

use super::{cases, patch};
use crate::labels::{Classes, IGNORE};
use crate::plot::image::{
    Stretch, class_map, decode_png, encode_best, encode_best_rgba, encode_png, encode_rgba_png,
    encode_webp, outlines, overlay, rgb, rgb_auto,
};
use crate::plot::{PlotError, RgbImage, RgbaImage};
use crate::{Error, Hint as _};

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
        let three = [[0, 0, 0, 0], [230, 159, 0, 255], [1, 2, 3, 128]];
        let data = (0..width * height)
            .flat_map(|_| three[case.random_range(0..3)])
            .collect();
        let classes = RgbaImage {
            width,
            height,
            data,
        };
        assert_eq!(decode_png(&encode_rgba_png(&classes)?)?, classes);
    }
    let data = (0..300 * 300 * 4).map(|at| (at / 4 % 7) as u8).collect();
    let many = RgbaImage {
        width: 300,
        height: 300,
        data,
    };
    assert!(
        encode_rgba_png(&many)?.len() < 300 * 300,
        "few colors take at most a byte a pixel"
    );
    Ok(())
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
        "a constant band is mid-gray"
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
fn bands_can_be_shown_in_any_order_and_invalid_pixels_are_gray() -> crate::Result<()> {
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

/// What GDAL reads from an encoded image, band by band.
fn planes(bytes: &[u8], ending: &str) -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
    let file = tempfile::NamedTempFile::with_suffix(ending)?;
    std::fs::write(file.path(), bytes)?;
    let read = |dataset: gdal::Dataset| -> gdal::errors::Result<Vec<Vec<u8>>> {
        let bands = 1..=dataset.raster_count();
        bands
            .map(|band| {
                Ok(dataset
                    .rasterband(band)?
                    .read_band_as::<u8>()?
                    .into_shape_and_vec()
                    .1)
            })
            .collect()
    };
    Ok(gdal::Dataset::open(file.path()).and_then(read)?)
}

#[test]
fn layers_with_opacity_lose_nothing_and_are_no_larger_than_their_png()
-> Result<(), Box<dyn std::error::Error>> {
    let classes = [[230, 159, 0, 255], [0, 0, 0, 0], [86, 180, 233, 128]];
    let blocks = RgbaImage {
        width: 120,
        height: 90,
        data: (0..120 * 90)
            .flat_map(|at| classes[(at % 120 / 17 + at / 120 / 13) % 3])
            .collect(),
    };
    let encoded = encode_best_rgba(&blocks)?;
    assert!(encoded.bytes.len() <= encode_rgba_png(&blocks)?.len());
    if encoded.media_type == "image/webp" {
        let planes = planes(&encoded.bytes, ".webp")?;
        assert_eq!(planes.len(), 4);
        for (at, pixel) in blocks.data.chunks_exact(4).enumerate() {
            assert_eq!(planes[3][at], pixel[3]);
            if pixel[3] > 0 {
                assert_eq!([planes[0][at], planes[1][at], planes[2][at]], pixel[..3]);
            }
        }
    }
    let empty = encode_best_rgba(&RgbaImage::transparent(0, 0))?;
    assert_eq!(empty.media_type, "image/png");
    Ok(())
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
