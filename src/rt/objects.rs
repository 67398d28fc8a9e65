//! Whose code an address belongs to: what decides where a thread may be stopped.

use std::ffi::{CStr, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicPtr, Ordering};

/// Whose code it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A cell's, or that of a crate which a cell has added.
    Cell,
    /// Rust's standard library.
    Std,
    /// The C library.
    C,
    /// Arithmetic and the clock: code that holds nothing.
    Leaf,
    /// This library.
    Library,
    Other,
}

struct Range {
    start: usize,
    end: usize,
    owner: Owner,
}

/// The objects of this process, in order; handlers read it.
static TABLE: AtomicPtr<Vec<Range>> = AtomicPtr::new(std::ptr::null_mut());

/// Takes stock of all loaded objects; those under `cells` belong to cells.
///
/// # Safety
/// No handler may be looking meanwhile.
pub(super) unsafe fn take_stock(cells: &Path) {
    let mut stock = Stock {
        cells: cells.to_owned(),
        ranges: Vec::new(),
    };
    // SAFETY: the callback gets back the pointer to `stock`, which lives through the call.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut stock).cast()) };
    stock.ranges.sort_by_key(|range| range.start);
    let old = TABLE.swap(Box::into_raw(Box::new(stock.ranges)), Ordering::AcqRel);
    if !old.is_null() {
        // SAFETY: it was made by `Box::into_raw` above, and the caller promises that nobody reads it.
        drop(unsafe { Box::from_raw(old) });
    }
}

struct Stock {
    cells: PathBuf,
    ranges: Vec<Range>,
}

unsafe extern "C" fn visit(
    object: *mut libc::dl_phdr_info,
    _size: usize,
    stock: *mut c_void,
) -> c_int {
    // SAFETY: the loader passes a valid object, and `take_stock` its own stock.
    let (object, stock) = unsafe { (&*object, &mut *stock.cast::<Stock>()) };
    // SAFETY: the name is a text that ends in zero, or null.
    let name = unsafe {
        if object.dlpi_name.is_null() {
            c""
        } else {
            CStr::from_ptr(object.dlpi_name)
        }
    };
    let owner = owner(Path::new(&*name.to_string_lossy()), &stock.cells);
    // SAFETY: the loader gives the headers with their number.
    let headers =
        unsafe { std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)) };
    for header in headers {
        if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0 {
            let start = (object.dlpi_addr + header.p_vaddr) as usize;
            stock.ranges.push(Range {
                start,
                end: start + header.p_memsz as usize,
                owner,
            });
        }
    }
    0
}

fn owner(object: &Path, cells: &Path) -> Owner {
    if object.starts_with(cells) {
        return Owner::Cell;
    }
    let name = object
        .file_name()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    let begins = |beginning: &str| name.starts_with(beginning);
    if begins("libstd-") {
        Owner::Std
    } else if begins("libc.so") || begins("libc-") || begins("libpthread") {
        Owner::C
    } else if begins("libm.so") || begins("libm-") || begins("linux-vdso") {
        Owner::Leaf
    } else if begins("libswath") {
        Owner::Library
    } else {
        Owner::Other
    }
}

/// Whose code is at the address; signal handlers may ask.
pub(super) fn owner_of(address: usize) -> Owner {
    let table = TABLE.load(Ordering::Acquire);
    if table.is_null() {
        return Owner::Other;
    }
    // SAFETY: `take_stock` is not called while a handler looks, so the table lives.
    let table: &[Range] = unsafe { &*table };
    let after = table.partition_point(|range| range.start <= address);
    match after.checked_sub(1).map(|index| &table[index]) {
        Some(range) if address < range.end => range.owner,
        _ => Owner::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_known_by_their_names_and_addresses_by_their_objects() {
        let cells = Path::new("/tmp/swath-session-1-x/cell");
        for (path, expected) in [
            ("/tmp/swath-session-1-x/cell/target/code_3.so", Owner::Cell),
            ("/usr/lib/libstd-d1237ef7159db0a2.so", Owner::Std),
            ("/lib/x86_64-linux-gnu/libc.so.6", Owner::C),
            ("/lib/x86_64-linux-gnu/libm.so.6", Owner::Leaf),
            ("linux-vdso.so.1", Owner::Leaf),
            ("/opt/lib-swath/libswath.so", Owner::Library),
            ("/lib/libgdal.so.32", Owner::Other),
            ("", Owner::Other),
        ] {
            assert_eq!(owner(Path::new(path), cells), expected, "{path}");
        }
        // SAFETY: no handler is installed in this test.
        unsafe { take_stock(cells) };
        assert_eq!(owner_of(libc::getpid as *const () as usize), Owner::C);
        assert_eq!(owner_of(16), Owner::Other);
    }
}
