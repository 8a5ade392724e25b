/**
 * Decides how far an edit spreads.
 *
 * Starting at the changed modules, walk to importers that have run until each path meets a module that accepts the
 * update. One path that reaches an entry without meeting one means reload.
 *
 *     page ◄─ app ◄─ button        button accepts itself   → boundary: button
 *     page ◄─ app ◄─ theme         nobody accepts          → reload, because theme → app → page
 *
 * What counts is what has run: the imports of live instances, and the `accept` calls that were made.
 */
import { modulesOf } from '../definition'
import type { ModuleGraph } from '../graph'
import type { HotTable } from '../hot'
import type { DueReason } from '../instance'
import type { ModuleId } from '../messages'
import type { Refresh } from '../refresh'

/** Where an update stops: `path` takes it, `accepted` is what runs again for it. */
export interface Boundary {
  path: ModuleId
  accepted: ModuleId
}

/**
 * Why an update needs a reload: a path to an entry meets no module that accepts it, or modules hand the update to each other without
 * end. `due`: why `id` is to run again if it was not edited.
 */
export type NoBoundary = { kind: 'not-accepted'; id: ModuleId; due: DueReason | null } | { kind: 'circular-invalidate' }

export type Verdict =
  | { kind: 'nothing' }
  | { kind: 'accepted'; boundaries: Boundary[]; rerun: Set<ModuleId> }
  | { kind: 'reload'; chain: ModuleId[]; reason: NoBoundary }

/** An update that began with `invalidate()`: the walk starts at the importers of `from`. */
export interface Invalidation {
  from: ModuleId
  /** The module whose `invalidate` began the chain of invalidations. */
  first: ModuleId
  /** The modules that have handed the update on, from `first` to `from`. */
  trail: ModuleId[]
}

export function propagate(graph: ModuleGraph, hot: HotTable, refresh: Refresh, changed: Iterable<ModuleId>, invalidation?: Invalidation): Verdict {
  const walk = new Walk(graph, hot, refresh)
  if (invalidation) {
    walk.pass(invalidation.from)
    walk.toImporters(invalidation.from)
  } else {
    for (const id of changed) if (graph.instances.has(id)) walk.begin(id)
  }
  const verdict = walk.finish()
  if (invalidation && verdict.kind === 'accepted') {
    // If the module that began the chain takes the update, the two modules would hand it to each other without end.
    verdict.rerun.delete(invalidation.from) // It has just run.
    const circular = verdict.boundaries.find(({ path, accepted }) => path === invalidation.first && accepted !== invalidation.from)
    if (circular) return { kind: 'reload', chain: walk.chainTo(circular.accepted), reason: { kind: 'circular-invalidate' } }
  }
  return verdict
}

class Walk {
  private readonly boundaries: Boundary[] = []
  private readonly visited = new Set<ModuleId>()
  /** For each visited module the one it was reached from. */
  private readonly reachedFrom = new Map<ModuleId, ModuleId>()
  private readonly queue: ModuleId[] = []
  private deadEnd: ModuleId | null = null
  /** Entries on the way that other modules import as well: entries in cycles. */
  private readonly imported: ModuleId[] = []
  /** Boundaries whose components are refreshed, each with the exports that changed, so that importers of these run again. */
  private readonly refreshed = new Map<ModuleId, Set<string>>()

  constructor(
    private readonly graph: ModuleGraph,
    private readonly hot: HotTable,
    private readonly refresh: Refresh,
  ) {}

  begin(id: ModuleId): void {
    if (this.visited.has(id)) return
    this.visited.add(id)
    this.queue.push(id)
  }

  /** Marks `id` as visited without looking at what it accepts. */
  pass(id: ModuleId): void {
    this.visited.add(id)
  }

  finish(): Verdict {
    do {
      for (let id; this.deadEnd === null && (id = this.queue.shift()) !== undefined;) this.visit(id)
    } while (this.deadEnd === null && this.widen())
    this.deadEnd ??= this.imported.find((id) => !this.isTakenAbove(id)) ?? null
    if (this.deadEnd !== null) {
      const chain = this.chainTo(this.deadEnd)
      const id = chain[0]!
      const due = this.graph.instances.get(id)?.due ?? null
      return { kind: 'reload', chain, reason: { kind: 'not-accepted', id, due } }
    }
    if (this.boundaries.length === 0) return { kind: 'nothing' }
    return { kind: 'accepted', boundaries: this.boundaries, rerun: this.visited }
  }

