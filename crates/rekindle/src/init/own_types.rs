//! The types of the npm package as one file, for projects that have no package to take them from.
//!
//! ```text
//! client.d.ts            →  as it is
//! types/hot.d.ts         →  declare module 'rekindle/types/hot.d.ts' { … }
//! from './hot.js'        →  from 'rekindle/types/hot.d.ts'
//! ```
//!
//! The modules have the names that they have in the package, so that what a project adds to them stays right once it is there.

const HEADER: &str = "\
// Types of what rekindle adds to modules, written by `rekindle init`. Once the npm package `rekindle` is installed,
// `\"types\": [\"rekindle/client\"]` in tsconfig.json has all of them, and this file can go.

";
const CLIENT: &str = include_str!("../../../../packages/rekindle/client.d.ts");
const META: &str = include_str!("../../../../packages/rekindle/types/importMeta.d.ts");
const MODULES: [(&str, &str); 4] = [
    ("hot", include_str!("../../../../packages/rekindle/types/hot.d.ts")),
    ("customEvent", include_str!("../../../../packages/rekindle/types/customEvent.d.ts")),
    ("hmrPayload", include_str!("../../../../packages/rekindle/types/hmrPayload.d.ts")),
    ("importGlob", include_str!("../../../../packages/rekindle/types/importGlob.d.ts")),
];
/// How the package's `client.d.ts` names `importMeta.d.ts`, which stands in the same file here.
const REFERENCE: &str = "/// <reference path=\"./types/importMeta.d.ts\" />\n";

/// The text of a `.d.ts` that needs no other file.
pub fn own_types() -> String {
    let mut text = format!("{HEADER}{}\n{}", with_names(META), CLIENT.replace(REFERENCE, ""));
    for (name, body) in MODULES {
        let body: String = with_names(body).lines().map(indented).collect();
        text.push_str(&format!("\ndeclare module '{}' {{\n{body}}}\n", name_of(name)));
    }
    text
}

fn name_of(module: &str) -> String {
    format!("rekindle/types/{module}.d.ts")
}

fn with_names(text: &str) -> String {
    MODULES.iter().fold(text.to_owned(), |text, (name, _)| {
        text.replace(&format!("'./{name}.js'"), &format!("'{}'", name_of(name)))
    })
}

fn indented(line: &str) -> String {
    if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }
}
