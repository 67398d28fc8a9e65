//! `inspect_reply`: help of magics from their table, everything else from the engine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jupyter_protocol::{InspectReply, InspectRequest, Media, MediaType, ReplyStatus};
use serde_json::{Map, Value};

use super::kernel::Kernel;
use crate::eval::MimeBundle;
use crate::magics;

/// A tooltip that takes longer is no help to somebody who types.
const TOOLTIP: Duration = Duration::from_secs(10);

/// The reply's content.
pub(crate) async fn reply(kernel: &Arc<Kernel>, request: InspectRequest) -> InspectReply {
    let detail = u32::from(request.detail_level.unwrap_or(0) > 0);
    let found = look_up(kernel, &request.code, request.cursor_pos, detail, TOOLTIP).await;
    InspectReply {
        found: found.is_some(),
        data: found.map(media).unwrap_or_default(),
        metadata: Map::new(),
        status: ReplyStatus::Ok,
        error: None,
    }
}

/// A page of help as `jupyter-protocol` has it.
pub(crate) fn media(page: MimeBundle) -> Media {
    let typed = |(mime, value): (String, Value)| match (mime.as_str(), value) {
        ("text/plain", Value::String(text)) => MediaType::Plain(text),
        ("text/html", Value::String(text)) => MediaType::Html(text),
        ("text/markdown", Value::String(text)) => MediaType::Markdown(text),
        (_, value) => MediaType::Other((mime, value)),
    };
    Media::new(page.into_iter().map(typed).collect())
}

/// What is known about the name at `cursor`, in code points; gives up after `patience`, or when the cell that asks is
/// interrupted.
pub(crate) async fn look_up(
    kernel: &Kernel,
    code: &str,
    cursor: usize,
    detail: u32,
    patience: Duration,
) -> Option<MimeBundle> {
    if let Some(magic) = magics::at_cursor(code, cursor) {
        return Some(magic.help_bundle());
    }
    let found = ask(kernel, code, cursor, detail, patience).await?;
    // What a variable is says little; what can be done with it is in the page of its type.
    let Some(of_type) = kernel.engine.library_type_at(code, cursor) else {
        return Some(found);
    };
    let page = ask(kernel, &of_type, of_type.chars().count(), detail, patience).await;
    Some(match page {
        Some(page) => joined(found, &page),
        None => found,
    })
}

/// One page below the other.
fn joined(mut first: MimeBundle, second: &MimeBundle) -> MimeBundle {
    for (kind, text) in &mut first {
        if let (Some(above), Some(below)) =
            (text.as_str(), second.get(kind).and_then(Value::as_str))
        {
            *text = Value::String(format!("{above}\n\n{below}"));
        }
    }
    first
}

async fn ask(
    kernel: &Kernel,
    code: &str,
    cursor: usize,
    detail: u32,
    patience: Duration,
) -> Option<MimeBundle> {
    let text = code;
    let code = magics::without_magics(text);
    if !crate::parse::can_be_analyzed(&code) {
        return None;
    }
    let mut answer = kernel.engine.inspect(code, cursor, detail);
    let asked = Instant::now();
    let was_interrupted = kernel.is_interrupted();
    while asked.elapsed() < patience && (was_interrupted || !kernel.is_interrupted()) {
        match tokio::time::timeout(Duration::from_millis(200), &mut answer).await {
            Ok(Ok(found)) => return found,
            // A newer question came between: a tooltip is replaced by it, a cell asks again.
            Ok(Err(_)) if patience > TOOLTIP => {
                let code = magics::without_magics(text);
                answer = kernel.engine.inspect(code, cursor, detail);
            }
            Ok(Err(_)) => return None,
            Err(_) => {}
        }
    }
    None
}
