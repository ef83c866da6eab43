//! What was found out, laid out as the page shows it.

use std::collections::BTreeMap;

use drivetrain_autompg::{CITATION, ORIGIN, TARGET, YEAR, origin_name};
use drivetrain_evaluate::{CalibrationLevel, Estimate, Summary};
use drivetrain_plan::{Column, DataType, Table};
use drivetrain_report::{
    Artifact, Calibration, ColumnProfile, Data, Dependence, Importance, Level, Model, Prediction, Previous, Report,
    Score,
};

use super::{
    ReportArgs,
    findings::{Findings, SHOWN},
    inputs::{Inputs, Record},
};
use crate::{Error, jobs::part::Part};

/// Single rows drawn in a partial dependence.
const LINES: usize = 30;
/// Whole numbers with at most so many values are told value by value.
const FEW: usize = 8;

pub(super) fn report(args: &ReportArgs, inputs: &Inputs, findings: &Findings) -> Result<Report, Error> {
    let models = findings.models.iter().map(|(name, summary)| Model { name: name.clone(), scores: scores(summary) });
    let previous = inputs
        .previous
        .as_ref()
        .and_then(|report| Some(Previous { run: report.run.clone(), scores: report.models.first()?.scores.clone() }));
    let Record { run, started, parameters, .. } = inputs.record.clone();
    Ok(Report {
        title: "Fuel consumption of cars".to_owned(),
        run,
        started,
        data: data(inputs)?,
        pipeline: inputs.summary.clone(),
        parameters,
        models: models.collect(),
        previous,
        predictions: predictions(inputs, findings)?,
        groups: vec![YEAR.to_owned(), ORIGIN.to_owned()],
        importances: importances(findings),
        dependence: dependence(findings),
        calibration: calibration(inputs.val.target(), findings),
        artifacts: artifacts(inputs),
        reproduce: args.commands.clone(),
    })
}

fn scores(summary: &Summary) -> Vec<Score> {
    let score = |name: &str, estimate: &Estimate| Score {
        name: name.to_owned(),
        value: estimate.mean,
        // R2 of a single row is not a number.
        interval: Some((estimate.low, estimate.high)).filter(|(low, high)| low.is_finite() && high.is_finite()),
    };
    let scores = vec![score("rmse", &summary.rmse), score("mae", &summary.mae), score("r2", &summary.r2)];
    scores.into_iter().filter(|score| score.value.is_finite()).collect()
}

fn data(inputs: &Inputs) -> Result<Data, Error> {
    let parts = [("training", &inputs.train), ("validation", &inputs.val), ("test", &inputs.test)];
    Ok(Data {
        target: TARGET.to_owned(),
        unit: TARGET.to_owned(),
        source: CITATION.to_owned(),
        parts: parts.map(|(name, part)| (name.to_owned(), part.target().len())).into(),
        columns: profile(&inputs.train)?,
    })
}

fn profile(part: &Part) -> Result<Vec<ColumnProfile>, Error> {
    let table = part.columns()?;
    let target = ColumnProfile {
        name: TARGET.to_owned(),
        dtype: DataType::Float64.to_string(),
        missing: 0,
        content: moments(part.target()),
    };
    let columns = table.schema().fields().iter().map(|field| {
        let values = table.column(&field.name).as_ref().and_then(Column::to_f64).unwrap_or_default().into_owned();
        let present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        ColumnProfile {
            name: field.name.clone(),
            dtype: field.dtype.to_string(),
            missing: values.len() - present.len(),
            content: counts(field.dtype, &present).unwrap_or_else(|| moments(&present)),
        }
    });
    Ok(std::iter::once(target).chain(columns).collect())
}

fn moments(values: &[f64]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    format!("{low} to {high}, mean {mean:.1}, standard deviation {:.1}", variance.sqrt())
}

