//! Where assets end: hashed names, and addresses as the files that name them write them.
//!
//! ```text
//! /src/logo.svg (9 kB)    → assets/logo-Bq3x_0aZ.svg    in a script "/assets/logo-Bq3x_0aZ.svg"
//! /src/dot.png (90 B)     → "data:image/png;base64,…"   (below the limit, where content may take the address's place)
//! /public/robots.txt      → "/robots.txt"               (copied, never hashed)
//! base = "./"             → in a script new URL("logo-Bq3x_0aZ.svg", import.meta.url).href, in a sheet logo-Bq3x_0aZ.svg
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rekindle_compile::data::inline;
use rekindle_compile::files::file;
use rekindle_compile::plain::module::Inlining;
use rekindle_config::Config;
use rekindle_graph::paths::encode_path;

use crate::lock::lock;

/// What names an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Referrer<'a> {
    /// An expression in a script; `classic`: in one that is no module.
    Script {
        classic: bool,
    },
    Sheet,
    /// An attribute of the page at this path below the output folder.
    Page(&'a str),
}

/// What an address leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file of the output, below its folder.
    Output(String),
    /// `data:…`
    Content(String),
}

/// The assets of one build.
pub(crate) struct Addresses {
    base: String,
    relative: bool,
    assets_dir: String,
    inline_limit: u64,
    public_dir: Option<PathBuf>,
    files: Mutex<BTreeMap<String, Arc<[u8]>>>,
    /// Sources of the assets, for the manifest: name in the output by path.
    sources: Mutex<BTreeMap<PathBuf, String>>,
}

impl Addresses {
    pub fn new(config: &Config) -> Self {
        Self {
            base: config.base.clone(),
            relative: config.build.relative_base,
            assets_dir: config.build.assets_dir.clone(),
            inline_limit: config.build.assets_inline_limit,
            public_dir: config.public_dir.clone(),
            files: Mutex::default(),
            sources: Mutex::default(),
        }
    }

    /// The asset in a file: what an address of it leads to.
    pub fn asset(&self, path: &Path, inlining: Inlining) -> std::io::Result<Target> {
        if let Some(public) = self.public_dir.as_ref().and_then(|folder| path.strip_prefix(folder).ok())
            && inlining != Inlining::Always
        {
            return Ok(Target::Output(public.to_string_lossy().replace('\\', "/")));
        }
        let bytes: Arc<[u8]> = file::read(path)?.into();
        let is_small = inline::fits(&bytes, self.inline_limit);
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if inlining == Inlining::Always || (inlining == Inlining::Small && is_small && extension != "html") {
            return Ok(Target::Content(inline::data_url(path, &bytes)));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = self.emit(&name, bytes);
        lock(&self.sources).insert(path.to_owned(), name.clone());
        Ok(Target::Output(name))
    }

    /// Puts a file with a hashed name into the output: `a.css` → `assets/a-Bq3x_0aZ.css`.
    pub fn emit(&self, name: &str, bytes: Arc<[u8]>) -> String {
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let dot = if extension.is_empty() { "" } else { "." };
        let name = self.in_assets(&format!("{}-{}{dot}{extension}", sanitized(stem), hash(&bytes)));
        lock(&self.files).insert(name.clone(), bytes);
        name
    }

    /// Puts a file into the output under the name it has.
    pub fn put(&self, name: &str, bytes: Arc<[u8]>) {
        lock(&self.files).insert(name.to_owned(), bytes);
    }

    /// A path in the folder of hashed files.
    pub fn in_assets(&self, name: &str) -> String {
        if self.assets_dir.is_empty() { name.to_owned() } else { format!("{}/{name}", self.assets_dir) }
    }

    /// The address of a target as it is written where it is named.
    pub fn written(&self, target: &Target, from: Referrer<'_>) -> String {
        let name = match target {
            Target::Content(content) => return content.clone(),
            Target::Output(name) => name,
        };
        if !self.relative {
            return format!("{}{}", self.base, encode_path(name));
        }
        let folder = match from {
            Referrer::Page(page) => page.rsplit_once('/').map_or("", |(folder, _)| folder),
            Referrer::Script { .. } | Referrer::Sheet => &self.assets_dir,
        };
        let relative = encode_path(&relative(folder, name));
        if matches!(from, Referrer::Page(_)) && !relative.starts_with("../") {
            format!("./{relative}")
        } else {
            relative
        }
    }

    /// The address as an expression.
    pub fn expression(&self, target: &Target, from: Referrer<'_>) -> String {
        let text = json(&self.written(target, from));
        match (target, from) {
            (Target::Output(_), Referrer::Script { classic }) if self.relative => {
                let own = if classic { "self.location.href" } else { "import.meta.url" };
                format!("new URL({text}, {own}).href")
            }
            _ => text,
        }
    }

    pub fn take_files(&self) -> BTreeMap<String, Arc<[u8]>> {
        std::mem::take(&mut *lock(&self.files))
    }

    pub fn sources(&self) -> BTreeMap<PathBuf, String> {
        lock(&self.sources).clone()
    }
}

/// `docs/guide` and `assets/a.png` → `../../assets/a.png`
fn relative(folder: &str, name: &str) -> String {
    let from: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = name.split('/').collect();
    let common = from.iter().zip(&to[..to.len() - 1]).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    up.chain(to[common..].iter().copied()).collect::<Vec<_>>().join("/")
}

/// Eight characters that say what is in a file.
pub(crate) fn hash(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&blake3::hash(bytes).as_bytes()[..6])
}

pub(crate) fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a string always serialises")
}

/// Replaces characters that would need quoting in an address or a shell.
pub(crate) fn sanitized(name: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@') { c } else { '_' };
    name.chars().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_addresses_go_up_and_down() {
        assert_eq!(relative("", "assets/a.png"), "assets/a.png");
        assert_eq!(relative("docs/guide", "assets/a.png"), "../../assets/a.png");
        assert_eq!(relative("assets", "assets/a.png"), "a.png");
    }
}
