/**
 * Style sheets on the page: `style` elements of imported sheets, `link` elements of the page itself.
 *
 * An edited sheet keeps its element, and with it its place in the cascade. The elements stand in the order of the imports, also
 * after an edit has added or moved imports.
 */
import type { ModuleId } from '../../core/messages'
import { linkedSheet, pathOf, renewLinkAddress } from '../../core/query'

const DEV_ID = 'data-vite-dev-id'

const sheets = new Map<string, HTMLStyleElement | HTMLLinkElement>()
/** Sheets that the server wrote into the page, whose modules have not run yet. */
const early = new Set<string>()
let lastInserted: HTMLStyleElement | undefined

if (typeof document !== 'undefined') {
  for (const sheet of document.querySelectorAll<HTMLStyleElement | HTMLLinkElement>(`style[${DEV_ID}], link[rel="stylesheet"][${DEV_ID}]`)) {
    // A security policy of the page may forbid inline styles, so that the element has no effect.
    if (sheet instanceof HTMLStyleElement && !sheet.sheet) {
      sheet.remove()
      continue
    }
    const id = sheet.getAttribute(DEV_ID)!
    sheets.set(id, sheet)
    early.add(id)
  }
}

/** Creates the style element of `id`, or gives it a new text. If a backend has put the sheet on the page as a link, that stays as it is. */
export function updateStyle(id: string, css: string): void {
  if (typeof document === 'undefined') return
  const known = sheets.get(id)
  if (known) {
    if (!(known instanceof HTMLStyleElement)) return
    if (known.textContent !== css) known.textContent = css
    if (early.delete(id)) place(known)
    return
  }
  const style = document.createElement('style')
  style.setAttribute('type', 'text/css')
  style.setAttribute(DEV_ID, id)
  const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce
  if (nonce) style.setAttribute('nonce', nonce)
  style.textContent = css
  place(style)
  sheets.set(id, style)
}

/** Sheets that the server wrote into the page for modules that have not run yet. */
export function earlyStyles(): string[] {
  return [...early]
}

/** Counts the sheet as written by the server again: its module has run only to renew it, and will run later. */
export function keepEarly(id: string): void {
  if (sheets.has(id)) early.add(id)
}

/** Called when the page's scripts have run. Removes the sheets of modules that did not run, because an edit has dropped their import. */
export function dropEarlyStyles(): void {
  for (const id of early) {
    sheets.get(id)?.remove()
    sheets.delete(id)
  }
  early.clear()
}

/** Puts a sheet after the last one that was placed in the same task, or else at the end of the head: in the order of the imports. */
function place(style: HTMLStyleElement): void {
  if (!lastInserted?.isConnected) {
    if (!style.isConnected) document.head.append(style)
  } else if (!style.isConnected || lastInserted.compareDocumentPosition(style) & Node.DOCUMENT_POSITION_PRECEDING) {
    lastInserted.after(style)
  }
  if (!lastInserted) setTimeout(() => (lastInserted = undefined))
  lastInserted = style
}

/** The text of the style element of `id`. */
export function styleOf(id: string): string | undefined {
  const sheet = sheets.get(id)
  return typeof document !== 'undefined' && sheet instanceof HTMLStyleElement ? sheet.textContent : undefined
}

/**
 * Puts the sheets into the order of `order`, a list of modules. As few elements as possible are moved: each that is
 * moved is parsed again. Elements that are not in the head were put elsewhere by the page and stay there.
 */
export function sortStyles(order: Iterable<ModuleId>): void {
  const places = new Map([...document.head.children].map((element, place) => [element, place]))
  const wanted: HTMLStyleElement[] = []
  for (const id of order) {
    const sheet = sheets.get(id)
    if (sheet instanceof HTMLStyleElement && places.has(sheet)) wanted.push(sheet)
  }
  const kept = longestRun(wanted.map((sheet) => places.get(sheet)!))
  if (kept.size === wanted.length) return
  let before: HTMLStyleElement | undefined
  for (const [at, sheet] of wanted.entries()) {
    if (!kept.has(at)) {
      if (before) before.after(sheet)
      else wanted.find((_, other) => kept.has(other))?.before(sheet)
    }
    before = sheet
  }
}

/** Indices of a longest increasing subsequence of numbers, of which smaller numbers are preferred. */
function longestRun(numbers: number[]): Set<number> {
  const ends: number[] = []
  const previous: (number | undefined)[] = []
  for (const [at, number] of numbers.entries()) {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (numbers[ends[middle]!]! < number) low = middle + 1
      else high = middle
    }
    previous[at] = ends[low - 1]
    ends[low] = at
  }
  const run = new Set<number>()
  for (let at = ends.at(-1); at !== undefined; at = previous[at]) run.add(at)
  return run
}

