//! Where a data set comes from.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::DatasetError;

/// Where the bytes of a data set come from.
///
/// ```
/// use drivetrain_dataset::Source;
///
/// assert_eq!("bundled".parse::<Source>()?, Source::Bundled);
/// assert_eq!("./bundled".parse::<Source>()?, Source::Path("./bundled".into()));
/// assert!(matches!("https://example.org/a.data".parse()?, Source::Url(_)));
/// assert!("ftp://example.org/a.data".parse::<Source>().is_err());
/// # Ok::<(), drivetrain_dataset::DatasetError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Source {
    /// The bytes embedded in the program; they must be the known data set.
    #[default]
    Bundled,
    /// A file; any file of the right format is accepted.
    Path(PathBuf),
    /// A download; it must be the known data set.
    Url(HttpUrl),
}

/// A URL whose scheme is `http` or `https`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpUrl(String);

impl HttpUrl {
    /// The URL as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HttpUrl {
    type Err = DatasetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_http = text.split_once("://").is_some_and(|(scheme, rest)| {
            (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
                && !rest.is_empty()
                && !rest.starts_with(['/', '?', '#'])
                && !rest.contains(char::is_whitespace)
        });
        if is_http { Ok(Self(text.to_owned())) } else { Err(DatasetError::InvalidSource { text: text.to_owned() }) }
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Source {
    type Err = DatasetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Err(DatasetError::InvalidSource { text: String::new() }),
            "bundled" => Ok(Self::Bundled),
            url if url.contains("://") => url.parse().map(Self::Url),
            path => Ok(Self::Path(path.into())),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("bundled"),
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Url(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back() {
        for text in ["bundled", "data/a.data", "/tmp/a b.data", "C:\\a.data", "http://h/p?q", "HTTPS://host:8443/x"] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_source_is_quoted() {
        for text in ["", "ftp://host/a", "s3://bucket/a", "http://", "https:///a", "http://ho st/"] {
            let error = text.parse::<Source>().unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
