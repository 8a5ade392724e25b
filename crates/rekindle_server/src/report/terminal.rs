//! The terminal: the news in the words that the user reads.
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
use rekindle_compile::script::builtin;
use rekindle_graph::Diagnostic;
use rekindle_graph::wire::ServerReload;
use rustc_hash::FxHashMap;

use super::news::{News, Reload, TabsOutcome};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// File names in one line; the rest is counted.
const NAMED: usize = 3;
/// Errors with the same message are shown one by one up to this many, and as one above that.
const MAX_LISTED_ALIKE: usize = 3;
/// Different mistakes that are shown at a time.
const MAX_SHOWN_ERRORS: usize = 20;

/// Work that takes no longer than this is not mentioned.
pub const WORTH_TELLING: Duration = Duration::from_millis(500);
/// How often the line about work that goes on is written anew, and how often there is another one where lines stay.
const REPAINT: Duration = Duration::from_millis(100);
const NEXT_LINE: Duration = Duration::from_secs(5);
const ERASE_LINE: &str = "\r\x1b[2K";

/// The terminal. Clones write to the same one; news are never torn apart by others.
#[derive(Clone)]
pub(super) struct Terminal {
    out: Arc<Mutex<TerminalState>>,
    clock: fn() -> String,
}

struct TerminalState {
    to: Box<dyn Write + Send>,
    is_terminal: bool,
    /// When work was spoken of last.
    told: Option<Instant>,
    /// The last line is about work that goes on, and gives way to the next.
    has_work: bool,
}

impl TerminalState {
    fn write(&mut self, text: &str) {
        let before = if std::mem::take(&mut self.has_work) { ERASE_LINE } else { "" };
        // A terminal that went away is no reason to stop serving.
        let _ = self.to.write_all(format!("{before}{text}").as_bytes()).and_then(|()| self.to.flush());
    }
}

impl Terminal {
    pub fn stdout() -> Self {
        Self::to(anstream::stdout(), std::io::stdout().is_terminal())
    }

    /// Without colours and with a fixed clock.
    pub fn plain(out: impl Write + Send + 'static) -> Self {
        let out: Box<dyn Write + Send> = Box::new(out);
        let mut terminal = Self::to(AutoStream::never(out), false);
        terminal.clock = || "14:03:22".to_owned();
        terminal
    }

