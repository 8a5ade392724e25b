/**
 * Holds every definition the page has received and runs them as ECMAScript modules.
 *
 * A definition is a generator: up to its first `yield` the exports exist and functions are hoisted (instantiate), after it
 * the body runs (evaluate). Names that are passed on (`export … from`, `export *`) are resolved to where they were
 * declared before anything runs, by the ambiguity rules of ECMA-262 section 16.2.1.7.
 *
 *     define('/a.js', …)  define('/b.js', …)     the page's scripts say what exists
 *     run(['/a.js'])                             b, then a: post-order, without recursion
 *
 * Knows neither DOM nor socket. One instance of each module is live; an update replaces it.
 */
import type { ModuleId } from './messages'

/** For each name that is taken of a package: the module that has it, and its name there. */
export type Picked = { [name: string]: [id: ModuleId, name: string] }

/**
 * What a specifier means: a module, an address (in a list) that the browser loads itself, the modules behind the names
 * that are taken of a package's index, or nothing.
 */
export type Link = ModuleId | [string] | Picked | null

/** For each `import.meta.glob` call its matches: key and module. */
export type GlobMatches = [key: string, id: ModuleId][]

/** What a definition says of itself before it runs. */
export interface Meta {
  deps: string[]
  /** For each static dependency (they come first in `deps`) the names taken from it; `*` is the namespace. */
  names: string[][]
  /** Static dependencies behind `export *`. */
  stars?: number[]
  /** Exports that are passed on: dependency and name there. */
  from?: Record<string, [dep: number, name: string]>
  /** Dependencies of `import()` with a constant specifier. */
  dynamic?: number[]
  /** Dependencies of `require('…')` in an ES module: they run when it is called. */
  requires?: number[]
  /** Calls of `import.meta.glob` whose matches are imported statically. */
  eager?: number[]
  /** There are `import()`s whose specifier is only known when they run. */
  computed?: boolean
  with?: (string | null)[]
  async?: boolean
  cjs?: boolean
  /**
   * `default` of a CommonJS module is its `exports.default` if it says `__esModule`: for all imports (1), or for static ones
   * only (2). Without it `default` always is `module.exports`, as in Node.
   */
  babel?: 1 | 2
  /** `require` of it gives its default export: JSON. */
  value?: boolean
  /** Digest of a CSS module's class names: while it stays the same, importers need not run again. */
  shape?: string
  /** Of a module with components: for each export a digest of what it is made of, and the dependencies in that. */
  made?: Record<string, [digest: string, ...deps: number[]]>
  /** Its default export is a component without a name. */
  anonymous?: boolean
  /** Its components start afresh on every edit. */
  resets?: boolean
}

type Getters = Record<string, () => unknown>
type LinkImports = (namespaceOf: (dep: number) => Namespace) => void
type ModuleGenerator = Generator | AsyncGenerator

export type Factory = (...parameters: never[]) => unknown

export interface Definition {
  id: ModuleId
  /** Digest of source, options and links: equal digests are equal modules. */
  hash: string
  links: Link[]
  globs: GlobMatches[]
  meta: Meta
  factory: Factory
  /** What `staticDeps` found, once somebody asked. */
  staticDeps: Link[] | null
}

/** The arguments of a `$d` call. */
export function definitionOf(id: ModuleId, hash: string, links: Link[], globs: GlobMatches[] | 0, meta: Meta, factory: Factory): Definition {
  return { id, hash, links, globs: globs || [], meta, factory, staticDeps: null }
}

export type Namespace = Record<string, unknown>

/** `module` of a CommonJS definition. */
interface CommonjsModule {
  exports: Namespace
  id: ModuleId
  filename: ModuleId
  loaded: boolean
  children: []
  paths: []
}

/** A value that survives updates, and what it was made of. */
interface Kept {
  digest: string
  deps: (Instance | undefined)[]
  value: unknown
}

/** One evaluation of one version of a module. */
export interface Instance {
  id: ModuleId
  definition: Definition
  state: 'linked' | 'evaluating' | 'evaluated' | 'failed'
  /** Place in the depth-first walk that reached it: keeps cycles running in their first order. */
  reached: number
  /** It replaced an earlier copy. */
  replaced: boolean
  /** The module through which its import cycle was entered, which is the last of it to run; itself if it is in none. */
  cycle: ModuleId
  /** It passes on names of CommonJS modules, so not all of its exports are known before those have run. */
  open: boolean
  getters: Getters
  linkImports: LinkImports | null
  /** Where each export is declared; only for modules that pass names on. */
  resolved: Map<string, Origin> | null
  namespace: Namespace
  generator: ModuleGenerator | null
  /** Settles when an asynchronous evaluation ends. */
  done: Promise<void> | null
  /** When that began, by `performance.now()`. */
  waitsSince: number
  error: unknown
  cjs: CommonjsModule | null
  /** Of CommonJS: the namespace for importers of `Meta.babel`. */
  babel: Namespace
  /** It is only required, not imported, and runs when a `require` asks for it. */
  deferred: boolean
  /** Counts up with each instance that begins to run. */
  ran: number
  /** Modules that this instance has imported with `import()`. */
  imported: ReadonlySet<ModuleId>
  /** The copy it replaces, while it runs. */
  before: Instance | null
  /** Values that the next copy takes over. */
  kept: Map<string, Kept> | null
  /** Another copy took its place for good while it waited at its top-level await: it does not go on. */
  isGivenUp: boolean
  /** While it waits: ends that, since it was given up. */
  end: (() => void) | null
  /** While another copy is tried out in its place: lets it go on. */
  unpark: (() => void) | null
  /** Why it is to run again although its definition is the newest: `an import() in /a.js had failed`. */
  due: string | null
}

/** The instance and the name there that an export stands for; `*` is that instance's namespace. */
interface Origin {
  home: Instance
  name: string
  /** Who passes it on is one of `Meta.babel`. */
  babel?: boolean
}

const AMBIGUOUS = Symbol('ambiguous')

/** A module on the way of a depth-first walk; `low` is the earliest module of its cycle that is known. */
interface Visit {
  instance: Instance
  deps: readonly Link[]
  /** From here on `deps` are only required. */
  required: number
  next: number
  index: number
  low: number
  /** Its cycle is not closed yet. */
  isOpen: boolean
  /** It, or something it imports, awaits at its top level. */
  waits: boolean
}

