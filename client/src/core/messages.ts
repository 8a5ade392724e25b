/**
 * What the server and a tab say to each other, and the payloads that pages see.
 *
 * The `vite:*` payloads have the fields of Vite's, so that code written for them works unchanged. The messages between server and
 * tab are rekindle's own; `wire.rs` has the other half.
 */

/** The name of a module: its path from the root, with the query. */
export type ModuleId = string

/** One entry of a `vite:beforeUpdate` payload: `path` is the boundary, `acceptedPath` the module that it accepts. */
export interface Update {
  type: 'js-update' | 'css-update'
  path: ModuleId
  acceptedPath: ModuleId
  timestamp: number
  explicitImportRequired?: boolean
  isWithinCircularImport?: boolean
  firstInvalidatedBy?: ModuleId
}

export interface UpdatePayload {
  type: 'update'
  updates: Update[]
}

export interface PrunePayload {
  type: 'prune'
  paths: ModuleId[]
}

export interface FullReloadPayload {
  type: 'full-reload'
  path?: string
  triggeredBy?: string
}

export interface ErrorPayload {
  type: 'error'
  err: {
    [name: string]: unknown
    message: string
    stack: string
    id?: string
    frame?: string
    plugin?: string
    loc?: { file?: string; line: number; column: number }
  }
}

/** A mistake in a source, as the server found it. Lines and columns count from 1. */
export interface Diagnostic {
  message: string
  file?: string
  place?: { line: number; column: number }
  frame?: string
  help?: string
  /** The module's own file was deleted. */
  gone?: boolean
}

/** Modules whose newest source cannot run, with the reasons. */
export type Errors = Record<ModuleId, Diagnostic[]>

/** What a page gets when it starts, and again with each set of modules that it loads. */
export interface Manifest {
  session: string
  /** The definitions that came along are as of this batch. */
  seq: number
  /** Of a page's or worker's start: number as of which its text was written; absent if that was another session's. */
  since?: number
  /** Addresses of the segments that came along. */
  segments: string[]
  env: Record<string, unknown>
  errors: Errors
  /** The framework whose components are refreshed, and the modules of its refresh runtime, which run before all others. */
  refresh?: { framework: 'react' | 'preact'; modules: ModuleId[] }
}

/** The start of a page: `entries` are its module scripts in document order. */
export interface PageManifest extends Manifest {
  /** Absent in a worker. */
  page?: string
  /** Digest of the page's own text. */
  pageHash?: string
  entries: ModuleId[]
  /** Stylesheets of its `<link>` elements, with their digests. */
  sheets?: [id: ModuleId, hash: string][]
}

/**
 * What the saves after batch `since` and up to batch `seq` did: new definitions (the text of one `$d(…)` call each), deletions, errors.
 * For a single save `since` is `seq` - 1.
 */
export interface Batch {
  type: 'batch'
  session: string
  /** Absent in the answer to a comparison: the batch brings everything in which the tab differs from the server. */
  since?: number
  seq: number
  /** Milliseconds since the epoch when the save was noticed. */
  timestamp: number
  definitions: { id: ModuleId; code: string }[]
  deleted: ModuleId[]
  errors: Errors
  /** Modules that had an error and have none now. */
  fixed: ModuleId[]
  /** Stylesheets of `<link>` elements that changed, with their digests. */
  links: [id: ModuleId, hash: string][]
  /** Pages whose own text was edited, with the file as the user knows it. */
  pages: EditedPage[]
  env?: Record<string, unknown>
  /** All pages have to be reloaded, for this reason. */
  reload?: ServerReload
}

/** Why the server asks all pages to start anew. A framework finds its refresh runtime only if that runs before it. */
export type ServerReload = { kind: 'framework-changed' }

export interface EditedPage {
  page: string
  file: string
  /** Digest of its text now. */
  hash: string
  /** The text that this tab has got, if the server still knows it. */
  before?: string
  after: string
  /** The page's module scripts have changed. */
  scripts: boolean
}

export type ServerMessage =
  | Batch
  | { type: 'connected' }
  | { type: 'pong' }
  | { type: 'unreadable' }
  | { type: 'compare' }
  | { type: 'welcome'; session: string; seq: number }
  | { type: 'custom'; event: string; data?: unknown }
  | { type: 'traced'; id: number; frames: (TracedFrame | null)[]; frame?: string; help?: string; more?: boolean }

/** A position in an original source. */
export interface TracedFrame {
  file: string
  line: number
  column: number
}

/** The answer to a batch: how its update went in this tab. */
export interface UpdateReport {
  type: 'applied'
  seq: number
  /** `stayed`: the page cancelled its reload. */
  result: 'nothing' | 'updated' | 'reload' | 'stayed' | 'restart' | 'failed' | 'waiting'
  /** Boundaries that took the update. */
  boundaries: ModuleId[]
  /** For a reload: from the changed module up to the entry. */
  chain?: ModuleId[]
  reason?: string
  error?: string
}

/** A name that `importer` takes of `source`, which does not export it. `specifier` is how `source` is called where it is imported. */
export interface LackingImport {
  importer: ModuleId
  specifier: string
  source: ModuleId
  name: string
}

/** A script that this browser cannot parse: its address, line and column (from 1), and the browser's error message. */
export interface UnreadableReport {
  type: 'unreadable'
  script: string
  line: number
  column: number
  message: string
}

/** What a tab says. Digests of a restarted server's modules come in parts: `page` and `entries` with the `last`. */
export type ClientMessage =
  | { type: 'ping' }
  | { type: 'hello'; page: string | null; session: string; seq: number; entries: ModuleId[]; worker: boolean }
  | {
    type: 'versions'
    page?: string | null
    pageHash?: string
    entries?: ModuleId[]
    errors?: ModuleId[]
    modules?: Record<ModuleId, string>
    last?: boolean
  }
  | { type: 'custom'; event: string; data?: unknown }
  | UpdateReport
  | UnreadableReport
  | { type: 'trace'; id: number; frames: [script: string, line: number, column: number][]; lacks?: LackingImport; said?: string }
