//! Which backend a location on the command line means.

use std::path::{Path, PathBuf};

use super::Key;
use crate::RunnerError;

/// What there is to choose from.
const EXPECTED: &str = "give the path of a local folder, or s3://bucket/prefix";

/// Where the objects of a store lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    /// A local folder.
    Folder(PathBuf),
    /// The memory of this process.
    Memory,
    /// A bucket, or what lies below a prefix in it.
    S3 { bucket: String, prefix: Option<Key> },
}

impl Location {
    /// Reads `memory:`, `s3://bucket/prefix` or a folder path; names what it cannot open.
    pub(super) fn parse(text: &str) -> Result<Self, RunnerError> {
        let unsupported = |reason: String| Err(RunnerError::UnsupportedStore { location: text.to_owned(), reason });
        match text.split_once(':') {
            _ if text.is_empty() => unsupported(format!("the location is empty; {EXPECTED}")),
            Some(("memory", "" | "//" | "///")) => Ok(Self::Memory),
            Some(("s3", rest)) if rest.starts_with("//") => bucket_and_prefix(&rest[2..]).or_else(unsupported),
            Some((scheme, rest)) if rest.starts_with("//") && is_scheme(scheme) => {
                unsupported(format!("unknown URL scheme; {EXPECTED}"))
            }
            _ => Ok(Self::Folder(PathBuf::from(text))),
        }
    }

    /// The object of a key, as a person would look for it.
    pub(super) fn describe(&self, key: &str) -> String {
        match self {
            Self::Folder(root) => join(root, key).display().to_string(),
            Self::Memory | Self::S3 { .. } => self.url(key),
        }
    }

    /// The object of a key, as a URL.
    pub(super) fn url(&self, key: &str) -> String {
        match self {
            Self::Folder(root) => format!("file://{}", join(root, key).display()),
            Self::Memory => format!("memory:///{key}"),
            Self::S3 { bucket, prefix: None } => format!("s3://{bucket}/{key}"),
            Self::S3 { bucket, prefix: Some(prefix) } => format!("s3://{bucket}/{prefix}/{key}"),
        }
    }
}

/// Of `bucket/prefix`; an error is the reason.
fn bucket_and_prefix(text: &str) -> Result<Location, String> {
    let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(is_allowed) {
        return Err(format!(
            "`{bucket}` is not the name of a bucket: 3 to 63 lower-case letters, digits, hyphens and dots"
        ));
    }
    let prefix = match prefix.strip_suffix('/').unwrap_or(prefix) {
        "" => None,
        prefix => Some(Key::new(prefix).map_err(|error| error.to_string())?),
    };
    Ok(Location::S3 { bucket: bucket.to_owned(), prefix })
}

/// Joined by segment, so that the separators are those of the system.
pub(super) fn join(root: &Path, key: &str) -> PathBuf {
    key.split('/').fold(root.to_path_buf(), |path, segment| path.join(segment))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_folder_and_memory_is_memory() {
        assert_eq!(Location::parse("store").unwrap(), Location::Folder("store".into()));
        assert_eq!(Location::parse("/tmp/a:b").unwrap(), Location::Folder("/tmp/a:b".into()));
        assert_eq!(Location::parse("memory:").unwrap(), Location::Memory);
        assert_eq!(Location::parse("memory:///").unwrap(), Location::Memory);
    }

    #[test]
    fn a_bucket_has_a_prefix_or_none() {
        let parse = |text: &str| Location::parse(text).unwrap();
        let in_bucket = |prefix: Option<&str>| Location::S3 {
            bucket: "my-bucket.1".into(),
            prefix: prefix.map(|prefix| Key::new(prefix).unwrap()),
        };
        assert_eq!(parse("s3://my-bucket.1"), in_bucket(None));
        assert_eq!(parse("s3://my-bucket.1/"), in_bucket(None));
        assert_eq!(parse("s3://my-bucket.1/a/b/"), in_bucket(Some("a/b")));
        assert_eq!(parse("s3://my-bucket.1").describe("k/l"), "s3://my-bucket.1/k/l");
        assert_eq!(parse("s3://my-bucket.1/a/b").url("k/l"), "s3://my-bucket.1/a/b/k/l");
    }

    #[test]
    fn what_is_no_bucket_and_no_prefix_is_refused() {
        for (location, reason) in [
            ("s3://", "3 to 63"),
            ("s3://ab", "3 to 63"),
            ("s3://My_Bucket", "`My_Bucket` is not the name of a bucket"),
            ("s3://bucket//a", "a segment is empty"),
            ("s3://bucket/a/../b", "`..` is not allowed"),
        ] {
            let text = Location::parse(location).unwrap_err().to_string();
            assert!(text.contains(location) && text.contains(reason), "{text}");
        }
    }

    #[test]
    fn other_schemes_are_refused_by_name() {
        for location in ["s3a://bucket/prefix", "gs://bucket", "https://host", ""] {
            let text = Location::parse(location).unwrap_err().to_string();
            assert!(text.contains(location) && text.contains("local folder, or s3://"), "{text}");
        }
    }
}
