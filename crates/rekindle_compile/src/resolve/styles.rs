//! How styles find packages: by other fields, conditions and extensions than scripts, as in Vite.
//!
//! ```text
//! @import "tailwindcss"    package.json: "exports": {".": {"style": "./index.css"}}    →  …/tailwindcss/index.css
//! @use "bulma"             package.json: "sass": "bulma.scss"                          →  …/bulma/bulma.scss
//! ```

use oxc_resolver::ResolveOptions;

use crate::files::disk::DiskResolver;

/// One resolver for each language. They share what the scripts' resolver has seen of the disk.
pub(crate) struct StyleResolvers {
    css: DiskResolver,
    sass: DiskResolver,
    less: DiskResolver,
}

impl StyleResolvers {
    pub fn new(scripts: &DiskResolver) -> Self {
        let of = |language: &str, extensions: &[&str], main_files: &[&str]| {
            let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            let names = if language == "css" { vec!["style"] } else { vec![language, "style"] };
            scripts.clone_with_options(ResolveOptions {
                condition_names: strings(&[&names[..], &["development", "default"]].concat()),
                main_fields: strings(&names),
                extensions: strings(extensions),
                main_files: strings(main_files),
                alias_fields: Vec::new(),
                extension_alias: Vec::new(),
                builtin_modules: false,
                ..scripts.options().clone()
            })
        };
        Self {
            css: of("css", &[".css"], &["index"]),
            sass: of("sass", &[".scss", ".sass", ".css"], &["_index", "index"]),
            less: of("less", &[".less", ".css"], &["index"]),
        }
    }

    pub fn of(&self, language: &str) -> &DiskResolver {
        match language {
            "sass" => &self.sass,
            "less" => &self.less,
            _ => &self.css,
        }
    }
}
