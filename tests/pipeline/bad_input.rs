//! Commands that fail: a clear message, a non-zero exit, nothing half-written.

use drivetrain_artifact::npy;
use drivetrain_autompg::BUNDLED;

use crate::command::Workplace;

/// The bundled file with one line replaced.
fn with_line(index: usize, line: &str) -> String {
    let text = String::from_utf8(BUNDLED.to_vec()).unwrap();
    let lines = text.lines().enumerate().map(|(at, original)| if at == index { line } else { original });
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn assert_says(message: &str, expected: &[&str]) {
    for text in expected {
        assert!(message.contains(text), "`{text}` is not in: {message}");
    }
}

#[test]
fn a_raw_file_that_is_not_as_it_should_be() {
    let place = Workplace::with_first_run();
    let acquire = |data: &str| place.fail(&["pipeline", "--run-name", "second", "--data", data]);
    assert_says(&acquire("no-such.data"), &["no-such.data", "No such file"]);

    let path = |name: &str, content: String| place.file(name, content).display().to_string();
    let ragged = path("ragged.data", with_line(6, "14.0   8   454.0      220.0      4354.\t\"chevrolet impala\""));
    assert_says(&acquire(&ragged), &["ragged.data", "line 7"]);
    let text = "14.0   8   454.0      many      4354.       9.0   70  1\t\"chevrolet impala\"";
    let word = path("word.data", with_line(6, text));
    assert_says(&acquire(&word), &["word.data", "line 7", "horsepower", "many"]);
    assert_says(&acquire(&path("empty.data", String::new())), &["empty.data"]);
    assert_says(&acquire("ftp://example.org/auto-mpg.data"), &["ftp://example.org/auto-mpg.data"]);
}

#[test]
fn an_evaluation_that_the_data_does_not_allow() {
    let place = Workplace::new();
    let evaluate = |flags: &[&str]| place.fail(&[&["evaluate"], flags].concat());
    assert_says(&evaluate(&["--folds", "399"]), &["398 rows cannot be split into 399 folds"]);
    assert_says(&evaluate(&["--folds", "300"]), &["n_splits is 300", "two rows and more"]);
    assert_says(&evaluate(&["--last-year", "99"]), &["cut at 99", "0 to score on"]);
    let grid = ["--search", "1", "--grid", "{\"depth\": [4]}", "--folds", "2", "--repeats", "1", "--n-estimators", "1"];
    assert_says(&evaluate(&grid), &["unknown field `depth`"]);
    assert!(!place.object("evaluations").exists());
}

#[test]
fn a_download_with_another_checksum() {
    let place = Workplace::with_first_run();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/auto-mpg.data", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = socket.read(&mut request).unwrap();
        let body =
            with_line(0, "19.0   8   307.0      130.0      3504.      12.0   70  1\t\"chevrolet chevelle malibu\"");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        socket.write_all(format!("{head}{body}").as_bytes()).unwrap();
    });
    let message = place.fail(&["acquire", "--data", &url]);
    server.join().unwrap();
    assert_says(&message, &[&url, drivetrain_autompg::SHA256]);
}

#[test]
fn flags_that_make_no_sense() {
    let place = Workplace::new();
    for (flags, expected) in [
        (["--seed", "lucky"], "--seed"),
        (["--train-fraction", "1.5"], "--train-fraction"),
        (["--test-rows", "0"], "--test-rows"),
        (["--n-estimators", "-1"], "--n-estimators"),
        (["--max-depth", "deep"], "--max-depth"),
        (["--max-features", "most"], "--max-features"),
        (["--run-name", "a/b"], "--run-name"),
        (["--color", "red"], "--color"),
    ] {
        assert_says(&place.fail(&[&["pipeline"][..], &flags].concat()), &[expected]);
    }
    assert_says(&place.fail(&["pipeline", "--test-rows", "80"]), &["398", "80"]);
    assert!(!place.store().join("auto_mpg/data").exists());
}

#[test]
fn rows_that_are_not_as_they_should_be() {
    let place = Workplace::with_first_run();
    let train = place.object("data/bronze/train/train.csv");
    let good = std::fs::read_to_string(&train).unwrap();
    let header = good.lines().next().unwrap();
    let process = |content: &str| {
        place.overwrite("data/bronze/train/train.csv", content);
        place.fail(&["process", "--run-name", "second"])
    };
    assert_says(&process(""), &["train.csv"]);
    assert_says(&process(&format!("{header}\n")), &["train.csv", "no rows"]);
    assert_says(&process(&format!("{header}\n18.0,8,307.0\n")), &["train.csv", "line 2"]);
    assert_says(&process(&good.replacen("weight", "heft", 1)), &["train.csv", "weight"]);
    assert_says(&process(&format!("{header}\n18.0,8,307.0,130.0,heavy,12.0,70,1\n")), &["line 2", "weight", "heavy"]);
    std::fs::remove_file(&train).unwrap();
    assert_says(&place.fail(&["process", "--run-name", "second"]), &["bronze/train"]);
}

#[test]
fn features_that_are_not_finite() {
    let place = Workplace::with_first_run();
    let key = "data/gold/train/train_feats.npy";
    let mut features = npy::read(place.object(key)).unwrap();
    features[(5, 10)] = f64::NAN;
    let changed = place.file("features.npy", "");
    npy::write(&changed, features.view()).unwrap();
    place.overwrite(key, std::fs::read(changed).unwrap());
    let message = place.fail(&["train", "--run-name", "second"]);
    assert_says(&message, &["train_feats.npy", "row 5, column 10", "NaN"]);
}

#[test]
fn a_prediction_without_a_model() {
    let place = Workplace::new();
    assert_says(&place.fail(&["predict"]), &["no trained model", "cargo xtask train"]);
    place.succeed(&["acquire"]);
    assert_says(&place.fail(&["train"]), &["data/gold/train"]);
}

#[test]
fn a_command_that_nobody_listens_to_fails_as_any_other() {
    let place = Workplace::new();
    let mut child = place.command(&["predict"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
