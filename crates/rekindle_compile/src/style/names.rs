//! Names of a CSS module: which there are, what they become, what they are composed of.
//!
//! ```css
//! .button { composes: base from './base.module.css'; color: red }
//! ```
//! gives `button → "_button_1a2b3c _base_4d5e6f"`. The name depends on the file's path, not on its text, so an edit keeps it.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use lightningcss::dependencies::Location;
use lightningcss::properties::Property;
use lightningcss::properties::animation::AnimationName;
use lightningcss::properties::css_modules::{Composes, Specifier};
use lightningcss::properties::custom::TokenOrValue;
use lightningcss::rules::CssRule;
use lightningcss::rules::keyframes::KeyframesName;
use lightningcss::rules::style::StyleRule;
use lightningcss::selector::{Component, PseudoClass, Selector, SelectorList};
use lightningcss::values::ident::CustomIdent;
use lightningcss::visit_types;
use lightningcss::visitor::{Visit, VisitTypes, Visitor};
use parcel_selectors::parser::NthOfSelectorData;
use rekindle_graph::Diagnostic;
use rustc_hash::{FxHashMap, FxHashSet};

use super::scoped_name;
use super::settings::{LocalsConvention, ScopeBehaviour};
use super::sheet::StyleInput;

/// One CSS module: a file together with what it imports, since imported names become its own.
/// A plain stylesheet is a single unit.
pub(super) struct Unit {
    pub path: PathBuf,
    /// The sheet of `path`.
    pub sheet: usize,
    naming: Naming,
    /// Classes, ids and keyframes, as they come.
    pub names: Vec<String>,
    pub keyframes: FxHashSet<String>,
    pub composes: Vec<Compose>,
}

/// How the names of a unit become unique.
enum Naming {
    /// `_[local]_` and these digits.
    Hash(String),
    Pattern {
        pattern: String,
        file: String,
        hash_prefix: String,
    },
}

/// `.class { composes: names from from }`
pub(super) struct Compose {
    pub class: String,
    pub names: Vec<String>,
    pub from: ComposeSource,
    pub loc: Location,
}

/// Where the names of a `composes` are defined.
pub(super) enum ComposeSource {
    Here,
    Global,
    File(String),
    Unit(usize),
}

impl Unit {
    pub(super) fn new(input: &StyleInput<'_>, path: &Path) -> Self {
        let name = (input.display)(path).replace('\\', "/");
        let modules = &input.options.modules;
        let naming = match &modules.generate_scoped_name {
            Some(pattern) => {
                let (pattern, hash_prefix) = (pattern.clone(), modules.hash_prefix.clone());
                Naming::Pattern { pattern, file: name, hash_prefix }
            }
            None => {
                let digits = blake3::hash(format!("{}{name}", modules.hash_prefix).as_bytes()).to_hex();
                Naming::Hash(digits[..6].to_owned())
            }
        };
        Self {
            path: path.to_owned(),
            sheet: 0,
            naming,
            names: Vec::new(),
            keyframes: FxHashSet::default(),
            composes: Vec::new(),
        }
    }

    fn compiled(&self, name: &str) -> String {
        match &self.naming {
            Naming::Hash(digits) => format!("_{name}_{digits}"),
            Naming::Pattern { pattern, file, hash_prefix } => {
                scoped_name::scoped_name(pattern, file, name, hash_prefix)
            }
        }
    }
}

/// What one file of a unit says about names.
#[derive(Default)]
pub(super) struct Collector {
    pub names: Vec<String>,
    pub keyframes: Vec<String>,
    pub composes: Vec<Compose>,
    /// Where `composes` stands in a rule that is not a single class.
    pub misplaced: Vec<Location>,
    depth: usize,
    /// Only names in `:local()` count.
    is_global: bool,
}

impl Collector {
    pub(super) fn new(scope: ScopeBehaviour) -> Self {
        Self { is_global: scope == ScopeBehaviour::Global, ..Self::default() }
    }
}

impl<'i> Visitor<'i> for Collector {
    type Error = Infallible;

