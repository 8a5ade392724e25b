//! Small modules that compiled code imports: what TypeScript's decorators and class fields are lowered to.
//!
//! Written from the semantics TypeScript documents for `experimentalDecorators`; names as oxc calls them.

use std::borrow::Cow;

use rekindle_graph::ModuleUrl;

use crate::kind::node_module;

/// Prefix of helper modules that compiled TypeScript imports; their sources are in the binary.
pub(crate) const HELPERS: &str = "@oxc-project/runtime/helpers/";
/// Where those helpers are found in the browser.
pub const HELPER_URL: &str = "/@rekindle/helpers/";
/// What a package's `"browser": {"x": false}` stands for.
pub const EMPTY_URL: &str = "/@rekindle/helpers/empty.js";
/// What a module of Node stands for, with its name and its importer behind it.
pub const NODE_URL: &str = "/@rekindle/helpers/node.cjs";

/// Source of a helper module by its name in the browser.
pub fn source(url: &ModuleUrl) -> Option<Cow<'static, str>> {
    if url.path() == NODE_URL {
        return Some(absent_of_node(url).into());
    }
    let name = url.as_str().strip_prefix(HELPER_URL)?.strip_suffix(".js")?;
    SOURCES.iter().find(|(known, _)| *known == name).map(|(_, source)| (*source).into())
}

/// A stand-in for a Node module: empty. The first use of one of its names is reported with the module that imported it.
fn absent_of_node(stand_in: &ModuleUrl) -> String {
    let (name, importer) = node_module(stand_in);
    let read = serde_json::Value::from(format!("`{name}.%` is a Node function and does not exist in the browser"));
    let by = serde_json::Value::from(format!("(`{name}` was imported by {importer})"));
    format!(
        r#"
const silent = new Set(['__esModule', 'default', 'then', 'constructor', 'prototype', 'splice', '$$typeof', 'toJSON'])
module.exports = Object.create(new Proxy({{}}, {{
  get(_, key) {{
    if (typeof key !== 'string' || silent.has(key) || key in Object.prototype) return undefined
    silent.add(key)
    console.warn('[rekindle]', {read}.replace('%', key), {by})
    return undefined
  }},
}}))
"#
    )
}

/// What the user is told where `importer` imports the module of Node `name`.
pub fn node_module_note(name: &str, importer: &str) -> String {
    format!("`{name}` is a Node module and empty in the page, imported by {importer}")
}

const SOURCES: &[(&str, &str)] = &[
    ("empty", "module.exports = {}\n"),
    (
        "decorate",
        r#"
/** Applies decorators from the last to the first: to a class, to a property, or to a method's descriptor. */
export default function decorate(decorators, target, key, descriptor) {
  const isMember = arguments.length > 2
  let result = target
  if (isMember) result = descriptor === null ? Object.getOwnPropertyDescriptor(target, key) : descriptor
  for (const decorator of [...decorators].reverse()) {
    if (!decorator) continue
    const returned = !isMember ? decorator(result) : arguments.length > 3 ? decorator(target, key, result) : decorator(target, key)
    result = returned || result
  }
  if (arguments.length > 3 && result) Object.defineProperty(target, key, result)
  return result
}
"#,
    ),
    ("decorateParam", "export default (index, decorator) => (target, key) => decorator(target, key, index)\n"),
    (
        "decorateMetadata",
        "export default (key, value) => typeof Reflect === 'object' && typeof Reflect.metadata === 'function' ? Reflect.metadata(key, value) : undefined\n",
    ),
    (
        "defineProperty",
        r#"
export default function defineProperty(object, key, value) {
  return Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}
"#,
    ),
    (
        "toPropertyKey",
        "export default (value) => (typeof value === 'symbol' ? value : Reflect.ownKeys({ [value]: 0 })[0])\n",
    ),
    (
        "checkInRHS",
        r#"
export default function checkInRHS(value) {
  if (Object(value) !== value) throw new TypeError(`the right side of "in" is no object but ${value === null ? 'null' : typeof value}`)
  return value
}
"#,
    ),
    ("readOnlyError", "export default (name) => { throw new TypeError(`\"${name}\" is read-only`) }\n"),
    ("writeOnlyError", "export default (name) => { throw new TypeError(`\"${name}\" is write-only`) }\n"),
    (
        "toSetter",
        r#"
/** An object whose property `_` is set by a call: for `[this.#x] = list`. */
export default function toSetter(set, before, receiver) {
  const parameters = before || []
  const at = parameters.length++
  return Object.defineProperty({}, '_', {
    set(value) {
      parameters[at] = value
      set.apply(receiver, parameters)
    },
  })
}
"#,
    ),
    (
        "superPropGet",
        r#"
/** `super.key`, outside of a method. Flags: 1 through the prototype, 2 the value will be called with a list. */
export default function superPropGet(home, key, receiver, flags) {
  const value = Reflect.get(Object.getPrototypeOf(flags & 1 ? home.prototype : home), key, receiver)
  return flags & 2 && typeof value === 'function' ? (list) => value.apply(receiver, list) : value
}
"#,
    ),
    (
        "superPropSet",
        r#"
/** `super.key = value`, outside of a method. */
export default function superPropSet(home, key, value, receiver, isStrict, isPrototype) {
  const parent = Object.getPrototypeOf(isPrototype ? home.prototype : home)
  if (!Reflect.set(parent, key, value, receiver) && isStrict) throw new TypeError(`cannot set ${String(key)}`)
  return value
}
"#,
    ),
    (
        "assertClassBrand",
        r#"
/** Gives `receiver`, or `value` if there is one, when the private name is the receiver's; `brand` is the class or who has it. */
export default function assertClassBrand(brand, receiver, value) {
  const has = typeof brand === 'function' ? brand === receiver : brand.has(receiver)
  if (!has) throw new TypeError('this object has no such private member')
  return arguments.length < 3 ? receiver : value
}
"#,
    ),
    ("classPrivateMethodInitSpec", "export default (receiver, members) => { members.add(receiver) }\n"),
    ("classPrivateFieldInitSpec", "export default (receiver, fields, value) => { fields.set(receiver, value) }\n"),
    (
        "classPrivateFieldGet2",
        r#"
import assertClassBrand from '@oxc-project/runtime/helpers/assertClassBrand'
export default (fields, receiver) => fields.get(assertClassBrand(fields, receiver))
"#,
    ),
    (
        "classPrivateFieldSet2",
        r#"
import assertClassBrand from '@oxc-project/runtime/helpers/assertClassBrand'
export default (fields, receiver, value) => (fields.set(assertClassBrand(fields, receiver), value), value)
"#,
    ),
];
