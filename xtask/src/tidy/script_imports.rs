//! Which file of the browser's runtime imports which: `import … from './b.ts'`, `export … from './b.ts'`, `import './b.ts'`.

use std::path::{Component, Path, PathBuf};

use super::cycles::{Import, Imports};
use super::read;

/// The imports among `files`. Those of types count, too: a reader has to look them up.
///
/// # Errors
/// A file that cannot be read.
pub fn of_files(files: &[PathBuf]) -> Result<Imports, String> {
    let mut imports = Imports::new();
    for file in files {
        for (line, text) in (1..).zip(read(file)?.lines()) {
            let Some(specifier) = specifier(text) else { continue };
            let to = resolve(file, specifier);
            imports.extend(files.contains(&to).then(|| Import { from: file.clone(), to, line }));
        }
    }
    Ok(imports)
}

/// The relative specifier in a line that is, or ends, an `import` or `export … from`.
fn specifier(line: &str) -> Option<&str> {
    let begins = ["import ", "export ", "} from "].iter().any(|word| line.starts_with(word));
    let (_, after) = line.split_once(" from '").or_else(|| line.split_once("import '"))?;
    let specifier = after.split('\'').next()?;
    (begins && specifier.starts_with('.')).then_some(specifier)
}

fn resolve(importer: &Path, specifier: &str) -> PathBuf {
    let mut path = importer.with_file_name("");
    for part in Path::new(specifier).components() {
        match part {
            Component::ParentDir => _ = path.pop(),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    if path.extension().is_none() { path.with_extension("ts") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specifier_is_read_from_each_kind_of_statement() {
        assert_eq!(specifier("import { a } from './a.ts'"), Some("./a.ts"));
        assert_eq!(specifier("import type { A } from '../core/a.ts'"), Some("../core/a.ts"));
        assert_eq!(specifier("} from './b.ts'"), Some("./b.ts"));
        assert_eq!(specifier("export * from './c.ts'"), Some("./c.ts"));
        assert_eq!(specifier("import './d.ts'"), Some("./d.ts"));
        assert_eq!(specifier("  log(` from './no.ts'`)"), None);
        assert_eq!(specifier("import fs from 'node:fs'"), None);
    }

    #[test]
    fn a_specifier_means_a_file() {
        assert_eq!(resolve(Path::new("src/page/a.ts"), "../core/b.ts"), Path::new("src/core/b.ts"));
        assert_eq!(resolve(Path::new("src/a.ts"), "./b"), Path::new("src/b.ts"));
    }
}
