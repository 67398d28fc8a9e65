//! The magics that the front process carries out itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jupyter_protocol::{Media, MediaType, Payload};
use serde_json::json;
use swath_link::types::short_type;

use super::execute::{execute_rust, execute_shell, run_captured};
use super::inspect::{look_up, media};
use super::kernel::Kernel;
use super::outputs::Stream;
use crate::eval::{ErrorReport, MimeBundle};
use crate::history::Query;
use crate::magics::arguments::UsageError;
use crate::magics::expand::literal;
use crate::magics::plan::{expand_line, rust_of};
use crate::magics::table::{Builtin, find};
use crate::text::escape_html;

/// Who asks for help waits for the first loading of the sources; an interrupt ends it.
pub(super) const HELP: Duration = Duration::from_secs(120);

/// What a step adds to the reply, or why it failed.
pub(crate) type Outcome = Result<Vec<Payload>, ErrorReport>;

/// An error of a magic, as the front end shows it.
pub(crate) fn failure(ename: &str, message: &str, detail: &str) -> ErrorReport {
    let mut traceback = vec![format!("\u{1b}[31m{ename}\u{1b}[0m: {message}")];
    if !detail.is_empty() {
        traceback.push(detail.to_owned());
    }
    ErrorReport {
        ename: ename.to_owned(),
        evalue: message.to_owned(),
        traceback,
    }
}

impl From<UsageError> for ErrorReport {
    fn from(error: UsageError) -> Self {
        failure(
            "UsageError",
            &error.message,
            &format!("usage: {}", error.usage),
        )
    }
}

fn usage(name: &str, message: impl Into<String>) -> ErrorReport {
    match find(name) {
        Some(magic) => UsageError::new(magic, message).into(),
        None => failure("UsageError", &message.into(), ""),
    }
}

fn io_failure(what: &str, path: &Path, error: &std::io::Error) -> ErrorReport {
    failure(
        "IoError",
        &format!("{what}: {error}: {}", path.display()),
        "",
    )
}

/// Carries out one magic.
pub(crate) async fn run(
    kernel: &Kernel,
    builtin: Builtin,
    line: &str,
    body: Option<&str>,
) -> Outcome {
    match builtin {
        Builtin::Bash => execute_shell(kernel, "bash", body.unwrap_or_default(), true).await?,
        Builtin::Capture => capture(kernel, line, body.unwrap_or_default()).await?,
        Builtin::Cd => change_folder(kernel, line).await?,
        Builtin::Doc => return help(kernel, line, 0).await,
        Builtin::Env => environment(kernel, line).await?,
        Builtin::Expand => {
            let rust = match body {
                Some(body) => rust_of(body)?,
                None => expand_line(line, true)?.ok_or_else(|| {
                    usage(
                        "expand",
                        format!(
                            "{line:?} stands for no Rust: it is carried out by the kernel itself"
                        ),
                    )
                })?,
            };
            print(kernel, rust.trim_start_matches('\n'));
        }
        Builtin::Parameters => {
            let rust = crate::magics::parameters::typed(
                body.unwrap_or_default(),
                &kernel.engine.variables(),
                &kernel.engine.constants(),
            );
            execute_rust(kernel, &rust).await?;
        }
        Builtin::Pwd => match std::env::current_dir() {
            Ok(folder) => print(kernel, &folder.display().to_string()),
            Err(error) => {
                return Err(failure(
                    "IoError",
                    &format!("the working folder is gone: {error}"),
                    "`%cd FOLDER` enters another one",
                ));
            }
        },
        Builtin::History => history(kernel, line).await?,
        Builtin::Load => {
            let path = file_argument("load", line)?;
            let text = std::fs::read_to_string(&path)
                .map_err(|error| io_failure("the file cannot be read", &path, &error))?;
            return Ok(vec![Payload::SetNextInput {
                text,
                replace: false,
            }]);
        }
        Builtin::Lsmagic => kernel
            .outputs
            .result(crate::magics::markdown::list(), MimeBundle::new()),
        Builtin::Reset => {
            let reset = kernel.engine.reset().await;
            kernel.need_replay();
            // An engine that is gone is reported by the next cell.
            if let Ok(Err(reason)) = reset {
                return Err(failure("EngineError", &reason, ""));
            }
        }
        Builtin::Submit => super::submit::submit(kernel, line).await?,
        Builtin::Who => who(kernel),
        Builtin::Writefile => write_file(kernel, line, body.unwrap_or_default())?,
        // These stand for Rust or commands of evcxr.
        Builtin::Dep | Builtin::Time | Builtin::Timeit => {
            let reason = format!("`{line}` was not taken as Rust");
            return Err(failure("EngineError", &reason, ""));
        }
    }
    Ok(Vec::new())
}

pub(super) fn print(kernel: &Kernel, text: &str) {
    kernel.outputs.write(Stream::Stdout, &format!("{text}\n"));
}

