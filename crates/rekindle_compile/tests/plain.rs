//! Plain modules: what a bundler gets of a source.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its files has failed")]

use std::fs;

use expect_test::{Expect, expect};
use rekindle_compile::compiler::Compiler;
use rekindle_compile::plain::module::PlainModule;
use rekindle_compile::plain::options::PlainOptions;
use rekindle_compile::project::defines::Defines;
use rekindle_compile::source::Source;
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
        Ok(PlainModule::Script { code, .. } | PlainModule::Value(code)) => code,
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
            const hot = undefined, env = { "DEV": false };
            log(typeof undefined, void 0, env, false);
        "#]],
    );
}

#[test]
fn other_names_of_what_is_hot_are_nothing_too() {
    check(
        "main.ts",
        "const { hot, env } = import.meta\nlet { hot: h } = import.meta as any, x = 1\nvar { hot: none = null } = import.meta, { hot: given = make() } = import.meta\n\
         const { env: { DEV = true }, url = 'x' } = import.meta\nif (hot) a()\nif (h) { h.accept(() => h) }\nif (none) c()\nlog({ hot }, given)\n\
         function f() { var own = import.meta.hot; own?.accept() }\nlet later = import.meta.hot\nlater = other()\nif (later) d()",
        expect![[r#"
            const hot = undefined, env = { "DEV": false };
            let h = undefined, x = 1;
            var none = null, given = make();
            const { DEV = true } = { "DEV": false }, url = import.meta.url === void 0 ? "x" : import.meta.url;
            if (void 0) a();
            if (void 0) {
            	(void 0).accept(() => void 0);
            }
            if (null) c();
            log({ hot: void 0 }, given);
            function f() {
            	var own = undefined;
            	(void 0)?.accept();
            }
            let later = undefined;
            later = other();
            if (later) d();
        "#]],
    );
}

#[test]
fn what_is_read_of_lazy_modules_is_seen() {
    check(
        "main.js",
        "export const { a, b: { c }, d = 1 } = await import('./a.js')\n\
         import('./b.js').then(({ e, default: f }) => e(f))\n\
         import('./b.js').then((m) => m.g())\n\
         const lazy = () => import('./b.js').then((m) => ({ default: m.Page }))\n\
         log((await import('./b.js')).h)\n\
         const { ...all } = await import('./b.js'), { [x]: y } = await import('./b.js'), { then } = await import('./b.js')\n\
         import('./b.js').then(async (m) => { await m.init(); m.value })\n\
         import('./b.js').then((m) => m)\n\
         import('./b.js').then((m) => () => m.later)\n\
         import('./b.js').then(function ({ a }) { return arguments })",
        expect![[r#"
            export const { a, b: { c }, d = 1 } = await __rekindle_preload(() => import("./a.js").then(({ a: $0, b: $1, d: $2 }) => ({
            	a: $0,
            	b: $1,
            	d: $2
            })), __REKINDLE_DEPS__);
            __rekindle_preload(() => import("./b.js").then(({ e: $0, default: $1 }) => ({
            	e: $0,
            	default: $1
            })), __REKINDLE_DEPS__).then(({ e, default: f }) => e(f));
            __rekindle_preload(() => import("./b.js").then(({ g: $0 }) => ({ g: $0 })), __REKINDLE_DEPS__).then((m) => m.g());
            const lazy = () => __rekindle_preload(() => import("./b.js").then(({ Page: $0 }) => ({ Page: $0 })), __REKINDLE_DEPS__).then((m) => ({ default: m.Page }));
            log((await __rekindle_preload(() => import("./b.js").then(({ h: $0 }) => ({ h: $0 })), __REKINDLE_DEPS__)).h);
            const { ...all } = await __rekindle_preload(() => import("./b.js"), __REKINDLE_DEPS__), { [x]: y } = await __rekindle_preload(() => import("./b.js"), __REKINDLE_DEPS__), { then } = await __rekindle_preload(() => import("./b.js"), __REKINDLE_DEPS__);
            __rekindle_preload(() => import("./b.js"), __REKINDLE_DEPS__).then(async (m) => {
            	await m.init();
            	m.value;
            });
            __rekindle_preload(() => import("./b.js"), __REKINDLE_DEPS__).then((m) => m);
            __rekindle_preload(() => import("./b.js"), __REKINDLE_DEPS__).then((m) => () => m.later);
            __rekindle_preload(() => import("./b.js"), __REKINDLE_DEPS__).then(function({ a }) {
            	return arguments;
            });
            import { preload as __rekindle_preload } from "/@rekindle/build/runtime.js";
        "#]],
    );
}

#[test]
fn commonjs_has_what_it_has_in_development() {
    check(
        "src/a.cjs",
        "module.exports = [global.x, __dirname, __filename, (global) => global]",
        expect![[r#"
        var global = globalThis;
        var __filename = "/src/a.cjs";
        var __dirname = "/src";
        module.exports = [
        	global.x,
        	__dirname,
        	__filename,
        	(global) => global
        ];
    "#]],
    );
    check(
        "src/b.cjs",
        "'use strict'\nif (typeof window !== 'undefined') return\nexports.a = 1",
        expect![[r#"
        "use strict";
        (() => {
        	if (typeof window !== "undefined") return;
        	exports.a = 1;
        })(module);
    "#]],
    );
    check(
        "node_modules/p/i.js",
        "if (typeof window !== 'undefined') { return }\nlog(1)",
        expect![[r#"
        (() => {
        	if (typeof window !== "undefined") {
        		return;
        	}
        	log(1);
        })(module);
    "#]],
    );
    check(
        "node_modules/p/j.js",
        "exports.f = () => { return globalThis.x }",
        expect!["exports.f = () => { return globalThis.x }"],
    );
    check(
        "src/m.js",
        "export default [import.meta.dirname, import.meta.filename, import.meta.url]",
        expect![[r#"
        export default [
        	"/src",
        	"/src/m.js",
        	import.meta.url
        ];
    "#]],
    );
}

#[test]
fn what_is_not_read_of_large_json_costs_nothing() {
    let source = format!("{{\"a\": 1, \"b\": \"{}\"}}", "x".repeat(10_000));
    let code = plain("data.json", &source).replace(&"x".repeat(10_000), "…");
    expect![[r#"
        const $j = /* @__PURE__ */ JSON.parse("{\"a\": 1, \"b\": \"…\"}");
        const $$0 = /* @__PURE__ */ (() => $j.a)();
        export { $$0 as a };
        const $$1 = /* @__PURE__ */ (() => $j.b)();
        export { $$1 as b };
        export default $j;
    "#]]
    .assert_eq(&code);
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
            }, { "./pages/a.js": () => __rekindle_preload(() => import("/pages/a.js").then((module) => module["name"]), __REKINDLE_DEPS__) });
            new URL(__rekindle_2, import.meta.url);
            new URL("./none.png", import.meta.url);
            new Worker(new URL(__rekindle_3, import.meta.url), { type: "module" });
            export { default as text } from "./note.txt?raw";
            import * as __rekindle_0 from "/pages/a.js";
            import * as __rekindle_1 from "/pages/b.js";
            import __rekindle_2 from "/dot.png?url";
            import __rekindle_3 from "/w.ts?worker&url&module";
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
