//! A module and all it imports as one script that needs nothing around it: for worklets, which can fetch nothing later,
//! and for workers and scripts that are started with the address of a file.
//!
//! ```js
//! (()=>{ …the registry…
//! const{define:$d,run}=standalone("/",{…});
//! $d("/src/gain.ts",…);$d("/src/shared.ts",…);
//! run("/src/gain.ts");})();
//! ```

use std::fmt::Write;
use std::sync::OnceLock;

use rekindle_compile::script::bundle::{Exports, join_modules};
use rekindle_graph::{EnvReads, ModuleId};

use crate::project::modules::Modules;
use crate::project::segments::write_definition;
use crate::tabs::client_script::SOURCES;

/// The last of the client's sources that a script which stands alone needs.
const LAST_SHARED: &str = "core/runtime.ts";
const STANDALONE: (&str, &str) = ("standalone.ts", include_str!("../../../../client/src/standalone.ts"));
/// The last file exports, and a script must not.
const END: (&str, &str) = ("end.ts", "");

/// Whether a file has to be compiled to run as a script.
pub fn is_module(modules: &Modules, id: ModuleId) -> bool {
    let Some(published) = &modules.graph[id].published else { return true };
    let definition = &published.definition;
    let reads_meta = definition.env != EnvReads::None;
    reads_meta || !definition.deps.is_empty() || !definition.exports.is_empty() || !definition.globs.is_empty()
}

/// `needed`: all that running `id` needs.
pub fn script(modules: &Modules, base: &str, id: ModuleId, needed: &[ModuleId]) -> String {
    static RUNTIME: OnceLock<String> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let shared = SOURCES.split_inclusive(|(name, _)| *name == LAST_SHARED).next().unwrap_or_default();
        join_modules(&[shared, &[STANDALONE, END]].concat(), Exports::Last)
            .unwrap_or_else(|errors| unreachable!("our own client does not compile: {errors:?}"))
    });
    let json = |value: &serde_json::Value| value.to_string();
    let (base, env) = (json(&base.into()), json(&serde_json::json!(modules.env.object())));
    let mut script =
        format!("(()=>{{\"use strict\";\n{runtime}\nconst{{define:$d,run:$run}}=standalone({base},{env});\n");
    for &module in needed {
        if let Some(published) = &modules.graph[module].published {
            write_definition(&mut script, modules.graph[module].url.as_str(), published);
            script.push('\n');
        }
    }
    match modules.errors(needed.iter().copied()).iter().next() {
        Some((url, diagnostics)) => {
            let message = diagnostics.first().map(|first| first.message.clone()).unwrap_or_default();
            let _ = writeln!(script, "throw new SyntaxError({});", json(&format!("{url}: {message}").into()));
        }
        None => {
            let _ = writeln!(script, "$run({});", json(&modules.graph[id].url.as_str().into()));
        }
    }
    script.push_str("})();\n");
    script
}
