/**
 * Applies updates: let the old go, run the new, then tell whoever accepted.
 *
 * 1. walk from the stale modules to the boundaries (propagate.ts); none means reload
 * 2. fetch definitions that are not here yet
 * 3. `vite:beforeUpdate`, then the disposers of all that is replaced, once each, promises awaited
 * 4. run the new instances; if one throws, put all the old ones back, show the error, and update the rest without its part
 * 5. importers read the new exports
 * 6. accept callbacks in registration order, log lines, `vite:afterUpdate`
 * 7. prune what nothing imports any more
 *
 * One update at a time; `invalidate()` during one begins the next. What cannot run holds up nothing else
 * (`docs/internals/sync.md`). Knows neither DOM nor socket: the page is `UpdatePage`.
 */
import type { Acceptor, HotContext, HotTable } from './hot'
import { FailedImports } from './imports'
import type { ModuleId, Update, UpdatePayload } from './messages'
import { propagate, type Boundary, type Invalidation, type Verdict } from './propagate'
import type { Refresh } from './refresh'
import { lazyImportsOf, type Definition } from './definition'
import type { Instance, Namespace } from './instance'
import type { Registry } from './registry'

/** What an update needs of the page. */
export interface UpdatePage {
  /** Fetches the definitions that running `fresh` needs; false if some of them cannot be had now. */
  ensure(fresh: ReadonlySet<ModuleId>): Promise<boolean>
  /** Swaps the sheets of `<link>` elements; done when each has loaded. */
  swapLinks(links: ModuleId[], timestamp: number): Promise<void>
  /** Tells the server and reloads. Comes back only to a page that is still there after that. */
  reload(verdict: Extract<Verdict, { kind: 'reload' }>): Promise<void>
  /** Shows an error that an update ran into, with the modules it came from. `isLate`: after it had gone through. */
  failed(error: unknown, boundaries: Boundary[], isLate?: boolean): void
  /** A module that goes on has an import whose name is gone. */
  unlinked(error: unknown): void
  /** A component threw while it was rendered with its new code. */
  renderFailed(error: unknown): void
  /** Something went through, or is tried again: of what was thrown before, only `left` still stands. */
  succeeded(left: ReadonlySet<unknown>): void
  /** Whether it is known that a module cannot run. */
  isBroken(id: ModuleId): boolean
  /** Modules import others than before, or in another order. */
  moved(): void
  debug(line: string): void
  report(error: unknown, doing: string): void
  removeStyle(id: ModuleId): void
  /** The text of a module's sheet on the page. */
  styleOf(id: ModuleId): string | undefined
  putStyle(id: ModuleId, css: string): void
}

export interface Outcome {
  /** `waiting`: a definition is not to be had now, and nothing has run. */
  result: 'nothing' | 'updated' | 'reload' | 'failed' | 'waiting'
  /** If it failed: where the page keeps the code it had. */
  boundaries: ModuleId[]
  chain?: ModuleId[]
  reason?: string
  error?: string
}

/** Milliseconds that an update waits for modules of its own which are at their top-level await. */
const TOP_LEVEL_PATIENCE = 10_000
/** Milliseconds that a copy has to come to its `accept` calls, before an update of it that nobody accepts reloads. */
const FIRST_PATIENCE = 1000

/** Boundaries that are logged one by one; each line costs as much as running a small module. */
const MOST_LINES = 20

/** A module as it was before an update. */
interface Before {
  instance: Instance | undefined
  context: HotContext | undefined
  /** Its sheet on the page. */
  style: string | undefined
  /** `hot.data` as its disposer has left it, if anybody has asked for it. */
  data: object | undefined
}

/** Callbacks that a boundary's update calls. */
interface Call {
  boundary: Boundary
  acceptors: Acceptor[]
}

/** Stale modules, and what runs again for them: no module runs for two parts. */
interface Part {
  stale: Set<ModuleId>
  rerun: Set<ModuleId>
}

/** An update that was put back: `rest` has nothing to do with what threw. */
interface Failure {
  error: unknown
  failed: Part
  rest: Part
}

/** An update that could not go through. Its modules stay stale until another try may go better. */
interface Attempt {
  stale: ModuleId[]
  /** All it would have run or imported. While these are the same, it would meet the same error. */
  needed: Map<ModuleId, Definition | undefined>
  /** Some definition was not to be had: nothing has run, so that trying again costs nothing. */
  waiting: boolean
  /** What the old copies had let go (timers, listeners) could not be started again. */
  hasLetGo: boolean
  error?: unknown
}

