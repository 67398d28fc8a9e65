//! What the program does without the library.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

/// Arguments of `swath kernel`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct KernelArguments {
    /// Jupyter's connection file
    #[arg(short = 'f', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub connection_file: PathBuf,
    /// What `jupyter run FILE` hands on, the names of its files, which it runs itself
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub for_others: Vec<OsString>,
}

/// Where the kernel is installed.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct PlaceArguments {
    /// For this user (the default)
    #[arg(long, conflicts_with_all = ["sys_prefix", "prefix"])]
    pub user: bool,
    /// Into the active Python or conda environment
    #[arg(long, conflicts_with = "prefix")]
    pub sys_prefix: bool,
    /// Into DIR/lib/swath/VERSION and DIR/share/jupyter
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub prefix: Option<PathBuf>,
    /// The kernel's name
    #[arg(long, default_value = "swath")]
    pub name: String,
}

/// Arguments of `swath install`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct InstallArguments {
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub place: PlaceArguments,
    /// What Jupyter's launcher shows
    #[arg(long, default_value = "Rust (Swath)")]
    pub display_name: String,
    /// A variable of the kernel's environment; can be given several times
    #[arg(long, num_args = 2, value_names = ["NAME", "VALUE"])]
    pub env: Vec<String>,
    /// Bring the compiler along, so that everybody who can read the folder can use it and it can be moved (the default where
    /// others can read)
    #[arg(long, conflicts_with = "without_toolchain")]
    pub with_toolchain: bool,
    /// Bring cargo along as well, with which cells add crates (%dep)
    #[arg(long, conflicts_with = "without_toolchain")]
    pub with_cargo: bool,
    /// Leave the compiler where it is
    #[arg(long)]
    pub without_toolchain: bool,
    /// Keep an earlier version; its kernel gets the version in its name
    #[arg(long)]
    pub side_by_side: bool,
    /// Write the kernelspec alone: it starts this program where it is
    #[arg(long, conflicts_with_all = ["with_toolchain", "with_cargo", "without_toolchain", "side_by_side"])]
    pub spec_only: bool,
}

/// Arguments of `swath uninstall`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct UninstallArguments {
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub place: PlaceArguments,
}

/// Arguments of `swath doctor`.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq)]
pub struct DoctorArguments {
    /// Write the findings as JSON
    #[arg(long)]
    pub json: bool,
    /// Look as a user who has not installed it (as root: become one)
    #[arg(long)]
    pub as_other_user: bool,
}

/// A shell that completes words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// The friendly interactive shell
    Fish,
}

/// Arguments of `swath completions`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Arguments of `swath man`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct ManArguments {
    /// The folder for one page for each command; without it, the page of `swath` goes to stdout
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

/// Arguments of `swath notebooks`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct NotebooksArguments {
    /// The folder, made where it is missing
    #[arg(default_value = "swath-notebooks", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// With the pictures and figures of the run that the tutorials were published with
    #[arg(long)]
    pub with_outputs: bool,
    /// Write over notebooks of the same name that are not as they were published
    #[arg(long)]
    pub force: bool,
}
