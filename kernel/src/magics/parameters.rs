//! `%%parameters`, or `// %%parameters` as other kernels can read it: values for names that a cell before has given a type, as papermill's translator writes them.
//!
//! `let rate = 1;` after `let rate: f32 = 0.1;` becomes `let rate: f32 = 1_f32;`: a parameter from a command line or a
//! YAML file has the type that the notebook gave it, not the one that its spelling suggests.

use ra_ap_syntax::AstNode;
use ra_ap_syntax::ast::{self, HasArgList, HasName};

use crate::eval::Variable;

const WRAPPER: &str = "fn f(){";

/// What is known of a name before its parameter is set.
struct Known {
    type_name: String,
    /// `let`, `let mut` or `const`.
    keyword: &'static str,
}

/// The cell with the types of `variables` and `constants` (name and type) in it. What cannot be given a type stays as it
/// is.
pub(crate) fn typed(body: &str, variables: &[Variable], constants: &[(String, String)]) -> String {
    let known = |name: &str| {
        let variable = variables.iter().find(|variable| variable.name == name);
        let variable = variable.map(|variable| Known {
            type_name: variable.type_name.clone(),
            keyword: if variable.mutable { "let mut" } else { "let" },
        });
        variable.or_else(|| {
            let (_, type_name) = constants.iter().find(|(constant, _)| constant == name)?;
            Some(Known {
                type_name: type_name.clone(),
                keyword: "const",
            })
        })
    };
    let mut code = body.to_owned();
    for statement in statements(body).into_iter().rev() {
        if let Some(edited) = edited(&statement, known) {
            let range = statement.syntax().text_range();
            let start = usize::from(range.start()) - WRAPPER.len();
            let end = usize::from(range.end()) - WRAPPER.len();
            code.replace_range(start..end, &edited);
        }
    }
    code
}

