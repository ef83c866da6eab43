//! What a request's headers say about its body and about the answer they want.

use axum::http::{HeaderMap, StatusCode, header};

use super::response::Rejection;

/// How a request's body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFormat {
    /// `text/csv`.
    Csv,
    /// `application/json`.
    Json,
    /// `application/jsonlines`.
    JsonLines,
    /// `application/x-npy`.
    Npy,
}

/// How an answer's body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// `application/json`.
    Json,
    /// `text/csv`.
    Csv,
    /// `application/jsonlines`.
    JsonLines,
    /// `application/x-npy`.
    Npy,
}

impl InputFormat {
    const SUPPORTED: &'static str = "text/csv, application/json, application/jsonlines and application/x-npy";

    /// The format that the headers announce; JSON when they announce none.
    ///
    /// # Errors
    /// A [`Rejection`] of status 415 for a type, a character set or a content encoding that is not read here.
    pub fn of(headers: &HeaderMap) -> Result<Self, Rejection> {
        let unsupported = |what: &str, value: &str| {
            let message =
                format!("{what} `{value}` is not supported; supported are {}, text in UTF-8", Self::SUPPORTED);
            Err(Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
        };
        if let Some(encoding) = text(headers, &header::CONTENT_ENCODING)
            && !encoding.eq_ignore_ascii_case("identity")
        {
            return unsupported("content encoding", &encoding);
        }
        let Some(content_type) = text(headers, &header::CONTENT_TYPE).filter(|value| !value.is_empty()) else {
            return Ok(Self::Json);
        };
        let (media_type, parameters) = split(&content_type);
        let charset = parameter(parameters, "charset");
        if let Some(charset) = charset.filter(|charset| !["utf-8", "utf8", "us-ascii"].contains(&charset.as_str())) {
            return unsupported("character set", &charset);
        }
        match media_type.as_str() {
            "text/csv" => Ok(Self::Csv),
            "application/json" => Ok(Self::Json),
            "application/jsonlines" => Ok(Self::JsonLines),
            "application/x-npy" => Ok(Self::Npy),
            _ => unsupported("content type", &content_type),
        }
    }
}

impl OutputFormat {
    const ALL: [Self; 4] = [Self::Json, Self::Csv, Self::JsonLines, Self::Npy];

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::JsonLines => "application/jsonlines",
            Self::Npy => "application/x-npy",
        }
    }

    /// The format of this media type.
    #[must_use]
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        let (media_type, _) = split(media_type);
        Self::ALL.into_iter().find(|format| format.media_type() == media_type)
    }

    /// The format that the `Accept` headers like best; `default` when they leave it open.
    ///
    /// # Errors
    /// A [`Rejection`] of status 406 when they accept nothing that is written here.
    pub fn negotiate(headers: &HeaderMap, default: Self) -> Result<Self, Rejection> {
        let accept: Vec<_> =
            headers.get_all(header::ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let accept = accept.join(",");
        let ranges: Vec<_> =
            accept.split(',').map(str::trim).filter(|range| !range.is_empty()).map(Range::parse).collect();
        if ranges.is_empty() {
            return Ok(default);
        }
        // The default comes first, so that it wins among equals.
        let formats = std::iter::once(default).chain(Self::ALL.into_iter().filter(|format| *format != default));
        let mut best: Option<(Self, f32)> = None;
        for format in formats {
            let quality = quality(&ranges, format.media_type());
            if quality > best.map_or(0.0, |(_, quality)| quality) {
                best = Some((format, quality));
            }
        }
        best.map(|(format, _)| format).ok_or_else(|| {
            let supported = Self::ALL.map(Self::media_type).join(", ");
            let message = format!("cannot answer as `{accept}`; supported are {supported}");
            Rejection::new(StatusCode::NOT_ACCEPTABLE, message)
        })
    }
}

/// One media range of an `Accept` header.
struct Range {
    media_type: String,
    quality: f32,
}

impl Range {
    fn parse(range: &str) -> Self {
        let (media_type, parameters) = split(range);
        let quality = parameter(parameters, "q").and_then(|quality| quality.parse().ok()).unwrap_or(1.0);
        Self { media_type, quality }
    }

