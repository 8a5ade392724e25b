//! What a project's `vite.config.*` says, as far as it can be read without running it.
//!
//! ```text
//! export default defineConfig({                        config.base = "/app/"
//!   base: '/app/',                                     config.resolve.alias = "@" → /project/src
//!   resolve: { alias: { '@': path.resolve('src') } },
//!   plugins: [react(), pwa()],                    →    vite.config.ts
//!   css: theirs(),                                     taken           base, resolve.alias
//! })                                                   built in        @vitejs/plugin-react
//!                                                      not supported   vite-plugin-pwa
//!                                                      not understood  css (line 5)
//!                                                      for rekindle.toml  css
//! ```

use std::path::{Path, PathBuf};

use rekindle_compile::compiler::asset_globs;
use rekindle_compile::files::file;
use rekindle_compile::plain::build_settings::Input;
use rekindle_compile::project::defines;
use rekindle_compile::project::env::Variables;
pub use rekindle_compile::project::static_config::FILES;
use rekindle_compile::project::static_config::Item;
use rekindle_compile::project::static_config::Replacement;
use rekindle_compile::project::static_config::SPREAD;
use rekindle_compile::project::static_config::Situation;
use rekindle_compile::project::static_config::Unread;
use rekindle_compile::project::static_config::Value;
use rekindle_compile::project::static_config::evaluate;
use rekindle_compile::project::static_config::json_text;
use rekindle_compile::resolve::pattern::Pattern;
use rekindle_graph::Diagnostic;
use rekindle_server::config::css::PostcssSetting;
use rekindle_server::config::{Alias, Config, Find, Https, SourceMaps};
use rekindle_server::cors::{Cors, CorsOrigin, OriginRule};
use rekindle_server::proxy::{Context, ProxyRule, Rewrite, Target};

use crate::settings::{self, keys};

/// Plugins whose work is done here without them.
const BUILT_IN: [&str; 8] = [
    "@vitejs/plugin-react",
    "@vitejs/plugin-react-swc",
    "@vitejs/plugin-react-oxc",
    "@preact/preset-vite",
    "@prefresh/vite",
    "@tailwindcss/vite",
    "@vitejs/plugin-basic-ssl",
    "vite-tsconfig-paths",
];

/// Keys that are about building, testing, or Vite's own workings.
const NOT_NEEDED: [&str; 34] = [
    "appType",
    "build.commonjsOptions",
    "build.dynamicImportVarsOptions",
    "build.emitAssets",
    "build.license",
    "build.ssrEmitAssets",
    "build.ssrManifest",
    "build.terserOptions",
    "build.write",
    "builder",
    "cacheDir",
    "clearScreen",
    "customLogger",
    "devtools",
    "experimental",
    "future",
    "legacy",
    "logLevel",
    "optimizeDeps",
    "server.hmr.timeout",
    "server.middlewareMode",
    "server.preTransformRequests",
    "server.sourcemapIgnoreList",
    "server.warmup",
    "server.watch.awaitWriteFinish",
    "server.watch.ignored",
    "ssr",
    "test",
    "css.preprocessorMaxWorkers",
    "server.perEnvironmentStartEndDuringDev",
    "esbuild.drop",
    "esbuild.legalComments",
    "esbuild.logOverride",
    "esbuild.target",
];

/// Keys that do something in Vite and that nothing here stands for.
const UNSUPPORTED: [&str; 5] = [
    "build.rollupOptions.external",
    "build.rolldownOptions.external",
    "build.ssr",
    "build.watch",
    "server.forwardConsole",
];

/// Keys whose work is done here in another way, with that way.
const NO_EFFECT: [(&str, &str); 5] = [
    ("server.fs.allow", "what is imported is served, wherever it lies"),
    ("server.fs.deny", "served is what is imported, pages and `public/`; with serve.mode = \"root\" all but secrets"),
    ("server.fs.strict", "only what is imported is served from outside of the project"),
    ("build.rollupOptions.output", OUTPUT),
    ("build.rolldownOptions.output", OUTPUT),
];
const OUTPUT: &str = "chunks and their names are made here; `build.assets_dir` sets their folder";

