//! Our column transformer.

use std::borrow::Cow;
use std::sync::Arc;

use drivetrain_plan::{CategoricalColumn, CategoryType, Column, DataType, Field, Program, Registry, Schema, Table};
use drivetrain_transform::{
    Block, ColumnTransformer, DtypeClass, Estimator, Fitted, OneHotEncoder, Pipeline, SimpleImputer, StandardScaler,
    Step, make_column_selector,
};

use super::{FIT, INTO, TRANSFORM, mean_size};
use crate::data::{CATEGORIES, Columns, NUMBERS, TEXTS};
use crate::{Failure, Printer};

pub(super) fn run(columns: Columns, missing: bool, meter: &mut Printer) -> Result<(), Failure> {
    let table = Lent::new(columns)?;
    let transformer = column_transformer(missing)?;
    let fitted = meter.measure(FIT, || transformer.fit(&table, None))?;
    let plan = fitted.lower()?;
    let features = meter.measure(TRANSFORM, || fitted.transform(&table))?;
    meter.check(mean_size(features.values(), table.n_rows()));
    let program = Program::new(&plan, &Registry::new())?;
    let mut warm = features.into_parts().0.into_raw_vec_and_offset().0;
    meter.measure(INTO, || program.apply_into(&table, &mut warm))?;
    Ok(())
}

/// Numbers are scaled, after imputation where they are `missing`; categories are one-hot encoded.
pub(crate) fn column_transformer(missing: bool) -> Result<ColumnTransformer, Failure> {
    let mut steps = vec![Step::new("scale", StandardScaler::new())];
    if missing {
        steps.insert(0, Step::new("impute", SimpleImputer::mean()));
    }
    Ok(ColumnTransformer::new(vec![
        Block::new("numbers", Pipeline::new(steps)?, make_column_selector().dtype_exclude([DtypeClass::Category])),
        Block::new("texts", OneHotEncoder::new(), make_column_selector().dtype_include([DtypeClass::Category])),
    ])?)
}

/// A table that lends its columns.
pub(crate) struct Lent {
    schema: Schema,
    columns: Columns,
    dictionary: Arc<[Cow<'static, str>]>,
}

impl Lent {
    pub(crate) fn new(columns: Columns) -> Result<Self, Failure> {
        let numbers = (0..NUMBERS).map(|index| Field::new(format!("x{index}"), DataType::Float64));
        let category = DataType::Categorical(CategoryType::String);
        let texts = (0..TEXTS).map(|index| Field::new(format!("c{index}"), category));
        Ok(Self {
            schema: Schema::new(numbers.chain(texts).collect())?,
            columns,
            dictionary: CATEGORIES.into_iter().map(Cow::Borrowed).collect(),
        })
    }
}

impl Table for Lent {
    fn n_rows(&self) -> usize {
        self.columns.numbers[0].len()
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn column(&self, name: &str) -> Option<Column<'_>> {
        let index: usize = name.get(1..)?.parse().ok()?;
        if name.starts_with('x') {
            return Some(Column::Float64(Cow::Borrowed(self.columns.numbers.get(index)?)));
        }
        let (codes, dictionary) = (Cow::Borrowed(self.columns.codes.get(index)?.as_slice()), self.dictionary.clone());
        Some(Column::Categorical(CategoricalColumn::Dictionary { codes, dictionary }))
    }
}
