//! Feature matrices and models on disk.
//!
//! * [`npy`] reads and writes feature matrices as numpy does.
//! * [`Artifact`] is a fitted preprocessor, a regressor or both, with everything that is needed to trust it.
//! * [`atomic`] writes files that are whole or absent.
//!
//! # The artifact
//!
//! A directory of files; `model.tar.gz` is its transport, with the files at the root.
//!
//! | file | content |
//! |---|---|
//! | `manifest.json` | [`Manifest`]: format and version, producer, input schema, features, training, and every other file with kind, version, length and sha256 |
//! | `plan.msgpack` | the preprocessor, a [`drivetrain_plan::Plan`], if there is one |
//! | `forest.msgpack` | the regressor, a [`drivetrain_forest::Forest`], if there is one |
//! | `probe.msgpack` | a few rows and the model's answers, which a reader recomputes and compares bit for bit |
//!
//! `.msgpack` is [MessagePack](https://msgpack.org) with field names. The same model with the same training record gives the same bytes on any
//! machine. Two digests stand for them, and are not to be confused:
//!
//! * the [model id](Artifact::model_id) is the SHA-256 of `manifest.json`, in the directory as in the tarball, whoever
//!   packed it: it says which model, and a regressor names its preprocessor by it;
//! * the digest of the tarball is the SHA-256 of `model.tar.gz`: it says which bytes a store holds, and follows from the
//!   model only for tarballs that this crate wrote.
//!
//! [`ArtifactBuilder`] makes artifacts and [`Reader`] reads them. Both are strict: a reader takes nothing on trust, and
//! a builder hands out only what its reader takes.

mod artifact;
pub mod atomic;
mod builder;
mod check;
mod digest;
mod error;
mod limits;
mod manifest;
mod model;
mod msgpack;
pub mod npy;
mod probe;
mod reader;
mod transport;

pub use artifact::Artifact;
pub use builder::ArtifactBuilder;
pub use digest::Sha256;
pub use error::{ArtifactError, BoxError};
pub use limits::Limits;
pub use manifest::{FORMAT, FORMAT_VERSION, FileKind, FileRecord, Manifest, Producer, Training};
pub use model::{Model, ModelKind, Pipeline, Regressor};
pub use ndarray;
pub use reader::Reader;
