//! Finds the sources of settings, reads them, and lays them over each other.

pub(crate) mod flags;
pub(crate) mod toml_file;

use std::fs;
use std::path::{Path, PathBuf};

use rekindle_compile::files::file;
use rekindle_compile::project::VITE_CONFIGS;
use rekindle_graph::Diagnostic;

use crate::checks::join;
use crate::config::Config;
use crate::script::ConfigEnv;
use crate::vite::notes::Block;
use crate::vite::{self, ViteConfig};
use flags::Flag;
use toml_file::apply_text;

/// What settings are read for, as the command line has it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The project folder; the current folder where none is given.
    pub root: Option<PathBuf>,
    /// The settings file, in place of the project's. It may be a configuration of Vite: a script.
    pub config: Option<PathBuf>,
    /// The configuration of Vite, in place of the project's.
    pub vite_config: Option<PathBuf>,
    /// The mode, where the command line or the command decides it.
    pub mode: Option<String>,
    /// What the command does.
    pub command: Command,
    /// The flags that stand for keys.
    pub flags: Vec<Flag>,
}

/// What the settings are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Command {
    /// A server.
    #[default]
    Serve,
    /// A build. Its mode is `production` unless something else is said.
    Build,
}

/// A server's or a build's settings, and what the user should know about them although it is no mistake.
#[derive(Debug)]
pub struct Settings {
    /// The settings themselves.
    pub config: Config,
    /// Things that look odd and may be meant, a sentence for each.
    pub notes: Vec<String>,
    /// What was read from a configuration of Vite, in a few lines.
    pub vite: Option<Block>,
    /// What is no file where a configuration of Vite was looked for: a warning for each.
    pub left_out: Vec<String>,
    /// Files whose edit may change the settings, whether they exist or not.
    pub files: Vec<PathBuf>,
}

/// The sources besides defaults, as they were read.
struct Sources {
    vite: Option<ViteConfig>,
    /// The name of the settings file, and its text.
    toml: Option<(String, String)>,
    flags: Vec<Flag>,
}

/// Defaults, then what Vite's configuration says, then `rekindle.toml`, then the flags: each wins over those before.
fn lay_over(config: &mut Config, sources: &Sources) -> Result<Option<Block>, Vec<Diagnostic>> {
    let block = sources.vite.as_ref().map(|vite| vite::apply(vite, config));
    if let Some((name, text)) = &sources.toml {
        apply_text(text, name, config)?;
    }
    flags::apply(&sources.flags, config)?;
    Ok(block)
}

/// The settings for a request, or every mistake found.
///
/// # Errors
/// The mistakes.
pub fn read(request: &Request) -> Result<Settings, Vec<Diagnostic>> {
    let (result, _) = read_with_files(request);
    result
}

/// The same, with the files whose edit may change the settings or mend them.
pub fn read_with_files(request: &Request) -> (Result<Settings, Vec<Diagnostic>>, Vec<PathBuf>) {
    let here = match std::env::current_dir() {
        Ok(here) => here,
        Err(error) => {
            return (Err(vec![Diagnostic::error(format!("the current folder cannot be read: {error}"))]), Vec::new());
        }
    };
    let root = match root_folder(&here, request.root.as_deref()) {
        Ok(root) => root,
        Err(problem) => return (Err(vec![problem]), Vec::new()),
    };
    let request = &by_kind(request);
    let own = request.config.as_deref().map_or_else(|| root.join("rekindle.toml"), |named| join(&here, named));
    let mut files = vec![own];
    files.extend(VITE_CONFIGS.iter().map(|name| root.join(name)));
    let result = read_below(&here, &root, request, &mut files).map(|(config, vite)| Settings {
        notes: if request.command == Command::Serve { notes(&config) } else { Vec::new() },
        left_out: if request.vite_config.is_none() { vite::left_out(&root) } else { Vec::new() },
        files: files.clone(),
        config,
        vite,
    });
    (result, files)
}

/// `--config` names a configuration of Vite as well: a script.
fn by_kind(request: &Request) -> Request {
    let mut request = request.clone();
    let is_script = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("js" | "mjs" | "cjs" | "ts" | "mts" | "cts"))
    };
    if let Some(script) = request.config.take_if(|path| is_script(path)) {
        request.vite_config.get_or_insert(script);
    }
    request
}

fn read_below(
    here: &Path,
    root: &Path,
    request: &Request,
    files: &mut Vec<PathBuf>,
) -> Result<(Config, Option<Block>), Vec<Diagnostic>> {
    let mut config = Config::new(root);
    if request.command == Command::Build {
        config.mode = "production".into();
    }
    let mut sources = Sources { vite: None, toml: None, flags: request.flags.clone() };
    if let Some(path) = vite_file(here, root, request)? {
        files.push(path.clone());
        let config_env = ConfigEnv {
            mode: request.mode.as_deref().unwrap_or(&config.mode),
            command: if request.command == Command::Build { "build" } else { "serve" },
            folder: root,
            variables: &config.variables,
        };
        let vite = vite::read(&path, config_env).map_err(|mistake| vec![mistake])?;
        files.extend(vite.files.iter().cloned());
        sources.vite = Some(vite);
    }
    if let Some((path, text)) = settings_file(here, root, request.config.as_deref()).map_err(|problem| vec![problem])? {
        sources.toml = Some((path.strip_prefix(root).unwrap_or(&path).display().to_string(), text));
    }
    let block = lay_over(&mut config, &sources)?;
    Ok((config, block))
}

/// The configuration of Vite: the one that was named, or the project's.
fn vite_file(here: &Path, root: &Path, request: &Request) -> Result<Option<PathBuf>, Vec<Diagnostic>> {
    let Some(named) = &request.vite_config else { return Ok(vite::find(root)) };
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