/// What was made of a file.
#[derive(Debug)]
pub struct Taken {
    pub block: Block,
    /// Files that the settings come from.
    pub files: Vec<PathBuf>,
}

/// What the terminal says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub file: String,
    pub rows: Vec<(&'static str, String)>,
}

/// The project's configuration of Vite.
pub fn find(root: &Path) -> Option<PathBuf> {
    FILES.iter().map(|name| root.join(name)).find(|path| path.is_file())
}

/// What stands where it is looked for and is no file, such as a named pipe: a line for each.
pub fn left_out(root: &Path) -> Vec<String> {
    let looked_at = FILES.iter().take_while(|name| !root.join(name).is_file());
    let odd = looked_at.filter_map(|name| Some((name, file::oddity(&root.join(name))?)));
    odd.map(|(name, kind)| format!("{name} is {kind}, not a file, and is left out")).collect()
}

/// Puts what the file says into `config`.
///
/// # Errors
/// The file cannot be parsed.
pub fn apply(
    path: &Path,
    mode: &str,
    command: &str,
    variables: &Variables,
    config: &mut Config,
) -> Result<Taken, Diagnostic> {
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = config.root.clone();
    let situation = Situation { mode, command, folder: &folder, variables };
    let found = match evaluate(path, situation) {
        Ok(found) => found,
        Err(Unread::Broken(mistake)) => return Err(mistake),
        Err(Unread::Unclear(reason)) => {
            let rows = vec![("not understood", reason)];
            return Ok(Taken { block: Block { file, rows }, files: vec![path.to_owned()] });
        }
    };
    let mut reader = Reader { config, report: Notes::default() };
    match &found.value.value {
        Value::Object(entries) => reader.top(entries),
        _ => reader.report.missed.push(format!("its default export (line {})", found.value.line)),
    }
    for (code, line) in found.lost {
        reader.report.missed.push(format!("{code} (line {line})"));
    }
    let rows = reader.report.rows();
    Ok(Taken { block: Block { file, rows }, files: found.files })
}

/// Names of what was found, by what became of it.
#[derive(Debug, Default)]
struct Notes {
    taken: Vec<String>,
    built_in: Vec<String>,
    unsupported: Vec<String>,
    missed: Vec<String>,
    not_needed: Vec<String>,
    no_effect: Vec<String>,
    /// Keys of rekindle.toml that could hold what was not understood.
    settable: Vec<String>,
    /// What postcss.config.js could hold: plugins run where they are set there.
    for_postcss: Vec<String>,
}

impl Notes {
    fn rows(self) -> Vec<(&'static str, String)> {
        let rows = [
            ("taken", self.taken),
            ("built in", self.built_in),
            ("not supported yet", self.unsupported),
            ("not understood", self.missed),
            ("not needed", self.not_needed),
            ("no effect here", self.no_effect),
            ("for rekindle.toml", self.settable),
            ("for postcss.config.js", self.for_postcss),
        ];
        rows.into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(label, names)| {
                // The browser's own settings may name a key again.
                let mut once: Vec<&str> = Vec::new();
                names.iter().for_each(|name| {
                    if !once.contains(&name.as_str()) {
                        once.push(name)
                    }
                });
                (label, once.join(", "))
            })
            .collect()
    }

    fn miss(&mut self, path: &str, item: &Item) {
        if let Some(key) = settings::key_of(path).filter(|key| !self.settable.contains(key)) {
            self.settable.push(key);
        }
        self.missed.push(match item.line {
            0 => path.to_owned(),
            line => format!("{path} (line {line})"),
        });
    }
}

struct Reader<'c> {
    config: &'c mut Config,
    report: Notes,
}

/// `None`: the value is not one that this key can have.
type Set = Option<()>;

