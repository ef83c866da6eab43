//! What becomes of measurements: files, charts, a page, and tables on the terminal.

use std::fs;
use std::path::{Path, PathBuf};

use drivetrain_bench::results::Results;
use drivetrain_bench::{Summary, Table, chart, page as markdown};

use crate::cli::TurnsArgs;
use crate::error::Error;
use crate::layout::workspace_root;
use crate::report::{self, Side};

/// Where measurements are kept that count.
const RESULTS: &str = "benches/results";
const PAGE: &str = "BENCHMARKS.md";
/// The order of the suites on the page; others follow.
const ORDER: [&str; 6] = ["pipeline", "evaluate", "transform", "forest", "artifact", "serve"];

/// Keeps the measurements of a suite and writes the page; the text is the suite's tables.
pub(super) fn keep(results: &Results, args: &TurnsArgs) -> Result<String, Error> {
    keep_some(results, args, false)
}

/// The same of measurements that are a part of the suite's, or all of them.
pub(super) fn keep_some(results: &Results, args: &TurnsArgs, is_part: bool) -> Result<String, Error> {
    let scratch = workspace_root().join("target").join("bench").join("results");
    // A part of the measurements must not replace all of them.
    let partial = (args.quick || !args.engines.is_empty() || is_part).then_some(scratch.as_path());
    let folder = args.out.as_deref().or(partial);
    let path = results.write(&folder_or_default(folder))?;
    let note = page(folder)?;
    let summary = Summary::new(results);
    let mut text = format!("\n{}\n\n", results.run.title);
    text.extend(summary.tables().iter().map(terminal));
    text.extend(summary.warnings().iter().map(|warning| format!("warning: {warning}\n")));
    text.extend(results.run.notes.iter().map(|note| format!("* {note}\n")));
    text.push_str(&format!("\nThe measurements are in {}\n{note}", path.display()));
    Ok(text)
}

fn folder_or_default(folder: Option<&Path>) -> PathBuf {
    folder.map_or_else(|| workspace_root().join(RESULTS), Path::to_path_buf)
}

/// Draws the charts and writes the page from all measurements in a folder; the text says where it is.
pub(super) fn page(folder: Option<&Path>) -> Result<String, Error> {
    let results = folder_or_default(folder);
    // The page of the measurements that count stands in the root, any other beside its measurements.
    let (path, links) = match folder {
        None => (workspace_root().join(PAGE), format!("{RESULTS}/")),
        Some(folder) => (folder.join(PAGE), String::new()),
    };
    let mut all = read_all(&results)?;
    let place = |suite: &str| ORDER.iter().position(|name| *name == suite).unwrap_or(ORDER.len());
    all.sort_by_key(|results| place(&results.run.suite));
    for one in &all {
        let svg = chart::svg(&Summary::new(one))?;
        write(&results.join(format!("{}.svg", one.run.suite)), &svg)?;
    }
    write(&path, &markdown::render(&all, |suite| Some(format!("{links}{suite}.svg"))))?;
    Ok(format!("The page is {}\n", path.display()))
}

fn read_all(folder: &Path) -> Result<Vec<Results>, Error> {
    let unreadable = |source| Error::Read { path: folder.to_path_buf(), source };
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            all.push(Results::read(&path)?);
        }
    }
    all.sort_by(|a, b| a.run.suite.cmp(&b.run.suite));
    Ok(all)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|source| Error::Write { path: path.to_path_buf(), source })
}

fn terminal(table: &Table) -> String {
    let sides: Vec<Side> =
        (0..table.header.len()).map(|column| if column == 0 { Side::Left } else { Side::Right }).collect();
    let header: Vec<&str> = table.header.iter().map(String::as_str).collect();
    let mut shown = report::Table::new(&table.title, &sides).header(&header);
    for row in &table.rows {
        shown.row(row.clone());
    }
    shown.render(report::for_stdout())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_written_beside_its_measurements() {
        let folder = tempfile::tempdir().unwrap();
        let lines = r#"{"run":{"suite":"sort","title":"Sorting","about":"","notes":[],"ours":"drivetrain","command":"","date":"","machine":{"cpu":"","cores":1,"system":""},"versions":{}}}
{"name":"all","rows":10,"threads":1,"engine":"drivetrain","round":1,"op":"sort","seconds":0.5,"repeats":1}
"#;
        fs::write(folder.path().join("sort.jsonl"), lines).unwrap();
        let text = page(Some(folder.path())).unwrap();
        assert!(text.contains("BENCHMARKS.md"));
        let page = fs::read_to_string(folder.path().join(PAGE)).unwrap();
        assert!(page.contains("](sort.svg)") && page.contains("| drivetrain | 500 ms |"), "{page}");
        assert!(fs::read_to_string(folder.path().join("sort.svg")).unwrap().starts_with("<svg"));
    }
}
