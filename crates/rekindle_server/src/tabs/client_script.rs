//! The browser runtime as one script: its TypeScript sources are in the binary and joined at the first start.

use std::sync::OnceLock;

use bytes::Bytes;
use rekindle_compile::script::bundle::{Exports, join_modules};
use rekindle_graph::digest;

use rekindle_config::{Bindings, Config, Html, SocketConfig, Workers};

/// The client's sources, dependencies first.
pub(crate) const SOURCES: &[(&str, &str)] = &include!("../../../../client/sources.rs");

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
    use std::path::Path;

    use super::*;

    #[test]
    fn every_source_of_the_client_is_in_the_list_unless_it_has_only_types() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../client/src");
        let mut folders = vec![folder.clone()];
        while let Some(next) = folders.pop() {
            for path in std::fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/");
                let text = std::fs::read_to_string(&path).unwrap();
                let is_listed = name == "standalone.ts" || SOURCES.iter().any(|(listed, _)| *listed == name);
                let code = join_modules(&[(&name, &text), ("end.ts", "")], Exports::Last).unwrap();
                assert_eq!(is_listed, !code.is_empty(), "{name}");
            }
        }
    }

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
