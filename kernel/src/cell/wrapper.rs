//! rustc's wrapper under the real cargo: the library is handed over as built, the cells' crate is compiled as in the
//! fast way (types, moved variables), the crates that cells have added get identities that follow their contents.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::json;
use swath_link::exchange::{self, Request, SessionConfig};

use crate::compile::{self, Compilation};
use crate::dependencies;
use crate::identity;

/// What matters of a call of rustc.
#[derive(Default)]
struct Call {
    crate_name: String,
    out_dir: PathBuf,
    extra_filename: String,
    crate_type: String,
    emits_link: bool,
}

pub(crate) fn run(session: &Path, config: &SessionConfig, arguments: &[OsString]) -> ExitCode {
    let Some((rustc, arguments)) = arguments.split_first() else {
        return crate::missing("the compiler's name");
    };
    let call = read_call(arguments);
    match call.crate_name.as_str() {
        "swath" if !call.out_dir.as_os_str().is_empty() => hand_over_library(config, &call),
        "ctx" if !call.out_dir.as_os_str().is_empty() => {
            compile_cell(session, config, Path::new(rustc), arguments)
        }
        dependencies::CRATE_NAME if !call.out_dir.as_os_str().is_empty() => {
            dependencies::compile_gathering(Path::new(rustc), arguments)
        }
        _ => compile_dependency(Path::new(rustc), arguments, &call),
    }
}

/// Compiles a crate that cells have added, or one that it needs.
fn compile_dependency(rustc: &Path, arguments: &[OsString], call: &Call) -> ExitCode {
    let mut command = Command::new(rustc);
    command.args(arguments);
    let is_library = !call.out_dir.as_os_str().is_empty() && call.crate_type != "bin";
    if is_library {
        let name = format!("lib{}{}", call.crate_name, call.extra_filename);
        let library = call.out_dir.join(name).with_added_extension("rlib");
        command.args(identity::metadata_flag(rustc, arguments, &library));
    }
    crate::replace_by(&mut command)
}

fn read_call(arguments: &[OsString]) -> Call {
    let mut call = Call::default();
    let mut previous = "";
    for argument in arguments.iter().filter_map(|argument| argument.to_str()) {
        match previous {
            "--crate-name" => argument.clone_into(&mut call.crate_name),
            "--crate-type" => argument.clone_into(&mut call.crate_type),
            "--out-dir" => call.out_dir = argument.into(),
            "-C" => {
                if let Some(extra) = argument.strip_prefix("extra-filename=") {
                    extra.clone_into(&mut call.extra_filename);
                }
            }
            _ => {}
        }
        if let Some(kinds) = argument.strip_prefix("--emit=") {
            call.emits_link = kinds.split(',').any(|kind| kind == "link");
        }
        previous = argument;
    }
    call
}

/// Answers cargo's request to compile the library with the files that were built at install.
fn hand_over_library(config: &SessionConfig, call: &Call) -> ExitCode {
    let place = |from: &str, to: &str| {
        let target = call.out_dir.join(to);
        let _ = std::fs::remove_file(&target);
        std::os::unix::fs::symlink(config.lib_dir.join(from), &target).map(|()| target)
    };
    let metadata = place(
        "libswath.rmeta",
        &format!("libswath{}.rmeta", call.extra_filename),
    );
    let library = place("libswath.so", "libswath.so");
    let dep_info = call.out_dir.join(format!("swath{}.d", call.extra_filename));
    let (Ok(metadata), Ok(library)) = (metadata, library) else {
        return crate::missing("the prebuilt library");
    };
    if let Err(error) = std::fs::write(&dep_info, format!("{}: \n", library.display())) {
        eprintln!("swath-cell: cannot write {}: {error}", dep_info.display());
        return ExitCode::FAILURE;
    }
    let notice = |file: &Path, kind: &str| {
        eprintln!(
            "{}",
            json!({ "$message_type": "artifact", "artifact": file, "emit": kind })
        );
    };
    notice(&dep_info, "dep-info");
    if call.emits_link {
        notice(&library, "link");
    } else {
        notice(&metadata, "metadata");
    }
    ExitCode::SUCCESS
}

/// Compiles the cells' crate with cargo's own arguments.
fn compile_cell(
    session: &Path,
    config: &SessionConfig,
    rustc: &Path,
    arguments: &[OsString],
) -> ExitCode {
    let request: Request = match exchange::read_if_there(&exchange::request_path(session)) {
        Ok(request) => request.unwrap_or_default(),
        Err(error) => {
            eprintln!("swath-cell: what the kernel asks for cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let knows_swath = arguments
        .iter()
        .any(|argument| argument.as_encoded_bytes().starts_with(b"swath="));
    let mut kept = without_our_own(arguments);
    // Of two such flags the last one counts.
    if request.quick {
        kept.extend(compile::QUICK.map(OsString::from));
    }
    kept.extend(compile::ALWAYS.map(OsString::from));
    kept.push(compile::metadata(&request));
    if knows_swath {
        compile::add_library(config, &mut kept);
    }
    let out_dir = read_call(arguments).out_dir;
    let source = Path::new("src/lib.rs");
    match compile::cell(&Compilation {
        rustc,
        arguments: kept,
        source,
        request: &request,
        through_cargo: true,
    }) {
        Ok(mut report) => {
            report.answer(&request);
            if let Err(error) = exchange::write(&exchange::report_path(session), &report) {
                eprintln!("swath-cell: cannot write the report: {error}");
                return ExitCode::FAILURE;
            }
            if report.compiled {
                tell_evcxr(&out_dir);
                return ExitCode::SUCCESS;
            }
            if request.serial == 0 {
                report
                    .diagnostics
                    .iter()
                    .for_each(|diagnostic| eprintln!("{diagnostic}"));
            } else {
                eprintln!("{}", compile::refusal());
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Where evcxr finds the object, without reading cargo's messages.
fn tell_evcxr(out_dir: &Path) {
    if let Some(answer) = std::env::var_os("EVCXR_EXECUTION_SO_PATH") {
        let _ = std::fs::write(
            answer,
            out_dir.join("libctx.so").as_os_str().as_encoded_bytes(),
        );
    }
}

/// cargo's arguments without what we choose: message format, metadata, where the library is, and an incremental build,
/// which costs a file that is new each time more than it saves.
fn without_our_own(arguments: &[OsString]) -> Vec<OsString> {
    let mut kept: Vec<OsString> = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let text = argument.as_encoded_bytes();
        let follows = |flag: &str| kept.last().is_some_and(|last| last == flag);
        if (follows("-C") && (text.starts_with(b"metadata=") || text.starts_with(b"incremental=")))
            || (text.starts_with(b"swath=") && follows("--extern"))
        {
            kept.pop();
        } else if !text.starts_with(b"--error-format=") && !text.starts_with(b"--json=") {
            kept.push(argument.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_call_of_rustc_is_understood() {
        let call = read_call(&arguments(
            "--crate-name swath --emit=dep-info,metadata -C extra-filename=-1a2b --out-dir /t",
        ));
        assert_eq!(
            (call.crate_name.as_str(), call.extra_filename.as_str()),
            ("swath", "-1a2b")
        );
        assert_eq!(
            (call.out_dir.as_path(), call.emits_link),
            (Path::new("/t"), false)
        );
    }

    #[test]
    fn the_cells_identity_and_message_format_are_ours() {
        let kept = without_our_own(&arguments(
            "--error-format=json -C metadata=77 --extern swath=/a.so -C opt-level=2 -C incremental=/t src/lib.rs",
        ));
        assert_eq!(kept, arguments("-C opt-level=2 src/lib.rs"));
    }
}
