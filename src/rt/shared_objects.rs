//! The shared object of the crates that cells have added: opened once for the whole process, before the first cell that
//! needs it, so that every cell uses the same statics of those crates.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::CString;
use std::path::Path;

/// The file beside a cell's object that names the shared objects it needs, one a line, in the order of opening.
const LIST: &str = "shared-objects";

thread_local! {
    static OPENED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Opens what the cell's object at `path` needs and what is not open yet. Nothing is ever closed: where a later object
/// defines what an earlier one did, the earlier one's code and statics stay in use.
pub(super) fn open_beside(path: &str) -> Result<(), String> {
    let Ok(list) = std::fs::read_to_string(Path::new(path).with_file_name(LIST)) else {
        return Ok(());
    };
    list.lines()
        .filter(|line| !line.is_empty())
        .try_for_each(open)
}

fn open(path: &str) -> Result<(), String> {
    if OPENED.with_borrow(|opened| opened.contains(path)) {
        return Ok(());
    }
    let c_path = CString::new(path).map_err(|_| "a path holds a zero byte".to_owned())?;
    // SAFETY: the path ends in zero. The object is one that the kernel has built of the user's dependencies.
    let object = unsafe { libc::dlopen(c_path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if object.is_null() {
        let reason = super::cells::loader_error();
        return Err(format!("the object of the dependencies: {reason}"));
    }
    OPENED.with_borrow_mut(|opened| opened.insert(path.to_owned()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_without_a_list_needs_nothing_and_a_missing_object_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let cell = folder.path().join("libcode_1.so");
        let cell = cell.to_str().unwrap();
        assert_eq!(open_beside(cell), Ok(()));
        std::fs::write(folder.path().join(LIST), "/nowhere/dependencies.so\n").unwrap();
        let reason = open_beside(cell).unwrap_err();
        assert!(reason.contains("/nowhere/dependencies.so"), "{reason}");
    }
}
