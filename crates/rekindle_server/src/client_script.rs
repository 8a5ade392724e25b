//! The browser runtime as one script: its TypeScript sources are in the binary and joined at the first start.

use std::sync::OnceLock;

use rekindle_compile::bundle::{Exports, join_modules};

use crate::config::{Bindings, Config, Html, SocketConfig, Workers};

/// The client's sources, dependencies first.
const SOURCES: [(&str, &str); 14] = [
    ("registry.ts", include_str!("../../../client/src/registry.ts")),
    ("hot.ts", include_str!("../../../client/src/hot.ts")),
    ("refresh.ts", include_str!("../../../client/src/refresh.ts")),
    ("propagate.ts", include_str!("../../../client/src/propagate.ts")),
    ("apply.ts", include_str!("../../../client/src/apply.ts")),
    ("runtime.ts", include_str!("../../../client/src/runtime.ts")),
    ("overlay.ts", include_str!("../../../client/src/overlay.ts")),
    ("styles.ts", include_str!("../../../client/src/styles.ts")),
    ("rescue.ts", include_str!("../../../client/src/rescue.ts")),
    ("socket.ts", include_str!("../../../client/src/socket.ts")),
    ("workers.ts", include_str!("../../../client/src/workers.ts")),
    ("worker-scope.ts", include_str!("../../../client/src/worker-scope.ts")),
    ("document.ts", include_str!("../../../client/src/document.ts")),
    ("client.ts", include_str!("../../../client/src/client.ts")),
];

/// Everything but the lines that depend on this start. For tests that run the registry outside a browser, `only`
/// names the last file to take in.
pub fn runtime(only: Option<&str>) -> Result<String, String> {
    let last = only.and_then(|only| SOURCES.iter().position(|(name, _)| *name == only)).unwrap_or(SOURCES.len() - 1);
    let exports = if only.is_some() { Exports::All } else { Exports::Last };
    join_modules(&SOURCES[..=last], exports).map_err(|errors| format!("{errors:?}"))
}

/// The script behind `/@rekindle/client`.
pub fn client_script(config: &Config, token: &str) -> String {
    static RUNTIME: OnceLock<String> = OnceLock::new();
    let runtime = RUNTIME
        .get_or_init(|| runtime(None).unwrap_or_else(|error| unreachable!("our own client does not compile: {error}")));
    let bindings = match config.hmr.bindings {
        Bindings::Live => "live",
        Bindings::Frozen => "frozen",
    };
    let workers = match config.hmr.workers {
        Workers::Auto => "auto",
        Workers::Restart => "restart",
        Workers::Reload => "reload",
    };
    let pages = match config.hmr.html {
        Html::Auto => "auto",
        Html::Patch => "patch",
        Html::Reload => "reload",
    };
    let SocketConfig { protocol, host, client_port: port, path } = &config.hmr.socket;
    let socket = serde_json::json!({ "protocol": protocol, "host": host, "port": port, "path": path });
    format!(
        "let token = \"{token}\";\nconst base = {};\nconst socketAt = {socket};\nconst overlayEnabled = {};\n\
         const bindingsMode = \"{bindings}\";\nconst workerPolicy = \"{workers}\";\nconst pagePolicy = \"{pages}\";\n{runtime}",
        serde_json::to_string(&config.base).unwrap_or_default(),
        config.hmr.overlay,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_compiles_and_exports_what_pages_import() {
        let script = client_script(&Config::new("/nowhere"), "abcdefghijklmnop");
        for name in
            ["$d", "boot", "facade", "createHotContext", "injectQuery", "updateStyle", "removeStyle", "ErrorOverlay"]
        {
            assert!(script.contains(name), "{name}");
        }
        assert!(script.starts_with("let token = \"abcdefghijklmnop\""));
    }
}
