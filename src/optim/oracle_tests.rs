//! What PyTorch and fastai compute, for tests: `tests/python/make_training.py` makes the file.

use serde_json::Value;

/// The cases of one part of the file.
pub(crate) fn oracle(part: &str) -> Vec<Value> {
    let text = include_str!("../../tests/fixtures/training.json");
    let all: Value = serde_json::from_str(text).unwrap_or_default();
    match &all[part] {
        Value::Array(cases) => cases.clone(),
        Value::Object(_) => vec![all[part].clone()],
        _ => panic!("the fixture has no part {part:?}"),
    }
}

/// Numbers out of JSON; a test's expectation must be there.
pub(crate) trait Number {
    fn number(&self) -> f64;
    fn numbers(&self) -> Vec<f64>;
    fn floats(&self) -> Vec<f32> {
        self.numbers()
            .into_iter()
            .map(|value| value as f32)
            .collect()
    }
}

impl Number for Value {
    fn number(&self) -> f64 {
        self.as_f64().unwrap_or_else(|| panic!("no number: {self}"))
    }

    fn numbers(&self) -> Vec<f64> {
        match self {
            Self::Array(values) => values.iter().map(Number::number).collect(),
            other => panic!("no numbers: {other}"),
        }
    }
}
