//! The texts of pages as tabs have got them, kept on disk: after a restart a tab may still show one of them, and an edit made
//! meanwhile is brought into its document instead of reloading it.
//!
//! ```text
//! CACHE/pages/3f9a….json     {"text":"<!doctype html>…","loads":{"scripts":[{"written":"/src/main.ts",…}],…}}
//! ```
//!
//! A cache: what cannot be written or read costs a reload.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rekindle_graph::digest;
use serde::{Deserialize, Serialize};

/// Texts that are kept, and their bytes. Above that the oldest text of the page with most of them goes: edits of one page
/// must not take the text away that a tab shows of another.
const MOST: usize = 4096;
const MOST_BYTES: u64 = 64 << 20;
/// A text of more bytes is not kept.
const LONGEST: usize = 4 * 1024 * 1024;

/// A page's text at some time, without what is only there to load it faster, and what it loads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageText {
    pub text: String,
    pub loads: Loads,
}

/// What a page loads, as far as its text does not say so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loads {
    /// Its module scripts, in document order. They are not in the text.
    pub scripts: Vec<Load>,
    /// Its linked sheets.
    pub links: Vec<Load>,
}

/// ```text
/// <script type="module" src="/main.js"></script>  →  written "/main.js", leads to "module /main.ts" where that is the file
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// The specifier, or the text of a script that stands in the page.
    pub written: String,
    /// `module URL` or `address URL`; empty for a script that stands in the page.
    pub leads_to: String,
}

impl Load {
    /// What `specifier` leads to among `loads`.
    pub fn of<'l>(loads: &'l [Self], specifier: &str) -> Option<&'l str> {
        let load = loads.iter().find(|load| load.written == specifier && !load.leads_to.is_empty())?;
        Some(&load.leads_to)
    }
}

impl Loads {
    /// Whether a document in which `before` was loaded cannot become one that loads this: its module scripts are others, or a
    /// link that it had leads elsewhere.
    pub fn differ_from(&self, before: &Self) -> bool {
        let had = |link: &Load| before.links.iter().any(|known| known.written == link.written);
        self.scripts != before.scripts || self.links.iter().any(|link| had(link) && !before.links.contains(link))
    }

    /// What all of it leads to.
    pub fn leads_to(&self) -> String {
        let all = [&self.scripts, &self.links].map(|loads| loads.iter().map(|load| load.leads_to.as_str()));
        all.map(|places| places.collect::<Vec<_>>().join("\n")).join("\n\n")
    }

    /// How long it is.
    pub fn bytes(&self) -> usize {
        self.scripts.iter().chain(&self.links).map(|load| load.written.len() + load.leads_to.len()).sum()
    }
}

/// The folder of texts. Without one nothing is kept.
#[derive(Clone, Debug, Default)]
pub struct PageTexts {
    folder: Option<PathBuf>,
}

impl PageTexts {
    /// Texts in a folder of `cache_dir`, which is made when the first one is kept.
    pub fn new(cache_dir: &Path) -> Self {
        Self { folder: Some(cache_dir.join("pages")) }
    }

    /// Keeps the text that the page at `url` has with the digest `hash`. The work is done beside the loop.
    pub fn keep(&self, url: &str, hash: &str, text: PageText) {
        let Some(folder) = self.folder.clone().filter(|_| text.text.len() <= LONGEST) else { return };
        let file = folder.join(name(url, hash));
        // Nobody waits for the result.
        let _ = std::thread::Builder::new().name("rekindle-pages".into()).spawn(move || write(&folder, &file, &text));
    }

    /// The text that the page at `url` had with the digest `hash`.
    pub fn find(&self, url: &str, hash: &str) -> Option<PageText> {
        let file = self.folder.as_ref()?.join(name(url, hash));
        serde_json::from_slice(&std::fs::read(file).ok()?).ok()
    }
}

fn name(url: &str, hash: &str) -> String {
    format!("{}-{}.json", digest(&[url.as_bytes()]), digest(&[url.as_bytes(), &[0], hash.as_bytes()]))
}

fn write(folder: &Path, file: &Path, text: &PageText) {
    if file.exists() {
        return;
    }
    let Ok(json) = serde_json::to_vec(text) else { return };
    // Never seen half written: two servers may share the folder.
    let fresh = file.with_extension(format!("{}.new", std::process::id()));
    let _ = std::fs::create_dir_all(folder);
    if std::fs::write(&fresh, json).and_then(|()| std::fs::rename(&fresh, file)).is_err() {
        let _ = std::fs::remove_file(&fresh);
    }
    forget_oldest(folder, MOST, MOST_BYTES);
}

