//! The variables of the session, between cells.
//!
//! Cells run on one thread at a time, so the store is that thread's own and its values need not be `Send`. When that
//! thread is put aside for ever (see `stop`), its successor takes over the store, values and all.

use std::alloc::Layout;
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicPtr, Ordering};

type Variables = BTreeMap<String, Kept>;

/// A variable between cells.
struct Kept {
    value: Box<dyn Any>,
    /// What `type_name` said where it was made; its text is part of a cell's object, which stays.
    type_name: &'static str,
}

/// What a cell takes a variable for.
#[derive(Clone, Copy)]
struct Expected {
    id: TypeId,
    name: &'static str,
    layout: Layout,
}

impl Expected {
    fn of<T: 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: std::any::type_name::<T>(),
            layout: Layout::new::<T>(),
        }
    }

    /// Whether a value can be taken for this type.
    ///
    /// The identities of all types of cells change when one of them is defined anew with another meaning (`identity` of
    /// the kernel's requests), so that no `dyn Any` gives a value of the old type as one of the new. Those that did not
    /// change are known by their names then: the kernel has compared their structures before it had the cell run
    /// (`swath-cell`'s `proof`).
    fn fits(&self, kept: &Kept) -> bool {
        let (id, name) = ((*kept.value).type_id(), kept.type_name);
        let is_same = id == self.id || (name == self.name && names_a_cells_type(name));
        is_same && Layout::for_value(&*kept.value) == self.layout
    }
}

/// Whether a type is of the cells' crate, or has a part that is.
fn names_a_cells_type(type_name: &str) -> bool {
    type_name.match_indices("ctx::").any(|(place, _)| {
        let before = type_name[..place].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':')
    })
}

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
    keep(name, std::any::type_name::<T>(), Box::new(value));
}

fn keep(name: &str, type_name: &'static str, value: Box<dyn Any>) {
    let kept = Kept { value, type_name };
    let replaced = with_variables(|variables| variables.insert(name.to_owned(), kept));
    // Dropped only now: a user's `Drop` may use the store.
    super::guard::discard(name, replaced);
}

/// Looks at the value of each variable.
pub(super) fn each(mut look: impl FnMut(&str, &dyn Any)) {
    with_variables(|variables| {
        for (name, kept) in variables.iter() {
            look(name, &*kept.value);
        }
    });
}

/// Whether the variable is there.
#[must_use]
pub fn is_kept(name: &str) -> bool {
    with_variables(|variables| variables.contains_key(name))
}

/// Whether the variable is there with this type. A variable of another type is dropped: its type was redefined.
#[must_use]
pub fn has<T: 'static>(name: &str) -> bool {
    is_of(name, Expected::of::<T>())
}

fn is_of(name: &str, expected: Expected) -> bool {
    let fits =
        with_variables(|variables| variables.get(name).is_some_and(|kept| expected.fits(kept)));
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
    let value = Box::into_raw(take_box(name, Expected::of::<T>()));
    // SAFETY: `fits` has compared the type and its layout, and nobody else has the value.
    *unsafe { Box::from_raw(value.cast::<T>()) }
}

fn take_box(name: &str, expected: Expected) -> Box<dyn Any> {
    let kept = with_variables(|variables| variables.remove(name));
    match kept.filter(|kept| expected.fits(kept)) {
        Some(kept) => kept.value,
        None => missing(name),
    }
}

#[cold]
#[expect(
    clippy::panic,
    reason = "generated code asks first; the cell ends, the session stays"
)]
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
    use swath_link::message::Outcome;

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
    fn a_type_of_cells_is_known_by_its_name_and_layout_when_its_identity_is_another() {
        let kept = Kept {
            value: Box::new(5_i32),
            type_name: "alloc::vec::Vec<ctx::Point>",
        };
        let expected = Expected {
            id: TypeId::of::<u32>(),
            name: "alloc::vec::Vec<ctx::Point>",
            layout: Layout::new::<u32>(),
        };
        assert!(expected.fits(&kept));
        let larger = Layout::new::<u64>();
        assert!(
            !Expected {
                layout: larger,
                ..expected
            }
            .fits(&kept)
        );
        let other = "alloc::vec::Vec<ctx::Place>";
        assert!(
            !Expected {
                name: other,
                ..expected
            }
            .fits(&kept)
        );
        // Another build of a crate is never taken for the first.
        for (name, is_of_cells) in [
            ("ctx::A", true),
            ("&ctx::A", true),
            ("(u8, ctx::A)", true),
            ("gl_ctx::A", false),
            ("gl::ctx::A", false),
            ("u8", false),
        ] {
            assert_eq!(names_a_cells_type(name), is_of_cells, "{name}");
        }
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
        let (end, _) = super::super::guard::end();
        assert!(
            matches!(&end, Outcome::Panic { message, .. } if message.contains("boom")),
            "{end:?}"
        );
        assert_eq!(take::<i32>("bomb"), 5);
    }
}
