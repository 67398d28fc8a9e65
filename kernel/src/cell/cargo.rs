//! The part of cargo that evcxr uses for a cell, without cargo. The real one builds what cells have added as dependencies,
//! once for each set of them.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use swath_link::exchange::{self, Report, Request, SessionConfig};
use swath_link::record::Record;

use crate::analyzer;
use crate::compile::{self, Compilation};
use crate::dependencies::{self, Failure, Manifest};
use crate::link;

pub(crate) fn run(session: &Path, config: &SessionConfig, arguments: &[OsString]) -> ExitCode {
    if !analyzer::asked_by_evcxr() {
        return analyzer::cargo(config, arguments);
    }
    become_killable(session);
    let in_our_crate = std::env::current_dir().is_ok_and(|folder| folder == config.crate_dir);
    let subcommand = arguments
        .iter()
        .find(|argument| !argument.as_encoded_bytes().starts_with(b"-"));
    if in_our_crate
        && subcommand.is_some_and(|name| name == "metadata")
        && let Some(answer) = answer_metadata(config)
    {
        return answer;
    }
    // evcxr would have everything built anew when it is told to link in another way; we always link in ours.
    if in_our_crate && !config.plain_cargo && subcommand.is_some_and(|name| name == "clean") {
        return ExitCode::SUCCESS;
    }
    if !in_our_crate || subcommand.is_none_or(|subcommand| subcommand != "build") {
        return real_cargo(config, arguments);
    }
    let request: Request = match exchange::read_if_there(&exchange::request_path(session)) {
        Ok(request) => request.unwrap_or_default(),
        Err(error) => {
            eprintln!("swath-cell: what the kernel asks for cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    // evcxr builds a failed cell again, to look for better messages. We have them already.
    if request.serial > 0
        && exchange::read::<Report>(&exchange::report_path(session))
            .is_ok_and(|report| report.serial == request.serial && !report.compiled)
    {
        return refuse();
    }
    match Manifest::read(&config.crate_dir) {
        Some(manifest) if !config.plain_cargo => {
            build(session, config, &request, &manifest, arguments)
                .unwrap_or_else(|| real_cargo(config, arguments))
        }
        _ => real_cargo(config, arguments),
    }
}

/// Whether evcxr's manifest is the one that it writes to try a dependency before it adds it.
fn is_asked_before_adding(config: &SessionConfig) -> bool {
    std::fs::read_to_string(config.crate_dir.join("Cargo.toml"))
        .is_ok_and(|text| text.contains("evcxr_dummy_validate_dep"))
}

/// What evcxr asks of `cargo metadata`; `None` when only the real one can say it.
fn answer_metadata(config: &SessionConfig) -> Option<ExitCode> {
    if is_asked_before_adding(config) {
        // Whether a dependency can be had: the library can. Of others the build that follows says it, with progress and
        // causes, unless there is none.
        return (!config.plain_cargo || analyzer::dependencies(config) == ["swath"])
            .then_some(ExitCode::SUCCESS);
    }
    // Which crates `extern crate` can mean already.
    (!config.plain_cargo).then(|| {
        println!("{}", dependencies::library_names(config));
        ExitCode::SUCCESS
    })
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

/// What is to be done where there is no cargo.
pub(crate) const NO_CARGO: &str = "error: this installation of Swath has no cargo, which builds the crates that cells add: \
    whoever has installed it can bring it along, with `swath install --with-cargo`; cells without further crates need none";

fn real_cargo(config: &SessionConfig, arguments: &[OsString]) -> ExitCode {
    if !config.cargo.is_file() {
        eprintln!("{NO_CARGO}");
        return ExitCode::FAILURE;
    }
    crate::replace_by(command(config).args(arguments))
}

/// The real cargo, with this program around its compiler.
pub(crate) fn command(config: &SessionConfig) -> Command {
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
    command.env("RUSTC", &config.rustc);
    if let Some(linker) = &config.c_linker {
        let host = format!(
            "{}_UNKNOWN_LINUX_GNU",
            std::env::consts::ARCH.to_uppercase()
        );
        command.env(format!("CARGO_TARGET_{host}_LINKER"), linker);
    }
    if let Some(home) = home_in_need() {
        command.env("CARGO_HOME", home);
    }
    if let Some(session) = exchange::session_dir() {
        // Above the session's folder lies one that others may write to: no settings and no workspace of theirs.
        command.env(exchange::CARGO_LOOKS_NO_HIGHER, session);
    }
    let mask = config.umask;
    // SAFETY: umask has no memory effects, and is safe between fork and exec.
    unsafe {
        command.pre_exec(move || {
            libc::umask(mask);
            Ok(())
        });
    }
    command
}

/// Where cargo keeps what it has fetched when it cannot do so in the user's home: in the session's folder.
fn home_in_need() -> Option<PathBuf> {
    if std::env::var_os("CARGO_HOME").is_some() {
        return None;
    }
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let can_write = |folder: &Path| {
        let path = std::ffi::CString::new(folder.as_os_str().as_encoded_bytes());
        // SAFETY: the path ends in zero.
        path.is_ok_and(|path| unsafe { libc::access(path.as_ptr(), libc::W_OK) } == 0)
    };
    let is_fit = home.is_some_and(|home| {
        let own = home.join(".cargo");
        can_write(if own.exists() { &own } else { &home })
    });
    if is_fit {
        return None;
    }
    exchange::session_dir().map(|session| session.join("cargo-home"))
}

/// Builds the cell, its dependencies first when they are new; `None` when something that is not the user's fault stands
/// in the way, and cargo should try.
fn build(
    session: &Path,
    config: &SessionConfig,
    request: &Request,
    manifest: &Manifest,
    arguments: &[OsString],
) -> Option<ExitCode> {
    let output_dir = config.crate_dir.join("target/fast");
    std::fs::create_dir_all(&output_dir).ok()?;
    let dependencies = if manifest.has_others() {
        match dependencies::ensure(session, config, manifest, arguments, request.refresh) {
            Ok(found) => Some(found),
            Err(failure) => return Some(fail(session, request, failure)),
        }
    } else {
        None
    };
    let key = dependencies.as_ref().map(|(key, _)| key.clone());
    let record = dependencies.map(|(_, record)| record);
    let object = record.as_ref().and_then(|record| record.object.as_deref());
    if record.is_some() && object.is_none() {
        return None;
    }
    dependencies::announce(&output_dir, object).ok()?;
    compile(&Cell {
        session,
        config,
        request,
        manifest,
        output_dir: &output_dir,
        dependencies: record.as_ref(),
        key: key.unwrap_or_default(),
    })
}

/// Tells why the dependencies cannot be had, to evcxr and to the kernel.
fn fail(session: &Path, request: &Request, failure: Failure) -> ExitCode {
    let report = Report {
        serial: request.serial,
        dependency_error: failure.0,
        ..Report::default()
    };
    let _ = exchange::write(&exchange::report_path(session), &report);
    refuse()
}

/// A cell to compile, and with what.
struct Cell<'a> {
    session: &'a Path,
    config: &'a SessionConfig,
    request: &'a Request,
    manifest: &'a Manifest,
    output_dir: &'a Path,
    dependencies: Option<&'a Record>,
    key: String,
}

fn compile(cell: &Cell<'_>) -> Option<ExitCode> {
    let (config, request) = (cell.config, cell.request);
    let source = Path::new("src/lib.rs");
    let object = cell.output_dir.join("cell.o");
    let result = compile::cell(&Compilation {
        rustc: &config.rustc,
        arguments: flags(cell, source, &object),
        source,
        request: cell.request,
        through_cargo: false,
    });
    let mut report = result.ok()?;
    report.answer(request);
    report.dependencies.clone_from(&cell.key);
    if report.compiled {
        // Its own copy of all crates then: the one code that calls the other must be of one build.
        if dependencies::calls_natives(cell.session, &cell.key, &object) {
            return None;
        }
        let library = cell.output_dir.join("libctx.so");
        let started = std::time::Instant::now();
        let linked = link::object_alone(config, &object, &library);
        report.link_ms = compile::milliseconds(started);
        if !linked {
            return None;
        }
        let answer = std::env::var_os("EVCXR_EXECUTION_SO_PATH")?;
        std::fs::write(answer, library.as_os_str().as_encoded_bytes()).ok()?;
    }
    exchange::write(&exchange::report_path(cell.session), &report).ok()?;
    Some(match (report.compiled, request.serial) {
        (true, _) => ExitCode::SUCCESS,
        (false, 0) => pass_on(&report),
        (false, _) => refuse(),
    })
}

fn flags(cell: &Cell<'_>, source: &Path, object: &Path) -> Vec<OsString> {
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
    if cell.request.quick {
        arguments.extend(compile::QUICK.map(OsString::from));
    } else {
        arguments.push(format!("-Copt-level={}", cell.manifest.opt_level).into());
    }
    arguments.extend(compile::ALWAYS.map(OsString::from));
    arguments.push(compile::metadata(cell.request));
    arguments.push("--emit=obj".into());
    arguments.push("-o".into());
    arguments.push(object.into());
    if cell.manifest.knows_swath() {
        compile::add_library(cell.config, &mut arguments);
    }
    if let Some(record) = cell.dependencies {
        let externs = record.externs.iter().map(|value| ("--extern", value));
        let searches = record.searches.iter().map(|value| ("-L", value));
        for (flag, value) in externs.chain(searches) {
            arguments.extend([flag.into(), value.into()]);
        }
    }
    arguments.push(source.into());
    arguments
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
