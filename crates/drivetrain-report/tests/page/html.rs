//! What is in the file.

use std::collections::BTreeMap;

use drivetrain_report::{Report, ReportError, compare};
use proptest::prelude::*;

use crate::sample;

#[test]
fn the_page_needs_nothing_else() {
    let page = sample::report("first").to_html().unwrap();
    for outside in ["<script", "<link", "<img", "url(", "@import", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    // The one address is the name of a namespace, which nobody fetches.
    let addresses: Vec<_> = page.match_indices("http").map(|(at, _)| &page[at..at + 26]).collect();
    assert!(addresses.iter().all(|address| *address == "http://www.w3.org/2000/svg"), "{addresses:?}");
}

#[test]
fn every_chart_says_what_it_shows() {
    let page = sample::report("first").to_html().unwrap();
    let charts = page.matches("<svg").count();
    assert_eq!(charts, 9);
    assert_eq!(page.matches("<svg role=\"img\" aria-label=\"").count(), charts);
    assert!(page.contains("Residuals by origin. America: "), "a mean for each group");
}

#[test]
fn the_worst_rows_come_first() {
    let report = sample::report("first");
    let page = report.to_html().unwrap();
    let worst = report.predictions.iter().max_by(|a, b| a.residual().abs().total_cmp(&b.residual().abs())).unwrap();
    let list = &page[page.find("largest errors").unwrap()..];
    let row = &list[list.find("<tbody><tr>").unwrap()..];
    let row = &row[..row.find("</tr>").unwrap()];
    assert!(row.contains(&format!("<th scope=\"row\">{}<", worst.label)), "{row}");
    // With the sign that the charts above have.
    assert!(list.contains(">true - predicted<") && row.contains(&format!(">{:+.1}<", worst.residual())), "{row}");
}

#[test]
fn what_a_run_does_not_know_is_left_out() {
    let page = Report { run: "bare".into(), ..Report::default() }.to_html().unwrap();
    assert!(page.contains("bare") && !page.contains("<section") && !page.contains("<svg"), "{page}");
}

#[test]
fn few_rows_and_equal_values_are_drawn() {
    let mut report = sample::report("few");
    report.predictions.truncate(1);
    report.predictions[0].predicted = report.predictions[0].truth;
    for importance in &mut report.importances {
        (importance.permutation, importance.deviation) = (0.0, 0.0);
    }
    report.dependence[0].mean.fill(1.0);
    report.dependence[0].rows.clear();
    let page = report.to_html().unwrap();
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn the_data_comes_back_from_json() {
    let report = sample::report("first");
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    assert!(serde_json::from_str::<Report>(&text.replacen("\"run\"", "\"rum\"", 1)).is_err());
}

#[test]
fn numbers_that_no_chart_can_show_are_refused_with_their_place() {
    let mut report = sample::report("first");
    report.predictions[3].predicted = f64::NAN;
    let error = report.to_html().unwrap_err();
    assert!(matches!(error, ReportError::NotFinite { .. }) && error.to_string().contains("prediction 3"), "{error}");

    let mut report = sample::report("first");
    report.dependence[0].rows[2].pop();
    let error = report.to_html().unwrap_err().to_string();
    assert_eq!(error, "the dependence on `weight` has 24 values where 25 are needed");
}

#[test]
fn two_runs_are_compared_row_by_row() {
    let (first, mut second) = (sample::report("first"), sample::report("second"));
    second.parameters = BTreeMap::from([("n_estimators".into(), "300".into()), ("seed".into(), "42".into())]);
    second.predictions[7].predicted += 9.0;
    let page = compare(&first, &second).unwrap();
    let parameters = &page[page.find("Parameters").unwrap()..];
    assert!(parameters.find("n_estimators") < parameters.find("seed"), "what differs comes first");
    let rows = &page[page.find("Where they differ most").unwrap()..];
    let first_row = &rows[rows.find("<tbody>").unwrap()..][..120];
    assert!(first_row.contains("a car of some make 7<") && rows.contains("+9.0"), "{first_row}");
}

proptest! {
    #[test]
    fn names_of_any_kind_mean_only_themselves(name in "\\PC{0,16}") {
        let page = |name: &str| {
            let mut report = sample::report(name);
            report.title = name.to_owned();
            report.groups[1] = name.to_owned();
            report.predictions[0].label = name.to_owned();
            report.importances[0].column = name.to_owned();
            report.to_html().unwrap()
        };
        // What begins an element is the same, whatever the names are.
        prop_assert_eq!(page(&name).matches('<').count(), page("x").matches('<').count());
    }
}
