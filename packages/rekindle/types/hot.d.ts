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
  /**
   * Survives updates and lives as long as the page: what one version of the module stores here, the next finds. Set properties;
   * the object itself cannot be replaced.
   */
  readonly data: any

  /** This module accepts its own updates: an edit of it, or of a module that only it imports, goes no further. */
  accept(): void
  /** The same; `cb` gets the new version, or `undefined` if that threw while it ran. */
  accept(cb: (mod: ModuleNamespace | undefined) => void): void
  /** An edit of `dep` stops here without running this module again. `dep` is spelled as in the import. */
  accept(dep: string, cb: (mod: ModuleNamespace | undefined) => void): void
  /**
   * The same for several. The array is in the order of `deps`; only the module that was just updated is set, the others are
   * `undefined`.
   */
  accept(deps: readonly string[], cb: (mods: Array<ModuleNamespace | undefined>) => void): void

  /** Accepts this module as long as importers use nothing but the exports named here. */
  acceptExports(exportNames: string | readonly string[], cb?: (mod: ModuleNamespace | undefined) => void): void

  /**
   * Registers a function that undoes what this version did outside of itself (timers, listeners, elements) before the next one
   * runs. A later call replaces it.
   */
  dispose(cb: (data: any) => void): void
  /** Registers a function that runs when nothing on the page imports this module any more. A later call replaces it. */
  prune(cb: (data: any) => void): void
  /** Hands an update that this module accepted on to its importers. */
  invalidate(message?: string): void

  /** Listens to an event of the server or of the update cycle. The listener goes when the module is replaced. */
  on<T extends CustomEventName>(event: T, cb: (payload: InferCustomEventPayload<T>) => void): void
  /** Stops listening. */
  off<T extends CustomEventName>(event: T, cb: (payload: InferCustomEventPayload<T>) => void): void
  /** Sends an event to the server, once the connection is open. */
  send<T extends CustomEventName>(event: T, data?: InferCustomEventPayload<T>): void
}
