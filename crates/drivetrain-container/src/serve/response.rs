//! What goes back: answers and rejections.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use drivetrain_artifact::npy;
use drivetrain_plan::{Matrix, ndarray::ArrayView1};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::request::OutputFormat;
use crate::failure;

/// What a model makes of the rows of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A preprocessor's features, one row per row.
    Features(Matrix),
    /// A regressor's predictions, one per row.
    Predictions(Vec<f64>),
}

/// The number of rows an answer holds, handed on for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowCount(pub(super) usize);

#[derive(Serialize)]
struct Prediction {
    id: usize,
    prediction: f64,
}

impl Answer {
    /// The number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        match self {
            Self::Features(matrix) => matrix.n_rows(),
            Self::Predictions(predictions) => predictions.len(),
        }
    }

    /// The body in this format. Floats are written with as many digits as it takes to read the same bits back.
    ///
    /// | format | features | predictions |
    /// |---|---|---|
    /// | JSON | `[[0.5,null],[1.0,2.0]]` | `[{"id":0,"prediction":34.96}]` |
    /// | JSON lines | a line `[0.5,null]` a row | a line `{"id":0,"prediction":34.96}` a row |
    /// | CSV | a line `0.5,` a row | a line `34.96` a row |
    /// | npy | float64, (rows, features), NaN where missing | float64, (rows,) |
    ///
    /// # Errors
    /// A [`Rejection`] of status 400 for an infinite feature in JSON, which cannot say it, and of status 500 when the
    /// answer cannot be written.
    pub fn write(&self, format: OutputFormat) -> Result<Vec<u8>, Rejection> {
        match format {
            OutputFormat::Json | OutputFormat::JsonLines => self.refuse_infinite()?,
            OutputFormat::Csv | OutputFormat::Npy => {}
        }
        match format {
            OutputFormat::Json => serde_json::to_vec(self).map_err(|error| Rejection::internal(&error)),
            OutputFormat::JsonLines => self.json_lines().map_err(|error| Rejection::internal(&error)),
            OutputFormat::Csv => Ok(self.csv().into_bytes()),
            OutputFormat::Npy => match self {
                Self::Features(matrix) => npy::to_bytes(matrix.values()),
                Self::Predictions(predictions) => npy::vector_to_bytes(predictions),
            }
            .map_err(|error| Rejection::internal(&error)),
        }
    }

    fn refuse_infinite(&self) -> Result<(), Rejection> {
        let Self::Features(matrix) = self else { return Ok(()) };
        let values = matrix.values();
        let Some(((row, column), value)) = values.indexed_iter().find(|(_, value)| value.is_infinite()) else {
            return Ok(());
        };
        let column = matrix.feature_names().get(column).map_or("", String::as_str);
        let message = format!("row {row}: feature `{column}` is {value}, which JSON cannot say");
        Err(Rejection::bad_request(message).row(row).column(column).value(value.to_string()))
    }

    fn json_lines(&self) -> serde_json::Result<Vec<u8>> {
        let mut body = Vec::new();
        match self {
            Self::Features(matrix) => {
                for row in matrix.values().rows() {
                    serde_json::to_writer(&mut body, row.to_slice().unwrap_or_default())?;
                    body.push(b'\n');
                }
            }
            Self::Predictions(predictions) => {
                for prediction in numbered(predictions) {
                    serde_json::to_writer(&mut body, &prediction)?;
                    body.push(b'\n');
                }
            }
        }
        Ok(body)
    }

    fn csv(&self) -> String {
        let field = |value: &f64| if value.is_nan() { String::new() } else { format!("{value:?}") };
        match self {
            Self::Features(matrix) => {
                let line = |row: ArrayView1<'_, f64>| row.iter().map(field).collect::<Vec<_>>().join(",") + "\n";
                matrix.values().rows().into_iter().map(line).collect()
            }
            Self::Predictions(predictions) => predictions.iter().map(|value| field(value) + "\n").collect(),
        }
    }
}

