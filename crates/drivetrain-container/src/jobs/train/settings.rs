//! What a training job is told: by flags, by variables, by the hyper-parameters file, by defaults, in that order.

use std::{error::Error as StdError, path::PathBuf, str::FromStr};

use clap::{ArgAction, Args};
use drivetrain_forest::{MaxFeatures, RandomForestRegressor};

use super::values::{MaxDepth, boolean, whole};
use crate::{Error, environment::SageMakerEnv};

/// Flags of the training job. Each of them may also stand in `input/config/hyperparameters.json`, without its leading
/// hyphens.
#[derive(Debug, Clone, PartialEq, Default, Args)]
#[command(next_help_heading = "Hyper-parameters, with scikit-learn's names")]
pub struct TrainArgs {
    /// The number of trees [default: 100]
    #[arg(long, value_name = "COUNT", value_parser = whole::<usize>)]
    pub n_estimators: Option<usize>,

    /// The most splits between the root of a tree and a leaf, or none [default: none]
    #[arg(long, value_name = "DEPTH")]
    pub max_depth: Option<MaxDepth>,

    /// The fewest rows that a node must have to be split [default: 2]
    #[arg(long, value_name = "ROWS", value_parser = whole::<usize>)]
    pub min_samples_split: Option<usize>,

    /// The fewest rows that a leaf may have [default: 1]
    #[arg(long, value_name = "ROWS", value_parser = whole::<usize>)]
    pub min_samples_leaf: Option<usize>,

    /// The features to choose from at each split: all, sqrt, log2, a count, or a fraction below 1 [default: all]
    #[arg(long, value_name = "FEATURES")]
    pub max_features: Option<MaxFeatures>,

    /// Whether each tree sees its own sample of the rows, drawn with replacement [default: true]
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, value_parser = boolean)]
    pub bootstrap: Option<bool>,

    /// The seed: the same seed and data give the same forest, whatever the number of threads [default: 0]
    #[arg(long, value_name = "SEED", value_parser = whole::<u64>)]
    pub random_state: Option<u64>,

    /// The training features, a file in the train directory [default: `train_feats.npy`]
    #[arg(long, value_name = "FILE", help_heading = "Inputs and outputs")]
    pub train_feats_filename: Option<String>,

    /// The validation features, a file in the val directory [default: `val_feats.npy`]
    #[arg(long, value_name = "FILE", help_heading = "Inputs and outputs")]
    pub val_feats_filename: Option<String>,

    /// The directory of the training features [default: `$SM_CHANNEL_TRAIN`, else input/data/train]
    #[arg(long, value_name = "DIR", help_heading = "Inputs and outputs")]
    pub train: Option<PathBuf>,

    /// The directory of the validation features [default: `$SM_CHANNEL_VAL`, else input/data/val]
    #[arg(long, value_name = "DIR", help_heading = "Inputs and outputs")]
    pub val: Option<PathBuf>,

    /// The directory that receives the model [default: `$SM_MODEL_DIR`, else model]
    #[arg(long, value_name = "DIR", help_heading = "Inputs and outputs")]
    pub model_dir: Option<PathBuf>,

    /// The directory that receives metrics.json [default: `$SM_OUTPUT_DATA_DIR`, else output/data]
    #[arg(long, value_name = "DIR", help_heading = "Inputs and outputs")]
    pub output_data_dir: Option<PathBuf>,
}

/// Every name that the hyper-parameters file may hold.
const KNOWN: [&str; 13] = [
    "n-estimators",
    "max-depth",
    "min-samples-split",
    "min-samples-leaf",
    "max-features",
    "bootstrap",
    "random-state",
    "train-feats-filename",
    "val-feats-filename",
    "train",
    "val",
    "model-dir",
    "output-data-dir",
];

