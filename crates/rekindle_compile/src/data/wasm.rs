//! WebAssembly: one file → one definition, in the two forms that pages import.
//!
//! ```text
//! import init from './add.wasm?init'     →  default: (imports) => Promise<WebAssembly.Instance>
//! import { add } from './add.wasm'       →  what the file imports is imported, what it exports is exported
//! ```
//!
//! The second is the ESM integration of WebAssembly: the file says itself which modules it needs and which names it has,
//! so the definition is written from its import and export sections. Its bytes are fetched by address when it runs.

use rekindle_graph::{Dep, DepKind, Diagnostic};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// Names that the engine itself provides when it compiles the file.
const BUILTINS: &str = "wasm:";

/// What is written from a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WasmModule {
    pub code: String,
    pub deps: Vec<Dep>,
    pub exports: Vec<String>,
}

/// `?init`: a function that makes an instance.
pub(crate) fn init() -> WasmModule {
    let code = "{deps:[\"\"],names:[]},(function*($x,$r){$x({default:()=>$d});yield;\n\
                var $d=imports=>$r.wasm(0,imports);\n})";
    WasmModule { code: code.to_owned(), deps: vec![own_address()], exports: vec!["default".to_owned()] }
}

/// What a file needs, and what it has.
pub(crate) struct Interface {
    /// Specifiers, and whether globals are imported from there.
    pub imports: Vec<(String, bool)>,
    /// Names, and whether they are globals.
    pub exports: Vec<(String, bool)>,
}

/// What the file imports and exports.
///
/// # Errors
/// The file is no WebAssembly module.
pub(crate) fn interface(bytes: &[u8], display: &str) -> Result<Interface, Diagnostic> {
    let Sections { imports, exports, of_globals } = read_sections(bytes, display)?;
    let with_globals = |from: String| {
        let has_globals = of_globals.contains(&from);
        (from, has_globals)
    };
    let imports = imports.into_iter().map(with_globals).collect();
    let exports = exports.into_iter().map(|(name, kind)| (name, kind == ExternalKind::Global)).collect();
    Ok(Interface { imports, exports })
}

fn read_sections(bytes: &[u8], display: &str) -> Result<Sections, Diagnostic> {
    sections(bytes).map_err(|reason| {
        Diagnostic::error(format!("the file is not a WebAssembly module: {reason}"))
            .in_file(display)
            .with_help("build it again, or import its address with `?url`")
    })
}

/// The module itself.
///
/// ```js
/// {deps:["./env.js",""],names:[["*"]],async:true},
/// (function*($x,$r){let $0;$x({add:()=>$w.add},($n=>{$0=$n(0)}));yield;
/// var $w=(yield $r.wasm(1,{"./env.js":$0})).exports;
/// })
/// ```
///
/// # Errors
/// The file is no WebAssembly module.
pub(crate) fn module(bytes: &[u8], display: &str) -> Result<WasmModule, Diagnostic> {
    let Sections { imports, exports, .. } = read_sections(bytes, display)?;
    let dep = |specifier: &String| Dep {
        specifier: specifier.clone(),
        kind: DepKind::Static,
        span: (0, 0),
        attribute: None,
        names: vec!["*".into()],
    };
    let mut deps: Vec<Dep> = imports.iter().map(dep).collect();
    deps.push(own_address());
    let specifiers: Vec<&str> = deps.iter().map(|dep| dep.specifier.as_str()).collect();
    let names: Vec<[&str; 1]> = imports.iter().map(|_| ["*"]).collect();
    let variables: Vec<String> = (0..imports.len()).map(|at| format!("${at}")).collect();
    let links: Vec<String> = (0..imports.len()).map(|at| format!("${at}=$n({at})")).collect();
    let given: Vec<String> = imports.iter().enumerate().map(|(at, from)| format!("{}:${at}", json(from))).collect();
    let getters: Vec<String> = exports.iter().map(|(name, kind)| getter(name, *kind)).collect();
    let declared = if variables.is_empty() { String::new() } else { format!("let {};", variables.join(",")) };
    let linked = if links.is_empty() { String::new() } else { format!(",($n=>{{{}}})", links.join(";")) };
    let code = format!(
        "{{deps:{},names:{},async:true}},(function*($x,$r){{{declared}$x({{{}}}{linked});yield;\n\
         var $w=(yield $r.wasm({},{{{}}})).exports;\n}})",
        json(&specifiers),
        json(&names),
        getters.join(","),
        imports.len(),
        given.join(","),
    );
    Ok(WasmModule { code, deps, exports: exports.into_iter().map(|(name, _)| name).collect() })
}

