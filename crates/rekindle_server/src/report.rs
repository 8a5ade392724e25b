//! Everything the user reads in the terminal.
//!
//! ```text
//!   rekindle 0.1.0 ready in 84 ms
//!
//!   local    http://localhost:5173/
//!
//! 14:03:22 hot updated /src/app.tsx in 2 tabs, 12 ms
//! 14:03:40 page reload /src/store.ts, 31 ms
//!          no module accepts it: /src/store.ts → /src/app.tsx → /index.html
//! ```
//!
//! Colours repeat what the words say and are left out where they are unwelcome: on pipes, with `NO_COLOR`.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use rekindle_graph::Diagnostic;
use rustc_hash::FxHashMap;

pub(crate) mod rounds;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// File names in one line; the rest is counted.
const NAMED: usize = 3;
/// Errors with the same message are shown one by one up to this many, and as one above that.
const APART: usize = 3;
/// Different mistakes that are shown at a time.
const SHOWN: usize = 20;

/// Work that takes no longer than this is not mentioned.
pub const WORTH_TELLING: Duration = Duration::from_millis(500);
/// How often the line about work that goes on is written anew, and how often there is another one where lines stay.
const REPAINT: Duration = Duration::from_millis(100);
const NEXT_LINE: Duration = Duration::from_secs(5);
const ERASE_LINE: &str = "\r\x1b[2K";

/// The terminal. Clones write to the same one; a report is never torn apart by another.
#[derive(Clone)]
pub struct Report {
    out: Arc<Mutex<Out>>,
    clock: fn() -> String,
}

struct Out {
    to: Box<dyn Write + Send>,
    is_terminal: bool,
    /// When work was spoken of last.
    told: Option<Instant>,
    /// The last line is about work that goes on, and gives way to the next.
    has_work: bool,
}

impl Out {
    fn write(&mut self, text: &str) {
        let before = if std::mem::take(&mut self.has_work) { ERASE_LINE } else { "" };
        // A terminal that went away is no reason to stop serving.
        let _ = self.to.write_all(format!("{before}{text}").as_bytes()).and_then(|()| self.to.flush());
    }
}

/// How an update went, summed over the tabs that received it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TabsOutcome {
    /// Tabs that received the update.
    pub tabs: usize,
    /// Tabs that run the new code.
    pub applied: usize,
    /// Workers that run the new code.
    pub workers: usize,
    /// Tabs that had not loaded any of the changed modules.
    pub untouched: usize,
    /// Tabs that went back to the old code because the new one threw, with what it threw.
    pub failed: Vec<String>,
    /// Modules of which such tabs keep the old code, with what they import.
    pub kept: Vec<String>,
    /// Modules at which the update stopped, where they are others than the changed ones.
    pub boundaries: Vec<String>,
}

impl Report {
    pub fn stdout() -> Self {
        Self::to(anstream::stdout(), std::io::stdout().is_terminal())
    }

    /// Without colours and with a fixed clock.
    pub fn plain(out: impl Write + Send + 'static) -> Self {
        let out: Box<dyn Write + Send> = Box::new(out);
        let mut report = Self::to(AutoStream::never(out), false);
        report.clock = || "14:03:22".to_owned();
        report
    }

    fn to(out: impl Write + Send + 'static, is_terminal: bool) -> Self {
        let out = Out { to: Box::new(out), is_terminal, told: None, has_work: false };
        Self { out: Arc::new(Mutex::new(out)), clock: || chrono::Local::now().format("%H:%M:%S").to_string() }
    }

