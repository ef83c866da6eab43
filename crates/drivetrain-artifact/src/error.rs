//! What can go wrong with feature matrices and artifacts.

use std::{
    io,
    path::{Path, PathBuf},
};

use drivetrain_forest::ForestError;
use drivetrain_plan::{ApplyError, SchemaError, TableError};

use crate::{ModelKind, Sha256};

/// A cause from another crate, whose type is not part of this crate's interface.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A file that cannot be read or written, or whose content is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    // Files
    /// The file system did not let a file be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file was not written; what was there before still is.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BoxError,
    },
    /// What a file or directory holds is refused.
    #[error("{} is not usable", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: Box<ArtifactError>,
    },

    // .npy
    /// An array cannot be written as `.npy`.
    #[error("the array does not fit the .npy format")]
    NpyEncode {
        /// Why.
        source: BoxError,
    },
    /// The header of an `.npy` file is missing, cut off or malformed.
    #[error("the .npy header is not valid")]
    NpyHeader {
        /// Why.
        source: BoxError,
    },
    /// The elements are of a type that is not read: a feature matrix is float64, and other numbers are taken where their
    /// type was somebody else's choice.
    #[error("the array's elements are {found}, which is not read here; float64 ('<f8', '>f8') always is")]
    NpyDtype {
        /// The dtype in the file, as a Python literal.
        found: String,
    },
    /// The array is not a matrix.
    #[error("the array has shape {shape:?}; a matrix has two dimensions")]
    NpyDimensions {
        /// The shape in the file.
        shape: Vec<usize>,
    },
    /// The shape does not fit the file.
    #[error("{rows} rows of {columns} columns need {needed} bytes; the file has {found}")]
    NpyLength {
        /// Rows in the header.
        rows: usize,
        /// Columns in the header.
        columns: usize,
        /// Bytes that these need.
        needed: u128,
        /// Bytes after the header.
        found: u64,
    },
    /// An integer that float64 does not hold exactly.
    #[error("row {row}, column {column}: {value} is beyond 2^53, where float64 does not hold every integer")]
    NpyInteger {
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The value.
        value: i64,
    },
    /// The elements cannot be read.
    #[error("the .npy data is not valid")]
    NpyData {
        /// Why.
        source: BoxError,
    },

    // The transport: tarball or directory
    /// Something is larger than the reader takes.
    #[error("{what}: {found} is more than the limit, {limit}")]
    TooLarge {
        /// What is limited.
        what: String,
        /// How much there is, at least.
        found: u64,
        /// How much is taken.
        limit: u64,
    },
    /// The bytes are not a whole gzip stream.
    #[error("the gzip stream is corrupt or cut off")]
    Gzip {
        /// Why.
        source: io::Error,
    },
    /// Something follows the gzip stream.
    #[error("{bytes} bytes follow the gzip stream")]
    TrailingGzip {
        /// How many bytes.
        bytes: usize,
    },
    /// The expanded bytes are not a tar archive.
    #[error("the tar archive is corrupt or cut off")]
    Tar {
        /// Why.
        source: BoxError,
    },
    /// The archive has no end marker, or something follows it.
    #[error("the tar archive does not end in an end marker and zeros")]
    TarEnd,
    /// An entry is neither a regular file nor harmless.
    #[error("entry `{entry}` is a {found}; only regular files are taken")]
    EntryType {
        /// The entry's name.
        entry: String,
        /// What it is.
        found: String,
    },
    /// An entry's name is not a plain file name.
    #[error("entry `{entry}` {reason}")]
    EntryName {
        /// The name.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An extended header would change an entry's name, size or content.
    #[error("entry `{entry}` has the extended header `{keyword}`, which is not taken")]
    ExtendedHeader {
        /// The name of the header's entry.
        entry: String,
        /// The keyword.
        keyword: String,
    },
    /// Two entries share a name.
    #[error("entry `{entry}` appears twice")]
    DuplicateEntry {
        /// The name.
        entry: String,
    },

    // The manifest and the files it lists
    /// A file that must be there is not.
    #[error("`{entry}` is missing")]
    MissingEntry {
        /// The name.
        entry: String,
    },
    /// A file is there that the manifest does not list.
    #[error("`{entry}` is not listed in the manifest")]
    UnexpectedEntry {
        /// The name.
        entry: String,
    },
    /// The manifest is not valid JSON, or lacks or adds fields.
    #[error("manifest.json is not valid")]
    ManifestSyntax {
        /// Why.
        source: BoxError,
    },
    /// The manifest belongs to something else.
    #[error("format `{found}` is not `{}`", crate::FORMAT)]
    NotAnArtifact {
        /// The format's name.
        found: String,
    },
    /// A later program wrote the artifact.
    #[error("format version {found} is newer than the newest that this reader knows, {newest}")]
    NewerFormat {
        /// The version of the artifact.
        found: u32,
        /// The newest version that can be read.
        newest: u32,
    },
    /// No program ever wrote this version.
    #[error("format version {found} does not exist")]
    UnknownFormat {
        /// The version of the artifact.
        found: u32,
    },
    /// One of the files has a version that this reader does not know.
    #[error("`{entry}` has version {found}; the newest that this reader knows is {newest}")]
    FileVersion {
        /// The file.
        entry: String,
        /// Its version.
        found: u32,
        /// The newest version that can be read.
        newest: u32,
    },
    /// The manifest lists other files than a model of its kind has.
    #[error("the manifest of a {model} lists {found}, not {expected}")]
    FileList {
        /// The kind of model.
        model: ModelKind,
        /// What it consists of.
        expected: String,
        /// What is listed.
        found: String,
    },
    /// A file's length is not the recorded one.
    #[error("`{entry}` has {found} bytes; the manifest says {expected}")]
    WrongLength {
        /// The file.
        entry: String,
        /// The bytes recorded.
        expected: u64,
        /// The bytes found.
        found: u64,
    },
    /// A file's digest is not the recorded one.
    #[error("`{entry}` has sha256 {found}; the manifest says {expected}")]
    WrongChecksum {
        /// The file.
        entry: String,
        /// The digest recorded.
        expected: Sha256,
        /// The digest found.
        found: Sha256,
    },
    /// A file cannot be decoded.
    #[error("`{entry}` cannot be decoded")]
    Decode {
        /// The file.
        entry: String,
        /// Why.
        source: BoxError,
    },
    /// A value cannot be encoded.
    #[error("`{entry}` cannot be encoded")]
    Encode {
        /// The file it would become.
        entry: String,
        /// Why.
        source: BoxError,
    },
    /// The manifest describes another model than the files hold.
    #[error("the manifest's {field} is not that of the model")]
    ManifestMismatch {
        /// The manifest's field.
        field: &'static str,
    },
    /// A text is not a SHA-256 digest.
    #[error("`{text}` is not a sha256 of 64 lower-case hexadecimal digits")]
    MalformedDigest {
        /// The text.
        text: String,
    },
    /// A metric cannot be recorded, since JSON has neither NaN nor infinities.
    #[error("metric `{name}` is {value}; only finite numbers are recorded")]
    NonFiniteMetric {
        /// The metric.
        name: String,
        /// Its value.
        value: f64,
    },

    // The model
    /// The names of a regressor's features are not as many as the forest takes.
    #[error("{names} feature names for a forest of {features} features")]
    FeatureCount {
        /// Names given.
        names: usize,
        /// Features the forest takes.
        features: usize,
    },
    /// The names of a regressor's features are not distinct.
    #[error("the feature names are not distinct")]
    FeatureNames {
        /// Which one.
        source: SchemaError,
    },
    /// A preprocessor does not give what a regressor takes.
    #[error("feature {position} is {given} from the preprocessor, but {taken} for the regressor")]
    FeatureMismatch {
        /// Position, counted from 0.
        position: usize,
        /// The preprocessor's output, or `absent`.
        given: String,
        /// The regressor's feature, or `absent`.
        taken: String,
    },
    /// The plan cannot be run.
    #[error("the preprocessor cannot be run")]
    Plan {
        /// Why.
        source: ApplyError,
    },
    /// The forest cannot predict.
    #[error("the regressor cannot predict")]
    Forest {
        /// Why.
        source: ForestError,
    },

    // The probe
    /// An artifact must carry at least one row to recompute.
    #[error("the probe has no rows")]
    EmptyProbe,
    /// The rows to recompute do not form a table.
    #[error("the probe's rows do not form a table")]
    ProbeTable {
        /// Why.
        source: TableError,
    },
    /// The probe's parts do not fit each other or the model.
    #[error("the probe's {part} is not of shape {expected}")]
    ProbeShape {
        /// The part.
        part: &'static str,
        /// What its shape must be.
        expected: String,
    },
    /// Recomputing a probe row gives another answer than the one recorded.
    #[error("probe row {row}: {output} was {recorded:?} when the artifact was made and is {computed:?} now")]
    ProbeMismatch {
        /// The row, counted from 0.
        row: usize,
        /// The feature, or `prediction`.
        output: String,
        /// The value recorded.
        recorded: f64,
        /// The value computed.
        computed: f64,
    },
}

impl ArtifactError {
    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self::File { path: path.to_owned(), source: Box::new(self) }
    }

    pub(crate) fn too_large(what: impl Into<String>, found: u64, limit: u64) -> Self {
        Self::TooLarge { what: what.into(), found, limit }
    }
}
