//! Times of day, for run names and records.

use std::fmt;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::RunnerError;

const DAY: u64 = 86_400;

/// A moment of UTC to the second, from 1970 to 9999; shown and serialised as `2024-01-31T12:00:00Z`.
///
/// ```
/// use drivetrain_runner::Timestamp;
///
/// let moment = Timestamp::from_unix_seconds(1_706_702_400);
/// assert_eq!(moment.to_string(), "2024-01-31T12:00:00Z");
/// assert_eq!(moment.compact(), "20240131-120000");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp {
    unix_seconds: u64,
}

impl Timestamp {
    /// The last second that has a year of four digits.
    const LAST: u64 = 253_402_300_799;

    /// This moment, by the system's clock.
    #[must_use]
    pub fn now() -> Self {
        // A clock set before 1970 counts as 1970.
        Self::from_unix_seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }

    /// The moment so many seconds after 1970-01-01T00:00:00Z; past the year 9999, its last second.
    #[must_use]
    pub fn from_unix_seconds(seconds: u64) -> Self {
        Self { unix_seconds: seconds.min(Self::LAST) }
    }

    /// The milliseconds since 1970.
    #[must_use]
    pub fn unix_milliseconds(&self) -> u64 {
        self.unix_seconds * 1000
    }

    /// As `20240131-120000`: sorts by time, and may stand in a job's name.
    #[must_use]
    pub fn compact(&self) -> String {
        let ([year, month, day], [hour, minute, second]) = self.parts();
        format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
    }

    fn parts(self) -> ([u64; 3], [u64; 3]) {
        let second_of_day = self.unix_seconds % DAY;
        let time = [second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60];
        (civil_date(self.unix_seconds / DAY), time)
    }
}

/// Year, month and day of the Gregorian calendar, so many days after 1970-01-01.
fn civil_date(mut days: u64) -> [u64; 3] {
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    [year, month, days + 1]
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// The inverse of [`civil_date`], by search: dates are read seldom.
fn days_of(date: [u64; 3]) -> Option<u64> {
    let [year, ..] = date;
    let from = year.checked_sub(1970)? * 365;
    (from..=from + 366 + (year - 1970) / 4).find(|days| civil_date(*days) == date)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([year, month, day], [hour, minute, second]) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl TryFrom<String> for Timestamp {
    type Error = RunnerError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parsed = || {
            let digits = |range: Range<usize>| -> Option<u64> { text.get(range)?.parse().ok() };
            let days = days_of([digits(0..4)?, digits(5..7)?, digits(8..10)?])?;
            let seconds = digits(11..13)? * 3_600 + digits(14..16)? * 60 + digits(17..19)?;
            let moment = Self::from_unix_seconds(days * DAY + seconds);
            // Whatever is not spelled as it would be written (24:00:00, other separators) is refused.
            (moment.to_string() == text).then_some(moment)
        };
        parsed().ok_or_else(|| RunnerError::Invalid {
            what: "moment",
            value: text.clone(),
            rule: "it must be written as 2024-01-31T12:00:00Z".to_owned(),
        })
    }
}

impl From<Timestamp> for String {
    fn from(moment: Timestamp) -> Self {
        moment.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_735_689_600, "2025-01-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (Timestamp::LAST, "9999-12-31T23:59:59Z"),
        ] {
            let moment = Timestamp::from_unix_seconds(seconds);
            assert_eq!(moment.to_string(), text);
            assert_eq!(Timestamp::try_from(text.to_owned()).unwrap(), moment);
        }
        assert_eq!(Timestamp::from_unix_seconds(u64::MAX).to_string(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn what_is_not_a_moment_is_refused() {
        for text in [
            "",
            "2024-01-31",
            "2023-02-29T00:00:00Z",
            "2024-01-31T24:00:00Z",
            "2024-01-31 12:00:00Z",
            "1969-12-31T23:59:59Z",
            "2024-13-01T00:00:00Z",
            "éééééééééé",
        ] {
            assert!(Timestamp::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
