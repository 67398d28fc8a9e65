//! The program `swath`: the Jupyter kernel, its installer and the library's command line.

fn main() -> std::process::ExitCode {
    swath_kernel::run()
}
