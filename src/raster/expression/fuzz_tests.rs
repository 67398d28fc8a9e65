//! Random band expressions: a program that gives a number or none for every pixel, or an error with words. See
//! [`crate::fuzz_harness`].

use super::*;
use crate::fuzz_harness::Target;

#[test]
fn expressions() {
    Target {
        name: "expression",
        seeds: &[
            "(nir - red) / (nir + red)",
            "where(a > 1 && not b, sqrt(a), clip(b, 0, 1))",
            "2.5 * (nir - red) / (nir + 6 * red - 7.5 * blue + 1)",
            "'band 1' ** 2 ^ 0.5 % 3 != -1e-3 || min(a, max(b, c)) <= abs(-d)",
            "\"x y\" + b1",
        ],
        words: &[
            "a", "nir", "b1", "'x y'", "\"", "'", "(", ")", ",", "+", "-", "*", "/", "%", "^",
            "**", "<", "<=", "==", "!", "!=", "&&", "||", "&", "|", "~", "and ", "or ", "not ",
            "where(", "clip(", "min(", "max(", "sqrt(", "log(", "exp(", "abs(", "1", "2.5", ".",
            "1e", "1e308", "1e-400", "_", " ", "é", "nan", "inf",
        ],
        depth: 5000,
    }
    .run(|input| {
        let text = String::from_utf8_lossy(input);
        match Program::parse(&text) {
            Ok(program) => {
                let values = [1.5, f64::NAN, -2.0, 0.0, f64::MAX, f64::MIN_POSITIVE, -0.0];
                let inputs = vec![values.to_vec(); program.names.len()];
                let mut results = [0.0; 7];
                program.evaluate(&inputs, &mut results);
                assert!(results.iter().all(|one| one.is_nan() || one.is_finite()));
            }
            Err(error) => {
                let text = error.to_string();
                assert!(!text.trim().is_empty() && text.len() < 3000, "{text}");
            }
        }
    });
}
