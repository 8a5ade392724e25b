//! Reads `rekindle.toml` and lets the flags win: everything a server is told, or all the mistakes at once.
//!
//! ```text
//! error: unknown key `strictport`
//!   --> rekindle.toml:2:1
//!     1 | [server]
//!   > 2 | strictport = true
//!       | ^^^^^^^^^^
//!   help: did you mean `strict_port`?
//! ```

use std::fs;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use rekindle_compile::files::file;
use rekindle_graph::Diagnostic;
use rekindle_graph::paths::encode_path;
use rekindle_server::config::{Bindings, Config, Html, Https, ServeMode, ServerConfig, Workers, asset_globs};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::flags::{BuildFlags, DevFlags, PreviewFlags};
use crate::vite_config;

pub(crate) mod keys;

pub(crate) mod build;
pub(crate) mod css;

/// A server's settings, and what the user should know about them although it is no mistake.
#[derive(Debug)]
pub struct Settings {
    pub config: Config,
    pub notes: Vec<String>,
    /// What was read from a configuration of Vite, in a few lines.
    pub vite: Option<vite_config::Block>,
    /// What is no file where a configuration of Vite was looked for: a warning for each.
    pub left_out: Vec<String>,
    /// Files whose edit may change the settings, whether they exist or not.
    pub files: Vec<PathBuf>,
}

/// The settings for these flags, or every mistake found.
pub fn read(flags: &DevFlags) -> Result<Settings, Vec<Diagnostic>> {
    let (result, _) = read_with_files(flags);
    result
}

/// The same for a preview. Its mode is that of builds.
pub fn read_preview(flags: &PreviewFlags) -> Result<Settings, Vec<Diagnostic>> {
    let PreviewFlags { root, config, base, mode, vite_config, .. } = flags.clone();
    let mode = mode.or_else(|| Some("production".to_owned()));
    let mut settings = read(&DevFlags { root, config, base, mode, vite_config, ..DevFlags::default() })?;
    settings.notes.clear(); // They are about the sources.
    apply_preview_flags(flags, &mut settings.config);
    Ok(settings)
}

fn apply_preview_flags(flags: &PreviewFlags, config: &mut Config) {
    let preview = &mut config.preview;
    if let Some(port) = flags.port {
        preview.port = port;
    }
    if flags.strict_port {
        preview.strict_port = Some(true);
    }
    if let Some(host) = &flags.host {
        preview.host = Some(Some(host.clone()));
    }
    if let Some(open) = &flags.open {
        preview.open = Some(Some(page_path(open)));
    }
    if flags.https && !matches!(preview.https, Some(Some(_))) {
        preview.https = Some(Some(config.server.https.clone().unwrap_or(Https::Generated)));
    }
    if let Some(folder) = &flags.out_dir {
        config.build.out_dir = join(&config.root, folder);
    }
}

/// The settings of a build, or every mistake found.
pub fn read_for_build(flags: &BuildFlags) -> Result<Settings, Vec<Diagnostic>> {
    let (result, _) = read_for(&flags.general(), Command::Build);
    let mut settings = result?;
    build::apply_flags(flags, &mut settings.config).map_err(|problem| vec![problem])?;
    Ok(settings)
}

/// What the settings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Serve,
    Build,
}

/// The same, with the files whose edit may change the settings or mend them.
pub fn read_with_files(flags: &DevFlags) -> (Result<Settings, Vec<Diagnostic>>, Vec<PathBuf>) {
    read_for(flags, Command::Serve)
}

