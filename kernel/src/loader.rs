//! Opens the library and finds its functions: the front process itself does not link it.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A loaded library; it is never unloaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Library(*mut libc::c_void);

impl Library {
    /// Loads the library for the whole process: cells bind their undefined symbols against it.
    ///
    /// # Errors
    /// What the system's loader says.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let path = CString::new(path.as_os_str().as_bytes())
            .map_err(|_| "its path holds a zero byte".to_owned())?;
        // SAFETY: the path ends in zero. Initializers of the library are those of Rust's and GDAL's shared objects.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        if handle.is_null() {
            Err(loader_error())
        } else {
            Ok(Self(handle))
        }
    }

    /// Finds a function of the library.
    ///
    /// # Errors
    /// What the system's loader says.
    ///
    /// # Safety
    /// `F` must be the type of a function pointer with the symbol's signature.
    pub(crate) unsafe fn symbol<F: Copy>(self, name: &CStr) -> Result<F, String> {
        // SAFETY: the handle comes from dlopen and the name ends in zero.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if address.is_null() {
            return Err(loader_error());
        }
        assert_eq!(
            size_of::<F>(),
            size_of_val(&address),
            "F is a function pointer"
        );
        // SAFETY: the caller promises that `F` is the symbol's type; the sizes are equal.
        Ok(unsafe { std::mem::transmute_copy(&address) })
    }
}

fn loader_error() -> String {
    // SAFETY: dlerror returns null or a string that ends in zero and is valid until the next call.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            "unknown error".to_owned()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_and_its_functions_are_found_or_named() {
        let missing = Library::open(Path::new("/nowhere/libswath.so")).unwrap_err();
        assert!(missing.contains("/nowhere/libswath.so"), "{missing}");
        let library = Library::open(Path::new("libc.so.6")).unwrap();
        // SAFETY: the C library's own signature.
        let absolute =
            unsafe { library.symbol::<unsafe extern "C" fn(i32) -> i32>(c"abs") }.unwrap();
        // SAFETY: any number but the least has an absolute value.
        assert_eq!(unsafe { absolute(-5) }, 5);
        // SAFETY: there is no such function.
        let nothing = unsafe { library.symbol::<extern "C" fn()>(c"swath_nothing") }.unwrap_err();
        assert!(nothing.contains("swath_nothing"), "{nothing}");
    }
}
