//! What puts transformers together, as the specifications of `data/fixtures/composing.py` say.

use drivetrain_transform::{
    AnyEstimator, Block, Branch, ColumnSelector, ColumnTransformer, Columns, DtypeClass, FeatureUnion, MinMaxScaler,
    MissingIndicator, OneHotEncoder, ParameterError, Pipeline, Remainder, SimpleImputer, StandardScaler, Step,
    make_column_selector,
};
use serde_json::Value;

use crate::case::cases;

fn estimator(spec: &Value) -> Result<AnyEstimator, ParameterError> {
    if let Some(steps) = spec.as_array() {
        let steps = steps.iter().enumerate();
        let steps = steps.map(|(index, step)| Ok(Step::new(format!("step{index}"), estimator(step)?)));
        return Ok(Pipeline::new(steps.collect::<Result<_, ParameterError>>()?)?.into());
    }
    if let Some(parameters) = spec.get("union") {
        return Ok(union(parameters)?.into());
    }
    if let Some(parameters) = spec.get("columns") {
        return Ok(columns(parameters)?.into());
    }
    Ok(match spec.as_str().unwrap() {
        "MinMaxScaler" => MinMaxScaler::new().into(),
        "MissingIndicator" => MissingIndicator::new().into(),
        "OneHotEncoder" => OneHotEncoder::new().into(),
        "SimpleImputer" => SimpleImputer::mean().into(),
        "StandardScaler" => StandardScaler::new().into(),
        other => panic!("transformer {other}"),
    })
}

fn verbose(parameters: &Value) -> bool {
    parameters.get("verbose_feature_names_out").and_then(Value::as_bool).unwrap_or(true)
}

fn union(parameters: &Value) -> Result<FeatureUnion, ParameterError> {
    let branches = parameters["branches"].as_array().unwrap().iter().map(|branch| {
        let name = branch[0].as_str().unwrap();
        Ok(match branch[1].as_str() {
            Some("passthrough") => Branch::passthrough(name),
            Some("drop") => Branch::drop(name),
            _ => Branch::new(name, estimator(&branch[1])?),
        })
    });
    let union = FeatureUnion::new(branches.collect::<Result<_, ParameterError>>()?)?;
    let weights = parameters.get("transformer_weights").and_then(Value::as_object).into_iter().flatten();
    let union = union.transformer_weights(weights.map(|(name, weight)| (name, weight.as_f64().unwrap())))?;
    Ok(union.verbose_feature_names_out(verbose(parameters)))
}

fn columns(parameters: &Value) -> Result<ColumnTransformer, ParameterError> {
    let blocks = parameters["blocks"].as_array().unwrap().iter().map(|block| {
        let (name, columns) = (block[0].as_str().unwrap(), selected(&block[2])?);
        Ok(match block[1].as_str() {
            Some("passthrough") => Block::passthrough(name, columns),
            Some("drop") => Block::drop(name, columns),
            _ => Block::new(name, estimator(&block[1])?, columns),
        })
    });
    let blocks = blocks.collect::<Result<_, ParameterError>>()?;
    let remainder = match parameters.get("remainder").unwrap_or(&Value::Null).as_str() {
        Some("passthrough") => Remainder::Passthrough,
        Some("drop") => Remainder::Drop,
        _ => Remainder::Estimator(estimator(&parameters["remainder"])?),
    };
    Ok(ColumnTransformer::new(blocks)?.remainder(remainder).verbose_feature_names_out(verbose(parameters)))
}

fn selected(selection: &Value) -> Result<Columns, ParameterError> {
    let Some(parameters) = selection.as_object() else {
        return Ok(serde_json::from_value::<Vec<String>>(selection.clone()).unwrap().into());
    };
    let selector = parameters.iter().try_fold(make_column_selector(), |selector: ColumnSelector, (key, value)| {
        let class = match value.as_str().unwrap() {
            "object" => DtypeClass::String,
            _ => DtypeClass::Number,
        };
        match key.as_str() {
            "dtype_include" => Ok(selector.dtype_include([class])),
            "dtype_exclude" => Ok(selector.dtype_exclude([class])),
            _ => selector.pattern(value.as_str().unwrap()),
        }
    });
    Ok(selector?.into())
}

#[test]
fn feature_union() {
    for case in cases("FeatureUnion", 12) {
        let parameters = Value::Object(case.params.clone());
        case.check(union(&parameters).map_err(|error| error.to_string()));
    }
}

#[test]
fn column_transformer() {
    for case in cases("ColumnTransformer", 20) {
        let parameters = Value::Object(case.params.clone());
        case.check(columns(&parameters).map_err(|error| error.to_string()));
    }
}
