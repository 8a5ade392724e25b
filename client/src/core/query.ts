/**
 * The queries of modules, as far as a tab has to know them: where a name ends and its query begins, and the words it needs.
 *
 *     /src/a.ts?raw                  a module's name: the path, and what is made of the file
 *     /site.css?direct               the sheet of a `<link>`
 *     /src/count.ts?worker_file      the script that a worker starts with
 *
 * The compiler has all words, in its `kind.rs`. Addresses of the runtime itself (`@rekindle/page.js?path=…`) are no modules.
 */
import type { ModuleId } from './messages'

const LINKED = '?direct'
const WORKER = 'worker_file'
const TYPE = 'type'

// ---- any module

/** `/src/a.ts?raw` → `/src/a.ts`, `raw` */
export function splitQuery(id: string): [path: string, query: string | undefined] {
  const at = id.indexOf('?')
  return at < 0 ? [id, undefined] : [id.slice(0, at), id.slice(at + 1)]
}

/** `/src/a.ts?raw` → `/src/a.ts` */
export function pathOf(id: string): string {
  return splitQuery(id)[0]
}

export function hasQuery(id: string): boolean {
  return splitQuery(id)[1] !== undefined
}

/** `./a.svg?v=2#icon` → `./a.svg`, `?v=2#icon` */
export function splitSuffix(specifier: string): [path: string, suffix: string] {
  const [, path, suffix] = /^([^?#]*)(.*)$/s.exec(specifier)!
  return [path!, suffix!]
}

/** `/a.svg?t=1` and `?v=2#icon` → `/a.svg?t=1&v=2#icon` */
export function withSuffix(address: string, suffix: string): string {
  if (address.startsWith('data:')) return address + (/#.*$/s.exec(suffix)?.[0] ?? '') // The address is the content, so a query would be part of that.
  return address + (hasQuery(address) ? suffix.replace(/^\?/, '&') : suffix)
}

// ---- sheets of links

/** The sheet of a `<link>` to the style at `path`. */
export function linkedSheet(path: string): ModuleId {
  return path + LINKED
}

export function isLinkedSheet(id: ModuleId): boolean {
  return id.endsWith(LINKED)
}

/** The name of a linked sheet as users know it. */
export function withoutDirect(link: ModuleId): string {
  return link.replace(LINKED, '')
}

/** Makes the address of a `<link>` another one, so that the browser fetches the sheet again. */
export function renewLinkAddress(address: URL, timestamp: number): void {
  address.searchParams.delete(LINKED.slice(1))
  address.searchParams.set('t', String(timestamp))
}

// ---- workers

/** The address of the script that starts a worker with the module at `address`. */
export function workerAddress(address: string): string {
  return `${address}?${WORKER}&${TYPE}=module`
}

export function isWorkerAddress(address: URL): boolean {
  return address.searchParams.has(WORKER)
}

/** Makes the address of a worker's script that of a worker that the page starts as a classic one. */
export function markClassicWorker(address: URL): void {
  address.search = address.search.replace(`${TYPE}=module`, `${TYPE}=classic`)
}

export function isClassicWorker(address: URL): boolean {
  return address.searchParams.get(TYPE) === 'classic'
}
