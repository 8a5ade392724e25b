/**
 * The only file that reloads the page, and the list of all reasons for it.
 *
 *     nobody accepts an edit ─► the server is told why ─► `vite:beforeFullReload` ─► the page reloads, and its console says why
 *                                                                                └► it is still there: updates go on
 *
 * A worker does not reload: its owner puts a new thread in its place, or reloads itself (worker/owner.ts).
 */
import type { EditedPage, ModuleId, ServerReload } from '../core/messages'
import type { NoBoundary, Verdict } from '../core/update/propagate'
import { tellServer } from './connection/server'
import { PREFIX } from './console'
import { hot, isHot, registry, replica, socket, workerScope } from './parts'
import { base, hasDocument } from './settings'
import { state } from './state'

// ---- reasons

export type ReloadReason =
  /** The update of an edited module meets no module that accepts it (core/update/propagate.ts). */
  | NoBoundary
  /** The update of a worker meets none, and the worker is not to be restarted alone. */
  | { kind: 'worker'; path: string; why: string }
  /** The page's own HTML was edited. `obstacle`: what keeps the edit from being patched in, if that was tried. */
  | { kind: 'page-edited'; file: string; obstacle: string }
  /** The page's HTML is the same, but a script or sheet of it means another file now. */
  | { kind: 'page-files'; page: string }
  /** An entry threw while the page started, and an edit may mend that. */
  | { kind: 'entry-crashed'; entry: ModuleId }
  /** The page's own script could not be loaded: nothing of the page has run. */
  | { kind: 'not-started' }
  /** The server asks for it. */
  | ServerReload

/** Reads after “page reloaded, because”. */
export function sentenceOf(reason: ReloadReason): string {
  switch (reason.kind) {
    case 'not-accepted': {
      const { id, due } = reason
      const nothingAccepts = `nothing accepts ${id}`
      if (due?.kind === 'import-failed') return `an import() in ${due.importer} had failed, and ${nothingAccepts}`
      if (due?.kind === 'was-gone') return `${due.id} was gone when what it imports was updated, and ${nothingAccepts}`
      return nothingAccepts
    }
    case 'circular-invalidate':
      return 'circular import invalidate'
    case 'worker':
      return `${reason.why} in the worker ${reason.path}`
    case 'page-edited':
      return `${reason.file} was edited${reason.obstacle && `: ${reason.obstacle}`}`
    case 'page-files':
      return `scripts or style sheets of ${reason.page} now come from other files`
    case 'entry-crashed':
      return `the page had stopped at an error in ${reason.entry}`
    case 'not-started':
      return 'its script could not be loaded before'
    case 'framework-changed':
      return 'a component framework, or its refresh runtime, was installed or removed'
  }
}

// ---- who reloads for what; each returns only to a page that is still there some time later

/** What a reload needs of the verdict on an update. */
type ReloadVerdict = Omit<Extract<Verdict, { kind: 'reload' }>, 'reason'> & { reason: ReloadReason }

/** For an update that meets no boundary. */
export async function reloadForUpdate(verdict: ReloadVerdict): Promise<void> {
  acknowledgeReload(verdict.chain, verdict.reason, replica.seq)
  return reloadForVerdict(verdict)
}

/** The same, where the server has been told already. */
export async function reloadForVerdict({ chain, reason }: ReloadVerdict): Promise<void> {
  const payload = { type: 'full-reload', path: '*', triggeredBy: chain[0] }
  if (workerScope) return restartWorker(reason, chain, payload)
  await reload(`${sentenceOf(reason)}: ${chain.join(' → ')}`, payload)
}

/** For an edit of the page's HTML that cannot be patched in. */
export async function reloadForPage({ page: edited, file, before, after }: EditedPage, obstacle: string, seq: number): Promise<void> {
  const reason: ReloadReason = before === after ? { kind: 'page-files', page: edited } : { kind: 'page-edited', file, obstacle }
  acknowledgeReload([edited], reason, seq)
  await reload(sentenceOf(reason), { type: 'full-reload', path: edited, triggeredBy: file })
}

/** For an edit after an entry has crashed. */
export async function reloadForCrash(entry: ModuleId, seq: number): Promise<void> {
  const reason: ReloadReason = { kind: 'entry-crashed', entry }
  const stale = [...registry.stale]
  const chain = stale.length > 0 ? stale : [entry]
  const payload = { type: 'full-reload', path: '*', triggeredBy: stale[0] }
  if (workerScope) return restartWorker(reason, chain, payload)
  acknowledgeReload(chain, reason, seq)
  await reload(sentenceOf(reason), payload)
}

/** The server wants all pages to start anew. It knows that, so it is not told. */
export async function reloadForServer(reason: ServerReload): Promise<void> {
  const payload = { type: 'full-reload', path: '*' }
  if (workerScope) return restartWorker(reason, [...registry.entries], payload)
  return reload(sentenceOf(reason), payload)
}

