/**
 * The modules of this tab: their newest definitions, their live instances, and who imports whom.
 *
 *     /main.js ─► /list.js ─► /row.js        definitions say what a module will import,
 *         └ ─ import() ─ ─ ► /chart.js       live instances what it has imported
 *
 * One instance of a module is live; an update replaces it. Nothing here runs a module.
 */
import { definitionOf, dynamicDepsOf, lazyImportsOf, staticDepsOf, type Definition, type Link } from './definition'
import { NO_MODULES, type DueReason, type Instance } from './instance'
import type { ModuleId } from './messages'

export class ModuleGraph {
  readonly definitions = new Map<ModuleId, Definition>()
  readonly instances = new Map<ModuleId, Instance>()
  /** b is in importers.get(a) exactly when the live instance of b imports a, statically or by an `import()` that ran. */
  readonly importers = new Map<ModuleId, Set<ModuleId>>()
  /** Live modules that run by another than their newest definition, and those that are to run again by the same one. */
  readonly stale = new Set<ModuleId>()
  /** Modules the page itself runs. */
  readonly entries = new Set<ModuleId>()
  /** Modules that the browser has loaded itself, by address: like any instance they have exports that others pass on. */
  readonly native = new Map<string, Instance>()
  /** Deleted modules that are still live. The value is the importer's definition for which `lost` has last given the module. */
  private readonly deleted = new Map<ModuleId, Definition | null>()
  /** Some definition has an address among its links. */
  private namesAddresses = false

  // ---- definitions

  /** Takes a definition in, given as in a script. */
  define(...definition: Parameters<typeof definitionOf>): void {
    this.take(definitionOf(...definition))
  }

  /** Takes a definition in. One with the same digest as before changes nothing. */
  take(definition: Definition): void {
    const { id, hash, links } = definition
    if (this.definitions.get(id)?.hash !== hash) {
      this.definitions.set(id, definition)
      if (links.some(Array.isArray)) this.namesAddresses = true
    }
    this.deleted.delete(id)
    this.noteStaleness(id)
  }

  private noteStaleness(id: ModuleId): void {
    const live = this.instances.get(id)
    const newest = this.definitions.get(id)
    if (live && newest && (live.due !== null || live.definition.hash !== newest.hash)) this.stale.add(id)
    else this.stale.delete(id)
  }

  /** The next update runs this copy again, as if its module had been edited. */
  makeDue(instance: Instance, reason: DueReason): void {
    instance.due = reason
    if (this.instances.get(instance.id) === instance) this.noteStaleness(instance.id)
  }

  /** The file of a module was deleted: its definition will not run again. */
  forget(id: ModuleId): void {
    this.definitions.delete(id)
    this.stale.delete(id)
    if (this.instances.has(id)) this.deleted.set(id, null)
  }

  /**
   * Live modules that were reported as deleted and that the newest definition of an importer names. They may exist again. Or they
   * were never deleted: a server that was restarted does not meet the modules below an importer that it cannot read. Each
   * module is given once for each such definition. With `entries`, deleted entries are given too: no module of a worker
   * imports the worker's own entry.
   */
  lost(isBroken: (id: ModuleId) => boolean, entries = false): ModuleId[] {
    const lost: ModuleId[] = []
    for (const [id, asked] of this.deleted) {
      if (!this.instances.has(id)) this.deleted.delete(id)
      else if (entries && this.entries.has(id)) lost.push(id)
      const namer = [...(this.importers.get(id) ?? [])].find((importer) => !isBroken(importer) && this.mayImport(importer, id))
      const definition = namer === undefined ? undefined : this.definitions.get(namer)
      if (!definition || definition === asked) continue
      this.deleted.set(id, definition)
      lost.push(id)
    }
    return lost
  }

  /** Whether a module imports `id` by its newest definition, or may do so. */
  private mayImport(importer: ModuleId, id: ModuleId): boolean {
    const definition = this.definitions.get(importer)
    return definition !== undefined && this.depsAfter(definition, this.instances.get(importer)).has(id)
  }

  // ---- walks down the imports

