/**
 * Links instances: finds where each export is declared, makes namespaces, checks imported names, and connects imports to exports.
 *
 *     // main.js: import { row } from './list.js'        // list.js: export * from './row.js'
 *     `row` of main.js reads the getter of row.js directly: list.js passes the name on, and is skipped
 *
 * Names that are passed on (`export … from`, `export *`) are resolved before any module runs, by the ambiguity rules of ECMA-262
 * section 16.2.1.7. What a CommonJS module exports is known only after it has run, so what passes its names on is linked again then.
 */
import { isPicked, modulesOf, type PickedNames } from './definition'
import type { ModuleGraph } from './graph'
import { MissingExport, type Instance, type Namespace, type Origin } from './instance'
import type { ModuleId } from './messages'

/** A name that two modules behind `export *` export: it is not exported. */
const AMBIGUOUS = Symbol('ambiguous')

/** Where the exports of an instance are declared, as far as that is known. */
type Origins = Map<string, Origin | typeof AMBIGUOUS>

export class Linker {
  constructor(private readonly graph: ModuleGraph) {}

  /** Links new instances to each other and to those that are live. */
  linkAll(instances: Instance[]): void {
    this.resolveExports(instances)
    for (const instance of instances) this.makeNamespace(instance)
    for (const instance of instances) this.checkNames(instance)
    for (const instance of instances) this.link(instance)
  }

  /** Links an instance again, because a CommonJS module whose exports it needs has run. */
  relink(instance: Instance): void {
    if (instance.resolved) {
      this.resolveExports([instance])
      this.makeNamespace(instance)
    }
    this.checkNames(instance)
    this.link(instance)
  }

  /**
   * Connects every module that imports one of `replaced`, directly or through modules that pass names on, to the new exports. No
   * module runs again. Gives an error for each import whose name does not exist any more.
   */
  rebind(replaced: ReadonlySet<ModuleId>): SyntaxError[] {
    const { instances, importers: importersOf } = this.graph
    const renewed = new Set(replaced)
    for (const id of renewed) {
      for (const importer of importersOf.get(id) ?? []) {
        const { stars, from } = instances.get(importer)?.definition.meta ?? {}
        if ((stars || from) && !replaced.has(importer)) renewed.add(importer)
      }
    }
    const passing = [...renewed].filter((id) => !replaced.has(id)).map((id) => instances.get(id)!)
    this.resolveExports(passing)
    for (const instance of passing) this.makeNamespace(instance)
    const importers = new Set<ModuleId>()
    for (const id of renewed) for (const importer of importersOf.get(id) ?? []) importers.add(importer)
    const gone: SyntaxError[] = []
    for (const id of importers) {
      const importer = instances.get(id)!
      this.link(importer)
      try {
        if (!replaced.has(id)) this.checkNames(importer)
      } catch (error) {
        gone.push(error as SyntaxError)
      }
    }
    return gone
  }

  /** Whether an instance can be linked to its end only now: a module that it imports gets exports by running. */
  hasOpenDep(instance: Instance): boolean {
    return instance.definition.links.some((link, at) => {
      if (isPicked(link)) return modulesOf(link).some((id) => this.graph.instances.get(id)?.open)
      const dep = this.dep(instance, at)
      return dep?.cjs || dep?.open
    })
  }

  /** The namespace of dependency `at`, as its importer sees it. */
  namespaceOfDep(instance: Instance, at: number): Namespace {
    const { links, meta } = instance.definition
    const link = links[at]
    if (isPicked(link)) return this.pickedNamespace(link)
    const dep = this.dep(instance, at)!
    return dep.cjs && meta.babel ? dep.babel : dep.namespace
  }

  // ---- where exports are declared

  /** Finds where each passed-on name is declared. Import cycles take more than one round; each round only adds names. */
  private resolveExports(order: Instance[]): void {
    const passing = order.filter(({ definition: { meta } }) => meta.stars || meta.from)
    for (const instance of passing) instance.resolved = new Map()
    const pending = new Map<Instance, Origins>()
    for (const instance of passing) pending.set(instance, this.ownOrigins(instance))
    for (let changed = passing.length > 0; changed;) {
      changed = false
      for (const [instance, origins] of pending) {
        const before = origins.size
        const opened = this.resolveFrom(instance, origins, pending)
        const clashed = this.resolveStars(instance, origins, pending)
        changed ||= opened || clashed || origins.size > before
      }
    }
    for (const [instance, origins] of pending) {
      for (const [name, origin] of origins) if (origin !== AMBIGUOUS) instance.resolved!.set(name, origin)
    }
  }

  private ownOrigins(instance: Instance): Origins {
    const from = instance.definition.meta.from ?? {}
    const own = Object.keys(instance.getters).filter((name) => !Object.hasOwn(from, name))
    return new Map(own.map((name) => [name, { home: instance, name }]))
  }

  /** Resolves `export { name } from`. True if the instance turned out to pass on names that are not known yet. */
  private resolveFrom(instance: Instance, origins: Origins, pending: Map<Instance, Origins>): boolean {
    let opened = false
    for (const [name, [dep, imported]] of Object.entries(instance.definition.meta.from ?? {})) {
      if (origins.has(name)) continue
      const [home, there] = this.sourceOf(instance, dep, imported)
      if (!home) continue
      const babel = instance.definition.meta.babel !== undefined
      const origin = there === '*' || home.cjs ? { home, name: there, babel } : (pending.get(home)?.get(there) ?? this.originOf(home, there))
      if (origin) origins.set(name, origin)
      else if (home.open && !instance.open) instance.open = opened = true
    }
    return opened
  }

