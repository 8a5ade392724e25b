/**
 * The parts of a tab, each made once, and how they reach the page.
 *
 *     registry ─ `import.meta` of a module? ─►  modules.ts ─ which needs the registry
 *     updater  ─ fetch, show, reload ───────►  updates.ts ─ which needs the updater
 *
 * What a part asks of the page is written with the help of the parts, in files that import this one. So those answers are handed in
 * afterwards: `client.ts` calls `connectParts` before any module runs.
 */
import { HotTable, type HotHost } from '../core/hot'
import type { Host } from '../core/instance'
import { Refresh } from '../core/refresh'
import { Registry } from '../core/registry'
import { Replica } from '../core/replica'
import { Updater } from '../core/update/apply'
import type { UpdatePage } from '../core/update/update-page'
import { enterWorker } from '../worker/worker-scope'
import { Rescue } from './connection/rescue'
import { Socket } from './connection/socket'
import { base } from './settings'
import { state } from './state'

/** The worker that this script runs in, or null. It comes first: its listener for messages has to be the first one. */
export const workerScope = enterWorker()

const registryHost = {} as Host
const hotHost = {} as HotHost
const updatePage = {} as UpdatePage

/** `import.meta.env` of all modules. */
export const env: Record<string, unknown> = {}
export const registry = new Registry(registryHost)
export const replica = new Replica(registry, env)
/** Why modules cannot run, the newest last. */
export const { errors } = replica
export const refresh = new Refresh(registry)
export const hot = new HotTable(hotHost)
export const updater = new Updater(registry, hot, refresh, updatePage)
export const socket = new Socket()
export const rescue = new Rescue(`${base}@rekindle/s/`, (report) => socket.send(report))

/** Hands in what the parts ask of the page. */
export function connectParts(answers: { registry: Host; hot: HotHost; updates: UpdatePage }): void {
  Object.assign(registryHost, answers.registry)
  Object.assign(hotHost, answers.hot)
  Object.assign(updatePage, answers.updates)
}

/** Whether some module here accepts updates, by itself or as one with components: then the state of this page is worth keeping. */
export function isHot(): boolean {
  const accepts = [...hot.contexts.values()].some(({ id, acceptors }) => acceptors.length > 0 && !state.styleModules.has(id))
  return accepts || [...registry.instances.keys()].some((id) => refresh.isBoundary(id))
}
