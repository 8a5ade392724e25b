/**
 * What is wrong on this page, for the overlay and the console: mistakes that the server found, and what modules threw.
 *
 *     errors of the server      until the module is mended, if this page has to do with it
 *     thrown by an update       until that update goes through
 *     thrown while rendering    until some update goes through
 *
 * The place of a thrown error in the original source is asked of the server, and arrives a moment later.
 */
import { MissingExport } from '../core/instance'
import type { Diagnostic, ModuleId, ServerMessage } from '../core/messages'
import { isLinkedSheet } from '../core/query'
import type { Boundary } from '../core/update/propagate'
import { LONGEST_TOLD } from './connection/server'
import { PREFIX, report } from './console'
import { hideOverlay, isOverlayOpen, showOverlay, type OverlayError } from './dom/overlay'
import { hasLink } from './dom/styles'
import { errors, registry, socket, updater, workerScope } from './parts'
import { base, hasDocument, overlayEnabled, token } from './settings'
import { state } from './state'

// ---- which errors concern this page

/** Tells whether the page runs a module, wants to run it, links the sheet, or is itself what the name stands for. */
export function concernsPage(): (id: ModuleId) => boolean {
  const needed = registry.neededBy(toStart())
  const wants = (id: ModuleId) => state.wanted.has(id) || needed.has(id) || updater.needs(id)
  return (id) => !isForMaker(id) && (registry.instances.has(id) || wants(id) || id === state.page || (isLinkedSheet(id) && hasLink(id, base)))
}

/** Whether a worker's own script was deleted: that is an error of the page that makes the worker, and not of the worker. */
function isForMaker(id: ModuleId): boolean {
  return workerScope !== null && registry.entries.has(id) && (errors.get(id)?.some(({ gone }) => gone) ?? false)
}

/** Entries that have not started, or have stopped at an error. */
function toStart(): ModuleId[] {
  return state.crashed ? [...state.blocked, state.crashed.id] : [...state.blocked]
}

/** What was thrown and still stands, the newest first. */
function thrown(): OverlayError[] {
  const all = [...[...state.failures.values()].reverse(), state.runtimeError, state.crashed?.shown]
  return all.filter((error) => error != null)
}

// ---- showing them

/** Errors in the overlay at a time. */
const MOST_SHOWN = 100

/** What was shown last. If the user has closed the overlay since, it is opened again only for something new. */
let lastShown: ReadonlySet<Diagnostic[]> = new Set()

