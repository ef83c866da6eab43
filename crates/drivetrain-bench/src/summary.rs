//! From single measurements to what can be compared.

use crate::results::Results;
use crate::statistics::{Sample, growth_exponent};
use crate::{Measurement, Table, units};

/// A measurement that lost the processor more often than this in a second was disturbed.
const DISTURBED_PER_SECOND: f64 = 20.0;

/// Measurements by cell, operation, engine and size.
#[derive(Debug, Clone)]
pub struct Summary<'a> {
    results: &'a Results,
    /// In the order in which they were first measured.
    pub groups: Vec<Group<'a>>,
}

/// What is compared: the same thing done by several engines, to several sizes.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// What is done, and how.
    pub cell: String,
    /// With how many threads.
    pub threads: usize,
    /// Which part of it.
    pub op: String,
    /// Numbers of rows, ascending; one entry of none where they do not vary.
    pub sizes: Vec<Option<usize>>,
    /// In the order in which they were first measured.
    pub engines: Vec<&'a str>,
    measurements: Vec<&'a Measurement>,
    ours: &'a str,
    check: Option<&'a str>,
}

impl<'a> Summary<'a> {
    /// Of all measurements of a suite.
    #[must_use]
    pub fn new(results: &'a Results) -> Self {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for measurement in &results.measurements {
            let (cell, op) = (&measurement.cell, &measurement.reading.op);
            let same = |group: &Group| group.cell == cell.name && group.threads == cell.threads && group.op == *op;
            let position = groups.iter().position(same).unwrap_or_else(|| {
                groups.push(Group {
                    cell: cell.name.clone(),
                    threads: cell.threads,
                    op: op.clone(),
                    sizes: Vec::new(),
                    engines: Vec::new(),
                    measurements: Vec::new(),
                    ours: &results.run.ours,
                    check: results.run.check.as_deref(),
                });
                groups.len() - 1
            });
            let group = &mut groups[position];
            group.measurements.push(measurement);
            if !group.sizes.contains(&cell.rows) {
                group.sizes.push(cell.rows);
                group.sizes.sort_unstable();
            }
            if !group.engines.contains(&measurement.engine.as_str()) {
                group.engines.push(&measurement.engine);
            }
        }
        Self { results, groups }
    }

    /// What a reader must know before believing the numbers.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let cores = self.results.run.machine.cores;
        if let Some(load) = self.results.run.load_before.filter(|load| *load > 0.5 * cores as f64) {
            warnings.push(format!("the machine was busy with other work: load average {load:.1} on {cores} cores"));
        }
        let known = || self.results.measurements.iter().filter_map(|one| one.reading.preempted_per_second);
        let disturbed = known().filter(|count| *count > DISTURBED_PER_SECOND).count();
        // A few are hit by what every system does now and then; medians bear that.
        if disturbed * 10 > known().count() {
            let all = known().count();
            warnings.push(format!("{disturbed} of {all} measurements lost the processor to other work over and over"));
        }
        warnings
    }

    /// The cells, with the groups of each.
    pub(crate) fn cells(&self) -> Vec<&[Group<'a>]> {
        // One process measures all operations of a cell, but a later size comes back to the first one.
        self.groups.chunk_by(|a, b| a.cell == b.cell && a.threads == b.threads).collect()
    }

    /// All tables, for a terminal.
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        let cell = |groups: &&[Group]| [overview(groups), groups.iter().map(Group::details).collect()].concat();
        self.cells().iter().flat_map(cell).collect()
    }
}

/// Medians: operations beside each other where there is one size, else a table of sizes for each.
pub(crate) fn overview(groups: &[Group]) -> Vec<Table> {
    match groups {
        [first, ..] if groups.iter().all(|group| group.sizes.len() == 1) => vec![first.beside(groups)],
        _ => groups.iter().map(Group::by_size).collect(),
    }
}

