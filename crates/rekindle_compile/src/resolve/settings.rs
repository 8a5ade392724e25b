//! What `[resolve]` says about specifiers, with Vite's defaults.
//!
//! ```text
//! alias = { "@" = "/src" }       @/store   →  /src/store      @scope/x  →  @scope/x
//! alias  ^~/(.*)  →  ./lib/$1    ~/a/b     →  ./lib/a/b
//! dedupe = ["react"]             react     →  the project's own copy, whoever imports it
//! ```

use std::path::Path;

use crate::resolve::pattern::Pattern;

/// `[resolve]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolveSettings {
    /// Tried in order; the first that fits is taken, once.
    pub alias: Vec<Alias>,
    /// Extensions tried for a specifier without one.
    pub extensions: Vec<String>,
    /// Conditions of `exports` and `imports` maps, besides `import` and `default`.
    pub conditions: Vec<String>,
    /// Fields of `package.json` that name the entry, before `main`.
    pub main_fields: Vec<String>,
    /// Packages that are always taken from the project folder.
    pub dedupe: Vec<String>,
    /// Files keep the path they were found by instead of the one behind links.
    pub preserve_symlinks: bool,
}

/// A name for something else.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    pub find: Find,
    /// A path (absolute or from the project folder), or another specifier.
    pub replacement: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Find {
    /// The whole specifier, or its beginning up to a slash.
    Prefix(String),
    Pattern(Pattern),
}

impl Default for ResolveSettings {
    fn default() -> Self {
        let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Self {
            alias: Vec::new(),
            extensions: strings(&[".mjs", ".js", ".mts", ".ts", ".jsx", ".tsx", ".json"]),
            conditions: strings(&["development", "browser", "module"]),
            main_fields: strings(&["browser", "module", "jsnext:main", "jsnext"]),
            dedupe: Vec::new(),
            preserve_symlinks: false,
        }
    }
}

impl ResolveSettings {
    /// The specifier behind an alias; `None` where none fits.
    pub fn behind_alias(&self, specifier: &str) -> Option<String> {
        self.alias.iter().find_map(|alias| alias.apply(specifier))
    }

    /// The same with the paths of aliases below the project folder written from there: `/home/me/app/src` → `/src`.
    pub fn below(&self, root: &Path) -> Self {
        let mut settings = self.clone();
        for alias in &mut settings.alias {
            let rest = root.to_str().and_then(|root| alias.replacement.strip_prefix(root));
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
                alias.replacement = if rest.is_empty() { "/.".to_owned() } else { rest.to_owned() };
            }
        }
        settings
    }

    /// Whether a path that begins with a slash is one on the disk because an alias says so. From a source alone a slash
    /// means the project folder.
    pub fn names_folder(&self, root: &Path, path: &str) -> bool {
        self.alias.iter().any(|alias| {
            let fixed = match alias.replacement.split_once('$') {
                Some((fixed, _)) => fixed.rsplit_once('/').map_or("", |(folder, _)| folder),
                None => alias.replacement.as_str(),
            };
            let Some(from_root) = fixed.strip_prefix('/').filter(|rest| !rest.is_empty()) else { return false };
            path.starts_with(fixed) && !root.join(from_root).exists() && Path::new(fixed).exists()
        })
    }

    /// Whether imports may leave out this extension, which says nothing of what the file is: then it is a script.
    pub fn is_own_script(&self, extension: &str) -> bool {
        !extension.is_empty() && self.extensions.iter().any(|own| own.strip_prefix('.') == Some(extension))
    }

    /// Whether a package is always taken from the project folder.
    pub fn is_deduped(&self, package: &str) -> bool {
        self.dedupe.iter().any(|name| name == package)
    }

    /// `conditions` and the two that always hold, in the form of the resolver.
    pub fn condition_names(&self) -> Vec<String> {
        let own = self.conditions.iter().map(|name| match name.as_str() {
            "development|production" => "development".to_owned(),
            _ => name.clone(),
        });
        own.chain(["import".to_owned(), "default".to_owned()]).collect()
    }

    /// `main_fields` and the one that always is the last.
    pub fn entry_fields(&self) -> Vec<String> {
        let own = self.main_fields.iter().filter(|field| *field != "main").cloned();
        own.chain(["main".to_owned()]).collect()
    }

    /// Whether `"browser": {…}` maps of packages count.
    pub fn reads_browser_maps(&self) -> bool {
        self.main_fields.iter().any(|field| field == "browser")
    }
}

impl Alias {
    pub fn apply(&self, specifier: &str) -> Option<String> {
        match &self.find {
            Find::Prefix(find) => {
                let rest = specifier.strip_prefix(find.as_str())?;
                let whole = rest.is_empty() || rest.starts_with(['/', '?']) || find.ends_with('/');
                // A folder written with a slash at its end is the same folder.
                let seam = if rest.starts_with('/') && !self.replacement.ends_with("//") {
                    self.replacement.strip_suffix('/').unwrap_or(&self.replacement)
                } else {
                    &self.replacement
                };
                whole.then(|| format!("{seam}{rest}"))
            }
            Find::Pattern(pattern) => {
                pattern.is_match(specifier).then(|| pattern.replace(specifier, &self.replacement))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_a_whole_name_or_the_beginning_of_a_path() {
        let alias = |find: &str, to: &str| Alias { find: Find::Prefix(find.into()), replacement: to.into() };
        let apply = |alias: &Alias, specifier: &str| alias.apply(specifier).unwrap_or_else(|| "-".into());
        let at = alias("@", "/src");
        assert_eq!(apply(&at, "@/a/b.ts?raw"), "/src/a/b.ts?raw");
        assert_eq!(apply(&at, "@"), "/src");
        assert_eq!(apply(&at, "@scope/pkg"), "-");
        assert_eq!(apply(&alias("@/", "/src/"), "@/a"), "/src/a");
        assert_eq!(apply(&alias("@", "/src/"), "@/a"), "/src/a");
        assert_eq!(apply(&alias("@", "/"), "@/lib/a.js"), "/lib/a.js");
        assert_eq!(apply(&alias("cdn", "https://"), "cdn/a"), "https:///a");
        assert_eq!(apply(&alias("react", "preact/compat"), "react?url"), "preact/compat?url");
        assert_eq!(apply(&alias("react", "preact/compat"), "react-dom"), "-");
        let pattern =
            Alias { find: Find::Pattern(Pattern::new("^~(.+)$", "").unwrap()), replacement: "/src/$1".into() };
        assert_eq!(apply(&pattern, "~ui/x"), "/src/ui/x");
    }

    #[test]
    fn the_first_alias_that_fits_is_taken_once() {
        let alias = |find: &str, to: &str| Alias { find: Find::Prefix(find.into()), replacement: to.into() };
        let settings =
            ResolveSettings { alias: vec![alias("a/b", "x"), alias("a", "b"), alias("b", "c")], ..Default::default() };
        assert_eq!(settings.behind_alias("a/b/c").as_deref(), Some("x/c"));
        assert_eq!(settings.behind_alias("a").as_deref(), Some("b"));
        assert_eq!(settings.behind_alias("z"), None);
    }
}