    /// Shows that work which began at `began` goes on: on a terminal in a line that the next one replaces, elsewhere in a line every
    /// few seconds. It is called often, and says nothing of work that has just begun.
    pub fn working(&self, began: Instant, what: impl FnOnce() -> String) {
        let spent = began.elapsed();
        if spent < WORTH_TELLING {
            return;
        }
        let mut out = self.lock();
        let pause = if out.is_terminal { REPAINT } else { NEXT_LINE };
        if out.told.map_or(began, |told| told.max(began)).elapsed() < pause {
            return;
        }
        out.told = Some(Instant::now());
        let text = format!("{}, {}", printable(&what()), latency(spent));
        if out.is_terminal {
            out.write(&format!("{ERASE_LINE}  {DIM}{text}{DIM:#}"));
            out.has_work = true;
        } else {
            out.write(&format!("{} {text}\n", (self.clock)()));
        }
    }

    /// Removes the line about work, which is done.
    pub fn at_rest(&self) {
        let mut out = self.lock();
        if out.has_work {
            out.write("");
        }
    }

    /// The server listens: its addresses, each with a word about who can reach it.
    pub fn ready(&self, version: &str, urls: &[(&str, String)], took: Duration) {
        let mut text = format!("\n  {BOLD}rekindle {version}{BOLD:#} ready in {}\n\n", latency(took));
        let width = urls.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        for (label, url) in urls {
            text.push_str(&format!("  {label:width$}  {CYAN}{}{CYAN:#}\n", printable(url)));
        }
        self.write(&format!("{text}\n"));
    }

    /// Tells of a port that is not the one that was wanted; 0 is any.
    pub fn port(&self, wanted: u16, found: u16) {
        if found != wanted && wanted != 0 {
            self.note(&format!("port {wanted} is taken, so this is {found} (`--strict-port` makes that an error)"));
        }
    }

    /// A few lines that belong together: what they are about, and words with what belongs to each.
    pub fn block(&self, title: &str, rows: &[(&str, String)]) {
        let width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        let mut text = format!("\n  {BOLD}{}{BOLD:#}\n", printable(title));
        for (label, row) in rows {
            text.push_str(&format!("  {DIM}{label:width$}{DIM:#}  {}\n", printable(row)));
        }
        self.write(&text);
    }

    /// An update reached the tabs.
    pub fn updated(&self, files: &[String], outcome: &TabsOutcome, took: Duration) {
        let files = list(files);
        let took = latency(took);
        let (style, what) = match outcome {
            TabsOutcome { failed, .. } if !failed.is_empty() => (RED, "update failed"),
            TabsOutcome { applied: 0, workers: 0, .. } => (DIM, "nothing to update for"),
            _ => (GREEN, "hot updated"),
        };
        let tabs = match outcome {
            TabsOutcome { failed, tabs: all, .. } if !failed.is_empty() => {
                format!("in {} of {}", failed.len(), tabs(*all))
            }
            TabsOutcome { applied: 0, workers: 0, tabs: all, .. } => format!("in {}", tabs(*all)),
            TabsOutcome { applied: 0, workers, .. } => format!("in {}", worker_count(*workers)),
            TabsOutcome { applied, workers: 0, .. } => format!("in {}", tabs(*applied)),
            TabsOutcome { applied, workers, .. } => format!("in {} and {}", tabs(*applied), worker_count(*workers)),
        };
        let mut rest = Vec::new();
        if !outcome.boundaries.is_empty() && outcome.applied + outcome.workers > 0 {
            rest.push(format!("accepted by {}", list(&outcome.boundaries)));
        }
        if outcome.untouched > 0 && outcome.applied > 0 {
            rest.push(format!("{} had not loaded it", tabs_alone(outcome.untouched)));
        }
        let mut failures = outcome.failed.clone();
        failures.dedup();
        rest.extend(failures);
        if !outcome.failed.is_empty() {
            let of = if outcome.kept.is_empty() { String::new() } else { format!(" of {}", list(&outcome.kept)) };
            rest.push(format!("the page keeps running the old code{of}"));
        }
        self.line(style, what, &format!("{files} {tabs}, {took}"), &rest);
    }

