//! From a text to words, and from words to the steps of a program.

use super::{Named, One, Program, Step, Two, shortened};

/// Signs and names that wait for their operands, at most.
pub(super) const DEEPEST: usize = 64;

/// What is wrong, and the column, in characters from 1.
pub(super) type Wrong = (usize, String);

/// Understands a text.
pub(super) fn program(text: &str) -> Result<Program, Wrong> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        program: Program {
            steps: Vec::new(),
            names: Vec::new(),
            deepest: 0,
        },
        height: 0,
    };
    parser.any()?;
    parser.end()?;
    Ok(parser.program)
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
            Self::Name(name) => format!("{:?}", shortened(name)),
            Self::Quoted(name) => format!("the band {:?}", shortened(name)),
            Self::Sign(sign) => format!("`{sign}`"),
        }
    }
}

const SIGNS: [&str; 18] = [
    "**", "<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "%", "<", ">", "!", "(", ")", ",",
];

/// Signs that NumPy has for single bits of whole numbers, which bands as real numbers do not have, and what may be meant.
const OF_BITS: [(char, &str); 3] = [
    (
        '&',
        "`&` would be of bits; two conditions are joined by `and`",
    ),
    ('|', "`|` would be of bits; of two conditions one by `or`"),
    ('^', "`^` would be of bits; a power is written `**`"),
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
            let value =
                value.ok_or_else(|| (column, format!("{:?} is no number", shortened(&number))))?;
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
            let next = letters.get(at + 1).copied();
            let of_bits = OF_BITS.iter().find(|(sign, _)| *sign == letter);
            if let Some((_, words)) = of_bits.filter(|_| letter == '^' || next != Some(letter)) {
                return Err((column, (*words).to_owned()));
            }
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
        while self.taken(&["||", "or"]).is_some() {
            self.all()?;
            self.put(Step::Two(Two::Or));
        }
        Ok(())
    }

    fn all(&mut self) -> Result<(), Wrong> {
        self.negated()?;
        while self.taken(&["&&", "and"]).is_some() {
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
        if self.taken(&["**"]).is_some() {
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
                    "there is no function {:?}, there are: {}",
                    shortened(name),
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