/// A global is exported as its value.
fn getter(name: &str, kind: ExternalKind) -> String {
    let value = if kind == ExternalKind::Global { ".value" } else { "" };
    let name = json(name);
    format!("[{name}]:()=>$w[{name}]{value}")
}

/// Stands for the file's own address.
fn own_address() -> Dep {
    Dep { specifier: String::new(), kind: DepKind::Asset, span: (0, 0), attribute: None, names: Vec::new() }
}

fn json(value: &(impl serde::Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("strings and lists always serialise")
}

#[derive(Debug, Default)]
struct Sections {
    /// Specifiers, each once, in the order of the file.
    imports: Vec<String>,
    exports: Vec<(String, ExternalKind)>,
    /// Specifiers of imported globals.
    of_globals: Vec<String>,
}

fn sections(bytes: &[u8]) -> Result<Sections, String> {
    let text = |error: wasmparser::BinaryReaderError| format!("{} (at byte {})", error.message(), error.offset());
    let mut found = Sections::default();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(text)? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.map_err(text)?;
                    let from = import.module;
                    if matches!(import.ty, TypeRef::Global(_)) {
                        found.of_globals.push(from.to_owned());
                    }
                    if !from.starts_with(BUILTINS) && !found.imports.iter().any(|known| known == from) {
                        found.imports.push(from.to_owned());
                    }
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.map_err(text)?;
                    found.exports.push((export.name.to_owned(), export.kind));
                }
            }
            Payload::Version { encoding: wasmparser::Encoding::Component, .. } => {
                return Err("it is a component, which browsers do not run".to_owned());
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(module (import "./env.js" "log" (func (param i32))) (func (export "add") …) (global (export "n") i32 (i32.const 7)))`
    const ADD: &[u8] = &[
        0, 97, 115, 109, 1, 0, 0, 0, 1, 11, 2, 96, 1, 127, 0, 96, 2, 127, 127, 1, 127, 2, 16, 1, 8, b'.', b'/', b'e',
        b'n', b'v', b'.', b'j', b's', 3, b'l', b'o', b'g', 0, 0, 3, 2, 1, 1, 6, 6, 1, 127, 0, 65, 7, 11, 7, 11, 2, 3,
        b'a', b'd', b'd', 0, 1, 1, b'n', 3, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11,
    ];

    #[test]
    fn imports_and_exports_are_those_of_the_file() {
        let module = module(ADD, "add.wasm").unwrap();
        assert_eq!(module.exports, ["add", "n"]);
        let specifiers: Vec<&str> = module.deps.iter().map(|dep| dep.specifier.as_str()).collect();
        assert_eq!(specifiers, ["./env.js", ""]);
        assert_eq!(
            module.code,
            "{deps:[\"./env.js\",\"\"],names:[[\"*\"]],async:true},(function*($x,$r){let $0;\
             $x({[\"add\"]:()=>$w[\"add\"],[\"n\"]:()=>$w[\"n\"].value},($n=>{$0=$n(0)}));yield;\n\
             var $w=(yield $r.wasm(1,{\"./env.js\":$0})).exports;\n})"
        );
    }

    #[test]
    fn what_is_no_module_says_so() {
        let error = module(b"hello, this is text", "x.wasm").unwrap_err();
        assert!(error.message.starts_with("the file is not a WebAssembly module"), "{}", error.message);
    }
}
