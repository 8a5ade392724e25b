//! `[css]`.

use rekindle_compile::style::settings::{LocalsConvention, PostcssSetting, ScopeBehaviour};

use crate::key::{DefaultValue, KEY, Key, Type};
use crate::parts::preprocessors;

pub(super) static KEYS: &[Key] = &[
    Key {
        toml: "css.dev_sourcemap",
        vite: &["css.devSourcemap"],
        doc: "Source maps in the sheets of the development server",
        default: DefaultValue::Toml("false"),
        holds: Type::Switch(|config, is_on| config.css.dev_sourcemap = is_on),
        ..KEY
    },
    Key {
        toml: "css.postcss",
        vite: &["css.postcss"],
        vite_type: "string | { [option: string]: any }",
        doc: "Folder of the PostCSS configuration; `false`: none is used",
        default: DefaultValue::Described("looked for, up to the workspace's folder"),
        holds: Type::FolderOrNone {
            wanted: "the folder of its configuration, or false for none",
            set: |config, folder| config.css.postcss = folder.map_or(PostcssSetting::Off, PostcssSetting::Folder),
        },
        ..KEY
    },
    Key {
        toml: "css.modules.locals_convention",
        vite: &["css.modules.localsConvention"],
        vite_type: "'camelCase' | 'camelCaseOnly' | 'dashes' | 'dashesOnly' | ((...args: any[]) => string)",
        doc: "What `.big-box` is exported as: `\"camelCase\"` (also `bigBox`), `\"camelCaseOnly\"`, `\"dashes\"`, `\"dashesOnly\"`",
        default: DefaultValue::Described("as it is written"),
        holds: Type::Choice(&["camelCase", "camelCaseOnly", "dashes", "dashesOnly"], |config, at| {
            use LocalsConvention::{CamelCase, CamelCaseOnly, Dashes, DashesOnly};
            config.css.modules.locals_convention = [CamelCase, CamelCaseOnly, Dashes, DashesOnly][at];
        }),
        ..KEY
    },
    Key {
        toml: "css.modules.generate_scoped_name",
        vite: &["css.modules.generateScopedName"],
        vite_type: "string | ((...args: any[]) => string)",
        doc: "A pattern of `[name]`, `[local]`, `[folder]`, `[path]`, `[ext]`, `[hash:base64:5]`",
        default: DefaultValue::Described("`\"_[local]_[hash:6]\"`"),
        holds: Type::Text(|config, pattern| {
            if !pattern.contains("[local]") && !pattern.contains("hash") {
                return Err("without [local] or [hash] all names would be the same".to_owned());
            }
            config.css.modules.generate_scoped_name = Some(pattern.to_owned());
            Ok(())
        }),
        ..KEY
    },
    Key {
        toml: "css.modules.hash_prefix",
        vite: &["css.modules.hashPrefix"],
        doc: "Goes into every hash",
        default: DefaultValue::Toml(r#""""#),
        holds: Type::Text(|config, prefix| {
            config.css.modules.hash_prefix = prefix.to_owned();
            Ok(())
        }),
        ..KEY
    },
    Key {
        toml: "css.modules.scope_behaviour",
        vite: &["css.modules.scopeBehaviour"],
        doc: "`\"global\"`: only names in `:local()` are made unique",
        default: DefaultValue::Toml(r#""local""#),
        holds: Type::Choice(&["local", "global"], |config, at| {
            config.css.modules.scope_behaviour = [ScopeBehaviour::Local, ScopeBehaviour::Global][at];
        }),
        ..KEY
    },
    Key {
        toml: "css.preprocessor_options",
        vite: &["css.preprocessorOptions"],
        doc: "Options of preprocessors: tables for `scss`, `sass`, `less`, `styl` and `stylus`, with `additional_data` (text before every file of that \
              language, but not before its imports), `load_paths` (folders in which imports are looked for), and options of the \
              npm package in snake_case: `global_vars` of Less, `define` of Stylus",
        default: DefaultValue::Described("none"),
        holds: Type::Other(preprocessors::SHAPE),
        ..KEY
    },
];
