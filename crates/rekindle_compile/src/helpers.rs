//! Small modules that compiled code imports: what TypeScript's decorators and class fields are lowered to.
//!
//! Written from the semantics TypeScript documents for `experimentalDecorators`; names as oxc calls them.

/// Source of a helper module by its name in the browser.
pub fn source(url: &str) -> Option<&'static str> {
    let name = url.strip_prefix(crate::resolve::HELPER_URL)?.strip_suffix(".js")?;
    SOURCES.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}

const SOURCES: &[(&str, &str)] = &[
    ("empty", "export default {}\n"),
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
    ("classPrivateFieldLooseKey", "let count = 0\nexport default (name) => `__private_${count++}_${name}`\n"),
    (
        "classPrivateFieldLooseBase",
        r#"
export default function classPrivateFieldLooseBase(receiver, key) {
  if (!Object.hasOwn(receiver, key)) throw new TypeError('this object has no such private field')
  return receiver
}
"#,
    ),
];
