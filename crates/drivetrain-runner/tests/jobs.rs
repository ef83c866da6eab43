//! Jobs whose program is a shell script: what they see, and what becomes of what they leave.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic; clippy exempts only test functions")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use drivetrain_runner::archive::{UnpackLimits, unpack};
use drivetrain_runner::job::{
    Channel, CompletedJob, CompletedTraining, ContainerPath, Platform, ProcessingInput, ProcessingJob,
    ProcessingOutput, TrainingJob,
};
use drivetrain_runner::metrics::{MetricDefinition, MetricDefinitions};
use drivetrain_runner::store::{Key, Store};
use drivetrain_runner::{Interrupt, JobName, Program, RunnerError};
use tempfile::TempDir;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn container_path(text: &str) -> ContainerPath {
    ContainerPath::new(text).unwrap()
}

/// A script that has moved to its `/opt/ml` and stops at the first failure.
fn script(text: &str) -> Program {
    let text = format!("set -e; cd \"$SAGEMAKER_BASE_DIR\"; {text}");
    Program::new("/bin/sh").with_argument("-c").with_argument(text).with_argument("sh").inheriting(["PATH"])
}

/// A store with two objects, and a place for job directories.
struct World {
    store: Store,
    work: TempDir,
    interrupt: Interrupt,
}

impl World {
    fn new() -> Self {
        let store = Store::in_memory().unwrap();
        store.put_bytes(&key("p/data/train/train.csv"), b"1\n2\n".to_vec()).unwrap();
        store.put_bytes(&key("p/data/val/val.csv"), b"3\n".to_vec()).unwrap();
        Self { store, work: tempfile::tempdir().unwrap(), interrupt: Interrupt::new() }
    }

    fn platform(&self) -> Platform<'_> {
        Platform::new(&self.store, key("p"), self.work.path(), self.interrupt.clone()).unwrap()
    }

    fn process(&self, text: &str) -> Result<CompletedJob, RunnerError> {
        self.platform().run_processing(&processing(text), &mut |_| {})
    }

    fn train(&self, text: &str) -> Result<CompletedTraining, RunnerError> {
        self.platform().run_training(&training(text), &mut |_| {})
    }

    fn text(&self, of: &str) -> String {
        String::from_utf8(self.store.get_bytes(&key(of), 1 << 20).unwrap()).unwrap()
    }

    fn keys(&self, below: &str) -> Vec<String> {
        self.store.list(&key(below)).unwrap().into_iter().map(|object| object.key.into()).collect()
    }

    fn unpacked(&self, archive: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let local = folder.path().join("archive");
        self.store.get_file(&key(archive), &local).unwrap();
        unpack(&local, &folder.path().join("content"), &UnpackLimits::default()).unwrap();
        folder
    }

    fn assert_no_job_directory_is_left(&self) {
        assert_eq!(self.work.path().read_dir().unwrap().count(), 0);
    }
}

fn processing(text: &str) -> ProcessingJob {
    let input = |name: &str| ProcessingInput {
        name: name.to_owned(),
        source: key(&format!("p/data/{name}")),
        publication: None,
        destination: container_path(&format!("/opt/ml/processing/input/{name}")),
    };
    ProcessingJob {
        name: JobName::new("a-processing-job").unwrap(),
        program: script(text),
        arguments: vec!["process".into(), "--raw".into(), container_path("/opt/ml/processing/input/train").into()],
        environment: BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]),
        inputs: vec![input("train"), input("val")],
        outputs: vec![ProcessingOutput {
            name: "features".to_owned(),
            source: container_path("/opt/ml/processing/output"),
            destination: key("p/gold"),
        }],
        publication: None,
    }
}

