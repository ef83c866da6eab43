//! The endpoint, asked without a socket.

use axum::{body::Body, http::header};
use drivetrain_artifact::{ArtifactBuilder, Pipeline, Reader, Regressor};
use drivetrain_forest::Forest;
use drivetrain_plan::{
    Categories, Column, ColumnTable, DataType, ExtensionError, ExtensionKind, ExtensionOp, ExtraColumns, Field, Op,
    Plan, PlanBuilder, Registry, Schema, UnknownCategory, Value, ndarray::array,
};
use serde_json::json;
use tower::ServiceExt;

use super::*;

const OPTIONS: Options = Options { default_output: OutputFormat::Json, max_in_flight: 2 };

/// `weight` imputed by 3000 and `cylinders` one-hot over 4 and 8.
fn plan(unknown: UnknownCategory) -> Plan {
    let fields = vec![Field::new("cylinders", DataType::Int64), Field::new("weight", DataType::Float64)];
    let mut builder = PlanBuilder::new(Schema::new(fields).unwrap());
    builder.extra_columns(ExtraColumns::Reject);
    builder.push(Op::OneHot {
        column: "cylinders".into(),
        categories: Categories::Int64(vec![4, 8]),
        missing: false,
        unknown,
        outputs: vec!["cylinders_4".into(), "cylinders_8".into()],
    });
    builder.push(Op::Impute { column: "weight".into(), value: Value::Float64(3000.0), output: "imputed".into() });
    for (name, column) in [("cylinders_4", "cylinders_4"), ("cylinders_8", "cylinders_8"), ("weight", "imputed")] {
        builder.output(name, column);
    }
    builder.build().unwrap()
}

/// One tree: 30 mpg up to a weight of 2500, 15 above.
fn regressor() -> Regressor {
    let forest: Forest = serde_json::from_value(json!({
        "n_features": 3, "n_nodes": [3], "feature": [2, null, null], "value": [2500.0, 30.0, 15.0],
        "feature_importances": [0.0, 0.0, 1.0],
    }))
    .unwrap();
    Regressor::new(forest, vec!["cylinders_4".into(), "cylinders_8".into(), "weight".into()]).unwrap()
}

fn cars() -> ColumnTable {
    let columns = [("cylinders", Column::from(vec![4_i64, 8])), ("weight", Column::from(vec![2000.0, 4000.0]))];
    ColumnTable::new(columns.map(|(name, column)| (name.to_owned(), column)).into()).unwrap()
}

fn endpoint(builder: ArtifactBuilder<'_>) -> Router {
    router(ServedModel::new(&builder.build().unwrap()).unwrap(), OPTIONS)
}

fn preprocessor() -> Router {
    endpoint(ArtifactBuilder::preprocessor(plan(UnknownCategory::Error), &cars()))
}

fn regression() -> Router {
    endpoint(ArtifactBuilder::regressor(regressor(), array![[1.0, 0.0, 2000.0]].view()))
}

fn pipeline() -> Router {
    let pipeline = Pipeline::new(plan(UnknownCategory::Ignore), regressor()).unwrap();
    endpoint(ArtifactBuilder::pipeline(pipeline, &cars()))
}

