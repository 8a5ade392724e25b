//! `[build]`.

use rekindle_compile::plain::build_settings::{LegalComments, SourceMaps};

use crate::checks::{below_output, of_name, target_name};
use crate::key::{DefaultValue, KEY, Key, Type};
use crate::parts::input;
use crate::reader::Setting;

/// Where `manifest = true` puts it.
const MANIFEST: &str = ".vite/manifest.json";

pub(super) static KEYS: &[Key] = &[
    Key {
        toml: "build.out_dir",
        vite: &["build.outDir"],
        flag: Some("out-dir"),
        doc: "Folder of the output, from the project folder",
        default: DefaultValue::Toml(r#""dist""#),
        holds: Type::Folder(|config, folder| config.build.out_dir = folder),
        ..KEY
    },
    Key {
        toml: "build.assets_dir",
        vite: &["build.assetsDir"],
        flag: Some("assets-dir"),
        doc: "Folder of hashed files in the output",
        default: DefaultValue::Toml(r#""assets""#),
        holds: Type::Text(|config, text| below_output(text).map(|folder| config.build.assets_dir = folder)),
        ..KEY
    },
    Key {
        toml: "build.assets_inline_limit",
        vite: &["build.assetsInlineLimit"],
        vite_type: "number | ((file: string, content: any) => boolean | undefined)",
        flag: Some("assets-inline-limit"),
        doc: "Assets below this number of bytes stand in the code that names them, in development SVG files only; `?inline` and \
              `?no-inline` decide for one",
        default: DefaultValue::Toml("4096"),
        holds: Type::Number {
            range: 0..=1 << 30,
            wanted: "a number of bytes",
            set: |config, limit| config.build.assets_inline_limit = limit,
        },
        ..KEY
    },
    Key {
        toml: "build.target",
        vite: &["build.target"],
        vite_type: "string | string[] | false",
        flag: Some("target"),
        doc: "Browsers (`\"chrome111\"`) or a year (`\"es2020\"`), one or a list: newer syntax is lowered. `\"esnext\"`: nothing is",
        default: DefaultValue::Toml(r#""baseline-widely-available""#),
        holds: Type::OneOrTexts(target_name, |config, names| config.build.target = browsers(&names)),
        ..KEY
    },
    Key {
        toml: "build.css_target",
        vite: &["build.cssTarget"],
        vite_type: "string | string[] | false",
        doc: "The same for sheets",
        default: DefaultValue::Described("as `target`"),
        holds: Type::OneOrTexts(target_name, |config, names| config.build.css_target = Some(browsers(&names))),
        ..KEY
    },
    Key {
        toml: "build.minify",
        vite: &["build.minify"],
        flag: Some("minify"),
        doc: "Shorten scripts and sheets",
        default: DefaultValue::Toml("true"),
        holds: Type::Tool(|config, is_on| config.build.minify = is_on),
        ..KEY
    },
    Key {
        toml: "build.css_minify",
        vite: &["build.cssMinify"],
        doc: "Shorten sheets",
        default: DefaultValue::Described("as `minify`"),
        holds: Type::Tool(|config, is_on| config.build.css_minify = Some(is_on)),
        ..KEY
    },
    Key {
        toml: "build.sourcemap",
        vite: &["build.sourcemap"],
        flag: Some("sourcemap"),
        doc: "Write source maps; `\"inline\"` puts them into the scripts, `\"hidden\"` does not name them there",
        default: DefaultValue::Toml("false"),
        holds: Type::Setting {
            wanted: "true, false, \"inline\" or \"hidden\"",
            texts: &["inline", "hidden"],
            set: |config, maps| {
                config.build.sourcemap = match maps {
                    Setting::On => SourceMaps::File,
                    Setting::Off => SourceMaps::None,
                    Setting::Text("inline") => SourceMaps::Inline,
                    Setting::Text(_) => SourceMaps::Hidden,
                };
                Ok(())
            },
        },
        ..KEY
    },
    Key {
        toml: "build.manifest",
        vite: &["build.manifest"],
        flag: Some("manifest"),
        doc: "Write a list of the files for servers that make their own pages; a text names it, `true` is `.vite/manifest.json`",
        default: DefaultValue::Toml("false"),
        holds: Type::Setting {
            wanted: "a file name, or true for the usual one",
            texts: &[],
            set: |config, manifest| {
                config.build.manifest = match manifest {
                    Setting::On => Some(MANIFEST.to_owned()),
                    Setting::Off => None,
                    Setting::Text(name) => Some(below_output(name)?),
                };
                Ok(())
            },
        },
        ..KEY
    },
    Key {
        toml: "build.empty_out_dir",
        vite: &["build.emptyOutDir"],
        vite_type: "boolean | null",
        flag: Some("empty-out-dir"),
        doc: "`true`: empty the output folder also where that is outside of the project or holds sources; `false`: leave in it \
              what is there",
        default: DefaultValue::Described("emptied if it is in the project"),
        holds: Type::Switch(|config, is_on| config.build.empty_out_dir = Some(is_on)),
        ..KEY
    },
    Key {
        toml: "build.css_code_split",
        vite: &["build.cssCodeSplit"],
        doc: "A sheet for each chunk that has styles; `false`: one sheet for all",
        default: DefaultValue::Toml("true"),
        holds: Type::Switch(|config, is_on| config.build.css_code_split = is_on),
        ..KEY
    },
    Key {
        toml: "build.copy_public_dir",
        vite: &["build.copyPublicDir"],
        doc: "Copy the files of `public_dir` into the output",
        default: DefaultValue::Toml("true"),
        holds: Type::Switch(|config, is_on| config.build.copy_public_dir = is_on),
        ..KEY
    },
    Key {
        toml: "build.report_compressed_size",
        vite: &["build.reportCompressedSize"],
        doc: "Tell gzip sizes",
        default: DefaultValue::Toml("true"),
        holds: Type::Switch(|config, is_on| config.build.report_compressed_size = is_on),
        ..KEY
    },
    Key {
        toml: "build.chunk_size_warning_limit",
        vite: &["build.chunkSizeWarningLimit"],
        doc: "Size in kB above which a script is worth a warning",
        default: DefaultValue::Toml("500"),
        holds: Type::Number {
            range: 0..=1 << 30,
            wanted: "a number of kB",
            set: |config, limit| config.build.chunk_size_warning_limit = limit,
        },
        ..KEY
    },
    Key {
        toml: "build.module_preload",
        vite: &["build.modulePreload"],
        vite_type: "boolean | { polyfill?: boolean; resolveDependencies?: unknown }",
        doc: "Links that begin to fetch what scripts import",
        default: DefaultValue::Toml("true"),
        holds: Type::Switch(|config, is_on| config.build.module_preload = is_on),
        ..KEY
    },
    Key {
        toml: "build.legal_comments",
        doc: "`\"none\"`: comments with `@license`, `@preserve` or `/*!` go too",
        default: DefaultValue::Toml(r#""inline""#),
        holds: Type::Choice(&["inline", "none"], |config, at| {
            config.build.legal_comments = [LegalComments::Inline, LegalComments::None][at];
        }),
        ..KEY
    },
    Key {
        toml: "build.input",
        vite: &["build.rollupOptions.input", "build.rolldownOptions.input"],
        doc: "Pages, scripts and sheets to build, from the project folder: a list, or a table by the names of their chunks",
        default: DefaultValue::Described("every page that git does not ignore"),
        holds: Type::Other(input::SHAPE),
        ..KEY
    },
];

fn browsers(names: &[String]) -> Vec<String> {
    names.iter().flat_map(|name| of_name(name)).collect()
}
