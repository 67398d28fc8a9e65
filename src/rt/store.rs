//! The variables of the session, between cells.
//!
//! Cells run on one thread at a time, so the store is that thread's own and its values need not be `Send`. When that
//! thread is put aside for ever (see `stop`), its successor takes over the store, values and all.

use std::alloc::Layout;
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicPtr, Ordering};

type Variables = BTreeMap<String, Box<dyn Any>>;

/// The store of the thread that runs the cells; null before there is one.
static OF_CELLS: AtomicPtr<RefCell<Variables>> = AtomicPtr::new(std::ptr::null_mut());

thread_local! {
    static VARIABLES: Cell<&'static RefCell<Variables>> = Cell::new(Box::leak(Box::default()));
}

fn with_variables<R>(use_them: impl FnOnce(&mut Variables) -> R) -> R {
    use_them(&mut VARIABLES.get().borrow_mut())
}

/// Makes this thread the one that runs the cells: it takes over the variables of the one before it.
///
/// # Safety
/// The thread that called this before must never run again outside signal handlers, and must not be inside this module.
pub(super) unsafe fn adopt() {
    let own = std::ptr::from_ref(VARIABLES.get()).cast_mut();
    let earlier = OF_CELLS.compare_exchange(
        std::ptr::null_mut(),
        own,
        Ordering::AcqRel,
        Ordering::Acquire,
    );
    if let Err(earlier) = earlier {
        // SAFETY: it was leaked, so it lives for ever; the caller promises that its last owner is done with it.
        VARIABLES.set(unsafe { &*earlier });
    }
}

/// Drops everything: the session ends.
pub(super) fn clear() {
    // Dropped outside: a user's `Drop` may use the store.
    drop(with_variables(std::mem::take));
}

/// A type that no constant has: how generated code tells a capital name that is a variable from a constant.
#[derive(Debug)]
pub struct NoConstant(());

/// Keeps a variable for later cells.
pub fn put<T: 'static>(name: &str, value: T) {
    keep(name, Box::new(value));
}

fn keep(name: &str, value: Box<dyn Any>) {
    let replaced = with_variables(|variables| variables.insert(name.to_owned(), value));
    // Dropped only now: a user's `Drop` may use the store.
    super::guard::discard(name, replaced);
}

/// Whether the variable is there.
#[must_use]
pub fn is_kept(name: &str) -> bool {
    with_variables(|variables| variables.contains_key(name))
}

/// Whether the variable is there with this type. A variable of another type is dropped: its type was redefined.
///
/// A type that cells define keeps its identity when its definition changes. The kernel compares structures before it
/// has a cell run (`swath-cell`'s `proof`); here size and alignment are compared once more, as the last guard.
#[must_use]
pub fn has<T: 'static>(name: &str) -> bool {
    is_of(name, TypeId::of::<T>(), Layout::new::<T>())
}

fn is_of(name: &str, expected: TypeId, layout: Layout) -> bool {
    let fits = with_variables(|variables| {
        variables.get(name).is_some_and(|value| {
            (**value).type_id() == expected && Layout::for_value(&**value) == layout
        })
    });
    if !fits {
        remove(name);
        super::guard::report_lost(name);
    }
    fits
}

/// Takes a variable out of the store. Generated code asks [`has`] first.
///
/// # Panics
/// When the variable is not there with this type.
#[must_use]
pub fn take<T: 'static>(name: &str) -> T {
    match take_box(name).downcast::<T>() {
        Ok(value) => *value,
        Err(_) => missing(name),
    }
}

fn take_box(name: &str) -> Box<dyn Any> {
    with_variables(|variables| variables.remove(name)).unwrap_or_else(|| missing(name))
}

#[cold]
fn missing(name: &str) -> ! {
    panic!("the variable `{name}` is not in the session's store")
}

/// The names of the variables that later cells can use.
pub(super) fn names() -> Vec<String> {
    with_variables(|variables| variables.keys().cloned().collect())
}

/// Drops a variable.
pub(super) fn remove(name: &str) {
    let removed = with_variables(|variables| variables.remove(name));
    super::guard::discard(name, removed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_comes_back_with_its_type_and_value() {
        put("numbers", vec![1.5, 2.5]);
        assert!(has::<Vec<f64>>("numbers"));
        assert_eq!(take::<Vec<f64>>("numbers"), [1.5, 2.5]);
        assert_eq!(names(), Vec::<String>::new());
    }

    #[test]
    fn a_variable_of_another_type_is_dropped_instead_of_reinterpreted() {
        put("number", 5_i32);
        assert!(!has::<u32>("number"));
        assert!(!has::<i32>("number"), "it is gone");
    }

    #[test]
    fn a_panic_of_a_replaced_value_leaves_the_new_one() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("boom");
            }
        }
        super::super::guard::begin();
        put("bomb", Bomb);
        put("bomb", 5_i32);
        let end = super::super::guard::end();
        assert_eq!(end["kind"], "panic");
        assert!(end["message"].as_str().unwrap().contains("boom"));
        assert_eq!(take::<i32>("bomb"), 5);
    }
}
