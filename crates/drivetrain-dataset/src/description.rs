//! What a raw data set looks like.

use std::fmt;

use drivetrain_plan::{DataType, Schema};

use crate::{Checksum, DatasetError};

/// Downloads above this are refused unless the description says otherwise.
const DEFAULT_DOWNLOAD_LIMIT: u64 = 64 * 1024 * 1024;

/// What a raw data set of white-space separated numbers looks like, and which bytes are the known ones.
///
/// One row a line; the fields of a line are the columns of the schema in order; the first column is the target.
#[derive(Clone, PartialEq, Eq)]
pub struct Description {
    name: String,
    schema: Schema,
    missing_marker: Option<String>,
    trailing_text: TrailingText,
    checksum: Option<Checksum>,
    bundled: Option<&'static [u8]>,
    download_limit: u64,
}

/// What follows the numbers of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrailingText {
    /// Nothing.
    #[default]
    None,
    /// One TAB and any text, which is no value: see [`Acquisition::labels`](crate::Acquisition::labels).
    AfterTab,
}

impl Description {
    /// A data set called `name` with the columns of `schema`, target first; without missing values, trailing text,
    /// known checksum and bundled bytes until these are given.
    ///
    /// # Errors
    /// [`DatasetError::NoColumns`] for an empty schema; [`DatasetError::UnsupportedType`] for a column that is
    /// neither `int64` nor `float64`.
    pub fn new(name: impl Into<String>, schema: Schema) -> Result<Self, DatasetError> {
        let name = name.into();
        if schema.is_empty() {
            return Err(DatasetError::NoColumns { dataset: name });
        }
        for field in schema.fields() {
            if !matches!(field.dtype, DataType::Int64 | DataType::Float64) {
                return Err(DatasetError::UnsupportedType { column: field.name.clone(), dtype: field.dtype });
            }
        }
        Ok(Self {
            name,
            schema,
            missing_marker: None,
            trailing_text: TrailingText::None,
            checksum: None,
            bundled: None,
            download_limit: DEFAULT_DOWNLOAD_LIMIT,
        })
    }

    /// The word that stands for a missing value.
    ///
    /// # Errors
    /// [`DatasetError::MissingMarker`] when it is empty or contains white space.
    pub fn missing_marker(mut self, marker: impl Into<String>) -> Result<Self, DatasetError> {
        let marker = marker.into();
        if marker.is_empty() || marker.contains(char::is_whitespace) {
            return Err(DatasetError::MissingMarker { marker });
        }
        self.missing_marker = Some(marker);
        Ok(self)
    }

    /// What follows the numbers of a line.
    #[must_use]
    pub fn trailing_text(mut self, trailing_text: TrailingText) -> Self {
        self.trailing_text = trailing_text;
        self
    }

    /// The digest of the known data set, which bundled and downloaded bytes must have.
    #[must_use]
    pub fn checksum(mut self, checksum: Checksum) -> Self {
        self.checksum = Some(checksum);
        self
    }

    /// The data set itself, embedded in the program.
    #[must_use]
    pub fn bundled(mut self, bytes: &'static [u8]) -> Self {
        self.bundled = Some(bytes);
        self
    }

    /// The number of bytes above which a download is refused; 64 MiB by default.
    #[must_use]
    pub fn download_limit(mut self, bytes: u64) -> Self {
        self.download_limit = bytes;
        self
    }

    /// The data set's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns in file order, target first.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The digest of the known data set.
    #[must_use]
    pub fn known_checksum(&self) -> Option<Checksum> {
        self.checksum
    }

    pub(crate) fn is_missing(&self, text: &str) -> bool {
        self.missing_marker.as_deref() == Some(text)
    }

    pub(crate) fn trailing(&self) -> TrailingText {
        self.trailing_text
    }

    pub(crate) fn bundled_bytes(&self) -> Option<&'static [u8]> {
        self.bundled
    }

    #[cfg(feature = "http")]
    pub(crate) fn max_download(&self) -> u64 {
        self.download_limit
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Description")
            .field("name", &self.name)
            .field("schema", &self.schema)
            .field("missing_marker", &self.missing_marker)
            .field("trailing_text", &self.trailing_text)
            .field("checksum", &self.checksum)
            .field("bundled_bytes", &self.bundled.map(<[u8]>::len))
            .field("download_limit", &self.download_limit)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::Field;

    use super::*;

    #[test]
    fn a_schema_needs_a_target_and_numbers_only() {
        let error = Description::new("empty", Schema::default()).unwrap_err();
        assert!(matches!(error, DatasetError::NoColumns { .. }), "{error}");

        let schema = Schema::new(vec![Field::new("y", DataType::Float64), Field::new("x", DataType::String)]).unwrap();
        let error = Description::new("text", schema).unwrap_err();
        assert_eq!(error.to_string(), "column `x`: values of type string cannot be read from this format");
    }

    #[test]
    fn a_missing_marker_is_one_word() {
        let schema = Schema::new(vec![Field::new("y", DataType::Float64)]).unwrap();
        let description = Description::new("d", schema).unwrap();
        for marker in ["", " ", "not known"] {
            assert!(description.clone().missing_marker(marker).is_err(), "{marker:?}");
        }
        assert!(description.missing_marker("NA").is_ok());
    }
}
