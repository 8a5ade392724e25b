/**
 * All that a tab remembers beside its modules: one object, which the files of this folder read and change.
 *
 * What only one file needs (a timer, a counter) stays in that file.
 */
import type { Definition } from '../core/definition'
import type { ModuleId } from '../core/messages'
import type { OverlayError } from './dom/overlay'

/** An entry that threw while the page started. */
interface Crash {
  id: ModuleId
  error: unknown
  shown: OverlayError
  /** The page was to reload for it and is still there. */
  hasStayed: boolean
}

export interface TabState {
  // ---- the page

  /** The page's address below the base; null in workers and on pages of another server. */
  page: string | null
  /** Digest of the page's own text. */
  pageHash: string | undefined
  /** Digests of the sheets behind the page's `<link>` elements; empty where nobody knows what the browser got. */
  readonly linkedSheets: Map<ModuleId, string>
  /** The page's own script is not in the document, because something before it in the text is not closed. */
  isAdrift: boolean
  /** The page's own script could not be loaded, because the server went away while the page was loading. */
  hasFailedToStart: boolean
  /** The page is about to be reloaded, or the worker to be restarted. */
  isReloading: boolean

  // ---- modules

  /** The page is starting: its sheets come in the order of their modules by themselves. */
  isStarting: boolean
  /** Entries that could not start yet, because a definition is missing. */
  readonly blocked: Set<ModuleId>
  /**
   * An entry threw while the page started. The next edit of any module starts the page anew; if the page has cancelled that
   * reload, the next edit of a module that the entry needs.
   */
  crashed: Crash | null
  /** Modules that something in this tab wants to run and that have no definition. */
  readonly wanted: Set<ModuleId>
  /** Modules that `import()` has brought, in that order. */
  readonly lazyRoots: Set<ModuleId>
  /** Modules that accept their own updates only because they are style sheets. */
  readonly styleModules: Set<ModuleId>
  /** For a page that cannot start yet: the definitions that the sheets in its HTML show. */
  readonly renewed: Map<ModuleId, Definition>

  // ---- errors

  /** The last error that has no update of its own: thrown while rendering, or found when modules were linked. */
  runtimeError: OverlayError | null
  /** What was thrown by updates that have not gone through since, the newest last. */
  readonly failures: Map<unknown, OverlayError>
  /** Errors in workers, by worker. */
  readonly workerErrors: Map<object, OverlayError[]>

  // ---- the connection

  /** `hello` was sent, and its answer is not here yet. */
  isAwaiting: boolean
}

export const state: TabState = {
  page: null,
  pageHash: undefined,
  linkedSheets: new Map(),
  isAdrift: false,
  hasFailedToStart: false,
  isReloading: false,
  isStarting: true,
  blocked: new Set(),
  crashed: null,
  wanted: new Set(),
  lazyRoots: new Set(),
  styleModules: new Set(),
  renewed: new Map(),
  runtimeError: null,
  failures: new Map(),
  workerErrors: new Map(),
  isAwaiting: false,
}
