//! Links crates where there is no C compiler, which rustc calls as its linker.
//!
//! A C compiler adds three things to what rustc says: the program's first instructions, the names under which the system's
//! libraries are found without development packages, and the loader. They are made here, and the linker that the toolchain
//! brings along does the rest. That is enough for programs and macros in Rust; what compiles C still needs a compiler.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use swath_link::exchange::SessionConfig;

/// The name under which cargo is told of this program.
pub(crate) const NAME: &str = "swath-cc";

/// The libraries that Rust's standard library asks for, and the files that hold them.
const SYSTEM_LIBRARIES: [(&str, &str); 7] = [
    ("c", "libc.so.6"),
    ("m", "libm.so.6"),
    ("dl", "libdl.so.2"),
    ("rt", "librt.so.1"),
    ("pthread", "libpthread.so.0"),
    ("util", "libutil.so.1"),
    ("gcc_s", "libgcc_s.so.1"),
];
const FOLDERS: [&str; 6] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
];
const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

/// Where a program begins, as in the C library's own `crt1.o`: the arguments are on the stack, and `main` is called.
const START: &str = r#"#![no_std]
core::arch::global_asm!(
    ".globl _start", ".type _start, @function", "_start:",
    "xor %ebp, %ebp", "mov %rdx, %r9", "pop %rsi", "mov %rsp, %rdx", "and $-16, %rsp",
    "push %rax", "push %rsp", "xor %r8d, %r8d", "xor %ecx, %ecx",
    "mov main@GOTPCREL(%rip), %rdi", "call *__libc_start_main@GOTPCREL(%rip)", "hlt",
    options(att_syntax)
);
"#;

/// Links, as a C compiler would when it is called with these arguments.
pub(crate) fn run(session: &Path, config: &SessionConfig, arguments: &[OsString]) -> ExitCode {
    match link(session, config, arguments) {
        Ok(code) => code,
        Err(reason) => {
            eprintln!("swath-cc: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn link(
    session: &Path,
    config: &SessionConfig,
    arguments: &[OsString],
) -> Result<ExitCode, String> {
    let [program, flags @ ..] = config.linker.as_slice() else {
        return Err("there is no linker".to_owned());
    };
    let call = Call::of(&expanded(arguments)?)?;
    let folder = session.join("swath-cc");
    let cannot = |error: std::io::Error| format!("cannot write to {}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(cannot)?;
    let mut command = Command::new(program);
    command.args(flags);
    if !call.is_shared {
        command.args(["-dynamic-linker", LOADER]);
        if call.wants_start {
            command.arg(start(&folder, &config.rustc)?);
        }
    }
    command.args(&call.arguments);
    write_libraries(&folder).map_err(cannot)?;
    command.arg("-L").arg(&folder);
    let status = command
        .status()
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What a C compiler was asked for, as a linker understands it.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    arguments: Vec<OsString>,
    is_shared: bool,
    wants_start: bool,
}

impl Call {
    fn of(arguments: &[OsString]) -> Result<Self, String> {
        let mut call = Self {
            arguments: Vec::new(),
            is_shared: false,
            wants_start: true,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let text = argument.as_bytes();
            match text {
                b"-shared" => {
                    call.is_shared = true;
                    call.arguments.push(argument.clone());
                }
                b"-pie" | b"-static-pie" | b"-no-pie" => call.arguments.push(argument.clone()),
                b"-nostartfiles" | b"-nostdlib" => call.wants_start = false,
                b"-rdynamic" => call.arguments.push("--export-dynamic".into()),
                b"-pthread" => call.arguments.push("-lpthread".into()),
                b"-Xlinker" => call.arguments.extend(rest.next().cloned()),
                b"-c" | b"-S" | b"-E" => {
                    return Err("there is no C compiler on this machine, only a linker".to_owned());
                }
                _ if text.starts_with(b"-Wl,") => call.arguments.extend(
                    text[4..]
                        .split(|byte| *byte == b',')
                        .map(|part| OsStr::from_bytes(part).to_owned()),
                ),
                // What concerns compiling, or which linker is taken.
                _ if [
                    &b"-m"[..],
                    b"-B",
                    b"-f",
                    b"-O",
                    b"-g",
                    b"-nodefaultlibs",
                    b"-std=",
                ]
                .iter()
                .any(|prefix| text.starts_with(prefix)) => {}
                _ => call.arguments.push(argument.clone()),
            }
        }
        Ok(call)
    }
}

/// The arguments, those of a file (`@file`) in its place: rustc writes one when there are too many.
fn expanded(arguments: &[OsString]) -> Result<Vec<OsString>, String> {
    let mut all = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let Some(path) = argument.as_bytes().strip_prefix(b"@") else {
            all.push(argument.clone());
            continue;
        };
        let path = Path::new(OsStr::from_bytes(path));
        let text = std::fs::read(path).map_err(|error| format!("{error}: {}", path.display()))?;
        all.extend(lines(&text));
    }
    Ok(all)
}

/// One argument a line, with quotes, or with a backslash before what is special.
fn lines(text: &[u8]) -> impl Iterator<Item = OsString> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let mut plain = Vec::with_capacity(line.len());
            let mut bytes = line.iter();
            while let Some(byte) = bytes.next() {
                match byte {
                    b'"' => {}
                    b'\\' => plain.extend(bytes.next()),
                    byte => plain.push(*byte),
                }
            }
            OsString::from_vec(plain)
        })
}

