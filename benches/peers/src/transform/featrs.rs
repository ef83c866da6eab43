//! featrs' column transformer, from a polars data frame to a polars data frame.

use ::featrs::pipeline::column_transformer::{ColumnTransformer, Remainder};
use ::featrs::pipeline::{DataFrameTransformer, Pipeline};
use ::featrs::preprocessing::encoder::OneHotEncoder;
use ::featrs::preprocessing::imputer::SimpleImputer;
use ::featrs::preprocessing::scaler::StandardScaler;
use ::featrs::traits::{Fit, Transform};
use polars::prelude::{Column, DataFrame, DataType, Float64Chunked, IntoSeries, NamedFrom, NewChunkedArray, Series};

use super::{FIT, TRANSFORM};
use crate::data::{CATEGORIES, Columns, FEATURES, NUMBERS, TEXTS};
use crate::{Failure, Printer};

pub(super) fn run(columns: Columns, missing: bool, meter: &mut Printer) -> Result<(), Failure> {
    let rows = columns.numbers[0].len();
    let mut frame = Vec::new();
    for (index, values) in columns.numbers.iter().enumerate() {
        // What is missing is null there: NaN is a number to it.
        let values = values.iter().map(|value| (!value.is_nan()).then_some(*value));
        frame.push(Column::from(Float64Chunked::from_iter_options(format!("x{index}").into(), values).into_series()));
    }
    for (index, codes) in columns.codes.iter().enumerate() {
        let texts: Vec<&str> = codes.iter().map(|code| CATEGORIES[*code as usize]).collect();
        frame.push(Column::from(Series::new(format!("c{index}").into(), texts)));
    }
    let frame = DataFrame::new(rows, frame)?;
    let fitted = meter.measure(FIT, || {
        let mut transformer = transformer(missing)?;
        transformer.fit(frame.clone()).map(|()| transformer)
    })?;
    let features = meter.measure(TRANSFORM, || fitted.transform(frame.clone()))?;
    let mut sum = 0.0;
    for column in features.columns() {
        let column = column.cast(&DataType::Float64)?;
        sum += column.f64()?.iter().flatten().map(f64::abs).sum::<f64>();
    }
    meter.check(sum / (rows * FEATURES) as f64);
    Ok(())
}

fn transformer(missing: bool) -> ::featrs::Result<ColumnTransformer> {
    let names = |prefix: &str, count: usize| (0..count).map(|index| format!("{prefix}{index}")).collect::<Vec<_>>();
    let numbers: Box<dyn DataFrameTransformer> = if missing {
        Box::new(Pipeline::new(vec![
            ("impute".into(), Box::new(SimpleImputer::mean())),
            ("scale".into(), Box::new(StandardScaler::new())),
        ])?)
    } else {
        Box::new(StandardScaler::new())
    };
    let blocks = vec![
        ("numbers".into(), numbers, names("x", NUMBERS)),
        ("texts".into(), Box::new(OneHotEncoder::new()) as Box<dyn DataFrameTransformer>, names("c", TEXTS)),
    ];
    Ok(ColumnTransformer::new(blocks, Remainder::Drop))
}
