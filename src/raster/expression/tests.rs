use rand::{RngExt, SeedableRng};

use super::parse::DEEPEST;
use super::*;

/// The result for a = 6, b = 2, `near infrared` = 0.5 and c, which has no value.
fn of(text: &str) -> Result<f64, TransformError> {
    let program = Program::parse(text)?;
    let inputs: Vec<Vec<f64>> = program
        .names
        .iter()
        .map(|named| {
            vec![match named.name.as_str() {
                "a" => 6.0,
                "b" => 2.0,
                "near infrared" => 0.5,
                _ => f64::NAN,
            }]
        })
        .collect();
    let mut results = [0.0];
    program.evaluate(&inputs, &mut results);
    Ok(results[0])
}

/// Python and NumPy (`np.where`, `np.clip`, `np.mod`, `np.minimum`) for the same texts.
#[test]
fn arithmetic_is_that_of_numpy() {
    for (text, expected) in [
        ("(a - b) / (a + b)", 0.5),
        ("a - b - 1", 3.0),
        ("a / b / 3", 1.0),
        ("-a ** 2", -36.0),
        ("2 ** -b", 0.25),
        ("b ** 3 ** 2", 512.0),
        ("a % 4 + -a % 4", 4.0),
        ("--a", 6.0),
        (".5 * a + 1e-1 * b + 2.", 5.2),
        ("'near infrared' * a", 3.0),
        ("a > b", 1.0),
        ("a <= b or not (a == 6)", 0.0),
        ("a > 5 and b > 1 && a != b", 1.0),
        ("where(a > b, a, b)", 6.0),
        ("where(b == 0, 0, a / b)", 3.0),
        ("where(a == 6, b, a / 0)", 2.0),
        ("clip(a, 0, 1)", 1.0),
        ("min(a, b, 1)", 1.0),
        ("max(a, b)", 6.0),
        ("sqrt(a + 3) + abs(-b)", 5.0),
        ("ln(exp(b)) + log10(100) + log2(8)", 7.0),
        ("round(2.5) + floor(-0.5) + ceil(0.2) + 0 * a", 2.0),
        ("round(pi * 100) + 0 * a", 314.0),
        ("atan2(0 * a, 1)", 0.0),
    ] {
        let found = of(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!((found - expected).abs() < 1e-12, "{text}: {found}");
    }
}

/// What has no value has none after anything is done with it.
#[test]
fn no_number_stays_none() {
    for text in [
        "a / 0",
        "1 / (a / (b - 2))",
        "0 / (a - 6)",
        "sqrt(-a)",
        "ln(a - 6)",
        "exp(a * 1000)",
        "c + a",
        "c < a",
        "not c",
        "min(c, a)",
        "clip(c, 0, 1)",
        "where(c, a, b)",
        "a % (b - 2)",
        "(a - 8) ** 0.5",
        "exp(0 - a / (b - 2))",
    ] {
        assert!(of(text).is_ok_and(f64::is_nan), "{text}: {:?}", of(text));
    }
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    for (text, column, words) in [
        ("", 1, "expected at its end"),
        ("a +", 4, "expected at its end"),
        ("(a - b", 1, "not closed"),
        ("a - b)", 6, "closes nothing"),
        ("a b", 3, "sign such as `+`"),
        ("a $ b", 3, "means nothing"),
        ("2a", 2, "in quotes"),
        ("1 + 2", 1, "names no band"),
        ("a < b < c", 7, "not chained"),
        ("'a", 1, "not closed"),
        ("foo(a)", 1, "no function"),
        ("sqrt(a, b)", 1, "takes 1 value"),
        ("sqrt()", 1, "takes 1 value"),
        ("where(a, b)", 1, "takes 3 values"),
        ("max(a)", 1, "takes 2 values"),
        ("a * * b", 5, "found `*`"),
        ("a and", 4, "expected at its end"),
        ("or a", 1, "before `or`"),
        ("1.2.3 + a", 4, "sign such as `+`"),
        ("1e999 + a", 1, "no number"),
    ] {
        match Program::parse(text) {
            Err(TransformError::Expression {
                column: found,
                reason,
                ..
            }) => {
                assert!(reason.contains(words), "{text}: {reason}");
                assert_eq!(found, column, "{text}: {reason}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn nesting_and_length_are_bounded() {
    let nested = |count: usize| "(".repeat(count) + "a" + &")".repeat(count);
    assert!(Program::parse(&nested(DEEPEST)).is_ok());
    for text in [
        nested(DEEPEST + 1),
        nested(4_000),
        "-".repeat(9_000) + "a",
        "not ".repeat(2_000) + "a",
        "a**".repeat(3_000) + "a",
        "abs(".repeat(2_000),
    ] {
        let error = Program::parse(&text).unwrap_err().to_string();
        assert!(error.contains("nested deeper"), "{error}");
    }
    assert!(Program::parse(&"a".repeat(LONGEST + 1)).is_err());
    // Long, but flat.
    let sum = vec!["a"; 2_400].join(" + ");
    assert_eq!(of(&sum).unwrap(), 14_400.0);
}

/// NumPy's signs of bits mean something else for real numbers: `QA & 8` would be true wherever QA is not 0.
#[test]
fn signs_of_bits_are_refused_with_what_may_be_meant() {
    for (text, words) in [
        ("QA & 8", "joined by `and`"),
        ("(a > 1) | (b > 1)", "one by `or`"),
        ("a ^ 2", "written `**`"),
    ] {
        let error = Program::parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(Program::parse("a > 1 && b > 1 || not a").is_ok());
}

/// Whatever is typed gives a program or an error, and programs give one result for each pixel.
#[test]
fn a_hundred_thousand_texts_never_panic() {
    const PIECES: [&str; 40] = [
        "a", "b", "nir", "'x y'", "\"", "'", "(", ")", ",", "+", "-", "*", "/", "%", "^", "**",
        "<", "<=", "==", "!", "!=", "&&", "||", "&", "and ", "or ", "not ", "where(", "clip(",
        "min(", "sqrt(", "1", "2.5", ".", "1e", "é", "💧", " ", "0", "_",
    ];
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(11);
    let mut understood = 0;
    for _ in 0..100_000 {
        let length = random.random_range(0..24);
        let text: String = (0..length)
            .map(|_| PIECES[random.random_range(0..PIECES.len())])
            .collect();
        if let Ok(program) = Program::parse(&text) {
            understood += 1;
            let inputs = vec![vec![1.5, f64::NAN, -2.0]; program.names.len()];
            let mut results = [0.0; 3];
            program.evaluate(&inputs, &mut results);
            assert!(
                results.iter().all(|one| one.is_nan() || one.is_finite()),
                "{text}"
            );
        }
    }
    assert!(understood > 500, "{understood} of the texts mean something");
}

#[test]
fn long_columns_are_worked_out_in_parts() {
    let program = Program::parse("a * 2 + a").unwrap();
    let input: Vec<f64> = (0..1300).map(f64::from).collect();
    let mut results = vec![0.0; 1300];
    program.evaluate(std::slice::from_ref(&input), &mut results);
    assert!(
        results
            .iter()
            .zip(&input)
            .all(|(found, value)| *found == 3.0 * value)
    );
}

/// Found by the fuzz target: an error was as long as the expression.
#[test]
fn errors_are_short_whatever_the_text() {
    let long = "no".repeat(1500);
    for text in [
        format!("{long}(a)"),
        format!("a {long}"),
        format!("a '{long}'"),
        "9".repeat(3000),
    ] {
        let error = Program::parse(&text).unwrap_err().to_string();
        assert!(error.len() < 1500, "{} bytes", error.len());
    }
}
