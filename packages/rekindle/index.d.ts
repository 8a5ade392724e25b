/**
 * The types a program may want by name, and what a `vite.config.*` imports: what travels to a tab, what events carry, what
 * `import.meta.glob` takes, and the configuration. The server itself is a program, not a library for Node.
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

/** Gives back what it gets; it is there for its type. */
export declare function defineConfig(config: UserConfig): UserConfig
export declare function defineConfig(config: Promise<UserConfig>): Promise<UserConfig>
export declare function defineConfig(config: UserConfigFnObject): UserConfigFnObject
export declare function defineConfig(config: UserConfigFnPromise): UserConfigFnPromise
export declare function defineConfig(config: UserConfigFn): UserConfigFn
export declare function defineConfig(config: UserConfigExport): UserConfigExport

/** Variables of `.env` files and of the process whose names have one of the prefixes. */
export declare function loadEnv(mode: string, envDir: string | false, prefixes?: string | string[]): Record<string, string>

/** Two configurations in one. */
export declare function mergeConfig(defaults: UserConfig, overrides: UserConfig, isRoot?: boolean): UserConfig

/** With forward slashes. */
export declare function normalizePath(id: string): string

/** These throw: what calls them needs Vite itself. */
export declare function build(...args: any[]): never
export declare function createBuilder(...args: any[]): never
export declare function createServer(...args: any[]): never
export declare function loadConfigFromFile(...args: any[]): never
export declare function optimizeDeps(...args: any[]): never
export declare function preview(...args: any[]): never
export declare function resolveConfig(...args: any[]): never
export declare function transformWithEsbuild(...args: any[]): never
export declare function transformWithOxc(...args: any[]): never
