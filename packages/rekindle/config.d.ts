/**
 * Types of `vite.config.*`: precise for keys that rekindle reads, loose for all others.
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
  // settings of `resolve`, written by `cargo xtask settings`
  /** Specifiers that stand for others. */
  alias?: AliasOptions
  /** Extensions that are tried for a specifier without one. */
  extensions?: string[]
  /** Conditions of `exports` and `imports` maps, besides `import` and `default`; for builds `production` stands for `development`. */
  conditions?: string[]
  /** Fields of `package.json` that name the entry, before `main`. */
  mainFields?: string[]
  /** Packages that are always taken from the project folder. */
  dedupe?: string[]
  /** Files keep the path they were found by, instead of the one behind links. */
  preserveSymlinks?: boolean
  // end of settings
  tsconfigPaths?: boolean
  // rekindle has no setting for these; they are declared so that configurations of Vite type-check.
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
  // settings of `server` and `preview`, written by `cargo xtask settings`
  /** Port to listen on; when it is taken the next free one is used, and the terminal says so. */
  port?: number
  /** End with an error when the port is taken. */
  strictPort?: boolean
  /** Let other machines in: on the given address, or on all of them (`true`, or the flag without an address). */
  host?: boolean | string
  /** Open the browser, at the given path if there is one; `BROWSER=none` in the environment keeps it closed. */
  open?: boolean | string
  /** Speak https. */
  https?: boolean | { key?: any; cert?: any; [other: string]: unknown }
  /** Addresses that other servers answer. */
  proxy?: { [context: string]: string | ProxyOptions }
  /** Headers of every answer but those of proxied addresses. */
  headers?: { [name: string]: string | string[] | number | undefined }
  /** Other origins that may read answers, and no more than that. */
  cors?: boolean | CorsOptions
  /** Names the server may be called by, besides `localhost`, `*.localhost` and IP addresses; `.example.com` covers subdomains. Each goes with our own port; a name that a proxy or container gives another port is listed with it: `"localhost:8080"`. */
  allowedHosts?: string[] | true
  // end of settings
}

export interface HmrOptions {
  // settings of `server.hmr`, written by `cargo xtask settings`
  /** `false`: errors are shown in the console only. */
  overlay?: boolean
  /** Protocol by which pages reach the socket: `"ws"` or `"wss"`. */
  protocol?: string
  /** Host at which pages find the socket. */
  host?: string
  /** Port at which pages find the socket. */
  clientPort?: number
  /** Path of the socket, below `base`. */
  path?: string
  // end of settings
  port?: number
  timeout?: number
  server?: unknown
}

export interface WatchOptions {
  // settings of `server.watch`, written by `cargo xtask settings`
  /** Look at the files in turn instead of asking the system. */
  usePolling?: boolean
  /** Milliseconds between two looks. */
  interval?: number
  // end of settings
  [other: string]: unknown
}

export interface WarmupOptions {
  // settings of `server.warmup`, written by `cargo xtask settings`
  /** Pages and modules that are compiled when the server starts, after the first page; paths from the project folder. */
  clientFiles?: string[]
  // end of settings
  ssrFiles?: string[]
}

export interface ServerOptions extends CommonServerOptions {
  // settings of `server`, written by `cargo xtask settings`
  /** `false`: the API and custom events work, no update is sent. */
  hmr?: boolean | HmrOptions
  // end of settings
  watch?: WatchOptions | null
  warmup?: WarmupOptions
  // rekindle has no setting for these; they are declared so that configurations of Vite type-check.
  forwardConsole?: unknown
  fs?: { strict?: boolean; allow?: string[]; deny?: string[]; [other: string]: unknown }
  middlewareMode?: unknown
  origin?: string
  perEnvironmentStartEndDuringDev?: boolean
  perEnvironmentWatchChangeDuringDev?: boolean
  preTransformRequests?: boolean
  sourcemapIgnoreList?: unknown
  ws?: unknown
}

export interface PreviewOptions extends CommonServerOptions {}

