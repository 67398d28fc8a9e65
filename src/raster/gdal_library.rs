//! The GDAL library as a whole: its drivers, its messages, its memory.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Once;

use gdal::DriverManager;
use gdal_sys::{CPLErr, CPLErrorNum};

/// GDAL's block cache: enough for the blocks that neighboring chips share, and a bound on what streaming a large scene
/// may hold. `GDAL_CACHEMAX` in the environment overrides it.
const CACHE_BYTES: i64 = 192 * 1024 * 1024;

/// Messages kept between two looks; a damaged file can repeat the same one for every block.
const MESSAGE_LIMIT: usize = 32;

/// `GDAL_OF_RASTER`: the bindings leave the macros out.
pub(crate) const OPEN_RASTER: u32 = 0x02;
/// `GDAL_OF_VECTOR`.
pub(crate) const OPEN_VECTOR: u32 = 0x04;
/// `GDAL_OF_VERBOSE_ERROR`: say why nothing opened.
pub(crate) const OPEN_VERBOSE: u32 = 0x40;

thread_local! {
    static MESSAGES: RefCell<Messages> = const {
        RefCell::new(Messages {
            texts: Vec::new(),
            failures: Vec::new(),
        })
    };
}

/// GDAL's question during long work whether to go on: 0 stops it, when the user asked to stop.
pub(crate) unsafe extern "C" fn go_on(
    _complete: f64,
    _message: *const c_char,
    _data: *mut c_void,
) -> c_int {
    c_int::from(!crate::session::interrupted())
}

/// Prepares GDAL once: drivers, a quiet message handler, a bounded cache.
pub(crate) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The bindings register the drivers at their first use. A second registration, while another thread opens a file,
        // would change the list that this thread walks: so theirs is the only one, and it is over when this returns.
        let drivers = DriverManager::count();
        debug_assert!(drivers > 0);
        // SAFETY: GDAL allows these from any thread; `Once` makes sure that they run before anything else of ours.
        unsafe {
            gdal_sys::CPLSetErrorHandler(Some(keep_message));
            if std::env::var_os("GDAL_CACHEMAX").is_none() {
                gdal_sys::GDALSetCacheMax64(CACHE_BYTES);
            }
        }
    });
}

/// Drops what GDAL remembers of a remote file, which may be another one by now.
pub(crate) fn forget_remote(name: &std::path::Path) {
    prepare();
    let name = c_path(name);
    // SAFETY: the name is a C string; GDAL allows this from any thread.
    unsafe { gdal_sys::VSICurlPartialClearCache(name.as_ptr()) };
}

/// What GDAL complained about during one action. Its class decides whether the action failed, never its words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Messages {
    texts: Vec<String>,
    /// The texts of failures alone (`CE_Failure` and worse), which come first when there is no room for all.
    failures: Vec<String>,
}

impl Messages {
    /// Whether GDAL said that something failed; warnings alone do not count.
    pub(crate) fn failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Whether something failed, but for failures of these words: for what GDAL calls a failure and the caller knows to be none.
    pub(crate) fn failed_but_for(&self, words: Option<&str>) -> bool {
        let known = |text: &String| words.is_some_and(|words| text.contains(words));
        !self.failures.iter().all(known)
    }

    /// Every text, warnings included.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    pub(crate) fn extend(&mut self, others: Self) {
        self.texts.extend(others.texts);
        self.failures.extend(others.failures);
    }

    /// As one sentence, of the failures if there are any; `otherwise` when GDAL said nothing.
    pub(crate) fn joined(&self, otherwise: &str) -> String {
        let told = if self.failures.is_empty() {
            &self.texts
        } else {
            &self.failures
        };
        let mut unique: Vec<&str> = Vec::new();
        for message in told {
            let message = message.trim();
            if !message.is_empty() && !unique.contains(&message) {
                unique.push(message);
            }
        }
        unique.truncate(4);
        if unique.is_empty() {
            otherwise.to_owned()
        } else {
            unique.join("; ")
        }
    }

    fn keep(&mut self, failure: bool, text: String) {
        if failure && self.failures.len() < MESSAGE_LIMIT {
            self.failures.push(text.clone());
        }
        if self.texts.len() < MESSAGE_LIMIT {
            self.texts.push(text);
        }
    }
}

