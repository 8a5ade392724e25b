/**
 * How long an update waits for modules at their top-level await.
 *
 *     a.js awaits fetch('/slow')        after 10 s the update goes on without a.js
 *     a.js is saved once more           the update goes on at once, since that copy of a.js is replaced next
 */
import type { ModuleGraph } from '../graph'
import type { HotTable } from '../hot'
import type { ModuleId } from '../messages'

/** Milliseconds that an update waits for its own modules. */
const TOP_LEVEL_PATIENCE = 10_000

export class PendingModules {
  /** The modules of each message that is in the queue. */
  private readonly announced = new Set<Iterable<ModuleId>>()
  /** While an update waits: makes it go on. */
  private leave: (() => void) | null = null

  constructor(
    private readonly graph: ModuleGraph,
    private readonly hot: HotTable,
  ) {}

  /** A message that concerns these modules is in the queue. Call the result when its turn has come. */
  announce(ids: readonly ModuleId[]): () => void {
    this.announced.add(ids)
    this.leaveFor(ids)
    return () => void this.announced.delete(ids)
  }

  /** Ends the wait if an update of `ids` may run a waiting module anew. */
  leaveFor(ids: Iterable<ModuleId>): void {
    if (this.leave && this.mayRunPending(ids)) this.leave()
  }

  /** Waits for modules that an update runs. False if the update is to go on without them. */
  async settle(running: Promise<void>): Promise<boolean> {
    const left = new Promise<'left'>((leave) => (this.leave = () => leave('left')))
    if ([...this.announced].some((ids) => this.mayRunPending(ids))) this.leave!()
    const first = await Promise.race([within(TOP_LEVEL_PATIENCE, running.then(() => 'ran' as const)), left])
    this.leave = null
    return first === 'ran'
  }

  /** Whether an update of `ids` may reload the page, or run a module anew that waits at its top-level await. */
  private mayRunPending(ids: Iterable<ModuleId>): boolean {
    const above = new Set([...ids].filter((id) => this.graph.instances.has(id)))
    for (const id of above) {
      if (this.graph.isPending(id)) return true
      if (this.hot.contexts.get(id)?.acceptsFully) continue
      const importers = this.graph.importers.get(id)
      if (!importers || this.graph.entries.has(id)) return true
      for (const importer of importers) if (!this.hot.contexts.get(importer)?.speaker.acceptsDep(id)) above.add(importer)
    }
    return false
  }
}

/** The result of a promise, or undefined when its time is over. */
export function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout>
  const limit = new Promise<undefined>((done) => (timer = setTimeout(done, milliseconds)))
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer))
}