fn read_for(flags: &DevFlags, command: Command) -> (Result<Settings, Vec<Diagnostic>>, Vec<PathBuf>) {
    let here = match std::env::current_dir() {
        Ok(here) => here,
        Err(error) => {
            return (Err(vec![Diagnostic::error(format!("the current folder cannot be read: {error}"))]), Vec::new());
        }
    };
    let root = match root_folder(&here, flags.root.as_deref()) {
        Ok(root) => root,
        Err(problem) => return (Err(vec![problem]), Vec::new()),
    };
    let flags = &by_kind(flags);
    let own = flags.config.as_deref().map_or_else(|| root.join("rekindle.toml"), |named| join(&here, named));
    let mut files = vec![own];
    files.extend(vite_config::FILES.iter().map(|name| root.join(name)));
    let result = read_below(&here, &root, flags, command, &mut files).map(|(config, vite)| {
        let notes = if command == Command::Serve { notes(&config) } else { Vec::new() };
        let left_out = if flags.vite_config.is_none() { vite_config::left_out(&root) } else { Vec::new() };
        Settings { config, notes, vite, left_out, files: files.clone() }
    });
    (result, files)
}

/// `--config` names a configuration of Vite as well: a script.
fn by_kind(flags: &DevFlags) -> DevFlags {
    let mut flags = flags.clone();
    let is_script = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("js" | "mjs" | "cjs" | "ts" | "mts" | "cts"))
    };
    if let Some(script) = flags.config.take_if(|path| is_script(path)) {
        flags.vite_config.get_or_insert(script);
    }
    flags
}

/// Defaults, then what Vite's configuration says, then `rekindle.toml`, then the flags: each wins over those before.
fn read_below(
    here: &Path,
    root: &Path,
    flags: &DevFlags,
    command: Command,
    files: &mut Vec<PathBuf>,
) -> Result<(Config, Option<vite_config::Block>), Vec<Diagnostic>> {
    let mut config = Config::new(root);
    if command == Command::Build {
        config.mode = "production".into();
    }
    let mode = flags.mode.clone().unwrap_or_else(|| config.mode.clone());
    let mut vite = None;
    if let Some(path) = vite_file(here, root, flags)? {
        let name = if command == Command::Build { "build" } else { "serve" };
        let variables = config.variables.clone();
        files.push(path.clone());
        let taken = vite_config::apply(&path, &mode, name, &variables, &mut config).map_err(|mistake| vec![mistake])?;
        files.extend(taken.files);
        vite = Some(taken.block);
    }
    if let Some((path, text)) = settings_file(here, root, flags.config.as_deref()).map_err(|problem| vec![problem])? {
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        apply_text(&text, &shown, &mut config)?;
    }
    apply_flags(flags, &mut config).map_err(|problem| vec![problem])?;
    Ok((config, vite))
}

/// The configuration of Vite: the one that was named, or the project's.
fn vite_file(here: &Path, root: &Path, flags: &DevFlags) -> Result<Option<PathBuf>, Vec<Diagnostic>> {
    let Some(named) = &flags.vite_config else { return Ok(vite_config::find(root)) };
    let path = join(here, named);
    match (path.is_file(), file::oddity(&path)) {
        (true, _) => Ok(Some(path)),
        (false, Some(kind)) => Err(vec![Diagnostic::error(format!("`{}` is {kind}, not a file", path.display()))]),
        (false, None) => Err(vec![Diagnostic::error(format!("there is no file `{}`", path.display()))]),
    }
}

fn root_folder(here: &Path, root: Option<&Path>) -> Result<PathBuf, Diagnostic> {
    let named = join(here, root.unwrap_or(Path::new("")));
    match named.canonicalize() {
        Ok(root) if root.is_dir() => Ok(root),
        Ok(_) => Err(Diagnostic::error(format!("`{}` is a file, not a folder", named.display()))
            .with_help("give the project folder, the one with index.html")),
        Err(_) => Err(match root.filter(|word| word.components().count() == 1 && word.extension().is_none()) {
            Some(word) => Diagnostic::error(format!("`{}` is neither a command nor a folder here", word.display()))
                .with_help("the commands are dev, build, preview, edit and init; without one, give the project folder, the one with index.html"),
            None => Diagnostic::error(format!("there is no folder `{}`", named.display()))
                .with_help("give the project folder, the one with index.html"),
        }),
    }
}

