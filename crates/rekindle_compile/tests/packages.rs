//! What specifiers of packages mean: files in, links out.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use rekindle_compile::compiler::Compiler;
use rekindle_compile::source::Source;
use rekindle_graph::{FilePath, Link, ModuleUrl};
use tempfile::TempDir;

/// Compiles the file `name` of a project with `files`; lists what each of its specifiers means.
fn check(files: &[(&str, &str)], name: &str, expected: &[&str]) {
    check_as(files, name, expected);
}

/// The same for a module with a query.
fn check_as(files: &[(&str, &str)], url: &str, expected: &[&str]) {
    let asked = url;
    let name = url.split('?').next().unwrap_or_default();
    let folder = TempDir::new().unwrap();
    let root = folder.path().canonicalize().unwrap();
    for (name, text) in files {
        let path = root.join(*name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let compiler = Compiler::new(&root, None, "/");
    let compiled =
        compiler.compile(&ModuleUrl::new(format!("/{asked}")), &FilePath::new(root.join(name)), &Source::File);
    let links: Vec<String> = compiled.links.links.iter().map(shown).collect();
    assert_eq!(links, expected);
}

fn shown(link: &Link) -> String {
    match link {
        Link::Module(url) => url.to_string(),
        Link::Address(address) => format!("address {address}"),
        Link::Picked(picked) => {
            let picked: Vec<String> =
                picked.iter().map(|(name, url, there)| format!("{name} = {there} of {url}")).collect();
            picked.join(", ")
        }
        Link::Missing => "nothing".into(),
    }
}

#[test]
fn conditions_follow_the_way_of_asking() {
    let exports = r#"{ "exports": { ".": { "node": "./n.js", "require": "./r.js", "import": "./i.js" }, "./both": { "module": "./m.js", "require": "./r.js" } } }"#;
    let package = [
        ("node_modules/p/package.json", exports),
        ("node_modules/p/i.js", "export {}"),
        ("node_modules/p/r.js", ""),
        ("node_modules/p/m.js", "export {}"),
    ];
    let asks = |name, text| package.iter().copied().chain([(name, text)]).collect::<Vec<_>>();
    check(
        &asks("a.js", "import 'p'; import 'p/both'; import('p')"),
        "a.js",
        &["/node_modules/p/i.js", "/node_modules/p/m.js"],
    );
    check(
        &asks("a.cjs", "require('p'); require('p/both'); import('p')"),
        "a.cjs",
        &["/node_modules/p/i.js", "/node_modules/p/r.js", "/node_modules/p/m.js"],
    );
}

#[test]
fn a_module_of_node_is_an_empty_one_unless_a_package_of_its_name_is_installed() {
    check(
        &[
            ("a.js", "import 'fs'; import 'node:path'; import 'events'; import 'fs/promises'"),
            ("node_modules/events/package.json", "{}"),
            ("node_modules/events/index.js", ""),
        ],
        "a.js",
        &[
            "/@rekindle/helpers/node.cjs?id=fs&by=%2Fa%2Ejs",
            "/@rekindle/helpers/node.cjs?id=path&by=%2Fa%2Ejs",
            "/node_modules/events/index.js",
            "/@rekindle/helpers/node.cjs?id=fs%2Fpromises&by=%2Fa%2Ejs",
        ],
    );
}

#[test]
fn browser_fields_replace_files_and_modules_of_node() {
    check(
        &[
            (
                "node_modules/p/package.json",
                r#"{ "browser": { "./disk.js": "./memory.js", "fs": "./fs.js", "net": false, "heavy": "light" } }"#,
            ),
            ("node_modules/p/index.js", "require('./disk'); require('fs'); require('net'); require('heavy')"),
            ("node_modules/p/disk.js", ""),
            ("node_modules/p/memory.js", ""),
            ("node_modules/p/fs.js", ""),
            ("node_modules/light/index.js", ""),
        ],
        "node_modules/p/index.js",
        &[
            "/node_modules/p/memory.js",
            "/node_modules/p/fs.js",
            "/@rekindle/helpers/empty.js",
            "/node_modules/light/index.js",
        ],
    );
}

#[test]
fn directories_extensions_and_typescript_behind_js() {
    check(
        &[
            ("main.ts", "import './lib'; import './x.js'; import './y.jsx'; import 'p/deep'; import '#own'"),
            ("package.json", r##"{ "imports": { "#own": "./own.ts" } }"##),
            ("lib/index.tsx", "export {}"),
            ("x.ts", "export {}"),
            ("y.tsx", "export {}"),
            ("own.ts", "export {}"),
            ("node_modules/p/deep/package.json", r#"{ "main": "./m.cjs", "module": "./m.mjs" }"#),
            ("node_modules/p/deep/m.mjs", "export {}"),
        ],
        "main.ts",
        &["/lib/index.tsx", "/x.ts", "/y.tsx", "/node_modules/p/deep/m.mjs", "/own.ts"],
    );
}

#[test]
fn names_of_a_barrel_are_picked_unless_the_whole_is_wanted() {
    let package = [
        ("node_modules/ui/package.json", r#"{ "name": "ui", "sideEffects": false }"#),
        ("node_modules/ui/index.js", "export { default as A } from './a.js'; export * from './b.js'"),
        ("node_modules/ui/a.js", "export default 1"),
        ("node_modules/ui/b.js", "export const b = 2"),
    ];
    let asks = |text| package.iter().copied().chain([("main.js", text)]).collect::<Vec<_>>();
    check(
        &asks("import { A, b as c } from 'ui'"),
        "main.js",
        &["A = default of /node_modules/ui/a.js, b = b of /node_modules/ui/b.js"],
    );
    let whole = &["/node_modules/ui/index.js"];
    check(&asks("import { A } from 'ui'; import * as all from 'ui'; all"), "main.js", whole);
    check(&asks("import { A } from 'ui'; export * from 'ui'"), "main.js", whole);
    check(&asks("import { A } from 'ui'; import('ui')"), "main.js", whole);
    check(&asks("import { A } from 'ui'; import.meta.hot.accept('ui')"), "main.js", whole);
    check(&asks("import { Missing } from 'ui'"), "main.js", whole);
    check(&asks("import 'ui'"), "main.js", whole);
}

#[test]
fn an_address_may_name_a_file_of_a_package_and_the_client_has_vites_name() {
    check(
        &[
            (
                "main.js",
                "new URL('p/w.mjs', import.meta.url); new URL('own.mjs', import.meta.url); new URL('p/none.mjs', import.meta.url); import '/@vite/client'",
            ),
            ("own.mjs", ""),
            ("node_modules/p/package.json", "{}"),
            ("node_modules/p/w.mjs", ""),
            ("node_modules/own.mjs/index.js", ""),
        ],
        "main.js",
        &["address /@vite/client", "address /node_modules/p/w.mjs", "address /own.mjs", "nothing"],
    );
}

#[test]
fn a_small_svg_that_is_imported_or_shown_by_a_style_is_an_address_with_its_content() {
    let files = [
        ("main.js", "new URL('./a.svg', import.meta.url); import './b.svg'"),
        ("b.svg", "<svg/>"),
        (
            "a.css",
            "a { background: url(./a.svg), url(./a.svg#part), url(./a.svg?no-inline), url(./a.png), url(./a.png?inline) }",
        ),
        ("a.svg", "<svg/>"),
        ("a.png", "x"),
        ("big.svg", &*Box::leak(format!("<svg>{}</svg>", " ".repeat(5000)).into_boxed_str())),
    ];
    check(&files, "main.js", &["/b.svg", "address /a.svg"]);
    let inlined = "address data:image/svg+xml,%3csvg/%3e";
    check(
        &files,
        "a.css",
        &[inlined, "address /a.svg", "address /a.svg", "address /a.png", "address data:image/png;base64,eA=="],
    );
    for (url, expected) in [
        ("a.svg", inlined),
        ("a.svg?url", inlined),
        ("a.svg?no-inline", "address /a.svg"),
        ("big.svg", "address /big.svg"),
        ("a.png", "address /a.png"),
    ] {
        check_as(&files, url, &[expected]);
    }
}