impl Group<'_> {
    /// What and how, such as `depth 10, 20 trees, 2 threads`.
    #[must_use]
    pub fn title(&self) -> String {
        let threads = if self.threads == 1 { "1 thread".to_owned() } else { format!("{} threads", self.threads) };
        format!("{}, {threads}", self.cell)
    }

    fn of(&self, engine: &str, size: Option<usize>) -> impl Iterator<Item = &Measurement> {
        self.measurements.iter().copied().filter(move |one| one.engine == engine && one.cell.rows == size)
    }

    fn sample(&self, engine: &str, size: Option<usize>) -> Sample {
        self.of(engine, size).map(|one| one.reading.seconds).collect()
    }

    /// The median of an engine at a size in seconds, if it was measured.
    #[must_use]
    pub fn median(&self, engine: &str, size: Option<usize>) -> Option<f64> {
        Some(self.sample(engine, size).median()).filter(|seconds| seconds.is_finite())
    }

    /// In how many times our time: the median over the rounds, as both were measured at almost the same time in each.
    #[must_use]
    pub fn ratio(&self, engine: &str, size: Option<usize>) -> f64 {
        let ours = |round| self.of(self.ours, size).find(|one| one.round == round);
        let ratio = |one: &Measurement| Some(one.reading.seconds / ours(one.round)?.reading.seconds);
        self.of(engine, size).filter_map(ratio).collect::<Sample>().median()
    }

    /// Whether it is counted how many there are a second, so that more is better, and not how long one takes.
    #[must_use]
    pub fn is_rate(&self) -> bool {
        self.measurements.iter().all(|one| one.reading.per_second.is_some())
    }

    /// A time of this group as it is shown: as it is, or as how many there are of it in a second.
    pub(crate) fn shown(&self, seconds: f64) -> String {
        if self.is_rate() { units::rate(seconds.recip()) } else { units::duration(seconds) }
    }

    fn cell(&self, engine: &str, size: Option<usize>) -> String {
        match self.median(engine, size) {
            None => "-".to_owned(),
            Some(seconds) if engine == self.ours => self.shown(seconds),
            Some(seconds) => match self.ratio(engine, size) {
                ratio if ratio.is_finite() => format!("{} ({})", self.shown(seconds), units::ratio(ratio)),
                _ => self.shown(seconds),
            },
        }
    }

    /// Operations beside each other, at the one size there is.
    fn beside(&self, groups: &[Group]) -> Table {
        let row = |engine: &&str| {
            let cells = groups.iter().map(|group| group.cell(engine, group.sizes[0]));
            std::iter::once((*engine).to_owned()).chain(cells).collect()
        };
        let ops = groups.iter().map(|group| group.op.clone());
        let mut engines: Vec<&str> = Vec::new();
        for engine in groups.iter().flat_map(|group| &group.engines) {
            if !engines.contains(engine) {
                engines.push(engine);
            }
        }
        Table {
            title: format!("{}{}", self.title(), at(self.sizes[0])),
            header: std::iter::once("engine".to_owned()).chain(ops).collect(),
            rows: engines.iter().map(row).collect(),
        }
    }

    /// One column per size, and the power of the size with which the time grows.
    fn by_size(&self) -> Table {
        let row = |engine: &&str| {
            let points: Vec<(f64, f64)> = self.points(engine);
            let growth = growth_exponent(&points).map_or_else(|| "-".to_owned(), |exponent| format!("{exponent:.2}"));
            let cells = self.sizes.iter().map(|size| self.cell(engine, *size));
            std::iter::once((*engine).to_owned()).chain(cells).chain([growth]).collect()
        };
        let sizes = self
            .sizes
            .iter()
            .map(|size| size.map_or_else(String::new, |rows| format!("{} rows", units::thousands(rows))));
        Table {
            title: format!("{}: {}", self.title(), self.op),
            header: std::iter::once("engine".to_owned()).chain(sizes).chain(["growth".to_owned()]).collect(),
            rows: self.engines.iter().map(row).collect(),
        }
    }

    /// Size and median, where there is a size.
    pub(crate) fn points(&self, engine: &str) -> Vec<(f64, f64)> {
        let point = |size: &Option<usize>| Some(((*size)? as f64, self.median(engine, *size)?));
        self.sizes.iter().filter_map(point).collect()
    }

    /// Everything known of the largest size.
    pub(crate) fn details(&self) -> Table {
        let size = self.sizes.last().copied().flatten();
        let row = |engine: &&str| {
            let sample = self.sample(engine, size);
            let middle =
                |of: fn(&Measurement) -> Option<f64>| self.of(engine, size).filter_map(of).collect::<Sample>().median();
            vec![
                (*engine).to_owned(),
                self.shown(sample.median()),
                self.shown(sample.min()),
                self.shown(sample.max()),
                units::duration(middle(|one| one.reading.cpu_seconds)),
                units::bytes(middle(|one| one.reading.added_bytes.map(|bytes| bytes as f64))),
                units::bytes(middle(|one| one.reading.size_bytes.map(|bytes| bytes as f64))),
                units::check(middle(|one| one.reading.check)),
                units::ratio(self.ratio(engine, size)),
            ]
        };
        let times_ours = format!("times {}", self.ours);
        let header = [
            "engine",
            "median",
            "fastest",
            "slowest",
            "CPU",
            "memory",
            "size",
            self.check.unwrap_or("check"),
            &times_ours,
        ];
        Table {
            title: format!("{}{}: {}", self.title(), at(size), self.op),
            header: header.map(str::to_owned).to_vec(),
            rows: self.engines.iter().filter(|engine| !self.sample(engine, size).is_empty()).map(row).collect(),
        }
        .without_empty_columns()
    }
}

fn at(size: Option<usize>) -> String {
    size.map_or_else(String::new, |rows| format!(", {} rows", units::thousands(rows)))
}

#[cfg(test)]
mod tests;
