/**
 * What compiled code calls: `$r.import(0)`, `$r.glob(0, null)`, `$r.asset(2)`, `$r.style(css)`.
 *
 * Where a specifier is constant, compiled code has the number of the dependency instead; its meaning is in the definition's links.
 */
import type { Link } from './definition'
import type { Instance, Namespace } from './instance'
import type { ModuleId } from './messages'
import { pathOf, splitQuery, splitSuffix, withSuffix, workerAddress } from './query'
import type { Refresh } from './refresh'

/** What these calls need of the page. */
export interface RuntimeHost {
  importModule(id: ModuleId, importer: Instance): Promise<Namespace>
  importAddress(address: string, attribute: string | null): Promise<Namespace>
  resolve(importer: Instance, specifier: string): ModuleId | null
  /** Asks the server for a module of the project that no import names. */
  find(importer: Instance, specifier: string): Promise<ModuleId | null>
  /** The address of a module, to which specifiers that mean no module are relative. */
  addressOf(id: ModuleId): string
  /** The namespace of what a CommonJS module imports; runs it if it has not run. */
  imported(instance: Instance, at: number): Namespace
  /** What `require` gives for a dependency. */
  required(instance: Instance, at: number): unknown
  /** The namespace of a live module. */
  namespaceOf(id: ModuleId): Namespace
  updateStyle(id: string, css: string): void
  acceptStyle(instance: Instance): void
  refresh: Refresh
}

interface WasmInstance {
  exports: Record<string, unknown>
}

/** The exports of WebAssembly modules. Scripts import the values of their globals, other WebAssembly modules the globals themselves. */
const wasmExports = new WeakMap<Namespace, Record<string, unknown>>()

export class ModuleRuntime {
  constructor(
    private readonly host: RuntimeHost,
    private readonly instance: Instance,
  ) {}

  /** An `import` statement in a CommonJS module: runs what it imports. */
  imported(at: number): Namespace {
    return this.host.imported(this.instance, at)
  }

  /** `require('…')` in an ES module. */
  require(at: number): unknown {
    return this.host.required(this.instance, at)
  }

