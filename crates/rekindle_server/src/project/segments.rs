//! Segments: the scripts in which definitions travel to a page.
//!
//! A module stays in the segment it was first put in, so an edit gives a new address to one segment and the browser
//! finds all the others already compiled. Addresses are digests of the content, keyed by a secret of the project:
//! they cannot be guessed, and they are the same after a restart.
//!
//! A segment takes no modules after the crawl that made it, so that answers which overlap name the same addresses, and no
//! address that was given away is ever refused (`docs/internals/sync.md`).
//!
//! Modules of the project and of packages never share a segment, and a large package has segments of its own: neither an
//! edit nor another version of some package touches the scripts of the others.
//!
//! ```js
//! import{$segment}from"/@rekindle/client.js";const $d=$segment("4be1…");
//! $d("/src/a.ts","9f…",["/src/b.ts"],0,{deps:["./b"],names:[["b"]]},(function*($x){…}));
//! $d.lines([12]);
//! export{};
//! ```

use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use rekindle_compile::resolve::packages::package_name;
use rekindle_graph::{Link, ModuleGraph, ModuleId, ModuleUrl, Published};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::http::bodies::Bodies;

/// A segment that has grown to this many bytes takes no more modules.
const SEALED_AT: usize = 512 * 1024;
/// A package of which this many bytes are there gets segments of its own; smaller ones share.
const LARGE_PACKAGE: usize = 64 * 1024;

/// All segments. Only the loop owns one.
#[derive(Debug)]
pub struct Segments {
    secret: [u8; 32],
    segments: Vec<Segment>,
    of_module: FxHashMap<ModuleId, usize>,
    /// The segments that still take modules.
    open: FxHashMap<Group, usize>,
    /// Bytes that are there of each package.
    packages: FxHashMap<String, usize>,
    /// All addresses that were ever given away: somebody may still be about to ask for them.
    by_address: FxHashMap<Address, u32>,
    /// Sealed since somebody last asked.
    sealed: Vec<usize>,
    /// Texts of segments that are being sent.
    texts: Bodies,
}

/// Modules that may share a segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Group {
    Project,
    SmallPackages,
    Package(String),
}

#[derive(Debug, Default)]
struct Segment {
    members: Vec<ModuleId>,
    size: usize,
    /// None until somebody asks.
    address: Option<Address>,
    stale: bool,
    /// On which line each definition begins, in the script of the address that goes with them.
    lines: Option<(Address, Lines)>,
}

/// The modules of a script, each with the line on which its definition begins.
type Lines = Arc<[(ModuleId, usize)]>;

/// The first half of the digest; in hexadecimal digits the name of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Address([u8; 16]);

impl Address {
    fn parse(text: &str) -> Option<Self> {
        let value = u128::from_str_radix(text, 16).ok()?;
        let address = Self(value.to_be_bytes());
        (address.to_string() == text).then_some(address)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What an answer is true of, told to the tab by segments that say more than their address promises.
#[derive(Clone, Copy, Debug)]
pub struct BatchRef<'a> {
    pub session: &'a str,
    pub seq: u64,
}

impl Segments {
    pub fn new(secret: [u8; 32]) -> Self {
        Self {
            secret,
            segments: Vec::new(),
            of_module: FxHashMap::default(),
            open: FxHashMap::default(),
            packages: FxHashMap::default(),
            by_address: FxHashMap::default(),
            sealed: Vec::new(),
            texts: Bodies::default(),
        }
    }

    /// Addresses of the segments that were sealed since the last call.
    pub fn take_sealed(&mut self, graph: &ModuleGraph) -> Vec<String> {
        let sealed = std::mem::take(&mut self.sealed);
        sealed.into_iter().map(|at| self.address(graph, at).to_string()).collect()
    }

    /// Puts modules that have no segment yet into one, in their order.
    pub fn assign(&mut self, graph: &ModuleGraph, ids: &[ModuleId]) {
        for &id in ids {
            let Some(published) = &graph[id].published else { continue };
            if self.of_module.contains_key(&id) || rekindle_compile::kind::is_linked(&graph[id].url) {
                continue;
            }
            let group = self.group_of(graph[id].url.as_str(), published.definition.code.len());
            let at = self.open_segment(&group);
            let segment = &mut self.segments[at];
            segment.members.push(id);
            segment.size += published.definition.code.len();
            segment.stale = true;
            self.of_module.insert(id, at);
            if segment.size >= SEALED_AT {
                self.open.remove(&group);
                self.sealed.push(at);
            }
        }
    }