fn statements(body: &str) -> Vec<ast::LetStmt> {
    let parsed = crate::parse::source(&format!("{WRAPPER}{body}\n}}"));
    let function = parsed.syntax_node().children().find_map(ast::Fn::cast);
    let list = function
        .and_then(|function| function.body())
        .and_then(|block| block.stmt_list());
    list.into_iter()
        .flat_map(|list| {
            list.syntax()
                .children()
                .filter_map(ast::LetStmt::cast)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn edited(statement: &ast::LetStmt, known: impl Fn(&str) -> Option<Known>) -> Option<String> {
    let Some(ast::Pat::IdentPat(pattern)) = statement.pat() else {
        return None;
    };
    if statement.ty().is_some() {
        return None;
    }
    let name = pattern.name()?.text().to_string();
    let known = known(name.trim_start_matches("r#"))?;
    let value = converted(&statement.initializer()?, &known.type_name)?;
    let Known { type_name, keyword } = known;
    Some(format!("{keyword} {name}: {type_name} = {value};"))
}

/// The outermost name of a type without its path, and what stands between its angle brackets.
fn taken_apart(type_name: &str) -> (&str, Vec<&str>) {
    let (path, rest) = type_name.split_once('<').unwrap_or((type_name, ""));
    let name = path.trim().rsplit("::").next().unwrap_or(path).trim();
    let inside = rest.strip_suffix('>').unwrap_or_default();
    (name, split_at_commas(inside))
}

/// The parts of a list of types.
fn split_at_commas(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, character) in list.char_indices() {
        match character {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = list[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

/// The expression as a value of a type; `None` when it is not known how.
fn converted(value: &ast::Expr, type_name: &str) -> Option<String> {
    let text = value.syntax().text().to_string();
    if let Some(list) = type_name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let element = list.rsplit_once(';').map_or(list, |(element, _)| element);
        return Some(format!("[{}]", all(&elements(value)?, element.trim())?));
    }
    if let Some(list) = type_name
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let (values, types) = (elements(value)?, split_at_commas(list));
        let parts: Option<Vec<String>> = (values.len() == types.len()).then(|| {
            values
                .iter()
                .zip(types)
                .map(|(value, part)| converted(value, part))
                .collect()
        })?;
        return Some(format!("({},)", parts?.join(", ")));
    }
    let (name, arguments) = taken_apart(type_name);
    match (name, arguments.as_slice()) {
        ("Option", [inner]) => Some(if is_none(value) {
            "::core::option::Option::None".to_owned()
        } else {
            format!("::core::option::Option::Some({})", converted(value, inner)?)
        }),
        ("Vec", [element, ..]) => {
            Some(format!("::std::vec![{}]", all(&elements(value)?, element)?))
        }
        ("HashMap" | "BTreeMap", [key, content, ..]) => {
            let pairs: Option<Vec<String>> = elements(value)?
                .iter()
                .map(|pair| converted(pair, &format!("({key}, {content})")))
                .collect();
            Some(format!(
                "::std::collections::{name}::from([{}])",
                pairs?.join(", ")
            ))
        }
        ("f32" | "f64", []) => Some(as_float(&text, name)),
        (
            "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128"
            | "usize",
            [],
        ) => Some(text.split('_').next().unwrap_or_default().to_owned()),
        ("String", []) => Some(format!("::std::string::String::from({text})")),
        ("PathBuf", []) => Some(format!("::std::path::PathBuf::from({text})")),
        ("bool" | "char", []) => Some(text),
        _ if type_name.starts_with('&') && type_name.ends_with("str") => Some(text),
        _ => None,
    }
}

fn all(values: &[ast::Expr], type_name: &str) -> Option<String> {
    let values: Option<Vec<String>> = values
        .iter()
        .map(|value| converted(value, type_name))
        .collect();
    Some(values?.join(", "))
}

/// A whole number may stand for a float; the names of what is no number are those of its type.
fn as_float(text: &str, name: &str) -> String {
    let digits = text.trim_start_matches('-');
    if let Some((_, constant)) = text.split_once("::") {
        let sign = if text.starts_with('-') { "-" } else { "" };
        return format!("{sign}{name}::{constant}");
    }
    let whole = digits.split('_').next().unwrap_or_default();
    if whole.bytes().all(|byte| byte.is_ascii_digit()) {
        let sign = &text[..text.len() - digits.len()];
        return format!("{sign}{whole}_{name}");
    }
    text.to_owned()
}

fn is_none(value: &ast::Expr) -> bool {
    matches!(value, ast::Expr::PathExpr(path) if path.syntax().text().to_string().starts_with("None"))
}

/// What is in an array, a tuple, a `vec![..]`, a `..::from([..])`.
fn elements(value: &ast::Expr) -> Option<Vec<ast::Expr>> {
    match value {
        ast::Expr::ArrayExpr(array) => Some(array.exprs().collect()),
        ast::Expr::TupleExpr(tuple) => Some(tuple.fields().collect()),
        ast::Expr::CallExpr(call) => match call.arg_list()?.args().next() {
            Some(argument) => elements(&argument),
            // `Vec::new()`
            None => Some(Vec::new()),
        },
        ast::Expr::MacroExpr(expression) => {
            let tokens = expression
                .macro_call()?
                .token_tree()?
                .syntax()
                .text()
                .to_string();
            match statements(&format!("let _ = {tokens};"))
                .first()?
                .initializer()?
            {
                ast::Expr::ArrayExpr(array) => Some(array.exprs().collect()),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(type_name: &str, value: &str, expected: &str) {
        let variable = Variable {
            name: "p".to_owned(),
            type_name: type_name.to_owned(),
            mutable: false,
            cell: 1,
        };
        let code = typed(
            &format!("// Parameters\nlet p = {value}; // int"),
            &[variable],
            &[],
        );
        let expected = format!("// Parameters\nlet p: {type_name} = {expected}; // int");
        assert_eq!(code, expected);
    }

    #[test]
    fn values_take_the_types_that_names_have() {
        check("usize", "5", "5");
        check("u8", "3000000000_i64", "3000000000");
        check("f32", "1", "1_f32");
        check("f64", "-2", "-2_f64");
        check("f32", "0.5", "0.5");
        check("f32", "-f64::INFINITY", "-f32::INFINITY");
        check("bool", "true", "true");
        check("&'static str", "\"a\"", "\"a\"");
        check(
            "std::string::String",
            "\"a\"",
            "::std::string::String::from(\"a\")",
        );
        check(
            "std::option::Option<f64>",
            "1",
            "::core::option::Option::Some(1_f64)",
        );
        check(
            "std::option::Option<f64>",
            "None::<f64>",
            "::core::option::Option::None",
        );
        check(
            "std::vec::Vec<f32>",
            "vec![1, 2.5]",
            "::std::vec![1_f32, 2.5]",
        );
        check("std::vec::Vec<u8>", "Vec::<f64>::new()", "::std::vec![]");
        check("[u8; 2]", "vec![1, 2]", "[1, 2]");
        check("(usize, f64)", "vec![1, 2]", "(1, 2_f64,)");
        check(
            "std::collections::HashMap<std::string::String, std::vec::Vec<f64>>",
            "std::collections::BTreeMap::from([(\"a\", vec![1])])",
            "::std::collections::HashMap::from([(::std::string::String::from(\"a\"), ::std::vec![1_f64],)])",
        );
    }

    #[test]
    fn what_is_not_known_stays() {
        assert_eq!(
            typed("let p = 1;\nlet q: u8 = 2;", &[], &[]),
            "let p = 1;\nlet q: u8 = 2;"
        );
        let constants = [("EPOCHS".to_owned(), "usize".to_owned())];
        assert_eq!(
            typed("\nlet EPOCHS = 7; // int", &[], &constants),
            "\nconst EPOCHS: usize = 7; // int"
        );
        let mutable = Variable {
            name: "n".to_owned(),
            type_name: "ctx::Kind".to_owned(),
            mutable: true,
            cell: 1,
        };
        assert_eq!(
            typed("let n = 1;", std::slice::from_ref(&mutable), &[]),
            "let n = 1;"
        );
        let number = Variable {
            type_name: "i64".to_owned(),
            ..mutable
        };
        assert_eq!(typed("let n = 1;", &[number], &[]), "let mut n: i64 = 1;");
        assert_eq!(typed("let n = ;", &[], &[]), "let n = ;");
    }
}
