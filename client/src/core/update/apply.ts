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
import type { HotContext, HotTable } from '../hot'
import type { Instance } from '../instance'
import type { ModuleId, UpdatePayload } from '../messages'
import { withoutDirect } from '../query'
import type { Refresh } from '../refresh'
import type { Registry } from '../registry'
import { acceptorsOf, callAcceptors, lineOf, updatePayload, type AcceptedBoundary } from './acceptors'
import { Attempts } from './attempts'
import { Copies, type Snapshot } from './copies'
import { divide, partsOf, type Failure } from './divide'
import { FailedImports } from './imports'
import { joinOutcomes, type Outcome } from './outcome'
import { PendingModules, within } from './pending'
import { propagate, type Boundary, type Invalidation, type Verdict } from './propagate'
import { Pruner } from './prune'
import type { UpdatePage } from './update-page'

/** Milliseconds from the start of a copy in which it is expected to call `accept`, before an update of it reloads the page. */
const FIRST_PATIENCE = 1000

/** Boundaries that are logged one by one; each line costs as much as running a small module. */
const MOST_LINES = 20

/** Modules that an update runs again, and those of them that were edited. */
interface Rerun {
  boundaries: Boundary[]
  rerun: Set<ModuleId>
  stale: ModuleId[]
}

/** `live`: importers read new exports after an update. `frozen`: they keep what they imported, as in Vite. */
let bindings: 'live' | 'frozen' = 'live'

export function setBindings(value: 'live' | 'frozen'): void {
  bindings = value
}

export class Updater {
  readonly failedImports: FailedImports
  private readonly attempts: Attempts
  private readonly pending: PendingModules
  private readonly copies: Copies
  private readonly pruner: Pruner
  /** `invalidate()` calls that have not been followed yet. */
  private invalidations: Invalidation[] = []
  /** While accept callbacks run: the `invalidate()` that led to this update. */
  private cause: Invalidation | undefined
  /** The page is being put back to its old code: an `invalidate()` by that code is ignored. */
  private isPuttingBack = false
  /** For each module that has called `invalidate()` since the last save, the copy that did. */
  private readonly invalidated = new Map<ModuleId, Instance>()
  /** The page was to reload for this update and is still there: it is not asked twice. */
  private hasStayed = false
  /** Modules that this update has not run, because the new code does not import them any more. */
  private readonly leftOut = new Set<ModuleId>()
  /** Instances that the last update replaced: what they imported may not be imported any more. */
  private replaced: Instance[] = []

  constructor(
    private readonly registry: Registry,
    private readonly hot: HotTable,
    private readonly refresh: Refresh,
    private readonly page: UpdatePage,
  ) {
    this.failedImports = new FailedImports(registry, (id) => page.isBroken(id))
    this.attempts = new Attempts(registry, page)
    this.pending = new PendingModules(registry, hot)
    this.copies = new Copies(registry, hot, page)
    this.pruner = new Pruner(registry, hot, this.copies, page)
  }

  /** Whether some update waits for a definition, or an `import()` that failed may succeed now. */
  get isWaiting(): boolean {
    return this.attempts.isWaiting || this.failedImports.isDue
  }

  /** Whether an update that could not go through, or an `import()` that failed, would need the module. */
  needs(id: ModuleId): boolean {
    return this.attempts.needs(id) || this.failedImports.needs(id)
  }

  /** A message that concerns these modules is in the queue; see `PendingModules`. */
  announce(ids: readonly ModuleId[]): () => void {
    return this.pending.announce(ids)
  }

  /** The page has cancelled its reload: the modules that called for it are left alone until they are edited again. */
  decline(ids: Iterable<ModuleId>): void {
    this.attempts.decline(ids)
  }

  /** Makes a live module one that has never run; its sheet stays. */
  takeBack(id: ModuleId): void {
    this.copies.takeBack(id)
  }

  /** Prunes those of `ids` that no entry reaches, and what only they imported. */
  pruneUnused(ids: Iterable<ModuleId>): Promise<void> {
    return this.pruner.pruneUnused(ids)
  }

  // ---- the order of an update

