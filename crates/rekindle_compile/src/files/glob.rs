//! Finds the files that `import.meta.glob` means, by Vite's rules, and the folders in which new ones could appear.
//!
//! ```text
//! import.meta.glob(['./pages/**/*.js', '!**/*.test.js'])     in /app/src/main.js
//!     entries  ./pages/home.js → /app/src/pages/home.js,  ./pages/user/list.js → /app/src/pages/user/list.js
//!     folders  /app/src/pages, /app/src/pages/user
//! ```
//!
//! A pattern is a list of segments, matched against the names of a path one by one; so the walk over the disk enters
//! only folders that a pattern can still reach. An alias at the start of a pattern must have been replaced by what it
//! stands for, seen from the root (`@/pages/*.js` → `/src/pages/*.js`, `~shared/*.js` → `/../shared/*.js`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use rekindle_graph::GlobCall;
use rekindle_graph::paths::{names_of, normal, relative_path};

use crate::files::file;

/// What a call of `import.meta.glob` stands for right now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobMatches {
    /// Keys as the object of the call has them, and the files behind; sorted by key.
    pub entries: Vec<(String, PathBuf)>,
    /// Every existing folder in which a new match could appear.
    pub folders: Vec<PathBuf>,
    /// What has the name of a match and is no file, or has no address.
    pub left_out: Vec<PathBuf>,
}

/// Whether the patterns of a call can be understood; the error is a sentence for the user.
pub fn check(call: &GlobCall) -> Result<(), String> {
    if call.patterns.is_empty() {
        return Err("`import.meta.glob` needs at least one pattern".to_owned());
    }
    for pattern in &call.patterns {
        let positive = pattern.strip_prefix('!').unwrap_or(pattern);
        if !["./", "../", "/", "**"].iter().any(|start| positive.starts_with(start)) {
            return Err(format!("the pattern `{pattern}` must start with `./`, `../`, `/`, `**` or an alias"));
        }
        if ["+(", "*("].iter().any(|group| has_group(positive, group)) {
            return Err(format!("the pattern `{pattern}` repeats a group, which is not supported"));
        }
        for alternative in alternatives(positive) {
            for text in alternative.split('/') {
                Segment::parse(text, true)
                    .map_err(|reason| format!("the pattern `{pattern}` is not valid: {reason}"))?;
            }
        }
    }
    if let Some(base) = &call.base
        && !["./", "../", "/"].iter().any(|start| base.starts_with(start))
        && !matches!(base.as_str(), "." | "..")
    {
        return Err(format!("the base `{base}` must start with `./`, `../` or `/`"));
    }
    Ok(())
}

/// Finds the matches on disk. Patterns that [`check`] refuses match nothing.
pub fn expand(call: &GlobCall, importer: &Path, root: &Path) -> GlobMatches {
    let glob = Glob::new(call, importer, root);
    let mut folders = BTreeSet::new();
    let mut files = BTreeSet::new();
    let mut left_out = BTreeSet::new();
    for pattern in &glob.positive {
        let (start, segments_done) = existing_start(pattern);
        Walk { glob: &glob, pattern, folders: &mut folders, files: &mut files, left_out: &mut left_out }
            .run(start, segments_done);
    }
    let entries: BTreeMap<String, PathBuf> =
        files.into_iter().filter(|file| file != importer).map(|file| (glob.key_of(&file), file)).collect();
    GlobMatches {
        entries: entries.into_iter().collect(),
        folders: folders.into_iter().collect(),
        left_out: left_out.into_iter().collect(),
    }
}

/// Whether a file of this name would be among the matches, without looking at the disk.
pub fn could_match(call: &GlobCall, importer: &Path, root: &Path, path: &Path) -> bool {
    let glob = Glob::new(call, importer, root);
    path != importer && glob.positive.iter().any(|pattern| pattern.matches(path)) && !glob.excludes(path)
}

/// A call, ready to match absolute paths.
struct Glob<'a> {
    positive: Vec<Pattern>,
    negative: Vec<Pattern>,
    /// Keys are relative to this folder; `None`: to the root, with a leading slash.
    relative_to: Option<PathBuf>,
    root: &'a Path,
}