/// `?name`: a page for the pager.
pub(crate) async fn help(kernel: &Kernel, name: &str, detail: u32) -> Outcome {
    let name = name.trim();
    let found = if name.is_empty() {
        // `?` alone.
        Some(crate::magics::markdown::introduction())
    } else {
        look_up(kernel, name, name.chars().count(), detail, HELP).await
    };
    match found {
        Some(page) => {
            let data = media(page);
            Ok(vec![Payload::Page { data, start: 0 }])
        }
        // No reason to end a run of all cells.
        None if !kernel.engine.is_help_ready() && !kernel.is_interrupted() => {
            let text = format!(
                "rust-analyzer is not ready yet, so that nothing is known about {name:?}: ask again in a while"
            );
            let data = Media::from(MediaType::Plain(text));
            Ok(vec![Payload::Page { data, start: 0 }])
        }
        None => Err(not_found(kernel, name)),
    }
}

/// The error of a question about a name that nobody knows, with names that are meant more likely.
pub(crate) fn not_found(kernel: &Kernel, name: &str) -> ErrorReport {
    let magic = crate::magics::table::find(name).map(|magic| format!("`%{}?`", magic.name));
    let named = kernel.engine.named(name);
    let questions = named.iter().map(|name| format!("`?{name}`"));
    let questions: Vec<String> = questions.chain(magic).collect();
    let hint = match questions.as_slice() {
        [] => "`?Scene`, `?Chips`, `?FitOptions` lead to the methods, `%lsmagic` lists the magics"
            .to_owned(),
        some => format!("perhaps {} is meant", some.join(" or ")),
    };
    failure(
        "NotFound",
        &format!("nothing is known about {name:?}"),
        &hint,
    )
}

async fn capture(kernel: &Kernel, line: &str, body: &str) -> Result<(), ErrorReport> {
    let path = if line.is_empty() {
        None
    } else {
        Some(file_argument("capture", line)?)
    };
    let (captured, ended) = run_captured(kernel, body).await;
    if let Some(path) = path {
        replace_file(&path, &captured.text)
            .map_err(|error| io_failure("the output cannot be written", &path, &error))?;
    }
    ended
}

async fn change_folder(kernel: &Kernel, line: &str) -> Result<(), ErrorReport> {
    let before = std::env::current_dir().ok();
    let target = match line {
        "-" => kernel
            .previous_folder()
            .ok_or_else(|| usage("cd", "there is no folder to go back to"))?,
        "" => dirs::home_dir().unwrap_or_else(|| PathBuf::from("/")),
        _ => file_argument("cd", line)?,
    };
    std::env::set_current_dir(&target)
        .map_err(|error| io_failure("the folder cannot be entered", &target, &error))?;
    let folder = std::env::current_dir().unwrap_or(target);
    // Any folder will do when the present one was removed: that there is one says that the folder has changed.
    kernel.set_previous_folder(before.or_else(|| Some(folder.clone())));
    execute_rust(kernel, &folder_code(&folder)).await?;
    print(kernel, &folder.display().to_string());
    Ok(())
}

/// Rust that puts the cells' process into `folder`.
pub(crate) fn folder_code(folder: &Path) -> String {
    format!(
        "std::env::set_current_dir({})?;",
        literal(&folder.to_string_lossy())
    )
}

/// Rust that sets a variable of the cells' process, or removes it.
pub(crate) fn variable_code(name: &str, value: Option<&str>) -> String {
    let Some(value) = value else {
        return format!("unsafe {{ std::env::remove_var({}) }};", literal(name));
    };
    format!(
        "unsafe {{ std::env::set_var({}, {}) }};",
        literal(name),
        literal(value)
    )
}

pub(super) async fn environment(kernel: &Kernel, line: &str) -> Result<(), ErrorReport> {
    // `NAME VALUE` is IPython's other way to write it.
    let pair = line.split_once('=').or_else(|| line.split_once(' '));
    let Some((name, value)) = pair.map(|(name, value)| (name.trim(), value.trim())) else {
        for (name, value) in kernel.shell.variables() {
            if line.is_empty() {
                print(kernel, &format!("{}={}", name.display(), value.display()));
            } else if name == *line {
                print(kernel, &value.display().to_string());
                return Ok(());
            }
        }
        return if line.is_empty() {
            Ok(())
        } else {
            Err(failure(
                "NotFound",
                &format!("there is no variable {line} in the environment"),
                "",
            ))
        };
    };
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(usage(
            "env",
            format!("{name:?} is not the name of a variable"),
        ));
    }
    kernel.shell.set_variable(name, value);
    execute_rust(kernel, &variable_code(name, Some(value))).await
}

