/**
 * Members of `import.meta`. A script, not a module (no import or export at the top), so that its interfaces are the
 * global ones and projects can add to them:
 *
 *     interface ImportMetaEnv { readonly VITE_TITLE: string }
 */

/** Switches for a project to turn: `interface ViteTypeOptions { strictImportMetaEnv: unknown }` makes undeclared variables errors. */
interface ViteTypeOptions {}

interface ImportMetaEnv extends Record<'strictImportMetaEnv' extends keyof ViteTypeOptions ? never : string, any> {
  /** The base path of the site. */
  BASE_URL: string
  /** `development` on the server and `production` in builds, unless another mode was chosen. */
  MODE: string
  DEV: boolean
  PROD: boolean
  SSR: boolean
}

interface ImportMeta {
  url: string
  /** Path of the module's folder; `/` is the project's root. */
  dirname: string
  /** Path of the module's file, likewise. */
  filename: string
  readonly env: ImportMetaEnv
  readonly hot?: import('./hot.js').ViteHotContext
  glob: import('./importGlob.js').ImportGlobFunction
}
