//! Extended headers of the pax format.
//!
//! `tar` programs add them to ordinary files for times below the second, large user numbers and file attributes, which
//! an artifact ignores. The same headers can rename an entry, change its size or make it sparse, which is refused.

use crate::{ArtifactError, BoxError};

/// Keywords that change neither the name nor the content of an entry.
const HARMLESS: [&str; 8] = ["atime", "comment", "ctime", "gid", "gname", "mtime", "uid", "uname"];

/// Beginnings of such keywords: attributes as GNU tar, bsdtar and star record them.
const HARMLESS_PREFIXES: [&str; 6] =
    ["LIBARCHIVE.creationtime", "LIBARCHIVE.xattr.", "RHT.security.", "SCHILY.acl.", "SCHILY.fflags", "SCHILY.xattr."];

/// Refuses every record of an extended header that is not known to be harmless.
pub(super) fn check(entry: &str, mut records: &[u8]) -> Result<(), ArtifactError> {
    while !records.is_empty() {
        let (keyword, rest) = split_record(records).ok_or_else(|| ArtifactError::Tar {
            source: BoxError::from(format!("the extended header `{entry}` is malformed")),
        })?;
        let harmless =
            HARMLESS.contains(&keyword) || HARMLESS_PREFIXES.iter().any(|prefix| keyword.starts_with(prefix));
        if !harmless {
            return Err(ArtifactError::ExtendedHeader { entry: entry.to_owned(), keyword: keyword.to_owned() });
        }
        records = rest;
    }
    Ok(())
}

/// The keyword of the first record, `<length> <keyword>=<value>\n`, and what follows the record.
fn split_record(records: &[u8]) -> Option<(&str, &[u8])> {
    let space = records.iter().position(|&byte| byte == b' ')?;
    let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
    let (record, rest) = records.split_at_checked(length)?;
    let body = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|&byte| byte == b'=')?;
    Some((std::str::from_utf8(&body[..equals]).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_owners_and_attributes_pass_also_with_newlines_in_values() {
        let records = b"30 mtime=1700000000.123456789\n21 SCHILY.xattr.a=\n\n\n12 comment=\n";
        check("manifest.json", records).unwrap();
        check("manifest.json", b"").unwrap();
    }

    #[test]
    fn names_sizes_links_and_sparse_maps_are_refused_by_keyword() {
        for (records, keyword) in [
            (&b"18 path=../secret\n"[..], "path"),
            (b"14 linkpath=a\n", "linkpath"),
            (b"9 size=1\n", "size"),
            (b"22 GNU.sparse.major=1\n", "GNU.sparse.major"),
            (b"12 comment=\n9 size=1\n", "size"),
        ] {
            let error = check("x", records).unwrap_err();
            assert!(
                matches!(&error, ArtifactError::ExtendedHeader { keyword: found, .. } if found == keyword),
                "{error:?}"
            );
        }
    }

    #[test]
    fn malformed_records_are_errors() {
        for records in [&b"mtime=1\n"[..], b"99 mtime=1\n", b"0 mtime=1\n", b"5 a=1\n\n", b"11 mtime 12\n", b"x"] {
            assert!(matches!(check("x", records), Err(ArtifactError::Tar { .. })), "{records:?}");
        }
    }
}