interface Walk {
  fresh: ReadonlySet<ModuleId>
  visits: Map<ModuleId, Visit>
  open: Visit[]
  /** What was met, in post-order. */
  met: Instance[]
  /** What runs now, in post-order: all that was met but what is only required. */
  order: Instance[]
}

/** All that were met since `last` are in its cycle. */
function closeCycle(last: Visit, open: Visit[]): void {
  for (let visit; visit !== last; ) {
    visit = open.pop()!
    visit.isOpen = false
    visit.instance.cycle = last.instance.id
  }
}

/** Until an instance has some of its own. */
const NO_EXPORTS = Object.freeze({}) as never
const NO_MODULES: ReadonlySet<ModuleId> = new Set()

function blankInstance(definition: Definition, reached: number, replaced: boolean): Instance {
  return {
    id: definition.id,
    definition,
    state: 'linked',
    reached,
    replaced,
    cycle: definition.id,
    open: false,
    getters: NO_EXPORTS,
    linkImports: null,
    resolved: null,
    namespace: NO_EXPORTS,
    generator: null,
    done: null,
    waitsSince: 0,
    error: undefined,
    cjs: null,
    babel: NO_EXPORTS,
    deferred: false,
    ran: 0,
    imported: NO_MODULES,
    before: null,
    kept: null,
    isGivenUp: false,
    end: null,
    unpark: null,
    due: null,
  }
}

/** Stands for a module that the browser has loaded itself. */
function nativeInstance(address: string, namespace: Namespace): Instance {
  const definition: Definition = { id: address, hash: '', links: [], globs: [], meta: { deps: [], names: [] }, factory: () => {}, staticDeps: [] }
  const instance = blankInstance(definition, 0, false)
  instance.state = 'evaluated'
  instance.getters = {}
  instance.namespace = namespace
  for (const name of Object.keys(namespace)) {
    Object.defineProperty(instance.getters, name, { enumerable: true, value: () => namespace[name] })
  }
  return instance
}

function blankCommonjs(id: ModuleId): CommonjsModule {
  return { exports: {}, id, filename: id, loaded: false, children: [], paths: [] }
}

function isPicked(link: Link | undefined): link is Picked {
  return typeof link === 'object' && link !== null && !Array.isArray(link)
}

/** What an ES module requires besides what it imports; as in CommonJS it need not be there until it is asked for. */
function requiredBy({ requires, names }: Meta, links: Link[]): Link[] {
  return (requires ?? []).filter((at) => at >= names.length).map((at) => links[at]!).filter((link) => typeof link === 'string')
}

/** Modules that a link leads to. */
export function modulesOf(link: Link | undefined): ModuleId[] {
  if (typeof link === 'string') return [link]
  return isPicked(link) ? Object.values(link).map(([id]) => id) : []
}

/** What the `import()`s and globs of a module may bring, as far as that is known before they run. */
function dynamicDeps({ meta, links, globs }: Definition): ModuleId[] {
  const dynamic = (meta.dynamic ?? []).flatMap((at) => modulesOf(links[at]))
  return [...dynamic, ...globs.flatMap((matches) => matches.map(([, id]) => id))]
}

/** Tells of other modules whether an `import()` in this one may bring them. */
export function lazyImportsOf(definition: Definition): { has(id: ModuleId): boolean } {
  return definition.meta.computed ? { has: () => true } : new Set(dynamicDeps(definition))
}

/** A name that a module takes of another one, which does not have it. */
export class MissingExport extends SyntaxError {
  constructor(
    message: string,
    readonly lacks: { importer: ModuleId; specifier: string; source: ModuleId; name: string },
  ) {
    super(message)
  }
}

/** Told when an instance is made and asked for the values a factory is called with. */
export interface Host {
  /** `import.meta` of a new instance. */
  metaOf(instance: Instance): object
  /** What the compiled code calls: `import`, `glob`, `asset`, `style`. */
  runtimeOf(instance: Instance): object
  /** Loads an address that the browser can load itself. */
  importNative(address: string, attribute: string | null): Promise<Namespace>
  /** The body of an instance has run. */
  evaluated?(instance: Instance): void
}

export class Registry {
  readonly definitions = new Map<ModuleId, Definition>()
  readonly instances = new Map<ModuleId, Instance>()
  /** b is in importers.get(a) exactly when the live instance of b imports a, statically or by an `import()` that ran. */
  readonly importers = new Map<ModuleId, Set<ModuleId>>()
  /** Live modules whose newest definition is not the one that runs, and those that are to run again by the same. */
  readonly stale = new Set<ModuleId>()
  /** Modules the page itself runs. */
  readonly entries = new Set<ModuleId>()
  /** Modules that were live when they went, with the definition of an importer for which they were `lost`. */
  private readonly forgotten = new Map<ModuleId, Definition | null>()
  /** What the browser has loaded itself, by address: exports can be passed on from it, like from any instance. */
  private readonly native = new Map<string, Instance>()
  /** Some definition has an address among its links. */
  private namesAddresses = false
  /** Evaluations that wait for something. */
  private waiting = 0
  /** Instances that the last `instantiate` made, whether it went through or not. */
  made: Instance[] = []
  private reached = 0
  private ran = 0

  constructor(private readonly host: Host) {}

  /** Takes a definition in, given as in a script. */
  define(...definition: Parameters<typeof definitionOf>): void {
    this.take(definitionOf(...definition))
  }

  /** Takes a definition in. The same digest again changes nothing. */
  take(definition: Definition): void {
    const { id, hash, links } = definition
    if (this.definitions.get(id)?.hash !== hash) {
      this.definitions.set(id, definition)
      if (links.some(Array.isArray)) this.namesAddresses = true
    }
    this.forgotten.delete(id)
    this.judge(id)
  }

  private judge(id: ModuleId): void {
    const live = this.instances.get(id)
    const newest = this.definitions.get(id)
    if (live && newest && (live.due !== null || live.definition.hash !== newest.hash)) this.stale.add(id)
    else this.stale.delete(id)
  }

  /** This copy is to run again with the next update, as if its module had been edited. */
  makeDue(instance: Instance, reason: string): void {
    instance.due = reason
    if (this.instances.get(instance.id) === instance) this.judge(instance.id)
  }

  /** The module is gone from the disk: its definition will not run again. */
  forget(id: ModuleId): void {
    this.definitions.delete(id)
    this.stale.delete(id)
    if (this.instances.has(id)) this.forgotten.set(id, null)
  }

