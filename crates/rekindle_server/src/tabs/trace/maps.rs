//! Source maps of modules, made when they are asked for and kept while there is room.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use oxc_sourcemap::SourceMap;
use rekindle_compile::compiler::Compiler;
use rekindle_compile::files::file;
use rekindle_graph::diagnostic::code_frame;
use rekindle_graph::paths::is_in_package;
use rekindle_graph::wire::TracedFrame;
use rekindle_graph::{ModuleUrl, Place};
use rustc_hash::FxHashMap;

use super::position::{MappedModule, Position};

/// Bytes of maps that are kept.
pub const KEPT: usize = 32 << 20;
/// A map with its positions takes so many times the bytes of its text.
pub const POSITIONS_SHARE: usize = 3;

/// An import of a name that is not there.
pub struct Import {
    pub module: MappedModule,
    pub specifier: String,
    pub name: String,
    pub help: String,
}

/// Maps of modules, each made once and kept until its definition is another one, or room is needed.
pub struct Maps {
    pub compiler: Arc<Compiler>,
    pub by_module: FxHashMap<ModuleUrl, CachedMap>,
    /// Least recently used first.
    pub order: VecDeque<ModuleUrl>,
    pub bytes: usize,
}

/// A map that is kept, and the digest of the definition that it is of.
pub struct CachedMap {
    pub hash: Arc<str>,
    pub map: Arc<ModuleMap>,
}

/// The map of one module.
pub struct ModuleMap {
    pub json: Box<str>,
    /// Line and column in the definition, line and column in the source, all from 0; in order.
    pub positions: OnceLock<Vec<[u32; 4]>>,
}

impl Maps {
    pub fn new(compiler: Arc<Compiler>) -> Self {
        Self { compiler, by_module: FxHashMap::default(), order: VecDeque::new(), bytes: 0 }
    }

    /// The map of a module, if its file still is what the definition was made from.
    pub fn of(&mut self, module: &MappedModule) -> Option<Arc<ModuleMap>> {
        let known = self.by_module.get(&module.url).filter(|known| known.hash == module.hash);
        let map = match known.map(|known| known.map.clone()) {
            Some(map) => map,
            None => {
                let json = self.compiler.source_map(&module.url, &module.file, &module.source, &module.hash)?;
                Arc::new(ModuleMap { json: json.into(), positions: OnceLock::new() })
            }
        };
        self.forget(&module.url);
        self.bytes += map.cost();
        self.order.push_back(module.url.clone());
        self.by_module.insert(module.url.clone(), CachedMap { hash: module.hash.clone(), map: map.clone() });
        while self.bytes > KEPT && self.order.len() > 1 {
            let Some(oldest) = self.order.front().cloned() else { break };
            self.forget(&oldest);
        }
        Some(map)
    }

    fn forget(&mut self, url: &ModuleUrl) {
        let Some(known) = self.by_module.remove(url) else { return };
        self.bytes -= known.map.cost();
        self.order.retain(|kept| kept != url);
    }

    /// Where a position is in the source. Modules of packages are mapped while `budget` lasts.
    pub fn trace(&mut self, position: &Position, budget: &mut usize) -> Option<TracedFrame> {
        let Position { module, line, column } = position;
        let is_known = self.by_module.get(&module.url).is_some_and(|known| known.hash == module.hash);
        if !is_known && is_in_package(module.file.as_path()) {
            *budget = budget.checked_sub(module.size)?;
        }
        let map = self.of(module)?;
        let (line, column) = map.place(line.checked_sub(1)?, column.checked_sub(1)?)?;
        let file = self.compiler.display(module.file.as_path());
        Some(TracedFrame { file, line: line + 1, column: column + 1 })
    }

    /// Where a name is imported that is not there.
    pub fn place_of(&self, import: &Import) -> Option<(usize, TracedFrame, Option<String>)> {
        let Import { module, specifier, name, .. } = import;
        let (place, text) = self.compiler.import_place((&module.url, &module.file, &module.source), specifier, name)?;
        let file = self.compiler.display(module.file.as_path());
        let frame = code_frame(&text, place, name);
        Some((0, TracedFrame { file, line: place.line, column: place.column }, Some(frame)))
    }

    /// A few lines of the source around a traced frame.
    pub fn frame(&self, position: &Position, traced: &TracedFrame) -> Option<String> {
        let source = read(position.module.file.as_path())?;
        Some(code_frame(&source, Place { line: traced.line, column: traced.column }, ""))
    }
}

/// The text of a file that the graph knows.
fn read(file: &Path) -> Option<String> {
    file::read_text(file).ok()
}

impl ModuleMap {
    fn cost(&self) -> usize {
        self.json.len() * POSITIONS_SHARE
    }

    fn place(&self, line: u32, column: u32) -> Option<(u32, u32)> {
        let positions = self.positions.get_or_init(|| positions_of(&self.json).unwrap_or_default());
        let behind = positions.partition_point(|&[at_line, at_column, ..]| (at_line, at_column) <= (line, column));
        let &[at_line, _, source_line, source_column] = positions.get(behind.checked_sub(1)?)?;
        (at_line == line).then_some((source_line, source_column))
    }
}

fn positions_of(json: &str) -> Option<Vec<[u32; 4]>> {
    let map = SourceMap::from_json_string(json).ok()?;
    let position = |token: oxc_sourcemap::Token| {
        [token.get_dst_line(), token.get_dst_col(), token.get_src_line(), token.get_src_col()]
    };
    let mut positions: Vec<[u32; 4]> = map.get_tokens().map(position).collect();
    positions.sort_unstable();
    Some(positions)
}
