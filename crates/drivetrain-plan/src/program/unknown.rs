//! Counting what the categories of a program do not hold.

use std::{collections::BTreeSet, ops::Range};

use rayon::prelude::*;

use super::{
    BLOCK_ROWS, Program, TASK_BLOCKS,
    kernel::{Dictionaries, Kernel, Step},
};
use crate::{ApplyError, Column, Table, UnknownCategories};

impl Program {
    /// Counts the values of `table` that are no category of the columns that the program encodes, by the name of the
    /// input column: also those that [`apply`](Self::apply) refuses, so that whoever is refused can say how much is
    /// amiss. A row counts once per column, however many operations encode it.
    ///
    /// This is a look at the encoded columns by itself: applying a program costs nothing more because of it.
    ///
    /// # Errors
    /// As [`run`](Self::run), from the operations before the encodings.
    pub fn unknown_categories(&self, table: &dyn Table) -> Result<UnknownCategories, ApplyError> {
        let columns = self.columns(table)?;
        let dictionaries = Dictionaries::new(&self.steps, &columns);
        let needed = self.before_encodings();
        let look = |block: usize| {
            let start = block * BLOCK_ROWS;
            let rows = start..(start + BLOCK_ROWS).min(table.n_rows());
            self.unknown_in(&columns, &dictionaries, &rows, &needed)
        };
        let blocks: Vec<Result<UnknownRows<'_>, ApplyError>> = match table.n_rows().div_ceil(BLOCK_ROWS) {
            // Other threads are not woken for a few rows, as a server looks at with each request.
            n_blocks @ 0..=1 => (0..n_blocks).map(look).collect(),
            n_blocks => (0..n_blocks).into_par_iter().with_min_len(TASK_BLOCKS).map(look).collect(),
        };
        let mut unknown = UnknownCategories::default();
        for block in blocks {
            for (column, value) in block? {
                unknown.add(column, value);
            }
        }
        Ok(unknown)
    }

    /// Whether each step computes what an encoding reads.
    fn before_encodings(&self) -> Vec<bool> {
        let encodings = self.steps.iter().filter(|step| step.categories().is_some());
        let mut read: BTreeSet<usize> = encodings.flat_map(|step| step.reads.iter().copied()).collect();
        let mut needed = vec![false; self.steps.len()];
        let mut end = self.inputs.len() + self.steps.iter().map(|step| step.n_outputs).sum::<usize>();
        for (step, needed) in self.steps.iter().zip(&mut needed).rev() {
            let written = end - step.n_outputs..end;
            end = written.start;
            *needed = read.range(written).next().is_some();
            if *needed {
                read.extend(&step.reads);
            }
        }
        needed
    }

    /// The unknown values of the rows `rows`, row by row.
    fn unknown_in(
        &self,
        columns: &[Column<'_>],
        dictionaries: &Dictionaries,
        rows: &Range<usize>,
        needed: &[bool],
    ) -> Result<UnknownRows<'_>, ApplyError> {
        let registers = self.block(columns, dictionaries, rows, needed)?;
        let mut found: BTreeSet<(usize, &str)> = BTreeSet::new();
        let mut values = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let (Some(codes), Some(&read)) = (step.categories(), step.reads.first()) else { continue };
            for row in codes.unknown_rows(&registers[read], dictionaries.of(index)) {
                if found.insert((row, &step.column)) {
                    let column = &registers[read];
                    let value = (!column.is_missing(row)).then(|| column.describe(row));
                    values.push((row, (step.column.as_str(), value)));
                }
            }
        }
        values.sort_by_key(|(row, _)| *row);
        Ok(values.into_iter().map(|(_, value)| value).collect())
    }
}

/// Columns and their unknown values.
type UnknownRows<'p> = Vec<(&'p str, Option<String>)>;