impl<'a> Glob<'a> {
    fn new(call: &GlobCall, importer: &Path, root: &'a Path) -> Self {
        let folder = importer.parent().unwrap_or(root);
        let base = call.base.as_ref().map(|base| match base.strip_prefix('/') {
            Some(from_root) => normal(&root.join(from_root)),
            None => normal(&folder.join(base)),
        });
        let from = base.as_deref().unwrap_or(folder);
        let (mut positive, mut negative) = (Vec::new(), Vec::new());
        for pattern in &call.patterns {
            let (list, text) = match pattern.strip_prefix('!') {
                Some(text) => (&mut negative, text),
                None => (&mut positive, pattern.as_str()),
            };
            let negative = pattern.starts_with('!');
            for alternative in alternatives(text) {
                let Some(segments) = parse_segments(&alternative, from, root, call.case_sensitive, negative) else {
                    continue;
                };
                let everything = call.exhaustive || negative;
                list.push(Pattern { segments, everything, case_sensitive: call.case_sensitive });
            }
        }
        let all_relative = call.patterns.iter().all(|pattern| pattern.starts_with(['.', '!']));
        let relative_to = base.clone().or_else(|| all_relative.then(|| folder.to_owned()));
        Self { positive, negative, relative_to, root }
    }

    fn excludes(&self, path: &Path) -> bool {
        self.negative.iter().any(|pattern| pattern.matches(path))
    }

    fn key_of(&self, file: &Path) -> String {
        let relative = relative_path(self.relative_to.as_deref().unwrap_or(self.root), file);
        match &self.relative_to {
            _ if relative.starts_with("../") => relative,
            Some(_) => format!("./{relative}"),
            None => format!("/{relative}"),
        }
    }
}

/// One alternative of a pattern, as the names of an absolute path.
struct Pattern {
    segments: Vec<Segment>,
    /// Dot files and node_modules match wildcards too.
    everything: bool,
    case_sensitive: bool,
}

enum Segment {
    Literal(String),
    /// `**`: any number of folders
    Globstar,
    Wild {
        matcher: GlobMatcher,
        /// `!(a|b)`: what the name must not be.
        except: Vec<GlobMatcher>,
        starts_with_dot: bool,
    },
}

impl Segment {
    fn parse(text: &str, case_sensitive: bool) -> Result<Self, String> {
        if text == "**" {
            return Ok(Self::Globstar);
        }
        if !text.contains(['*', '?', '[']) && !has_group(text, "!(") {
            return Ok(Self::Literal(text.replace('\\', "")));
        }
        let compile = |text: &str| {
            GlobBuilder::new(text)
                .literal_separator(true)
                .backslash_escape(true)
                .case_insensitive(!case_sensitive)
                .build()
                .map(|glob| glob.compile_matcher())
                .map_err(|error| error.kind().to_string())
        };
        let (matcher, except) = match split_group(text, "!(") {
            Some((before, choices, after)) => {
                let except = choices.iter().map(|choice| compile(&format!("{before}{choice}{after}")));
                (compile(&format!("{before}*{after}"))?, except.collect::<Result<_, _>>()?)
            }
            None => (compile(text)?, Vec::new()),
        };
        Ok(Self::Wild { matcher, except, starts_with_dot: text.starts_with(['.', '\\']) })
    }
}

/// The names of the folder that the pattern starts from, then its own.
fn parse_segments(text: &str, from: &Path, root: &Path, case_sensitive: bool, negative: bool) -> Option<Vec<Segment>> {
    let (folder, rest) = match text.strip_prefix('/') {
        Some(rest) => (root, rest),
        // `!**/*.test.js` also takes away from what `../` reaches outside the root.
        None if text.starts_with("**") && negative => (Path::new("/"), text),
        None if text.starts_with("**") => (root, text),
        None if text.starts_with("./") || text.starts_with("../") => (from, text),
        None => return None,
    };
    let mut segments: Vec<Segment> = names_of(folder).map(Segment::Literal).collect();
    for name in rest.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(Segment::parse(name, case_sensitive).ok()?),
        }
    }
    if matches!(segments.last(), Some(Segment::Globstar)) {
        segments.push(Segment::parse("*", true).ok()?);
    }
    Some(segments)
}

