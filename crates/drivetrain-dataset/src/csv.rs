//! CSV as one job writes it and the next reads it: header, comma, LF; a missing value is an empty cell.

mod lines;
mod read;
mod write;

pub use read::{parse_csv, read_csv};
pub use write::{to_csv, write_csv};