/// How often each value of a column of few whole numbers occurs.
fn counts(dtype: DataType, values: &[f64]) -> Option<String> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    if dtype != DataType::Int64 {
        return None;
    }
    for value in values {
        #[expect(clippy::cast_possible_truncation, reason = "the column holds whole numbers")]
        let value = *value as i64;
        *counts.entry(value).or_default() += 1;
    }
    let texts = counts.iter().map(|(value, count)| format!("{value}: {count}"));
    (counts.len() <= FEW).then(|| texts.collect::<Vec<_>>().join(", "))
}

fn predictions(inputs: &Inputs, findings: &Findings) -> Result<Vec<Prediction>, Error> {
    let table = inputs.val.columns()?;
    let column = |name: &str| table.column(name).as_ref().and_then(Column::to_f64).unwrap_or_default().into_owned();
    let (years, origins) = (column(YEAR), column(ORIGIN));
    let shown = findings.intervals.iter().find(|(coverage, _)| *coverage == SHOWN).map(|(_, intervals)| intervals);
    let rows = inputs.val.target().iter().zip(&findings.predictions).enumerate().map(|(row, (&truth, &predicted))| {
        let origin = origins
            .get(row)
            .map_or_else(String::new, |code| origin_name(*code).map_or_else(|| code.to_string(), str::to_owned));
        let year = years.get(row).map_or_else(String::new, f64::to_string);
        Prediction {
            part: "validation".to_owned(),
            label: inputs.labels.get(row).cloned().unwrap_or_else(|| format!("row {}", row + 1)),
            truth,
            predicted,
            interval: shown.and_then(|of_rows| of_rows.get(row)).map(|interval| (interval.low, interval.high)),
            groups: BTreeMap::from([(YEAR.to_owned(), year), (ORIGIN.to_owned(), origin)]),
        }
    });
    Ok(rows.collect())
}

fn importances(findings: &Findings) -> Vec<Importance> {
    let impurity = |column: &str| findings.impurity.iter().find(|of| of.column == column).map_or(0.0, |of| of.mean);
    let importance = |of: &drivetrain_evaluate::ColumnImportance| Importance {
        column: of.column.clone(),
        permutation: of.mean,
        deviation: of.std,
        impurity: impurity(&of.column),
    };
    findings.permutation.iter().map(importance).collect()
}

fn dependence(findings: &Findings) -> Vec<Dependence> {
    let drawn = findings.dependence.iter().filter(|of| !of.grid.is_empty());
    let dependence = |of: &drivetrain_evaluate::PartialDependence| {
        let step = of.individual.len().div_ceil(LINES).max(1);
        Dependence {
            column: of.column.clone(),
            grid: of.grid.clone(),
            mean: of.average.clone(),
            rows: of.individual.iter().step_by(step).cloned().collect(),
        }
    };
    drawn.map(dependence).collect()
}

fn calibration(truth: &[f64], findings: &Findings) -> Option<Calibration> {
    let levels = findings.intervals.iter().map(|(nominal, intervals)| {
        let found = CalibrationLevel::of(*nominal, intervals.iter().copied().zip(truth.iter().copied()));
        Level { nominal: *nominal, coverage: found.covered, width: found.mean_width }
    });
    let levels: Vec<Level> = levels.collect();
    (!levels.is_empty()).then(|| Calibration {
        method: "Intervals by CV+ over the training rows, tried on the validation rows".to_owned(),
        shown: SHOWN,
        levels,
    })
}

fn artifacts(inputs: &Inputs) -> Vec<Artifact> {
    let ids = [("preprocessor, model id", &inputs.preprocessor_id), ("regressor, model id", &inputs.regressor_id)];
    let ids = ids.map(|(name, id)| Artifact { name: name.to_owned(), id: id.clone() });
    let files = inputs
        .record
        .artifacts
        .iter()
        .map(|(name, object)| Artifact { name: name.clone(), id: format!("sha256 {}", object.sha256) });
    ids.into_iter().chain(files).collect()
}