impl Pattern {
    fn matches(&self, path: &Path) -> bool {
        let mut states = self.close(vec![0]);
        for name in names_of(path) {
            states = self.advance(&states, &name);
        }
        states.contains(&self.segments.len())
    }

    /// The segments that may match what follows `name`, given those that may match `name`.
    fn advance(&self, states: &[usize], name: &str) -> Vec<usize> {
        let mut next = Vec::new();
        for &state in states {
            match self.segments.get(state) {
                Some(Segment::Globstar) if self.open_to(name) => next.push(state),
                Some(segment) if self.segment_matches(segment, name) => next.push(state + 1),
                _ => {}
            }
        }
        self.close(next)
    }

    /// `**` may stand for no folder at all, so whoever is before it is also behind it.
    fn close(&self, mut states: Vec<usize>) -> Vec<usize> {
        let mut at = 0;
        while let Some(&state) = states.get(at) {
            if matches!(self.segments.get(state), Some(Segment::Globstar)) && !states.contains(&(state + 1)) {
                states.push(state + 1);
            }
            at += 1;
        }
        states.sort_unstable();
        states.dedup();
        states
    }

    fn segment_matches(&self, segment: &Segment, name: &str) -> bool {
        match segment {
            Segment::Globstar => false,
            Segment::Literal(text) if self.case_sensitive => text == name,
            Segment::Literal(text) => text.to_lowercase() == name.to_lowercase(),
            Segment::Wild { matcher, except, starts_with_dot } => {
                (self.open_to(name) || (*starts_with_dot && name.starts_with('.')))
                    && matcher.is_match(name)
                    && !except.iter().any(|matcher| matcher.is_match(name))
            }
        }
    }

    /// Whether a wildcard may stand for this name.
    fn open_to(&self, name: &str) -> bool {
        self.everything || !(name.starts_with('.') || name == "node_modules")
    }

    /// How many segments at the start are plain names of folders.
    fn literal_folders(&self) -> usize {
        let names = self.segments.iter().take_while(|segment| matches!(segment, Segment::Literal(_))).count();
        names.min(self.segments.len().saturating_sub(1))
    }
}

/// The deepest existing folder of the pattern's plain start: a watch there sees the rest being created.
fn existing_start(pattern: &Pattern) -> (PathBuf, usize) {
    let mut folder = PathBuf::from("/");
    for (index, segment) in pattern.segments[..pattern.literal_folders()].iter().enumerate() {
        let Segment::Literal(name) = segment else { break };
        let next = folder.join(name);
        if !next.is_dir() {
            return (folder, index);
        }
        folder = next;
    }
    (folder, pattern.literal_folders())
}

/// One pattern on its way through the folders.
struct Walk<'a> {
    glob: &'a Glob<'a>,
    pattern: &'a Pattern,
    folders: &'a mut BTreeSet<PathBuf>,
    files: &'a mut BTreeSet<PathBuf>,
    left_out: &'a mut BTreeSet<PathBuf>,
}

/// A folder still to be read.
struct Visit {
    folder: PathBuf,
    states: Vec<usize>,
    /// Real paths of the links followed on the way here, to notice a circle.
    followed: Vec<PathBuf>,
}

impl Walk<'_> {
    fn run(&mut self, start: PathBuf, segments_done: usize) {
        let followed = start.canonicalize().into_iter().collect();
        let states = self.pattern.close(vec![segments_done]);
        let mut visits = vec![Visit { folder: start, states, followed }];
        while let Some(visit) = visits.pop() {
            self.read_folder(&visit, &mut visits);
            self.folders.insert(visit.folder);
        }
    }

    fn read_folder(&mut self, visit: &Visit, visits: &mut Vec<Visit>) {
        let Ok(entries) = std::fs::read_dir(&visit.folder) else { return };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let states = self.pattern.advance(&visit.states, &name);
            let path = visit.folder.join(&name);
            if states.is_empty() || self.glob.excludes(&path) {
                continue;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let is_folder = if kind.is_symlink() { path.is_dir() } else { kind.is_dir() };
            if !is_folder {
                if states.contains(&self.pattern.segments.len()) {
                    let is_left_out = file::holds_query(&path) || !kind.is_file() && file::oddity(&path).is_some();
                    let list = if is_left_out { &mut *self.left_out } else { &mut *self.files };
                    list.insert(path);
                }
            } else if states.iter().any(|&state| state < self.pattern.segments.len()) {
                let mut followed = visit.followed.clone();
                if kind.is_symlink() && !follow(&path, &mut followed) {
                    continue;
                }
                visits.push(Visit { folder: path, states, followed });
            }
        }
    }
}

