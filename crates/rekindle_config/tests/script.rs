//! Configuration files, and what is read of them without running them.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;

use expect_test::{Expect, expect};
use rekindle_compile::project::env::Variables;
use rekindle_config::script::{ConfigEnv, ReadFailure, evaluate};
use rekindle_config::value::{Item, Value, json_text};

/// What a file's default export is, in one line for each key.
fn check(source: &str, expected: Expect) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    fs::write(root.join("package.json"), r#"{ "version": "1.2.3" }"#).unwrap();
    fs::write(root.join(".env"), "VITE_API=http://api.test\nSECRET=x\n").unwrap();
    let file = root.join("vite.config.ts");
    fs::write(&file, source).unwrap();
    let variables = Variables::default();
    let config_env = ConfigEnv { mode: "development", command: "serve", folder: &root, variables: &variables };
    let said = match evaluate(&file, config_env) {
        Ok(config) => {
            let lost = config.lost.iter().map(|(code, place)| format!("\nlost in line {}: {code}", place.line()));
            show(&config.value) + &lost.collect::<String>()
        }
        Err(ReadFailure::Unclear(reason)) => reason,
        Err(ReadFailure::Broken(mistake)) => format!("{} at {}", mistake.message, mistake.location().unwrap()),
    };
    expected.assert_eq(&said.replace(root.to_str().unwrap(), "<root>"));
}

fn show(item: &Item) -> String {
    match &item.value {
        Value::Object(entries) => {
            let lines: Vec<String> = entries.iter().map(|(name, item)| format!("{name}: {}", show(item))).collect();
            format!("{{ {} }}", lines.join(", "))
        }
        Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Call { package, name, args } => {
            format!("{package}.{name}({})", args.iter().map(show).collect::<Vec<_>>().join(", "))
        }
        Value::Unknown => format!("unknown in line {}", item.place.line()),
        Value::Pattern { source, flags } => format!("/{source}/{flags}"),
        Value::FileUrl(path) => format!("file {}", path.display()),
        Value::FileText(path) => format!("text of {}", path.display()),
        Value::Rewriter(steps) => {
            let steps = steps.iter().map(|step| format!("/{}/{} → {:?}", step.pattern, step.flags, step.to));
            steps.collect::<Vec<_>>().join("; ")
        }
        Value::Undefined => "undefined".to_owned(),
        value => json_text(value).unwrap(),
    }
}

