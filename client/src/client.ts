/**
 * The browser runtime's outside: what the page's scripts import, and the only place that reloads.
 *
 *     $segment('4be1…')         definitions arrive in a script; replica.ts says which of them are the newest
 *     boot({ entries, … })      the page starts
 *     batch                     a save: take the definitions in, then apply.ts
 *
 * A worker runs the same script. `token`, `base`, `socketAt`, `overlayEnabled` and the policies come from what imports it (`client_script.rs`).
 */
import { withoutDirect } from './core/update/acceptors'
import { setBindings, Updater } from './core/update/apply'
import type { Outcome } from './core/update/outcome'
import type { UpdatePage } from './core/update/update-page'
import { patchDocument } from './page/document'
import { HotTable, type HotContext } from './core/hot'
import type { Applied, Batch, Diagnostic, EditedPage, ErrorPayload, Manifest, ModuleId, PageManifest, ServerMessage } from './core/messages'
import { ErrorOverlay, hideOverlay, isOverlayOpen, setEditorOpener, showOverlay, type OverlayError } from './page/overlay'
import type { Verdict } from './core/update/propagate'
import { ReactRefresh } from './core/react-refresh'
import { preactRuntime, Refresh, watchPreact } from './core/refresh'
import { definitionOf, type Definition } from './core/definition'
import { MissingExport, type Instance, type Namespace } from './core/instance'
import { Registry } from './core/registry'
import { Replica, type Define } from './core/replica'
import { nameModulesInStacks, noteLines } from './page/stacks'
import { addressBelow, fileOf, ModuleRuntime, type RuntimeHost } from './core/runtime'
import { Rescue } from './page/rescue'
import { Socket } from './page/socket'
import { dropEarlyStyles, earlyStyles, hasLink, isUnloaded, keepEarly, linkedSheetsOf, removeStyle, sheetOf, sortStyles, stateOf, styleCount, styleOf, swapLink, updateStyle } from './page/styles'
import { enterWorker } from './worker/worker-scope'
import { installWorkers, type RestartAnswer, type RestartRequest } from './worker/workers'

declare let token: string
declare const base: string
/** What the settings say about the way to the socket, where it is not the way this script came. */
declare const socketAt: { protocol: string | null; host: string | null; port: number | null; path: string | null }
declare const overlayEnabled: boolean
declare const bindingsMode: 'live' | 'frozen'
declare const workerPolicy: 'auto' | 'restart' | 'reload'
declare const pagePolicy: 'auto' | 'patch' | 'reload'

const PREFIX = '[rekindle]'
/** Where this script came from: the page's own origin, or the server's when the page is another server's. */
const home = new URL(import.meta.url)
const hasDocument = typeof document !== 'undefined'
/** The worker we are in, if we are in one. First of all: nobody may listen to its messages before it does. */
const workerScope = enterWorker()

/** Extensions tried for a specifier that is only known at run time, in the order of the server's resolver. */
const EXTENSIONS = ['', '.mjs', '.js', '.mts', '.ts', '.jsx', '.tsx', '.json', '/index.js', '/index.ts', '/index.jsx', '/index.tsx']

// ---- what the page knows

let page: string | null = null
/** Digest of the page's own text. */
let pageHash: string | undefined
/** Digests of the sheets behind the page's `<link>` elements. */
const linkedSheets = new Map<ModuleId, string>()
const env: Record<string, unknown> = {}
/** Modules that something here wants to run and that have no definition. */
const wanted = new Set<ModuleId>()
/** Entries that could not start yet. */
const blocked = new Set<ModuleId>()
/** What the sheets show that the server wrote into a page which cannot run yet. */
const renewed = new Map<ModuleId, Definition>()
/** An entry threw while the page started: the next edit starts the page anew; if it has stayed at that, the next one of what the entry needs. */
let crashed: { id: ModuleId; error: unknown; shown: OverlayError; hasStayed: boolean } | null = null
/** Modules that accept only because they are style sheets. */
const styleModules = new Set<ModuleId>()
/** What the last failed update ran into; shown until an update goes through. */
let runtimeError: OverlayError | null = null
/** What updates have thrown that could not go through since, the last one at the end. */
const failures = new Map<unknown, OverlayError>()
let reloading = false

const registry = new Registry({ metaOf, runtimeOf, importNative, evaluated: (instance) => refresh.evaluated(instance) })
const replica = new Replica(registry, env)
const { errors } = replica
const refresh = new Refresh(registry)
const hot = new HotTable({
  resolve: resolveInTab,
  send: sendCustom,
  invalidated,
  report,
})

/** Bytes of one message that the server takes. */
const LARGEST_MESSAGE = 1024 * 1024

function sendCustom(event: string, data: unknown): void {
  const message = { type: 'custom', event, data }
  const size = new Blob([JSON.stringify(message)]).size
  if (size <= LARGEST_MESSAGE) return socket.send(message)
  report(new Error(`${size} bytes are more than the ${LARGEST_MESSAGE} that one message may have: send them in parts`), `hot.send("${event}")`)
}

// ---- import.meta and what compiled code calls

function metaOf(instance: Instance): object {
  const context = hot.create(instance)
  const meta: Record<string, unknown> = Object.create(null)
  meta.url = addressOf(instance.id)
  meta.env = env
  meta.hot = context.api
  meta.resolve = (specifier: unknown) => resolveAddress(instance, String(specifier))
  return Object.assign(meta, fileOf(instance.id))
}

const runtimeHost: RuntimeHost = {
  importModule,
  importAddress: importNative,
  resolve: resolveInTab,
  find: findModule,
  addressOf,
  refresh,
  imported: (instance, at) => registry.imported(instance, at),
  required: (instance, at) => registry.requiredAt(instance, at),
  namespaceOf: (id) => registry.instances.get(id)!.namespace,
  updateStyle(id, css) {
    const before = styleCount()
    updateStyle(id, css)
    if (styleCount() > before) orderStyles()
  },
  acceptStyle(instance) {
    styleModules.add(instance.id)
    const context = hot.contexts.get(instance.id) ?? hot.create(instance)
    context.acceptors.push({ deps: null, list: false, callback: undefined })
    context.acceptsFully = true
  },
}

/** Modules that `import()` has brought, in the order in which it did. */
const lazyRoots = new Set<ModuleId>()
/** While the page starts, sheets come in their order by themselves. */
let isStarting = true
let isOrdering = false

/** Brings the sheets into the order of their imports, before anything of them is painted. */
function orderStyles(): void {
  if (isStarting || isOrdering || !hasDocument) return
  isOrdering = true
  queueMicrotask(() => {
    isOrdering = false
    if (styleCount() > 1) sortStyles(registry.evaluationOrder([...registry.entries, ...lazyRoots]))
  })
}

function runtimeOf(instance: Instance): object {
  return new ModuleRuntime(runtimeHost, instance)
}

/** What the addresses of modules begin with. */
const addressBase = new URL(base, location.origin).href.slice(0, -1)

function addressOf(id: ModuleId): string {
  const address = addressBelow(addressBase, id)
  return id.includes('?') ? new URL(address).href : address
}

async function importNative(address: string, attribute: string | null): Promise<Namespace> {
  const url = new URL(address, location.href).href
  return attribute ? import(url, { with: { type: attribute } }) : import(url)
}

