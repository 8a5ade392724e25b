/**
 * Types that programs import by name (payloads of HMR and events, options of `import.meta.glob`, the configuration), and the
 * functions that a `vite.config.*` imports. The server is a program, not a library for Node.
 */
import type { ConfigEnv, UserConfig, UserConfigExport, UserConfigFn, UserConfigFnObject, UserConfigFnPromise } from './config.js'

export type * from './config.js'
export type {
  BundledDevUpdatePayload,
  ConnectedPayload,
  CustomPayload,
  ErrorPayload,
  FullReloadPayload,
  HMRPayload,
  HotPayload,
  PingPayload,
  PrunePayload,
  Update,
  UpdatePayload,
} from './types/hmrPayload.js'
export type {
  CustomEventMap,
  CustomEventName,
  ForwardConsolePayload,
  InferCustomEventPayload,
  InvalidatePayload,
  WebSocketConnectionPayload,
} from './types/customEvent.js'
export type { ModuleNamespace, ViteHotContext } from './types/hot.js'
export type {
  GeneralImportGlobOptions,
  ImportGlobFunction,
  ImportGlobOptions,
  ImportGlobOptionsWithoutAs,
  KnownAsTypeMap,
} from './types/importGlob.js'
export type { AssetMetadata, ChunkMetadata, CustomPluginOptionsVite } from './types/metadata.js'

/** The version of rekindle. */
export declare const version: string

/** Returns its argument; it is there so that editors check and complete the configuration. */
export declare function defineConfig(config: UserConfig): UserConfig
export declare function defineConfig(config: Promise<UserConfig>): Promise<UserConfig>
export declare function defineConfig(config: UserConfigFnObject): UserConfigFnObject
export declare function defineConfig(config: UserConfigFnPromise): UserConfigFnPromise
export declare function defineConfig(config: UserConfigFn): UserConfigFn
export declare function defineConfig(config: UserConfigExport): UserConfigExport

/** Variables of `.env` files and of the process whose names have one of the prefixes. */
export declare function loadEnv(mode: string, envDir: string | false, prefixes?: string | string[]): Record<string, string>

/** Merges two configurations; `overrides` win. */
export declare function mergeConfig(defaults: UserConfig, overrides: UserConfig, isRoot?: boolean): UserConfig

/** The path with forward slashes, and with `.` and `..` resolved. */
export declare function normalizePath(id: string): string

/** Declared so that code which imports them compiles. Each throws when it is called, since only Vite itself has it. */
export declare function build(...args: any[]): never
export declare function createBuilder(...args: any[]): never
export declare function createServer(...args: any[]): never
export declare function loadConfigFromFile(...args: any[]): never
export declare function optimizeDeps(...args: any[]): never
export declare function preview(...args: any[]): never
export declare function resolveConfig(...args: any[]): never
export declare function transformWithEsbuild(...args: any[]): never
export declare function transformWithOxc(...args: any[]): never
