/**
 * Everything a project gets from `"types": ["vite/client"]`, or `["rekindle/client"]`: `import.meta.hot`, `.env` and
 * `.glob`, and what importing a file that is not a script gives.
 */
/// <reference path="./types/importMeta.d.ts" />

interface VitePreloadErrorEvent extends Event {
  payload: Error
}

interface WindowEventMap {
  /** An `import()` in a build could not load its files. */
  'vite:preloadError': VitePreloadErrorEvent
}

type CSSModuleClasses = { readonly [name: string]: string }

declare module 'vite/modulepreload-polyfill' {}
declare module 'rekindle/modulepreload-polyfill' {}

// Style sheets. Of two patterns that match, TypeScript takes the one that stands first: class maps before plain sheets.
declare module '*.module.css' { const classes: CSSModuleClasses; export default classes }
declare module '*.module.scss' { const classes: CSSModuleClasses; export default classes }
declare module '*.module.sass' { const classes: CSSModuleClasses; export default classes }
declare module '*.module.less' { const classes: CSSModuleClasses; export default classes }
declare module '*.module.styl' { const classes: CSSModuleClasses; export default classes }
declare module '*.module.stylus' { const classes: CSSModuleClasses; export default classes }
declare module '*.module.pcss' { const classes: CSSModuleClasses; export default classes }
declare module '*.module.sss' { const classes: CSSModuleClasses; export default classes }

declare module '*.css' {}
declare module '*.scss' {}
declare module '*.sass' {}
declare module '*.less' {}
declare module '*.styl' {}
declare module '*.stylus' {}
declare module '*.pcss' {}
declare module '*.sss' {}

// Images: the import gives their URL.
declare module '*.apng' { const url: string; export default url }
declare module '*.bmp' { const url: string; export default url }
declare module '*.png' { const url: string; export default url }
declare module '*.jpg' { const url: string; export default url }
declare module '*.jpeg' { const url: string; export default url }
declare module '*.jfif' { const url: string; export default url }
declare module '*.pjpeg' { const url: string; export default url }
declare module '*.pjp' { const url: string; export default url }
declare module '*.gif' { const url: string; export default url }
declare module '*.svg' { const url: string; export default url }
declare module '*.ico' { const url: string; export default url }
declare module '*.webp' { const url: string; export default url }
declare module '*.avif' { const url: string; export default url }
declare module '*.cur' { const url: string; export default url }
declare module '*.jxl' { const url: string; export default url }

// Audio and video: the import gives their URL.
declare module '*.mp4' { const url: string; export default url }
declare module '*.webm' { const url: string; export default url }
declare module '*.ogg' { const url: string; export default url }
declare module '*.mp3' { const url: string; export default url }
declare module '*.wav' { const url: string; export default url }
declare module '*.flac' { const url: string; export default url }
declare module '*.aac' { const url: string; export default url }
declare module '*.opus' { const url: string; export default url }
declare module '*.mov' { const url: string; export default url }
declare module '*.m4a' { const url: string; export default url }
declare module '*.vtt' { const url: string; export default url }

// Fonts: the import gives their URL.
declare module '*.woff' { const url: string; export default url }
declare module '*.woff2' { const url: string; export default url }
declare module '*.eot' { const url: string; export default url }
declare module '*.ttf' { const url: string; export default url }
declare module '*.otf' { const url: string; export default url }

// Documents: the import gives their URL.
declare module '*.webmanifest' { const url: string; export default url }
declare module '*.pdf' { const url: string; export default url }
declare module '*.txt' { const url: string; export default url }

// WebAssembly: `?init` gives a function that instantiates it; a plain import gives its exports.
declare module '*.wasm?init' {
  const init: (imports?: WebAssembly.Imports) => Promise<WebAssembly.Instance>
  export default init
}
declare module '*.wasm' {}

// Workers.
declare module '*?worker' { const constructor: { new (options?: { name?: string }): Worker }; export default constructor }
declare module '*?worker&inline' { const constructor: { new (options?: { name?: string }): Worker }; export default constructor }
declare module '*?worker&url' { const url: string; export default url }
declare module '*?sharedworker' { const constructor: { new (options?: { name?: string }): SharedWorker }; export default constructor }
declare module '*?sharedworker&inline' { const constructor: { new (options?: { name?: string }): SharedWorker }; export default constructor }
declare module '*?sharedworker&url' { const url: string; export default url }

// Any file: its text, its URL, or its content as a data URL.
declare module '*?raw' { const text: string; export default text }
declare module '*?url' { const url: string; export default url }
declare module '*?inline' { const content: string; export default content }
declare module '*?no-inline' { const url: string; export default url }
declare module '*?url&inline' { const url: string; export default url }
declare module '*?url&no-inline' { const url: string; export default url }
