//! PNG files of chips and masks.

/// Values of a file.
pub(super) enum Samples<'a> {
    /// One band of indices with the names and colors of their classes; without colors they are shades of gray.
    Classes(&'a [u8], &'a [String], Option<&'a [[u8; 3]]>),
    /// `[height, width, bands]`.
    Bytes(&'a [u8]),
    /// `[height, width, bands]`.
    Words(&'a [u16]),
}

/// Encodes a square of `edge` pixels.
pub(super) fn encode(
    edge: usize,
    bands: usize,
    samples: &Samples<'_>,
) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let side = u32::try_from(edge).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_color(match bands {
        3 => png::ColorType::Rgb,
        4 => png::ColorType::Rgba,
        _ => png::ColorType::Grayscale,
    });
    let data = match samples {
        Samples::Classes(values, names, colors) => {
            if let Some(colors) = colors {
                encoder.set_color(png::ColorType::Indexed);
                // Readers refuse an index beyond the palette: 255 is in it, too.
                let mut all = colors.to_vec();
                all.resize(256, [0; 3]);
                encoder.set_palette(all.concat());
            }
            for (index, name) in names.iter().enumerate() {
                encoder.add_itxt_chunk(format!("CLASS_{index}"), name.clone())?;
            }
            values.to_vec()
        }
        Samples::Bytes(values) => values.to_vec(),
        Samples::Words(values) => {
            encoder.set_depth(png::BitDepth::Sixteen);
            values
                .iter()
                .flat_map(|value| value.to_be_bytes())
                .collect()
        }
    };
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&data)?;
    writer.finish()?;
    Ok(bytes)
}

/// Whether PNG holds so many bands.
pub(super) const fn holds(bands: usize) -> bool {
    matches!(bands, 1 | 3 | 4)
}