export interface BuildOptions {
  // settings of `build`, written by `cargo xtask settings`
  /** Folder of the output, from the project folder. */
  outDir?: string
  /** Folder of hashed files in the output. */
  assetsDir?: string
  /** Assets below this number of bytes stand in the code that names them, in development SVG files only; `?inline` and `?no-inline` decide for one. */
  assetsInlineLimit?: number | ((file: string, content: any) => boolean | undefined)
  /** Browsers (`"chrome111"`) or a year (`"es2020"`), one or a list: newer syntax is lowered. `"esnext"`: nothing is. */
  target?: string | string[] | false
  /** The same for sheets. */
  cssTarget?: string | string[] | false
  /** Shorten scripts and sheets. */
  minify?: boolean | string
  /** Shorten sheets. */
  cssMinify?: boolean | string
  /** Write source maps; `"inline"` puts them into the scripts, `"hidden"` does not name them there. */
  sourcemap?: boolean | 'inline' | 'hidden'
  /** Write a list of the files for servers that make their own pages; a text names it, `true` is `.vite/manifest.json`. */
  manifest?: boolean | string
  /** `true`: empty the output folder also where that is outside of the project or holds sources; `false`: leave in it what is there. */
  emptyOutDir?: boolean | null
  /** A sheet for each chunk that has styles; `false`: one sheet for all. */
  cssCodeSplit?: boolean
  /** Copy the files of `public_dir` into the output. */
  copyPublicDir?: boolean
  /** Tell gzip sizes. */
  reportCompressedSize?: boolean
  /** Size in kB above which a script is worth a warning. */
  chunkSizeWarningLimit?: number
  /** Links that begin to fetch what scripts import. */
  modulePreload?: boolean | { polyfill?: boolean; resolveDependencies?: unknown }
  // end of settings
  rollupOptions?: BundlerOptions
  rolldownOptions?: BundlerOptions
  // rekindle has no setting for these; they are declared so that configurations of Vite type-check.
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
  // settings of `build.rollupOptions`, written by `cargo xtask settings`
  /** Pages, scripts and sheets to build, from the project folder. */
  input?: string | string[] | { [name: string]: string }
  // end of settings
  [other: string]: any
}

export interface CssOptions {
  // settings of `css`, written by `cargo xtask settings`
  /** Source maps in the sheets of the development server. */
  devSourcemap?: boolean
  /** Folder of the PostCSS configuration; `false`: none is used. */
  postcss?: string | { [option: string]: any }
  /** Options of preprocessors. */
  preprocessorOptions?: { [language: string]: { [option: string]: any } }
  // end of settings
  modules?: CssModulesOptions | false
  [other: string]: any
}

export interface CssModulesOptions {
  // settings of `css.modules`, written by `cargo xtask settings`
  /** What `.big-box` is exported as: `"camelCase"` (also `bigBox`), `"camelCaseOnly"`, `"dashes"`, `"dashesOnly"`. */
  localsConvention?: 'camelCase' | 'camelCaseOnly' | 'dashes' | 'dashesOnly' | ((...args: any[]) => string)
  /** A pattern of `[name]`, `[local]`, `[folder]`, `[path]`, `[ext]`, `[hash:base64:5]`. */
  generateScopedName?: string | ((...args: any[]) => string)
  /** Goes into every hash. */
  hashPrefix?: string
  /** `"global"`: only names in `:local()` are made unique. */
  scopeBehaviour?: 'local' | 'global'
  // end of settings
  [other: string]: any
}

export interface UserConfig {
  // settings of the top, written by `cargo xtask settings`
  /** The project folder, if it is not the one with this file. */
  root?: string
  /** Path under which everything is served, such as `/app/`. For builds also a whole address, or `./` for any path. */
  base?: string
  /** Picks the `.env.[mode]` files, and is `import.meta.env.MODE`. */
  mode?: string
  /** Folder of files that are served as they are; `false` for none. */
  publicDir?: string | false
  /** Folder of the `.env` files. */
  envDir?: string | false
  /** A prefix or a list of them; only variables with one of them reach the page. */
  envPrefix?: string | string[]
  /** Globs of more files that are assets: their import gives an address. */
  assetsInclude?: string | RegExp | (string | RegExp)[]
  /** Names in sources and what stands for them. */
  define?: { [name: string]: any }
  // end of settings
  plugins?: PluginOption[]
  resolve?: ResolveOptions
  server?: ServerOptions
  preview?: PreviewOptions
  build?: BuildOptions
  css?: CssOptions
  /** Other keys of Vite, whether rekindle reads them or not, and those of other tools, such as `test`. */
  [other: string]: any
}

export type UserConfigFnObject = (env: ConfigEnv) => UserConfig
export type UserConfigFnPromise = (env: ConfigEnv) => Promise<UserConfig>
export type UserConfigFn = (env: ConfigEnv) => UserConfig | Promise<UserConfig>
export type UserConfigExport = UserConfig | Promise<UserConfig> | UserConfigFnObject | UserConfigFnPromise | UserConfigFn

/** Declared for plugins that mention these types; rekindle never makes such objects. */
export type ResolvedConfig = { readonly [key: string]: any }
export type ViteDevServer = { readonly [key: string]: any }
export type PreviewServer = { readonly [key: string]: any }
export type HmrContext = { readonly [key: string]: any }
export type ModuleNode = { readonly [key: string]: any }
export type InlineConfig = UserConfig & { configFile?: string | false; envFile?: false }