export class Updater {
  readonly failedImports: FailedImports
  /** `invalidate()` calls that have not been followed yet. */
  private invalidations: Invalidation[] = []
  /** While accept callbacks run: the `invalidate()` that led to this update. */
  private cause: Invalidation | undefined
  /** The page is put back to the code that it had: there is nothing to hand on. */
  private isPuttingBack = false
  /** The copy that has invalidated, of each module that did since the last save. */
  private readonly invalidated = new Map<ModuleId, Instance>()
  private attempts: Attempt[] = []
  /** Modules whose reload the page has cancelled, with what they would have been. */
  private readonly declined = new Map<ModuleId, Definition | undefined>()
  /** The page was to reload for this update and is still there: it is not asked twice. */
  private hasStayed = false
  /** What news is in the queue, by module. */
  private readonly announced = new Set<Iterable<ModuleId>>()
  /** Modules that an update has left out, since nothing was to import them any more. */
  private readonly leftOut = new Set<ModuleId>()
  /** Live copies that were left behind at a top-level await, and what they threw then. */
  private readonly failedLate = new Map<Instance, unknown>()
  /** While an update waits at a top-level await: leaves that behind. */
  private leave: (() => void) | null = null

  constructor(
    private readonly registry: Registry,
    private readonly hot: HotTable,
    private readonly refresh: Refresh,
    private readonly page: UpdatePage,
  ) {
    this.failedImports = new FailedImports(registry, (id) => page.isBroken(id))
  }

  /** Called by `hot.invalidate()`. Returns what the event says (R28, R29). */
  invalidate(context: HotContext): { path: ModuleId; firstInvalidatedBy: ModuleId } {
    const from = context.id
    const first = this.cause?.first ?? from
    const live = this.registry.instances.get(from)
    // Only a module that has been updated can hand its update on, and each copy once (R30).
    if (!this.isPuttingBack && live?.replaced && this.invalidated.get(from) !== live) this.handOn(from, first, this.cause?.trail)
    return { path: from, firstInvalidatedBy: first }
  }

  private handOn(from: ModuleId, first: ModuleId, trail: ModuleId[] = []): void {
    this.invalidations.push({ from, first, trail: [...trail, from] })
    if (this.leave && this.mayRunPending(this.registry.importers.get(from) ?? [])) this.leave()
  }

  /**
   * News of these modules has come, and waits for its turn. An update that waits at a top-level await waits no longer if the
   * news may run that anew: the copy that waits is replaced next. Call what this returns when their turn has come.
   */
  announce(ids: readonly ModuleId[]): () => void {
    this.announced.add(ids)
    if (this.leave && this.mayRunPending(ids)) this.leave()
    return () => void this.announced.delete(ids)
  }

  /** Whether news of `ids`, which nobody has read yet, may run a module anew that waits at a top-level await, or reload the page. */
  private mayRunPending(ids: Iterable<ModuleId>): boolean {
    const above = new Set([...ids].filter((id) => this.registry.instances.has(id)))
    for (const id of above) {
      if (this.registry.isPending(id)) return true
      if (this.hot.contexts.get(id)?.acceptsFully) continue
      const importers = this.registry.importers.get(id)
      if (!importers || this.registry.entries.has(id)) return true
      for (const importer of importers) if (!this.hot.contexts.get(importer)?.speaker.acceptsDep(id)) above.add(importer)
    }
    return false
  }

  /** Whether some update waits for a definition, or an `import()` that failed may go better now. */
  get isWaiting(): boolean {
    return this.attempts.some(({ waiting }) => waiting) || this.failedImports.isDue
  }

  /** The page has cancelled its reload: what made it necessary is left alone until it is edited again. */
  decline(ids: Iterable<ModuleId>): void {
    for (const id of ids) if (this.registry.stale.has(id)) this.declined.set(id, this.registry.definitions.get(id))
  }

  private isDeclined(id: ModuleId): boolean {
    return this.declined.has(id) && this.declined.get(id) === this.registry.definitions.get(id)
  }

  /**
   * Brings what is stale up to date, and follows the invalidations this leads to. `hasStayed`: the page was to reload for the
   * same save and is still there.
   */
  async update(links: ModuleId[], timestamp: number, hasStayed = false): Promise<Outcome> {
    this.hasStayed = hasStayed
    this.invalidated.clear()
    await this.settleTopLevel()
    await this.pruneUnused(this.failedImports.retry())
    const [due, ...waiting] = this.due()
    let outcome = await this.applyTo(due!, links, timestamp)
    outcome = await this.follow(timestamp, outcome)
    for (const stale of waiting) {
      const more = await this.follow(timestamp, await this.applyTo(stale, [], timestamp))
      outcome = join(outcome, more)
    }
    await this.pruneUnused(this.failedImports.forgetReplaced())
    // An `import()` that was under way has kept them on the page.
    const kept = [...this.leftOut].filter((id) => this.registry.stale.has(id))
    this.leftOut.clear()
    if (outcome.result === 'updated' && kept.length > 0) outcome = join(outcome, await this.applyTo(new Set(kept), [], timestamp))
    this.dropAttempts()
    return outcome
  }

