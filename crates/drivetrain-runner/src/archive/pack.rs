//! A directory into a gzipped tar whose bytes depend on names and contents alone.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};
use tempfile::NamedTempFile;

use crate::RunnerError;
use crate::error::file;
use crate::tree::Tree;

/// The gzip header's operating system: unknown, so that every system writes the same byte.
const UNKNOWN_SYSTEM: u8 = 255;
/// What describes the other files comes before them, so that a reader learns first what it has.
const FIRST: &str = "manifest.json";
/// Held fixed: another level would be other bytes.
const LEVEL: Compression = Compression::new(6);

/// Packs the regular files below a directory into a `.tar.gz`, atomically; returns how many there were.
///
/// Entries are sorted by name, a `manifest.json` before all others, with time 0, owner 0 and mode 644; the gzip header carries no time and no name. The same
/// files give the same bytes anywhere. Links and special files are left out, as the platform does.
///
/// # Errors
/// [`RunnerError::File`] if the directory cannot be read, [`RunnerError::Archive`] if the archive cannot be written or a
/// name is too long for it.
///
/// ```
/// use drivetrain_runner::archive::{UnpackLimits, pack, unpack};
///
/// let work = tempfile::tempdir()?;
/// std::fs::create_dir(work.path().join("model"))?;
/// std::fs::write(work.path().join("model/manifest.json"), "{}")?;
/// let archive = work.path().join("model.tar.gz");
/// assert_eq!(pack(&work.path().join("model"), &archive)?, 1);
/// unpack(&archive, &work.path().join("copy"), &UnpackLimits::default())?;
/// assert_eq!(std::fs::read(work.path().join("copy/manifest.json"))?, b"{}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pack(directory: &Path, archive: &Path) -> Result<usize, RunnerError> {
    let tree = Tree::read(directory)?;
    let folder = archive.parent().unwrap_or(Path::new("."));
    let target = NamedTempFile::new_in(folder).map_err(file("write to", folder))?;
    write(&tree, target.as_file()).map_err(|source| RunnerError::Archive {
        action: "write",
        path: archive.to_path_buf(),
        source,
    })?;
    target.persist(archive).map_err(|e| file("write", archive)(e.error))?;
    Ok(tree.files.len())
}

fn write(tree: &Tree, target: &File) -> io::Result<()> {
    let encoder: GzEncoder<_> =
        GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM).write(BufWriter::new(target), LEVEL);
    let mut tar = Builder::new(encoder);
    let (first, others): (Vec<_>, Vec<_>) = tree.files.iter().partition(|entry| entry.name == FIRST);
    for entry in first.into_iter().chain(others) {
        let content = File::open(&entry.path)?;
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_path(&entry.name)?;
        header.set_size(content.metadata()?.len());
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        tar.append(&header, content)?;
    }
    tar.into_inner()?.finish()?.flush()
}
