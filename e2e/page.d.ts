/** What the checker of types has to know of pages in tests: their scripts put values on `window`, under any name. */
interface Window {
  [name: string]: any
}
interface Node {
  [name: string]: any
}
interface Error {
  [name: string]: any
}
interface PerformanceEntry {
  [name: string]: any
}

/** Values that pages of tests have under these names. */
declare var free: any, go: any, load: any, order: any, overlays: any, runs: any, tick: any, updates: any