/** Shows the errors that concern this page, those of `newest` first. */
export function showErrors(newest: ModuleId[]): void {
  const concerning = errors.size > 0 ? [...errors.keys()].filter(concernsPage()).reverse() : []
  const order = [...newest.filter((id) => errors.has(id) && !isForMaker(id)), ...concerning.filter((id) => !newest.includes(id))]
  lastShown = new Set(order.map((id) => errors.get(id)!))
  const shown: OverlayError[] = order.flatMap((id) => errors.get(id)!).slice(0, MOST_SHOWN)
  // If very many modules cannot run, the server says why only for some of them.
  const others = order.filter((id) => errors.get(id)!.length === 0)
  if (others.length > 0) {
    shown.push({
      message: `${shown.length > 0 ? `${others.length} more` : others.length} modules cannot run: ${others.slice(0, 3).join(', ')}${
        others.length > 3 ? ', …' : ''
      }`,
    })
  }
  shown.unshift(...thrown())
  for (const list of state.workerErrors.values()) shown.push(...list)
  workerScope?.show(shown)
  // Errors with a title were thrown, and are in the console already.
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

/**
 * Milliseconds in which the next save of a burst may mend what the one before has made throw. Only the overlay waits for it: not the
 * update, and not the line in the console.
 */
const MENDS_WITHIN = 300
let showTimer: ReturnType<typeof setTimeout> | undefined

/** Shows what an update threw, unless the next one mends it. */
function showSoon(): void {
  if (isOverlayOpen()) return showErrors([])
  clearTimeout(showTimer)
  showTimer = setTimeout(() => {
    if (thrown().length > 0) showErrors([])
  }, MENDS_WITHIN)
}

/** Brings the overlay up to date after an update: it goes when nothing is wrong any more. */
export function refreshOverlay(): void {
  const needed = registry.neededBy(toStart())
  for (const id of state.wanted) {
    if (registry.definitions.has(id) || !(needed.has(id) || updater.needs(id))) state.wanted.delete(id)
  }
  const isConcerning = concernsPage()
  const concerning = [...errors].filter(([id]) => isConcerning(id)).map(([, diagnostics]) => diagnostics)
  if (concerning.length === 0 && thrown().length === 0 && state.workerErrors.size === 0) {
    hideOverlay()
    workerScope?.show([])
  } else if (isOverlayOpen() || workerScope || concerning.some((diagnostics) => !lastShown.has(diagnostics))) {
    showErrors([])
  }
}

// ---- what was thrown

/** An entry threw while the page started. */
export function crash(id: ModuleId, error: unknown): void {
  state.crashed = { id, error, shown: overlayError(error, `thrown while ${id} started`), hasStayed: false }
  globalThis.reportError(error)
  state.runtimeError = null
  state.failures.clear()
  showErrors([])
}

/** A module threw in an update. `isLate`: after the update had gone through. */
export function updateFailed(error: unknown, boundaries: Boundary[], isLate = false): void {
  console.error(PREFIX, error)
  const paths = boundaries.map(({ path }) => path).join(', ')
  const outcome = isLate
    ? 'It threw after its update had been applied, so the page may be half updated.'
    : 'The page keeps the code it had; the next save tries again.'
  console.error(`${PREFIX} Failed to reload ${paths}. ${outcome}`)
  const updated = boundaries.map(({ accepted }) => accepted).join(', ')
  state.failures.delete(error)
  state.failures.set(error, overlayError(error, `thrown by the update of ${updated}`))
  showSoon()
}

/** Of what was thrown before, only `left` still stands. */
export function updateSucceeded(left: ReadonlySet<unknown>): void {
  for (const error of state.failures.keys()) if (!left.has(error)) state.failures.delete(error)
  if (left.size === 0) state.runtimeError = null
}

/** An import names an export that does not exist. */
export function foundUnlinked(error: unknown): void {
  state.runtimeError = overlayError(error, 'found while linking modules')
  showSoon()
}

/** A module that was not updated imports a name that does not exist any more. */
export function unlinked(error: unknown): void {
  report(error, 'an import')
  foundUnlinked(error)
}

/** A component threw, on its first render or a later one. The save that mends it takes the overlay away. */
export function renderFailed(error: unknown): void {
  state.runtimeError = overlayError(error, 'thrown while rendering', false)
  showErrors([])
}

/** Functions of React and Preact that are on the stack while a component renders, and not while it handles an event. */
const RENDERING = /\b(renderWithHooks|beginWork|commitRoot|flushPassiveEffects)\b/

/** Notices errors that leave a component. */
export function watchRendering(): void {
  addEventListener('error', ({ error }) => {
    if (error instanceof Error && RENDERING.test(error.stack ?? '') && state.crashed?.error !== error) renderFailed(error)
  })
}

// ---- places in the original sources

/** Milliseconds after which the stack of the running code is shown, if the server has not sent the places in the sources. */
const TRACE_PATIENCE = 5000

let traces = 0
const tracing = new Map<number, OverlayError>()

/** What the overlay shows of a thrown error. The server is asked for its place in the source; with `isTold` the terminal shows it too. */
function overlayError(error: unknown, title: string, isTold = true): OverlayError {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const stack = error instanceof Error ? withoutOurFrames(error.stack ?? '') : ''
  const shown: OverlayError = { message, stack, title }
  const frames = [...stack.matchAll(/\(?(https?:[^\s()]+):(\d+):(\d+)\)?/g)].map((
    [, url, line, column],
  ): [string, number, number] => [url!, Number(line), Number(column)])
  const lacks = error instanceof MissingExport ? error.lacks : undefined
  if (frames.length === 0 && !lacks && !isTold) return shown
  tracing.set(++traces, shown)
  socket.send({ type: 'trace', id: traces, frames, lacks, said: isTold ? message.slice(0, LONGEST_TOLD) : undefined })
  shown.isTraced = socket.isOpen
  if (shown.isTraced) setTimeout(() => endTrace(shown), TRACE_PATIENCE)
  return shown
}

function endTrace(shown: OverlayError): void {
  if (!shown.isTraced) return
  shown.isTraced = false
  if (thrown().includes(shown) && (isOverlayOpen() || workerScope)) showErrors([])
}

/** The stack without the frames of this script, and without the names of modules that stacks.ts adds: the server names the files. */
function withoutOurFrames(stack: string): string {
  const isOurs = (line: string) => /\/@rekindle\/(client|runtime\/)/.test(line) || line.includes('Generator.next')
  return stack.split('\n').filter((line) => !isOurs(line)).map((line) => line.replace(/ \[in [^\]]*\] \(/, ' (')).join('\n')
}

/** The server's answer. Of a long stack the first frame comes at once, and all frames in a second answer. */
export function traced({ id, frames, frame, help, more }: Extract<ServerMessage, { type: 'traced' }>): void {
  const shown = tracing.get(id)
  if (!more) tracing.delete(id)
  const first = frames.find((one) => one !== null)
  if (shown && !more && !first) return endTrace(shown)
  if (!shown || !thrown().includes(shown) || !first) return
  shown.isTraced = more === true
  shown.file = first.file
  shown.place = { line: first.line, column: first.column }
  shown.frame = frame
  shown.help = help
  const places = [...frames]
  // The stack is replaced only once, by the last answer: its frames are recognized by their addresses, which are gone then.
  if (!more) {
    shown.stack = shown.stack?.replace(/\(?(https?:[^\s()]+:\d+:\d+)\)?/g, (text) => {
      const place = places.shift()
      return place ? `(${place.file}:${place.line}:${place.column})` : text
    })
  }
  if (isOverlayOpen() || workerScope) showErrors([])
}

/** Opens a place in the developer's editor; gives why that is impossible, or null. */
export async function openInEditor(place: string): Promise<string | null> {
  const address = `${base}@rekindle/open-in-editor?file=${encodeURIComponent(place)}`
  try {
    const answer = await fetch(address, { method: 'POST', headers: { 'x-rekindle-token': token } })
    return answer.ok ? null : await answer.text()
  } catch {
    return 'the server cannot be reached to open the editor'
  }
}
