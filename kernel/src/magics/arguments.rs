//! The words of a magic's line: `%scene "my file.tif" labels=b.geojson`.

use strsim::levenshtein;

use super::table::Magic;

/// What is wrong with a magic's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UsageError {
    /// What failed, what was expected, what was found.
    pub(crate) message: String,
    /// How the magic is written.
    pub(crate) usage: String,
}

impl UsageError {
    pub(crate) fn new(magic: &Magic, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            usage: magic.usage.to_owned(),
        }
    }
}

/// A key as the magics have it, of one as people write it.
pub(super) fn plain_key(key: &str) -> &str {
    match key {
        // `--name` is what the command lines of other programs call it.
        "name" => "as",
        "optimiser" => "optimizer",
        "metres" => "meters",
        key => key,
    }
}

/// The parsed words: positional ones, and `key=value` of the magic's own keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments {
    positional: Vec<String>,
    options: Vec<(&'static str, String)>,
}

impl Arguments {
    /// Splits `line` as a shell would (quotes, backslashes) and sorts the words.
    ///
    /// # Errors
    /// An open quote, a key that the magic does not have, a key given twice, too many positional words.
    pub(crate) fn parse(magic: &Magic, line: &str) -> Result<Self, UsageError> {
        let mut arguments = Self::default();
        let mut words = split(line)
            .map_err(|message| UsageError::new(magic, message))?
            .into_iter();
        while let Some(word) = words.next() {
            let (key, value) = match (
                word.equals,
                word.text.strip_prefix("--").filter(|_| !word.quoted),
            ) {
                (Some(at), _) => (
                    word.text[..at].trim_start_matches("--").to_owned(),
                    word.text[at + 1..].to_owned(),
                ),
                (None, Some(key)) => match words.next() {
                    Some(value) => (key.to_owned(), value.text),
                    None => return Err(UsageError::new(magic, format!("--{key} needs a value"))),
                },
                (None, None) => {
                    arguments.positional.push(word.text);
                    continue;
                }
            };
            arguments.add_option(magic, &key, value)?;
        }
        let is_apart = |word: &String| word.starts_with('=') || word.ends_with('=');
        if let Some(at) = arguments.positional.iter().position(is_apart) {
            let around = arguments.positional[at.saturating_sub(1)..].iter().take(3);
            let written: String = around.map(String::as_str).collect();
            return Err(UsageError::new(
                magic,
                format!("no space can stand around `=`: write `{written}`"),
            ));
        }
        if arguments.positional.len() > magic.positional {
            let extra = arguments.positional[magic.positional..].join(" ");
            return Err(UsageError::new(
                magic,
                format!(
                    "%{} takes no further word: {extra:?} ({})",
                    magic.name,
                    if ["bands", "colors"].contains(&magic.name) {
                        "a list has commas and no spaces: `a,b,c`"
                    } else {
                        "quotes keep a name with spaces together"
                    }
                ),
            ));
        }
        Ok(arguments)
    }

    fn add_option(&mut self, magic: &Magic, key: &str, value: String) -> Result<(), UsageError> {
        let key = plain_key(key);
        if magic.name == "colors" {
            return Err(UsageError::new(
                magic,
                format!("a color stands behind a colon: `{key}:{value}`"),
            ));
        }
        let Some((known, _)) = magic.options.iter().find(|(known, _)| *known == key) else {
            let keys: Vec<&str> = magic.options.iter().map(|(key, _)| *key).collect();
            let expected = if keys.is_empty() {
                "none".to_owned()
            } else {
                keys.join(", ")
            };
            let near = magic
                .options
                .iter()
                .map(|(known, _)| (levenshtein(known, key), *known))
                .min()
                .filter(|(distance, _)| distance * 2 <= key.len());
            let more = near.map_or_else(
                || "; it has".to_owned(),
                |(_, near)| format!("; did you mean `{near}`? It has"),
            );
            return Err(UsageError::new(
                magic,
                format!("%{} has no option `{key}`{more}: {expected}", magic.name),
            ));
        };
        if self.option(known).is_some() {
            return Err(UsageError::new(
                magic,
                format!("option `{key}` is given twice"),
            ));
        }
        self.options.push((known, value));
        Ok(())
    }

    /// The positional word at `index`.
    pub(crate) fn word(&self, index: usize) -> Option<&str> {
        self.positional.get(index).map(String::as_str)
    }

    /// The value of an option.
    pub(crate) fn option(&self, key: &str) -> Option<&str> {
        self.options
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value.as_str())
    }
}

/// The words of a line, without looking for options.
pub(crate) fn words(line: &str) -> Result<Vec<String>, String> {
    Ok(split(line)?.into_iter().map(|word| word.text).collect())
}

