//! Band arithmetic: from a text to a program of steps on columns of numbers.
//!
//! The program is a list of steps on a stack of columns, so that neither evaluating nor dropping it descends anywhere, and
//! nesting is bounded while it is read.

mod parse;

use super::transform_error::TransformError;

/// The longest text, in bytes.
const LONGEST: usize = 10_000;
/// Pixels that are worked out at a time.
const COLUMN: usize = 512;

/// One step of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Number(f64),
    /// The band at this place of [`Program::names`].
    Band(usize),
    One(One),
    Two(Two),
    /// `where(condition, then, otherwise)`.
    Where,
    /// `clip(value, low, high)`.
    Clip,
}

/// What is done with one number.
#[derive(Clone, Copy, Debug, PartialEq)]
enum One {
    Minus,
    Not,
    Abs,
    Sqrt,
    Exp,
    Ln,
    Log10,
    Log2,
    Sin,
    Cos,
    Tan,
    Atan,
    Floor,
    Ceil,
    Round,
}

/// What is done with two numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Two {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    Other,
    And,
    Or,
    Min,
    Max,
    Atan2,
}

impl One {
    fn of(self, value: f64) -> f64 {
        match self {
            Self::Minus => -value,
            Self::Not => truth(value == 0.0, value, 0.0),
            Self::Abs => value.abs(),
            Self::Sqrt => value.sqrt(),
            Self::Exp => value.exp(),
            Self::Ln => value.ln(),
            Self::Log10 => value.log10(),
            Self::Log2 => value.log2(),
            Self::Sin => value.sin(),
            Self::Cos => value.cos(),
            Self::Tan => value.tan(),
            Self::Atan => value.atan(),
            Self::Floor => value.floor(),
            Self::Ceil => value.ceil(),
            Self::Round => value.round_ties_even(),
        }
    }
}

impl Two {
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
            // As NumPy: of the sign of the divisor.
            Self::Remainder => a - b * (a / b).floor(),
            Self::Power => a.powf(b),
            Self::Less => truth(a < b, a, b),
            Self::AtMost => truth(a <= b, a, b),
            Self::More => truth(a > b, a, b),
            Self::AtLeast => truth(a >= b, a, b),
            Self::Equal => truth(a == b, a, b),
            Self::Other => truth(a != b, a, b),
            Self::And => truth(a != 0.0 && b != 0.0, a, b),
            Self::Or => truth(a != 0.0 || b != 0.0, a, b),
            // NumPy's `minimum` and `maximum`: no number stays none.
            Self::Min if a.is_nan() || b.is_nan() => f64::NAN,
            Self::Min => a.min(b),
            Self::Max if a.is_nan() || b.is_nan() => f64::NAN,
            Self::Max => a.max(b),
            Self::Atan2 => a.atan2(b),
        }
    }
}

/// 1 or 0; of no number there is no truth.
fn truth(is: bool, a: f64, b: f64) -> f64 {
    match a.is_nan() || b.is_nan() {
        true => f64::NAN,
        false => f64::from(u8::from(is)),
    }
}

/// What is no number, or beyond all numbers, is none from then on: 1 / (1 / 0) is not 0.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

/// A name of a band in the text, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named {
    pub(super) name: String,
    /// In characters from 1.
    pub(super) column: usize,
}

/// A text that was understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program {
    steps: Vec<Step>,
    /// The bands that it names, each once.
    pub(super) names: Vec<Named>,
    /// Columns that are in work at once, at most.
    deepest: usize,
}

impl Program {
    /// Understands a text.
    ///
    /// # Errors
    /// [`TransformError::Expression`] with the column that is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, TransformError> {
        let wrong = |(column, reason): (usize, String)| TransformError::Expression {
            text: shortened(text),
            column,
            reason,
        };
        if text.len() > LONGEST {
            return Err(wrong((
                1,
                format!(
                    "it is {} bytes long, at most {LONGEST} are possible",
                    text.len()
                ),
            )));
        }
        let program = parse::program(text).map_err(wrong)?;
        if program.names.is_empty() {
            return Err(wrong((1, "it names no band".to_owned())));
        }
        Ok(program)
    }

    /// Works the program out: `inputs` are the values of the named bands, NaN where there are none; so are the results.
    pub(super) fn evaluate(&self, inputs: &[Vec<f64>], results: &mut [f64]) {
        let mut columns = vec![[0.0f64; COLUMN]; self.deepest.max(1)];
        for start in (0..results.len()).step_by(COLUMN) {
            let length = COLUMN.min(results.len() - start);
            let mut height = 0;
            for step in &self.steps {
                match *step {
                    Step::Number(number) => {
                        columns[height][..length].fill(number);
                        height += 1;
                    }
                    Step::Band(band) => {
                        columns[height][..length]
                            .copy_from_slice(&inputs[band][start..start + length]);
                        height += 1;
                    }
                    Step::One(one) => {
                        for value in &mut columns[height - 1][..length] {
                            *value = finite(one.of(*value));
                        }
                    }
                    Step::Two(two) => {
                        let (below, above) = columns.split_at_mut(height - 1);
                        let (a, b) = (&mut below[height - 2][..length], &above[0][..length]);
                        for (a, &b) in a.iter_mut().zip(b) {
                            *a = finite(two.of(*a, b));
                        }
                        height -= 1;
                    }
                    Step::Where | Step::Clip => {
                        let (below, above) = columns.split_at_mut(height - 2);
                        let first = &mut below[height - 3][..length];
                        let (second, third) = (&above[0][..length], &above[1][..length]);
                        for ((first, &second), &third) in first.iter_mut().zip(second).zip(third) {
                            *first = match step {
                                Step::Where if first.is_nan() => f64::NAN,
                                Step::Where if *first != 0.0 => second,
                                Step::Where => third,
                                _ => Two::Min.of(Two::Max.of(*first, second), third),
                            };
                        }
                        height -= 2;
                    }
                }
            }
            results[start..start + length].copy_from_slice(&columns[0][..length]);
        }
    }
}

/// A text that fits into a message.
pub(super) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(200).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod tests;
