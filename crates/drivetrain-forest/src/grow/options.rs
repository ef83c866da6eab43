//! What a fit may be given besides data and hyper-parameters.

use std::fmt;
use std::ops::ControlFlow;

use rayon::ThreadPool;

/// What grows the trees.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// Exact splits on presorted features: the engine of this crate.
    #[default]
    Exact,
    /// smartcore's trees, to compare with. It cannot draw some of the features without bootstrap;
    /// where it draws some, a row drawn twice counts twice towards `min_samples_split` and
    /// `min_samples_leaf`, and a node whose drawn features are all constant becomes a leaf. Its trees
    /// are not deeper than 65534 splits.
    #[cfg(feature = "smartcore")]
    Smartcore,
}

/// Options of [`RandomForestRegressor::fit_with`](crate::RandomForestRegressor::fit_with) and of every other
/// estimator's.
///
/// ```
/// use drivetrain_forest::ndarray::array;
/// use drivetrain_forest::{FitOptions, RandomForestRegressor};
///
/// let regressor = RandomForestRegressor::builder().n_estimators(3).build()?;
/// let options = FitOptions::new().progress(&|done, total| println!("{done} of {total}"));
/// let forest = regressor.fit_with(array![[0.0], [1.0]].view(), &[2.0, 4.0], options)?;
/// assert_eq!(forest.n_trees(), 3);
/// # Ok::<(), drivetrain_forest::ForestError>(())
/// ```
#[derive(Clone, Copy, Default)]
#[must_use = "options do nothing until they are given to a fit"]
pub struct FitOptions<'a> {
    pub(super) engine: Engine,
    pub(super) first_tree: usize,
    pub(super) sample_weight: Option<&'a [f64]>,
    pub(super) progress: Option<&'a (dyn Fn(usize, usize) + Sync)>,
    pub(super) watch: Option<&'a (dyn Fn(usize, usize) -> ControlFlow<()> + Sync)>,
    pub(super) thread_pool: Option<&'a ThreadPool>,
    pub(super) stop: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl<'a> FitOptions<'a> {
    /// Our own engine, nobody told.
    pub fn new() -> Self {
        Self::default()
    }

    /// What grows the trees.
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// The number of the first tree to grow (default 0), of those that the seed stands for.
    ///
    /// Trees of one seed may so be grown in several processes, or on several hosts, and joined by
    /// [`Forest::merge`](crate::Forest::merge): the forest is the one grown at once.
    pub fn first_tree(mut self, first_tree: usize) -> Self {
        self.first_tree = first_tree;
        self
    }

    /// A weight for each row, finite and not negative, one of them above zero. A row of weight zero is
    /// left out.
    ///
    /// As in scikit-learn since 1.9: with bootstrap, a row is drawn as often as its weight says, and
    /// every draw counts the same; without, errors and means are weighted.
    pub fn sample_weight(mut self, sample_weight: &'a [f64]) -> Self {
        self.sample_weight = Some(sample_weight);
        self
    }

    /// Called with the number of trees grown and the number to grow after each tree, from the thread
    /// that grew it.
    pub fn progress(mut self, progress: &'a (dyn Fn(usize, usize) + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Called as [`FitOptions::progress`] is, once with zero trees before the first, and every few milliseconds while a
    /// large tree grows, with the number of trees that there are; once it breaks, no further node is split and the fit
    /// ends in [`ForestError::Cancelled`](crate::ForestError::Cancelled). smartcore's trees are not ended in the middle.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use drivetrain_forest::ndarray::array;
    /// use drivetrain_forest::{ExtraTreesRegressor, FitOptions};
    ///
    /// let watch = |done, _| if done < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    /// let options = FitOptions::new().watch(&watch);
    /// let error = ExtraTreesRegressor::default().fit_with(array![[0.0], [1.0]].view(), &[2.0, 4.0], options).unwrap_err();
    /// assert!(error.to_string().ends_with("of 100 trees: the fit was cancelled"));
    /// ```
    pub fn watch(mut self, watch: &'a (dyn Fn(usize, usize) -> ControlFlow<()> + Sync)) -> Self {
        self.watch = Some(watch);
        self
    }

    /// The threads to grow on; without, those of the pool that the fit is called on.
    ///
    /// ```
    /// use drivetrain_forest::ndarray::array;
    /// use drivetrain_forest::{ExtraTreesRegressor, FitOptions, ThreadPoolBuilder};
    ///
    /// let two = ThreadPoolBuilder::new().num_threads(2).build()?;
    /// let options = FitOptions::new().thread_pool(&two);
    /// let forest = ExtraTreesRegressor::default().fit_with(array![[0.0], [1.0]].view(), &[2.0, 4.0], options)?;
    /// assert_eq!(forest.n_trees(), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn thread_pool(mut self, thread_pool: &'a ThreadPool) -> Self {
        self.thread_pool = Some(thread_pool);
        self
    }

    /// Asked before each tree is begun; once it says yes no further tree is.
    ///
    /// The trees that were begun are grown, and they are the first ones: the forest is the one that as many
    /// `n_estimators` give, byte for byte. Before the first tree it is
    /// [`ForestError::Cancelled`](crate::ForestError::Cancelled).
    pub fn stop(mut self, stop: &'a (dyn Fn() -> bool + Sync)) -> Self {
        self.stop = Some(stop);
        self
    }
}

impl fmt::Debug for FitOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = self.progress.map(|_| "..");
        let watch = self.watch.map(|_| "..");
        let n_threads = self.thread_pool.map(ThreadPool::current_num_threads);
        let stop = self.stop.map(|_| "..");
        f.debug_struct("FitOptions")
            .field("engine", &self.engine)
            .field("first_tree", &self.first_tree)
            .field("sample_weight", &self.sample_weight)
            .field("progress", &progress)
            .field("watch", &watch)
            .field("n_threads", &n_threads)
            .field("stop", &stop)
            .finish()
    }
}