impl Reader<'_> {
    fn top(&mut self, entries: &[(String, Item)]) {
        // Other keys are relative to the root, whichever comes first.
        let (root, rest): (Vec<_>, Vec<_>) = entries.iter().partition(|(name, _)| name == "root");
        // What is said of the browser alone comes last: it counts more than what is said of all environments.
        let (environments, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(name, _)| name == "environments");
        for (name, item) in root.into_iter().chain(rest) {
            self.entry(name, item);
        }
        for (name, item) in environments {
            match &item.value {
                Value::Object(entries) => self.environments(entries),
                _ => self.report.miss(name, item),
            }
        }
    }

    /// Only the browser's settings count here.
    fn environments(&mut self, entries: &[(String, Item)]) {
        for (name, item) in entries {
            match &item.value {
                Value::Object(entries) if name == "client" => {
                    let (known, other): (Vec<_>, Vec<_>) =
                        entries.iter().partition(|(key, _)| matches!(key.as_str(), "define" | "resolve" | "build"));
                    known.into_iter().for_each(|(key, item)| self.entry(key, item));
                    let other = other.into_iter().map(|(key, _)| format!("environments.client.{key}"));
                    self.report.not_needed.extend(other);
                }
                _ if name == "client" || name.ends_with(SPREAD) => self.report.miss("environments.client", item),
                _ => self.report.not_needed.push(format!("environments.{name}")),
            }
        }
    }

    fn entry(&mut self, path: &str, item: &Item) {
        if item.value == Value::Undefined {
            return;
        }
        let is_table =
            matches!(
                path,
                "server"
                    | "preview"
                    | "build"
                    | "resolve"
                    | "server.hmr"
                    | "server.watch"
                    | "server.fs"
                    | "esbuild"
                    | "oxc"
                    | "oxc.jsx"
            ) || matches!(path, "build.rollupOptions" | "build.rolldownOptions" | "build.modulePreload" | "css");
        if let (true, Value::Object(entries)) = (is_table, &item.value) {
            for (name, item) in entries {
                self.entry(&format!("{path}.{name}"), item);
            }
            return;
        }
        if NOT_NEEDED.contains(&path) {
            return self.report.not_needed.push(path.to_owned());
        }
        if UNSUPPORTED.contains(&path) {
            return self.report.unsupported.push(path.to_owned());
        }
        if let Some((_, instead)) = NO_EFFECT.iter().find(|(key, _)| *key == path) {
            let parts = match &item.value {
                Value::Object(entries) => entries.iter().map(|(name, _)| format!("{path}.{name}")).collect(),
                _ => vec![path.to_owned()],
            };
            return self.report.no_effect.push(format!("{} ({instead})", parts.join(", ")));
        }
        // These name what they did not understand themselves.
        match (path, &item.value) {
            ("plugins", Value::List(plugins)) => return self.plugins(plugins),
            ("define", Value::Object(entries)) => return self.define(entries),
            ("server.proxy" | "preview.proxy", Value::Object(entries)) => return self.proxy(path, entries),
            ("resolve.alias", Value::Object(_) | Value::List(_)) => return self.alias(&item.value),
            ("css.modules", Value::Object(entries)) => return self.css_modules(entries),
            ("css.preprocessorOptions", Value::Object(entries)) => return self.preprocessors(entries),
            ("css.postcss", Value::Object(entries)) => return self.postcss(entries),
            _ => {}
        }
        match self.set(path, &item.value) {
            Some(()) => self.report.taken.push(path.to_owned()),
            None if path.ends_with(SPREAD) => self.report.miss("a spread", item),
            None => self.report.miss(path, item),
        }
    }

    fn set(&mut self, path: &str, value: &Value) -> Set {
        let root = self.config.root.clone();
        let folder = |value: &Value| Some(settings::join(&root, Path::new(&path_text(value)?)));
        let config = &mut *self.config;
        match path {
            "root" => keys::move_root(config, Path::new(&path_text(value)?)).ok()?,
            "base" => {
                settings::Base::of(text(value)?).ok()?.apply(config);
            }
            "mode" => config.mode = settings::mode_name(text(value)?).ok()?,
            "publicDir" => {
                config.public_dir = match value {
                    Value::Bool(false) => None,
                    Value::Text(none) if none.is_empty() => None,
                    value => Some(folder(value)?),
                }
            }
            "envDir" => config.env_dir = folder(value)?,
            "envPrefix" => {
                let prefixes = texts(value).or_else(|| Some(vec![text(value)?.to_owned()]))?;
                if prefixes.iter().any(String::is_empty) {
                    return None;
                }
                config.env_prefix = prefixes;
            }
            "esbuild.jsxImportSource" | "oxc.jsx.importSource" => {
                config.jsx_import_source = Some(text(value)?.to_owned());
            }
            "esbuild.jsx" | "oxc.jsx.runtime" if text(value) == Some("automatic") => {}
            "assetsInclude" => {
                let globs = texts(value).or_else(|| Some(vec![text(value)?.to_owned()]))?;
                asset_globs(&globs).ok()?;
                config.assets_include = globs;
            }
            "css.devSourcemap" => config.css.dev_sourcemap = boolean(value)?,
            "css.postcss" => config.css.postcss = PostcssSetting::Folder(folder(value)?),
            // The other one is not there; both are no more than ways to the same.
            "css.transformer" if text(value) == Some("postcss") => {}
            "resolve.extensions" => config.resolve.extensions = texts(value)?,
            "resolve.dedupe" => config.resolve.dedupe = texts(value)?,
            "resolve.conditions" => config.resolve.conditions = texts(value)?,
            "resolve.mainFields" => config.resolve.main_fields = texts(value)?,
            "resolve.preserveSymlinks" => config.resolve.preserve_symlinks = boolean(value)?,
            // Paths of tsconfig.json are always read.
            "resolve.tsconfigPaths" => drop(boolean(value)?),
            _ if path.starts_with("build.") => return self.set_build(path, value),
            _ => return self.set_preview(path, value),
        }
        Some(())
    }

    /// As for the development server, and kept apart from it.
    fn set_preview(&mut self, path: &str, value: &Value) -> Set {
        let Some(key) = path.strip_prefix("preview.") else { return self.set_server(path, value) };
        let name = settings::snake_case(key);
        const KEYS: [&str; 8] = ["port", "strict_port", "host", "open", "https", "headers", "cors", "allowed_hosts"];
        if !KEYS.contains(&name.as_str()) {
            return None;
        }
        let named = self.config.preview_server();
        let before = std::mem::replace(&mut self.config.server, named);
        let set = self.set_server(&format!("server.{key}"), value);
        let named = std::mem::replace(&mut self.config.server, before);
        if set.is_some() {
            self.config.preview.take(named, |key| key == name);
        }
        set
    }

    fn set_build(&mut self, path: &str, value: &Value) -> Set {
        let root = self.config.root.clone();
        let build = &mut self.config.build;
        let target = |value: &Value| -> Option<Vec<String>> {
            let names = texts(value).or_else(|| Some(vec![text(value)?.to_owned()]))?;
            let known = names.iter().map(|name| settings::build::target_name(name).ok());
            Some(known.collect::<Option<Vec<_>>>()?.iter().flat_map(|name| settings::build::of_name(name)).collect())
        };
        match path {
            "build.outDir" => build.out_dir = settings::join(&root, Path::new(&path_text(value)?)),
            "build.assetsDir" => build.assets_dir = settings::build::below_output(text(value)?).ok()?,
            "build.assetsInlineLimit" => match value {
                Value::Number(limit @ 0.0..=1e9) => build.assets_inline_limit = *limit as u64,
                Value::Bool(false) => build.assets_inline_limit = 0,
                _ => return None,
            },
            "build.target" => build.target = target(value)?,
            "build.cssTarget" => build.css_target = Some(target(value)?),
            "build.minify" => build.minify = is_on(value)?,
            "build.cssMinify" => build.css_minify = Some(is_on(value)?),
            "build.sourcemap" => {
                build.sourcemap = match (value, text(value)) {
                    (Value::Bool(true), _) => SourceMaps::File,
                    (Value::Bool(false), _) => SourceMaps::None,
                    (_, Some("inline")) => SourceMaps::Inline,
                    (_, Some("hidden")) => SourceMaps::Hidden,
                    _ => return None,
                }
            }
            "build.manifest" => {
                build.manifest = match value {
                    Value::Bool(false) => None,
                    Value::Bool(true) => Some(settings::build::MANIFEST.to_owned()),
                    value => Some(settings::build::below_output(text(value)?).ok()?),
                }
            }
            "build.emptyOutDir" => build.empty_out_dir = Some(boolean(value)?),
            "build.cssCodeSplit" => build.css_code_split = boolean(value)?,
            "build.copyPublicDir" => build.copy_public_dir = boolean(value)?,
            "build.reportCompressedSize" => build.report_compressed_size = boolean(value)?,
            "build.modulePreload" => build.module_preload = boolean(value)?,
            // Every browser that is built for has them.
            "build.modulePreload.polyfill" => drop(boolean(value)?),
            "build.chunkSizeWarningLimit" => match value {
                Value::Number(limit @ 0.0..=1e9) => build.chunk_size_warning_limit = *limit as u64,
                _ => return None,
            },
            "build.rollupOptions.input" | "build.rolldownOptions.input" => {
                let input = |name: Option<&str>, value: &Value| {
                    let file = PathBuf::from(path_text(value)?);
                    let path = file.strip_prefix(&root).map(Path::to_owned).unwrap_or(file);
                    Some(Input { name: name.map(str::to_owned), path })
                };
                let inputs: Option<Vec<Input>> = match value {
                    Value::Object(entries) => {
                        entries.iter().map(|(name, item)| input(Some(name), &item.value)).collect()
                    }
                    Value::List(items) => items.iter().map(|item| input(None, &item.value)).collect(),
                    value => Some(vec![input(None, value)?]),
                };
                build.input = inputs?;
            }
            _ => return None,
        }
        Some(())
    }

    fn set_server(&mut self, path: &str, value: &Value) -> Set {
        let root = self.config.root.clone();
        let (server, hmr, watch) = (&mut self.config.server, &mut self.config.hmr, &mut self.config.watch);
        match path {
            "server.port" => server.port = port(value)?,
            "server.strictPort" => server.strict_port = boolean(value)?,
            "server.host" => {
                server.host = match value {
                    Value::Bool(true) => Some("0.0.0.0".to_owned()),
                    Value::Bool(false) => None,
                    value => Some(text(value)?.to_owned()),
                }
            }
            "server.open" => {
                server.open = match value {
                    Value::Bool(true) => Some("/".to_owned()),
                    Value::Bool(false) => None,
                    value => Some(settings::page_path(text(value)?)),
                }
            }
            "server.https" => server.https = https(value, &root)?,
            "server.headers" => {
                let Value::Object(entries) = value else { return None };
                let headers = entries.iter().map(|(name, item)| keys::header(name, &plain(&item.value)?, true).ok());
                server.headers = headers.collect::<Option<_>>()?;
            }
            "server.cors" => server.cors = cors(value)?,
            "server.allowedHosts" => server.allowed_hosts = texts(value)?,
            "server.hmr" => hmr.enabled = boolean(value)?,
            "server.hmr.overlay" => hmr.overlay = boolean(value)?,
            "server.hmr.protocol" => {
                hmr.socket.protocol = Some(text(value).filter(|text| matches!(*text, "ws" | "wss"))?.to_owned());
            }
            "server.hmr.host" => hmr.socket.host = Some(settings::host_name(text(value)?).ok()?),
            "server.hmr.clientPort" => hmr.socket.client_port = Some(port(value)?),
            "server.hmr.path" => hmr.socket.path = Some(settings::socket_path(text(value)?).ok()?),
            "server.watch.usePolling" => watch.poll = boolean(value)?,
            "server.watch.interval" => match value {
                Value::Number(milliseconds @ 1.0..=60_000.0) => watch.interval = *milliseconds as u64,
                _ => return None,
            },
            _ => return None,
        }
        Some(())
    }

    // ---- keys with parts

    fn define(&mut self, entries: &[(String, Item)]) {
        let mut all = true;
        for (name, item) in entries {
            let expression = match &item.value {
                Value::Text(text) => Some(text.clone()),
                Value::Undefined => Some("undefined".to_owned()),
                value => json_text(value),
            };
            match expression.filter(|expression| defines::check(name, expression).is_ok()) {
                Some(expression) => keys::put(&mut self.config.define, name, expression),
                None => {
                    all = false;
                    self.report.miss(&format!("define.{name}"), item);
                }
            }
        }
        if all || entries.len() > 1 {
            self.report.taken.push("define".to_owned());
        }
    }

    fn alias(&mut self, value: &Value) {
        let root = self.config.root.clone();
        let pairs: Vec<(Option<Find>, Option<String>, &Item, String)> = match value {
            Value::Object(entries) => entries
                .iter()
                .map(|(find, item)| (Some(Find::Prefix(find.clone())), path_text(&item.value), item, find.clone()))
                .collect(),
            Value::List(items) => items
                .iter()
                .map(|item| {
                    let field = |name: &str| property(&item.value, name);
                    let find = field("find");
                    let shown = find.map_or_else(|| "?".to_owned(), shown);
                    (find.and_then(find_of), field("replacement").and_then(path_text), item, shown)
                })
                .collect(),
            _ => return,
        };
        let mut aliases = Vec::new();
        for (find, replacement, item, shown) in pairs {
            match (find, replacement) {
                (Some(find), Some(replacement)) if shown != SPREAD => {
                    aliases.push(Alias { find, replacement: keys::from_root(&replacement, &root) });
                }
                _ => self.report.miss(&format!("resolve.alias {shown}"), item),
            }
        }
        if !aliases.is_empty() {
            self.report.taken.push("resolve.alias".to_owned());
        }
        // Before what a preset has set: the user's own come first.
        aliases.append(&mut self.config.resolve.alias);
        self.config.resolve.alias = aliases;
    }

    fn proxy(&mut self, path: &str, entries: &[(String, Item)]) {
        let mut rules = Vec::new();
        for (key, item) in entries {
            let path = format!("{path} {key}");
            match self.rule(key, item, &path) {
                Some(rule) => rules.push(rule),
                None => self.report.miss(&path, item),
            }
        }
        if !rules.is_empty() {
            self.report.taken.push(path.to_owned());
        }
        match path {
            "preview.proxy" => self.config.preview.proxy = Some(rules),
            _ => self.config.server.proxy = rules,
        }
    }

    /// One rule. What would send requests astray if it were left out makes the whole rule one that is not understood.
    fn rule(&mut self, key: &str, item: &Item, path: &str) -> Option<ProxyRule> {
        Context::parse(key).ok()?;
        let entries = match &item.value {
            Value::Text(target) => return ProxyRule::new(key, target).ok(),
            Value::Object(entries) => entries,
            _ => return None,
        };
        let target = property(&item.value, "target")?;
        let (_, target) = Target::parse(&address(target)?).ok()?;
        let mut rule = ProxyRule::new(key, &target.to_string()).ok()?;
        rule.ws = address(property(&item.value, "target")?)?.starts_with("ws");
        for (name, item) in entries.iter().filter(|(_, item)| item.value != Value::Undefined) {
            match name.as_str() {
                "target" => {}
                "changeOrigin" => rule.change_origin = boolean(&item.value)?,
                "ws" => rule.ws = boolean(&item.value)?,
                "secure" => rule.secure = boolean(&item.value)?,
                "xfwd" => rule.xfwd = boolean(&item.value)?,
                "rewriteWsOrigin" => rule.rewrite_ws_origin = boolean(&item.value)?,
                "rewrite" => match &item.value {
                    Value::Rewriter(steps) => rule.rewrite = rewrite(steps)?,
                    _ => return None,
                },
                "bypass" | "prependPath" | "ignorePath" | "router" | "pathFilter" => return None,
                name if name == SPREAD => return None,
                "headers" => match header_list(&item.value) {
                    Some(headers) => rule.headers = headers,
                    None => self.report.miss(&format!("{path} headers"), item),
                },
                other => self.report.miss(&format!("{path} {other}"), item),
            }
        }
        Some(rule)
    }

    fn plugins(&mut self, plugins: &[Item]) {
        for item in plugins {
            match &item.value {
                Value::List(inner) => self.plugins(inner),
                Value::Undefined | Value::Null | Value::Bool(_) => {}
                Value::Call { package, args, .. } => {
                    let is_known = BUILT_IN.contains(&package.as_str());
                    let list = if is_known { &mut self.report.built_in } else { &mut self.report.unsupported };
                    list.push(package.clone());
                    if !is_known {
                        self.config.missing_plugins.push(package.clone());
                    }
                    if is_known {
                        self.plugin_options(package, args);
                    }
                }
                Value::Object(_) => {
                    let name = property(&item.value, "name").and_then(text).unwrap_or("a plugin");
                    self.report.unsupported.push(format!("{name} (line {})", item.line));
                }
                _ => self.report.unsupported.push(format!("a plugin (line {})", item.line)),
            }
        }
    }

    fn plugin_options(&mut self, package: &str, args: &[Item]) {
        let options = match args.first() {
            Some(Item { value: Value::Object(entries), .. }) => entries.as_slice(),
            _ => &[],
        };
        let short = package.rsplit('/').next().unwrap_or(package);
        let option = |wanted: &str| options.iter().find(|(name, _)| name == wanted).map(|(_, item)| &item.value);
        match package {
            "@preact/preset-vite" => {
                self.config.jsx_import_source.get_or_insert_with(|| "preact".to_owned());
                if option("reactAliasesEnabled") != Some(&Value::Bool(false)) {
                    self.preact_aliases();
                }
            }
            "@vitejs/plugin-basic-ssl" => {
                self.config.server.https.get_or_insert(Https::Generated);
            }
            _ => {}
        }
        for (name, item) in options {
            let is_taken = match (package, name.as_str(), &item.value) {
                (_, "jsxImportSource", Value::Text(source)) if package.starts_with("@vitejs/plugin-react") => {
                    self.config.jsx_import_source = Some(source.clone());
                    true
                }
                ("@preact/preset-vite", "reactAliasesEnabled" | "prefreshEnabled" | "devToolsEnabled", _) => true,
                (_, "jsxRuntime", Value::Text(runtime)) => runtime == "automatic",
                // Paths are read from every tsconfig.json there is.
                ("vite-tsconfig-paths" | "@vitejs/plugin-basic-ssl" | "@tailwindcss/vite", ..) => true,
                _ => false,
            };
            if !is_taken {
                self.report.miss(&format!("{short} {name}"), item);
            }
        }
    }

    /// What Preact's preset sets: packages written for React get Preact.
    fn preact_aliases(&mut self) {
        for (find, replacement) in [
            ("react-dom/test-utils", "preact/test-utils"),
            ("react-dom", "preact/compat"),
            ("react/jsx-runtime", "preact/jsx-runtime"),
            ("react/jsx-dev-runtime", "preact/jsx-dev-runtime"),
            ("react", "preact/compat"),
        ] {
            let find = Find::Prefix(find.to_owned());
            self.config.resolve.alias.push(Alias { find, replacement: replacement.to_owned() });
        }
    }
}

