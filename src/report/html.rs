//! What was left out, assumed, repaired or converted, as cells show it: a calm list under the picture.

use std::fmt::Write as _;

use super::{Notice, NoticeKind, Report};
use crate::display::FONT;
use crate::display::escape;
use crate::display::html::{MUTED, TEXT};

/// How many notices are seen at once; the rest unfold.
const OPEN: usize = 6;

/// The color of the line before a notice: it stands out from light and dark grounds alike.
const fn color(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::LeftOut => "#c2571a",
        NoticeKind::Assumed => "#9a7400",
        NoticeKind::Repaired => "#2f8f6b",
        NoticeKind::Converted => "#3b7fc4",
        NoticeKind::Noted => "#808080",
    }
}

/// Every notice: what happened, to what, and the next step. More than six are folded, with their count; a click shows
/// the rest, without a script. Empty for a report without notices.
pub(crate) fn report_html(report: &Report) -> String {
    if report.is_empty() {
        return String::new();
    }
    let list = |notices: &[&Notice]| {
        let items: String = notices.iter().map(|notice| item(notice)).collect();
        format!("<ul style=\"list-style:none;margin:0;padding:0\">{items}</ul>")
    };
    let notices: Vec<&Notice> = report.iter().collect();
    let (seen, folded) = if notices.len() > OPEN {
        notices.split_at(OPEN - 1)
    } else {
        (&notices[..], &[][..])
    };
    let rest = if folded.is_empty() {
        String::new()
    } else {
        format!(
            "<details><summary style=\"cursor:pointer;margin:4px 0;{MUTED}\">{} more notices</summary>{}</details>",
            folded.len(),
            list(folded)
        )
    };
    format!(
        "<div style=\"margin:6px 0;max-width:100%;overflow-wrap:anywhere;{FONT};{TEXT}\">\
         <div style=\"{MUTED}\">{}</div>{}{rest}</div>",
        heading(report.len()),
        list(seen)
    )
}

fn heading(count: usize) -> String {
    match count {
        1 => "1 notice".to_owned(),
        count => format!("{count} notices"),
    }
}

fn item(notice: &Notice) -> String {
    let about = notice.subject().map_or_else(String::new, |about| {
        format!(" <span style=\"{MUTED}\">({})</span>", escape(about))
    });
    let next = notice.next_step().map_or_else(String::new, |next| {
        format!("<div style=\"{MUTED}\">&#8594; {}</div>", escape(next))
    });
    format!(
        "<li style=\"margin:3px 0;padding:0 0 0 8px;border-left:3px solid {}\"><b>{}</b>: {}{about}{next}</li>",
        color(notice.kind()),
        notice.kind().word(),
        escape(notice.text())
    )
}

/// The plain form, each notice on a line of its own after `notice`, and its next step on another. Empty for a report
/// without notices; otherwise it begins with a line break.
pub(crate) fn report_text(report: &Report) -> String {
    let mut text = String::new();
    for notice in report {
        let _ = write!(text, "\n{:12} {notice}", "notice");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(count: usize) -> Report {
        let notice = |index: usize| {
            Notice::left_out(format!("feature <{index}>"))
                .about("a & b.shp")
                .count(1)
                .next("say `.with_layer(\"<name>\")`")
        };
        (0..count).map(notice).collect()
    }

    #[test]
    fn notices_say_kind_text_subject_and_next_step_escaped() {
        let html = report_html(&report(1));
        for part in [
            "left out",
            "feature &lt;0&gt;",
            "a &amp; b.shp",
            "with_layer(&quot;&lt;name&gt;",
            "1 notice<",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("<name>") && !html.contains("<script") && !html.contains("<0>"));
        assert_eq!(report_html(&Report::new()), "");
        assert_eq!(report_text(&report(2)).lines().count(), 3);
    }

    #[test]
    fn many_notices_fold_with_their_count_and_none_is_lost() {
        let html = report_html(&report(6));
        assert!(!html.contains("<details"));
        let html = report_html(&report(40));
        assert!(html.contains("40 notices") && html.contains("35 more notices"));
        assert_eq!(html.matches("<li ").count(), 40);
        assert_eq!(html.matches("<details>").count(), 1);
        assert_eq!(report_text(&report(40)).matches("left out").count(), 40);
    }
}
