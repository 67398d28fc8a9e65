//! What `:fmt`, `:types`, `:efmt` and evcxr's own settings have chosen for the cells that follow.

use super::generate::Generated;

/// How values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ValueFormat {
    #[default]
    Debug,
    Pretty,
    Display,
}

impl ValueFormat {
    /// The format of `:fmt`'s argument; nothing is the default.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "{:?}" => Some(Self::Debug),
            "{:#?}" => Some(Self::Pretty),
            "{}" => Some(Self::Display),
            _ => None,
        }
    }

    pub(crate) fn written(self) -> &'static str {
        match self {
            Self::Debug => "{:?}",
            Self::Pretty => "{:#?}",
            Self::Display => "{}",
        }
    }
}

/// How errors that leave a cell through `?` are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ErrorFormat {
    #[default]
    Display,
    Debug,
    Pretty,
}

impl ErrorFormat {
    /// The format of `:efmt`'s argument; `Some(None)` when it only asks.
    #[expect(clippy::option_option, reason = "wrong, a question, a choice")]
    pub(crate) fn parse(text: &str) -> Option<Option<Self>> {
        match text {
            "" => Some(None),
            "{}" => Some(Some(Self::Display)),
            "{:?}" => Some(Some(Self::Debug)),
            "{:#?}" => Some(Some(Self::Pretty)),
            _ => None,
        }
    }

    pub(crate) fn described(self) -> String {
        let (format, needed) = match self {
            Self::Display => ("{}", "Display"),
            Self::Debug => ("{:?}", "Debug"),
            Self::Pretty => ("{:#?}", "Debug"),
        };
        format!("Error format: {format} (errors must implement std::fmt::{needed})")
    }

    /// The type, in the library, that errors turn into.
    fn error_type(self) -> Option<&'static str> {
        match self {
            Self::Display => None,
            Self::Debug => Some("::swath::rt::DebugError::<false>"),
            Self::Pretty => Some("::swath::rt::DebugError::<true>"),
        }
    }
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) types: bool,
    pub(crate) values: ValueFormat,
    pub(crate) errors: ErrorFormat,
    /// Commands that evcxr has accepted, for the next evcxr.
    remembered: Vec<String>,
}

/// What a generated cell says of values and errors (see `generate::write_block`).
const VALUES: &str = "use ::swath::rt::{ShowAny as _";
const LIST: &str = "::swath::rt::list(";
const NO_LIST: &str = "::swath::rt::no_list(";
const ERRORS: &str = "::swath::rt::CellError";
const CALL: &str = "=> cell(),";

impl Settings {
    /// Keeps a command for the next evcxr; a later one of the same setting replaces it.
    pub(crate) fn remember(&mut self, line: String) {
        fn setting(line: &str) -> &str {
            line.split('=').next().unwrap_or(line)
        }
        let same = |old: &String| {
            if line.starts_with(":build_env") {
                setting(old) == setting(&line)
            } else {
                old.split(' ').next() == line.split(' ').next()
            }
        };
        self.remembered.retain(|old| !same(old));
        self.remembered.push(line);
    }

    pub(crate) fn remembered(&self) -> &[String] {
        &self.remembered
    }

    /// Has a generated cell write values and errors as chosen.
    pub(crate) fn apply(&self, generated: &mut Generated) {
        let items = generated.items_end;
        if let Some(traits) = self.traits() {
            replace_imports(&mut generated.code, items, traits);
            replace_after(&mut generated.code, items, LIST, NO_LIST, 1);
        }
        if let Some(error) = self.errors.error_type() {
            let call = format!("=> cell().map_err({error}::into_cell),");
            replace_after(&mut generated.code, items, CALL, &call, 1);
            replace_after(&mut generated.code, items, ERRORS, error, 2);
        }
    }

    /// The traits that show values, in place of the usual ones.
    fn traits(&self) -> Option<&'static str> {
        Some(match (self.types, self.values) {
            (false, ValueFormat::Debug) => return None,
            (false, ValueFormat::Pretty) => "ShowAny as _, ShowPretty as _",
            (false, ValueFormat::Display) => "ShowOtherDebug as _, ShowDisplay as _",
            (true, ValueFormat::Debug) => "ShowAny as _, ShowTypedDebug as _",
            (true, ValueFormat::Pretty) => "ShowAny as _, ShowTypedPretty as _",
            (true, ValueFormat::Display) => "ShowTypedOtherDebug as _, ShowTypedDisplay as _",
        })
    }
}

/// Brings other traits into scope than the usual ones, and what has a picture of its own keeps it.
fn replace_imports(code: &mut String, start: usize, traits: &str) {
    let Some(at) = code[start..].find(VALUES).map(|at| start + at) else {
        return;
    };
    if let Some(end) = code[at..].find('}').map(|end| at + end) {
        code.replace_range(
            at..end,
            &format!("use ::swath::rt::{{{traits}, ShowItself as _, ShowRich as _"),
        );
    }
}

/// Replaces the first `count` places of `from` behind byte `start`.
fn replace_after(text: &mut String, start: usize, from: &str, to: &str, count: usize) {
    let changed = text[start..].replacen(from, to, count);
    text.replace_range(start.., &changed);
}

#[cfg(test)]
mod tests {
    use super::super::generate::{Parts, generate};
    use super::super::split::{Cell, Known};
    use super::super::variables::VariableTable;
    use super::*;

    fn generated(settings: &Settings) -> String {
        let cell = Cell::parse("let a = f()?;\na", &Known::default());
        let mut generated = generate(&Parts {
            cell: &cell,
            items: &[],
            variables: &VariableTable::default(),
            makes_statics: false,
        });
        settings.apply(&mut generated);
        generated.code
    }

    #[test]
    fn values_and_errors_are_written_as_chosen() {
        let plain = generated(&Settings::default());
        assert!(plain.contains(VALUES) && plain.contains(CALL), "{plain}");
        let chosen = Settings {
            types: true,
            errors: ErrorFormat::Debug,
            ..Settings::default()
        };
        let code = generated(&chosen);
        assert!(code.contains("ShowTypedDebug as _"), "{code}");
        assert!(!code.contains("ShowDebug as _"), "{code}");
        assert!(
            plain.contains(LIST) && !code.contains(LIST) && code.contains(NO_LIST),
            "{code}"
        );
        assert!(
            code.contains("Result<(), ::swath::rt::DebugError::<false>>"),
            "{code}"
        );
        assert!(
            code.contains("Ok::<(), ::swath::rt::DebugError::<false>>(())"),
            "{code}"
        );
        assert!(
            code.contains("=> cell().map_err(::swath::rt::DebugError::<false>::into_cell),"),
            "{code}"
        );
    }

    #[test]
    fn a_setting_is_remembered_once() {
        let mut settings = Settings::default();
        for line in [
            ":opt 0",
            ":build_env A=1",
            ":build_env B=1",
            ":opt 2",
            ":build_env A=2",
        ] {
            settings.remember(line.to_owned());
        }
        assert_eq!(
            settings.remembered(),
            [":build_env B=1", ":opt 2", ":build_env A=2"]
        );
    }
}
