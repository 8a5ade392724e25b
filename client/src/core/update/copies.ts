/**
 * The copies that an update replaces: they are disposed of and remembered, and either given up or put back.
 *
 *     dispose(ids) → snapshot(ids) → the new copies run ┬─► keep        the new copies stay
 *                                                       └─► rollBack    one threw: everything is as it was
 */
import type { ModuleGraph } from '../graph'
import type { HotContext, HotTable } from '../hot'
import type { Instance } from '../instance'
import type { ModuleId } from '../messages'
import type { UpdatePage } from './update-page'

/** A module as it was before an update. */
export interface ModuleBefore {
  instance: Instance | undefined
  context: HotContext | undefined
  /** Its sheet on the page. */
  style: string | undefined
  /** The content of `hot.data` after the disposer ran, if the module has used it. */
  data: object | undefined
}

export type Snapshot = Map<ModuleId, ModuleBefore>

export class Copies {
  constructor(
    private readonly graph: ModuleGraph,
    private readonly hot: HotTable,
    private readonly page: UpdatePage,
  ) {}

  /** Calls all disposers before any new code runs, and waits for their promises. One that fails does not stop the update. */
  async dispose(ids: Iterable<ModuleId>): Promise<void> {
    const pending: PromiseLike<unknown>[] = []
    for (const id of ids) {
      const context = this.hot.contexts.get(id)
      if (!context?.disposer || context.disposed) continue
      context.disposed = true
      const doing = `the disposer of ${id}`
      try {
        const result = context.disposer(this.hot.dataOf(id))
        if (result) pending.push(this.hot.patiently(Promise.resolve(result), doing))
      } catch (error) {
        this.page.report(error, doing)
      }
    }
    if (pending.length > 0) await Promise.all(pending)
  }

  snapshot(ids: Iterable<ModuleId>): Snapshot {
    const before: Snapshot = new Map()
    for (const id of ids) {
      const data = this.hot.peekData(id)
      before.set(id, {
        instance: this.graph.instances.get(id),
        context: this.hot.suspend(id),
        style: this.page.styleOf(id),
        data: data && { ...data },
      })
    }
    return before
  }

  /** The new copies stay: gives the old ones up. */
  keep(before: Snapshot): void {
    for (const [id, { instance, context }] of before) {
      if (instance) this.graph.giveUp(instance)
      if (!context) continue
      this.hot.retire(context)
      const next = this.hot.contexts.get(id)
      if (next && this.graph.isPending(id)) next.before = context.speaker
    }
  }

  /** Puts the old copies back. `made` are the new ones, which are disposed of as far as they have begun. */
  async rollBack(before: Snapshot, made: Instance[]): Promise<void> {
    // What the new copies have started (timers, listeners, sockets) ends with them. Their disposers are waited for last: as long as
    // the old copies are not back, an `import()` would start further new ones.
    const disposed = this.dispose(made.filter(({ state }) => state !== 'linked').map(({ id }) => id))
    for (const instance of made) this.graph.giveUp(instance)
    for (const [id, { instance, context, style }] of before) {
      if (instance) this.graph.install(instance)
      else this.graph.remove(id)
      if (style !== undefined) this.page.putStyle(id, style)
      this.hot.restore(id, context)
    }
    // Modules that ran for the first time are taken away: the next try starts them anew.
    for (const instance of made) {
      if (!before.has(instance.id) && this.graph.instances.get(instance.id) === instance) this.forgetNew(instance)
    }
    await disposed
    // No copy follows the ones that were rolled back, so what their disposers left in `hot.data` goes, too.
    for (const [id, { data }] of before) this.hot.restoreData(id, data)
  }

  private forgetNew({ id }: Instance): void {
    this.takeBack(id)
    this.page.removeStyle(id)
  }

  /** Makes a live module one that has never run; its sheet stays. */
  takeBack(id: ModuleId): void {
    const context = this.hot.suspend(id)
    if (context) this.hot.retire(context)
    this.graph.remove(id)
    this.hot.dropData(id)
  }

  /** Modules in the order in which the page reached them first, so that import cycles behave as they did. */
  inFirstOrder(ids: Iterable<ModuleId>): ModuleId[] {
    const reached = (id: ModuleId) => this.graph.instances.get(id)?.reached ?? 0
    return [...ids].sort((a, b) => reached(a) - reached(b))
  }

  /** Whether some replaced module imports others now, or in another order. */
  importOthers(before: Snapshot): boolean {
    return [...before].some(([id, { instance }]) => instance && importsOthers(instance, this.graph.instances.get(id)))
  }
}

function importsOthers(before: Instance, now: Instance | undefined): boolean {
  return now !== undefined && now.definition !== before.definition && JSON.stringify(now.definition.links) !== JSON.stringify(before.definition.links)
}
