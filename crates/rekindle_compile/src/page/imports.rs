//! What the plain scripts of a page import when they run.
//!
//! ```html
//! <script>addEventListener('click', () => import('./menu.js'))</script>   <button onclick="import('/help.js')">
//! ```

use std::ops::Range;

use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_span::SourceType;

/// The addresses in `import('…')` calls of a script that is none of modules: where each stands, without its quotes.
pub fn imported_addresses(code: &str) -> Vec<Range<usize>> {
    if !code.contains("import") {
        return Vec::new();
    }
    let allocator = Allocator::default();
    let record = Parser::new(&allocator, code, SourceType::cjs()).parse().module_record;
    let spans = record.dynamic_imports.iter().map(|import| import.module_request);
    spans.filter_map(|span| literal(code, span.start as usize..span.end as usize)).collect()
}

/// The inside of a string without escapes and holes.
fn literal(code: &str, range: Range<usize>) -> Option<Range<usize>> {
    let text = code.get(range.clone())?;
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`'))?;
    let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let is_plain = !inside.contains(['\\', '<', '&']) && !inside.contains("${") && !inside.contains(quote);
    is_plain.then_some(range.start + 1..range.end - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_strings_in_calls_count() {
        let found = |code: &str| -> Vec<String> {
            imported_addresses(code).into_iter().map(|range| code[range].to_owned()).collect()
        };
        let code = "// import('./no.js')\nif (x) import('./a.js').then(f); const s = \"import('./no.js')\"; import(`/b.js`)\n\
                    import(name); import(`./${name}.js`); import('./\\x61.js'); (async () => { await import(\"../c.js\", {}) })()";
        assert_eq!(found(code), ["./a.js", "/b.js", "../c.js"]);
        assert_eq!(found("return import('./a.js')"), ["./a.js"], "as in a handler");
        assert!(found("import( './a.js' }").is_empty() && found("with (a) b").is_empty());
    }
}