async fn history(kernel: &Kernel, line: &str) -> Result<(), ErrorReport> {
    let query = match line {
        "" => Query::Range {
            session: 0,
            start: 0,
            stop: i64::MAX,
        },
        _ => Query::Tail {
            n: line.parse().map_err(|_| {
                usage(
                    "history",
                    format!("the count must be a number, found {line:?}"),
                )
            })?,
        },
    };
    for entry in kernel.history.query(query).await {
        print(
            kernel,
            &format!("{}/{}: {}", entry.session, entry.line, entry.source),
        );
    }
    Ok(())
}

fn who(kernel: &Kernel) {
    let variables = kernel.engine.variables();
    if variables.is_empty() {
        return print(kernel, "There are no variables.");
    }
    let width = variables
        .iter()
        .map(|variable| variable.name.chars().count() + 4 * usize::from(variable.mutable))
        .max()
        .unwrap_or(0);
    let mut plain = String::new();
    let mut html =
        "<table style=\"text-align:left\"><thead><tr><th style=\"text-align:left\">variable</th><th style=\"text-align:left\">type</th>\
         <th>cell</th></tr></thead><tbody>"
            .to_owned();
    for variable in variables {
        let name = format!(
            "{}{}",
            if variable.mutable { "mut " } else { "" },
            variable.name
        );
        let type_name = short_type(&variable.type_name);
        plain += &format!("{name:width$}  {type_name}\n");
        html += &format!(
            "<tr><td style=\"text-align:left\"><code>{}</code></td><td style=\"text-align:left\" title=\"{}\"><code>{}</code></td>\
             <td>{}</td></tr>",
            escape_html(&name),
            escape_html(&variable.type_name),
            escape_html(&type_name),
            variable.cell
        );
    }
    html += "</tbody></table>";
    let mut bundle = MimeBundle::new();
    bundle.insert("text/plain".to_owned(), json!(plain.trim_end()));
    bundle.insert("text/html".to_owned(), json!(html));
    kernel.outputs.result(bundle, MimeBundle::new());
}

fn write_file(kernel: &Kernel, line: &str, body: &str) -> Result<(), ErrorReport> {
    let (append, line) = match line.strip_prefix("-a ") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let path = file_argument("writefile", line)?;
    let existed = path.exists();
    let text = if body.is_empty() || body.ends_with('\n') {
        body.to_owned()
    } else {
        format!("{body}\n")
    };
    let written = if append {
        append_text(&path, &text)
    } else {
        replace_file(&path, &text)
    };
    written.map_err(|error| io_failure("the file cannot be written", &path, &error))?;
    let verb = if append {
        "Appending to"
    } else if existed {
        "Overwriting"
    } else {
        "Writing"
    };
    print(kernel, &format!("{verb} {}", path.display()));
    Ok(())
}

fn append_text(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let is_new = !path.exists();
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)?;
    if is_new {
        file.set_permissions(PermissionsExt::from_mode(crate::umask::mode_for_user()))?;
    }
    file.write_all(text.as_bytes())
}

/// Writes beside the file and renames: whoever reads sees the old text or the new. Devices such as `/dev/null` are
/// written to.
fn replace_file(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return std::fs::write(path, text);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let permissions = std::fs::metadata(path)
        .ok()
        .map(|metadata| metadata.permissions());
    let mut file = tempfile::Builder::new()
        .prefix(".swath-")
        .tempfile_in(folder)
        .map_err(|error| {
            // Its own words name a file that nobody has asked for.
            let kind = error.kind();
            if folder.is_dir() {
                std::io::Error::from(kind)
            } else {
                let reason = format!("there is no folder {}", folder.display());
                std::io::Error::new(kind, reason)
            }
        })?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    let mode = permissions.unwrap_or_else(|| {
        std::os::unix::fs::PermissionsExt::from_mode(crate::umask::mode_for_user())
    });
    file.as_file().set_permissions(mode)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The one path of a line, with `~` for the home folder.
fn file_argument(name: &str, line: &str) -> Result<PathBuf, ErrorReport> {
    let word = find(name).map(|magic| {
        let words = crate::magics::arguments::words(line)
            .map_err(|message| UsageError::new(magic, message))?;
        match <[String; 1]>::try_from(words) {
            Ok([word]) => Ok(word),
            Err(words) => Err(UsageError::new(
                magic,
                format!("%{name} takes one path, found {}", words.len()),
            )),
        }
    });
    let word = word.unwrap_or_else(|| Ok(line.to_owned()))?;
    Ok(match (word.strip_prefix('~'), dirs::home_dir()) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            home.join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(word),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_environment_stay_what_they_are() {
        assert_eq!(
            variable_code("A", Some("\"quoted\" \\ {x} ü")),
            "unsafe { std::env::set_var(\"A\", \"\\\"quoted\\\" \\\\ {x} ü\") };"
        );
    }

    #[test]
    fn a_replaced_file_is_whole_and_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script.sh");
        replace_file(&path, "one").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        replace_file(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o755
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
