/**
 * `import.meta.glob('./pages/*.ts')`: every file that matches, as a record from its path to its module, or, unless
 * `eager`, to a function that imports it.
 */

/** What a known query makes of a file. For other queries the caller gives the type as an argument. */
export interface KnownAsTypeMap {
  raw: string
  url: string
  worker: Worker
}

type KnownQueries = { [Name in keyof KnownAsTypeMap as `?${Name}`]: KnownAsTypeMap[Name] }
// `string & {}` keeps the known names in the editor's completion.
type Query = keyof KnownQueries | (string & {}) | Record<string, string | number | boolean>

export interface ImportGlobOptions<Eager extends boolean, AsType extends string, QueryType extends Query> {
  /** @deprecated say `query: '?url', import: 'default'` instead of `as: 'url'` */
  as?: AsType
  /** Import the files statically, instead of giving a function for each. Default `false`. */
  eager?: Eager
  /** Take this export only; `default` for the default export. */
  import?: string
  /** Query put behind every path, such as `?raw`. */
  query?: QueryType
  /** Look into `node_modules` and hidden folders too. Default `false`. */
  exhaustive?: boolean
  /** Folder that relative patterns, and the keys of the result, start at. */
  base?: string
  /** Default `true`. */
  caseSensitive?: boolean
}

export type ImportGlobOptionsWithoutAs<Eager extends boolean, QueryType extends Query> =
  & Omit<
    ImportGlobOptions<Eager, string, QueryType>,
    'as'
  >
  & { as?: never }

export type GeneralImportGlobOptions = ImportGlobOptions<boolean, string, Query>

// The brackets keep the conditional type from distributing over `boolean`, which `Eager` is where `eager` is not given; that
// gives the lazy record.
type GlobResult<Eager extends boolean, T> = [Eager] extends [true] ? Record<string, T> : Record<string, () => Promise<T>>

export interface ImportGlobFunction {
  /** The types follow from the options. */
  <Eager extends boolean, QueryType extends Query, T = QueryType extends keyof KnownQueries ? KnownQueries[QueryType] : unknown>(
    glob: string | string[],
    options?: ImportGlobOptionsWithoutAs<Eager, QueryType>,
  ): GlobResult<Eager, T>
  /** The same for the deprecated `as`. */
  <Eager extends boolean, As extends string, T = As extends keyof KnownAsTypeMap ? KnownAsTypeMap[As] : unknown>(
    glob: string | string[],
    options?: ImportGlobOptions<Eager, As, Query>,
  ): GlobResult<Eager, T>
  /** The caller gives the modules' type as an argument. */
  <M>(glob: string | string[], options?: ImportGlobOptions<false, string, Query>): Record<string, () => Promise<M>>
  /** The same with `eager: true`. */
  <M>(glob: string | string[], options: ImportGlobOptions<true, string, Query>): Record<string, M>
}

declare global {
  // For projects without the DOM library; merges with the real one otherwise.
  interface Worker {}
}