/// What the job does, settled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) regressor: RandomForestRegressor,
    pub(super) train: PathBuf,
    pub(super) train_file: String,
    pub(super) val: PathBuf,
    pub(super) val_file: String,
    pub(super) model_dir: PathBuf,
    pub(super) output_data_dir: PathBuf,
}

impl Settings {
    pub(super) fn new(args: &TrainArgs, env: &SageMakerEnv) -> Result<Self, Error> {
        check_names(env)?;
        let args = args.clone();
        let regressor = RandomForestRegressor::builder()
            .n_estimators(resolve(args.n_estimators, env, "n-estimators", whole)?.unwrap_or(100))
            .max_depth(resolve(args.max_depth, env, "max-depth", MaxDepth::from_str)?.unwrap_or_default().0)
            .min_samples_split(resolve(args.min_samples_split, env, "min-samples-split", whole)?.unwrap_or(2))
            .min_samples_leaf(resolve(args.min_samples_leaf, env, "min-samples-leaf", whole)?.unwrap_or(1))
            .max_features(resolve(args.max_features, env, "max-features", MaxFeatures::from_str)?.unwrap_or_default())
            .bootstrap(resolve(args.bootstrap, env, "bootstrap", boolean)?.unwrap_or(true))
            .random_state(resolve(args.random_state, env, "random-state", whole)?.unwrap_or(0))
            .build()
            .map_err(|source| Error::Forest { action: "use these hyper-parameters", source })?;
        let file = |flag, name, default: &str| {
            Ok::<_, Error>(resolve(flag, env, name, String::from_str)?.unwrap_or_else(|| default.to_owned()))
        };
        let directory = |flag, name| resolve(flag, env, name, PathBuf::from_str);
        Ok(Self {
            regressor,
            train: directory(args.train, "train")?.unwrap_or_else(|| env.channel("train")),
            train_file: file(args.train_feats_filename, "train-feats-filename", "train_feats.npy")?,
            val: directory(args.val, "val")?.unwrap_or_else(|| env.channel("val")),
            val_file: file(args.val_feats_filename, "val-feats-filename", "val_feats.npy")?,
            model_dir: directory(args.model_dir, "model-dir")?.unwrap_or_else(|| env.model_dir()),
            output_data_dir: directory(args.output_data_dir, "output-data-dir")?
                .unwrap_or_else(|| env.output_data_dir()),
        })
    }
}

/// The flag, or else the hyper-parameter `name`.
fn resolve<T, E>(
    flag: Option<T>,
    env: &SageMakerEnv,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Error>
where
    E: StdError + Send + Sync + 'static,
{
    match (flag, env.hyperparameter(name)) {
        (Some(flag), _) => Ok(Some(flag)),
        (None, None) => Ok(None),
        (None, Some(text)) => match parse(&text) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(Error::Hyperparameter { name: name.to_owned(), value: text, source: Box::new(error) }),
        },
    }
}

