//! Keys of `rekindle.toml` that have a shape of their own.
//!
//! ```toml
//! [define]
//! __VERSION__ = '"1.2"'              # an expression
//! [resolve]
//! alias = { "@" = "/src" }           # or [[resolve.alias]] find = "^~(.*)", replacement = "/src/$1"
//! [server.proxy]
//! "/api" = { target = "http://localhost:3000", rewrite = [{ from = "^/api", to = "" }] }
//! ```

use std::path::Path;

use rekindle_compile::project::defines;
use rekindle_compile::resolve::pattern::Pattern;
use rekindle_server::config::{Alias, Config, Find, Https, ServerConfig};
use rekindle_server::cors::{Cors, CorsOrigin, OriginRule};
use rekindle_server::proxy::{Context, ProxyRule, Rewrite, Target};
use toml::Spanned;
use toml::de::DeValue;

use super::{Reader, Table, folder_name, join};

const RULE: &[&str] = &["target", "change_origin", "rewrite", "ws", "secure", "headers", "xfwd", "rewrite_ws_origin"];
const CORS: &[&str] = &["origin", "methods", "allowed_headers", "exposed_headers", "credentials", "max_age"];

impl Reader<'_> {
    /// Another project folder than the one the settings lie in. What lies in it by default goes with it.
    pub(super) fn root(&mut self, top: &Table<'_, '_>, config: &mut Config) {
        let Some(folder) = self.checked(top, "root", folder_name) else { return };
        if let Err(message) = move_root(config, &folder)
            && let Some(value) = top.get("root")
        {
            self.problem(value.span(), message, Some("the root is the folder with index.html".into()));
        }
    }

    pub(super) fn define(&mut self, top: &Table<'_, '_>, config: &mut Config) {
        let Some(value) = top.get("define") else { return };
        let Some(table) = value.get_ref().as_table() else {
            return self.mistyped(top, "define", value, "a table of names and expressions");
        };
        for (name, value) in table.iter() {
            let expression = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                other => json(other),
            };
            match defines::check(name.get_ref(), &expression) {
                Ok(()) => put(&mut config.define, name.get_ref(), expression),
                Err(message) => self.problem(name.span(), message, None),
            }
        }
    }

    pub(super) fn resolve(&mut self, top: &Table<'_, '_>, config: &mut Config) {
        let Some(resolve) = self.table(top, "resolve", super::RESOLVE) else { return };
        let root = config.root.clone();
        let to = &mut config.resolve;
        if let Some(alias) = self.alias(&resolve, &root) {
            to.alias = alias;
        }
        let lists = [
            ("extensions", &mut to.extensions),
            ("conditions", &mut to.conditions),
            ("main_fields", &mut to.main_fields),
            ("dedupe", &mut to.dedupe),
        ];
        for (key, list) in lists {
            let check = |text: &str| match (key, text.starts_with('.')) {
                ("extensions", false) => Err("an extension begins with a dot".to_owned()),
                _ => Ok(text.to_owned()),
            };
            if let Some(texts) = self.each_text(&resolve, key, check) {
                *list = texts;
            }
        }
        if let Some(preserve) = self.boolean(&resolve, "preserve_symlinks") {
            to.preserve_symlinks = preserve;
        }
    }

    /// `{ "@" = "/src" }`, or a list of tables with `find` and `replacement`.
    fn alias(&mut self, resolve: &Table<'_, '_>, root: &Path) -> Option<Vec<Alias>> {
        let value = resolve.get("alias")?;
        let mut aliases = Vec::new();
        if let Some(table) = value.get_ref().as_table() {
            // The order of the file decides which of two aliases comes first.
            let mut entries: Vec<_> = table.iter().collect();
            entries.sort_by_key(|(find, _)| find.span().start);
            for (find, replacement) in entries {
                match replacement.get_ref().as_str() {
                    Some(text) => self.push_alias(&mut aliases, find.get_ref(), text, root, find.span()),
                    None => self.problem(replacement.span(), "the replacement of an alias is a string", None),
                }
            }
            return Some(aliases);
        }
        let Some(list) = value.get_ref().as_array() else {
            self.mistyped(resolve, "alias", value, "a table, or a list of tables with `find` and `replacement`");
            return None;
        };
        for entry in list.iter() {
            let Some(table) = entry.get_ref().as_table() else {
                self.problem(entry.span(), "an alias is a table with `find` and `replacement`", None);
                continue;
            };
            let table = Table { name: "resolve.alias".to_owned(), table };
            self.known(&table, &["find", "replacement"]);
            let find = self.checked(&table, "find", |text| Ok(text.to_owned()));
            let replacement = self.checked(&table, "replacement", |text| Ok(text.to_owned()));
            match (find, replacement) {
                (Some(find), Some(replacement)) => {
                    self.push_alias(&mut aliases, &find, &replacement, root, entry.span());
                }
                _ if table.get("find").is_some() && table.get("replacement").is_some() => {}
                _ => self.problem(entry.span(), "an alias needs `find` and `replacement`", None),
            }
        }
        Some(aliases)
    }

    fn push_alias(
        &mut self,
        aliases: &mut Vec<Alias>,
        find: &str,
        replacement: &str,
        root: &Path,
        span: std::ops::Range<usize>,
    ) {
        match alias(find, replacement, root) {
            Ok(alias) => aliases.push(alias),
            Err(message) => self.problem(span, message, None),
        }
    }

    pub(super) fn https(&mut self, server: &Table<'_, '_>, root: &Path, to: &mut ServerConfig) {
        let Some(value) = server.get("https") else { return };
        match value.get_ref() {
            DeValue::Boolean(true) => to.https = Some(Https::Generated),
            DeValue::Boolean(false) => to.https = None,
            DeValue::Table(_) => {
                let Some(https) = self.table(server, "https", &["key", "cert"]) else { return };
                let key = self.checked(&https, "key", folder_name);
                let cert = self.checked(&https, "cert", folder_name);
                match (key, cert) {
                    (Some(key), Some(cert)) => {
                        to.https = Some(Https::Files { key: join(root, &key), cert: join(root, &cert) });
                    }
                    _ => self.problem(
                        value.span(),
                        format!("{} needs both `key` and `cert`, files in PEM form", server.called("https")),
                        None,
                    ),
                }
            }
            _ => self.mistyped(server, "https", value, "true, or a table with `key` and `cert`"),
        }
    }

    pub(super) fn headers(&mut self, server: &Table<'_, '_>, to: &mut ServerConfig) {
        if let Some(headers) = self.header_table(server, "headers", true) {
            to.headers = headers;
        }
    }

    fn header_table(&mut self, table: &Table<'_, '_>, key: &str, are_ours: bool) -> Option<Vec<(String, String)>> {
        let value = table.get(key)?;
        let Some(entries) = value.get_ref().as_table() else {
            self.mistyped(table, key, value, "a table of header names and texts");
            return None;
        };
        let mut headers = Vec::new();
        for (name, value) in entries.iter() {
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                other => json(other),
            };
            match header(name.get_ref(), &text, are_ours) {
                Ok(header) => headers.push(header),
                Err(message) => self.problem(name.span(), message, None),
            }
        }
        Some(headers)
    }

    pub(super) fn cors(&mut self, server: &Table<'_, '_>, to: &mut ServerConfig) {
        let Some(value) = server.get("cors") else { return };
        match value.get_ref() {
            DeValue::Boolean(true) => to.cors = Cors { origin: CorsOrigin::Any, ..Cors::default() },
            DeValue::Boolean(false) => to.cors = Cors::default(),
            DeValue::Table(_) => {
                let Some(table) = self.table(server, "cors", CORS) else { return };
                to.cors = self.cors_table(&table);
            }
            _ => self.mistyped(server, "cors", value, "true, false or a table with `origin`"),
        }
    }

    fn cors_table(&mut self, table: &Table<'_, '_>) -> Cors {
        let mut cors = Cors { origin: CorsOrigin::Any, ..Cors::default() };
        match table.get("origin").map(|value| (value, value.get_ref())) {
            None | Some((_, DeValue::Boolean(true))) => {}
            Some((_, DeValue::Boolean(false))) => cors.origin = CorsOrigin::None,
            Some((value, DeValue::String(text))) => {
                cors.origin = self.origins(&table.called("origin"), [(text.as_ref(), value)])
            }
            Some((value, DeValue::Array(list))) => {
                let texts: Vec<_> = list.iter().filter_map(|item| Some((item.get_ref().as_str()?, item))).collect();
                if texts.len() < list.len() {
                    self.mistyped(table, "origin", value, "true, an origin or a list of origins");
                }
                cors.origin = self.origins(&table.called("origin"), texts);
            }
            Some((value, _)) => self.mistyped(table, "origin", value, "true, an origin or a list of origins"),
        }
        let lists = [
            ("methods", &mut cors.methods),
            ("allowed_headers", &mut cors.allowed_headers),
            ("exposed_headers", &mut cors.exposed_headers),
        ];
        for (key, list) in lists {
            let check = |text: &str| {
                if is_token(text) { Ok(text.to_owned()) } else { Err(format!("`{text}` is not one word")) }
            };
            if let Some(texts) = self.each_text(table, key, check) {
                *list = texts;
            }
        }
        cors.credentials = self.boolean(table, "credentials").unwrap_or(false);
        cors.max_age = self.number(table, "max_age", 0..=86_400, "seconds from 0 to 86400").map(|age| age as u64);
        cors
    }

    fn origins<'t, 'i: 't>(
        &mut self,
        name: &str,
        texts: impl IntoIterator<Item = (&'t str, &'t Spanned<DeValue<'i>>)>,
    ) -> CorsOrigin {
        let mut rules = Vec::new();
        for (text, value) in texts {
            match origin_rule(text) {
                Ok(None) => return CorsOrigin::Any,
                Ok(Some(rule)) => rules.push(rule),
                Err(message) => self.problem(value.span(), format!("{name}: {message}"), None),
            }
        }
        CorsOrigin::Listed(rules)
    }

    pub(super) fn proxy(&mut self, server: &Table<'_, '_>, to: &mut ServerConfig) {
        let Some(value) = server.get("proxy") else { return };
        let Some(entries) = value.get_ref().as_table() else {
            return self.mistyped(server, "proxy", value, "a table from addresses to targets");
        };
        let proxy = Table { name: format!("{}.proxy", server.name), table: entries };
        let mut rules = Vec::new();
        for (key, value) in entries.iter() {
            let name: &str = key.get_ref();
            if let Err(message) = Context::parse(name) {
                self.problem(key.span(), message, None);
                continue;
            }
            match value.get_ref() {
                DeValue::String(target) => match ProxyRule::new(name, target) {
                    Ok(rule) => rules.push((key.span().start, rule)),
                    Err(message) => self.problem(value.span(), message, None),
                },
                DeValue::Table(_) => {
                    let Some(table) = self.table(&proxy, name, RULE) else { continue };
                    if let Some(rule) = self.rule(name, &table, value) {
                        rules.push((key.span().start, rule));
                    }
                }
                _ => self.mistyped(&proxy, name, value, "a target, or a table with `target`"),
            }
        }
        // The order of the file decides which of two rules comes first.
        rules.sort_by_key(|(start, _)| *start);
        to.proxy = rules.into_iter().map(|(_, rule)| rule).collect();
    }

    fn rule(&mut self, key: &str, table: &Table<'_, '_>, value: &Spanned<DeValue<'_>>) -> Option<ProxyRule> {
        if table.get("target").is_none() {
            let proxy = table.name.strip_suffix(key).unwrap_or("server.proxy.");
            self.problem(value.span(), format!("`{proxy}\"{key}\"` needs a `target`"), None);
            return None;
        }
        let (is_socket, target) = self.checked(table, "target", Target::parse)?;
        let mut rule = ProxyRule::new(key, &target.to_string()).ok()?;
        let mut switch = |key: &str, to: &mut bool| {
            if let Some(value) = self.boolean(table, key) {
                *to = value;
            }
        };
        rule.ws = is_socket;
        switch("change_origin", &mut rule.change_origin);
        switch("ws", &mut rule.ws);
        switch("secure", &mut rule.secure);
        switch("xfwd", &mut rule.xfwd);
        switch("rewrite_ws_origin", &mut rule.rewrite_ws_origin);
        if let Some(headers) = self.header_table(table, "headers", false) {
            rule.headers = headers;
        }
        rule.rewrite = self.rewrite(table);
        Some(rule)
    }

    fn rewrite(&mut self, table: &Table<'_, '_>) -> Vec<Rewrite> {
        let Some(value) = table.get("rewrite") else { return Vec::new() };
        const WANTED: &str = "a list of tables with `from`, a pattern, and `to`";
        let Some(list) = value.get_ref().as_array() else {
            self.mistyped(table, "rewrite", value, WANTED);
            return Vec::new();
        };
        let mut steps = Vec::new();
        for entry in list.iter() {
            let Some(step) = entry.get_ref().as_table() else {
                self.problem(entry.span(), format!("`rewrite` is {WANTED}"), None);
                continue;
            };
            let step = Table { name: "rewrite".to_owned(), table: step };
            self.known(&step, &["from", "to"]);
            let from = self.checked(&step, "from", |text| Pattern::new(text, ""));
            let to = self.checked(&step, "to", |text| Ok(text.to_owned()));
            match (from, to) {
                (Some(from), Some(to)) => steps.push(Rewrite { from, to }),
                _ if step.get("from").is_some() && step.get("to").is_some() => {}
                _ => self.problem(entry.span(), "a step of `rewrite` needs `from` and `to`", None),
            }
        }
        steps
    }
}

