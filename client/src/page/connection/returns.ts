/**
 * What the server did not bring, because it was away or a file was missing, and is asked for again.
 *
 *     the script of a worker fails ─► once the connection is back, or a save may have brought the file: again
 */
import type { Batch, ModuleId } from '../../core/messages'
import { stateOf } from '../dom/styles'

/** A request that failed: for what is made of the module `path`. */
interface FailedRequest {
  path: ModuleId
  again: () => void
}

let failedRequests: FailedRequest[] = []
/** Addresses that were looked at since the last save. */
const lookedAt = new Set<string>()

/** Calls `again` when the connection is back, or when a save may have brought what is made of the module `path`. */
export function whenBack(path: ModuleId, again: () => void): FailedRequest {
  const request = { path, again }
  failedRequests.push(request)
  return request
}

/** The same for what failed at `address`, and at once if it is there now. */
export function tryLater(path: ModuleId, address: string, again: () => void): void {
  const request = whenBack(path, again)
  if (lookedAt.has(address)) return
  lookedAt.add(address)
  // The save that brings the file may have been handled before the failure was known here.
  void stateOf(address).then((now) => {
    if (now === 'there') tryAgain((other) => other === request)
  })
}

export function tryAgain(isDue: (request: FailedRequest) => boolean): void {
  const due = failedRequests.filter(isDue)
  failedRequests = failedRequests.filter((request) => !due.includes(request))
  for (const { again } of due) again()
}

/** A save may have brought files back that were not there. */
export function tryAfter({ definitions, fixed }: Batch): void {
  if (definitions.length + fixed.length > 0) lookedAt.clear()
  if (failedRequests.length > 0) tryAgain(({ path }) => fixed.length > 0 || definitions.some(({ id }) => id === path))
}
