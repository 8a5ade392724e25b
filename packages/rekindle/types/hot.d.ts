/**
 * `import.meta.hot`: how a module says what happens when it, or something it imports, is saved.
 *
 *     import.meta.hot?.accept((next) => next && draw(next.shape))
 *
 * It is there while the dev server runs and `undefined` in a build; guard with `if (import.meta.hot)` or `?.`.
 */
import type { CustomEventName, InferCustomEventPayload } from './customEvent.js'

/** What `import * as x` gives; its members are not known before the module has run. */
export type ModuleNamespace = Record<string, any> & { [Symbol.toStringTag]: 'Module' }

export interface ViteHotContext {
  /** Lives as long as the page: whatever the old copy of a module puts here, the next copy finds. Set members; the object itself stays. */
  readonly data: any

  /** This module can be replaced: an edit of it, or of what it alone imports, goes no further. */
  accept(): void
  /** The same, and `cb` gets the new copy: `undefined` if it could not be run. */
  accept(cb: (mod: ModuleNamespace | undefined) => void): void
  /** An edit of `dep` stops here without running this module again. `dep` is spelled as in the import. */
  accept(dep: string, cb: (mod: ModuleNamespace | undefined) => void): void
  /** The same for several; the array keeps the order of `deps` and holds only the one that was just updated. */
  accept(deps: readonly string[], cb: (mods: Array<ModuleNamespace | undefined>) => void): void

  /** Accepts this module as long as importers use nothing but the exports named here. */
  acceptExports(exportNames: string | readonly string[], cb?: (mod: ModuleNamespace | undefined) => void): void

  /** Undo what this copy did outside itself (timers, listeners, elements) before the next one runs. One function a module. */
  dispose(cb: (data: any) => void): void
  /** Runs when nothing on the page imports this module any more. One function a module. */
  prune(cb: (data: any) => void): void
  /** Take back an acceptance: the importers of this module deal with the update instead. */
  invalidate(message?: string): void

  /** Listen to an event of the server or of the update cycle. The listener goes when the module is replaced. */
  on<T extends CustomEventName>(event: T, cb: (payload: InferCustomEventPayload<T>) => void): void
  /** Stop listening. */
  off<T extends CustomEventName>(event: T, cb: (payload: InferCustomEventPayload<T>) => void): void
  /** Send an event to the server. Waits for the connection if there is none yet. */
  send<T extends CustomEventName>(event: T, data?: InferCustomEventPayload<T>): void
}
