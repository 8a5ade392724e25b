/**
 * A page without a browser: modules are written by hand, and everything that happens is a line in `log`.
 *
 *     const page = new Page()
 *     page.module('/main.js', { deps: ['/dep.js'], run: ({ hot }) => hot.accept() })
 *     page.module('/dep.js', { exports: { value: 1 } })
 *     await page.open('/main.js')
 *     await page.save('/dep.js', { exports: { value: 2 } })
 *
 * `deps` are module names, or an object from module name to the names imported from it. `stars` and `from` pass names on.
 * `run` gets `hot`, `use(dep)` (the namespace it imports), `set(name, value)` for its exports, `log`, and `load(id)`,
 * which is `import()`. `async` is for a `run` that awaits; `waits` for one that is a generator, as the compiler makes of
 * a top-level await. The client that is tested is the file in `$REKINDLE_CLIENT`.
 */
import { pathToFileURL } from 'node:url'

const runtime = await import(pathToFileURL(process.env.REKINDLE_CLIENT).href)
const { HotTable, Refresh, Registry, Updater } = runtime
export const { propagate, setBindings } = runtime

/** As page/reload.ts says it. */
const sentenceOf = ({ kind, id }) => (kind === 'not-accepted' ? `nothing accepts ${id}` : 'circular import invalidate')

let versions = 0

export class Page {
  log = []
  /** By error: what the updater asked the page to show for an update that failed. */
  failed = new Map()

  constructor() {
    const host = {
      metaOf: (instance) => ({ hot: this.hot.create(instance).api }),
      runtimeOf: (instance) => ({ load: (id) => this.load(id, instance) }),
      evaluated: (instance) => this.refresh.evaluated(instance),
      importNative: () => Promise.reject(new Error('there is no browser here')),
    }
    this.registry = new Registry(host)
    this.refresh = new Refresh(this.registry)
    this.hot = new HotTable({
      resolve: ({ definition }, specifier) => (definition.links.includes(specifier) || this.registry.definitions.has(specifier) ? specifier : null),
      send: (event, data) => void this.log.push(`sent ${event} ${JSON.stringify(data)}`),
      invalidated: (context, message) => this.invalidated(context, message),
      report: (error, doing) => this.log.push(`reported ${doing}: ${error.message}`),
    })
    this.updater = new Updater(this.registry, this.hot, this.refresh, {
      ensure: async (fresh) => this.registry.missing(fresh, fresh).length === 0,
      swapLinks: async (links) => this.log.push(`swapped ${links}`),
      reload: async ({ chain, reason }) => this.log.push(`reload ${chain.join(' → ')} (${sentenceOf(reason)})`),
      failed: (error, boundaries) => this.failed.set(error, `${boundaries.map(({ path }) => path)}: ${error.message}`),
      renderFailed: (error) => this.failed.set(error, `rendering: ${error.message}`),
      succeeded: (left) => [...this.failed.keys()].filter((error) => !left.has(error)).forEach((error) => this.failed.delete(error)),
      isBroken: () => false,
      moved: () => {},
      debug: (line) => this.log.push(line),
      report: (error, doing) => this.log.push(`reported ${doing}: ${error.message}`),
      removeStyle: () => {},
      styleOf: () => undefined,
      putStyle: () => {},
    })
  }

  get failures() {
    return [...this.failed.values()]
  }

  invalidated(context, message) {
    const payload = { ...this.updater.invalidate(context), message }
    this.log.push(`invalidate ${payload.path}, first ${payload.firstInvalidatedBy}${message ? `: ${message}` : ''}`)
  }

  // ---- modules

  /** Defines a module, or its next version. */
  module(id, { deps = [], stars = [], from = {}, dynamic = [], exports = {}, run = () => {}, waits, ...flags } = {}) {
    if (waits) flags.async = true
    const names = new Map(Array.isArray(deps) ? deps.map((dep) => [dep, ['*']]) : Object.entries(deps))
    for (const dep of [...stars, ...Object.values(from).map(([dep]) => dep)]) if (!names.has(dep)) names.set(dep, [])
    const links = [...names.keys()]
    const meta = { deps: [...links, ...dynamic], names: [...names.values()] }
    if (stars.length > 0) meta.stars = stars.map((dep) => links.indexOf(dep))
    const passed = Object.entries(from).map(([name, [dep, there]]) => [name, [links.indexOf(dep), there]])
    if (passed.length > 0) meta.from = Object.fromEntries(passed)
    if (dynamic.length > 0) meta.dynamic = dynamic.map((_, at) => links.length + at)
    Object.assign(meta, flags)
    this.registry.define(
      id,
      `${id} v${++versions}`,
      [...links, ...dynamic],
      0,
      meta,
      this.factory(links, { exports, from, run }, flags.async && !waits),
    )
    return this
  }

  /** The factory that the compiler would generate. */
  factory(links, { exports, from, run }, isAsync) {
    const { log } = this
    function prepare(setExports) {
      const values = { ...exports }
      const namespaces = []
      const getters = Object.fromEntries(Object.keys(values).map((name) => [name, () => values[name]]))
      for (const name of Object.keys(from)) getters[name] = () => {}
      setExports(getters, (namespaceOf) => links.forEach((_, at) => (namespaces[at] = namespaceOf(at))))
      return { log, use: (dep) => namespaces[links.indexOf(dep)], set: (name, value) => (values[name] = value) }
    }
    if (isAsync) {
      return async function*(setExports, { load }, { hot }) {
        const tools = prepare(setExports)
        yield
        await run({ ...tools, hot, load })
      }
    }
    return function*(setExports, { load }, { hot }) {
      const tools = prepare(setExports)
      yield
      const rest = run({ ...tools, hot, load })
      if (typeof rest?.next === 'function') yield* rest
    }
  }

  // ---- what happens to the page

  /** Runs the entries. */
  async open(...entries) {
    for (const id of entries) this.registry.entries.add(id)
    for (const id of entries) await this.registry.run([id])
    return this
  }

  /** One save: the next version of a module, or of several (pairs that follow). */
  async save(...pairs) {
    for (let at = 0; at < pairs.length; at += 2) this.module(pairs[at], pairs[at + 1])
    return this.update()
  }

  update() {
    return this.updater.update([], 1700000000000)
  }

  /** `import()` in the module of `importer`. */
  async load(id, importer) {
    if (!this.registry.instances.has(id)) await this.registry.run([id])
    this.registry.noteDynamicImport(this.registry.instances.get(importer.id) ?? importer, id)
    return this.registry.instances.get(id).namespace
  }

  /** Listens as a module would that is never replaced. */
  on(event, fn) {
    this.hot.listen(event, fn, { id: 'the test', active: true })
  }

  /** Returns the lines so far and clears the log, so that the next assertion is about what comes. */
  said() {
    return this.log.splice(0)
  }

  isLive(id) {
    return this.registry.instances.has(id)
  }

  /** The `hot` of the live instance. */
  hotOf(id) {
    return this.hot.contexts.get(id).api
  }

  /** How far a change of these would spread, in words. */
  verdict(...changed) {
    return inWords(propagate(this.registry, this.hot, this.refresh, changed))
  }
}

export function inWords(verdict) {
  if (verdict.kind === 'nothing') return 'nothing'
  if (verdict.kind === 'reload') return `reload: ${verdict.chain.join(' → ')}`
  const boundaries = verdict.boundaries.map(({ path, accepted }) => (path === accepted ? path : `${accepted} via ${path}`))
  return `${boundaries.join(', ')} · reruns ${[...verdict.rerun].join(' ')}`
}
