//! As much of Python's literals as heads of arrays are written in: texts, whole numbers, truths, tuples, lists, dictionaries.

/// How deep tuples and lists may lie in each other.
const DEEPEST: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Text(String),
    Number(i128),
    Truth(bool),
    Nothing,
    /// A tuple or a list.
    List(Vec<Word>),
    /// A dictionary whose keys are texts.
    Pairs(Vec<(String, Word)>),
}

/// The value of a literal with nothing but white space around it.
pub(super) fn parse(text: &str) -> Option<Word> {
    let mut reader = Reader { rest: text };
    let word = reader.word(0)?;
    reader.skip();
    reader.rest.is_empty().then_some(word)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, sign: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self, depth: usize) -> Option<Word> {
        if depth > DEEPEST {
            return None;
        }
        self.skip();
        match self.rest.chars().next()? {
            '\'' | '"' => self.text().map(Word::Text),
            '(' => {
                self.takes('(');
                self.list(')', depth).map(Word::List)
            }
            '[' => {
                self.takes('[');
                self.list(']', depth).map(Word::List)
            }
            '{' => {
                self.takes('{');
                self.pairs(depth).map(Word::Pairs)
            }
            '-' | '+' | '0'..='9' => self.number().map(Word::Number),
            _ => {
                for (name, word) in [
                    ("True", Word::Truth(true)),
                    ("False", Word::Truth(false)),
                    ("None", Word::Nothing),
                ] {
                    if let Some(rest) = self.rest.strip_prefix(name) {
                        self.rest = rest;
                        return Some(word);
                    }
                }
                None
            }
        }
    }

    fn list(&mut self, end: char, depth: usize) -> Option<Vec<Word>> {
        let mut words = Vec::new();
        while !self.takes(end) {
            words.push(self.word(depth + 1)?);
            if !self.takes(',') {
                return self.takes(end).then_some(words);
            }
        }
        Some(words)
    }

    fn pairs(&mut self, depth: usize) -> Option<Vec<(String, Word)>> {
        let mut pairs = Vec::new();
        while !self.takes('}') {
            self.skip();
            let key = self.text()?;
            if !self.takes(':') {
                return None;
            }
            pairs.push((key, self.word(depth + 1)?));
            if !self.takes(',') {
                return self.takes('}').then_some(pairs);
            }
        }
        Some(pairs)
    }

    fn number(&mut self) -> Option<i128> {
        let signs = self.rest.len() - self.rest.trim_start_matches(['-', '+']).len();
        let digits = self.rest[signs..]
            .chars()
            .take_while(char::is_ascii_digit)
            .count();
        let (number, rest) = self.rest.split_at(signs + digits);
        // Python 2 wrote long integers so.
        self.rest = rest.strip_prefix('L').unwrap_or(rest);
        number.parse().ok()
    }

    /// A text in quotes; names of types and fields have no other escape than one of a quote or of a backslash.
    fn text(&mut self) -> Option<String> {
        let mut letters = self.rest.chars();
        let quote = letters.next().filter(|sign| ['\'', '"'].contains(sign))?;
        let mut text = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => text.push(letters.next()?),
                letter if letter == quote => {
                    self.rest = letters.as_str();
                    return Some(text);
                }
                letter => text.push(letter),
            }
        }
        None
    }
}
