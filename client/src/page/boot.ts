/**
 * Starts the page: its entries run in document order, each as soon as all its definitions are here.
 *
 *     boot({ entries: ['/main.js'], … })      the page's own script calls this
 *     facade('/src/main.js', …)               another page imports a module by its address
 *
 * An entry that needs a module with a mistake is blocked; the save that mends the module starts it.
 */
import type { Batch, Manifest, ModuleId, PageManifest } from '../core/messages'
import type { Namespace } from '../core/instance'
import { ReactRefresh } from '../core/react-refresh'
import { preactRuntime, watchPreact } from '../core/refresh'
import { hello } from './connection/server'
import { PREFIX, report } from './console'
import { lookAfterLinks } from './dom/sheets'
import { dropEarlyStyles, earlyStyles, keepEarly } from './dom/styles'
import { crash, refreshOverlay, renderFailed, showErrors } from './errors'
import { fetchMissing, load, loadForUpdate } from './loading'
import { errors, refresh, registry, replica, socket, updater, workerScope } from './parts'
import { tellWhyReloaded } from './reload'
import { hasDocument } from './settings'
import { state } from './state'

/** Called by the page's own script once its definitions are here. */
export function boot(manifest: PageManifest): void {
  state.page = manifest.page ?? null
  replica.takeManifest(manifest)
  state.pageHash = manifest.pageHash
  // Nobody knows which text of a sheet this document has got, unless nothing has happened since the page's text was written.
  const isNow = manifest.since === manifest.seq
  for (const [id, hash] of manifest.sheets ?? []) state.linkedSheets.set(id, isNow ? hash : '')
  startRefresh(manifest)
  for (const id of manifest.entries) {
    registry.entries.add(id)
    state.blocked.add(id)
  }
  startBlocked()
  state.isStarting = false
  showErrors([])
  hello()
  if (!hasDocument) return
  lookAfterLinks()
  tellWhyReloaded()
}

/** Runs one module for a native `import` of its address; gives its namespace. */
export async function facade(id: ModuleId, manifest: Manifest): Promise<Namespace> {
  // A script from the browser's cache may be of an earlier session. Then the definitions are fetched.
  replica.takeManifest({ ...manifest, since: manifest.seq })
  hello()
  if (manifest.refresh) await fetchMissing(manifest.refresh.modules, load)
  startRefresh(manifest)
  registry.entries.add(id)
  if (!(await fetchMissing([id], load))) {
    state.blocked.add(id)
    showErrors([...registry.missing([id])])
    throw new TypeError(`${id} cannot run yet: see the error above`)
  }
  const running = registry.hasStarted(id) ? undefined : registry.run([id])
  if (errors.size > 0) refreshOverlay()
  await running
  state.isStarting = false
  await registry.finished(id)
  return registry.instances.get(id)!.namespace
}

/** Starts what refreshes components. It has to run before the framework does. Workers render nothing and need none. */
function startRefresh({ refresh: wanted }: Manifest): void {
  if (!wanted || !hasDocument || refresh.isOn) return
  try {
    if (wanted.framework === 'react') return refresh.use(new ReactRefresh(globalThis))
    void registry.run(wanted.modules)
    const last = registry.instances.get(wanted.modules.at(-1)!)!
    refresh.use(preactRuntime(last.cjs?.exports ?? last.namespace))
    for (const id of preactCopies(wanted.modules)) watchPreact(registry.instances.get(id)!.namespace, renderFailed)
  } catch (error) {
    report(error, `the refresh runtime of ${wanted.framework}`)
  }
}

/** The modules with Preact itself, which the refresh runtime imports. */
function preactCopies(runtime: ModuleId[]): Set<ModuleId> {
  const live = runtime.map((id) => registry.instances.get(id)).filter((instance) => instance !== undefined)
  const deps = live.flatMap((instance) => [...registry.depsOf(instance)])
  return new Set(deps.filter((id) => 'options' in (registry.instances.get(id)?.namespace ?? {})))
}

// ---- entries

