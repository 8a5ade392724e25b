//! What is known while a configuration file is read: names, objects, and what was lost.
//!
//! ```text
//! const config = { define: {} }                 1  config is object 1, its define object 0
//! config.define.__A__ = '1'                     2  object 0 gets __A__
//! if (compute()) config.base = '/x/'            3  object 1 gets base: unknown, line 3
//! config.server.proxy = {}                      4  lost: config.server.proxy, line 4
//! ```

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use oxc_ast::ast::{ArrowFunctionBody, Expression, FormalParameters, FunctionBody};
use oxc_span::Span;
use rekindle_graph::paths::normal;

use super::config_env::ConfigEnv;
use crate::value::{Item, Place, Replacement, SPREAD, Value};

/// Nested evaluations; what leads back to itself ends here.
pub(super) const DEEPEST: u32 = 100;

/// Evaluations in all; a file that needs more of them computes something.
const MOST_STEPS: usize = 400_000;

/// Characters of the code that is shown for what was lost.
const SHOWN: usize = 60;

/// A function of the file.
#[derive(Clone)]
pub(super) struct Function<'a> {
    pub params: &'a FormalParameters<'a>,
    pub body: Body<'a>,
    /// What it makes of a text, where it does nothing else.
    pub replacements: Option<Vec<Replacement>>,
}

#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Expression(&'a Expression<'a>),
    Statements(&'a FunctionBody<'a>),
}

impl<'a> Body<'a> {
    pub fn of_arrow(body: &'a ArrowFunctionBody<'a>) -> Option<Self> {
        match (body.as_expression(), body) {
            (Some(expression), _) => Some(Self::Expression(expression)),
            (None, ArrowFunctionBody::FunctionBody(body)) => Some(Self::Statements(body)),
            _ => None,
        }
    }
}

/// An object or a list, as names share it.
pub(super) struct Slot {
    pub value: Value,
    /// What changes it in a way that is not known.
    pub changed_at: Option<Place>,
}

/// A change that is not known, of the object in a place if that is known.
struct UnknownChange {
    of: Option<usize>,
    code: String,
    place: Place,
}

pub(super) struct Evaluator<'a, 's> {
    pub source: &'s str,
    pub file: &'s Path,
    pub config_env: ConfigEnv<'s>,
    pub depth: u32,
    steps: usize,
    /// It is not known whether what is being evaluated runs, or how often.
    pub unsure: bool,
    /// The file has run.
    finishing: bool,
    pub files: Vec<PathBuf>,
    pub scopes: Vec<HashMap<String, Item>>,
    pub objects: Vec<Slot>,
    pub functions: Vec<Function<'a>>,
    /// Places that are being read; an object may contain itself.
    reading: Vec<usize>,
    /// Places that the export has.
    seen: HashSet<usize>,
    lost: Vec<UnknownChange>,
    pub export: Option<Item>,
    /// Variables of the environment that the file sets.
    pub variables: HashMap<String, Value>,
}

impl<'a, 's> Evaluator<'a, 's> {
    pub fn new(source: &'s str, file: &'s Path, config_env: ConfigEnv<'s>) -> Self {
        Self {
            source,
            file,
            config_env,
            depth: 0,
            steps: 0,
            unsure: false,
            finishing: false,
            files: Vec::new(),
            scopes: vec![HashMap::new()],
            objects: Vec::new(),
            functions: Vec::new(),
            reading: Vec::new(),
            seen: HashSet::new(),
            lost: Vec::new(),
            export: None,
            variables: HashMap::new(),
        }
    }

    pub fn item(&self, start: u32, value: Value) -> Item {
        let before = &self.source.as_bytes()[..start as usize];
        let line = before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        Item { value, place: Place::Line(line) }
    }

    pub fn unknown(&self, start: u32) -> Item {
        self.item(start, Value::Unknown)
    }

    /// So many evaluations more, if there may be.
    pub fn has_steps(&mut self, count: usize) -> bool {
        self.steps = self.steps.saturating_add(count);
        self.steps < MOST_STEPS
    }

