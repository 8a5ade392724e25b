//! Puts the rules of all sheets in the order a browser would apply them, inside the conditions of their imports.
//!
//! ```text
//! main: @import a; @import b print;    a: @import c    b: @import c
//! →     c, a, @media print { c }, @media print { b }, main
//! ```
//!
//! A browser evaluates a sheet at each of its imports, and the last one decides. So the walk goes backwards and leaves
//! out what comes again later under the same conditions or under none.

use std::rc::Rc;

use lightningcss::media_query::MediaList;
use lightningcss::printer::PrinterOptions;
use lightningcss::rules::import::ImportRule;
use lightningcss::rules::layer::{LayerBlockRule, LayerName, LayerStatementRule};
use lightningcss::rules::media::MediaRule;
use lightningcss::rules::supports::{SupportsCondition, SupportsRule};
use lightningcss::rules::{CssRule, CssRuleList, Location};
use lightningcss::traits::ToCss;
use rustc_hash::{FxHashMap, FxHashSet};

use super::load::{Head, Sheet};
use super::names::{ComposeSource, Unit};

/// Joins the sheets: composed modules first, then the main one with its imports.
pub(super) fn bundle<'a>(sheets: Vec<Sheet<'a>>, units: &[Unit]) -> Vec<CssRule<'a>> {
    let mut bundler = Bundler { sheets: &sheets, visited: FxHashSet::default(), conditions: Conditions::default() };
    let mut parts = Vec::new();
    for unit in units_in_order(units) {
        let mut backwards = bundler.walk(units[unit].sheet);
        backwards.reverse();
        parts.extend(backwards);
    }
    let conditions = bundler.conditions;
    assemble(parts, &conditions)
}

/// A run of rules under one chain of conditions.
struct Part<'a> {
    content: Content<'a>,
    chain: Rc<[usize]>,
}

enum Content<'a> {
    Rules(Vec<CssRule<'a>>),
    Remote(ImportRule<'a>),
}

/// The condition of one `@import`.
struct Condition<'a> {
    layer: Option<LayerName<'a>>,
    supports: Option<SupportsCondition<'a>>,
    media: MediaList<'a>,
    loc: Location,
}

/// Equal conditions have equal numbers.
#[derive(Default)]
struct Conditions<'a> {
    list: Vec<Condition<'a>>,
    by_text: FxHashMap<String, usize>,
}

impl<'a> Conditions<'a> {
    fn number(&mut self, rule: &ImportRule<'a>) -> Option<usize> {
        if rule.layer.is_none() && rule.supports.is_none() && rule.media.media_queries.is_empty() {
            return None;
        }
        let layer = rule.layer.clone().map(|name| name.unwrap_or_else(|| self.anonymous_layer()));
        let text = |value: &dyn Fn() -> Option<String>| value().unwrap_or_default();
        let key = [
            text(&|| layer.as_ref()?.to_css_string(PrinterOptions::default()).ok()),
            text(&|| rule.supports.as_ref()?.to_css_string(PrinterOptions::default()).ok()),
            text(&|| rule.media.to_css_string(PrinterOptions::default()).ok()),
        ]
        .join("|");
        if let Some(&known) = self.by_text.get(&key) {
            return Some(known);
        }
        let number = self.list.len();
        self.by_text.insert(key, number);
        let (supports, media) = (rule.supports.clone(), rule.media.clone());
        self.list.push(Condition { layer, supports, media, loc: rule.loc });
        Some(number)
    }

    /// The parts of one anonymous layer end up in several blocks, which only a name can hold together.
    fn anonymous_layer(&self) -> LayerName<'a> {
        LayerName([format!("rekindle-anonymous-{}", self.list.len()).into()].into_iter().collect())
    }

    fn wrap(&self, mut rules: Vec<CssRule<'a>>, chain: &[usize]) -> Vec<CssRule<'a>> {
        for &number in chain.iter().rev() {
            let condition = &self.list[number];
            let loc = condition.loc;
            if let Some(name) = &condition.layer {
                let name = Some(name.clone());
                rules = vec![CssRule::LayerBlock(LayerBlockRule { name, rules: CssRuleList(rules), loc })];
            }
            if rules.is_empty() {
                continue;
            }
            if let Some(supports) = &condition.supports {
                let condition = supports.clone();
                rules = vec![CssRule::Supports(SupportsRule { condition, rules: CssRuleList(rules), loc })];
            }
            if !condition.media.media_queries.is_empty() {
                let query = condition.media.clone();
                rules = vec![CssRule::Media(MediaRule { query, rules: CssRuleList(rules), loc })];
            }
        }
        rules
    }

    /// A remote sheet cannot be wrapped: its import takes the conditions of the imports around it, as far as they combine.
    fn narrow(&self, mut rule: ImportRule<'a>, chain: &[usize]) -> ImportRule<'a> {
        for &number in chain.iter().rev() {
            let outer = &self.list[number];
            let mut media = outer.media.clone();
            if media.and(&rule.media).is_ok() {
                rule.media = media;
            }
            rule.supports = match (outer.supports.clone(), rule.supports.take()) {
                (Some(mut outer), Some(inner)) => {
                    outer.and(&inner);
                    Some(outer)
                }
                (outer, inner) => outer.or(inner),
            };
            if let Some(outer) = &outer.layer {
                let mut name = outer.clone();
                if let Some(inner) = rule.layer.take().flatten() {
                    name.0.extend(inner.0);
                }
                rule.layer = Some(Some(name));
            }
        }
        rule
    }
}

struct Bundler<'s, 'a> {
    sheets: &'s [Sheet<'a>],
    visited: FxHashSet<(usize, Rc<[usize]>)>,
    conditions: Conditions<'a>,
}