    fn visit_types(&self) -> VisitTypes {
        visit_types!(RULES | SELECTORS)
    }

    fn visit_rule(&mut self, rule: &mut CssRule<'i>) -> Result<(), Infallible> {
        match rule {
            CssRule::Style(style) => {
                self.take_composes(style);
                self.depth += 1;
                rule.visit_children(self)?;
                self.depth -= 1;
                return Ok(());
            }
            CssRule::NestedDeclarations(nested) => {
                let declarations = &mut nested.declarations;
                for list in [&mut declarations.declarations, &mut declarations.important_declarations] {
                    list.retain(|property| match property {
                        Property::Composes(composes) => {
                            self.misplaced.push(composes.loc);
                            false
                        }
                        _ => true,
                    });
                }
            }
            CssRule::Keyframes(keyframes) => {
                let name = keyframes_name(&keyframes.name).to_owned();
                self.names.push(name.clone());
                self.keyframes.push(name);
            }
            _ => {}
        }
        rule.visit_children(self)
    }

    fn visit_selector(&mut self, selector: &mut Selector<'i>) -> Result<(), Infallible> {
        collect_selector(selector, self.is_global, &mut self.names);
        Ok(())
    }
}

impl Collector {
    fn take_composes(&mut self, style: &mut StyleRule<'_>) {
        let mut taken = Vec::new();
        for list in [&mut style.declarations.declarations, &mut style.declarations.important_declarations] {
            list.retain(|property| match property {
                Property::Composes(composes) => {
                    taken.push(composes.clone());
                    false
                }
                _ => true,
            });
        }
        let classes = single_classes(&style.selectors);
        for composes in taken {
            match &classes {
                Some(classes) if self.depth == 0 => {
                    self.composes.extend(classes.iter().map(|class| compose(class, &composes)));
                }
                _ => self.misplaced.push(composes.loc),
            }
        }
    }
}

fn compose(class: &str, composes: &Composes<'_>) -> Compose {
    Compose {
        class: class.to_owned(),
        names: composes.names.iter().map(|name| name.0.to_string()).collect(),
        from: match &composes.from {
            Some(Specifier::Global) => ComposeSource::Global,
            Some(Specifier::File(file)) => ComposeSource::File(file.to_string()),
            Some(Specifier::SourceIndex(_)) | None => ComposeSource::Here,
        },
        loc: composes.loc,
    }
}

/// The classes of a selector list in which each selector is one class and nothing else.
fn single_classes(selectors: &SelectorList<'_>) -> Option<Vec<String>> {
    let single = |selector: &Selector<'_>| {
        let mut components = selector.iter_raw_match_order();
        match (components.next(), components.next()) {
            (Some(Component::Class(class)), None) => Some(class.0.to_string()),
            (Some(Component::NonTSPseudoClass(PseudoClass::Local { selector })), None) => {
                let mut inner = selector.iter_raw_match_order();
                match (inner.next(), inner.next()) {
                    (Some(Component::Class(class)), None) => Some(class.0.to_string()),
                    _ => None,
                }
            }
            _ => None,
        }
    };
    selectors.0.iter().map(single).collect()
}

fn collect_selector(selector: &Selector<'_>, is_global: bool, names: &mut Vec<String>) {
    // Compounds are kept from right to left, the parts of one from left to right.
    let components: Vec<_> = selector.iter_raw_match_order().collect();
    let compounds = components.split(|component| matches!(component, Component::Combinator(_))).rev();
    for component in compounds.flatten() {
        let mut collect = |selector: &Selector<'_>| collect_selector(selector, is_global, names);
        match component {
            Component::Class(name) | Component::ID(name) if !is_global => names.push(name.0.to_string()),
            Component::Negation(list) | Component::Where(list) | Component::Is(list) | Component::Has(list) => {
                list.iter().for_each(collect);
            }
            Component::Any(_, list) => list.iter().for_each(collect),
            Component::NthOf(nth) => nth.selectors().iter().for_each(collect),
            Component::Slotted(selector) | Component::Host(Some(selector)) => collect(selector),
            Component::NonTSPseudoClass(PseudoClass::Local { selector }) => collect_selector(selector, false, names),
            _ => {}
        }
    }
}