/// Set by the launcher of the npm package: the folder of that package.
pub const PACKAGE_VARIABLE: &str = "REKINDLE_NPM_PACKAGE";

fn settings_file(here: &Path, root: &Path, named: Option<&Path>) -> Result<Option<(PathBuf, String)>, Diagnostic> {
    let path = named.map_or_else(|| root.join("rekindle.toml"), |named| join(here, named));
    match file::read_text(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match named {
            None => Ok(None),
            Some(_) => Err(Diagnostic::error(format!("there is no file `{}`", path.display()))
                .with_help("`--config` names a rekindle.toml, or a configuration of Vite")),
        },
        Err(error) => {
            Err(Diagnostic::error(format!("the settings cannot be read: {error}")).in_file(path.display().to_string()))
        }
    }
}

fn apply_flags(flags: &DevFlags, config: &mut Config) -> Result<(), Diagnostic> {
    if let Some(port) = flags.port {
        config.server.port = port;
    }
    if let Some(host) = &flags.host {
        config.server.host = Some(host.clone());
    }
    config.server.strict_port |= flags.strict_port;
    if let Some(open) = &flags.open {
        config.server.open = Some(page_path(open));
    }
    if flags.https && config.server.https.is_none() {
        config.server.https = Some(Https::Generated);
    }
    if let Some(base) = &flags.base {
        Base::of(base).map_err(|message| Diagnostic::error(format!("--base: {message}")))?.apply(config);
    }
    if let Some(mode) = &flags.mode {
        config.mode = mode_name(mode).map_err(|message| Diagnostic::error(format!("--mode: {message}")))?;
    }
    Ok(())
}

/// Things that look odd and may be meant: the server starts all the same.
fn notes(config: &Config) -> Vec<String> {
    if config.root.join("index.html").is_file() {
        return Vec::new();
    }
    if let Some(kind) = file::oddity(&config.root.join("index.html")) {
        return vec![format!("index.html is {kind}, not a file, so {} answers 404", config.base)];
    }
    let entries = fs::read_dir(&config.root).into_iter().flatten().filter_map(Result::ok);
    let mut pages: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".html"))
        .collect();
    pages.sort_unstable();
    let root = config.root.display();
    vec![match pages.first() {
        Some(page) => format!("{root} has no index.html, so {} answers 404; try {}{page}", config.base, config.base),
        None => format!("{root} has no index.html; is it the project folder? `rekindle init` writes a project"),
    }]
}

// ── rekindle.toml ─────────────────────────────────────────────────────────────────────────────────────────────────

const TOP: &[&str] = &[
    "root",
    "base",
    "mode",
    "public_dir",
    "env_dir",
    "env_prefix",
    "assets_include",
    "cache_dir",
    "define",
    "jsx",
    "resolve",
    "server",
    "build",
    "preview",
    "serve",
    "css",
    "hmr",
    "watch",
    "events",
];
const SERVER: &[&str] =
    &["port", "strict_port", "host", "open", "https", "proxy", "headers", "cors", "allowed_hosts", "allowed_origins"];
const PREVIEW: &[&str] = &["port", "strict_port", "host", "open", "https", "proxy", "headers", "cors", "allowed_hosts"];
const RESOLVE: &[&str] = &["alias", "extensions", "conditions", "main_fields", "dedupe", "preserve_symlinks"];
const JSX: &[&str] = &["import_source"];
const SERVE: &[&str] = &["include", "mode"];
const HMR: &[&str] = &["enabled", "overlay", "bindings", "workers", "html", "protocol", "host", "client_port", "path"];
const WATCH: &[&str] = &["poll", "interval", "settle"];
const EVENTS: &[&str] = &["command"];

