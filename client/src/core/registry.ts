/**
 * Holds every definition the page has received and runs them as ECMAScript modules.
 *
 * A definition is a generator: up to its first `yield` the exports exist and functions are hoisted (instantiate), after it
 * the body runs (evaluate).
 *
 *     define('/a.js', …)  define('/b.js', …)     the page's scripts say what exists
 *     run(['/a.js'])                             makes instances of both, links them (link.ts), runs b, then a (evaluate.ts)
 *
 * Import chains may be longer than the native stack allows, so no walk along imports is recursive. Knows neither DOM nor socket.
 */
import { requiredBy, staticDepsOf, type Definition, type Link } from './definition'
import { Evaluator } from './evaluate'
import { ModuleGraph } from './graph'
import { blankCommonjs, blankInstance, MissingExport, nativeInstance, type Getters, type Host, type Instance, type LinkImports, type ModuleGenerator, type Namespace } from './instance'
import { Linker } from './link'
import type { ModuleId } from './messages'

/** A module on the way of a depth-first walk; `low` is the earliest module that is known to be in its cycle. */
interface Visit {
  instance: Instance
  deps: readonly Link[]
  /** Index of the first of `deps` that is required and not imported. */
  required: number
  next: number
  index: number
  low: number
  /** Its cycle is not complete yet. */
  isOpen: boolean
  /** It, or something it imports, awaits at its top level. */
  waits: boolean
}

/** The state of one `instantiate` call. */
interface Instantiation {
  fresh: ReadonlySet<ModuleId>
  visits: Map<ModuleId, Visit>
  open: Visit[]
  /** New instances, in post-order. */
  visited: Instance[]
  /** Instances to evaluate now, in post-order: all new ones but those that are only required. */
  order: Instance[]
}

/** Completes a cycle: it consists of `last` and of all modules that were reached since. */
function closeCycle(last: Visit, open: Visit[]): void {
  for (let visit; visit !== last;) {
    visit = open.pop()!
    visit.isOpen = false
    visit.instance.cycle = last.instance.id
  }
}

export class Registry extends ModuleGraph {
  /** Instances that the last `instantiate` made, whether it succeeded or not. */
  made: Instance[] = []
  private reached = 0
  private readonly linker = new Linker(this)
  private readonly evaluator: Evaluator

  constructor(private readonly host: Host) {
    super()
    this.evaluator = new Evaluator(this, this.linker, host)
  }

  // ---- modules that the browser loads itself

  /** Whether some module below `roots` still needs `importNatives`. */
  needsNatives(roots: Iterable<ModuleId>): boolean {
    return this.unloadedNatives(roots).size > 0
  }

  /** Loads the addresses that the browser imports itself, before anything is evaluated. */
  async importNatives(roots: Iterable<ModuleId>): Promise<void> {
    const load = async ([address, attribute]: [string, string | null]) => {
      this.native.set(address, nativeInstance(address, await this.host.importNative(address, attribute)))
    }
    await Promise.all([...this.unloadedNatives(roots)].map(load))
  }

  // ---- run

  /**
   * Runs `roots` and all they import, as far as it is not live yet or is named in `fresh`, which gives it a new instance.
   * Returns a promise only if one of these modules waits for something; throws what a module throws.
   */
  run(roots: Iterable<ModuleId>, fresh: ReadonlySet<ModuleId> = new Set()): Promise<void> | undefined {
    return this.evaluator.evaluate(this.instantiateAll(roots, fresh), this.made)
  }

  /** Runs live modules again by the definitions that they run by now, even if newer ones have arrived. */
  runAgain(ids: ReadonlySet<ModuleId>, roots: Iterable<ModuleId>): Promise<void> | undefined {
    const newest = new Map([...ids].map((id) => [id, this.definitions.get(id)]))
    let order
    try {
      for (const id of ids) this.definitions.set(id, this.instances.get(id)!.definition)
      order = this.instantiate(roots, ids)
    } finally {
      for (const [id, definition] of newest) {
        if (definition) this.take(definition)
        else this.forget(id)
      }
    }
    return this.evaluator.evaluate(order, this.made)
  }

  /** Settles when a live module has run, including its whole cycle; fails with what it threw. For `import()`. */
  async finished(id: ModuleId): Promise<void> {
    const find = () => {
      const instance = this.instances.get(id)
      return instance && this.lastOfCycle(instance)
    }
    // While it is waited for, another copy may replace it; then that one is waited for.
    for (let last = find(), waited; last?.done && last !== waited; last = find()) await (waited = last).done
    const last = find()
    if (last?.state === 'failed') throw last.error
  }

  /** Connects importers of replaced modules to the new exports; see `Linker.rebind`. */
  rebind(replaced: ReadonlySet<ModuleId>): SyntaxError[] {
    return this.linker.rebind(replaced)
  }

  /** The namespace of what a CommonJS module imports with `import`; runs it if it has not run. */
  imported(instance: Instance, at: number): Namespace {
    return this.evaluator.imported(instance, at)
  }

  /** The result of `require` for dependency `at` of an ES module. */
  requiredAt(instance: Instance, at: number): unknown {
    return this.evaluator.requiredAt(instance, at)
  }

  /** What an `import()` in `importer` gives for a module. */
  namespaceFor(importer: Instance, instance: Instance): Namespace {
    return instance.cjs && importer.definition.meta.babel === 1 ? instance.babel : instance.namespace
  }

  // ---- instantiate

