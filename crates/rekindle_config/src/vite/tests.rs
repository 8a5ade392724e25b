//! Settings that are read from a `vite.config`.

use std::fs;

use expect_test::{Expect, expect};
use rekindle_compile::project::env::Variables;
use tempfile::TempDir;

use super::*;
use crate::proxy::ProxyRule;

/// The block for the terminal, and the settings behind a line.
fn check(source: &str, show: impl Fn(&Config) -> String, expected: Expect) {
    let folder = TempDir::new().unwrap();
    let root = folder.path().canonicalize().unwrap();
    fs::create_dir(root.join("client")).unwrap();
    let path = root.join("vite.config.ts");
    fs::write(&path, source).unwrap();
    let mut config = Config::new(&root);
    let variables = Variables::default();
    let config_env = ConfigEnv { mode: "development", command: "serve", folder: &root, variables: &variables };
    let block = match read(&path, config_env) {
        Ok(vite) => apply(&vite, &mut config),
        Err(mistake) => {
            return expected.assert_eq(&format!("error: {}\n{}\n", mistake.message, mistake.location().unwrap()));
        }
    };
    let rows: String = block.rows.iter().map(|(label, row)| format!("{label}: {row}\n")).collect();
    expected.assert_eq(&format!("{rows}{}", show(&config)).replace(root.to_str().unwrap(), "<root>"));
}

