//! The search along a feature that asks for more than passing its samples in order once: one with missing
//! values, of categories, with a monotonic constraint, or by a criterion that looks ahead.

use ndarray::ArrayView2;

use super::criterion::{Criterion, Walk};
use super::scan::{Best, Limits, Way};
use crate::forest::category;

/// What a search must know besides the samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) x: ArrayView2<'a, f64>,
    pub(super) limits: Limits,
    /// For each feature 1 if predictions must not fall as it grows, -1 if they must not rise; empty where no
    /// feature is constrained.
    pub(super) monotonic: &'a [i8],
    /// Whether each feature holds categories; empty where none does.
    pub(super) categorical: &'a [bool],
}

impl Search<'_> {
    pub(super) fn monotonic(&self, feature: u32) -> i8 {
        self.monotonic.get(feature as usize).copied().unwrap_or(0)
    }

    pub(super) fn is_categorical(&self, feature: u32) -> bool {
        self.categorical.get(feature as usize).is_some_and(|&is| is)
    }

    /// Whether `feature` is a number free to act in any direction.
    #[inline]
    pub(super) fn is_plain(&self, feature: u32) -> bool {
        let all_are = self.monotonic.is_empty() && self.categorical.is_empty();
        all_are || (self.monotonic(feature) == 0 && !self.is_categorical(feature))
    }

    pub(super) fn value(&self, row: u32, feature: u32) -> f64 {
        self.x[[row as usize, feature as usize]]
    }

    /// Whether the two sides may predict `values`, given the node's `bounds`.
    ///
    /// Source: `_check_monotonicity` of scikit-learn.
    pub(super) fn allows(&self, feature: u32, bounds: [f64; 2], values: impl FnOnce() -> [f64; 2]) -> bool {
        let constraint = self.monotonic(feature);
        if constraint == 0 {
            return true;
        }
        let [left, right] = values();
        let is_within = |value: f64| value >= bounds[0] && value <= bounds[1];
        is_within(left) && is_within(right) && (left - right) * f64::from(constraint) <= 0.0
    }
}

/// A sample on the way along a feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<M> {
    pub(super) place: u32,
    pub(super) begins: bool,
    pub(super) moment: M,
}

/// A category's mean, its number unless it is what is missing, and its samples.
type Run<'a, M> = (f64, Option<u32>, &'a [Step<M>]);

/// A node's samples by ascending value of a feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps<'a, M> {
    pub(super) feature: u32,
    pub(super) bounds: [f64; 2],
    /// The samples with a value, then those without.
    pub(super) samples: &'a [Step<M>],
    pub(super) n_present: usize,
}

impl<M: Copy> Steps<'_, M> {
    /// Makes the best split within the limits and constraints the `best`, if it is better; whether the feature
    /// has more than one value. `value` is that of the sample at a place.
    ///
    /// As in scikit-learn, missing values are sent to either side in turn, and may be told from all others.
    pub(super) fn search<C: Criterion<Moment = M>>(
        &self,
        criterion: &mut C,
        search: &Search<'_>,
        value: impl Fn(u32) -> f64,
        best: &mut Best<C::Score>,
    ) -> bool {
        let (present, missing) = self.samples.split_at(self.n_present);
        let varies = present.iter().skip(1).any(|step| step.begins) || !missing.is_empty();
        if present.is_empty() || !varies {
            return false;
        }
        if search.is_categorical(self.feature) {
            *best = self.search_categories(criterion, search, value, *best);
            return true;
        }
        let way = if missing.is_empty() { Way::InOrder } else { Way::Missing { left: false } };
        *best = self.in_turn(criterion, search, [present, missing], 1, way, *best);
        if !missing.is_empty() {
            // That missing values alone go left would be the same as that they alone go right.
            let (parts, way) = ([missing, present], Way::Missing { left: true });
            *best = self.in_turn(criterion, search, parts, missing.len() + 1, way, *best);
        }
        true
    }

    /// Passes the `parts` one after the other; at least `first` samples go left.
    fn in_turn<C: Criterion<Moment = M>>(
        &self,
        criterion: &mut C,
        search: &Search<'_>,
        parts: [&[Step<M>]; 2],
        first: usize,
        way: Way,
        mut best: Best<C::Score>,
    ) -> Best<C::Score> {
        let Limits { min_leaf, min_weight } = search.limits;
        let steps = parts[0].iter().chain(parts[1]);
        let n = self.samples.len();
        let mut walk = criterion.walk();
        if C::LOOKS_AHEAD {
            walk.look_ahead(steps.clone().map(|step| step.moment));
        }
        let mut before = 0;
        for (index, step) in steps.enumerate() {
            let may_split = step.begins && index >= min_leaf.max(first) && n - index >= min_leaf;
            if may_split
                && search.allows(self.feature, self.bounds, || walk.values())
                && walk.improve(min_weight, &mut best.score)
            {
                best = Best { score: best.score, feature: self.feature, below: before, above: step.place, way };
            }
            before = step.place;
            walk.pass(step.moment);
        }
        best
    }

    /// The best set of categories to go left. By the mean of their targets, the best set of all is a beginning
    /// of the order; what is missing counts as one more category.
    ///
    /// Source: Fisher, W. D. (1958), On grouping for maximum homogeneity, doi:10.1080/01621459.1958.10501479;
    /// Breiman and others (1984), Classification and regression trees, theorem 4.5. With more than two classes
    /// the order by the share of each class is tried, which need not find the best.
    #[expect(clippy::cast_possible_truncation, reason = "there are no more runs than categories")]
    fn search_categories<C: Criterion<Moment = M>>(
        &self,
        criterion: &mut C,
        search: &Search<'_>,
        value: impl Fn(u32) -> f64,
        mut best: Best<C::Score>,
    ) -> Best<C::Score> {
        let n_present = self.n_present;
        let mut runs: Vec<Run<'_, M>> = Vec::new();
        let mut start = 0;
        for end in 1..=self.samples.len() {
            if self.samples.get(end).is_none_or(|step| step.begins) {
                let category = category(value(self.samples[start].place)).filter(|_| start < n_present);
                runs.push((0.0, category, &self.samples[start..end]));
                start = end;
            }
        }
        let mut ordered: Vec<Step<M>> = Vec::with_capacity(self.samples.len());
        for order in 0..criterion.n_orders() {
            for (mean, _, steps) in &mut runs {
                let sums = steps.iter().map(|step| criterion.order(order, step.moment));
                let (sum, weight) = sums.fold((0.0, 0.0), |(sum, total), (part, weight)| (sum + part, total + weight));
                *mean = sum / weight;
            }
            runs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            ordered.clear();
            for (number, (_, _, steps)) in runs.iter().enumerate() {
                let numbered = steps.iter().enumerate();
                ordered.extend(numbered.map(|(index, step)| Step {
                    place: number as u32,
                    begins: index == 0,
                    ..*step
                }));
            }
            let steps = Steps { samples: &ordered, ..*self };
            let unset = Best { below: 0, above: 0, ..best };
            let found = steps.in_turn(criterion, search, [&ordered, &[]], 1, Way::InOrder, unset);
            if let Some(found) = found.found() {
                let (left, right) = runs.split_at(found.above as usize);
                let is_missing = |runs: &[Run<'_, M>]| runs.iter().any(|run| run.1.is_none());
                let missing_left = (is_missing(left) || is_missing(right)).then(|| is_missing(left));
                let left = left.iter().filter_map(|run| run.1).fold(0, |set, category| set | 1 << category);
                best = Best { below: 0, above: 1, way: Way::Categories { left, missing_left }, ..found };
            }
        }
        best
    }
}