  private instantiateAll(roots: Iterable<ModuleId>, fresh: ReadonlySet<ModuleId>): Instance[] {
    try {
      return this.instantiate(roots, fresh)
    } catch (error) {
      const culprit = error instanceof MissingExport && this.instances.get(error.lacks.importer)
      if (culprit) this.evaluator.fail(culprit, error)
      // An update puts back the copies that it has replaced. Outside of one nothing is replaced: the new instances go, so that each
      // module can be run later.
      if (fresh.size === 0) { for (const { id } of this.made) this.remove(id) }
      throw error
    }
  }

  /** Makes instances, links them and checks imported names. No module's body has run afterwards. */
  private instantiate(roots: Iterable<ModuleId>, fresh: ReadonlySet<ModuleId>): Instance[] {
    const all: Instantiation = { fresh, visits: new Map(), open: [], visited: [], order: [] }
    this.made = []
    const required: ModuleId[] = []
    for (const root of roots) {
      if (this.isOnlyRequired(root, fresh)) required.push(root)
      else this.visitBelow(root, all, false)
    }
    for (const root of required) this.visitBelow(root, all, true)
    this.linker.linkAll(all.visited)
    return all.order
  }

  /** Whether nothing will use the new copy of a module but a `require` in another new copy. */
  private isOnlyRequired(id: ModuleId, fresh: ReadonlySet<ModuleId>): boolean {
    if (!fresh.has(id) || this.entries.has(id)) return false
    const importers = [...(this.importers.get(id) ?? [])]
    const requires = (importer: ModuleId) => {
      const instance = this.instances.get(importer)
      return instance?.cjs != null && !instance.imported.has(id)
    }
    return importers.every(requires) && importers.some((importer) => fresh.has(importer))
  }

  /**
   * Makes instances of `root` and of what it imports, depth first and in post-order. Finds the import cycles on the way (Tarjan's
   * algorithm, as in ECMA-262 section 16.2.1.5.3.1). What is reached only through a `require` gets an instance too, but runs when
   * `require` is called.
   */
  private visitBelow(root: ModuleId, all: Instantiation, deferred: boolean): void {
    const stack: Visit[] = []
    const enter = (id: ModuleId, importer?: Visit) => {
      const isDeferred = importer ? importer.instance.deferred || importer.next > importer.required : deferred
      const seen = all.visits.get(id)
      if (seen) {
        if (importer && seen.isOpen) importer.low = Math.min(importer.low, seen.index)
        if (importer) importer.waits ||= seen.waits
        if (!isDeferred) this.promote(seen.instance, all.order)
        return
      }
      const live = this.instances.get(id)
      if (live && !all.fresh.has(id)) {
        if (isDeferred) return
        const last = this.lastOfCycle(live)
        if (last.state === 'failed') throw last.error
        return this.promote(live, all.order)
      }
      const definition = this.definitions.get(id)
      if (!definition) throw new Error(`${id} is not there${importer ? ` (imported by ${importer.instance.id})` : ''}`)
      const index = all.visits.size
      const waits = definition.meta.async === true
      const deps = staticDepsOf(definition)
      const required = definition.meta.cjs ? 0 : deps.length - requiredBy(definition.meta, definition.links).length
      const visit: Visit = { instance: null!, deps, required, next: 0, index, low: index, isOpen: true, waits }
      all.visits.set(id, visit)
      visit.instance = this.makeInstance(definition, live)
      visit.instance.deferred = isDeferred
      stack.push(visit)
      all.open.push(visit)
    }
    enter(root)
    for (let top; (top = stack.at(-1));) {
      if (top.next === top.deps.length) {
        stack.pop()
        all.visited.push(top.instance)
        if (!top.instance.deferred) all.order.push(top.instance)
        // `require` cannot wait, so a module that waits runs before it is required.
        else if (top.waits && !top.instance.cjs) this.promote(top.instance, all.order)
        const importer = stack.at(-1)
        if (importer) importer.low = Math.min(importer.low, top.low)
        if (importer) importer.waits ||= top.waits
        if (top.low === top.index) closeCycle(top, all.open)
        continue
      }
      const link = top.deps[top.next++]!
      if (typeof link === 'string') enter(link, top)
      else if (link === null) {
        const { meta, links } = top.instance.definition
        throw new Error(`cannot find ${meta.deps[links.indexOf(null)]}, imported by ${top.instance.id}`)
      }
    }
  }

  /** A module that was only required so far is imported now: it and what it imports will be evaluated. */
  private promote(root: Instance, order: Instance[]): void {
    if (!root.deferred) return
    for (const instance of this.evaluator.importedBy(root, ({ deferred }) => deferred)) {
      instance.deferred = false
      order.push(instance)
    }
  }

  private makeInstance(definition: Definition, before: Instance | undefined): Instance {
    const instance = blankInstance(definition, before?.reached ?? this.reached++, before !== undefined)
    instance.before = before ?? null
    this.install(instance)
    this.made.push(instance)
    if (definition.meta.cjs) {
      instance.cjs = blankCommonjs(instance.id)
      return instance
    }
    const setExports = (getters: Getters, linkImports?: LinkImports) => {
      instance.getters = getters
      instance.linkImports = linkImports ?? null
    }
    const factory = definition.factory as (...parameters: unknown[]) => ModuleGenerator
    const takes = factory.length
    const runtime = takes > 1 ? this.host.runtimeOf(instance) : undefined
    const meta = takes > 2 ? this.host.metaOf(instance) : undefined
    instance.generator = factory(setExports, runtime, meta)
    const first = instance.generator.next()
    if (first instanceof Promise) first.catch(() => {}) // The second `next` reports the error.
    return instance
  }
}
