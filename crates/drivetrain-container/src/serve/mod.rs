//! The serve job: a model behind HTTP.
//!
//! * `GET /ping`: 200 with an empty body. The socket opens only once the model is loaded, so whoever gets a connection
//!   gets an answer.
//! * `POST /invocations`, and the same under `/endpoints/NAME/invocations`: rows in (see [`rows`]), an
//!   [`Answer`](response::Answer) out, either as `text/csv`, `application/json`, `application/jsonlines` or
//!   `application/x-npy`.
//! * `GET /execution-parameters`: how batch transform is to call.
//! * An endpoint of [many models](multi), if asked for: `POST`, `GET` and `DELETE /models`, `POST /models/NAME/invoke`.
//! * `GET /metrics`: invocations by status, their durations, missing values and unknown categories by column, for
//!   Prometheus.
//!
//! What is answered follows from what the model directory holds (see [`model`]). Every error has a JSON body
//! `{"error": {"message": ..., "row": ..., "column": ..., "value": ...}}`; its rows count from 0, as the `id` of a
//! prediction does.

mod metrics;
pub mod model;
pub mod multi;
mod patience;
pub mod request;
pub mod response;
pub mod rows;
mod server;
mod service;

use std::{io::Write, net::IpAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use clap::Args;
use model::ServedModel;
use multi::{Capacity, Models};
use request::OutputFormat;
pub use service::{Options, router};

use crate::{Error, environment::SageMakerEnv, stop::Stop};

/// Flags of the serve job.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ServeArgs {
    /// The model: a directory that holds an unpacked artifact, or a model.tar.gz [default: `$SM_MODEL_DIR`, else model/
    /// below the base directory]
    #[arg(long, value_name = "PATH")]
    pub model_dir: Option<PathBuf>,

    /// A preprocessor, as a directory or a model.tar.gz, whose features the model takes: both answer as one, raw rows in
    /// and predictions out
    #[arg(long, value_name = "PATH")]
    pub preprocessor: Option<PathBuf>,

    /// The address to listen on [default: 0.0.0.0, every network interface]
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<IpAddr>,

    /// The port to listen on, 0 for a free one [default: `$SAGEMAKER_BIND_TO_PORT`, else 8080]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,

    /// How long requests that have begun may take to end after a SIGTERM; the platform kills after 30 s
    #[arg(long, value_name = "SECONDS", default_value_t = DRAIN_SECONDS)]
    pub drain_seconds: u32,

    /// The most invocations that are answered at a time; more are refused with status 503
    #[arg(long, value_name = "COUNT", default_value_t = MAX_IN_FLIGHT)]
    pub max_in_flight: NonZeroU32,

    /// Answer with many models, which POST /models loads [default: whether `$SAGEMAKER_MULTI_MODEL` is true]
    #[arg(long, conflicts_with_all = ["model_dir", "preprocessor"])]
    pub multi_model: bool,

    /// The directory of many models, outside of which none is loaded [default: models/ below the base directory]
    #[arg(long, value_name = "PATH")]
    pub models_dir: Option<PathBuf>,

    /// The most models that are loaded at a time; more are refused with status 507
    #[arg(long, value_name = "COUNT", default_value_t = MAX_MODELS)]
    pub max_models: NonZeroU32,

    /// The most megabytes that the files of all loaded models may have; more are refused with status 507
    #[arg(long, value_name = "MEGABYTES", default_value_t = MAX_MODEL_MEGABYTES)]
    pub max_model_megabytes: NonZeroU32,
}

const DRAIN_SECONDS: u32 = 25;
const MAX_MODELS: NonZeroU32 = NonZeroU32::new(1000).unwrap();
const MAX_MODEL_MEGABYTES: NonZeroU32 = NonZeroU32::new(2048).unwrap();
const MAX_IN_FLIGHT: NonZeroU32 = NonZeroU32::new(256).unwrap();

impl Default for ServeArgs {
    fn default() -> Self {
        Self {
            model_dir: None,
            preprocessor: None,
            host: None,
            port: None,
            drain_seconds: DRAIN_SECONDS,
            max_in_flight: MAX_IN_FLIGHT,
            multi_model: false,
            models_dir: None,
            max_models: MAX_MODELS,
            max_model_megabytes: MAX_MODEL_MEGABYTES,
        }
    }
}

/// What the serve job needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Settings {
    source: Source,
    address: (IpAddr, u16),
    options: Options,
}

/// What an endpoint answers with.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// The model at this path.
    Model(PathBuf),
    /// Models below this directory, loaded when asked for.
    Models(PathBuf, Capacity),
}

