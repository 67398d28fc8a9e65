//! The process in which cells run: it loads each cell's object and calls it, one after the other.

use std::ffi::{CStr, CString, c_void};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::RawFd;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{guard, pipes, show, side, signals, store};

/// Deep recursion in users' code is common (trees, parsers), so cells get more stack than a main thread's 8 MiB.
const STACK_BYTES: usize = 256 << 20;

/// What evcxr writes to have a cell run, before the object's path and the function's name.
const LOAD_AND_RUN: &str = "LOAD_AND_RUN ";
/// What evcxr waits for.
const EXECUTION_COMPLETE: &[u8] = b"EVCXR_EXECUTION_COMPLETE\n";

/// Runs cells until the front process closes the pipe. The front process' environment names the descriptors.
#[unsafe(no_mangle)]
#[expect(
    unreachable_pub,
    reason = "the kernel finds it by its name in the shared object"
)]
pub extern "C" fn swath_child_main() -> ! {
    let served = std::thread::Builder::new()
        .name("main".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(serve)
        .map_err(|error| format!("cannot start the cells' thread: {error}"))
        .and_then(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err("the cells' thread panicked".to_owned()))
        });
    if let Err(reason) = served {
        pipes::write_error(&format!("swath: {reason}\n"));
        std::process::exit(1);
    }
    std::process::exit(0)
}

fn serve() -> Result<(), String> {
    let [stdout, stderr, channel] =
        ["SWATH_STDOUT_FD", "SWATH_STDERR_FD", "SWATH_SIDE_FD"].map(descriptor_from_environment);
    let protocol = pipes::redirect(stdout?, stderr?)
        .map_err(|error| format!("cannot redirect output: {error}"))?;
    side::connect(channel?);
    restore_environment();
    crate::session::set_sink(Arc::new(side::SideSink));
    guard::install_panic_hook();
    signals::install();
    pipes::start_flusher().map_err(|error| format!("cannot start a thread: {error}"))?;
    let pipes::Protocol {
        requests,
        mut answers,
        ..
    } = protocol;
    for line in BufReader::new(requests).lines() {
        let line = line.map_err(|error| format!("cannot read a request: {error}"))?;
        if let Some((path, function)) = line
            .strip_prefix(LOAD_AND_RUN)
            .and_then(|rest| rest.rsplit_once(' '))
        {
            run_cell(path, function, &mut answers)?;
        }
    }
    Ok(())
}

fn descriptor_from_environment(name: &str) -> Result<RawFd, String> {
    let value = std::env::var(name)
        .map_err(|_| format!("{name} is not set: this process is started by the kernel"))?;
    value
        .parse()
        .map_err(|_| format!("{name} is not a descriptor: {value}"))
}

/// Hides the plumbing from users' code and from the programs it starts.
fn restore_environment() {
    let library_path = std::env::var_os("SWATH_USER_LD_LIBRARY_PATH");
    // SAFETY: only this thread and one that waits for it exist yet.
    unsafe {
        for name in [
            "SWATH_CHILD",
            "SWATH_STDOUT_FD",
            "SWATH_STDERR_FD",
            "SWATH_SIDE_FD",
            "SWATH_USER_LD_LIBRARY_PATH",
        ] {
            std::env::remove_var(name);
        }
        match library_path {
            Some(path) if !path.is_empty() => std::env::set_var("LD_LIBRARY_PATH", path),
            _ => std::env::remove_var("LD_LIBRARY_PATH"),
        }
    }
}

fn run_cell(path: &str, function: &str, answers: &mut File) -> Result<(), String> {
    crate::session::set_interrupted(false);
    let answer = side::ask(&json!({ "kind": "begin", "pid": std::process::id() }));
    guard::begin();
    show::begin();
    pipes::set_running(true);
    if answer.is_some_and(|answer| answer["cancel"] == true) {
        guard::report_cancelled();
    } else if let Err(reason) = load_and_call(path, function) {
        guard::report_not_loaded(reason);
    }
    pipes::set_running(false);
    pipes::flush();
    let mut outcome = guard::end();
    outcome["interrupted"] = crate::session::interrupted().into();
    let dropped = side::ask(&json!({
        "kind": "done", "outcome": outcome, "names": store::names(), "shown": show::has_shown(),
    }));
    // The front process answers with names that later cells cannot use, such as closures.
    for name in dropped
        .as_ref()
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        store::remove(name);
    }
    pipes::flush();
    answers
        .write_all(EXECUTION_COMPLETE)
        .map_err(|error| format!("cannot answer: {error}"))
}

/// The signature that evcxr gives a cell's function; our cells leave its argument alone.
type CellFunction = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

fn load_and_call(path: &str, function: &str) -> Result<(), String> {
    let c_path =
        CString::new(path).map_err(|_| "the object's path holds a zero byte".to_owned())?;
    let c_function =
        CString::new(function).map_err(|_| "the function's name holds a zero byte".to_owned())?;
    // SAFETY: both strings end in zero. The object is one that the kernel has just built; it is never unloaded, so
    // the code and the values it leaves behind stay valid.
    let call = unsafe {
        let object = libc::dlopen(c_path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        if object.is_null() {
            return Err(loader_error());
        }
        let symbol = libc::dlsym(object, c_function.as_ptr());
        if symbol.is_null() {
            return Err(loader_error());
        }
        std::mem::transmute::<*mut c_void, CellFunction>(symbol)
    };
    // A loaded object no longer needs its file; a long session would leave thousands.
    let _ = std::fs::remove_file(path);
    // SAFETY: the kernel generated the function with this signature; it ignores its argument and catches panics.
    unsafe { call(std::ptr::null_mut()) };
    Ok(())
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
