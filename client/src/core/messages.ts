/**
 * What the server and a tab say to each other, and the payloads that pages see.
 *
 * The `vite:*` payloads are spelled as in Vite (rules R118–R122), so that code written for them works unchanged.
 * The messages between our own two ends are ours.
 */

/** A module's name: root-relative path plus query. */
export type ModuleId = string

/** One entry of a `vite:beforeUpdate` payload: `path` is the boundary, `acceptedPath` what was run again. */
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
  /** The module's own file is not there any more. */
  gone?: boolean
}

/** Modules whose newest source cannot run, with the reasons. */
export type Errors = Record<ModuleId, Diagnostic[]>

/** What a page is told when it starts, and again with each set of modules it asks for. */
export interface Manifest {
  session: string
  /** Number of the last batch that is in the definitions that came along. */
  seq: number
  /** Of a page's or worker's start: number as of which its text was written; absent if that was another session's. */
  since?: number
  /** Addresses of the segments that came along. */
  segments: string[]
  env: Record<string, unknown>
  errors: Errors
  /** What refreshes the page's components, and the modules of it that run before all others. */
  refresh?: { framework: 'react' | 'preact'; modules: ModuleId[] }
}

/** A page's start: its modules scripts in document order. */
export interface PageManifest extends Manifest {
  /** Not there in a worker. */
  page?: string
  /** Digest of the page's own text. */
  pageHash?: string
  entries: ModuleId[]
  /** Stylesheets of its `<link>` elements, with their digests. */
  sheets?: [id: ModuleId, hash: string][]
}

/**
 * What the batches after `since` did, up to `seq`, as it stands as of `seq`: new definitions (script text, one `$d(…)` call
 * each), and what went away. A save is one with `since` = `seq` - 1.
 */
export interface Batch {
  type: 'batch'
  session: string
  /** Absent: all in which this tab differed, which comes from another session. */
  since?: number
  seq: number
  /** Milliseconds since the epoch when the save was noticed. */
  timestamp: number
  definitions: { id: ModuleId; code: string }[]
  deleted: ModuleId[]
  errors: Errors
  /** Modules that had an error and have none any more. */
  fixed: ModuleId[]
  /** Stylesheets of `<link>` elements that changed, with their digests. */
  links: [id: ModuleId, hash: string][]
  /** Pages whose own text changed, with the file as the user knows it. */
  pages: EditedPage[]
  env?: Record<string, unknown>
  /** Pages have to start anew, and why. */
  reload?: string
}

export interface EditedPage {
  page: string
  file: string
  /** Digest of its text now. */
  hash: string
  /** Its text as this tab got it, if the server still knows. */
  before?: string
  after: string
  /** Its module scripts are others than before. */
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

/** How an update went in this tab. */
export interface Applied {
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
