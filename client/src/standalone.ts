/**
 * The registry for a script that stands alone, in a worklet for instance: all its definitions are in it, and it is never updated.
 *
 *     const { define, run } = standalone('/', env)
 *     define('/src/gain.ts', …)
 *     run('/src/gain.ts')
 */
import type { Instance, Namespace } from './core/instance'
import type { ModuleId } from './core/messages'
import { Registry } from './core/registry'
import { addressBelow, fileOf, ModuleRuntime, type RuntimeHost } from './core/runtime'

export function standalone(base: string, env: Record<string, unknown>): { define: Registry['define']; run(id: ModuleId): void } {
  // Worklets have no location. Their addresses begin at the root.
  const origin = typeof location === 'undefined' ? '' : location.origin
  const addressOf = (id: ModuleId) => addressBelow(origin + base.slice(0, -1), id)
  const importNative = async (address: string, attribute: string | null): Promise<Namespace> =>
    attribute ? import(address, { with: { type: attribute } }) : import(address)
  const metaOf = ({ id }: Instance): object => Object.assign(Object.create(null), { url: addressOf(id), env, ...fileOf(id) })
  const knows = (id: ModuleId) => registry.definitions.has(id)
  const unstyled = () => console.warn('[rekindle] a style sheet was left out, because there is no page here')
  const host: RuntimeHost = {
    async importModule(id) {
      if (!knows(id)) return importNative(addressOf(id), null)
      await registry.run([id])
      await registry.finished(id)
      return registry.instances.get(id)!.namespace
    },
    importAddress: importNative,
    resolve: (importer, specifier) => {
      const { meta, links } = importer.definition
      const link = links[meta.deps.indexOf(specifier)]
      return typeof link === 'string' && knows(link) ? link : null
    },
    find: async () => null,
    addressOf,
    imported: (instance, at) => registry.imported(instance, at),
    required: (instance, at) => registry.requiredAt(instance, at),
    namespaceOf: (id) => registry.instances.get(id)!.namespace,
    updateStyle: unstyled,
    acceptStyle: () => {},
    refresh: {
      register: () => {},
      signature: () => (type: unknown) => type,
      keep: (_: Instance, value: unknown) => value,
    } as unknown as RuntimeHost['refresh'],
  }
  const registry: Registry = new Registry({ metaOf, runtimeOf: (instance) => new ModuleRuntime(host, instance), importNative })
  return {
    define: (...definition) => registry.define(...definition),
    run(id) {
      if (registry.needsNatives([id])) void registry.importNatives([id]).then(() => registry.run([id]))
      else void registry.run([id])
    },
  }
}