impl Step {
    /// The categories that the step looks up.
    const fn categories(&self) -> Option<&super::categorical::Codes> {
        match &self.kernel {
            Kernel::OneHot(one_hot) => Some(&one_hot.codes),
            Kernel::Encode(encode) => Some(&encode.codes),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Categories, CategoryType, Column, ColumnTable, DataType, Field, Op, Plan, PlanBuilder, Program, Registry,
        Schema, UnknownCategories, UnknownCategory, UnknownInColumn, UnknownValue, Value,
    };

    /// Cylinders cast and one-hot encoded, and imputed and looked up; texts looked up, unknown refused.
    fn plan() -> Plan {
        let fields = vec![Field::new("cylinders", DataType::Int64), Field::new("origin", DataType::String)];
        let mut builder = PlanBuilder::new(Schema::new(fields).unwrap());
        let to = DataType::Categorical(CategoryType::Int64);
        builder
            .push(Op::Cast { column: "cylinders".into(), to, output: "cast".into() })
            .push(Op::OneHot {
                column: "cast".into(),
                categories: Categories::Int64(vec![4, 8]),
                missing: false,
                unknown: UnknownCategory::Ignore,
                outputs: vec!["four".into(), "eight".into()],
            })
            .push(Op::Impute { column: "cylinders".into(), value: Value::Int64(8), output: "imputed".into() })
            .push(Op::Encode {
                column: "imputed".into(),
                categories: Categories::Int64(vec![4, 8]),
                values: vec![0.0, 1.0],
                missing: None,
                unknown: UnknownValue::Value(-1.0),
                output: "code".into(),
            })
            .push(Op::Encode {
                column: "origin".into(),
                categories: Categories::String(vec!["usa".into()]),
                values: vec![0.0],
                missing: Some(1.0),
                unknown: UnknownValue::Error,
                output: "place".into(),
            });
        for name in ["four", "eight", "code", "place"] {
            builder.output(name, name);
        }
        builder.build().unwrap()
    }

    fn table(cylinders: Vec<Option<i64>>, origins: Vec<Option<String>>) -> ColumnTable {
        let columns = vec![("cylinders".into(), Column::from(cylinders)), ("origin".into(), Column::from(origins))];
        ColumnTable::new(columns).unwrap()
    }

    fn counted(table: &ColumnTable) -> UnknownCategories {
        Program::new(&plan(), &Registry::new()).unwrap().unknown_categories(table).unwrap()
    }

    #[test]
    fn rows_count_once_under_the_name_of_the_raw_column_whatever_the_policy() {
        let origins = ["usa", "mars", "usa", "usa", "usa"].map(|text| Some(text.to_owned()));
        let table = table(vec![Some(4), Some(5), Some(8), None, Some(5)], origins.to_vec());
        let unknown = counted(&table);
        let cylinders = unknown.column("cylinders").unwrap();
        assert_eq!((cylinders.n_rows(), cylinders.other_rows()), (3, 0));
        assert_eq!(cylinders.values().collect::<Vec<_>>(), [(None, 1), (Some("5"), 2)]);
        assert_eq!(unknown.column("origin").unwrap().values().collect::<Vec<_>>(), [(Some("mars"), 1)]);
        assert_eq!(unknown.columns().map(|(name, _)| name).collect::<Vec<_>>(), ["cylinders", "origin"]);
        let error = plan().apply(&table).unwrap_err();
        assert_eq!(error.to_string(), "column `origin`, row 1: unknown category `mars`");
    }

    #[test]
    fn counts_of_parts_merge_to_the_counts_of_the_whole_also_when_there_are_too_many_values() {
        let cylinders: Vec<_> = (0..9000_i64).map(|row| Some(row * row % 1511)).collect();
        let origins = vec![Some("usa".to_owned()); 9000];
        let whole = counted(&table(cylinders.clone(), origins.clone()));
        let found = whole.column("cylinders").unwrap();
        assert_eq!(found.values().count(), UnknownInColumn::MAX_VALUES);
        assert!(found.other_rows() > 0 && whole.column("origin").is_none());
        let mut parts = counted(&table(cylinders[..5000].to_vec(), origins[..5000].to_vec()));
        parts.merge(counted(&table(cylinders[5000..].to_vec(), origins[5000..].to_vec())));
        assert_eq!(parts.column("cylinders").unwrap().n_rows(), found.n_rows());
        let few = table(vec![Some(4), Some(8)], vec![None, Some("usa".to_owned())]);
        assert!(counted(&few).is_empty());
    }
}
