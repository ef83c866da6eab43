//! An artifact as a gzip-compressed tar archive.

use std::{
    io::{self, Read, Write},
    ops::Range,
};

use flate2::{Compression, GzBuilder, bufread::GzDecoder};
use tar::{Archive, Builder, Entry, EntryType, Header};

use super::{Files, manifest_first, name, pax};
use crate::{ArtifactError, BoxError, Limits};

const BLOCK: usize = 512;

/// The compression level of zlib's own default, written down because the default is the library's to change.
const LEVEL: u32 = 6;

/// The number that gzip gives to an unknown operating system.
const UNKNOWN_SYSTEM: u8 = 255;

/// Packs `files`, always into the same bytes: no times, no owners, manifest first, the rest by name.
pub(crate) fn pack(files: &Files) -> io::Result<Vec<u8>> {
    let gzip = GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM).write(Vec::new(), Compression::new(LEVEL));
    let mut tar = Builder::new(gzip);
    for (name, bytes) in manifest_first(files) {
        let mut header = Header::new_ustar();
        header.set_path(name)?;
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        tar.append(&header, bytes)?;
    }
    let mut gzip = tar.into_inner()?;
    gzip.flush()?;
    gzip.finish()
}

/// Unpacks a tarball that any `tar` program may have made: the order of entries, times, owners, a leading `./` and an
/// entry for the root directory do not matter. Whatever could write outside of one flat directory, refer to another
/// file, follow the end or expand beyond the limits is refused.
pub(crate) fn unpack(bytes: &[u8], limits: &Limits) -> Result<Files, ArtifactError> {
    let tar = expand(bytes, limits)?;
    let mut files = Files::new();
    let mut end = 0;
    let corrupt = |source: io::Error| ArtifactError::Tar { source: source.into() };
    let mut archive = Archive::new(tar.as_slice());
    // Raw, because the library would otherwise read extended headers and sparse maps into memory and apply them.
    for (index, entry) in archive.entries().map_err(corrupt)?.raw(true).enumerate() {
        if index >= limits.max_entries {
            let limit = limits.max_entries as u64;
            return Err(ArtifactError::too_large("entries of the archive", limit + 1, limit));
        }
        let entry = entry.map_err(corrupt)?;
        let range = data_range(&entry).filter(|range| range.end <= tar.len()).ok_or_else(|| ArtifactError::Tar {
            source: BoxError::from(format!("entry `{}` is cut off", shown(&entry))),
        })?;
        end = range.end.next_multiple_of(BLOCK);
        take(&entry, &tar[range], &mut files)?;
    }
    match tar.get(end..) {
        Some(rest) if rest.len() >= 2 * BLOCK && rest.iter().all(|&byte| byte == 0) => Ok(files),
        _ => Err(ArtifactError::TarEnd),
    }
}

/// The bytes of the tar archive, if there are not more of them than the limit.
fn expand(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, ArtifactError> {
    if bytes.len() as u64 > limits.max_compressed_bytes {
        let found = bytes.len() as u64;
        return Err(ArtifactError::too_large("bytes of the tarball", found, limits.max_compressed_bytes));
    }
    let mut gzip = GzDecoder::new(bytes);
    let mut tar = Vec::new();
    let limit = limits.max_expanded_bytes;
    let found = gzip
        .by_ref()
        .take(limit.saturating_add(1))
        .read_to_end(&mut tar)
        .map_err(|source| ArtifactError::Gzip { source })?;
    if found as u64 > limit {
        return Err(ArtifactError::too_large("expanded bytes of the tarball", found as u64, limit));
    }
    match gzip.into_inner() {
        [] => Ok(tar),
        rest => Err(ArtifactError::TrailingGzip { bytes: rest.len() }),
    }
}

/// Where the data of an entry lies within the archive.
fn data_range<R: Read>(entry: &Entry<'_, R>) -> Option<Range<usize>> {
    let start = usize::try_from(entry.raw_file_position()).ok()?;
    let end = start.checked_add(usize::try_from(entry.header().entry_size().ok()?).ok()?)?;
    Some(start..end)
}

fn shown<R: Read>(entry: &Entry<'_, R>) -> String {
    String::from_utf8_lossy(&entry.header().path_bytes()).into_owned()
}

/// Puts a regular file among `files`, passes over what is harmless and refuses the rest.
fn take<R: Read>(entry: &Entry<'_, R>, data: &[u8], files: &mut Files) -> Result<(), ArtifactError> {
    let path = entry.header().path_bytes();
    match entry.header().entry_type() {
        EntryType::Regular => {
            let name = name::plain(&path)?;
            if files.contains_key(&name) {
                return Err(ArtifactError::DuplicateEntry { entry: name });
            }
            files.insert(name, data.to_vec());
            Ok(())
        }
        EntryType::Directory if name::is_root(&path) && data.is_empty() => Ok(()),
        EntryType::XHeader | EntryType::XGlobalHeader => pax::check(&shown(entry), data),
        other => Err(ArtifactError::EntryType { entry: shown(entry), found: describe(other) }),
    }
}

fn describe(kind: EntryType) -> String {
    match kind {
        EntryType::Link => "hard link".to_owned(),
        EntryType::Symlink => "symbolic link".to_owned(),
        EntryType::Char | EntryType::Block => "device".to_owned(),
        EntryType::Directory => "directory".to_owned(),
        EntryType::Fifo => "named pipe".to_owned(),
        EntryType::GNULongName | EntryType::GNULongLink => "long name".to_owned(),
        EntryType::GNUSparse => "sparse file".to_owned(),
        other => format!("entry of type {:?}", char::from(other.as_byte())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        let names = ["forest.msgpack", "manifest.json", "probe.msgpack"];
        names.into_iter().map(|name| (name.to_owned(), name.repeat(300).into_bytes())).collect()
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        assert_eq!(unpack(&pack(&files()).unwrap(), &Limits::default()).unwrap(), files());
    }

    #[test]
    fn nothing_of_the_machine_or_the_moment_is_in_the_bytes() {
        let bytes = pack(&files()).unwrap();
        assert_eq!(bytes[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, bytes[8], UNKNOWN_SYSTEM]);
        let tar = expand(&bytes, &Limits::default()).unwrap();
        let mut archive = Archive::new(tar.as_slice());
        let mut names = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, 0));
            assert_eq!((header.mode().unwrap(), header.entry_type()), (0o644, EntryType::Regular));
            assert_eq!((header.username().unwrap(), header.groupname().unwrap()), (Some(""), Some("")));
            names.push(entry.path().unwrap().display().to_string());
        }
        assert_eq!(names, ["manifest.json", "forest.msgpack", "probe.msgpack"]);
    }

    #[test]
    fn limits_hold_on_both_sides_of_the_compression() {
        let bytes = pack(&files()).unwrap();
        let expanded = expand(&bytes, &Limits::default()).unwrap().len() as u64;
        let length = bytes.len() as u64;
        let fits = Limits { max_compressed_bytes: length, max_expanded_bytes: expanded, ..Limits::default() };
        assert!(unpack(&bytes, &fits).is_ok());
        for (limits, what) in [
            (Limits { max_compressed_bytes: length - 1, ..fits.clone() }, "bytes of the tarball"),
            (Limits { max_expanded_bytes: expanded - 1, ..fits.clone() }, "expanded bytes of the tarball"),
            (Limits { max_entries: 2, ..fits }, "entries of the archive"),
        ] {
            let error = unpack(&bytes, &limits).unwrap_err();
            assert!(matches!(&error, ArtifactError::TooLarge { what: found, .. } if found == what), "{error:?}");
        }
    }
}
