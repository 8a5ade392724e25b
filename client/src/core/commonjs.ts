/**
 * CommonJS modules: `require`, `module.exports` as a namespace, and what `require` gives for an ES module.
 *
 *     module.exports = { a: 1, __esModule: true, default: f }
 *     import { a } from …        reads exports.a
 *     import d from …            exports.default for importers with `Meta.babel`, otherwise module.exports, as in Node
 */
import type { ModuleGraph } from './graph'
import type { CommonjsModule, Instance, Namespace } from './instance'

export class Commonjs {
  /** What `require` has given for ES modules, by namespace: the same object each time. */
  private readonly views = new WeakMap<Namespace, object>()

  constructor(
    private readonly graph: ModuleGraph,
    /** Runs a required module, and what it imports, unless it has run. */
    private readonly run: (dep: Instance, by: Instance) => void,
  ) {}

  /** `require` of one module. A required module runs when it is required for the first time, as in Node. */
  requireOf(instance: Instance): (specifier: unknown) => unknown {
    const { meta, links } = instance.definition
    const known = new Map(meta.deps.map((specifier, at) => [specifier, links[at]]))
    // The same specifier may mean one file in a `require` and another one in an `import()`: here that of the `require` counts.
    meta.deps.forEach((specifier, at) => !meta.dynamic?.includes(at) && known.set(specifier, links[at]))
    const find = (specifier: string): Instance => {
      const link = known.get(specifier)
      const dep = typeof link === 'string' ? this.graph.instances.get(link) : undefined
      if (dep) return dep
      const why = Array.isArray(link) ? `${specifier} is an address, which cannot be required` : `cannot find module '${specifier}'`
      throw Object.assign(new Error(`${why}, required by ${instance.id}`), { code: 'MODULE_NOT_FOUND' })
    }
    const require = (specifier: unknown) => {
      const dep = find(String(specifier))
      this.run(dep, instance)
      return this.valueOf(dep)
    }
    return Object.assign(require, { resolve: (specifier: unknown) => find(String(specifier)).id, cache: {}, main: undefined, extensions: {} })
  }

  /** What `require` gives. For an ES module it is the namespace with `__esModule`, by which compiled code recognizes ES modules. */
  private valueOf(dep: Instance): unknown {
    if (dep.cjs) return dep.cjs.exports
    const { namespace } = dep
    if (dep.definition.meta.value) return namespace.default
    if (Object.hasOwn(namespace, 'module.exports')) return namespace['module.exports']
    let view = this.views.get(namespace)
    if (!view) {
      view = Object.hasOwn(namespace, '__esModule') ? {} : Object.defineProperty({}, '__esModule', { value: true })
      for (const name of Object.keys(namespace)) Object.defineProperty(view, name, { enumerable: true, get: () => namespace[name] })
      this.views.set(namespace, view)
    }
    return view
  }
}

/** Makes the namespaces of a CommonJS module from what `module.exports` is now. */
export function setCommonjsNamespace(instance: Instance): void {
  const module = instance.cjs!
  instance.namespace = commonjsNamespace(module, () => module.exports)
  const marked = isObject(module.exports) && module.exports.__esModule && 'default' in module.exports
  instance.babel = marked ? commonjsNamespace(module, () => module.exports.default) : instance.namespace
}

/**
 * The properties of `module.exports` as exports. Properties that are inherited, or added later, are found through the prototype of
 * the namespace, which is `module.exports` itself.
 */
function commonjsNamespace(module: CommonjsModule, defaultExport: () => unknown): Namespace {
  const names = isObject(module.exports) && !Array.isArray(module.exports) ? Object.keys(module.exports) : []
  const namespace: Namespace = {}
  for (const name of new Set(['default', ...names].sort())) {
    if (name === '__esModule') continue
    Object.defineProperty(namespace, name, { enumerable: true, get: name === 'default' ? defaultExport : () => module.exports[name] })
  }
  Object.defineProperty(namespace, Symbol.toStringTag, { value: 'Module' })
  Object.setPrototypeOf(namespace, isObject(module.exports) ? module.exports : null)
  return Object.seal(namespace)
}

function isObject(value: unknown): value is Namespace {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