/// The object with a program's first instructions.
fn start(folder: &Path, rustc: &Path) -> Result<PathBuf, String> {
    let object = folder.join("start.o");
    if object.exists() {
        return Ok(object);
    }
    let source = folder.join("start.rs");
    // Several programs may be linked at a time.
    let new = folder.join(format!("start-{}.o", std::process::id()));
    std::fs::write(&source, START).map_err(|error| error.to_string())?;
    let output = Command::new(rustc)
        .args(["--edition=2024", "--crate-type=lib", "--crate-name=start"])
        .args(["-Cpanic=abort", "--emit=obj", "-o"])
        .args([&new, &source])
        .output()
        .map_err(|error| format!("cannot start {}: {error}", rustc.display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    std::fs::rename(&new, &object).map_err(|error| error.to_string())?;
    Ok(object)
}

/// Writes, for each system library, the name that a development package would give it.
fn write_libraries(folder: &Path) -> std::io::Result<()> {
    for (name, file) in SYSTEM_LIBRARIES {
        let script = folder.join(format!("lib{name}.so"));
        if script.exists() {
            continue;
        }
        let found = FOLDERS
            .iter()
            .map(|folder| Path::new(folder).join(file))
            .find(|path| path.exists());
        // One that a newer C library has taken in may be missing.
        let text = found.map_or_else(String::new, |path| format!("INPUT({})\n", path.display()));
        let new = folder.join(format!("{name}-{}", std::process::id()));
        std::fs::write(&new, text)?;
        std::fs::rename(&new, &script)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Result<Call, String> {
        let arguments: Vec<OsString> = text.split(' ').map(OsString::from).collect();
        Call::of(&arguments)
    }

    #[test]
    fn a_call_of_a_compiler_becomes_one_of_a_linker() {
        let program = call(
            "-m64 a.o -Wl,--as-needed -lc -Wl,-z,relro,-z,now -L /x -o out -pie -nodefaultlibs -B/t/gcc-ld -fuse-ld=lld",
        )
        .unwrap();
        let words: Vec<&str> = program
            .arguments
            .iter()
            .filter_map(|it| it.to_str())
            .collect();
        assert_eq!(
            words.join(" "),
            "a.o --as-needed -lc -z relro -z now -L /x -o out -pie"
        );
        assert!(!program.is_shared && program.wants_start);
        assert!(call("-shared -o out.so a.o").unwrap().is_shared);
        assert!(!call("-nostartfiles a.o").unwrap().wants_start);
        assert!(call("-c a.c").unwrap_err().contains("no C compiler"));
    }

    #[test]
    fn arguments_of_a_file_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("arguments");
        std::fs::write(&file, "\"a b.o\"\n-o\nx\\ y\n").unwrap();
        let argument = OsString::from(format!("@{}", file.display()));
        assert_eq!(expanded(&[argument]).unwrap(), ["a b.o", "-o", "x y"]);
    }

    #[test]
    fn a_program_and_a_macro_are_linked_without_a_compiler() {
        let sysroot = Command::new("rustc")
            .args(["--print", "sysroot"])
            .output()
            .unwrap();
        let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout).unwrap().trim());
        let lld = sysroot.join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld");
        let config = SessionConfig {
            rustc: sysroot.join("bin/rustc"),
            linker: vec![
                lld.display().to_string(),
                "-flavor".to_owned(),
                "gnu".to_owned(),
            ],
            ..SessionConfig::default()
        };
        let folder = tempfile::tempdir().unwrap();
        // The arguments that rustc gives a C compiler are caught by a script in its place.
        let compiler = folder.path().join("cc");
        let list = folder.path().join("list");
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {}\n", list.display());
        std::fs::write(&compiler, script).unwrap();
        std::fs::set_permissions(
            &compiler,
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
        let source = folder.path().join("program.rs");
        std::fs::write(
            &source,
            "fn main() { let sum: u32 = std::env::args().skip(1).map(|word| word.parse::<u32>().unwrap()).sum();\n\
             let thread = std::thread::spawn(move || sum * 2); println!(\"{}\", thread.join().unwrap()); }",
        )
        .unwrap();
        let out = folder.path().join("program");
        let mut command = Command::new(&config.rustc);
        command
            .args(["--edition=2024", "-Csave-temps=yes", "-o"])
            .args([&out, &source])
            .arg(format!("-Clinker={}", compiler.display()));
        assert!(command.status().unwrap().success());
        let arguments: Vec<OsString> = std::fs::read_to_string(&list)
            .unwrap()
            .lines()
            .map(OsString::from)
            .collect();
        // rustc removes the folder with its own object of symbols.
        let kept: Vec<OsString> = arguments
            .into_iter()
            .filter(|argument| !argument.as_bytes().ends_with(b"symbols.o"))
            .collect();
        link(folder.path(), &config, &kept).unwrap();
        let output = Command::new(&out).args(["20", "1"]).output().unwrap();
        assert_eq!(output.stdout, b"42\n", "{output:?}");
    }
}
