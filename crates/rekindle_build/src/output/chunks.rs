//! The last touches on a chunk, once the names of all chunks are known.
//!
//! ```js
//! preload(()=>import("./page-x.js"),__REKINDLE_DEPS__)
//!   →  preload(()=>import("./page-x.js"),["/assets/page-x.js","/assets/page-y.css"])
//! ```
//!
//! The source map follows; it is added to the text or put beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use oxc_allocator::Allocator;
use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_parser::Parser;
use oxc_sourcemap::{SourceMap, Token};
use oxc_span::{GetSpan, SourceType, Span};
use rekindle_compile::plain::build_settings::SourceMaps;
use rekindle_compile::plain::script::DEPS_MARKER;
use rolldown_common::OutputChunk;

use crate::bundle::modules::{Bundle, BundledModules};
use crate::bundle::order::Modules;
use crate::output::addresses::{Referrer, Target};
use crate::output::cascade::Cascade;
use crate::output::sheets;
use crate::session::Session;

/// A chunk of the pages with its sheets, by their names in the output.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub chunk: Arc<OutputChunk>,
    /// All chunks that it needs, itself the last: those that run first come first.
    pub scripts: Vec<String>,
    /// Those of its own modules: one, or several where sheets of other chunks stand between them.
    pub own_sheets: Vec<String>,
    /// All that it needs, in the order of the imports.
    pub sheets: Vec<String>,
}

/// Text of a chunk, and its map where that is a file.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub code: String,
    pub map: Option<String>,
}

/// Gives each chunk the sheets of its modules, in the order in which they run; or all of them one.
pub(crate) fn with_sheets(session: &Session, bundle: Bundle) -> (Vec<Chunk>, Option<String>) {
    let Bundle { chunks, modules: BundledModules { sheets: css, imports, .. } } = bundle;
    let has_sheet = |id: &str| css.contains_key(id);
    let emit = |name: &str, ids: &[&str]| {
        let text = sheets::finish(session, ids.iter().map(|id| &*css[*id]));
        (!text.is_empty()).then(|| session.addresses.emit(&format!("{name}.css"), text.into_bytes().into()))
    };
    let cascade = Cascade::of(&chunks, &Modules { imports: &imports, counts: &has_sheet });
    if !session.config.build.css_code_split {
        let all = emit("style", &cascade.all());
        let made = chunks.iter().enumerate().map(|(at, chunk)| Chunk {
            chunk: chunk.clone(),
            scripts: cascade.scripts(at),
            own_sheets: Vec::new(),
            sheets: Vec::new(),
        });
        return (made.collect(), all);
    }
    let names: Vec<Vec<Option<String>>> = cascade
        .pieces()
        .iter()
        .zip(&chunks)
        .map(|(pieces, chunk)| pieces.iter().map(|ids| emit(base_name(&chunk.name), ids)).collect())
        .collect();
    let name_of = |&(chunk, piece): &(usize, usize)| names[chunk][piece].clone();
    let made = chunks.iter().enumerate().map(|(at, chunk)| Chunk {
        chunk: chunk.clone(),
        scripts: cascade.scripts(at),
        own_sheets: names[at].iter().flatten().cloned().collect(),
        sheets: cascade.needed(at).iter().filter_map(name_of).collect(),
    });
    (made.collect(), None)
}

pub(crate) fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The final text of a chunk among `all` chunks of its kind.
pub(crate) fn text(chunk: &OutputChunk, all: &[Chunk], session: &Session) -> Text {
    let mut code = chunk.code.clone();
    let mut map = chunk.map.clone();
    if code.contains(DEPS_MARKER) {
        let by_name: BTreeMap<&str, &Chunk> = all.iter().map(|chunk| (chunk.chunk.filename.as_str(), chunk)).collect();
        let edits = marks(&code)
            .into_iter()
            .map(|mark| {
                let lists = mark.import.map(|import| beside(&chunk.filename, &import));
                (mark.span, lists.map_or_else(|| "[]".to_owned(), |name| list(&by_name, &name, chunk, session)))
            })
            .collect::<Vec<_>>();
        map = map.map(|map| moved(map, &code, &edits));
        code = edited(&code, &edits);
    }
    finish(code, map, &chunk.filename, session)
}

fn finish(mut code: String, map: Option<SourceMap<'static>>, name: &str, session: &Session) -> Text {
    let maps = session.config.build.sourcemap;
    let Some(map) = map.filter(|_| maps != SourceMaps::None) else { return Text { code, map: None } };
    let map = map.to_json_string();
    let mut comment = |address: &str| {
        if !code.ends_with('\n') {
            code.push('\n');
        }
        code.push_str(&format!("//# sourceMappingURL={address}\n"));
    };
    match maps {
        SourceMaps::Inline => {
            let map = base64::engine::general_purpose::STANDARD.encode(map);
            comment(&format!("data:application/json;charset=utf-8;base64,{map}"));
            return Text { code, map: None };
        }
        SourceMaps::File => comment(&format!("{}.map", base_name(name))),
        SourceMaps::None | SourceMaps::Hidden => {}
    }
    Text { code, map: Some(map) }
}

