//! Expressions as they stand in a cell: literals, paths, and chains of calls. Variables are put in as they were bound.

use std::collections::BTreeMap;

use ra_ap_syntax::ast::{self, HasArgList as _, HasName as _};
use ra_ap_syntax::{AstNode as _, AstToken as _, SyntaxToken};

/// What an expression is, as far as it can be read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A number, as TOML writes it.
    Number(String),
    Text(String),
    Flag(bool),
    List(Vec<Value>),
    Tuple(Vec<Value>),
    /// Both ends are part of it.
    Range(Box<Value>, Box<Value>),
    Chain(Chain),
    /// What can be known only by running it: its text.
    Unknown(String),
}

/// `Root::call(arguments)?.call(arguments).call(arguments)`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chain {
    /// The path of the first call or value, its last two names: `Scene::open`, `Loss::Dice`.
    pub(super) root: String,
    pub(super) arguments: Vec<Value>,
    pub(super) calls: Vec<Call>,
    /// The cell of the root.
    pub(super) cell: usize,
    /// Comments that stand before the statement of the root.
    pub(super) notes: Vec<String>,
}

/// A call of a method.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: Vec<Value>,
    /// The cell in which it stands.
    pub(super) cell: usize,
    /// Comments that stand before its statement, at the first call of the statement.
    pub(super) notes: Vec<String>,
}

/// The call that stands for one of several values: `let (train, valid) = …` makes `part 0` and `part 1`.
pub(super) fn part(index: usize) -> String {
    format!("part {index}")
}

impl Chain {
    /// The place of the last call of this name.
    pub(super) fn last(&self, name: &str) -> Option<usize> {
        self.calls.iter().rposition(|call| call.name == name)
    }

    /// The chain before a call.
    pub(super) fn before(&self, index: usize) -> Self {
        Self {
            calls: self.calls[..index.min(self.calls.len())].to_vec(),
            ..self.clone()
        }
    }
}

/// What names stand for, and where the cell is that is being read.
pub(super) struct Scope<'a> {
    pub(super) names: &'a BTreeMap<String, Value>,
    pub(super) cell: usize,
    pub(super) notes: &'a [String],
}

impl Scope<'_> {
    /// Reads an expression.
    pub(super) fn value(&self, expression: &ast::Expr) -> Value {
        self.known(expression)
            .unwrap_or_else(|| Value::Unknown(shown(expression)))
    }

    fn known(&self, expression: &ast::Expr) -> Option<Value> {
        match expression {
            ast::Expr::ParenExpr(inner) => Some(self.value(&inner.expr()?)),
            ast::Expr::TryExpr(inner) => Some(self.value(&inner.expr()?)),
            ast::Expr::RefExpr(inner) => Some(self.value(&inner.expr()?)),
            ast::Expr::Literal(literal) => of_literal(literal),
            ast::Expr::PrefixExpr(prefix) => match (prefix.op_kind()?, self.value(&prefix.expr()?))
            {
                (ast::UnaryOp::Neg, Value::Number(number)) => {
                    Some(Value::Number(format!("-{number}")))
                }
                _ => None,
            },
            ast::Expr::CastExpr(cast) => match self.value(&cast.expr()?) {
                number @ Value::Number(_) => Some(number),
                _ => None,
            },
            ast::Expr::ArrayExpr(array) => Some(Value::List(
                array.exprs().map(|it| self.value(&it)).collect(),
            )),
            ast::Expr::TupleExpr(tuple) => Some(Value::Tuple(
                tuple.fields().map(|it| self.value(&it)).collect(),
            )),
            ast::Expr::RangeExpr(range) => self.range(range),
            ast::Expr::MacroExpr(call) => self.list(&call.macro_call()?),
            ast::Expr::PathExpr(path) => self.path(&path.path()?),
            ast::Expr::RecordExpr(record) => self.record(record),
            ast::Expr::CallExpr(call) => self.call(call),
            ast::Expr::MethodCallExpr(call) => self.method(call),
            _ => None,
        }
    }

    fn range(&self, range: &ast::RangeExpr) -> Option<Value> {
        use ast::RangeItem as _;
        let (start, end) = (self.value(&range.start()?), self.value(&range.end()?));
        let end = match (range.op_kind()?, &end) {
            (ast::RangeOp::Inclusive, _) => end,
            (ast::RangeOp::Exclusive, Value::Number(number)) => {
                let last = number.parse::<i64>().ok()?.checked_sub(1)?;
                Value::Number(last.to_string())
            }
            (ast::RangeOp::Exclusive, _) => return None,
        };
        Some(Value::Range(Box::new(start), Box::new(end)))
    }

    /// `vec![…]` is a list.
    fn list(&self, call: &ast::MacroCall) -> Option<Value> {
        if call.path()?.syntax().text() != "vec" {
            return None;
        }
        let tokens = call.token_tree()?.syntax().text().to_string();
        let parsed = crate::parse::source(&format!("fn f(){{{tokens}}}"));
        let array = parsed
            .syntax_node()
            .descendants()
            .find_map(ast::ArrayExpr::cast)?;
        Some(self.value(&ast::Expr::ArrayExpr(array)))
    }

    /// A variable, or a value such as `Loss::Dice`.
    fn path(&self, path: &ast::Path) -> Option<Value> {
        let name = two_names(path)?;
        if name.contains("::") {
            return Some(Value::Chain(self.chain(name, Vec::new())));
        }
        self.names.get(&name).cloned()
    }

    /// `Loss::Focal { gamma: 2.0 }`: the values of the fields in their order.
    fn record(&self, record: &ast::RecordExpr) -> Option<Value> {
        let name = two_names(&record.path()?)?;
        let fields = record.record_expr_field_list()?.fields();
        let values = fields.map(|field| Some(self.value(&field.expr()?)));
        Some(Value::Chain(
            self.chain(name, values.collect::<Option<_>>()?),
        ))
    }

    fn call(&self, call: &ast::CallExpr) -> Option<Value> {
        let ast::Expr::PathExpr(path) = call.expr()? else {
            return None;
        };
        let name = two_names(&path.path()?)?;
        let arguments = self.arguments(&call.arg_list()?);
        // A text that becomes another kind of text is still that text.
        if let (["String::from" | "PathBuf::from" | "Path::new" | "Some"], [value]) =
            ([name.as_str()], arguments.as_slice())
        {
            return Some(value.clone());
        }
        Some(Value::Chain(self.chain(name, arguments)))
    }

    fn method(&self, call: &ast::MethodCallExpr) -> Option<Value> {
        let name = call.name_ref()?.text().to_string();
        let receiver = self.value(&call.receiver()?);
        let arguments = self.arguments(&call.arg_list()?);
        match receiver {
            Value::Chain(mut chain) => {
                let is_new = chain
                    .calls
                    .iter()
                    .any(|call| call.cell == self.cell && call.notes == self.notes)
                    || (chain.cell == self.cell && chain.notes == self.notes);
                chain.calls.push(Call {
                    name,
                    arguments,
                    cell: self.cell,
                    notes: if is_new {
                        Vec::new()
                    } else {
                        self.notes.to_vec()
                    },
                });
                Some(Value::Chain(chain))
            }
            text @ (Value::Text(_) | Value::Number(_) | Value::List(_))
                if ["to_owned", "to_string", "into", "clone", "as_str", "to_vec"]
                    .contains(&name.as_str()) =>
            {
                Some(text)
            }
            _ => None,
        }
    }

    fn arguments(&self, list: &ast::ArgList) -> Vec<Value> {
        list.args().map(|it| self.value(&it)).collect()
    }

    fn chain(&self, root: String, arguments: Vec<Value>) -> Chain {
        Chain {
            root,
            arguments,
            calls: Vec::new(),
            cell: self.cell,
            notes: self.notes.to_vec(),
        }
    }
}