#[test]
fn an_object_a_call_around_it_and_a_function_that_gives_it() {
    for source in [
        "export default { base: '/app/' }",
        "import { defineConfig } from 'vite'\nexport default defineConfig({ base: '/app/' })",
        "import { defineConfig } from 'vite'\nexport default defineConfig(() => ({ base: '/app/' }))",
        "import { defineConfig } from 'vite'\nexport default defineConfig(async ({ mode, command }) => { return { base: mode === 'development' && command === 'serve' ? '/app/' : '/' } })",
        "import type { UserConfig } from 'vite'\nconst config = { base: '/app/' } satisfies UserConfig\nexport default config",
        "export default { base: '/app/' } as UserConfig",
        "export default function () { return { base: '/app/' } }",
        "export default ({ command }) => { if (command === 'build') { return {} } else { return { base: '/app/' } } }",
        "const { defineConfig } = require('vite')\nmodule.exports = defineConfig({ base: `/${'app'}/` })",
        "module.exports = { base: '/' + 'app' + '/' }",
    ] {
        check(source, expect![[r#"{ base: "/app/" }"#]]);
    }
}

#[test]
fn paths_are_computed() {
    check(
        "import path, { join } from 'path'
         import { resolve as r } from 'node:path'
         import { fileURLToPath, URL } from 'node:url'
         const here = path.dirname(fileURLToPath(import.meta.url))
         export default { a: path.resolve(__dirname, 'src'), b: join(__dirname, './src/', '..', 'lib'), c: r('src'),
           d: fileURLToPath(new URL('./src', import.meta.url)), e: new URL('./src/', import.meta.url).pathname,
           f: process.cwd(), g: `${here}/x`, h: path.resolve(import.meta.dirname, '../up').length > 3, i: new URL('/x', 'http://a') }",
        expect![[r#"{ a: "<root>/src", b: "<root>/lib", c: "<root>/src", d: "<root>/src", e: "<root>/src/", f: "<root>", g: "<root>/x", h: true, i: unknown in line 7 }"#]],
    );
}

#[test]
fn values_of_the_surroundings() {
    check(
        "import { defineConfig, loadEnv } from 'vite'
         import pkg from './package.json'
         import { readFileSync } from 'fs'
         export default defineConfig(({ mode }) => {
           const env = loadEnv(mode, process.cwd(), '')
           return { define: { V: JSON.stringify(pkg.version), W: JSON.stringify(process.env.npm_package_version), N: JSON.stringify(JSON.parse(readFileSync('./package.json', 'utf-8')).version) },
             api: env.VITE_API, other: process.env.REKINDLE_NOT_THERE ?? 'default', or: process.env.REKINDLE_NOT_THERE || 1, when: Date.now() }
         })",
        expect![[r#"{ define: { V: "\"1.2.3\"", W: "\"1.2.3\"", N: "\"1.2.3\"" }, api: "http://api.test", other: "default", or: 1, when: unknown in line 7 }"#]],
    );
}

#[test]
fn spreads_and_merges() {
    check(
        "import { mergeConfig } from 'vite'
         import other from './other'
         const shared = { server: { port: 1 }, plugins: [a] }
         export default mergeConfig({ ...shared, base: '/' }, { server: { host: true }, plugins: [], ...other })",
        expect![[
            r#"{ server: { port: 1, host: true }, plugins: [unknown in line 3], base: "/", ...: unknown in line 4 }"#
        ]],
    );
}

#[test]
fn plugins_are_calls_of_packages() {
    check(
        "import react from '@vitejs/plugin-react'
         import { VitePWA as pwa } from 'vite-plugin-pwa'
         const isDev = true
         export default { plugins: [react({ jsxImportSource: 'x' }), isDev && pwa(), !isDev && pwa(), [own()], { name: 'inline' }].filter(Boolean) }",
        expect![[r#"{ plugins: [@vitejs/plugin-react.default({ jsxImportSource: "x" }), vite-plugin-pwa.VitePWA(), [unknown in line 4], { name: "inline" }] }"#]],
    );
}

#[test]
fn functions_of_a_text_are_replacements() {
    check(
        r"export default { a: (path) => path.replace(/^\/api/i, ''), b: p => p.replace('/a', '/b').replace(/x/g, 'y'),
            c: function (path) { return '/v1$' + path }, d: (p) => `/v2${p}.json`, e: (p) => p.slice(4), f: (p) => { return p },
            g: (p) => compute(p), h: (a, b) => a }",
        expect![[
            r#"{ a: /^\/api/i → "", b: //a/ → "/b"; /x/g → "y", c: /^/ → "/v1$$", d: /^/ → "/v2"; /$/ → ".json", e: /^[\s\S]{0,4}/ → "", f: , g: unknown in line 3, h: unknown in line 3 }"#
        ]],
    );
}

#[test]
fn what_cannot_be_read_says_so() {
    check("export const a = 1", expect!["it has no default export"]);
    check("export default {", expect!["Expected `}` but found `EOF` at vite.config.ts:1:17"]);
    check("const a = b, b = a\nexport default a", expect!["unknown in line 2"]);
    check("let base = '/a/'\nif (x) base = '/b/'\nexport default { base }", expect!["{ base: unknown in line 3 }"]);
}

#[test]
fn what_is_set_later_counts_in_its_order() {
    check(
        "import legacy from '@vitejs/plugin-legacy'
         import pwa from 'vite-plugin-pwa'
         const more = { C: '3' }
         const config: any = { define: { A: '1' }, plugins: [], server: { port: 1 } }
         const { define } = config
         config.base = '/sub/'
         config.define.A = '2'
         define.B = '2';
         (config as any).server['proxy'] = { '/api': 'http://a' }
         config.server!.proxy['/b'] = 'http://b'
         config.plugins.push(legacy(), ...[pwa()])
         config.plugins.unshift({ name: 'first' })
         Object.assign(config.define, more, { D: '4' })
         more.C = 'too late'
         config.build ??= {}
         config.build.outDir = 'out'
         config.base ||= '/other/'
         config.base += 'x/'
         delete config.server.port
         if (process.env.REKINDLE_NOT_THERE) config.odd = 1
         else { config.even = 2 }
         export default config
         config.last = true",
        expect![[
            r#"{ define: { A: "2", B: "2", C: "3", D: "4" }, plugins: [{ name: "first" }, @vitejs/plugin-legacy.default(), vite-plugin-pwa.default()], server: { proxy: { /api: "http://a", /b: "http://b" } }, base: "/sub/x/", build: { outDir: "out" }, even: 2, last: true }"#
        ]],
    );
    check(
        "export default defineConfig(({ mode }) => {
           const config = { define: {}, plugins: [] }
           let base = '/'
           if (mode === 'development') { config.define.DEV = 'true'; base = '/dev/' }
           if (mode === 'production') { config.define.PROD = 'true' }
           switch (mode) { case 'production': config.a = 1; break; case 'development': config.b = 2; default: config.c = 3; break; case 'x': config.d = 4 }
           for (const name of ['A', 'B']) config.define[`__${name}__`] = JSON.stringify(name)
           for (const [key, value] of Object.entries({ X: 1 })) { if (key === 'Y') continue; config.define[key] = value }
           ;['C'].forEach((name) => { config.define[name] = 'c' })
           addTo(config)
           config.base = base
           return config
         })
         function addTo(target) { target.define.ADDED = 'yes' }
         import { defineConfig } from 'vite'",
        expect![[r#"{ define: { DEV: "true", __A__: "\"A\"", __B__: "\"B\"", X: 1, C: "c", ADDED: "yes" }, plugins: [], b: 2, c: 3, base: "/dev/" }"#]],
    );
    check(
        "module.exports = { a: 1 }\nmodule.exports.b = 2\nprocess.env.PORT_OF_TEST = '3'\nmodule.exports.c = process.env.PORT_OF_TEST",
        expect![[r#"
            { a: 1, b: 2, c: "3" }
            lost in line 3: process.env.PORT_OF_TEST"#]],
    );
}

#[test]
fn what_is_set_in_a_way_that_is_not_known_is_named() {
    check(
        "import { extend } from './extend'
const config = { define: {}, plugins: [], list: [], server: { port: 1 } }
if (compute()) { config.base = '/x/'; config.plugins.push(a()) } else config.other = 1
config.build.outDir = 'out'
config.define[compute()] = '1'
extend(config.server, { open: true })
config.list.splice(0, 1)
for (const key in compute()) { const { define } = config; define.LOOP = key }
while (compute()) config.turn = 1
try { config.tried = 1 } catch { config.caught = 2 } finally { config.last = 3 }
compute().forEach((key) => { config.each = key })
compute().nothing.of.ours()
console.log(config)
const unrelated = {}
extend(unrelated)
config.a.b.c.push(1)
export default config",
        expect![[r#"
            { define: { LOOP: unknown in line 8 }, plugins: [unknown in line 3], list: [], server: { port: 1 }, base: unknown in line 3, other: unknown in line 3, turn: unknown in line 9, tried: unknown in line 10, caught: unknown in line 10, last: 3, each: unknown in line 11 }
            lost in line 4: config.build.outDir
            lost in line 5: config.define[compute()]
            lost in line 6: extend(config.server, { open: true })
            lost in line 7: config.list.splice(0, 1)
            lost in line 12: compute().nothing.of.ours()
            lost in line 16: config.a.b.c.push(1)"#]],
    );
    check(
        "export default () => {
  const config = { define: {} }
  config.base = '/a/'
  if (compute()) return config
  config.base = '/b/'
  return config
}",
        expect!["unknown in line 4"],
    );
    check(
        "const config = { a: 1 }
const walk = (at) => { if (compute()) return; at.b = 2 }
walk(config)
for (const key of ['x', 'y', 'z']) { if (compute()) continue; config[key] = 1 }
config.c = 3
export default { ...config, self: config }",
        expect![
            "{ a: 1, b: unknown in line 2, x: unknown in line 4, y: unknown in line 4, z: unknown in line 4, c: 3, self: { a: 1, b: unknown in line 2, x: unknown in line 4, y: unknown in line 4, z: unknown in line 4, c: 3 } }"
        ],
    );
    check(
        "let count = 0\nconst config = { count }\nconfig.self = config\nfor (let i = 0; i < 3; i++) { count++; config['key' + i] = 1 }\nconfig.late = count\nexport default config",
        expect![[r#"
            { count: 0, self: unknown in line 3, late: unknown in line 5 }
            lost in line 4: config['key' + i]"#]],
    );
}

#[test]
fn what_throws_and_labels_are_no_end_of_the_file() {
    check(
        "const config = { a: 1, b: 1 }
if (!process.env.REKINDLE_NOT_THERE) throw new Error('no')
if (compute()) { throw new Error('no') }
outer: for (const a of [1]) { for (const b of [1]) { if (compute()) continue outer; config.a = 2 } }
config.b = 2
export default config",
        expect!["{ a: unknown in line 4, b: 2 }"],
    );
    check("if (compute()) module.exports = { a: 1 }\nelse module.exports = { a: 2 }", expect!["unknown in line 2"]);
}

#[test]
fn names_are_taken_out_of_what_can_be_read() {
    check(
        r#"import pkg, { version as v } from './package.json'
         import path from 'path'
         const { version } = pkg
         const { version: renamed, author: { name = 'nobody' } = {}, ...others } = pkg
         const { PORT_OF_TEST = '5000', npm_package_version: npm } = process.env
         const { env: { REKINDLE_NOT_THERE: missing = 'default' }, cwd } = process
         const [first, , third = 'third', ...left] = ['a', 'b']
         const { resolve } = path
         const { version: required } = require('./package.json')
         const cfg = defineConfig(({ mode: m = 'x', nothing = 'y' }) => ({ a: JSON.stringify(version), v, renamed, name, others, PORT_OF_TEST, npm, missing, first, third, left, r: resolve('src'), here: cwd(), required, m, nothing }))
         import { defineConfig } from 'vite'
         export { cfg as default }"#,
        expect![[
            r#"{ a: "\"1.2.3\"", v: "1.2.3", renamed: "1.2.3", name: "nobody", others: {  }, PORT_OF_TEST: "5000", npm: "1.2.3", missing: "default", first: "a", third: "third", left: [], r: "<root>/src", here: "<root>", required: "1.2.3", m: "development", nothing: "y" }"#
        ]],
    );
    check("const cfg = { base: '/a/' }\nexport { cfg as default }\ncfg.base = '/b/'", expect![[r#"{ base: "/b/" }"#]]);
    check("function cfg() { return { base: '/a/' } }\nexport { cfg as default }", expect![[r#"{ base: "/a/" }"#]]);
}

#[test]
fn a_file_that_computes_much_ends() {
    let doubled: String = (1..40).map(|at| format!("const a{at} = [...a{0}, ...a{0}]\n", at - 1)).collect();
    let source = "let text = 'x'
let deep = {}
for (const a of Array) for (const b of Array) { text += text; deep = [deep] }
const f = (x) => f([f(x), f(x)])
f(1)
export default { text, deep }";
    let turns = format!("[{}]", "1,".repeat(900));
    let source = format!("const a0 = [1]\n{doubled}{}", source.replace("Array", &turns));
    check(&source, expect!["it computes more than can be followed"]);
}
