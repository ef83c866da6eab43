//! What can go wrong when a report is drawn.

use thiserror::Error;

/// Why a report could not be drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The chart library gave up.
    #[error("the chart `{chart}` could not be drawn: {reason}")]
    Chart {
        /// The chart's title.
        chart: String,
        /// What the library says.
        reason: String,
    },
    /// A number that no chart can show.
    #[error("{what} is {value}; a report holds finite numbers")]
    NotFinite {
        /// Where it stands.
        what: String,
        /// The number.
        value: f64,
    },
    /// Two things that must be as long as each other are not.
    #[error("{what} has {found} values where {expected} are needed")]
    Length {
        /// Where they stand.
        what: String,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
}