    fn to(out: impl Write + Send + 'static, is_terminal: bool) -> Self {
        let out = TerminalState { to: Box::new(out), is_terminal, told: None, has_work: false };
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

    /// Writes news down.
    pub fn tell(&self, news: &News) {
        match sentence(news) {
            Some(NewsLine::Note(text)) => self.line(CYAN, "note:", &printable(&text), &[]),
            Some(NewsLine::Warning(text)) => self.line(YELLOW, "warning:", &printable(&text), &[]),
            None => self.tell_in_lines(news),
        }
    }

    fn tell_in_lines(&self, news: &News) {
        match news {
            News::Started { version, addresses, took } => self.started(version, addresses, *took),
            News::Settings { file, rows } => self.settings(file, rows),
            News::Updated { files, outcome, took } => self.updated(files, outcome, *took),
            News::Reloaded(reload) => self.started_again("page reload", "no module accepts it", reload),
            News::WorkerRestarted(reload) => {
                self.started_again("worker restart", "no module of the worker accepts it", reload);
            }
            News::Changed { files, took } => {
                self.line(DIM, "changed", &format!("{}, no tab is open, {}", list(files), latency(*took)), &[]);
            }
            News::Failed { errors } => self.failed(errors),
            News::StillBroken { files } => {
                self.line(RED, "still broken", &format!("{}, as before", list(files)), &[]);
            }
            News::Fixed { files } => self.line(GREEN, "fixed", &list(files), &[]),
            News::Warned { warnings } => self.warned(warnings),
            _ => {} // It is a sentence.
        }
    }

    fn started(&self, version: &str, addresses: &[(&str, String)], took: Duration) {
        let mut text = format!("\n  {BOLD}rekindle {version}{BOLD:#} ready in {}\n\n", latency(took));
        let width = addresses.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        for (label, url) in addresses {
            text.push_str(&format!("  {label:width$}  {CYAN}{}{CYAN:#}\n", printable(url)));
        }
        self.write(&format!("{text}\n"));
    }

    /// A few lines that belong together: what they are about, and words with what belongs to each.
    fn settings(&self, title: &str, rows: &[(&str, String)]) {
        let width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        let mut text = format!("\n  {BOLD}{}{BOLD:#}\n", printable(title));
        for (label, row) in rows {
            text.push_str(&format!("  {DIM}{label:width$}{DIM:#}  {}\n", printable(row)));
        }
        self.write(&text);
    }

    fn updated(&self, files: &[String], outcome: &TabsOutcome, took: Duration) {
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

    fn started_again(&self, what: &str, unaccepted: &str, reload: &Reload) {
        let Reload { file, reason, chain, took } = reload;
        let reason = reason.as_deref().unwrap_or(unaccepted);
        let rest = match chain.len() {
            0 | 1 => vec![reason.to_owned()],
            _ => vec![format!("{reason}: {}", steps(chain).join(" → "))],
        };
        self.line(YELLOW, what, &format!("{}, {}", printable(file), latency(*took)), &rest);
    }

    /// A mistake that many files have is shown once.
    fn failed(&self, diagnostics: &[Diagnostic]) {
        let time = (self.clock)();
        let alike = alike(diagnostics);
        let mut text = String::new();
        let mut shown = 0;
        for group in alike.iter().take(MAX_SHOWN_ERRORS) {
            let (apart, rest) =
                if group.len() > MAX_LISTED_ALIKE { group.split_at(1) } else { group.split_at(group.len()) };
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
            let errors = if rest == 1 { "error" } else { "errors" };
            text.push_str(&format!("{DIM}{time}{DIM:#} {RED}and {rest} more {errors}{RED:#}\n"));
        }
        self.write(&text);
    }

    fn warned(&self, diagnostics: &[Diagnostic]) {
        if diagnostics.is_empty() {
            return;
        }
        let time = (self.clock)();
        let label = format!("{YELLOW}warning{YELLOW:#}");
        let show = |diagnostic| format!("{DIM}{time}{DIM:#} {}", show_as(&label, diagnostic));
        self.write(&diagnostics.iter().map(show).collect::<String>());
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

    fn lock(&self) -> MutexGuard<'_, TerminalState> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// News that are one sentence.
enum NewsLine {
    Note(String),
    Warning(String),
}

/// The sentence of news; `None` for those that have lines of a shape of their own.
fn sentence(news: &News) -> Option<NewsLine> {
    use NewsLine::{Note, Warning};
    let sentence = match news {
        News::OtherPort { wanted, found } => {
            Note(format!("port {wanted} is taken, using {found} (`--strict-port` makes that an error)"))
        }
        News::Exposed => Warning(
            "other machines can reach this server; the network address above holds the key that lets them in"
                .to_owned(),
        ),
        News::Restarting { files } => Note(format!("{} changed, restarting the server", files.join(", "))),
        News::NotRestarted { error } => Warning(format!("{error}; the server goes on with the settings it had")),
        News::NoBrowser { url } => Warning(format!("no browser could be opened; go to {url}")),
        News::NoIndexPage { folder, base } => Note(format!("{folder} has no index.html, so {base} answers 404")),
        News::Building { version, mode } => Note(format!("rekindle {version} building for {mode}")),
        News::Unanswered { files } => Warning(format!(
            "no tab has answered the update of {}; it is applied when the tab responds again",
            files.join(", ")
        )),
        News::ReloadCancelled { reason } => {
            Warning(format!("a page cancelled its reload and may show old code: a reload is due, because {reason}"))
        }
        News::Invalidated { module, message } => {
            let why = message.iter().map(|message| format!(": {message}")).collect::<String>();
            Note(format!("{module} passes its update on to its importers{why}"))
        }
        News::PagesStartAnew { reason } => Note(format!("{}; pages reload", why_pages_reload(*reason))),
        News::Warning { file: Some(file), text } => Warning(format!("{file} {text}")),
        News::Warning { file: None, text } => Warning(text.clone()),
        News::Note { text } => Note(text.clone()),
        News::NodeModule { name, importer } => Note(builtin::node_module_note(name, importer)),
        News::EditUnderWay => {
            Note("`rekindle edit` is under way; files that change meanwhile are taken in when it ends".to_owned())
        }
        News::EditAbandoned { lease } => Warning(format!(
            "`rekindle edit` has been neither renewed nor committed for {}; its changes are sent now",
            latency(*lease)
        )),
        News::Crashed => {
            Warning("rekindle ran into a bug of its own and goes on; please report what you did".to_owned())
        }
        News::Started { .. }
        | News::Settings { .. }
        | News::Updated { .. }
        | News::Reloaded(_)
        | News::WorkerRestarted(_)
        | News::Changed { .. }
        | News::Failed { .. }
        | News::StillBroken { .. }
        | News::Fixed { .. }
        | News::Warned { .. } => return None,
    };
    Some(sentence)
}

/// The page says the same in its console (`reload.ts` of the client).
fn why_pages_reload(reason: ServerReload) -> &'static str {
    match reason {
        ServerReload::FrameworkChanged => "a component framework, or its refresh runtime, was installed or removed",
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
fn latency(took: Duration) -> String {
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
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    use crate::report::news::tests::one_of_each;
    use crate::report::screen::Screen;

    fn check(tell: impl FnOnce(&Terminal), expected: Expect) {
        let screen = Screen::default();
        tell(&Terminal::plain(screen.clone()));
        expected.assert_eq(&screen.text());
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    const SOON: Duration = Duration::from_micros(12_345);

    fn updated(files: &[&str], outcome: TabsOutcome, took: Duration) -> News {
        News::Updated { files: strings(files), outcome, took }
    }

    /// A change that no module accepts.
    fn reload(file: &str, chain: &[&str], took: Duration) -> Reload {
        Reload { file: file.to_owned(), reason: None, chain: strings(chain), took }
    }

    #[test]
    fn there_are_words_for_all_news() {
        for news in one_of_each() {
            let screen = Screen::default();
            Terminal::plain(screen.clone()).tell(&news);
            assert_ne!(screen.text(), "", "{news:?}");
        }
    }

    #[test]
    fn the_addresses_are_shown_at_the_start() {
        let addresses =
            vec![("local", "http://localhost:5173/".to_owned()), ("network", "http://192.168.0.7:5173/".to_owned())];
        let screen = Screen::default();
        let took = Duration::from_millis(84);
        Terminal::plain(screen.clone()).tell(&News::Started { version: "0.1.0", addresses, took });
        let lines = ["", "  rekindle 0.1.0 ready in 84 ms", ""];
        let shown = ["  local    http://localhost:5173/", "  network  http://192.168.0.7:5173/", "", ""];
        assert_eq!(screen.text(), [lines.join("\n"), shown.join("\n")].join("\n"));
    }

    #[test]
    fn an_update_says_what_where_and_how_long() {
        let outcome = TabsOutcome { tabs: 2, applied: 2, ..Default::default() };
        check(
            |terminal| terminal.tell(&updated(&["/src/app.tsx"], outcome, SOON)),
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
        let files = ["/a.ts", "/b.ts", "/c.ts", "/d.ts", "/e.ts"];
        check(
            |terminal| terminal.tell(&updated(&files, outcome, Duration::from_micros(840))),
            expect![[r#"
            14:03:22 hot updated /a.ts, /b.ts, /c.ts and 2 more in 1 tab, 0.8 ms
                     accepted by /src/app.tsx
                     1 other tab had not loaded it
        "#]],
        );
        let outcome = TabsOutcome { tabs: 1, untouched: 1, ..Default::default() };
        check(
            |terminal| terminal.tell(&updated(&files[..1], outcome, SOON)),
            expect![[r#"
            14:03:22 nothing to update for /a.ts in 1 tab, 12 ms
        "#]],
        );
    }

    #[test]
    fn workers_are_told_apart_from_tabs() {
        let outcome = TabsOutcome { tabs: 1, untouched: 1, workers: 2, ..Default::default() };
        check(
            |terminal| terminal.tell(&updated(&["/src/count.ts"], outcome, SOON)),
            expect![[r#"
            14:03:22 hot updated /src/count.ts in 2 workers, 12 ms
        "#]],
        );
        check(
            |terminal| {
                terminal.tell(&News::WorkerRestarted(reload("/src/part.ts", &["/src/part.ts", "/src/count.ts"], SOON)));
            },
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
            |terminal| terminal.tell(&updated(&["/src/app.tsx", "/src/nav.tsx"], outcome, SOON)),
            expect![[r#"
            14:03:22 update failed /src/app.tsx, /src/nav.tsx in 2 of 2 tabs, 12 ms
                     TypeError: x is not a function
                     the page keeps running the old code of /src/app.tsx
        "#]],
        );
    }

    #[test]
    fn the_page_gives_the_reason_of_the_terminal_when_the_server_asks_for_a_reload() {
        let of_page = include_str!("../../../../client/src/page/reload.ts");
        let sentence = format!("return '{}'", why_pages_reload(ServerReload::FrameworkChanged));
        assert!(of_page.contains(&sentence), "reload.ts lacks: {sentence}");
    }

    #[test]
    fn a_reload_gives_its_reason() {
        let chain = ["/src/store.ts", "/src/app.tsx", "/index.html"];
        check(
            |terminal| terminal.tell(&News::Reloaded(reload("/src/store.ts", &chain, SOON))),
            expect![[r#"
                14:03:22 page reload /src/store.ts, 12 ms
                         no module accepts it: /src/store.ts → /src/app.tsx → /index.html
            "#]],
        );
        check(
            |terminal| terminal.tell(&News::Reloaded(reload("/index.html", &[], Duration::from_millis(1400)))),
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
            |terminal| terminal.tell(&News::Failed { errors: mistakes }),
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
        Terminal::plain(screen.clone()).tell(&News::Failed { errors: different });
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
            |terminal| {
                terminal.tell(&News::Failed { errors: vec![diagnostic] });
                terminal.tell(&News::Fixed { files: strings(&["/src/app.tsx"]) });
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
            |terminal| {
                terminal.tell(&News::Changed { files: strings(&["/src/app.tsx"]), took: SOON });
                terminal.tell(&News::Note { text: "port 5173 is taken, using 5174".to_owned() });
                terminal.tell(&News::Warning { file: None, text: "a name with \u{1b}[2J an escape".to_owned() });
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
        let terminal = Terminal::to(AutoStream::never(Box::new(screen.clone()) as Box<dyn Write + Send>), true);
        terminal.working(Instant::now(), || "compiling".to_owned());
        assert_eq!(screen.text(), "", "it may be over soon");
        let Some(began) = Instant::now().checked_sub(Duration::from_secs(3)) else { return };
        terminal.working(began, || "compiling, 3 modules".to_owned());
        let said = screen.text();
        assert!(said.contains("compiling, 3 modules, 3.0 s") && !said.contains('\n'), "{said:?}");
        terminal.working(began, || panic!("it was said a moment ago"));
        terminal.at_rest();
        terminal.at_rest();
        assert_eq!(screen.text().matches('\r').count(), 2, "{:?}", screen.text());
    }

    #[test]
    fn work_that_goes_on_is_a_line_now_and_then_where_lines_stay() {
        let Some(began) = Instant::now().checked_sub(Duration::from_secs(7)) else { return };
        check(
            |terminal| {
                let soon = Instant::now().checked_sub(Duration::from_secs(3)).unwrap();
                terminal.working(soon, || "compiling".to_owned());
                terminal.working(began, || "compiling, 4 modules".to_owned());
                terminal.working(began, || "compiling, 5 modules".to_owned());
                terminal.at_rest();
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
