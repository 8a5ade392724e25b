//! The browser runtime as one script: its TypeScript sources are in the binary and joined at the first start.

use std::sync::OnceLock;

use bytes::Bytes;
use rekindle_compile::bundle::{Exports, join_modules};
use rekindle_compile::compile::digest;

use crate::config::{Bindings, Config, Html, SocketConfig, Workers};

/// The client's sources, dependencies first.
const SOURCES: [(&str, &str); 18] = [
    ("registry.ts", include_str!("../../../../client/src/registry.ts")),
    ("hot.ts", include_str!("../../../../client/src/hot.ts")),
    ("refresh.ts", include_str!("../../../../client/src/refresh.ts")),
    ("react-refresh.ts", include_str!("../../../../client/src/react-refresh.ts")),
    ("propagate.ts", include_str!("../../../../client/src/propagate.ts")),
    ("imports.ts", include_str!("../../../../client/src/imports.ts")),
    ("apply.ts", include_str!("../../../../client/src/apply.ts")),
    ("stacks.ts", include_str!("../../../../client/src/stacks.ts")),
    ("replica.ts", include_str!("../../../../client/src/replica.ts")),
    ("runtime.ts", include_str!("../../../../client/src/runtime.ts")),
    ("overlay.ts", include_str!("../../../../client/src/overlay.ts")),
    ("styles.ts", include_str!("../../../../client/src/styles.ts")),
    ("rescue.ts", include_str!("../../../../client/src/rescue.ts")),
    ("socket.ts", include_str!("../../../../client/src/socket.ts")),
    ("workers.ts", include_str!("../../../../client/src/workers.ts")),
    ("worker-scope.ts", include_str!("../../../../client/src/worker-scope.ts")),
    ("document.ts", include_str!("../../../../client/src/document.ts")),
    ("client.ts", include_str!("../../../../client/src/client.ts")),
];

/// The runtime without its settings. For tests that run the registry outside a browser, `only`
/// names the last file to take in.
pub fn runtime(only: Option<&str>) -> Result<String, String> {
    let last = only.and_then(|only| SOURCES.iter().position(|(name, _)| *name == only)).unwrap_or(SOURCES.len() - 1);
    let exports = if only.is_some() { Exports::All } else { Exports::Last };
    join_modules(&SOURCES[..=last], exports).map_err(|errors| format!("{errors:?}"))
}

/// The browser runtime: the same at every start, so that browsers keep it compiled.
pub struct Runtime {
    /// Address below `/@rekindle/`: `runtime/1a2b….js`.
    pub address: String,
    pub script: Bytes,
}

impl Runtime {
    /// Joined when it is first asked for.
    pub fn get() -> &'static Self {
        static RUNTIME: OnceLock<Runtime> = OnceLock::new();
        RUNTIME.get_or_init(|| {
            let runtime =
                runtime(None).unwrap_or_else(|error| unreachable!("our own client does not compile: {error}"));
            let script = format!(
                "import{{$settings}}from\"../client\";\nlet{{token}}=$settings();\n\
                 const{{base,socketAt,overlayEnabled,bindingsMode,workerPolicy,pagePolicy}}=$settings();\n{runtime}"
            );
            let address = format!("runtime/{}.js", digest(&[script.as_bytes()]));
            Self { address, script: script.into() }
        })
    }
}

/// The script behind `/@rekindle/client.js`: what differs from start to start, and all that the runtime exports.
///
/// The runtime asks it for the settings, so the two import each other; a function is there before either has run.
pub fn client_script(config: &Config, token: &str) -> String {
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
    let settings = serde_json::json!({
        "base": config.base,
        "socketAt": { "protocol": protocol, "host": host, "port": port, "path": path },
        "overlayEnabled": config.hmr.overlay,
        "bindingsMode": bindings,
        "workerPolicy": workers,
        "pagePolicy": pages,
    });
    let address = &Runtime::get().address;
    format!(
        "export*from\"./{address}\";\n\
         export function $settings(){{const token = \"{token}\";return{{token,...{settings}}}}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_compiles_and_exports_what_pages_import() {
        let script = String::from_utf8_lossy(&Runtime::get().script);
        for name in [
            "$segment",
            "boot",
            "facade",
            "createHotContext",
            "injectQuery",
            "updateStyle",
            "removeStyle",
            "ErrorOverlay",
        ] {
            assert!(script.contains(name), "{name}");
        }
        let client = client_script(&Config::new("/nowhere"), "abcdefghijklmnop");
        assert!(client.contains("const token = \"abcdefghijklmnop\""));
        assert!(client.contains(&Runtime::get().address));
    }
}