    /// The page had to be reloaded: the file, why, and how the change reaches the page. Without `reason` it is that no
    /// module accepts the change.
    pub fn reload(&self, file: &str, reason: Option<&str>, chain: &[String], took: Duration) {
        self.started_anew("page reload", file, reason.unwrap_or("no module accepts it"), chain, took);
    }

    /// The same for a worker: the page goes on.
    pub fn restart(&self, file: &str, reason: Option<&str>, chain: &[String], took: Duration) {
        self.started_anew("worker restart", file, reason.unwrap_or("no module of the worker accepts it"), chain, took);
    }

    fn started_anew(&self, what: &str, file: &str, reason: &str, chain: &[String], took: Duration) {
        let rest = match chain.len() {
            0 | 1 => vec![reason.to_owned()],
            _ => vec![format!("{reason}: {}", steps(chain).join(" → "))],
        };
        self.line(YELLOW, what, &format!("{}, {}", printable(file), latency(took)), &rest);
    }

    /// A change while no page is open.
    pub fn no_tabs(&self, files: &[String], took: Duration) {
        self.line(DIM, "changed", &format!("{}, no tab is open, {}", list(files), latency(took)), &[]);
    }

    /// Mistakes in the user's files; the old page stays alive. One that many files have is shown once.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        let time = (self.clock)();
        let alike = alike(diagnostics);
        let mut text = String::new();
        let mut shown = 0;
        for group in alike.iter().take(SHOWN) {
            let (apart, rest) = if group.len() > APART { group.split_at(1) } else { group.split_at(group.len()) };
            for diagnostic in apart {
                text.push_str(&format!("{DIM}{time}{DIM:#} {}", show(diagnostic)));
            }
            if !rest.is_empty() {
                let mut files: Vec<String> = rest.iter().filter_map(|diagnostic| diagnostic.file.clone()).collect();
                files.dedup();
                text.push_str(&format!("  {DIM}the same in{DIM:#} {}\n", list(&files)));
            }
            shown += group.len();
        }
        if shown < diagnostics.len() {
            let rest = diagnostics.len() - shown;
            text.push_str(&format!("{DIM}{time}{DIM:#} {RED}and {rest} more errors{RED:#}\n"));
        }
        self.write(&text);
    }

    /// Warnings: what works, but is probably not what the user means.
    pub fn warnings(&self, diagnostics: &[Diagnostic]) {
        if diagnostics.is_empty() {
            return;
        }
        let time = (self.clock)();
        let label = format!("{YELLOW}warning{YELLOW:#}");
        let show = |diagnostic| format!("{DIM}{time}{DIM:#} {}", show_as(&label, diagnostic));
        self.write(&diagnostics.iter().map(show).collect::<String>());
    }

    /// Files that were saved, and whose mistakes are those reported before.
    pub fn still_broken(&self, files: &[String]) {
        self.line(RED, "still broken", &format!("{}, as before", list(files)), &[]);
    }

    /// The mistakes reported before are gone.
    pub fn fixed(&self, files: &[String]) {
        self.line(GREEN, "fixed", &list(files), &[]);
    }

    pub fn note(&self, text: &str) {
        self.line(CYAN, "note:", &printable(text), &[]);
    }

    pub fn warn(&self, text: &str) {
        self.line(YELLOW, "warning:", &printable(text), &[]);
    }

    fn line(&self, style: Style, what: &str, text: &str, rest: &[String]) {
        let time = (self.clock)();
        let mut all = format!("{DIM}{time}{DIM:#} {style}{what}{style:#} {text}\n");
        for line in rest.iter().flat_map(|text| text.lines()) {
            let indent = " ".repeat(time.len() + 1);
            all.push_str(&format!("{indent}{DIM}{}{DIM:#}\n", printable(line)));
        }
        self.write(&all);
    }

    fn write(&self, text: &str) {
        self.lock().write(text);
    }

    fn lock(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Diagnostics by what they say, in the order of the first of each.
fn alike(diagnostics: &[Diagnostic]) -> Vec<Vec<&Diagnostic>> {
    let mut groups: Vec<Vec<&Diagnostic>> = Vec::new();
    let mut by_message: FxHashMap<&str, usize> = FxHashMap::default();
    for diagnostic in diagnostics {
        let at = *by_message.entry(&diagnostic.message).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(diagnostic),
            None => groups.push(vec![diagnostic]),
        }
    }
    groups
}