/** A specifier that was no literal where it was written: relative to the importer, among the modules this page knows. */
function resolveInTab(importer: Instance, specifier: string): ModuleId | null {
  const { meta, links } = importer.definition
  const known = links[meta.deps.indexOf(specifier)]
  if (known !== undefined) return typeof known === 'string' ? known : null
  if (!/^\.{0,2}\//.test(specifier)) return registry.definitions.has(specifier) ? specifier : null
  return candidates(importer, specifier).find((id) => registry.definitions.has(id)) ?? null
}

/** Names that the module behind a path may have, in the order of the server's resolver. */
function candidates(importer: Instance, specifier: string): ModuleId[] {
  const url = new URL(specifier, `http://x${encodeURI(importer.id.split('?')[0]!)}`)
  const path = decodeURI(url.pathname)
  return [...EXTENSIONS.map((extension) => path + extension), path.replace(/\.(m?)js(x?)$/, '.$1ts$2')].map((name) => name + url.search)
}

/** A path that was no literal, and that nothing on the page has named: the server may know the file. */
async function findModule(importer: Instance, specifier: string): Promise<ModuleId | null> {
  if (!/^\.{0,2}\//.test(specifier)) return null
  await load([...new Set(candidates(importer, specifier))])
  return resolveInTab(importer, specifier)
}

/** `import.meta.resolve`: the address that an import of `specifier` would load. */
function resolveAddress(importer: Instance, specifier: string): string {
  const { meta, links } = importer.definition
  const link = links[meta.deps.indexOf(specifier)]
  if (Array.isArray(link)) return new URL(link[0], location.href).href
  const module = resolveInTab(importer, specifier)
  if (module) return addressOf(module)
  if (!isPath(specifier)) throw new TypeError(`cannot find ${specifier}, resolved by ${importer.id}`)
  return new URL(specifier, addressOf(importer.id)).href
}

/** Not the name of a package. */
function isPath(specifier: string): boolean {
  return /^([./]|[a-z][a-z+.-]*:)/i.test(specifier)
}

/** How often an `import()` begins anew whose module was taken away before it had run. */
const MOST_IMPORTS = 3

/** `import()` of a module: what is live, or after its definitions have been fetched and run. */
async function importModule(id: ModuleId, importer: Instance): Promise<Namespace> {
  await null // A run that is under way comes to all of its modules first.
  const noted: Instance[] = []
  const isUnwanted = () => registry.instances.get(importer.id) !== importer
  try {
    for (let attempt = 1; ; attempt++) {
      if (!registry.hasStarted(id) && (registry.missing([id]).length > 0 || registry.needsNatives([id]))) await fetchLazy(id, importer)
      noted.push(...registry.noteDynamicImport(importer, id))
      lazyRoots.add(id)
      // Who asks for it, first or later, waits until it is finished.
      if (!registry.hasStarted(id)) registry.run([id])?.catch(() => {})
      await registry.finished(id)
      updater.failedImports.forget(id, importer)
      const instance = registry.instances.get(id)
      if (instance) return registry.namespaceFor(importer, instance)
      if (isUnwanted() || attempt === MOST_IMPORTS) throw new TypeError(`${id} was removed while it was imported by ${importer.id}`)
    }
  } catch (error) {
    for (const copy of noted) registry.forgetDynamicImport(copy, id)
    updater.failedImports.note(id, importer, error instanceof Unanswered)
    if (error instanceof MissingExport) foundUnlinked(error)
    throw error
  } finally {
    if (isUnwanted()) enqueue(() => updater.pruneUnused([id]).then(refreshOverlay))
  }
}

/** The server did not answer. */
class Unanswered extends TypeError {}

async function fetchLazy(id: ModuleId, importer: Instance): Promise<void> {
  const isThere = await fetchMissing([id], load).catch((error: unknown) => {
    if (error instanceof SyntaxError) throw error // It was answered.
    throw new Unanswered(`cannot import ${id}: ${error instanceof Error ? error.message : error}`)
  })
  if (isThere) return
  const [broken] = registry.missing([id])
  const [diagnostic] = errors.get(broken!) ?? []
  if (registry.instances.get(importer.id) === importer) showErrors([broken!])
  throw new TypeError(`cannot import ${id}: ${diagnostic ? `${diagnostic.message} (${broken})` : `${broken} is not there`}`)
}

// ---- start

/** The page's own script calls this once its definitions are there. */
export function boot(manifest: PageManifest): void {
  page = manifest.page ?? null
  replica.takeManifest(manifest)
  pageHash = manifest.pageHash
  // Which sheets this document has got nobody knows, unless nothing has happened since its text was written.
  const isNow = manifest.since === manifest.seq
  for (const [id, hash] of manifest.sheets ?? []) linkedSheets.set(id, isNow ? hash : '')
  startRefresh(manifest)
  for (const id of manifest.entries) {
    registry.entries.add(id)
    blocked.add(id)
  }
  startBlocked()
  isStarting = false
  showErrors([])
  hello()
  if (!hasDocument) return
  lookAfterLinks()
  tellWhyReloaded()
}

/** Runs one module for a native `import` of its address; gives its namespace. */
export async function facade(id: ModuleId, manifest: Manifest): Promise<Namespace> {
  // A script that a browser kept may be of an earlier session: then what is missing is asked for.
  replica.takeManifest({ ...manifest, since: manifest.seq })
  hello()
  if (manifest.refresh) await fetchMissing(manifest.refresh.modules, load)
  startRefresh(manifest)
  registry.entries.add(id)
  if (!(await fetchMissing([id], load))) {
    blocked.add(id)
    showErrors([...registry.missing([id])])
    throw new TypeError(`${id} cannot run yet: see the error above`)
  }
  if (!registry.hasStarted(id)) await registry.run([id])
  isStarting = false
  await registry.finished(id)
  return registry.instances.get(id)!.namespace
}

/** The refresh runtime has to be there before the framework is. Workers have nothing to render (R184). */
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

/** What the refresh runtime imports: Preact itself. */
function preactCopies(runtime: ModuleId[]): Set<ModuleId> {
  const live = runtime.map((id) => registry.instances.get(id)).filter((instance) => instance !== undefined)
  const deps = live.flatMap((instance) => [...registry.depsOf(instance)])
  return new Set(deps.filter((id) => 'options' in (registry.instances.get(id)?.namespace ?? {})))
}

/** Entries in document order, each as soon as all it needs is here. */
function startBlocked(): void {
  for (const id of blocked) {
    const missing = registry.missing([id])
    if (missing.length > 0) {
      for (const one of missing) wanted.add(one)
      continue
    }
    blocked.delete(id)
    if (registry.needsNatives([id])) registry.importNatives([id]).then(() => startEntry(id), (error: unknown) => crash(id, error))
    else startEntry(id)
  }
  if (blocked.size > 0) {
    renewEarlyStyles()
    showErrors([...wanted])
  } else void Promise.allSettled([...registry.entries].map((id) => registry.finished(id))).then(hasStarted)
}

/** While an entry waits, the sheets that the server has written into the page show their newest text. */
function renewEarlyStyles(): void {
  for (const id of earlyStyles()) {
    const definition = registry.definitions.get(id)
    if (!definition || renewed.get(id) === definition || registry.missing([id]).length > 0) continue
    startEntry(id)
    updater.takeBack(id)
    keepEarly(id)
    renewed.set(id, definition)
  }
}

/** All entries have run, as far as they can. */
function hasStarted(): void {
  workerScope?.release()
  // On a page of another server nobody knows what else is going to run.
  if (page !== null) dropEarlyStyles()
}

function startEntry(id: ModuleId): void {
  if (registry.hasStarted(id)) return
  try {
    registry.run([id])?.catch((error: unknown) => crash(id, error))
  } catch (error) {
    crash(id, error)
  }
}

function crash(id: ModuleId, error: unknown): void {
  crashed = { id, error, shown: overlayError(error, `thrown while ${id} started`), hasStayed: false }
  globalThis.reportError(error)
  runtimeError = null
  failures.clear()
  showErrors([])
}

// ---- definitions from the server

/** Fetches what running `roots` needs and the page has not got. False if some of it cannot be had. */
async function fetchMissing(roots: Iterable<ModuleId>, fetch: (ids: ModuleId[]) => Promise<void>, fresh?: ReadonlySet<ModuleId>): Promise<boolean> {
  let missing = registry.missing(roots, fresh)
  if (missing.some((id) => !errors.has(id))) {
    await fetch(missing)
    missing = registry.missing(roots, fresh)
  }
  for (const id of missing) wanted.add(id)
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

/**
 * A script that imports the segments with `ids` and all they reach. What has not come by them (a browser runs each script
 * once, and does not ask again for one that failed) comes by value.
 */
async function load(ids: ModuleId[]): Promise<void> {
  await Promise.all(inParts(ids, (id) => encodeURIComponent(id).length, LONGEST_QUERY).map(loadPart))
}

/** Letters of module ids in one address: servers, and what stands in front of them, refuse long ones. */
const LONGEST_QUERY = 4000

async function loadPart(ids: ModuleId[]): Promise<void> {
  let wanted = ids
  let byValue = false
  for (let attempt = 1; ; attempt++) {
    const query = wanted.map((id) => `id=${encodeURIComponent(id)}`).join('&')
    const address = () => `${base}@rekindle/load.js?n=${++loads}&${query}${byValue ? '&value=1' : ''}`
    try {
      const { manifest } = (await rescue.load(address)) as { manifest: Manifest }
      if (!replica.takeManifest(manifest)) {
        // Of another session than this tab: it asks which one is the present one.
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

/** Milliseconds that an update waits for definitions, and that a load waits for the connection. */
const LOAD_PATIENCE = 10_000

/** Ends waits for definitions: the next message is there. */
let hurry: (() => void) | null = null
/** Messages with news that wait for their turn. */
let newsInQueue = 0
/** What is still being loaded for an update that does not wait for it any more. */
const overdue = new Set<ModuleId>()

/** `load` for an update, which others wait behind: not longer than a while, and not at all once the next batch is there. */
async function loadForUpdate(ids: ModuleId[]): Promise<void> {
  const asked = ids.filter((id) => !overdue.has(id))
  if (asked.length === 0) return
  const loading = load(asked)
  try {
    if ((await inTime(loading)) === 'here') return void (retryPause = FIRST_RETRY)
  } catch {
    return retryLater()
  }
  for (const id of asked) overdue.add(id)
  const settled = (): void => asked.forEach((id) => overdue.delete(id))
  loading.then(() => (settled(), retryNow()), () => (settled(), retryLater()))
}

/** Waits for something that an update needs. Throws what it throws. */
async function inTime(work: Promise<void>): Promise<'here' | 'over'> {
  const over = new Promise<'over'>((done) => {
    hurry = () => done('over')
    setTimeout(hurry, LOAD_PATIENCE)
    if (newsInQueue > 0) hurry()
  })
  try {
    return await Promise.race([work.then(() => 'here' as const), over])
  } finally {
    hurry = null
  }
}

/** First and longest pause before definitions that did not arrive are asked for again, in milliseconds. */
const FIRST_RETRY = 1000
const LONGEST_RETRY = 30_000
let retryPause = FIRST_RETRY
let retryTimer: ReturnType<typeof setTimeout> | undefined

function retryLater(): void {
  clearTimeout(retryTimer)
  retryTimer = setTimeout(retryNow, retryPause)
  retryPause = Math.min(retryPause * 2, LONGEST_RETRY)
}

/** Tries again what waits for definitions. */
function retryNow(): void {
  clearTimeout(retryTimer)
  enqueue(async () => {
    if (!(updater.isWaiting || blocked.size > 0 || registry.stale.size > 0)) return
    const started = await startWhatWasBlocked()
    const outcome = await updater.update([], Date.now())
    refreshOverlay()
    const isNews = started.length > 0 || !['nothing', 'waiting'].includes(outcome.result)
    if (isNews) acknowledge(outcome.result === 'nothing' ? { result: 'updated', boundaries: started } : outcome, replica.seq)
  })
}

/** Whether the page's policy lets text of ours run in the page's name. Workers have no page. */
let mayCompileOnPage = hasDocument

/**
 * Definitions come as script text. On a page they are compiled in its name: DevTools tell scripts apart by the origin of who
 * brought them, which an `eval` has not, and would show the text of a module's first version for ever. Where a policy forbids
 * that, `eval` compiles them; where it forbids that as well, false: the same comes by address.
 */
function evaluate(id: ModuleId, code: string, asOf: number): boolean {
  const about = `\n//# sourceURL=${addressOf(id)}\n//# sourceMappingURL=${base}@rekindle/map?id=${encodeURIComponent(id)}`
  const run = (body: Body): void => body((...definition) => replica.takeDefinition(definitionOf(...definition), asOf))
  const onPage = mayCompileOnPage ? compileOnPage(`"use strict";return function($d){${code}}${about}`) : null
  if (onPage) return run(onPage), true
  try {
    run((0, eval)(`"use strict";(function($d){${code}})${about}`) as Body)
    mayCompileOnPage = false
    return true
  } catch (error) {
    if (!(error instanceof EvalError)) report(error, `the definition of ${id}`)
    return false
  }
}

type Body = ($d: Define) => void

/**
 * What a text returns, compiled as a handler of the window: of all ways that compile at once it is the one whose scripts have
 * the page's origin, and sees the window's names alone (and `event`, see wrap.rs). A `<body>` that is nowhere sets the window's
 * handler, too. Null if that is forbidden, or no script.
 */
function compileOnPage(text: string): Body | null {
  const before = globalThis.onlanguagechange
  try {
    document.createElement('body').setAttribute('onlanguagechange', text)
    return (globalThis.onlanguagechange as unknown as (() => Body) | null)?.() ?? null
  } catch {
    return null // Trusted types are asked for.
  } finally {
    globalThis.onlanguagechange = before
  }
}

/** Gives the `$d` of a script: of a segment by its address, or of one that says itself as of which batch it is. */
export function $segment(...about: Parameters<Replica['collect']>): Define & { lines(lengths: number[]): void } {
  const [address] = about
  const take = replica.collect(...about)
  const ids: ModuleId[] = []
  const define: Define = (...definition) => {
    ids.push(definition[0])
    take(...definition)
  }
  return Object.assign(define, { lines: (lengths: number[]) => noteLines(address ?? '', ids, lengths) })
}

nameModulesInStacks()

// ---- batches, one after the other

let queue: Promise<void> = Promise.resolve()

function enqueue(step: () => Promise<void> | void): void {
  queue = queue.then(step).catch((error: unknown) => report(error, 'a message of the server'))
}

/** `hello` was said, and the answer is on its way. */
let isAwaiting = false
let stepped: (() => void)[] = []

/** Settles when the server has answered where this tab stands, or after a while. */
function inStep(): Promise<void> {
  return new Promise((done) => {
    stepped.push(done)
    setTimeout(done, LOAD_PATIENCE)
  })
}

/** The server has answered: this tab has heard of everything. */
function nowInStep(): void {
  isAwaiting = false
  for (const done of stepped.splice(0)) done()
}

async function takeBatch(batch: Batch): Promise<void> {
  const relation = replica.relate(batch)
  if (relation === 'foreign') return
  if (relation !== 'gap') nowInStep()
  else hello()
  // What the browser got for a linked sheet nobody knows: it was asked for some time after the page's text. It is fetched anew,
  // and that is no news if the sheet is what it should be.
  const isKnown = ([id, hash]: [ModuleId, string]) => linkedSheets.get(id) === hash
  const unedited = batch.links.filter(isKnown).map(([id]) => withoutDirect(id))
  if (relation === 'whole') linkedSheets.clear()
  await takeDefinitions(batch)
  const edited = relation === 'gap' ? undefined : batch.pages.find((one) => one.page === page)
  // A reload comes back if the page stays: then it takes what can be taken, and is not asked again.
  if (batch.reload) await reloadAnew(batch.reload)
  const obstacle = edited && !batch.reload ? await patchPage(edited) : null
  if (edited && obstacle !== null) await reloadForPage(edited, obstacle, batch)
  const isPatched = edited !== undefined && obstacle === null && !batch.reload
  let hasStayed = Boolean(batch.reload) || obstacle !== null
  const isEdited = registry.stale.size > 0 && !crashed?.hasStayed
  if (crashed && !hasStayed && (isEdited || batch.definitions.some(({ id }) => wanted.has(id)) || concerns([crashed.id], batch))) {
    await restart(`the page had stopped at an error in ${crashed.id}`, batch)
    hasStayed = crashed.hasStayed = true
    updater.decline(registry.neededBy([crashed.id]).keys())
  }
  await announceErrors(batch)
  const started = await startWhatWasBlocked(batch.definitions)
  const links = batch.links.filter((link) => hasLink(link[0], base) && !isKnown(link)).map(([id]) => id)
  for (const [id, hash] of batch.links) if (links.includes(id)) linkedSheets.set(id, hash)
  const outcome = await updater.update(links, batch.timestamp, hasStayed)
  refreshOverlay()
  tryAfter(batch)
  const boundaries = outcome.boundaries.filter((id) => !unedited.includes(id))
  const others = [...started, ...(isPatched ? [edited.page] : [])]
  const hasNone = outcome.result === 'nothing' || (boundaries.length === 0 && outcome.boundaries.length > 0)
  if (hasNone) acknowledge({ result: others.length > 0 ? 'updated' : 'nothing', boundaries: others }, batch.seq)
  else acknowledge({ ...outcome, boundaries }, batch.seq)
}

/** Brings an edit of the page's own text into the document. Returns why that cannot be, or null when it is done. */
async function patchPage({ page: path, before, after, scripts, hash }: EditedPage): Promise<string | null> {
  if (hash === pageHash) return null // Said twice: to all, and to a tab that had just come.
  const patches = pagePolicy === 'patch' || (pagePolicy === 'auto' && (isHot() || hasNoScripts()))
  if (!patches && !isAdrift) return ''
  if (before === undefined || crashed || isAdrift) return 'it cannot be patched from here'
  if (scripts) return 'its scripts are others now'
  if (document.readyState === 'loading') await new Promise((done) => document.addEventListener('DOMContentLoaded', done, { once: true }))
  const obstacle = patchDocument(before, after)
  if (obstacle !== null) return obstacle
  pageHash = hash
  debug(`page patched: ${path}`)
  return null
}

function hasNoScripts(): boolean {
  return registry.entries.size === 0 && [...document.scripts].every(({ src }) => src.startsWith(`${location.origin}${base}@rekindle/`))
}

/** Whether the batch changes something that running `roots` needs. */
function concerns(roots: Iterable<ModuleId>, batch: Batch): boolean {
  const needed = registry.neededBy(roots)
  return batch.definitions.some(({ id }) => needed.has(id))
}

/** Modules that a batch brings anew or takes away. */
function changedBy({ definitions, deleted, reload }: Batch): ModuleId[] {
  return [...definitions.map(({ id }) => id), ...deleted, ...(reload ? registry.entries : [])]
}

async function takeDefinitions(batch: Batch): Promise<void> {
  replica.takeStandings(batch)
  const refused = batch.definitions.filter(({ id, code }) => !evaluate(id, code, batch.seq)).map(({ id }) => id)
  if (refused.length > 0) await loadForUpdate(refused)
  await findLost(batch.definitions.length + batch.fixed.length > 0)
}

/** Fetches what went while it was live and may be there now. `isNews`: something has come, or is well again. */
async function findLost(isNews: boolean): Promise<void> {
  const isBroken = (id: ModuleId) => errors.has(id)
  for (let lost = registry.lost(isBroken, isNews); lost.length > 0; lost = registry.lost(isBroken)) await loadForUpdate(lost)
}

/** Entries that had to wait for this save; returns those that run now, and the sheets of a page that waits on. */
async function startWhatWasBlocked(definitions: Batch['definitions'] = []): Promise<ModuleId[]> {
  const waiting = [...blocked]
  for (const id of waiting) await fetchMissing([id], loadForUpdate)
  if (waiting.length > 0) startBlocked()
  const sheets = blocked.size > 0 ? definitions.map(({ id }) => id).filter((id) => renewed.has(id)) : []
  return [...waiting.filter((id) => !blocked.has(id)), ...sheets]
}

async function announceErrors(batch: Batch): Promise<void> {
  const concerning = Object.keys(batch.errors).filter(concernsPage())
  for (const id of concerning) {
    const [first] = batch.errors[id]!
    if (first) await hot.dispatch('vite:error', errorPayload(id, first))
  }
  if (concerning.length > 0) showErrors(concerning)
}

function errorPayload(id: ModuleId, diagnostic: Diagnostic): ErrorPayload {
  const { message, file, place, frame, help } = diagnostic
  const err: ErrorPayload['err'] = { message, stack: '', id, plugin: 'rekindle' }
  if (frame) err.frame = frame
  if (help) err.help = help
  if (place) err.loc = { file: file ?? id, line: place.line, column: place.column }
  return { type: 'error', err }
}

/** Tells how an update went: `seq` is the batch that led to it. A reload was told before it began. */
function acknowledge(outcome: Outcome, seq: number): void {
  const { result, boundaries, chain, reason, error } = outcome
  if (result !== 'reload') tellServer({ seq, result, boundaries, chain, reason, error })
}

function acknowledgeReload(chain: string[], reason: string, seq: number): void {
  // What becomes of a worker is told by who decides it.
  if (!workerScope) tellServer({ seq, result: 'reload', boundaries: [], chain, reason })
}

function tellServer(applied: Omit<Applied, 'type'>): void {
  const { boundaries, chain, reason, error } = applied
  const short = { boundaries: boundaries.slice(0, MOST_TOLD), chain: chain && shortChain(chain), reason: reason?.slice(0, LONGEST_TOLD), error: error?.slice(0, LONGEST_TOLD) }
  socket.sendNow({ type: 'applied', ...applied, ...short } satisfies Applied)
}

/** Modules of a list, and letters of a text, that go into the terminal's line about an update. */
const MOST_TOLD = 500
const LONGEST_TOLD = 10_000

/** Its two ends say what led to what. */
function shortChain(chain: ModuleId[]): ModuleId[] {
  return chain.length <= MOST_TOLD ? chain : [...chain.slice(0, MOST_TOLD / 2), '…', ...chain.slice(-MOST_TOLD / 2)]
}

// ---- linked sheets that did not come, since the server was away

const lostLinks = new Set<ModuleId>()

/** Asks for a sheet again when the connection is back; at the latest after a while, since it may not have gone. */
function swapLater(id: ModuleId): void {
  if (lostLinks.has(id)) return
  lostLinks.add(id)
  const again = (): void => {
    if (lostLinks.delete(id)) void swapLink(id, base, Date.now(), () => swapLater(id))
  }
  returns.push({ path: id, again })
  setTimeout(again, LOAD_PATIENCE)
}

function lookAfterLinks(): void {
  const lookAt = async (id: ModuleId): Promise<void> => {
    if (await isUnloaded(id, base)) swapLater(id)
  }
  const look = (): void => linkedSheetsOf(base).forEach((id) => void lookAt(id))
  // Those that failed before this script ran.
  if (document.readyState === 'complete') look()
  else addEventListener('load', look, { once: true })
  addEventListener('error', ({ target }) => {
    const id = sheetOf(target, base)
    if (id !== null) void lookAt(id)
  }, true)
}

// ---- updates

const updatePage: UpdatePage = {
  async ensure(fresh) {
    const ready = await fetchMissing(fresh, loadForUpdate, fresh)
    if (!ready) showErrors([...wanted])
    return ready
  },
  async swapLinks(links, timestamp) {
    await Promise.all(links.map((id) => swapLink(id, base, timestamp, () => swapLater(id))))
    for (const id of links) debug(`css hot updated: ${id.split('?')[0]}`)
  },
  reload(verdict) {
    acknowledgeReload(verdict.chain, verdict.reason, replica.seq)
    return reloadBecause(verdict)
  },
  failed(error, boundaries, isLate = false) {
    console.error(PREFIX, error)
    const paths = boundaries.map(({ path }) => path).join(', ')
    const outcome = isLate ? 'It threw after its update had gone through, and may be half done.' : 'The page keeps the code it had; the next save tries again.'
    console.error(`${PREFIX} Failed to reload ${paths}. ${outcome}`)
    const updated = boundaries.map(({ accepted }) => accepted).join(', ')
    failures.delete(error)
    failures.set(error, overlayError(error, `thrown by the update of ${updated}`))
    showSoon()
  },
  renderFailed,
  unlinked(error) {
    report(error, 'an import')
    foundUnlinked(error)
  },
  succeeded(left) {
    for (const error of failures.keys()) if (!left.has(error)) failures.delete(error)
    if (left.size === 0) runtimeError = null
  },
  isBroken: (id) => errors.has(id),
  moved: orderStyles,
  debug,
  report,
  removeStyle,
  styleOf,
  putStyle: updateStyle,
}

setBindings(bindingsMode)
const updater = new Updater(registry, hot, refresh, updatePage)

function foundUnlinked(error: unknown): void {
  runtimeError = overlayError(error, 'found when modules were linked')
  showSoon()
}

/** An error that left a component, on the first render or on a later one; the save that mends it takes the overlay away. */
function renderFailed(error: unknown): void {
  runtimeError = overlayError(error, 'thrown while rendering', false)
  showErrors([])
}

/** Functions of React and Preact that are on the stack while a component renders, and not while it handles an event. */
const RENDERING = /\b(renderWithHooks|beginWork|commitRoot|flushPassiveEffects)\b/

if (hasDocument) {
  addEventListener('error', ({ error }) => {
    if (error instanceof Error && RENDERING.test(error.stack ?? '') && crashed?.error !== error) renderFailed(error)
  })
}

function invalidated(context: HotContext, message: string | undefined): void {
  const payload = { ...updater.invalidate(context), message }
  void hot.dispatch('vite:invalidate', payload)
  socket.send({ type: 'custom', event: 'vite:invalidate', data: { ...payload, message: message?.slice(0, LONGEST_TOLD) } })
  debug(`invalidate ${context.id}${message ? `: ${message}` : ''}`)
  // During an update, that one follows it; at any other time nobody else would.
  enqueue(async () => {
    await updater.followInvalidations(Date.now())
    refreshOverlay()
  })
}

function debug(line: string): void {
  console.debug(`${PREFIX} ${line}`)
}

/** An error of the page's own code that must not stop us. */
function report(error: unknown, doing: string): void {
  console.error(`${PREFIX} ${doing} failed:`, error)
}

// ---- reloads

/** Milliseconds that a reload waits for what is still to be sent. */
const FAREWELL = 500
const RELOAD_NOTE = 'rekindle:reloaded'

async function reloadBecause({ chain, reason }: Extract<Verdict, { kind: 'reload' }>): Promise<void> {
  if (workerScope) return restartWorker(reason, chain, { type: 'full-reload', path: '*', triggeredBy: chain[0] })
  await reload(`${reason}: ${chain.join(' → ')}`, { type: 'full-reload', path: '*', triggeredBy: chain[0] })
}

async function reloadForPage({ page: edited, file, before, after }: EditedPage, obstacle: string, batch: Batch): Promise<void> {
  const isText = before !== after
  const reason = isText ? `${file} was edited${obstacle && `: ${obstacle}`}` : `scripts or sheets of ${edited} are other files now`
  acknowledgeReload([edited], reason, batch.seq)
  await reload(reason, { type: 'full-reload', path: edited, triggeredBy: file })
}

async function restart(reason: string, batch: Batch): Promise<void> {
  const chain = [...registry.stale]
  const shown = chain.length > 0 || !crashed ? chain : [crashed.id]
  const payload = { type: 'full-reload', path: '*', triggeredBy: chain[0] }
  if (workerScope) return restartWorker(reason, shown, payload)
  acknowledgeReload(shown, reason, batch.seq)
  await reload(reason, payload)
}

/** What a page does by reloading: whoever made the worker puts a new thread in its place, or reloads itself. Nothing comes after it. */
async function restartWorker(reason: string, chain: string[], payload: object): Promise<never> {
  await hot.dispatch('vite:beforeFullReload', payload)
  reloading = true
  const answer = await workerScope!.ask({ chain, reason, hot: isHot(), crashed: crashed !== null || blocked.size > 0, seq: replica.seq })
  if (answer === 'restart') tellServer({ seq: replica.seq, result: 'restart', boundaries: [], chain, reason })
  else tellServer({ seq: replica.seq, result: 'nothing', boundaries: [] })
  workerScope!.leave(() => socket.isFlushed)
  return new Promise(() => {})
}

/** The server wants all to start anew. */
async function reloadAnew(reason: string): Promise<void> {
  if (workerScope) return restartWorker(reason, [...registry.entries], { type: 'full-reload', path: '*' })
  return reload(reason, { type: 'full-reload', path: '*' })
}

/** How often a page that is to reload is looked at until it goes on, if it is still there; milliseconds between two looks. */
const LOOKS = 4
const LOOK_EVERY = 250
/** Milliseconds after which a page has stayed, unless the server is at other work; and after it has answered something else. */
const LEAVES_WITHIN = 10_000
const STAYS = 2000
let stayTimer: ReturnType<typeof setTimeout> | undefined

/**
 * Reloads. Comes back if the page is still there after a moment: its user was asked (`beforeunload`) and stays, or it takes
 * long to be left. Which of them nobody knows, since frames may ask as well; an update harms neither.
 */
async function reload(reason: string, payload: object): Promise<void> {
  await hot.dispatch('vite:beforeFullReload', payload)
  if (!hasDocument) return
  reloading = true
  try {
    sessionStorage.setItem(RELOAD_NOTE, reason)
  } catch {
    // Storage may be forbidden; then the reason is in the terminal only.
  }
  // The server hears why before the connection goes.
  for (const began = performance.now(); ; ) {
    await pause(20)
    if (socket.isFlushed || performance.now() - began > FAREWELL) break
  }
  clearTimeout(stayTimer)
  let hasAsked = false
  const ask = (event: BeforeUnloadEvent): void => queueMicrotask(() => (hasAsked = event.defaultPrevented || Boolean(event.returnValue)))
  addEventListener('beforeunload', ask, { once: true })
  location.reload()
  // Time stands still for the page while its user is asked, so that what counts are the looks.
  for (let look = 0; look < LOOKS; look++) await pause(LOOK_EVERY)
  removeEventListener('beforeunload', ask)
  reloading = false
  if (hasAsked) tellStay(reason)
  else stayTimer = setTimeout(() => void tellStayLater(reason), LEAVES_WITHIN)
  for (const stayed of whenStaying.splice(0)) stayed()
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds))
}

/** The server answers one after the other: when it has answered this, the page that was asked for before is on its way, if it was. */
async function tellStayLater(reason: string): Promise<void> {
  const timer = stayTimer
  await fetch(`${base}@rekindle/client.js`, { cache: 'no-store' }).catch(() => {})
  if (timer === stayTimer) stayTimer = setTimeout(() => tellStay(reason), STAYS)
}

function tellStay(reason: string): void {
  console.warn(`${PREFIX} the page cancelled its reload and may show old code: a reload is due, because ${reason}`)
  tellServer({ seq: replica.seq, result: 'stayed', boundaries: [], reason })
}

/** The console of the page before is gone with it: say here why it went. */
function tellWhyReloaded(): void {
  try {
    const reason = sessionStorage.getItem(RELOAD_NOTE)
    sessionStorage.removeItem(RELOAD_NOTE)
    sessionStorage.removeItem('rekindle:again') // See the attribute of this script in the page.
    // One that was cancelled has left its reason here.
    const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
    if (reason && navigation?.type === 'reload') console.info(`${PREFIX} page reloaded, because ${reason}`)
  } catch {
    // As above: storage may be forbidden.
  }
}

// ---- workers

/** Whether some module here takes updates, by itself or as one with components: then what runs here is worth keeping. */
function isHot(): boolean {
  const accepts = [...hot.contexts.values()].some(({ id, acceptors }) => acceptors.length > 0 && !styleModules.has(id))
  return accepts || [...registry.instances.keys()].some((id) => refresh.isBoundary(id))
}

/** What is wrong in workers, by worker. */
const workerErrors = new Map<object, OverlayError[]>()

/** Restart the workers whose updates were to reload the page. */
const whenStaying: (() => void)[] = []

/** `restart` is called if the page is to reload, and is still there after that. */
function decideForWorker(path: string, request: RestartRequest, restart: () => void): RestartAnswer {
  const { chain, reason, hot: isWorkerHot, crashed: isOver } = request
  const keepsPage = isOver || workerPolicy === 'restart' || (workerPolicy === 'auto' && (isWorkerHot || isHot()))
  if (keepsPage && !reloading) return 'restart'
  whenStaying.push(restart)
  const why: Extract<Verdict, { kind: 'reload' }> = { kind: 'reload', chain, reason: `${reason} in the worker ${path}` }
  if (reloading) return 'reload'
  if (!workerScope) tellServer({ seq: Math.max(replica.seq, request.seq), result: 'reload', boundaries: [], chain, reason: why.reason })
  enqueue(() => reloadBecause(why))
  return 'reload'
}

installWorkers({
  decide: (_, path, request, restart) => decideForWorker(path, request, restart),
  errors(worker, news) {
    if (news.length > 0) workerErrors.set(worker, news)
    else if (!workerErrors.delete(worker)) return
    refreshOverlay()
    if (news.length > 0) showErrors([])
  },
  restarted(worker, path, { chain, reason }) {
    console.info(`${PREFIX} worker ${path} restarted, because ${reason}: ${chain.join(' → ')}`)
    // Who has to tell a new thread something, what it was told at its start for instance, listens to this.
    void hot.dispatch('rekindle:worker-restart', { path, worker })
  },
  tryLater,
})

// ---- overlay

/** Tells whether the page runs a module, wants to, or links the sheet, or is it. */
function concernsPage(): (id: ModuleId) => boolean {
  const needed = registry.neededBy(toStart())
  const wants = (id: ModuleId) => wanted.has(id) || needed.has(id) || updater.needs(id)
  return (id) => !isForMaker(id) && (registry.instances.has(id) || wants(id) || id === page || (id.endsWith('?direct') && hasLink(id, base)))
}

/** Whether a worker's own script is gone: who makes the worker has an error then, if anybody still does. */
function isForMaker(id: ModuleId): boolean {
  return workerScope !== null && registry.entries.has(id) && (errors.get(id)?.some(({ gone }) => gone) ?? false)
}

/** Entries that have not started, or have stopped at an error. */
function toStart(): ModuleId[] {
  return crashed ? [...blocked, crashed.id] : [...blocked]
}

/** What was shown last: the user may have closed the overlay since. */
let lastShown: ReadonlySet<Diagnostic[]> = new Set()

/** Errors in the overlay at a time. */
const MOST_SHOWN = 100

/**
 * Milliseconds in which the next save of a burst may mend what one of its files has made throw. The update itself waits for
 * nothing, and so does the line in the console.
 */
const MENDS_WITHIN = 300
let showTimer: ReturnType<typeof setTimeout> | undefined

/** Shows what an update threw, unless the next one is better. */
function showSoon(): void {
  if (isOverlayOpen()) return showErrors([])
  clearTimeout(showTimer)
  showTimer = setTimeout(() => {
    if (thrown().length > 0) showErrors([])
  }, MENDS_WITHIN)
}

/** What was thrown, the newest first. */
function thrown(): OverlayError[] {
  const all = [...[...failures.values()].reverse(), runtimeError, crashed?.shown]
  return all.filter((error) => error != null)
}

/** Shows the errors that concern this page, those of `newest` first. */
function showErrors(newest: ModuleId[]): void {
  const concerning = errors.size > 0 ? [...errors.keys()].filter(concernsPage()).reverse() : []
  const order = [...newest.filter((id) => errors.has(id) && !isForMaker(id)), ...concerning.filter((id) => !newest.includes(id))]
  lastShown = new Set(order.map((id) => errors.get(id)!))
  const shown: OverlayError[] = order.flatMap((id) => errors.get(id)!).slice(0, MOST_SHOWN)
  // Where very many modules cannot run, the server says why for some of them.
  const others = order.filter((id) => errors.get(id)!.length === 0)
  if (others.length > 0) shown.push({ message: `${shown.length > 0 ? `${others.length} more` : others.length} modules cannot run: ${others.slice(0, 3).join(', ')}${others.length > 3 ? ', …' : ''}` })
  shown.unshift(...thrown())
  for (const list of workerErrors.values()) shown.push(...list)
  workerScope?.show(shown)
  // What was thrown the console has already.
  for (const error of shown) if (!error.title && !workerScope) logError(error)
  if (shown.length === 0 || workerScope) return
  if (overlayEnabled && hasDocument) showOverlay(shown)
}

const logged = new WeakSet<Diagnostic>()

function logError(error: OverlayError): void {
  if (logged.has(error)) return
  logged.add(error)
  const { message, file, place, frame, help } = error
  const where = file === undefined ? '' : `\n${file}${place ? `:${place.line}:${place.column}` : ''}`
  console.error(`${PREFIX} ${message}${where}${frame ? `\n${frame}` : ''}${help ? `\n${help}` : ''}`)
}

/** Takes the overlay away once nothing is wrong any more. */
function refreshOverlay(): void {
  const needed = registry.neededBy(toStart())
  for (const id of wanted) {
    if (registry.definitions.has(id) || !(needed.has(id) || updater.needs(id))) wanted.delete(id)
  }
  const isConcerning = concernsPage()
  const concerning = [...errors].filter(([id]) => isConcerning(id)).map(([, diagnostics]) => diagnostics)
  if (concerning.length === 0 && thrown().length === 0 && workerErrors.size === 0) {
    hideOverlay()
    workerScope?.show([])
  } else if (isOverlayOpen() || workerScope || concerning.some((diagnostics) => !lastShown.has(diagnostics))) {
    showErrors([])
  }
}

let traces = 0
const tracing = new Map<number, OverlayError>()

/**
 * An error thrown by an update; its place in the original source is told by the server a moment later, to the terminal as
 * well if it `isTold` there.
 */
function overlayError(error: unknown, title: string, isTold = true): OverlayError {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const stack = error instanceof Error ? withoutOurFrames(error.stack ?? '') : ''
  const shown: OverlayError = { message, stack, title }
  const frames = [...stack.matchAll(/\(?(https?:[^\s()]+):(\d+):(\d+)\)?/g)].map(([, url, line, column]) => [url, Number(line), Number(column)])
  const lacks = error instanceof MissingExport ? error.lacks : undefined
  if (frames.length === 0 && !lacks && !isTold) return shown
  tracing.set(++traces, shown)
  socket.send({ type: 'trace', id: traces, frames, lacks, said: isTold ? message.slice(0, LONGEST_TOLD) : undefined })
  shown.isTraced = socket.isOpen
  if (shown.isTraced) setTimeout(() => isTracedNoMore(shown), TRACE_PATIENCE)
  return shown
}

/** Milliseconds after which the stack of the running code is shown, if the server has not told of the sources. */
const TRACE_PATIENCE = 5000

function isTracedNoMore(shown: OverlayError): void {
  if (!shown.isTraced) return
  shown.isTraced = false
  if (thrown().includes(shown) && (isOverlayOpen() || workerScope)) showErrors([])
}

/** The frames of this client say nothing about the page's code; the names of modules (stacks.ts) give way to those of files. */
function withoutOurFrames(stack: string): string {
  const isOurs = (line: string) => /\/@rekindle\/(client|runtime\/)/.test(line) || line.includes('Generator.next')
  return stack.split('\n').filter((line) => !isOurs(line)).map((line) => line.replace(/ \[in [^\]]*\] \(/, ' (')).join('\n')
}

/** Comes twice where a stack has more frames than the first one, which is told at once. */
function traced({ id, frames, frame, help, more }: Extract<ServerMessage, { type: 'traced' }>): void {
  const shown = tracing.get(id)
  if (!more) tracing.delete(id)
  const first = frames.find((one) => one !== null)
  if (shown && !more && !first) return isTracedNoMore(shown)
  if (!shown || !thrown().includes(shown) || !first) return
  shown.isTraced = more === true
  shown.file = first.file
  shown.place = { line: first.line, column: first.column }
  shown.frame = frame
  shown.help = help
  const places = [...frames]
  // The stack is filled in once: its frames are told apart by their addresses.
  if (!more) shown.stack = shown.stack?.replace(/\(?(https?:[^\s()]+:\d+:\d+)\)?/g, (text) => {
    const place = places.shift()
    return place ? `(${place.file}:${place.line}:${place.column})` : text
  })
  if (isOverlayOpen() || workerScope) showErrors([])
}

setEditorOpener(async (place) => {
  const address = `${base}@rekindle/open-in-editor?file=${encodeURIComponent(place)}`
  try {
    const answer = await fetch(address, { method: 'POST', headers: { 'x-rekindle-token': token } })
    return answer.ok ? null : await answer.text()
  } catch {
    return 'the server is not there to open the editor'
  }
})

// ---- the socket

if (token) debug('connecting...')
else console.warn(`${PREFIX} pages of ${location.origin} may read from ${home.origin} and get no updates; for those, list the origin in server.allowed_origins`)

/** Connections so far. */
let connection = 0
/** What is tried again when there is another one, or when a save may have brought what it lacked. */
let returns: { path: ModuleId; again: () => void }[] = []
/** Addresses that were looked at since the last save. */
const lookedAt = new Set<string>()

/** The server did not bring what is at `address`, made of the module `path`: `again` is called once it may. */
function tryLater(path: ModuleId, address: string, again: () => void): void {
  const one = { path, again }
  returns.push(one)
  if (lookedAt.has(address)) return
  lookedAt.add(address)
  // The save that brings it may be over before word of the failure is here.
  void stateOf(address).then((state) => {
    if (state === 'there') tryAgain((other) => other === one)
  })
}

function tryAgain(isDue: (one: (typeof returns)[number]) => boolean): void {
  const due = returns.filter(isDue)
  returns = returns.filter((one) => !due.includes(one))
  for (const { again } of due) again()
}

/** A save may have brought files back that were not there. */
function tryAfter({ definitions, fixed }: Batch): void {
  if (definitions.length + fixed.length > 0) lookedAt.clear()
  if (returns.length > 0) tryAgain(({ path }) => fixed.length > 0 || definitions.some(({ id }) => id === path))
}

// Without a token there is nothing to connect with: who may only read waits for ever, and quietly.
const socket = new Socket(token ? socketAddress : null, refreshToken, {
  opened(webSocket) {
    if (hasFailedToStart) return location.reload()
    updater.failedImports.reconnected()
    tryAgain(() => true)
    enqueue(() => hot.dispatch('vite:ws:connect', { webSocket }))
    connection += 1
    isAwaiting = false
    hello()
  },
  closed(webSocket) {
    enqueue(() => hot.dispatch('vite:ws:disconnect', { webSocket }))
    if (hasDocument) console.log(`${PREFIX} server connection lost. Polling for restart...`)
  },
  said(message) {
    if (message.type === 'unreadable') return rescue.settled()
    const { type } = message
    const isNews = type === 'batch' || type === 'welcome' || type === 'compare'
    if (isNews) newsInQueue += 1
    if (isNews) hurry?.()
    // What a new session compares may be anything that is here.
    const changed = type === 'batch' ? changedBy(message) : type === 'compare' ? [...registry.instances.keys()] : []
    const begin = updater.announce(changed)
    const of = connection
    // What an earlier connection has brought is in the answer to the `hello` of this one.
    const isOver = () => isNews && of !== connection
    enqueue(() => {
      begin()
      if (isNews) newsInQueue -= 1
      return isOver() ? undefined : handle(message)
    })
  },
})

const rescue = new Rescue(`${base}@rekindle/s/`, (report) => socket.send(report))

async function handle(message: ServerMessage): Promise<void> {
  switch (message.type) {
    case 'connected':
      return debug('connected.')
    case 'batch':
      return takeBatch(message)
    case 'custom':
      return hot.dispatch(message.event, message.data)
    case 'traced':
      return traced(message)
    case 'welcome':
      nowInStep()
      return retryNow()
    case 'compare':
      replica.leaveSession()
      return tellVersions()
    case 'pong':
    case 'unreadable':
      return
  }
}

function socketAddress(): string {
  const scheme = socketAt.protocol ?? (home.protocol === 'https:' ? 'wss' : 'ws')
  const port = socketAt.port ?? (socketAt.host ? '' : home.port)
  const host = `${socketAt.host ?? home.hostname}${port ? `:${port}` : ''}`
  return `${scheme}://${host}${base}${socketAt.path?.replace(/^\/+/, '') ?? '@rekindle/socket'}?token=${token}`
}

/** The server may have started anew: its client script has the token of this start. */
async function refreshToken(): Promise<boolean> {
  try {
    const answer = await fetch(new URL(`${base}@rekindle/client.js`, home), { cache: 'no-store' })
    const found = /token = "([\w-]+)"/.exec(await answer.text())
    if (!answer.ok || !found) return false
    token = found[1]!
    return true
  } catch {
    return false
  }
}

/** Tells the server which page this is and what it holds; what was missed comes as one batch, and from then on every other. */
function hello(): void {
  if (replica.session === '' || isAwaiting) return
  const session = replica.isBetween ? '' : replica.session
  isAwaiting = socket.isOpen
  socket.sendNow({ type: 'hello', page, session, seq: replica.seq, entries: [...registry.entries], worker: workerScope !== null })
}

/** The page's own script could not be had: the server went away while the page was loading. */
let hasFailedToStart = false

if (hasDocument) {
  const isOwn = (target: EventTarget | null): target is HTMLScriptElement => target instanceof HTMLScriptElement && target.src.includes('@rekindle/page.js?')
  const startAgain = (src: string) => import(`${src}&again`).catch(() => (hasFailedToStart = true))
  const failed = ({ target }: Event): void => {
    if (!isOwn(target) || replica.session !== '') return
    if (socket.isOpen) void startAgain(target.src)
    else hasFailedToStart = true
  }
  addEventListener('error', failed, true)
}

/** The page's own script is not in the document: something before it in the text has swallowed it. */
let isAdrift = false

/** What the page's script would have said, as far as its edits need it. */
function goAdrift(about: URLSearchParams): void {
  isAdrift = true
  page = about.get('path')
  pageHash = about.get('text') ?? undefined
  const seq = Number(about.get('seq'))
  replica.takeManifest({ session: about.get('session') ?? '', seq, since: seq, segments: [], env: {}, errors: {} })
  hello()
  const message = `the scripts of ${page} are not in the document`
  const help = 'something before them in its text is not closed: a comment, a tag, or an element such as <style>, <title>, <template> or <textarea>'
  runtimeError = { message, help, file: page?.slice(1), title: 'found when the page was loaded' }
  console.error(`${PREFIX} ${message}: ${help}`)
  showErrors([])
}

if (hasDocument) {
  const about = document.querySelector<HTMLElement>('script[data-rekindle-page]')?.dataset.rekindlePage
  const look = (): void => {
    const isThere = [...document.scripts].some(({ src }) => src.includes('@rekindle/page.js?'))
    if (about && !isThere && replica.session === '') goAdrift(new URLSearchParams(`path=${about}`))
  }
  if (document.readyState === 'complete') look()
  else addEventListener('load', look, { once: true })
}

/** A server that was started anew knows no numbers of ours: it compares digests. */
function tellVersions(): void {
  // What is live without a definition is gone, as far as this tab knows: it may be back.
  const gone = [...registry.entries, ...registry.instances.keys()].filter((id) => !registry.definitions.has(id))
  const modules: [ModuleId, string][] = [...registry.definitions].map(([id, { hash }]) => [id, hash])
  for (const id of gone) modules.push([id, ''])
  for (const id of linkedSheetsOf(base)) modules.push([id, `?${linkedSheets.get(id) ?? ''}`])
  const parts = [
    ...inParts([...errors.keys()], lettersOf, LETTERS_AT_ONCE).map((errors) => ({ errors })),
    ...inParts(modules, ([id, hash]) => lettersOf(id) + lettersOf(hash), LETTERS_AT_ONCE).map((part) => ({ modules: Object.fromEntries(part) })),
  ]
  for (const part of parts) socket.sendNow({ type: 'versions', ...part })
  socket.sendNow({ type: 'versions', page, pageHash, entries: [...registry.entries], last: true })
}

/** Letters of the lists in a message: three bytes each, it is still smaller than the server allows. */
const LETTERS_AT_ONCE = LARGEST_MESSAGE / 4

function lettersOf(text: string): number {
  return JSON.stringify(text).length + 1
}

/** Cuts a list into parts that weigh no more than `most`. */
function inParts<T>(list: Iterable<T>, weightOf: (item: T) => number, most: number): T[][] {
  const parts: T[][] = []
  let room = 0
  for (const item of list) {
    const weight = weightOf(item)
    if (parts.length === 0 || weight > room) {
      parts.push([])
      room = most
    }
    parts.at(-1)!.push(item)
    room -= weight
  }
  return parts
}

// ---- what backends and older integrations import from `/@vite/client`

/** A context for a module that is not one of ours. */
export function createHotContext(path: ModuleId): object {
  const instance = { id: path, state: 'evaluated', replaced: false, definition: { meta: { deps: [], names: [] }, links: [] } }
  const before = hot.suspend(path)
  if (before) hot.retire(before)
  return hot.create(instance as unknown as Instance).api
}

/** Adds a query to a relative or root address; absolute ones stay as they are. */
export function injectQuery(url: string, query: string): string {
  if (url[0] !== '.' && url[0] !== '/') return url
  const path = url.replace(/[?#].*$/s, '')
  const { search, hash } = new URL(url, 'http://vite.dev')
  return `${path}?${query}${search ? `&${search.slice(1)}` : ''}${hash}`
}

export { ErrorOverlay, removeStyle, updateStyle }