  /**
   * Brings all stale modules up to date, and follows the invalidations to which that leads. `hasStayed`: the page was to reload for
   * the same save and is still there.
   */
  async update(links: ModuleId[], timestamp: number, hasStayed = false): Promise<Outcome> {
    this.hasStayed = hasStayed
    this.invalidated.clear()
    await this.settleMute()
    await this.pruneUnused(this.failedImports.retry())
    const [due, ...waiting] = this.attempts.due()
    let outcome = await this.applyTo(due!, links, timestamp)
    outcome = await this.follow(timestamp, outcome)
    for (const stale of waiting) {
      const more = await this.follow(timestamp, await this.applyTo(stale, [], timestamp))
      outcome = joinOutcomes(outcome, more)
    }
    await this.pruneUnused(this.failedImports.forgetReplaced())
    // A module that was left out is still on the page and stale if an `import()` was bringing it at that moment.
    const kept = [...this.leftOut].filter((id) => this.registry.stale.has(id))
    this.leftOut.clear()
    if (outcome.result === 'updated' && kept.length > 0) outcome = joinOutcomes(outcome, await this.applyTo(new Set(kept), [], timestamp))
    this.attempts.drop()
    return outcome
  }

  /** Updates `stale` together. If something cannot be had, updates the parts that do not need it, and notes the others. */
  private async applyTo(stale: Set<ModuleId>, links: ModuleId[], timestamp: number): Promise<Outcome> {
    const whole = await this.apply(this.propagate(stale), links, timestamp)
    if (whole.result === 'reload') return joinOutcomes(whole, await this.applyTo(this.withoutReload(stale), links, timestamp))
    if (whole.result !== 'waiting') return whole
    const parts = partsOf(stale, (part) => this.propagate(part)).map((part) => part.stale)
    if (links.length > 0) parts.unshift(new Set())
    let outcome: Outcome = { result: 'nothing', boundaries: [] }
    for (const [at, part] of parts.entries()) {
      const verdict = this.propagate(part)
      const next = parts.length === 1 ? whole : await this.apply(verdict, at === 0 ? links : [], timestamp)
      if (next.result === 'waiting') this.noteWaiting([...part], verdict.kind === 'accepted' ? verdict.rerun : part)
      outcome = joinOutcomes(outcome, next)
    }
    return outcome
  }