fn numbered(predictions: &[f64]) -> impl Iterator<Item = Prediction> {
    predictions.iter().enumerate().map(|(id, prediction)| Prediction { id, prediction: *prediction })
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Features(matrix) => {
                // A matrix is row-major, so every row is a slice.
                serializer.collect_seq(matrix.values().rows().into_iter().map(|row| row.to_slice().unwrap_or_default()))
            }
            Self::Predictions(predictions) => serializer.collect_seq(numbered(predictions)),
        }
    }
}

/// A request that is not answered, and why: a status and a JSON body
/// `{"error": {"message": ..., "row": ..., "column": ..., "value": ...}}`, where the last three stand only if they apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    status: StatusCode,
    message: String,
    row: Option<usize>,
    column: Option<String>,
    value: Option<String>,
}

impl Rejection {
    /// A rejection of this status.
    ///
    /// What it quotes of the request is cut, so that an answer is never as long as what it answers.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: failure::cut(&message.into(), 1000), row: None, column: None, value: None }
    }

    /// Status 400: the request's rows are not what the model reads.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Status 500: the fault is not the request's.
    #[must_use]
    pub fn internal(error: &dyn std::error::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, failure::chain(error).join(": "))
    }

    /// Names the row, counted from 0.
    #[must_use]
    pub fn row(mut self, row: usize) -> Self {
        self.row = Some(row);
        self
    }

    /// Names the column.
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(failure::cut(&column.into(), 200));
        self
    }

    /// Names the value.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(failure::cut(&value.into(), 200));
        self
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Serialize for Rejection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Detail<'a> {
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            row: Option<usize>,
            #[serde(skip_serializing_if = "Option::is_none")]
            column: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            value: Option<&'a str>,
        }
        let mut body = serializer.serialize_struct("Rejection", 1)?;
        let detail = Detail {
            message: &self.message,
            row: self.row,
            column: self.column.as_deref(),
            value: self.value.as_deref(),
        };
        body.serialize_field("error", &detail)?;
        body.end()
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_else(|_| br#"{"error":{"message":"internal error"}}"#.to_vec());
        respond(self.status, OutputFormat::Json, body)
    }
}

/// A response with a body.
pub(super) fn respond(status: StatusCode, format: OutputFormat, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_numbered_from_zero_and_keep_their_digits() {
        let body = Answer::Predictions(vec![34.96, 0.1 + 0.2]).write(OutputFormat::Json).unwrap();
        let expected = r#"[{"id":0,"prediction":34.96},{"id":1,"prediction":0.30000000000000004}]"#;
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn every_format_says_the_same() {
        let text = |format| String::from_utf8(Answer::Predictions(vec![34.96, 7.0]).write(format).unwrap()).unwrap();
        assert_eq!(text(OutputFormat::Csv), "34.96\n7.0\n");
        assert_eq!(text(OutputFormat::JsonLines), "{\"id\":0,\"prediction\":34.96}\n{\"id\":1,\"prediction\":7.0}\n");
        let npy = Answer::Predictions(vec![34.96, 7.0]).write(OutputFormat::Npy).unwrap();
        assert_eq!(npy::numbers_from_bytes(&npy).unwrap(), drivetrain_plan::ndarray::array![[34.96, 7.0]]);
    }

    #[test]
    fn a_rejection_is_short_whatever_it_quotes() {
        let long = "é".repeat(10_000);
        let rejection = Rejection::bad_request(format!("`{long}` is not a number")).column(&*long).value(long);
        let body = serde_json::to_string(&rejection).unwrap();
        assert!(body.len() < 2000 && body.contains("é..."), "{}", body.len());
    }

    #[test]
    fn a_rejection_says_only_what_applies() {
        let rejection = Rejection::bad_request("no").row(0);
        assert_eq!(serde_json::to_string(&rejection).unwrap(), r#"{"error":{"message":"no","row":0}}"#);
    }
}
