/**
 * Lets components take their own updates: React Fast Refresh, and Preact's.
 *
 *     Label.tsx exports the component Label and the number limit
 *       Label edited   → the module runs again, React renders every mounted Label with its new code, state kept
 *       limit edited   → the modules that import `limit` run again as well
 *
 * A module is a boundary when it exports a component. Which of its other exports an edit changes is known before anything
 * runs: the compiler says what each is made of (`meta.made`), so that a constant, a hook or a context beside a component
 * concerns its importers only when it, or what it uses, was edited.
 *
 * What is registered during an update reaches the framework when the update has gone through, so that an update that is
 * put back leaves no trace. Knows neither DOM nor socket.
 */
import { modulesOf, type Link } from './definition'
import type { ModuleGraph } from './graph'
import type { Instance } from './instance'
import type { ModuleId } from './messages'

/** What is needed of what refreshes a framework's components. */
export interface RefreshRuntime {
  /** The framework is there and can be told. Until then nobody takes an update of a component. */
  isAttached(): boolean
  register(type: unknown, id: string): void
  signature(): (...parameters: never[]) => unknown
  isComponent(value: unknown): boolean
  /** Renders what is mounted with the newest code. */
  perform(): void
}

/** What `@prefresh/core` leaves on the window. */
interface Prefresh {
  register(type: unknown, id: string): void
  sign(type: unknown, key: string, reset: unknown, hooks: unknown, status: string): string
}

/** Members that pages and routers may set on the window (R187, R188). */
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
    // A signature is called at each render as well; only the first two calls say something.
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

/** `options` of Preact, whose hooks have names of one letter: this one is asked for an error of each render. */
interface PreactOptions {
  __e?: (error: unknown, ...rest: unknown[]) => void
}

/**
 * Tells of errors that leave Preact's components, none of which has taken them. Its own hook looks for an error boundary and
 * throws again where there is none; the stack of a built Preact says nothing of rendering.
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
  /** What the update that is under way has registered. */
  private pending: { instance: Instance; type: unknown; id: string }[] | null = null
  /** First copies of modules, with what they would have registered: a framework asks for it once they are replaced. */
  private readonly held = new Map<ModuleId, { instance: Instance; types: [type: unknown, id: string][] }>()
  private readonly before: (() => void | Promise<void>)[] = []

  constructor(private readonly graph: ModuleGraph) {}

  get isOn(): boolean {
    return this.runtime !== null
  }

  /** From now on components are registered. Must be called before the framework itself runs. */
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

  /** The list of a first copy. A copy before it, of an earlier try, registers now. */
  private hold(instance: Instance): [unknown, string][] {
    let held = this.held.get(instance.id)
    if (held && held.instance !== instance) this.registerHeld(instance.id)
    if (held?.instance !== instance) this.held.set(instance.id, (held = { instance, types: [] }))
    return held.types
  }

  /** Tells the framework of the first copy of a module, that its successors are known as such. */
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
    // Without parameters it is called by each render.
    return (...[type, key, , hooks]: unknown[]) => (key === undefined ? sign() : sign(type, key, true, hooks))
  }

  /** A component may be made by a call (`connect(…)(View)`): what it exports is registered by value as well. */
  evaluated(instance: Instance): void {
    if (!this.runtime || !instance.definition.meta.made) return
    if (!this.pending) return void this.hold(instance)
    for (const name of this.exportedComponents(instance)) {
      this.pending.push({ instance, type: valueOf(instance, name), id: exportId(instance.id, name) })
    }
  }

  /**
   * The value of a `createContext` call: the one of the copy before, if neither the call nor what it uses was edited.
   * A context is only its identity, so that a new one would part every provider from its users.
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

  /** Whether the live copy takes its own updates. What the page itself runs does not: it would render a second time. */
  isBoundary(id: ModuleId): boolean {
    const instance = this.graph.instances.get(id)
    const newest = this.graph.definitions.get(id)
    if (!this.runtime?.isAttached() || !instance?.definition.meta.made || !newest?.meta.made || this.graph.entries.has(id)) return false
    return this.exportedComponents(instance).length > 0
  }

  /**
   * Exports of a boundary that are not what they were: added, removed, made of something else, or of an import for which
   * `runsAgain`. Components are left to the framework. Null: it cannot be told.
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

  /** Exports that were components before the update and are none now: nobody but their importers can take them. */
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

  /** Registers what is live after the update, whether that went through or was put back. */
  end(): void {
    for (const { instance, type, id } of this.pending ?? []) {
      if (this.graph.instances.get(instance.id) !== instance) continue
      this.registerHeld(instance.id)
      this.runtime!.register(type, id)
    }
    this.pending = null
  }

  /** Throws what a component throws. */
  async perform(): Promise<void> {
    if (!this.runtime) return
    for (const hook of this.before) await hook()
    this.runtime.perform()
  }
}

function exportId(id: ModuleId, name: string): string {
  return `${id} export ${name}`
}

/** A name that cannot be read yet is no component. */
function valueOf(instance: Instance, name: string): unknown {
  try {
    return instance.getters[name]?.()
  } catch {
    return undefined
  }
}
