/**
 * What differs from start to start of the server, and where this script runs.
 *
 * The declared names come from `client.js`, the script that imports this one (`client_script.rs`).
 */
import type { ModuleId } from '../core/messages'
import { hasQuery } from '../core/query'
import { addressBelow } from '../core/runtime'

/** The secret of this start of the server; empty for pages that may only read. */
export declare let token: string
/** The path below which the page is served. It ends with a slash. */
export declare const base: string
/** The way to the socket where the settings say it; null for what is the same as for this script. */
export declare const socketAt: { protocol: string | null; host: string | null; port: number | null; path: string | null }
export declare const overlayEnabled: boolean
export declare const bindingsMode: 'live' | 'frozen'
export declare const workerPolicy: 'auto' | 'restart' | 'reload'
export declare const pagePolicy: 'auto' | 'patch' | 'reload'

/** The server was restarted, and has another secret. */
export function setToken(next: string): void {
  token = next
}

/** The address of this script. Its origin is the page's own, or the server's if the page is another server's. */
export const home = new URL(import.meta.url)
export const hasDocument = typeof document !== 'undefined'

/** What the addresses of modules begin with. */
const addressBase = new URL(base, location.origin).href.slice(0, -1)

/** The address of a module in this browser. */
export function addressOf(id: ModuleId): string {
  const address = addressBelow(addressBase, id)
  return hasQuery(id) ? new URL(address).href : address
}