/// The key of `rekindle.toml` that is named like one of Vite's: `css.modules.hashPrefix` → `css.modules.hash_prefix`.
pub fn key_of(path: &str) -> Option<String> {
    let path = path.split(' ').next().unwrap_or(path);
    let key = snake_case(path);
    let (table, name) = key.rsplit_once('.').unwrap_or(("", &key));
    let known = match table {
        "" => TOP,
        "server" => SERVER,
        "resolve" => RESOLVE,
        "hmr" | "server.hmr" => HMR,
        "build" => build::BUILD,
        "preview" => PREVIEW,
        "css" => css::CSS,
        "css.modules" => css::MODULES,
        _ if table.starts_with("css.preprocessor_options") => &["additional_data", "load_paths"],
        _ => return None,
    };
    known.contains(&name).then(|| key.replace("server.hmr", "hmr"))
}

/// Applies the text of a settings file; `name` is what the user calls it.
pub fn apply_text(text: &str, name: &str, config: &mut Config) -> Result<(), Vec<Diagnostic>> {
    let mut reader = Reader { text, name, problems: Vec::new() };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        reader.problem(error.span().unwrap_or(0..0), message, None);
    }
    if reader.problems.is_empty() {
        reader.top(table.get_ref(), config);
    }
    reader.problems.sort_by_key(|problem| problem.place.map(|place| (place.line, place.column)));
    if reader.problems.is_empty() { Ok(()) } else { Err(reader.problems) }
}

struct Reader<'a> {
    text: &'a str,
    name: &'a str,
    problems: Vec<Diagnostic>,
}

/// What a table is called in messages, and the tables that exist beside its keys.
struct Table<'t, 'i> {
    name: String,
    table: &'t DeTable<'i>,
}

impl<'t, 'i> Table<'t, 'i> {
    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value)
    }

    fn called(&self, key: &str) -> String {
        if self.name.is_empty() { format!("`{key}`") } else { format!("`{}.{key}`", self.name) }
    }
}

