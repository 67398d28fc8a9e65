//! The child role of the program: the process in which the cells run.

#![expect(
    clippy::print_stderr,
    reason = "the child process has no other way to say why it ends"
)]

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::help::process;
use super::terminal;

/// Says that this process is a child, and by its value which one: `1` runs cells.
pub(crate) const CHILD_ENV: &str = "SWATH_CHILD";
/// The value for the process that completes and inspects.
pub(crate) const HELP: &str = "help";
/// Names the library for the child.
pub(crate) const LIBRARY_ENV: &str = "SWATH_LIBRARY";

/// Becomes the process in which the cells run, or one of the helping ones, and never returns, when the environment
/// says so. The first line of `main` calls it.
pub(crate) fn run_if_child() {
    match std::env::var(CHILD_ENV).as_deref() {
        Ok("1") => run_cells(),
        Ok(HELP) => process::run(),
        _ => {}
    }
}

fn run_cells() -> ! {
    let library = std::env::var_os(LIBRARY_ENV).unwrap_or_default();
    let reason = match open_library(Path::new(&library)) {
        Ok(library) => {
            terminal::pretend(library);
            // SAFETY: the function has this signature in the library (`src/rt/child.rs`).
            match unsafe { symbol::<extern "C" fn() -> !>(library, c"swath_child_main") } {
                Ok(main) => main(),
                Err(reason) => reason,
            }
        }
        Err(reason) => reason,
    };
    eprintln!(
        "swath: the library {} cannot be used: {reason}",
        Path::new(&library).display()
    );
    std::process::exit(1);
}

/// A loaded library; it is never unloaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Library(*mut libc::c_void);

/// Loads the library for the whole process: cells bind their undefined symbols against it.
pub(crate) fn open_library(path: &Path) -> Result<Library, String> {
    let path = CString::new(path.as_os_str().as_bytes())
        .map_err(|_| "its path holds a zero byte".to_owned())?;
    // SAFETY: the path ends in zero. Initializers of the library are those of Rust's and GDAL's shared objects.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if handle.is_null() {
        Err(loader_error())
    } else {
        Ok(Library(handle))
    }
}

/// Finds a function of the library.
///
/// # Safety
/// `F` must be the type of a function pointer with the symbol's signature.
pub(crate) unsafe fn symbol<F: Copy>(library: Library, name: &CStr) -> Result<F, String> {
    // SAFETY: the handle comes from dlopen and the name ends in zero.
    let address = unsafe { libc::dlsym(library.0, name.as_ptr()) };
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