  /** One update from beginning to end. If it gives `waiting`, nothing has run, and nothing was noted. */
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
      // Another host does not answer for an address that a module imports. Nothing has run, and the next save tries again.
      return this.giveUp(error, boundaries, rerun)
    }

    const payload = updatePayload(boundaries, links, timestamp, invalidation)
    await this.hot.dispatch('vite:beforeUpdate', payload)
    const swapped = links.length > 0 ? this.page.swapLinks(links, timestamp) : undefined
    const failure = await this.replace(boundaries, rerun, stale, invalidation)
    await swapped
    const paths = links.map(withoutDirect)
    if (failure) return this.goOnAfter(failure, payload, boundaries, paths, timestamp)
    this.page.succeeded(this.attempts.errorsLeft())
    this.postponeAbsent(verdict)
    await this.render()
    await this.hot.dispatch('vite:afterUpdate', payload)
    await this.prune()
    return { result: 'updated', boundaries: [...boundaries.map(({ path }) => path), ...paths] }
  }

  /** Steps 3 to 6. If a module throws, everything is put back, and the failure is returned. */
  private async replace(boundaries: Boundary[], rerun: Set<ModuleId>, stale: ModuleId[], invalidation?: Invalidation): Promise<Failure | undefined> {
    const calls = this.withAcceptors(boundaries)
    await this.copies.dispose(rerun)
    const before = this.copies.snapshot(rerun)
    let error: unknown
    this.refresh.begin()
    let late: Promise<void> | null = null
    let made: Instance[] = []
    try {
      const running = this.registry.run(this.copies.inFirstOrder(rerun), rerun)
      made = this.registry.made
      if (running && !(await this.pending.settle(running))) late = running
    } catch (thrown) {
      if (made.length === 0) made = this.registry.made
      error = thrown ?? new Error(`a module threw ${String(thrown)}`)
    }
    if (error === undefined) this.keep(before)
    else await this.copies.rollBack(before, made)
    this.refresh.end()
    if (error !== undefined) {
      const failure = divide(error, stale, rerun, made, this.registry, (part) => this.propagate(part))
      const own = calls.filter(({ boundary }) => !failure.rest.rerun.has(boundary.accepted))
      this.callAll(own, false, invalidation)
      this.page.failed(error, own.map(({ boundary }) => boundary))
      return failure
    }
    this.handOnIncompatible(before)

    const isLate = ({ boundary }: AcceptedBoundary) => late !== null && this.registry.isPending(boundary.accepted)
    const waiting = calls.filter(isLate)
    this.callAll(calls.filter((call) => !isLate(call)), true, invalidation)
    if (late) this.finishLater(late, waiting, invalidation)
    return undefined
  }

  // ---- before anything runs

  private propagate(stale: Iterable<ModuleId>): Verdict {
    return propagate(this.registry, this.hot, this.refresh, stale)
  }

  /** A module that waits at its top-level await, and whose update would reload the page, may be about to call `accept`: waits for it. */
  private async settleMute(): Promise<void> {
    const pending = [...this.registry.stale].filter((id) => this.registry.isPending(id) && !this.attempts.isDeclined(id))
    const mute = pending.map((id) => this.registry.instances.get(id)!).filter((copy) => this.isMute(copy))
    const began = Math.max(...mute.map(({ waitsSince }) => waitsSince))
    const left = began + FIRST_PATIENCE - performance.now()
    if (left > 0) await within(left, Promise.allSettled(mute.map(({ done }) => done)))
  }

  private isMute({ id, done }: Instance): boolean {
    const accepts = (this.hot.contexts.get(id)?.speaker.acceptors.length ?? 0) > 0
    return done !== null && !accepts && this.propagate([id]).kind === 'reload'
  }

  /** The page has cancelled its reload: declines the modules that call for it, and gives the others. */
  private withoutReload(stale: Set<ModuleId>): Set<ModuleId> {
    const calling = [...stale].filter((id) => this.propagate([id]).kind === 'reload')
    // If each module would be accepted by itself, only all of them together call for the reload.
    const declined = new Set(calling.length > 0 ? calling : stale)
    this.decline(declined)
    return new Set([...stale].filter((id) => !declined.has(id)))
  }

  /**
   * Leaves out deleted modules, which cannot run, and modules that the new code does not import any more: they need not run, and
   * would hold the update back if they threw.
   */
  private whatCanRun(verdict: Verdict): Rerun {
    if (verdict.kind !== 'accepted') return { boundaries: [], rerun: new Set(), stale: [] }
    const rerun = new Set([...verdict.rerun].filter((id) => this.registry.definitions.has(id)))
    const stale = [...rerun].filter((id) => this.registry.stale.has(id))
    const reached = this.registry.reachedAfter(rerun)
    for (const id of rerun) if (reached && !reached.has(id) && rerun.delete(id)) this.leftOut.add(id)
    const canRun = ({ path, accepted }: Boundary) =>
      this.registry.definitions.has(accepted) && (!reached || (reached.has(path) && reached.has(accepted)))
    return { boundaries: verdict.boundaries.filter(canRun), rerun, stale }
  }

  private giveUp(error: unknown, boundaries: Boundary[], rerun: ReadonlySet<ModuleId>): Outcome {
    this.noteWaiting([...rerun].filter((id) => this.registry.stale.has(id)), rerun, error)
    for (const call of this.withAcceptors(boundaries)) this.call(call, false)
    this.page.failed(error, boundaries)
    return { result: 'failed', boundaries: boundaries.map(({ path }) => path), error: String(error) }
  }

  private noteWaiting(stale: ModuleId[], rerun: ReadonlySet<ModuleId>, error?: unknown): void {
    this.attempts.note({ stale, waiting: true, hasLetGo: false, error }, rerun)
  }

  // ---- after the new code ran

  /** The new copies stay: importers read their exports. */
  private keep(before: Snapshot): void {
    this.copies.keep(before)
    if (this.copies.importOthers(before)) this.page.moved()
    if (bindings === 'live') {
      for (const error of this.registry.rebind(new Set(before.keys()))) this.page.unlinked(error)
    }
    this.replaced = [...before.values()].flatMap(({ instance }) => (instance ? [instance] : []))
  }

  private prune(): Promise<void> {
    const { replaced } = this
    this.replaced = []
    return this.pruner.pruneImportsOf(replaced)
  }

  /** The framework renders what is mounted with its new code. */
  private async render(): Promise<void> {
    try {
      await this.refresh.perform()
    } catch (error) {
      this.page.renderFailed(error)
    }
  }

  /** Live modules that the update could not run because they are deleted: they run when they are back, even with the text they had. */
  private postponeAbsent(verdict: Verdict): void {
    if (verdict.kind !== 'accepted') return
    for (const id of verdict.rerun) {
      const instance = this.registry.instances.get(id)
      if (instance && !this.registry.definitions.has(id)) this.registry.makeDue(instance, { kind: 'was-gone', id })
    }
  }

  /** An export that was a component and is none any more: the module's importers take the update. */
  private handOnIncompatible(before: Snapshot): void {
    for (const [id, { instance }] of before) {
      const now = this.registry.instances.get(id)
      const [name] = instance && now ? this.refresh.incompatible(instance, now) : []
      if (name === undefined) continue
      this.handOn(id, id)
      this.page.debug(`invalidate ${id}: Could not Fast Refresh ("${name}" export is incompatible)`)
    }
  }

  /**
   * The update goes on without modules that are still at their top-level await. Their callbacks are called when they have run,
   * unless a newer update has replaced them by then.
   */
  private finishLater(late: Promise<void>, calls: AcceptedBoundary[], invalidation?: Invalidation): void {
    const copies = calls.map(({ boundary }) => this.registry.instances.get(boundary.accepted))
    const isLive = (_: AcceptedBoundary, at: number) => this.registry.instances.get(copies[at]!.id) === copies[at]
    const told = () => this.callAll(calls.filter(isLive), true, invalidation)
    const failed = (error: unknown) => {
      const live = calls.filter(isLive)
      if (live.length === 0) return
      for (const { boundary } of live) this.attempts.noteFailedLate(this.registry.instances.get(boundary.accepted)!, error)
      this.page.failed(error, live.map(({ boundary }) => boundary), true)
    }
    late.then(told, failed)
  }

  private withAcceptors(boundaries: Boundary[]): AcceptedBoundary[] {
    return boundaries.map((boundary) => ({ boundary, acceptors: acceptorsOf(boundary, this.hot) }))
  }

  private call(call: AcceptedBoundary, hasRun: boolean): void {
    callAcceptors(call, hasRun, this.registry, (error, doing) => this.page.report(error, doing))
  }

  /** Calls the callbacks of boundaries and logs which were updated. */
  private callAll(calls: AcceptedBoundary[], hasRun: boolean, invalidation?: Invalidation): void {
    this.cause = invalidation
    this.isPuttingBack = !hasRun
    const lines = calls.length <= MOST_LINES
    for (const call of calls) {
      this.call(call, hasRun)
      if (hasRun && lines) this.page.debug(lineOf(call.boundary))
    }
    if (hasRun && !lines) this.page.debug(calls.map(({ boundary }) => lineOf(boundary)).join('\n'))
    this.cause = undefined
    this.isPuttingBack = false
  }

  // ---- after a module threw

  /** What threw is noted as an attempt, and the rest of the update goes through without it. */
  private async goOnAfter(
    { error, failed, rest }: Failure,
    payload: UpdatePayload,
    boundaries: Boundary[],
    links: ModuleId[],
    timestamp: number,
  ): Promise<Outcome> {
    const hasLetGo = !(await this.startAgain(failed.rerun))
    this.attempts.note({ stale: [...failed.stale], waiting: false, hasLetGo, error }, failed.rerun)
    await this.hot.dispatch('vite:afterUpdate', payload)
    const paths = boundaries.filter(({ accepted }) => !rest.rerun.has(accepted)).map(({ path }) => path)
    const outcome: Outcome = { result: 'failed', boundaries: [...paths, ...links], error: String(error) }
    if (rest.stale.size === 0) return outcome
    const more = await this.applyTo(rest.stale, [], timestamp)
    // The disposers of the rest have run, also if it has to wait now.
    if (more.result === 'waiting') await this.startAgain(rest.rerun)
    return joinOutcomes(outcome, more)
  }

  /**
   * Runs the old code of modules again whose disposers ran for an update that was rolled back, so that what they had let go (timers,
   * listeners, sockets) is started again. It runs like an update to that code. False if that is impossible.
   */
  private async startAgain(ids: ReadonlySet<ModuleId>): Promise<boolean> {
    const letGo = [...ids].filter((id) => this.hot.contexts.get(id)?.disposed)
    if (letGo.length === 0) return true
    const verdict = this.propagate(letGo)
    if (verdict.kind !== 'accepted') return false
    const { boundaries, rerun } = verdict
    const calls = this.withAcceptors(boundaries)
    await this.copies.dispose(rerun)
    const before = this.copies.snapshot(rerun)
    this.refresh.begin()
    this.isPuttingBack = true
    try {
      const running = this.registry.runAgain(rerun, this.copies.inFirstOrder(rerun))
      if (running) await this.pending.settle(running)
    } catch (error) {
      await this.copies.rollBack(before, this.registry.made)
      this.refresh.end()
      this.isPuttingBack = false
      this.page.report(error, `starting ${letGo.join(', ')} again`)
      return false
    }
    this.keep(before)
    this.refresh.end()
    for (const call of calls) this.call(call, true)
    this.isPuttingBack = false
    await this.render()
    await this.prune()
    return true
  }

  // ---- invalidate()

  /** Called by `hot.invalidate()`. Returns the payload of `vite:invalidate`. */
  invalidate(context: HotContext): { path: ModuleId; firstInvalidatedBy: ModuleId } {
    const from = context.id
    const first = this.cause?.first ?? from
    const live = this.registry.instances.get(from)
    // As in Vite, only a module that was updated can hand its update on, and each copy does so once.
    if (!this.isPuttingBack && live?.replaced && this.invalidated.get(from) !== live) this.handOn(from, first, this.cause?.trail)
    return { path: from, firstInvalidatedBy: first }
  }

  private handOn(from: ModuleId, first: ModuleId, trail: ModuleId[] = []): void {
    this.invalidations.push({ from, first, trail: [...trail, from] })
    this.pending.leaveFor(this.registry.importers.get(from) ?? [])
  }

  /** Follows `invalidate()` calls that were made outside of an update. */
  async followInvalidations(timestamp: number): Promise<Outcome> {
    this.hasStayed = false
    return this.follow(timestamp, { result: 'nothing', boundaries: [] })
  }

  /** Follows the `invalidate()` calls that an update has led to; `outcome` is how that update went. */
  private async follow(timestamp: number, outcome: Outcome): Promise<Outcome> {
    for (let next; (next = this.invalidations.shift());) outcome = joinOutcomes(outcome, await this.followInvalidation(next, timestamp))
    return outcome
  }

  private async followInvalidation(invalidation: Invalidation, timestamp: number): Promise<Outcome> {
    const { from, trail } = invalidation
    const live = this.registry.instances.get(from)
    if (!live || this.invalidated.get(from) === live) return { result: 'nothing', boundaries: [] }
    // The module hands on an update that it has handed on before: that would go on without end.
    if (trail.indexOf(from) < trail.length - 1) {
      return this.apply({ kind: 'reload', chain: [from], reason: { kind: 'circular-invalidate' } }, [], timestamp)
    }
    this.invalidated.set(from, live)
    const verdict = propagate(this.registry, this.hot, this.refresh, [], invalidation)
    const outcome = await this.apply(verdict, [], timestamp, invalidation)
    if (outcome.result === 'waiting' && verdict.kind === 'accepted') {
      // They are tried again as if they had been edited.
      const again = [...verdict.rerun].filter((id) => this.registry.instances.has(id) && this.registry.definitions.has(id))
      for (const id of again) this.registry.stale.add(id)
      this.noteWaiting(again, verdict.rerun)
    }
    return outcome
  }
}