  /** What had failed may have gone with an import that led there: then its error is over. */
  private dropAttempts(): void {
    const before = this.attempts.length
    this.attempts = this.attempts.filter(({ stale, hasLetGo }) => hasLetGo || stale.some((id) => this.registry.stale.has(id)))
    if (this.attempts.length < before) this.page.succeeded(this.errorsLeft())
  }

  /** Updates `stale` together, or, if a part of it has to wait, the parts that have nothing to do with that. */
  private async applyTo(stale: Set<ModuleId>, links: ModuleId[], timestamp: number): Promise<Outcome> {
    const whole = await this.apply(this.propagate(stale), links, timestamp)
    if (whole.result === 'reload') return join(whole, await this.applyTo(this.withoutReload(stale), links, timestamp))
    if (whole.result !== 'waiting') return whole
    const parts = this.partsOf(stale).map((part) => part.stale)
    if (links.length > 0) parts.unshift(new Set())
    let outcome: Outcome = { result: 'nothing', boundaries: [] }
    for (const [at, part] of parts.entries()) {
      const verdict = this.propagate(part)
      const next = parts.length === 1 ? whole : await this.apply(verdict, at === 0 ? links : [], timestamp)
      if (next.result === 'waiting') this.note([...part], verdict.kind === 'accepted' ? verdict.rerun : part, true)
      outcome = join(outcome, next)
    }
    return outcome
  }

  /** The page has cancelled its reload: declines those that call for it, and gives the others. */
  private withoutReload(stale: Set<ModuleId>): Set<ModuleId> {
    const calling = [...stale].filter((id) => this.propagate([id]).kind === 'reload')
    // Each of them would be accepted, and all together are not.
    const declined = new Set(calling.length > 0 ? calling : stale)
    this.decline(declined)
    return new Set([...stale].filter((id) => !declined.has(id)))
  }

  private propagate(stale: Iterable<ModuleId>): Verdict {
    return propagate(this.registry, this.hot, this.refresh, stale)
  }

  /** Divides stale modules so that no module would run again for two of the parts. */
  private partsOf(stale: Iterable<ModuleId>): Part[] {
    const parts = new Set<Part>()
    const partOf = new Map<ModuleId, Part>()
    for (const id of stale) {
      const verdict = this.propagate([id])
      const own = { stale: new Set([id]), rerun: verdict.kind === 'accepted' ? verdict.rerun : new Set([id]) }
      const met = new Set([...own.rerun].flatMap((module) => partOf.get(module) ?? []))
      const [part = own, ...others] = met
      for (const other of part === own ? [] : [...others, own]) {
        for (const one of other.stale) part.stale.add(one)
        for (const one of other.rerun) part.rerun.add(one)
        parts.delete(other)
      }
      parts.add(part)
      for (const module of part.rerun) partOf.set(module, part)
    }
    return [...parts]
  }

  /** Tells what an update that was put back ran into from what has nothing to do with it; `made` are the copies of the update. */
  private divide(error: unknown, stale: ModuleId[], rerun: Set<ModuleId>, made: Instance[]): Failure {
    const blamed = new Set(made.filter(({ state }) => state === 'failed').map(({ id }) => id))
    // Who imports what threw would run with what it was, and keep that once it is mended.
    const isFailed = ({ rerun }: Part) => {
      const needed = this.registry.neededBy(rerun)
      return [...blamed].some((id) => needed.has(id))
    }
    const parts = blamed.size > 0 ? this.partsOf(stale) : []
    const rest = union(parts.some(isFailed) ? parts.filter((part) => !isFailed(part)) : [])
    // What runs again for an `invalidate()` need not be stale.
    const failed = { stale: new Set(stale.filter((id) => !rest.stale.has(id))), rerun: new Set([...rerun].filter((id) => !rest.rerun.has(id))) }
    return { error, failed, rest }
  }

  /** Follows the `invalidate()` calls that were made outside of an update. */
  async followInvalidations(timestamp: number): Promise<Outcome> {
    this.hasStayed = false
    return this.follow(timestamp, { result: 'nothing', boundaries: [] })
  }

