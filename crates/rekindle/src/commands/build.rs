//! `rekindle build`: runs a build and shows it.
//!
//! ```text
//! rekindle 0.1.0 building for production
//! 31 modules transformed
//! dist/index.html                  0.46 kB │ gzip:  0.30 kB
//! dist/assets/index-Bq3x_0aZ.js  186.92 kB │ gzip: 59.01 kB
//! built in 412 ms
//! ```

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use rekindle::build::{BuildReport, FileKind, OutputFile, Progress, build_with};
use rekindle::flags::BuildFlags;
use rekindle::settings;
use rekindle_graph::Diagnostic;
use rekindle_server::report::{News, Report, show};
use serde_json::json;

/// What the bundler says when it stops is told as a mistake of the build.
fn keep_bundler_quiet() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_bundler = panic.location().is_some_and(|place| place.file().contains("rolldown"));
        if !is_bundler {
            usual(panic);
        }
    }));
}

/// Runs a build; the exit code says whether it worked.
pub(crate) fn run(flags: &BuildFlags) -> ExitCode {
    let settings = match settings::read_for_build(flags) {
        Ok(settings) => settings,
        Err(problems) => return fail(&problems, flags.json),
    };
    let report = Report::stdout();
    if !flags.json {
        report.tell(News::Building { version: env!("CARGO_PKG_VERSION"), mode: settings.config.mode.clone() });
        if let Some(block) = &settings.vite {
            report.tell(News::Settings { file: block.file.clone(), rows: block.rows.clone() });
        }
        settings.left_out.iter().for_each(|line| report.warn(line));
    }
    let (began, told) = (Instant::now(), report.clone());
    let progress = move |progress: Progress| match progress {
        _ if flags.json => {}
        Progress::Transforming(modules) => told.working(began, || format!("transforming, {modules} modules")),
        Progress::Rendering => told.working(began, || "rendering chunks".to_owned()),
        Progress::Writing => told.at_rest(),
    };
    keep_bundler_quiet();
    let root = settings.config.root.clone();
    match build_with(settings.config, &progress) {
        Ok(mut built) if flags.json => {
            built.warnings.extend(settings.left_out);
            print(&json!({ "ok": true, "build": built }).to_string())
        }
        Ok(built) => {
            for warning in &built.warnings {
                report.warn(warning);
            }
            let folder = built.out_dir.strip_prefix(&root).unwrap_or(&built.out_dir).display().to_string();
            print(&table(&built, &folder))
        }
        Err(problems) => {
            report.at_rest();
            fail(&problems, flags.json)
        }
    }
}

fn print(text: &str) -> ExitCode {
    match writeln!(anstream::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn fail(problems: &[Diagnostic], as_json: bool) -> ExitCode {
    if as_json {
        print(&json!({ "ok": false, "errors": problems }).to_string());
        return ExitCode::FAILURE;
    }
    let text: String = problems.iter().map(show).collect();
    // When even stderr is gone, the exit code is all that is left to say.
    let _ = anstream::stderr().write_all(text.as_bytes());
    ExitCode::FAILURE
}

fn table(built: &BuildReport, folder: &str) -> String {
    let size = |bytes: u64| format!("{:.2} kB", bytes as f64 / 1000.0);
    let name = |file: &OutputFile| format!("{folder}/{}", file.name);
    let names = built.files.iter().map(|file| name(file).chars().count()).max().unwrap_or(0);
    let sizes = built.files.iter().map(|file| size(file.size).len()).max().unwrap_or(0);
    let zipped = built.files.iter().filter_map(|file| Some(size(file.gzip?).len())).max().unwrap_or(0);
    let mut lines = vec![format!("{} modules transformed", built.modules)];
    for file in &built.files {
        let bold = if file.kind == FileKind::Page { "\x1b[1m" } else { "" };
        let mut line = format!("{bold}{:<names$}\x1b[0m  {:>sizes$}", name(file), size(file.size));
        if let Some(gzip) = file.gzip {
            line.push_str(&format!(" │ gzip: {:>zipped$}", size(gzip)));
        }
        if let Some(map) = file.map {
            line.push_str(&format!(" │ map: {}", size(map)));
        }
        lines.push(line);
    }
    if built.public_files > 0 {
        lines.push(format!("{} public files copied", built.public_files));
    }
    lines.push(format!("built in {}", took(built.time)));
    lines.join("\n")
}

fn took(milliseconds: u64) -> String {
    if milliseconds < 1000 { format!("{milliseconds} ms") } else { format!("{:.2} s", milliseconds as f64 / 1000.0) }
}