  /**
   * Live modules that went, and that the newest definition of an importer names: they may be back, or were never gone where
   * a server did not come to them, below an importer that it could not read. Gives each once for a definition, and with
   * `entries` those too that nobody here names: the entries of workers.
   */
  lost(isBroken: (id: ModuleId) => boolean, entries = false): ModuleId[] {
    const lost: ModuleId[] = []
    for (const [id, asked] of this.forgotten) {
      if (!this.instances.has(id)) this.forgotten.delete(id)
      else if (entries && this.entries.has(id)) lost.push(id)
      const namer = [...(this.importers.get(id) ?? [])].find((importer) => !isBroken(importer) && this.names(importer, id))
      const definition = namer === undefined ? undefined : this.definitions.get(namer)
      if (!definition || definition === asked) continue
      this.forgotten.set(id, definition)
      lost.push(id)
    }
    return lost
  }

  /** Whether a module imports `id` by its newest definition, or may. */
  private names(importer: ModuleId, id: ModuleId): boolean {
    const definition = this.definitions.get(importer)
    return definition !== undefined && this.depsAfter(definition, this.instances.get(importer)).has(id)
  }

  /** Static dependencies of a definition, eager glob matches included, in evaluation order. */
  staticDeps(definition: Definition): readonly Link[] {
    return (definition.staticDeps ??= this.findStaticDeps(definition))
  }

  private findStaticDeps({ meta, links, globs }: Definition): Link[] {
    let deps = meta.cjs ? links.filter((link, at) => typeof link === 'string' && !meta.dynamic?.includes(at)) : links.slice(0, meta.names.length)
    if (deps.some(isPicked)) deps = deps.flatMap((link) => (isPicked(link) ? modulesOf(link) : [link]))
    for (const at of meta.eager ?? []) for (const [, id] of globs[at]!) deps.push(id)
    return [...deps, ...requiredBy(meta, links)]
  }

  /**
   * Walks from `roots` down the static imports of the newest definitions: `visit` sees each module once, undefined for
   * one that is not here. Below a module for which it is false the walk does not look.
   */
  private below(roots: Iterable<ModuleId>, visit: (id: ModuleId, definition: Definition | undefined) => boolean): void {
    const seen = new Set<ModuleId>(roots)
    for (const id of seen) {
      const definition = this.definitions.get(id)
      if (!visit(id, definition) || !definition) continue
      for (const link of this.staticDeps(definition)) if (typeof link === 'string') seen.add(link)
    }
  }

  /** Live modules below `roots` in the order in which a fresh page would evaluate them: post-order, each once. */
  evaluationOrder(roots: Iterable<ModuleId>): ModuleId[] {
    const order: ModuleId[] = []
    const seen = new Set<ModuleId>()
    const stack: { id: ModuleId; deps: readonly Link[]; next: number }[] = []
    const enter = (id: ModuleId) => {
      const instance = this.instances.get(id)
      if (!instance || seen.has(id)) return
      seen.add(id)
      stack.push({ id, deps: this.staticDeps(instance.definition), next: 0 })
    }
    for (const root of roots) {
      enter(root)
      for (let top; (top = stack.at(-1)); ) {
        if (top.next === top.deps.length) order.push(stack.pop()!.id)
        else {
          const link = top.deps[top.next++]!
          if (typeof link === 'string') enter(link)
        }
      }
    }
    return order
  }

  /** The newest definitions of `roots` and of all they import; undefined for those that are not here. */
  neededBy(roots: Iterable<ModuleId>): Map<ModuleId, Definition | undefined> {
    const needed = new Map<ModuleId, Definition | undefined>()
    this.below(roots, (id, definition) => Boolean(needed.set(id, definition)))
    return needed
  }

  /**
   * Modules without a definition that running `roots` would need, in the order they are met.
   * Live instances outside `fresh` are not looked into.
   */
  missing(roots: Iterable<ModuleId>, fresh: ReadonlySet<ModuleId> = new Set()): ModuleId[] {
    const missing: ModuleId[] = []
    this.below(roots, (id, definition) => {
      const runs = !this.instances.has(id) || fresh.has(id)
      if (runs && !definition) missing.push(id)
      return runs
    })
    return missing
  }

  /** Addresses below `roots` that the browser has to import itself (`https:`) and has not yet, with their `type`. */
  private unloadedNatives(roots: Iterable<ModuleId>): Map<string, string | null> {
    const unloaded = new Map<string, string | null>()
    if (!this.namesAddresses) return unloaded
    this.below(roots, (id, definition) => {
      if (!definition || this.instances.get(id)?.definition === definition) return false
      const { links, meta } = definition
      const imported = meta.cjs ? [] : links.slice(0, meta.names.length)
      for (const [at, link] of imported.entries()) {
        if (Array.isArray(link) && !this.native.has(link[0])) unloaded.set(link[0], meta.with?.[at] ?? null)
      }
      return true
    })
    return unloaded
  }

  /** Whether some module below `roots` still needs `importNatives`. */
  needsNatives(roots: Iterable<ModuleId>): boolean {
    return this.unloadedNatives(roots).size > 0
  }

  /** Loads the addresses that the browser imports itself, before anything is evaluated. */
  async importNatives(roots: Iterable<ModuleId>): Promise<void> {
    const load = async ([address, attribute]: [string, string | null]) => {
      this.native.set(address, nativeInstance(address, await this.host.importNative(address, attribute)))
    }
    await Promise.all([...this.unloadedNatives(roots)].map(load))
  }

  // ---- run

  /**
   * Runs `roots` and all they import that is not live yet, or is named in `fresh` and gets a new instance.
   * Returns a promise only if a module in there waits for something; throws what a module throws.
   */
  run(roots: Iterable<ModuleId>, fresh: ReadonlySet<ModuleId> = new Set()): Promise<void> | undefined {
    return this.evaluate(this.instantiateAll(roots, fresh))
  }

  /** Runs live modules anew by the definitions that they run by now, whatever has come since. */
  runAgain(ids: ReadonlySet<ModuleId>, roots: Iterable<ModuleId>): Promise<void> | undefined {
    const newest = new Map([...ids].map((id) => [id, this.definitions.get(id)]))
    let order
    try {
      for (const id of ids) this.definitions.set(id, this.instances.get(id)!.definition)
      order = this.instantiate(roots, ids)
    } finally {
      for (const [id, definition] of newest) {
        if (definition) this.take(definition)
        else this.forget(id)
      }
    }
    return this.evaluate(order)
  }

