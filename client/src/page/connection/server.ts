/**
 * What this tab says to the server: where it stands, what it holds, how updates went, and the page's own events.
 *
 *     hello      page, session, seq           answered by what was missed
 *     versions   module → digest, in parts    a server that was restarted compares them
 *     applied    result, boundaries           the line in the terminal
 */
import type { ClientMessage, ModuleId, UpdateReport } from '../../core/messages'
import type { Outcome } from '../../core/update/outcome'
import { report } from '../console'
import { linkedSheetsOf } from '../dom/styles'
import { errors, registry, replica, socket, workerScope } from '../parts'
import { LOAD_PATIENCE } from '../queue'
import { base } from '../settings'
import { state } from '../state'

// ---- where this tab stands

/** Tells the server which page this is and what it holds. What was missed comes as one batch, and every later batch after it. */
export function hello(): void {
  if (replica.session === '' || state.isAwaiting) return
  const session = replica.isBetween ? '' : replica.session
  state.isAwaiting = socket.isOpen
  socket.sendNow({ type: 'hello', page: state.page, session, seq: replica.seq, entries: [...registry.entries], worker: workerScope !== null })
}

/** Those who wait for the answer to `hello`. */
let awaiting: (() => void)[] = []

/** Settles when the server has answered where this tab stands, or after a while. */
export function inStep(): Promise<void> {
  return new Promise((done) => {
    awaiting.push(done)
    setTimeout(done, LOAD_PATIENCE)
  })
}

/** The server has answered: this tab has heard of everything. */
export function nowInStep(): void {
  state.isAwaiting = false
  for (const done of awaiting.splice(0)) done()
}

/** Tells digests of all that this tab holds to a server that was restarted, and to which the tab's numbers mean nothing. */
export function tellVersions(): void {
  // As far as this tab knows, a live module without a definition was deleted. It may be back.
  const gone = [...registry.entries, ...registry.instances.keys()].filter((id) => !registry.definitions.has(id))
  const modules: [ModuleId, string][] = [...registry.definitions].map(([id, { hash }]) => [id, hash])
  for (const id of gone) modules.push([id, ''])
  for (const id of linkedSheetsOf(base)) modules.push([id, `?${state.linkedSheets.get(id) ?? ''}`])
  const parts = [
    ...inParts([...errors.keys()], lettersOf, LETTERS_AT_ONCE).map((errors) => ({ errors })),
    ...inParts(modules, ([id, hash]) => lettersOf(id) + lettersOf(hash), LETTERS_AT_ONCE).map((part) => ({ modules: Object.fromEntries(part) })),
  ]
  for (const part of parts) socket.sendNow({ type: 'versions', ...part })
  socket.sendNow({ type: 'versions', page: state.page, pageHash: state.pageHash, entries: [...registry.entries], last: true })
}

// ---- how updates went

/** Modules of a list, and letters of a text, that go into the terminal's line about an update. */
const MOST_TOLD = 500
export const LONGEST_TOLD = 10_000

/** Tells how the update for batch `seq` went. A reload was told before it began (reload.ts). */
export function acknowledge(outcome: Outcome, seq: number): void {
  const { result, boundaries, error } = outcome
  if (result !== 'reload') tellServer({ seq, result, boundaries, error })
}

export function tellServer(update: Omit<UpdateReport, 'type'>): void {
  const { boundaries, chain, reason, error } = update
  const short = {
    boundaries: boundaries.slice(0, MOST_TOLD),
    chain: chain && shortChain(chain),
    reason: reason?.slice(0, LONGEST_TOLD),
    error: error?.slice(0, LONGEST_TOLD),
  }
  socket.sendNow({ type: 'applied', ...update, ...short })
}

/** Cuts out the middle of a long chain: its two ends say what led to what. */
function shortChain(chain: ModuleId[]): ModuleId[] {
  return chain.length <= MOST_TOLD ? chain : [...chain.slice(0, MOST_TOLD / 2), '…', ...chain.slice(-MOST_TOLD / 2)]
}

// ---- events of the page

/** Bytes of one message that the server takes. */
const LARGEST_MESSAGE = 1024 * 1024
/** Letters of the lists in one message. At three bytes for each letter, it is still smaller than the server allows. */
const LETTERS_AT_ONCE = LARGEST_MESSAGE / 4

/** `hot.send`. */
export function sendCustom(event: string, data: unknown): void {
  const message: ClientMessage = { type: 'custom', event, data }
  const size = new Blob([JSON.stringify(message)]).size
  if (size <= LARGEST_MESSAGE) return socket.send(message)
  report(new Error(`${size} bytes are more than the ${LARGEST_MESSAGE} that one message may have: send them in parts`), `hot.send("${event}")`)
}

function lettersOf(text: string): number {
  return JSON.stringify(text).length + 1
}

/** Cuts a list into parts that weigh no more than `most`. */
export function inParts<T>(list: Iterable<T>, weightOf: (item: T) => number, most: number): T[][] {
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
