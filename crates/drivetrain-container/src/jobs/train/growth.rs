//! Growing trees: all of a forest, or those that a host is to grow.

use std::ops::{ControlFlow, Range};

use drivetrain_forest::{FitOptions, Forest, ForestError, RandomForestRegressor};

use super::features::Features;
use crate::{Error, jobs::progress::Progress, stop::Stop};

/// What a forest is grown of, and what ends it.
#[derive(Debug)]
pub(super) struct Growth<'a> {
    regressor: &'a RandomForestRegressor,
    train: &'a Features,
    stop: &'a Stop,
}

impl<'a> Growth<'a> {
    pub(super) const fn new(regressor: &'a RandomForestRegressor, train: &'a Features, stop: &'a Stop) -> Self {
        Self { regressor, train, stop }
    }

    /// How many trees the forest is to have.
    pub(super) fn n_trees(&self) -> usize {
        self.regressor.n_estimators()
    }

    /// What tells the job to stop.
    pub(super) const fn stop(&self) -> &'a Stop {
        self.stop
    }

    /// Grows the forest, or as much of it as a stop leaves the time for.
    pub(super) fn grow_all(&self) -> Result<Forest, Error> {
        let Some(forest) = self.grow(0..self.n_trees(), &|| false)? else {
            self.stop.check()?;
            return Err(Error::Forest { action: "grow the forest", source: ForestError::NothingToMerge });
        };
        let (grown, wanted) = (forest.n_trees(), self.n_trees());
        if grown < wanted {
            tracing::warn!("told to stop: keeping the {grown} trees of {wanted} that are grown");
        }
        Ok(forest)
    }

    /// Grows the trees of these numbers, or the first of them if a stop is asked for; none if there is not one by then, or
    /// if none is wanted any longer, `is_enough` says, which is asked within trees too.
    pub(super) fn grow(
        &self,
        trees: Range<usize>,
        is_enough: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Forest>, Error> {
        let failed = |source| Error::Forest { action: "grow the forest", source };
        let share = self.regressor.to_builder().n_estimators(trees.len()).build().map_err(failed)?;
        let progress = Progress::start();
        let tick = |done, total| progress.tick(|| format!("{done} of {total} trees grown"));
        let stopped = || self.stop.check().is_err();
        let watch = |_, _| if is_enough() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let options = FitOptions::new().first_tree(trees.start).progress(&tick).stop(&stopped).watch(&watch);
        match share.fit_with(self.train.x(), &self.train.y(), options) {
            Ok(forest) => Ok(Some(forest)),
            Err(ForestError::Cancelled { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}
