//! Pages as a browser lays them out.
//!
//! The test asks a headless Chromium where every letter of every chart lies, and how high the rows of tables are: `DRIVETRAIN_BROWSER` names it.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use drivetrain_report::compare;

use crate::sample;

/// Appended to the page for the test alone: it writes down which texts of a chart overlap, which are cut, whether the
/// page is wider than the screen, which rows are columns of single letters, and what the keyboard cannot scroll.
const PROBE: &str = r"
<script>
addEventListener('load', () => {
  document.querySelectorAll('details').forEach(d => d.open = false);
  const found = [];
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) found.push('the page is ' + wide + ' px wider than the screen');
  document.querySelectorAll('svg').forEach(svg => {
    const name = svg.getAttribute('aria-label').split('.')[0];
    const edge = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent.trim(), t.getBoundingClientRect()]);
    for (const [text, box] of texts) {
      if (box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1 || box.bottom > edge.bottom + 1)
        found.push(name + ': ' + text + ' is cut');
      if (text.endsWith('…')) found.push(name + ': ' + text + ' is cut');
      if (box.height < 8) found.push(name + ': ' + text + ' is ' + box.height + ' px high');
    }
    texts.forEach(([text, a], i) => texts.slice(i + 1).forEach(([other, b]) => {
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2)
        found.push(name + ': ' + text + ' covers ' + other);
    }));
  });
  document.querySelectorAll('tr').forEach(row => {
    const high = row.getBoundingClientRect().height;
    if (high > 260) found.push('the row ' + row.textContent + ' is ' + high + ' px high');
  });
  document.querySelectorAll('.scroll').forEach(box => {
    if (box.tabIndex < 0) found.push('no key scrolls ' + box.textContent);
  });
  const charts = document.querySelectorAll('svg').length;
  parent.postMessage(charts + ' charts; ' + found.join('; '), '*');
});
</script>";

/// A page as wide as a screen, which writes down what the page in it says: a browser's own window cannot be as narrow
/// as a phone.
const SCREEN: &str = "<!DOCTYPE html><script>
onmessage = event => document.body.innerHTML = '<p id=probe>' + event.data + '|</p>';
</script><body>";

#[test]
fn no_letters_overlap_or_are_cut_on_a_phone_or_a_desk() {
    let Some(browser) = std::env::var_os("DRIVETRAIN_BROWSER") else {
        // Around the capture of the test harness: a skipped test is to be noticed.
        let _ = writeln!(std::io::stderr(), "SKIPPED no_letters_overlap: DRIVETRAIN_BROWSER names no Chromium");
        return;
    };
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&directory).unwrap();
    let report = sample::report("first");
    let pages = [
        ("report", report.to_html().unwrap(), 9),
        ("compare", compare(&report, &sample::report("second")).unwrap(), 4),
    ];
    for (name, page, charts) in pages {
        // Left there for whoever wants to look at it.
        std::fs::write(directory.join(format!("{name}-plain.html")), &page).unwrap();
        let path = directory.join(format!("{name}.html"));
        std::fs::write(&path, page.replace("</body>", &format!("{PROBE}</body>"))).unwrap();
        for width in [360, 800, 1400] {
            let screen = directory.join("screen.html");
            let frame = format!("<iframe src={name}.html width={width} height=1000></iframe>");
            std::fs::write(&screen, format!("{SCREEN}{frame}")).unwrap();
            let found = probe(Path::new(&browser), &screen, &directory);
            assert_eq!(found, format!("{charts} charts; "), "{name} at {width} px");
        }
    }
}

fn probe(browser: &Path, page: &Path, directory: &Path) -> String {
    let output = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", directory.join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = text.split("<p id=\"probe\">").nth(1).and_then(|rest| rest.split('|').next());
    found
        .unwrap_or_else(|| panic!("no answer of the page: {text}\n{}", String::from_utf8_lossy(&output.stderr)))
        .to_owned()
}
