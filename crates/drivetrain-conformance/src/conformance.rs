//! Checking all laws on random tables.

use std::fmt::Debug;

use drivetrain_plan::Schema;
use drivetrain_transform::Estimator;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use thiserror::Error;

use crate::{Law, TableOptions, check::describe, show, tables};

/// A law that an estimator breaks, with the smallest tables found that show it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LawBroken {
    /// A law does not hold.
    #[error("{law}\n{what}\n\nfitted on\n{train}\napplied to\n{probe}")]
    Broken {
        /// The law.
        law: Law,
        /// What happened instead.
        what: String,
        /// The table it was fitted on.
        train: String,
        /// The table it was applied to.
        probe: String,
    },
    /// The estimator could be fitted on none of the tables, so nothing was checked.
    #[error("the estimator could not be fitted on any table: {reason}")]
    NeverFitted {
        /// Why the last table was refused.
        reason: String,
    },
}

/// Checks estimators on random tables of one schema.
///
/// ```
/// use drivetrain_conformance::{Conformance, TableOptions};
/// use drivetrain_plan::{DataType, Field, Schema};
/// use drivetrain_transform::OneHotEncoder;
///
/// let schema = Schema::new(vec![Field::new("colour", DataType::String)])?;
/// Conformance::new(&schema).cases(32).tables(TableOptions::default().missing(0.5)).check(&OneHotEncoder::new())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Conformance {
    schema: Schema,
    laws: Vec<Law>,
    tables: TableOptions,
    cases: u32,
    seed: u64,
}

/// Checks every law for `estimator` on random tables of `schema`.
///
/// # Errors
/// The first law that is broken.
pub fn check_estimator<E>(estimator: &E, schema: &Schema) -> Result<(), LawBroken>
where
    E: Estimator + Clone + PartialEq + Debug + Send + Sync + 'static,
{
    Conformance::new(schema).check(estimator)
}

impl Conformance {
    /// All laws of every estimator, on 64 cases of default tables of `schema`.
    #[must_use]
    pub fn new(schema: &Schema) -> Self {
        Self { schema: schema.clone(), laws: Law::ALL.to_vec(), tables: TableOptions::default(), cases: 64, seed: 0 }
    }

    /// The laws that are checked, instead of all.
    ///
    /// ```
    /// use drivetrain_conformance::{Conformance, Law};
    /// use drivetrain_plan::{DataType, Field, Schema};
    /// use drivetrain_transform::StandardScaler;
    ///
    /// let schema = Schema::new(vec![Field::new("height", DataType::Float64)])?;
    /// Conformance::new(&schema).laws(Law::SCALING).check(&StandardScaler::new())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn laws(self, laws: impl IntoIterator<Item = Law>) -> Self {
        Self { laws: laws.into_iter().collect(), ..self }
    }

    /// The number of pairs of tables.
    #[must_use]
    pub fn cases(self, cases: u32) -> Self {
        Self { cases, ..self }
    }

    /// What the tables look like.
    #[must_use]
    pub fn tables(self, tables: TableOptions) -> Self {
        Self { tables, ..self }
    }

    /// The seed of the tables; the same seed gives the same tables.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Leaves out a law that the estimator breaks by design: one that crosses folds, say, [`Law::FitTransform`]. Its
    /// documentation should say why.
    #[must_use]
    pub fn except(mut self, law: Law) -> Self {
        self.laws.retain(|own| *own != law);
        self
    }

    /// Checks the laws.
    ///
    /// # Errors
    /// The first law that is broken, or that the estimator could never be fitted.
    pub fn check<E>(&self, estimator: &E) -> Result<(), LawBroken>
    where
        E: Estimator + Clone + PartialEq + Debug + Send + Sync + 'static,
    {
        let config = Config {
            cases: self.cases,
            failure_persistence: None,
            max_shrink_iters: 4096,
            rng_seed: RngSeed::Fixed(self.seed),
            ..Config::default()
        };
        let pairs = (tables(&self.schema, &self.tables), tables(&self.schema, &self.tables));
        let fitted = std::cell::Cell::new(false);
        let broken = std::cell::Cell::new(None);
        let refused = std::cell::RefCell::new("there were no cases".to_owned());
        let outcome = TestRunner::new(config).run(&pairs, |(train, probe)| {
            match estimator.fit(&train, None) {
                Ok(_) => fitted.set(true),
                Err(error) => *refused.borrow_mut() = describe(&error),
            }
            // While the tables shrink, the law that was broken first is the one to show.
            let laws = broken.get().map_or_else(|| self.laws.clone(), |law| vec![law]);
            match laws.into_iter().find_map(|law| law.check(estimator, &train, &probe).err().map(|what| (law, what))) {
                None => Ok(()),
                Some((law, what)) => {
                    broken.set(Some(law));
                    Err(TestCaseError::fail(what))
                }
            }
        });
        match outcome {
            Err(TestError::Fail(reason, (train, probe))) => {
                let law = broken.get().unwrap_or(Law::FitIdempotent);
                // An estimator that is not deterministic may keep the law when it is asked again.
                let what = law.check(estimator, &train, &probe).err().unwrap_or_else(|| reason.to_string());
                Err(LawBroken::Broken { law, what, train: show(&train), probe: show(&probe) })
            }
            Err(TestError::Abort(reason)) => Err(LawBroken::NeverFitted { reason: reason.to_string() }),
            Ok(()) if fitted.get() => Ok(()),
            Ok(()) => Err(LawBroken::NeverFitted { reason: refused.take() }),
        }
    }
}