  /**
   * Walks from `roots` down the static imports of the newest definitions. `visit` is called once for each module, with undefined
   * for one that has no definition here. Where it returns false, the walk does not go further down.
   */
  private below(roots: Iterable<ModuleId>, visit: (id: ModuleId, definition: Definition | undefined) => boolean): void {
    const seen = new Set<ModuleId>(roots)
    for (const id of seen) {
      const definition = this.definitions.get(id)
      if (!visit(id, definition) || !definition) continue
      for (const link of staticDepsOf(definition)) if (typeof link === 'string') seen.add(link)
    }
  }

  /** Live modules below `roots` in the order in which a fresh page would evaluate them: post-order, each once. */
  evaluationOrder(roots: Iterable<ModuleId>): ModuleId[] {
    const order: ModuleId[] = []
    const seen = new Set<ModuleId>()
    const stack: { id: ModuleId; deps: readonly Link[]; next: number }[] = []
    const enter = (id: ModuleId) => {
      const instance = this.instances.get(id)
      if (!instance || seen.has(id)) return
      seen.add(id)
      stack.push({ id, deps: staticDepsOf(instance.definition), next: 0 })
    }
    for (const root of roots) {
      enter(root)
      for (let top; (top = stack.at(-1));) {
        if (top.next === top.deps.length) order.push(stack.pop()!.id)
        else {
          const link = top.deps[top.next++]!
          if (typeof link === 'string') enter(link)
        }
      }
    }
    return order
  }

  /** The newest definitions of `roots` and of all they import; undefined for modules that have none here. */
  neededBy(roots: Iterable<ModuleId>): Map<ModuleId, Definition | undefined> {
    const needed = new Map<ModuleId, Definition | undefined>()
    this.below(roots, (id, definition) => Boolean(needed.set(id, definition)))
    return needed
  }

  /**
   * Modules without a definition that running `roots` would need, in the order in which the walk meets them. It does not look
   * below live instances, except for those in `fresh`, which will run again.
   */
  missing(roots: Iterable<ModuleId>, fresh: ReadonlySet<ModuleId> = new Set()): ModuleId[] {
    const missing: ModuleId[] = []
    this.below(roots, (id, definition) => {
      const runs = !this.instances.has(id) || fresh.has(id)
      if (runs && !definition) missing.push(id)
      return runs
    })
    return missing
  }

  /** Addresses below `roots` that the browser has to import itself (`https:`) and has not yet, with their `type`. */
  protected unloadedNatives(roots: Iterable<ModuleId>): Map<string, string | null> {
    const unloaded = new Map<string, string | null>()
    if (!this.namesAddresses) return unloaded
    this.below(roots, (id, definition) => {
      if (!definition || this.instances.get(id)?.definition === definition) return false
      const { links, meta } = definition
      const imported = meta.cjs ? [] : links.slice(0, meta.names.length)
      for (const [at, link] of imported.entries()) {
        if (Array.isArray(link) && !this.native.has(link[0])) unloaded.set(link[0], meta.with?.[at] ?? null)
      }
      return true
    })
    return unloaded
  }

  // ---- live instances and their edges

  /** Makes `instance` the live one of its module and draws its edges. */
  install(instance: Instance): void {
    const before = this.instances.get(instance.id)
    if (before && before !== instance) this.cutEdges(before)
    this.instances.set(instance.id, instance)
    instance.unpark?.()
    for (const link of staticDepsOf(instance.definition)) if (typeof link === 'string') this.addImporter(link, instance.id)
    for (const id of instance.imported) this.addImporter(id, instance.id)
    this.noteStaleness(instance.id)
  }

  /** Takes the live instance of a module away. */
  remove(id: ModuleId): void {
    const instance = this.instances.get(id)
    if (!instance) return
    this.cutEdges(instance)
    this.instances.delete(id)
    this.stale.delete(id)
  }

  /** The update that replaced this copy went through. If the copy still waits at a top-level await, it is never resumed. */
  giveUp(instance: Instance): void {
    instance.isGivenUp = true
    instance.end?.()
  }

  /** Whether the live copy of a module waits at its top-level await, or for a module that does. */
  isPending(id: ModuleId): boolean {
    return this.instances.get(id)?.state === 'evaluating'
  }