  private instantiateAll(roots: Iterable<ModuleId>, fresh: ReadonlySet<ModuleId>): Instance[] {
    try {
      return this.instantiate(roots, fresh)
    } catch (error) {
      const culprit = error instanceof MissingExport && this.instances.get(error.lacks.importer)
      if (culprit) this.fail(culprit, error)
      // An update puts back what it has replaced; otherwise each of them can be asked for again.
      if (fresh.size === 0) for (const { id } of this.made) this.remove(id)
      throw error
    }
  }

  /** Settles when a live module has run, its whole cycle included; fails with what it threw. For `import()`. */
  async finished(id: ModuleId): Promise<void> {
    const find = () => {
      const instance = this.instances.get(id)
      return instance && this.lastOfCycle(instance)
    }
    // One that is given up meanwhile has another in its place.
    for (let last = find(), waited; last?.done && last !== waited; last = find()) await (waited = last).done
    const last = find()
    if (last?.state === 'failed') throw last.error
  }

  /** Whether a module has run or is about to. One that is only required has not, until then. */
  hasStarted(id: ModuleId): boolean {
    return this.instances.get(id)?.deferred === false
  }

  private lastOfCycle(instance: Instance): Instance {
    return this.instances.get(instance.cycle) ?? instance
  }

  /** Makes instances, links them, checks the names; nothing of the modules' bodies has run afterwards. */
  instantiate(roots: Iterable<ModuleId>, fresh: ReadonlySet<ModuleId>): Instance[] {
    const walk: Walk = { fresh, visits: new Map(), open: [], met: [], order: [] }
    this.made = []
    const required: ModuleId[] = []
    for (const root of roots) {
      if (this.isOnlyRequired(root, fresh)) required.push(root)
      else this.walk(root, walk, false)
    }
    for (const root of required) this.walk(root, walk, true)
    const { met } = walk
    this.resolveExports(met)
    for (const instance of met) this.makeNamespace(instance)
    for (const instance of met) this.checkNames(instance)
    for (const instance of met) this.link(instance)
    return walk.order
  }

  /** Whether nobody will ask for the new copy but a `require` in another new copy. */
  private isOnlyRequired(id: ModuleId, fresh: ReadonlySet<ModuleId>): boolean {
    if (!fresh.has(id) || this.entries.has(id)) return false
    const importers = [...(this.importers.get(id) ?? [])]
    const requires = (importer: ModuleId) => {
      const instance = this.instances.get(importer)
      return instance?.cjs != null && !instance.imported.has(id)
    }
    return importers.every(requires) && importers.some((importer) => fresh.has(importer))
  }

  /**
   * Depth first, post-order, with its own stack: import chains may be longer than the native one allows.
   * Finds the import cycles on the way (Tarjan's algorithm, as in ECMA-262 section 16.2.1.5.3.1).
   * What is reached through a `require` is there from now on, but runs when that is called.
   */
  private walk(root: ModuleId, walk: Walk, deferred: boolean): void {
    const stack: Visit[] = []
    const enter = (id: ModuleId, importer?: Visit) => {
      const isDeferred = importer ? importer.instance.deferred || importer.next > importer.required : deferred
      const seen = walk.visits.get(id)
      if (seen) {
        if (importer && seen.isOpen) importer.low = Math.min(importer.low, seen.index)
        if (importer) importer.waits ||= seen.waits
        if (!isDeferred) this.promote(seen.instance, walk.order)
        return
      }
      const live = this.instances.get(id)
      if (live && !walk.fresh.has(id)) {
        if (isDeferred) return
        const last = this.lastOfCycle(live)
        if (last.state === 'failed') throw last.error
        return this.promote(live, walk.order)
      }
      const definition = this.definitions.get(id)
      if (!definition) throw new Error(`${id} is not there${importer ? ` (imported by ${importer.instance.id})` : ''}`)
      const index = walk.visits.size
      const waits = definition.meta.async === true
      const deps = this.staticDeps(definition)
      const required = definition.meta.cjs ? 0 : deps.length - requiredBy(definition.meta, definition.links).length
      const visit: Visit = { instance: null!, deps, required, next: 0, index, low: index, isOpen: true, waits }
      walk.visits.set(id, visit)
      visit.instance = this.makeInstance(definition, live)
      visit.instance.deferred = isDeferred
      stack.push(visit)
      walk.open.push(visit)
    }
    enter(root)
    for (let top; (top = stack.at(-1)); ) {
      if (top.next === top.deps.length) {
        stack.pop()
        walk.met.push(top.instance)
        if (!top.instance.deferred) walk.order.push(top.instance)
        // No `require` can wait, so what does runs before it is required.
        else if (top.waits && !top.instance.cjs) this.promote(top.instance, walk.order)
        const importer = stack.at(-1)
        if (importer) importer.low = Math.min(importer.low, top.low)
        if (importer) importer.waits ||= top.waits
        if (top.low === top.index) closeCycle(top, walk.open)
        continue
      }
      const link = top.deps[top.next++]!
      if (typeof link === 'string') enter(link, top)
      else if (link === null) {
        const { meta, links } = top.instance.definition
        throw new Error(`cannot find ${meta.deps[links.indexOf(null)]}, imported by ${top.instance.id}`)
      }
    }
  }

  /** A module that was only required so far is imported: it and what it imports are to run. */
  private promote(root: Instance, order: Instance[]): void {
    if (!root.deferred) return
    for (const instance of this.importedBy(root, ({ deferred }) => deferred)) {
      instance.deferred = false
      order.push(instance)
    }
  }

  /** `root` and what it imports, in post-order; `require`d modules are not imported. Looks into `wanted` ones only. */
  private importedBy(root: Instance, wanted: (instance: Instance) => boolean): Instance[] {
    const depsOf = ({ cjs, definition }: Instance) => {
      if (cjs) return []
      const deps = this.staticDeps(definition)
      return definition.meta.requires ? deps.slice(0, deps.length - requiredBy(definition.meta, definition.links).length) : deps
    }
    const found: Instance[] = []
    const seen = new Set([root])
    const stack = [{ instance: root, deps: depsOf(root), next: 0 }]
    for (let top; (top = stack.at(-1)); ) {
      if (top.next === top.deps.length) {
        stack.pop()
        found.push(top.instance)
        continue
      }
      const link = top.deps[top.next++]
      const dep = typeof link === 'string' ? this.instances.get(link) : undefined
      if (!dep || seen.has(dep) || !wanted(dep)) continue
      seen.add(dep)
      stack.push({ instance: dep, deps: depsOf(dep), next: 0 })
    }
    return found
  }