impl Reader<'_> {
    fn top(&mut self, table: &DeTable<'_>, config: &mut Config) {
        let top = Table { name: String::new(), table };
        self.known(&top, TOP);
        self.root(&top, config);
        let root = config.root.clone();
        if let Some(base) = self.checked(&top, "base", Base::of) {
            base.apply(config);
        }
        if let Some(mode) = self.checked(&top, "mode", mode_name) {
            config.mode = mode;
        }
        if let Some(folder) = self.text_or_false(&top, "public_dir", "a folder, or false for none") {
            config.public_dir = folder.map(|folder| join(&root, Path::new(&folder)));
        }
        if let Some(folder) = self.checked(&top, "env_dir", folder_name) {
            config.env_dir = join(&root, &folder);
        }
        if let Some(prefixes) = self.prefixes(&top) {
            config.env_prefix = prefixes;
        }
        let glob = |text: &str| asset_globs(&[text.to_owned()]).map(|_| text.to_owned());
        if let Some(globs) = self.each_text(&top, "assets_include", glob) {
            config.assets_include = globs;
        }
        if let Some(folder) = self.checked(&top, "cache_dir", folder_name) {
            config.cache_dir = join(&root, &folder);
        }
        self.define(&top, config);
        self.resolve(&top, config);
        if let Some(jsx) = self.table(&top, "jsx", JSX)
            && let Some(source) = self.checked(&jsx, "import_source", |text| Ok(text.to_owned()))
        {
            config.jsx_import_source = Some(source);
        }
        self.server(&top, config);
        self.preview(&top, config);
        self.serve(&top, config);
        self.css(&top, &root, &mut config.css);
        self.build(&top, &root, &mut config.build);
        self.hmr(&top, config);
        self.watch(&top, config);
        if let Some(events) = self.table(&top, "events", EVENTS)
            && let Some(command) = self.texts(&events, "command")
        {
            config.events.command = command;
        }
    }

    fn server(&mut self, top: &Table<'_, '_>, config: &mut Config) {
        let Some(server) = self.table(top, "server", SERVER) else { return };
        self.server_keys(&server, &config.root, &mut config.server);
        if let Some(origins) = self.each_text(&server, "allowed_origins", origin) {
            config.server.allowed_origins = origins;
        }
    }

    /// Only what the table names is taken over: the rest is as in `[server]`, whatever is said there later.
    fn preview(&mut self, top: &Table<'_, '_>, config: &mut Config) {
        let Some(preview) = self.table(top, "preview", PREVIEW) else { return };
        let mut named = config.preview_server();
        self.server_keys(&preview, &config.root, &mut named);
        config.preview.take(named, |key| preview.get(key).is_some());
    }

    /// The keys that `[server]` and `[preview]` share.
    fn server_keys(&mut self, server: &Table<'_, '_>, root: &Path, to: &mut ServerConfig) {
        if let Some(port) = self.number(server, "port", 1..=65535, "a port from 1 to 65535") {
            to.port = port as u16;
        }
        if let Some(strict_port) = self.boolean(server, "strict_port") {
            to.strict_port = strict_port;
        }
        if let Some(host) = self.text_or_switch(server, "host", "an address, or true for all addresses", "0.0.0.0") {
            to.host = host;
        }
        if let Some(open) = self.text_or_switch(server, "open", "a path, or true for the first page", "/") {
            to.open = open.map(|path| page_path(&path));
        }
        self.https(server, root, to);
        self.proxy(server, to);
        self.headers(server, to);
        self.cors(server, to);
        if let Some(hosts) = self.texts(server, "allowed_hosts") {
            to.allowed_hosts = hosts;
        }
    }

    fn serve(&mut self, top: &Table<'_, '_>, config: &mut Config) {
        let Some(serve) = self.table(top, "serve", SERVE) else { return };
        if let Some(include) = self.texts(&serve, "include") {
            config.serve.include = include;
        }
        if let Some(mode) = self.choice(&serve, "mode", &[("graph", ServeMode::Graph), ("root", ServeMode::Root)]) {
            config.serve.mode = mode;
        }
    }

    fn hmr(&mut self, top: &Table<'_, '_>, config: &mut Config) {
        let Some(hmr) = self.table(top, "hmr", HMR) else { return };
        if let Some(enabled) = self.boolean(&hmr, "enabled") {
            config.hmr.enabled = enabled;
        }
        if let Some(overlay) = self.boolean(&hmr, "overlay") {
            config.hmr.overlay = overlay;
        }
        if let Some(bindings) = self.choice(&hmr, "bindings", &[("live", Bindings::Live), ("frozen", Bindings::Frozen)])
        {
            config.hmr.bindings = bindings;
        }
        let workers = [("auto", Workers::Auto), ("restart", Workers::Restart), ("reload", Workers::Reload)];
        if let Some(workers) = self.choice(&hmr, "workers", &workers) {
            config.hmr.workers = workers;
        }
        let html = [("auto", Html::Auto), ("patch", Html::Patch), ("reload", Html::Reload)];
        if let Some(html) = self.choice(&hmr, "html", &html) {
            config.hmr.html = html;
        }
        let socket = &mut config.hmr.socket;
        if let Some(protocol) = self.choice(&hmr, "protocol", &[("ws", "ws"), ("wss", "wss")]) {
            socket.protocol = Some(protocol.to_owned());
        }
        if let Some(host) = self.checked(&hmr, "host", host_name) {
            socket.host = Some(host);
        }
        if let Some(port) = self.number(&hmr, "client_port", 1..=65535, "a port from 1 to 65535") {
            socket.client_port = Some(port as u16);
        }
        if let Some(path) = self.checked(&hmr, "path", socket_path) {
            socket.path = Some(path);
        }
    }

    fn watch(&mut self, top: &Table<'_, '_>, config: &mut Config) {
        let Some(watch) = self.table(top, "watch", WATCH) else { return };
        if let Some(poll) = self.boolean(&watch, "poll") {
            config.watch.poll = poll;
        }
        if let Some(interval) = self.number(&watch, "interval", 1..=60_000, "milliseconds from 1 to 60000") {
            config.watch.interval = interval as u64;
        }
        if let Some(settle) = self.number(&watch, "settle", 0..=10_000, "milliseconds from 0 to 10000") {
            config.watch.settle = settle as u64;
        }
    }

    // ── Values ────────────────────────────────────────────────────────────────────────────────────────────────────

    fn problem(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        let problem = Diagnostic::error(message).in_file(self.name).at(self.text, span.start, span.len());
        self.problems.push(match help {
            Some(help) => problem.with_help(help),
            None => problem,
        });
    }

    fn mistyped(&mut self, table: &Table<'_, '_>, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let is = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.problem(value.span(), format!("{} is {wanted}, and this is {is}", table.called(key)), None);
    }

    /// Complains about keys that do not exist.
    fn known(&mut self, table: &Table<'_, '_>, keys: &[&str]) {
        for (name, _) in table.table.iter() {
            let key = name.get_ref().as_ref();
            if !keys.contains(&key) {
                let place = if table.name.is_empty() { String::new() } else { format!(" in [{}]", table.name) };
                self.problem(name.span(), format!("unknown key `{key}`{place}"), Some(advice(key, keys)));
            }
        }
    }

    fn table<'t, 'i>(&mut self, top: &Table<'t, 'i>, key: &str, keys: &[&str]) -> Option<Table<'t, 'i>> {
        let value = top.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.mistyped(top, key, value, "a table");
            return None;
        };
        let name = if top.name.is_empty() { key.to_owned() } else { format!("{}.{key}", top.name) };
        let table = Table { name, table };
        self.known(&table, keys);
        Some(table)
    }

    fn boolean(&mut self, table: &Table<'_, '_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            self.mistyped(table, key, value, "true or false");
        }
        boolean
    }

    fn number(
        &mut self,
        table: &Table<'_, '_>,
        key: &str,
        range: std::ops::RangeInclusive<i64>,
        wanted: &str,
    ) -> Option<i64> {
        let value = table.get(key)?;
        let Some(integer) = value.get_ref().as_integer() else {
            self.mistyped(table, key, value, wanted);
            return None;
        };
        let number =
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.problem(value.span(), format!("{} is {wanted}", table.called(key)), None);
        }
        number
    }

    /// A string that `check` turns into what is stored, or refuses with a message.
    fn checked<T>(&mut self, table: &Table<'_, '_>, key: &str, check: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let value = table.get(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.mistyped(table, key, value, "a string");
            return None;
        };
        match check(text) {
            Ok(checked) => Some(checked),
            Err(message) => {
                self.problem(value.span(), format!("{}: {message}", table.called(key)), None);
                None
            }
        }
    }

    fn choice<T: Copy>(&mut self, table: &Table<'_, '_>, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let value = table.get(key)?;
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let wanted = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" or ");
        let Some(text) = value.get_ref().as_str() else {
            self.mistyped(table, key, value, &wanted);
            return None;
        };
        let choice = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
        if choice.is_none() {
            let help = nearest(text, &names).map(|name| format!("did you mean \"{name}\"?"));
            self.problem(value.span(), format!("{} is {wanted}", table.called(key)), help);
        }
        choice
    }

    /// A string; `true` stands for `meant` and `false` for nothing.
    fn text_or_switch(
        &mut self,
        table: &Table<'_, '_>,
        key: &str,
        wanted: &str,
        meant: &str,
    ) -> Option<Option<String>> {
        match table.get(key)?.get_ref() {
            DeValue::Boolean(true) => Some(Some(meant.to_owned())),
            _ => self.text_or_false(table, key, wanted),
        }
    }

    fn text_or_false(&mut self, table: &Table<'_, '_>, key: &str, wanted: &str) -> Option<Option<String>> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(Some(text.to_string())),
            DeValue::Boolean(false) => Some(None),
            DeValue::String(_) => {
                self.problem(value.span(), format!("{} is {wanted}", table.called(key)), None);
                None
            }
            _ => {
                self.mistyped(table, key, value, wanted);
                None
            }
        }
    }

    fn texts(&mut self, table: &Table<'_, '_>, key: &str) -> Option<Vec<String>> {
        self.each_text(table, key, |text| Ok(text.to_owned()))
    }

    fn each_text(
        &mut self,
        table: &Table<'_, '_>,
        key: &str,
        check: impl Fn(&str) -> Result<String, String>,
    ) -> Option<Vec<String>> {
        let value = table.get(key)?;
        let Some(list) = value.get_ref().as_array() else {
            self.mistyped(table, key, value, "a list of strings");
            return None;
        };
        let mut texts = Vec::new();
        for entry in list.iter() {
            match entry.get_ref().as_str().map(&check) {
                Some(Ok(text)) => texts.push(text),
                Some(Err(message)) => self.problem(entry.span(), format!("{}: {message}", table.called(key)), None),
                None => self.problem(entry.span(), format!("{} is a list of strings", table.called(key)), None),
            }
        }
        Some(texts)
    }

    /// An empty prefix would hand the whole environment to the page.
    fn prefixes(&mut self, top: &Table<'_, '_>) -> Option<Vec<String>> {
        let check = |prefix: &str| match prefix {
            "" => Err("an empty prefix would show the whole environment to the page".to_owned()),
            _ => Ok(prefix.to_owned()),
        };
        match top.get("env_prefix")?.get_ref() {
            DeValue::String(_) => Some(vec![self.checked(top, "env_prefix", check)?]),
            _ => self.each_text(top, "env_prefix", check),
        }
    }
}

