/**
 * What the compiler says of a module before it runs.
 *
 *     $d('/a.js', '4be1…', ['/b.js'], 0, { deps: ['./b.js'], names: [['b']] }, function* ($x) { … })
 *
 * Specifiers stand in `meta` as they were written; what each of them means now stands at the same place in `links`.
 */
import type { ModuleId } from './messages'

/** The names that are imported from a package's index, each with the module that declares it and its name there. */
export type PickedNames = { [name: string]: [id: ModuleId, name: string] }

/**
 * What a specifier means: a module; an address (in a list) that the browser loads itself; for the index of a package the modules
 * behind the imported names; null if it cannot be resolved.
 */
export type Link = ModuleId | [string] | PickedNames | null

/** For each `import.meta.glob` call its matches: key and module. */
export type GlobMatches = [key: string, id: ModuleId][]

export interface Meta {
  /** Specifiers as they were written, those of static imports first. */
  deps: string[]
  /** For each static dependency the names that are imported from it; `*` is the namespace. */
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
  /** For each dependency the `type` of its import attributes. */
  with?: (string | null)[]
  /** The module awaits at its top level. */
  async?: boolean
  /** The module is CommonJS. */
  cjs?: boolean
  /**
   * How the module imports from CommonJS that sets `__esModule`: `default` is `exports.default` for all imports (1), or for static
   * imports only (2). Without it `default` is always `module.exports`, as in Node.
   */
  babel?: 1 | 2
  /** `require` of the module gives its default export, as for JSON. */
  value?: boolean
  /** Digest of a CSS module's class names: while it stays the same, importers need not run again. */
  shape?: string
  /** Of a module with components: for each export a digest of the code it is made of, and the dependencies that code uses. */
  made?: Record<string, [digest: string, ...deps: number[]]>
  /** The default export is a component without a name. */
  anonymous?: boolean
  /** The components lose their state on every edit, because the source asks for that. */
  resets?: boolean
}

export type Factory = (...parameters: never[]) => unknown

export interface Definition {
  id: ModuleId
  /** Digest of source, options and links: modules with equal digests are equal. */
  hash: string
  links: Link[]
  globs: GlobMatches[]
  meta: Meta
  factory: Factory
  /** The result of `staticDepsOf`, once it was computed. */
  staticDeps: Link[] | null
}

/** Makes a definition of the arguments of a `$d` call. */
export function definitionOf(id: ModuleId, hash: string, links: Link[], globs: GlobMatches[] | 0, meta: Meta, factory: Factory): Definition {
  return { id, hash, links, globs: globs || [], meta, factory, staticDeps: null }
}

export function isPicked(link: Link | undefined): link is PickedNames {
  return typeof link === 'object' && link !== null && !Array.isArray(link)
}

/** The modules that a link leads to. */
export function modulesOf(link: Link | undefined): ModuleId[] {
  if (typeof link === 'string') return [link]
  return isPicked(link) ? Object.values(link).map(([id]) => id) : []
}

/** The static dependencies of a definition in evaluation order, including the matches of eager globs. */
export function staticDepsOf(definition: Definition): readonly Link[] {
  return (definition.staticDeps ??= findStaticDeps(definition))
}

function findStaticDeps({ meta, links, globs }: Definition): Link[] {
  let deps = meta.cjs ? links.filter((link, at) => typeof link === 'string' && !meta.dynamic?.includes(at)) : links.slice(0, meta.names.length)
  if (deps.some(isPicked)) deps = deps.flatMap((link) => (isPicked(link) ? modulesOf(link) : [link]))
  for (const at of meta.eager ?? []) for (const [, id] of globs[at]!) deps.push(id)
  return [...deps, ...requiredBy(meta, links)]
}

/** What an ES module requires and does not import. As in CommonJS it need not exist until `require` is called. */
export function requiredBy({ requires, names }: Meta, links: Link[]): Link[] {
  return (requires ?? []).filter((at) => at >= names.length).map((at) => links[at]!).filter((link) => typeof link === 'string')
}

/** The modules that `import()`s and globs of a module may bring, as far as they are known before the code runs. */
export function dynamicDepsOf({ meta, links, globs }: Definition): ModuleId[] {
  const dynamic = (meta.dynamic ?? []).flatMap((at) => modulesOf(links[at]))
  return [...dynamic, ...globs.flatMap((matches) => matches.map(([, id]) => id))]
}

/** Says of any module whether an `import()` in this one may bring it. */
export function lazyImportsOf(definition: Definition): { has(id: ModuleId): boolean } {
  return definition.meta.computed ? { has: () => true } : new Set(dynamicDepsOf(definition))
}
