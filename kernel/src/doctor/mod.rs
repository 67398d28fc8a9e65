//! `swath doctor`: what is missing on this machine, and the command that mends it.

mod gpu;
mod installation;
mod jupyter;
mod machine;
mod other_user;
mod others;

use std::path::PathBuf;

use serde_json::json;

use crate::toolchain::{Toolchain, library_folder};

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    Good(String),
    /// Something is slower or missing that is not needed.
    Note(String, String),
    /// What is wrong, and what mends it.
    Bad(String, String),
}

impl Finding {
    fn note(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Note(found.into(), advice.into())
    }

    fn bad(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Bad(found.into(), advice.into())
    }

    /// How it is called, what was found, and what to do about it.
    fn parts(&self) -> (&'static str, &str, Option<&str>) {
        match self {
            Self::Good(found) => ("ok", found, None),
            Self::Note(found, advice) => ("note", found, Some(advice)),
            Self::Bad(found, mend) => ("bad", found, Some(mend)),
        }
    }
}

/// Whose eyes it looks through, and for whom it writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DoctorOptions {
    /// Writes JSON.
    pub(crate) json: bool,
    /// Looks as somebody who has not installed it.
    pub(crate) as_other_user: bool,
}

/// Prints every check; returns whether all that is needed is there.
///
/// # Errors
/// When it cannot become another user.
pub(crate) fn examine(options: DoctorOptions, print: impl Fn(&str)) -> Result<bool, String> {
    if options.as_other_user {
        return other_user::examine(options.json, print);
    }
    let findings = findings();
    report(&findings, options.json, print);
    Ok(is_well(&findings))
}

type Checked = (&'static str, Finding);

fn findings() -> Vec<Checked> {
    let lib_dir = library_folder();
    let toolchain = Toolchain::find(&lib_dir);
    let mut findings = vec![
        ("library", installation::library(&lib_dir)),
        ("C library", installation::c_library(&lib_dir)),
        ("toolchain", installation::toolchain(&lib_dir, &toolchain)),
        ("rust-src", installation::rust_source(&toolchain)),
        ("permissions", others::permissions(&lib_dir, &toolchain)),
        ("cache", others::cache()),
        ("linker", machine::linker(&toolchain)),
        ("GDAL", installation::gdal(&lib_dir)),
        ("temporary files", machine::temporary_folder()),
        ("room", machine::room()),
        ("limits", machine::limits()),
        ("Jupyter", jupyter::program()),
    ];
    findings.extend(jupyter::kernelspecs().map(|finding| ("kernelspec", finding)));
    findings.push(("GPU", gpu::gpu()));
    findings
}

fn is_well(findings: &[Checked]) -> bool {
    !findings
        .iter()
        .any(|(_, it)| matches!(it, Finding::Bad(..)))
}

fn report(findings: &[Checked], as_json: bool, print: impl Fn(&str)) {
    if as_json {
        let checks: Vec<_> = findings
            .iter()
            .map(|(name, finding)| {
                let (status, found, advice) = finding.parts();
                json!({ "check": name, "status": status, "found": found, "advice": advice })
            })
            .collect();
        let report = json!({
            "version": env!("CARGO_PKG_VERSION"), "well": is_well(findings), "checks": checks,
        });
        print(&(serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"));
        return;
    }
    for (name, finding) in findings {
        let (status, found, advice) = finding.parts();
        let status = if status == "bad" { "BAD" } else { status };
        print(&format!("{status:<5} {name}: {found}\n"));
        if let Some(advice) = advice {
            print(&format!("          {advice}\n"));
        }
    }
}

/// The first file of this name on the search path.
fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn findings_are_written_for_people_and_for_programs() {
        let findings = [
            ("library", Finding::Good("/lib".to_owned())),
            ("linker", Finding::bad("none", "install one")),
        ];
        assert!(!is_well(&findings) && is_well(&findings[..1]));
        let written = |as_json| {
            let text = RefCell::new(String::new());
            report(&findings, as_json, |part| text.borrow_mut().push_str(part));
            text.into_inner()
        };
        assert_eq!(
            written(false),
            "ok    library: /lib\nBAD   linker: none\n          install one\n"
        );
        let json: serde_json::Value = serde_json::from_str(&written(true)).unwrap();
        assert_eq!(json["well"], false);
        assert_eq!(json["checks"][1]["status"], "bad");
        assert_eq!(json["checks"][1]["advice"], "install one");
    }
}
