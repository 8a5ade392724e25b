//! A compiled sheet as the definition of a module, for each use of it.

use oxc_syntax::identifier::is_identifier_name;
use rekindle_graph::{Definition, Dep, DepKind, Link, digest, quoted};

use crate::kind::{StyleUse, inline_wish, with_suffix, without_suffix};
use crate::style::sheet::{StyleOutput, placeholder};

/// ```js
/// {deps:["./dot.svg"],names:[],shape:"…"},(function*($x,$r){$x({default:()=>$d,title:()=>$d["title"]});yield;
/// var $d={"title":"box_title_1a2b"};$r.style("…url("+$r.asset(0)+")…",true);
/// })
/// ```
pub(crate) fn style_definition(output: &StyleOutput, kind: StyleUse) -> Definition {
    let deps: Vec<Dep> = output
        .urls
        .iter()
        .map(|url| Dep {
            specifier: without_suffix(&url.specifier).0.to_owned(),
            kind: DepKind::Asset,
            span: (0, 0),
            attribute: inline_wish(without_suffix(&url.specifier).1).map(str::to_owned),
            names: Vec::new(),
        })
        .collect();
    // The address is filled in when the sheet is sent; what follows it in the source stays.
    let with_placeholders = || {
        output.urls.iter().fold(output.css.clone(), |css, url| {
            css.replace(&url.placeholder, &format!("{}{}", url.placeholder, without_suffix(&url.specifier).1))
        })
    };
    if kind == StyleUse::Link {
        let css = with_placeholders();
        let mut definition = Definition::of_code(css.clone(), Vec::new(), &css);
        definition.deps = deps;
        return definition;
    }
    let text = css_expression(output);
    let specifiers: Vec<&str> = deps.iter().map(|dep| dep.specifier.as_str()).collect();
    let deps_text = serde_json::to_string(&specifiers).unwrap_or_default();
    let mut exports = Vec::new();
    let mut shape = String::new();
    let body = match (kind, &output.class_map) {
        (StyleUse::Text, _) => {
            exports.push(("default".to_owned(), "$d".to_owned()));
            format!("var $d={text};")
        }
        (StyleUse::Sheet, _) => {
            exports.push(("default".to_owned(), "$d".to_owned()));
            format!("var $d=new CSSStyleSheet();$d.replaceSync({text});")
        }
        (_, None) => format!("$r.style({text},true);"),
        (_, Some(classes)) => {
            let entries = classes.iter().map(|(name, scoped)| (name.clone(), serde_json::Value::from(scoped.as_str())));
            let map = serde_json::Value::Object(entries.collect()).to_string();
            shape = format!(",shape:\"{}\"", digest(&[map.as_bytes()]));
            exports.push(("default".to_owned(), "$d".to_owned()));
            for (name, _) in classes {
                if is_class_export(name) {
                    exports.push((name.clone(), format!("$d[{}]", quoted(name))));
                }
            }
            format!("var $d={map};$r.style({text},false);")
        }
    };
    let getters: Vec<String> = exports.iter().map(|(name, read)| format!("{name}:()=>{read}")).collect();
    let code = format!(
        "{{deps:{deps_text},names:[]{shape}}},(function*($x,$r){{$x({{{}}});yield;\n{body}\n}})",
        getters.join(",")
    );
    let mut definition = Definition::of_code(code.clone(), exports.into_iter().map(|(name, _)| name).collect(), &code);
    definition.deps = deps;
    definition.sheet = (kind == StyleUse::Page).then(|| with_placeholders().into());
    definition
}

/// Whether a class has an export of its own: `import * as styles` reads also `styles.delete`.
pub fn is_class_export(name: &str) -> bool {
    name != "default" && name != "__proto__" && is_identifier_name(name)
}

/// The sheet as an expression in which addresses are filled in when it runs.
fn css_expression(output: &StyleOutput) -> String {
    let mut pieces = Vec::new();
    let mut rest = output.css.as_str();
    while let Some((at, number)) =
        output.urls.iter().enumerate().filter_map(|(number, url)| Some((rest.find(&url.placeholder)?, number))).min()
    {
        let url = &output.urls[number];
        let suffix = without_suffix(&url.specifier).1;
        pieces.push(quoted(&rest[..at]));
        pieces.push(match suffix {
            "" => format!("$r.asset({number})"),
            suffix => format!("$r.asset({number},{})", quoted(suffix)),
        });
        rest = &rest[at + url.placeholder.len()..];
    }
    pieces.push(quoted(rest));
    pieces.join("+")
}

/// The text of a linked sheet, or of one that goes into a style element, with its addresses filled in.
pub fn sheet_text(definition: &Definition, links: &[Link]) -> String {
    let mut css = definition.sheet.as_ref().unwrap_or(&definition.code).to_string();
    for (number, (dep, link)) in definition.deps.iter().zip(links).enumerate() {
        let address = match link {
            Link::Address(address) => address,
            _ => &dep.specifier,
        };
        css = filled_in(&css, &placeholder(number), address);
    }
    css
}

/// Puts an address in its place, before what follows it there: `url("__rekindle_url_0__?v=2#a")` → `url("/a.svg?v=2#a")`
fn filled_in(css: &str, placeholder: &str, address: &str) -> String {
    let mut pieces = css.split(placeholder);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (suffix, rest) = piece.split_at(piece.find(['"', ')']).unwrap_or(piece.len()));
        out.push_str(&with_suffix(address, suffix));
        out.push_str(rest);
    }
    out
}
