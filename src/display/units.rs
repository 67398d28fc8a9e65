//! Sizes and times in the unit that reads best.

/// Bytes in decimal units, as disks and browsers count: `94.7 MB`.
#[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
pub(crate) fn file_size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64;
    let mut unit = "bytes";
    for next in UNITS {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    match value < 99.95 {
        true => format!("{value:.1} {unit}"),
        false => format!("{value:.0} {unit}"),
    }
}

/// Seconds in words, to the precision that a waiting person wants.
pub(crate) fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to what a person lives to see"
    )]
    let whole = seconds.clamp(0.0, 1e9).round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{whole} s"),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_and_a_unit() {
        let told: Vec<String> = [0, 999, 1000, 94_658_721, 999_600, 2_065_402_329, u64::MAX]
            .map(file_size)
            .to_vec();
        assert_eq!(
            told,
            [
                "0 bytes",
                "999 bytes",
                "1.0 kB",
                "94.7 MB",
                "1.0 MB",
                "2.1 GB",
                "18447 PB"
            ]
        );
    }

    #[test]
    fn durations_read_naturally() {
        assert_eq!(duration(1.26), "1.3 s");
        assert_eq!(duration(75.2), "75 s");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(8000.0), "2 h 13 min");
    }
}