  /** Follows the `invalidate()` calls made since; `outcome` is how the update went that led to them. */
  private async follow(timestamp: number, outcome: Outcome): Promise<Outcome> {
    for (let next; (next = this.invalidations.shift()); ) outcome = join(outcome, await this.followInvalidation(next, timestamp))
    return outcome
  }

  private async followInvalidation(invalidation: Invalidation, timestamp: number): Promise<Outcome> {
    const { from, trail } = invalidation
    const live = this.registry.instances.get(from)
    if (!live || this.invalidated.get(from) === live) return { result: 'nothing', boundaries: [] }
    // It hands on what it has handed on before: that would go on for ever.
    if (trail.indexOf(from) < trail.length - 1) {
      return this.apply({ kind: 'reload', chain: [from], reason: 'circular import invalidate' }, [], timestamp)
    }
    this.invalidated.set(from, live)
    const verdict = propagate(this.registry, this.hot, this.refresh, [], invalidation)
    const outcome = await this.apply(verdict, [], timestamp, invalidation)
    if (outcome.result === 'waiting' && verdict.kind === 'accepted') {
      // They are tried again as if they had been edited.
      const again = [...verdict.rerun].filter((id) => this.registry.instances.has(id) && this.registry.definitions.has(id))
      for (const id of again) this.registry.stale.add(id)
      this.note(again, verdict.rerun, true)
    }
    return outcome
  }

  // ---- attempts

  /**
   * What to bring up to date: first what was saved, with the failed attempts it has to do with, then each attempt that
   * waits for a definition. A module that throws does not hold back the saves of others.
   */
  private due(): Set<ModuleId>[] {
    const hadAttempts = this.attempts.length > 0
    const saved = new Set(this.registry.stale)
    for (const id of this.declined.keys()) if (!(this.isDeclined(id) && saved.delete(id))) this.declined.delete(id)
    for (const { stale } of this.attempts) for (const id of stale) saved.delete(id)
    const isStale = (id: ModuleId) => this.registry.stale.has(id)
    const waiting: Set<ModuleId>[] = []
    const needed = this.attempts.length > 0 ? this.registry.neededBy(saved) : new Map()
    this.attempts = this.attempts.filter((attempt) => {
      const stale = attempt.stale.filter(isStale)
      if (stale.length === 0) {
        // The save was taken back: what it had let go is started again by the same text.
        if (attempt.hasLetGo) for (const id of attempt.stale) saved.add(id)
        return false
      }
      if (stale.some((id) => needed.has(id)) || this.isAnother(attempt)) for (const id of stale) saved.add(id)
      else if (attempt.waiting) waiting.push(new Set(stale))
      else return true
      return false
    })
    // What had failed was taken back, or is tried again: its error is over until it comes up anew.
    if (hadAttempts) this.page.succeeded(this.errorsLeft())
    return [saved, ...waiting]
  }

  /** Whether an update that could not go through would need the module. */
  needs(id: ModuleId): boolean {
    return this.attempts.some(({ needed }) => needed.has(id)) || this.failedImports.needs(id)
  }

  private isAnother({ needed }: Attempt): boolean {
    return [...needed].some(([id, definition]) => this.registry.definitions.get(id) !== definition)
  }

  private note(stale: ModuleId[], rerun: ReadonlySet<ModuleId>, waiting: boolean, hasLetGo = false, error?: unknown): void {
    this.attempts.push({ stale, needed: this.registry.neededBy([...stale, ...rerun]), waiting, hasLetGo, error })
  }

  /** What was thrown by updates that have not gone through since, or by copies that are live. */
  private errorsLeft(): Set<unknown> {
    for (const copy of this.failedLate.keys()) if (this.registry.instances.get(copy.id) !== copy) this.failedLate.delete(copy)
    return new Set([...this.attempts.map(({ error }) => error), ...this.failedLate.values()].filter((error) => error !== undefined))
  }

  /** A module that waits at its top-level await and that nobody accepts may be about to say what it accepts. */
  private async settleTopLevel(): Promise<void> {
    const pending = [...this.registry.stale].filter((id) => this.registry.isPending(id) && !this.isDeclined(id))
    const mute = pending.map((id) => this.registry.instances.get(id)!).filter((copy) => this.isMute(copy))
    const began = Math.max(...mute.map(({ waitsSince }) => waitsSince))
    const left = began + FIRST_PATIENCE - performance.now()
    if (left > 0) await within(left, Promise.allSettled(mute.map(({ done }) => done)))
  }

  private isMute({ id, done }: Instance): boolean {
    const accepts = (this.hot.contexts.get(id)?.speaker.acceptors.length ?? 0) > 0
    return done !== null && !accepts && this.propagate([id]).kind === 'reload'
  }

