/**
 * Divides an update into parts that have nothing to do with each other, so that one that cannot run holds back only itself.
 *
 *     stale: a, b, c      a and b run main.js again, c accepts itself   → parts: a with b, and c
 */
import type { ModuleGraph } from '../graph'
import type { Instance } from '../instance'
import type { ModuleId } from '../messages'
import type { Verdict } from './propagate'

/** Stale modules, and what runs again for them: no module runs for two parts. */
export interface Part {
  stale: Set<ModuleId>
  rerun: Set<ModuleId>
}

/** An update that was rolled back: `failed` threw or needs what threw, `rest` has nothing to do with it. */
export interface Failure {
  error: unknown
  failed: Part
  rest: Part
}

/** Divides stale modules so that no module would run again for two of the parts. */
export function partsOf(stale: Iterable<ModuleId>, propagate: (stale: ModuleId[]) => Verdict): Part[] {
  const parts = new Set<Part>()
  const partOf = new Map<ModuleId, Part>()
  for (const id of stale) {
    const verdict = propagate([id])
    const own = { stale: new Set([id]), rerun: verdict.kind === 'accepted' ? verdict.rerun : new Set([id]) }
    const touched = new Set([...own.rerun].flatMap((module) => partOf.get(module) ?? []))
    const [part = own, ...others] = touched
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

/** Separates what made an update fail from what has nothing to do with it. `made` are the copies of the update. */
export function divide(
  error: unknown,
  stale: ModuleId[],
  rerun: Set<ModuleId>,
  made: Instance[],
  graph: ModuleGraph,
  propagate: (stale: ModuleId[]) => Verdict,
): Failure {
  const blamed = new Set(made.filter(({ state }) => state === 'failed').map(({ id }) => id))
  // A module that imports what threw would run with the old exports of that, and keep them when it is mended. So it fails as well.
  const isFailed = ({ rerun }: Part) => {
    const needed = graph.neededBy(rerun)
    return [...blamed].some((id) => needed.has(id))
  }
  const parts = blamed.size > 0 ? partsOf(stale, propagate) : []
  const rest = union(parts.some(isFailed) ? parts.filter((part) => !isFailed(part)) : [])
  // `failed` is what is left, not the union of the failed parts: modules that run again for an `invalidate()` need not be stale.
  const failed = { stale: new Set(stale.filter((id) => !rest.stale.has(id))), rerun: new Set([...rerun].filter((id) => !rest.rerun.has(id))) }
  return { error, failed, rest }
}

function union(parts: Part[]): Part {
  return { stale: new Set(parts.flatMap(({ stale }) => [...stale])), rerun: new Set(parts.flatMap(({ rerun }) => [...rerun])) }
}
