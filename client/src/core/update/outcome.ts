/** How an update went, as the server is told, and how the outcomes of several updates for one save become one. */
import type { ModuleId } from '../messages'
import type { NoBoundary } from './propagate'

export interface Outcome {
  /** `waiting`: a definition cannot be had now, and nothing has run. */
  result: 'nothing' | 'updated' | 'reload' | 'failed' | 'waiting'
  /** Boundaries that were updated; if the update failed, those where the page keeps its old code. */
  boundaries: ModuleId[]
  chain?: ModuleId[]
  reason?: NoBoundary
  error?: string
}

export function joinOutcomes(first: Outcome, second: Outcome): Outcome {
  if (second.result === 'nothing' || (second.result === 'waiting' && first.result !== 'nothing')) return first
  const boundaries = [...first.boundaries, ...second.boundaries]
  if (first.result === 'failed' && second.result !== 'reload') {
    return { ...first, boundaries: second.result === 'failed' ? boundaries : first.boundaries }
  }
  if (second.result === 'failed') return second
  return { ...second, boundaries }
}
