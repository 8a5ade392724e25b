//! Keys of Vite that no setting stands for, and why.

use crate::value::Value;

/// Keys that are about building, testing, or Vite's own workings.
pub(crate) const NOT_NEEDED: [&str; 34] = [
    "appType",
    "build.commonjsOptions",
    "build.dynamicImportVarsOptions",
    "build.emitAssets",
    "build.license",
    "build.ssrEmitAssets",
    "build.ssrManifest",
    "build.terserOptions",
    "build.write",
    "builder",
    "cacheDir",
    "clearScreen",
    "customLogger",
    "devtools",
    "experimental",
    "future",
    "legacy",
    "logLevel",
    "optimizeDeps",
    "server.hmr.timeout",
    "server.middlewareMode",
    "server.preTransformRequests",
    "server.sourcemapIgnoreList",
    "server.warmup.ssrFiles",
    "server.watch.awaitWriteFinish",
    "server.watch.ignored",
    "ssr",
    "test",
    "css.preprocessorMaxWorkers",
    "server.perEnvironmentStartEndDuringDev",
    "esbuild.drop",
    "esbuild.legalComments",
    "esbuild.logOverride",
    "esbuild.target",
];

/// Keys that do something in Vite and that nothing here stands for.
pub(crate) const UNSUPPORTED: [&str; 5] = [
    "build.rollupOptions.external",
    "build.rolldownOptions.external",
    "build.ssr",
    "build.watch",
    "server.forwardConsole",
];

/// Whether a key asks for what rekindle always does, so that there is nothing to set.
pub(crate) fn is_as_here(path: &str, value: &Value) -> bool {
    match path {
        "esbuild.jsx" | "oxc.jsx.runtime" => value.as_text() == Some("automatic"),
        // Lightning CSS is the other choice in Vite. Style sheets come out the same with either.
        "css.transformer" => value.as_text() == Some("postcss"),
        // Paths of tsconfig.json are always read, and every browser that is built for knows preload links.
        "resolve.tsconfigPaths" | "build.modulePreload.polyfill" => value.as_bool().is_some(),
        _ => false,
    }
}

/// Tables of Vite that hold no setting, but keys of the lists above.
pub(crate) const TABLES: [&str; 4] = ["server.fs", "oxc", "oxc.jsx", "build.modulePreload"];

/// Keys whose work is done here in another way, with that way.
pub(crate) const NO_EFFECT: [(&str, &str); 5] = [
    ("server.fs.allow", "what is imported is served, wherever it lies"),
    ("server.fs.deny", "served is what is imported, pages and `public/`; with serve.mode = \"root\" all but secrets"),
    ("server.fs.strict", "only what is imported is served from outside of the project"),
    ("build.rollupOptions.output", OUTPUT),
    ("build.rolldownOptions.output", OUTPUT),
];
const OUTPUT: &str = "chunks and their names are made here; `build.assets_dir` sets their folder";
