//! The jobs that run and end; [`serve`](crate::serve) is the one that stays.

#[cfg(feature = "process")]
pub mod acquire;
#[cfg(feature = "process")]
pub mod process;
#[cfg(feature = "train")]
pub mod train;

#[cfg(any(feature = "process", feature = "train"))]
use std::path::Path;

#[cfg(any(feature = "process", feature = "train"))]
use crate::Error;

/// The file beside a feature matrix that lists its columns without the target, as a JSON array.
pub const FEATURE_NAMES_FILE: &str = "feature_names.json";

#[cfg(any(feature = "process", feature = "train"))]
fn create_directory(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(|source| Error::Create { path: path.to_owned(), source })
}

/// Writes a value as indented JSON, whole or not at all.
#[cfg(any(feature = "process", feature = "train"))]
fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), Error> {
    drivetrain_artifact::atomic::write(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value)?;
        file.write_all(b"\n")
    })?;
    Ok(())
}
