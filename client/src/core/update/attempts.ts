/**
 * Updates that could not go through, and what makes each of them worth another try.
 *
 *     a.js throws              a.js stays stale; another try would meet the same error, and saves of other modules do not wait for it
 *     b.js, which a.js imports, is saved     the attempt is due again, together with b.js
 *
 * Beside them: modules whose reload the page has cancelled, and copies that threw after their update had gone through.
 */
import type { Definition } from '../definition'
import type { ModuleGraph } from '../graph'
import type { Instance } from '../instance'
import type { ModuleId } from '../messages'
import type { UpdatePage } from './update-page'

/** An update that could not go through. Its modules stay stale until another try may succeed. */
export interface Attempt {
  stale: ModuleId[]
  /** A definition could not be had. Nothing has run, so trying again costs nothing. */
  waiting: boolean
  /** The old copies were disposed of, and what they had let go (timers, listeners) could not be started again. */
  hasLetGo: boolean
  error?: unknown
}

/** `needed`: all that the attempt would run or import. While these definitions are the same, another try would meet the same error. */
type NotedAttempt = Attempt & { needed: Map<ModuleId, Definition | undefined> }

export class Attempts {
  private attempts: NotedAttempt[] = []
  /** Modules whose reload the page has cancelled, with their definition at that time. */
  private readonly declined = new Map<ModuleId, Definition | undefined>()
  /** Live copies that threw after their update had gone through, with what they threw. */
  private readonly failedLate = new Map<Instance, unknown>()

  constructor(
    private readonly graph: ModuleGraph,
    private readonly page: UpdatePage,
  ) {}

  note(attempt: Attempt, rerun: ReadonlySet<ModuleId>): void {
    this.attempts.push({ ...attempt, needed: this.graph.neededBy([...attempt.stale, ...rerun]) })
  }

  noteFailedLate(copy: Instance, error: unknown): void {
    this.failedLate.set(copy, error)
  }

  /** Whether some update waits for a definition. */
  get isWaiting(): boolean {
    return this.attempts.some(({ waiting }) => waiting)
  }

  /** Whether an update that could not go through would need the module. */
  needs(id: ModuleId): boolean {
    return this.attempts.some(({ needed }) => needed.has(id))
  }

  /** The page has cancelled its reload: the modules that called for it are left alone until they are edited again. */
  decline(ids: Iterable<ModuleId>): void {
    for (const id of ids) if (this.graph.stale.has(id)) this.declined.set(id, this.graph.definitions.get(id))
  }

  isDeclined(id: ModuleId): boolean {
    return this.declined.has(id) && this.declined.get(id) === this.graph.definitions.get(id)
  }

  /**
   * The sets of modules to bring up to date: first what was saved, together with the failed attempts it concerns, then each attempt
   * that waits for a definition. A module that throws does not hold back the saves of others.
   */
  due(): Set<ModuleId>[] {
    const hadAttempts = this.attempts.length > 0
    const saved = new Set(this.graph.stale)
    for (const id of this.declined.keys()) if (!(this.isDeclined(id) && saved.delete(id))) this.declined.delete(id)
    for (const { stale } of this.attempts) for (const id of stale) saved.delete(id)
    const isStale = (id: ModuleId) => this.graph.stale.has(id)
    const waiting: Set<ModuleId>[] = []
    const needed = this.attempts.length > 0 ? this.graph.neededBy(saved) : new Map()
    this.attempts = this.attempts.filter((attempt) => {
      const stale = attempt.stale.filter(isStale)
      if (stale.length === 0) {
        // The edit was undone. What the old copies had let go is started again by running the same text.
        if (attempt.hasLetGo) { for (const id of attempt.stale) saved.add(id) }
        return false
      }
      if (stale.some((id) => needed.has(id)) || this.hasChanged(attempt)) { for (const id of stale) saved.add(id) }
      else if (attempt.waiting) waiting.push(new Set(stale))
      else return true
      return false
    })
    // An attempt that is undone or tried again has no error any more, until it fails again.
    if (hadAttempts) this.page.succeeded(this.errorsLeft())
    return [saved, ...waiting]
  }

  private hasChanged({ needed }: NotedAttempt): boolean {
    return [...needed].some(([id, definition]) => this.graph.definitions.get(id) !== definition)
  }

  /** Drops attempts whose modules are not stale any more, because the import that led to them is gone: their errors are over. */
  drop(): void {
    const before = this.attempts.length
    this.attempts = this.attempts.filter(({ stale, hasLetGo }) => hasLetGo || stale.some((id) => this.graph.stale.has(id)))
    if (this.attempts.length < before) this.page.succeeded(this.errorsLeft())
  }

  /** What was thrown by updates that have not gone through since, or by copies that are still live. */
  errorsLeft(): Set<unknown> {
    for (const copy of this.failedLate.keys()) if (this.graph.instances.get(copy.id) !== copy) this.failedLate.delete(copy)
    return new Set([...this.attempts.map(({ error }) => error), ...this.failedLate.values()].filter((error) => error !== undefined))
  }
}