  /** `waiting`: nothing has run, and nothing was noted. */
  private async apply(verdict: Verdict, links: ModuleId[], timestamp: number, invalidation?: Invalidation): Promise<Outcome> {
    if (verdict.kind === 'reload') {
      if (!this.hasStayed) await this.page.reload(verdict)
      this.hasStayed = true
      return { result: 'reload', boundaries: [], chain: verdict.chain, reason: verdict.reason }
    }
    const { boundaries, rerun, stale } = this.whatCanRun(verdict)
    if (rerun.size + boundaries.length + links.length === 0) return { result: 'nothing', boundaries: [] }
    try {
      if (!(await this.page.ensure(rerun))) return { result: 'waiting', boundaries: [] }
    } catch (error) {
      // An address that another host does not answer: nothing has run, and the next save tries again.
      return this.giveUp(error, boundaries, rerun)
    }

    const payload = updatePayload(boundaries, links, timestamp, invalidation)
    await this.hot.dispatch('vite:beforeUpdate', payload)
    const swapped = links.length > 0 ? this.page.swapLinks(links, timestamp) : undefined
    const failure = await this.replace(boundaries, rerun, stale, invalidation)
    await swapped
    const paths = links.map(withoutDirect)
    if (failure) return this.goOnAfter(failure, payload, boundaries, paths, timestamp)
    this.page.succeeded(this.errorsLeft())
    this.postponeAbsent(verdict)
    await this.render()
    await this.hot.dispatch('vite:afterUpdate', payload)
    await this.prune()
    return { result: 'updated', boundaries: [...boundaries.map(({ path }) => path), ...paths] }
  }

  /** What threw is put aside, and the rest of the update goes through without it. */
  private async goOnAfter({ error, failed, rest }: Failure, payload: UpdatePayload, boundaries: Boundary[], links: ModuleId[], timestamp: number): Promise<Outcome> {
    const hasLetGo = !(await this.startAgain(failed.rerun))
    this.note([...failed.stale], failed.rerun, false, hasLetGo, error)
    await this.hot.dispatch('vite:afterUpdate', payload)
    const paths = boundaries.filter(({ accepted }) => !rest.rerun.has(accepted)).map(({ path }) => path)
    const outcome: Outcome = { result: 'failed', boundaries: [...paths, ...links], error: String(error) }
    if (rest.stale.size === 0) return outcome
    const more = await this.applyTo(rest.stale, [], timestamp)
    // If it has to wait, its disposers have run already.
    if (more.result === 'waiting') await this.startAgain(rest.rerun)
    return join(outcome, more)
  }

  /**
   * What is gone cannot run; whoever still needs it waits. What the new code imports no more need not run, and would keep the
   * update back if it throws.
   */
  private whatCanRun(verdict: Verdict): { boundaries: Boundary[]; rerun: Set<ModuleId>; stale: ModuleId[] } {
    if (verdict.kind !== 'accepted') return { boundaries: [], rerun: new Set(), stale: [] }
    const rerun = new Set([...verdict.rerun].filter((id) => this.registry.definitions.has(id)))
    const stale = [...rerun].filter((id) => this.registry.stale.has(id))
    const reached = this.registry.reachedAfter(rerun)
    for (const id of rerun) if (reached && !reached.has(id) && rerun.delete(id)) this.leftOut.add(id)
    const canRun = ({ path, accepted }: Boundary) => this.registry.definitions.has(accepted) && (!reached || (reached.has(path) && reached.has(accepted)))
    return { boundaries: verdict.boundaries.filter(canRun), rerun, stale }
  }

  /** Live modules that the update could not run, since they are gone: when they are back they run, even if they are as they were. */
  private postponeAbsent(verdict: Verdict): void {
    if (verdict.kind !== 'accepted') return
    for (const id of verdict.rerun) {
      const instance = this.registry.instances.get(id)
      if (instance && !this.registry.definitions.has(id)) this.registry.makeDue(instance, `${id} was gone when what it imports was updated`)
    }
  }

  private giveUp(error: unknown, boundaries: Boundary[], rerun: ReadonlySet<ModuleId>): Outcome {
    this.note([...rerun].filter((id) => this.registry.stale.has(id)), rerun, true, false, error)
    for (const boundary of boundaries) this.tell(boundary, this.acceptorsOf(boundary), false)
    this.page.failed(error, boundaries)
    return { result: 'failed', boundaries: boundaries.map(({ path }) => path), error: String(error) }
  }

