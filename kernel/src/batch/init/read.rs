//! From cells to the trainings that they describe.

use std::collections::BTreeMap;

use ra_ap_syntax::AstNode as _;
use ra_ap_syntax::ast::{self, HasName as _};

use super::Findings;
use super::rust::{Call, Chain, Scope, Value, bound, comments_before, part};
use crate::magics::{self, Step, Surroundings};

const WRAPPER: &str = "fn f(){";

/// What the cells so far have said.
#[derive(Default)]
pub(super) struct Reader {
    names: BTreeMap<String, Value>,
    /// Every chain in which something was trained, in the order of the cells.
    pub(super) trained: Vec<Chain>,
    /// Chains that end in a call that saves, in their order.
    pub(super) saved: Vec<Chain>,
    /// The latest scene or scenes, for a notebook that trains nothing.
    pub(super) scene: Option<Chain>,
}

impl Reader {
    /// Reads a cell.
    pub(super) fn cell(&mut self, number: usize, code: &str, findings: &mut Findings) {
        let search_path = std::env::var_os("PATH").unwrap_or_default();
        let surroundings = Surroundings {
            knows: &|_| false,
            type_of: &|_| None,
            search_path: &search_path,
        };
        let steps = match magics::plan(code, &surroundings) {
            Ok(steps) => steps,
            Err(error) => {
                findings.unread(number, &error.message);
                return;
            }
        };
        for step in steps {
            match step {
                Step::Rust(rust) => self.rust(number, &rust),
                // papermill's values: those of a run, not of the notebook.
                Step::Builtin {
                    body: Some(body), ..
                } if body.trim_start().starts_with("let ") => {
                    self.rust(number, &body);
                }
                _ => {}
            }
        }
    }

    fn rust(&mut self, number: usize, code: &str) {
        // evcxr's own commands are no Rust.
        if code.trim_start().starts_with(':') {
            return;
        }
        let parsed = crate::parse::source(&format!("{WRAPPER}{code}\n}}"));
        let body = parsed
            .syntax_node()
            .children()
            .find_map(ast::Fn::cast)
            .and_then(|function| function.body());
        let Some(list) = body.and_then(|block| block.stmt_list()) else {
            return;
        };
        for node in list.syntax().children() {
            let notes: Vec<String> = (comments_before(&node).into_iter())
                .map(|text| format!("cell {number}: {text}"))
                .collect();
            if let Some(statement) = ast::LetStmt::cast(node.clone()) {
                self.bind(number, &statement, &notes);
            } else if let Some(constant) = ast::Const::cast(node.clone()) {
                // The value is an expression, or in a node of its own.
                let value = constant.syntax().children().find_map(|node| {
                    let inner =
                        ast::ConstArg::cast(node.clone()).and_then(|it| it.syntax().first_child());
                    ast::Expr::cast(inner.unwrap_or(node))
                });
                if let (Some(name), Some(expression)) = (constant.name(), value) {
                    let value = self.value(number, &expression, &notes);
                    self.names.insert(name.text().to_string(), value);
                }
            } else if let Some(statement) = ast::ExprStmt::cast(node.clone()) {
                if let Some(expression) = statement.expr() {
                    self.value(number, &expression, &notes);
                }
            } else if let Some(expression) = ast::Expr::cast(node) {
                self.value(number, &expression, &notes);
            }
        }
    }

    fn bind(&mut self, number: usize, statement: &ast::LetStmt, notes: &[String]) {
        let (Some(pattern), Some(expression)) = (statement.pat(), statement.initializer()) else {
            return;
        };
        let value = self.value(number, &expression, notes);
        let Some((names, is_tuple)) = bound(&pattern) else {
            return;
        };
        for (index, name) in names.into_iter().enumerate() {
            let Some(name) = name else {
                continue;
            };
            let value = match (is_tuple, &value) {
                (false, value) => value.clone(),
                (true, Value::Tuple(parts)) => match parts.get(index) {
                    Some(part) => part.clone(),
                    None => continue,
                },
                (true, Value::Chain(chain)) => {
                    let mut chain = chain.clone();
                    chain.calls.push(Call {
                        name: part(index),
                        arguments: Vec::new(),
                        cell: number,
                        notes: Vec::new(),
                    });
                    Value::Chain(chain)
                }
                (true, other) => other.clone(),
            };
            self.names.insert(name, value);
        }
    }

    /// Reads an expression, and keeps what it says of trainings.
    fn value(&mut self, number: usize, expression: &ast::Expr, notes: &[String]) -> Value {
        // What is only shown or asserted may hold the call that counts.
        for call in expression
            .syntax()
            .descendants()
            .filter_map(ast::MethodCallExpr::cast)
        {
            let name = call.name_ref().map(|name| name.text().to_string());
            let Some(name @ ("fit" | "save")) = name.as_deref() else {
                continue;
            };
            let scope = Scope {
                names: &self.names,
                cell: number,
                notes,
            };
            if let Value::Chain(chain) = scope.value(&ast::Expr::MethodCallExpr(call)) {
                match name {
                    "fit" => self.trained.push(chain),
                    _ => self.saved.push(chain),
                }
            }
        }
        let scope = Scope {
            names: &self.names,
            cell: number,
            notes,
        };
        let value = scope.value(expression);
        if let Value::Chain(chain) = &value
            && (chain.root.starts_with("Scene::") || chain.root.starts_with("Scenes::"))
        {
            self.scene = Some(chain.clone());
        }
        value
    }
}
