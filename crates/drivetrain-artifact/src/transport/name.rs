//! Which names a file of an artifact may have.

use crate::ArtifactError;

/// The plain file name that an entry's name stands for: a leading `./`, which `tar` writes for the files of the current
/// directory, is dropped; everything that could lead out of one flat directory is refused.
pub(super) fn plain(raw: &[u8]) -> Result<String, ArtifactError> {
    let text = String::from_utf8_lossy(raw);
    let name = text.strip_prefix("./").unwrap_or(&text);
    match objection(name) {
        None => Ok(name.to_owned()),
        Some(reason) => Err(ArtifactError::EntryName { entry: text.clone().into_owned(), reason }),
    }
}

/// Whether an entry's name is the archive's own root, which `tar` records when it is given a directory.
pub(super) fn is_root(raw: &[u8]) -> bool {
    matches!(raw, b"." | b"./")
}

fn objection(name: &str) -> Option<&'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name == "." {
        Some("has no name")
    } else if name.starts_with(['/', '\\']) {
        Some("is an absolute path")
    } else if name.split(['/', '\\']).any(|part| part == "..") {
        Some("leads out of the directory")
    } else if name.contains(['/', '\\']) {
        Some("lies in a subdirectory")
    } else if !name.chars().all(plain) {
        Some("has characters other than letters, digits, `.`, `_` and `-`")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_pass_with_and_without_a_leading_dot() {
        assert_eq!(plain(b"manifest.json").unwrap(), "manifest.json");
        assert_eq!(plain(b"./forest.msgpack").unwrap(), "forest.msgpack");
    }

    #[test]
    fn every_other_name_is_refused_with_its_reason() {
        for (name, reason) in [
            (&b""[..], "no name"),
            (b".", "no name"),
            (b"./", "no name"),
            (b"..", "leads out"),
            (b"../manifest.json", "leads out"),
            (b"a/../../manifest.json", "leads out"),
            (b"..\\manifest.json", "leads out"),
            (b"/etc/passwd", "absolute"),
            (b".//etc/passwd", "absolute"),
            (b"\\\\host\\share", "absolute"),
            (b"code/inference.py", "subdirectory"),
            (b"manifest.json/", "subdirectory"),
            (b"c:manifest.json", "characters"),
            (b"manifest.json\n", "characters"),
            (b"manif\xffest.json", "characters"),
        ] {
            let error = plain(name).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
