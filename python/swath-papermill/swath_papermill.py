"""Teaches papermill to write parameters in Rust, and to read a notebook's.

papermill loads its engines when it starts, by the entry points of group ``papermill.engine``; loading this module
registers the translator for kernels of the language Rust. The engine itself is papermill's own.

A parameter is written as ``let epochs = 5; // int``. The Swath kernel knows the type that the notebook's own parameters
cell has given to ``epochs`` and keeps it (the first line of the cell asks for that), so ``-p rate 1`` is a float where
the notebook says ``let rate = 0.1;``. Elsewhere the line is an ordinary comment.
"""

from __future__ import annotations

import json
import math
import numbers
import re
import unicodedata

from papermill.engines import NBClientEngine
from papermill.exceptions import PapermillException
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

HEAD = "// %%parameters: each value takes the type that its name has in this notebook"

# Words that no variable can be called, and those that can with `r#` before them.
NEVER = {"crate", "self", "super", "Self", "_"}
KEYWORDS = set(
    "abstract as async await become box break const continue do dyn else enum extern false final fn for gen if impl in let "
    "loop macro match mod move mut override priv pub ref return static struct trait true try type typeof unsafe unsized use "
    "virtual where while yield".split()
)


def variable(name: str) -> str:
    """The name as Rust writes it."""
    if not re.fullmatch(r"[^\W\d]\w*", name) or name in NEVER:
        raise PapermillException(
            f"the parameter {name!r} cannot be the name of a variable in Rust: use letters, digits and `_`, a letter first"
        )
    return f"r#{name}" if name in KEYWORDS else name


def text(value: str) -> str:
    """A string literal."""
    short = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
    try:
        # YAML that was written as JSON holds pairs of surrogates for one character.
        value = value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise PapermillException(f"the text {value!r} is no Unicode: it holds half a surrogate pair") from error
    written = []
    for character in value:
        if character in short:
            written.append(short[character])
        elif unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp"):
            written.append(f"\\u{{{ord(character):x}}}")
        else:
            written.append(character)
    return '"' + "".join(written) + '"'


def integer(value: int) -> str:
    if -(2**31) <= value < 2**31:
        return str(value)
    for bits in (64, 128):
        if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            return f"{value}_i{bits}"
    if 0 <= value < 2**128:
        return f"{value}_u128"
    raise PapermillException(f"the number {value} is too large for Rust's integers")


def real(value: float) -> str:
    if math.isnan(value):
        return "f64::NAN"
    if math.isinf(value):
        return "f64::INFINITY" if value > 0 else "-f64::INFINITY"
    return repr(float(value))


