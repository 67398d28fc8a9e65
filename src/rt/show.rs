//! How a cell shows its last value: `(&(value)).__swath_shown().evcxr_display()` picks the first of these that applies,
//! where [`ShowBehind`] takes a value for what it refers to.
//!
//! 1. an inherent `evcxr_display` (types with `show_in_cells!`, users' own types), [`ShowRich`] for every other type
//!    that implements [`Show`], collections of such among them, or [`ShowInside`] for one inside an `Ok`;
//! 2. [`ShowDebug`]: the `{:?}` text of any other value;
//! 3. [`ShowAny`]: the name of the type of a value that cannot be printed.
//!
//! The order is that of method lookup on a receiver of type `&T`: by value, then `&&T`, then `&mut &T`. It has no fourth
//! step, so whether a value is a collection of anything else is asked before ([`list`]).

use std::any::type_name;
use std::fmt::Debug;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::{Bool, Int, Tensor};

use super::screen::{self, Long};
use crate::display::{Output, Show};

/// Whether one of the traits here has shown the cell's last value. If not, a type of the user's has shown itself.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Forgets what the last cell has shown.
pub(super) fn begin() {
    SHOWN.store(false, Ordering::Relaxed);
}

/// Whether the cell's last value was shown by one of the traits here.
pub(super) fn has_shown() -> bool {
    SHOWN.load(Ordering::Relaxed)
}

/// Takes note of a value that is shown by nothing.
pub(super) fn show_nothing() {
    SHOWN.store(true, Ordering::Relaxed);
}

/// Shows what a value looks like.
pub(super) fn show(output: Output) {
    SHOWN.store(true, Ordering::Relaxed);
    crate::session::result(output);
}

/// Before the steps: of a reference what it refers to, so that `run.history()` and `scene.classes()` are shown as the values
/// themselves are.
pub trait ShowBehind<'a> {
    /// What is to be shown.
    type Shown: ?Sized;

    /// What is to be shown. Found by value for a reference to a reference, and by one more reference for all else.
    fn __swath_shown(self) -> &'a Self::Shown;
}

impl<'a, T: ?Sized> ShowBehind<'a> for &&'a T {
    type Shown = T;

    fn __swath_shown(self) -> &'a T {
        self
    }
}

/// Step 1: values that implement [`Show`] without an inherent method.
pub trait ShowRich {
    /// Shows the value as the result of the cell.
    fn evcxr_display(&self);
}

impl<T: Show + ?Sized> ShowRich for T {
    fn evcxr_display(&self) {
        show(self.output().on_a_screen());
    }
}

/// Step 1 as well: an `Ok` of a value that implements [`Show`] is shown as that value.
pub trait ShowInside {
    /// Shows the value as the result of the cell.
    fn evcxr_display(&self);
}

impl<T: Show, E> ShowInside for Result<T, E> {
    fn evcxr_display(&self) {
        // The other case is the cell's error.
        if let Ok(value) = self {
            show(value.output().on_a_screen());
        }
    }
}

/// Asks whether a value is a collection whose elements do not show themselves: `list(value).__swath_is_shown()` shows a
/// screen of it. The first of three types that knows the method answers, by their `Deref`; unlike the steps above, this tells
/// a reference from what it refers to.
pub fn list<T: ?Sized>(value: &T) -> ListOfShown<'_, T> {
    ListOfShown(List(NoList(value)))
}

/// The same after `:fmt` and `:types`, which say how collections look.
pub fn no_list<T: ?Sized>(value: &T) -> NoList<'_, T> {
    NoList(value)
}

/// A value that may have [`Show`].
pub struct ListOfShown<'a, T: ?Sized>(List<'a, T>);

/// A value that may be a collection.
pub struct List<'a, T: ?Sized>(NoList<'a, T>);

/// Any value.
pub struct NoList<'a, T: ?Sized>(&'a T);

impl<T: Show + ?Sized> ListOfShown<'_, T> {
    /// Whether it has been shown: that is done later.
    pub fn __swath_is_shown(&self) -> bool {
        false
    }
}

impl<T: Long + ?Sized> List<'_, T> {
    /// Shows a screen of it.
    pub fn __swath_is_shown(&self) -> bool {
        let value = self.0.0;
        let text = screen::long_text(
            value.length(),
            value.brackets(),
            &mut |each| value.visit(each),
            type_name::<T>(),
        );
        show(Output::text(text));
        true
    }
}

impl<T: ?Sized> NoList<'_, T> {
    /// Whether it has been shown: that is done later.
    pub fn __swath_is_shown(&self) -> bool {
        false
    }
}

impl<'a, T: ?Sized> Deref for ListOfShown<'a, T> {
    type Target = List<'a, T>;

    fn deref(&self) -> &List<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> Deref for List<'a, T> {
    type Target = NoList<'a, T>;

