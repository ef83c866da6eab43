use std::fs;

use super::*;
use crate::tree::Tree;

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
fn what_is_removed_is_gone_and_what_was_never_there_is_no_failure() {
    each_store(|store, _| {
        store.put_bytes(&key("a/b"), vec![1]).unwrap();
        store.remove(&key("a/b")).unwrap();
        assert!(!store.contains(&key("a/b")).unwrap());
        store.remove(&key("a/b")).unwrap();
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
        let tree = Tree::read(&scratch.join("out")).unwrap();
        let stored = store.put_all(&tree.keyed(&key("up")).unwrap(), &key("staging"), None).unwrap();
        let keys: Vec<_> = stored.iter().map(|o| o.key.as_str()).collect();
        assert_eq!(keys, ["up/b.csv", "up/sub/a.csv"]);
        #[cfg(unix)]
        assert_eq!(tree.skipped, [scratch.join("out/link.csv")]);
    });
}

#[test]
fn a_file_whose_name_no_key_has_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("b#1"), "b").unwrap();
    let tree = Tree::read(folder.path()).unwrap();
    assert!(matches!(tree.keyed(&key("up")), Err(RunnerError::Invalid { value, .. }) if value == "up/b#1"));
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

/// Files of these contents, to become objects of these keys.
fn to_upload(scratch: &Path, files: &[(&str, &str)]) -> Vec<(Key, PathBuf)> {
    let file = |(index, (object, content)): (usize, &(&str, &str))| {
        let path = scratch.join(index.to_string());
        fs::write(&path, content).unwrap();
        (key(object), path)
    };
    files.iter().enumerate().map(file).collect()
}

#[test]
fn a_set_of_files_replaces_what_was_there_and_leaves_nothing_beside() {
    each_store(|store, scratch| {
        store.put_bytes(&key("a/1"), b"old".to_vec()).unwrap();
        let files = to_upload(scratch, &[("a/1", "new"), ("b/2", "two"), ("a/3", "three")]);
        let stored = store.put_all(&files, &key("p/staging"), None).unwrap();
        assert_eq!(stored.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["a/1", "b/2", "a/3"]);
        assert_eq!(store.digest(&key("a/1")).unwrap(), Sha256::of(b"new"));
        assert_eq!(stored[0].sha256, Sha256::of(b"new"));
        assert!(store.list(&key("p")).unwrap().is_empty());
        assert!(store.local_path(&key("p/staging")).is_none_or(|path| !path.exists()));
    });
}

#[test]
fn a_set_of_which_one_file_cannot_be_read_changes_nothing() {
    each_store(|store, scratch| {
        store.put_bytes(&key("a/1"), b"old".to_vec()).unwrap();
        let mut files = to_upload(scratch, &[("a/1", "new"), ("a/2", "two")]);
        files.push((key("a/3"), scratch.join("absent")));
        assert!(matches!(store.put_all(&files, &key("p/staging"), None), Err(RunnerError::File { .. })));
        assert_eq!(store.get_bytes(&key("a/1"), 10).unwrap(), b"old");
        assert_eq!(store.list(&key("a")).unwrap().len(), 1);
        assert!(store.list(&key("p")).unwrap().is_empty());
    });
}

#[test]
fn a_set_of_which_one_object_cannot_be_put_in_its_place_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store").to_str().unwrap()).unwrap();
    store.put_bytes(&key("a/1"), b"old".to_vec()).unwrap();
    store.put_bytes(&key("taken"), b"a file, where a folder is needed".to_vec()).unwrap();
    let files = to_upload(folder.path(), &[("a/1", "new"), ("a/2", "two"), ("taken/3", "three"), ("a/4", "four")]);
    let error = store.put_all(&files, &key("p/staging"), None).unwrap_err();
    assert!(matches!(error, RunnerError::StoreAccess { .. }) && error.to_string().contains("taken/3"), "{error}");
    assert_eq!(store.get_bytes(&key("a/1"), 10).unwrap(), b"old");
    assert_eq!(store.list(&key("a")).unwrap().len(), 1);
    assert!(store.list(&key("p")).unwrap().is_empty());
}

/// What a machine that loses its power keeps cannot be seen from here; what the backend was told can.
#[test]
fn a_folder_is_told_to_flush_what_it_writes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    assert!(format!("{store:?}").contains("fsync: true"), "{store:?}");
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
