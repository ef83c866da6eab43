//! The evaluation beside a Python script of the same work.

use drivetrain_bench::results::Results;
use drivetrain_evaluate::Evaluation;
use drivetrain_runner::Interrupt;
use drivetrain_runner::store::Store;

use super::programs::{Outcome, Plan};
use super::run::About;
use crate::binaries::Binary;
use crate::cli::{EvaluationArgs, ForestArgs, ProgramBenchArgs};
use crate::error::Error;
use crate::steps;

/// The name of the model that is looked into, in both programs.
const MODEL: &str = "random forest";

const ABOUT: &str = "\
What `cargo xtask evaluate` does of the Auto MPG data: folds, several times over, of the whole pipeline with a random forest and
six baselines (the mean, a line, a ridge, a line through logarithms, support vectors, three times as many extra trees),
preprocessing fitted inside the folds; the same models on later model years; bootstrap intervals of 2000 resamples, permutation
importances, CV+ prediction intervals, the out-of-bag error, partial dependence. Ours is one job, a process of its own with a thread per processor, with the transfers to and from its
store. Theirs is one script, whose folds and permutations joblib spreads over as many processes.";

const NOTES: &[&str] = &[
    "The folds are as many and as large, but of other random numbers, and so are the trees: the errors of the forests agree \
     to two digits, not to all.",
    "scikit-learn's partial dependence cannot do with missing values: it is of the rows without any, 392 of 398. Ours is of all.",
    "Ours grows the forest of the out-of-bag error apart from the one that is looked into; scikit-learn's grows one for both.",
    "Ours also keeps each row's predictions and intervals, writes all it finds as JSON, and moves that and its log into a store.",
];

pub(super) fn run(args: &ProgramBenchArgs, interrupt: &Interrupt) -> Result<Results, Error> {
    let program = Binary::Jobs.build(&args.build)?;
    let work = if args.turns.quick { small() } else { EvaluationArgs::default() };
    let EvaluationArgs { folds, repeats, forest, .. } = &work;
    let trees = &forest.n_estimators;
    let flags = [("--n-splits", folds), ("--n-repeats", repeats), ("--n-estimators", trees)];
    let plan = Plan {
        about: About {
            suite: "evaluate",
            title: "The evaluation",
            text: ABOUT,
            notes: NOTES,
            check: Some("RMSE of the forest"),
        },
        cell: format!("{folds} folds, {repeats} times over, {trees} trees"),
        script: "benches/pipeline/evaluate.py",
        flags: flags.iter().flat_map(|(name, value)| [(*name).to_owned(), (*value).clone()]).collect(),
    };
    let ours = |store: &Store| {
        let evaluation = steps::evaluation(store, "bench", &program, &work, interrupt)?;
        Ok(Outcome { check: rmse(&evaluation), ..Outcome::default() })
    };
    plan.run(&args.turns, interrupt, ours, printed_rmse)
}

/// Work for a look.
fn small() -> EvaluationArgs {
    let forest = ForestArgs { n_estimators: "10".to_owned(), ..ForestArgs::default() };
    EvaluationArgs { folds: "5".to_owned(), repeats: "1".to_owned(), forest, ..EvaluationArgs::default() }
}

fn rmse(evaluation: &Evaluation) -> Option<f64> {
    Some(evaluation.models.iter().find(|model| model.name == MODEL)?.summary.rmse.mean)
}

/// The same, in what the script prints: `random forest rmse: 2.640 +- ...`.
fn printed_rmse(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(MODEL)?.strip_prefix(" rmse: "))?;
    line.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_error_is_found_among_what_it_prints() {
        let text = "mean rmse: 7.79 +- 0.9 [7.1, 8.2]\nrandom forest rmse: 2.640 +- 0.431 [2.3, 2.9]\nrandom forest mae: 1.9\n";
        assert_eq!(printed_rmse(text), Some(2.64));
        assert_eq!(printed_rmse("random forest mae: 1.9"), None);
    }
}
