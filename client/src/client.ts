/**
 * The browser runtime: what the page's scripts import, and the start of everything.
 *
 *     $segment('4be1…')         definitions arrive in a script (page/definitions.ts)
 *     boot({ entries, … })      the page starts (page/boot.ts)
 *     a save on the server      page/connection/events.ts → page/batches.ts → core/update/apply.ts
 *
 * A worker runs the same script.
 */
import type { Instance } from './core/instance'
import type { ModuleId } from './core/messages'
import { splitSuffix } from './core/query'
import { setBindings } from './core/update/apply'
import { tryWaiting } from './page/batches'
import { boot, facade, watchPageScript } from './page/boot'
import { connectionEvents, refreshToken, socketAddress } from './page/connection/events'
import { debug, PREFIX } from './page/console'
import { $segment } from './page/definitions'
import { ErrorOverlay, setEditorOpener } from './page/dom/overlay'
import { removeStyle, updateStyle } from './page/dom/styles'
import { openInEditor, watchRendering } from './page/errors'
import { importNative, metaOf, runtimeOf } from './page/modules'
import { connectParts, hot, refresh, socket } from './page/parts'
import { onRetry } from './page/retry'
import { bindingsMode, hasDocument, home, token } from './page/settings'
import { nameModulesInStacks } from './page/stacks'
import { pageOfContexts, pageOfUpdates } from './page/updates'
import { workerOwner } from './worker/owner'
import { installWorkers } from './worker/workers'

connectParts({
  registry: { metaOf, runtimeOf, importNative, evaluated: (instance) => refresh.evaluated(instance) },
  hot: pageOfContexts,
  updates: pageOfUpdates,
})
setBindings(bindingsMode)
onRetry(tryWaiting)
nameModulesInStacks()
setEditorOpener(openInEditor)
if (hasDocument) watchRendering()
installWorkers(workerOwner)

if (token) debug('connecting...')
else {
  console.warn(
    `${PREFIX} pages of ${location.origin} may load modules from ${home.origin} but get no updates; to get them, add the origin to server.allowed_origins`,
  )
}
// Without a token there is nothing to connect with: a page that may only read gets no updates.
if (token) socket.connect(socketAddress, refreshToken, connectionEvents)
if (hasDocument) watchPageScript()

// ---- what backends and older integrations import from `/@vite/client`

/** A context for a module that is not one of ours. */
function createHotContext(path: ModuleId): object {
  const instance = { id: path, state: 'evaluated', replaced: false, definition: { meta: { deps: [], names: [] }, links: [] } }
  const before = hot.suspend(path)
  if (before) hot.retire(before)
  return hot.create(instance as unknown as Instance).api
}

/** Adds a query to a relative or root address; absolute ones stay as they are. */
function injectQuery(url: string, query: string): string {
  if (url[0] !== '.' && url[0] !== '/') return url
  const [path] = splitSuffix(url)
  const { search, hash } = new URL(url, 'http://vite.dev')
  return `${path}?${query}${search ? `&${search.slice(1)}` : ''}${hash}`
}

export { $segment, boot, createHotContext, ErrorOverlay, facade, injectQuery, removeStyle, updateStyle }