fn training(text: &str) -> TrainingJob {
    let channel = |name: &str, content_type: Option<&str>| Channel {
        name: name.to_owned(),
        source: key(&format!("p/data/{name}")),
        publication: None,
        content_type: content_type.map(str::to_owned),
    };
    TrainingJob {
        name: JobName::new("a-training-job").unwrap(),
        program: script(text),
        hosts: 1,
        channels: vec![channel("train", Some("text/csv")), channel("val", None)],
        hyper_parameters: BTreeMap::from([("n-estimators".to_owned(), "100".to_owned())]),
        environment: BTreeMap::new(),
        metric_definitions: MetricDefinitions::new(vec![
            MetricDefinition::new("train:mae", r"train_mae=([^;]+);").unwrap(),
            MetricDefinition::new("val:mae", r"val_mae=([^;]+);").unwrap(),
        ])
        .unwrap(),
        output: key("p/models"),
    }
}

#[test]
fn a_processing_job_sees_the_platform_and_nothing_else() {
    let world = World::new();
    let script = "env | sort > processing/output/env; \
        cp config/*.json processing/output/; \
        cat processing/input/train/train.csv processing/input/val/val.csv > processing/output/data; \
        printf '%s\\n' \"$@\" > processing/output/arguments; \
        cat \"$3/train.csv\" > processing/output/raw";
    let done = world.process(script).unwrap();

    assert_eq!(world.text("p/gold/data"), "1\n2\n3\n");
    assert_eq!(world.text("p/gold/raw"), "1\n2\n");
    let arguments = world.text("p/gold/arguments");
    assert!(arguments.starts_with("process\n--raw\n/") && arguments.ends_with("/ml/processing/input/train\n"));

    let environment = world.text("p/gold/env");
    let mut names: Vec<_> = environment.lines().filter_map(|line| line.split('=').next()).collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    assert_eq!(names, ["DRIVETRAIN_EXIT_WITH_STDIN", "GREETING", "PATH", "SAGEMAKER_BASE_DIR"]);

    let request: serde_json::Value = serde_json::from_str(&world.text("p/gold/processingjobconfig.json")).unwrap();
    assert_eq!(request["ProcessingJobName"], "a-processing-job");
    assert_eq!(request["AppSpecification"]["ContainerArguments"][2], "/opt/ml/processing/input/train");
    assert_eq!(request["ProcessingInputs"][0]["S3Input"]["S3Uri"], "memory:///p/data/train");
    assert_eq!(request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["LocalPath"], "/opt/ml/processing/output");
    let resources: serde_json::Value = serde_json::from_str(&world.text("p/gold/resourceconfig.json")).unwrap();
    assert_eq!(resources["current_host"], resources["hosts"][0]);

    let keys: Vec<_> = done.outputs.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, world.keys("p/gold"));
    world.assert_no_job_directory_is_left();
}

#[test]
fn a_training_job_sees_what_the_platform_writes() {
    let world = World::new();
    let script = "test \"$1\" = train; \
        env | sort > model/env; cp input/config/*.json model/; \
        cat input/data/train/train.csv input/data/val/val.csv > model/data; \
        test -d output/data; test -d checkpoints";
    let done = world.train(script).unwrap();
    assert_eq!(done.model.key.as_str(), "p/models/a-training-job/output/model.tar.gz");
    assert_eq!(done.job.outputs, std::slice::from_ref(&done.model));

    let model = world.unpacked(done.model.key.as_str());
    let file = |name: &str| std::fs::read_to_string(model.path().join("content").join(name)).unwrap();
    assert_eq!(file("data"), "1\n2\n3\n");
    assert!(file("env").contains("TRAINING_JOB_NAME=a-training-job\n"));
    assert!(file("env").contains("TRAINING_JOB_ARN=arn:aws:sagemaker:"));
    let json = |name: &str| -> serde_json::Value { serde_json::from_str(&file(name)).unwrap() };
    assert_eq!(json("hyperparameters.json"), serde_json::json!({ "n-estimators": "100" }));
    assert_eq!(json("inputdataconfig.json")["train"]["ContentType"], "text/csv");
    assert_eq!(json("inputdataconfig.json")["val"]["TrainingInputMode"], "File");
    assert_eq!(json("resourceconfig.json")["instance_groups"][0]["hosts"], json("resourceconfig.json")["hosts"]);
    world.assert_no_job_directory_is_left();
}