    fn group_of(&mut self, url: &str, size: usize) -> Group {
        let Some((_, inside)) = url.rsplit_once("/node_modules/") else { return Group::Project };
        let package = package_name(inside);
        let total = self.packages.entry(package.clone()).or_default();
        *total += size;
        if *total >= LARGE_PACKAGE { Group::Package(package) } else { Group::SmallPackages }
    }

    fn open_segment(&mut self, group: &Group) -> usize {
        if let Some(&at) = self.open.get(group) {
            return at;
        }
        self.segments.push(Segment::default());
        let at = self.segments.len() - 1;
        self.open.insert(group.clone(), at);
        at
    }

    /// A crawl is over: what comes later goes elsewhere, so that the addresses of what it brought stay as they are.
    pub fn seal(&mut self) {
        self.open.clear();
    }

    /// These modules are not what they were: their segments get new addresses.
    pub fn touch(&mut self, ids: impl IntoIterator<Item = ModuleId>) {
        for id in ids {
            if let Some(&at) = self.of_module.get(&id) {
                self.segments[at].stale = true;
            }
        }
    }

    /// Addresses of the segments that hold `ids`, each once, in the order of the segments.
    pub fn addresses_of(&mut self, graph: &ModuleGraph, ids: &[ModuleId]) -> Vec<String> {
        let wanted: FxHashSet<usize> = ids.iter().filter_map(|id| self.of_module.get(id)).copied().collect();
        let mut wanted: Vec<usize> = wanted.into_iter().collect();
        wanted.sort_unstable();
        wanted.into_iter().map(|at| self.address(graph, at).to_string()).collect()
    }

    fn address(&mut self, graph: &ModuleGraph, at: usize) -> Address {
        let segment = &mut self.segments[at];
        if let Some(address) = segment.address.filter(|_| !segment.stale) {
            return address;
        }
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        for (id, published) in graph.ready(&segment.members) {
            hasher.update(graph[id].url.as_str().as_bytes()).update(&[0]);
            hasher.update(published.hash.as_bytes()).update(&[0]);
        }
        let mut address = Address([0; 16]);
        address.0.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        segment.stale = false;
        segment.address = Some(address);
        self.by_address.insert(address, at as u32);
        address
    }

    fn at(&self, address: &str) -> Option<usize> {
        self.by_address.get(&Address::parse(address)?).map(|&at| at as usize)
    }

    /// The script behind an address in pieces, and whether the address still is the digest of its content. If not, the
    /// script is newer, and says as of when.
    pub fn script(
        &mut self,
        graph: &ModuleGraph,
        address: &str,
        base: &str,
        as_of: BatchRef,
    ) -> Option<(Vec<Bytes>, bool)> {
        let at = self.at(address)?;
        let current = self.address(graph, at);
        let is_current = current == Address::parse(address)?;
        let mut head = String::new();
        write_head(&mut head, base, if is_current { Delivery::Segment(address) } else { Delivery::Value(as_of) });
        head.push('\n');
        let definitions = self.texts.named(&current.to_string(), || self.segments[at].definitions(graph));
        let end = format!("export{{}};\n//# sourceMappingURL={base}@rekindle/s/{address}.js.map\n");
        Some((vec![head.into(), definitions, end.into()], is_current))
    }

    /// The modules in the script of an address, each with the line (from 0) on which its definition begins. Nothing for an
    /// address that is outgrown: a browser may have got there what the address promised, or what came later.
    pub fn lines(&mut self, graph: &ModuleGraph, address: &str) -> Option<Arc<[(ModuleId, usize)]>> {
        let at = self.at(address)?;
        let current = self.address(graph, at);
        if current != Address::parse(address)? {
            return None;
        }
        let segment = &mut self.segments[at];
        if let Some((_, lines)) = segment.lines.as_ref().filter(|(of, _)| *of == current) {
            return Some(lines.clone());
        }
        let lines: Arc<[(ModuleId, usize)]> = segment.lines(graph).into();
        segment.lines = Some((current, lines.clone()));
        Some(lines)
    }
}

impl Segment {
    /// The definitions, and then how many lines each has: stacks name modules by that (`client/src/page/stacks.ts`).
    fn definitions(&self, graph: &ModuleGraph) -> String {
        let mut text = String::with_capacity(self.size + self.size / 8);
        let mut lengths = Vec::with_capacity(self.members.len());
        for (id, published) in graph.ready(&self.members) {
            write_definition(&mut text, graph[id].url.as_str(), published);
            text.push('\n');
            lengths.push(length(published).to_string());
        }
        let _ = writeln!(text, "$d.lines([{}]);", lengths.join(","));
        text
    }

