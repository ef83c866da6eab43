use crate::results::tests::{measurement, results};

use super::*;

#[test]
fn ratios_are_taken_within_a_round() {
    // The second round ran on a machine half as fast: the ratio of the medians would be 2.67.
    let results = results(vec![
        measurement("ours", "sort", 10, 1, 1.0),
        measurement("slow", "sort", 10, 1, 3.0),
        measurement("ours", "sort", 10, 2, 2.0),
        measurement("slow", "sort", 10, 2, 6.0),
        measurement("slow", "sort", 10, 3, 3.0),
    ]);
    let summary = Summary::new(&results);
    let [group] = &summary.groups[..] else { panic!("one operation in one cell") };
    assert_eq!(group.ratio("slow", Some(10)), 3.0);
    assert_eq!(group.ratio("ours", Some(10)), 1.0);
    assert_eq!(group.median("slow", Some(10)), Some(3.0));
    assert_eq!(group.median("slow", Some(20)), None);
}

#[test]
fn sizes_stand_beside_each_other_with_their_growth() {
    let results = results(vec![
        measurement("ours", "sort", 2_000, 1, 0.002),
        measurement("slow", "sort", 2_000, 1, 0.004),
        measurement("ours", "sort", 1_000, 1, 0.001),
        measurement("slow", "sort", 1_000, 1, 0.001),
        measurement("lazy", "sort", 1_000, 1, 0.010),
    ]);
    let tables = Summary::new(&results).tables();
    assert_eq!(tables.len(), 2);
    assert_eq!(tables[0].title, "all, 1 thread: sort");
    assert_eq!(tables[0].header, ["engine", "1,000 rows", "2,000 rows", "growth"]);
    assert_eq!(
        tables[0].rows,
        [
            ["ours", "1.00 ms", "2.00 ms", "1.00"],
            ["slow", "1.00 ms (1.00×)", "4.00 ms (2.00×)", "2.00"],
            ["lazy", "10.0 ms (10.0×)", "-", "-"],
        ]
    );
    // Who was not measured at the largest size has no details there.
    assert_eq!(tables[1].title, "all, 1 thread, 2,000 rows: sort");
    assert_eq!(tables[1].header, ["engine", "median", "fastest", "slowest", "times ours"]);
    assert_eq!(tables[1].rows.len(), 2);
}

#[test]
fn operations_stand_beside_each_other_where_there_is_one_size() {
    let mut checked = measurement("slow", "sort", 10, 1, 3.0);
    checked.reading.check = Some(0.5);
    checked.reading.size_bytes = Some(2_000);
    let results =
        results(vec![measurement("ours", "sort", 10, 1, 1.0), measurement("ours", "find", 10, 1, 2.0), checked]);
    let tables = Summary::new(&results).tables();
    assert_eq!(tables[0].header, ["engine", "sort", "find"]);
    assert_eq!(tables[0].rows, [["ours", "1.00 s", "2.00 s"], ["slow", "3.00 s (3.00×)", "-"]]);
    assert_eq!(tables[1].header, ["engine", "median", "fastest", "slowest", "size", "error", "times ours"]);
    assert_eq!(tables[1].rows[1][4..], ["2.00 kB", "0.500000", "3.00×"]);
}

#[test]
fn what_is_counted_by_the_second_is_shown_so() {
    let rate = |engine: &str, round, per_second| {
        let mut rate = measurement(engine, "requests", 10, round, 1.0);
        rate.reading = crate::Reading { check: Some(0.0), ..crate::Reading::rate("requests", per_second) };
        rate
    };
    let measurements =
        vec![rate("ours", 1, 8_000.0), rate("slow", 1, 400.0), rate("ours", 2, 6_000.0), rate("slow", 2, 400.0)];
    let results = results(measurements);
    let summary = Summary::new(&results);
    assert!(summary.groups[0].is_rate());
    let tables = summary.tables();
    assert_eq!(tables[0].rows[1], ["slow", "400 /s (17.5×)"]);
    assert_eq!(tables[1].rows[0][2..], ["8,000 /s", "6,000 /s", "0", "1.00×"]);
}

#[test]
fn a_loaded_machine_is_told_of() {
    let mut results = results((0..10).map(|round| measurement("ours", "sort", 10, round, 1.0)).collect());
    assert_eq!(Summary::new(&results).warnings(), Vec::<String>::new());
    for one in &mut results.measurements {
        one.reading.preempted_per_second = Some(3.0);
    }
    results.measurements[0].reading.preempted_per_second = Some(400.0);
    assert_eq!(Summary::new(&results).warnings(), Vec::<String>::new());
    results.measurements[1].reading.preempted_per_second = Some(400.0);
    results.run.load_before = Some(1.5);
    let warnings = Summary::new(&results).warnings();
    assert!(warnings[0].contains("load average 1.5 on 2 cores"), "{warnings:?}");
    assert!(warnings[1].contains("2 of 10 measurements"), "{warnings:?}");
}
