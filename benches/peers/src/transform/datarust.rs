//! datarust's column transformer, whose categories are strings.

use ::datarust::compose::{ColumnTransformer, Table};
use ::datarust::encoder::OneHotEncoder;
use ::datarust::imputer::{ImputeStrategy, SimpleImputer};
use ::datarust::pipeline::Pipeline;
use ::datarust::scaler::StandardScaler;
use ::datarust::transformer_kind::TransformerKind;
use ::datarust::{CategoricalTransformerKind, Matrix, StrMatrix, Transformer};

use super::{FIT, TRANSFORM, mean_size};
use crate::data::{CATEGORIES, Columns, NUMBERS, TEXTS};
use crate::{Failure, Printer};

pub(super) fn run(columns: Columns, missing: bool, meter: &mut Printer) -> Result<(), Failure> {
    let rows = columns.numbers[0].len();
    let text = |row: usize| columns.codes.iter().map(move |codes| CATEGORIES[codes[row] as usize].to_owned()).collect();
    let texts = StrMatrix::new((0..rows).map(text).collect())?;
    let numbers = Matrix::from_columns(columns.numbers)?;
    let encode = || CategoricalTransformerKind::OneHotEncoder(OneHotEncoder::new());
    if missing {
        // Its column transformer gives a column to one transformer only, so imputing and scaling are a pipeline beside it.
        let pipeline = || {
            Pipeline::new()
                .push("impute", TransformerKind::SimpleImputer(SimpleImputer::new(ImputeStrategy::Mean)))
                .push("scale", TransformerKind::StandardScaler(StandardScaler::new()))
        };
        let nothing = Matrix::zeros(rows, 1)?;
        let table = Table::new(nothing, texts)?;
        let encoder = || ColumnTransformer::new().add_categorical("texts", (0..TEXTS).collect(), encode());
        let (pipeline, encoder) = meter.measure(FIT, || {
            let (mut pipeline, mut encoder) = (pipeline(), encoder());
            pipeline.fit(&numbers)?;
            encoder.fit(&table)?;
            Ok::<_, ::datarust::DatarustError>((pipeline, encoder))
        })?;
        let (numbers, texts) = meter.measure(TRANSFORM, || {
            Ok::<_, ::datarust::DatarustError>((pipeline.transform(&numbers)?, encoder.transform(&table)?))
        })?;
        meter.check(mean_size(numbers.as_slice().iter().chain(texts.as_slice()), rows));
        return Ok(());
    }
    let table = Table::new(numbers, texts)?;
    let transformer = meter.measure(FIT, || {
        let mut transformer = ColumnTransformer::new()
            .add_numeric("numbers", (0..NUMBERS).collect(), TransformerKind::StandardScaler(StandardScaler::new()))
            .add_categorical("texts", (0..TEXTS).collect(), encode());
        transformer.fit(&table).map(|()| transformer)
    })?;
    let features = meter.measure(TRANSFORM, || transformer.transform(&table))?;
    meter.check(mean_size(features.as_slice(), rows));
    Ok(())
}
