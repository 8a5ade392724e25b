// Types of what rekindle adds to modules. Once its npm package is installed, `"types": ["rekindle/client"]` in tsconfig.json
// has all of them, and this file can go.

interface ImportMetaHot {
  readonly data: any
  accept(callback?: (module: any) => void): void
  accept(dependency: string, callback?: (module: any) => void): void
  accept(dependencies: readonly string[], callback?: (modules: any[]) => void): void
  acceptExports(names: string | readonly string[], callback?: (module: any) => void): void
  dispose(callback: (data: any) => void): void
  prune(callback: (data: any) => void): void
  invalidate(message?: string): void
  on(event: string, callback: (data: any) => void): void
  off(event: string, callback: (data: any) => void): void
  send(event: string, data?: any): void
}

interface ImportMetaEnv {
  readonly [name: string]: any
  readonly BASE_URL: string
  readonly MODE: string
  readonly DEV: boolean
  readonly PROD: boolean
  readonly SSR: boolean
}

interface ImportMeta {
  readonly hot?: ImportMetaHot
  readonly env: ImportMetaEnv
  glob(patterns: string | string[], options?: object): Record<string, any>
}

declare module '*.css' {}
declare module '*.scss' {}
declare module '*.module.css' { const classes: { readonly [name: string]: string }; export default classes }
declare module '*.module.scss' { const classes: { readonly [name: string]: string }; export default classes }
declare module '*.svg' { const url: string; export default url }
declare module '*.png' { const url: string; export default url }
declare module '*.jpg' { const url: string; export default url }
declare module '*.webp' { const url: string; export default url }
declare module '*?raw' { const text: string; export default text }
declare module '*?url' { const url: string; export default url }
declare module '*?inline' { const text: string; export default text }
declare module '*?worker' { const worker: new (options?: { name?: string }) => Worker; export default worker }
