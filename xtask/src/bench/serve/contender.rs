//! A server under load, and what came of it.

use drivetrain_bench::statistics::Sample;
use drivetrain_bench::{MemoryWatch, Reading};
use serde::Deserialize;

use super::client::{Exchange, Lasting, Outcome, ask, connect, load, request};
use super::server::Server;
use crate::error::Error;
use crate::steps::Predictions;

#[derive(Debug)]
pub(super) struct Contender {
    name: &'static str,
    server: Server,
    exchanges: Vec<Exchange>,
    /// What was answered rightly in the turns that count, and what was not.
    right: usize,
    failed: usize,
    memory: Memory,
}

/// The memory of a server in bytes.
#[derive(Debug, Default)]
struct Memory {
    before: Option<u64>,
    peak: u64,
    after: u64,
}

#[derive(Debug, Deserialize)]
struct Prediction {
    prediction: f64,
}

impl Contender {
    /// Asks the server for each row once, alone: what it says then is what it must say under load.
    pub(super) fn new(name: &'static str, server: Server, rows: &[String]) -> Result<Self, Error> {
        let unusable = |problem| Error::Answer { problem };
        let mut connection = connect(server.address).map_err(|error| unusable(error.to_string()))?;
        let mut exchanges = Vec::new();
        for row in rows {
            let request = request(row);
            let answer = ask(&mut connection, &request).map_err(|error| unusable(error.to_string()))?;
            if answer.status != 200 {
                return Err(unusable(format!("{name} answers {row} with status {}", answer.status)));
            }
            exchanges.push(Exchange { request, answer: answer.body });
        }
        Ok(Self { name, server, exchanges, right: 0, failed: 0, memory: Memory::default() })
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Checks that the answers to the test rows are those of the pipeline's two containers.
    pub(super) fn check(&self, predictions: &Predictions) -> Result<(), Error> {
        let test = self.exchanges.len().saturating_sub(predictions.rows.len());
        for (exchange, expected) in self.exchanges.iter().skip(test).zip(&predictions.rows) {
            let answer: Vec<Prediction> = serde_json::from_slice(&exchange.answer)
                .map_err(|error| Error::Answer { problem: error.to_string() })?;
            if answer.first().map(|answer| answer.prediction) != Some(expected.predicted) {
                let problem = format!("{answer:?} where the pipeline predicted {}", expected.predicted);
                return Err(Error::Answer { problem });
            }
        }
        Ok(())
    }

    /// Puts the server under load; what was measured, if the turn counts. A server that answers nothing right is an error.
    pub(super) fn turn(&mut self, connections: usize, lasting: Lasting, counts: bool) -> Result<Vec<Reading>, Error> {
        let before = self.server.memory();
        let watch = MemoryWatch::of(self.server.id());
        let outcome = load(self.server.address, &self.exchanges, connections, lasting);
        let peak = watch.peak();
        if outcome.latencies.is_empty() {
            let (name, Outcome { wrong, lost, .. }) = (self.name, outcome);
            let problem =
                format!("{name} gives no right answer under load; {wrong} are wrong, {lost} requests are lost");
            return Err(Error::Answer { problem });
        }
        if !counts {
            return Ok(Vec::new());
        }
        self.right += outcome.latencies.len();
        self.failed += outcome.wrong + outcome.lost;
        self.memory.before.get_or_insert(before);
        self.memory.peak = self.memory.peak.max(peak.unwrap_or_default());
        self.memory.after = self.server.memory();
        Ok(readings(&outcome, peak))
    }

    /// How much it was asked, and what memory it took.
    pub(super) fn story(&self) -> String {
        let Memory { before, peak, after } = self.memory;
        let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
        format!(
            "{}: {} answers right, {} wrong or lost; memory {} before, {} at the peak, {} after.",
            self.name,
            self.right,
            self.failed,
            megabytes(before.unwrap_or_default()),
            megabytes(peak),
            megabytes(after),
        )
    }
}

/// What a turn says of a server that answered something.
fn readings(outcome: &Outcome, peak: Option<u64>) -> Vec<Reading> {
    let failed = outcome.wrong + outcome.lost;
    let all = Reading {
        check: Some(failed as f64),
        added_bytes: peak,
        repeats: outcome.latencies.len(),
        ..Reading::rate("requests", outcome.requests_per_second())
    };
    let latencies: Sample = outcome.latencies.iter().map(std::time::Duration::as_secs_f64).collect();
    let repeats = outcome.latencies.len();
    let times = [("median (p50)", latencies.median()), ("p99", latencies.quantile(0.99)), ("slowest", latencies.max())];
    let times = times.map(|(op, seconds)| Reading { repeats, ..Reading::new(op, seconds) });
    std::iter::once(all).chain(times).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_turn_is_told_in_rates_times_and_failures() {
        let outcome = Outcome {
            latencies: (1..=101).map(Duration::from_millis).collect(),
            wrong: 1,
            lost: 2,
            elapsed: Duration::from_secs(2),
        };
        let found = readings(&outcome, Some(5));
        let of = |op: &str| found.iter().find(|reading| reading.op == op).unwrap();
        let all = of("requests");
        assert_eq!((all.per_second, all.check, all.added_bytes, all.repeats), (Some(50.5), Some(3.0), Some(5), 101));
        assert_eq!([of("median (p50)").seconds, of("p99").seconds, of("slowest").seconds], [0.051, 0.1, 0.101]);
    }
}
