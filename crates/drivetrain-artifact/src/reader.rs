//! Reading artifacts from where they lie.

use std::{fs::File, io::Read, path::Path};

use drivetrain_plan::Registry;

use crate::{Artifact, ArtifactError, Limits, check, transport};

/// Reads artifacts, trusting none of their bytes.
///
/// In this order, each step only after the one before: limits; structure of the gzip stream and of the tar archive, or
/// of the directory; the manifest's format and version; the exact list of files; their lengths and digests; decoding,
/// which counts values before it stores any and validates plan and forest; and the answers to the probe, recomputed.
///
/// What is refused: names that are not plain file names, links, devices, subdirectories, sparse files, extended headers
/// that rename or resize, duplicates, files that the manifest does not list, missing files, bytes after the end, and
/// anything beyond the limits. What is not looked at, because any `tar` program may set it: the order of entries, times,
/// owners, permissions, a leading `./`, and an entry for the root directory.
///
/// ```
/// use drivetrain_artifact::{Limits, Reader};
///
/// let reader = Reader::new().limits(Limits { max_compressed_bytes: 1 << 20, ..Limits::default() });
/// let error = reader.read_tar_gz_bytes(b"not a tarball").unwrap_err();
/// assert_eq!(error.to_string(), "the gzip stream is corrupt or cut off");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Reader {
    pub(crate) limits: Limits,
    pub(crate) registry: Registry,
}

impl Reader {
    /// A reader with the default limits that knows no extension.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same reader with these limits.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same reader, knowing the extension operations in `registry`. A plan that needs another one is refused.
    #[must_use]
    pub fn registry(self, registry: Registry) -> Self {
        Self { registry, ..self }
    }

    /// Reads the directory `folder`, as the platform unpacks an artifact. A file `model.tar.gz` in it is passed over,
    /// since the platform's local mode leaves the tarball there.
    ///
    /// # Errors
    /// [`ArtifactError::File`] with the path around the first reason to refuse the directory.
    pub fn read_dir(&self, folder: impl AsRef<Path>) -> Result<Artifact, ArtifactError> {
        let folder = folder.as_ref();
        transport::read_directory(folder, &self.limits)
            .and_then(|files| check::open(files, self))
            .map_err(|error| error.in_file(folder))
    }

    /// Reads the tarball at `path`.
    ///
    /// # Errors
    /// [`ArtifactError::Read`] when the file cannot be read, [`ArtifactError::File`] with the path around the first
    /// reason to refuse it.
    pub fn read_tar_gz(&self, path: impl AsRef<Path>) -> Result<Artifact, ArtifactError> {
        let path = path.as_ref();
        let failed = |source| ArtifactError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        // One byte more than the limit, so that the limit is seen to be exceeded.
        file.take(self.limits.max_compressed_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
        self.read_tar_gz_bytes(&bytes).map_err(|error| error.in_file(path))
    }

    /// Reads a tarball in memory.
    ///
    /// # Errors
    /// The first reason to refuse it.
    pub fn read_tar_gz_bytes(&self, bytes: &[u8]) -> Result<Artifact, ArtifactError> {
        check::open(transport::unpack(bytes, &self.limits)?, self)
    }
}