  private makeInstance(definition: Definition, before: Instance | undefined): Instance {
    const instance = blankInstance(definition, before?.reached ?? this.reached++, before !== undefined)
    instance.before = before ?? null
    this.install(instance)
    this.made.push(instance)
    if (definition.meta.cjs) {
      instance.cjs = blankCommonjs(instance.id)
      return instance
    }
    const setExports = (getters: Getters, linkImports?: LinkImports) => {
      instance.getters = getters
      instance.linkImports = linkImports ?? null
    }
    const factory = definition.factory as (...parameters: unknown[]) => ModuleGenerator
    const takes = factory.length
    const runtime = takes > 1 ? this.host.runtimeOf(instance) : undefined
    const meta = takes > 2 ? this.host.metaOf(instance) : undefined
    instance.generator = factory(setExports, runtime, meta)
    const first = instance.generator.next()
    if (first instanceof Promise) first.catch(() => {}) // The second `next` reports it.
    return instance
  }

  /** Makes `instance` the live one and draws its edges. */
  install(instance: Instance): void {
    const before = this.instances.get(instance.id)
    if (before && before !== instance) this.cutEdges(before)
    this.instances.set(instance.id, instance)
    instance.unpark?.()
    for (const link of this.staticDeps(instance.definition)) if (typeof link === 'string') this.addImporter(link, instance.id)
    for (const id of instance.imported) this.addImporter(id, instance.id)
    this.judge(instance.id)
  }

  /** The update went through that put another copy in its place. One that still waits will not go on. */
  giveUp(instance: Instance): void {
    instance.isGivenUp = true
    instance.end?.()
  }

  /** Whether the live copy of a module waits at its top-level await, or for one that does. */
  isPending(id: ModuleId): boolean {
    return this.instances.get(id)?.state === 'evaluating'
  }

  /** Takes the live instance away. */
  remove(id: ModuleId): void {
    const instance = this.instances.get(id)
    if (!instance) return
    this.cutEdges(instance)
    this.instances.delete(id)
    this.stale.delete(id)
  }

  /** Everything the instance imports: statically, and by the `import()`s that have run. */
  depsOf(instance: Instance): Set<ModuleId> {
    const deps = new Set(instance.imported)
    for (const link of this.staticDeps(instance.definition)) if (typeof link === 'string') deps.add(link)
    return deps
  }

  /**
   * Notes that `importer` imports `id` with `import()`; so may the copy by which it has been replaced since. Gives those that
   * had not before.
   */
  noteDynamicImport(importer: Instance, id: ModuleId): Instance[] {
    const live = this.instances.get(importer.id)
    const copies = live && live !== importer && lazyImportsOf(live.definition).has(id) ? [importer, live] : [importer]
    const fresh = copies.filter(({ imported }) => !imported.has(id))
    for (const copy of fresh) {
      if (copy.imported === NO_MODULES) copy.imported = new Set()
      ;(copy.imported as Set<ModuleId>).add(id)
      if (this.instances.get(copy.id) === copy) this.addImporter(id, copy.id)
    }
    return fresh
  }

  /** The `import()` has failed that was noted. */
  forgetDynamicImport(importer: Instance, id: ModuleId): void {
    ;(importer.imported as Set<ModuleId>).delete(id)
    const isLive = this.instances.get(importer.id) === importer
    if (isLive && !this.depsOf(importer).has(id)) this.dropImporter(id, importer.id)
  }

  private addImporter(id: ModuleId, importer: ModuleId): void {
    let importers = this.importers.get(id)
    if (!importers) this.importers.set(id, (importers = new Set()))
    importers.add(importer)
  }

  private dropImporter(id: ModuleId, importer: ModuleId): void {
    const importers = this.importers.get(id)
    importers?.delete(importer)
    if (importers?.size === 0) this.importers.delete(id)
  }

  private cutEdges(instance: Instance): void {
    for (const id of this.depsOf(instance)) this.dropImporter(id, instance.id)
  }

  /** Whether an entry imports the module, over any number of others. */
  isReachable(id: ModuleId): boolean {
    const above = new Set([id])
    for (const module of above) {
      if (this.entries.has(module)) return true
      for (const importer of this.importers.get(module) ?? []) above.add(importer)
    }
    return false
  }

  /** What the entries reach once `fresh` run by their newest definitions; undefined if that is all they reach now. */
  reachedAfter(fresh: ReadonlySet<ModuleId>): Set<ModuleId> | undefined {
    const dropsImports = (id: ModuleId) => {
      const live = this.instances.get(id)
      const newest = this.definitions.get(id)
      if (!live || !newest || live.definition === newest) return false
      const kept = this.depsAfter(newest, live)
      return [...this.depsOf(live)].some((dep) => !kept.has(dep))
    }
    if (![...fresh].some(dropsImports)) return undefined
    const reached = new Set(this.entries)
    for (const id of reached) {
      const live = this.instances.get(id)
      const newest = this.definitions.get(id)
      const deps = newest && (!live || fresh.has(id)) ? this.depsAfter(newest, live) : live ? this.depsOf(live) : []
      for (const dep of deps) reached.add(dep)
    }
    return reached
  }

  /** What a module imports once it runs by `definition`, and may import soon. */
  private depsAfter(definition: Definition, live: Instance | undefined): Set<ModuleId> {
    const deps = new Set<ModuleId>()
    for (const link of this.staticDeps(definition)) if (typeof link === 'string') deps.add(link)
    for (const id of dynamicDeps(definition)) deps.add(id)
    if (definition.meta.computed) for (const id of live?.imported ?? []) deps.add(id)
    return deps
  }

  // ---- link