/// The files that the lazy chunk `name` needs besides those that `from` has brought along.
fn list(chunks: &BTreeMap<&str, &Chunk>, name: &str, from: &OutputChunk, session: &Session) -> String {
    let needed = chunks.get(name).map_or((&[][..], &[][..]), |chunk| (&chunk.scripts[..], &chunk.sheets[..]));
    let there = chunks.get(&*from.filename).map_or((&[][..], &[][..]), |chunk| (&chunk.scripts[..], &chunk.sheets[..]));
    let is_preloaded = session.config.build.module_preload;
    let scripts: Vec<&String> = needed.0.iter().filter(|script| is_preloaded && !there.0.contains(script)).collect();
    let sheets: Vec<&String> = needed.1.iter().filter(|sheet| !there.1.contains(sheet)).collect();
    // The chunk alone is fetched by its import.
    if sheets.is_empty() && scripts.len() < 2 {
        return "[]".to_owned();
    }
    let from = Referrer::Script { classic: false };
    let written = scripts
        .into_iter()
        .chain(sheets)
        .map(|name| session.addresses.expression(&Target::Output(name.clone()), from))
        .collect::<Vec<_>>();
    format!("[{}]", written.join(","))
}

/// `./b.js` in `assets/a.js` → `assets/b.js`
fn beside(file: &str, specifier: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in specifier.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A marker in the text, and what the import beside it names.
struct PreloadMarker {
    span: Span,
    import: Option<String>,
}

fn marks(code: &str) -> Vec<PreloadMarker> {
    #[derive(Default)]
    struct Marks {
        found: Vec<PreloadMarker>,
    }
    #[derive(Default)]
    struct Import(Option<String>);
    impl<'a> Visit<'a> for Import {
        fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
            self.0 = match &it.source {
                Expression::StringLiteral(text) => Some(text.value.to_string()),
                Expression::TemplateLiteral(text) if text.expressions.is_empty() => {
                    text.quasis.first().map(|quasi| quasi.value.raw.to_string())
                }
                _ => None,
            };
        }
    }
    impl<'a> Visit<'a> for Marks {
        fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
            if let [load, mark] = it.arguments.as_slice()
                && let Some(Expression::Identifier(name)) = mark.as_expression()
                && name.name == DEPS_MARKER
            {
                let mut import = Import::default();
                import.visit_argument(load);
                self.found.push(PreloadMarker { span: mark.span(), import: import.0 });
            }
            walk::walk_call_expression(self, it);
        }
    }
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, code, SourceType::mjs()).parse();
    let mut marks = Marks::default();
    marks.visit_program(&parsed.program);
    marks.found.sort_by_key(|mark| mark.span.start);
    marks.found
}

fn edited(code: &str, edits: &[(Span, String)]) -> String {
    let mut text = String::with_capacity(code.len() + 64 * edits.len());
    let mut done = 0;
    for (span, replacement) in edits {
        text.push_str(&code[done..span.start as usize]);
        text.push_str(replacement);
        done = span.end as usize;
    }
    text.push_str(&code[done..]);
    text
}

/// The map of the text after the edits, none of which holds a line end.
fn moved(map: SourceMap<'static>, code: &str, edits: &[(Span, String)]) -> SourceMap<'static> {
    let width = |text: &str| text.encode_utf16().count() as i64;
    let shifts: Vec<(u32, u32, i64)> = edits
        .iter()
        .map(|(span, replacement)| {
            let before = &code[..span.start as usize];
            let line = before.bytes().filter(|byte| *byte == b'\n').count() as u32;
            let column = width(&before[before.rfind('\n').map_or(0, |at| at + 1)..]) as u32;
            (line, column, width(replacement) - i64::from(span.size()))
        })
        .collect();
    let tokens: Vec<Token> = map
        .get_tokens()
        .map(|token| {
            let (line, column) = (token.get_dst_line(), token.get_dst_col());
            let shift: i64 = shifts.iter().filter(|(at, after, _)| *at == line && *after < column).map(|it| it.2).sum();
            let column = (i64::from(column) + shift).max(0) as u32;
            let (source, name) = (token.get_source_id(), token.get_name_id());
            Token::new(line, column, token.get_src_line(), token.get_src_col(), source, name)
        })
        .collect();
    let mut parts = map.into_parts();
    parts.tokens = tokens.into();
    SourceMap::from_parts(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_with_their_imports() {
        let code = "p(()=>import(`./a-1.js`),__REKINDLE_DEPS__);p(()=>import(\"../b.js\").then(m=>m.t),__REKINDLE_DEPS__);\
                    p(()=>Promise.resolve().then(()=>x),__REKINDLE_DEPS__)";
        let imports: Vec<_> = marks(code).into_iter().map(|mark| mark.import).collect();
        assert_eq!(imports, [Some("./a-1.js".to_owned()), Some("../b.js".to_owned()), None]);
        let edits: Vec<_> = marks(code).into_iter().map(|mark| (mark.span, "[1]".to_owned())).collect();
        assert!(edited(code, &edits).starts_with("p(()=>import(`./a-1.js`),[1]);"));
    }

    #[test]
    fn a_specifier_is_seen_from_its_file() {
        assert_eq!(beside("assets/a.js", "./b.js"), "assets/b.js");
        assert_eq!(beside("assets/deep/a.js", "../b.js"), "assets/b.js");
        assert_eq!(beside("a.js", "./b.js"), "b.js");
    }
}