/// Notes that the link at `path` is followed; false when that would lead in a circle.
fn follow(path: &Path, followed: &mut Vec<PathBuf>) -> bool {
    let Ok(real) = path.canonicalize() else { return false };
    let here = path.parent().and_then(|parent| parent.canonicalize().ok());
    if followed.contains(&real) || here.is_some_and(|here| here.starts_with(&real)) {
        return false;
    }
    followed.push(real);
    true
}

/// More alternatives than anybody writes by hand; a hostile pattern ends here.
const MOST_ALTERNATIVES: usize = 1000;

/// Writes out `{a,b}`, `{1..3}`, `@(a|b)` and `?(a|b)`; braces without a choice stand for themselves.
fn alternatives(pattern: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(text) = open.pop() {
        if done.len() + open.len() >= MOST_ALTERNATIVES {
            break;
        }
        match first_choice(&text) {
            Some((before, choices, after)) => {
                open.extend(choices.iter().rev().map(|choice| format!("{before}{choice}{after}")));
            }
            None => done.push(text),
        }
    }
    done
}

fn first_choice(text: &str) -> Option<(String, Vec<String>, String)> {
    if let Some(group) = split_group(text, "@(") {
        return Some(group);
    }
    if let Some((before, mut choices, after)) = split_group(text, "?(") {
        choices.push(String::new());
        return Some((before, choices, after));
    }
    let mut from = 0;
    while let Some(open) = find_unescaped(&text[from..], "{").map(|at| at + from) {
        from = open + 1;
        let Some(close) = closing(text, open, b'{', b'}') else { continue };
        let inside = &text[open + 1..close];
        let choices = split_top_level(inside, b',');
        let choices = if choices.len() > 1 { choices } else { number_range(inside).unwrap_or_default() };
        if !choices.is_empty() {
            return Some((text[..open].to_owned(), choices, text[close + 1..].to_owned()));
        }
        // `{a}` is no choice: the braces are part of the name.
        let escaped = format!("{}\\{{{inside}\\}}{}", &text[..open], &text[close + 1..]);
        return Some((String::new(), vec![escaped], String::new()));
    }
    None
}

fn number_range(inside: &str) -> Option<Vec<String>> {
    let (first, last) = inside.split_once("..")?;
    let (first, last): (i64, i64) = (first.parse().ok()?, last.parse().ok()?);
    let (low, high) = (first.min(last), first.max(last));
    (high - low < MOST_ALTERNATIVES as i64).then(|| (low..=high).map(|number| number.to_string()).collect())
}

fn has_group(text: &str, opening: &str) -> bool {
    find_unescaped(text, opening).is_some()
}

/// `pre!(a|b)post` with `!(` → `pre`, [`a`, `b`], `post`.
fn split_group(text: &str, opening: &str) -> Option<(String, Vec<String>, String)> {
    let at = find_unescaped(text, opening)?;
    let close = closing(text, at + 1, b'(', b')')?;
    let choices = split_top_level(&text[at + 2..close], b'|');
    Some((text[..at].to_owned(), choices, text[close + 1..].to_owned()))
}

fn find_unescaped(text: &str, what: &str) -> Option<usize> {
    text.match_indices(what).map(|(at, _)| at).find(|&at| !text[..at].ends_with('\\'))
}

