//! Positions in definition scripts → positions in the sources they were made from.

use oxc_sourcemap::SourceMap;
use rekindle_graph::wire::TracedFrame;
use rekindle_graph::{ModuleId, Place};

use crate::project::Project;

/// Traces one frame of a stack: a script's address (below `base`), line and column, counted from 1.
pub fn trace(project: &Project, base: &str, address: &str, line: u32, column: u32) -> Option<TracedFrame> {
    let (id, line) = place(project, base, address, line)?;
    let json = project.source_map(id)?;
    let map = SourceMap::from_json_string(&json).ok()?;
    let table = map.generate_lookup_table();
    let token = map.lookup_token(&table, line.checked_sub(1)?, column.checked_sub(1)?)?;
    let file = project.compiler.display(project.graph[id].file.as_path());
    Some(TracedFrame { file, line: token.get_src_line() + 1, column: token.get_src_col() + 1 })
}

/// The module whose definition stands on a line of a script.
pub fn module_at(project: &Project, base: &str, address: &str, line: u32) -> Option<ModuleId> {
    Some(place(project, base, address, line)?.0)
}

fn place(project: &Project, base: &str, address: &str, line: u32) -> Option<(ModuleId, u32)> {
    let path = path_of(address, base)?;
    match path.strip_prefix("/@rekindle/s/") {
        Some(segment) => place_in_segment(project, segment.strip_suffix(".js")?, line),
        None => Some((project.graph.get(&path)?, line)),
    }
}

/// The module and the line (from 1) in its definition.
fn place_in_segment(project: &Project, segment: &str, line: u32) -> Option<(ModuleId, u32)> {
    let lines = project.segments.lines(&project.graph, segment)?;
    let (id, begin) = lines.into_iter().rev().find(|(_, begin)| *begin < line as usize)?;
    Some((id, line - begin as u32))
}

fn path_of(address: &str, base: &str) -> Option<String> {
    let path = address.split_once("://")?.1;
    let path = &path[path.find('/')?..];
    let below = path.strip_prefix(base.trim_end_matches('/'))?;
    Some(percent_encoding::percent_decode_str(below).decode_utf8().ok()?.into_owned())
}

/// A few lines of the source around a traced frame.
pub fn frame(project: &Project, traced: &TracedFrame, root: &std::path::Path) -> Option<String> {
    // The file is one of the graph's: `trace` gave its name.
    let source = project.read_known(&root.join(&traced.file))?;
    let place = Place { line: traced.line, column: traced.column };
    Some(rekindle_graph::diagnostic::code_frame(&source, place, ""))
}

/// The map of a whole segment: one section for each definition.
pub fn segment_map(project: &Project, segment: &str) -> Option<String> {
    let lines = project.segments.lines(&project.graph, segment)?;
    let sections: Vec<String> = lines
        .into_iter()
        .filter_map(|(id, line)| {
            let map = project.source_map(id)?;
            Some(format!("{{\"offset\":{{\"line\":{line},\"column\":0}},\"map\":{map}}}"))
        })
        .collect();
    Some(format!("{{\"version\":3,\"sections\":[{}]}}", sections.join(",")))
}
