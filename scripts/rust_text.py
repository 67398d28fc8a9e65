"""Rust as text, for checks that read sources without a compiler: comments and literals blanked, blocks, modules of tests."""

import re

LITERAL = re.compile(
    r"//[^\n]*|/\*.*?\*/|b?r(#*)\".*?\"\1|b?\"(?:\\.|[^\"\\])*\"|b?'(?:\\[^\n']+|[^\\'\n])'", re.S
)
# `#[test]`, `#[tokio::test(…)]` and the function behind it.
TEST = re.compile(r"#\[(?:\w+::)*test(?:\([^\]]*\))?\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn (\w+)")
# A module that only tests have: attributes, name, and whether it is a file (`;`) or stands here (`{`).
OF_TESTS = re.compile(r"#\[cfg\(test\)\]((?:\s*#\[[^\]]*\])*)\s*(?:pub(?:\([\w: ]+\))? )?mod (\w+)\s*([;{])")
# Files and folders of tests, by the rule of CONTRIBUTING.md.
TEST_FILE = re.compile(r"(?:^|/)(?:\w+_)?tests(?:\.rs$|/|$)")


def spaces(text: str) -> str:
    """Nothing but spaces, on as many lines."""
    return re.sub(r"[^\n]", " ", text)


def blanked(text: str) -> str:
    """Rust with comments and the insides of literals blanked, place for place, so that braces and words can be looked for."""
    return LITERAL.sub(lambda found: spaces(found[0]), text)


def end_of_block(code: str, start: int) -> int:
    """The place after the brace that closes the one at `start`."""
    depth = 0
    for brace in re.compile(r"[{}]").finditer(code, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    raise AssertionError(f"a brace is open: {code[start:start + 80]!r}")


def without_tests(code: str) -> str:
    """Blanked code with its modules of tests blanked as well."""
    while found := next((one for one in OF_TESTS.finditer(code) if one[3] == "{"), None):
        end = end_of_block(code, found.end() - 1)
        code = code[: found.start()] + spaces(code[found.start() : end]) + code[end:]
    return code
