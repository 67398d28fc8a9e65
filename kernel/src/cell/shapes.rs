//! The structure of types, as the compiler describes it to debuggers.
//!
//! Every cell compiles the types that it needs anew. Whether such a type is still what it was when a variable was made is
//! asked of the compiler, not of the text: the debug information of a function that takes a pointer to the type names every type that is part of it, with sizes,
//! alignments, fields, offsets, variants and parameters, however deep. Its hash is the type's structure. What it does
//! not tell is the layout of a trait object's table: a trait that is defined anew is followed by name (`eval::items`).

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use swath_link::exchange::Erased;

/// The function that takes a pointer to the type at a place.
pub(crate) fn function(place: usize) -> String {
    format!("__swath_shape_{place}")
}

/// The hashes of the types of the functions in LLVM's text; `None` when it cannot be understood.
pub(crate) fn hashes(text: &str, count: usize) -> Option<Vec<(u64, Erased)>> {
    let mut nodes: HashMap<&str, &str> = HashMap::new();
    let mut functions: HashMap<&str, &str> = HashMap::new();
    for line in text.lines().filter(|line| line.starts_with('!')) {
        let Some((name, node)) = line.split_once(" = ") else {
            continue;
        };
        if node.contains("!DISubprogram(name: \"__swath_shape_") {
            let function = node.split('"').nth(1)?;
            functions.insert(function, field(node, "type")?);
        }
        nodes.insert(name, node);
    }
    (0..count)
        .map(|place| {
            let root = functions.get(function(place).as_str())?;
            let mut walk = Walk {
                nodes: &nodes,
                seen: HashMap::new(),
                hasher: DefaultHasher::new(),
                erased: Erased::default(),
            };
            walk.add(root);
            Some((walk.hasher.finish(), walk.erased))
        })
        .collect()
}

/// What of a node says nothing about the structure.
const IGNORED: [&str; 12] = [
    "scope",
    "file",
    "line",
    "flags",
    "identifier",
    "unit",
    "linkageName",
    "declaration",
    "retainedNodes",
    "spFlags",
    "scopeLine",
    "checksum",
];

struct Walk<'a> {
    nodes: &'a HashMap<&'a str, &'a str>,
    seen: HashMap<&'a str, usize>,
    hasher: DefaultHasher,
    erased: Erased,
}

impl<'a> Walk<'a> {
    /// Adds a node and all that it refers to. Types may be part of themselves: what was seen counts by its number.
    fn add(&mut self, root: &'a str) {
        let mut open = vec![root];
        while let Some(name) = open.pop() {
            let number = self.seen.len();
            if let Some(earlier) = self.seen.get(name) {
                earlier.hash(&mut self.hasher);
                continue;
            }
            self.seen.insert(name, number);
            let Some(node) = self.nodes.get(name) else {
                continue;
            };
            let start = open.len();
            for (label, value) in parts(node) {
                if IGNORED.contains(&label) {
                    continue;
                }
                label.hash(&mut self.hasher);
                if is_reference(value) {
                    open.push(value);
                } else {
                    self.erased.any |= value.contains("dyn core::any::Any");
                    self.erased.error |= value.contains("dyn core::error::Error");
                    value.hash(&mut self.hasher);
                }
            }
            open[start..].reverse();
        }
    }
}

fn is_reference(value: &str) -> bool {
    value
        .strip_prefix('!')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The labels and values of a node; the items of a list have no label, a node's kind has an empty one.
fn parts(node: &str) -> Vec<(&str, &str)> {
    let node = node.strip_prefix("distinct ").unwrap_or(node);
    let Some(open) = node.find(['(', '{']) else {
        return vec![("", node)];
    };
    let mut found = vec![("", &node[..open])];
    let inside = node[open + 1..].trim_end_matches([')', '}']);
    let mut start = 0;
    let (mut quoted, mut depth) = (false, 0_usize);
    let ends = inside
        .char_indices()
        .filter(|(_, character)| {
            match character {
                '"' => quoted = !quoted,
                '(' | '{' | '<' if !quoted => depth += 1,
                ')' | '}' | '>' if !quoted => depth = depth.saturating_sub(1),
                _ => {}
            }
            *character == ',' && !quoted && depth == 0
        })
        .map(|(place, _)| place)
        .collect::<Vec<_>>();
    for end in ends.into_iter().chain([inside.len()]) {
        let part = inside[start..end].trim();
        start = (end + 1).min(inside.len());
        if part.is_empty() {
            continue;
        }
        match part.split_once(": ") {
            Some((label, value)) if label.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                found.push((label, value));
            }
            _ => found.push(("", part)),
        }
    }
    found
}

fn field<'a>(node: &'a str, name: &str) -> Option<&'a str> {
    parts(node)
        .into_iter()
        .find(|(label, _)| *label == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(size: u32, inner: &str) -> String {
        format!(
            "define void @f()\n\
             !1 = distinct !DISubprogram(name: \"__swath_shape_0\", scope: !9, line: 3, type: !2, unit: !5)\n\
             !2 = !DISubroutineType(types: !3)\n!3 = !{{null, !4}}\n\
             !4 = !DICompositeType(tag: DW_TAG_structure_type, name: \"A<B, C>\", file: !7, size: {size}, elements: !6, identifier: \"x{size}\")\n\
             !6 = !{{!8}}\n\
             !8 = !DIDerivedType(tag: DW_TAG_member, name: \"next\", scope: !4, baseType: !10, size: 64)\n\
             !10 = !DIDerivedType(tag: DW_TAG_pointer_type, name: \"{inner}\", baseType: !4)\n"
        )
    }

    #[test]
    fn a_structure_is_what_sizes_names_and_parts_say() {
        let hash = |text: &str| hashes(text, 1).unwrap()[0].0;
        let one = hash(&text(64, "Box<A>"));
        assert_eq!(
            one,
            hash(
                &text(64, "Box<A>")
                    .replace("line: 3", "line: 4")
                    .replace("!10", "!11")
            )
        );
        assert_ne!(one, hash(&text(128, "Box<A>")));
        assert_ne!(one, hash(&text(64, "Rc<A>")));
        assert_eq!(hashes("nothing", 1), None);
        let erased = hashes(&text(64, "Box<dyn core::any::Any>"), 1).unwrap()[0].1;
        assert!(erased.any && !erased.error);
    }

    #[test]
    fn the_parts_of_a_node_are_told_apart() {
        assert_eq!(
            parts("!DIBasicType(name: \"a, b\", size: 8)"),
            [("", "!DIBasicType"), ("name", "\"a, b\""), ("size", "8")]
        );
        assert_eq!(parts("!{!1, null}"), [("", "!"), ("", "!1"), ("", "null")]);
    }
}