/// Where the pages' files are.
///
/// ```text
/// app                        →  /app/ for servers and builds
/// ./                         →  / for servers; addresses in builds are relative
/// https://cdn.example.com/x  →  /x/ for servers; addresses in builds begin with https://cdn.example.com/x/
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    path: String,
    is_relative: bool,
    address: Option<String>,
}

impl Base {
    pub fn of(base: &str) -> Result<Self, String> {
        let scheme = ["https://", "http://", "//"].into_iter().find(|scheme| base.starts_with(scheme));
        let Some(scheme) = scheme else {
            let is_relative = matches!(base, "" | "." | "./");
            return Ok(Self { path: base_path(base)?, is_relative, address: None });
        };
        let (host, path) = base[scheme.len()..].split_once('/').unwrap_or((&base[scheme.len()..], ""));
        host_name(host)
            .map_err(|_| "an address as base is written like \"https://cdn.example.com/app/\"".to_owned())?;
        let path = base_path(path)?;
        Ok(Self { address: Some(format!("{scheme}{host}{path}")), path, is_relative: false })
    }

    pub fn apply(self, config: &mut Config) {
        config.base = self.path;
        config.build.relative_base = self.is_relative;
        config.build.base_address = self.address;
    }
}

/// `/app/` from `app`, `/app`, `app/` and `/app/`; `/my%20app/` from `my app`, as it stands in addresses.
fn base_path(base: &str) -> Result<String, String> {
    if base.contains("://") {
        return Err("a base is a path such as \"/app/\", or an address that begins with https:// or http://".to_owned());
    }
    let wrong = || "a base is a plain path such as \"/app/\"".to_owned();
    let base = percent_decode_str(base).decode_utf8().map_err(|_| wrong())?;
    if base.contains(['?', '#', '\\', '%']) || base.chars().any(char::is_control) {
        return Err(wrong());
    }
    let steps: Vec<&str> = base.split('/').filter(|step| !step.is_empty() && *step != ".").collect();
    // No request has such a segment.
    if steps.iter().any(|step| step.ends_with(['.', ' ']) || step.starts_with(' ')) {
        return Err(wrong());
    }
    Ok(if steps.is_empty() { "/".to_owned() } else { encode_path(&format!("/{}/", steps.join("/"))) })
}

