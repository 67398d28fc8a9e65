//! Days on which imagery was taken, and how names write them.

use std::fmt;

use serde::{Serialize, Serializer};

/// A day of the Gregorian calendar: when imagery was taken.
///
/// ```
/// use swath::prelude::*;
/// let date = Date::parse("T33UUP_20220612T101559_B02_10m").unwrap();
/// assert_eq!(date.to_string(), "2022-06-12");
/// assert_eq!(Date::parse("MOD13Q1.A2023105.h18v04"), Date::new(2023, 4, 15));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

/// The years that a number in a name may stand for: before and after these it is something else.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

impl Date {
    /// A day by year, month and day of the month; `None` when there is no such day.
    #[must_use]
    pub const fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        if year < 1 || year > 9999 || day < 1 || day > days_of(year, month) {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// A day by year and day of the year, 1 for January 1; `None` when the year has none such.
    #[must_use]
    #[doc(alias = "julian")]
    #[doc(alias = "yday")]
    pub fn of_year_day(year: i32, day: u16) -> Option<Self> {
        let mut left = day;
        for month in 1..=12 {
            let days = u16::from(days_of(year, month));
            if left <= days {
                return Self::new(year, month, u8::try_from(left).ok()?);
            }
            left -= days;
        }
        None
    }

    /// The first date in a text, such as a file's name: `20230415`, `2023-04-15`, `2023_04_15`, `20230415T101559`, and year
    /// with day of the year, `2023105` or `2023-105`. Dates with a month go before those without; years from 1900 to 2199.
    /// `None` where there is none. Day before month (`15-04-2023`) is not read: nobody could tell it from the American order.
    #[must_use]
    #[doc(alias = "strptime")]
    #[doc(alias = "to_datetime")]
    #[doc(alias = "fromisoformat")]
    pub fn parse(text: &str) -> Option<Self> {
        let runs = digits(text);
        let with_month = runs.iter().enumerate().find_map(|(at, run)| match run.2 {
            // With the time behind it, in minutes or seconds.
            8 | 12 | 14 => of_digits(run.1.get(..8)?),
            4 => {
                let (month, day) = (runs.get(at + 1)?, runs.get(at + 2)?);
                let joined = joins(text, run, month)? == joins(text, month, day)?;
                (joined && month.2 == 2 && day.2 == 2)
                    .then(|| of_digits(&format!("{}{}{}", run.1, month.1, day.1)))?
            }
            _ => None,
        });
        with_month.or_else(|| {
            runs.iter().enumerate().find_map(|(at, run)| match run.2 {
                7 => of_year_digits(run.1),
                4 => {
                    let day = runs.get(at + 1).filter(|day| day.2 == 3)?;
                    joins(text, run, day)?;
                    of_year_digits(&format!("{}{}", run.1, day.1))
                }
                _ => None,
            })
        })
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.year
    }

    /// The month, from 1.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }

    /// The day of the year, from 1.
    #[must_use]
    #[doc(alias = "doy")]
    #[doc(alias = "dayofyear")]
    pub fn year_day(self) -> u16 {
        let before = (1..self.month).map(|month| u16::from(days_of(self.year, month)));
        before.sum::<u16>() + u16::from(self.day)
    }

    /// Days from another day to this one; negative when this one is earlier.
    #[must_use]
    pub fn days_since(self, other: Self) -> i64 {
        self.number() - other.number()
    }

    /// Days since the year 0.
    fn number(self) -> i64 {
        let years = i64::from(self.year) - 1;
        years * 365 + years / 4 - years / 100 + years / 400 + i64::from(self.year_day())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!(
            "{:04}-{:02}-{:02}",
            self.year, self.month, self.day
        ))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

const fn days_of(year: i32, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    }
}

/// Where a run of digits starts, the run, and how long it is.
type Digits<'a> = (usize, &'a str, usize);