/// A job of three hosts.
fn on_three_hosts(text: &str) -> TrainingJob {
    TrainingJob { hosts: 3, ..training(text) }
}

/// The shell's name for the host it plays.
const HOST: &str = r#"host=$(sed -n 's/.*"current_host": "\(.*\)".*/\1/p' input/config/resourceconfig.json)"#;

#[test]
fn every_host_has_all_the_data_and_the_first_leaves_the_model() {
    let world = World::new();
    let text = format!(
        "{HOST}; echo \"$host has $(cat input/data/train/train.csv | wc -l) rows\"; echo $host > model/host; \
         echo $DRIVETRAIN_HOSTS > model/hosts; cp input/config/resourceconfig.json model/"
    );
    let mut lines = Vec::new();
    let job = on_three_hosts(&text);
    let done = world.platform().run_training(&job, &mut |line| lines.push(line.to_owned())).unwrap();
    lines.sort();
    assert_eq!(lines, ["algo-1 has 2 rows", "algo-2 has 2 rows", "algo-3 has 2 rows"]);
    let model = world.unpacked(done.model.key.as_str());
    let file = |name: &str| std::fs::read_to_string(model.path().join("content").join(name)).unwrap();
    assert_eq!(file("host"), "algo-1\n");
    let hosts = file("hosts");
    let names: Vec<_> = hosts.split(',').map(|pair| pair.split_once("=127.0.0.1:").unwrap().0).collect();
    assert_eq!(names, ["algo-1", "algo-2", "algo-3"]);
    let resources: serde_json::Value = serde_json::from_str(&file("resourceconfig.json")).unwrap();
    assert_eq!(resources["hosts"], serde_json::json!(names));
    let logs: Vec<_> = ["log-algo-2.txt", "log-algo-3.txt", "log.txt"]
        .iter()
        .map(|log| format!("p/jobs/a-training-job/{log}"))
        .collect();
    assert_eq!(world.keys("p/jobs"), logs);
    assert_eq!(world.text(&logs[0]), "algo-2 has 2 rows\n");
    world.assert_no_job_directory_is_left();
}

#[test]
fn a_host_that_fails_stops_the_others_and_the_job_has_failed() {
    let world = World::new();
    let text = format!(
        "{HOST}; echo m > model/m; test $host != algo-2 || {{ echo broken > output/failure; exit 3; }}; sleep 600"
    );
    let error = world.platform().run_training(&on_three_hosts(&text), &mut |_| {}).unwrap_err();
    let RunnerError::JobFailed { status, log, source, .. } = &error else { panic!("{error}") };
    assert!(status.contains('3') && status.ends_with("on algo-2"), "{status}");
    assert!(log.ends_with("log-algo-2.txt"), "{log}");
    assert_eq!(source.text, "broken");
    assert!(world.keys("p/models").is_empty());
    world.assert_no_job_directory_is_left();
}

#[test]
fn metrics_come_from_both_streams_of_the_log_in_order() {
    let world = World::new();
    let done = world
        .train(
            "echo m > model/m; echo 'train_mae=0.76;  val_mae=1.14;'; echo 'val_mae=1.5;' >&2; echo 'train_mae=0.5;'",
        )
        .unwrap();
    let found: Vec<_> = done.metrics.iter().map(|metric| (metric.name.as_str(), metric.value)).collect();
    assert_eq!(found, [("train:mae", 0.76), ("val:mae", 1.14), ("val:mae", 1.5), ("train:mae", 0.5)]);
    assert_eq!(done.job.log.key.as_str(), "p/jobs/a-training-job/log.txt");
    assert!(world.text("p/jobs/a-training-job/log.txt").contains("val_mae=1.5;\ntrain_mae=0.5;\n"));
}

#[test]
fn the_log_is_seen_while_it_grows() {
    let world = World::new();
    let mut lines = Vec::new();
    let job = processing("echo one; echo two >&2; echo three > processing/output/x");
    world.platform().run_processing(&job, &mut |line| lines.push(line.to_owned())).unwrap();
    assert_eq!(lines, ["one", "two"]);
}