// ---- values

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::List(items) => items.iter().map(|item| text(&item.value).map(str::to_owned)).collect(),
        _ => None,
    }
}

fn path_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(text.strip_prefix("file://").unwrap_or(text).to_owned()),
        Value::FileUrl(path) => Some(path.display().to_string()),
        _ => None,
    }
}

/// A switch, or the name of the tool that does it.
fn is_on(value: &Value) -> Option<bool> {
    boolean(value).or_else(|| text(value).map(|_| true))
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        _ => None,
    }
}

fn port(value: &Value) -> Option<u16> {
    match value {
        Value::Number(number @ 1.0..=65535.0) if number.fract() == 0.0 => Some(*number as u16),
        Value::Text(text) => text.parse().ok().filter(|port| *port > 0),
        _ => None,
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => json_text(value),
        _ => None,
    }
}

fn property<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(entries) => entries.iter().find(|(known, _)| known == name).map(|(_, item)| &item.value),
        _ => None,
    }
}

fn find_of(value: &Value) -> Option<Find> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(Find::Prefix(text.clone())),
        Value::Pattern { source, flags } => Pattern::new(source, flags).ok().map(Find::Pattern),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Pattern { source, flags } => format!("/{source}/{flags}"),
        _ => "?".to_owned(),
    }
}

