//! Whole files by the names that GDAL knows: on disk, in archives, at addresses.

use std::io::{Read, Seek, SeekFrom};
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

/// A file that GDAL opens by name, on disk, in an archive or at an address, read piece by piece.
#[derive(Debug)]
pub(super) struct VsiFile {
    handle: *mut gdal_sys::VSILFILE,
    length: u64,
    position: u64,
}

impl VsiFile {
    /// # Errors
    /// [`RasterError::NotARaster`] when GDAL cannot open it, with its reason.
    pub(super) fn open(path: &Path) -> Result<Self, RasterError> {
        let name = gdal_library::c_path(path);
        let (handle, messages) = gdal_library::with_messages(|| {
            // SAFETY: both are C strings.
            unsafe { gdal_sys::VSIFOpenL(name.as_ptr(), c"rb".as_ptr()) }
        });
        if handle.is_null() {
            return Err(RasterError::NotARaster {
                path: path.to_owned(),
                detail: messages.joined("it cannot be opened"),
            });
        }
        let mut file = Self {
            handle,
            length: 0,
            position: 0,
        };
        // SAFETY: the file is open and ours alone.
        file.length = unsafe {
            const END: std::ffi::c_int = 2;
            gdal_sys::VSIFSeekL(file.handle, 0, END);
            gdal_sys::VSIFTellL(file.handle)
        };
        // SAFETY: as above; 0 counts from the beginning.
        unsafe { gdal_sys::VSIFSeekL(file.handle, 0, 0) };
        Ok(file)
    }

    /// Its bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

impl Read for VsiFile {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        // SAFETY: the file is open and ours alone, and the buffer is as long as GDAL is told.
        let read =
            unsafe { gdal_sys::VSIFReadL(bytes.as_mut_ptr().cast(), 1, bytes.len(), self.handle) };
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for VsiFile {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(step) => self.length.checked_add_signed(step),
            SeekFrom::Current(step) => self.position.checked_add_signed(step),
        };
        let target = target.ok_or(std::io::ErrorKind::InvalidInput)?;
        // SAFETY: the file is open and ours alone; 0 counts from the beginning.
        match unsafe { gdal_sys::VSIFSeekL(self.handle, target, 0) } {
            0 => {
                self.position = target;
                Ok(target)
            }
            _ => Err(std::io::Error::other("the file cannot be read there")),
        }
    }
}

impl Drop for VsiFile {
    fn drop(&mut self) {
        // SAFETY: the file is open and ours alone.
        unsafe { gdal_sys::VSIFCloseL(self.handle) };
    }
}
