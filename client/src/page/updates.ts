/** How the updater and `import.meta.hot` reach the page: fetching, sheets, errors, reloads, and `invalidate()`. */
import type { HotContext, HotHost } from '../core/hot'
import { pathOf } from '../core/query'
import type { UpdatePage } from '../core/update/update-page'
import { LONGEST_TOLD, sendCustom } from './connection/server'
import { debug, report } from './console'
import { orderStyles, renewLink } from './dom/sheets'
import { removeStyle, styleOf, updateStyle } from './dom/styles'
import { refreshOverlay, renderFailed, showErrors, unlinked, updateFailed, updateSucceeded } from './errors'
import { fetchMissing, loadForUpdate } from './loading'
import { resolveInTab } from './modules'
import { errors, hot, socket, updater } from './parts'
import { enqueue } from './queue'
import { reloadForUpdate } from './reload'
import { state } from './state'

export const pageOfUpdates: UpdatePage = {
  async ensure(fresh) {
    const ready = await fetchMissing(fresh, loadForUpdate, fresh)
    if (!ready) showErrors([...state.wanted])
    return ready
  },
  async swapLinks(links, timestamp) {
    await Promise.all(links.map((id) => renewLink(id, timestamp)))
    for (const id of links) debug(`css hot updated: ${pathOf(id)}`)
  },
  reload: reloadForUpdate,
  failed: updateFailed,
  renderFailed,
  unlinked,
  succeeded: updateSucceeded,
  isBroken: (id) => errors.has(id),
  moved: orderStyles,
  debug,
  report,
  removeStyle,
  styleOf,
  putStyle: updateStyle,
}

export const pageOfContexts: HotHost = { resolve: resolveInTab, send: sendCustom, invalidated, report }

/** A module has called `hot.invalidate()`. */
function invalidated(context: HotContext, message: string | undefined): void {
  const payload = { ...updater.invalidate(context), message }
  void hot.dispatch('vite:invalidate', payload)
  socket.send({ type: 'custom', event: 'vite:invalidate', data: { ...payload, message: message?.slice(0, LONGEST_TOLD) } })
  debug(`invalidate ${context.id}${message ? `: ${message}` : ''}`)
  // If an update is under way, it follows the invalidation itself. At any other time this step does.
  enqueue(async () => {
    await updater.followInvalidations(Date.now())
    refreshOverlay()
  })
}