  /** Finds where each passed-on name is declared. Cycles need more than one round; each round only adds. */
  private resolveExports(order: Instance[]): void {
    const passing = order.filter(({ definition: { meta } }) => meta.stars || meta.from)
    for (const instance of passing) instance.resolved = new Map()
    const pending = new Map<Instance, Map<string, Origin | typeof AMBIGUOUS>>()
    for (const instance of passing) pending.set(instance, this.ownOrigins(instance))
    for (let changed = passing.length > 0; changed; ) {
      changed = false
      for (const [instance, origins] of pending) {
        const before = origins.size
        const opened = this.resolveFrom(instance, origins, pending)
        const clashed = this.resolveStars(instance, origins, pending)
        changed ||= opened || clashed || origins.size > before
      }
    }
    for (const [instance, origins] of pending) {
      for (const [name, origin] of origins) if (origin !== AMBIGUOUS) instance.resolved!.set(name, origin)
    }
  }

  private ownOrigins(instance: Instance): Map<string, Origin | typeof AMBIGUOUS> {
    const from = instance.definition.meta.from ?? {}
    const own = Object.keys(instance.getters).filter((name) => !Object.hasOwn(from, name))
    return new Map(own.map((name) => [name, { home: instance, name }]))
  }

  private resolveFrom(instance: Instance, origins: Map<string, Origin | typeof AMBIGUOUS>, pending: Map<Instance, Map<string, Origin | typeof AMBIGUOUS>>): boolean {
    let opened = false
    for (const [name, [dep, imported]] of Object.entries(instance.definition.meta.from ?? {})) {
      if (origins.has(name)) continue
      const [home, there] = this.sourceOf(instance, dep, imported)
      if (!home) continue
      const babel = instance.definition.meta.babel !== undefined
      const origin = there === '*' || home.cjs ? { home, name: there, babel } : (pending.get(home)?.get(there) ?? this.originOf(home, there))
      if (origin) origins.set(name, origin)
      else if (home.open && !instance.open) instance.open = opened = true
    }
    return opened
  }

  private resolveStars(instance: Instance, origins: Map<string, Origin | typeof AMBIGUOUS>, pending: Map<Instance, Map<string, Origin | typeof AMBIGUOUS>>): boolean {
    let clashed = false
    const from = instance.definition.meta.from ?? {}
    for (const at of instance.definition.meta.stars ?? []) {
      const home = this.dep(instance, at)
      if (!home) continue
      if ((home.cjs || home.open) && !instance.open) instance.open = clashed = true
      const there = pending.get(home)
      for (const name of there ? there.keys() : this.namesOf(home)) {
        if (name === 'default' || Object.hasOwn(instance.getters, name) || Object.hasOwn(from, name)) continue
        const origin = there ? there.get(name)! : this.originOf(home, name)!
        const known = origins.get(name)
        if (known === AMBIGUOUS) continue
        const same = known && origin !== AMBIGUOUS && known.home === origin.home && known.name === origin.name
        if (same) continue
        clashed ||= known !== undefined
        origins.set(name, known || origin === AMBIGUOUS ? AMBIGUOUS : origin)
      }
    }
    return clashed
  }

  /** Names a linked instance exports, in no order. */
  private namesOf(instance: Instance): Iterable<string> {
    if (instance.cjs) return Object.keys(instance.namespace)
    return instance.resolved ? instance.resolved.keys() : Object.keys(instance.getters)
  }

  private originOf(instance: Instance, name: string): Origin | undefined {
    if (instance.cjs) return { home: instance, name }
    if (instance.resolved) return instance.resolved.get(name)
    return Object.hasOwn(instance.getters, name) ? { home: instance, name } : undefined
  }

  /** Dependency `at`: a module, or what the browser loaded. */
  private dep(instance: Instance, at: number): Instance | undefined {
    const link = instance.definition.links[at]
    return typeof link === 'string' ? this.instances.get(link) : Array.isArray(link) ? this.native.get(link[0]) : undefined
  }

  /** What dependency `at` calls `name`: the module that has it, and its name there. */
  private sourceOf(instance: Instance, at: number, name: string): [Instance | undefined, string] {
    const link = instance.definition.links[at]
    if (!isPicked(link)) return [this.dep(instance, at), name]
    const [id, there] = link[name]!
    return [this.instances.get(id), there]
  }

  /** The namespace of dependency `at`, as its importer sees it. */
  private seenBy(instance: Instance, at: number): Namespace {
    const { links, meta } = instance.definition
    const link = links[at]
    if (isPicked(link)) return this.pickedNamespace(link)
    const dep = this.dep(instance, at)!
    return dep.cjs && meta.babel ? dep.babel : dep.namespace
  }

  /** The part of a package's index that one module takes: the index itself is not on the page. */
  private pickedNamespace(picked: Picked): Namespace {
    const namespace: Namespace = Object.create(null)
    for (const [name, [id, there]] of Object.entries(picked)) {
      const home = this.instances.get(id)!
      const origin = there === '*' ? { home, name: there } : this.originOf(home, there)
      if (origin) Object.defineProperty(namespace, name, { enumerable: true, get: this.getterOf(origin) })
    }
    return namespace
  }

  /** What `import()` in `importer` gives for a module. */
  namespaceFor(importer: Instance, instance: Instance): Namespace {
    return instance.cjs && importer.definition.meta.babel === 1 ? instance.babel : instance.namespace
  }

  /** A sealed object with a getter per export, sorted, tagged `Module` (ECMA-262 section 10.4.6). */
  private makeNamespace(instance: Instance): void {
    if (instance.cjs) return
    const namespace: Namespace = {}
    for (const name of [...this.namesOf(instance)].sort()) {
      Object.defineProperty(namespace, name, { enumerable: true, get: this.getterOf(this.originOf(instance, name)!) })
    }
    Object.defineProperty(namespace, Symbol.toStringTag, { value: 'Module' })
    Object.setPrototypeOf(namespace, null)
    instance.namespace = Object.seal(namespace)
  }

  private getterOf({ home, name, babel }: Origin): () => unknown {
    if (name === '*') return () => (babel && home.cjs ? home.babel : home.namespace)
    if (home.cjs) return babel ? () => home.babel[name] : () => home.namespace[name]
    return home.getters[name]!
  }

  /** A name that its module does not export is an error here, with both modules named, not `undefined` later. */
  private checkNames(instance: Instance): void {
    const { meta } = instance.definition
    meta.names.forEach((names, at) => {
      for (const name of names) {
        const [dep, there] = this.sourceOf(instance, at, name) as [Instance, string]
        if (dep.cjs || (dep.open && dep.state !== 'evaluated')) continue // Not known before it has run.
        if (there === '*' || this.originOf(dep, there)) continue
        const clash = dep.definition.meta.stars && this.isAmbiguous(dep, there)
        const why = clash ? 'is exported by more than one module behind `export *` of' : 'is not exported by'
        const lacks = { importer: instance.id, specifier: meta.deps[at]!, source: dep.id, name }
        throw new MissingExport(`\`${name}\`, imported by ${instance.id}, ${why} ${dep.id}`, lacks)
      }
    })
  }

