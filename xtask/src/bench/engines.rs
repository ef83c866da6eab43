//! Who takes part in what.

use drivetrain_bench::Workload;

use super::OURS;

/// Where an engine lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// The Rust program in `benches/peers`.
    Rust,
    /// The same, built with featrs and the polars that it needs.
    Featrs,
    /// The Python program beside it.
    Python,
}

/// Somebody who does the work of a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Engine {
    pub(super) name: &'static str,
    pub(super) home: Home,
    /// The crate or Python package whose version counts, if it is not ours.
    pub(super) package: Option<&'static str>,
    /// Whether it can use more than one thread.
    threads: bool,
    /// Whether it can do something about missing numbers.
    gaps: bool,
}

impl Engine {
    const fn new(name: &'static str, home: Home, package: Option<&'static str>) -> Self {
        Self { name, home, package, threads: false, gaps: true }
    }

    const fn with_threads(self) -> Self {
        Self { threads: true, ..self }
    }

    const fn without_gaps(self) -> Self {
        Self { gaps: false, ..self }
    }

    /// Whether it can do the work.
    pub(super) fn takes(&self, workload: &Workload, threads: usize) -> bool {
        let missing = matches!(workload, Workload::Transform { missing: true, .. });
        // Whoever writes forests needs trees.
        let forest = self.name != "rafor" || !matches!(workload, Workload::Artifact { trees: 0, .. });
        (threads == 1 || self.threads) && (self.gaps || !missing) && forest
    }
}

pub(super) const TRANSFORM: &[Engine] = &[
    Engine::new(OURS, Home::Rust, None).with_threads(),
    Engine::new("by hand", Home::Rust, None),
    Engine::new("copying the output", Home::Rust, None),
    Engine::new("smartcore", Home::Rust, Some("smartcore")).without_gaps(),
    Engine::new("featrs", Home::Featrs, Some("featrs")).with_threads(),
    Engine::new("datarust", Home::Rust, Some("datarust")),
    Engine::new("linfa", Home::Rust, Some("linfa-preprocessing")).without_gaps(),
    Engine::new("scikit-learn", Home::Python, Some("scikit-learn")),
    Engine::new("scikit-learn, array", Home::Python, Some("scikit-learn")),
];

pub(super) const FOREST: &[Engine] = &[
    Engine::new(OURS, Home::Rust, None).with_threads(),
    Engine::new("smartcore", Home::Rust, Some("smartcore")),
    Engine::new("biosphere", Home::Rust, Some("biosphere")).with_threads(),
    Engine::new("rafor", Home::Rust, Some("rafor")).with_threads(),
    Engine::new("datarust", Home::Rust, Some("datarust")),
    Engine::new("scikit-learn", Home::Python, Some("scikit-learn")).with_threads(),
    Engine::new("scikit-learn-intelex", Home::Python, Some("scikit-learn-intelex")).with_threads(),
    Engine::new("LightGBM", Home::Python, Some("lightgbm")).with_threads(),
];

pub(super) const ARTIFACT: &[Engine] = &[
    Engine::new(OURS, Home::Rust, None),
    Engine::new("rafor", Home::Rust, Some("rafor")),
    Engine::new("joblib", Home::Python, Some("joblib")),
    Engine::new("joblib, gzip", Home::Python, Some("joblib")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_for_what_it_cannot_do() {
        let named = |engines: &[Engine], name: &str| *engines.iter().find(|engine| engine.name == name).unwrap();
        let transform = |missing| Workload::Transform { rows: 1, missing };
        assert!(named(TRANSFORM, "linfa").takes(&transform(false), 1));
        assert!(!named(TRANSFORM, "linfa").takes(&transform(true), 1));
        assert!(!named(TRANSFORM, "smartcore").takes(&transform(false), 2));
        assert!(named(TRANSFORM, OURS).takes(&transform(true), 2));
        let artifact = |trees| Workload::Artifact { rows: 1, trees };
        assert!(!named(ARTIFACT, "rafor").takes(&artifact(0), 1));
        assert!(named(ARTIFACT, "rafor").takes(&artifact(1), 1));
    }
}