def kind(value) -> str:
    """What values of one array must have in common."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, numbers.Integral):
        return "number" if abs(value) < 2**31 else "large number"
    if isinstance(value, numbers.Real):
        return "float"
    if isinstance(value, (list, tuple)):
        kinds = sorted({kind(element) for element in value})
        return f"list of {kinds[0] if len(kinds) == 1 else kinds}"
    return type(value).__name__


def alike(values) -> list | None:
    """The values as Rust can hold them in one array: whole numbers among floats become floats, large ones take the others
    with them. None when they have no type in common."""
    kinds = {kind(value) for value in values}
    if len(kinds) <= 1:
        return list(values)
    if kinds <= {"number", "large number"}:
        bits = 64 if all(abs(value) < 2**63 for value in values) else 128
        return [f"{integer(value).split('_')[0]}_i{bits}" for value in values]
    if kinds <= {"number", "large number", "float"}:
        return [float(value) for value in values]
    return None


class RustTranslator(Translator):
    """Parameters in Rust."""

    @classmethod
    def translate(cls, val):
        if val is None:
            return "None::<f64>"
        if isinstance(val, bool):
            return "true" if val else "false"
        if isinstance(val, numbers.Integral):
            return integer(int(val))
        if isinstance(val, numbers.Real):
            return real(float(val))
        if isinstance(val, dict):
            return cls.translate_dict(val)
        if isinstance(val, (list, tuple)):
            return cls.translate_list(val)
        return text(str(val))

    @classmethod
    def translate_list(cls, val):
        values = alike(val)
        if values is None:
            # Values of several types are a tuple, in Rust.
            return "(" + "".join(f"{cls.translate(value)}, " for value in val).rstrip() + ")"
        if not values:
            return "Vec::<f64>::new()"
        written = [value if isinstance(value, str) and not isinstance(val[0], str) else cls.translate(value) for value in values]
        return f"vec![{', '.join(written)}]"

    @classmethod
    def translate_dict(cls, val):
        values = alike(val.values())
        if values is None or not val:
            # A map has values of one type; what has not is handed over as JSON text.
            return text(json.dumps(val, ensure_ascii=False, default=str))
        pairs = (f"({text(str(key))}, {cls.translate(value)})" for key, value in zip(val, values))
        return f"std::collections::BTreeMap::from([{', '.join(pairs)}])"

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".strip()

    @classmethod
    def assign(cls, name, str_val):
        return f"let {variable(name)} = {str_val};"

    @classmethod
    def about(cls, val) -> str:
        """The comment behind a parameter: its type in Python."""
        note = type(val).__name__
        if isinstance(val, dict) and cls.translate(val).startswith('"'):
            note += ", as JSON text, since its values have several types" if val else ", as JSON text"
        return note

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        lines = [HEAD, cls.comment(comment)]
        for name, val in parameters.items():
            lines.append(f"{cls.assign(name, cls.translate(val))} // {cls.about(val)}")
        return "\n".join(lines) + "\n"

    @classmethod
    def inspect(cls, parameters_cell):
        try:
            return [Parameter(*found) for found in declared(parameters_cell["source"])]
        except (KeyError, TypeError, IndexError):
            return []


TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<string>b?r(?P<marks>\#*)".*?"(?P=marks)|b?"(?:\\.|[^"\\])*"|'(?:\\.[^']*|[^'\\])')
      | (?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)

DECLARATION = re.compile(
    r"""^\s*(?:\#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?
        (?:let(?:\s+mut)?|const|static(?:\s+mut)?)\s+(?:r\#)?(?P<name>[^\W\d]\w*)\s*
        (?::\s*(?P<type>(?:[^=]|=(?=>))+?))?\s*=\s*(?P<value>.+)$""",
    re.DOTALL | re.VERBOSE,
)


BEGINS = re.compile(r"\s*(?:pub\b.*?)?(?:let|const|static)\s", re.DOTALL)


def statements(source: str):
    """The statements of a cell without their comments, each with the comment behind it on its line."""
    statement, depth, done = "", 0, None
    for token in TOKEN.finditer(source):
        if token["comment"]:
            if done is not None and token["comment"].startswith("//"):
                yield done, token["comment"].lstrip("/").strip()
                done = None
            continue
        piece = token[0]
        if done is not None and (piece == "\n" or not piece.isspace()):
            yield done, ""
            done = None
        if token["other"]:
            depth += piece in "([{"
            depth -= piece in ")]}"
            if piece == ";" and depth == 0:
                done, statement = statement, ""
                continue
        statement += piece
        if piece == "}" and depth == 0 and not BEGINS.match(statement):
            statement = ""
    if done is not None:
        yield done, ""


def inferred(value: str) -> str:
    """The type of a literal, where its spelling says it."""
    for pattern, name in (
        (r"true|false", "bool"),
        (r"-?\d[\d_]*?_?([iu](?:8|16|32|64|128|size)|f32|f64)", None),
        (r"-?\d[\d_]*", "i32"),
        (r"-?\d[\d_]*\.?[\d_]*([eE][+-]?\d+)?|-?f64::\w+", "f64"),
        (r'r?#*".*', "&str"),
        (r"'.*'", "char"),
        (r'String::(from|new)\(.*|".*"\s*\.\s*(to_string|to_owned|into)\(\)', "String"),
    ):
        found = re.fullmatch(pattern, value, re.DOTALL)
        if found and not (name == "&str" and re.search(r'"\s*\.\s*\w+\(', value)):
            return name or found[1]
    return "None"


def declared(source: str):
    """Name, type, default and comment of each variable and constant that a cell declares."""
    for statement, comment in statements(source):
        found = DECLARATION.match(statement)
        if found:
            value = " ".join(found["value"].split())
            type_name = " ".join((found["type"] or inferred(value)).split())
            yield found["name"], type_name, value, comment


class SwathEngine(NBClientEngine):
    """papermill's own engine, under a name by which papermill finds this module."""


for known in ("rust", "swath"):
    papermill_translators.register(known, RustTranslator)
