/**
 * `import.meta.hot`: what modules say about their own replacement, and the events they listen to.
 *
 *     const { hot } = import.meta              an ordinary object: aliases and wrappers work
 *     hot.accept('./dep.js', fn)               kept until this copy of the module is replaced
 *
 * A context belongs to one instance. While a new copy is tried out its predecessor's context is suspended, not
 * dropped, so that a failed update leaves everything as it was. Knows neither DOM nor socket.
 */
import type { Instance, Namespace } from './instance'
import type { ModuleId } from './messages'

export type EventListener = (payload: unknown) => unknown
type ModuleCallback = (next: Namespace | undefined) => unknown
type ListCallback = (next: (Namespace | undefined)[]) => unknown

/** One `accept` call. Without `deps` it is about the module itself. */
export interface Acceptor {
  deps: (ModuleId | null)[] | null
  /** The dependencies were given as a list, so the callback gets a list, too. */
  list: boolean
  callback: ((next: never) => unknown) | undefined
}

/** What a context needs of the page around it. */
export interface HotHost {
  /** The module that `specifier` means in `importer`; null if nothing is known under it. */
  resolve(importer: Instance, specifier: string): ModuleId | null
  send(event: string, data: unknown): void
  invalidated(context: HotContext, message: string | undefined): void
  report(error: unknown, doing: string): void
}

interface Listener {
  event: string
  fn: EventListener
  context: HotContext
  /** The listener did not settle in time once, so that updates do not wait for it any more. */
  slow?: boolean
}

/** Milliseconds that one listener may keep an update waiting. */
const LISTENER_PATIENCE = 5000

/** All contexts, data objects and listeners of the page. */
export class HotTable {
  /** Context of each live instance that has touched `import.meta`. */
  readonly contexts = new Map<ModuleId, HotContext>()
  private readonly data = new Map<ModuleId, object>()
  private listeners: Listener[] = []

  constructor(readonly host: HotHost) {}

  /** `hot.data`: one plain object for each module, handed from copy to copy. */
  dataOf(id: ModuleId): object {
    let data = this.data.get(id)
    if (!data) this.data.set(id, data = {})
    return data
  }

  peekData(id: ModuleId): object | undefined {
    return this.data.get(id)
  }

  /** Gives `hot.data` the content that it had. It stays the same object. */
  restoreData(id: ModuleId, before: object | undefined): void {
    const data = this.data.get(id) as Record<string, unknown> | undefined
    if (!data) return
    for (const name of Object.keys(data)) delete data[name]
    Object.assign(data, before)
  }

  dropData(id: ModuleId): void {
    this.data.delete(id)
  }

  /** The context of a new instance. Its predecessor, if any, is suspended until `retire` or `restore`. */
  create(instance: Instance): HotContext {
    const left = this.contexts.get(instance.id)
    if (left) this.retire(left) // The context of a copy that was made and never ran.
    const context = new HotContext(this, instance)
    this.contexts.set(instance.id, context)
    return context
  }

  /** Takes a module's context out of use: its listeners are silent. Returns it, for `restore` or `retire`. */
  suspend(id: ModuleId): HotContext | undefined {
    const context = this.contexts.get(id)
    if (context) context.active = false
    this.contexts.delete(id)
    return context
  }

  restore(id: ModuleId, context: HotContext | undefined): void {
    const failed = this.contexts.get(id)
    if (failed) this.retire(failed)
    this.contexts.delete(id)
    if (!context) return
    context.active = true
    this.contexts.set(id, context)
  }

  /** Forgets a context for good. */
  retire(context: HotContext): void {
    context.active = false
    this.listeners = this.listeners.filter((listener) => listener.context !== context)
  }

  listen(event: string, fn: EventListener, context: HotContext): void {
    this.listeners = [...this.listeners, { event, fn, context }]
  }

  /** Removes `fn` from the listeners of an event, whichever module has added it, as in Vite. */
  unlisten(event: string, fn: EventListener): void {
    this.listeners = this.listeners.filter((listener) => listener.event !== event || listener.fn !== fn)
  }

  /**
   * Calls all listeners in order and waits for what they return. One that throws, rejects or never settles is
   * reported and does not hold the others up.
   */
  async dispatch(event: string, payload: unknown): Promise<void> {
    const pending: Promise<unknown>[] = []
    for (const listener of this.listeners) {
      if (listener.event !== event || !listener.context.active) continue
      const doing = `a listener of ${event} in ${listener.context.id}`
      try {
        const result = listener.fn(payload)
        if (!isPromise(result)) continue
        const settled = this.patiently(result, doing, () => (listener.slow = true))
        if (!listener.slow) pending.push(settled)
      } catch (error) {
        this.host.report(error, doing)
      }
    }
    if (pending.length > 0) await Promise.all(pending)
  }