#[test]
fn the_model_is_the_same_bytes_every_time() {
    let text = "mkdir model/code; echo b > model/b; echo a > model/code/a; echo d > output/data/metrics.json";
    let (first, second) = (World::new(), World::new());
    let (one, two) = (first.train(text).unwrap(), second.train(text).unwrap());
    assert_eq!(one.model, two.model);
    assert_eq!(one.job.outputs, two.job.outputs);
    let data = first.unpacked("p/models/a-training-job/output/output.tar.gz");
    assert_eq!(std::fs::read_to_string(data.path().join("content/metrics.json")).unwrap(), "d\n");
}

#[test]
fn a_failed_job_says_why_keeps_its_log_and_uploads_nothing() {
    let world = World::new();
    let text = "echo half > processing/output/half; echo half > model 2>/dev/null; echo working; \
        echo ' column `mpg`, row 3: not a number ' > output/message; exit 3";
    let error = world.process(text).unwrap_err();
    let RunnerError::JobFailed { kind, job, status, log, source } = &error else { panic!("{error}") };
    assert_eq!((*kind, job.as_str()), ("processing", "a-processing-job"));
    assert!(status.contains('3'), "{status}");
    assert_eq!(log, "memory:///p/jobs/a-processing-job/log.txt");
    assert_eq!(source.text, "column `mpg`, row 3: not a number");
    assert_eq!(world.text("p/jobs/a-processing-job/log.txt"), "working\n");

    let error = world.train("echo m > model/m; echo d > output/data/d; echo bad > output/failure; exit 1").unwrap_err();
    let RunnerError::JobFailed { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.text, "bad");

    assert!(world.keys("p/gold").is_empty());
    assert!(world.keys("p/models").is_empty());
    world.assert_no_job_directory_is_left();
}

#[test]
fn outputs_of_which_one_cannot_be_uploaded_leave_the_store_as_it_was() {
    let world = World::new();
    world.process("echo old > processing/output/a").unwrap();
    let mut job =
        processing("echo new > processing/output/a; echo b > processing/output/b; echo c > processing/more/c#1");
    job.outputs.push(ProcessingOutput {
        name: "more".to_owned(),
        source: container_path("/opt/ml/processing/more"),
        destination: key("p/more"),
    });
    let error = world.platform().run_processing(&job, &mut |_| {}).unwrap_err();
    assert!(matches!(error, RunnerError::Invalid { .. }), "{error}");
    assert_eq!(world.keys("p/gold"), ["p/gold/a"]);
    assert_eq!(world.text("p/gold/a"), "old\n");
    assert_eq!(world.keys("p/jobs"), ["p/jobs/a-processing-job/log.txt"]);
}

#[test]
fn without_a_failure_file_the_end_of_the_log_is_the_reason() {
    let world = World::new();
    let error = world.process("echo first; echo 'the last word' >&2; kill -9 $$").unwrap_err();
    let RunnerError::JobFailed { status, source, .. } = &error else { panic!("{error}") };
    assert!(status.contains("signal"), "{status}");
    assert_eq!(source.text, "first\nthe last word");
    let long = world.process("head -c 5000 /dev/zero | tr '\\0' x > output/message; exit 1").unwrap_err();
    let RunnerError::JobFailed { source, .. } = &long else { panic!("{long}") };
    assert_eq!(source.text.len(), 1_024);
}

#[test]
fn a_training_job_without_a_model_is_no_success() {
    let world = World::new();
    let error = world.train("echo d > output/data/d").unwrap_err();
    assert!(matches!(error, RunnerError::EmptyModel { .. }), "{error}");
    assert!(world.keys("p/models").is_empty());
}

#[test]
fn links_are_left_out_and_named() {
    let world = World::new();
    let done = world.process("echo a > processing/output/a; ln -s /etc/passwd processing/output/b").unwrap();
    assert_eq!(world.keys("p/gold"), ["p/gold/a"]);
    assert!(done.skipped[0].ends_with("processing/output/b"));
}