/// A target: `'http://localhost:3000'`, or the parts of one.
fn address(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Object(_) => {
            let part = |name: &str| property(value, name).and_then(plain);
            let protocol = part("protocol").unwrap_or_else(|| "http:".to_owned());
            let port = part("port").map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{}//{}{port}", protocol.trim_end_matches('/'), part("host").or_else(|| part("hostname"))?))
        }
        _ => None,
    }
}

fn rewrite(steps: &[Replacement]) -> Option<Vec<Rewrite>> {
    let step = |step: &Replacement| {
        Some(Rewrite { from: Pattern::new(&step.pattern, &step.flags).ok()?, to: step.to.clone() })
    };
    steps.iter().map(step).collect()
}

fn header_list(value: &Value) -> Option<Vec<(String, String)>> {
    match value {
        Value::Object(entries) => {
            entries.iter().map(|(name, item)| keys::header(name, &plain(&item.value)?, false).ok()).collect()
        }
        _ => None,
    }
}

/// `true`, or an object with the texts of files, or their paths.
fn https(value: &Value, root: &Path) -> Option<Option<Https>> {
    let file = |name: &str| match property(value, name)? {
        Value::FileText(path) => Some(path.clone()),
        Value::Text(text) => Some(root.join(text)).filter(|path| path.is_file()),
        _ => None,
    };
    match value {
        Value::Bool(false) => Some(None),
        Value::Bool(true) => Some(Some(Https::Generated)),
        Value::Object(entries) if entries.is_empty() => Some(Some(Https::Generated)),
        Value::Object(_) => Some(Some(Https::Files { key: file("key")?, cert: file("cert")? })),
        _ => None,
    }
}