  /** Steps 3 to 6. Returns what made it put everything back, if something did. */
  private async replace(boundaries: Boundary[], rerun: Set<ModuleId>, stale: ModuleId[], invalidation?: Invalidation): Promise<Failure | undefined> {
    const calls = boundaries.map((boundary) => ({ boundary, acceptors: this.acceptorsOf(boundary) }))
    await this.dispose(rerun)
    const before = this.snapshot(rerun)
    let error: unknown
    this.refresh.begin()
    let late: Promise<void> | null = null
    let made: Instance[] = []
    try {
      const running = this.registry.run(this.inFirstOrder(rerun), rerun)
      made = this.registry.made
      if (running && !(await this.settle(running))) late = running
    } catch (thrown) {
      if (made.length === 0) made = this.registry.made
      error = thrown ?? new Error(`a module threw ${String(thrown)}`)
    }
    if (error === undefined) this.keep(before)
    else await this.rollBack(before, made)
    this.refresh.end()
    if (error !== undefined) {
      const failure = this.divide(error, stale, rerun, made)
      const own = calls.filter(({ boundary }) => !failure.rest.rerun.has(boundary.accepted))
      this.tellAll(own, false, invalidation)
      this.page.failed(error, own.map(({ boundary }) => boundary))
      return failure
    }
    this.handOnIncompatible(before)

    const isLate = ({ boundary }: Call) => late !== null && this.registry.isPending(boundary.accepted)
    const waiting = calls.filter(isLate)
    this.tellAll(calls.filter((call) => !isLate(call)), true, invalidation)
    if (late) this.finishLater(late, waiting, invalidation)
    return undefined
  }

  /**
   * Waits for modules at their top-level await. False: they were left behind, since they have not settled in time, or the
   * next version of one of them has come.
   */
  private async settle(running: Promise<void>): Promise<boolean> {
    const left = new Promise<'left'>((leave) => (this.leave = () => leave('left')))
    if ([...this.announced].some((ids) => this.mayRunPending(ids))) this.leave!()
    const first = await Promise.race([within(TOP_LEVEL_PATIENCE, running.then(() => 'ran' as const)), left])
    this.leave = null
    return first === 'ran'
  }

  /** Modules that were left behind come to their end, or never do; an update that is newer than they concerns them no more. */
  private finishLater(late: Promise<void>, calls: Call[], invalidation?: Invalidation): void {
    const copies = calls.map(({ boundary }) => this.registry.instances.get(boundary.accepted))
    const isLive = (_: Call, at: number) => this.registry.instances.get(copies[at]!.id) === copies[at]
    const told = () => this.tellAll(calls.filter(isLive), true, invalidation)
    const failed = (error: unknown) => {
      const live = calls.filter(isLive)
      if (live.length === 0) return
      for (const { boundary } of live) this.failedLate.set(this.registry.instances.get(boundary.accepted)!, error)
      this.page.failed(error, live.map(({ boundary }) => boundary), true)
    }
    late.then(told, failed)
  }

  /** Calls the callbacks of boundaries and says which were updated. */
  private tellAll(calls: Call[], ran: boolean, invalidation?: Invalidation): void {
    this.cause = invalidation
    this.isPuttingBack = !ran
    const lines = calls.length <= MOST_LINES
    for (const { boundary, acceptors } of calls) {
      this.tell(boundary, acceptors, ran)
      if (ran && lines) this.page.debug(lineOf(boundary))
    }
    if (ran && !lines) this.page.debug(calls.map(({ boundary }) => lineOf(boundary)).join('\n'))
    this.cause = undefined
    this.isPuttingBack = false
  }

  /**
   * An update was put back whose disposers had run: what they let go (timers, listeners, sockets) is started again by the
   * code that the page had, as an update to that would. False if that cannot be.
   */
  private async startAgain(ids: ReadonlySet<ModuleId>): Promise<boolean> {
    const letGo = [...ids].filter((id) => this.hot.contexts.get(id)?.disposed)
    if (letGo.length === 0) return true
    const verdict = this.propagate(letGo)
    if (verdict.kind !== 'accepted') return false
    const { boundaries, rerun } = verdict
    const calls = boundaries.map((boundary) => ({ boundary, acceptors: this.acceptorsOf(boundary) }))
    await this.dispose(rerun)
    const before = this.snapshot(rerun)
    this.refresh.begin()
    this.isPuttingBack = true
    try {
      const running = this.registry.runAgain(rerun, this.inFirstOrder(rerun))
      if (running) await this.settle(running)
    } catch (error) {
      await this.rollBack(before, this.registry.made)
      this.refresh.end()
      this.isPuttingBack = false
      this.page.report(error, `starting ${letGo.join(', ')} again`)
      return false
    }
    this.keep(before)
    this.refresh.end()
    for (const { boundary, acceptors } of calls) this.tell(boundary, acceptors, true)
    this.isPuttingBack = false
    await this.render()
    await this.prune()
    return true
  }

