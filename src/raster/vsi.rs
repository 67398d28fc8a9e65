//! Whole files by the names that GDAL knows: on disk, in archives, at addresses.

use std::path::Path;

use super::{RasterError, gdal_library, names};

/// Files that are read whole are texts; a larger one is something else.
const LARGEST: i64 = 1 << 30;

/// The bytes of a file, wherever it lies.
///
/// # Errors
/// [`RasterError::NotARaster`] when GDAL cannot read it, with its reason.
pub(crate) fn read_whole(path: &Path) -> Result<Vec<u8>, RasterError> {
    let name = gdal_library::c_path(&names::gdal_name(path));
    let (mut bytes, mut length) = (std::ptr::null_mut(), 0);
    let (read, messages) = gdal_library::with_messages(|| {
        // SAFETY: the name is a valid C string; the two places are ours, and what is put into the first is GDAL's to free.
        unsafe {
            gdal_sys::VSIIngestFile(
                std::ptr::null_mut(),
                name.as_ptr(),
                &raw mut bytes,
                &raw mut length,
                LARGEST,
            )
        }
    });
    if read == 0 || bytes.is_null() {
        return Err(RasterError::NotARaster {
            path: path.to_owned(),
            detail: messages.joined("it cannot be read"),
        });
    }
    let length = usize::try_from(length).unwrap_or(0);
    // SAFETY: GDAL put `length` bytes there, which are freed once, after they have been copied.
    unsafe {
        let copied = std::slice::from_raw_parts(bytes, length).to_vec();
        gdal_sys::VSIFree(bytes.cast());
        Ok(copied)
    }
}