impl Settings {
    fn new(args: &ServeArgs, env: &SageMakerEnv) -> Result<Self, Error> {
        let invalid = |name: &str, value: &str, expected: &str| Error::Variable {
            name: name.to_owned(),
            value: value.to_owned(),
            expected: expected.to_owned(),
        };
        let variable = |name| env.variable(name).filter(|value| !value.is_empty());
        let port = match (args.port, variable("SAGEMAKER_BIND_TO_PORT")) {
            (Some(port), _) => port,
            (None, Some(port)) => {
                port.parse().map_err(|_| invalid("SAGEMAKER_BIND_TO_PORT", port, "a port between 0 and 65535"))?
            }
            (None, None) => 8080,
        };
        let default_output = match variable("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") {
            None | Some("*/*") => OutputFormat::Json,
            Some(accept) => OutputFormat::from_media_type(accept)
                .ok_or_else(|| invalid("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", accept, "application/json"))?,
        };
        let multi_model = match variable("SAGEMAKER_MULTI_MODEL") {
            _ if args.multi_model => true,
            None => false,
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) if value.eq_ignore_ascii_case("false") => false,
            Some(value) => return Err(invalid("SAGEMAKER_MULTI_MODEL", value, "true or false")),
        };
        let source = if multi_model {
            let directory = args.models_dir.clone().unwrap_or_else(|| env.paths().models_dir());
            let bytes = u64::from(args.max_model_megabytes.get()) << 20;
            let capacity = Capacity { models: args.max_models.get() as usize, bytes };
            // What requests name is absolute.
            Source::Models(std::path::absolute(&directory).unwrap_or(directory), capacity)
        } else {
            Source::Model(args.model_dir.clone().unwrap_or_else(|| env.model_dir()))
        };
        Ok(Self {
            source,
            address: (args.host.unwrap_or(IpAddr::from([0, 0, 0, 0])), port),
            options: Options { default_output, max_in_flight: args.max_in_flight.get() as usize },
        })
    }
}

/// Loads the model, if it is to be one, and answers until `stop` is asked for (SIGTERM, or ctrl-c); then finishes what it
/// has begun. The first line on stdout is `listening on ADDRESS:PORT`.
///
/// # Errors
/// [`Error::Variable`] when a variable is not usable, [`Error::Artifact`] when the model cannot be loaded,
/// [`Error::Listen`] when the port cannot be had, [`Error::Runtime`] when the runtime cannot be started.
pub fn run(args: &ServeArgs, env: &SageMakerEnv, stop: &Stop, stdout: &mut dyn Write) -> Result<(), Error> {
    let settings = Settings::new(args, env)?;
    let router = match settings.source {
        Source::Model(path) => {
            let model = match &args.preprocessor {
                Some(preprocessor) => ServedModel::load_pair(preprocessor, &path)?,
                None => ServedModel::load(&path)?,
            };
            tracing::info!(model = %path.display(), "serving {model}");
            router(model, settings.options)
        }
        Source::Models(directory, capacity) => {
            tracing::info!(directory = %directory.display(), "serving many models, none of them yet");
            multi::router(Models::new(directory, capacity), settings.options)
        }
    };
    let drain = Duration::from_secs(args.drain_seconds.into());
    server::run(router, settings.address, drain, stop, stdout)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings(args: &ServeArgs, set: &[(&str, &str)]) -> Result<Settings, Error> {
        let mut variables: BTreeMap<_, _> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        variables.insert("SAGEMAKER_BASE_DIR".to_owned(), "/no/such/tree".to_owned());
        Settings::new(args, &SageMakerEnv::load(variables)?)
    }

    #[test]
    fn defaults_are_the_platforms() {
        let settings = settings(&ServeArgs::default(), &[]).unwrap();
        assert_eq!(settings.source, Source::Model("/no/such/tree/model".into()));
        assert_eq!(settings.address, (IpAddr::from([0, 0, 0, 0]), 8080));
    }

    #[test]
    fn flags_win_over_variables_and_variables_over_defaults() {
        let set = [("SAGEMAKER_BIND_TO_PORT", "9000"), ("SM_MODEL_DIR", "/models")];
        let from_variables = settings(&ServeArgs::default(), &set).unwrap();
        assert_eq!((from_variables.address.1, from_variables.source), (9000, Source::Model("/models".into())));
        let args = ServeArgs {
            port: Some(0),
            host: Some(IpAddr::from([127, 0, 0, 1])),
            model_dir: Some("m".into()),
            ..ServeArgs::default()
        };
        let from_flags = settings(&args, &set).unwrap();
        assert_eq!(from_flags.address, (IpAddr::from([127, 0, 0, 1]), 0));
        assert_eq!(from_flags.source, Source::Model("m".into()));
    }

    #[test]
    fn many_models_are_asked_for_by_flag_or_by_variable() {
        let flag = ServeArgs { multi_model: true, ..ServeArgs::default() };
        let capacity = Capacity { models: 1000, bytes: 2048 << 20 };
        let many = Source::Models("/no/such/tree/models".into(), capacity);
        assert_eq!(settings(&flag, &[]).unwrap().source, many);
        assert_eq!(settings(&ServeArgs::default(), &[("SAGEMAKER_MULTI_MODEL", "true")]).unwrap().source, many);
        let one = settings(&ServeArgs::default(), &[("SAGEMAKER_MULTI_MODEL", "False")]).unwrap().source;
        assert_eq!(one, Source::Model("/no/such/tree/model".into()));
        let small = NonZeroU32::new(1).unwrap();
        let args = ServeArgs { models_dir: Some("/m".into()), max_models: small, max_model_megabytes: small, ..flag };
        let capacity = Capacity { models: 1, bytes: 1 << 20 };
        assert_eq!(settings(&args, &[]).unwrap().source, Source::Models("/m".into(), capacity));
    }

    #[test]
    fn unusable_variables_are_named() {
        for (name, value) in [
            ("SAGEMAKER_BIND_TO_PORT", "http"),
            ("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "image/png"),
            ("SAGEMAKER_MULTI_MODEL", "perhaps"),
        ] {
            let message = settings(&ServeArgs::default(), &[(name, value)]).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains(value), "{message}");
        }
    }
}
