//! A definition: one module wrapped in a function, made from that module's source alone.
//!
//! ```js
//! {deps:["./store.ts"],names:[["n"]]},(function*($x,$r){let $0;$x({App:()=>App},($n=>{$0=$n(0)}));yield;
//! const App = () => $0.n;
//! })
//! ```
//!
//! The text holds no resolved path: what each specifier means travels beside it, as [`Link`]s.

use std::sync::Arc;

use crate::digest::digest;

use crate::names::{FilePath, ModuleUrl};

/// The wrapped code of one module and everything its source alone tells about it.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Meta object and factory, ready to stand as the last two arguments of a `define` call.
    pub code: Arc<str>,
    /// Digest of the source and of the options it was compiled with, 16 hexadecimal digits.
    pub hash: Arc<str>,
    /// Specifiers in the order of the definition's `deps`: static imports first, then the others.
    pub deps: Vec<Dep>,
    /// Calls of `import.meta.glob`, in source order.
    pub globs: Vec<GlobCall>,
    /// Names of the exports the module itself writes down; `export *` is in `deps`.
    pub exports: Vec<String>,
    /// Places in `deps` of the modules behind `export * from`.
    pub stars: Vec<usize>,
    /// What the module reads of `import.meta.env`.
    pub env: EnvReads,
    /// Other files that went into the code (stylesheets behind `@import`, tsconfig.json): an edit of one compiles the module anew.
    pub files: Vec<FilePath>,
    /// There is an `import()` whose specifier is only known when it runs.
    pub imports_by_name: bool,
    /// What the module puts on the page as a style element, with placeholders for the addresses in `deps`.
    pub sheet: Option<Arc<str>>,
}

/// Which keys of `import.meta.env` a module reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EnvReads {
    /// It reads none.
    #[default]
    None,
    /// It reads these, each listed once.
    Keys(Vec<String>),
    /// The object itself escapes, so any key may be read.
    All,
}

impl EnvReads {
    /// Notes that `key` is read.
    pub fn add(&mut self, key: &str) {
        match self {
            Self::None => *self = Self::Keys(vec![key.to_owned()]),
            Self::Keys(keys) if keys.iter().any(|known| known == key) => {}
            Self::Keys(keys) => keys.push(key.to_owned()),
            Self::All => {}
        }
    }

    /// Whether an edit of one of `changed` concerns the module.
    pub fn meets(&self, changed: &[String]) -> bool {
        match self {
            Self::None => false,
            Self::Keys(keys) => keys.iter().any(|key| changed.contains(key)),
            Self::All => !changed.is_empty(),
        }
    }
}

/// One specifier of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dep {
    /// As it is written in the source.
    pub specifier: String,
    /// How it is used.
    pub kind: DepKind,
    /// Byte range of the specifier in the source, for diagnostics.
    pub span: (u32, u32),
    /// Value of `type` in `with { type: … }`.
    pub attribute: Option<String>,
    /// Of a static import the names that are taken; `*` is the whole namespace.
    pub names: Vec<String>,
}

/// What a specifier is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DepKind {
    /// `import … from`, `export … from`
    Static,
    /// `import('…')` with a constant specifier
    Dynamic,
    /// `require('…')` in a CommonJS module
    Require,
    /// the dependency of a literal `import.meta.hot.accept('…')`
    Accept,
    /// `new URL('…', import.meta.url)`: an address, not a module
    Asset,
    /// `new Worker(new URL('…', import.meta.url))`: a module that another thread runs
    Worker,
}

impl DepKind {
    /// Whether the module behind it must be there before the importer runs.
    pub fn is_static(self) -> bool {
        matches!(self, Self::Static | Self::Require)
    }
}

/// One call of `import.meta.glob`, or one `import()` of a template with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobCall {
    /// As they are written, those that begin with `!` included.
    pub patterns: Vec<String>,
    /// `eager` option: the modules are imported at once. Default `false`.
    pub eager: bool,
    /// Query appended to every match, without its question mark; empty when there is none.
    pub query: String,
    /// `base` option: keys are relative to it.
    pub base: Option<String>,
    /// `exhaustive` option: hidden folders and `node_modules` count as well. Default `false`.
    pub exhaustive: bool,
    /// `caseSensitive` option. Default `true`.
    pub case_sensitive: bool,
    /// The path of an `import()` or a `new URL()`, which is looked up as it is written there.
    pub of_import: bool,
    /// Byte range of the call in the source, for diagnostics.
    pub span: (u32, u32),
}

/// What a specifier means in this project, right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// A module the graph knows.
    Module(ModuleUrl),
    /// An address the browser imports or fetches by itself (`https:`, `data:`, a file of `public/`).
    Address(String),
    /// For each name that is taken of a package's index the module that has it, and its name there.
    Picked(Vec<(String, ModuleUrl, String)>),
    /// Nothing: the importer cannot run.
    Missing,
}

impl Link {
    /// The one module it leads to; `None` if it leads to none, or to several.
    pub fn module(&self) -> Option<&ModuleUrl> {
        match self {
            Self::Module(url) => Some(url),
            _ => None,
        }
    }

    /// All modules it leads to.
    pub fn modules(&self) -> impl Iterator<Item = &ModuleUrl> {
        let picked = match self {
            Self::Picked(picked) => picked.as_slice(),
            _ => &[],
        };
        self.module().into_iter().chain(picked.iter().map(|(_, url, _)| url))
    }
}

impl Definition {
    /// A definition that imports nothing, from its text. Its hash stands for `content`.
    pub fn of_code(code: String, exports: Vec<String>, content: &str) -> Self {
        Self {
            hash: digest(&[content.as_bytes()]),
            code: code.into(),
            deps: Vec::new(),
            globs: Vec::new(),
            exports,
            stars: Vec::new(),
            env: EnvReads::None,
            files: Vec::new(),
            imports_by_name: false,
            sheet: None,
        }
    }

    /// A definition whose only export is `default`, the value of an expression. Its hash stands for `content`.
    pub fn of_value(expression: &str, content: &str) -> Self {
        let code =
            format!("{{deps:[],names:[]}},(function*($x){{$x({{default:()=>$d}});yield;\nvar $d={expression};\n}})");
        Self::of_code(code, vec!["default".into()], content)
    }
}

/// A string as it stands in JavaScript, in quotes.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string always serialises")
}
