"""The plain program that cells stand for: items at module level, statements in one function, values printed by `{:?}`.

Only as much of Rust's grammar as is needed to tell where a statement ends; rustc judges the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A raw string, a string, a character, a comment, white space, a word, or one character of anything else.
TOKEN = re.compile(
    r"""[bc]?r(?P<hashes>\#+)".*?"(?P=hashes) | [bc]?r"[^"]*" | [bc]?"(?:\\.|[^"\\])*"
      | b?'(?:\\[^u]|\\u\{[0-9a-fA-F_]+\}|\\x[0-9a-fA-F]{2}|[^'\\])' | //[^\n]* | \s+ | [^\W\d]\w*\b!? | => | .""",
    re.DOTALL | re.VERBOSE,
)
ITEM_WORDS = {"fn", "struct", "enum", "union", "trait", "impl", "mod", "type", "use", "static", "macro_rules!", "extern",
              "thread_local!"}
# Expressions that end as statements with their closing brace.
BLOCK_WORDS = {"if", "match", "for", "while", "loop", "unsafe", "{"}
OPEN, CLOSE = "([{", ")]}"


@dataclass
class Piece:
    """One item or statement of a cell, with its text."""

    text: str
    words: list[str]
    ended: bool  # by a semicolon, or by the brace that ends an item or a block

    @property
    def is_item(self) -> bool:
        words = without_attributes(self.words)
        if words[:1] == ["pub"]:
            return True
        # `const { … }`, `async { … }` and `unsafe { … }` are expressions.
        while words[:1] and words[0] in ("const", "async", "unsafe") and words[1:2] and words[1] not in ("{", "move"):
            if words[0] == "const" and words[1] not in ("fn", "unsafe", "extern", "async"):
                return True
            words = words[1:]
        if words[:1] == ["union"]:
            return len(words) > 1 and re.fullmatch(r"[^\W\d]\w*", words[1]) is not None
        return bool(words) and words[0] in ITEM_WORDS

    @property
    def ends_with_brace(self) -> bool:
        """Whether a closing brace at its top level ends it."""
        words = without_attributes(self.words)
        if not self.is_item:
            first = words[0] if words else ""
            labeled = first == "'" and len(words) > 3
            return first in BLOCK_WORDS or labeled or first.endswith("!")
        head = [word for word in words if word not in ("pub", "async", "unsafe")]
        if head[:1] == ["const"]:
            return head[1:2] == ["fn"]
        return head[0] not in ("type", "use", "static")


def without_attributes(words: list[str]) -> list[str]:
    while words[:1] == ["#"]:
        depth = end = 0
        for end, word in enumerate(words):
            depth += (word == "[") - (word == "]")
            if word == "]" and depth == 0:
                break
        words = words[end + 1:]
    return words


def block_comments_removed(code: str) -> str:
    """Comments within comments are beyond a regular expression."""
    kept, depth, at = [], 0, 0
    while at < len(code):
        if code.startswith("/*", at):
            depth, at = depth + 1, at + 2
        elif depth and code.startswith("*/", at):
            depth, at = depth - 1, at + 2
        elif depth:
            at += 1
        else:
            token = TOKEN.match(code, at).group()
            kept.append(token)
            at += len(token)
    return "".join(kept)


def pieces(code: str) -> list[Piece]:
    """The items and statements of a cell, in order."""
    found: list[Piece] = []
    text, words, depth = "", [], 0
    tokens = [match.group() for match in TOKEN.finditer(block_comments_removed(code))]
    for index, token in enumerate(tokens):
        text += token
        if token.isspace() or token.startswith("//"):
            continue
        words.append(token)
        depth += token in OPEN
        depth -= token in CLOSE
        if depth or token not in ";}":
            continue
        piece = Piece(text, words, True)
        following = next((later for later in tokens[index + 1:] if not later.isspace() and not later.startswith("//")), "")
        # A value that ends a cell is not ended by its brace; `else`, `.` and `?` go on with it.
        block_goes_on = not piece.is_item and (following in ("else", ".", "?", "") or words[0].endswith("!") and following == ";")
        if token == ";" or token == "}" and piece.ends_with_brace and not block_goes_on:
            found.append(piece)
            text, words = "", []
    if words:
        found.append(Piece(text, words, False))
    return found


@dataclass
class Cell:
    """One cell of the corpus."""

    code: str
    refusal: str  # what the kernel says instead of running it; empty when it must run


def cells_of(text: str) -> list[Cell]:
    """The cells of a file of the corpus: each begins with `// ---`, or with `// --- refused: WORDS OF THE MESSAGE`."""
    found = []
    for part in re.split(r"^// ---", text, flags=re.MULTILINE)[1:]:
        head, _, code = part.partition("\n")
        found.append(Cell(code.strip("\n"), head.partition("refused:")[2].strip()))
    return found


MARK = "\x1e"
HELPERS = f'''
#[allow(dead_code)]
pub fn show<T: std::fmt::Debug + ?Sized>(value: &T) {{
    if std::any::type_name::<T>() != "()" {{
        print!("{MARK}value {{value:?}}");
    }}
}}
pub fn end_of_cell() {{
    use std::io::Write;
    print!("{MARK}cell ");
    eprint!("{MARK}cell ");
    std::io::stdout().flush().unwrap();
}}
'''


def session(name: str, cells: list[Cell]) -> str:
    """A module whose `run_cells` does what the cells do, one after another. A refused cell does nothing."""
    items, body = [], []
    for cell in cells:
        # What a file says of itself at its beginning has no place in a module of ours.
        code = re.sub(r"^(//!.*|#!\[.*\])$", "", cell.code, flags=re.MULTILINE)
        for piece in [] if cell.refusal else pieces(code):
            if piece.is_item:
                items.append(piece.text)
            elif piece.ended:
                body.append(piece.text)
            elif has_no_value(piece):
                body.append(f"{piece.text};")
            else:
                body.append(f"crate::show(&({piece.text}\n));")
        body.append("crate::end_of_cell();")
    # Macros are seen only below their definition.
    items.sort(key=lambda text: "macro_rules!" not in text)
    joined, statements = "\n".join(items), "\n".join(body)
    return (f"mod {name} {{\n{joined}\npub fn run_cells() -> Result<(), Box<dyn std::error::Error>> "
            f"{{\n{statements}\nOk(())\n}}\n}}\n")


def has_no_value(piece: Piece) -> bool:
    return piece.words[0] in ("for", "while") or piece.words[0].endswith("!") and piece.words[1] == "{"


def program(sessions: dict[str, list[Cell]]) -> str:
    """One program for all: its first argument names the session to run."""
    arms = "".join(f'Some("{name}") => {name}::run_cells().unwrap(),\n' for name in sessions)
    modules = "".join(session(name, cells) for name, cells in sessions.items())
    return (f"#![allow(warnings)]\n{modules}\nfn main() {{ match std::env::args().nth(1).as_deref() {{\n{arms}"
            f"_ => std::process::exit(2) }} }}\n{HELPERS}")


@dataclass
class Said:
    """What one cell printed, and its value."""

    stdout: str
    value: str
    stderr: str


def said(stdout: str, stderr: str) -> list[Said]:
    """Takes apart what a session's program printed."""
    outs, errors = stdout.split(f"{MARK}cell ")[:-1], stderr.split(f"{MARK}cell ")[:-1]
    found = []
    for out, error in zip(outs, errors):
        text, _, value = out.partition(f"{MARK}value ")
        found.append(Said(text, value, error))
    return found