enum Task<'a> {
    Enter(usize, Rc<[usize]>),
    Leave(usize),
    Emit(Part<'a>),
}

impl<'a> Bundler<'_, 'a> {
    /// The parts of a sheet and its imports, last first.
    fn walk(&mut self, root: usize) -> Vec<Part<'a>> {
        let nothing: Rc<[usize]> = Rc::from([]);
        let mut open = FxHashSet::default();
        let mut parts = Vec::new();
        let mut tasks = vec![Task::Enter(root, Rc::clone(&nothing))];
        while let Some(task) = tasks.pop() {
            match task {
                Task::Emit(part) => parts.push(part),
                Task::Leave(sheet) => drop(open.remove(&sheet)),
                Task::Enter(sheet, chain) => {
                    let comes_later = self.visited.contains(&(sheet, Rc::clone(&nothing)))
                        || !self.visited.insert((sheet, Rc::clone(&chain)));
                    if comes_later {
                        parts.extend(self.layers_only(sheet, chain));
                    } else if open.insert(sheet) {
                        let rules = self.sheets[sheet].rules.clone();
                        parts.push(Part { content: Content::Rules(rules), chain: Rc::clone(&chain) });
                        tasks.push(Task::Leave(sheet));
                        self.push_head(sheet, &chain, &mut tasks);
                    }
                }
            }
        }
        parts
    }

    fn push_head(&mut self, sheet: usize, chain: &Rc<[usize]>, tasks: &mut Vec<Task<'a>>) {
        let sheets = self.sheets;
        for head in &sheets[sheet].head {
            let content = match head {
                Head::Layers(rule) => Content::Rules(vec![rule.clone()]),
                Head::Remote(rule) => Content::Remote(rule.clone()),
                Head::Local { sheet, rule } => {
                    let chain = match self.conditions.number(rule) {
                        Some(number) => chain.iter().copied().chain([number]).collect(),
                        None => Rc::clone(chain),
                    };
                    tasks.push(Task::Enter(*sheet, chain));
                    continue;
                }
            };
            tasks.push(Task::Emit(Part { content, chain: Rc::clone(chain) }));
        }
    }

    /// A sheet that comes again later still decides here which layer is declared first.
    fn layers_only(&self, sheet: usize, chain: Rc<[usize]>) -> Option<Part<'a>> {
        let sheet = &self.sheets[sheet];
        let head = sheet.head.iter().filter_map(|head| match head {
            Head::Layers(rule) => Some(rule),
            _ => None,
        });
        let mut rules = Vec::new();
        for rule in head.chain(&sheet.rules) {
            match rule {
                CssRule::LayerStatement(_) => rules.push(rule.clone()),
                CssRule::LayerBlock(LayerBlockRule { name: Some(name), loc, .. }) => {
                    rules.push(CssRule::LayerStatement(LayerStatementRule { names: vec![name.clone()], loc: *loc }));
                }
                _ => {}
            }
        }
        let in_layer = chain.iter().any(|&number| self.conditions.list[number].layer.is_some());
        (in_layer || !rules.is_empty()).then_some(Part { content: Content::Rules(rules), chain })
    }
}

/// Units so that each comes behind those it composes from, the main one last.
fn units_in_order(units: &[Unit]) -> Vec<usize> {
    let mut order = Vec::new();
    let mut entered = FxHashSet::default();
    let mut tasks = vec![(0, false)];
    while let Some((unit, is_done)) = tasks.pop() {
        if is_done {
            order.push(unit);
            continue;
        }
        if !entered.insert(unit) {
            continue;
        }
        tasks.push((unit, true));
        let composed = units[unit].composes.iter().rev().filter_map(|compose| match compose.from {
            ComposeSource::Unit(other) => Some((other, false)),
            _ => None,
        });
        tasks.extend(composed);
    }
    order
}

/// Remote imports and namespaces must precede all rules; `@layer` statements of the main sheet may stand before them.
fn assemble<'a>(parts: Vec<Part<'a>>, conditions: &Conditions<'a>) -> Vec<CssRule<'a>> {
    let (mut first, mut remote, mut namespaces, mut rules) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Part { content, chain } in parts {
        match content {
            Content::Remote(rule) => remote.push(CssRule::Import(conditions.narrow(rule, &chain))),
            Content::Rules(own) => {
                let only_layers = own.iter().all(|rule| matches!(rule, CssRule::LayerStatement(_)));
                let (spaces, own): (Vec<_>, Vec<_>) =
                    own.into_iter().partition(|rule| matches!(rule, CssRule::Namespace(_)));
                for space in spaces {
                    if !namespaces.contains(&space) {
                        namespaces.push(space);
                    }
                }
                let is_first = only_layers && chain.is_empty() && rules.is_empty() && remote.is_empty();
                if is_first { &mut first } else { &mut rules }.extend(conditions.wrap(own, &chain));
            }
        }
    }
    first.into_iter().chain(remote).chain(namespaces).chain(rules).collect()
}