fn forget_oldest(folder: &Path, most: usize, most_bytes: u64) {
    let mut pages: BTreeMap<String, StoredText> = BTreeMap::new();
    let (mut count, mut bytes) = (0, 0);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        let Ok(modified) = metadata.modified() else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        let page = pages.entry(name.split('-').next().unwrap_or_default().to_owned()).or_default();
        page.files.insert((modified, entry.path()), metadata.len());
        page.bytes += metadata.len();
        (count, bytes) = (count + 1, bytes + metadata.len());
    }
    while count > most || bytes > most_bytes {
        let Some(page) = pages.values_mut().max_by_key(|page| (page.files.len(), page.bytes)) else { return };
        let Some(((_, file), size)) = page.files.pop_first() else { return };
        let _ = std::fs::remove_file(file);
        page.bytes -= size;
        (count, bytes) = (count - 1, bytes - size);
    }
}

/// The texts of a page on disk, oldest first.
#[derive(Debug, Default)]
struct StoredText {
    files: BTreeMap<(SystemTime, PathBuf), u64>,
    bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> PageText {
        PageText { text: text.to_owned(), loads: loads(&[("/main.js", "module /main.js")], &[]) }
    }

    fn loads(scripts: &[(&str, &str)], links: &[(&str, &str)]) -> Loads {
        let list = |loads: &[(&str, &str)]| {
            let load =
                |(written, leads_to): &(&str, &str)| Load { written: (*written).into(), leads_to: (*leads_to).into() };
            loads.iter().map(load).collect()
        };
        Loads { scripts: list(scripts), links: list(links) }
    }

    #[test]
    fn a_script_or_a_link_that_leads_elsewhere_makes_another_document_and_a_new_link_does_not() {
        let script = ("/main.js", "module /main.js");
        let link = ("/s.css", "module /s.css?direct");
        let before = loads(&[script], &[link]);
        assert!(!loads(&[script], &[link, ("/new.css", "module /new.css?direct")]).differ_from(&before));
        assert!(!loads(&[script], &[]).differ_from(&before));
        assert!(loads(&[script], &[("/s.css", "address /s.css")]).differ_from(&before));
        assert!(loads(&[("/main.js", "module /main.ts")], &[link]).differ_from(&before));
        assert!(loads(&[script, ("show()", "")], &[link]).differ_from(&before));
    }

    #[test]
    fn the_text_of_a_script_is_not_taken_for_a_specifier() {
        let loads = loads(&[("./a.js", ""), ("./a.js", "module /a.js")], &[]);
        assert_eq!(Load::of(&loads.scripts, "./a.js"), Some("module /a.js"));
        assert_eq!(Load::of(&loads.scripts, "./b.js"), None);
    }

    #[test]
    fn a_text_is_found_by_page_and_digest() {
        let folder = tempfile::tempdir().unwrap();
        let texts = PageTexts::new(folder.path());
        let pages = folder.path().join("pages");
        write(&pages, &pages.join(name("/index.html", "1")), &text("one"));
        assert_eq!(texts.find("/index.html", "1"), Some(text("one")));
        assert_eq!(texts.find("/index.html", "2"), None);
        assert_eq!(texts.find("/other.html", "1"), None);
        assert_eq!(PageTexts::default().find("/index.html", "1"), None);
    }

    #[test]
    fn a_bounded_number_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let keep = |url: &str, hash: &str, bytes: usize| {
            write(folder.path(), &folder.path().join(name(url, hash)), &text(&"x".repeat(bytes)));
        };
        keep("/other.html", "1", 1);
        for at in 0..40 {
            keep("/", &at.to_string(), 2 << 20);
        }
        let is_kept = |url: &str, hash: &str| folder.path().join(name(url, hash)).exists();
        let kept = (0..40).filter(|at| is_kept("/", &at.to_string())).count();
        assert!((20..=32).contains(&kept), "{kept}");
        assert!(is_kept("/", "39") && !is_kept("/", "0"));
        assert!(is_kept("/other.html", "1"), "the text of another page, however old");
        forget_oldest(folder.path(), 6, MOST_BYTES);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 6);
    }
}