    pub fn bind(&mut self, name: &str, item: Item) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_owned(), item);
        }
    }

    pub fn binding(&self, name: &str) -> Option<&Item> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    pub fn in_scope<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(HashMap::new());
        let result = run(self);
        self.scopes.pop();
        result
    }

    /// Runs what may run, or not, or more than once.
    pub fn unsurely<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.unsure, true);
        let result = run(self);
        self.unsure = before;
        result
    }

    /// What a write gives where it is not known whether it takes place.
    pub fn sure(&self, item: Item) -> Item {
        if self.unsure { Item { value: Value::Unknown, ..item } } else { item }
    }

    /// A path that is relative to the file.
    pub fn here(&self, path: &str) -> PathBuf {
        normal(&self.file.parent().unwrap_or(self.file).join(path))
    }

    /// The same with a place of its own for each object and list that has none yet.
    pub fn share(&mut self, value: Value) -> Value {
        let mut shared = |item: Item| Item { value: self.share(item.value), place: item.place };
        let value = match value {
            Value::List(items) => Value::List(items.into_iter().map(shared).collect()),
            Value::Object(entries) => {
                Value::Object(entries.into_iter().map(|(name, item)| (name, shared(item))).collect())
            }
            other => return other,
        };
        self.objects.push(Slot { value, changed_at: None });
        Value::Shared(self.objects.len() - 1)
    }

    /// What stands in a place, with the places of its parts.
    pub fn opened(&mut self, value: Value) -> Value {
        let Value::Shared(id) = value else { return value };
        let size = match &self.objects[id].value {
            Value::List(items) => items.len(),
            Value::Object(entries) => entries.len(),
            _ => 0,
        };
        if !self.has_steps(size) {
            return Value::Unknown;
        }
        let mut value = self.objects[id].value.clone();
        if let Some(place) = self.objects[id].changed_at.filter(|_| !self.finishing) {
            let unknown = Item { value: Value::Unknown, place };
            match &mut value {
                Value::Object(entries) => entries.push((SPREAD.to_owned(), unknown)),
                Value::List(items) => items.push(unknown),
                _ => {}
            }
        }
        value
    }

    /// A value with all its parts, as it is now.
    pub fn read(&mut self, value: Value) -> Value {
        if !self.has_steps(1) || self.reading.len() >= DEEPEST as usize {
            return Value::Unknown;
        }
        match value {
            Value::Shared(id) if self.reading.contains(&id) => Value::Unknown,
            Value::Shared(id) => {
                if self.finishing {
                    self.seen.insert(id);
                }
                self.reading.push(id);
                let opened = self.opened(value);
                let read = self.read(opened);
                self.reading.pop();
                read
            }
            Value::List(items) => Value::List(self.read_all(items)),
            Value::Object(entries) => {
                let (names, items): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
                Value::Object(names.into_iter().zip(self.read_all(items)).collect())
            }
            Value::Call { package, name, args } => Value::Call { package, name, args: self.read_all(args) },
            Value::Function(id) => {
                let replacements = self.functions[id].replacements.clone().or_else(|| self.replacements(id));
                replacements.map_or(Value::Unknown, Value::Rewriter)
            }
            Value::Import { .. } => Value::Unknown,
            other => other,
        }
    }

    fn read_all(&mut self, items: Vec<Item>) -> Vec<Item> {
        items.into_iter().map(|item| Item { value: self.read(item.value), place: item.place }).collect()
    }

    /// The export with all its parts, and what was meant for them and lost.
    pub fn finish(&mut self, export: Item) -> (Item, Vec<(String, Place)>) {
        self.finishing = true;
        let value = Item { value: self.read(export.value), place: export.place };
        let mut lost: Vec<(String, Place)> = Vec::new();
        for it in std::mem::take(&mut self.lost) {
            let entry = (it.code, it.place);
            if it.of.is_none_or(|id| self.seen.contains(&id)) && !lost.contains(&entry) {
                lost.push(entry);
            }
        }
        (value, lost)
    }

    /// Notes that an object was changed in a way that is not known.
    pub fn lose(&mut self, of: Option<usize>, code: Span) {
        let place = self.unknown(code.start).place;
        if let Some(id) = of {
            self.objects[id].changed_at = Some(place);
        }
        let words: Vec<&str> = code.source_text(self.source).split_whitespace().collect();
        let mut code = words.join(" ");
        if let Some((end, _)) = code.char_indices().nth(SHOWN) {
            code.truncate(end);
            code.push('…');
        }
        self.lost.push(UnknownChange { of, code, place });
    }
}