  private isAmbiguous(instance: Instance, name: string): boolean {
    const found = (instance.definition.meta.stars ?? []).filter((at) => {
      const dep = this.dep(instance, at)
      return dep && this.originOf(dep, name)
    })
    return found.length > 1
  }

  /** Points the instance's imports at the namespaces that are live now. */
  link(instance: Instance): void {
    instance.linkImports?.((at) => this.seenBy(instance, at))
  }

  // ---- evaluate

  /** Runs the bodies in post-order. From the first module that waits on, its importers wait too; siblings do not. */
  evaluate(order: Instance[]): Promise<void> | undefined {
    const waiting: Promise<void>[] = []
    for (const [at, instance] of order.entries()) {
      if (instance.state !== 'linked') continue // A `require` was faster.
      const before = this.pendingDeps(instance)
      if (before.length > 0) {
        instance.state = 'evaluating'
        instance.done = this.unlessGivenUp(instance, Promise.all(before).then(() => this.evaluateLate(instance)))
      } else {
        try {
          instance.done = this.evaluateOne(instance) ?? null
        } catch (error) {
          // What comes after has not run; whoever imports it later starts it anew.
          for (const unreached of order.slice(at + 1)) if (unreached.state === 'linked') this.remove(unreached.id)
          for (const required of this.made) if (required.deferred) this.remove(required.id)
          this.failCycles(order.slice(0, at), error)
          throw error
        }
      }
      if (!instance.done) continue
      this.waiting += 1
      instance.waitsSince = performance.now()
      const settled = () => void (this.waiting -= 1)
      instance.done.catch((error: unknown) => this.fail(instance, error)).then(settled)
      waiting.push(instance.done)
    }
    return waiting.length > 0 ? Promise.all(waiting).then(() => undefined) : undefined
  }

  /** A cycle that cannot be run to its end has failed, also where it ran (ECMA-262 section 16.2.1.5.3). */
  private failCycles(ran: Instance[], error: unknown): void {
    for (const instance of ran) {
      const last = this.instances.get(instance.cycle)
      if (!last || last.state === 'failed') this.fail(instance, error)
    }
  }

  /**
   * What an instance must wait for. A cycle is done when its last module is; inside of it each waits for its own. So does
   * a new copy, which may belong to a cycle that is still waiting.
   */
  private pendingDeps(instance: Instance): Promise<void>[] {
    const pending: Promise<void>[] = []
    if (this.waiting === 0) return pending
    const through = [instance]
    for (const importer of through) {
      for (const link of this.staticDeps(importer.definition)) {
        const dep = typeof link === 'string' ? this.instances.get(link) : undefined
        if (!dep) continue
        if (dep.deferred) {
          // It may be required at once, and would meet what it imports half done.
          if (!through.includes(dep)) through.push(dep)
          continue
        }
        const last = instance.replaced || dep.cycle === instance.cycle ? dep : this.lastOfCycle(dep)
        if (last.done && last.state === 'evaluating' && last !== instance) pending.push(last.done)
      }
    }
    return pending
  }

  /**
   * While it waited for its dependencies, the update it belonged to may have been put back, or another copy may have taken
   * its place, or the place of a dependency.
   */
  private evaluateLate(instance: Instance): Promise<void> | undefined {
    if (this.instances.get(instance.id) !== instance) return undefined
    const before = this.pendingDeps(instance)
    if (before.length > 0) return Promise.all(before).then(() => this.evaluateLate(instance))
    return this.evaluateOne(instance)
  }

  private evaluateOne(instance: Instance): Promise<void> | undefined {
    instance.state = 'evaluating'
    instance.deferred = false
    instance.ran = ++this.ran
    try {
      if (instance.cjs) {
        this.evaluateCommonjs(instance)
      } else {
        if (this.hasCommonjsDep(instance)) this.relink(instance)
        const step = instance.generator!.next()
        if (step instanceof Promise) return step.then(() => this.succeed(instance))
        if (!step.done) return this.resume(instance, step).then((hasEnded) => (hasEnded ? this.succeed(instance) : undefined))
      }
    } catch (error) {
      this.fail(instance, error)
      throw error
    }
    this.succeed(instance)
    return undefined
  }

  /**
   * Top-level `await` is compiled to `yield`, so that a body begins at once; here each value is waited for. False if another
   * copy took its place meanwhile.
   */
  private async resume(instance: Instance, step: IteratorResult<unknown>): Promise<boolean> {
    const generator = instance.generator as Generator
    while (!step.done) {
      const settling = Promise.resolve(step.value).then((value) => ({ value }), (error: unknown) => ({ error }))
      const settled = await this.unlessGivenUp(instance, settling)
      if (!settled) return false
      if (this.instances.get(instance.id) !== instance) {
        await this.unlessGivenUp(instance, new Promise<void>((go) => (instance.unpark = go)))
        if (instance.isGivenUp) return false
      }
      step = 'error' in settled ? generator.throw(settled.error) : generator.next(settled.value)
    }
    return true
  }

  /** What `wait` brings; undefined as soon as the instance is given up. */
  private unlessGivenUp<T>(instance: Instance, wait: Promise<T>): Promise<T | undefined> {
    if (instance.isGivenUp) return Promise.resolve(undefined)
    const end = new Promise<undefined>((done) => (instance.end = () => done(undefined)))
    return Promise.race([end, wait])
  }

  private succeed(instance: Instance): void {
    instance.state = 'evaluated'
    instance.done = null
    instance.generator = null
    instance.before = null
    this.host.evaluated?.(instance)
  }

  private fail(instance: Instance, error: unknown): void {
    instance.state = 'failed'
    instance.error = error
    instance.generator = null
    instance.before = null
  }

  private hasCommonjsDep(instance: Instance): boolean {
    return instance.definition.links.some((link, at) => {
      if (isPicked(link)) return modulesOf(link).some((id) => this.instances.get(id)?.open)
      const dep = this.dep(instance, at)
      return dep?.cjs || dep?.open
    })
  }