#[derive(Debug, PartialEq, Eq)]
struct Word {
    text: String,
    /// Where the `=` of a `key=value` stands: after at least one letter, before any quote.
    equals: Option<usize>,
    /// Whether any of it was within quotes or behind a backslash.
    quoted: bool,
}

fn split(line: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut current: Option<Word> = None;
    let mut only_key = true;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character.is_whitespace() {
            words.extend(current.take());
            only_key = true;
            continue;
        }
        let word = current.get_or_insert(Word {
            text: String::new(),
            equals: None,
            quoted: false,
        });
        match character {
            '\'' | '"' => {
                only_key = false;
                word.quoted |= word.equals.is_none();
                quoted(&mut characters, character, &mut word.text)?;
            }
            '\\' => {
                only_key = false;
                word.quoted |= word.equals.is_none();
                word.text.push(characters.next().unwrap_or('\\'));
            }
            '=' if only_key && !word.text.is_empty() => {
                word.equals = Some(word.text.len());
                only_key = false;
                word.text.push('=');
            }
            other => {
                only_key &= other.is_ascii_alphanumeric() || "_-".contains(other);
                word.text.push(other);
            }
        }
    }
    words.extend(current);
    Ok(words)
}

fn quoted(
    characters: &mut std::str::Chars<'_>,
    quote: char,
    text: &mut String,
) -> Result<(), String> {
    while let Some(character) = characters.next() {
        match character {
            _ if character == quote => return Ok(()),
            // Within double quotes a backslash hides a quote or a backslash; before anything else it is itself.
            '\\' if quote == '"' => match characters.next() {
                Some(hidden @ ('"' | '\\')) => text.push(hidden),
                Some(other) => text.extend(['\\', other]),
                None => break,
            },
            other => text.push(other),
        }
    }
    Err(format!("a {quote} is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::magics::table::find;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        let words = split(line).unwrap();
        assert_eq!(
            words
                .iter()
                .map(|word| word.text.as_str())
                .collect::<Vec<_>>(),
            expected,
            "{line}"
        );
    }

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        check("", &[]);
        check("  a   b ", &["a", "b"]);
        check(
            r#""my file.tif" labels='a b.geojson'"#,
            &["my file.tif", "labels=a b.geojson"],
        );
        check(r"my\ file.tif", &["my file.tif"]);
        check(r#""a \" b\\ c\d""#, &[r#"a " b\ c\d"#]);
        check(r"'a\b'", &[r"a\b"]);
        check("''", &[""]);
        check("größe.tif 🛰", &["größe.tif", "🛰"]);
    }

    #[test]
    fn options_are_known_in_british_spelling_too() {
        let of = |magic: &str, line: &str| Arguments::parse(find(magic).unwrap(), line).unwrap();
        let fit = of("fit", "optimiser=sgd");
        assert_eq!(fit.option("optimizer"), Some("sgd"));
        let zoom = of("zoom", "at=1,2 metres=60");
        assert_eq!(zoom.option("meters"), Some("60"));
        assert_eq!(find("colours").unwrap().name, "colors");
        let twice = Arguments::parse(find("fit").unwrap(), "optimiser=sgd optimizer=sgd");
        assert!(twice.unwrap_err().message.contains("given twice"));
    }

    #[test]
    fn keys_end_at_the_first_equals_sign_outside_quotes() {
        let scene = find("scene").unwrap();
        let arguments = Arguments::parse(scene, "/vsicurl/http://x?a=b class=a=b").unwrap();
        assert_eq!(arguments.word(0), Some("/vsicurl/http://x?a=b"));
        assert_eq!(arguments.option("class"), Some("a=b"));
        assert_eq!(
            Arguments::parse(scene, "\"a=b.tif\"").unwrap().word(0),
            Some("a=b.tif")
        );
    }

    #[test]
    fn options_may_be_written_with_dashes() {
        let scene = find("scene").unwrap();
        let arguments =
            Arguments::parse(scene, "a.tif --name s --class=house --labels 'b c.gpkg'").unwrap();
        assert_eq!(arguments.option("as"), Some("s"));
        assert_eq!(arguments.option("class"), Some("house"));
        assert_eq!(arguments.option("labels"), Some("b c.gpkg"));
        assert_eq!(
            Arguments::parse(scene, "'--name'").unwrap().word(0),
            Some("--name")
        );
        assert!(
            Arguments::parse(scene, "a.tif --name")
                .unwrap_err()
                .message
                .contains("needs a value")
        );
    }

    #[test]
    fn mistakes_are_named() {
        let scene = find("scene").unwrap();
        let message = |line| Arguments::parse(scene, line).unwrap_err().message;
        assert!(
            message("a.tif label=b")
                .contains("no option `label`; did you mean `labels`? It has: labels")
        );
        assert!(message("a.tif class=b class=c").contains("twice"));
        assert!(message("a.tif b.tif").contains("b.tif"));
        assert!(message("'a.tif").contains("not closed"));
    }
}