  /** Waits for `result` for a limited time; failures are reported. */
  async patiently(result: PromiseLike<unknown>, doing: string, late?: () => void): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const limit = new Promise<void>((done) => {
      timer = setTimeout(() => {
        this.host.report(new Error(`${doing} has not settled for ${LISTENER_PATIENCE / 1000} s; going on without it`), doing)
        late?.()
        done()
      }, LISTENER_PATIENCE)
    })
    try {
      await Promise.race([result, limit])
    } catch (error) {
      this.host.report(error, doing)
    } finally {
      clearTimeout(timer)
    }
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null)?.then === 'function'
}

/** The object behind `import.meta.hot` of one instance. Its methods have the signatures and the effects of Vite's. */
export class HotContext {
  readonly id: ModuleId
  active = true
  readonly acceptors: Acceptor[] = []
  /** `accept()` was called for the module as a whole. */
  acceptsFully = false
  /** Names given to `acceptExports`; null if it was not called. */
  acceptedExports: Set<string> | null = null
  disposer: ((data: object) => unknown) | null = null
  pruner: ((data: object) => unknown) | null = null
  /** The disposer has run. It is not called again, even if the update for which it ran has failed. */
  disposed = false
  /** While this copy waits at its top-level await: the context that counts for the module meanwhile. */
  before: HotContext | null = null

  constructor(
    private readonly table: HotTable,
    readonly instance: Instance,
  ) {
    this.id = instance.id
  }

  /**
   * The context that says what the module accepts. A copy that waits at its top-level await may not have reached its `accept` calls
   * yet: as long as it has made none, the module accepts what the copy before it has accepted.
   */
  get speaker(): HotContext {
    const isMute = this.instance.state === 'evaluating' && this.acceptors.length === 0
    return isMute && this.before ? this.before : this
  }

  /** Whether the module takes its own updates. */
  get acceptsItself(): boolean {
    return this.acceptors.some(({ deps }) => deps === null)
  }

  acceptsDep(id: ModuleId): boolean {
    return this.acceptors.some(({ deps }) => deps?.includes(id))
  }

  /** What modules see: only the documented members. */
  readonly api = this.makeApi()

  private makeApi(): object {
    const context = this
    return {
      get data(): object | undefined {
        return context.active || context.instance.state !== 'evaluated' ? context.table.dataOf(context.id) : context.table.peekData(context.id)
      },
      accept: (deps?: unknown, callback?: unknown) => this.accept(deps, callback),
      acceptExports: (names: string | readonly string[], callback?: ModuleCallback) => this.acceptExports(names, callback),
      dispose: (fn: (data: object) => unknown) => void (this.disposer = fn),
      prune: (fn: (data: object) => unknown) => void (this.pruner = fn),
      decline: () => {},
      invalidate: (message?: string) => this.table.host.invalidated(this, message),
      on: (event: string, fn: EventListener) => this.table.listen(event, fn, this),
      off: (event: string, fn: EventListener) => this.table.unlisten(event, fn),
      send: (event: string, data?: unknown) => this.table.host.send(event, data),
    }
  }

  private accept(deps: unknown, callback: unknown): void {
    if (typeof deps === 'function' || !deps) {
      this.acceptsFully = true
      this.acceptors.push({ deps: null, list: false, callback: (deps || undefined) as ModuleCallback | undefined })
    } else if (typeof deps === 'string') {
      this.acceptDeps([deps], false, callback as ModuleCallback | undefined)
    } else if (Array.isArray(deps)) {
      this.acceptDeps(deps as string[], true, callback as ListCallback | undefined)
    } else {
      throw new Error('invalid hot.accept() usage.')
    }
  }

  private acceptDeps(specifiers: string[], list: boolean, callback: ModuleCallback | ListCallback | undefined): void {
    const deps = specifiers.map((specifier) => this.table.host.resolve(this.instance, String(specifier)))
    this.acceptors.push({ deps, list, callback })
  }

  private acceptExports(names: string | readonly string[], callback?: ModuleCallback): void {
    this.acceptedExports ??= new Set()
    for (const name of typeof names === 'string' ? [names] : names) this.acceptedExports.add(name)
    this.acceptors.push({ deps: null, list: false, callback })
  }
}