/** The number of sheets that modules have put on the page. */
export function styleCount(): number {
  return sheets.size
}

/** Takes the sheet of `id` off the page. */
export function removeStyle(id: string): void {
  const sheet = sheets.get(id)
  if (sheet === lastInserted) lastInserted = undefined
  sheet?.remove()
  sheets.delete(id)
}

/** Whether some `link` of the page loads the sheet `id` (`/site.css?direct`). */
export function hasLink(id: ModuleId, base: string): boolean {
  return linksOf(id, base).length > 0
}

function linksOf(id: ModuleId, base: string): HTMLLinkElement[] {
  if (typeof document === 'undefined') return []
  const path = pathOf(id)
  return [...document.querySelectorAll<HTMLLinkElement>('link[rel~="stylesheet"]')].filter((link) =>
    fileBehind(link, base) === path && !replaced.has(link)
  )
}

/** Milliseconds that an update waits for a sheet to load. */
const LINK_PATIENCE = 5000

/** Links that will be removed when the copy beside them has loaded, and for each such copy the links it removes. */
const replaced = new WeakSet<HTMLLinkElement>()
const predecessors = new WeakMap<HTMLLinkElement, HTMLLinkElement[]>()

/** The sheet (`/site.css?direct`) that a `<link>` loads from this server; null for other elements, and for copies that still load. */
export function sheetOf(link: EventTarget | null, base: string): ModuleId | null {
  if (!(link instanceof HTMLLinkElement) || !link.relList.contains('stylesheet') || predecessors.has(link)) return null
  const file = fileBehind(link, base)
  return file === null ? null : linkedSheet(file)
}

/** The path of the file behind a link to this server, with escapes decoded if they are valid; null for a link to another server. */
function fileBehind(link: HTMLLinkElement, base: string): string | null {
  const { origin, pathname } = new URL(link.href, document.baseURI)
  if (origin !== location.origin || !pathname.startsWith(base)) return null
  const path = pathname.slice(base.length - 1)
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The sheets that links of the page load from this server, including links that scripts have added. */
export function linkedSheetsOf(base: string): ModuleId[] {
  if (typeof document === 'undefined') return []
  const ids = [...document.querySelectorAll('link')].map((link) => sheetOf(link, base))
  return [...new Set(ids.filter((id) => id !== null))]
}

/** Whether a link of the sheet has not loaded and may load later, because the server does not say that the sheet is missing. */
export async function isUnloaded(id: ModuleId, base: string): Promise<boolean> {
  const unloaded = linksOf(id, base).filter((link) => link.sheet === null && !link.disabled)
  return unloaded.length > 0 && (await stateOf(unloaded[0]!.href)) !== 'missing'
}

/** Asks the server about an address. `away`: it does not answer. */
export function stateOf(address: string): Promise<'there' | 'missing' | 'away'> {
  return fetch(address, { method: 'HEAD' }).then(({ ok }) => (ok ? 'there' : 'missing'), () => 'away')
}

/**
 * Puts a new copy beside each link of the sheet, and removes the old link once the copy has loaded, so that the page is never
 * without the sheet. It also removes it if the server says that the sheet is missing. If the server does not answer, the old link
 * stays, and `lost` is called.
 */
export async function swapLink(id: ModuleId, base: string, timestamp: number, lost: () => void): Promise<void> {
  await Promise.all(
    linksOf(id, base).map((old) => {
      const url = new URL(old.href, document.baseURI)
      renewLinkAddress(url, timestamp)
      // A disabled link does not load, so there is nothing to wait for.
      if (old.disabled) return void (old.href = url.href)
      const fresh = old.cloneNode() as HTMLLinkElement
      fresh.href = url.href
      const before = [...(predecessors.get(old) ?? []), old]
      predecessors.set(fresh, before)
      replaced.add(old)
      return new Promise<void>((done) => {
        const loaded = (): void => {
          for (const link of before) link.remove()
          predecessors.delete(fresh)
          done()
        }
        fresh.addEventListener('load', loaded)
        let isAgain = false
        fresh.addEventListener('error', async () => {
          const state = await stateOf(url.href)
          if (replaced.has(fresh)) return done() // A newer copy was started, which will remove all of them.
          if (state === 'missing' || isAgain) return loaded()
          // The server was away when the copy failed, and is back now: the copy is loaded once more.
          isAgain = state === 'there'
          if (isAgain) return void (fresh.href = `${url.href}&again`)
          replaced.delete(old)
          fresh.remove()
          done()
          lost()
        })
        setTimeout(done, LINK_PATIENCE)
        old.after(fresh)
      })
    }),
  )
}
