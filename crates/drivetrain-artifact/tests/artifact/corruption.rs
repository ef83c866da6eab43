//! Damage at random: an artifact is read as it was, or not at all, and never is there a panic.

use std::sync::LazyLock;

use drivetrain_artifact::Artifact;
use proptest::prelude::*;

use crate::{fixtures::*, tarball::gzip};

static ARTIFACT: LazyLock<Artifact> = LazyLock::new(pipeline_artifact);
static TARBALL: LazyLock<Vec<u8>> = LazyLock::new(|| ARTIFACT.to_tar_gz_bytes().unwrap());
static FILES: LazyLock<Files> = LazyLock::new(|| files(&ARTIFACT));
static TAR: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut tar = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(TARBALL.as_slice()), &mut tar).unwrap();
    tar
});

/// What may be done to bytes.
#[derive(Debug, Clone)]
enum Damage {
    Flip(usize, u8),
    Truncate(usize),
    Append(Vec<u8>),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    Swap(usize, usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<usize>(), 1..=u8::MAX).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        1 => any::<usize>().prop_map(Damage::Truncate),
        1 => prop::collection::vec(any::<u8>(), 1..2000).prop_map(Damage::Append),
        1 => (any::<usize>(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (any::<usize>(), 1..600_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        1 => (any::<usize>(), any::<usize>(), 1..513_usize).prop_map(|(a, b, length)| Damage::Swap(a, b, length)),
    ]
}

fn damaged(bytes: &[u8], damage: &Damage) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let length = bytes.len();
    match damage {
        Damage::Flip(at, mask) => bytes[at % length] ^= mask,
        Damage::Truncate(at) => bytes.truncate(at % length),
        Damage::Append(more) => bytes.extend(more),
        Damage::Insert(at, more) => drop(bytes.splice(at % length..at % length, more.iter().copied())),
        Damage::Remove(at, count) => drop(bytes.drain(at % length..(at % length + count).min(length))),
        Damage::Swap(a, b, count) => {
            let count = *count.min(&(length / 2));
            let (a, b) = (a % (length - count), b % (length - count));
            (0..count).for_each(|offset| bytes.swap(a + offset, b + offset));
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_damaged_tarball_is_refused_or_the_same_artifact(damage in damage()) {
        let bytes = damaged(&TARBALL, &damage);
        if let Ok(artifact) = reader().read_tar_gz_bytes(&bytes) {
            prop_assert_eq!(&artifact, &*ARTIFACT);
        }
    }

    #[test]
    fn damage_below_the_compression_is_refused_or_seen_in_the_id(damage in damage()) {
        let bytes = gzip(&damaged(&TAR, &damage));
        if let Ok(artifact) = reader().read_tar_gz_bytes(&bytes) {
            // What the manifest says of the training cannot be checked, but the model is the same, and so is the rest
            // when the id is.
            assert_same_answers(artifact.model(), ARTIFACT.model());
            prop_assert_eq!(artifact.model_id() == ARTIFACT.model_id(), artifact == *ARTIFACT);
        }
    }

    #[test]
    fn every_truncation_is_refused(at in any::<prop::sample::Index>()) {
        prop_assert!(reader().read_tar_gz_bytes(&TARBALL[..at.index(TARBALL.len())]).is_err());
    }

    #[test]
    fn whatever_is_appended_is_refused(more in prop::collection::vec(any::<u8>(), 1..50)) {
        prop_assert!(reader().read_tar_gz_bytes(&[TARBALL.as_slice(), &more].concat()).is_err());
    }

    #[test]
    fn forged_files_never_panic(name in 0_usize..3, damage in damage()) {
        let name = ["plan.msgpack", "forest.msgpack", "probe.msgpack"][name];
        let mut files = FILES.clone();
        let bytes = damaged(&files[name], &damage);
        forge(&mut files, name, bytes);
        if let Ok(artifact) = read_files(&files) {
            prop_assert_eq!(artifact.manifest().model, ARTIFACT.manifest().model);
        }
    }

    #[test]
    fn damaged_manifests_never_panic(damage in damage()) {
        let mut files = FILES.clone();
        let bytes = damaged(&files["manifest.json"], &damage);
        files.insert("manifest.json".to_owned(), bytes);
        if let Ok(artifact) = read_files(&files) {
            assert_same_answers(artifact.model(), ARTIFACT.model());
        }
    }
}
