//! What is wrong with a text, and where.

/// What is wrong with a text, and where: lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// A header and nothing below it.
    #[error("the file has a header but no rows")]
    NoRows,
    /// Not UTF-8.
    #[error("line {line}: not UTF-8 text")]
    NotUtf8 {
        /// The line.
        line: usize,
    },
    /// A line with too few or too many fields.
    #[error("line {line}: expected {expected} fields, found {found}")]
    Ragged {
        /// The line.
        line: usize,
        /// Fields in the schema or header.
        expected: usize,
        /// Fields on the line.
        found: usize,
    },
    /// A line without the TAB that ends its numbers.
    #[error("line {line}: no TAB between the numbers and the text that follows them")]
    NoTab {
        /// The line.
        line: usize,
    },
    /// Not a number.
    #[error("line {line}, column `{column}`: {found:?} is not a number")]
    NotANumber {
        /// The line.
        line: usize,
        /// The column.
        column: String,
        /// The text, shortened.
        found: String,
    },
    /// A number, but not a whole one of 64 bits.
    #[error("line {line}, column `{column}`: {found:?} is not a 64-bit integer")]
    NotAnInteger {
        /// The line.
        line: usize,
        /// The column.
        column: String,
        /// The text, shortened.
        found: String,
    },
    /// NaN, an infinity, or a number too large for 64 bits.
    #[error("line {line}, column `{column}`: {found:?} is not a finite number")]
    NotFinite {
        /// The line.
        line: usize,
        /// The column.
        column: String,
        /// The text, shortened.
        found: String,
    },
    /// Neither `true` nor `false`.
    #[error("line {line}, column `{column}`: {found:?} is neither true nor false")]
    NotABoolean {
        /// The line.
        line: usize,
        /// The column.
        column: String,
        /// The text, shortened.
        found: String,
    },
    /// The target, which cannot be missing, is.
    #[error("line {line}, column `{column}`: {found:?} marks a missing value, but this column is the target")]
    MissingTarget {
        /// The line.
        line: usize,
        /// The target column.
        column: String,
        /// The missing marker.
        found: String,
    },
    /// The header names other columns than the schema.
    #[error("line 1: wrong columns; missing: {}; not expected: {}", list(missing), list(extra))]
    Columns {
        /// Columns of the schema that the header lacks.
        missing: Vec<String>,
        /// Columns of the header that the schema lacks.
        extra: Vec<String>,
    },
    /// The header names a column twice.
    #[error("line 1: column `{column}` appears twice")]
    DuplicateColumn {
        /// The column.
        column: String,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// What an error quotes of `text`: at most 40 characters of it.
pub(crate) fn excerpt(text: &str) -> String {
    const LENGTH: usize = 40;
    let mut characters = text.chars();
    let mut excerpt: String = characters.by_ref().take(LENGTH).collect();
    if characters.next().is_some() {
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_columns_are_named() {
        let error = TextError::Columns { missing: vec!["a".into(), "b".into()], extra: vec![] };
        assert_eq!(error.to_string(), "line 1: wrong columns; missing: `a`, `b`; not expected: none");
    }

    #[test]
    fn an_excerpt_is_short_and_cuts_between_characters() {
        assert_eq!(excerpt("12x"), "12x");
        assert_eq!(excerpt(&"é".repeat(1000)), "é".repeat(40) + "…");
    }
}
