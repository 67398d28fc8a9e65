//! How a cell shows its last value: `(&(value)).evcxr_display()` picks the first of these that applies.
//!
//! 1. an inherent `evcxr_display` (types with `show_in_cells!`, users' own types), or [`ShowRich`] for every other
//!    type that implements [`Show`];
//! 2. [`ShowDebug`]: the `{:?}` text of any other value;
//! 3. [`ShowAny`]: the name of the type of a value that cannot be printed.
//!
//! The order is that of method lookup on a receiver of type `&T`: by value, then `&&T`, then `&mut &T`.

use std::any::type_name;
use std::fmt::Debug;

use burn::tensor::{Bool, Int, Tensor};

use crate::display::{Output, Show};

/// Step 1: values that implement [`Show`] without an inherent method.
pub trait ShowRich {
    /// Shows the value as the result of the cell.
    fn evcxr_display(&self);
}

impl<T: Show + ?Sized> ShowRich for T {
    fn evcxr_display(&self) {
        crate::session::result(self.output());
    }
}

/// Step 2: values with a `{:?}` text.
pub trait ShowDebug {
    /// Shows the value as the result of the cell.
    fn evcxr_display(&self);
}

impl<T: Debug + ?Sized> ShowDebug for &T {
    fn evcxr_display(&self) {
        if type_name::<T>() != type_name::<()>() {
            show_debug(&self);
        }
    }
}

fn show_debug(value: &dyn Debug) {
    crate::session::result(Output::text(format!("{value:?}")));
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
    // Cells are compiled as a crate of this name, which users never see.
    let name = name.replace("ctx::", "");
    crate::session::result(Output::text(format!(
        "a value of type {name} (it has no `Debug` text)"
    )));
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