    fn lines(&self, graph: &ModuleGraph) -> Vec<(ModuleId, usize)> {
        let mut line = 1;
        let mut lines = Vec::new();
        for (id, published) in graph.ready(&self.members) {
            lines.push((id, line));
            line += length(published);
        }
        lines
    }
}

/// Lines of a definition in a script.
fn length(published: &Published) -> usize {
    published.definition.code.bytes().filter(|&byte| byte == b'\n').count() + 1
}

/// How the definitions that follow come to the tab.
#[derive(Clone, Copy, Debug)]
pub enum Delivery<'a> {
    /// In a segment: a manifest that names its address says as of when they are.
    Segment(&'a str),
    /// By value.
    Value(BatchRef<'a>),
}

/// Makes `$d` in a script, without a line break.
pub fn write_head(out: &mut String, base: &str, carrier: Delivery) {
    let _ = write!(out, "import{{$segment}}from\"{base}@rekindle/client.js\";");
    let _ = match carrier {
        Delivery::Segment(address) => write!(out, "const $d=$segment(\"{address}\");"),
        Delivery::Value(BatchRef { session, seq }) => write!(out, "const $d=$segment(null,\"{session}\",{seq});"),
    };
}

/// `$d("/src/a.ts","9f…",["/src/b.ts"],0,{…},(function*($x){…}))`
pub fn write_definition(out: &mut String, url: &str, published: &Published) {
    write_definition_head(out, url, published);
    let _ = write!(out, "{});", published.definition.code);
}

/// The same with its line break, in parts of which one is the graph's own text.
pub fn definition_parts(url: &str, published: &Arc<Published>) -> Vec<Bytes> {
    let mut head = String::new();
    write_definition_head(&mut head, url, published);
    vec![head.into(), Bytes::from_owner(Code(published.clone())), Bytes::from_static(b");\n")]
}

/// What [`Bytes`] take for their owner.
struct Code(Arc<Published>);

impl AsRef<[u8]> for Code {
    fn as_ref(&self) -> &[u8] {
        self.0.definition.code.as_bytes()
    }
}

fn write_definition_head(out: &mut String, url: &str, published: &Published) {
    let links: Vec<serde_json::Value> = published.links.iter().map(link_value).collect();
    let globs = if published.globs.is_empty() {
        "0".to_owned()
    } else {
        serde_json::to_string(&published.globs).unwrap_or_default()
    };
    let url = serde_json::to_string(url).unwrap_or_default();
    let links = serde_json::to_string(&links).unwrap_or_default();
    let _ = write!(out, "$d({url},\"{}\",{links},{globs},", published.hash);
}

/// A module is its name, an address stands in a list, names that are picked in an object, what is missing is null.
fn link_value(link: &Link) -> serde_json::Value {
    match link {
        Link::Module(url) => url.as_str().into(),
        Link::Address(address) => vec![address.as_str()].into(),
        Link::Picked(picked) => {
            let entry = |(name, url, there): &(String, ModuleUrl, String)| {
                (name.clone(), serde_json::json!([url.as_str(), there]))
            };
            serde_json::Value::Object(picked.iter().map(entry).collect())
        }
        Link::Missing => serde_json::Value::Null,
    }
}

/// Links with which a browser fetches and compiles segments while the rest of the page is still on its way.
pub fn preload_links(base: &str, addresses: &[String]) -> String {
    addresses
        .iter()
        .map(|address| format!("<link rel=\"modulepreload\" href=\"{base}@rekindle/s/{address}.js\">"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_spelling_that_was_given_away_is_an_address() {
        let text = "00c0ffee00c0ffee00c0ffee00c0ffee";
        assert_eq!(Address::parse(text).map(|address| address.to_string()).as_deref(), Some(text));
        for other in ["", "c0ffee", "00C0FFEE00c0ffee00c0ffee00c0ffee", "+0c0ffee00c0ffee00c0ffee00c0ffee", "zz"] {
            assert_eq!(Address::parse(other), None, "{other}");
        }
    }
}
