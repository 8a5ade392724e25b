//! Positions in the scripts that tabs run: which module, and where in its definition.

use std::sync::Arc;

use rekindle_compile::source::Source;
use rekindle_graph::{FilePath, ModuleId, ModuleUrl};
use rustc_hash::FxHashMap;

use crate::project::modules::Modules;

/// Frames of a stack that are mapped.
const MOST_FRAMES: usize = 30;

/// What the source map of a module is made from.
#[derive(Clone, Debug)]
pub struct MappedModule {
    pub url: ModuleUrl,
    pub file: FilePath,
    pub source: Source,
    /// Digest of its definition: the map belongs to this one and no other.
    pub hash: Arc<str>,
    /// Bytes of its definition.
    pub size: usize,
}

impl MappedModule {
    /// `None` for a module that was never compiled without a mistake.
    pub fn of(modules: &Modules, id: ModuleId) -> Option<Self> {
        let module = &modules.graph[id];
        let definition = &module.published.as_ref()?.definition;
        let (url, hash) = (module.url.clone(), definition.hash.clone());
        let source = modules.source_of(&url);
        Some(Self { url, file: module.file.clone(), source, hash, size: definition.code.len() })
    }
}

/// A position in a module's definition; line and column count from 1.
#[derive(Clone, Debug)]
pub struct Position {
    pub module: Arc<MappedModule>,
    pub line: u32,
    pub column: u32,
}

/// The positions of a stack, `None` where a frame is in none of our scripts.
pub fn positions(modules: &mut Modules, base: &str, frames: &[(String, u32, u32)]) -> Vec<Option<Position>> {
    let mut mapped: FxHashMap<ModuleId, Arc<MappedModule>> = FxHashMap::default();
    let mut position = |(address, line, column): &(String, u32, u32)| {
        let (id, line) = place(modules, base, address, *line)?;
        let module = match mapped.get(&id) {
            Some(module) => module.clone(),
            None => mapped.entry(id).or_insert(Arc::new(MappedModule::of(modules, id)?)).clone(),
        };
        Some(Position { module, line, column: *column })
    };
    frames.iter().take(MOST_FRAMES).map(&mut position).collect()
}

/// The module whose definition stands on a line of a script, and the line in it, both from 1.
fn place(modules: &mut Modules, base: &str, address: &str, line: u32) -> Option<(ModuleId, u32)> {
    let path = path_of(address, base)?;
    match path.strip_prefix("/@rekindle/s/") {
        Some(segment) => place_in_segment(modules, segment.strip_suffix(".js")?, line),
        None => Some((modules.graph.get(&path)?, line)),
    }
}

fn place_in_segment(modules: &mut Modules, segment: &str, line: u32) -> Option<(ModuleId, u32)> {
    let lines = modules.segments.lines(&modules.graph, segment)?;
    let (id, begin) = lines.iter().rev().find(|(_, begin)| *begin < line as usize)?;
    Some((*id, line - *begin as u32))
}

fn path_of(address: &str, base: &str) -> Option<String> {
    let path = address.split_once("://")?.1;
    let path = &path[path.find('/')?..];
    let below = path.strip_prefix(base.trim_end_matches('/'))?;
    Some(percent_encoding::percent_decode_str(below).decode_utf8().ok()?.into_owned())
}
