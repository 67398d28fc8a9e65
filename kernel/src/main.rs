//! The program `swath`: the Jupyter kernel, its installer and the library's command line.

mod eval;

fn main() {
    eval::child::run_if_child();
}