/// A mistyped name would otherwise train with a default, silently.
fn check_names(env: &SageMakerEnv) -> Result<(), Error> {
    let mut unknown = Vec::new();
    let mut seen = Vec::new();
    for (name, _) in env.hyperparameters().iter() {
        let hyphened = name.replace('_', "-");
        if !KNOWN.contains(&hyphened.as_str()) {
            unknown.push(name.to_owned());
        } else if seen.contains(&hyphened) {
            return Err(Error::RepeatedHyperparameter { name: hyphened });
        } else {
            seen.push(hyphened);
        }
    }
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Error::UnknownHyperparameters { names: unknown, known: KNOWN.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings(args: &TrainArgs, hyperparameters: &str, set: &[(&str, &str)]) -> Result<Settings, Error> {
        let base = tempfile::tempdir().unwrap();
        let config = base.path().join("input/config");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("hyperparameters.json"), hyperparameters).unwrap();
        let mut variables: BTreeMap<_, _> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        variables.insert("SAGEMAKER_BASE_DIR".to_owned(), base.path().display().to_string());
        Settings::new(args, &SageMakerEnv::load(variables)?)
    }

    #[test]
    fn defaults_are_scikit_learns() {
        let settings = settings(&TrainArgs::default(), "{}", &[]).unwrap();
        assert_eq!(settings.regressor, RandomForestRegressor::builder().build().unwrap());
        assert!(settings.train.ends_with("input/data/train") && settings.val.ends_with("input/data/val"));
        assert_eq!((settings.train_file.as_str(), settings.val_file.as_str()), ("train_feats.npy", "val_feats.npy"));
        assert!(settings.model_dir.ends_with("model") && settings.output_data_dir.ends_with("output/data"));
    }

    #[test]
    fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
        let file = r#"{"n-estimators": "10", "max-depth": "5", "min-samples-leaf": "3"}"#;
        let set = [("SM_HP_N-ESTIMATORS", "20"), ("SM_HP_MAX-DEPTH", "6"), ("SM_CHANNEL_VAL", "/val")];
        let args = TrainArgs { n_estimators: Some(30), model_dir: Some("m".into()), ..TrainArgs::default() };
        let settings = settings(&args, file, &set).unwrap();
        assert_eq!(settings.regressor.n_estimators(), 30);
        assert_eq!(settings.regressor.max_depth(), Some(6));
        assert_eq!(settings.regressor.min_samples_leaf(), 3);
        assert_eq!(settings.val, PathBuf::from("/val"));
        assert_eq!(settings.model_dir, PathBuf::from("m"));
    }

    #[test]
    fn every_encoding_of_a_value_is_understood() {
        for (depth, bootstrap, features) in [
            (r#""None""#, r#""False""#, r#""sqrt""#),
            (r#""null""#, r#""false""#, r#""\"sqrt\"""#),
            (r#""\"None\"""#, r#""false""#, r#""sqrt""#),
        ] {
            let file = format!(r#"{{"max_depth": {depth}, "bootstrap": {bootstrap}, "max_features": {features}}}"#);
            let settings = settings(&TrainArgs::default(), &file, &[]).unwrap();
            assert_eq!(settings.regressor.max_depth(), None, "{file}");
            assert!(!settings.regressor.bootstrap(), "{file}");
            assert_eq!(settings.regressor.max_features(), MaxFeatures::Sqrt, "{file}");
        }
    }

    #[test]
    fn variables_and_flags_are_understood_as_the_file_is() {
        use clap::Parser;

        #[derive(Parser)]
        struct Job {
            #[command(flatten)]
            args: TrainArgs,
        }

        let set = [("SM_HP_BOOTSTRAP", "False"), ("SM_HP_N_ESTIMATORS", "5.0"), ("SM_HP_MAX_FEATURES", "None")];
        let from_variables = settings(&TrainArgs::default(), "{}", &set).unwrap().regressor;
        let flags = ["", "--bootstrap", "False", "--n-estimators", "5.0", "--max-features", "None"];
        let from_flags = settings(&Job::parse_from(flags).args, "{}", &[]).unwrap().regressor;
        let expected = RandomForestRegressor::builder().n_estimators(5).bootstrap(false).build().unwrap();
        assert_eq!((&from_variables, &from_flags), (&expected, &expected));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let message = |file: &str| {
            let error = settings(&TrainArgs::default(), file, &[]).unwrap_err();
            crate::failure::explain(&error)
        };
        assert!(message(r#"{"n-estimators": "many"}"#).contains("`n-estimators` is `many`"));
        assert!(message(r#"{"max-depth": "deep"}"#).contains("expected a whole number or none"));
        assert!(message(r#"{"n-estimators": "0"}"#).contains("n_estimators is 0"));
        assert!(message(r#"{"n-estimator": "10"}"#).contains("unknown hyper-parameters: n-estimator; known are"));
        assert!(message(r#"{"max-depth": "1", "max_depth": "2"}"#).contains("`max-depth` is given twice"));
    }
}
