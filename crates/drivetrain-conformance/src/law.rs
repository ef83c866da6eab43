//! The laws, by name.

use std::fmt;

/// A property that every estimator has.
///
/// The scikit-learn tests named are the ones of version 1.9 that state the same property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Law {
    /// None: what scikit-learn learned is code, here it is a plan.
    Lowers,
    /// `check_readonly_memmap_input`, `check_inplace_ensure_writeable`.
    InputUntouched,
    /// `check_dont_overwrite_attributes`, `check_dict_unchanged`.
    ParametersUntouched,
    /// `check_dict_unchanged`.
    FittedUntouched,
    /// `check_fit_idempotent`.
    FitIdempotent,
    /// `check_transformer_general`.
    FitTransform,
    /// `test_fit_cold_start`.
    ColdStart,
    /// `check_transformer_general`.
    RowCount,
    /// `check_methods_subset_invariance`.
    RowAlone,
    /// `check_methods_sample_order_invariance`.
    RowOrder,
    /// `check_n_features_in`.
    SchemaRecorded,
    /// `check_n_features_in_after_fitting`.
    WidthNamed,
    /// `check_dataframe_column_names_consistency`.
    ColumnsNamed,
    /// `test_column_transformer_reordered_column_names_remainder`.
    ColumnOrder,
    /// `test_column_transformer_reordered_column_names_remainder`.
    ExtraColumns,
    /// `check_transformer_get_feature_names_out`.
    FeatureNames,
    /// `check_estimators_empty_data_messages`.
    EmptyTable,
    /// `check_estimators_pickle`.
    SaveAndLoad,
    /// `check_pipeline_consistency`.
    PipelineOfOne,
    /// `test_one_hot_encoder_inverse`, `test_minmax_scaler_iris` and others.
    Inverse,
    /// `test_missing_value_handling`. One of [`Law::SCALING`].
    MissingStays,
    /// `test_missing_value_handling`. One of [`Law::SCALING`].
    MissingAlone,
}

impl Law {
    /// The laws of every estimator; what breaks an early one often breaks later ones too.
    pub const ALL: [Self; 20] = [
        Self::Lowers,
        Self::InputUntouched,
        Self::ParametersUntouched,
        Self::FittedUntouched,
        Self::FitIdempotent,
        Self::FitTransform,
        Self::ColdStart,
        Self::RowCount,
        Self::RowAlone,
        Self::RowOrder,
        Self::SchemaRecorded,
        Self::WidthNamed,
        Self::ColumnsNamed,
        Self::ColumnOrder,
        Self::ExtraColumns,
        Self::FeatureNames,
        Self::EmptyTable,
        Self::SaveAndLoad,
        Self::PipelineOfOne,
        Self::Inverse,
    ];

    /// The further laws of estimators that give back a number for every number, column by column.
    pub const SCALING: [Self; 2] = [Self::MissingStays, Self::MissingAlone];

    /// What the law says.
    #[must_use]
    pub const fn statement(self) -> &'static str {
        match self {
            Self::Lowers => "what was learned is a valid plan",
            Self::InputUntouched => "fit and transform never change their input",
            Self::ParametersUntouched => "fit never changes the hyper-parameters",
            Self::FittedUntouched => "transform never changes what was learned",
            Self::FitIdempotent => "fitting twice on the same table gives the same thing, byte for byte",
            Self::FitTransform => "fit_transform(x) = fit(x), then transform(x)",
            Self::ColdStart => "fitting on another table in between leaves no residue",
            Self::RowCount => "as many rows come out as go in",
            Self::RowAlone => "a row transforms to the same bits alone as among others",
            Self::RowOrder => "the transform of permuted rows is the permuted transform of the rows",
            Self::SchemaRecorded => "names and types of the columns are recorded at fit",
            Self::WidthNamed => "another number of columns is an error with both numbers",
            Self::ColumnsNamed => "a missing or retyped column that is needed is named in the error",
            Self::ColumnOrder => "the order of the columns does not matter",
            Self::ExtraColumns => "a column more does not matter, or is refused by name",
            Self::FeatureNames => "there is one distinct feature name per output column",
            Self::EmptyTable => "a table without rows or without columns cannot be fitted",
            Self::SaveAndLoad => "what was learned, saved and loaded, transforms to the same bits",
            Self::PipelineOfOne => "a pipeline of one step is that step",
            Self::Inverse => {
                "the inverse, where there is one, leads from the transform of the fitted rows back to them, or to rows that \
                 transform to the same"
            }
            Self::MissingStays => "missing values stay missing, and no others become so",
            Self::MissingAlone => "missing values in one column do not change the numbers of another",
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}: {}", self.statement())
    }
}