  /** The framework renders what is mounted with its new code. */
  private async render(): Promise<void> {
    try {
      await this.refresh.perform()
    } catch (error) {
      this.page.renderFailed(error)
    }
  }

  /** A component that is none any more: its importers take the update. */
  private handOnIncompatible(before: ReturnType<Updater['snapshot']>): void {
    for (const [id, { instance }] of before) {
      const now = this.registry.instances.get(id)
      const [name] = instance && now ? this.refresh.incompatible(instance, now) : []
      if (name === undefined) continue
      this.handOn(id, id)
      this.page.debug(`invalidate ${id}: Could not Fast Refresh ("${name}" export is incompatible)`)
    }
  }

  /** Callbacks that a boundary's update calls: those of the copy that is live now, the new one brings its own. */
  private acceptorsOf({ path, accepted }: Boundary): Acceptor[] {
    const context = this.hot.contexts.get(path)?.speaker
    if (!context) return []
    if (path === accepted) return context.acceptors.filter(({ deps }) => deps === null)
    return context.acceptors.filter(({ deps }) => deps?.includes(accepted))
  }

  /** All at once, before any new code; one that fails does not keep the update back. */
  private async dispose(ids: Iterable<ModuleId>): Promise<void> {
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

  private snapshot(ids: Iterable<ModuleId>): Map<ModuleId, Before> {
    const before = new Map<ModuleId, Before>()
    for (const id of ids) {
      const data = this.hot.peekData(id)
      before.set(id, { instance: this.registry.instances.get(id), context: this.hot.suspend(id), style: this.page.styleOf(id), data: data && { ...data } })
    }
    return before
  }

  /** What the page reached first runs first, so that cycles behave as they did. */
  private inFirstOrder(ids: Iterable<ModuleId>): ModuleId[] {
    const reached = (id: ModuleId) => this.registry.instances.get(id)?.reached ?? 0
    return [...ids].sort((a, b) => reached(a) - reached(b))
  }

  private keep(before: ReturnType<Updater['snapshot']>): void {
    for (const [id, { instance, context }] of before) {
      if (instance) this.registry.giveUp(instance)
      if (!context) continue
      this.hot.retire(context)
      const next = this.hot.contexts.get(id)
      if (next && this.registry.isPending(id)) next.before = context.speaker
    }
    if ([...before].some(([id, { instance }]) => instance && this.importsOthers(instance, this.registry.instances.get(id)))) this.page.moved()
    if (bindings === 'live') {
      for (const error of this.registry.rebind(new Set(before.keys()))) this.page.unlinked(error)
    }
    this.dropped = [...before.values()].flatMap(({ instance }) => (instance ? [instance] : []))
  }

  private importsOthers(before: Instance, now: Instance | undefined): boolean {
    return now !== undefined && now.definition !== before.definition && JSON.stringify(now.definition.links) !== JSON.stringify(before.definition.links)
  }

  private async rollBack(before: ReturnType<Updater['snapshot']>, made: Instance[]): Promise<void> {
    // What the copies have begun (timers, listeners, sockets) ends with them. It is waited for at the end: until the old ones
    // are back, an `import()` would make others.
    const disposed = this.dispose(made.filter(({ state }) => state !== 'linked').map(({ id }) => id))
    for (const instance of made) this.registry.giveUp(instance)
    for (const [id, { instance, context, style }] of before) {
      if (instance) this.registry.install(instance)
      else this.registry.remove(id)
      if (style !== undefined) this.page.putStyle(id, style)
      this.hot.restore(id, context)
    }
    // Modules that came along for the first time go again: the next try starts them anew.
    for (const instance of made) {
      if (!before.has(instance.id) && this.registry.instances.get(instance.id) === instance) this.forgetNew(instance)
    }
    await disposed
    // What they hand on is for nobody.
    for (const [id, { data }] of before) this.hot.restoreData(id, data)
  }

  private forgetNew({ id }: Instance): void {
    this.takeBack(id)
    this.page.removeStyle(id)
  }

  /** A live module is one no more, as if it had never run; its sheet stays. */
  takeBack(id: ModuleId): void {
    const context = this.hot.suspend(id)
    if (context) this.hot.retire(context)
    this.registry.remove(id)
    this.hot.dropData(id)
  }

  private tell({ path, accepted }: Boundary, acceptors: Acceptor[], ran: boolean): void {
    const instance = this.registry.instances.get(accepted)
    const fresh = ran && instance ? this.registry.namespaceFor(this.registry.instances.get(path) ?? instance, instance) : undefined
    for (const { deps, list, callback } of acceptors) {
      if (!callback) continue
      try {
        const next = list ? deps!.map((dep) => (dep === accepted ? fresh : undefined)) : fresh
        const result: unknown = (callback as (next: (Namespace | undefined)[] | Namespace | undefined) => unknown)(next)
        if (result instanceof Promise) result.catch((error: unknown) => this.page.report(error, `an accept callback of ${path}`))
      } catch (error) {
        this.page.report(error, `an accept callback of ${path}`)
      }
    }
  }

  // ---- prune

  /** Instances the last update replaced: what they imported may not be imported any more. */
  private dropped: Instance[] = []

  /** Takes modules off the page that nothing imports any more, and what only they imported. */
  private async prune(): Promise<void> {
    const candidates = new Set<ModuleId>()
    for (const old of this.dropped) {
      this.carryDynamicImports(old)
      const now = this.registry.instances.get(old.id)
      const kept = now ? this.registry.depsOf(now) : new Set()
      for (const id of this.registry.depsOf(old)) if (!kept.has(id)) candidates.add(id)
    }
    this.dropped = []
    await this.pruneUnused(candidates)
  }

  /** Takes those of `ids` off the page that no entry reaches, and what only they imported. */
  async pruneUnused(ids: Iterable<ModuleId>): Promise<void> {
    const candidates = new Set(ids)
    const pruned: ModuleId[] = []
    for (const id of candidates) {
      const instance = this.registry.instances.get(id)
      if (!instance || this.registry.isReachable(id)) continue
      pruned.push(id)
      this.registry.giveUp(instance)
      const deps = this.registry.depsOf(instance)
      this.registry.remove(id)
      for (const dep of deps) candidates.add(dep)
    }
    if (pruned.length === 0) return
    await this.hot.dispatch('vite:beforePrune', { type: 'prune', paths: pruned })
    await this.letGo(pruned)
  }

  /** A new copy that could still make the `import()`s of the old one keeps what they brought in. */
  private carryDynamicImports(old: Instance): void {
    const now = this.registry.instances.get(old.id)
    if (!now || now === old) return
    const possible = lazyImportsOf(now.definition)
    for (const id of old.imported) {
      if (possible.has(id) && this.registry.instances.has(id)) this.registry.noteDynamicImport(now, id)
    }
  }

  /** First all disposers, then all prune handlers, then the data is dropped (R24). */
  private async letGo(pruned: ModuleId[]): Promise<void> {
    await this.dispose(pruned)
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

function lineOf({ path, accepted }: Boundary): string {
  return path === accepted ? `hot updated: ${path}` : `hot updated: ${accepted} via ${path}`
}

/** What comes first: the promise, or the end of the time given to it. */
function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout>
  const limit = new Promise<undefined>((done) => (timer = setTimeout(done, milliseconds)))
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer))
}

