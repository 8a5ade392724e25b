//! Which file of a crate uses which, read from its paths: `use crate::b::B`, `super::b()`, `b::f()` where `mod b;` stands.
//!
//! A bare `mod b;` does not count, nor does code for tests: neither makes one file harder to read without the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::cycles::{Import, Imports};
use super::read;

/// A module's path from the root of its crate.
type ModulePath = Vec<String>;

/// The uses among the files of a package, whose sources are in `src`.
///
/// # Errors
/// A file that cannot be read or parsed.
pub fn of_package(src: &Path) -> Result<Imports, String> {
    let mut imports = Imports::new();
    for root in ["lib.rs", "main.rs"].map(|name| src.join(name)) {
        if root.is_file() {
            imports.extend(of_crate(&root)?);
        }
    }
    Ok(imports)
}

fn of_crate(root: &Path) -> Result<Imports, String> {
    let mut modules = BTreeMap::new();
    let mut parsed = Vec::new();
    let mut waiting = vec![(ModulePath::new(), root.to_owned())];
    while let Some((place, path)) = waiting.pop() {
        let file = syn::parse_file(&read(&path)?).map_err(|error| format!("{}: {error}", path.display()))?;
        let is_root = place.is_empty();
        let folder = if is_root { path.with_file_name("") } else { path.with_extension("") };
        collect(&file.items, &place, &path, &folder, &mut modules, &mut waiting);
        modules.insert(place.clone(), path.clone());
        parsed.push((place, path, file));
    }
    let mut imports = Imports::new();
    for (place, path, file) in &parsed {
        let mut uses = Uses { modules: &modules, place: place.clone(), path, imports: &mut imports };
        uses.visit_file(file);
    }
    Ok(imports)
}

/// Collects the modules that a file declares: those with a file of their own are queued, inline ones belong to this
/// file.
fn collect(
    items: &[syn::Item],
    place: &ModulePath,
    path: &Path,
    folder: &Path,
    modules: &mut BTreeMap<ModulePath, PathBuf>,
    waiting: &mut Vec<(ModulePath, PathBuf)>,
) {
    for item in items {
        let syn::Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        let inner: ModulePath = place.iter().cloned().chain([name.clone()]).collect();
        match &module.content {
            Some((_, items)) => {
                modules.insert(inner.clone(), path.to_owned());
                collect(items, &inner, path, &folder.join(name), modules, waiting);
            }
            None => {
                let beside = folder.join(format!("{name}.rs"));
                let within = folder.join(&name).join("mod.rs");
                waiting.push((inner, if beside.is_file() { beside } else { within }));
            }
        }
    }
}

/// Walks one file and notes what its paths lead to.
struct Uses<'a> {
    modules: &'a BTreeMap<ModulePath, PathBuf>,
    place: ModulePath,
    path: &'a Path,
    imports: &'a mut Imports,
}

impl Uses<'_> {
    /// Notes the file that a path leads to, seen from this module: that of the last module in it.
    fn note(&mut self, names: &[String], line: usize) {
        let mut place = match names.first().map(String::as_str) {
            Some("crate") => ModulePath::new(),
            Some("self") => self.place.clone(),
            Some("super") => self.place[..self.place.len().saturating_sub(1)].to_vec(),
            Some(_) => {
                let child: ModulePath = self.place.iter().chain(names.first()).cloned().collect();
                if !self.modules.contains_key(&child) {
                    return;
                }
                child
            }
            None => return,
        };
        for name in &names[1..] {
            if name == "super" {
                place.pop();
                continue;
            }
            place.push(name.clone());
            if !self.modules.contains_key(&place) {
                place.pop();
                break;
            }
        }
        if let Some(to) = self.modules.get(&place) {
            self.imports.insert(Import { from: self.path.to_owned(), to: to.clone(), line });
        }
    }

    fn note_tree(&mut self, tree: &syn::UseTree, names: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                names.push(path.ident.to_string());
                self.note_tree(&path.tree, names);
                names.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.note_tree(item, names)),
            syn::UseTree::Name(name) => self.note_name(&name.ident, names),
            syn::UseTree::Rename(rename) => self.note_name(&rename.ident, names),
            syn::UseTree::Glob(glob) => self.note(names, glob.span().start().line),
        }
    }

    fn note_name(&mut self, name: &syn::Ident, names: &mut Vec<String>) {
        names.push(name.to_string());
        self.note(names, name.span().start().line);
        names.pop();
    }

    /// Paths in the arguments of a macro, which the parser leaves as tokens.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut names: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.note_path_in_macro(&names, line);
                        names.clear();
                        line = name.span().start().line;
                    }
                    names.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.note_path_in_macro(&names, line);
                    names.clear();
                    self.note_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => colons = 0,
            }
        }
        self.note_path_in_macro(&names, line);
    }

    fn note_path_in_macro(&mut self, names: &[String], line: usize) {
        if names.len() > 1 {
            self.note(names, line);
        }
    }
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(attributes_of(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.place.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.place.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.note_tree(&item.tree, &mut Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.note(&names, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.note_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {
        // `pub(super)` uses nothing.
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            list.tokens.clone().into_iter().any(|token| has_test(&token))
        }
        _ => false,
    })
}

/// `test`, also within `all(test, unix)`.
fn has_test(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(name) => name == "test",
        TokenTree::Group(group) => group.stream().into_iter().any(|token| has_test(&token)),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
}

fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(it) => &it.attrs,
        syn::Item::Enum(it) => &it.attrs,
        syn::Item::Fn(it) => &it.attrs,
        syn::Item::Impl(it) => &it.attrs,
        syn::Item::Mod(it) => &it.attrs,
        syn::Item::Static(it) => &it.attrs,
        syn::Item::Struct(it) => &it.attrs,
        syn::Item::Trait(it) => &it.attrs,
        syn::Item::Type(it) => &it.attrs,
        syn::Item::Use(it) => &it.attrs,
        _ => &[],
    }
}
