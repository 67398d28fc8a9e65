//! Words of a command line: positional ones, options with a value, switches.

use std::collections::BTreeMap;

/// What a command accepts.
#[derive(Debug)]
pub(super) struct Accepts {
    /// Names of the positional arguments; all are required. A last one that ends with `...` may be repeated.
    pub(super) positional: &'static [&'static str],
    /// Options that take a value, without the dashes. `out` is also `-o`.
    pub(super) options: &'static [&'static str],
    /// Options that take a value and may be given several times.
    pub(super) repeated: &'static [&'static str],
    /// Switches, without the dashes.
    pub(super) switches: &'static [&'static str],
}

/// A parsed command line.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    positional: Vec<String>,
    options: BTreeMap<&'static str, String>,
    repeated: Vec<(&'static str, String)>,
    switches: Vec<&'static str>,
}

/// A command line that cannot be understood, with what to do instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Usage(pub(super) String);

impl Arguments {
    /// Takes `--name value`, `--name=value`, switches and positional words in any order; after `--` all are positional.
    pub(super) fn parse(words: &[String], accepts: &Accepts) -> Result<Self, Usage> {
        let mut parsed = Self::default();
        let mut words = words.iter();
        let mut only_positional = false;
        while let Some(word) = words.next() {
            let name = if word == "-o" {
                Some("out")
            } else {
                word.strip_prefix("--")
            };
            let Some(name) = name.filter(|_| !only_positional) else {
                // A lone dash is a name of its own; anything longer was meant as an option.
                if word.starts_with('-') && word.len() > 1 && !only_positional {
                    return Err(accepts.unknown(word));
                }
                parsed.positional.push(word.clone());
                continue;
            };
            if name.is_empty() {
                only_positional = true;
                continue;
            }
            let (name, inline) = name
                .split_once('=')
                .map_or((name, None), |(name, value)| (name, Some(value)));
            let mut value = || {
                let value = inline.map(str::to_owned).or_else(|| words.next().cloned());
                value.ok_or_else(|| Usage(format!("`--{name}` needs a value")))
            };
            if let Some(option) = accepts.repeated.iter().find(|option| **option == name) {
                parsed.repeated.push((option, value()?));
            } else if let Some(option) = accepts.options.iter().find(|option| **option == name) {
                let value = value()?;
                if parsed.options.insert(option, value).is_some() {
                    return Err(Usage(format!("`--{name}` is given twice")));
                }
            } else if let Some(switch) = accepts
                .switches
                .iter()
                .find(|switch| **switch == name && inline.is_none())
            {
                parsed.switches.push(switch);
            } else {
                return Err(accepts.unknown(&format!("--{name}")));
            }
        }
        let (given, wanted) = (parsed.positional.len(), accepts.positional);
        let endless = wanted.last().is_some_and(|name| name.ends_with("..."));
        if given < wanted.len() {
            return Err(Usage(format!(
                "{} is missing",
                wanted[given].trim_end_matches("...")
            )));
        }
        if given > wanted.len() && !endless {
            return Err(Usage(format!(
                "`{}` is one word too many",
                parsed.positional[wanted.len()]
            )));
        }
        Ok(parsed)
    }

    /// The positional word at `index`, which [`Arguments::parse`] made sure is there.
    pub(super) fn word(&self, index: usize) -> &str {
        self.positional.get(index).map_or("", String::as_str)
    }

    /// The positional words from `index` on.
    pub(super) fn words_from(&self, index: usize) -> &[String] {
        self.positional.get(index..).unwrap_or_default()
    }

    /// Every value of an option that may be given several times.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self
            .repeated
            .iter()
            .filter(move |(option, _)| *option == name);
        named.map(|(_, value)| value.as_str())
    }

    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Usage> {
        self.option(name)
            .ok_or_else(|| Usage(format!("`--{name}` is missing")))
    }

    /// The option's value as a number or another type with a plain text form.
    pub(super) fn parsed<T: std::str::FromStr>(
        &self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, Usage> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|_| Usage(format!("`--{name} {text}` is not {expected}")))
        };
        self.option(name).map(parse).transpose()
    }

    /// Whether an option or a switch of this name was given.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.options.contains_key(name)
            || self.repeated.iter().any(|(option, _)| *option == name)
            || self.has(name)
    }

    pub(super) fn has(&self, switch: &str) -> bool {
        self.switches.contains(&switch)
    }
}

impl Accepts {
    fn unknown(&self, word: &str) -> Usage {
        Usage(format!(
            "there is no option `{word}` here: {}",
            self.summary()
        ))
    }

    fn summary(&self) -> String {
        let all: Vec<String> = self
            .options
            .iter()
            .chain(self.repeated)
            .chain(self.switches)
            .map(|name| format!("--{name}"))
            .collect();
        if all.is_empty() {
            "it takes none".to_owned()
        } else {
            format!("it takes {}", all.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPTS: Accepts = Accepts {
        positional: &["BUNDLE"],
        options: &["out", "size"],
        repeated: &["also"],
        switches: &["json"],
    };

    fn parse(line: &str) -> Result<Arguments, Usage> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Arguments::parse(&words, &ACCEPTS)
    }

    #[test]
    fn options_come_in_any_order_and_both_forms() {
        let arguments = parse("--out=here model.swath --json --size 12").expect("a good line");
        assert_eq!(
            (arguments.word(0), arguments.option("out")),
            ("model.swath", Some("here"))
        );
        assert_eq!(arguments.parsed("size", "a whole number"), Ok(Some(12)));
        assert!(arguments.has("json"));
    }

    #[test]
    fn mistakes_are_named() {
        let message = |line| parse(line).expect_err("a mistake").0;
        assert_eq!(message(""), "BUNDLE is missing");
        assert_eq!(message("a b"), "`b` is one word too many");
        assert_eq!(message("a --out"), "`--out` needs a value");
        assert_eq!(
            message("a --outt x"),
            "there is no option `--outt` here: it takes --out, --size, --also, --json"
        );
        assert_eq!(message("a --out x --out y"), "`--out` is given twice");
        let size = parse("a --size many")
            .expect("parsed later")
            .parsed::<usize>("size", "a whole number");
        assert_eq!(
            size.expect_err("not a number").0,
            "`--size many` is not a whole number"
        );
    }

    #[test]
    fn a_last_word_with_dots_and_repeated_options_take_several() {
        let accepts = Accepts {
            positional: &["BUNDLE", "SCENE..."],
            ..ACCEPTS
        };
        let words = ["a", "-o", "map", "b", "--also", "x", "c", "--also=y"].map(str::to_owned);
        let parsed = Arguments::parse(&words, &accepts).expect("a good line");
        assert_eq!(parsed.words_from(1), ["b", "c"]);
        assert_eq!(parsed.option("out"), Some("map"));
        assert_eq!(parsed.all("also").collect::<Vec<_>>(), ["x", "y"]);
        let missing = Arguments::parse(&words[..1], &accepts).expect_err("no scene");
        assert_eq!(missing.0, "SCENE is missing");
        assert!(parse("a -x").is_err(), "an unknown short option is no file");
    }

    #[test]
    fn after_two_dashes_all_words_are_positional() {
        assert_eq!(
            parse("-- --json").expect("a file called --json").word(0),
            "--json"
        );
    }
}
