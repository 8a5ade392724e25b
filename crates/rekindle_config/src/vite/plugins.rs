//! Plugins of a configuration of Vite. None runs: the work of some is built in, and what the others would do is missing.

use rekindle_compile::resolve::settings::{Alias, Find};

use crate::config::{Config, Https};
use crate::value::{Item, Value};
use crate::vite::notes::Notes;

/// Plugins whose work is done here without them.
const BUILT_IN: [&str; 8] = [
    "@vitejs/plugin-react",
    "@vitejs/plugin-react-swc",
    "@vitejs/plugin-react-oxc",
    "@preact/preset-vite",
    "@prefresh/vite",
    "@tailwindcss/vite",
    "@vitejs/plugin-basic-ssl",
    "vite-tsconfig-paths",
];

/// Takes note of plugins, and does for those that are built in what they would set.
pub(crate) fn take(config: &mut Config, notes: &mut Notes, plugins: &[Item]) {
    for item in plugins {
        match &item.value {
            Value::List(inner) => take(config, notes, inner),
            Value::Undefined | Value::Null | Value::Bool(_) => {}
            Value::Call { package, args, .. } if BUILT_IN.contains(&package.as_str()) => {
                notes.built_in.push(package.clone());
                set_options(config, notes, package, args);
            }
            Value::Call { package, .. } => {
                notes.unsupported.push(package.clone());
                config.missing_plugins.push(package.clone());
            }
            value => {
                let name = value.property("name").and_then(Value::as_text).unwrap_or("a plugin");
                notes.unsupported.push(format!("{name} (line {})", item.place.line()));
            }
        }
    }
}

fn set_options(config: &mut Config, notes: &mut Notes, package: &str, args: &[Item]) {
    let options = match args.first() {
        Some(Item { value: Value::Object(entries), .. }) => entries.as_slice(),
        _ => &[],
    };
    let short = package.rsplit('/').next().unwrap_or(package);
    let option = |wanted: &str| options.iter().find(|(name, _)| name == wanted).map(|(_, item)| &item.value);
    match package {
        "@preact/preset-vite" => {
            config.jsx_import_source.get_or_insert_with(|| "preact".to_owned());
            if option("reactAliasesEnabled") != Some(&Value::Bool(false)) {
                config.resolve.alias.extend(preact_aliases());
            }
        }
        "@vitejs/plugin-basic-ssl" => {
            config.server.https.get_or_insert(Https::Generated);
        }
        _ => {}
    }
    for (name, item) in options {
        let is_taken = match (package, name.as_str(), &item.value) {
            (_, "jsxImportSource", Value::Text(source)) if package.starts_with("@vitejs/plugin-react") => {
                config.jsx_import_source = Some(source.clone());
                true
            }
            ("@preact/preset-vite", "reactAliasesEnabled" | "prefreshEnabled" | "devToolsEnabled", _) => true,
            (_, "jsxRuntime", Value::Text(runtime)) => runtime == "automatic",
            // Paths are read from every tsconfig.json there is.
            ("vite-tsconfig-paths" | "@vitejs/plugin-basic-ssl" | "@tailwindcss/vite", ..) => true,
            _ => false,
        };
        if !is_taken {
            notes.miss(&format!("{short} {name}"), item.place);
        }
    }
}

/// What Preact's preset sets: packages written for React get Preact.
fn preact_aliases() -> impl Iterator<Item = Alias> {
    let pairs = [
        ("react-dom/test-utils", "preact/test-utils"),
        ("react-dom", "preact/compat"),
        ("react/jsx-runtime", "preact/jsx-runtime"),
        ("react/jsx-dev-runtime", "preact/jsx-dev-runtime"),
        ("react", "preact/compat"),
    ];
    pairs
        .into_iter()
        .map(|(find, replacement)| Alias { find: Find::Prefix(find.to_owned()), replacement: replacement.to_owned() })
}