  /** `import(specifier)`: a number names a dependency of the definition, a string is resolved now. */
  async import(target: unknown, options?: { with?: { type?: string } }): Promise<Namespace> {
    const { id, definition } = this.instance
    if (typeof target === 'number') {
      const link = definition.links[target]!
      if (typeof link === 'string') return this.host.importModule(link, this.instance)
      if (Array.isArray(link)) return this.host.importAddress(link[0], definition.meta.with?.[target] ?? null)
      throw new TypeError(`cannot find ${definition.meta.deps[target]}, imported by ${id}`)
    }
    const specifier = String(target)
    const module = this.host.resolve(this.instance, specifier)
    if (module) return this.host.importModule(module, this.instance)
    const found = await this.host.find(this.instance, specifier)
    if (found) return this.host.importModule(found, this.instance)
    if (!/^([./]|[a-z][a-z+.-]*:)/i.test(specifier)) throw new TypeError(`cannot find ${specifier}, imported by ${id}`)
    try {
      return await this.host.importAddress(new URL(specifier, this.host.addressOf(id)).href, options?.with?.type ?? null)
    } catch (error) {
      if (!/^\.{0,2}\//.test(specifier) || !/dynamically imported module|importing a module script/i.test(String(error))) throw error
      const advice = 'write the path so that it begins with ./ or ../ and ends with an extension: then the files it can mean are known'
      throw new TypeError(`cannot import ${specifier} in ${id}; ${advice}`, { cause: error })
    }
  }

  /** `` import(`./pages/${name}.js`) ``: one of the files that matched when the module was compiled. */
  async importGlob(at: number, path: unknown): Promise<Namespace> {
    const wanted = pathOf(String(path))
    const match = this.instance.definition.globs[at]!.find(([key]) => key === wanted)
    // Not a path: the name of a package, or of something that only this page knows.
    if (!match && !/^\.{0,2}\//.test(wanted)) return this.import(path)
    if (!match) throw new Error(`no file matches the import of ${String(path)} in ${this.instance.id}`)
    return this.host.importModule(match[1], this.instance)
  }

  /** `import.meta.glob(…)`: an object by path, of modules (eager) or of functions that import them. */
  glob(at: number, name: string | null): Record<string, unknown> {
    const { definition } = this.instance
    const pick = (namespace: Namespace) => (name === null ? namespace : namespace[name])
    const eager = definition.meta.eager?.includes(at)
    const found: Record<string, unknown> = {}
    for (const [key, id] of definition.globs[at]!) {
      found[key] = eager ? pick(this.host.namespaceOf(id)) : () => this.host.importModule(id, this.instance).then(pick)
    }
    return found
  }

  /**
   * Address of the file behind `new URL('…', import.meta.url)` or `url(…)`, with what follows it there (`?v=2#icon`).
   * A missing file fails when it is fetched, as it would in a browser without rekindle.
   */
  asset(at: number, suffix = ''): string {
    const link = this.instance.definition.links[at]
    const address = Array.isArray(link) ? link[0] : this.instance.definition.meta.deps[at]!
    return withSuffix(address, suffix)
  }

  /** `$RefreshReg$` and `$RefreshSig$` of a component file. */
  readonly register = (type: unknown, name: string) => this.host.refresh.register(this.instance, type, name)
  readonly signature = () => this.host.refresh.signature(this.instance)

  /** `const Theme = createContext(…)`: gives the context of the copy before, unless the code it is made of was edited. */
  keep(value: unknown, name: string, digest: string, ...deps: number[]): unknown {
    const links = deps.map((at) => this.instance.definition.links[at]!)
    return this.host.refresh.keep(this.instance, value, name, digest, links)
  }

  /** ``new URL(`./pics/${name}.png`, import.meta.url)``: the address of the file that matched, else what was written. */
  assetGlob(at: number, path: unknown): string {
    const [wanted, suffix] = splitSuffix(String(path))
    const match = this.instance.definition.globs[at]!.find(([key]) => key === wanted)
    if (!match) return String(path)
    const address = String(this.host.namespaceOf(match[1]).default)
    return withSuffix(address, suffix)
  }

  /** The script of a worker that runs dependency `at`: that module, and all it imports, in a thread of its own. */
  worker(at: number): string {
    const link = this.instance.definition.links[at]
    if (Array.isArray(link)) return link[0]
    if (typeof link !== 'string') throw new TypeError(`cannot find ${this.instance.definition.meta.deps[at]}, a worker of ${this.instance.id}`)
    return workerAddress(this.host.addressOf(link))
  }

  /** `import W from './w?worker'`: `new W({ name })` starts one. */
  workerClass(at: number, kind: 'Worker' | 'SharedWorker'): unknown {
    const address = this.worker(at)
    return function WorkerWrapper(options?: WorkerOptions) {
      return new globalThis[kind](address, { ...options, type: 'module' })
    }
  }

  /** Instantiates the WebAssembly file behind dependency `at`. */
  async wasm(at: number, imports: Record<string, Record<string, unknown>> = {}): Promise<WasmInstance> {
    const { meta, links } = this.instance.definition
    // With `?init` the caller passes the imports. As a module it imports other modules: the dependencies before `at`.
    if (!meta.async) return this.instantiate(at, imports)
    const given = meta.deps.slice(0, at).map((specifier, dep) => [specifier, this.wasmExportsOf(links[dep]!) ?? imports[specifier]!])
    const made = await this.instantiate(at, Object.fromEntries(given))
    wasmExports.set(this.instance.namespace, made.exports)
    return made
  }

  private wasmExportsOf(link: Link): Record<string, unknown> | undefined {
    return typeof link === 'string' ? wasmExports.get(this.host.namespaceOf(link)) : undefined
  }

  private async instantiate(at: number, imports: Record<string, Record<string, unknown>>): Promise<WasmInstance> {
    const address = this.asset(at)
    // String built-ins of the engine, for modules that use them. Other engines ignore the options.
    const options = { builtins: ['js-string'], importedStringConstants: 'wasm:js/string-constants' }
    const run = WebAssembly as unknown as Record<string, (...parameters: unknown[]) => Promise<{ instance: WasmInstance }>>
    const response = await fetch(address)
    if (!response.ok) throw new TypeError(`${address} answers ${response.status}`)
    const streams = response.headers.get('content-type')?.startsWith('application/wasm') && 'instantiateStreaming' in WebAssembly
    if (streams) return (await run.instantiateStreaming!(response, imports, options)).instance
    return (await run.instantiate!(await response.arrayBuffer(), imports, options)).instance
  }

  /** Gives the function of `export default function () {}` its name, which is "default". */
  nameDefault(fn: object): void {
    Object.defineProperty(fn, 'name', { value: 'default', configurable: true })
  }

  /** Puts a style sheet on the page, or replaces its text. `accepts`: the module accepts its own updates. */
  style(css: string, accepts: boolean): void {
    this.host.updateStyle(this.instance.id, css)
    if (accepts) this.host.acceptStyle(this.instance)
  }
}

/** The address of a module below `prefix`: `/src/a #1.ts?x` → `…/src/a%20%231.ts?x`. The query stays as it is. */
export function addressBelow(prefix: string, id: ModuleId): string {
  const [path, query] = splitQuery(id)
  return prefix + encodeURI(path).replaceAll('#', '%23') + (query ? `?${query}` : '')
}

/** `import.meta.filename` and `import.meta.dirname`: paths from the root of the project. */
export function fileOf(id: ModuleId): { filename: string; dirname: string } {
  const filename = pathOf(id)
  return { filename, dirname: filename.slice(0, filename.lastIndexOf('/')) || '/' }
}