fn cors(value: &Value) -> Option<Cors> {
    let any = || Cors { origin: CorsOrigin::Any, ..Cors::default() };
    let Value::Object(entries) = value else {
        return boolean(value).map(|open| if open { any() } else { Cors::default() });
    };
    let mut cors = any();
    for (name, item) in entries {
        match (name.as_str(), &item.value) {
            ("origin", Value::Bool(true)) => {}
            ("origin", Value::Bool(false)) => cors.origin = CorsOrigin::None,
            ("origin", Value::List(items)) => {
                let rules: Option<Vec<_>> = items.iter().map(|item| origin(&item.value)).collect();
                cors.origin = match rules?.into_iter().collect::<Option<Vec<_>>>() {
                    Some(rules) => CorsOrigin::Listed(rules),
                    None => CorsOrigin::Any,
                };
            }
            ("origin", value) => {
                cors.origin = origin(value)?.map_or(CorsOrigin::Any, |rule| CorsOrigin::Listed(vec![rule]));
            }
            ("methods", value) => cors.methods = words(value)?,
            ("allowedHeaders", value) => cors.allowed_headers = words(value)?,
            ("exposedHeaders", value) => cors.exposed_headers = words(value)?,
            ("credentials", value) => cors.credentials = boolean(value)?,
            ("maxAge", Value::Number(seconds)) => cors.max_age = Some(*seconds as u64),
            ("preflightContinue" | "optionsSuccessStatus", _) => {}
            _ => return None,
        }
    }
    Some(cors)
}

/// `Some(None)` stands for every origin.
fn origin(value: &Value) -> Option<Option<OriginRule>> {
    match value {
        Value::Text(text) => keys::origin_rule(text).ok(),
        Value::Pattern { source, flags } => Some(Some(OriginRule::Pattern(Pattern::new(source, flags).ok()?))),
        _ => None,
    }
}

fn words(value: &Value) -> Option<Vec<String>> {
    let split = |text: &str| text.split(',').map(|word| word.trim().to_owned()).collect();
    let words: Vec<String> = texts(value).or_else(|| text(value).map(split))?;
    let is_word = |word: &String| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte))
    };
    words.iter().all(is_word).then_some(words)
}

mod css;
#[cfg(test)]
mod tests;
