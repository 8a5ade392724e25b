/**
 * The page's sheets as a whole: those of modules in the order of their imports, those of links that could not be loaded once more.
 */
import type { ModuleId } from '../../core/messages'
import { whenBack } from '../connection/returns'
import { refreshOverlay } from '../errors'
import { errors, registry } from '../parts'
import { LOAD_PATIENCE } from '../queue'
import { base, hasDocument } from '../settings'
import { state } from '../state'
import { isUnloaded, linkedSheetsOf, sheetOf, sortStyles, styleCount, swapLink } from './styles'

let isOrdering = false

/** Brings the sheets into the order of their imports, before the browser paints. */
export function orderStyles(): void {
  if (state.isStarting || isOrdering || !hasDocument) return
  isOrdering = true
  queueMicrotask(() => {
    isOrdering = false
    if (styleCount() > 1) sortStyles(registry.evaluationOrder([...registry.entries, ...state.lazyRoots]))
  })
}

// ---- sheets of links

/** Links whose new sheet did not come, because the server was away. */
const lostLinks = new Set<ModuleId>()

/** Puts the newest text of a linked sheet in the place of the one shown. */
export function renewLink(id: ModuleId, timestamp: number): Promise<void> {
  return swapLink(id, base, timestamp, () => swapLater(id))
}

/** Asks for a sheet again when the connection is back, and after a while in any case: the connection may never have been lost. */
function swapLater(id: ModuleId): void {
  if (lostLinks.has(id)) return
  lostLinks.add(id)
  const again = (): void => {
    if (lostLinks.delete(id)) void renewLink(id, Date.now())
  }
  whenBack(id, again)
  setTimeout(again, LOAD_PATIENCE)
}

/** Notices links whose sheets could not be loaded, or have mistakes. */
export function lookAfterLinks(): void {
  const lookAt = async (id: ModuleId): Promise<void> => {
    if (await isUnloaded(id, base)) swapLater(id)
  }
  const look = (): void => linkedSheetsOf(base).forEach((id) => void lookAt(id))
  // Links that failed before this script ran.
  if (document.readyState === 'complete') look()
  else addEventListener('load', look, { once: true })
  addEventListener('error', ({ target }) => {
    const id = sheetOf(target, base)
    if (id !== null) void lookAt(id)
  }, true)
  // The mistake of a sheet may have been told before a script put the link in. The window does not hear of what elements load.
  document.addEventListener('load', ({ target }) => {
    const id = sheetOf(target, base)
    if (id !== null && errors.has(id)) refreshOverlay()
  }, true)
}
