/**
 * `import()`s that failed. A rejected promise stays rejected: only the code that called `import()` can call it once more. So when
 * the imported module may run by now, the module with the `import()` runs again, as if it had been edited.
 *
 *     import('./chart.js')      rejected: chart.js has a syntax error
 *     a save mends chart.js  →  the module with the import() is due, and is updated like an edited one
 *
 * Knows neither DOM nor socket.
 */
import type { Definition } from '../definition'
import type { ModuleGraph } from '../graph'
import type { Instance } from '../instance'
import type { ModuleId } from '../messages'

interface FailedImport {
  /** Copies of modules that have called it. */
  importers: Set<Instance>
  /** The definitions of all modules that it would have run. */
  needed: Map<ModuleId, Definition | undefined>
  /** Those of the modules that were known to be broken. */
  broken: ModuleId[]
  /** The server did not answer. */
  wasCut: boolean
}

export class FailedImports {
  private readonly failures = new Map<ModuleId, FailedImport>()

  constructor(
    private readonly graph: ModuleGraph,
    /** Whether it is known that a module cannot run. */
    private readonly isBroken: (id: ModuleId) => boolean,
  ) {}

  /** An `import()` of `id` in `importer` was rejected. */
  note(id: ModuleId, importer: Instance, wasCut: boolean): void {
    const importers = new Set(this.failures.get(id)?.importers).add(importer)
    this.failures.set(id, { importers, ...this.state(id), wasCut })
  }

  /** The `import()` has succeeded since. */
  forget(id: ModuleId, importer: Instance): void {
    const importers = this.failures.get(id)?.importers
    importers?.delete(importer)
    if (importers?.size === 0) this.failures.delete(id)
  }

  private state(id: ModuleId): Pick<FailedImport, 'needed' | 'broken'> {
    const needed = this.graph.neededBy([id])
    return { needed, broken: [...needed.keys()].filter(this.isBroken) }
  }

  /** The connection is back: what the server has not answered is worth another try. */
  reconnected(): void {
    for (const failure of this.failures.values()) if (failure.wasCut) failure.needed.clear()
  }

  /** Whether some `import()` waits for the module. */
  needs(id: ModuleId): boolean {
    return [...this.failures.values()].some(({ importers, needed }) => needed.has(id) && [...importers].some((importer) => this.isLive(importer)))
  }

  /** Whether `retry` would do something. */
  get isDue(): boolean {
    return [...this.failures].some(([id, failure]) => this.mayHaveChanged(id, failure))
  }

  /**
   * Makes the importers due whose `import()` may succeed now. Gives the modules that they had imported, to be pruned: a copy that
   * threw, and what only that copy imported, may still be on the page.
   */
  retry(): ModuleId[] {
    const tried = [...this.failures].filter(([id, failure]) => this.mayHaveChanged(id, failure))
    for (const [id, { importers }] of tried) {
      // A module that is known to be broken would only fail again.
      if (this.graph.missing([id]).some(this.isBroken)) this.failures.set(id, { importers, ...this.state(id), wasCut: false })
      else if (this.failures.delete(id)) {
        for (const importer of importers) this.graph.makeDue(importer, { kind: 'import-failed', importer: importer.id })
      }
    }
    return tried.map(([id]) => id)
  }

  /** Forgets copies that are not live any more. Gives the modules that no other copy has imported. */
  forgetReplaced(): ModuleId[] {
    for (const { importers } of this.failures.values()) for (const importer of importers) if (!this.isLive(importer)) importers.delete(importer)
    const over = [...this.failures].filter(([, { importers }]) => importers.size === 0).map(([id]) => id)
    for (const id of over) this.failures.delete(id)
    return over
  }

  private mayHaveChanged(id: ModuleId, { needed, broken }: FailedImport): boolean {
    const now = this.graph.neededBy([id])
    if (now.size !== needed.size || [...now].some(([module, definition]) => needed.get(module) !== definition)) return true
    return broken.some((module) => !this.isBroken(module))
  }

  private isLive(importer: Instance): boolean {
    return this.graph.instances.get(importer.id) === importer
  }
}
