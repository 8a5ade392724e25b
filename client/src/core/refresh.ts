/**
 * Lets components take their own updates: React Fast Refresh, and Preact's.
 *
 *     Label.tsx exports the component Label and the number limit
 *       Label edited   → the module runs again, React renders every mounted Label with its new code, state kept
 *       limit edited   → the modules that import `limit` run again as well
 *
 * A module is a boundary when it exports a component. Which of its other exports an edit changes is known before anything
 * runs: the compiler says of what code each is made (`meta.made`), so that a constant, a hook or a context beside a component
 * concerns its importers only when it, or what it uses, was edited.
 *
 * Components that are registered during an update reach the framework when the update has gone through, so that an update that is
 * rolled back leaves no trace. Knows neither DOM nor socket.
 */
import { modulesOf, type Link } from './definition'
import type { ModuleGraph } from './graph'
import type { Instance } from './instance'
import type { ModuleId } from './messages'

/** What refreshes the components of a framework. */
export interface RefreshRuntime {
  /** The framework has started and can be told of new components. Until then no module is a boundary because of its components. */
  isAttached(): boolean
  register(type: unknown, id: string): void
  signature(): (...parameters: never[]) => unknown
  isComponent(value: unknown): boolean
  /** Renders what is mounted with the newest code. */
  perform(): void
}

/** The object that `@prefresh/core` puts on the window. */
interface Prefresh {
  register(type: unknown, id: string): void
  sign(type: unknown, key: string, reset: unknown, hooks: unknown, status: string): string
}

/** Members of the window that pages, routers and frameworks set. */
interface RefreshWindow {
  __registerBeforePerformReactRefresh?: (hook: () => void | Promise<void>) => void
  __getReactRefreshIgnoredExports?: (about: { id: string }) => string[]
  __PREFRESH__?: Prefresh
}

const globals = globalThis as RefreshWindow

export function preactRuntime(utils: object): RefreshRuntime {
  const { flush, isComponent } = utils as { flush(): void; isComponent(value: unknown): boolean }
  return {
    isAttached: () => true,
    register: (type, id) => globals.__PREFRESH__!.register(type, id),
    // Compiled code also calls a signature on each render. Only the first two calls have an effect.
    signature() {
      let status = 'begin'
      let known: unknown
      return (type?: unknown, key?: string, reset?: unknown, hooks?: unknown) => {
        known ??= type
        status = globals.__PREFRESH__!.sign(type ?? known, key!, reset, hooks, status)
        return type
      }
    },
    isComponent,
    perform: flush,
  }
}

/** `options` of Preact, whose hooks have short names: Preact calls `__e` with each error that a component throws. */
interface PreactOptions {
  __e?: (error: unknown, ...rest: unknown[]) => void
}

/**
 * Calls `failed` with errors of components that no error boundary catches. Preact's own hook looks for an error boundary, and throws
 * the error again if there is none. (The stack of such an error does not show that it was thrown while rendering, since the names
 * in Preact's build are short.)
 */
export function watchPreact(preact: object, failed: (error: unknown) => void): void {
  const { options } = preact as { options?: PreactOptions }
  const before = options?.__e
  if (!before) return
  options.__e = (error, ...rest) => {
    try {
      before(error, ...rest)
    } catch (thrown) {
      failed(thrown)
      throw thrown
    }
  }
}

export class Refresh {
  private runtime: RefreshRuntime | null = null
  /** During an update: what it has registered. */
  private pending: { instance: Instance; type: unknown; id: string }[] | null = null
  /** First copies of modules with what they have registered. The framework needs to know it only once the copies are replaced. */
  private readonly held = new Map<ModuleId, { instance: Instance; types: [type: unknown, id: string][] }>()
  private readonly before: (() => void | Promise<void>)[] = []

  constructor(private readonly graph: ModuleGraph) {}

  get isOn(): boolean {
    return this.runtime !== null
  }

  /** Registers components from now on. Must be called before the framework itself runs. */
  use(runtime: RefreshRuntime): void {
    this.runtime = runtime
    globals.__registerBeforePerformReactRefresh ??= (hook) => void this.before.push(hook)
  }

  /** `$RefreshReg$` of a module. */
  register(instance: Instance, type: unknown, name: string): void {
    if (!this.runtime) return
    const id = `${instance.id} ${name}`
    if (this.pending) this.pending.push({ instance, type, id })
    else this.hold(instance).push([type, id])
  }

  /** The list of a first copy. If the module has an earlier one, whose start failed, that is registered now. */
  private hold(instance: Instance): [unknown, string][] {
    let held = this.held.get(instance.id)
    if (held && held.instance !== instance) this.registerHeld(instance.id)
    if (held?.instance !== instance) this.held.set(instance.id, held = { instance, types: [] })
    return held.types
  }

  /** Registers the components of a module's first copy, so that the framework recognizes their successors. */
  private registerHeld(id: ModuleId): void {
    const held = this.held.get(id)
    if (!held) return
    this.held.delete(id)
    for (const [type, name] of held.types) this.runtime!.register(type, name)
    for (const name of this.exportedComponents(held.instance)) this.runtime!.register(valueOf(held.instance, name), exportId(id, name))
  }

