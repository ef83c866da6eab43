use std::fs;

use super::*;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

/// The same behaviour is asked of every backend.
fn each_store(test: impl Fn(&Store, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("made/on/demand");
    for location in [local.to_str().unwrap(), "memory:"] {
        let mut store = Store::open(location).unwrap();
        store.part = 64;
        let scratch = tempfile::tempdir().unwrap();
        test(&store, scratch.path());
    }
}

#[test]
fn files_come_back_as_they_went_in() {
    each_store(|store, scratch| {
        for (name, size) in [("empty", 0), ("small", 10), ("one-part", 64), ("two-parts", 128), ("more", 64 * 9 + 17)] {
            let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
            let source = scratch.join(name);
            fs::write(&source, &bytes).unwrap();
            let put = store.put_file(&key(name), &source).unwrap();
            let got = store.get_file(&key(name), &scratch.join("deep/er").join(name)).unwrap();
            assert_eq!(put, got);
            assert_eq!(put.size, size as u64);
            assert_eq!(put.sha256, Sha256::of(&bytes));
            assert_eq!(store.digest(&key(name)).unwrap(), put.sha256);
            assert!(fs::read(scratch.join("deep/er").join(name)).unwrap() == bytes);
        }
    });
}

#[test]
fn a_later_write_replaces_an_earlier_one() {
    each_store(|store, _| {
        store.put_bytes(&key("a/b"), b"first, longer".to_vec()).unwrap();
        store.put_bytes(&key("a/b"), b"second".to_vec()).unwrap();
        assert_eq!(store.get_bytes(&key("a/b"), 100).unwrap(), b"second");
        assert_eq!(store.list(&key("a")).unwrap().len(), 1);
    });
}

#[test]
fn listings_are_sorted_deep_and_by_whole_segment() {
    each_store(|store, _| {
        for name in ["a/c/x", "a/b", "a/c/w", "ab/c", "z"] {
            store.put_bytes(&key(name), vec![1]).unwrap();
        }
        let keys: Vec<_> = store.list(&key("a")).unwrap().into_iter().map(|o| String::from(o.key)).collect();
        assert_eq!(keys, ["a/b", "a/c/w", "a/c/x"]);
        assert!(store.list(&key("nothing")).unwrap().is_empty());
    });
}

#[test]
fn a_prefix_is_an_object_or_a_folder() {
    each_store(|store, scratch| {
        store.put_bytes(&key("raw/one.data"), vec![1]).unwrap();
        store.put_bytes(&key("raw/deep/two.data"), vec![2]).unwrap();
        store.get_prefix(&key("raw/one.data"), &scratch.join("object")).unwrap();
        assert_eq!(fs::read(scratch.join("object/one.data")).unwrap(), [1]);
        assert_eq!(store.get_prefix(&key("raw"), &scratch.join("folder")).unwrap().len(), 2);
        assert_eq!(fs::read(scratch.join("folder/deep/two.data")).unwrap(), [2]);
        let error = store.get_prefix(&key("ra"), &scratch.join("none")).unwrap_err();
        assert!(matches!(error, RunnerError::NothingUnderPrefix { .. }), "{error}");
    });
}

#[test]
fn a_directory_goes_up_with_its_folders_and_without_its_links() {
    each_store(|store, scratch| {
        fs::create_dir_all(scratch.join("out/sub")).unwrap();
        fs::write(scratch.join("out/b.csv"), "b").unwrap();
        fs::write(scratch.join("out/sub/a.csv"), "a").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("b.csv", scratch.join("out/link.csv")).unwrap();
        let (stored, skipped) = store.put_directory(&key("up"), &scratch.join("out")).unwrap();
        let keys: Vec<_> = stored.iter().map(|o| o.key.as_str()).collect();
        assert_eq!(keys, ["up/b.csv", "up/sub/a.csv"]);
        #[cfg(unix)]
        assert_eq!(skipped, [scratch.join("out/link.csv")]);
    });
}

#[test]
fn a_bad_file_name_stops_the_upload_before_it_begins() {
    each_store(|store, scratch| {
        fs::create_dir_all(scratch.join("out")).unwrap();
        fs::write(scratch.join("out/a.csv"), "a").unwrap();
        fs::write(scratch.join("out/b#1"), "b").unwrap();
        assert!(store.put_directory(&key("up"), &scratch.join("out")).is_err());
        assert!(store.list(&key("up")).unwrap().is_empty());
    });
}

#[test]
fn what_is_absent_or_too_large_is_said_and_nothing_is_left() {
    each_store(|store, scratch| {
        let error = store.get_file(&key("no/such"), &scratch.join("no/file")).unwrap_err();
        assert!(error.to_string().contains("no/such"), "{error}");
        assert!(matches!(error, RunnerError::ObjectNotFound { .. }));
        assert_eq!(fs::read_dir(scratch.join("no")).unwrap().count(), 0);
        store.put_bytes(&key("big"), vec![0; 11]).unwrap();
        assert!(matches!(store.get_bytes(&key("big"), 10), Err(RunnerError::TooLarge { .. })));
        let error = store.put_file(&key("new"), &scratch.join("absent")).unwrap_err();
        assert!(matches!(error, RunnerError::File { .. }));
        assert!(!store.contains(&key("new")).unwrap());
    });
}

#[test]
fn an_unfinished_write_of_a_killed_process_is_not_an_object() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    // What the backend's staging leaves behind when the process dies between writing and renaming.
    fs::write(folder.path().join("model#1"), "half").unwrap();
    assert!(!store.contains(&key("model")).unwrap());
    store.put_bytes(&key("model"), b"whole".to_vec()).unwrap();
    assert_eq!(store.get_bytes(&key("model"), 10).unwrap(), b"whole");
}
