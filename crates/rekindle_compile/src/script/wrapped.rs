//! The parts of a definition around its body: what the tab must know before it runs the module, and the head of its function.
//!
//! ```js
//! {deps:["./a.js"],names:[["b"]]},(function*($x){let $0;$x({c:()=>c},($n=>{$0=$n(0)}));yield;
//! ```

use oxc_span::Span;
use oxc_syntax::identifier::is_identifier_name;
use rekindle_graph::{Dep, EnvReads, GlobCall};

use crate::script::input::Interop;
use crate::script::refresh::Makings;

/// What the header and the meta object of a definition are written from.
#[derive(Debug, Default)]
pub(crate) struct Wrapped {
    pub deps: Vec<Dep>,
    pub globs: Vec<GlobCall>,
    pub env: EnvReads,
    pub exports: Vec<Export>,
    /// For each static dependency the names taken from it; `*` is the namespace.
    pub names: Vec<Vec<String>>,
    /// Static dependencies behind `export *`.
    pub stars: Vec<usize>,
    /// Dependencies of `import()` with a constant specifier.
    pub dynamic: Vec<usize>,
    /// Dependencies of `require('…')`, in a file that imports and exports as well.
    pub required: Vec<usize>,
    /// Dependencies of literal `accept` calls.
    pub accepted: Vec<usize>,
    /// There is an `import()` whose specifier is only known when it runs.
    pub imports_by_name: bool,
    /// It awaits at its top level.
    pub is_async: bool,
    /// It does so in a statement that only an async generator can hold: `for await`, `await using`.
    pub needs_async_function: bool,
    pub uses_meta: bool,
    pub uses_runtime: bool,
    pub names_default_function: bool,
    /// It registers components (or hooks) for a refresh runtime.
    pub registers: bool,
    /// What its exports are made of, if it may be the boundary of a refresh.
    pub made: Option<String>,
    pub has_anonymous_component: bool,
    pub resets: bool,
    /// Mistakes: message, where, advice.
    pub errors: Vec<(String, Span, String)>,
}

/// One export: its name, the expression that reads it, and where it comes from when it is passed on.
#[derive(Debug)]
pub(crate) struct Export {
    pub name: String,
    pub read: String,
    /// Dependency and name there; `*` is the namespace.
    pub from: Option<(usize, String)>,
}

impl Wrapped {
    /// `{deps:[…],names:[…],…}`: what the tab must know before it runs the module.
    pub fn meta(&self, interop: Interop) -> String {
        let mut meta = String::from("{deps:");
        let specifiers: Vec<&str> = self.deps.iter().map(|dep| dep.specifier.as_str()).collect();
        meta.push_str(&json(&specifiers));
        meta.push_str(",names:");
        meta.push_str(&json(&self.names));
        if !self.stars.is_empty() {
            meta.push_str(&format!(",stars:{}", json(&self.stars)));
        }
        let passed_on: Vec<_> =
            self.exports.iter().filter_map(|export| Some((export, export.from.as_ref()?))).collect();
        if !passed_on.is_empty() {
            let from: Vec<String> = passed_on
                .iter()
                .map(|(export, (dep, name))| format!("{}:[{dep},{}]", key(&export.name), json(name)))
                .collect();
            meta.push_str(&format!(",from:{{{}}}", from.join(",")));
        }
        if !self.dynamic.is_empty() {
            meta.push_str(&format!(",dynamic:{}", json(&self.dynamic)));
        }
        if !self.required.is_empty() {
            meta.push_str(&format!(",requires:{}", json(&self.required)));
        }
        if self.globs.iter().any(|glob| glob.eager) {
            let eager: Vec<usize> = (0..self.globs.len()).filter(|&at| self.globs[at].eager).collect();
            meta.push_str(&format!(",eager:{}", json(&eager)));
        }
        if let Some(babel) = self.babel(interop) {
            meta.push_str(&format!(",babel:{babel}"));
        }
        if self.imports_by_name {
            meta.push_str(",computed:true");
        }
        if self.deps.iter().any(|dep| dep.attribute.is_some()) {
            let with: Vec<_> = self.deps.iter().map(|dep| dep.attribute.as_deref()).collect();
            meta.push_str(&format!(",with:{}", json(&with)));
        }
        if self.is_async || self.needs_async_function {
            meta.push_str(",async:true");
        }
        if let Some(made) = &self.made {
            meta.push_str(&format!(",made:{made}"));
        }
        if self.has_anonymous_component {
            meta.push_str(",anonymous:true");
        }
        if self.resets {
            meta.push_str(",resets:true");
        }
        meta.push('}');
        meta
    }

