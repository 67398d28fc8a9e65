//! From the messages of a kernel to the outputs that a notebook keeps.

use serde_json::{Map, Value, json};

use super::notebook::Notebook;

/// An output, and the name under which it may be replaced, by its cell and its place there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    id: String,
    cell: usize,
    output: usize,
}

/// Keeps what the running cell shows.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    cell: usize,
    /// The cell's outputs go when the next one comes.
    clears: bool,
    named: Vec<Named>,
}

impl Recorder {
    /// What is shown from now on belongs to the cell at this place.
    pub(super) fn begin(&mut self, notebook: &mut Notebook, cell: usize) {
        self.cell = cell;
        self.clears = false;
        self.forget();
        notebook.cells[cell].clear();
    }

    /// Takes a message; says whether the notebook has changed.
    pub(super) fn accept(&mut self, notebook: &mut Notebook, kind: &str, content: &Value) -> bool {
        match kind {
            "stream" => self.stream(notebook, content),
            "display_data" | "execute_result" => self.display(notebook, kind, content),
            "update_display_data" => return self.update(notebook, content),
            "error" => self.push(
                notebook,
                json!({
                    "output_type": "error",
                    "ename": content.get("ename").and_then(Value::as_str).unwrap_or_default(),
                    "evalue": content.get("evalue").and_then(Value::as_str).unwrap_or_default(),
                    "traceback": content.get("traceback").filter(|it| it.is_array()).cloned().unwrap_or_else(|| json!([])),
                }),
                None,
            ),
            "clear_output" => {
                if content.get("wait").and_then(Value::as_bool) == Some(true) {
                    self.clears = true;
                } else {
                    self.clear(notebook);
                }
            }
            "execute_input" => {
                let count = content.get("execution_count").cloned().unwrap_or_default();
                notebook.cells[self.cell].json.insert("execution_count".to_owned(), count);
            }
            _ => return false,
        }
        true
    }

    /// Text of the run itself, in the cell's stream of errors.
    pub(super) fn remark(&mut self, notebook: &mut Notebook, text: &str) {
        self.stream(notebook, &json!({ "name": "stderr", "text": text }));
    }

    fn outputs<'a>(&self, notebook: &'a mut Notebook) -> Option<&'a mut Vec<Value>> {
        let outputs = notebook.cells.get_mut(self.cell)?.json.get_mut("outputs")?;
        outputs.as_array_mut()
    }

    fn stream(&mut self, notebook: &mut Notebook, content: &Value) {
        let part = |name: &str| {
            content
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (name, text) = (part("name"), part("text"));
        self.clear_now(notebook);
        let last = self
            .outputs(notebook)
            .and_then(|outputs| outputs.last_mut());
        if let Some(last) = last
            && last.get("output_type").and_then(Value::as_str) == Some("stream")
            && last.get("name").and_then(Value::as_str) == Some(name)
            && let Some(Value::String(there)) = last.get_mut("text")
        {
            there.push_str(text);
            return;
        }
        let name = if name == "stderr" { "stderr" } else { "stdout" };
        self.push(
            notebook,
            json!({ "output_type": "stream", "name": name, "text": text }),
            None,
        );
    }

    fn display(&mut self, notebook: &mut Notebook, kind: &str, content: &Value) {
        let mut output = Map::new();
        output.insert("output_type".to_owned(), json!(kind));
        if kind == "execute_result" {
            let count = content.get("execution_count").cloned().unwrap_or_default();
            output.insert("execution_count".to_owned(), count);
        }
        for part in ["data", "metadata"] {
            output.insert(part.to_owned(), object(content, part));
        }
        self.push(notebook, Value::Object(output), display_id(content));
    }

    /// Replaces every output of that name, in whatever cell.
    fn update(&self, notebook: &mut Notebook, content: &Value) -> bool {
        let Some(id) = display_id(content) else {
            return false;
        };
        let mut changed = false;
        for named in self.named.iter().filter(|named| named.id == id) {
            let output = notebook
                .cells
                .get_mut(named.cell)
                .and_then(|cell| cell.json.get_mut("outputs"))
                .and_then(|outputs| outputs.get_mut(named.output));
            if let Some(Value::Object(output)) = output {
                for part in ["data", "metadata"] {
                    output.insert(part.to_owned(), object(content, part));
                }
                changed = true;
            }
        }
        changed
    }

    fn push(&mut self, notebook: &mut Notebook, output: Value, id: Option<String>) {
        self.clear_now(notebook);
        let cell = self.cell;
        let Some(outputs) = self.outputs(notebook) else {
            return;
        };
        let place = outputs.len();
        outputs.push(output);
        self.named.extend(id.map(|id| Named {
            id,
            cell,
            output: place,
        }));
    }

    fn clear_now(&mut self, notebook: &mut Notebook) {
        if std::mem::take(&mut self.clears) {
            self.clear(notebook);
        }
    }

    fn clear(&mut self, notebook: &mut Notebook) {
        self.clears = false;
        if let Some(outputs) = self.outputs(notebook) {
            outputs.clear();
        }
        self.forget();
    }

    /// The names of the cell's outputs mean nothing any more.
    fn forget(&mut self) {
        let cell = self.cell;
        self.named.retain(|named| named.cell != cell);
    }
}

