/**
 * Types of a `vite.config.*`: the keys that rekindle reads by their types, all others as they come.
 *
 *     import { defineConfig } from 'vite'
 *     export default defineConfig({ base: '/app/', server: { port: 3000 } })
 */

/** A plugin of Vite. Those whose work rekindle does itself are recognised by their package; the others do nothing here. */
export interface Plugin<Api = any> {
  name: string
  api?: Api
  [hook: string]: any
}

export type PluginOption = Plugin | false | null | undefined | PluginOption[] | Promise<Plugin | false | null | undefined | PluginOption[]>

export interface ConfigEnv {
  command: 'build' | 'serve'
  mode: string
  isSsrBuild?: boolean
  isPreview?: boolean
}

export interface Alias {
  find: string | RegExp
  replacement: string
  [other: string]: unknown
}

export type AliasOptions = readonly Alias[] | { [find: string]: string }

export interface ResolveOptions {
  alias?: AliasOptions
  extensions?: string[]
  conditions?: string[]
  mainFields?: string[]
  dedupe?: string[]
  preserveSymlinks?: boolean
  tsconfigPaths?: boolean
  // Read by Vite alone.
  builtins?: unknown
  external?: unknown
  externalConditions?: string[]
  noExternal?: unknown
}

export interface ProxyOptions {
  target?: string | object
  changeOrigin?: boolean
  rewrite?: (path: string) => string
  ws?: boolean
  secure?: boolean
  headers?: { [name: string]: string }
  xfwd?: boolean
  rewriteWsOrigin?: boolean
  [other: string]: any
}

export interface CorsOptions {
  origin?: boolean | string | RegExp | (string | RegExp)[] | ((...args: any[]) => void)
  methods?: string | string[]
  allowedHeaders?: string | string[]
  exposedHeaders?: string | string[]
  credentials?: boolean
  maxAge?: number
  [other: string]: unknown
}

/** What the servers of `vite` and of `vite preview` share. */
export interface CommonServerOptions {
  port?: number
  strictPort?: boolean
  host?: string | boolean
  open?: string | boolean
  https?: boolean | { key?: any; cert?: any; [other: string]: unknown }
  proxy?: { [context: string]: string | ProxyOptions }
  headers?: { [name: string]: string | string[] | number | undefined }
  cors?: boolean | CorsOptions
  allowedHosts?: string[] | true
}

export interface HmrOptions {
  protocol?: string
  host?: string
  port?: number
  clientPort?: number
  path?: string
  timeout?: number
  overlay?: boolean
  server?: unknown
}

export interface ServerOptions extends CommonServerOptions {
  hmr?: boolean | HmrOptions
  watch?: { usePolling?: boolean; interval?: number; [other: string]: unknown } | null
  // Read by Vite alone.
  forwardConsole?: unknown
  fs?: { strict?: boolean; allow?: string[]; deny?: string[]; [other: string]: unknown }
  middlewareMode?: unknown
  origin?: string
  perEnvironmentStartEndDuringDev?: boolean
  perEnvironmentWatchChangeDuringDev?: boolean
  preTransformRequests?: boolean
  sourcemapIgnoreList?: unknown
  warmup?: { clientFiles?: string[]; ssrFiles?: string[] }
  ws?: unknown
}

export interface PreviewOptions extends CommonServerOptions {}

export interface BuildOptions {
  outDir?: string
  assetsDir?: string
  assetsInlineLimit?: number | ((file: string, content: any) => boolean | undefined)
  target?: string | string[] | false
  minify?: boolean | string
  sourcemap?: boolean | 'inline' | 'hidden'
  manifest?: boolean | string
  emptyOutDir?: boolean | null
  cssCodeSplit?: boolean
  cssTarget?: string | string[] | false
  cssMinify?: boolean | string
  copyPublicDir?: boolean
  reportCompressedSize?: boolean
  chunkSizeWarningLimit?: number
  modulePreload?: boolean | { polyfill?: boolean; resolveDependencies?: unknown }
  rollupOptions?: BundlerOptions
  rolldownOptions?: BundlerOptions
  // Read by Vite alone.
  commonjsOptions?: unknown
  dynamicImportVarsOptions?: unknown
  emitAssets?: boolean
  lib?: unknown
  license?: unknown
  polyfillModulePreload?: boolean
  ssr?: boolean | string
  ssrEmitAssets?: boolean
  ssrManifest?: boolean | string
  terserOptions?: unknown
  watch?: unknown
  write?: boolean
}

export interface BundlerOptions {
  input?: string | string[] | { [name: string]: string }
  [other: string]: any
}

export interface UserConfig {
  root?: string
  base?: string
  mode?: string
  publicDir?: string | false
  envDir?: string | false
  envPrefix?: string | string[]
  define?: { [name: string]: any }
  plugins?: PluginOption[]
  resolve?: ResolveOptions
  server?: ServerOptions
  preview?: PreviewOptions
  build?: BuildOptions
  /** Keys of Vite that are read otherwise or not at all, and those of other tools, such as `test`. */
  [other: string]: any
}

export type UserConfigFnObject = (env: ConfigEnv) => UserConfig
export type UserConfigFnPromise = (env: ConfigEnv) => Promise<UserConfig>
export type UserConfigFn = (env: ConfigEnv) => UserConfig | Promise<UserConfig>
export type UserConfigExport = UserConfig | Promise<UserConfig> | UserConfigFnObject | UserConfigFnPromise | UserConfigFn

/** For plugins that name them; there are none. */
export type ResolvedConfig = { readonly [key: string]: any }
export type ViteDevServer = { readonly [key: string]: any }
export type PreviewServer = { readonly [key: string]: any }
export type HmrContext = { readonly [key: string]: any }
export type ModuleNode = { readonly [key: string]: any }
export type InlineConfig = UserConfig & { configFile?: string | false; envFile?: false }
