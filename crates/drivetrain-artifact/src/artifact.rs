//! A model together with its files.

use std::{fmt, path::Path};

use crate::{
    ArtifactError, Limits, Manifest, Model, Reader, Sha256, atomic,
    manifest::{self, FileKind},
    transport::{self, Files},
};

/// A model that was read from an artifact, or is about to be written as one.
///
/// Every value has been through the same checks: the files are the ones that the manifest lists, their digests are
/// right, and the model answers the probe as it did when the artifact was made. Two artifacts are equal when their
/// files are, byte for byte.
#[derive(Clone)]
pub struct Artifact {
    pub(crate) model: Model,
    pub(crate) manifest: Manifest,
    pub(crate) files: Files,
}

impl Artifact {
    /// Reads a directory with the default [`Reader`], within `limits`.
    ///
    /// # Errors
    /// As [`Reader::read_dir`].
    pub fn read_dir(folder: impl AsRef<Path>, limits: &Limits) -> Result<Self, ArtifactError> {
        Reader::new().limits(limits.clone()).read_dir(folder)
    }

    /// Reads a tarball with the default [`Reader`], within `limits`.
    ///
    /// # Errors
    /// As [`Reader::read_tar_gz`].
    pub fn read_tar_gz(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, ArtifactError> {
        Reader::new().limits(limits.clone()).read_tar_gz(path)
    }

    /// The model.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The model alone, without the files that it was read from.
    #[must_use]
    pub fn into_model(self) -> Model {
        self.model
    }

    /// What the artifact says about itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The model's id: the SHA-256 of `manifest.json`.
    ///
    /// The manifest holds the digest of every other file, so the id stands for all of them. It is the same whether one
    /// holds the directory, the tarball that [`Artifact::write_tar_gz`] makes or one that another program packed, and
    /// it does not depend on the version of a compressor. It is not the SHA-256 of the tarball, by which a store knows its
    /// object: that is the digest of one packing of the model, [`Sha256::of_file`], and another packing has another.
    #[must_use]
    pub fn model_id(&self) -> Sha256 {
        Sha256::of(self.files.get(manifest::FILE_NAME).map_or(&[][..], Vec::as_slice))
    }

    /// Writes the files into `folder`, which is created if need be, and returns the [model id](Self::model_id).
    ///
    /// A process that is killed, or a machine that loses its power, leaves a directory in which [`Artifact::read_dir`]
    /// finds the whole artifact that was there before or the whole new one; if there was none before, the whole new one
    /// or, for want of a manifest, none. The next `write_dir` tidies up what was left. Somebody who reads while this
    /// writes gets a whole artifact or an error; two may not write at once.
    ///
    /// # Errors
    /// [`ArtifactError::Write`] when a file cannot be written, [`ArtifactError::File`] around
    /// [`ArtifactError::UnexpectedEntry`] or [`ArtifactError::EntryType`] when the folder holds something that is no
    /// part of an artifact, which a reader would refuse. As after a kill, one whole artifact is there then.
    pub fn write_dir(&self, folder: impl AsRef<Path>) -> Result<Sha256, ArtifactError> {
        let names = FileKind::ALL.map(FileKind::file_name);
        transport::write_directory(folder.as_ref(), &self.files, &names)?;
        Ok(self.model_id())
    }

    /// Writes the tarball atomically and returns the [model id](Self::model_id).
    ///
    /// The same artifact always becomes the same bytes: no times, no owners, the manifest first. Their digest is
    /// [`Sha256::of_file`] of what was written.
    ///
    /// # Errors
    /// [`ArtifactError::Write`] when the file cannot be written.
    pub fn write_tar_gz(&self, path: impl AsRef<Path>) -> Result<Sha256, ArtifactError> {
        let bytes = self.to_tar_gz_bytes()?;
        atomic::write(path, |file| file.write_all(&bytes))?;
        Ok(self.model_id())
    }

    /// The bytes that [`Artifact::write_tar_gz`] writes.
    ///
    /// # Errors
    /// [`ArtifactError::Encode`] when a file is larger than the tar format can say, 8 GiB.
    pub fn to_tar_gz_bytes(&self) -> Result<Vec<u8>, ArtifactError> {
        transport::pack(&self.files)
            .map_err(|source| ArtifactError::Encode { entry: "model.tar.gz".to_owned(), source: source.into() })
    }
}

impl PartialEq for Artifact {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

impl Eq for Artifact {}

impl fmt::Debug for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Artifact")
            .field("model_id", &self.model_id())
            .field("manifest", &self.manifest)
            .finish_non_exhaustive()
    }
}