  /** What a CommonJS module exports is known only after it has run. */
  private relink(instance: Instance): void {
    if (instance.resolved) {
      this.resolveExports([instance])
      this.makeNamespace(instance)
    }
    this.checkNames(instance)
    this.link(instance)
  }

  // ---- CommonJS

  private evaluateCommonjs(instance: Instance): void {
    const module = instance.cjs!
    this.setCommonjsNamespace(instance)
    const run = instance.definition.factory as (...parameters: unknown[]) => void
    run.call(module.exports, module, module.exports, this.requireOf(instance), this.host.runtimeOf(instance))
    module.loaded = true
    this.setCommonjsNamespace(instance)
    // In a cycle importers have begun before its exports were known.
    for (const id of this.importers.get(instance.id) ?? []) {
      const importer = this.instances.get(id)
      if (importer && !importer.cjs && importer.ran > instance.ran) this.relink(importer)
    }
  }

  /** `require` of one module: the required one runs when it is called for the first time, as in Node. */
  private requireOf(instance: Instance): unknown {
    const { meta, links } = instance.definition
    const known = new Map(meta.deps.map((specifier, at) => [specifier, links[at]]))
    // The same specifier in an `import()` may mean another file.
    meta.deps.forEach((specifier, at) => !meta.dynamic?.includes(at) && known.set(specifier, links[at]))
    const find = (specifier: string): Instance => {
      const link = known.get(specifier)
      const dep = typeof link === 'string' ? this.instances.get(link) : undefined
      if (dep) return dep
      const why = Array.isArray(link) ? `${specifier} is an address, which cannot be required` : `cannot find module '${specifier}'`
      throw Object.assign(new Error(`${why}, required by ${instance.id}`), { code: 'MODULE_NOT_FOUND' })
    }
    const require = (specifier: unknown) => {
      const dep = find(String(specifier))
      this.runRequired(dep, instance)
      return this.requiredValue(dep)
    }
    return Object.assign(require, { resolve: (specifier: unknown) => find(String(specifier)).id, cache: {}, main: undefined, extensions: {} })
  }

  /** What a CommonJS module imports, run by now. */
  imported(instance: Instance, at: number): Namespace {
    for (const id of modulesOf(instance.definition.links[at])) this.runRequired(this.instances.get(id)!, instance)
    return this.seenBy(instance, at)
  }

  /** `require` of dependency `at` in an ES module. */
  requiredAt(instance: Instance, at: number): unknown {
    return (this.requireOf(instance) as (specifier: string) => unknown)(instance.definition.meta.deps[at]!)
  }

  private runRequired(dep: Instance, by: Instance): void {
    if (dep.state === 'failed') throw dep.error
    if (dep.state !== 'linked') return
    for (const instance of this.importedBy(dep, ({ state }) => state === 'linked')) {
      if (instance.state !== 'linked') continue
      const { deferred } = instance
      let pending
      try {
        pending = this.evaluateOne(instance)
      } catch (error) {
        // The next `require` tries again.
        if (instance.cjs) Object.assign(instance, { state: 'linked', deferred, cjs: blankCommonjs(instance.id) })
        throw error
      }
      if (!pending) continue
      pending.catch((error: unknown) => this.fail(instance, error))
      throw new Error(`${instance.id} awaits at its top level, so it cannot be required (by ${by.id})`)
    }
  }

  /** What `require` gives: of an ES module its namespace, with a mark by which compiled code knows it. */
  private requiredValue(dep: Instance): unknown {
    if (dep.cjs) return dep.cjs.exports
    const { namespace } = dep
    if (dep.definition.meta.value) return namespace.default
    if (Object.hasOwn(namespace, 'module.exports')) return namespace['module.exports']
    let view = this.required.get(namespace)
    if (!view) {
      view = Object.hasOwn(namespace, '__esModule') ? {} : Object.defineProperty({}, '__esModule', { value: true })
      for (const name of Object.keys(namespace)) Object.defineProperty(view, name, { enumerable: true, get: () => namespace[name] })
      this.required.set(namespace, view)
    }
    return view
  }

  private readonly required = new WeakMap<Namespace, object>()

  private setCommonjsNamespace(instance: Instance): void {
    const module = instance.cjs!
    instance.namespace = commonjsNamespace(module, () => module.exports)
    const marked = isObject(module.exports) && module.exports.__esModule && 'default' in module.exports
    instance.babel = marked ? commonjsNamespace(module, () => module.exports.default) : instance.namespace
  }

  // ---- live bindings

  /**
   * Lets everyone who imports one of `replaced`, directly or through modules that pass names on, read the new
   * exports. Nothing runs again. Gives an error for each import whose name is gone.
   */
  rebind(replaced: ReadonlySet<ModuleId>): SyntaxError[] {
    const renewed = new Set(replaced)
    for (const id of renewed) {
      for (const importer of this.importers.get(id) ?? []) {
        const { stars, from } = this.instances.get(importer)?.definition.meta ?? {}
        if ((stars || from) && !replaced.has(importer)) renewed.add(importer)
      }
    }
    const passing = [...renewed].filter((id) => !replaced.has(id)).map((id) => this.instances.get(id)!)
    this.resolveExports(passing)
    for (const instance of passing) this.makeNamespace(instance)
    const importers = new Set<ModuleId>()
    for (const id of renewed) for (const importer of this.importers.get(id) ?? []) importers.add(importer)
    const gone: SyntaxError[] = []
    for (const id of importers) {
      const importer = this.instances.get(id)!
      this.link(importer)
      try {
        if (!replaced.has(id)) this.checkNames(importer)
      } catch (error) {
        gone.push(error as SyntaxError)
      }
    }
    return gone
  }
}

function isObject(value: unknown): value is Namespace {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** The properties of `module.exports` as exports. What is added to it later, or inherited, is found behind them. */
function commonjsNamespace(module: CommonjsModule, defaultExport: () => unknown): Namespace {
  const names = isObject(module.exports) && !Array.isArray(module.exports) ? Object.keys(module.exports) : []
  const namespace: Namespace = {}
  for (const name of new Set(['default', ...names].sort())) {
    if (name === '__esModule') continue
    Object.defineProperty(namespace, name, { enumerable: true, get: name === 'default' ? defaultExport : () => module.exports[name] })
  }
  Object.defineProperty(namespace, Symbol.toStringTag, { value: 'Module' })
  Object.setPrototypeOf(namespace, isObject(module.exports) ? module.exports : null)
  return Object.seal(namespace)
}