  /** Whether a module has run or is about to. One that is only required has not, until `require` is called. */
  hasStarted(id: ModuleId): boolean {
    return this.instances.get(id)?.deferred === false
  }

  lastOfCycle(instance: Instance): Instance {
    return this.instances.get(instance.cycle) ?? instance
  }

  /** Everything the instance imports: statically, and by the `import()`s that have run. */
  depsOf(instance: Instance): Set<ModuleId> {
    const deps = new Set(instance.imported)
    for (const link of staticDepsOf(instance.definition)) if (typeof link === 'string') deps.add(link)
    return deps
  }

  /**
   * Notes that `importer` imports `id` with `import()`. If the importer has been replaced meanwhile by a copy that may make the
   * same `import()`, it is noted for that one as well. Gives the copies for which it is new.
   */
  noteDynamicImport(importer: Instance, id: ModuleId): Instance[] {
    const live = this.instances.get(importer.id)
    const copies = live && live !== importer && lazyImportsOf(live.definition).has(id) ? [importer, live] : [importer]
    const fresh = copies.filter(({ imported }) => !imported.has(id))
    for (const copy of fresh) {
      if (copy.imported === NO_MODULES) copy.imported = new Set()
      ;(copy.imported as Set<ModuleId>).add(id)
      if (this.instances.get(copy.id) === copy) this.addImporter(id, copy.id)
    }
    return fresh
  }

  /** Takes a noted `import()` back, because it failed. */
  forgetDynamicImport(importer: Instance, id: ModuleId): void {
    ;(importer.imported as Set<ModuleId>).delete(id)
    const isLive = this.instances.get(importer.id) === importer
    if (isLive && !this.depsOf(importer).has(id)) this.dropImporter(id, importer.id)
  }

  private addImporter(id: ModuleId, importer: ModuleId): void {
    let importers = this.importers.get(id)
    if (!importers) this.importers.set(id, importers = new Set())
    importers.add(importer)
  }

  private dropImporter(id: ModuleId, importer: ModuleId): void {
    const importers = this.importers.get(id)
    importers?.delete(importer)
    if (importers?.size === 0) this.importers.delete(id)
  }

  private cutEdges(instance: Instance): void {
    for (const id of this.depsOf(instance)) this.dropImporter(id, instance.id)
  }

  // ---- what the entries reach

  /** Whether an entry imports the module, directly or through others. */
  isReachable(id: ModuleId): boolean {
    const above = new Set([id])
    for (const module of above) {
      if (this.entries.has(module)) return true
      for (const importer of this.importers.get(module) ?? []) above.add(importer)
    }
    return false
  }

  /**
   * What the entries will reach once the modules in `fresh` run by their newest definitions. Undefined if none of these drops an
   * import, so that everything stays reachable.
   */
  reachedAfter(fresh: ReadonlySet<ModuleId>): Set<ModuleId> | undefined {
    const dropsImports = (id: ModuleId) => {
      const live = this.instances.get(id)
      const newest = this.definitions.get(id)
      if (!live || !newest || live.definition === newest) return false
      const kept = this.depsAfter(newest, live)
      return [...this.depsOf(live)].some((dep) => !kept.has(dep))
    }
    if (![...fresh].some(dropsImports)) return undefined
    const reached = new Set(this.entries)
    for (const id of reached) {
      const live = this.instances.get(id)
      const newest = this.definitions.get(id)
      const deps = newest && (!live || fresh.has(id)) ? this.depsAfter(newest, live) : live ? this.depsOf(live) : []
      for (const dep of deps) reached.add(dep)
    }
    return reached
  }

  /** What a module will import once it runs by `definition`, including what its `import()`s may bring. */
  private depsAfter(definition: Definition, live: Instance | undefined): Set<ModuleId> {
    const deps = new Set<ModuleId>()
    for (const link of staticDepsOf(definition)) if (typeof link === 'string') deps.add(link)
    for (const id of dynamicDepsOf(definition)) deps.add(id)
    if (definition.meta.computed) { for (const id of live?.imported ?? []) deps.add(id) }
    return deps
  }
}
