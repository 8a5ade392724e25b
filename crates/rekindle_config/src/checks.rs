//! What single values have to look like, whichever source they come from. Each check gives what is stored, or a sentence.
//!
//! ```text
//! base_path("app")           →  "/app/"
//! origin("*")                →  an origin is written like "https://app.example.com:8443", whole and without a path
//! ```

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use rekindle_compile::plain::build_settings::{BASELINE, check_target};
use rekindle_compile::resolve::pattern::Pattern;
use rekindle_graph::paths::encode_path;

use crate::config::Config;
use crate::config::cors::OriginRule;

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
pub(crate) fn base_path(base: &str) -> Result<String, String> {
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

pub(crate) fn folder_name(folder: &str) -> Result<PathBuf, String> {
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

pub(crate) fn target_name(name: &str) -> Result<String, String> {
    match name {
        WIDELY_AVAILABLE => Ok(name.to_owned()),
        name => check_target(name),
    }
}

const WIDELY_AVAILABLE: &str = "baseline-widely-available";

/// The browsers that a target stands for.
pub(crate) fn of_name(name: &str) -> Vec<String> {
    match name {
        WIDELY_AVAILABLE => BASELINE.map(str::to_owned).to_vec(),
        name => vec![name.to_owned()],
    }
}

/// A path that stays below the folder it is joined to.
pub(crate) fn below_output(path: &str) -> Result<String, String> {
    let path = path.trim_start_matches("./").trim_matches('/');
    if path.split(['/', '\\']).any(|part| part == "..") {
        Err("the path leads out of the folder".to_owned())
    } else {
        Ok(path.to_owned())
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
        _ => origin(text).map(|origin| Some(OriginRule::Exact(origin))),
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

pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Joins and removes `.` and `..`, for paths that need not exist.
pub fn join(folder: &Path, path: &Path) -> PathBuf {
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
