//! The transformers that compute new columns from nothing but the row.

use drivetrain_plan::Function;
use drivetrain_transform::{Expression, FunctionTransformer, PolynomialFeatures, col};
use serde_json::Value;

use crate::case::cases;

#[test]
fn polynomial_features() {
    for case in cases("PolynomialFeatures", 34) {
        let features = PolynomialFeatures::new()
            .interaction_only(case.flag("interaction_only", false))
            .include_bias(case.flag("include_bias", true));
        let degree = case.params.get("degree").cloned().unwrap_or(Value::from(2));
        let features = match serde_json::from_value::<(usize, usize)>(degree.clone()) {
            Ok((min, max)) => features.degrees(min, max).map_err(|error| error.to_string()),
            Err(_) => Ok(features.degree(serde_json::from_value(degree).unwrap())),
        };
        case.check(features);
    }
}

/// A name, or a list of a name and its constants; between the two, in an expression, stands what it works on.
fn function(name: &str, constants: &[Value]) -> Function {
    let constant = |index: usize| constants[index].as_f64().unwrap();
    match name {
        "abs" => Function::Abs,
        "clip" => Function::Clip { low: constant(0), high: constant(1) },
        "exp" => Function::Exp,
        "expm1" => Function::Expm1,
        "log" => Function::Log,
        "log1p" => Function::Log1p,
        "sqrt" => Function::Sqrt,
        other => panic!("function {other}"),
    }
}

fn expression(spec: &Value) -> Expression {
    match spec {
        Value::String(name) => col(name),
        Value::Array(parts) => {
            let (name, operand) = (parts[0].as_str().unwrap(), |index: usize| expression(&parts[index]));
            match name {
                "+" => operand(1) + operand(2),
                "-" => operand(1) - operand(2),
                "*" => operand(1) * operand(2),
                "/" => operand(1) / operand(2),
                name => operand(1).apply(function(name, &parts[2..])),
            }
        }
        number => number.as_f64().unwrap().into(),
    }
}

#[test]
fn function_transformer() {
    for case in cases("FunctionTransformer", 16) {
        let transformer = match (case.params.get("func"), case.params.get("columns")) {
            (Some(Value::String(name)), _) => FunctionTransformer::new(function(name, &[])),
            (Some(Value::Array(parts)), _) => {
                FunctionTransformer::new(function(parts[0].as_str().unwrap(), &parts[1..]))
            }
            (_, columns) => {
                let columns = columns.and_then(Value::as_array).unwrap().iter();
                FunctionTransformer::columns(columns.map(|pair| (pair[0].as_str().unwrap(), expression(&pair[1]))))
            }
        };
        case.check(transformer.map_err(|error| error.to_string()));
    }
}