fn keyframes_name<'k>(name: &'k KeyframesName<'_>) -> &'k str {
    match name {
        KeyframesName::Ident(ident) => &ident.0,
        KeyframesName::Custom(text) => text,
    }
}

/// The names of the first unit in source order, each with all that it is composed of.
pub(super) fn class_map(
    units: &[Unit],
    convention: LocalsConvention,
    display: &dyn Fn(&Path) -> String,
) -> (Vec<(String, String)>, Vec<Diagnostic>) {
    let names = Names::new(units);
    let mut seen = FxHashSet::default();
    let mut map = Vec::new();
    for name in &units[0].names {
        for exported in convention.exported(name) {
            if seen.insert(exported.clone()) {
                map.push((exported, names.composed(0, name).join(" ")));
            }
        }
    }
    (map, names.unknown(display))
}

struct Names<'u> {
    units: &'u [Unit],
    defined: FxHashSet<(usize, &'u str)>,
    composes: FxHashMap<(usize, &'u str), Vec<&'u Compose>>,
}

impl<'u> Names<'u> {
    fn new(units: &'u [Unit]) -> Self {
        let mut defined = FxHashSet::default();
        let mut composes: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (index, unit) in units.iter().enumerate() {
            defined.extend(unit.names.iter().map(|name| (index, name.as_str())));
            for compose in &unit.composes {
                composes.entry((index, compose.class.as_str())).or_default().push(compose);
            }
        }
        Self { units, defined, composes }
    }

    /// The compiled name itself, then those it is composed of, each once; circles end.
    fn composed(&self, unit: usize, name: &'u str) -> Vec<String> {
        let mut result = Vec::new();
        let mut seen = FxHashSet::default();
        let mut open = vec![(unit, name)];
        while let Some((unit, name)) = open.pop() {
            if !seen.insert((unit, name)) {
                continue;
            }
            result.push(self.units[unit].compiled(name));
            let mut next = Vec::new();
            for compose in self.composes.get(&(unit, name)).into_iter().flatten() {
                for name in &compose.names {
                    match compose.from {
                        ComposeSource::Global if !result.contains(name) => result.push(name.clone()),
                        ComposeSource::Here if self.defined.contains(&(unit, name.as_str())) => {
                            next.push((unit, name.as_str()))
                        }
                        ComposeSource::Unit(other) if self.defined.contains(&(other, name.as_str())) => {
                            next.push((other, name.as_str()));
                        }
                        _ => {}
                    }
                }
            }
            open.extend(next.into_iter().rev());
        }
        result
    }

    fn unknown(&self, display: &dyn Fn(&Path) -> String) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for (index, unit) in self.units.iter().enumerate() {
            for compose in &unit.composes {
                let (ComposeSource::Here | ComposeSource::Unit(_)) = compose.from else { continue };
                let origin = if let ComposeSource::Unit(other) = compose.from { other } else { index };
                for name in compose.names.iter().filter(|name| !self.defined.contains(&(origin, name.as_str()))) {
                    let message = format!("`{}` has no class `{name}` to compose", display(&self.units[origin].path));
                    diagnostics.push(Diagnostic::error(message).in_file(display(&unit.path)));
                }
            }
        }
        diagnostics
    }
}

/// Gives classes, ids, keyframes and the animations that use them their unique names. Animations that the module does
/// not define are global. `unit_of` has the unit of each sheet.
pub(super) fn rename(rules: &mut [CssRule<'_>], units: &[Unit], unit_of: &[usize], scope: ScopeBehaviour) {
    let mut renamer = Renamer { units, unit_of, unit: 0, is_global: scope == ScopeBehaviour::Global };
    for rule in rules {
        let Ok(()) = rule.visit(&mut renamer);
    }
}

struct Renamer<'u> {
    units: &'u [Unit],
    unit_of: &'u [usize],
    unit: usize,
    is_global: bool,
}

