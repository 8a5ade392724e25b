/**
 * Takes modules off the page that no entry reaches any more.
 *
 *     main.js drops `import './clock'`       clock.js is disposed of, its prune handler runs, its sheet and `hot.data` go
 */
import { lazyImportsOf } from '../definition'
import type { ModuleGraph } from '../graph'
import type { HotContext, HotTable } from '../hot'
import type { Instance } from '../instance'
import type { ModuleId } from '../messages'
import type { Copies } from './copies'
import type { UpdatePage } from './update-page'

export class Pruner {
  constructor(
    private readonly graph: ModuleGraph,
    private readonly hot: HotTable,
    private readonly copies: Copies,
    private readonly page: UpdatePage,
  ) {}

  /** Prunes what the copies that an update has replaced imported, and their successors do not. */
  async pruneImportsOf(replaced: Instance[]): Promise<void> {
    const candidates = new Set<ModuleId>()
    for (const old of replaced) {
      this.carryDynamicImports(old)
      const now = this.graph.instances.get(old.id)
      const kept = now ? this.graph.depsOf(now) : new Set()
      for (const id of this.graph.depsOf(old)) if (!kept.has(id)) candidates.add(id)
    }
    await this.pruneUnused(candidates)
  }

  /** Prunes those of `ids` that no entry reaches, and what only they imported. */
  async pruneUnused(ids: Iterable<ModuleId>): Promise<void> {
    const candidates = new Set(ids)
    const pruned: ModuleId[] = []
    for (const id of candidates) {
      const instance = this.graph.instances.get(id)
      if (!instance || this.graph.isReachable(id)) continue
      pruned.push(id)
      this.graph.giveUp(instance)
      const deps = this.graph.depsOf(instance)
      this.graph.remove(id)
      for (const dep of deps) candidates.add(dep)
    }
    if (pruned.length === 0) return
    await this.hot.dispatch('vite:beforePrune', { type: 'prune', paths: pruned })
    await this.letGo(pruned)
  }

  /** What the `import()`s of a replaced copy have brought stays, if the new copy could still make the same `import()`s. */
  private carryDynamicImports(old: Instance): void {
    const now = this.graph.instances.get(old.id)
    if (!now || now === old) return
    const possible = lazyImportsOf(now.definition)
    for (const id of old.imported) {
      if (possible.has(id) && this.graph.instances.has(id)) this.graph.noteDynamicImport(now, id)
    }
  }

  /** As in Vite: first all disposers run, then all prune handlers, and then `hot.data` is dropped. */
  private async letGo(pruned: ModuleId[]): Promise<void> {
    await this.copies.dispose(pruned)
    const pending: PromiseLike<unknown>[] = []
    for (const id of pruned) {
      const context = this.hot.suspend(id)
      if (context) {
        const result = this.callPruner(context)
        if (result) pending.push(this.hot.patiently(Promise.resolve(result), `the prune handler of ${id}`))
        this.hot.retire(context)
      }
      this.page.removeStyle(id)
    }
    await Promise.all(pending)
    for (const id of pruned) this.hot.dropData(id)
  }

  private callPruner(context: HotContext): unknown {
    try {
      return context.pruner?.(this.hot.dataOf(context.id))
    } catch (error) {
      this.page.report(error, `the prune handler of ${context.id}`)
      return undefined
    }
  }
}
