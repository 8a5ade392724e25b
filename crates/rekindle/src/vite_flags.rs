//! The command line of Vite, for scripts that call `vite`: the npm package has a command of that name, which hands its
//! arguments on behind `--as-vite`.
//!
//! ```text
//! --as-vite serve --strictPort --host true --clearScreen false  →  dev --strict-port --host
//! --as-vite --config vite.prod.ts                               →  --vite-config vite.prod.ts
//! --as-vite build --ssr src/entry.ts                            →  a sentence that there is no such thing here
//! ```

use std::ffi::OsString;

/// The first argument that says: what follows is meant for Vite.
pub const VITE_MODE_FLAG: &str = "--as-vite";

/// Arguments of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    pub arguments: Vec<OsString>,
    /// Lines for the user about what is left out.
    pub notes: Vec<String>,
}

/// The command is over before it began.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    pub code: u8,
}

/// What becomes of an option of Vite. Names are in kebab case.
enum OptionHandling {
    /// `--strictPort`, `--strictPort false`: on or off.
    Switch(&'static str),
    /// `--open`, `--open false`, `--no-open`, `--open /x`: it may have a value.
    Loose(&'static str),
    /// `--port 3000`
    Valued(&'static str),
    /// It changes nothing here; with its value, if it must have one.
    Idle { valued: bool },
    /// It would change what comes out, so the command must not go on without it.
    Missing(&'static str),
}

/// Vite's options, in kebab case.
fn option(name: &str) -> Option<OptionHandling> {
    use OptionHandling::{Idle, Loose, Missing, Switch, Valued};
    Some(match name {
        "host" => Loose("host"),
        "open" => Loose("open"),
        "strict-port" => Switch("strict-port"),
        "sourcemap" => Loose("sourcemap"),
        "minify" => Loose("minify"),
        "manifest" => Loose("manifest"),
        "empty-out-dir" => Switch("empty-out-dir"),
        "https" => Switch("https"),
        "port" => Valued("port"),
        "base" => Valued("base"),
        "mode" | "m" => Valued("mode"),
        "config" | "c" => Valued("vite-config"),
        "out-dir" => Valued("out-dir"),
        "target" => Valued("target"),
        "assets-dir" => Valued("assets-dir"),
        "assets-inline-limit" => Valued("assets-inline-limit"),
        "log-level" | "l" | "config-loader" | "filter" | "f" | "debug" | "d" => Idle { valued: true },
        "clear-screen" | "force" | "profile" | "experimental-bundle" => Idle { valued: false },
        "cors" => Missing("write `cors = true` below [server] in rekindle.toml"),
        "ssr" => Missing("there are no builds for servers yet"),
        "ssr-manifest" => Missing("there are no builds for servers yet"),
        "app" => Missing("there is no environment besides the page"),
        "watch" | "w" => Missing("run it again after a change, or use the development server"),
        _ => return None,
    })
}

/// Ours as they are; Vite's in our words.
pub fn read(arguments: Vec<OsString>) -> Result<Arguments, Answer> {
    if arguments.get(1).is_none_or(|first| first != VITE_MODE_FLAG) {
        Ok(Arguments { arguments, notes: Vec::new() })
    } else {
        translate(arguments)
    }
}

fn translate(arguments: Vec<OsString>) -> Result<Arguments, Answer> {
    let mut arguments = arguments.into_iter().peekable();
    let mut ours: Vec<OsString> = arguments.next().into_iter().collect();
    let mut notes = Vec::new();
    arguments.next(); // The mark.
    let command = arguments
        .next_if(|first| ["dev", "serve", "build", "preview", "optimize"].iter().any(|command| first == command));
    match command.as_ref().and_then(|command| command.to_str()) {
        Some("optimize") => {
            let text = "rekindle has nothing to optimize in advance: packages are served as they are".to_owned();
            return Err(Answer { text, code: 0 });
        }
        Some(command @ ("build" | "preview")) => ours.push(command.into()),
        Some(_) => ours.push("dev".into()),
        // These are about the whole command.
        None if arguments.peek().is_some_and(|first| ["-h", "--help"].iter().any(|help| first == help)) => {}
        None if arguments.peek().is_some_and(|first| ["-v", "--version"].iter().any(|version| first == version)) => {
            ours.push("--version".into());
            return Ok(Arguments { arguments: ours, notes });
        }
        None => ours.push("dev".into()),
    }
    while let Some(argument) = arguments.next() {
        let Some((name, inline)) = parse(&argument) else {
            ours.push(argument);
            continue;
        };
        if name.is_empty() {
            // Behind `--` there are only names.
            ours.push(argument);
            ours.extend(arguments);
            break;
        }
        let (name, is_denied) = match name.strip_prefix("no-") {
            Some(rest) if option(rest).is_some() => (rest.to_owned(), true),
            _ => (name, false),
        };
        let Some(meaning) = option(&name) else {
            ours.push(renamed(&name, inline, &argument));
            continue;
        };
        let is_switch = |next: &OsString| next == "true" || next == "false";
        let mut value = || {
            inline
                .clone()
                .map(OsString::from)
                .or_else(|| arguments.next_if(|next| !next.to_string_lossy().starts_with('-')))
        };
        match meaning {
            OptionHandling::Loose(to) => loose(to, is_denied, if is_denied { None } else { value() }, &mut ours),
            OptionHandling::Switch(to) => {
                let value = inline.map(OsString::from).or_else(|| arguments.next_if(is_switch));
                loose(to, is_denied, value, &mut ours);
            }
            OptionHandling::Valued(to) => match value() {
                Some(value) => {
                    let to =
                        if to == "vite-config" && value.to_string_lossy().ends_with(".toml") { "config" } else { to };
                    ours.push(with_value(to, &value));
                }
                None => return Err(Answer { text: format!("error: --{name} needs a value"), code: 2 }),
            },
            OptionHandling::Idle { valued } => {
                if inline.is_none() && !is_denied {
                    arguments.next_if(|next| is_switch(next) || (valued && !next.to_string_lossy().starts_with('-')));
                }
                if name != "clear-screen" && name != "force" {
                    notes.push(format!("note: --{name} means nothing to rekindle and is left out"));
                }
            }
            OptionHandling::Missing(advice) => {
                let is_off = is_denied || inline.as_deref() == Some("false");
                if !is_off {
                    let text = format!("error: rekindle has no --{name}\n  help: {advice}");
                    return Err(Answer { text, code: 2 });
                }
            }
        }
    }
    Ok(Arguments { arguments: ours, notes })
}

/// Name in kebab case and value of `--strictPort=true` or `-m`; `None` for what is no option.
fn parse(argument: &OsString) -> Option<(String, Option<String>)> {
    let text = argument.to_str()?;
    let rest = text.strip_prefix("--").or_else(|| text.strip_prefix('-').filter(|rest| !rest.is_empty()))?;
    let (name, value) = match rest.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (rest, None),
    };
    Some((rekindle_config::snake_case(name).replace('_', "-"), value))
}

/// `true` and `false` are switches, as Vite reads them; anything else is the value.
fn loose(name: &str, is_denied: bool, value: Option<OsString>, ours: &mut Vec<OsString>) {
    let text = value.as_ref().and_then(|value| value.to_str());
    match (is_denied, text, name) {
        (true, ..) | (_, Some("false"), _) => match name {
            // Only builds have these the other way round.
            "minify" | "empty-out-dir" | "sourcemap" | "manifest" => ours.push(format!("--no-{name}").into()),
            _ => {}
        },
        (_, None | Some("true"), _) if value.is_none() || text == Some("true") => ours.push(format!("--{name}").into()),
        // Which minifier it is does not matter: there is one.
        (_, _, "minify") => ours.push("--minify".into()),
        _ => ours.extend(value.map(|value| with_value(name, &value))),
    }
}

fn with_value(name: &str, value: &OsString) -> OsString {
    let mut argument = OsString::from(format!("--{name}="));
    argument.push(value);
    argument
}

/// An option that only our command line can judge.
fn renamed(name: &str, value: Option<String>, argument: &OsString) -> OsString {
    match (argument.to_string_lossy().starts_with("--"), value) {
        (false, _) => argument.clone(),
        (true, Some(value)) => format!("--{name}={value}").into(),
        (true, None) => format!("--{name}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let words =
            ["rekindle", VITE_MODE_FLAG].into_iter().chain(line.split_whitespace()).map(OsString::from).collect();
        let said = match read(words) {
            Ok(read) => {
                let words: Vec<_> = read.arguments[1..].iter().map(|word| word.to_string_lossy()).collect();
                [vec![words.join(" ")], read.notes].concat().join(" | ")
            }
            Err(Answer { text, code }) => format!("{code}: {text}"),
        };
        assert_eq!(said, expected, "{line}");
    }

    #[test]
    fn the_usual_scripts_mean_what_they_mean_on_vite() {
        check("", "dev");
        check("dev", "dev");
        check("serve app", "dev app");
        check("app", "dev app");
        check("--port 3000 --host --open", "dev --port=3000 --host --open");
        check("--port=3000 --host=0.0.0.0 --open=/x", "dev --port=3000 --host=0.0.0.0 --open=/x");
        check("--strictPort --no-open --base /a/", "dev --strict-port --base=/a/");
        check("-m staging -c vite.prod.ts", "dev --mode=staging --vite-config=vite.prod.ts");
        check("--config other.toml", "dev --config=other.toml");
        check("build --outDir out --emptyOutDir", "build --out-dir=out --empty-out-dir");
        check("build app --minify esbuild --sourcemap hidden", "build app --minify --sourcemap=hidden");
        check("build --minify false --no-emptyOutDir", "build --no-minify --no-empty-out-dir");
        check("preview --outDir out --strict-port", "preview --out-dir=out --strict-port");
        check("--strictPort app", "dev --strict-port app");
        check("-v", "--version");
        check("--help", "--help");
        check("dev --help", "dev --help");
        check("-- build", "dev -- build");
    }

    #[test]
    fn switches_take_true_and_false() {
        check("--host true --open false", "dev --host");
        check("--strictPort=false --port 1", "dev --port=1");
    }

    #[test]
    fn what_means_nothing_here_is_left_out() {
        check("--clearScreen false --force app", "dev app");
        check("--logLevel warn app", "dev app | note: --log-level means nothing to rekindle and is left out");
        check("-d hmr app", "dev app | note: --d means nothing to rekindle and is left out");
    }

    #[test]
    fn what_would_be_missed_is_refused() {
        check("build --ssr x", "2: error: rekindle has no --ssr\n  help: there are no builds for servers yet");
        check(
            "--cors",
            "2: error: rekindle has no --cors\n  help: write `cors = true` below [server] in rekindle.toml",
        );
        check("--port", "2: error: --port needs a value");
        check("optimize", "0: rekindle has nothing to optimize in advance: packages are served as they are");
        check("--someDay", "dev --some-day");
    }

    #[test]
    fn our_own_command_line_is_left_alone() {
        let words: Vec<OsString> = ["rekindle", "--strictPort", "--as-vite"].map(OsString::from).to_vec();
        assert_eq!(read(words.clone()).unwrap().arguments, words);
    }
}
