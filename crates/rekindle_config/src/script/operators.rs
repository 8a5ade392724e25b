//! Values without the file around them: what operators and conversions make of them.

use std::path::Path;

use oxc_ast::ast::BinaryOperator;

use crate::value::{Item, Place, SPREAD, Value, has_unknown_spread, number_text};

/// Whether it is known what a value is, if not what it holds.
pub(super) fn is_known(value: &Value) -> bool {
    !matches!(value, Value::Unknown | Value::Import { .. })
}

pub(super) fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Undefined | Value::Null)
}

pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Undefined | Value::Null => Some(false),
        Value::Bool(value) => Some(*value),
        Value::Number(number) => Some(*number != 0.0 && !number.is_nan()),
        Value::Text(text) => Some(!text.is_empty()),
        value => is_known(value).then_some(true),
    }
}

pub(super) fn of_text(text: Option<String>) -> Value {
    text.map_or(Value::Unknown, Value::Text)
}

pub(super) fn of_bool(value: Option<bool>) -> Value {
    value.map_or(Value::Unknown, Value::Bool)
}

pub(super) fn of_number(value: Option<f64>) -> Value {
    value.map_or(Value::Unknown, Value::Number)
}

pub(super) fn of_path(path: &Path) -> Value {
    Value::Text(path.display().to_string())
}

pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(number_text(*number)),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null => Some("null".to_owned()),
        Value::Undefined => Some("undefined".to_owned()),
        Value::FileUrl(path) => Some(format!("file://{}", path.display())),
        _ => None,
    }
}

/// What `Number()` makes of a value.
pub(super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Undefined => Some(f64::NAN),
        Value::Null => Some(0.0),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Number(number) => Some(*number),
        Value::Text(text) if text.trim().is_empty() => Some(0.0),
        Value::Text(text) => Some(text.trim().parse().unwrap_or(f64::NAN)),
        _ => None,
    }
}

/// `3000px` → 3000
pub(super) fn leading_number(text: &str, keeps_fraction: bool) -> f64 {
    let text = text.trim();
    let digits = text.trim_start_matches(['-', '+']);
    let is_part = |c: char| c.is_ascii_digit() || (keeps_fraction && c == '.');
    let end = text.len() - digits.len() + digits.find(|c| !is_part(c)).unwrap_or(digits.len());
    text[..end].parse().unwrap_or(f64::NAN)
}

pub(super) fn as_path(value: &Value) -> Option<String> {
    match value {
        Value::FileUrl(path) => Some(path.display().to_string()),
        Value::Text(text) => Some(text.strip_prefix("file://").unwrap_or(text).to_owned()),
        _ => None,
    }
}

pub(super) fn property_of(object: &Value, key: &str) -> Value {
    match (object, key) {
        (Value::Object(entries), _) if has_unknown_spread(entries) => Value::Unknown,
        (Value::Object(entries), _) => {
            let found = entries.iter().rev().find(|(name, _)| name == key);
            found.map_or(Value::Undefined, |(_, item)| item.value.clone())
        }
        (Value::FileUrl(path), "pathname") => of_path(path),
        (Value::FileUrl(_), "href") => of_text(as_text(object)),
        (Value::List(items), "length") => Value::Number(items.len() as f64),
        (Value::List(items), at) => match at.parse::<usize>() {
            Ok(at) => items.get(at).map_or(Value::Undefined, |item| item.value.clone()),
            Err(_) => Value::Unknown,
        },
        (Value::Text(text), "length") => Value::Number(text.encode_utf16().count() as f64),
        (Value::Undefined, _) => Value::Undefined,
        _ => Value::Unknown,
    }
}

pub(super) fn binary(operator: BinaryOperator, left: &Value, right: &Value) -> Value {
    use BinaryOperator::{Addition, Equality, Inequality, StrictEquality, StrictInequality};
    let equal = match operator {
        StrictEquality | StrictInequality => same(left, right),
        Equality | Inequality if is_nothing(left) && is_nothing(right) => Some(true),
        // Other kinds are turned into each other.
        Equality | Inequality => same(left, right).filter(|same| {
            let is_one_kind = std::mem::discriminant(left) == std::mem::discriminant(right);
            *same || is_nothing(left) || is_nothing(right) || is_one_kind
        }),
        Addition => return added(left, right),
        _ => return compared(operator, left, right),
    };
    let wanted = matches!(operator, StrictEquality | Equality);
    of_bool(equal.map(|equal| equal == wanted))
}

