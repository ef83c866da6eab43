//! The stock pipeline.

use drivetrain_plan::UnknownCategory;
use drivetrain_transform::{
    Block, ColumnTransformer, DtypeClass, OneHotEncoder, ParameterError, Pipeline, SimpleImputer, StandardScaler, Step,
    make_column_selector,
};
use serde::{Deserialize, Serialize};

use crate::AutoMpgFeatures;

/// The parameters of the stock [`pipeline`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineOptions {
    /// The custom transformer.
    pub features: AutoMpgFeatures,
    /// What happens to a number of cylinders or an origin that the training rows do not hold. A random split leaves the
    /// rare ones out now and then, so they are encoded as all zero unless said otherwise.
    pub handle_unknown: UnknownCategory,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self { features: AutoMpgFeatures::default(), handle_unknown: UnknownCategory::Ignore }
    }
}

/// `Pipeline[custom-preprocessing, column-preprocessing]`: [`AutoMpgFeatures`], then categories one-hot and numbers
/// imputed with their mean and standardised.
///
/// # Errors
/// None: the step names are valid.
pub fn pipeline(options: &PipelineOptions) -> Result<Pipeline, ParameterError> {
    let numbers =
        Pipeline::new(vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())])?;
    let categories = OneHotEncoder::new().handle_unknown(options.handle_unknown);
    let category = [DtypeClass::Category];
    let columns = ColumnTransformer::new(vec![
        Block::new("categorical-feats", categories, make_column_selector().dtype_include(category)),
        Block::new("numerical-feats", numbers, make_column_selector().dtype_exclude(category)),
    ])?;
    Pipeline::new(vec![Step::new("custom-preprocessing", options.features), Step::new("column-preprocessing", columns)])
}
