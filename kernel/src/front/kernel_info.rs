//! `kernel_info_reply`: who we are. Needs nothing but this process.

use jupyter_protocol::{CodeMirrorMode, HelpLink, LanguageInfo, ReplyStatus};

use crate::wire::message::PROTOCOL_VERSION;
use crate::wire::messages::KernelInfoReply;

/// The reply's content.
pub(crate) fn kernel_info() -> KernelInfoReply {
    let link = |text: &str, url: &str| HelpLink {
        text: text.to_owned(),
        url: url.to_owned(),
    };
    let reply = jupyter_protocol::KernelInfoReply {
        status: ReplyStatus::Ok,
        protocol_version: PROTOCOL_VERSION.to_owned(),
        implementation: "swath".to_owned(),
        implementation_version: env!("CARGO_PKG_VERSION").to_owned(),
        language_info: LanguageInfo {
            name: "rust".to_owned(),
            version: crate::toolchain::built_for().to_owned(),
            mimetype: Some("text/rust".to_owned()),
            file_extension: Some(".rs".to_owned()),
            pygments_lexer: Some("rust".to_owned()),
            codemirror_mode: Some(CodeMirrorMode::Simple("rust".to_owned())),
            nbconvert_exporter: Some("script".to_owned()),
        },
        banner: format!(
            "Swath {}: geospatial deep learning in Rust. `%lsmagic` lists the magics, `%name?` explains one.",
            env!("CARGO_PKG_VERSION")
        ),
        help_links: vec![
            link("The Rust book", "https://doc.rust-lang.org/book/"),
            link(
                "Rust by example",
                "https://doc.rust-lang.org/rust-by-example/",
            ),
            link("The standard library", "https://doc.rust-lang.org/std/"),
            link("The Burn book", "https://burn.dev/books/burn/"),
        ],
        debugger: false,
        error: None,
    };
    KernelInfoReply {
        reply,
        // Comms, completion and inspection are answered while a cell runs without subshells, so none are announced.
        supported_features: Vec::new(),
    }
}
