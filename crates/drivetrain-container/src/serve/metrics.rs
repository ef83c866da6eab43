//! What the endpoint did, counted for Prometheus.

use std::{sync::atomic::AtomicU64, time::Duration};

use axum::http::StatusCode;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use super::model::Observed;

/// Counters since the start of the process, all cheap to raise.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    invocations: Family<StatusLabel, Counter>,
    seconds: Histogram,
    rows: Counter,
    missing: Family<ColumnLabel, Counter>,
    unknown: Family<ColumnLabel, Counter>,
    in_flight: Gauge<u64, AtomicU64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ColumnLabel {
    column: String,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("drivetrain");
        let invocations = Family::default();
        registry.register("invocations", "Invocations answered, by status", Family::clone(&invocations));
        // From a tenth of a millisecond, in steps of two, to past the limit of a request.
        let seconds = Histogram::new(exponential_buckets(1e-4, 2.0, 20));
        let help = "Time from the head of a request to the head of its answer";
        registry.register_with_unit("invocation", help, Unit::Seconds, seconds.clone());
        let rows = Counter::default();
        registry.register("rows", "Rows answered", Counter::clone(&rows));
        let missing = Family::default();
        registry.register("missing_values", "Missing values in rows answered", Family::clone(&missing));
        let unknown = Family::default();
        let help = "Values in rows answered that no training row held";
        registry.register("unknown_categories", help, Family::clone(&unknown));
        let in_flight = Gauge::default();
        registry.register("in_flight", "Invocations being answered", Gauge::clone(&in_flight));
        Self { registry, invocations, seconds, rows, missing, unknown, in_flight }
    }

    /// An invocation has come; it is being answered until the guard is dropped.
    pub(super) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// An invocation has been answered.
    pub(super) fn answered(&self, status: StatusCode, after: Duration) {
        self.invocations.get_or_create(&StatusLabel { status: status.as_u16() }).inc();
        self.seconds.observe(after.as_secs_f64());
    }

    /// Rows have been answered.
    pub(super) fn observe(&self, observed: &Observed) {
        self.rows.inc_by(observed.rows as u64);
        for (family, columns) in [(&self.missing, &observed.missing), (&self.unknown, &observed.unknown)] {
            for (column, count) in columns {
                family.get_or_create(&ColumnLabel { column: column.clone() }).inc_by(*count as u64);
            }
        }
    }

    /// The text that Prometheus scrapes.
    pub(super) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// An invocation that is being answered.
#[derive(Debug)]
pub(super) struct InFlight(Gauge<u64, AtomicU64>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The text's media type.
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
