//! Reads `.env` files as Vite does: the format of the `dotenv` package, expansion as in `dotenv-expand`.
//!
//! ```text
//! .env              VITE_NAME = demo            VITE_NAME  → "demo"
//! .env.development  VITE_TITLE="${VITE_NAME}!"  VITE_TITLE → "demo!"
//! ```

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::file;
use crate::project::defines::Defines;

/// What the `.env` files of a folder and the environment of the process say.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Env {
    /// Every variable, secrets included: only [`Env::exposed`] may reach the browser.
    pub all: BTreeMap<String, String>,
}

/// Names only: values may be secrets and must not end in a log.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}

impl Env {
    /// The variables whose name starts with one of `prefixes`.
    pub fn exposed(&self, prefixes: &[String]) -> BTreeMap<String, String> {
        self.all
            .iter()
            .filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix.as_str())))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The files that are read for `mode`, whether or not they exist; later ones win.
    pub fn files(dir: &Path, mode: &str) -> [PathBuf; 4] {
        [
            dir.join(".env"),
            dir.join(".env.local"),
            dir.join(format!(".env.{mode}")),
            dir.join(format!(".env.{mode}.local")),
        ]
    }
}

/// What decides about `import.meta.env`.
#[derive(Clone, Copy, Debug)]
pub struct PageEnv<'a> {
    /// Folder of the `.env` files.
    pub dir: &'a Path,
    pub mode: &'a str,
    pub base: &'a str,
    /// Only names with one of these prefixes reach the page.
    pub prefixes: &'a [String],
    pub defines: &'a Defines,
    pub is_production: bool,
    /// Of the process: they win over the files.
    pub variables: &'a Variables,
}

impl PageEnv<'_> {
    /// `import.meta.env` by key: the exposed values of the files beside the constants.
    pub fn values(&self) -> BTreeMap<String, Value> {
        let env = load_env(self.dir, self.mode, self.variables, &|path| file::read_text(path).ok());
        let exposed = env.exposed(self.prefixes).into_iter();
        let mut values: BTreeMap<String, Value> = exposed.map(|(key, value)| (key, Value::from(value))).collect();
        values.insert("BASE_URL".into(), self.base.into());
        values.insert("MODE".into(), self.mode.into());
        values.insert("DEV".into(), (!self.is_production).into());
        values.insert("PROD".into(), self.is_production.into());
        values.insert("SSR".into(), false.into());
        values.extend(self.defines.env().map(|(key, value)| (key.to_owned(), value)));
        values
    }
}

/// Variables of a process, by name.
#[derive(Clone, Default, PartialEq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of this process that are Unicode.
    pub fn of_process() -> Self {
        let unicode = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self(std::env::vars_os().filter_map(unicode).collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// Names only: values may be secrets.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads the `.env` files of `dir`; `variables`, those of the process, win over them.
pub fn load_env(dir: &Path, mode: &str, variables: &Variables, read: &dyn Fn(&Path) -> Option<String>) -> Env {
    let process = &variables.0;
    let mut parsed: Vec<(String, String)> = Vec::new();
    for text in Env::files(dir, mode).iter().filter_map(|file| read(file)) {
        for (name, value) in parse(&text) {
            // An overridden variable keeps its first position, which decides what its value may refer to.
            match parsed.iter_mut().find(|(known, _)| *known == name) {
                Some(entry) => entry.1 = value,
                None => parsed.push((name, value)),
            }
        }
    }
    let mut all = process.clone();
    let mut running = BTreeMap::new();
    for (name, value) in parsed {
        let value = match process.get(&name) {
            Some(given) if !given.is_empty() => given.clone(),
            _ => expand(&value, process, &running).replace("\\$", "$"),
        };
        running.insert(name.clone(), value.clone());
        all.entry(name).or_insert(value);
    }
    Env { all }
}

/// The assignments of one file in order, not yet expanded.
fn parse(text: &str) -> Vec<(String, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut assignments = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        if let Some((name, value, after)) = parse_assignment(rest) {
            assignments.push((name, value));
            rest = after;
        }
        rest = rest.split_once('\n').map_or("", |(_, next)| next);
    }
    assignments
}

/// `export NAME = value # comment` at the start of `text`, and the text after the value.
fn parse_assignment(text: &str) -> Option<(String, String, &str)> {
    let mut line = text.trim_start();
    if let Some(after) = line.strip_prefix("export")
        && after.starts_with(char::is_whitespace)
    {
        line = after.trim_start();
    }
    let name_end = line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')))?;
    let (name, after_name) = line.split_at(name_end);
    if name.is_empty() {
        return None;
    }
    let value = match after_name.trim_start().strip_prefix('=') {
        Some(value) => value,
        None => after_name.strip_prefix(':').filter(|value| value.starts_with([' ', '\t']))?,
    };
    let value = value.trim_start_matches([' ', '\t']);
    let (value, after) = quoted_value(value).unwrap_or_else(|| plain_value(value));
    Some((name.to_owned(), value, after))
}

/// A value in quotes, which may span lines, if nothing but a comment follows it on its last line.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let mut escaped = false;
    let close = text[1..].find(|c| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })? + 1;
    let after = &text[close + 1..];
    let tail = after.lines().next().unwrap_or("").trim_start();
    if !(tail.is_empty() || tail.starts_with('#')) {
        return None;
    }
    Some((unescape(&text[1..close], quote), after))
}

