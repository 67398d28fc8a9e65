//! PNG through the `png` crate; WebP through GDAL, which many builds of GDAL can write.

use std::borrow::Cow;

use super::{RgbImage, RgbaImage};
use crate::Result;
use crate::plot::PlotError;

/// WebP's quality for imagery: no visible blocks on aerial photographs, about a tenth of the PNG.
const WEBP_QUALITY: u8 = 85;

/// An encoded image with its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// `image/webp` or `image/png`.
    pub media_type: &'static str,
}

fn check(
    what: &'static str,
    width: usize,
    height: usize,
    channels: usize,
    data: &[u8],
) -> Result<()> {
    let expected = width * height * channels;
    if data.len() == expected {
        Ok(())
    } else {
        Err(PlotError::Shape {
            what,
            expected,
            found: data.len(),
        }
        .into())
    }
}

fn png_bytes(width: usize, height: usize, color: png::ColorType, data: &[u8]) -> Result<Vec<u8>> {
    let codec = |error: &dyn std::fmt::Display| PlotError::Codec {
        doing: "encode",
        format: "PNG",
        reason: error.to_string(),
    };
    // PNG has no empty images: one transparent or black pixel stands for none.
    let (width, height, data) = if width == 0 || height == 0 {
        (1, 1, Cow::Owned(vec![0; color.samples()]))
    } else {
        (width, height, Cow::Borrowed(data))
    };
    let size = |value: usize| u32::try_from(value).map_err(|error| codec(&error));
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size(width)?, size(height)?);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(|error| codec(&error))?;
    writer
        .write_image_data(&data)
        .map_err(|error| codec(&error))?;
    writer.finish().map_err(|error| codec(&error))?;
    Ok(bytes)
}

/// Encodes an image as PNG.
///
/// # Errors
/// [`PlotError`] when the image's buffer does not fit its size, or is too large for PNG.
///
/// ```
/// # use swath::plot::image::{RgbImage, decode_png, encode_png};
/// let image = RgbImage::filled(3, 2, [200, 30, 40]);
/// assert_eq!(decode_png(&encode_png(&image)?)?.pixel(2, 1), [200, 30, 40, 255]);
/// # Ok::<(), swath::Error>(())
/// ```
pub fn encode_png(image: &RgbImage) -> Result<Vec<u8>> {
    check("an RGB image", image.width, image.height, 3, &image.data)?;
    png_bytes(image.width, image.height, png::ColorType::Rgb, &image.data)
}

/// Encodes an image with opacity as PNG.
///
/// # Errors
/// As [`encode_png`].
pub fn encode_rgba_png(image: &RgbaImage) -> Result<Vec<u8>> {
    check("an RGBA image", image.width, image.height, 4, &image.data)?;
    png_bytes(image.width, image.height, png::ColorType::Rgba, &image.data)
}

/// Decodes a PNG of any colour type.
///
/// # Errors
/// [`PlotError::Codec`] when the bytes are no PNG.
pub fn decode_png(bytes: &[u8]) -> Result<RgbaImage> {
    let codec = |error: &dyn std::fmt::Display| PlotError::Codec {
        doing: "decode",
        format: "PNG",
        reason: error.to_string(),
    };
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(
        png::Transformations::normalize_to_color8() | png::Transformations::ALPHA,
    );
    let mut reader = decoder.read_info().map_err(|error| codec(&error))?;
    let length = reader
        .output_buffer_size()
        .ok_or_else(|| codec(&"it is too large"))?;
    let mut data = vec![0; length];
    let frame = reader
        .next_frame(&mut data)
        .map_err(|error| codec(&error))?;
    data.truncate(frame.buffer_size());
    if frame.color_type == png::ColorType::GrayscaleAlpha {
        data = data
            .chunks_exact(2)
            .flat_map(|pixel| [pixel[0], pixel[0], pixel[0], pixel[1]])
            .collect();
    }
    Ok(RgbaImage {
        width: frame.width as usize,
        height: frame.height as usize,
        data,
    })
}

/// Encodes an image as WebP (lossy, quality 85), or `None` where this GDAL cannot write WebP, the image is empty, or
/// larger than WebP's 16383 pixels a side.
///
/// # Errors
/// [`PlotError::Shape`] when the image's buffer does not fit its size.
pub fn encode_webp(image: &RgbImage) -> Result<Option<Vec<u8>>> {
    check("an RGB image", image.width, image.height, 3, &image.data)?;
    Ok(crate::raster::webp::encode(
        image.width,
        image.height,
        &image.data,
        WEBP_QUALITY,
    ))
}

/// Encodes imagery as WebP, or as PNG where WebP cannot be had.
///
/// # Errors
/// As [`encode_png`].
pub fn encode_best(image: &RgbImage) -> Result<Encoded> {
    Ok(match encode_webp(image)? {
        Some(bytes) => Encoded {
            bytes,
            media_type: "image/webp",
        },
        None => Encoded {
            bytes: encode_png(image)?,
            media_type: "image/png",
        },
    })
}