/// Whether two values are one; of objects only that they are something.
fn same(left: &Value, right: &Value) -> Option<bool> {
    let is_plain = |value: &Value| {
        matches!(value, Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_))
    };
    match (left, right) {
        (left, right) if is_plain(left) && is_plain(right) => Some(left == right),
        (Value::Shared(left), Value::Shared(right)) => Some(left == right),
        (Value::Shared(_), plain) | (plain, Value::Shared(_)) if is_plain(plain) => Some(false),
        _ => None,
    }
}

pub(super) fn added(left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Value::Number(left + right),
        (Value::Text(_), _) | (_, Value::Text(_)) => of_text(as_text(left).zip(as_text(right)).map(|(a, b)| a + &b)),
        _ => Value::Unknown,
    }
}

fn compared(operator: BinaryOperator, left: &Value, right: &Value) -> Value {
    let (Value::Number(left), Value::Number(right)) = (left, right) else { return Value::Unknown };
    match operator {
        BinaryOperator::LessThan => Value::Bool(left < right),
        BinaryOperator::LessEqualThan => Value::Bool(left <= right),
        BinaryOperator::GreaterThan => Value::Bool(left > right),
        BinaryOperator::GreaterEqualThan => Value::Bool(left >= right),
        BinaryOperator::Subtraction => Value::Number(left - right),
        BinaryOperator::Multiplication => Value::Number(left * right),
        BinaryOperator::Division => Value::Number(left / right),
        _ => Value::Unknown,
    }
}

/// Something imported. The lists that Vite exports, by which configurations name its defaults, are known.
pub(super) fn imported(package: &str, name: &str) -> Value {
    let names: &[&str] = match (package, name) {
        ("vite", "defaultClientConditions") => &["module", "browser", "development|production"],
        ("vite", "defaultServerConditions") => &["module", "node", "development|production"],
        ("vite", "defaultClientMainFields") => &["browser", "module", "jsnext:main", "jsnext"],
        ("vite", "defaultServerMainFields") => &["module", "jsnext:main", "jsnext"],
        _ => return Value::Import { package: package.to_owned(), name: name.to_owned() },
    };
    let item = |name: &&str| Item { value: Value::Text((*name).to_owned()), place: Place::Line(0) };
    Value::List(names.iter().map(item).collect())
}

pub(super) fn of_json(value: &serde_json::Value) -> Value {
    let item = |value: &serde_json::Value| Item { value: of_json(value), place: Place::Line(0) };
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(item).collect()),
        serde_json::Value::Object(entries) => {
            Value::Object(entries.iter().map(|(name, value)| (name.clone(), item(value))).collect())
        }
    }
}

/// Sets a name, in place of an earlier value.
pub(super) fn set(entries: &mut Vec<(String, Item)>, name: String, item: Item) {
    match entries.iter_mut().find(|(known, _)| *known == name) {
        Some(entry) => entry.1 = item,
        None => entries.push((name, item)),
    }
}

/// What `mergeConfig` does: objects are merged, lists joined, the rest is replaced.
pub(super) fn merge(left: Value, right: Value) -> Value {
    let unknown = || (SPREAD.to_owned(), Item { value: Value::Unknown, place: Place::Line(0) });
    match (left, right) {
        (Value::Object(mut left), Value::Object(right)) => {
            for (name, item) in right {
                match left.iter().position(|(known, _)| *known == name) {
                    Some(at) => {
                        let old = std::mem::replace(&mut left[at].1.value, Value::Undefined);
                        left[at].1 = Item { value: merge(old, item.value), place: item.place };
                    }
                    None => left.push((name, item)),
                }
            }
            Value::Object(left)
        }
        (Value::List(mut left), Value::List(right)) => {
            left.extend(right);
            Value::List(left)
        }
        (left, Value::Undefined | Value::Null) => left,
        (Value::Unknown, Value::Object(mut known)) | (Value::Object(mut known), Value::Unknown) => {
            known.push(unknown());
            Value::Object(known)
        }
        (_, right) => right,
    }
}