/// Makes `folder` the project folder; what stands at its default goes with it, the cache stays where it is.
pub(crate) fn move_root(config: &mut Config, folder: &Path) -> Result<(), String> {
    let root = join(&config.root, folder);
    let Ok(root) = root.canonicalize() else { return Err(format!("there is no folder `{}`", root.display())) };
    if !root.is_dir() {
        return Err(format!("`{}` is a file, not a folder", root.display()));
    }
    let old = Config::new(&config.root);
    let new = Config::new(&root);
    if config.public_dir == old.public_dir {
        config.public_dir = new.public_dir;
    }
    if config.env_dir == old.env_dir {
        config.env_dir = new.env_dir;
    }
    if config.build.out_dir == old.build.out_dir {
        config.build.out_dir = new.build.out_dir;
    }
    config.root = root;
    Ok(())
}

/// One alias. A replacement that begins with a dot is a path from the project folder.
pub(crate) fn alias(find: &str, replacement: &str, root: &Path) -> Result<Alias, String> {
    let find = match find {
        "" => return Err("an alias needs a name".to_owned()),
        _ if find.starts_with('^') => Find::Pattern(Pattern::new(find, "")?),
        _ => Find::Prefix(find.to_owned()),
    };
    Ok(Alias { find, replacement: from_root(replacement, root) })
}

