//! As much XML as label files hold: elements, text, entities, comments. No external entities, so that nothing but the file
//! itself is ever read.

use super::text::shortened;

/// Elements inside each other; Pascal VOC has five levels.
const DEEPEST: usize = 64;

/// An element with its text and the elements inside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Element {
    pub(super) name: String,
    /// The line it begins on, from 1.
    pub(super) line: usize,
    /// Its attributes, in their order.
    pub(super) attributes: Vec<(String, String)>,
    /// Its own text, without surrounding space.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first element of this name inside.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The attribute of this name.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(have, _)| have == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The elements of this name inside.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first element of this name inside; empty without one.
    pub(super) fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.as_str())
    }
}

/// Where reading stopped and why.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) expected: String,
    pub(super) found: String,
}

/// The outermost element of a document.
pub(super) fn parse(text: &str) -> Result<Element, Fault> {
    Reader {
        rest: text,
        line: 1,
        open: Vec::new(),
    }
    .document()
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    open: Vec<Element>,
}

impl<'a> Reader<'a> {
    fn document(mut self) -> Result<Element, Fault> {
        loop {
            let Some(at) = self.rest.find('<') else {
                let found = match self.open.last() {
                    Some(open) => format!("the end of the file inside <{}>", open.name),
                    None => "no element".to_owned(),
                };
                return Err(self.fault("an element with its end", found));
            };
            let text = self.take(at);
            if let Some(open) = self.open.last_mut() {
                open.text.push_str(&unescape(text));
            } else if !text.trim().is_empty() {
                return Err(self.fault("an element", format!("{:?}", shortened(text.trim()))));
            }
            if self.rest.starts_with("<!--") {
                self.take_until("-->")?;
            } else if self.rest.starts_with("<![CDATA[") {
                let raw = self.take_until("]]>")?;
                let raw = raw.trim_start_matches("<![CDATA[").trim_end_matches("]]>");
                if let Some(open) = self.open.last_mut() {
                    open.text.push_str(raw);
                }
            } else if self.rest.starts_with("<?") {
                self.take_until("?>")?;
            } else if self.rest.starts_with("<!") {
                self.take_until(">")?;
            } else if let Some(done) = self.tag()? {
                return self.nothing_after(done);
            }
        }
    }

    /// Two documents in one file would lose the second without a word.
    fn nothing_after(mut self, done: Element) -> Result<Element, Fault> {
        loop {
            let rest = self.rest.trim_start();
            self.take(self.rest.len() - rest.len());
            if rest.is_empty() {
                return Ok(done);
            } else if rest.starts_with("<!--") {
                self.take_until("-->")?;
            } else if rest.starts_with("<?") {
                self.take_until("?>")?;
            } else {
                let expected = format!("the end of the file after </{}>", done.name);
                return Err(self.fault(&expected, format!("{:?}", shortened(rest))));
            }
        }
    }

    /// Reads a tag; returns the outermost element when it ends here.
    fn tag(&mut self) -> Result<Option<Element>, Fault> {
        let line = self.line;
        let tag = self.take_tag()?;
        let inside = tag.strip_prefix('<').unwrap_or(tag);
        let inside = inside.strip_suffix('>').unwrap_or(inside).trim();
        if let Some(name) = inside.strip_prefix('/') {
            return match self.open.pop() {
                Some(open) if open.name == name.trim() => Ok(self.close(open)),
                open => {
                    let open = open.map_or("no element".to_owned(), |open| {
                        format!("the end of <{}>", open.name)
                    });
                    Err(self.fault(&open, format!("</{}>", shortened(name.trim()))))
                }
            };
        }
        let alone = inside.ends_with('/');
        let inside = inside.strip_suffix('/').unwrap_or(inside);
        let Some(name) = inside.split_whitespace().next() else {
            return Err(self.fault("the name of an element", "<>".to_owned()));
        };
        if self.open.len() >= DEEPEST {
            return Err(self.fault("at most 64 elements inside each other", "more".to_owned()));
        }
        let element = Element {
            name: name.to_owned(),
            line,
            attributes: attributes(&inside[inside.find(name).unwrap_or(0) + name.len()..]),
            ..Element::default()
        };
        if alone {
            return Ok(self.close(element));
        }
        self.open.push(element);
        Ok(None)
    }

