//! Configuration files, and what is read of them without running them.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;

use expect_test::{Expect, expect};
use rekindle_compile::static_config::{Item, Situation, Value, evaluate, json_text};

/// What a file's default export is, in one line for each key.
fn check(source: &str, expected: Expect) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    fs::write(root.join("package.json"), r#"{ "version": "1.2.3" }"#).unwrap();
    fs::write(root.join(".env"), "VITE_API=http://api.test\nSECRET=x\n").unwrap();
    let file = root.join("vite.config.ts");
    fs::write(&file, source).unwrap();
    let said = match evaluate(&file, Situation { mode: "development", command: "serve", folder: &root }) {
        Ok(config) => show(&config.value),
        Err(reason) => reason,
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
        Value::Unknown => format!("unknown in line {}", item.line),
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
        expect![[r#"{ a: "<root>/src", b: "<root>/lib", c: "<root>/src", d: "<root>/src", e: "<root>/src/", f: "<root>", g: "<root>/x", h: unknown in line 7, i: unknown in line 7 }"#]],
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
    check("export default {", expect!["it cannot be parsed: Expected `}` but found `EOF`"]);
    check("const a = b, b = a\nexport default a", expect!["unknown in line 2"]);
    check("let base = '/a/'\nif (x) base = '/b/'\nexport default { base }", expect!["{ base: unknown in line 3 }"]);
}
