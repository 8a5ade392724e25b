/** What an update needs of the page around it, which it does not know: definitions, sheets, the overlay, the reload. */
import type { ModuleId } from '../messages'
import type { Boundary, Verdict } from './propagate'

export interface UpdatePage {
  /** Fetches the definitions that running `fresh` needs; false if some of them cannot be had now. */
  ensure(fresh: ReadonlySet<ModuleId>): Promise<boolean>
  /** Swaps the sheets of `<link>` elements; done when each has loaded. */
  swapLinks(links: ModuleId[], timestamp: number): Promise<void>
  /** Tells the server and reloads. Returns only to a page that is still there some time later. */
  reload(verdict: Extract<Verdict, { kind: 'reload' }>): Promise<void>
  /** Shows an error that an update ran into, with the boundaries of that update. `isLate`: the update had gone through before. */
  failed(error: unknown, boundaries: Boundary[], isLate?: boolean): void
  /** Shows that a module which was not updated imports a name that does not exist any more. */
  unlinked(error: unknown): void
  /** Shows that a component threw while it was rendered with its new code. */
  renderFailed(error: unknown): void
  /** An update went through, or is tried again: of the errors shown before, only those in `left` still stand. */
  succeeded(left: ReadonlySet<unknown>): void
  /** Whether it is known that a module cannot run. */
  isBroken(id: ModuleId): boolean
  /** Modules import others than before, or in another order, so that sheets may have to be sorted. */
  moved(): void
  debug(line: string): void
  report(error: unknown, doing: string): void
  removeStyle(id: ModuleId): void
  /** The text of a module's sheet on the page. */
  styleOf(id: ModuleId): string | undefined
  putStyle(id: ModuleId, css: string): void
}