/** For a page whose own script could not be loaded. It has nothing to lose, and no update to answer for, so only its console says why. */
export function reloadUnstartedPage(): void {
  leaveNote(sentenceOf({ kind: 'not-started' }))
  location.reload()
}

function acknowledgeReload(chain: string[], reason: ReloadReason, seq: number): void {
  // What becomes of a worker is told by its owner, who decides it.
  if (!workerScope) tellServer({ seq, result: 'reload', boundaries: [], chain, reason: sentenceOf(reason) })
}

/** Asks the worker's owner for a new thread in the place of this one, or for a reload of the page. Never returns. */
async function restartWorker(reason: ReloadReason, chain: string[], payload: object): Promise<never> {
  await hot.dispatch('vite:beforeFullReload', payload)
  state.isReloading = true
  const why = sentenceOf(reason)
  const answer = await workerScope!.ask({
    chain,
    reason: why,
    hot: isHot(),
    crashed: state.crashed !== null || state.blocked.size > 0,
    seq: replica.seq,
  })
  if (answer === 'restart') tellServer({ seq: replica.seq, result: 'restart', boundaries: [], chain, reason: why })
  else tellServer({ seq: replica.seq, result: 'nothing', boundaries: [] })
  workerScope!.leave(() => socket.isFlushed)
  return new Promise(() => {})
}

// ---- the reload

/** Milliseconds that a reload waits for messages that are still to be sent. */
const FAREWELL = 500
/** How often a page that is to reload is looked at before it goes on, and milliseconds between two looks. */
const LOOKS = 4
const LOOK_EVERY = 250
/** Milliseconds after which a page has stayed, if the server is idle; and after the server has answered another request. */
const LEAVES_WITHIN = 10_000
const STAYS = 2000
let stayTimer: ReturnType<typeof setTimeout> | undefined
/** The key in the session's storage for the reason that the next page writes into its console. */
const RELOAD_NOTE = 'rekindle:reloaded'

/** Restart the workers whose updates were to reload the page. */
const whenStaying: (() => void)[] = []

/** Calls `restart` if the page is to reload, and is still there after that. */
export function ifPageStays(restart: () => void): void {
  whenStaying.push(restart)
}

/**
 * Reloads. Returns if the page is still there after a moment: the user was asked (`beforeunload`) and stays, or leaving takes long.
 * Nobody can tell these apart, since any frame may ask; an update does no harm in either case.
 */
async function reload(why: string, payload: object): Promise<void> {
  await hot.dispatch('vite:beforeFullReload', payload)
  if (!hasDocument) return
  state.isReloading = true
  leaveNote(why)
  // The server hears the reason before the connection ends.
  for (const began = performance.now();;) {
    await pause(20)
    if (socket.isFlushed || performance.now() - began > FAREWELL) break
  }
  clearTimeout(stayTimer)
  let hasAsked = false
  const ask = (event: BeforeUnloadEvent): void => queueMicrotask(() => (hasAsked = event.defaultPrevented || Boolean(event.returnValue)))
  addEventListener('beforeunload', ask, { once: true })
  location.reload()
  // No timer of the page runs while its user is asked. So looks are counted, and not time.
  for (let look = 0; look < LOOKS; look++) await pause(LOOK_EVERY)
  removeEventListener('beforeunload', ask)
  state.isReloading = false
  if (hasAsked) tellStay(why)
  else stayTimer = setTimeout(() => void tellStayLater(why), LEAVES_WITHIN)
  for (const stayed of whenStaying.splice(0)) stayed()
}

/** Leaves the reason to the page that comes next. */
function leaveNote(why: string): void {
  try {
    sessionStorage.setItem(RELOAD_NOTE, why)
  } catch {
    // The browser may forbid storage. Then the console does not say the reason.
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds))
}

/** The server answers requests one after the other: once it has answered this one, the new page is on its way, if it was asked for. */
async function tellStayLater(why: string): Promise<void> {
  const timer = stayTimer
  await fetch(`${base}@rekindle/client.js`, { cache: 'no-store' }).catch(() => {})
  if (timer === stayTimer) stayTimer = setTimeout(() => tellStay(why), STAYS)
}

function tellStay(why: string): void {
  console.warn(`${PREFIX} the page cancelled its reload and may show old code: a reload is due, because ${why}`)
  tellServer({ seq: replica.seq, result: 'stayed', boundaries: [], reason: why })
}

/** Called by the page that comes after a reload: browsers clear the console, so the reason is written again here. */
export function tellWhyReloaded(): void {
  try {
    const why = sessionStorage.getItem(RELOAD_NOTE)
    sessionStorage.removeItem(RELOAD_NOTE)
    sessionStorage.removeItem('rekindle:again') // Set by the attribute of this script's element in the page.
    // A reload that was cancelled has left its reason, too.
    const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
    if (why && navigation?.type === 'reload') console.info(`${PREFIX} page reloaded, because ${why}`)
  } catch {
    // The browser may forbid storage.
  }
}