    /// Notes what the printed `body` says to a refresh runtime. Only who declares components can be a boundary.
    pub fn note_refresh(&mut self, body: &str, makings: &Makings) {
        let declares = body.contains("$RefreshReg$(");
        self.registers = declares || body.contains("$RefreshSig$(");
        self.uses_runtime |= self.registers;
        let has_components = declares || makings.has_class_component || makings.has_anonymous_component;
        if has_components && !self.exports.is_empty() {
            self.made = Some(makings.meta(&self.deps));
        }
        self.has_anonymous_component = makings.has_anonymous_component;
        self.resets = makings.resets && self.registers;
    }

    /// What of `Meta.babel` matters to this module.
    fn babel(&self, interop: Interop) -> Option<u8> {
        let takes_default = self.names.iter().flatten().any(|name| name == "default" || name == "*");
        let imports_later = !self.dynamic.is_empty() || self.imports_by_name || !self.globs.is_empty();
        match interop {
            Interop::Babel if takes_default || imports_later => Some(1),
            Interop::BabelIfStatic if takes_default => Some(2),
            _ => None,
        }
    }

    /// Variables for the static imports of a CommonJS module, in one line: `var $0=$r.imported(0);`
    pub fn imported(&self, prefix: &str) -> String {
        let all = 0..self.names.len();
        all.map(|dep| {
            if self.names[dep].is_empty() {
                format!("{prefix}r.imported({dep});")
            } else {
                format!("var {prefix}{dep}={prefix}r.imported({dep});")
            }
        })
        .collect()
    }

    /// The factory up to its body, in one line: `(function*($x){…yield;`
    ///
    /// Functions in parentheses are compiled by browsers when the script is, and not a second time when they run.
    pub fn header(&self, prefix: &str) -> String {
        let p = prefix;
        let parameters = match (self.uses_meta, self.uses_runtime) {
            (true, _) => format!("{p}x,{p}r,{p}m"),
            (false, true) => format!("{p}x,{p}r"),
            (false, false) => format!("{p}x"),
        };
        let used: Vec<usize> = (0..self.names.len()).filter(|&dep| !self.names[dep].is_empty()).collect();
        let mut header = format!("({}function*({parameters}){{", if self.needs_async_function { "async " } else { "" });
        if self.registers {
            header.push_str(&format!("const $RefreshReg$={p}r.register,$RefreshSig$={p}r.signature;"));
        }
        if !used.is_empty() {
            let variables: Vec<String> = used.iter().map(|dep| format!("{p}{dep}")).collect();
            header.push_str(&format!("let {};", variables.join(",")));
        }
        if self.names_default_function {
            header.push_str(&format!("{p}r.nameDefault({p}default);"));
        }
        let getters: Vec<String> =
            self.exports.iter().map(|export| format!("{}:()=>{}", key(&export.name), export.read)).collect();
        header.push_str(&format!("{p}x({{{}}}", getters.join(",")));
        if !used.is_empty() {
            let links: Vec<String> = used.iter().map(|dep| format!("{p}{dep}={p}n({dep})")).collect();
            header.push_str(&format!(",({p}n=>{{{}}})", links.join(";")));
        }
        header.push_str(");yield;");
        header
    }
}

/// A property key that never means the prototype.
fn key(name: &str) -> String {
    match name {
        "__proto__" => "[\"__proto__\"]".into(),
        _ if is_identifier_name(name) => name.into(),
        _ => json(name),
    }
}

pub(crate) fn json(value: &(impl serde::Serialize + ?Sized)) -> String {
    // U+2028 and U+2029 may stand in string literals since ES2019, so JSON text is script text.
    serde_json::to_string(value).expect("strings, numbers and lists always serialise")
}