/// The last two names of a path: `swath::scene::Scene::open` is `Scene::open`.
fn two_names(path: &ast::Path) -> Option<String> {
    let name = |path: &ast::Path| Some(path.segment()?.name_ref()?.text().to_string());
    let last = name(path)?;
    Some(match path.qualifier().as_ref().and_then(name) {
        Some(before) => format!("{before}::{last}"),
        None => last,
    })
}

fn of_literal(literal: &ast::Literal) -> Option<Value> {
    match literal.kind() {
        ast::LiteralKind::String(text) => Some(Value::Text(text.value().ok()?.into_owned())),
        ast::LiteralKind::Bool(flag) => Some(Value::Flag(flag)),
        ast::LiteralKind::IntNumber(number) => number
            .value()
            .ok()
            .map(|number| Value::Number(number.to_string())),
        ast::LiteralKind::FloatNumber(number) => {
            let value: f64 = number.value_string().parse().ok()?;
            Some(Value::Number(float(value)))
        }
        _ => None,
    }
}

/// A float as TOML writes it.
pub(super) fn float(value: f64) -> String {
    format!("{value:?}")
}

/// The text of an expression in one line, shortened.
fn shown(expression: &ast::Expr) -> String {
    let text = expression.syntax().text().to_string();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(80).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

/// The names that a pattern binds: one, or those of a tuple.
pub(super) fn bound(pattern: &ast::Pat) -> Option<(Vec<Option<String>>, bool)> {
    let name = |pattern: &ast::Pat| match pattern {
        ast::Pat::IdentPat(name) => Some(name.name()?.text().trim_start_matches("r#").to_owned()),
        _ => None,
    };
    match pattern {
        ast::Pat::TuplePat(tuple) => Some((tuple.fields().map(|it| name(&it)).collect(), true)),
        one => Some((vec![Some(name(one)?)], false)),
    }
}

/// The comments that stand on lines of their own before a node.
pub(super) fn comments_before(node: &ra_ap_syntax::SyntaxNode) -> Vec<String> {
    let mut found = Vec::new();
    // A comment at the beginning of a statement is part of it, or stands before it.
    let mut token: Option<SyntaxToken> = node.first_token();
    while let Some(it) = token {
        match ast::Comment::cast(it.clone()) {
            Some(comment) if comment.syntax().text_range().start() >= node.text_range().start() => {
                found.push(plain(&comment));
            }
            _ if !it.kind().is_trivia() => break,
            _ => {}
        }
        token = it.next_token();
    }
    let mut token = node.first_token().and_then(|it| it.prev_token());
    let mut before = Vec::new();
    while let Some(it) = token {
        if let Some(comment) = ast::Comment::cast(it.clone()) {
            // A comment behind the statement before belongs to that.
            let own_line = it
                .prev_token()
                .is_none_or(|before| before.text().contains('\n') || before.text() == "{");
            if !own_line {
                break;
            }
            before.push(plain(&comment));
        } else if !it.kind().is_trivia() || it.text().matches('\n').count() > 1 {
            break;
        }
        token = it.prev_token();
    }
    before.reverse();
    before.extend(found);
    before
}

fn plain(comment: &ast::Comment) -> String {
    comment
        .text()
        .trim_start_matches(['/', '!', '*'])
        .trim_end_matches(['*', '/'])
        .trim()
        .to_owned()
}
