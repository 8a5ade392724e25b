/**
 * What modules get from the page: `import.meta`, `import()`, and addresses for specifiers that are known only at run time.
 *
 *     import('./chart.js')          fetches what is missing, runs it, gives its namespace
 *     import(`./pages/${name}`)     resolved here, among the modules this tab knows, else by the server
 */
import { MissingExport, type Instance, type Namespace } from '../core/instance'
import type { ModuleId } from '../core/messages'
import { pathOf } from '../core/query'
import { fileOf, ModuleRuntime, type RuntimeHost } from '../core/runtime'
import { orderStyles } from './dom/sheets'
import { styleCount, updateStyle } from './dom/styles'
import { foundUnlinked, refreshOverlay, showErrors } from './errors'
import { fetchMissing, load } from './loading'
import { env, errors, hot, refresh, registry, updater } from './parts'
import { enqueue } from './queue'
import { addressOf } from './settings'
import { state } from './state'

/** `import.meta` of a module. */
export function metaOf(instance: Instance): object {
  const context = hot.create(instance)
  const meta: Record<string, unknown> = Object.create(null)
  meta.url = addressOf(instance.id)
  meta.env = env
  meta.hot = context.api
  meta.resolve = (specifier: unknown) => resolveAddress(instance, String(specifier))
  return Object.assign(meta, fileOf(instance.id))
}

/** The object whose methods the compiled code of a module calls. */
export function runtimeOf(instance: Instance): object {
  return new ModuleRuntime(runtimeHost, instance)
}

const runtimeHost: RuntimeHost = {
  importModule,
  importAddress: importNative,
  resolve: resolveInTab,
  find: findModule,
  addressOf,
  refresh,
  imported: (instance, at) => registry.imported(instance, at),
  required: (instance, at) => registry.requiredAt(instance, at),
  namespaceOf: (id) => registry.instances.get(id)!.namespace,
  updateStyle(id, css) {
    const before = styleCount()
    updateStyle(id, css)
    if (styleCount() > before) orderStyles()
  },
  acceptStyle(instance) {
    state.styleModules.add(instance.id)
    const context = hot.contexts.get(instance.id) ?? hot.create(instance)
    context.acceptors.push({ deps: null, list: false, callback: undefined })
    context.acceptsFully = true
  },
}

export async function importNative(address: string, attribute: string | null): Promise<Namespace> {
  const url = new URL(address, location.href).href
  return attribute ? import(url, { with: { type: attribute } }) : import(url)
}

// ---- specifiers that are known only at run time

/** Extensions that are tried, in the order of the server's resolver. */
const EXTENSIONS = ['', '.mjs', '.js', '.mts', '.ts', '.jsx', '.tsx', '.json', '/index.js', '/index.ts', '/index.jsx', '/index.tsx']

/** The module that a specifier means in `importer`, among the modules this tab knows. */
export function resolveInTab(importer: Instance, specifier: string): ModuleId | null {
  const { meta, links } = importer.definition
  const known = links[meta.deps.indexOf(specifier)]
  if (known !== undefined) return typeof known === 'string' ? known : null
  if (!/^\.{0,2}\//.test(specifier)) return registry.definitions.has(specifier) ? specifier : null
  return candidates(importer, specifier).find((id) => registry.definitions.has(id)) ?? null
}

/** The names that the module behind a path may have, in the order of the server's resolver. */
function candidates(importer: Instance, specifier: string): ModuleId[] {
  const url = new URL(specifier, `http://x${encodeURI(pathOf(importer.id))}`)
  const path = decodeURI(url.pathname)
  return [...EXTENSIONS.map((extension) => path + extension), path.replace(/\.(m?)js(x?)$/, '.$1ts$2')].map((name) => name + url.search)
}

/** Asks the server for the module behind a path that nothing on the page has named. */
async function findModule(importer: Instance, specifier: string): Promise<ModuleId | null> {
  if (!/^\.{0,2}\//.test(specifier)) return null
  await load([...new Set(candidates(importer, specifier))])
  return resolveInTab(importer, specifier)
}

/** `import.meta.resolve`: the address that an import of `specifier` would load. */
function resolveAddress(importer: Instance, specifier: string): string {
  const { meta, links } = importer.definition
  const link = links[meta.deps.indexOf(specifier)]
  if (Array.isArray(link)) return new URL(link[0], location.href).href
  const module = resolveInTab(importer, specifier)
  if (module) return addressOf(module)
  if (!isPath(specifier)) throw new TypeError(`cannot find ${specifier}, resolved by ${importer.id}`)
  return new URL(specifier, addressOf(importer.id)).href
}

/** Whether a specifier is a path or an address, and not the name of a package. */
function isPath(specifier: string): boolean {
  return /^([./]|[a-z][a-z+.-]*:)/i.test(specifier)
}

// ---- import()

/** How often an `import()` begins anew because its module was pruned before it had run. */
const MOST_IMPORTS = 3

/** `import()` of a module: gives its namespace, after its definitions have been fetched and run if it is not live. */
async function importModule(id: ModuleId, importer: Instance): Promise<Namespace> {
  await null // If a run is under way, it reaches all of its modules first.
  const noted: Instance[] = []
  const isUnwanted = () => registry.instances.get(importer.id) !== importer
  try {
    for (let attempt = 1;; attempt++) {
      if (!registry.hasStarted(id) && (registry.missing([id]).length > 0 || registry.needsNatives([id]))) await fetchLazy(id, importer)
      noted.push(...registry.noteDynamicImport(importer, id))
      state.lazyRoots.add(id)
      // Whoever imports a module, first or later, waits until it has run to its end.
      if (!registry.hasStarted(id)) registry.run([id])?.catch(() => {})
      await registry.finished(id)
      updater.failedImports.forget(id, importer)
      const instance = registry.instances.get(id)
      if (instance) return registry.namespaceFor(importer, instance)
      if (isUnwanted() || attempt === MOST_IMPORTS) throw new TypeError(`${id} was removed while it was imported by ${importer.id}`)
    }
  } catch (error) {
    for (const copy of noted) registry.forgetDynamicImport(copy, id)
    updater.failedImports.note(id, importer, error instanceof NoAnswerError)
    if (error instanceof MissingExport) foundUnlinked(error)
    throw error
  } finally {
    // What runs from now on may have had a mistake before: it runs by what it was until then.
    if (errors.size > 0) refreshOverlay()
    if (isUnwanted()) enqueue(() => updater.pruneUnused([id]).then(refreshOverlay))
  }
}

/** The server did not answer. */
class NoAnswerError extends TypeError {}

/** Fetches what an `import()` needs. Throws what the code with the `import()` is to see. */
async function fetchLazy(id: ModuleId, importer: Instance): Promise<void> {
  const isThere = await fetchMissing([id], load).catch((error: unknown) => {
    if (error instanceof SyntaxError) throw error // The server has answered, and this browser cannot parse the answer.
    throw new NoAnswerError(`cannot import ${id}: ${error instanceof Error ? error.message : error}`)
  })
  if (isThere) return
  const [broken] = registry.missing([id])
  const [diagnostic] = errors.get(broken!) ?? []
  if (registry.instances.get(importer.id) === importer) showErrors([broken!])
  throw new TypeError(`cannot import ${id}: ${diagnostic ? `${diagnostic.message} (${broken})` : `${broken} is not there`}`)
}
