//! Compiles a JSON file to a definition: the value as default export, and a named export per key.
//!
//! ```text
//! { "name": "demo", "two words": 1 }
//! ```
//! becomes
//! ```js
//! {deps:[],names:[],value:true},(function*($x){$x({default:()=>$j,name:()=>$j.name});yield;
//! var $j={ "name": "demo", "two words": 1 };
//! })
//! ```

use std::fmt;

use oxc_syntax::identifier::is_identifier_name;
use oxc_syntax::keyword::is_reserved_keyword_or_global_object;
use rekindle_graph::Diagnostic;
use rustc_hash::FxHashSet;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON file as a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonModule {
    /// Meta object and factory, as in [`rekindle_graph::Definition::code`].
    pub code: String,
    /// Names of the exports, `default` first.
    pub exports: Vec<String>,
}

/// Above this size `JSON.parse` of a string is faster for the browser than the same text as a literal.
const LARGEST_LITERAL: usize = 10_000;

/// Compiles the text of a JSON file; `display` is its name for the user.
pub fn compile_json(source: &str, display: &str) -> Result<JsonModule, Diagnostic> {
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let exports = exports_of(text, display)?;
    let getters: String = exports[1..].iter().map(|name| format!(",{name}:()=>$j.{name}")).collect();
    let value = value_expression(text);
    let code = format!(
        "{{deps:[],names:[],value:true}},(function*($x){{$x({{default:()=>$j{getters}}});yield;\nvar $j={value};\n}})"
    );
    Ok(JsonModule { code, exports })
}

/// The same as an ES module for a bundler: what is not imported of a file of moderate size is left out.
///
/// ```js
/// const $0 = "demo";
/// export { $0 as name };
/// export default { "name": $0, "two words": 1 };
/// ```
pub(crate) fn plain_json(source: &str, display: &str) -> Result<String, Diagnostic> {
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let exports = exports_of(text, display)?;
    let value = match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(value)) if exports.len() > 1 && !is_parsed_by_browser(text) => value,
        _ => {
            let value = value_expression(text);
            let pure = if value.starts_with("JSON.parse") { "/* @__PURE__ */ " } else { "" };
            let names = exports[1..].iter().enumerate();
            let names: Vec<String> = names
                .map(|(at, name)| {
                    format!("const $${at} = /* @__PURE__ */ (() => $j.{name})();\nexport {{ $${at} as {name} }};\n")
                })
                .collect();
            return Ok(format!("const $j = {pure}{value};\n{}export default $j;\n", names.concat()));
        }
    };
    let (mut code, mut fields) = (String::new(), Vec::new());
    for (at, (key, value)) in value.iter().enumerate() {
        let (key_text, value) =
            (serde_json::Value::from(key.as_str()).to_string(), escape_line_separators(&value.to_string()));
        if exports[1..].contains(key) {
            code.push_str(&format!("const $${at} = {value};\nexport {{ $${at} as {key} }};\n"));
            fields.push(format!("{key_text}: $${at}"));
        } else {
            fields.push(format!("{}: {value}", escape_line_separators(&key_text)))
        }
    }
    Ok(format!("{code}export default {{ {} }};\n", fields.join(", ")))
}

fn exports_of(text: &str, display: &str) -> Result<Vec<String>, Diagnostic> {
    let keys = match serde_json::from_str::<TopLevelKeys>(text) {
        Ok(keys) => keys.0,
        Err(error) => return Err(explain(&error, text, display)),
    };
    let mut exports = vec!["default".to_owned()];
    let mut seen = FxHashSet::default();
    exports.extend(keys.into_iter().filter(|key| is_exportable(key) && seen.insert(key.clone())));
    Ok(exports)
}

/// Whether `import { key } from './data.json'` can be written and read back as a plain property.
pub fn is_exportable(key: &str) -> bool {
    key != "default" && key != "__proto__" && is_identifier_name(key) && !is_reserved_keyword_or_global_object(key)
}

/// Whether the text stays JSON text in the module.
fn is_parsed_by_browser(text: &str) -> bool {
    // In a literal `"__proto__": …` sets the prototype, in JSON it is an ordinary key.
    let may_set_prototype = text.contains("__proto__") || text.contains("\\u005f") || text.contains("\\u005F");
    text.len() > LARGEST_LITERAL || may_set_prototype
}

fn value_expression(text: &str) -> String {
    if !is_parsed_by_browser(text) {
        return escape_line_separators(text.trim());
    }
    let literal = serde_json::Value::String(text.to_owned()).to_string();
    format!("JSON.parse({})", escape_line_separators(&literal))
}

/// In JSON these two stand only inside strings. Engines before ES2019 read them as line ends.
fn escape_line_separators(text: &str) -> String {
    text.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn explain(error: &serde_json::Error, text: &str, display: &str) -> Diagnostic {
    let sentence = error.to_string();
    let fact = sentence.split(" at line ").next().unwrap_or(&sentence);
    let fact = if text.trim().is_empty() {
        "the file is empty".to_owned()
    } else if let Some(inside) = fact.strip_prefix("EOF while parsing ") {
        format!("the file ends inside {inside}")
    } else {
        fact.to_owned()
    };
    let offset = offset_of(text, error.line(), error.column());
    let diagnostic =
        Diagnostic::error(format!("{display} is not valid JSON: {fact}")).in_file(display).at(text, offset, 1);
    match advice(&fact, &text[offset..]) {
        Some(advice) => diagnostic.with_help(advice),
        None => diagnostic,
    }
}

fn advice(fact: &str, rest: &str) -> Option<&'static str> {
    if fact == "trailing comma" {
        return Some("remove the comma before the closing bracket");
    }
    match rest.bytes().next()? {
        b'/' => Some("JSON has no comments"),
        b'\'' => Some("strings and keys in JSON need double quotes"),
        byte if fact == "key must be a string" && byte.is_ascii_alphanumeric() => {
            Some("keys in JSON need double quotes")
        }
        _ => None,
    }
}

