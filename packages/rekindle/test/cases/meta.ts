const texts: string[] = [import.meta.url, import.meta.env.MODE, import.meta.env.BASE_URL, import.meta.env.VITE_TITLE]
const flags: boolean[] = [import.meta.env.DEV, import.meta.env.PROD, import.meta.env.SSR]
void [texts, flags]

const lazy = import.meta.glob('./pages/*.ts')
lazy['./pages/a.ts']?.().then((page) => {
  const unknown: unknown = page
  void unknown
})
const eager = import.meta.glob<{ title: string }>(['./pages/*.ts', '!./pages/draft.ts'], { eager: true })
const title: string | undefined = eager['./pages/a.ts']?.title
const later = import.meta.glob<{ title: string }>('./pages/*.ts')
later['./pages/a.ts']?.().then((page) => page.title)
const texty = import.meta.glob('./pages/*.md', { query: '?raw', import: 'default', eager: true })
const body: string | undefined = texty['./pages/a.md']
const urls = import.meta.glob('./pages/*.md', { as: 'url' })
const url: Promise<string> | undefined = urls['./pages/a.md']?.()
import.meta.glob('./x/*', { base: './x', exhaustive: true, caseSensitive: false, query: { size: 2, thumb: true } })
void [title, body, url]

// @ts-expect-error MODE is a string
const mode: number = import.meta.env.MODE
// @ts-expect-error a pattern is a string
import.meta.glob(/x/)
// @ts-expect-error a lazy entry is a function
lazy['./pages/a.ts']?.title
// @ts-expect-error no such option
import.meta.glob('./x/*', { eagr: true })
// @ts-expect-error `env` is read-only
import.meta.env = {}
void mode
export {}