/// One diagnostic as the terminal shows it, with styles; ends with a newline.
///
/// ```text
/// error: cannot find `./buton`
///   --> src/app.tsx:1:20
///   > 1 | import Button from './buton'
///       |                    ^^^^^^^^^
///   help: did you mean `./button`?
/// ```
pub fn show(diagnostic: &Diagnostic) -> String {
    show_as(&format!("{RED}error{RED:#}"), diagnostic)
}

fn show_as(label: &str, diagnostic: &Diagnostic) -> String {
    let mut text = format!("{label}: {BOLD}{}{BOLD:#}\n", printable(&diagnostic.message));
    if let Some(location) = diagnostic.location() {
        text.push_str(&format!("  {DIM}-->{DIM:#} {CYAN}{}{CYAN:#}\n", printable(&location)));
    }
    for line in diagnostic.frame.iter().flat_map(|frame| frame.lines()) {
        text.push_str(&format!("  {}\n", printable(line)));
    }
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!("  {GREEN}help{GREEN:#}: {}\n", printable(help)));
    }
    text
}

/// `0.8 ms`, `12 ms`, `1.4 s`.
pub fn latency(took: Duration) -> String {
    let ms = took.as_secs_f64() * 1000.0;
    match ms {
        ..9.95 => format!("{ms:.1} ms"),
        ..999.5 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1000.0),
    }
}

fn tabs(count: usize) -> String {
    if count == 1 { "1 tab".to_owned() } else { format!("{count} tabs") }
}

fn worker_count(count: usize) -> String {
    if count == 1 { "1 worker".to_owned() } else { format!("{count} workers") }
}

fn tabs_alone(count: usize) -> String {
    if count == 1 { "1 other tab".to_owned() } else { format!("{count} other tabs") }
}

fn names(files: &[String]) -> Vec<String> {
    files.iter().map(|file| printable(file)).collect()
}

/// The steps of a chain of imports; of a long one its ends.
fn steps(chain: &[String]) -> Vec<String> {
    const END: usize = 10;
    match chain.len().checked_sub(2 * END) {
        None | Some(0 | 1) => names(chain),
        Some(left_out) => {
            let (first, last) = (names(&chain[..END]), names(&chain[chain.len() - END..]));
            [first, vec![format!("… {left_out} more …")], last].concat()
        }
    }
}

fn list(files: &[String]) -> String {
    let mut named = names(&files[..files.len().min(NAMED)]).join(", ");
    if files.len() > NAMED {
        named.push_str(&format!(" and {} more", files.len() - NAMED));
    }
    named
}

/// Names and messages come from files and pages; escape sequences in them must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
pub mod screen {
    use super::*;

