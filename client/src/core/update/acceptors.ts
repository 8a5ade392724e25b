/** Who is told of an update: the accept callbacks of its boundaries, the `vite:*` events and the console. */
import type { Acceptor, HotTable } from '../hot'
import type { Namespace } from '../instance'
import type { ModuleId, Update, UpdatePayload } from '../messages'
import type { Registry } from '../registry'
import type { Boundary, Invalidation } from './propagate'

/** A boundary with the callbacks that its update calls. */
export interface AcceptedBoundary {
  boundary: Boundary
  acceptors: Acceptor[]
}

/** The callbacks that an update of a boundary calls: those of the copy that is live now, since the new copy registers its own. */
export function acceptorsOf({ path, accepted }: Boundary, hot: HotTable): Acceptor[] {
  const context = hot.contexts.get(path)?.speaker
  if (!context) return []
  if (path === accepted) return context.acceptors.filter(({ deps }) => deps === null)
  return context.acceptors.filter(({ deps }) => deps?.includes(accepted))
}

/** Calls the callbacks with the new exports, or with undefined if the new code has not run. Errors are reported. */
export function callAcceptors(
  { boundary: { path, accepted }, acceptors }: AcceptedBoundary,
  hasRun: boolean,
  registry: Registry,
  report: (error: unknown, doing: string) => void,
): void {
  const instance = registry.instances.get(accepted)
  const fresh = hasRun && instance ? registry.namespaceFor(registry.instances.get(path) ?? instance, instance) : undefined
  for (const { deps, list, callback } of acceptors) {
    if (!callback) continue
    try {
      const next = list ? deps!.map((dep) => (dep === accepted ? fresh : undefined)) : fresh
      const result: unknown = (callback as (next: (Namespace | undefined)[] | Namespace | undefined) => unknown)(next)
      if (result instanceof Promise) result.catch((error: unknown) => report(error, `an accept callback of ${path}`))
    } catch (error) {
      report(error, `an accept callback of ${path}`)
    }
  }
}

/** The line in the console that says what was updated. */
export function lineOf({ path, accepted }: Boundary): string {
  return path === accepted ? `hot updated: ${path}` : `hot updated: ${accepted} via ${path}`
}

/** The payload of `vite:beforeUpdate` and `vite:afterUpdate`. */
export function updatePayload(boundaries: Boundary[], links: ModuleId[], timestamp: number, invalidation?: Invalidation): UpdatePayload {
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
