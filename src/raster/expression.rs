//! Band arithmetic: from a text to a program of steps on columns of numbers.
//!
//! The program is a list of steps on a stack of columns, so that neither evaluating nor dropping it descends anywhere, and
//! nesting is bounded while it is read.

use super::transform_error::TransformError;

/// Signs and names that wait for their operands, at most.
const DEEPEST: usize = 64;
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
        let mut parser = Parser {
            tokens: tokens(text).map_err(wrong)?,
            at: 0,
            depth: 0,
            program: Self {
                steps: Vec::new(),
                names: Vec::new(),
                deepest: 0,
            },
            height: 0,
        };
        parser.any().map_err(wrong)?;
        parser.end().map_err(wrong)?;
        if parser.program.names.is_empty() {
            return Err(wrong((1, "it names no band".to_owned())));
        }
        Ok(parser.program)
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

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    /// A name in quotes, which is never a word of the language.
    Quoted(String),
    Sign(&'static str),
}

impl Token {
    fn words(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Name(name) => format!("{name:?}"),
            Self::Quoted(name) => format!("the band {name:?}"),
            Self::Sign(sign) => format!("`{sign}`"),
        }
    }
}

/// What is wrong, and the column.
type Wrong = (usize, String);

const SIGNS: [&str; 21] = [
    "**", "<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "%", "^", "<", ">", "!", "(",
    ")", ",", "&", "|",
];

/// The words of a text, each with the column that it begins in.
fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Wrong> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let start = at;
        let column = start + 1;
        if letter.is_whitespace() {
            at += 1;
            continue;
        }
        if letter.is_ascii_digit() || letter == '.' {
            let digits = |from: usize| {
                letters[from..]
                    .iter()
                    .take_while(|one| one.is_ascii_digit())
                    .count()
            };
            at += digits(at);
            if letters.get(at) == Some(&'.') {
                at += 1;
                at += digits(at);
            }
            if matches!(letters.get(at), Some('e' | 'E')) {
                let sign = usize::from(matches!(letters.get(at + 1), Some('+' | '-')));
                let exponent = letters
                    .get(at + 1 + sign..)
                    .map_or(0, |_| digits(at + 1 + sign));
                if exponent > 0 {
                    at += 1 + sign + exponent;
                }
            }
            let number: String = letters[start..at].iter().collect();
            let value = number.parse::<f64>().ok().filter(|value| value.is_finite());
            let value = value.ok_or_else(|| (column, format!("{number:?} is no number")))?;
            if letters
                .get(at)
                .is_some_and(|next| next.is_alphabetic() || *next == '_')
            {
                return Err((
                    at + 1,
                    format!(
                        "a sign such as `*` is expected after {number}; a band whose name begins with a digit is written in quotes"
                    ),
                ));
            }
            tokens.push((Token::Number(value), column));
        } else if letter.is_alphabetic() || letter == '_' {
            while letters
                .get(at)
                .is_some_and(|one| one.is_alphanumeric() || ['_', '.'].contains(one))
            {
                at += 1;
            }
            tokens.push((Token::Name(letters[start..at].iter().collect()), column));
        } else if ['"', '\'', '`'].contains(&letter) {
            let end = letters[at + 1..].iter().position(|one| *one == letter);
            let Some(end) = end else {
                return Err((column, format!("the quote {letter} is not closed")));
            };
            let name: String = letters[at + 1..at + 1 + end].iter().collect();
            at += end + 2;
            tokens.push((Token::Quoted(name), column));
        } else {
            let is = |sign: &&&str| {
                sign.chars()
                    .enumerate()
                    .all(|(index, one)| letters.get(start + index) == Some(&one))
            };
            let Some(sign) = SIGNS.iter().find(is) else {
                return Err((column, format!("{letter:?} means nothing here")));
            };
            at += sign.len();
            tokens.push((Token::Sign(sign), column));
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
    program: Program,
    /// Columns in work after the steps so far.
    height: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// The column of the next word, or the one after the last.
    fn column(&self) -> usize {
        let next = self.tokens.get(self.at).map(|(_, column)| *column);
        next.unwrap_or_else(|| self.tokens.last().map_or(1, |(_, column)| column + 1))
    }

    /// Goes on when one of these signs or words comes next.
    fn taken(&mut self, wanted: &[&str]) -> Option<&'static str> {
        let found = match self.peek()? {
            Token::Sign(sign) => wanted.contains(sign).then_some(*sign),
            Token::Name(name) => ["and", "or", "not"]
                .into_iter()
                .find(|word| word == name && wanted.contains(word)),
            _ => None,
        };
        self.at += usize::from(found.is_some());
        found
    }

    fn end(&mut self) -> Result<(), Wrong> {
        match self.peek() {
            None => Ok(()),
            Some(Token::Sign(")")) => Err((self.column(), "`)` closes nothing".to_owned())),
            Some(token) => Err((
                self.column(),
                format!("a sign such as `+` is expected before {}", token.words()),
            )),
        }
    }

    fn deeper(&mut self) -> Result<(), Wrong> {
        self.depth += 1;
        match self.depth > DEEPEST {
            true => Err((
                self.column(),
                format!("it is nested deeper than {DEEPEST} times"),
            )),
            false => Ok(()),
        }
    }

    fn put(&mut self, step: Step) {
        match step {
            Step::Number(_) | Step::Band(_) => self.height += 1,
            Step::One(_) => {}
            Step::Two(_) => self.height -= 1,
            Step::Where | Step::Clip => self.height -= 2,
        }
        self.program.deepest = self.program.deepest.max(self.height);
        self.program.steps.push(step);
    }

    fn any(&mut self) -> Result<(), Wrong> {
        self.all()?;
        while self.taken(&["||", "|", "or"]).is_some() {
            self.all()?;
            self.put(Step::Two(Two::Or));
        }
        Ok(())
    }

    fn all(&mut self) -> Result<(), Wrong> {
        self.negated()?;
        while self.taken(&["&&", "&", "and"]).is_some() {
            self.negated()?;
            self.put(Step::Two(Two::And));
        }
        Ok(())
    }

    fn negated(&mut self) -> Result<(), Wrong> {
        if self.taken(&["not", "!"]).is_none() {
            return self.compared();
        }
        self.deeper()?;
        self.negated()?;
        self.depth -= 1;
        self.put(Step::One(One::Not));
        Ok(())
    }

    fn compared(&mut self) -> Result<(), Wrong> {
        const COMPARE: [&str; 6] = ["<=", ">=", "==", "!=", "<", ">"];
        self.sum()?;
        let Some(sign) = self.taken(&COMPARE) else {
            return Ok(());
        };
        self.sum()?;
        self.put(Step::Two(match sign {
            "<=" => Two::AtMost,
            ">=" => Two::AtLeast,
            "==" => Two::Equal,
            "!=" => Two::Other,
            "<" => Two::Less,
            _ => Two::More,
        }));
        let column = self.column();
        match self.taken(&COMPARE) {
            Some(_) => Err((
                column,
                "comparisons are not chained: write `a < b and b < c`".to_owned(),
            )),
            None => Ok(()),
        }
    }

    fn sum(&mut self) -> Result<(), Wrong> {
        self.product()?;
        while let Some(sign) = self.taken(&["+", "-"]) {
            self.product()?;
            self.put(Step::Two(if sign == "+" {
                Two::Add
            } else {
                Two::Subtract
            }));
        }
        Ok(())
    }

    fn product(&mut self) -> Result<(), Wrong> {
        self.signed()?;
        while let Some(sign) = self.taken(&["*", "/", "%"]) {
            self.signed()?;
            self.put(Step::Two(match sign {
                "*" => Two::Multiply,
                "/" => Two::Divide,
                _ => Two::Remainder,
            }));
        }
        Ok(())
    }

    fn signed(&mut self) -> Result<(), Wrong> {
        let Some(sign) = self.taken(&["-", "+"]) else {
            return self.power();
        };
        self.deeper()?;
        self.signed()?;
        self.depth -= 1;
        if sign == "-" {
            self.put(Step::One(One::Minus));
        }
        Ok(())
    }

    /// From the right, and before a sign on its left, as in Python: `-a ** 2` is `-(a ** 2)`.
    fn power(&mut self) -> Result<(), Wrong> {
        self.one()?;
        if self.taken(&["**", "^"]).is_some() {
            self.deeper()?;
            self.signed()?;
            self.depth -= 1;
            self.put(Step::Two(Two::Power));
        }
        Ok(())
    }

    fn one(&mut self) -> Result<(), Wrong> {
        let column = self.column();
        let Some((token, _)) = self.tokens.get(self.at).cloned() else {
            return Err((
                column,
                "a band or a number is expected at its end".to_owned(),
            ));
        };
        self.at += 1;
        match token {
            Token::Number(number) => self.put(Step::Number(number)),
            Token::Quoted(name) => self.band(name, column),
            Token::Name(name) if self.peek() == Some(&Token::Sign("(")) => {
                return self.call(&name, column);
            }
            Token::Name(name) if name == "pi" => self.put(Step::Number(std::f64::consts::PI)),
            Token::Name(name) if ["and", "or", "not"].contains(&name.as_str()) => {
                return Err((
                    column,
                    format!("a band or a number is expected before `{name}`"),
                ));
            }
            Token::Name(name) => self.band(name, column),
            Token::Sign("(") => {
                self.deeper()?;
                self.any()?;
                self.depth -= 1;
                if self.taken(&[")"]).is_none() {
                    return Err((column, "`(` is not closed".to_owned()));
                }
            }
            Token::Sign(sign) => {
                return Err((
                    column,
                    format!("a band or a number is expected, found `{sign}`"),
                ));
            }
        }
        Ok(())
    }

    fn band(&mut self, name: String, column: usize) {
        let known = self
            .program
            .names
            .iter()
            .position(|known| known.name == name);
        let at = known.unwrap_or_else(|| {
            self.program.names.push(Named { name, column });
            self.program.names.len() - 1
        });
        self.put(Step::Band(at));
    }

    fn call(&mut self, name: &str, column: usize) -> Result<(), Wrong> {
        const ONE: [(&str, One); 17] = [
            ("abs", One::Abs),
            ("sqrt", One::Sqrt),
            ("exp", One::Exp),
            ("ln", One::Ln),
            ("log", One::Ln),
            ("log10", One::Log10),
            ("log2", One::Log2),
            ("sin", One::Sin),
            ("cos", One::Cos),
            ("tan", One::Tan),
            ("arctan", One::Atan),
            ("atan", One::Atan),
            ("floor", One::Floor),
            ("ceil", One::Ceil),
            ("round", One::Round),
            ("not", One::Not),
            ("negative", One::Minus),
        ];
        const TWO: [(&str, Two); 6] = [
            ("min", Two::Min),
            ("minimum", Two::Min),
            ("max", Two::Max),
            ("maximum", Two::Max),
            ("atan2", Two::Atan2),
            ("arctan2", Two::Atan2),
        ];
        const THREE: [(&str, Step); 3] = [
            ("where", Step::Where),
            ("if", Step::Where),
            ("clip", Step::Clip),
        ];
        let lower = name.to_lowercase();
        let step = (ONE
            .iter()
            .find(|(known, _)| *known == lower)
            .map(|(_, one)| (Step::One(*one), 1)))
        .or_else(|| {
            TWO.iter()
                .find(|(known, _)| *known == lower)
                .map(|(_, two)| (Step::Two(*two), 2))
        })
        .or_else(|| {
            THREE
                .iter()
                .find(|(known, _)| *known == lower)
                .map(|(_, step)| (*step, 3))
        });
        let Some((step, wanted)) = step else {
            let names = ONE
                .iter()
                .map(|(name, _)| *name)
                .chain(TWO.iter().map(|(name, _)| *name));
            let names: Vec<&str> = names.chain(THREE.iter().map(|(name, _)| *name)).collect();
            return Err((
                column,
                format!(
                    "there is no function {name:?}, there are: {}",
                    names.join(", ")
                ),
            ));
        };
        self.deeper()?;
        self.at += 1;
        let mut given = 0;
        if self.peek() != Some(&Token::Sign(")")) {
            self.any()?;
            given += 1;
            while self.taken(&[","]).is_some() {
                // `min` and `max` take any number.
                if given == 2 && matches!(step, Step::Two(Two::Min | Two::Max)) {
                    self.put(step);
                    given = 1;
                }
                self.any()?;
                given += 1;
            }
        }
        if self.taken(&[")"]).is_none() {
            return Err(match self.peek() {
                None => (column, format!("the `(` after {name} is not closed")),
                Some(token) => (
                    self.column(),
                    format!("`,` or `)` is expected before {}", token.words()),
                ),
            });
        }
        if given != wanted {
            let plural = if wanted == 1 { "" } else { "s" };
            return Err((column, format!("`{name}` takes {wanted} value{plural}")));
        }
        self.depth -= 1;
        self.put(step);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