function union(parts: Part[]): Part {
  return { stale: new Set(parts.flatMap(({ stale }) => [...stale])), rerun: new Set(parts.flatMap(({ rerun }) => [...rerun])) }
}

/** How two updates went that came from one save. */
function join(first: Outcome, second: Outcome): Outcome {
  if (second.result === 'nothing' || (second.result === 'waiting' && first.result !== 'nothing')) return first
  const boundaries = [...first.boundaries, ...second.boundaries]
  if (first.result === 'failed' && second.result !== 'reload') return { ...first, boundaries: second.result === 'failed' ? boundaries : first.boundaries }
  if (second.result === 'failed') return second
  return { ...second, boundaries }
}

/** `live`: importers read new exports after an update. `frozen`: they keep what they imported, as in Vite. */
let bindings: 'live' | 'frozen' = 'live'

export function setBindings(value: 'live' | 'frozen'): void {
  bindings = value
}

function updatePayload(boundaries: Boundary[], links: ModuleId[], timestamp: number, invalidation?: Invalidation): UpdatePayload {
  const entry = (type: Update['type'], path: ModuleId, acceptedPath: ModuleId): Update => ({
    type,
    timestamp,
    path,
    acceptedPath,
    explicitImportRequired: false,
    isWithinCircularImport: false,
    ...(invalidation && { firstInvalidatedBy: invalidation.first }),
  })
  return {
    type: 'update',
    updates: [
      ...boundaries.map(({ path, accepted }) => entry('js-update', path, accepted)),
      ...links.map((link) => entry('css-update', link, link)),
    ],
  }
}

export function withoutDirect(link: ModuleId): string {
  return link.replace('?direct', '')
}