/// A mode becomes part of a file name.
pub(crate) fn mode_name(mode: &str) -> Result<String, String> {
    match mode {
        "" => Err("a mode has a name".to_owned()),
        "local" => Err("\"local\" would clash with the .env.local file".to_owned()),
        _ if mode.contains(['/', '\\', '\0']) => Err("a mode is a name without slashes".to_owned()),
        _ => Ok(mode.to_owned()),
    }
}

fn folder_name(folder: &str) -> Result<PathBuf, String> {
    if folder.is_empty() { Err("a folder has a name".to_owned()) } else { Ok(PathBuf::from(folder)) }
}

pub(crate) fn origin(origin: &str) -> Result<String, String> {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '*', '?', '#', '@']) => Ok(origin.to_owned()),
        _ => Err("an origin is written like \"https://app.example.com:8443\", whole and without a path".to_owned()),
    }
}

/// A name that may stand in an address.
pub(crate) fn host_name(host: &str) -> Result<String, String> {
    if !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':'))
    {
        Ok(host.to_owned())
    } else {
        Err("a host is a name or an address, without scheme and path".to_owned())
    }
}

pub(crate) fn socket_path(path: &str) -> Result<String, String> {
    let path = path.trim_start_matches('/');
    if !path.is_empty()
        && path.split('/').all(|step| {
            !step.is_empty()
                && step.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c))
                && !step.ends_with('.')
        })
    {
        Ok(path.to_owned())
    } else {
        Err("a path is written like \"hmr/socket\"; it lies below the base".to_owned())
    }
}

