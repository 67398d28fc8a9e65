//! The library's own commands (`data`, `info`, `predict`, …): the library is opened and called, so that this program
//! starts quickly and needs no GDAL for what it does itself.

use std::ffi::{CStr, CString, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::toolchain::{Toolchain, library_folder};

/// Set in the second start of the program, whose loader knows the library's folders.
const SECOND_START: &str = "SWATH_FORWARDED";

type CommandLine = unsafe extern "C" fn(c_int, *const *const c_char) -> c_int;

/// Runs the library's command line with `arguments`.
///
/// # Errors
/// When the library cannot be opened.
pub(crate) fn forward(arguments: &[OsString]) -> Result<ExitCode, String> {
    let lib_dir = library_folder();
    if std::env::var_os(SECOND_START).is_none() {
        return Err(start_again(&lib_dir)?);
    }
    let run = command_line(&lib_dir.join("libswath.so"))?;
    // As in `main`, the first word is the program's name.
    let words =
        std::iter::once(OsStr::new("swath")).chain(arguments.iter().map(OsString::as_os_str));
    let texts: Vec<CString> = words
        .filter_map(|word| CString::new(word.as_bytes()).ok())
        .collect();
    let pointers: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
    let count = c_int::try_from(pointers.len()).map_err(|_| "too many arguments".to_owned())?;
    // SAFETY: `count` zero-terminated strings that outlive the call; the library's function does not unwind.
    let status = unsafe { run(count, pointers.as_ptr()) };
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
}

/// The loader reads `LD_LIBRARY_PATH` only when a program starts: this one starts again with it. Returns why it did not.
fn start_again(lib_dir: &Path) -> Result<String, String> {
    let toolchain = Toolchain::find(lib_dir)?;
    let mut folders = vec![lib_dir.to_owned()];
    folders.extend(toolchain.standard_library_folder());
    folders.extend(
        std::env::var_os("LD_LIBRARY_PATH")
            .iter()
            .flat_map(std::env::split_paths),
    );
    let path = std::env::join_paths(folders).map_err(|error| error.to_string())?;
    let program = std::env::current_exe()
        .map_err(|error| format!("this program does not find itself: {error}"))?;
    let error = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env("LD_LIBRARY_PATH", path)
        .env(SECOND_START, "1")
        .exec();
    Ok(format!("this program cannot be started again: {error}"))
}

fn command_line(library: &Path) -> Result<CommandLine, String> {
    let handle = open(library)?;
    // SAFETY: a handle of dlopen and a zero-terminated name.
    let symbol = unsafe { libc::dlsym(handle, c"swath_cli".as_ptr()) };
    if symbol.is_null() {
        return Err(format!(
            "the library has no command line, it is of another version: {}",
            library.display()
        ));
    }
    // SAFETY: the library declares `swath_cli` with this signature.
    Ok(unsafe { std::mem::transmute::<*mut libc::c_void, CommandLine>(symbol) })
}

/// Opens a shared library.
///
/// # Errors
/// What the loader says.
fn open(library: &Path) -> Result<*mut libc::c_void, String> {
    let path = CString::new(library.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: a zero-terminated path; the library's initializers are those of Rust and GDAL.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if !handle.is_null() {
        return Ok(handle);
    }
    // SAFETY: dlerror gives a zero-terminated text or null.
    let reason = unsafe { libc::dlerror() };
    let reason = if reason.is_null() {
        "unknown reason".into()
    } else {
        // SAFETY: not null, and copied before the next call of the loader.
        unsafe { CStr::from_ptr(reason) }
            .to_string_lossy()
            .into_owned()
    };
    Err(format!(
        "the library cannot be opened: {reason}; `swath doctor` says what is missing"
    ))
}