  /**
   * Resolves `export *`. Every target is searched: a name that is found in two of them, declared in different places, is ambiguous.
   * True if something changed that importers of this instance may have to look at again.
   */
  private resolveStars(instance: Instance, origins: Origins, pending: Map<Instance, Origins>): boolean {
    let clashed = false
    const from = instance.definition.meta.from ?? {}
    for (const at of instance.definition.meta.stars ?? []) {
      const home = this.dep(instance, at)
      if (!home) continue
      if ((home.cjs || home.open) && !instance.open) instance.open = clashed = true
      const there = pending.get(home)
      for (const name of there ? there.keys() : this.namesOf(home)) {
        if (name === 'default' || Object.hasOwn(instance.getters, name) || Object.hasOwn(from, name)) continue
        const origin = there ? there.get(name)! : this.originOf(home, name)!
        const known = origins.get(name)
        if (known === AMBIGUOUS) continue
        const same = known && origin !== AMBIGUOUS && known.home === origin.home && known.name === origin.name
        if (same) continue
        clashed ||= known !== undefined
        origins.set(name, known || origin === AMBIGUOUS ? AMBIGUOUS : origin)
      }
    }
    return clashed
  }

  /** The names that a linked instance exports, in no particular order. */
  private namesOf(instance: Instance): Iterable<string> {
    if (instance.cjs) return Object.keys(instance.namespace)
    return instance.resolved ? instance.resolved.keys() : Object.keys(instance.getters)
  }

  private originOf(instance: Instance, name: string): Origin | undefined {
    if (instance.cjs) return { home: instance, name }
    if (instance.resolved) return instance.resolved.get(name)
    return Object.hasOwn(instance.getters, name) ? { home: instance, name } : undefined
  }

  /** Dependency `at`: a module of ours, or one that the browser loaded. */
  private dep(instance: Instance, at: number): Instance | undefined {
    const link = instance.definition.links[at]
    return typeof link === 'string' ? this.graph.instances.get(link) : Array.isArray(link) ? this.graph.native.get(link[0]) : undefined
  }

  /** The module that has the name `name` of dependency `at`, and the name there. They differ for names of a package's index. */
  private sourceOf(instance: Instance, at: number, name: string): [Instance | undefined, string] {
    const link = instance.definition.links[at]
    if (!isPicked(link)) return [this.dep(instance, at), name]
    const [id, there] = link[name]!
    return [this.graph.instances.get(id), there]
  }

  // ---- namespaces

  /** A sealed object with one getter for each export, sorted and tagged `Module` (ECMA-262 section 10.4.6). */
  private makeNamespace(instance: Instance): void {
    if (instance.cjs) return
    const namespace: Namespace = {}
    for (const name of [...this.namesOf(instance)].sort()) {
      Object.defineProperty(namespace, name, { enumerable: true, get: this.getterOf(this.originOf(instance, name)!) })
    }
    Object.defineProperty(namespace, Symbol.toStringTag, { value: 'Module' })
    Object.setPrototypeOf(namespace, null)
    instance.namespace = Object.seal(namespace)
  }

  /** The part of a package's index that one module imports. The index itself is not on the page. */
  private pickedNamespace(picked: PickedNames): Namespace {
    const namespace: Namespace = Object.create(null)
    for (const [name, [id, there]] of Object.entries(picked)) {
      const home = this.graph.instances.get(id)!
      const origin = there === '*' ? { home, name: there } : this.originOf(home, there)
      if (origin) Object.defineProperty(namespace, name, { enumerable: true, get: this.getterOf(origin) })
    }
    return namespace
  }

  private getterOf({ home, name, babel }: Origin): () => unknown {
    if (name === '*') return () => (babel && home.cjs ? home.babel : home.namespace)
    if (home.cjs) return babel ? () => home.babel[name] : () => home.namespace[name]
    return home.getters[name]!
  }

  // ---- imports

  /** An imported name that does not exist is an error here, which names both modules, rather than `undefined` later. */
  private checkNames(instance: Instance): void {
    const { meta } = instance.definition
    meta.names.forEach((names, at) => {
      for (const name of names) {
        const [dep, there] = this.sourceOf(instance, at, name) as [Instance, string]
        if (dep.cjs || (dep.open && dep.state !== 'evaluated')) continue // Its exports are known only after it has run.
        if (there === '*' || this.originOf(dep, there)) continue
        const clash = dep.definition.meta.stars && this.isAmbiguous(dep, there)
        const why = clash ? 'is exported by more than one module behind `export *` of' : 'is not exported by'
        const lacks = { importer: instance.id, specifier: meta.deps[at]!, source: dep.id, name }
        throw new MissingExport(`\`${name}\`, imported by ${instance.id}, ${why} ${dep.id}`, lacks)
      }
    })
  }

  private isAmbiguous(instance: Instance, name: string): boolean {
    const found = (instance.definition.meta.stars ?? []).filter((at) => {
      const dep = this.dep(instance, at)
      return dep && this.originOf(dep, name)
    })
    return found.length > 1
  }

  /** Points the imports of an instance at the namespaces that are live now. */
  private link(instance: Instance): void {
    instance.linkImports?.((at) => this.namespaceOfDep(instance, at))
  }
}
