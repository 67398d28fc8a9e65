//! The library's own commands (`data`, `info`, `predict`, …), once their words are understood: the library is opened and called, so that this program
//! starts quickly and needs no GDAL for what it does itself.

use std::ffi::{CString, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use swath_link::environment;

use crate::loader::Library;
use crate::toolchain::{Toolchain, library_folder};
use crate::{natives, permissions};

type CommandLine = unsafe extern "C" fn(c_int, *const *const c_char) -> c_int;

/// Runs the library's command line with `arguments`.
///
/// # Errors
/// When the library cannot be opened.
pub(crate) fn forward(arguments: impl Iterator<Item = OsString>) -> Result<ExitCode, String> {
    let lib_dir = library_folder();
    permissions::check(&permissions::of_library(&lib_dir))?;
    if std::env::var_os(environment::FORWARDED).is_none() {
        return Err(start_again(&lib_dir)?);
    }
    let run = command_line(&lib_dir.join("libswath.so"))?;
    // As in `main`, the first word is the program's name.
    let words = std::iter::once(OsString::from("swath")).chain(arguments);
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
    folders.extend(natives::library_folders(lib_dir));
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
        .envs(natives::variables(lib_dir))
        .env(environment::FORWARDED, "1")
        .exec();
    Ok(format!("this program cannot be started again: {error}"))
}

/// The library's command line.
///
/// # Errors
/// What is wrong with the library.
fn command_line(library: &Path) -> Result<CommandLine, String> {
    let opened = Library::open(library).map_err(|reason| {
        format!("the library cannot be opened: {reason}; `swath doctor` says what is missing")
    })?;
    // SAFETY: the library declares `swath_cli` with this signature.
    unsafe { opened.symbol(c"swath_cli") }.map_err(|_| {
        format!(
            "the library has no command line, it is of another version: {}",
            library.display()
        )
    })
}