impl Renamer<'_> {
    fn enter(&mut self, sheet: u32) {
        self.unit = self.unit_of[sheet as usize];
    }

    fn rename_selector(&self, selector: &mut Selector<'_>, is_global: bool) {
        for component in selector.iter_mut_raw_match_order() {
            match component {
                Component::Class(name) | Component::ID(name) if !is_global => {
                    name.0 = self.units[self.unit].compiled(&name.0).into();
                }
                Component::Negation(list) | Component::Where(list) | Component::Is(list) | Component::Has(list) => {
                    list.iter_mut().for_each(|selector| self.rename_selector(selector, is_global));
                }
                Component::Any(_, list) => {
                    list.iter_mut().for_each(|selector| self.rename_selector(selector, is_global))
                }
                Component::NthOf(nth) => {
                    let mut list = nth.clone_selectors();
                    list.iter_mut().for_each(|selector| self.rename_selector(selector, is_global));
                    *nth = NthOfSelectorData::new(*nth.nth_data(), list);
                }
                Component::Slotted(selector) | Component::Host(Some(selector)) => {
                    self.rename_selector(selector, is_global)
                }
                Component::NonTSPseudoClass(PseudoClass::Local { selector }) => self.rename_selector(selector, false),
                _ => {}
            }
        }
    }

    fn rename(&self, name: &str) -> Option<String> {
        let unit = &self.units[self.unit];
        unit.keyframes.contains(name).then(|| unit.compiled(name))
    }

    fn rename_animation(&self, name: &mut AnimationName<'_>) {
        let old = match name {
            AnimationName::None => return,
            AnimationName::Ident(ident) => ident.0.to_string(),
            AnimationName::String(text) => text.to_string(),
        };
        if let Some(new) = self.rename(&old) {
            *name = AnimationName::Ident(CustomIdent(new.into()));
        }
    }
}

impl<'i> Visitor<'i> for Renamer<'_> {
    type Error = Infallible;

    fn visit_types(&self) -> VisitTypes {
        visit_types!(RULES | PROPERTIES | TOKENS | SELECTORS)
    }

    fn visit_rule(&mut self, rule: &mut CssRule<'i>) -> Result<(), Infallible> {
        match rule {
            CssRule::Style(style) => self.enter(style.loc.source_index),
            CssRule::NestedDeclarations(nested) => self.enter(nested.loc.source_index),
            CssRule::Nesting(nesting) => self.enter(nesting.loc.source_index),
            CssRule::Scope(scope) => self.enter(scope.loc.source_index),
            CssRule::Keyframes(keyframes) => {
                self.enter(keyframes.loc.source_index);
                if let Some(new) = self.rename(keyframes_name(&keyframes.name)) {
                    keyframes.name = KeyframesName::Ident(CustomIdent(new.into()));
                }
            }
            _ => {}
        }
        rule.visit_children(self)
    }

    fn visit_selector(&mut self, selector: &mut Selector<'i>) -> Result<(), Infallible> {
        self.rename_selector(selector, self.is_global);
        Ok(())
    }

    fn visit_property(&mut self, property: &mut Property<'i>) -> Result<(), Infallible> {
        match property {
            Property::Animation(list, _) => list.iter_mut().for_each(|item| self.rename_animation(&mut item.name)),
            Property::AnimationName(list, _) => list.iter_mut().for_each(|name| self.rename_animation(name)),
            Property::Unparsed(unparsed) if unparsed.property_id.name().ends_with("animation") => {
                for token in &mut unparsed.value.0 {
                    if let TokenOrValue::Token(lightningcss::properties::custom::Token::Ident(name)) = token
                        && let Some(new) = self.rename(name)
                    {
                        *name = new.into();
                    }
                }
            }
            _ => {}
        }
        property.visit_children(self)
    }

    fn visit_token(&mut self, token: &mut TokenOrValue<'i>) -> Result<(), Infallible> {
        if let TokenOrValue::AnimationName(name) = token {
            self.rename_animation(name);
        }
        token.visit_children(self)
    }
}
