//! Fetch, verify, parse.

use std::{borrow::Cow, fs};

use drivetrain_frame::polars::frame::DataFrame;

use crate::{Checksum, DatasetError, Description, HttpUrl, Source, parse, parse::labels};

/// A data set that has been fetched, verified and parsed.
#[derive(Debug, Clone)]
pub struct Acquisition {
    /// One row a line, in file order; the columns of the description's schema; missing values are null.
    pub frame: DataFrame,
    /// What follows the numbers of each row, such as its name; nothing for data without trailing text.
    pub labels: Option<Vec<String>>,
    /// The digest of the bytes that were parsed.
    pub checksum: Checksum,
    /// Whether these bytes are the known data set; false also when the description knows no checksum.
    pub is_known: bool,
}

/// Fetches the data set from `source`, verifies its checksum and parses it.
///
/// Bundled and downloaded bytes must have the checksum of the description, if it knows one. A file is the user's own
/// choice: any file of the right format is accepted, and [`Acquisition::is_known`] says whether it is the known one.
///
/// # Errors
/// [`DatasetError::NotBundled`], [`DatasetError::Read`], [`DatasetError::Download`], [`DatasetError::TooLarge`] or
/// [`DatasetError::HttpDisabled`] when there is nothing to read; [`DatasetError::ChecksumMismatch`] for other bytes than
/// the known ones; [`DatasetError::Text`] for a text that does not match the description.
pub fn acquire(description: &Description, source: &Source) -> Result<Acquisition, DatasetError> {
    let (origin, bytes) = fetch(description, source)?;
    let checksum = Checksum::of(&bytes);
    let is_known = description.known_checksum() == Some(checksum);
    if let (Some(expected), Source::Bundled | Source::Url(_), false) = (description.known_checksum(), source, is_known)
    {
        let dataset = description.name().to_owned();
        return Err(DatasetError::ChecksumMismatch { origin, dataset, expected, found: checksum });
    }
    let frame = parse(description, &origin, &bytes)?;
    let labels = labels(description, &bytes);
    Ok(Acquisition { frame, labels, checksum, is_known })
}

/// The bytes, and how to call them in an error.
fn fetch(description: &Description, source: &Source) -> Result<(String, Cow<'static, [u8]>), DatasetError> {
    match source {
        Source::Bundled => {
            let bytes = description
                .bundled_bytes()
                .ok_or_else(|| DatasetError::NotBundled { dataset: description.name().to_owned() })?;
            Ok((format!("the bundled file of `{}`", description.name()), bytes.into()))
        }
        Source::Path(path) => {
            let bytes = fs::read(path).map_err(|source| DatasetError::Read { path: path.clone(), source })?;
            Ok((path.display().to_string(), bytes.into()))
        }
        Source::Url(url) => Ok((url.to_string(), download(description, url)?.into())),
    }
}

#[cfg(feature = "http")]
fn download(description: &Description, url: &HttpUrl) -> Result<Vec<u8>, DatasetError> {
    crate::http::download(url, description.max_download())
}

#[cfg(not(feature = "http"))]
fn download(_: &Description, url: &HttpUrl) -> Result<Vec<u8>, DatasetError> {
    Err(DatasetError::HttpDisabled { url: url.to_string() })
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{DataType, Field, Schema};

    use super::*;

    const KNOWN: &[u8] = b"1.5 2\n2.5 3\n";
    const OTHER: &[u8] = b"1.5 2\n2.5 4\n";

    fn description() -> Description {
        let schema = Schema::new(vec![Field::new("y", DataType::Float64), Field::new("x", DataType::Int64)]).unwrap();
        Description::new("small", schema).unwrap().checksum(Checksum::of(KNOWN))
    }

    #[test]
    fn the_bundled_file_must_be_the_known_one() {
        let acquired = acquire(&description().bundled(KNOWN), &Source::Bundled).unwrap();
        assert_eq!(acquired.frame.shape(), (2, 2));
        assert!(acquired.is_known);

        let error = acquire(&description().bundled(OTHER), &Source::Bundled).unwrap_err().to_string();
        assert!(error.contains(&Checksum::of(KNOWN).to_string()), "{error}");
        assert!(error.contains(&Checksum::of(OTHER).to_string()), "{error}");
    }

    #[test]
    fn without_bundled_bytes_there_is_nothing_to_acquire() {
        let error = acquire(&description(), &Source::Bundled).unwrap_err();
        assert!(matches!(error, DatasetError::NotBundled { .. }), "{error}");
    }

    #[test]
    fn any_file_of_the_format_is_accepted_and_recognised() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.data");
        for (bytes, is_known) in [(KNOWN, true), (OTHER, false)] {
            fs::write(&path, bytes).unwrap();
            let acquired = acquire(&description(), &Source::Path(path.clone())).unwrap();
            assert_eq!((acquired.is_known, acquired.checksum), (is_known, Checksum::of(bytes)));
        }
    }

    #[test]
    fn a_file_is_named_when_it_is_missing_or_malformed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.data");
        let source = Source::Path(path.clone());
        let error = acquire(&description(), &source).unwrap_err();
        assert!(matches!(&error, DatasetError::Read { path: named, .. } if *named == path), "{error}");

        fs::write(&path, "1.5\n").unwrap();
        let error = acquire(&description(), &source).unwrap_err();
        assert!(error.to_string().contains("a.data"), "{error}");
    }

    #[cfg(not(feature = "http"))]
    #[test]
    fn a_download_needs_the_http_feature() {
        let source = "https://example.org/a.data".parse().unwrap();
        let error = acquire(&description(), &source).unwrap_err();
        assert!(error.to_string().contains("without the `http` feature"), "{error}");
    }
}
