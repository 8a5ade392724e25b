/**
 * Takes in what a save did, in this order:
 *
 * 1. definitions, deletions and errors (replica.ts, definitions.ts)
 * 2. a reload, if the server asks for one, the page's HTML cannot be patched, or an entry had crashed
 * 3. entries that had to wait for this save (boot.ts)
 * 4. the update of all that is stale (core/update/apply.ts)
 * 5. the overlay, and the answer to the server
 */
import type { Batch, Diagnostic, EditedPage, ErrorPayload, ModuleId } from '../core/messages'
import { withoutDirect } from '../core/query'
import { startWhatWasBlocked } from './boot'
import { tryAfter } from './connection/returns'
import { acknowledge, hello, nowInStep } from './connection/server'
import { debug } from './console'
import { evaluateDefinition } from './definitions'
import { patchDocument } from './dom/document'
import { hasLink } from './dom/styles'
import { concernsPage, refreshOverlay, showErrors } from './errors'
import { loadForUpdate } from './loading'
import { errors, hot, isHot, registry, replica, updater } from './parts'
import { reloadForCrash, reloadForPage, reloadForServer } from './reload'
import { base, pagePolicy } from './settings'
import { state } from './state'

export async function takeBatch(batch: Batch): Promise<void> {
  const relation = replica.relate(batch)
  if (relation === 'foreign') return
  if (relation !== 'gap') nowInStep()
  else hello()
  // Nobody knows which text of a linked sheet the browser has got, since it loads the sheet some time after the page's text. So such a
  // sheet is fetched again; that is no news for the terminal if it has the digest that it should have.
  const isKnown = ([id, hash]: [ModuleId, string]) => state.linkedSheets.get(id) === hash
  const unedited = batch.links.filter(isKnown).map(([id]) => withoutDirect(id))
  if (relation === 'whole') state.linkedSheets.clear()
  await takeDefinitions(batch)
  const edited = relation === 'gap' ? undefined : batch.pages.find((one) => one.page === state.page)
  // A reload returns if the page stays. Then the rest of the batch is applied, and the page is not asked again.
  if (batch.reload) await reloadForServer(batch.reload)
  const obstacle = edited && !batch.reload ? await patchPage(edited) : null
  if (edited && obstacle !== null) await reloadForPage(edited, obstacle, batch.seq)
  const isPatched = edited !== undefined && obstacle === null && !batch.reload
  let hasStayed = Boolean(batch.reload) || obstacle !== null
  if (!hasStayed) hasStayed = await reloadIfCrashed(batch)
  await announceErrors(batch)
  const started = await startWhatWasBlocked(batch.definitions)
  const links = batch.links.filter((link) => hasLink(link[0], base) && !isKnown(link)).map(([id]) => id)
  for (const [id, hash] of batch.links) if (links.includes(id)) state.linkedSheets.set(id, hash)
  const outcome = await updater.update(links, batch.timestamp, hasStayed)
  refreshOverlay()
  tryAfter(batch)
  const boundaries = outcome.boundaries.filter((id) => !unedited.includes(id))
  const others = [...started, ...(isPatched ? [edited.page] : [])]
  const hasNone = outcome.result === 'nothing' || (boundaries.length === 0 && outcome.boundaries.length > 0)
  if (hasNone) acknowledge({ result: others.length > 0 ? 'updated' : 'nothing', boundaries: others }, batch.seq)
  else acknowledge({ ...outcome, boundaries }, batch.seq)
}

/** Modules that a batch defines anew or deletes. */
export function changedBy({ definitions, deleted, reload }: Batch): ModuleId[] {
  return [...definitions.map(({ id }) => id), ...deleted, ...(reload ? registry.entries : [])]
}

/** What waits for definitions is tried once more. */
export async function tryWaiting(): Promise<void> {
  if (!(updater.isWaiting || state.blocked.size > 0 || registry.stale.size > 0)) return
  const started = await startWhatWasBlocked()
  const outcome = await updater.update([], Date.now())
  refreshOverlay()
  const isNews = started.length > 0 || !['nothing', 'waiting'].includes(outcome.result)
  if (isNews) acknowledge(outcome.result === 'nothing' ? { result: 'updated', boundaries: started } : outcome, replica.seq)
}

// ---- definitions

async function takeDefinitions(batch: Batch): Promise<void> {
  replica.takeStandings(batch)
  const refused = batch.definitions.filter(({ id, code }) => !evaluateDefinition(id, code, batch.seq)).map(({ id }) => id)
  if (refused.length > 0) await loadForUpdate(refused)
  await findLost(batch.definitions.length + batch.fixed.length > 0)
}

/** Fetches live modules that were reported as deleted and may exist again. `isNews`: the batch has definitions, or ends errors. */
async function findLost(isNews: boolean): Promise<void> {
  const isBroken = (id: ModuleId) => errors.has(id)
  for (let lost = registry.lost(isBroken, isNews); lost.length > 0; lost = registry.lost(isBroken)) await loadForUpdate(lost)
}

// ---- reloads that a batch may call for

/** Patches an edit of the page's HTML into the document. Returns what prevents that, or null. */
async function patchPage({ page: path, before, after, scripts, hash }: EditedPage): Promise<string | null> {
  if (hash === state.pageHash) return null // The server says it twice to a tab that has just connected.
  const patches = pagePolicy === 'patch' || (pagePolicy === 'auto' && (isHot() || hasNoScripts()))
  if (!patches && !state.isAdrift) return ''
  if (before === undefined || state.crashed || state.isAdrift) return 'it cannot be patched into this page'
  if (scripts) return 'its scripts have changed'
  if (document.readyState === 'loading') await new Promise((done) => document.addEventListener('DOMContentLoaded', done, { once: true }))
  const obstacle = patchDocument(before, after)
  if (obstacle !== null) return obstacle
  state.pageHash = hash
  debug(`page patched: ${path}`)
  return null
}

function hasNoScripts(): boolean {
  return registry.entries.size === 0 && [...document.scripts].every(({ src }) => src.startsWith(`${location.origin}${base}@rekindle/`))
}

/** Starts the page anew if an entry has crashed and this batch may mend that. True if the page was to reload and is still there. */
async function reloadIfCrashed(batch: Batch): Promise<boolean> {
  const { crashed } = state
  if (!crashed) return false
  const isEdited = registry.stale.size > 0 && !crashed.hasStayed
  if (!(isEdited || batch.definitions.some(({ id }) => state.wanted.has(id)) || concerns([crashed.id], batch))) return false
  await reloadForCrash(crashed.id, batch.seq)
  state.crashed!.hasStayed = true
  updater.decline(registry.neededBy([state.crashed!.id]).keys())
  return true
}

/** Whether the batch changes something that running `roots` needs. */
function concerns(roots: Iterable<ModuleId>, batch: Batch): boolean {
  const needed = registry.neededBy(roots)
  return batch.definitions.some(({ id }) => needed.has(id))
}

// ---- errors

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