/// serde_json counts lines from 1 and columns in bytes, with column 0 for the line end before.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut offset = (line_start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The keys of the outermost object; the rest is only checked. `IgnoredAny` needs no native stack, so the depth does not matter.
struct TopLevelKeys(Vec<String>);

impl<'de> Deserialize<'de> for TopLevelKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = TopLevelKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TopLevelKeys, A::Error> {
        let mut keys = Vec::new();
        while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            keys.push(key);
        }
        Ok(TopLevelKeys(keys))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<TopLevelKeys, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(TopLevelKeys(Vec::new()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<TopLevelKeys, E> {
        Ok(TopLevelKeys(Vec::new()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<TopLevelKeys, E> {
        Ok(TopLevelKeys(Vec::new()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<TopLevelKeys, E> {
        Ok(TopLevelKeys(Vec::new()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<TopLevelKeys, E> {
        Ok(TopLevelKeys(Vec::new()))
    }

    fn visit_str<E>(self, _: &str) -> Result<TopLevelKeys, E> {
        Ok(TopLevelKeys(Vec::new()))
    }

    fn visit_unit<E>(self) -> Result<TopLevelKeys, E> {
        Ok(TopLevelKeys(Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(source: &str, expected: Expect) {
        let text = match compile_json(source, "data.json") {
            Ok(module) => module.code,
            Err(diagnostic) => format!(
                "{}: {}\n{}\n{}",
                diagnostic.location().unwrap(),
                diagnostic.message,
                diagnostic.frame.unwrap_or_default(),
                diagnostic.help.unwrap_or_default(),
            ),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn keys_that_are_identifiers_become_named_exports() {
        check(
            r#"{ "name": "demo", "two words": 1, "class": 2, "größe": 3, "default": 4, "a-b": 5, "name": 6 }"#,
            expect![[r#"
                {deps:[],names:[],value:true},(function*($x){$x({default:()=>$j,name:()=>$j.name,größe:()=>$j.größe});yield;
                var $j={ "name": "demo", "two words": 1, "class": 2, "größe": 3, "default": 4, "a-b": 5, "name": 6 };
                })"#]],
        );
    }

    #[test]
    fn values_that_are_not_objects_have_a_default_export_only() {
        for source in ["[1, {\"a\": 2}]", "null", "true", "-1.5e300", "12", "\"text\"", "\u{feff} 7 "] {
            assert_eq!(compile_json(source, "data.json").unwrap().exports, ["default"], "{source}");
        }
    }

    #[test]
    fn a_proto_key_stays_an_ordinary_key() {
        check(
            r#"{"__proto__": {"x": 1}}"#,
            expect![[r#"
                {deps:[],names:[],value:true},(function*($x){$x({default:()=>$j});yield;
                var $j=JSON.parse("{\"__proto__\": {\"x\": 1}}");
                })"#]],
        );
    }

    #[test]
    fn line_separators_are_escaped_in_both_forms() {
        let small = compile_json("\"a\u{2028}b\"", "data.json").unwrap().code;
        assert!(small.contains(r#"var $j="a\u2028b";"#), "{small}");
        let large = format!("\"\u{2029}{}\"", "x".repeat(LARGEST_LITERAL));
        let large = compile_json(&large, "data.json").unwrap().code;
        assert!(large.contains(r#"JSON.parse("\"\u2029xxx"#), "{}", &large[..200]);
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        let source = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(compile_json(&source, "data.json").unwrap().code.contains("JSON.parse"));
    }

    #[test]
    fn a_missing_comma_is_shown_in_place() {
        check(
            "{\n  \"a\": 1\n  \"b\": 2\n}\n",
            expect![[r#"
                data.json:3:3: data.json is not valid JSON: expected `,` or `}`
                  1 | {
                  2 |   "a": 1
                > 3 |   "b": 2
                    |   ^
                  4 | }
            "#]],
        );
    }

    #[test]
    fn common_slips_get_advice() {
        let help = |source: &str| compile_json(source, "data.json").unwrap_err().help;
        assert_eq!(help("{\"a\": 1,}").as_deref(), Some("remove the comma before the closing bracket"));
        assert_eq!(help("{ // why\n}").as_deref(), Some("JSON has no comments"));
        assert_eq!(help("{'a': 1}").as_deref(), Some("strings and keys in JSON need double quotes"));
        assert_eq!(help("{a: 1}").as_deref(), Some("keys in JSON need double quotes"));
    }

    #[test]
    fn an_empty_or_unfinished_file_is_named_so() {
        let message = |source: &str| compile_json(source, "data.json").unwrap_err().message;
        assert_eq!(message(""), "data.json is not valid JSON: the file is empty");
        assert_eq!(message("{\"a\": [1"), "data.json is not valid JSON: the file ends inside a list");
        assert_eq!(message("{\"a\": 1"), "data.json is not valid JSON: the file ends inside an object");
    }
}
