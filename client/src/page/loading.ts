/**
 * Fetches definitions that this tab needs and has not got.
 *
 *     /@rekindle/load.js?id=/chart.js     a script that imports the segments with chart.js and all it imports,
 *                                         and says as of which batch they are
 */
import type { Manifest, ModuleId } from '../core/messages'
import { hello, inParts, inStep } from './connection/server'
import { errors, registry, replica, rescue, socket } from './parts'
import { inTime } from './queue'
import { resetRetry, retryLater, retryNow } from './retry'
import { base } from './settings'
import { state } from './state'

/** Fetches what running `roots` needs. False if some of it cannot be had. `fetch` is `load` or `loadForUpdate`. */
export async function fetchMissing(
  roots: Iterable<ModuleId>,
  fetch: (ids: ModuleId[]) => Promise<void>,
  fresh?: ReadonlySet<ModuleId>,
): Promise<boolean> {
  let missing = registry.missing(roots, fresh)
  if (missing.some((id) => !errors.has(id))) {
    await fetch(missing)
    missing = registry.missing(roots, fresh)
  }
  for (const id of missing) state.wanted.add(id)
  if (missing.length > 0) return false
  if (!registry.needsNatives(roots)) return true
  const natives = registry.importNatives(roots)
  if (fetch === load) await natives
  else if ((await inTime(natives)) === 'over') return natives.then(retryNow, retryLater), false
  return true
}

let loads = 0
/** How often a load is tried that ends without what it was for. */
const MOST_LOADS = 5
/** Letters of module ids in one address. Servers, and proxies in front of them, refuse long addresses. */
const LONGEST_QUERY = 4000

/**
 * Loads the segments with `ids` and all they import. What does not come by them is loaded by value: a browser runs each script
 * only once, and does not load a script again that it could not load before.
 */
export async function load(ids: ModuleId[]): Promise<void> {
  await Promise.all(inParts(ids, (id) => encodeURIComponent(id).length, LONGEST_QUERY).map(loadPart))
}

async function loadPart(ids: ModuleId[]): Promise<void> {
  let wanted = ids
  let byValue = false
  for (let attempt = 1;; attempt++) {
    const query = wanted.map((id) => `id=${encodeURIComponent(id)}`).join('&')
    const address = () => `${base}@rekindle/load.js?n=${++loads}&${query}${byValue ? '&value=1' : ''}`
    try {
      const { manifest } = (await rescue.load(address)) as { manifest: Manifest }
      if (!replica.takeManifest(manifest)) {
        // The answer is of another session than this tab's: the server says which one is the present one.
        hello()
        await inStep()
      } else {
        wanted = registry.missing(ids).filter((id) => !errors.has(id))
        if (wanted.length === 0) return
        if (byValue) return
        byValue = true
      }
    } catch (error) {
      if (attempt >= MOST_LOADS || (byValue && socket.isOpen)) throw error
      byValue = true
      if (!socket.isOpen) await inStep()
    }
    if (attempt >= MOST_LOADS) throw new TypeError('the server does not answer')
  }
}

/** Modules that are still being loaded for an update that has stopped waiting for them. */
const overdue = new Set<ModuleId>()

/** `load` for an update. Others wait behind it, so it waits only for a while, and no longer once the next batch is here. */
export async function loadForUpdate(ids: ModuleId[]): Promise<void> {
  const asked = ids.filter((id) => !overdue.has(id))
  if (asked.length === 0) return
  const loading = load(asked)
  try {
    if ((await inTime(loading)) === 'here') return resetRetry()
  } catch {
    return retryLater()
  }
  for (const id of asked) overdue.add(id)
  const settled = (): void => asked.forEach((id) => overdue.delete(id))
  loading.then(() => (settled(), retryNow()), () => (settled(), retryLater()))
}