fn object(content: &Value, part: &str) -> Value {
    let found = content.get(part).filter(|it| it.is_object());
    found.cloned().unwrap_or_else(|| json!({}))
}

fn display_id(content: &Value) -> Option<String> {
    let id = content.get("transient")?.get("display_id")?.as_str()?;
    Some(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::notebook::Cell;
    use super::*;

    fn notebook() -> Notebook {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ipynb");
        let cells = [Cell::code("1", &[]).json, Cell::code("2", &[]).json];
        std::fs::write(&path, json!({ "nbformat": 4, "cells": cells }).to_string()).unwrap();
        Notebook::read(&path).unwrap()
    }

    fn display(text: &str, id: &str) -> Value {
        json!({ "data": { "text/plain": text }, "metadata": {}, "transient": { "display_id": id } })
    }

    #[test]
    fn streams_are_merged_and_outputs_keep_their_order() {
        let (mut notebook, mut recorder) = (notebook(), Recorder::default());
        recorder.begin(&mut notebook, 0);
        let mut take = |kind: &str, content: Value| recorder.accept(&mut notebook, kind, &content);
        assert!(take(
            "execute_input",
            json!({ "execution_count": 3, "code": "1" })
        ));
        for (name, text) in [
            ("stdout", "a"),
            ("stdout", "b\n"),
            ("stderr", "c"),
            ("stdout", "d"),
        ] {
            assert!(take("stream", json!({ "name": name, "text": text })));
        }
        take(
            "execute_result",
            json!({ "execution_count": 3, "data": { "text/plain": "2" }, "metadata": {} }),
        );
        take(
            "error",
            json!({ "ename": "E", "evalue": "v", "traceback": ["t"] }),
        );
        assert!(!take("status", json!({ "execution_state": "idle" })));
        let cell = &notebook.cells[0].json;
        assert_eq!(cell["execution_count"], 3);
        assert_eq!(
            cell["outputs"],
            json!([
                { "output_type": "stream", "name": "stdout", "text": "ab\n" },
                { "output_type": "stream", "name": "stderr", "text": "c" },
                { "output_type": "stream", "name": "stdout", "text": "d" },
                { "output_type": "execute_result", "execution_count": 3, "data": { "text/plain": "2" }, "metadata": {} },
                { "output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"] },
            ])
        );
    }

    #[test]
    fn displays_are_replaced_in_whatever_cell_they_are() {
        let (mut notebook, mut recorder) = (notebook(), Recorder::default());
        recorder.begin(&mut notebook, 0);
        recorder.accept(&mut notebook, "display_data", &display("0 %", "p"));
        recorder.begin(&mut notebook, 1);
        recorder.accept(&mut notebook, "display_data", &display("x", "q"));
        assert!(recorder.accept(&mut notebook, "update_display_data", &display("100 %", "p")));
        assert!(!recorder.accept(&mut notebook, "update_display_data", &display("?", "r")));
        assert_eq!(
            notebook.cells[0].json["outputs"][0]["data"]["text/plain"],
            "100 %"
        );
        assert_eq!(
            notebook.cells[1].json["outputs"][0]["data"]["text/plain"],
            "x"
        );
        // A cell that begins anew has forgotten the names of its outputs.
        recorder.begin(&mut notebook, 0);
        assert!(!recorder.accept(&mut notebook, "update_display_data", &display("9 %", "p")));
    }

    #[test]
    fn outputs_are_cleared_at_once_or_when_the_next_one_comes() {
        let (mut notebook, mut recorder) = (notebook(), Recorder::default());
        recorder.begin(&mut notebook, 0);
        recorder.remark(&mut notebook, "a");
        recorder.accept(&mut notebook, "clear_output", &json!({ "wait": true }));
        assert_eq!(
            notebook.cells[0].json["outputs"].as_array().unwrap().len(),
            1
        );
        recorder.accept(&mut notebook, "display_data", &display("b", "p"));
        assert_eq!(
            notebook.cells[0].json["outputs"].as_array().unwrap().len(),
            1
        );
        assert_eq!(
            notebook.cells[0].json["outputs"][0]["data"]["text/plain"],
            "b"
        );
        recorder.accept(&mut notebook, "clear_output", &json!({ "wait": false }));
        assert_eq!(notebook.cells[0].json["outputs"], json!([]));
    }
}