  chainTo(id: ModuleId): ModuleId[] {
    const chain = [id]
    for (let below; (below = this.reachedFrom.get(chain[0]!)) !== undefined;) chain.unshift(below)
    return chain
  }

  /** Whether a module above `id` takes the update. */
  private isTakenAbove(id: ModuleId): boolean {
    const above = new Set([id])
    for (const module of above) {
      for (const importer of this.graph.importers.get(module) ?? []) {
        if (this.boundaries.some(({ path, accepted }) => path === importer && (accepted === importer || accepted === module))) return true
        above.add(importer)
      }
    }
    return false
  }

  private visit(id: ModuleId): void {
    const context = this.hot.contexts.get(id)?.speaker
    if (this.keepsItsShape(id)) return this.accept(id, id)
    if (context?.acceptsItself) {
      this.accept(id, id)
      const names = context.acceptedExports
      if (context.acceptsFully || !names || this.acceptsAllExports(id, names)) return
      return this.toImporters(id, names)
    }
    if (this.refresh.isBoundary(id) && this.refreshes(id)) return
    this.toImporters(id)
  }

  /** Takes a module with components as a boundary. Modules that import one of its changed exports run again. */
  private refreshes(id: ModuleId): boolean {
    const changed = this.refresh.changedExports(id, (dep) => this.runsAnew(dep))
    if (!changed) return false
    this.refreshed.set(id, changed)
    this.accept(id, id)
    if (changed.size > 0) this.toImporters(id, this.exportsBesides(id, changed))
    return true
  }

  /**
   * Looks at the boundaries with components once more: a module that was visited after one may change what its exports are made of.
   * True if there is more to visit.
   */
  private widen(): boolean {
    for (const [id, known] of [...this.refreshed]) {
      const changed = this.refresh.changedExports(id, (dep) => this.runsAnew(dep))
      if (changed && changed.size === known.size) continue
      this.refreshed.set(id, changed ?? new Set())
      this.toImporters(id, changed ? this.exportsBesides(id, changed) : undefined)
    }
    return this.queue.length > 0
  }

  /** Whether importers of `id` would get new exports that the framework does not refresh. */
  private runsAnew(id: ModuleId): boolean {
    return this.visited.has(id) && this.refreshed.get(id)?.size !== 0 && !this.keepsItsShape(id)
  }

  private exportsBesides(id: ModuleId, changed: ReadonlySet<string>): Set<string> {
    const { getters } = this.graph.instances.get(id)!
    return new Set(Object.keys(getters).filter((name) => !changed.has(name)))
  }

  /** Whether `id` is a CSS module with the same class names as before. Its sheet is swapped; its importers need not run again. */
  private keepsItsShape(id: ModuleId): boolean {
    const shape = this.graph.instances.get(id)?.definition.meta.shape
    return shape !== undefined && shape === this.graph.definitions.get(id)?.meta.shape
  }

  private acceptsAllExports(id: ModuleId, names: Set<string>): boolean {
    const { getters, definition } = this.graph.instances.get(id)!
    return !definition.meta.stars && Object.keys(getters).every((name) => names.has(name))
  }

  /** Goes on to the importers of `id`, except those that import only names in `accepted`. */
  toImporters(id: ModuleId, accepted?: Set<string>): void {
    const importers = [...(this.graph.importers.get(id) ?? [])].filter((importer) => importer !== id)
    let open = importers.length > 0 ? 0 : 1
    if (accepted && importers.length === 0) open = 0
    for (const importer of importers) {
      if (accepted && this.takesOnly(importer, id, accepted)) continue
      if (this.hot.contexts.get(importer)?.speaker.acceptsDep(id)) {
        this.accept(importer, id)
      } else if (!this.visited.has(importer)) {
        this.reachedFrom.set(importer, id)
        this.begin(importer)
      }
    }
    if (this.graph.entries.has(id) && importers.length > 0 && !accepted) this.imported.push(id)
    if (open > 0) this.deadEnd ??= id
  }

  private takesOnly(importer: ModuleId, id: ModuleId, accepted: Set<string>): boolean {
    const instance = this.graph.instances.get(importer)!
    const { links, meta } = instance.definition
    if (instance.imported.has(id)) return false
    if (links.some((link) => link !== id && modulesOf(link).includes(id))) return false
    return links.every((link, at) => link !== id || (meta.names[at] ?? ['*']).every((name) => accepted.has(name)) && !meta.stars?.includes(at))
  }

  private accept(path: ModuleId, accepted: ModuleId): void {
    if (this.boundaries.some((known) => known.path === path && known.accepted === accepted)) return
    this.boundaries.push({ path, accepted })
  }
}