#[test]
fn an_exit_message_of_a_success_is_kept() {
    let world = World::new();
    assert_eq!(world.process("echo 'all well' > output/message").unwrap().exit_message.as_deref(), Some("all well"));
    assert_eq!(world.process("true").unwrap().exit_message, None);
}

#[test]
fn missing_inputs_and_impossible_requests_never_start() {
    let world = World::new();
    let mut job = processing("touch /nowhere/at/all");
    job.inputs[0].source = key("p/data/tra");
    let error = world.platform().run_processing(&job, &mut |_| {}).unwrap_err();
    assert!(matches!(error, RunnerError::NothingUnderPrefix { .. }), "{error}");

    let mut job = processing("true");
    job.arguments = vec!["x".into(); 101];
    let error = world.platform().run_processing(&job, &mut |_| {}).unwrap_err();
    assert!(matches!(error, RunnerError::InvalidJob { .. }), "{error}");

    let mut job = processing("true");
    job.program = Program::new("/no/such/program");
    let error = world.platform().run_processing(&job, &mut |_| {}).unwrap_err();
    assert!(matches!(error, RunnerError::Spawn { .. }), "{error}");
    world.assert_no_job_directory_is_left();
}

/// Whether the process a script wrote the number of is still there, zombies apart.
fn is_alive(pid: &Path) -> bool {
    let pid = std::fs::read_to_string(pid).unwrap();
    let output = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid.trim()]).output().unwrap();
    let state = String::from_utf8(output.stdout).unwrap();
    !state.trim().is_empty() && !state.trim_start().starts_with('Z')
}

fn eventually(condition: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn what_a_job_leaves_running_ends_with_it() {
    let world = World::new();
    let outside = tempfile::tempdir().unwrap();
    let pid = outside.path().join("pid");
    world.process(&format!("sleep 600 & echo $! > '{}'", pid.display())).unwrap();
    assert!(eventually(|| !is_alive(&pid)));
}

/// The variable that tells [`a_runner_to_be_killed`] where the job leaves its traces.
const TRACES: &str = "DRIVETRAIN_TEST_TRACES";

#[test]
fn a_job_learns_that_its_runner_was_killed() {
    let traces = tempfile::tempdir().unwrap();
    let mut runner = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_runner_to_be_killed", "--ignored"])
        .env(TRACES, traces.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    assert!(eventually(|| traces.path().join("started").exists()));
    std::thread::sleep(Duration::from_millis(50));
    assert!(!traces.path().join("ended").exists());
    runner.kill().unwrap();
    runner.wait().unwrap();
    assert!(eventually(|| traces.path().join("ended").exists()));
}

/// Runs a job that honours the end of its standard input, as it is told to.
#[test]
#[ignore = "the process that the test above kills"]
fn a_runner_to_be_killed() {
    let traces = std::env::var(TRACES).unwrap();
    let text =
        format!("touch '{traces}/started'; test \"$DRIVETRAIN_EXIT_WITH_STDIN\" = 1; cat; touch '{traces}/ended'");
    World::new().process(&text).unwrap();
}

#[test]
fn an_interrupt_stops_the_job_and_its_children_and_uploads_nothing() {
    let world = World::new();
    let outside = tempfile::tempdir().unwrap();
    let pid = outside.path().join("pid");
    let text = format!(
        "echo half > processing/output/half; trap 'echo stopping; exit 0' TERM; sleep 600 & echo $! > '{0}.new'; \
         mv '{0}.new' '{0}'; wait",
        pid.display()
    );
    let error = std::thread::scope(|scope| {
        let job = scope.spawn(|| world.process(&text));
        assert!(eventually(|| pid.exists()));
        world.interrupt.request();
        job.join().unwrap()
    })
    .unwrap_err();
    assert!(matches!(error, RunnerError::Interrupted { .. }), "{error}");
    assert!(eventually(|| !is_alive(&pid)));
    assert_eq!(world.text("p/jobs/a-processing-job/log.txt"), "stopping\n");
    assert!(world.keys("p/gold").is_empty());
    world.assert_no_job_directory_is_left();
}