/** Starts the blocked entries whose definitions are all here. */
function startBlocked(): void {
  for (const id of state.blocked) {
    const missing = registry.missing([id])
    if (missing.length > 0) {
      for (const one of missing) state.wanted.add(one)
      continue
    }
    state.blocked.delete(id)
    if (registry.needsNatives([id])) registry.importNatives([id]).then(() => startLate(id), (error: unknown) => crash(id, error))
    else startEntry(id)
  }
  if (state.blocked.size > 0) {
    renewEarlyStyles()
    showErrors([...state.wanted])
  } else void Promise.allSettled([...registry.entries].map((id) => registry.finished(id))).then(hasStarted)
}

function startEntry(id: ModuleId): void {
  if (registry.hasStarted(id)) return
  try {
    registry.run([id])?.catch((error: unknown) => crash(id, error))
  } catch (error) {
    crash(id, error)
  }
}

/** Starts an entry after the errors of this page were shown. */
function startLate(id: ModuleId): void {
  startEntry(id)
  if (errors.size > 0) refreshOverlay()
}

/** All entries have run, as far as they can. */
function hasStarted(): void {
  workerScope?.release()
  // On a page of another server nobody knows which modules are still going to run.
  if (state.page !== null) dropEarlyStyles()
}

/** While an entry is blocked, the sheets that the server has written into the page show the newest text of their modules. */
function renewEarlyStyles(): void {
  for (const id of earlyStyles()) {
    const definition = registry.definitions.get(id)
    if (!definition || state.renewed.get(id) === definition || registry.missing([id]).length > 0) continue
    startEntry(id)
    updater.takeBack(id)
    keepEarly(id)
    state.renewed.set(id, definition)
  }
}

/** Starts entries that had to wait for this save. Gives those that run now, and the sheets that it renewed on a page that waits on. */
export async function startWhatWasBlocked(definitions: Batch['definitions'] = []): Promise<ModuleId[]> {
  const waiting = [...state.blocked]
  for (const id of waiting) await fetchMissing([id], loadForUpdate)
  if (waiting.length > 0) startBlocked()
  const sheets = state.blocked.size > 0 ? definitions.map(({ id }) => id).filter((id) => state.renewed.has(id)) : []
  return [...waiting.filter((id) => !state.blocked.has(id)), ...sheets]
}

// ---- a page whose own script does not run

/** Notices that the page's own script could not be loaded, or is not in the document. */
export function watchPageScript(): void {
  const isOwn = (target: EventTarget | null): target is HTMLScriptElement =>
    target instanceof HTMLScriptElement && target.src.includes('@rekindle/page.js?')
  const startAgain = (src: string) => import(`${src}&again`).catch(() => (state.hasFailedToStart = true))
  const failed = ({ target }: Event): void => {
    if (!isOwn(target) || replica.session !== '') return
    if (socket.isOpen) void startAgain(target.src)
    else state.hasFailedToStart = true
  }
  addEventListener('error', failed, true)

  const about = document.querySelector<HTMLElement>('script[data-rekindle-page]')?.dataset.rekindlePage
  const look = (): void => {
    const isThere = [...document.scripts].some(({ src }) => src.includes('@rekindle/page.js?'))
    if (about && !isThere && replica.session === '') goAdrift(new URLSearchParams(`path=${about}`))
  }
  if (document.readyState === 'complete') look()
  else addEventListener('load', look, { once: true })
}

/** Something before the page's script has swallowed it. `about` is what the script would have said, as far as edits of the page need it. */
function goAdrift(about: URLSearchParams): void {
  state.isAdrift = true
  state.page = about.get('path')
  state.pageHash = about.get('text') ?? undefined
  const seq = Number(about.get('seq'))
  replica.takeManifest({ session: about.get('session') ?? '', seq, since: seq, segments: [], env: {}, errors: {} })
  hello()
  const message = `the scripts of ${state.page} are not in the document`
  const help = 'something before them in its text is not closed: a comment, a tag, or an element such as <style>, <title>, <template> or <textarea>'
  state.runtimeError = { message, help, file: state.page?.slice(1), title: 'found while the page was loading' }
  console.error(`${PREFIX} ${message}: ${help}`)
  showErrors([])
}
