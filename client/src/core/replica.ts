/**
 * What this tab holds of the server's table of modules, and as of which batch (`docs/internals/sync.md`).
 *
 *     segment   4be1… : /a.js, /b.js         waits until a manifest says as of which batch it is true
 *     manifest  session 1f, as of 3, 4be1…   /a.js and /b.js are taken in, as of 3
 *     batch     2 → 4, /a.js                 is newer: taken in, as of 4
 *     manifest  session 1f, as of 3, 77aa…   /a.js in it is older: left out
 *
 * For each module the newest definition wins, in whatever order and however often definitions arrive. Knows neither DOM nor socket.
 */
import { definitionOf, type Definition } from './definition'
import type { ModuleGraph } from './graph'
import type { Batch, Diagnostic, Errors, Manifest, ModuleId } from './messages'

/** Takes the arguments of a `$d` call. */
export type Define = (...definition: Parameters<typeof definitionOf>) => void

/** A batch number below all numbers of a session. */
const BEFORE = -1

/** Definitions that came by value, in a script that says as of which batch they are. */
interface Arrival {
  session: string
  seq: number
  definitions: Definition[]
}

export class Replica {
  /** The session of the server that this tab is in; empty before it knows one. */
  session = ''
  /** The number of the last batch of which this tab has heard, together with all before it. */
  seq = 0
  /** The tab is in no session until all that it holds has been compared with the server's table. Nothing is taken in meanwhile. */
  isBetween = false
  /** Why modules cannot run, newest last. */
  readonly errors = new Map<ModuleId, Diagnostic[]>()

  /** As of which batch each definition or deletion is known; `floor` counts for those that have no number here. */
  private readonly heldAsOf = new Map<ModuleId, number>()
  private floor = BEFORE
  /** The number of the `whole` batch with which this tab came into the session. What is older may not have been compared. */
  private joined = BEFORE
  /** As of which batch it is known whether a module is broken. */
  private readonly standsAsOf = new Map<ModuleId, number>()
  private envAsOf = BEFORE
  /** Definitions of segments that no manifest has named yet, by address. */
  private readonly segments = new Map<string, Definition[]>()
  /** Arrivals that no manifest has followed yet. */
  private arrivals: Arrival[] = []

  constructor(
    private readonly graph: ModuleGraph,
    private readonly env: Record<string, unknown>,
  ) {}

  // ---- definitions in scripts

  /** Collects the definitions of a segment, or (without an address) of a script that says as of which batch they are. */
  collect(address: string | null, session = '', seq = 0): Define {
    const definitions: Definition[] = []
    if (address !== null) this.segments.set(address, definitions)
    else this.arrivals.push({ session, seq, definitions })
    return (...definition) => void definitions.push(definitionOf(...definition))
  }

  /** Takes in what came with a manifest. False if the manifest is of another session: then nothing is taken in. */
  takeManifest(manifest: Manifest): boolean {
    const isFirst = this.session === ''
    if (isFirst) this.begin(manifest)
    const isKnown = (session: string, seq: number) => session === this.session && seq >= this.joined && (isFirst || !this.isBetween)
    const arrivals = this.arrivals.splice(0).filter(({ session, seq }) => isKnown(session, seq))
    if (!isKnown(manifest.session, manifest.seq)) return false
    for (const address of manifest.segments) {
      for (const definition of this.segments.get(address) ?? []) this.takeDefinition(definition, manifest.seq)
      this.segments.delete(address)
    }
    for (const { seq, definitions } of arrivals) for (const definition of definitions) this.takeDefinition(definition, seq)
    this.takeErrors(manifest.errors, manifest.seq)
    this.takeEnv(manifest.env, manifest.seq)
    return true
  }

  private begin({ session, seq, since }: Manifest): void {
    this.session = session
    this.seq = since ?? seq
    this.floor = seq
    // Without `since` the page's text is of another session than its script.
    this.isBetween = since === undefined
  }

  /** The server was restarted. What comes from now on is of a session that this tab is not in yet. */
  leaveSession(): void {
    this.isBetween = true
  }

  /** Takes in a definition that is true as of a batch of this session, unless a newer one is held. */
  takeDefinition(definition: Definition, asOf: number): void {
    const { id } = definition
    const isHeld = this.graph.definitions.has(id)
    if (asOf < (this.heldAsOf.get(id) ?? (isHeld ? this.floor : BEFORE))) return
    if (asOf !== this.floor || isHeld) this.heldAsOf.set(id, asOf)
    this.graph.take(definition)
  }

  // ---- batches

  /**
   * How a batch relates to what this tab has heard. `gap`: a batch between is missing. `whole`: the answer to a comparison, with which the
   * tab enters a session. `foreign`: of another session.
   */
  relate({ session, since, seq }: Batch): 'next' | 'gap' | 'whole' | 'foreign' {
    if (since === undefined) {
      this.session = session
      this.isBetween = false
      this.seq = this.floor = this.joined = seq
      this.envAsOf = BEFORE
      this.heldAsOf.clear()
      this.standsAsOf.clear()
      this.errors.clear() // The batch brings all errors that still stand.
      return 'whole'
    }
    if (session !== this.session || this.isBetween) return 'foreign'
    if (since > this.seq) return 'gap'
    this.seq = Math.max(this.seq, seq)
    return 'next'
  }

  /** Takes in which modules are deleted, broken or mended. Definitions are taken in by `takeDefinition`. */
  takeStandings({ deleted, errors, fixed, env, seq }: Batch): void {
    for (const id of deleted) this.takeDeletion(id, seq)
    for (const id of fixed) if (this.standsNow(id, seq)) this.errors.delete(id)
    this.takeErrors(errors, seq)
    if (env) this.takeEnv(env, seq)
  }

  private takeDeletion(id: ModuleId, asOf: number): void {
    if (asOf < (this.heldAsOf.get(id) ?? this.floor)) return
    this.heldAsOf.set(id, asOf)
    this.graph.forget(id)
    // A deleted module has no error of its own: the modules that import it have one.
    if (this.standsNow(id, asOf)) this.errors.delete(id)
  }

  private takeErrors(news: Errors, asOf: number): void {
    for (const [id, diagnostics] of Object.entries(news)) {
      if (!this.standsNow(id, asOf)) continue
      this.errors.delete(id) // Newest last.
      this.errors.set(id, diagnostics)
    }
  }

  /** Whether news about the errors of a module are the newest that are known; notes their number then. */
  private standsNow(id: ModuleId, asOf: number): boolean {
    if (asOf < (this.standsAsOf.get(id) ?? BEFORE)) return false
    this.standsAsOf.set(id, asOf)
    return true
  }

  private takeEnv(env: Record<string, unknown>, asOf: number): void {
    if (asOf < this.envAsOf) return
    this.envAsOf = asOf
    for (const name of Object.keys(this.env)) if (!(name in env)) delete this.env[name]
    Object.assign(this.env, env)
  }
}
