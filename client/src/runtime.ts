/**
 * What compiled code calls: `$r.import(0)`, `$r.glob(0, null)`, `$r.asset(2)`, `$r.style(css)`.
 *
 * The compiler writes numbers where it knew the specifier; what they mean travels beside the definition as links.
 */
import type { ModuleId } from './messages'
import type { Instance, Namespace } from './registry'

/** What the calls need of the client. */
export interface RuntimeHost {
  importModule(id: ModuleId, importer: Instance): Promise<Namespace>
  importAddress(address: string, attribute: string | null): Promise<Namespace>
  resolve(importer: Instance, specifier: string): ModuleId | null
  /** Browser address of a module's folder, for specifiers that mean no module. */
  addressOf(id: ModuleId): string
  updateStyle(id: string, css: string): void
  acceptStyle(instance: Instance): void
}

export class ModuleRuntime {
  constructor(
    private readonly host: RuntimeHost,
    private readonly instance: Instance,
  ) {}

  /** A static import of a CommonJS module that has both: what it imports runs now. */
  imported!: (at: number) => Namespace

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
    if (!/^([./]|[a-z][a-z+.-]*:)/i.test(specifier)) throw new TypeError(`cannot find ${specifier}, imported by ${id}`)
    return this.host.importAddress(new URL(specifier, this.host.addressOf(id)).href, options?.with?.type ?? null)
  }

  /** `` import(`./pages/${name}.js`) ``: one of the files that matched when the module was compiled. */
  async importGlob(at: number, path: unknown): Promise<Namespace> {
    const wanted = String(path).split('?')[0]
    const match = this.instance.definition.globs[at]!.find(([key]) => key === wanted)
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
      found[key] = eager ? pick(this.liveNamespace(id)) : () => this.host.importModule(id, this.instance).then(pick)
    }
    return found
  }

  /** Set by the client, which knows the registry. */
  liveNamespace!: (id: ModuleId) => Namespace

  /**
   * Address of the file behind `new URL('…', import.meta.url)` or `url(…)`, with what follows it there (`?v=2#icon`).
   * A file that is not there fails when it is fetched, as it would without us.
   */
  asset(at: number, suffix = ''): string {
    const link = this.instance.definition.links[at]
    const address = Array.isArray(link) ? link[0] : this.instance.definition.meta.deps[at]!
    return address + (address.includes('?') ? suffix.replace(/^\?/, '&') : suffix)
  }

  /** `export default function () {}` is called "default". */
  nameDefault(fn: object): void {
    Object.defineProperty(fn, 'name', { value: 'default', configurable: true })
  }

  /** Puts a stylesheet on the page, or its new text in the place of the old; `urls` stand at the placeholders. */
  style(css: string, accepts: boolean): void {
    this.host.updateStyle(this.instance.id, css)
    if (accepts) this.host.acceptStyle(this.instance)
  }
}
