/**
 * Event names and what they carry. Add your own, and `on`, `off` and `send` know them:
 *
 *     import 'vite/types/customEvent.d.ts'
 *
 *     declare module 'vite/types/customEvent.d.ts' {
 *       interface CustomEventMap { 'chat:line': { from: string; text: string } }
 *     }
 *
 * With the package installed under its own name, write `rekindle/` for `vite/`.
 */
import type { ErrorPayload, FullReloadPayload, PrunePayload, UpdatePayload } from './hmrPayload.js'

export interface CustomEventMap {
  // In the tab, in the order of an update's life.
  'vite:beforeUpdate': UpdatePayload
  'vite:afterUpdate': UpdatePayload
  'vite:beforePrune': PrunePayload
  'vite:beforeFullReload': FullReloadPayload
  'vite:invalidate': InvalidatePayload
  'vite:error': ErrorPayload
  'vite:ws:connect': WebSocketConnectionPayload
  'vite:ws:disconnect': WebSocketConnectionPayload

  /** A worker has a new thread, which knows nothing of what the old one was told. rekindle only. */
  'rekindle:worker-restart': WorkerRestartPayload

  // On the server, once a tab.
  'vite:client:connect': undefined
  'vite:client:disconnect': undefined

  /** @internal */
  'vite:client-connected': { clientId: string }
  /** @internal */
  'vite:forward-console': ForwardConsolePayload
  /** @internal */
  'vite:bundled-dev:reload-needed': { reason: string }
}

export interface WebSocketConnectionPayload {
  /** The socket of this page; read its state, leave its traffic to the client. */
  webSocket: WebSocket
}

export interface InvalidatePayload {
  /** Module URL of the module that called `invalidate`. */
  path: string
  /** What it said, if anything. */
  message: string | undefined
  /** Module URL of the first `invalidate` in this chain; the same as `path` if there was only one. */
  firstInvalidatedBy: string
}

export interface WorkerRestartPayload {
  /** Address of the worker's own module, without the origin. */
  path: string
  worker: Worker | SharedWorker
}

export type ForwardConsolePayload =
  | { type: 'error'; data: { name: string; message: string; stack?: string } }
  | { type: 'unhandled-rejection'; data: { name: string; message: string; stack?: string } }
  | { type: 'log'; data: { level: string; message: string } }

/** The payload of a known event; `any` for a name nobody declared. */
export type InferCustomEventPayload<T extends string> = T extends keyof CustomEventMap ? CustomEventMap[T] : any

/** Completion offers the declared names; every other string is fine too. */
export type CustomEventName = keyof CustomEventMap | (string & {})
