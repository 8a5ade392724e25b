//! Keys about the project: those at the top of `rekindle.toml`, `[jsx]` and `[resolve]`.

use rekindle_compile::compiler::asset_globs;

use crate::checks::{Base, mode_name};
use crate::key::{DefaultValue, KEY, Key, Type};
use crate::parts::{alias, define, root};

pub(super) static KEYS: &[Key] = &[
    Key {
        toml: "root",
        vite: &["root"],
        doc: "The project folder, if it is not the one with this file",
        default: DefaultValue::Described("the folder of the file"),
        holds: Type::Other(root::SHAPE),
        ..KEY
    },
    Key {
        toml: "base",
        vite: &["base"],
        flag: Some("base"),
        doc: "Path under which everything is served, such as `/app/`. For builds also a whole address, or `./` for any path",
        default: DefaultValue::Toml(r#""/""#),
        holds: Type::Text(|config, text| Base::of(text).map(|base| base.apply(config))),
        ..KEY
    },
    Key {
        toml: "mode",
        vite: &["mode"],
        flag: Some("mode"),
        doc: "Picks the `.env.[mode]` files, and is `import.meta.env.MODE`",
        default: DefaultValue::Described("`\"development\"`, for builds `\"production\"`"),
        holds: Type::Text(|config, text| mode_name(text).map(|mode| config.mode = mode)),
        ..KEY
    },
    Key {
        toml: "public_dir",
        vite: &["publicDir"],
        doc: "Folder of files that are served as they are; `false` for none",
        default: DefaultValue::Toml(r#""public""#),
        holds: Type::FolderOrNone {
            wanted: "a folder, or false for none",
            set: |config, folder| config.public_dir = folder,
        },
        ..KEY
    },
    Key {
        toml: "env_dir",
        vite: &["envDir"],
        vite_type: "string | false",
        doc: "Folder of the `.env` files",
        default: DefaultValue::Described("the project folder"),
        holds: Type::Folder(|config, folder| config.env_dir = folder),
        ..KEY
    },
    Key {
        toml: "env_prefix",
        vite: &["envPrefix"],
        doc: "A prefix or a list of them; only variables with one of them reach the page",
        default: DefaultValue::Toml(r#""VITE_""#),
        holds: Type::OneOrTexts(
            |prefix| match prefix {
                "" => Err("an empty prefix would show the whole environment to the page".to_owned()),
                _ => Ok(prefix.to_owned()),
            },
            |config, prefixes| config.env_prefix = prefixes,
        ),
        ..KEY
    },
    Key {
        toml: "assets_include",
        vite: &["assetsInclude"],
        vite_type: "string | RegExp | (string | RegExp)[]",
        doc: "Globs of more files that are assets: their import gives an address",
        default: DefaultValue::Toml("[]"),
        holds: Type::OneOrTexts(
            |text| asset_globs(&[text.to_owned()]).map(|_| text.to_owned()),
            |config, globs| config.assets_include = globs,
        ),
        ..KEY
    },
    Key {
        toml: "cache_dir",
        doc: "Folder for what outlives a start: the key of script addresses",
        default: DefaultValue::Described(
            "`\"node_modules/.rekindle\"`, or `\".rekindle\"` where there is no `node_modules`",
        ),
        holds: Type::Folder(|config, folder| config.cache_dir = folder),
        ..KEY
    },
    Key {
        toml: "define",
        vite: &["define"],
        doc: "Names in sources and what stands for them: a string is an expression, as in Vite (`__V__ = '\"1.0\"'`), anything \
              else a value. `import.meta.env.X` and `process.env.X` can be set too",
        default: DefaultValue::Described("`process.env.NODE_ENV` is `\"development\"`"),
        holds: Type::Other(define::SHAPE),
        ..KEY
    },
    Key {
        toml: "jsx.import_source",
        vite: &["esbuild.jsxImportSource", "oxc.jsx.importSource"],
        doc: "Where JSX functions come from if no `tsconfig.json` says so",
        default: DefaultValue::Described("`\"react\"`"),
        holds: Type::Text(|config, text| {
            config.jsx_import_source = Some(text.to_owned());
            Ok(())
        }),
        ..KEY
    },
    Key {
        toml: "resolve.alias",
        vite: &["resolve.alias"],
        doc: "Specifiers that stand for others: `{ \"@\" = \"/src\" }` for a whole one, or its beginning up to a slash. Or `[[resolve.alias]]` with `find` and \
              `replacement`, where a `find` that begins with `^` is a pattern. `/…` is from the project folder, or on the disk",
        default: DefaultValue::Described("none"),
        holds: Type::Other(alias::SHAPE),
        ..KEY
    },
    Key {
        toml: "resolve.extensions",
        vite: &["resolve.extensions"],
        doc: "Extensions that are tried for a specifier without one",
        default: DefaultValue::Toml(r#"[".mjs", ".js", ".mts", ".ts", ".jsx", ".tsx", ".json"]"#),
        holds: Type::Texts(
            |text| {
                if text.starts_with('.') {
                    Ok(text.to_owned())
                } else {
                    Err("an extension begins with a dot".to_owned())
                }
            },
            |config, texts| config.resolve.extensions = texts,
        ),
        ..KEY
    },
    Key {
        toml: "resolve.conditions",
        vite: &["resolve.conditions"],
        doc: "Conditions of `exports` and `imports` maps, besides `import` and `default`; for builds `production` stands for \
              `development`",
        default: DefaultValue::Toml(r#"["development", "browser", "module"]"#),
        holds: Type::Texts(|text| Ok(text.to_owned()), |config, texts| config.resolve.conditions = texts),
        ..KEY
    },
    Key {
        toml: "resolve.main_fields",
        vite: &["resolve.mainFields"],
        doc: "Fields of `package.json` that name the entry, before `main`",
        default: DefaultValue::Toml(r#"["browser", "module", "jsnext:main", "jsnext"]"#),
        holds: Type::Texts(|text| Ok(text.to_owned()), |config, texts| config.resolve.main_fields = texts),
        ..KEY
    },
    Key {
        toml: "resolve.dedupe",
        vite: &["resolve.dedupe"],
        doc: "Packages that are always taken from the project folder",
        default: DefaultValue::Toml("[]"),
        holds: Type::Texts(|text| Ok(text.to_owned()), |config, texts| config.resolve.dedupe = texts),
        ..KEY
    },
    Key {
        toml: "resolve.preserve_symlinks",
        vite: &["resolve.preserveSymlinks"],
        doc: "Files keep the path they were found by, instead of the one behind links",
        default: DefaultValue::Toml("false"),
        holds: Type::Switch(|config, is_on| config.resolve.preserve_symlinks = is_on),
        ..KEY
    },
];
