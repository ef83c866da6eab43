use clap::{CommandFactory, Parser};

use super::*;

fn parse(line: &str) -> Result<Command, String> {
    let words = std::iter::once("xtask").chain(line.split_whitespace());
    Cli::try_parse_from(words).map(|cli| cli.command).map_err(|error| error.to_string())
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_teaches() {
    for mut command in Cli::command().get_subcommands().cloned().collect::<Vec<_>>() {
        let help = command.render_long_help().to_string();
        assert!(help.contains("Example"), "{help}");
        // What keeps nothing in the store says which other program it runs.
        let named = ["--store", "--python", "--engine"].iter().any(|flag| help.contains(flag));
        assert!(named || command.has_subcommands(), "{help}");
    }
}

#[test]
fn defaults_are_those_the_help_names() {
    let Ok(Command::Pipeline(args)) = parse("pipeline") else { panic!("pipeline without flags is refused") };
    assert_eq!(args.seed.seed, DEFAULT_SEED);
    assert_eq!(args.data.data, DataSource::Bundled);
    assert_eq!((args.data.train_fraction.as_str(), args.data.test_rows.as_str()), ("0.8", "10"));
    assert_eq!((args.forest.n_estimators.as_str(), args.forest.max_depth.as_str()), ("100", "none"));
    assert_eq!(args.forest.max_features, "all");
    assert_eq!(args.job.build.profile(), None);
}

#[test]
fn good_values_are_taken() {
    for line in [
        "pipeline --store /tmp/s --data cars.data --seed 0 --train-fraction 0.5 --test-rows 1 --run-name A-1 --release",
        "pipeline --n-estimators 1 --hosts 2 --max-depth 3 --max-features sqrt --profile bench",
        "train --max-features log2 --max-depth none",
        "train --max-features 3",
        "train --max-features 0.5 --seed 18446744073709551615",
        "acquire --data https://example.org/auto-mpg.data",
        "process --run-name x",
        "predict --run-name x --target-dir /tmp/t",
        "evaluate --folds 5 --repeats 2 --seed 1 --search 4 --grid {} --n-estimators 9 --last-year 80",
        "pipeline --reproduce first --run-name second",
        "evaluate --reproduce first --run-name second",
        "experiments list --store /tmp/s",
        "experiments compare a b",
        "bench pipeline --rounds 3 --python python3.12 --release",
        "bench evaluate --rounds 1 --quick",
        "bench serve --rounds 1 --seconds 2 --connections 8 --release",
        "bench serve --requests 1000000 --engine drivetrain",
        "bench transform --rows 1000,2000 --threads 1,2 --engine featrs --engine scikit-learn",
        "bench forest --rows 20000 --trees 3 --patience 10 --out /tmp/r",
        "bench forest --rows 1000000 --cells depth10,depth10-third --threads 1",
        "bench artifact --rows 500 --trees 5 --quick",
        "bench all --quick --release",
        "bench report",
        "report",
        "report --run x --store /tmp/s",
        "report compare a b",
        "parity --seed 7 --python python3.12",
        "image --tag registry.example.org/x:1 --engine docker --profile dev",
        "clients --image drivetrain --python python3.12",
        "clients --only-install",
    ] {
        assert!(parse(line).is_ok(), "{line}: {:?}", parse(line));
    }
}

#[test]
fn bad_values_are_refused_with_their_flag_and_a_reason() {
    for (line, flag, reason) in [
        ("acquire --train-fraction 0", "--train-fraction", "between 0 and 1"),
        ("acquire --train-fraction 1", "--train-fraction", "between 0 and 1"),
        ("acquire --train-fraction NaN", "--train-fraction", "between 0 and 1"),
        ("acquire --train-fraction=-0.5", "--train-fraction", "between 0 and 1"),
        ("acquire --test-rows 0", "--test-rows", "at least 1"),
        ("acquire --test-rows 1.5", "--test-rows", "at least 1"),
        ("acquire --seed x", "--seed", "invalid digit"),
        ("train --n-estimators 0", "--n-estimators", "from 1 to 1000000"),
        ("train --n-estimators 2000000", "--n-estimators", "from 1 to 1000000"),
        ("train --hosts 0", "--hosts", "from 1 to 20"),
        ("pipeline --hosts 21", "--hosts", "from 1 to 20"),
        ("train --max-depth 0", "--max-depth", "`none` or a whole number"),
        ("train --max-features 0", "--max-features", "`sqrt`"),
        ("train --max-features 1.0", "--max-features", "`sqrt`"),
        ("train --max-features half", "--max-features", "`sqrt`"),
        ("train --run-name auto_mpg", "--run-name", "letters, digits and hyphens"),
        ("train --run-name a-", "--run-name", "begin and end"),
        ("bench forest --rows 5", "--rows", "100..=100000000"),
        ("bench forest --threads 0", "--threads", "1..=1024"),
        ("bench forest --cells depth11", "--cells", "depth10-third"),
        ("bench artifact --trees 0", "--trees", "non-zero"),
        ("bench transform --rounds 0", "--rounds", "non-zero"),
        ("bench serve --seconds 1 --requests 5", "--requests", "cannot be used with"),
        ("pipeline --release --profile x", "--release", "cannot be used with"),
        ("evaluate --folds 0", "--folds", "at least 1"),
        ("evaluate --grid {}", "--search", "required"),
        ("pipeline --reproduce first --seed 7", "--reproduce", "cannot be used with"),
        ("evaluate --reproduce first --folds 3", "--reproduce", "cannot be used with"),
        ("predict --seed 1", "--seed", "unexpected argument"),
    ] {
        let error = parse(line).unwrap_err();
        assert!(error.contains(flag) && error.contains(reason), "{line}: {error}");
    }
}

#[test]
fn run_names_leave_room_for_the_names_of_their_jobs() {
    let longest = "x".repeat(54);
    let name: RunName = longest.parse().unwrap();
    assert!(name.job().with_suffix("evaluate").is_ok());
    assert!(format!("{longest}x").parse::<RunName>().unwrap_err().contains("at most 54"));
}

#[test]
fn data_is_bundled_a_url_or_a_path() {
    let source = |text: &str| text.parse::<DataSource>().unwrap();
    assert_eq!(source("bundled"), DataSource::Bundled);
    assert_eq!(source("http://h/x"), DataSource::Url("http://h/x".into()));
    assert_eq!(source("./bundled"), DataSource::File("./bundled".into()));
}