async fn send(router: Router, request: Request) -> (StatusCode, HeaderMap, String) {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

fn request(headers: &[(&str, &str)], body: impl Into<Body>) -> Request {
    let builder = Request::builder().method("POST").uri("/invocations");
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    builder.body(body.into()).unwrap()
}

/// Posts CSV and expects an answer.
async fn csv(router: Router, body: &'static str) -> String {
    let (status, headers, body) = send(router, request(&[("content-type", "text/csv; charset=utf-8")], body)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    body
}

/// Sends a request and expects an error.
async fn error(router: Router, request: Request, expected: StatusCode) -> serde_json::Value {
    let (status, headers, body) = send(router, request).await;
    assert_eq!(status, expected, "{body}");
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    body["error"].clone()
}

#[tokio::test]
async fn ping_is_empty_and_ok() {
    let ping = Request::builder().uri("/ping").body(Body::empty()).unwrap();
    let (status, _, body) = send(preprocessor(), ping).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn a_preprocessor_answers_features() {
    assert_eq!(csv(preprocessor(), "4,2000\n8,\n").await, "[[1.0,0.0,2000.0],[0.0,1.0,3000.0]]");
    assert_eq!(csv(preprocessor(), "18.0,8,4000").await, "[[0.0,1.0,4000.0]]");
}

#[tokio::test]
async fn a_regressor_answers_predictions() {
    assert_eq!(
        csv(regression(), "1,0,2000\n0,1,4000").await,
        r#"[{"id":0,"prediction":30.0},{"id":1,"prediction":15.0}]"#
    );
}

#[tokio::test]
async fn a_pipeline_answers_predictions_of_raw_rows() {
    assert_eq!(csv(pipeline(), "cylinders,weight\n5,2000\n").await, r#"[{"id":0,"prediction":30.0}]"#);
}

#[tokio::test]
async fn two_containers_in_a_row_answer_what_one_does() {
    let rows = "4,2000\n8,?\n";
    let features = csv(preprocessor(), rows).await;
    let (status, _, chained) = send(regression(), request(&[], features)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(chained, csv(pipeline(), rows).await);
}

#[tokio::test]
async fn every_format_goes_in_and_comes_out() {
    let npy = |values: &[f64]| drivetrain_artifact::npy::vector_to_bytes(values).unwrap();
    let bodies = [
        ("text/csv", b"8,\n".to_vec()),
        ("application/json", b"[[8, null]]".to_vec()),
        ("application/json", br#"{"instances": [{"cylinders": 8, "weight": null}]}"#.to_vec()),
        ("application/jsonlines", b"[8, null]\n".to_vec()),
        ("application/x-npy", npy(&[8.0, f64::NAN])),
    ];
    for (content_type, body) in bodies {
        for (accept, expected) in [
            ("application/json", b"[[0.0,1.0,3000.0]]".to_vec()),
            ("text/csv", b"0.0,1.0,3000.0\n".to_vec()),
            ("application/jsonlines", b"[0.0,1.0,3000.0]\n".to_vec()),
            ("application/x-npy", drivetrain_artifact::npy::to_bytes(array![[0.0, 1.0, 3000.0]].view()).unwrap()),
        ] {
            let request = request(&[("content-type", content_type), ("accept", accept)], body.clone());
            let response = preprocessor().oneshot(request).await.unwrap();
            assert_eq!(response.headers()[header::CONTENT_TYPE], accept);
            let answer = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert_eq!(answer, expected, "{content_type} to {accept}");
        }
    }
}

#[tokio::test]
async fn a_chain_goes_by_way_of_any_format() {
    for format in ["text/csv", "application/json", "application/jsonlines", "application/x-npy"] {
        let rows = request(&[("content-type", "text/csv"), ("accept", format)], "4,2000\n8,\n");
        let features = preprocessor().oneshot(rows).await.unwrap().into_body();
        let (status, _, body) =
            send(regression(), request(&[("content-type", format), ("accept", "text/csv")], features)).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "30.0\n15.0\n"), "{format}");
    }
}

#[tokio::test]
async fn a_named_endpoint_and_batch_transform_are_answered() {
    let named = Request::builder().method("POST").uri("/endpoints/cars/invocations").body(Body::from("[[4, 2000]]"));
    let (status, _, body) = send(preprocessor(), named.unwrap()).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "[[1.0,0.0,2000.0]]"));
    let parameters = Request::builder().uri("/execution-parameters").body(Body::empty()).unwrap();
    let (status, _, body) = send(preprocessor(), parameters).await;
    assert_eq!(status, StatusCode::OK);
    let parameters: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(parameters["MaxConcurrentTransforms"].as_u64().unwrap() >= 1);
    assert_eq!((&parameters["BatchStrategy"], &parameters["MaxPayloadInMB"]), (&json!("MULTI_RECORD"), &json!(6)));
}

#[tokio::test]
async fn what_was_answered_is_counted() {
    let router = pipeline();
    for (body, status) in [("5,2000\n8,\n4,\n", StatusCode::OK), ("8,heavy", StatusCode::BAD_REQUEST)] {
        assert_eq!(send(router.clone(), request(&[("content-type", "text/csv")], body)).await.0, status);
    }
    let scrape = Request::builder().uri("/metrics").body(Body::empty()).unwrap();
    let (status, headers, text) = send(router, scrape).await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("application/openmetrics-text"));
    for line in [
        "drivetrain_invocations_total{status=\"200\"} 1",
        "drivetrain_invocations_total{status=\"400\"} 1",
        "drivetrain_invocation_seconds_count 2",
        "drivetrain_rows_total 3",
        "drivetrain_missing_values_total{column=\"weight\"} 2",
        "drivetrain_unknown_categories_total{column=\"cylinders\"} 1",
        "drivetrain_in_flight 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn more_than_can_be_answered_are_sent_away() {
    let router = preprocessor();
    // Bodies that never end keep their requests in flight.
    let waiting: Vec<_> = (0..OPTIONS.max_in_flight)
        .map(|_| {
            let body = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
            tokio::spawn(router.clone().oneshot(request(&[], body)))
        })
        .collect();
    tokio::task::yield_now().await;
    let message = error(router.clone(), request(&[], "[[4, 2000]]"), StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(message["message"], "2 invocations are being answered; try again");
    let ping = Request::builder().uri("/ping").body(Body::empty()).unwrap();
    assert_eq!(send(router.clone(), ping).await.0, StatusCode::OK);
    for request in waiting {
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
    }
    assert_eq!(send(router, request(&[], "[[4, 2000]]")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn custom_attributes_are_handed_back_also_with_an_error() {
    for body in ["[[4, 2000]]", "nonsense"] {
        let (_, headers, _) = send(preprocessor(), request(&[(CUSTOM_ATTRIBUTES, "trace=7")], body)).await;
        assert_eq!(headers[CUSTOM_ATTRIBUTES], "trace=7", "{body}");
    }
}

#[tokio::test]
async fn bad_rows_are_named() {
    let csv = |body: &'static str| request(&[("content-type", "text/csv")], body);
    let unknown = error(preprocessor(), csv("4,2000\n5,2100\n"), StatusCode::BAD_REQUEST).await;
    assert_eq!((&unknown["row"], &unknown["column"], &unknown["value"]), (&json!(1), &json!("cylinders"), &json!("5")));
    let text = error(preprocessor(), csv("4,heavy\n"), StatusCode::BAD_REQUEST).await;
    assert_eq!((&text["row"], &text["column"], &text["value"]), (&json!(0), &json!("weight"), &json!("heavy")));
    let width = error(preprocessor(), csv("4\n"), StatusCode::BAD_REQUEST).await;
    assert_eq!((&width["row"], &width["column"]), (&json!(0), &json!(null)));
    let missing = error(regression(), request(&[], "[[1, 0, 2000], [1, 0, null]]"), StatusCode::BAD_REQUEST).await;
    assert_eq!(
        (&missing["row"], &missing["column"], &missing["value"]),
        (&json!(1), &json!("weight"), &json!("missing"))
    );
    error(regression(), request(&[], "[[9, 1, 0, 2000]]"), StatusCode::BAD_REQUEST).await;
    error(regression(), request(&[], ""), StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn an_infinite_feature_is_not_taken_for_a_missing_one() {
    let fields = vec![Field::new("weight", DataType::Float64)];
    let mut builder = PlanBuilder::new(Schema::new(fields).unwrap());
    builder.push(Op::Scale { column: "weight".into(), center: 0.0, scale: 1e-300, output: "scaled".into() });
    builder.output("scaled", "scaled");
    let rows = ColumnTable::new(vec![("weight".into(), Column::from(vec![1e-300]))]).unwrap();
    let router = endpoint(ArtifactBuilder::preprocessor(builder.build().unwrap(), &rows));
    let infinite = error(router, request(&[], "[[1e-300], [1e300]]"), StatusCode::BAD_REQUEST).await;
    assert_eq!(
        (&infinite["row"], &infinite["column"], &infinite["value"]),
        (&json!(1), &json!("scaled"), &json!("inf"))
    );
}

#[tokio::test]
async fn unsupported_types_are_refused() {
    let unsupported = request(&[("content-type", "application/x-npz")], "x");
    error(preprocessor(), unsupported, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    let unacceptable = request(&[("accept", "text/html")], "[[4, 2000]]");
    error(preprocessor(), unacceptable, StatusCode::NOT_ACCEPTABLE).await;
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_and_one_at_the_limit_is_read() {
    let row = "4,2000\n";
    let padded =
        |bytes: usize| request(&[("content-type", "text/csv")], row.to_owned() + &"\n".repeat(bytes - row.len()));
    error(preprocessor(), padded(BODY_LIMIT + 1), StatusCode::PAYLOAD_TOO_LARGE).await;
    let (status, _, body) = send(preprocessor(), padded(BODY_LIMIT)).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "[[1.0,0.0,2000.0]]"));
}

#[tokio::test]
async fn many_rows_are_answered_in_order() {
    let four = |row: u32| row.is_multiple_of(3);
    let rows: Vec<_> = (0..10_000).map(|row| format!("{},{row}", if four(row) { 4 } else { 8 })).collect();
    let rows = rows.join("\n");
    assert!(rows.len() > INLINE_LIMIT);
    let (status, _, body) = send(preprocessor(), request(&[("content-type", "text/csv")], rows)).await;
    assert_eq!(status, StatusCode::OK);
    let features: Vec<[f64; 3]> = serde_json::from_str(&body).unwrap();
    let expected = |row: u32| if four(row) { [1.0, 0.0, f64::from(row)] } else { [0.0, 1.0, f64::from(row)] };
    assert_eq!(features, (0..10_000).map(expected).collect::<Vec<_>>());
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let at = |method: &str, path: &str| Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    error(preprocessor(), at("GET", "/"), StatusCode::NOT_FOUND).await;
    error(preprocessor(), at("GET", "/invocations"), StatusCode::METHOD_NOT_ALLOWED).await;
    error(preprocessor(), at("POST", "/ping"), StatusCode::METHOD_NOT_ALLOWED).await;
}

/// An extension with a fault: it does not survive the number 13.
#[derive(Debug)]
struct Superstitious;

impl ExtensionOp for Superstitious {
    fn apply(&self, inputs: &[Column<'_>], _: usize) -> Result<Vec<Column<'static>>, ExtensionError> {
        let values = inputs[0].to_f64().unwrap().into_owned();
        assert!(!values.contains(&13.0), "13");
        Ok(vec![values.into()])
    }
}

impl ExtensionKind for Superstitious {
    fn load(&self, _: u32, _: &[u8]) -> Result<Arc<dyn ExtensionOp>, ExtensionError> {
        Ok(Arc::new(Self))
    }
}

#[tokio::test]
async fn a_panic_costs_one_request_and_no_other() {
    let registry = Registry::new().with("superstitious", Superstitious);
    let mut builder = PlanBuilder::new(Schema::new(vec![Field::new("weight", DataType::Float64)]).unwrap());
    builder.push(Op::Extension {
        kind: "superstitious".into(),
        version: 1,
        state: Vec::new(),
        columns: vec!["weight".into()],
        outputs: vec![Field::new("same", DataType::Float64)],
    });
    builder.output("same", "same");
    let rows = ColumnTable::new(vec![("weight".into(), Column::from(vec![1.0]))]).unwrap();
    let artifact = ArtifactBuilder::preprocessor(builder.build().unwrap(), &rows)
        .reader(Reader::new().registry(registry.clone()))
        .build()
        .unwrap();
    let router = router(ServedModel::with_registry(&artifact, &registry).unwrap(), OPTIONS);
    let large = "[1],".repeat(INLINE_LIMIT / 4);
    // More often than there are places for requests, so that none is held for ever.
    for _ in 0..=OPTIONS.max_in_flight {
        for body in ["[[13]]".to_owned(), format!("[{large}[13]]")] {
            let message = error(router.clone(), request(&[], body), StatusCode::INTERNAL_SERVER_ERROR).await;
            assert_eq!(message["message"], "internal error");
        }
    }
    let (status, _, body) = send(router, request(&[], "[[12]]")).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "[[12.0]]"));
}
