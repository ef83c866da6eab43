//! A gzipped tar into a directory, believing nothing it says about itself.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType, PaxExtensions};

use crate::RunnerError;
use crate::error::file;

/// The most an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Entries of any kind: files, folders and extended headers.
    pub entries: usize,
    /// Bytes of the archive once expanded: files, headers, padding and the zeros at the end.
    pub bytes: u64,
}

impl Default for UnpackLimits {
    /// 1,000 entries and 2 GiB.
    fn default() -> Self {
        Self { entries: 1_000, bytes: 2 << 30 }
    }
}

/// Extended headers hold times and owners; nothing useful is larger.
const MAX_EXTENDED_HEADER: u64 = 64 * 1024;
/// What may follow the last entry: the zeros that fill the archive's last record.
const MAX_TRAILER: u64 = 1 << 20;
/// How deep folders may nest. The format itself limits a name to 256 bytes.
const MAX_DEPTH: usize = 16;

/// Unpacks a `.tar.gz` of regular files and folders into a directory, made if need be.
///
/// # Errors
/// [`RunnerError::UnsafeEntry`] for links, special files, absolute paths, `..`, repeated names, names given by an
/// extension, and more or deeper entries than the limits allow; [`RunnerError::TooLarge`] beyond the limits, before the
/// bytes are expanded; [`RunnerError::Archive`] for what is truncated, corrupt or no archive at all. The directory may then hold files unpacked before the fault.
pub fn unpack(archive: &Path, directory: &Path, limits: &UnpackLimits) -> Result<(), RunnerError> {
    let source = File::open(archive).map_err(file("read", archive))?;
    fs::create_dir_all(directory).map_err(file("make", directory))?;
    let left = Cell::new(Some(limits.bytes));
    let expanded = Expanded { source: GzDecoder::new(BufReader::new(source)), left: &left };
    let done = unpack_all(expanded, archive, directory, limits);
    if left.get().is_none() {
        // Whatever the library made of it.
        return Err(too_large(archive, limits.bytes));
    }
    done
}

fn unpack_all(expanded: impl Read, archive: &Path, directory: &Path, limits: &UnpackLimits) -> Result<(), RunnerError> {
    let mut tar = Archive::new(expanded);
    let mut unpacking = Unpacking { archive, directory, limits, entries: 0, names: BTreeSet::new() };
    // Raw: the library would otherwise hold extended headers of any size in memory, and obey them.
    for entry in tar.entries().map_err(unreadable(archive))?.raw(true) {
        unpacking.entry(entry.map_err(unreadable(archive))?)?;
    }
    // Only reading to the end checks the checksum of the compressed stream.
    let rest = io::copy(&mut tar.into_inner().take(MAX_TRAILER + 1), &mut io::sink()).map_err(unreadable(archive))?;
    if rest > MAX_TRAILER {
        return Err(RunnerError::TooLarge {
            what: format!("what follows the last entry of {}", archive.display()),
            limit: MAX_TRAILER,
        });
    }
    Ok(())
}

/// The expanded archive, as far as the limit on its bytes lets it be read.
struct Expanded<'a, R> {
    source: R,
    /// How many more bytes may come; nothing once more have come.
    left: &'a Cell<Option<u64>>,
}

impl<R: Read> Read for Expanded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.left.set(self.left.get().and_then(|left| left.checked_sub(length as u64)));
        match self.left.get() {
            Some(_) => Ok(length),
            None => Err(io::ErrorKind::FileTooLarge.into()),
        }
    }
}

struct Unpacking<'a> {
    archive: &'a Path,
    directory: &'a Path,
    limits: &'a UnpackLimits,
    entries: usize,
    names: BTreeSet<PathBuf>,
}

impl Unpacking<'_> {
    fn entry<R: Read>(&mut self, mut entry: Entry<'_, R>) -> Result<(), RunnerError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(self.refuse(&entry, "there are more entries than the limit allows"));
        }
        match entry.header().entry_type() {
            EntryType::Regular => self.regular(&mut entry),
            EntryType::Directory => {
                if entry.size() > 0 {
                    return Err(self.refuse(&entry, "it is a folder with content"));
                }
                let path = self.target(&entry)?;
                fs::create_dir_all(&path).map_err(file("make", &path))
            }
            EntryType::XHeader | EntryType::XGlobalHeader => self.extended_header(&mut entry),
            EntryType::Symlink | EntryType::Link => Err(self.refuse(&entry, "it is a link")),
            EntryType::GNULongName => Err(self.refuse(&entry, "its name is given by an extension")),
            _ => Err(self.refuse(&entry, "it is neither a file nor a folder")),
        }
    }

    fn regular<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<(), RunnerError> {
        let path = self.target(entry)?;
        if path == self.directory || !self.names.insert(path.clone()) {
            return Err(self.refuse(entry, "its name is empty or was there before"));
        }
        if entry.size() > self.limits.bytes {
            return Err(too_large(self.archive, self.limits.bytes));
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(file("make", folder))?;
        }
        let mut target = File::create_new(&path).map_err(file("write", &path))?;
        let written = io::copy(entry, &mut target).map_err(unreadable(self.archive))?;
        if written != entry.size() {
            return Err(unreadable(self.archive)(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }

    /// Other tools add extended headers for fractions of seconds; one that renames or resizes the next entry is refused.
    fn extended_header<R: Read>(&self, entry: &mut Entry<'_, R>) -> Result<(), RunnerError> {
        if entry.size() > MAX_EXTENDED_HEADER {
            return Err(self.refuse(entry, "its extended header is too large"));
        }
        let mut records = Vec::new();
        entry.read_to_end(&mut records).map_err(unreadable(self.archive))?;
        for record in PaxExtensions::new(&records) {
            let record = record.map_err(unreadable(self.archive))?;
            let key = record.key().unwrap_or_default();
            if matches!(key, "" | "path" | "linkpath" | "size") || key.starts_with("GNU.sparse") {
                return Err(self.refuse(entry, "its name or size is given by an extension"));
            }
        }
        Ok(())
    }

    /// The path below the directory, made of plain names only.
    fn target<R: Read>(&self, entry: &Entry<'_, R>) -> Result<PathBuf, RunnerError> {
        let name = entry.path().map_err(unreadable(self.archive))?;
        let mut path = self.directory.to_path_buf();
        let mut depth = 0;
        for component in name.components() {
            match component {
                Component::Normal(_) if depth == MAX_DEPTH => {
                    return Err(self.refuse(entry, "it lies too many folders deep"));
                }
                Component::Normal(segment) => {
                    path.push(segment);
                    depth += 1;
                }
                Component::CurDir => {}
                Component::ParentDir => return Err(self.refuse(entry, "its path holds `..`")),
                Component::RootDir | Component::Prefix(_) => {
                    return Err(self.refuse(entry, "its path is absolute"));
                }
            }
        }
        Ok(path)
    }

    fn refuse<R: Read>(&self, entry: &Entry<'_, R>, problem: &'static str) -> RunnerError {
        let entry = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        RunnerError::UnsafeEntry { path: self.archive.to_path_buf(), entry, problem }
    }
}

fn too_large(archive: &Path, limit: u64) -> RunnerError {
    RunnerError::TooLarge { what: format!("the content of {}", archive.display()), limit }
}

fn unreadable(archive: &Path) -> impl FnOnce(io::Error) -> RunnerError {
    let path = archive.to_path_buf();
    move |source| RunnerError::Archive { action: "read", path, source }
}
