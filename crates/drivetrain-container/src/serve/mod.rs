//! The serve job: a model behind HTTP.
//!
//! * `GET /ping`: 200 with an empty body. The socket opens only once the model is loaded, so whoever gets a connection
//!   gets an answer.
//! * `POST /invocations`, and the same under `/endpoints/NAME/invocations`: rows in (see [`rows`]), an
//!   [`Answer`](response::Answer) out, either as `text/csv`, `application/json`, `application/jsonlines` or
//!   `application/x-npy`.
//! * `GET /execution-parameters`: how batch transform is to call.
//!
//! What is answered follows from what the model directory holds (see [`model`]). Every error has a JSON body
//! `{"error": {"message": ..., "row": ..., "column": ..., "value": ...}}`; its rows count from 0, as the `id` of a
//! prediction does.

pub mod model;
pub mod request;
pub mod response;
pub mod rows;
mod server;

use std::{io::Write, net::IpAddr, path::PathBuf, time::Duration};

use clap::Args;
use model::ServedModel;
use request::OutputFormat;
pub use server::router;

use crate::{Error, environment::SageMakerEnv, stop::Stop};

/// Flags of the serve job.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ServeArgs {
    /// The model: a directory that holds an unpacked artifact, or a model.tar.gz [default: `$SM_MODEL_DIR`, else model/
    /// below the base directory]
    #[arg(long, value_name = "PATH")]
    pub model_dir: Option<PathBuf>,

    /// The address to listen on [default: 0.0.0.0, every network interface]
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<IpAddr>,

    /// The port to listen on, 0 for a free one [default: `$SAGEMAKER_BIND_TO_PORT`, else 8080]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,

    /// How long requests that have begun may take to end after a SIGTERM; the platform kills after 30 s
    #[arg(long, value_name = "SECONDS", default_value_t = DRAIN_SECONDS)]
    pub drain_seconds: u32,
}

const DRAIN_SECONDS: u32 = 25;

impl Default for ServeArgs {
    fn default() -> Self {
        Self { model_dir: None, host: None, port: None, drain_seconds: DRAIN_SECONDS }
    }
}

/// What the serve job needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Settings {
    model: PathBuf,
    address: (IpAddr, u16),
    default_output: OutputFormat,
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
        Ok(Self {
            model: args.model_dir.clone().unwrap_or_else(|| env.model_dir()),
            address: (args.host.unwrap_or(IpAddr::from([0, 0, 0, 0])), port),
            default_output,
        })
    }
}

/// Loads the model and answers until `stop` is asked for (SIGTERM, or ctrl-c); then finishes what it has begun. The first line on stdout is `listening on ADDRESS:PORT`.
///
/// # Errors
/// [`Error::Variable`] when a variable is not usable, [`Error::Artifact`] when the model cannot be loaded,
/// [`Error::Listen`] when the port cannot be had, [`Error::Runtime`] when the runtime cannot be started.
pub fn run(args: &ServeArgs, env: &SageMakerEnv, stop: &Stop, stdout: &mut dyn Write) -> Result<(), Error> {
    let settings = Settings::new(args, env)?;
    let model = ServedModel::load(&settings.model)?;
    tracing::info!(model = %settings.model.display(), "serving {model}");
    let drain = Duration::from_secs(args.drain_seconds.into());
    server::run(router(model, settings.default_output), settings.address, drain, stop, stdout)
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
        assert_eq!(settings.model, PathBuf::from("/no/such/tree/model"));
        assert_eq!(settings.address, (IpAddr::from([0, 0, 0, 0]), 8080));
    }

    #[test]
    fn flags_win_over_variables_and_variables_over_defaults() {
        let set = [("SAGEMAKER_BIND_TO_PORT", "9000"), ("SM_MODEL_DIR", "/models")];
        let from_variables = settings(&ServeArgs::default(), &set).unwrap();
        assert_eq!((from_variables.address.1, from_variables.model), (9000, PathBuf::from("/models")));
        let args = ServeArgs {
            port: Some(0),
            host: Some(IpAddr::from([127, 0, 0, 1])),
            model_dir: Some("m".into()),
            ..ServeArgs::default()
        };
        let from_flags = settings(&args, &set).unwrap();
        assert_eq!(from_flags.address, (IpAddr::from([127, 0, 0, 1]), 0));
        assert_eq!(from_flags.model, PathBuf::from("m"));
    }

    #[test]
    fn unusable_variables_are_named() {
        for (name, value) in [("SAGEMAKER_BIND_TO_PORT", "http"), ("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "image/png")]
        {
            let message = settings(&ServeArgs::default(), &[(name, value)]).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains(value), "{message}");
        }
    }
}
