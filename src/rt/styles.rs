//! How a cell shows its last value after evcxr's `:fmt` and `:types`: traits that a cell brings into scope in place of
//! [`super::ShowDebug`]. What has a picture of its own ([`super::ShowRich`]) keeps it.

use std::any::type_name;
use std::fmt::{Debug, Display};

use swath_link::types::short_type;

use crate::display::Output;

/// In the place of [`super::ShowBehind`]: a reference is a value of its own, whose type is written.
pub trait ShowItself {
    /// The value itself.
    fn __swath_shown(&self) -> &Self;
}

impl<T: ?Sized> ShowItself for T {
    fn __swath_shown(&self) -> &Self {
        self
    }
}

/// Shows a text, with its type before it when `typed`: `: i32 = 42`. A unit is shown by nothing, as always.
fn show(type_name: &str, typed: bool, text: impl FnOnce() -> String) {
    if type_name == std::any::type_name::<()>() {
        return super::show::show_nothing();
    }
    let text = super::screen::shortened(&text());
    super::show::show(Output::text(if typed {
        format!(": {} = {text}", short_type(type_name))
    } else {
        text
    }));
}

macro_rules! styles {
    ($($(#[$about:meta])* $name:ident: $text:path, $format:literal, $typed:literal;)+) => {$(
        $(#[$about])*
        pub trait $name {
            /// Shows the value as the result of the cell.
            fn evcxr_display(&self);
        }

        impl<T: $text + ?Sized> $name for &T {
            fn evcxr_display(&self) {
                show(type_name::<T>(), $typed, || format!($format, self));
            }
        }
    )+};
}

styles! {
    /// `:fmt {:#?}`.
    ShowPretty: Debug, "{:#?}", false;
    /// `:fmt {}`.
    ShowDisplay: Display, "{}", false;
    /// `:types`.
    ShowTypedDebug: Debug, "{:?}", true;
    /// `:types` and `:fmt {:#?}`.
    ShowTypedPretty: Debug, "{:#?}", true;
    /// `:types` and `:fmt {}`.
    ShowTypedDisplay: Display, "{}", true;
}

/// After `:fmt {}`, values that have a `Debug` text alone.
pub trait ShowOtherDebug {
    /// Shows the value as the result of the cell.
    fn evcxr_display(&mut self);
}

impl<T: Debug + ?Sized> ShowOtherDebug for &T {
    fn evcxr_display(&mut self) {
        show(type_name::<T>(), false, || format!("{self:?}"));
    }
}

/// After `:fmt {}` and `:types`, values that have a `Debug` text alone.
pub trait ShowTypedOtherDebug {
    /// Shows the value as the result of the cell.
    fn evcxr_display(&mut self);
}

impl<T: Debug + ?Sized> ShowTypedOtherDebug for &T {
    fn evcxr_display(&mut self) {
        show(type_name::<T>(), true, || format!("{self:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_without_their_modules() {
        for (long, short) in [
            (
                "core::option::Option<alloc::string::String>",
                "Option<String>",
            ),
            (
                "(i32, &str, [alloc::vec::Vec<u8>; 3])",
                "(i32, &str, [Vec<u8>; 3])",
            ),
            ("ctx::größe::Maß", "Maß"),
            ("&mut dyn core::fmt::Debug", "&mut dyn Debug"),
            (type_name::<crate::train::Segmenter>(), "Segmenter"),
            (
                type_name::<Vec<crate::detect::DetectorEnsemble>>(),
                "Vec<DetectorEnsemble>",
            ),
            (
                type_name::<&crate::detect::DetectionOptions>(),
                "&DetectionOptions",
            ),
        ] {
            assert_eq!(short_type(long), short);
        }
    }
}
