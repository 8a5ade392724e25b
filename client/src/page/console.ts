/** What this script writes into the browser's console. */

export const PREFIX = '[rekindle]'

export function debug(line: string): void {
  console.debug(`${PREFIX} ${line}`)
}

/** Reports an error of the page's own code, which must not stop an update. */
export function report(error: unknown, doing: string): void {
  console.error(`${PREFIX} ${doing} failed:`, error)
}
