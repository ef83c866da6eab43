//! Which backend a location on the command line means.

use std::path::{Path, PathBuf};

use crate::RunnerError;

/// Where the objects of a store lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    /// A local folder.
    Folder(PathBuf),
    /// The memory of this process.
    Memory,
}

impl Location {
    /// Reads `memory:` or a folder path; names what it cannot open.
    pub(super) fn parse(text: &str) -> Result<Self, RunnerError> {
        let unsupported = |reason| Err(RunnerError::UnsupportedStore { location: text.to_owned(), reason });
        match text.split_once(':') {
            _ if text.is_empty() => unsupported("the location is empty; give the path of a local folder"),
            Some(("memory", "" | "//" | "///")) => Ok(Self::Memory),
            Some(("s3" | "s3a", rest)) if rest.starts_with("//") => {
                unsupported("s3:// stores are not supported by this version; give the path of a local folder")
            }
            Some((scheme, rest)) if rest.starts_with("//") && is_scheme(scheme) => {
                unsupported("unknown URL scheme; give the path of a local folder")
            }
            _ => Ok(Self::Folder(PathBuf::from(text))),
        }
    }

    /// The object of a key, as a person would look for it.
    pub(super) fn describe(&self, key: &str) -> String {
        match self {
            Self::Folder(root) => join(root, key).display().to_string(),
            Self::Memory => format!("memory:///{key}"),
        }
    }

    /// The object of a key, as a URL.
    pub(super) fn url(&self, key: &str) -> String {
        match self {
            Self::Folder(root) => format!("file://{}", join(root, key).display()),
            Self::Memory => format!("memory:///{key}"),
        }
    }
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
    fn other_schemes_are_refused_by_name() {
        for location in ["s3://bucket/prefix", "gs://bucket", "https://host", ""] {
            let text = Location::parse(location).unwrap_err().to_string();
            assert!(text.contains(location) && text.contains("local folder"), "{text}");
        }
        assert!(Location::parse("s3://b").unwrap_err().to_string().contains("s3:// stores are not supported"));
    }
}
