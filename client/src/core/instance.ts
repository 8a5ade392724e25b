/**
 * One evaluation of one version of a module: what the registry, the linker and the evaluator note of it.
 *
 *     linked ─► evaluating ─► evaluated
 *                         └─► failed        its code threw, or that of a module in its import cycle
 */
import type { Definition } from './definition'
import type { LackingImport, ModuleId } from './messages'

export type Namespace = Record<string, unknown>
export type Getters = Record<string, () => unknown>
export type LinkImports = (namespaceOf: (dep: number) => Namespace) => void
export type ModuleGenerator = Generator | AsyncGenerator

/** `module` of a CommonJS definition. */
export interface CommonjsModule {
  exports: Namespace
  id: ModuleId
  filename: ModuleId
  loaded: boolean
  children: []
  paths: []
}

/** A value that survives updates (the result of `createContext`), with the digest of its code and the copies that code used. */
interface KeptValue {
  digest: string
  deps: (Instance | undefined)[]
  value: unknown
}

/** Why a module is to run again although its newest definition runs already. */
export type DueReason = { kind: 'import-failed'; importer: ModuleId } | { kind: 'was-gone'; id: ModuleId }

export interface Instance {
  id: ModuleId
  definition: Definition
  state: 'linked' | 'evaluating' | 'evaluated' | 'failed'
  /** Place in the depth-first walk that reached the module first: updates run in this order, so that cycles behave as they did. */
  reached: number
  /** This copy replaced an earlier one. */
  replaced: boolean
  /** The module through which its import cycle was entered, and which is the last of the cycle to run; itself if it is in none. */
  cycle: ModuleId
  /** It passes on names of CommonJS modules, so that some of its exports are known only after those have run. */
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
  /** Of CommonJS: the namespace for importers with `Meta.babel`. */
  babel: Namespace
  /** No module imports it, some module requires it: it runs when `require` is called. */
  deferred: boolean
  /** Number of this evaluation among all of the page. */
  ran: number
  /** Modules that this copy has imported with `import()`. */
  imported: ReadonlySet<ModuleId>
  /** While this copy runs: the copy that it replaces. */
  before: Instance | null
  /** Values that the next copy takes over. */
  kept: Map<string, KeptValue> | null
  /** Another copy has replaced it for good while it waited at its top-level await: it is never resumed. */
  isGivenUp: boolean
  /** While it waits: ends the wait because the copy was given up. */
  end: (() => void) | null
  /** While an update tries out another copy in its place: lets it go on. */
  unpark: (() => void) | null
  /** Why it is to run again although its definition is the newest. */
  due: DueReason | null
}

/** The instance and the name there that an export stands for; `*` is the namespace of that instance. */
export interface Origin {
  home: Instance
  name: string
  /** The module that passes the name on has `Meta.babel`. */
  babel?: boolean
}

/** Values for the fields of an instance that is not linked yet. */
const NO_EXPORTS = Object.freeze({}) as never
export const NO_MODULES: ReadonlySet<ModuleId> = new Set()

export function blankInstance(definition: Definition, reached: number, replaced: boolean): Instance {
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
export function nativeInstance(address: string, namespace: Namespace): Instance {
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

export function blankCommonjs(id: ModuleId): CommonjsModule {
  return { exports: {}, id, filename: id, loaded: false, children: [], paths: [] }
}

/** A module imports a name that its dependency does not export. */
export class MissingExport extends SyntaxError {
  constructor(
    message: string,
    readonly lacks: LackingImport,
  ) {
    super(message)
  }
}

/** What the page provides for instances. */
export interface Host {
  /** `import.meta` of a new instance. */
  metaOf(instance: Instance): object
  /** The object whose methods compiled code calls: `import`, `glob`, `asset`, `style`. */
  runtimeOf(instance: Instance): object
  /** Loads an address that the browser can load itself. */
  importNative(address: string, attribute: string | null): Promise<Namespace>
  /** Called when the body of an instance has run. */
  evaluated?(instance: Instance): void
}
