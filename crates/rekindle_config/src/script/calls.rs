//! What calls give: those of Node's modules and of Vite that configurations use, and methods of lists and texts.

use std::path::{Path, PathBuf};

use oxc_ast::ast::*;
use oxc_span::Span;
use rekindle_compile::files::file;
use rekindle_compile::project::env::{Env, load_env};
use rekindle_graph::paths::normal;

use super::evaluator::Evaluator;
use super::operators::{
    as_number, as_path, as_text, is_known, leading_number, merge, of_bool, of_json, of_number, of_path, of_text, truth,
};
use crate::value::{Item, Place, Value, has_unknown_spread, json_text};

impl<'a> Evaluator<'a, '_> {
    pub fn call(&mut self, it: &'a CallExpression<'a>) -> Value {
        let value = self.call_value(it);
        if matches!(value, Value::Unknown | Value::Call { .. }) {
            self.callbacks(it, false);
        }
        value
    }

    pub fn call_value(&mut self, it: &'a CallExpression<'a>) -> Value {
        if let Some(value) = self.change_list(it) {
            return value;
        }
        let Some(args) = it.arguments.iter().map(Argument::as_expression).collect::<Option<Vec<_>>>() else {
            return Value::Unknown;
        };
        if let (Expression::Identifier(name), Some(Expression::StringLiteral(path))) = (&it.callee, args.first())
            && name.name == "require"
        {
            let package = path.value.to_string();
            let is_json = package.ends_with(".json");
            let import = Value::Import { package, name: "*".to_owned() };
            return if is_json { self.json_file(&self.here(&path.value)) } else { import };
        }
        match self.refer(&it.callee).value {
            Value::Import { package, name } if !package.is_empty() => {
                self.call_imported(&package, &name, &args, it.span)
            }
            Value::Function(id) => {
                let values = args.iter().map(|arg| self.refer(arg)).collect();
                self.call_function(id, values).map_or(Value::Unknown, |item| item.value)
            }
            _ => match &it.callee {
                Expression::StaticMemberExpression(member) => self.method(member, &args),
                _ => Value::Unknown,
            },
        }
    }

    fn call_imported(&mut self, package: &str, name: &str, args: &[&'a Expression<'a>], code: Span) -> Value {
        let mut value = |at: usize| args.get(at).map_or(Value::Undefined, |arg| self.eval(arg).value);
        match (package.strip_prefix("node:").unwrap_or(package), name) {
            // A function is asked where its answer is wanted.
            (_, "defineConfig") => args.first().map_or(Value::Unknown, |arg| self.refer(arg).value),
            ("vite" | "vitest/config", "mergeConfig") if args.len() > 1 => {
                let mut read = |at: usize| {
                    let side = self.refer(args[at]);
                    let side = self.answer(side);
                    self.read(side.value)
                };
                let first = read(0);
                merge(first, read(1))
            }
            ("vite", "loadEnv") => {
                let (mode, folder) = (value(0), value(1));
                let prefixes = value(2);
                self.load_env(mode, folder, prefixes)
            }
            ("vite", "normalizePath") => value(0),
            ("path" | "path/posix", "resolve" | "join" | "dirname" | "normalize" | "basename") => {
                let parts: Option<Vec<String>> = args.iter().map(|arg| self.path_of(arg)).collect();
                parts.map_or(Value::Unknown, |parts| self.path(name, &parts))
            }
            ("url", "fileURLToPath") => of_text(as_path(&value(0))),
            ("url", "pathToFileURL") => as_path(&value(0)).map_or(Value::Unknown, |path| Value::FileUrl(path.into())),
            ("fs", "readFileSync") => match as_path(&value(0)) {
                Some(path) => Value::FileText(normal(&self.config_env.folder.join(path))),
                None => Value::Unknown,
            },
            ("process", "cwd") | ("global", "process.cwd") => of_path(self.config_env.folder),
            ("global", "Object.assign") => {
                let values = args.iter().map(|arg| self.refer(arg)).collect();
                self.assign_all(values, code)
            }
            ("global", name) => match args {
                [arg] => self.call_global(name, arg),
                _ => match (name, value(0)) {
                    ("parseInt" | "Number.parseInt", text) => {
                        of_number(as_text(&text).map(|it| leading_number(&it, false)))
                    }
                    _ => Value::Unknown,
                },
            },
            _ if package.ends_with(".json") => Value::Unknown,
            _ => Value::Call {
                package: package.to_owned(),
                name: name.to_owned(),
                args: args.iter().map(|arg| self.refer(arg)).collect(),
            },
        }
    }

    /// A function of the language, of one argument.
    fn call_global(&mut self, name: &str, arg: &'a Expression<'a>) -> Value {
        let reference = self.refer(arg).value;
        match name {
            "Object.freeze" | "Object.seal" | "Object.preventExtensions" => return reference,
            "Object.keys" | "Object.values" | "Object.entries" => {
                return match self.opened(reference) {
                    Value::Object(entries) if !has_unknown_spread(&entries) => entry_list(name, entries),
                    _ => Value::Unknown,
                };
            }
            _ => {}
        }
        let value = self.read(reference);
        match (name, &value) {
            ("JSON.stringify", value) => of_text(json_text(value)),
            ("JSON.parse", Value::FileText(path)) => self.json_file(path),
            ("JSON.parse", Value::Text(text)) => parse_json(text),
            ("String", value) => of_text(as_text(value)),
            ("Number", value) => of_number(as_number(value)),
            ("Boolean", value) => of_bool(truth(value)),
            ("parseInt" | "Number.parseInt", value) => of_number(as_text(value).map(|it| leading_number(&it, false))),
            ("parseFloat" | "Number.parseFloat", value) => {
                of_number(as_text(value).map(|it| leading_number(&it, true)))
            }
            _ => Value::Unknown,
        }
    }

    fn method(&mut self, member: &'a StaticMemberExpression<'a>, args: &[&'a Expression<'a>]) -> Value {
        let is_boolean = |arg: &&Expression| matches!(arg, Expression::Identifier(id) if id.name == "Boolean");
        let object = self.refer(&member.object).value;
        match (self.opened(object), member.property.name.as_str()) {
            // `[react(), isDev && inspect()].filter(Boolean)`
            (Value::List(items), "filter") if args.first().is_some_and(is_boolean) => {
                Value::List(items.into_iter().filter(|item| truth(&item.value) != Some(false)).collect())
            }
            (Value::List(items), name @ ("forEach" | "map")) => {
                let Some(Value::Function(step)) = args.first().map(|arg| self.refer(arg).value) else {
                    return Value::Unknown;
                };
                self.each(items, step, name == "map")
            }
            (Value::List(items), "concat") => {
                let more: Vec<Item> = args.iter().map(|arg| self.refer(arg)).collect();
                Value::List(items.into_iter().chain(self.flat(more)).collect())
            }
            (Value::List(items), "flat") => Value::List(self.flat(items)),
            (value @ (Value::Text(_) | Value::Number(_) | Value::FileUrl(_)), "toString") => of_text(as_text(&value)),
            (Value::FileText(path), "toString") => Value::FileText(path),
            (Value::Text(text), "trim") => Value::Text(text.trim().to_owned()),
            _ => Value::Unknown,
        }
    }

    fn each(&mut self, items: Vec<Item>, step: usize, keeps: bool) -> Value {
        let are_known = items.iter().all(|item| is_known(&item.value));
        let turn = |(at, item): (usize, Item)| {
            let at = Item { value: Value::Number(at as f64), place: item.place };
            self.call_function(step, vec![item, at])
        };
        match items.into_iter().enumerate().map(turn).collect::<Option<Vec<_>>>().filter(|_| are_known) {
            Some(items) if keeps => Value::List(items),
            Some(_) => Value::Undefined,
            None => Value::Unknown,
        }
    }

    fn flat(&mut self, items: Vec<Item>) -> Vec<Item> {
        let mut flat = Vec::new();
        for item in items {
            match self.opened(item.value.clone()) {
                Value::List(inner) => flat.extend(inner),
                _ => flat.push(item),
            }
        }
        flat
    }

    fn path(&self, name: &str, parts: &[String]) -> Value {
        let first = Path::new(parts.first().map_or("", String::as_str));
        let mut path = PathBuf::new();
        match name {
            "dirname" => return of_path(first.parent().unwrap_or(Path::new("."))),
            "basename" => return of_text(first.file_name().map(|name| name.to_string_lossy().into_owned())),
            "resolve" => {
                path.push(self.config_env.folder);
                path.extend(parts);
            }
            _ => parts.iter().for_each(|part| {
                path.push(part.strip_prefix('/').filter(|_| !path.as_os_str().is_empty()).unwrap_or(part))
            }),
        }
        let ends_with_slash = name != "resolve" && parts.last().is_some_and(|part| part.ends_with('/'));
        Value::Text(format!("{}{}", normal(&path).display(), if ends_with_slash { "/" } else { "" }))
    }

    fn load_env(&mut self, mode: Value, folder: Value, prefixes: Value) -> Value {
        let prefixes: Option<Vec<String>> = match prefixes {
            Value::Undefined => Some(vec!["VITE_".to_owned()]),
            Value::Text(prefix) => Some(vec![prefix]),
            Value::List(items) => items.iter().map(|item| as_text(&item.value)).collect(),
            _ => None,
        };
        let (Value::Text(mode), Some(folder), Some(prefixes)) = (mode, as_path(&folder), prefixes) else {
            return Value::Unknown;
        };
        let folder = normal(&self.config_env.folder.join(folder));
        self.files.extend(Env::files(&folder, &mode));
        let env = load_env(&folder, &mode, self.config_env.variables, &|path| file::read_text(path).ok());
        let entry = |(name, value)| (name, Item { value: Value::Text(value), place: Place::Line(0) });
        Value::Object(env.exposed(&prefixes).into_iter().map(entry).collect())
    }

    pub fn json_file(&mut self, path: &Path) -> Value {
        self.files.push(path.to_owned());
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        file::read_text(path).ok().filter(|_| is_json).map_or(Value::Unknown, |text| parse_json(&text))
    }
}

fn parse_json(text: &str) -> Value {
    serde_json::from_str::<serde_json::Value>(text).map_or(Value::Unknown, |value| of_json(&value))
}

/// `Object.keys`, `Object.values` or `Object.entries` of an object.
fn entry_list(name: &str, entries: Vec<(String, Item)>) -> Value {
    let part = |(key, item): (String, Item)| {
        let (place, key) = (item.place, Item { value: Value::Text(key), place: item.place });
        match name {
            "Object.keys" => key,
            "Object.values" => item,
            _ => Item { value: Value::List(vec![key, item]), place },
        }
    };
    Value::List(entries.into_iter().map(part).collect())
}