#[test]
fn a_usual_configuration() {
    check(
        "import { defineConfig } from 'vite'
import react from '@vitejs/plugin-react'
import { VitePWA } from 'vite-plugin-pwa'
import path from 'path'
export default defineConfig({
  base: './app',
  plugins: [react({ babel: {}, jsxImportSource: '@emotion/react' }), VitePWA(), mine()],
  resolve: { alias: { '@': path.resolve(__dirname, './src'), lib: './lib' }, dedupe: ['react'] },
  define: { __V__: JSON.stringify('1'), __T__: Date.now(), on: true },
  server: { port: 3000, strictPort: true, host: true, open: '/x', allowedHosts: true, fs: { strict: false }, hmr: { overlay: false } },
  css: { devSourcemap: true },
  build: { outDir: 'out' },
  test: {},
})",
        |config| {
            format!(
                "{} {:?} {} {:?} {:?} {:?} {:?}",
                config.base,
                config.server.host,
                config.server.port,
                config.jsx_import_source,
                config.define,
                config.resolve.alias,
                config.hmr.overlay
            )
        },
        expect![[r#"
            taken: base, resolve.alias, resolve.dedupe, define, server.port, server.strictPort, server.host, server.open, server.hmr.overlay, css.devSourcemap, build.outDir
            built in: @vitejs/plugin-react
            not supported yet: vite-plugin-pwa, a plugin (line 7)
            not understood: plugin-react babel (line 7), define.__T__ (line 9), server.allowedHosts (line 10)
            not needed: test
            no effect here: server.fs.strict (only what is imported is served from outside of the project)
            for rekindle.toml: server.allowed_hosts
            /app/ Some("0.0.0.0") 3000 Some("@emotion/react") [("__V__", "\"1\""), ("on", "true")] [Alias { find: Prefix("@"), replacement: "<root>/src" }, Alias { find: Prefix("lib"), replacement: "<root>/lib" }] false"#]],
    );
}

#[test]
fn the_preview_is_as_the_server_where_it_says_nothing() {
    check(
        "export default {
  preview: { port: 4200, host: '127.0.0.1', headers: { 'X-A': 'b' }, odd: 1, proxy: { '/api': 'http://localhost:1' } },
  build: { outDir: 'client', minify: true, target: 'es2022' },
  server: { port: 3000, strictPort: true, host: true },
}",
        |config| {
            let preview = config.preview_server();
            format!(
                "{} {:?} {} {:?} {} {:?}",
                preview.port,
                preview.host,
                preview.strict_port,
                preview.headers,
                preview.proxy.len(),
                config.build.out_dir
            )
        },
        expect![[r#"
            taken: preview.port, preview.host, preview.headers, preview.proxy, build.outDir, build.minify, build.target, server.port, server.strictPort, server.host
            not understood: preview.odd (line 2)
            4200 Some("127.0.0.1") true [("x-a", "b")] 1 "<root>/client""#]],
    );
}

#[test]
fn styles_assets_and_numbers_of_the_environment() {
    check(
        "export default ({ mode }) => ({
  css: {
    modules: { localsConvention: 'camelCaseOnly', generateScopedName: (name) => name, hashPrefix: 'x' },
    preprocessorOptions: { scss: { additionalData: '$c: red;', loadPaths: ['client'], api: 'modern', importers: [own()] }, less: { math: 'always' } },
    postcss: { plugins: [auto()] },
  },
  assetsInclude: ['**/*.gltf'],
  build: { assetsInlineLimit: 0 },
  server: { port: Number(process.env.REKINDLE_NOT_THERE) || parseInt('4599px') },
})",
        |config| {
            format!(
                "{:?}\n{:?}\n{:?}\n{:?} {} {}",
                config.css.modules,
                config.css.preprocessor_options,
                config.css.postcss,
                config.assets_include,
                config.build.assets_inline_limit,
                config.server.port
            )
        },
        expect![[r#"
            taken: css.modules, css.preprocessorOptions, assetsInclude, build.assetsInlineLimit, server.port
            not understood: css.modules.generateScopedName (line 3), css.preprocessorOptions.scss.importers (line 4), css.postcss.plugins (line 5)
            for rekindle.toml: css.modules.generate_scoped_name
            for postcss.config.js: css.postcss.plugins
            ModulesSettings { locals_convention: CamelCaseOnly, generate_scoped_name: None, hash_prefix: "x", scope_behaviour: Local }
            {"less": PreprocessorOptions { additional_data: "", load_paths: [], others: {"math": String("always")} }, "scss": PreprocessorOptions { additional_data: "$c: red;", load_paths: ["<root>/client"], others: {} }}
            Search
            ["**/*.gltf"] 0 4599"#]],
    );
}

#[test]
fn rules_of_the_proxy() {
    check(
        r"const api = 'http://localhost:4000'
export default { server: { proxy: {
  '/plain': api,
  '/api': { target: api, changeOrigin: true, rewrite: (path) => path.replace(/^\/api/, '') , configure: (proxy) => {} },
  '^/v\\d': { target: { host: 'localhost', port: 5000 }, ws: true, secure: false },
  '/live': 'ws://localhost:6000',
  '/odd': { target: api, rewrite: compute },
  '/skip': { target: api, bypass: (req) => req.url },
  '/env': process.env.REKINDLE_NOT_THERE,
} } }",
        |config| {
            let line = |rule: &ProxyRule| {
                format!(
                    "{} → {} {:?} {} {} {}",
                    rule.key, rule.target, rule.rewrite, rule.change_origin, rule.ws, rule.secure
                )
            };
            config.server.proxy.iter().map(line).collect::<Vec<_>>().join("\n")
        },
        expect![[r#"
            taken: server.proxy
            not understood: server.proxy /api configure (line 4), server.proxy /odd (line 7), server.proxy /skip (line 8), server.proxy /env (line 9)
            for rekindle.toml: server.proxy
            /plain → http://localhost:4000 [] false false true
            /api → http://localhost:4000 [Rewrite { from: /^\/api/, to: "" }] true false true
            ^/v\d → http://localhost:5000 [] false true false
            /live → http://localhost:6000 [] false true true"#]],
    );
}

#[test]
fn what_is_compiled_at_the_start() {
    check(
        "export default { server: { warmup: { clientFiles: ['./src/chart.ts'], ssrFiles: [] } } }",
        |config| format!("{:?}", config.server.warmup),
        expect![[r#"
            taken: server.warmup.clientFiles
            not needed: server.warmup.ssrFiles
            ["./src/chart.ts"]"#]],
    );
}

#[test]
fn the_root_comes_first_and_takes_its_folders_along() {
    check(
        "export default { publicDir: 'static', root: 'client', envDir: '..', envPrefix: ['APP_', 'VITE_'] }",
        |config| format!("{:?} {:?} {:?} {:?}", config.root, config.public_dir, config.env_dir, config.env_prefix),
        expect![[r#"
            taken: root, publicDir, envDir, envPrefix
            "<root>/client" Some("<root>/client/static") "<root>" ["APP_", "VITE_"]"#]],
    );
}

#[test]
fn preact_brings_its_aliases() {
    check(
        "import preact from '@preact/preset-vite'\nexport default { plugins: [preact()], resolve: { alias: [{ find: /^~(.*)/, replacement: '/src/$1' }] } }",
        |config| format!("{:?} {}", config.jsx_import_source, config.resolve.alias.len()),
        expect![[r#"
            taken: resolve.alias
            built in: @preact/preset-vite
            Some("preact") 6"#]],
    );
}

#[test]
fn https_cors_and_headers() {
    check(
        "import fs from 'node:fs'
export default { server: { https: { key: fs.readFileSync('./key.pem'), cert: fs.readFileSync('cert.pem') },
  cors: { origin: [/^https?:\\/\\/(.+\\.)?example\\.test$/, 'http://a.test'], credentials: true },
  headers: { 'Cross-Origin-Opener-Policy': 'same-origin' } } }",
        |config| format!("{:?}\n{:?}\n{:?}", config.server.https, config.server.cors, config.server.headers),
        expect![[r#"
            taken: server.https, server.cors, server.headers
            Some(Files { key: "<root>/key.pem", cert: "<root>/cert.pem" })
            Cors { origin: Listed([Pattern(/^https?:\/\/(.+\.)?example\.test$/), Exact("http://a.test")]), methods: [], allowed_headers: [], exposed_headers: [], credentials: true, max_age: None }
            [("cross-origin-opener-policy", "same-origin")]"#]],
    );
    check(
        "export default { server: { headers: { 'Access-Control-Allow-Origin': '*' }, cors: true, https: true } }",
        |config| format!("{:?} {:?}", config.server.https, config.server.cors.origin),
        expect![[r#"
            taken: server.cors, server.https
            not understood: server.headers (line 1)
            for rekindle.toml: server.headers
            Some(Generated) Any"#]],
    );
}

#[test]
fn what_cannot_be_understood_is_one_line_and_a_mistake_is_an_error() {
    check(
        "export default compute()",
        |_| String::new(),
        expect![[r#"
        not understood: its default export (line 1)
    "#]],
    );
    check(
        "export default {",
        |_| String::new(),
        expect![[r#"
            error: Expected `}` but found `EOF`
            vite.config.ts:1:17
        "#]],
    );
}

#[test]
fn what_is_set_after_the_object_was_made_counts_or_is_named() {
    check(
        "import legacy from '@vitejs/plugin-legacy'
import react from '@vitejs/plugin-react'
const config = { define: {}, plugins: [react()], server: {} }
config.base = '/sub/'
config.define.__A__ = '1'
config.server.proxy = { '/api': 'http://localhost:4000' }
config.plugins.push(legacy())
Object.assign(config.define, { __B__: '2' })
config.resolve.alias = { '@': '/src' }
if (compute()) config.server.port = 1
if (compute()) { config.define.__C__ = '3' } else config.plugins.push(own())
export default config",
        |config| format!("{} {} {:?} {}", config.base, config.server.port, config.define, config.server.proxy.len()),
        expect![[r#"
            taken: define, server.proxy, base
            built in: @vitejs/plugin-react
            not supported yet: @vitejs/plugin-legacy, a plugin (line 11)
            not understood: define.__C__ (line 11), server.port (line 10), config.resolve.alias (line 9)
            for rekindle.toml: server.port
            /sub/ 5173 [("__A__", "1"), ("__B__", "2")] 1"#]],
    );
}

#[test]
fn plugins_of_postcss_are_for_a_file_of_its_own() {
    check(
        "import tailwindcss from 'tailwindcss'
import autoprefixer from 'autoprefixer'
export default { css: { postcss: { plugins: [tailwindcss(), autoprefixer({ grid: true })] } } }",
        |config| format!("{:?}", config.css.postcss),
        expect![[r#"
            not understood: css.postcss.plugins (line 3)
            for postcss.config.js: css.postcss.plugins (tailwindcss, autoprefixer)
            Search"#]],
    );
}

#[test]
fn what_is_said_of_the_browser_alone_lists_that_vite_exports_and_keys_without_effect() {
    check(
        "import { defaultClientConditions } from 'vite'
import * as vite from 'vite'
export default {
  environments: {
    client: { define: { __A__: '2' }, resolve: { conditions: [...defaultClientConditions, 'custom'] }, dev: {} },
    ssr: {},
  },
  define: { __A__: '1' },
  resolve: { conditions: ['none'], mainFields: [...vite.defaultClientMainFields, 'own'] },
  server: { forwardConsole: true, fs: { allow: ['..'], deny: ['x'] } },
  build: { rollupOptions: { external: ['a'], output: { manualChunks: {}, entryFileNames: '[name].js' } } },
}",
        |config| format!("{:?} {:?} {:?}", config.define, config.resolve.conditions, config.resolve.main_fields),
        expect![[r#"
            taken: define, resolve.conditions, resolve.mainFields
            not supported yet: server.forwardConsole, build.rollupOptions.external
            not needed: environments.client.dev, environments.ssr
            no effect here: server.fs.allow (what is imported is served, wherever it lies), server.fs.deny (served is what is imported, pages and `public/`; with serve.mode = "root" all but secrets), build.rollupOptions.output.manualChunks, build.rollupOptions.output.entryFileNames (chunks and their names are made here; `build.assets_dir` sets their folder)
            [("__A__", "2")] ["module", "browser", "development|production", "custom"] ["browser", "module", "jsnext:main", "jsnext", "own"]"#]],
    );
}
