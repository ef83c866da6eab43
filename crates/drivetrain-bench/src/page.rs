//! One Markdown page of all results.

use crate::results::Results;
use crate::summary::{Summary, overview};
use crate::{Group, Run, Table, units};

const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench`; edits are lost at the next run. `cargo xtask bench all` measures everything again,
`cargo xtask bench report` only writes this page again from the [raw measurements](benches/results).

Every engine has a process of its own for every cell, and the processes take turns: all engines do the first round, then all
do the second. Input data lies in memory, in the form that the engine likes best, before the clock starts. Work that takes
less than a fifth of a second is repeated until that has passed; the first time warms up and does not count. Times are medians
over the rounds; in brackets stands how many times ours that is, the median of what it was in each round. *Growth* is the
power of the number of rows with which the time grows: 1.00 is linear. *CPU* is the time of all threads on a processor.
*Memory* is what the process held at the peak beyond what it held before, its input included in that; where whole programs are
compared, what all of their processes held together.
";

/// The page, with a section for each suite. `charts` says where a suite's chart is, if it has one.
#[must_use]
pub fn render(all: &[Results], charts: impl Fn(&str) -> Option<String>) -> String {
    let mut text = HEAD.to_owned();
    for results in all {
        let summary = Summary::new(results);
        text.push_str(&format!("\n## {}\n\n{}\n", results.run.title, results.run.about));
        if let Some(chart) = charts(&results.run.suite) {
            text.push_str(&format!("\n![{}: times by engine]({chart})\n", results.run.title));
        }
        text.push_str(&circumstances(&results.run));
        for warning in summary.warnings() {
            text.push_str(&format!("\n> **Take care:** {warning}.\n"));
        }
        if !results.run.notes.is_empty() {
            text.push('\n');
            for note in &results.run.notes {
                text.push_str(&format!("* {note}\n"));
            }
        }
        for groups in summary.cells() {
            text.push_str(&section(groups));
        }
    }
    text
}

fn circumstances(run: &Run) -> String {
    let machine = &run.machine;
    let memory = machine.memory_bytes.map_or_else(String::new, |count| format!(", {}", units::bytes(count as f64)));
    let versions: Vec<String> = run.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    format!(
        "\nMeasured on {} by `{}` on {}, {} cores{memory}, {}: {}.\n",
        run.date,
        run.command,
        machine.cpu,
        machine.cores,
        machine.system,
        versions.join(", ")
    )
}

fn section(groups: &[Group]) -> String {
    let mut text = String::new();
    let show = |text: &mut String, table: &Table| {
        text.push_str(&format!("\n**{}**\n\n{}", table.title, table.to_markdown()));
    };
    if let Some(first) = groups.first() {
        text.push_str(&format!("\n### {}\n", first.title()));
    }
    for table in overview(groups) {
        show(&mut text, &table);
    }
    text.push_str("\n<details><summary>Spread, CPU time, memory</summary>\n");
    for group in groups {
        show(&mut text, &group.details());
    }
    text.push_str("\n</details>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{measurement, results};

    #[test]
    fn everything_a_reader_needs_is_on_the_page() {
        let mut results =
            results(vec![measurement("ours", "sort", 10, 1, 1.0), measurement("slow", "sort", 10, 1, 2.0)]);
        results.run.load_before = Some(9.0);
        let page = render(&[results], |suite| (suite == "sort").then(|| "charts/sort.svg".to_owned()));
        for part in [
            "# Benchmarks\n",
            "\n## Sorting\n\nNumbers are put in order.\n\n![Sorting: times by engine](charts/sort.svg)\n",
            "\nMeasured on 2026-01-02 by `cargo xtask bench sort` on A processor, 2 cores, 8.00 GB, linux x86_64: slow 1.2.3.\n",
            "\n> **Take care:** the machine was busy with other work: load average 9.0 on 2 cores.\n",
            "\n* slow cannot do better.\n",
            "\n### all, 1 thread\n\n**all, 1 thread, 10 rows**\n\n| engine | sort |\n|---|---:|\n| ours | 1.00 s |\n| slow | 2.00 s (2.00×) |\n",
            "\n**all, 1 thread, 10 rows: sort**\n\n| engine | median | fastest | slowest | times ours |\n",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
        assert!(page.ends_with("\n</details>\n"));
    }
}
