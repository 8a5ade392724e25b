//! Plain modules: what a bundler gets of a source.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its files has failed")]

use std::fs;

use expect_test::{Expect, expect};
use rekindle_compile::compile::{Compiler, Source};
use rekindle_compile::defines::Defines;
use rekindle_compile::plain::{Plain, PlainOptions};
use rekindle_graph::{FilePath, ModuleUrl};

const FILES: [(&str, &str); 6] = [
    ("pages/a.js", ""),
    ("pages/b.js", ""),
    ("dot.png", "png"),
    ("w.ts", ""),
    ("data.json", "{ \"name\": \"demo\", \"two words\": [1.5] }"),
    ("note.txt", "a \"note\""),
];

/// The plain module of `main` in a project with [`FILES`]; mistakes as text.
fn plain(main: &str, source: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let path = main.split('?').next().unwrap();
    for (name, text) in FILES.into_iter().chain((!source.is_empty()).then_some((path, source))) {
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::write(root.join(name), text).unwrap();
    }
    let defines =
        [("import.meta.hot", "undefined"), ("import.meta.env.DEV", "false"), ("import.meta.env", "{\"DEV\":false}")];
    let defines: Vec<_> = defines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let compiler = Compiler::new(&root, None, "/").with_constants(Defines::new(&defines), None).for_production();
    let url = ModuleUrl::new(format!("/{main}"));
    let file = FilePath::new(root.join(path));
    match compiler.plain(&url, &file, &Source::File, PlainOptions::default(), &mut Vec::new()) {
        Ok(Plain::Script { code, .. } | Plain::Value(code)) => code,
        Ok(other) => format!("{other:?}"),
        Err(problems) => {
            problems.iter().map(|it| format!("{} {}\n", it.location().unwrap_or_default(), it.message)).collect()
        }
    }
}

fn check(main: &str, source: &str, expected: Expect) {
    expected.assert_eq(&plain(main, source));
}

#[test]
fn types_and_jsx_go_and_jsx_is_that_of_production() {
    check(
        "main.tsx",
        "const a: string = 'x'\nexport default () => <p title={a}>{a}</p>",
        expect![[r#"
        import { jsx as _jsx } from "react/jsx-runtime";
        const a = "x";
        export default () => /* @__PURE__ */ _jsx("p", {
        	title: a,
        	children: a
        });
    "#]],
    );
}

#[test]
fn what_is_hot_is_undefined_in_every_spelling() {
    let source = "if (import.meta.hot) a()\nimport.meta['hot']?.on()\n;(import.meta as any).hot\nconst { hot, env } = import.meta\nlog(typeof import.meta.hot, hot, env, import.meta.env.DEV)";
    check(
        "main.ts",
        source,
        expect![[r#"
            if (undefined) a();
            undefined?.on();
            undefined;
            const { hot, env } = {
            	"hot": undefined,
            	"env": { "DEV": false }
            };
            log(typeof undefined, hot, env, false);
        "#]],
    );
}

#[test]
fn calls_that_mean_something_become_imports() {
    let source = "\
import('./pages/a.js')
import(`./pages/${x}.js`)
log(import.meta.glob('./pages/*.js', { eager: true }), import.meta.glob('./pages/a.js', { import: 'name' }))
new URL('./dot.png', import.meta.url)
new URL('./none.png', import.meta.url)
new Worker(new URL('./w.ts', import.meta.url), { type: 'module' })
export { default as text } from './note.txt' with { type: 'text' }";
    check(
        "main.js",
        source,
        expect![[r#"
            __rekindle_preload(() => import("./pages/a.js"), __REKINDLE_DEPS__);
            __rekindle_importGlob({
            	"./pages/a.js": () => __rekindle_preload(() => import("/pages/a.js"), __REKINDLE_DEPS__),
            	"./pages/b.js": () => __rekindle_preload(() => import("/pages/b.js"), __REKINDLE_DEPS__)
            }, `./pages/${x}.js`);
            log({
            	"./pages/a.js": __rekindle_0,
            	"./pages/b.js": __rekindle_1
            }, { "./pages/a.js": () => __rekindle_preload(() => import("/pages/a.js"), __REKINDLE_DEPS__).then((module) => module["name"]) });
            new URL(__rekindle_2, import.meta.url);
            new URL("./none.png", import.meta.url);
            new Worker(new URL(__rekindle_3, import.meta.url), { type: "module" });
            export { default as text } from "./note.txt?raw";
            import * as __rekindle_0 from "/pages/a.js";
            import * as __rekindle_1 from "/pages/b.js";
            import __rekindle_2 from "/dot.png?url";
            import __rekindle_3 from "./w.ts?worker&url&module";
            import { preload as __rekindle_preload, importGlob as __rekindle_importGlob } from "/@rekindle/build/runtime.js";
        "#]],
    );
}

#[test]
fn other_kinds_are_values() {
    check(
        "data.json",
        "",
        expect![[r#"
            const $$0 = "demo";
            export { $$0 as name };
            export default { "name": $$0, "two words": [1.5] };
        "#]],
    );
    check("note.txt?raw", "", expect![[r#"export default "a \"note\"";"#]]);
    check("dot.png", "", expect!["Asset(Small)"]);
    check("dot.png?no-inline", "", expect!["Asset(Never)"]);
    check("w.ts?worker&inline", "", expect![[r#"Worker { class: "Worker", address: false, inline: true }"#]]);
}

#[test]
fn mistakes_are_those_of_development() {
    check(
        "main.ts",
        "const v = = 1",
        expect![[r#"
        main.ts:1:11 Unexpected token
    "#]],
    );
    check(
        "main.js",
        "import.meta.glob(x)",
        expect![[r#"
        main.js:1:18 import.meta.glob() takes a string literal or an array of string literals
    "#]],
    );
    check(
        "broken.json",
        "{ a }",
        expect![[r#"
        broken.json:1:3 broken.json is not valid JSON: key must be a string
    "#]],
    );
}
