//! `server.proxy`: addresses that other servers answer.

use rekindle_compile::resolve::pattern::Pattern;

use crate::config::proxy::{Context, ProxyRule, Rewrite, Target};
use crate::key::Shape;
use crate::names::snake_case;
use crate::parts::headers;
use crate::reader::Reader;
use crate::value::{Item, Replacement, SPREAD, Value};

pub(crate) const SHAPE: Shape = Shape {
    read,
    typescript: "{ [context: string]: string | ProxyOptions }",
    schema: r#"{ "type": "object", "additionalProperties": { "anyOf": [
        { "type": "string" },
        { "type": "object", "properties": {
            "target": { "type": "string" },
            "change_origin": { "type": "boolean" },
            "rewrite": { "type": "array", "items": { "type": "object", "properties": { "from": { "type": "string" }, "to": { "type": "string" } }, "required": ["from", "to"], "additionalProperties": false } },
            "ws": { "type": "boolean" },
            "secure": { "type": "boolean" },
            "headers": { "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } },
            "xfwd": { "type": "boolean" },
            "rewrite_ws_origin": { "type": "boolean" }
        }, "required": ["target"], "additionalProperties": false }
    ] } }"#,
};

const FIELDS: &[&str] = &["target", "change_origin", "rewrite", "ws", "secure", "headers", "xfwd", "rewrite_ws_origin"];

fn read(reader: &mut Reader<'_>, name: &str, item: &Item) -> bool {
    let Value::Object(entries) = &item.value else {
        reader.mistyped(name, item, "a table from addresses to targets");
        return false;
    };
    let mut rules = Vec::new();
    for (key, item) in entries {
        let before = reader.problems.len();
        let rule = if let Err(message) = Context::parse(key) {
            reader.name_problem(item, message, None);
            None
        } else {
            rule(reader, name, key, item)
        };
        let part = format!("{name} {key}");
        // A rule without an option that was not understood might send requests elsewhere, so the whole rule is left out.
        if item.is_of_script() && reader.problems[before..].iter().any(|problem| problem.part.is_none()) {
            reader.problems.truncate(before);
            reader.problem(item, "this rule cannot be known without running it");
            reader.name_part(before, &part);
        } else {
            rules.extend(rule);
        }
    }
    let is_any_stored = !rules.is_empty();
    // The order in which they are written decides which of two rules comes first.
    reader.config.server.proxy = rules;
    is_any_stored
}

fn rule(reader: &mut Reader<'_>, name: &str, key: &str, item: &Item) -> Option<ProxyRule> {
    let table = format!("{name}.{key}");
    let entries = match &item.value {
        Value::Text(target) => {
            return ProxyRule::new(key, target).map_err(|message| reader.problem(item, message)).ok();
        }
        Value::Object(entries) => entries,
        _ => {
            reader.mistyped(&table, item, "a target, or a table with `target`");
            return None;
        }
    };
    let Some(target) = item.field("target") else {
        reader.problem(item, format!("`{name}.\"{key}\"` needs a `target`"));
        return None;
    };
    let mut rule = ProxyRule::new(key, "http://localhost").ok()?;
    (rule.ws, rule.target) = target_of(reader, &format!("{table}.target"), target)?;
    if !item.is_of_script() {
        reader.known(&table, entries, FIELDS);
    }
    for (field, item) in entries.iter().filter(|(_, item)| item.value != Value::Undefined) {
        take(reader, &mut rule, &table, field, item, &format!("{name} {key}"));
    }
    Some(rule)
}

/// One field of a rule, which `part` calls in the words of a configuration of Vite.
fn take(reader: &mut Reader<'_>, rule: &mut ProxyRule, table: &str, field: &str, item: &Item, part: &str) {
    let name = format!("{table}.{field}");
    let known = if item.is_of_script() { snake_case(field) } else { field.to_owned() };
    let mut switch = |to: &mut bool| {
        if let Some(is_on) = reader.boolean(&name, item) {
            *to = is_on;
        }
    };
    match known.as_str() {
        "target" => {}
        "change_origin" => switch(&mut rule.change_origin),
        "ws" => switch(&mut rule.ws),
        "secure" => switch(&mut rule.secure),
        "xfwd" => switch(&mut rule.xfwd),
        "rewrite_ws_origin" => switch(&mut rule.rewrite_ws_origin),
        "rewrite" => {
            if let Some(steps) = rewrite(reader, item) {
                rule.rewrite = steps;
            }
        }
        "headers" => {
            let before = reader.problems.len();
            match headers::list(reader, &name, item, false) {
                Some(headers) => rule.headers = headers,
                None if item.is_of_script() => {
                    reader.problems.truncate(before);
                    reader.problem(item, "these headers cannot be known");
                    reader.name_part(before, &format!("{part} headers"));
                }
                None => {}
            }
        }
        _ if !item.is_of_script() => {} // `known` has complained.
        "bypass" | "prepend_path" | "ignore_path" | "router" | "path_filter" => {
            reader.problem(item, "this decides where requests go");
        }
        _ if field == SPREAD => reader.problem(item, "this may decide where requests go"),
        _ => {
            let before = reader.problems.len();
            reader.problem(item, "this is no field of a rule");
            reader.name_part(before, &format!("{part} {field}"));
        }
    }
}

/// Whether it is a socket, and the target: `'http://localhost:3000'`, or in a configuration of Vite the parts of one.
fn target_of(reader: &mut Reader<'_>, name: &str, item: &Item) -> Option<(bool, Target)> {
    if !matches!(item.value, Value::Object(_)) || !item.is_of_script() {
        return reader.checked(name, item, Target::parse);
    }
    let part = |name: &str| item.value.property(name).and_then(Value::as_plain_text);
    let protocol = part("protocol").unwrap_or_else(|| "http:".to_owned());
    let port = part("port").map(|port| format!(":{port}")).unwrap_or_default();
    let host = part("host").or_else(|| part("hostname")).unwrap_or_default();
    let target = Target::parse(&format!("{}//{host}{port}", protocol.trim_end_matches('/')));
    target.map_err(|message| reader.problem(item, message)).ok()
}

/// Replacements in path and query: a list of tables, or in a configuration of Vite a function that does nothing else.
fn rewrite(reader: &mut Reader<'_>, item: &Item) -> Option<Vec<Rewrite>> {
    const WANTED: &str = "a list of tables with `from`, a pattern, and `to`";
    let list = match &item.value {
        Value::Rewriter(steps) => {
            let step = |step: &Replacement| {
                Ok(Rewrite { from: Pattern::new(&step.pattern, &step.flags)?, to: step.to.clone() })
            };
            let steps: Result<Vec<_>, String> = steps.iter().map(step).collect();
            return steps.map_err(|message| reader.problem(item, message)).ok();
        }
        Value::List(list) => list,
        _ => {
            reader.mistyped("rewrite", item, WANTED);
            return None;
        }
    };
    let mut steps = Vec::new();
    for entry in list {
        let Value::Object(entries) = &entry.value else {
            reader.problem(entry, format!("`rewrite` is {WANTED}"));
            continue;
        };
        reader.known("rewrite", entries, &["from", "to"]);
        let (Some(from), Some(to)) = (entry.field("from"), entry.field("to")) else {
            reader.problem(entry, "a step of `rewrite` needs `from` and `to`");
            continue;
        };
        let from = reader.checked("rewrite.from", from, |text| Pattern::new(text, ""));
        let to = reader.checked("rewrite.to", to, |text| Ok(text.to_owned()));
        steps.extend(from.zip(to).map(|(from, to)| Rewrite { from, to }));
    }
    Some(steps)
}
