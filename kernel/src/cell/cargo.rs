//! The part of cargo that evcxr uses for a cell, without cargo: possible as long as the cells' crate depends on our
//! library alone.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::analyzer;
use crate::compile::{self, Compilation};
use crate::exchange::{self, Report, Request, SessionConfig};
use crate::link;

/// What the manifest that evcxr writes says.
struct Manifest {
    opt_level: String,
    dependencies: Vec<String>,
}

pub(crate) fn run(session: &Path, config: &SessionConfig, arguments: &[OsString]) -> ExitCode {
    if !analyzer::asked_by_evcxr() {
        return analyzer::cargo(config, arguments);
    }
    become_killable(session);
    let in_our_crate = std::env::current_dir().is_ok_and(|folder| folder == config.crate_dir);
    let subcommand = arguments
        .iter()
        .find(|argument| !argument.as_encoded_bytes().starts_with(b"-"));
    if in_our_crate && subcommand.is_some_and(|name| name == "metadata") {
        // evcxr asks whether a dependency can be had; the library can.
        if analyzer::dependencies(config) == ["swath"] {
            return ExitCode::SUCCESS;
        }
    }
    if config.analysis_only && subcommand.is_some_and(|name| name == "build" || name == "check") {
        return analyzer::pretend_to_build(config);
    }
    if !in_our_crate || subcommand.is_none_or(|subcommand| subcommand != "build") {
        return real_cargo(config, arguments);
    }
    let request: Request = exchange::read(&exchange::request_path(session)).unwrap_or_default();
    // evcxr builds a failed cell again, to look for better messages. We have them already.
    if request.serial > 0
        && exchange::read::<Report>(&exchange::report_path(session))
            .is_ok_and(|report| report.serial == request.serial && !report.compiled)
    {
        return refuse();
    }
    match plain_manifest(&config.crate_dir) {
        Some(manifest)
            if !config.plain_cargo && manifest.dependencies.iter().all(|name| name == "swath") =>
        {
            let knows_swath = !manifest.dependencies.is_empty();
            build(session, config, &request, &manifest.opt_level, knows_swath)
                .unwrap_or_else(|| real_cargo(config, arguments))
        }
        _ => real_cargo(config, arguments),
    }
}

/// Leads a process group of its own, whose number the kernel finds in a file, so that an interrupt stops the compiler
/// and nothing else.
fn become_killable(session: &Path) {
    // SAFETY: setpgid has no memory effects.
    unsafe { libc::setpgid(0, 0) };
    compile::end_with_parent();
    let _ = std::fs::write(
        exchange::compiler_path(session),
        std::process::id().to_string(),
    );
}

fn real_cargo(config: &SessionConfig, arguments: &[OsString]) -> ExitCode {
    let mut command = match &config.mold {
        Some(mold) => {
            let mut command = Command::new(mold);
            command.arg("-run").arg(&config.cargo);
            command
        }
        None => Command::new(&config.cargo),
    };
    if let Ok(this_program) = std::env::current_exe() {
        command.env("RUSTC_WRAPPER", this_program);
    }
    crate::replace_by(command.env("RUSTC", &config.rustc).args(arguments))
}

/// Reads the manifest; `None` when it holds anything that evcxr does not write by itself.
fn plain_manifest(crate_dir: &Path) -> Option<Manifest> {
    let text = std::fs::read_to_string(crate_dir.join("Cargo.toml")).ok()?;
    let (head, dependencies) = text.split_once("[dependencies]")?;
    let opt_level = head
        .lines()
        .find_map(|line| line.strip_prefix("opt-level = "))?
        .trim()
        .trim_matches('"')
        .to_owned();
    let is_level = ["0", "1", "2", "3", "s", "z"].contains(&opt_level.as_str());
    let dependencies: Option<Vec<String>> = dependencies
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split_once('=').map(|(name, _)| name.trim().to_owned()))
        .collect();
    Some(Manifest {
        opt_level: is_level.then_some(opt_level)?,
        dependencies: dependencies?,
    })
}

/// Builds the cell; `None` when something that is not the user's fault stands in the way, and cargo should try.
fn build(
    session: &Path,
    config: &SessionConfig,
    request: &Request,
    opt_level: &str,
    knows_swath: bool,
) -> Option<ExitCode> {
    let output_dir = config.crate_dir.join("target/fast");
    std::fs::create_dir_all(&output_dir).ok()?;
    let source = Path::new("src/lib.rs");
    let object = output_dir.join("cell.o");
    let mut arguments: Vec<OsString> = [
        "--edition=2024",
        "--crate-name",
        "ctx",
        "--crate-type",
        "cdylib",
    ]
    .iter()
    .map(OsString::from)
    .collect();
    if request.quick {
        arguments.extend(compile::QUICK.map(OsString::from));
    } else {
        arguments.push(format!("-Copt-level={opt_level}").into());
    }
    arguments.extend(compile::ALWAYS.map(OsString::from));
    arguments.push(compile::METADATA.into());
    arguments.push("--emit=obj".into());
    arguments.push("-o".into());
    arguments.push(object.clone().into());
    if knows_swath {
        compile::add_library(config, &mut arguments);
    }
    arguments.push(source.into());

    let result = compile::cell(&Compilation {
        rustc: &config.rustc,
        arguments,
        source,
        skip: &request.skip,
        file: &request.file,
        check_skipped: request.check_skipped,
        through_cargo: false,
    });
    let mut report = result.ok()?;
    report.answer(request);
    if report.compiled {
        let library = output_dir.join("libctx.so");
        let started = std::time::Instant::now();
        let linked = link::object_alone(config, &object, &library);
        report.link_ms = compile::milliseconds(started);
        if !linked {
            return None;
        }
        let answer = std::env::var_os("EVCXR_EXECUTION_SO_PATH")?;
        std::fs::write(answer, library.as_os_str().as_encoded_bytes()).ok()?;
    }
    exchange::write(&exchange::report_path(session), &report).ok()?;
    Some(match (report.compiled, request.serial) {
        (true, _) => ExitCode::SUCCESS,
        (false, 0) => pass_on(&report),
        (false, _) => refuse(),
    })
}

/// While evcxr starts, it runs code of its own and mends it by what rustc says.
fn pass_on(report: &Report) -> ExitCode {
    for diagnostic in &report.diagnostics {
        println!(r#"{{"reason":"compiler-message","message":{diagnostic}}}"#);
    }
    ExitCode::from(101)
}

/// Tells evcxr that the cell does not compile, in a message that gives it nothing to try. The kernel shows the real
/// messages, from the report.
fn refuse() -> ExitCode {
    println!(
        "{}",
        serde_json::json!({ "reason": "compiler-message", "message": compile::refusal() })
    );
    ExitCode::from(101)
}