pub(crate) fn from_root(replacement: &str, root: &Path) -> String {
    let is_relative =
        ["./", "../"].iter().any(|start| replacement.starts_with(start)) || matches!(replacement, "." | "..");
    if !is_relative {
        return replacement.to_owned();
    }
    let slash = if replacement.ends_with('/') { "/" } else { "" };
    format!("{}{slash}", join(root, Path::new(replacement)).display())
}

/// `None` stands for every origin.
pub(crate) fn origin_rule(text: &str) -> Result<Option<OriginRule>, String> {
    match text {
        "*" => Ok(None),
        _ if text.starts_with('^') => Ok(Some(OriginRule::Pattern(Pattern::new(text, "")?))),
        _ => super::origin(text).map(|origin| Some(OriginRule::Exact(origin))),
    }
}

/// Headers that are a matter of the connection, or have a key of their own.
pub(crate) fn header(name: &str, value: &str, are_ours: bool) -> Result<(String, String), String> {
    const FRAMING: &[&str] =
        &["connection", "content-length", "transfer-encoding", "upgrade", "keep-alive", "trailer", "te"];
    let lower = name.to_ascii_lowercase();
    if !is_token(name) {
        return Err(format!("`{name}` is no name of a header"));
    }
    if value.chars().any(char::is_control) || !value.is_ascii() {
        return Err(format!("the value of `{name}` must be one line of ASCII text"));
    }
    if FRAMING.contains(&lower.as_str()) {
        return Err(format!("`{name}` is set by the server itself"));
    }
    if are_ours && lower.starts_with("access-control-") {
        return Err(format!("`{name}` is a matter of `server.cors`, which does not give the token away"));
    }
    if are_ours
        && ["content-type", "location", "set-cookie", "etag", "x-content-type-options"].contains(&lower.as_str())
    {
        return Err(format!("`{name}` is set by the server itself"));
    }
    Ok((lower, value.to_owned()))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Sets a name, in place of an earlier value.
pub(crate) fn put(list: &mut Vec<(String, String)>, name: &str, value: String) {
    match list.iter_mut().find(|(known, _)| known == name) {
        Some(entry) => entry.1 = value,
        None => list.push((name.to_owned(), value)),
    }
}

/// A value of the file as JavaScript writes it.
fn json(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => serde_json::to_string(text.as_ref()).unwrap_or_default(),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.to_string(),
            Err(_) => number.as_str().to_owned(),
        },
        DeValue::Float(number) => match number.as_str() {
            "inf" | "+inf" => "Infinity".to_owned(),
            "-inf" => "-Infinity".to_owned(),
            number if number.ends_with("nan") => "NaN".to_owned(),
            number => number.trim_start_matches('+').to_owned(),
        },
        DeValue::Boolean(boolean) => boolean.to_string(),
        DeValue::Datetime(date) => format!("\"{date}\""),
        DeValue::Array(list) => {
            format!("[{}]", list.iter().map(|item| json(item.get_ref())).collect::<Vec<_>>().join(","))
        }
        DeValue::Table(table) => {
            let entries = table.iter().map(|(key, value)| {
                let key = serde_json::to_string(key.get_ref().as_ref()).unwrap_or_default();
                format!("{key}:{}", json(value.get_ref()))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
    }
}
