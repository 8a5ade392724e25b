/**
 * Members of `import.meta`. A script, not a module (no import or export at the top), so that its interfaces are the
 * global ones and projects can add to them:
 *
 *     interface ImportMetaEnv { readonly VITE_TITLE: string }
 */

/** Switches for a project to turn: `interface ViteTypeOptions { strictImportMetaEnv: unknown }` makes undeclared variables errors. */
interface ViteTypeOptions {}

interface ImportMetaEnv extends Record<'strictImportMetaEnv' extends keyof ViteTypeOptions ? never : string, any> {
  /** The path everything is served under. */
  BASE_URL: string
  /** `development` unless the server was told otherwise. */
  MODE: string
  DEV: boolean
  PROD: boolean
  SSR: boolean
}

interface ImportMeta {
  url: string
  /** Path of the module's folder, and of its file, as the project's root is `/`. */
  dirname: string
  filename: string
  readonly env: ImportMetaEnv
  readonly hot?: import('./hot.js').ViteHotContext
  glob: import('./importGlob.js').ImportGlobFunction
}
