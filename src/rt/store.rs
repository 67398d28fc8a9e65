//! The variables of the session, between cells.
//!
//! All cells run on one thread, so the store is that thread's own and its values need not be `Send`.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;

thread_local! {
    static VARIABLES: RefCell<BTreeMap<String, Box<dyn Any>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Keeps a variable for later cells.
pub fn put<T: 'static>(name: &str, value: T) {
    put_box(name, Box::new(value));
}

fn put_box(name: &str, value: Box<dyn Any>) {
    let replaced = VARIABLES.with_borrow_mut(|variables| variables.insert(name.to_owned(), value));
    // Dropped only now: a user's `Drop` may use the store.
    drop(replaced);
}

/// Whether the variable is there with this type. A variable of another type is dropped: its type was redefined.
pub fn has<T: 'static>(name: &str) -> bool {
    has_type(name, TypeId::of::<T>())
}

fn has_type(name: &str, expected: TypeId) -> bool {
    let found =
        VARIABLES.with_borrow(|variables| variables.get(name).map(|value| (**value).type_id()));
    if found == Some(expected) {
        return true;
    }
    drop(VARIABLES.with_borrow_mut(|variables| variables.remove(name)));
    super::guard::report_lost(name);
    false
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
    VARIABLES
        .with_borrow_mut(|variables| variables.remove(name))
        .unwrap_or_else(|| missing(name))
}

#[cold]
fn missing(name: &str) -> ! {
    panic!("the variable `{name}` is not in the session's store")
}

/// The names of the variables that later cells can use.
pub(super) fn names() -> Vec<String> {
    VARIABLES.with_borrow(|variables| variables.keys().cloned().collect())
}

/// Drops a variable.
pub(super) fn remove(name: &str) {
    drop(VARIABLES.with_borrow_mut(|variables| variables.remove(name)));
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
}
