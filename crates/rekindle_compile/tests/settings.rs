//! `[define]` and `[resolve]`: what they make of a module's text and of its specifiers.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;

use rekindle_compile::compiled::Compiled;
use rekindle_compile::compiler::Compiler;
use rekindle_compile::project::defines::Defines;
use rekindle_compile::resolve::pattern::Pattern;
use rekindle_compile::resolve::settings::Alias;
use rekindle_compile::resolve::settings::Find;
use rekindle_compile::resolve::settings::ResolveSettings;
use rekindle_compile::source::Source;
use rekindle_graph::{FilePath, Link, ModuleUrl};

fn write(root: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::write(root.join(name), text).unwrap();
    }
}

fn compile(compiler: &Compiler, root: &Path, name: &str) -> Compiled {
    compiler.compile(&ModuleUrl::new(format!("/{name}")), &FilePath::new(root.join(name)), &Source::File)
}

fn defines(entries: &[(&str, &str)]) -> Defines {
    Defines::new(&entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>())
}

#[test]
fn defined_names_become_their_expressions() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    write(
        &root,
        &[
            (
                "main.ts",
                "import { other } from './other'\nconst own = __OWN__\nexport const all = [__TEXT__, __OBJECT__.a, __NAME__, \
                 __CALL__, process.env.API, process.env.NODE_ENV, import.meta.env.VITE_X, own, other]\n\
                 export function f(__OWN__: number) { return __OWN__ }",
            ),
            ("other.ts", "export const other = 1"),
        ],
    );
    let given = defines(&[
        ("__TEXT__", "\"text\""),
        ("__OBJECT__", "{\"a\":1}"),
        ("__NAME__", "globalThis.name"),
        ("__CALL__", "other ?? fallback()"),
        ("__OWN__", "7"),
        ("process.env.API", "\"api\""),
        ("import.meta.env.VITE_X", "\"x\""),
        ("__UNUSED__", "1"),
    ]);
    let compiler = Compiler::new(&root, None, "/").with_constants(given, None);
    let definition = compile(&compiler, &root, "main.ts").result.unwrap();
    for part in [
        "\"text\"",
        "globalThis.name",
        "fallback()",
        "\"api\"",
        "\"development\"",
        "\"x\"",
        "own = 7",
        "return __OWN__",
    ] {
        assert!(definition.code.contains(part), "{part}: {}", definition.code);
    }
    assert!(!definition.code.contains("process.env") && !definition.code.contains("__TEXT__"), "{}", definition.code);
}

#[test]
fn only_modules_with_a_name_change_with_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    write(&root, &[("a.js", "export default __V__"), ("b.js", "export default 1")]);
    let hash = |value: &str, name: &str| {
        let compiler = Compiler::new(&root, None, "/").with_constants(defines(&[("__V__", value)]), None);
        compile(&compiler, &root, name).result.unwrap().hash
    };
    assert_ne!(hash("1", "a.js"), hash("2", "a.js"));
    assert_eq!(hash("1", "b.js"), hash("2", "b.js"));
}

#[test]
fn aliases_dedupe_and_extensions() {
    let folder = tempfile::tempdir().unwrap();
    let outer = folder.path().canonicalize().unwrap();
    let root = outer.join("app");
    write(
        &outer,
        &[
            (
                "app/main.js",
                "import '@/a'; import '@'; import '~x/b'; import 'ui'; import 'ui/deep'; import 'out/o'; import 'lib'; import './c'",
            ),
            ("app/src/a.js", ""),
            ("app/src/index.js", ""),
            ("app/src/x/b.js", ""),
            ("app/c.special", "export {}"),
            ("app/node_modules/preact-ui/index.js", "export {}"),
            ("app/node_modules/preact-ui/deep.js", "export {}"),
            ("app/node_modules/lib/index.js", "export {}"),
            ("linked/o.js", "import 'lib'"),
            ("linked/node_modules/lib/index.js", "export {}"),
        ],
    );
    let prefix = |find: &str, to: String| Alias { find: Find::Prefix(find.to_owned()), replacement: to };
    let settings = ResolveSettings {
        alias: vec![
            prefix("@", root.join("src").display().to_string()),
            Alias { find: Find::Pattern(Pattern::new("^~(.*)$", "").unwrap()), replacement: "/src/$1".into() },
            prefix("ui", "preact-ui".into()),
            prefix("out", outer.join("linked").display().to_string()),
        ],
        extensions: vec![".js".into(), ".special".into()],
        dedupe: vec!["lib".into()],
        ..ResolveSettings::default()
    };
    let compiler = Compiler::new(&root, None, "/").with_resolve(None, &settings);
    let links = |file: &Path, url: &str| -> Vec<String> {
        let compiled = compiler.compile(&ModuleUrl::new(url), &FilePath::new(file), &Source::File);
        let text = |link: &Link| match link {
            Link::Module(url) => url.as_str().replace(outer.to_str().unwrap().trim_start_matches('/'), "<outer>"),
            other => format!("{other:?}"),
        };
        compiled.links.links.iter().map(text).collect()
    };
    assert_eq!(
        links(&root.join("main.js"), "/main.js"),
        [
            "/src/a.js",
            "/src/index.js",
            "/src/x/b.js",
            "/node_modules/preact-ui/index.js",
            "/node_modules/preact-ui/deep.js",
            "/@fs/<outer>/linked/o.js",
            "/node_modules/lib/index.js",
            "/c.special",
        ]
    );
    assert_eq!(links(&outer.join("linked/o.js"), "/@fs/o.js"), ["/node_modules/lib/index.js"]);
}