/// The bracket that closes the one at `open`.
fn closing(text: &str, open: usize, opening: u8, close: u8) -> Option<usize> {
    let mut depth = 0usize;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(open) {
        if escaped || byte == b'\\' {
            escaped = !escaped;
        } else if byte == opening {
            depth += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

fn split_top_level(text: &str, separator: u8) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0usize;
    let mut escaped = false;
    for c in text.chars() {
        if c == char::from(separator) && depth == 0 && !escaped {
            parts.push(String::new());
            continue;
        }
        match c {
            '{' | '(' if !escaped => depth += 1,
            '}' | ')' if !escaped => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::fs;

    use expect_test::{Expect, expect};

    use super::*;

    fn call(patterns: &[&str]) -> GlobCall {
        GlobCall {
            patterns: patterns.iter().map(|&pattern| pattern.to_owned()).collect(),
            eager: false,
            query: String::new(),
            base: None,
            exhaustive: false,
            case_sensitive: true,
            of_import: false,
            span: (0, 0),
        }
    }

    /// A project with the given files; the importer is `src/main.js`.
    fn project(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files.iter().chain(&["src/main.js"]) {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    fn check_matches(files: &[&str], call: &GlobCall, expected: Expect) {
        let dir = project(files);
        let root = dir.path();
        let importer = root.join("src/main.js");
        check(call).unwrap();
        let matches = expand(call, &importer, root);
        for (key, path) in &matches.entries {
            assert!(could_match(call, &importer, root, path), "{key}");
        }
        let keys: Vec<_> = matches.entries.iter().map(|(key, _)| key.as_str()).collect();
        let folders: Vec<_> = matches.folders.iter().map(|folder| relative_path(root, folder)).collect();
        expected.assert_eq(&format!("{}\nwatch {}", keys.join(" "), folders.join(" ")));
    }

    #[test]
    fn relative_patterns_give_relative_keys() {
        check_matches(
            &["src/pages/b.js", "src/pages/a.js", "src/pages/c.css", "src/pages/deep/d.js", "lib/x.js"],
            &call(&["./pages/*.js", "../lib/*.js"]),
            expect![[r#"
                ../lib/x.js ./pages/a.js ./pages/b.js
                watch lib src/pages"#]],
        );
    }

    #[test]
    fn one_absolute_pattern_makes_all_keys_absolute() {
        check_matches(
            &["src/pages/a.js", "lib/x.js"],
            &call(&["/lib/*.js", "./pages/*"]),
            expect![[r#"
                /lib/x.js /src/pages/a.js
                watch lib src/pages"#]],
        );
    }

    #[test]
    fn globstar_leaves_out_dot_files_node_modules_and_the_importer() {
        let files = ["src/a.js", "src/x/y/b.js", "src/.hidden/c.js", "src/.d.js", "src/node_modules/p/e.js"];
        check_matches(
            &files,
            &call(&["./**/*.js"]),
            expect![[r#"
            ./a.js ./x/y/b.js
            watch src src/x src/x/y"#]],
        );
        let everything = GlobCall { exhaustive: true, ..call(&["./**"]) };
        check_matches(
            &files,
            &everything,
            expect![[r#"
            ./.d.js ./.hidden/c.js ./a.js ./node_modules/p/e.js ./x/y/b.js
            watch src src/.hidden src/node_modules src/node_modules/p src/x src/x/y"#]],
        );
        check_matches(
            &files,
            &call(&["./node_modules/*/*.js", "./.hidden/*"]),
            expect![[r#"
            ./.hidden/c.js ./node_modules/p/e.js
            watch src/.hidden src/node_modules src/node_modules/p"#]],
        );
    }

    #[test]
    fn negative_patterns_take_away() {
        check_matches(
            &["src/a.js", "src/a.test.js", "src/deep/b.js", "src/skip/c.js"],
            &call(&["./**/*.js", "!**/*.test.js", "!./skip/**"]),
            expect![[r#"
                ./a.js ./deep/b.js
                watch src src/deep src/skip"#]],
        );
    }

    #[test]
    fn choices_ranges_classes_and_groups_match() {
        let files = ["src/a1.js", "src/a2.ts", "src/a3.css", "src/b.js", "src/(app)/x.js", "src/index.js"];
        let keys = |pattern: &str| {
            let dir = project(&files);
            let importer = dir.path().join("src/main.js");
            let matches = expand(&call(&[pattern]), &importer, dir.path());
            matches.entries.into_iter().map(|(key, _)| key).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys("./a?.{js,ts}"), "./a1.js ./a2.ts");
        assert_eq!(keys("./a{1..2}.*"), "./a1.js ./a2.ts");
        assert_eq!(keys("./[ab]*.js"), "./a1.js ./b.js");
        assert_eq!(keys("./[!a]*.js"), "./b.js ./index.js");
        assert_eq!(keys("./@(a1|b).js"), "./a1.js ./b.js");
        assert_eq!(keys("./!(index|b).js"), "./a1.js");
        assert_eq!(keys("./(app)/*.js"), "./(app)/x.js");
        assert_eq!(keys("./{(app)/x,b}.js"), "./(app)/x.js ./b.js");
        assert_eq!(keys("**/b.js"), "/src/b.js");
    }

    #[test]
    fn a_base_moves_patterns_and_keys() {
        let files = ["src/pages/a.js", "src/pages/deep/b.js", "lib/x.js"];
        let relative = GlobCall { base: Some("./pages".to_owned()), ..call(&["./**/*.js"]) };
        check_matches(
            &files,
            &relative,
            expect![[r#"
            ./a.js ./deep/b.js
            watch src/pages src/pages/deep"#]],
        );
        let absolute = GlobCall { base: Some("/lib".to_owned()), ..call(&["./*.js", "../src/pages/*.js"]) };
        check_matches(
            &files,
            &absolute,
            expect![[r#"
            ../src/pages/a.js ./x.js
            watch lib src/pages"#]],
        );
    }

    #[test]
    fn case_may_be_ignored() {
        let files = ["src/Pages/A.JS", "src/Pages/b.js"];
        let insensitive = GlobCall { case_sensitive: false, ..call(&["./pages/*.js"]) };
        check_matches(
            &files,
            &insensitive,
            expect![[r#"
            ./Pages/A.JS ./Pages/b.js
            watch src src/Pages"#]],
        );
        check_matches(
            &files,
            &call(&["./Pages/*.js"]),
            expect![[r#"
            ./Pages/b.js
            watch src/Pages"#]],
        );
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_awaited_in_its_parent() {
        check_matches(
            &[],
            &call(&["./pages/deep/*.js"]),
            expect![[r#"

            watch src"#]],
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_but_not_in_circles() {
        use std::os::unix::fs::symlink;
        let dir = project(&["src/a/one.js", "other/two.js"]);
        symlink(dir.path().join("src/a"), dir.path().join("src/a/again")).unwrap();
        symlink(dir.path().join("src"), dir.path().join("other/back")).unwrap();
        symlink(dir.path().join("other"), dir.path().join("src/linked")).unwrap();
        let matches = expand(&call(&["./**/*.js"]), &dir.path().join("src/main.js"), dir.path());
        let keys: Vec<_> = matches.entries.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["./a/one.js", "./linked/two.js"]);
    }

    #[test]
    fn patterns_that_start_nowhere_are_refused() {
        let reason = |pattern: &str| check(&call(&[pattern])).unwrap_err();
        assert_eq!(reason("pages/*.js"), "the pattern `pages/*.js` must start with `./`, `../`, `/`, `**` or an alias");
        assert_eq!(reason("./[a.js"), "the pattern `./[a.js` is not valid: unclosed character class; missing ']'");
        assert!(reason("./+(a|b).js").contains("repeats a group"));
        assert!(check(&call(&[])).is_err());
    }

    #[test]
    fn a_path_is_judged_without_the_disk() {
        let could = |patterns: &[&str], path: &str| {
            could_match(&call(patterns), Path::new("/app/src/main.js"), Path::new("/app"), Path::new(path))
        };
        assert!(could(&["./pages/**/*.js"], "/app/src/pages/new/x.js"));
        assert!(!could(&["./pages/**/*.js"], "/app/src/other/x.js"));
        assert!(!could(&["./**/*.js", "!./old/**"], "/app/src/old/x.js"));
        assert!(!could(&["./*.js"], "/app/src/main.js"));
    }
}