/// Runs `action` and returns what GDAL had to complain about meanwhile on this thread.
pub(crate) fn with_messages<T>(action: impl FnOnce() -> T) -> (T, Messages) {
    prepare();
    MESSAGES.with_borrow_mut(|messages| *messages = Messages::default());
    let value = action();
    (value, MESSAGES.with_borrow_mut(std::mem::take))
}

/// GDAL prints messages on stderr otherwise, where they would turn up in a notebook beside a proper error.
unsafe extern "C" fn keep_message(
    class: CPLErr::Type,
    _number: CPLErrorNum,
    message: *const c_char,
) {
    if class < CPLErr::CE_Warning || message.is_null() {
        return;
    }
    // SAFETY: GDAL passes a NUL-terminated string that lives for the duration of the call.
    let text = unsafe { CStr::from_ptr(message) }
        .to_string_lossy()
        .into_owned();
    // During thread shutdown the storage may be gone already, and a message then has no reader.
    let _ = MESSAGES.try_with(|messages| {
        if let Ok(mut messages) = messages.try_borrow_mut() {
            messages.keep(class >= CPLErr::CE_Failure, text);
        }
    });
}

/// Copies a C string that GDAL owns; empty when there is none.
///
/// # Safety
/// `pointer` is null or points to a NUL-terminated string.
pub(crate) unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: by the caller's promise.
    unsafe { CStr::from_ptr(pointer) }
        .to_string_lossy()
        .into_owned()
}

/// A list of `KEY=VALUE` strings as GDAL takes them.
#[derive(Debug)]
pub(crate) struct StringList {
    strings: Vec<std::ffi::CString>,
    pointers: Vec<*mut c_char>,
}

impl StringList {
    /// Text with a NUL byte in it is cut there, since C cannot hold it.
    pub(crate) fn new<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Self {
        let strings: Vec<_> = items
            .into_iter()
            .map(|item| c_string(item.as_ref()))
            .collect();
        let mut list = Self {
            strings,
            pointers: Vec::new(),
        };
        list.pointers = list
            .strings
            .iter()
            .map(|string| string.as_ptr().cast_mut())
            .collect();
        list.pointers.push(std::ptr::null_mut());
        list
    }

    pub(crate) fn as_ptr(&self) -> *mut *mut c_char {
        debug_assert_eq!(
            self.pointers.len(),
            self.strings.len() + 1,
            "the list ends with a null pointer"
        );
        self.pointers.as_ptr().cast_mut()
    }
}

/// A C string; text with a NUL byte in it is cut there.
pub(crate) fn c_string(text: &str) -> std::ffi::CString {
    let bytes: Vec<u8> = text.bytes().take_while(|&byte| byte != 0).collect();
    std::ffi::CString::new(bytes).unwrap_or_default()
}

/// A path as GDAL takes it.
pub(crate) fn c_path(path: &std::path::Path) -> std::ffi::CString {
    use std::os::unix::ffi::OsStrExt;
    let bytes: Vec<u8> = path
        .as_os_str()
        .as_bytes()
        .iter()
        .copied()
        .take_while(|&byte| byte != 0)
        .collect();
    std::ffi::CString::new(bytes).unwrap_or_default()
}

/// Whether the name is for GDAL alone to resolve: a virtual file system, a connection string, a subdataset.
pub(crate) fn is_virtual(path: &std::path::Path) -> bool {
    let text = path.to_string_lossy();
    text.starts_with("/vsi")
        || text
            .split_once(':')
            .is_some_and(|(prefix, _)| prefix.len() > 1 && !prefix.contains(['/', '.']))
        || text.trim_start().starts_with(['<', '{'])
}