    fn close(&mut self, mut element: Element) -> Option<Element> {
        element.text = element.text.trim().to_owned();
        match self.open.last_mut() {
            Some(parent) => {
                parent.children.push(element);
                None
            }
            None => Some(element),
        }
    }

    /// A tag to its end; `>` between quotes belongs to an attribute.
    fn take_tag(&mut self) -> Result<&'a str, Fault> {
        let mut quote = None;
        for (at, letter) in self.rest.char_indices() {
            match (quote, letter) {
                (None, '>') => return Ok(self.take(at + 1)),
                (None, '"' | '\'') => quote = Some(letter),
                (Some(open), letter) if open == letter => quote = None,
                _ => {}
            }
        }
        Err(self.fault("\">\"", "the end of the file".to_owned()))
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.bytes().filter(|&byte| byte == b'\n').count();
        self.rest = rest;
        taken
    }

    fn take_until(&mut self, end: &str) -> Result<&'a str, Fault> {
        match self.rest.find(end) {
            Some(at) => Ok(self.take(at + end.len())),
            None => Err(self.fault(&format!("{end:?}"), "the end of the file".to_owned())),
        }
    }

    fn fault(&self, expected: &str, found: String) -> Fault {
        Fault {
            line: self.line,
            expected: expected.to_owned(),
            found,
        }
    }
}

/// `name="value"` or `name='value'`, with anything but names and values passed over.
fn attributes(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let Some(quote) = after.chars().next().filter(|quote| "\"'".contains(*quote)) else {
            break;
        };
        let Some((value, further)) = after[1..].split_once(quote) else {
            break;
        };
        let name = name.split_whitespace().next_back().unwrap_or_default();
        found.push((name.to_owned(), unescape(value)));
        rest = further;
    }
    found
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest.find(';').map(|end| (&rest[1..end], &rest[end + 1..]));
        match entity.and_then(|(name, after)| Some((character(name)?, after))) {
            Some((character, after)) => {
                plain.push(character);
                rest = after;
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

/// The text with the characters that mean something in XML written as entities.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_text_entities_and_comments() {
        let text = "<?xml version=\"1.0\"?>\n<!DOCTYPE a>\n<a one='1'>\n <!-- <b> -->\n <b>x &lt; &#65;&amp; &nope;</b>\n\
                    <b/><c><![CDATA[<raw>]]></c></a>";
        let found = parse(text).unwrap();
        assert_eq!(
            (found.name.as_str(), found.line, found.children.len()),
            ("a", 3, 3)
        );
        assert_eq!(found.text_of("b"), "x < A& &nope;");
        assert_eq!(found.text_of("c"), "<raw>");
        assert_eq!(found.child("b").map(|b| b.line), Some(5));
        assert_eq!(unescape(&escaped("<a & b>")), "<a & b>");
        assert_eq!(found.attribute("one"), Some("1"));
        let text = "<a one=\"x > y\"  two = '&lt;\"'/> <!-- after -->\n";
        let found = parse(text).unwrap();
        assert_eq!(found.attribute("one"), Some("x > y"));
        assert_eq!(found.attribute("two"), Some("<\""));
    }

    #[test]
    fn broken_documents_say_where() {
        for (text, line, found) in [
            ("", 1, "no element"),
            ("<a>\n<b></a>", 2, "</a>"),
            ("<a>\n\n<b>", 3, "the end of the file inside <b>"),
            ("<a", 1, "the end of the file"),
            ("hello <a/>", 1, "\"hello\""),
            ("</a>", 1, "</a>"),
            ("<>", 1, "<>"),
            ("<a/>\n<a/>", 2, "\"<a/>\""),
            ("<a b=\"", 1, "the end of the file"),
        ] {
            let fault = parse(text).unwrap_err();
            assert_eq!(
                (fault.line, fault.found.as_str()),
                (line, found),
                "{text:?}"
            );
        }
        assert!(parse(&"<a>".repeat(100_000)).is_err());
    }
}
