/**
 * Names of events and the types of their payloads. Add your own, and `on`, `off` and `send` check them:
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
  // Dispatched in the tab.
  'vite:beforeUpdate': UpdatePayload
  'vite:afterUpdate': UpdatePayload
  'vite:beforePrune': PrunePayload
  'vite:beforeFullReload': FullReloadPayload
  'vite:invalidate': InvalidatePayload
  'vite:error': ErrorPayload
  'vite:ws:connect': WebSocketConnectionPayload
  'vite:ws:disconnect': WebSocketConnectionPayload

  /** A worker was restarted: its new thread has received no messages of the old one. rekindle only. */
  'rekindle:worker-restart': WorkerRestartPayload

  // Passed to the server's event handlers, once per tab; never seen in a tab.
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
  /** The page's socket. Its state may be read; messages are for the client alone. */
  webSocket: WebSocket
}

export interface InvalidatePayload {
  /** Module URL of the module that called `invalidate`. */
  path: string
  /** The message that `invalidate` was called with. */
  message: string | undefined
  /** URL of the module whose `invalidate` began this chain; equal to `path` if there was only one. */
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

/** Editors complete the declared names; any other string is accepted. */
export type CustomEventName = keyof CustomEventMap | (string & {})