fn digits(text: &str) -> Vec<Digits<'_>> {
    let mut runs = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        match (letter.is_ascii_digit(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                runs.push((from, &text[from..at], at - from));
                start = None;
            }
            _ => {}
        }
    }
    runs
}

/// The mark between two runs of digits, where one such mark is all that is between them.
fn joins(text: &str, first: &Digits<'_>, second: &Digits<'_>) -> Option<char> {
    let mut between = text.get(first.0 + first.2..second.0)?.chars();
    let mark = between
        .next()
        .filter(|mark| ['-', '_', '.', '/', ' '].contains(mark))?;
    between.next().is_none().then_some(mark)
}

/// `20230415`.
fn of_digits(text: &str) -> Option<Date> {
    let year = text.get(..4)?.parse().ok()?;
    let date = Date::new(
        year,
        text.get(4..6)?.parse().ok()?,
        text.get(6..8)?.parse().ok()?,
    )?;
    YEARS.contains(&year).then_some(date)
}

/// `2023105`.
fn of_year_digits(text: &str) -> Option<Date> {
    let year = text.get(..4)?.parse().ok()?;
    let date = Date::of_year_day(year, text.get(4..7)?.parse().ok()?)?;
    YEARS.contains(&year).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names are those of the products: Sentinel-2, Landsat, PlanetScope, MODIS, STAC.
    #[test]
    fn dates_are_found_in_the_names_of_products() {
        for (name, date) in [
            ("T33UUP_20220612T101559_B02_10m", "2022-06-12"),
            (
                "S2A_MSIL2A_20220612T101559_N0400_R022_T33UUP_20220613T160000",
                "2022-06-12",
            ),
            (
                "LC09_L2SP_193024_20220612_20220614_02_T1_SR_B4",
                "2022-06-12",
            ),
            ("20220612_101559_0f22_3B_AnalyticMS_SR_8b", "2022-06-12"),
            ("MOD13Q1.A2023105.h18v04.061.2023123456789", "2023-04-15"),
            ("2024-05-01T00:00:00Z", "2024-05-01"),
            ("ndvi_2023_04_15", "2023-04-15"),
            ("field 2023.04.15", "2023-04-15"),
            ("20230415101559", "2023-04-15"),
            ("2023-366x", ""),
            ("2024-366", "2024-12-31"),
            ("2024/060", "2024-02-29"),
            ("m_3807736_ne_18_060_20210607", "2021-06-07"),
            // Neither a date nor a day of a year.
            ("20231332", ""),
            ("20230229", ""),
            ("2023-04_15", ""),
            ("2023-4-5", ""),
            ("15-04-2023", ""),
            ("123456789", ""),
            ("2023000", ""),
            ("99990101", ""),
            ("Bä2023", ""),
            ("", ""),
        ] {
            let found = Date::parse(name).map_or_else(String::new, |date| date.to_string());
            assert_eq!(found, date, "{name}");
        }
    }

    /// Python: `date(2024, 3, 1).timetuple().tm_yday`, `(date(2024, 3, 1) - date(1999, 12, 31)).days`.
    #[test]
    fn days_are_counted_as_python_counts_them() {
        let day = |year, month, day| Date::new(year, month, day).unwrap();
        assert_eq!(day(2024, 3, 1).year_day(), 61);
        assert_eq!(day(2023, 3, 1).year_day(), 60);
        assert_eq!(day(2024, 3, 1).days_since(day(1999, 12, 31)), 8827);
        assert_eq!(day(1999, 12, 31).days_since(day(2024, 3, 1)), -8827);
        assert_eq!(Date::of_year_day(2023, 365), Date::new(2023, 12, 31));
        assert_eq!(Date::of_year_day(2023, 366), None);
        assert_eq!(Date::new(1900, 2, 29), None);
        assert!(Date::new(2000, 2, 29).is_some());
        assert!(day(2023, 4, 15) < day(2023, 10, 1));
    }
}