    /// What tests read in place of a terminal.
    #[derive(Clone, Default)]
    pub struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Screen {
        pub fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    use super::screen::Screen;

    fn check(tell: impl FnOnce(&Report), expected: Expect) {
        let screen = Screen::default();
        tell(&Report::plain(screen.clone()));
        expected.assert_eq(&screen.text());
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    const SOON: Duration = Duration::from_micros(12_345);

    #[test]
    fn the_addresses_are_shown_at_the_start() {
        let urls = [("local", "http://localhost:5173/".to_owned()), ("network", "http://192.168.0.7:5173/".to_owned())];
        let screen = Screen::default();
        Report::plain(screen.clone()).ready("0.1.0", &urls, Duration::from_millis(84));
        let lines = ["", "  rekindle 0.1.0 ready in 84 ms", ""];
        let addresses = ["  local    http://localhost:5173/", "  network  http://192.168.0.7:5173/", "", ""];
        assert_eq!(screen.text(), [lines.join("\n"), addresses.join("\n")].join("\n"));
    }

    #[test]
    fn an_update_says_what_where_and_how_long() {
        let outcome = TabsOutcome { tabs: 2, applied: 2, ..Default::default() };
        check(
            |report| report.updated(&strings(&["/src/app.tsx"]), &outcome, SOON),
            expect![[r#"
            14:03:22 hot updated /src/app.tsx in 2 tabs, 12 ms
        "#]],
        );
        let outcome = TabsOutcome {
            tabs: 2,
            applied: 1,
            untouched: 1,
            boundaries: strings(&["/src/app.tsx"]),
            ..Default::default()
        };
        let files = strings(&["/a.ts", "/b.ts", "/c.ts", "/d.ts", "/e.ts"]);
        check(
            |report| report.updated(&files, &outcome, Duration::from_micros(840)),
            expect![[r#"
            14:03:22 hot updated /a.ts, /b.ts, /c.ts and 2 more in 1 tab, 0.8 ms
                     accepted by /src/app.tsx
                     1 other tab had not loaded it
        "#]],
        );
        let outcome = TabsOutcome { tabs: 1, untouched: 1, ..Default::default() };
        check(
            |report| report.updated(&files[..1], &outcome, SOON),
            expect![[r#"
            14:03:22 nothing to update for /a.ts in 1 tab, 12 ms
        "#]],
        );
    }

    #[test]
    fn workers_are_told_apart_from_tabs() {
        let outcome = TabsOutcome { tabs: 1, untouched: 1, workers: 2, ..Default::default() };
        check(
            |report| report.updated(&strings(&["/src/count.ts"]), &outcome, SOON),
            expect![[r#"
            14:03:22 hot updated /src/count.ts in 2 workers, 12 ms
        "#]],
        );
        check(
            |report| report.restart("/src/part.ts", None, &strings(&["/src/part.ts", "/src/count.ts"]), SOON),
            expect![[r#"
            14:03:22 worker restart /src/part.ts, 12 ms
                     no module of the worker accepts it: /src/part.ts → /src/count.ts
        "#]],
        );
    }

    #[test]
    fn a_failed_update_says_that_the_old_code_runs_on() {
        let failed = strings(&["TypeError: x is not a function", "TypeError: x is not a function"]);
        let kept = strings(&["/src/app.tsx"]);
        let outcome = TabsOutcome { tabs: 2, failed, kept, ..Default::default() };
        check(
            |report| report.updated(&strings(&["/src/app.tsx", "/src/nav.tsx"]), &outcome, SOON),
            expect![[r#"
            14:03:22 update failed /src/app.tsx, /src/nav.tsx in 2 of 2 tabs, 12 ms
                     TypeError: x is not a function
                     the page keeps running the old code of /src/app.tsx
        "#]],
        );
    }

    #[test]
    fn a_reload_gives_its_reason() {
        let chain = strings(&["/src/store.ts", "/src/app.tsx", "/index.html"]);
        check(
            |report| report.reload("/src/store.ts", None, &chain, SOON),
            expect![[r#"
                14:03:22 page reload /src/store.ts, 12 ms
                         no module accepts it: /src/store.ts → /src/app.tsx → /index.html
            "#]],
        );
        check(
            |report| report.reload("/index.html", None, &[], Duration::from_millis(1400)),
            expect![[r#"
                14:03:22 page reload /index.html, 1.4 s
                         no module accepts it
            "#]],
        );
    }

    #[test]
    fn a_mistake_that_many_files_have_is_shown_once() {
        let missing = |at: usize| Diagnostic::error("cannot find `./x`").in_file(format!("m{at}.js"));
        let mut mistakes: Vec<Diagnostic> = (0..20_000).map(missing).collect();
        mistakes.push(Diagnostic::error("unexpected token").in_file("other.js"));
        check(
            |report| report.diagnostics(&mistakes),
            expect![[r#"
                14:03:22 error: cannot find `./x`
                  --> m0.js
                  the same in m1.js, m2.js, m3.js and 19996 more
                14:03:22 error: unexpected token
                  --> other.js
            "#]],
        );
        let screen = Screen::default();
        let different: Vec<Diagnostic> = (0..1000).map(|at| Diagnostic::error(format!("mistake {at}"))).collect();
        Report::plain(screen.clone()).diagnostics(&different);
        assert!(screen.text().ends_with("error: mistake 19\n14:03:22 and 980 more errors\n"), "{}", screen.text());
    }

    #[test]
    fn a_mistake_shows_its_place_and_advice() {
        let source = "import Button from './buton'\n";
        let diagnostic = Diagnostic::error("cannot find `./buton`")
            .in_file("src/app.tsx")
            .at(source, 19, 9)
            .with_help("did you mean `./button`?");
        check(
            |report| {
                report.diagnostics(&[diagnostic]);
                report.fixed(&strings(&["/src/app.tsx"]));
            },
            expect![[r#"
                14:03:22 error: cannot find `./buton`
                  --> src/app.tsx:1:20
                  > 1 | import Button from './buton'
                      |                    ^^^^^^^^^
                  help: did you mean `./button`?
                14:03:22 fixed /src/app.tsx
            "#]],
        );
    }

    #[test]
    fn single_lines() {
        check(
            |report| {
                report.no_tabs(&strings(&["/src/app.tsx"]), SOON);
                report.note("port 5173 is taken, using 5174");
                report.warn("a name with \u{1b}[2J an escape");
            },
            expect![[r#"
                14:03:22 changed /src/app.tsx, no tab is open, 12 ms
                14:03:22 note: port 5173 is taken, using 5174
                14:03:22 warning: a name with �[2J an escape
            "#]],
        );
    }

    #[test]
    fn work_that_goes_on_is_a_line_that_gives_way_on_a_terminal() {
        let screen = Screen::default();
        let report = Report::to(AutoStream::never(Box::new(screen.clone()) as Box<dyn Write + Send>), true);
        report.working(Instant::now(), || "compiling".to_owned());
        assert_eq!(screen.text(), "", "it may be over soon");
        let Some(began) = Instant::now().checked_sub(Duration::from_secs(3)) else { return };
        report.working(began, || "compiling, 3 modules".to_owned());
        let said = screen.text();
        assert!(said.contains("compiling, 3 modules, 3.0 s") && !said.contains('\n'), "{said:?}");
        report.working(began, || panic!("it was said a moment ago"));
        report.at_rest();
        report.at_rest();
        assert_eq!(screen.text().matches('\r').count(), 2, "{:?}", screen.text());
    }

    #[test]
    fn work_that_goes_on_is_a_line_now_and_then_where_lines_stay() {
        let Some(began) = Instant::now().checked_sub(Duration::from_secs(7)) else { return };
        check(
            |report| {
                let soon = Instant::now().checked_sub(Duration::from_secs(3)).unwrap();
                report.working(soon, || "compiling".to_owned());
                report.working(began, || "compiling, 4 modules".to_owned());
                report.working(began, || "compiling, 5 modules".to_owned());
                report.at_rest();
            },
            expect![[r#"
                14:03:22 compiling, 4 modules, 7.0 s
            "#]],
        );
    }

    #[test]
    fn times_are_short() {
        let shown = [40, 940, 9_949, 9_951, 10_400, 999_400, 999_600].map(|us| latency(Duration::from_micros(us)));
        expect!["0.0 ms · 0.9 ms · 9.9 ms · 10 ms · 10 ms · 999 ms · 1.0 s"].assert_eq(&shown.join(" · "));
    }
}
