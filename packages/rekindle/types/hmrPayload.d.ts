/** Payloads of the `vite:*` events, discriminated by `type`. */

export type HotPayload =
  | ConnectedPayload
  | PingPayload
  | UpdatePayload
  | BundledDevUpdatePayload
  | PrunePayload
  | FullReloadPayload
  | CustomPayload
  | ErrorPayload

/** @deprecated the old name of `HotPayload` */
export type HMRPayload = HotPayload

export interface ConnectedPayload {
  type: 'connected'
}

export interface PingPayload {
  type: 'ping'
}

export interface UpdatePayload {
  type: 'update'
  updates: Update[]
}

/** One place where an update stops. */
export interface Update {
  type: 'js-update' | 'css-update'
  /** Module URL of the module whose callbacks run. */
  path: string
  /** Module URL of the module that is run again; equal to `path` if the module accepts itself. */
  acceptedPath: string
  timestamp: number
  /** @internal */
  explicitImportRequired?: boolean
  /** @internal */
  isWithinCircularImport?: boolean
  /** @internal */
  firstInvalidatedBy?: string
  /** @internal */
  invalidates?: string[]
}

/** Declared for code that mentions it; rekindle never sends one. */
export interface BundledDevUpdatePayload {
  type: 'bundled-dev-update'
  changedIds: string[]
  /** URL of the new code. */
  url: string
  /** Sequence number, counted per tab. */
  seq: number
}

export interface PrunePayload {
  type: 'prune'
  /** Module URLs that nothing on the page imports any more. */
  paths: string[]
}

export interface FullReloadPayload {
  type: 'full-reload'
  /** An HTML page: only tabs that show it reload. Any other value, or none, means every tab. */
  path?: string
  /** @internal */
  triggeredBy?: string
  /** @internal */
  ifFallback?: boolean
}

export interface CustomPayload {
  type: 'custom'
  event: string
  data?: any
}

export interface ErrorPayload {
  type: 'error'
  err: {
    [name: string]: any
    message: string
    stack: string
    /** The file or module that could not be compiled. */
    id?: string
    /** The source lines around the error. */
    frame?: string
    plugin?: string
    pluginCode?: string
    loc?: { file?: string; line: number; column: number }
  }
}
