//! Names and types of a table's columns.

use std::{collections::HashSet, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{DataType, SchemaError};

/// A column's name and type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The column's name.
    pub name: String,
    /// The column's type.
    pub dtype: DataType,
}

impl Field {
    /// A field called `name` of type `dtype`.
    pub fn new(name: impl Into<String>, dtype: DataType) -> Self {
        Self { name: name.into(), dtype }
    }
}

/// The ordered, uniquely named fields of a table. Clones share them.
///
/// ```
/// use drivetrain_plan::{DataType, Field, Schema};
///
/// let schema = Schema::new(vec![Field::new("weight", DataType::Float64)])?;
/// assert_eq!(schema.dtype("weight"), Some(DataType::Float64));
/// assert_eq!(schema.dtype("height"), None);
/// # Ok::<(), drivetrain_plan::SchemaError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(try_from = "Vec<Field>", into = "Vec<Field>")]
pub struct Schema {
    fields: Arc<Vec<Field>>,
}

impl Schema {
    /// A schema of these fields, in this order.
    ///
    /// # Errors
    /// [`SchemaError::DuplicateColumn`] when two fields share a name.
    pub fn new(fields: Vec<Field>) -> Result<Self, SchemaError> {
        let mut seen = HashSet::with_capacity(fields.len());
        for field in &fields {
            if !seen.insert(field.name.as_str()) {
                return Err(SchemaError::DuplicateColumn { column: field.name.clone() });
            }
        }
        Ok(Self { fields: Arc::new(fields) })
    }

    /// The fields, in order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field called `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The type of the column called `name`.
    #[must_use]
    pub fn dtype(&self, name: &str) -> Option<DataType> {
        self.field(name).map(|field| field.dtype)
    }

    /// The column names, in order.
    #[must_use]
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// The number of columns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl TryFrom<Vec<Field>> for Schema {
    type Error = SchemaError;

    fn try_from(fields: Vec<Field>) -> Result<Self, Self::Error> {
        Self::new(fields)
    }
}

impl From<Schema> for Vec<Field> {
    fn from(schema: Schema) -> Self {
        Arc::unwrap_or_clone(schema.fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_is_refused_also_when_deserialised() {
        let text = r#"[{"name":"a","dtype":"int64"},{"name":"a","dtype":"string"}]"#;
        let error = serde_json::from_str::<Schema>(text).unwrap_err();
        assert!(error.to_string().contains("column `a` appears twice"), "{error}");
    }
}
