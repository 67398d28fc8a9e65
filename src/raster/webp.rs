//! WebP files in memory, written by GDAL's own driver.

use std::sync::atomic::{AtomicU64, Ordering};

use gdal::DriverManager;
use gdal::raster::{Buffer, RasterCreationOptions};

/// WebP's own limit on either side of an image.
const LONGEST_SIDE: usize = 16_383;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// How much of the image is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keep {
    /// What is seen at this quality, from 0 to 100.
    Seen(u8),
    /// Every value of every pixel, but the colors of those that are wholly transparent.
    All,
}

/// Encodes interleaved RGB (`channels` 3) or RGBA bytes (4) as WebP; `None` where this GDAL has no WebP driver or WebP
/// cannot hold the image, so that the caller takes another format.
pub(crate) fn encode(
    (width, height): (usize, usize),
    channels: usize,
    data: &[u8],
    keep: Keep,
) -> Option<Vec<u8>> {
    if width == 0
        || height == 0
        || width.max(height) > LONGEST_SIDE
        || data.len() != width * height * channels
    {
        return None;
    }
    let webp = DriverManager::get_driver_by_name("WEBP").ok()?;
    let memory = DriverManager::get_driver_by_name("MEM").ok()?;
    let source = memory.create("", width, height, channels).ok()?;
    for channel in 0..channels {
        let plane = data
            .iter()
            .skip(channel)
            .step_by(channels)
            .copied()
            .collect();
        let mut buffer = Buffer::new((width, height), plane);
        source
            .rasterband(channel + 1)
            .ok()?
            .write((0, 0), (width, height), &mut buffer)
            .ok()?;
    }
    let path = format!(
        "/vsimem/swath-{}-{}.webp",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let options = RasterCreationOptions::from_iter(match keep {
        Keep::Seen(quality) => vec![format!("QUALITY={quality}")],
        Keep::All => vec!["LOSSLESS=YES".to_owned()],
    });
    let written = source.create_copy(&webp, &path, &options);
    let encoded = written
        .ok()
        .map(drop)
        .and_then(|()| gdal::vsi::get_vsi_mem_file_bytes_owned(&path).ok());
    if encoded.is_none() {
        // A failed copy may leave a partial file behind in GDAL's memory.
        let _ = gdal::vsi::unlink_mem_file(&path);
    }
    encoded
}
