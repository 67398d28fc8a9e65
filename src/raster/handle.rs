use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use gdal_sys::GDALDatasetH;

use super::{RasterError, gdal_library};

/// Datasets that one thread keeps open; the one used longest ago is closed for the next.
const OPEN_PER_THREAD: usize = 12;

/// An open GDAL dataset, closed when dropped. GDAL's rule is one handle per thread.
#[derive(Debug)]
pub(crate) struct Handle(GDALDatasetH);

// SAFETY: a dataset may move between threads; only use from two threads at once is forbidden, and `Handle` is not `Sync`.
unsafe impl Send for Handle {}

impl Handle {
    /// Opens a raster for reading.
    pub(crate) fn open(path: &Path) -> Result<Self, RasterError> {
        let name = gdal_library::c_path(path);
        let (handle, messages) = gdal_library::with_messages(|| {
            // SAFETY: the name is a valid C string, and null lists stand for the defaults. The option is one of this thread
            // alone, and taken back: newer versions of GDAL let a virtual raster of raw values read only files beside it, which
            // is right for those of others, and not for the descriptions of arrays that are made here.
            unsafe {
                let raw_bands = c"GDAL_VRT_RAWRASTERBAND_ALLOWED_SOURCE".as_ptr();
                let is_ours = super::held::is_held(path);
                if is_ours {
                    gdal_sys::CPLSetThreadLocalConfigOption(raw_bands, c"ALL".as_ptr());
                }
                let handle = gdal_sys::GDALOpenEx(
                    name.as_ptr(),
                    gdal_library::OPEN_RASTER | gdal_library::OPEN_VERBOSE,
                    std::ptr::null(),
                    std::ptr::null(),
                    std::ptr::null(),
                );
                if is_ours {
                    gdal_sys::CPLSetThreadLocalConfigOption(raw_bands, std::ptr::null());
                }
                handle
            }
        });
        if handle.is_null() {
            let detail = messages.joined("no driver recognizes it");
            return Err(RasterError::NotARaster {
                path: path.to_owned(),
                detail,
            });
        }
        Ok(Self(handle))
    }

    /// Takes over a dataset; `None` when the pointer is null.
    pub(crate) fn from_raw(handle: GDALDatasetH) -> Option<Self> {
        (!handle.is_null()).then_some(Self(handle))
    }

    pub(crate) fn raw(&self) -> GDALDatasetH {
        self.0
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open and ours alone.
        unsafe { gdal_sys::GDALClose(self.0) };
    }
}

thread_local! {
    static OPEN: RefCell<Vec<(u64, Rc<Handle>)>> = const { RefCell::new(Vec::new()) };
}

/// This thread's handle for the raster `id`, opened on first use.
pub(crate) fn of_this_thread(id: u64, path: &Path) -> Result<Rc<Handle>, RasterError> {
    let found = OPEN.with_borrow_mut(|open| {
        let position = open.iter().position(|(key, _)| *key == id)?;
        let entry = open.remove(position);
        let handle = Rc::clone(&entry.1);
        open.push(entry);
        Some(handle)
    });
    if let Some(handle) = found {
        return Ok(handle);
    }
    let handle = Rc::new(Handle::open(path)?);
    OPEN.with_borrow_mut(|open| {
        if open.len() >= OPEN_PER_THREAD {
            open.remove(0);
        }
        open.push((id, Rc::clone(&handle)));
    });
    Ok(handle)
}