  /** `$RefreshSig$`: marks the hooks that a component uses. */
  signature(instance: Instance): (...parameters: never[]) => unknown {
    if (!this.runtime) return (type: unknown) => type
    const sign = this.runtime.signature() as (...parameters: unknown[]) => unknown
    if (!instance.definition.meta.resets) return sign
    // Calls without parameters come from renders.
    return (...[type, key, , hooks]: unknown[]) => (key === undefined ? sign() : sign(type, key, true, hooks))
  }

  /** Registers exported components by their value as well: the result of a call such as `connect(…)(View)` has no name of its own. */
  evaluated(instance: Instance): void {
    if (!this.runtime || !instance.definition.meta.made) return
    if (!this.pending) return void this.hold(instance)
    for (const name of this.exportedComponents(instance)) {
      this.pending.push({ instance, type: valueOf(instance, name), id: exportId(instance.id, name) })
    }
  }

  /**
   * The value of a `createContext` call: that of the copy before, if neither the call nor what it uses was edited.
   * A context is recognized by identity, so a new one would separate mounted providers from their consumers.
   */
  keep(instance: Instance, value: unknown, name: string, digest: string, links: Link[]): unknown {
    const deps = links.flatMap(modulesOf).map((id) => this.graph.instances.get(id))
    const known = instance.before?.kept?.get(name)
    const isSame = known?.digest === digest && deps.every((dep, at) => dep === known.deps[at])
    instance.kept ??= new Map()
    instance.kept.set(name, { digest, deps, value: isSame ? known.value : value })
    return isSame ? known.value : value
  }

  // ---- for the walk

  /** Whether the live copy accepts its own updates. An entry does not: it would render the application a second time. */
  isBoundary(id: ModuleId): boolean {
    const instance = this.graph.instances.get(id)
    const newest = this.graph.definitions.get(id)
    if (!this.runtime?.isAttached() || !instance?.definition.meta.made || !newest?.meta.made || this.graph.entries.has(id)) return false
    return this.exportedComponents(instance).length > 0
  }

  /**
   * The exports of a boundary that an edit changes: added, removed, made of other code, or of an import for which `runsAgain` is
   * true. Components are left out, since the framework refreshes them. Null: nobody can tell, because of an `export *`.
   */
  changedExports(id: ModuleId, runsAgain: (id: ModuleId) => boolean): Set<string> | null {
    const instance = this.graph.instances.get(id)!
    const before = instance.definition
    const now = this.graph.definitions.get(id)!
    const linkOf = ({ links }: typeof now, dep: number) => JSON.stringify(links[dep])
    const touched = (dep: number) => modulesOf(now.links[dep]).some(runsAgain)
    const stars = ({ meta, links }: typeof now) => JSON.stringify(meta.stars?.map((at) => links[at]))
    if (stars(before) !== stars(now) || now.meta.stars?.some(touched)) return null

    const components = new Set(this.exportedComponents(instance))
    const changed = new Set<string>()
    const [made, madeBefore] = [now.meta.made!, before.meta.made!]
    for (const name of Object.keys({ ...madeBefore, ...made })) {
      const [digest, ...deps] = made[name] ?? []
      if (components.has(name) && made[name]) continue
      if (digest !== madeBefore[name]?.[0] || deps.some(touched)) changed.add(name)
    }
    const [from, fromBefore] = [now.meta.from ?? {}, before.meta.from ?? {}]
    for (const name of Object.keys({ ...fromBefore, ...from })) {
      const [is, was] = [from[name], fromBefore[name]]
      const isSame = is && was && is[1] === was[1] && linkOf(now, is[0]) === linkOf(before, was[0])
      if (!isSame || touched(is[0])) changed.add(name)
    }
    for (const name of globals.__getReactRefreshIgnoredExports?.({ id }) ?? []) changed.delete(name)
    return changed
  }

  /** Exports that were components before the update and are none now: only their importers can take the update. */
  incompatible(before: Instance, now: Instance): string[] {
    if (!this.runtime || !before.definition.meta.made || !now.definition.meta.made) return []
    const components = this.exportedComponents(now)
    return this.exportedComponents(before).filter((name) => name in now.definition.meta.made! && !components.includes(name))
  }

  private exportedComponents(instance: Instance): string[] {
    const { made, anonymous } = instance.definition.meta
    const isComponent = (name: string) => {
      const value = valueOf(instance, name)
      return this.runtime!.isComponent(value) || (anonymous === true && name === 'default' && typeof value === 'function')
    }
    return Object.keys(made ?? {}).filter(isComponent)
  }

  // ---- for an update

  begin(): void {
    this.pending = []
  }

  /** Registers the components of copies that are live after the update, whether it went through or was rolled back. */
  end(): void {
    for (const { instance, type, id } of this.pending ?? []) {
      if (this.graph.instances.get(instance.id) !== instance) continue
      this.registerHeld(instance.id)
      this.runtime!.register(type, id)
    }
    this.pending = null
  }

  /** Renders what is mounted with the newest code; throws what a component throws. */
  async perform(): Promise<void> {
    if (!this.runtime) return
    for (const hook of this.before) await hook()
    this.runtime.perform()
  }
}

function exportId(id: ModuleId, name: string): string {
  return `${id} export ${name}`
}

/** The value of an export; undefined if it cannot be read yet. */
function valueOf(instance: Instance, name: string): unknown {
  try {
    return instance.getters[name]?.()
  } catch {
    return undefined
  }
}