pub(crate) fn page_path(path: &str) -> String {
    if path.starts_with('/') || path.contains("://") { path.to_owned() } else { format!("/{path}") }
}

/// The key that was probably meant, or all there are.
fn advice(key: &str, keys: &[&str]) -> String {
    let wanted = snake_case(key);
    if let Some(key) = keys.iter().copied().find(|key| *key == wanted).or_else(|| nearest(&wanted, keys)) {
        return format!("did you mean `{key}`?");
    }
    let elsewhere = [
        ("server", SERVER),
        ("build", build::BUILD),
        ("preview", PREVIEW),
        ("serve", SERVE),
        ("css", css::CSS),
        ("hmr", HMR),
        ("watch", WATCH),
        ("events", EVENTS),
        ("resolve", RESOLVE),
    ];
    if let Some((table, _)) = elsewhere.iter().find(|(_, others)| others.contains(&wanted.as_str())) {
        return format!("`{wanted}` belongs in [{table}]");
    }
    if TOP.contains(&wanted.as_str()) {
        return format!("`{wanted}` belongs at the top of the file, before the first table");
    }
    format!("the keys here are {}", keys.join(", "))
}

fn nearest<'k>(text: &str, keys: &[&'k str]) -> Option<&'k str> {
    let distance = |key: &str| strsim::damerau_levenshtein(&text.to_lowercase().replace('-', "_"), key);
    let nearest = keys.iter().copied().min_by_key(|key| distance(key))?;
    (distance(nearest) <= (nearest.len() / 3).max(1)).then_some(nearest)
}

/// `strict_port` from `strictPort`, the spelling of other tools, and from `strict-port`.
pub(crate) fn snake_case(key: &str) -> String {
    let mut snake = String::new();
    for c in key.chars() {
        match c {
            '-' => snake.push('_'),
            c if c.is_uppercase() => {
                if !snake.is_empty() && !snake.ends_with('_') {
                    snake.push('_');
                }
                snake.extend(c.to_lowercase());
            }
            c => snake.push(c),
        }
    }
    snake
}

/// Joins and removes `.` and `..`, for paths that need not exist.
pub(crate) fn join(folder: &Path, path: &Path) -> PathBuf {
    let mut joined = PathBuf::new();
    for step in folder.join(path).components() {
        match step {
            Component::CurDir => {}
            Component::ParentDir => drop(joined.pop()),
            step => joined.push(step),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
