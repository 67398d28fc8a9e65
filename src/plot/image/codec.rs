//! PNG through the `png` crate; WebP through GDAL, which many builds of GDAL can write.

use std::borrow::Cow;

use super::{RgbImage, RgbaImage};
use crate::Result;
use crate::plot::PlotError;
use crate::raster::webp::{self, Keep};

/// WebP's quality for imagery: at its own size, aerial photographs of a dense town (Banepa, stretched) cannot be told
/// from those of quality 80 (structural similarity 0.98 against 0.99, `benches/pictures.py`), which take a third more space in every notebook.
const WEBP_QUALITY: u8 = 60;

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

fn png_bytes(
    width: usize,
    height: usize,
    color: png::ColorType,
    data: &[u8],
    palette: &[[u8; 4]],
) -> Result<Vec<u8>> {
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
    if !palette.is_empty() {
        encoder.set_palette(
            palette
                .iter()
                .flat_map(|color| [color[0], color[1], color[2]])
                .collect::<Vec<u8>>(),
        );
        encoder.set_trns(palette.iter().map(|color| color[3]).collect::<Vec<u8>>());
        // Long runs of one class compress best without a filter and with a thorough search, which is quick on bytes.
        encoder.set_compression(png::Compression::Balanced);
        encoder.set_filter(png::Filter::NoFilter);
    }
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
    png_bytes(
        image.width,
        image.height,
        png::ColorType::Rgb,
        &image.data,
        &[],
    )
}

/// Encodes an image with opacity as PNG.
///
/// # Errors
/// As [`encode_png`].
pub fn encode_rgba_png(image: &RgbaImage) -> Result<Vec<u8>> {
    check("an RGBA image", image.width, image.height, 4, &image.data)?;
    match indexed(image) {
        Some((indices, colors)) => png_bytes(
            image.width,
            image.height,
            png::ColorType::Indexed,
            &indices,
            &colors,
        ),
        None => png_bytes(
            image.width,
            image.height,
            png::ColorType::Rgba,
            &image.data,
            &[],
        ),
    }
}

/// The image as indices into its colors, when it has at most 256: class maps take a fraction of the space that way.
fn indexed(image: &RgbaImage) -> Option<(Vec<u8>, Vec<[u8; 4]>)> {
    let mut colors: Vec<[u8; 4]> = Vec::new();
    let mut indices = Vec::with_capacity(image.width * image.height);
    let mut last = 0;
    for pixel in image.data.chunks_exact(4) {
        let color = [pixel[0], pixel[1], pixel[2], pixel[3]];
        if colors.get(last) != Some(&color) {
            last = match colors.iter().position(|known| *known == color) {
                Some(at) => at,
                None if colors.len() < 256 => {
                    colors.push(color);
                    colors.len() - 1
                }
                None => return None,
            };
        }
        indices.push(last as u8);
    }
    (!colors.is_empty()).then_some((indices, colors))
}

/// Decodes a PNG of any color type.
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

/// Encodes an image as WebP (lossy, quality 60), or `None` where this GDAL cannot write WebP, the image is empty, or
/// larger than WebP's 16383 pixels a side.
///
/// # Errors
/// [`PlotError::Shape`] when the image's buffer does not fit its size.
pub fn encode_webp(image: &RgbImage) -> Result<Option<Vec<u8>>> {
    check("an RGB image", image.width, image.height, 3, &image.data)?;
    Ok(webp::encode(
        (image.width, image.height),
        3,
        &image.data,
        Keep::Seen(WEBP_QUALITY),
    ))
}

/// Encodes an image with opacity without any loss: as WebP, which takes two thirds of the PNG for class maps and lines,
/// or as PNG where WebP cannot be had or is no smaller.
///
/// # Errors
/// As [`encode_png`].
pub fn encode_best_rgba(image: &RgbaImage) -> Result<Encoded> {
    let png = encode_rgba_png(image)?;
    let webp = webp::encode((image.width, image.height), 4, &image.data, Keep::All);
    Ok(match webp {
        Some(bytes) if bytes.len() < png.len() => Encoded {
            bytes,
            media_type: "image/webp",
        },
        _ => Encoded {
            bytes: png,
            media_type: "image/png",
        },
    })
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