    fn deref(&self) -> &NoList<'a, T> {
        &self.0
    }
}

/// Step 2: values with a `{:?}` text.
pub trait ShowDebug {
    /// Shows the value as the result of the cell.
    fn evcxr_display(&self);
}

impl<T: Debug + ?Sized> ShowDebug for &T {
    fn evcxr_display(&self) {
        if type_name::<T>() == type_name::<()>() {
            show_nothing();
        } else {
            show(Output::text(screen::debug_text(&self, type_name::<T>())));
        }
    }
}

/// Step 3: values that cannot be printed.
pub trait ShowAny {
    /// Shows the type of the value as the result of the cell.
    fn evcxr_display(&mut self);
}

impl<T: ?Sized> ShowAny for &T {
    fn evcxr_display(&mut self) {
        show_type(type_name::<T>());
    }
}

fn show_type(name: &str) {
    let name = readable(name);
    let text = if name == CLOSURE {
        "a closure (it has no `Debug` text)".to_owned()
    } else {
        format!("a value of type {name} (it has no `Debug` text)")
    };
    show(Output::text(text));
}

/// What the compiler calls a closure, and a block of ours around a cell's statements.
const CLOSURE: &str = "{{closure}}";
/// Cells are compiled as a crate of this name, which users never see.
const CRATE: &str = "ctx::";
/// evcxr's functions around the statements of cells; a number follows.
const FUNCTION: &str = "run_user_code_";

/// A type's name without what surrounds users' code: `Local` for `ctx::run_user_code_3::{{closure}}::Local`.
pub(super) fn readable(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(next) = rest.chars().next() {
        let begins_path =
            !text.ends_with(|last: char| last.is_alphanumeric() || "_:".contains(last));
        if begins_path && let Some(path) = rest.strip_prefix(CRATE) {
            rest = without_surroundings(path);
        } else {
            text.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    text
}

/// A path within the cells' crate without the functions and closures that statements are put into.
fn without_surroundings(path: &str) -> &str {
    let Some(rest) = path.strip_prefix(FUNCTION) else {
        return path;
    };
    let mut rest = rest
        .trim_start_matches(|digit: char| digit.is_ascii_digit())
        .trim_start_matches("::");
    while let Some(after) = rest
        .strip_prefix(CLOSURE)
        .and_then(|after| after.strip_prefix("::"))
    {
        rest = after;
    }
    rest
}

macro_rules! show_tensors {
    ($($kind:ty),+) => {$(
        impl<const D: usize> Show for Tensor<D, $kind> {
            fn output(&self) -> Output {
                Output::text(self.to_string())
            }
        }
    )+};
}

show_tensors!(burn::tensor::Float, Int, Bool);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_shown_as_what_it_refers_to() {
        let (text, number) = (String::from("abc"), 5);
        let (value, reference, twice) = (&text, &&text, &&&text);
        let shown: &String = value.__swath_shown();
        assert_eq!(shown, "abc");
        let shown: &String = reference.__swath_shown();
        assert_eq!(shown, "abc");
        let shown: &&String = twice.__swath_shown();
        assert_eq!(*shown, "abc");
        let shown: &i32 = (&number).__swath_shown();
        assert_eq!(*shown, 5);
        let shown: &str = (&*text).__swath_shown();
        assert_eq!(shown, "abc");
    }

    #[test]
    fn collections_are_shown_at_once_unless_their_elements_show_themselves() {
        let (numbers, outputs) = (vec![1, 2], vec![Output::text("a")]);
        assert!(list(&numbers).__swath_is_shown());
        assert!(list(&numbers[..]).__swath_is_shown());
        assert!(list(&&numbers[..]).__swath_is_shown());
        assert!(!list(&outputs).__swath_is_shown());
        assert!(!list(&&outputs[..]).__swath_is_shown());
        assert!(!list(&Some(&outputs)).__swath_is_shown());
        assert!(!list(&5).__swath_is_shown());
        assert!(!list("text").__swath_is_shown());
        assert!(!no_list(&numbers).__swath_is_shown());
    }

    #[test]
    fn type_names_are_those_of_the_users_code() {
        for (name, expected) in [
            ("ctx::MyError", "MyError"),
            (
                "alloc::vec::Vec<ctx::shapes::Circle>",
                "alloc::vec::Vec<shapes::Circle>",
            ),
            ("ctx::run_user_code_9::{{closure}}::Local", "Local"),
            ("ctx::run_user_code_9::{{closure}}::{{closure}}", CLOSURE),
            ("my_ctx::A", "my_ctx::A"),
            ("other::ctx::A", "other::ctx::A"),
            ("(ctx::A, &ctx::B)", "(A, &B)"),
        ] {
            assert_eq!(readable(name), expected);
        }
    }
}