    /// 2 for the type itself, 1 for all of its kind, 0 for everything.
    fn specificity(&self, media_type: &str) -> Option<u8> {
        match self.media_type.strip_suffix('*') {
            None => (self.media_type == media_type).then_some(2),
            Some("*/") => Some(0),
            Some(kind) => (kind.ends_with('/') && media_type.starts_with(kind)).then_some(1),
        }
    }
}

/// The quality that the most specific matching range gives to a media type; 0 when none matches.
fn quality(ranges: &[Range], media_type: &str) -> f32 {
    let matching = ranges.iter().filter_map(|range| Some((range.specificity(media_type)?, range.quality)));
    matching.max_by_key(|(specificity, _)| *specificity).map_or(0.0, |(_, quality)| quality)
}

fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
}

/// A media type in lower case, and its parameters.
fn split(value: &str) -> (String, &str) {
    let (media_type, parameters) = value.split_once(';').unwrap_or((value, ""));
    (media_type.trim().to_ascii_lowercase(), parameters)
}

fn parameter(parameters: &str, name: &str) -> Option<String> {
    parameters.split(';').filter_map(|parameter| parameter.split_once('=')).find_map(|(key, value)| {
        let value = value.trim().trim_matches('"');
        key.trim().eq_ignore_ascii_case(name).then(|| value.to_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    fn input(content_type: &str) -> Result<InputFormat, StatusCode> {
        InputFormat::of(&headers(header::CONTENT_TYPE, content_type)).map_err(|rejection| rejection.status())
    }

    fn accepted(accept: &str) -> Option<OutputFormat> {
        let negotiated = OutputFormat::negotiate(&headers(header::ACCEPT, accept), OutputFormat::Json);
        negotiated.map_err(|rejection| assert_eq!(rejection.status(), StatusCode::NOT_ACCEPTABLE)).ok()
    }

    #[test]
    fn content_types() {
        for csv in ["text/csv", "text/csv; charset=utf-8", "Text/CSV;Charset=\"UTF-8\"", "text/csv; header=present"] {
            assert_eq!(input(csv), Ok(InputFormat::Csv), "{csv}");
        }
        for json in ["application/json", "application/json;charset=utf-8", ""] {
            assert_eq!(input(json), Ok(InputFormat::Json), "{json}");
        }
        assert_eq!(input("application/jsonlines"), Ok(InputFormat::JsonLines));
        assert_eq!(input("application/x-npy"), Ok(InputFormat::Npy));
        for wrong in ["text/plain", "application/x-npz", "text/csv; charset=latin-1", "csv"] {
            assert_eq!(input(wrong), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{wrong}");
        }
        assert_eq!(InputFormat::of(&HeaderMap::new()), Ok(InputFormat::Json));
    }

    #[test]
    fn a_compressed_body_is_refused() {
        assert!(InputFormat::of(&headers(header::CONTENT_ENCODING, "gzip")).is_err());
        assert!(InputFormat::of(&headers(header::CONTENT_ENCODING, "identity")).is_ok());
    }

    #[test]
    fn accept() {
        for (accept, expected) in [
            ("*/*", OutputFormat::Json),
            ("", OutputFormat::Json),
            ("application/*", OutputFormat::Json),
            ("application/json", OutputFormat::Json),
            ("text/html, application/json;q=0.5", OutputFormat::Json),
            ("text/csv, */*;q=0.1", OutputFormat::Csv),
            ("text/*", OutputFormat::Csv),
            ("application/json;q=0.1, application/x-npy;q=0.2", OutputFormat::Npy),
            ("*/*, application/json;q=0.0", OutputFormat::Csv),
            ("Application/JsonLines", OutputFormat::JsonLines),
        ] {
            assert_eq!(accepted(accept), Some(expected), "{accept}");
        }
        for closed in ["text/html", "image/*", "application/json;q=0", "json"] {
            assert_eq!(accepted(closed), None, "{closed}");
        }
        assert_eq!(OutputFormat::negotiate(&HeaderMap::new(), OutputFormat::Csv), Ok(OutputFormat::Csv));
    }
}