fn plain_value(text: &str) -> (String, &str) {
    let line_end = text.find('\n').unwrap_or(text.len());
    let (line, after) = text.split_at(line_end);
    let value = line.split('#').next().unwrap_or("").trim();
    // `'a' 'b'` is no quoted value, but dotenv takes the outer quotes off all the same.
    let quote = value.chars().next().unwrap_or(' ');
    if value.len() > 1 && matches!(quote, '"' | '\'' | '`') && value.ends_with(quote) {
        return (unescape(&value[1..value.len() - 1], quote), after);
    }
    (value.to_owned(), after)
}

fn unescape(value: &str, quote: char) -> String {
    match quote {
        '"' => value.replace("\\n", "\n").replace("\\r", "\r"),
        _ => value.to_owned(),
    }
}

/// A value that refers to itself in a circle stops growing here.
const MOST_EXPANSIONS: usize = 200;

/// Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+instead}`, until nothing is left to replace.
fn expand(value: &str, process: &BTreeMap<String, String>, running: &BTreeMap<String, String>) -> String {
    let lookup = |name: &str| process.get(name).or_else(|| running.get(name)).filter(|value| !value.is_empty());
    let mut result = value.to_owned();
    let mut seen = HashSet::new();
    for _ in 0..MOST_EXPANSIONS {
        let Some((start, end, expression)) = find_reference(&result) else { break };
        seen.insert(result.clone());
        let (name, operator, operand) = split_operator(expression);
        let replacement = match (lookup(name), operator) {
            (Some(_), ":+" | "+") => operand.to_owned(),
            (None, ":+" | "+") => String::new(),
            (Some(found), _) if !seen.contains(found) => found.clone(),
            _ => operand.to_owned(),
        };
        let settled = running.get(name).cloned();
        result.replace_range(start..end, &replacement);
        if settled.as_ref() == Some(&result) {
            break;
        }
    }
    result
}

/// The first reference that no backslash escapes: its byte range, and what stands between its braces.
fn find_reference(text: &str) -> Option<(usize, usize, &str)> {
    for (start, _) in text.match_indices('$') {
        if text[..start].ends_with('\\') {
            continue;
        }
        let after = &text[start + 1..];
        if let Some(braced) = after.strip_prefix('{') {
            if let Some(length) = braced.find(['{', '}']).filter(|&at| at > 0 && braced[at..].starts_with('}')) {
                return Some((start, start + length + 3, &braced[..length]));
            }
        } else if after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            let length = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
            return Some((start, start + 1 + length, &after[..length]));
        }
    }
    None
}

