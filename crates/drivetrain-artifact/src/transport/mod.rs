//! How an artifact's files travel: as a directory, or as a tarball of it.
//!
//! Nothing here knows what the files mean. Both ways of reading end in the same [`Files`], with the same refusals.

mod directory;
mod name;
mod pax;
mod tarball;

use std::collections::BTreeMap;

pub(crate) use directory::{read_directory, write_directory};
pub(crate) use tarball::{pack, unpack};

/// The files of an artifact by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The order in which files are written into a tarball: the manifest first, so that it can be read without the rest.
pub(crate) fn manifest_first(files: &Files) -> impl Iterator<Item = (&str, &[u8])> {
    let is_manifest = |name: &str| name == crate::manifest::FILE_NAME;
    let first = files.iter().filter(move |(name, _)| is_manifest(name));
    let rest = files.iter().filter(move |(name, _)| !is_manifest(name));
    first.chain(rest).map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
}
