//! WebP files in memory, written by GDAL's own driver.

use std::sync::atomic::{AtomicU64, Ordering};

use gdal::DriverManager;
use gdal::raster::{Buffer, RasterCreationOptions};

/// WebP's own limit on either side of an image.
const LONGEST_SIDE: usize = 16_383;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Encodes interleaved RGB bytes as lossy WebP; `None` where this GDAL has no WebP driver or WebP cannot hold the
/// image, so that the caller takes another format.
pub(crate) fn encode(width: usize, height: usize, rgb: &[u8], quality: u8) -> Option<Vec<u8>> {
    if width == 0
        || height == 0
        || width.max(height) > LONGEST_SIDE
        || rgb.len() != width * height * 3
    {
        return None;
    }
    let webp = DriverManager::get_driver_by_name("WEBP").ok()?;
    let memory = DriverManager::get_driver_by_name("MEM").ok()?;
    let source = memory.create("", width, height, 3).ok()?;
    for channel in 0..3 {
        let plane = rgb.iter().skip(channel).step_by(3).copied().collect();
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
    let options = RasterCreationOptions::from_iter([format!("QUALITY={quality}")]);
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