/// `NAME:-default` → name, operator, operand.
fn split_operator(expression: &str) -> (&str, &str, &str) {
    let Some(at) = expression.find(['+', '-']) else { return (expression, "", "") };
    let start = if expression[..at].ends_with(':') { at - 1 } else { at };
    (&expression[..start], &expression[start..=at], &expression[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env_of(files: &[(&str, &str)], process: &[(&str, &str)]) -> Env {
        let read = |path: &Path| {
            let name = path.file_name()?.to_str()?;
            files.iter().find(|(file, _)| *file == name).map(|(_, text)| (*text).to_owned())
        };
        let process = process.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load_env(Path::new("/app"), "development", &process, &read)
    }

    fn value_of(text: &str, name: &str) -> String {
        env_of(&[(".env", text)], &[]).all.get(name).cloned().unwrap_or_else(|| "(none)".to_owned())
    }

    #[test]
    fn later_files_win_and_the_process_wins_over_all() {
        let files = [
            (".env", "A=1\nB=1\nC=1\nD=1\nE=1"),
            (".env.local", "B=2\nC=2\nD=2\nE=2"),
            (".env.development", "C=3\nD=3\nE=3"),
            (".env.development.local", "D=4\nE=4"),
            (".env.production", "A=never"),
        ];
        let env = env_of(&files, &[("E", "5"), ("PATH", "/bin")]);
        let text: String = ["A", "B", "C", "D", "E"].iter().map(|name| env.all[*name].as_str()).collect();
        assert_eq!(text, "12345");
    }

    #[test]
    fn only_prefixed_variables_are_exposed() {
        let env = env_of(&[(".env", "VITE_A=1\nSECRET=2")], &[("VITE_B", "3"), ("HOME", "/")]);
        let exposed = env.exposed(&["VITE_".to_owned()]);
        assert_eq!(exposed.keys().collect::<Vec<_>>(), ["VITE_A", "VITE_B"]);
    }

    #[test]
    fn debug_output_shows_no_value() {
        let env = env_of(&[(".env", "TOKEN=hunter2")], &[]);
        assert_eq!(format!("{env:?}"), "{\"TOKEN\"}");
    }

    #[test]
    fn plain_values_lose_spaces_and_comments() {
        let text = "# top\n  A =  one two   # why\nexport B=x\nC:  yes\nD=\nE\nA.b-c=3\n\u{20}\nF=http://h:1/#frag";
        assert_eq!(value_of(text, "A"), "one two");
        assert_eq!(value_of(text, "B"), "x");
        assert_eq!(value_of(text, "C"), "yes");
        assert_eq!(value_of(text, "D"), "");
        assert_eq!(value_of(text, "E"), "(none)");
        assert_eq!(value_of(text, "A.b-c"), "3");
        assert_eq!(value_of(text, "F"), "http://h:1/");
    }

    #[test]
    fn quotes_keep_spaces_signs_and_lines() {
        assert_eq!(value_of("A=' # x '  # y\nB=2", "A"), " # x ");
        assert_eq!(value_of("A=\"one\ntwo\"\nB=2", "A"), "one\ntwo");
        assert_eq!(value_of("A=\"one\ntwo\"\nB=2", "B"), "2");
        assert_eq!(value_of(r#"A="one\ntwo""#, "A"), "one\ntwo");
        assert_eq!(value_of(r"A='one\ntwo'", "A"), r"one\ntwo");
        assert_eq!(value_of("A=`it's \"it\"`", "A"), "it's \"it\"");
        assert_eq!(value_of("A=\"unclosed\nB=2", "A"), "\"unclosed");
        assert_eq!(value_of("A=\"unclosed\nB=2", "B"), "2");
        assert_eq!(value_of("A='a' 'b'", "A"), "a' 'b");
        assert_eq!(value_of("A=\"x\"\r\nB=2\r\n", "B"), "2");
    }

    #[test]
    fn references_are_expanded() {
        assert_eq!(value_of("A=1\nB=$A-${A}", "B"), "1-1");
        assert_eq!(value_of("B=${A:-x}${A-y}", "B"), "xy");
        assert_eq!(value_of("A=1\nB=${A:+set}${Z:+no}", "B"), "set");
        assert_eq!(
            value_of(
                r"A=1
B=\$A costs \${A}",
                "B"
            ),
            "$A costs ${A}"
        );
        assert_eq!(value_of("A=1\nB=${Z:-$A}", "B"), "1");
        assert_eq!(value_of("B=${Z}", "B"), "");
        assert_eq!(value_of("B=5$ and $", "B"), "5$ and $");
        assert_eq!(env_of(&[(".env", "B=$A")], &[("A", "given")]).all["B"], "given");
    }

    #[test]
    fn a_circle_of_references_ends() {
        assert_eq!(value_of("A=$A", "A"), "");
        let env = env_of(&[(".env", "B=x$P")], &[("P", "$P$P")]);
        assert!(env.all.contains_key("B"));
    }
}
