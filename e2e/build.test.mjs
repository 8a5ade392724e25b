/**
 * Production builds: the page does what it does in development, nothing of hot replacement is left, and a mistake leaves the
 * old output alone. `both` runs one look at a page on the server and on the build, and compares what was seen.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test, until } from './harness.mjs'
import { build, contents, serve } from './output.mjs'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** `look(page, logs)` gives back what it saw. */
function both(title, fixture, look) {
  test(title, { ...fixture, load: false, limit: 90_000 }, async (app) => {
    for (const [name, bytes] of Object.entries(fixture.bytes ?? {})) app.write(name, Buffer.from(bytes, 'base64'))
    fixture.before?.(app)
    const seen = []
    const waits = 'before' in fixture || Object.values(fixture.files).some((text) => text.includes('ready'))
    seen.push(await visit(app, app.url, look, waits))
    const { code } = await build(app, ...(fixture.flags ?? []))
    assert.equal(code, 0)
    const host = await serve(app.path('dist'))
    seen.push(await visit(app, host.url, look, waits))
    host.stop()
    assert.deepEqual(seen[1], seen[0], 'the build does what development does')
    await fixture.after?.(app, contents(app.path('dist')), seen[1])
  })
}

async function visit(app, url, look, waits = false) {
  const tab = await app.tab({ blank: true })
  // With `waits`, the page sets `ready` when it has done what is to be looked at.
  if (waits) await tab.page.addInitScript(() => void (window.ready = false))
  await tab.page.goto(url)
  await until(
    'the page to be ready',
    async () => assert.ok(await tab.page.evaluate(() => document.readyState === 'complete' && window.ready !== false)),
  )
  const seen = await look(tab.page, tab.logs)
  assert.deepEqual(tab.errors, [])
  await tab.page.close()
  return seen
}

const page = (script) =>
  `<!doctype html><html><head><link rel="icon" href="data:,"></head><body><script type="module" src="${script}"></script></body></html>`
const texts = (page) => page.evaluate(() => ['a', 'b', 'c'].map((id) => document.getElementById(id)?.textContent))
const color = (page, selector) => page.evaluate((selector) => getComputedStyle(document.querySelector(selector)).color, selector)

both('modules run in the same order, with the same side effects', {
  files: {
    'main.ts': `import './first'
import { late } from './second'
import * as all from './exports'
console.log('main', late, Object.keys(all).join())
const { extra } = await import('./lazy')
console.log(extra)
window.ready = true`,
    'first.ts': `import './deep/one'\nimport './deep/two'\nconsole.log('first')`,
    'second.ts': `import './deep/two'\nexport const late = 'late'\nconsole.log('second')`,
    'deep/one.ts': `console.log('one'); Object.assign(window, { order: ['one'] })`,
    'deep/two.ts': `console.log('two'); (window as any).order.push('two')`,
    'exports.ts': `export * from './deep/star'\nexport default class {}\nexport { star as renamed } from './deep/star'\nconsole.log('exports')`,
    'deep/star.ts': `export const star = 1\nconsole.log('star')`,
    'lazy.ts': `import './deep/two'\nimport './only-lazy'\nexport const extra = 'extra ' + (window as any).order.join()`,
    'only-lazy.ts': `console.log('only lazy')`,
  },
}, async (_, logs) => logs)

both('several module scripts and inline ones run in order, beside classic and deferred ones', {
  files: {
    'index.html': `<!doctype html><html><head><meta charset="utf-8"><link rel="icon" href="data:,">
<script>order = ['classic']</script><script defer src="/deferred.js"></script></head><body>
<script type="module">import './one.js'; order.push('inline ' + import.meta.env.MODE.length % 1)</script>
<script type="module" src="./two.js"></script><script type="module">order.push('last'); window.ready = true</script></body></html>`,
    'one.js': `order.push('one')`,
    'two.js': `import './one.js'\norder.push('two')`,
    'public/deferred.js': `order.push('deferred')`,
  },
}, (page) => page.evaluate(() => order))

both('sheets apply in the order of the imports, also those of lazy modules', {
  files: {
    'main.js': `import './a.css'
import './part.js'
import styles from './box.module.css'
import { title } from './box.module.css'
import './theme.scss'
document.querySelector('#b').className = styles.box + ' ' + title
import('./lazy.js').then(() => { window.ready = true })`,
    'part.js': `import './b.css'\nimport './a.css'`,
    'lazy.js': `import './lazy.css'\ndocument.querySelector('#c').dataset.color = getComputedStyle(document.querySelector('#c')).color`,
    'a.css': `#a { color: rgb(1, 0, 0) } @import './never.css';`,
    'b.css': `@import './inner.css';\n#a { color: rgb(2, 0, 0) }`,
    'inner.css': `#a { color: rgb(3, 0, 0) } body { margin: 7px }`,
    'box.module.css': `.box { composes: base from './base.module.css'; outline-color: rgb(4, 0, 0) }\n.title { font-weight: 700 }`,
    'base.module.css': `.base { color: rgb(5, 0, 0) }`,
    'theme.scss': `$c: rgb(6, 0, 0);\n#c { color: $c; &.x { color: red } }`,
    'lazy.css': `#c { color: rgb(7, 0, 0) }`,
  },
}, async (page) => ({
  a: await color(page, '#a'),
  b: await color(page, '#b'),
  c: await color(page, '#c'),
  atLazy: await page.evaluate(() => document.querySelector('#c').dataset.color),
  weight: await page.evaluate(() => getComputedStyle(document.querySelector('#b')).fontWeight),
  margin: await page.evaluate(() => getComputedStyle(document.body).margin),
}))

both('sheets of what pages and lazy modules share stand where each imports them', {
  files: {
    'index.html': page('/main.js'),
    'other.html': page('/other.js'),
    'main.js': `import './one.css'\nimport './shared'\nimport './two.css'\nwindow.ready = true\nwindow.load = () => import('./lazy')`,
    'other.js': `import './other.css'\nimport './shared'\nwindow.ready = true\nwindow.load = () => import('./lazy2')`,
    'shared.js': `import './shared.css'\nconsole.log('shared')`,
    'lazy.js': `import './lazy-one.css'\nimport './both-lazy'\nimport './lazy-two.css'\nconsole.log('lazy')`,
    'lazy2.js': `import './both-lazy'\nimport './lazy-one.css'\nconsole.log('lazy2')`,
    'both-lazy.js': `import './both-lazy.css'\nconsole.log('both')`,
    'one.css': `:root { --a: one; --b: one }`,
    'shared.css': `:root { --a: shared; --c: shared; --d: shared }`,
    'two.css': `:root { --c: two }`,
    'other.css': `:root { --d: other; --e: other }`,
    'lazy-one.css': `:root { --f: lazy-one; --g: lazy-one }`,
    'both-lazy.css': `:root { --f: both; --g: both; --h: both }`,
    'lazy-two.css': `:root { --h: lazy-two }`,
  },
}, async (page) => {
  const values = () =>
    page.evaluate(() => [...'abcdefgh'].map((name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()).join())
  const seen = []
  for (const address of ['/', '/other.html']) {
    await page.goto(new URL(address, page.url()).href)
    await page.waitForFunction(() => window.ready)
    seen.push(await values())
    await page.evaluate(() => load())
    seen.push(await values())
  }
  assert.deepEqual(seen, [
    'shared,one,two,shared,,,,',
    'shared,one,two,shared,,both,both,lazy-two',
    'shared,,shared,shared,other,,,',
    'shared,,shared,shared,other,lazy-one,lazy-one,both',
  ])
  return seen
})

both('aliases in globs and computed imports, addresses of packages and scripts, small SVGs', {
  files: {
    'rekindle.toml': '[resolve.alias]\n"@" = "./src"\n',
    'main.ts': `import small from './src/small.svg'
import quoted from './src/quoted.svg'
const out: Record<string, unknown> = { small, quoted }
const name = ['foo'].at(0)
out.eager = import.meta.glob('@/dir/*.ts', { eager: true, import: 'v' })
out.lazy = await Promise.all(Object.values(import.meta.glob('@/dir/*.ts', { import: 'v' })).map((load) => load()))
out.computed = (await import(\`@/dir/\${name}.ts\`)).v
out.package = await (await fetch(new URL('pkg/files/plain.mjs', import.meta.url))).text()
out.script = (await import(/* @vite-ignore */ new URL('./src/typed.ts', import.meta.url).href)).v
out.classic = await (await fetch(new URL('./src/classic.js', import.meta.url))).text()
class Counter { accessor x = 1; static accessor y = 2 }
out.accessors = new Counter().x + Counter.y
Object.assign(window, { out, ready: true })`,
    'src/dir/foo.ts': `export const v: string = 'foo'`,
    'src/dir/bar.ts': `export const v: string = 'bar'`,
    'src/typed.ts': `import { v as foo } from './dir/foo'\nexport const v: string = 'typed ' + foo`,
    'src/classic.js': `var global = 1 // as it is`,
    'src/small.svg': `<svg xmlns="http://www.w3.org/2000/svg">\n  <g/>\n</svg>`,
    'src/quoted.svg': `<svg xmlns="http://www.w3.org/2000/svg" id="it's"/>`,
    'node_modules/pkg/package.json': '{ "name": "pkg" }',
    'node_modules/pkg/files/plain.mjs': 'export const plain = 1',
  },
}, (page) => page.evaluate(() => window.out))

both('of a package that lists its side effects, those run that its index imports', {
  files: {
    'main.js': `import { Button } from 'lib'
import { mixed } from 'mixed'
document.querySelector('#a').className = 'btn'
document.querySelector('#b').textContent = [Button, globalThis.order, mixed].join()`,
    'node_modules/lib/package.json': '{ "name": "lib", "type": "module", "main": "index.js", "sideEffects": ["**/*.css", "./poly.js"] }',
    'node_modules/lib/index.js': `import './style.css'\nexport * from './all.js'`,
    'node_modules/lib/all.js': `import './poly.js'\nexport { Button } from './button.js'\nexport { Other } from './other.js'`,
    'node_modules/lib/style.css': '.btn { color: rgb(1, 2, 3) }',
    'node_modules/lib/poly.js': `globalThis.order = ['poly']`,
    'node_modules/lib/button.js': `export const Button = 'button'`,
    'node_modules/lib/other.js': `export const Other = 'UNUSED_OTHER'`,
    'node_modules/mixed/package.json': '{ "name": "mixed", "type": "module", "main": "index.js" }',
    'node_modules/mixed/index.js': `import y from './y.js'\nconst z = require('./z.cjs')\nexport const mixed = y + z.z`,
    'node_modules/mixed/y.js': `export default 'y'`,
    'node_modules/mixed/z.cjs': `exports.z = 'z'`,
  },
  after: (_, output) => assert.ok(![...output.values()].join('').includes('UNUSED_OTHER'), 'what nobody takes is left out'),
}, async (page) => [await color(page, '#a'), await texts(page)])

both('addresses lead to the assets: of scripts, sheets, pages, with queries, inlined or not', {
  bytes: { 'src/dot.png': PNG, 'public/free.png': PNG, 'src/pics/one.png': PNG, 'src/pics/two.png': PNG },
  files: {
    'index.html': `<!doctype html><html><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>%VITE_TITLE%</title>
<link rel="stylesheet" href="./linked.css"></head><body><p id="a"></p><p id="b"></p>
<img id="i1" src="./src/dot.png"><img id="i2" src="/free.png"><img id="i3" srcset="./src/big.svg 1x, /free.png 2x">
<script type="module" src="/src/main.ts"></script></body></html>`,
    '.env': 'VITE_TITLE=a & b\n',
    'linked.css': `#b { color: rgb(9, 9, 9); background: url(./src/dot.png) }`,
    'src/big.svg': `<svg xmlns="http://www.w3.org/2000/svg" width="3" height="3"><!-- ${'x'.repeat(5000)} --></svg>`,
    'src/small.svg': `<svg xmlns="http://www.w3.org/2000/svg" width="5" height="5"><path d="M0 0h5v5z" fill="#f00"/></svg>`,
    'src/style.css': `#a { background-image: url('./big.svg') } #b { background-image: url(/free.png), url("small.svg") }`,
    'src/note.txt': 'a note',
    'src/data.json': `{ "name": "json", "list": [1, 2], "two words": true }`,
    'src/main.ts': `import './style.css'
import big from './big.svg'
import small from './small.svg'
import fixed from './small.svg?no-inline'
import text from './note.txt?raw'
import own from './note.txt?url'
import inline from './style2.css?inline'
import data, { name } from './data.json'
import free from '/free.png'
const picture = (n: string) => new URL(\`./pics/\${n}.png\`, import.meta.url).href
const direct = new URL('./dot.png', import.meta.url).href
const sizes = await Promise.all([big, small, fixed, free, direct, picture('one'), picture('two')].map((src) => new Promise((done) => {
  const image = new Image()
  image.onload = () => done(image.width)
  image.onerror = () => done('broken ' + src)
  image.src = src
})))
const background = (id: string) => getComputedStyle(document.querySelector(id)!).backgroundImage.match(/url\\("([^"]*)"\\)/g)!.map((it) => it.slice(5, -2))
const reached = await Promise.all([...background('#a'), ...background('#b')].map(async (it) => (await fetch(it)).status))
const fetched = await (await fetch(own)).text()
Object.assign(window, { seen: { sizes, reached, fetched, text, inline: inline.includes('red'), name, data, title: document.title } })
Object.assign(window, { ready: true })`,
    'src/style2.css': `.x { color: red }`,
  },
}, async (page) => ({
  ...(await page.evaluate(() => window.seen)),
  pictures: await page.evaluate(() => Promise.all([...document.images].map(async (image) => (await fetch(image.currentSrc)).status))),
  linked: await color(page, '#b'),
}))

both('globs, eager and lazy, and imports of templates', {
  files: {
    'main.ts': `const eager = import.meta.glob('./pages/*.ts', { eager: true, import: 'name' })
const whole = import.meta.glob<{ name: string }>('./pages/*.ts', { eager: true })
const lazy = import.meta.glob<{ name: string }>(['./pages/*.ts', '!**/b.ts'])
const raw = import.meta.glob('./pages/*.ts', { query: '?raw', import: 'default', eager: true })
const which = 'b'
const computed = await import(\`./pages/\${which}.ts\`)
let missing = ''
try { await import(\`./pages/\${which + 'x'}.ts\`) } catch (error) { missing = (error as Error).message.includes('bx') ? 'missing' : String(error) }
Object.assign(window, { seen: [Object.entries(eager), Object.keys(whole), whole['./pages/a.ts']!.name, Object.keys(lazy), (await lazy['./pages/a.ts']!()).name, Object.values(raw).length, computed.name, missing], ready: true })`,
    'pages/a.ts': `export const name = 'page a'`,
    'pages/b.ts': `export const name: string = 'page b'`,
  },
}, (page) => page.evaluate(() => window.seen))

both('workers: by address, as a class, inline, shared, with imports of their own', {
  files: {
    'main.ts': `import Counter from './count?worker'
import Inline from './count?worker&inline'
import Shared from './shared?sharedworker'
import address from './count?worker&url'
const answer = (worker: Worker | MessagePort, first: unknown) => new Promise((done) => { worker.onmessage = (event) => done(event.data); worker.postMessage(first) })
const shared = new Shared()
shared.port.start()
const seen = [
  await answer(new Worker(new URL('./count.ts', import.meta.url), { type: 'module' }), 1),
  await answer(new Worker(new URL('./count.ts', import.meta.url)), 2),
  await answer(new Counter({ name: 'x' }), 3),
  await answer(new Inline(), 4),
  await answer(new Worker(address, { type: 'module' }), 5),
  await answer(shared.port, 6),
]
Object.assign(window, { seen, ready: true })`,
    'count.ts':
      `import { twice } from './twice'\nenum Kind { Even, Odd }\nself.onmessage = (event: MessageEvent<number>) => self.postMessage([twice(event.data), Kind[event.data % 2], import.meta.env.BASE_URL])`,
    'twice.ts': `export const twice = (n: number) => n * 2`,
    'shared.ts':
      `import { twice } from './twice'\n;(self as any).onconnect = ({ ports: [port] }: MessageEvent) => { port!.onmessage = (event) => port!.postMessage(twice(event.data)) }`,
  },
}, (page) => page.evaluate(() => window.seen))

both('TypeScript, JSX, decorators, WebAssembly, CommonJS, env, defines and aliases mean the same', {
  packages: ['react', 'react-dom', 'scheduler'],
  bytes: { 'add.wasm': 'AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=' },
  files: {
    'rekindle.toml': `[define]\n__VERSION__ = '"1.2"'\n[resolve]\nalias = { "@" = "/lib" }\n`,
    'tsconfig.json': `{ "compilerOptions": { "experimentalDecorators": true, "jsx": "react-jsx", "paths": { "~/*": ["./lib/*"] } } }`,
    'main.tsx': `import { createRoot } from 'react-dom/client'
import { flushSync } from 'react-dom'
import init from './add.wasm?init'
import { add } from './add.wasm'
import legacy, { named } from 'legacy'
import { where } from 'conditional'
import { one } from '@/one'
import { one as other } from '~/one'
import text from './note.txt' with { type: 'text' }
import type { Nothing } from './nothing'
declare const __VERSION__: string
function mark(target: any) { target.marked = true }
@mark class Marked { field = 1 }
namespace Space { export const inner = 'inner' }
const { VITE_A, MODE } = import.meta.env
const { env } = import.meta
flushSync(() => createRoot(document.getElementById('a')!).render(<b title="x">{one}</b>))
const instance = await init()
Object.assign(window, { seen: { html: document.getElementById('a')!.innerHTML, marked: (Marked as any).marked, inner: Space.inner, sum: (instance.exports as any).add(2, 3), add: add(4, 5),
  legacy: legacy.value, named, one: one === other, text, version: __VERSION__, VITE_A, env: env.VITE_A, unknown: import.meta.env.VITE_NONE, mode: typeof MODE, where: (document.body.title = where, where.length > 0), ssr: import.meta.env.SSR }, ready: true })`,
    'note.txt': 'text by attribute',
    'lib/one.ts': `export const one = 'one'`,
    '.env': 'VITE_A=from env\nSECRET=never\n',
    'node_modules/legacy/package.json': `{ "name": "legacy", "main": "index.js" }`,
    'node_modules/legacy/index.js':
      `exports.named = 'named'\nexports.value = process.env.NODE_ENV ? 'set' : 'not'\nif (process.env.NODE_ENV !== 'production') exports.dev = require('./dev')`,
    'node_modules/legacy/dev.js': `module.exports = 1`,
    'node_modules/conditional/package.json':
      `{ "name": "conditional", "type": "module", "exports": { "production": "./production.js", "development": "./development.js" } }`,
    'node_modules/conditional/production.js': `export const where = 'CONDITION_PRODUCTION'`,
    'node_modules/conditional/development.js': `export const where = 'CONDITION_DEVELOPMENT'`,
  },
  after: (_, files) => {
    const text = [...files.values()].join('\n')
    assert.ok(text.includes('CONDITION_PRODUCTION') && !text.includes('CONDITION_DEVELOPMENT'))
    assert.ok(!text.includes('jsxDEV') && !text.includes('never'))
  },
}, (page) => page.evaluate(() => window.seen))

both('globs and computed imports: imports of package.json, a folder named like a pattern, the own folder, any extension', {
  files: {
    'package.json': '{ "imports": { "#parts/*": { "node": "./nowhere/*", "default": "./lib/parts/*" }, "#none/*": "pkg/*" } }',
    'rekindle.toml': '[resolve.alias]\n"@/" = "/lib/"\n"odd" = "/lib/[odd]"\n',
    'index.html': `<!doctype html><link rel="icon" href="data:,"><p id="a"></p><p id="b"></p><p id="c"></p>
<script type="module">document.getElementById('a').textContent = Object.keys(import.meta.glob('./lib/parts/*.js', { eager: true })).join()</script>
<script type="module" src="/lib/own/main.js"></script>`,
    'lib/own/main.js': `const name = document.title || 'one', extension = 'js'
const load = async (promise) => { try { return (await promise).default } catch (error) { return String(error) } }
const seen = {
  keys: [import.meta.glob('#parts/*.js'), import.meta.glob('odd/*.js'), import.meta.glob('@/parts/*.js')].map((found) => Object.keys(found).join()),
  imports: await load(import(\`#parts/\${name}.js\`)),
  alias: await load(import(\`@/parts/\${name}.js\`)),
  odd: await load(import(\`odd/\${name}.js\`)),
  own: await load(import(\`../own/\${name}.js\`)),
  extension: await load(import(\`../parts/\${name}.\${extension}\`)),
  address: (await fetch(new URL(\`../parts/\${name}.\${'txt'}\`, import.meta.url)).then((answer) => answer.text())),
}
Object.assign(window, { seen, ready: true })`,
    'lib/own/one.js': `export default 'own one'`,
    'lib/parts/one.js': `export default 'parts one'`,
    'lib/parts/one.txt': 'text one',
    'lib/[odd]/one.js': `export default 'odd one'`,
  },
  after: (_, __, seen) =>
    assert.deepEqual(seen, [{
      keys: ['/lib/parts/one.js', '/lib/[odd]/one.js', '/lib/parts/one.js'],
      imports: 'parts one',
      alias: 'parts one',
      odd: 'odd one',
      own: 'own one',
      extension: 'parts one',
      address: 'text one',
    }, './lib/parts/one.js']),
}, (page) => page.evaluate(() => [window.seen, document.getElementById('a').textContent]))

both('a page says where its addresses begin', {
  files: {
    'index.html':
      `<!doctype html><link rel="icon" href="data:,"><base href="/lib/"><link rel="modulepreload" href="part.js"><link rel="stylesheet" href="look.css"><p id="a"></p><p id="b"></p><p id="c"></p><script type="module" src="main.js"></script>`,
    'lib/main.js': `import { part } from './part.js'\ndocument.getElementById('a').textContent = part\nwindow.ready = true`,
    'lib/part.js': `export const part = 'of lib'`,
    'lib/look.css': '#b { color: rgb(1, 2, 3) }',
  },
  after: (_, __, seen) => assert.deepEqual(seen, ['of lib', 'rgb(1, 2, 3)']),
}, async (page) => [(await texts(page))[0], await color(page, '#b')])

both('scripts written into a page are where its addresses begin', {
  files: {
    'sub/page.html':
      `<!doctype html><link rel="icon" href="data:,"><base href="/lib/"><p id="a"></p><p id="b"></p><p id="c"></p><script type="module">
import { part } from './part.js'
import text from '../other/note.txt?raw'
import all from './all'
const { deep } = await import('./deep/deep.js')
const found = import.meta.glob('./deep/*.js', { eager: true, import: 'deep' })
const worker = new Worker(new URL('work.js', import.meta.url), { type: 'module' })
const answer = new Promise((done) => { worker.onmessage = ({ data }) => done(data) })
document.getElementById('a').textContent = [part, text, all, deep, Object.keys(found), await answer].join()
window.ready = true
</script>`,
    'relative/page.html':
      `<!doctype html><link rel="icon" href="data:,"><base href="../lib/"><p id="a"></p><p id="b"></p><p id="c"></p><script type="module">import { part } from './part.js'\ndocument.getElementById('a').textContent = 'relative ' + part\nwindow.ready = true</script>`,
    'index.html': `<!doctype html><link rel="icon" href="data:,"><p id="a"></p><script type="module">window.ready = true</script>`,
    'lib/part.js': `export const part = 'part'`,
    'lib/all.ts': `export default 'all' as string`,
    'lib/work.js': `postMessage('worker')`,
    'lib/deep/deep.js': `export const deep = 'deep'`,
    'other/note.txt': 'note',
  },
  after: (_, __, seen) => assert.deepEqual(seen, ['part,note,all,deep,./deep/deep.js,worker', 'relative part']),
}, async (page) => {
  const seen = []
  for (const address of ['/sub/page.html', '/relative/page.html']) {
    await page.goto(new URL(address, page.url()).href)
    await page.waitForFunction(() => window.ready)
    seen.push((await texts(page))[0])
  }
  return seen
})

both('plain scripts of their own import modules when they run', {
  files: {
    'index.html':
      `<!doctype html><link rel="icon" href="data:,"><p id="a"></p><p id="b"></p><p id="c"></p><script src="/plain/small.js"></script><script src="plain/large.js"></script>`,
    'plain/small.js':
      `import('./module.js').then(({ name }) => { document.getElementById('a').textContent = name; window.ready = (window.count = (window.count ?? 0) + 1) === 2 })`,
    'plain/large.js': `/* ${
      'x'.repeat(9000)
    } */ window.ready = false; import("/other/module.ts").then(({ name }) => { document.getElementById('b').textContent = name; window.ready = (window.count = (window.count ?? 0) + 1) === 2 })`,
    'plain/module.js': `import { part } from './part.js'\nexport const name = 'beside ' + part`,
    'plain/part.js': `export const part = 'part'`,
    'other/module.ts': `export const name: string = 'other'`,
  },
  after: (_, output, seen) => {
    assert.deepEqual(seen, ['beside part', 'other', ''])
    assert.equal([...output.keys()].filter((name) => /large-/.test(name)).length, 1, [...output.keys()].join())
  },
}, texts)

test('a name that is written to where nothing can be is a mistake of the build, not its end', {
  start: false,
  files: {
    'main.js': `import { ns } from './passes-on.js'\nns.added = 1\nconsole.log(ns)`,
    'passes-on.js': `import * as ns from './names.js'\nexport { ns }`,
    'names.js': 'export const a = 1\nexport let b = 2',
  },
}, async (app) => {
  const { code, err, out } = await build(app)
  assert.equal(code, 1, out)
  assert.match(err, /error: .*(Cannot assign to import|the bundler stopped)/)
  assert.doesNotMatch(err, /panicked/)
})

both('what is required and not there, modules in .cts, queries behind addresses, paths of the disk', {
  files: {
    'main.js': 'document.title = "to be written by the test"',
    'typed.cts': `export const typed: string = 'typed'\nexport default 2`,
    'odd.cjs': `exports.cjs = 'cjs'`,
    'dot.png': Buffer.from('iVBORw0KGgo=', 'base64'),
    'node_modules/guarded/package.json': '{"name":"guarded","main":"main.js"}',
    'node_modules/guarded/main.js':
      `const code = (load) => { try { return load() && 'loaded' } catch (error) { return error.code + ' ' + /not-there|gone/.test(error.message) } }
const absent = () => require('not-there')
exports.codes = [code(absent), code(absent), code(() => require('./gone'))]`,
  },
  before(app) {
    app.write(
      'main.js',
      `import { typed } from './typed.cts'
import two from './typed.cts'
import { cjs } from './odd.cjs'
import { codes } from 'guarded'
import { cjs as byPath } from ${JSON.stringify(app.path('odd.cjs'))}
import { typed as byAddress } from ${JSON.stringify(String(new URL(`file://${app.path('typed.cts')}`)))}
const dot = new URL('./dot.png?v=1', import.meta.url)
const seen = [typed, two, cjs, byPath, byAddress, codes, dot.search, (await fetch(dot)).headers.get('content-type')]
Object.assign(window, { seen, ready: true })`,
    )
  },
  after: (_, __, seen) =>
    assert.deepEqual(seen, [
      'typed',
      2,
      'cjs',
      'cjs',
      'typed',
      ['MODULE_NOT_FOUND true', 'MODULE_NOT_FOUND true', 'MODULE_NOT_FOUND true'],
      '?v=1',
      'image/png',
    ]),
}, (page) => page.evaluate(() => window.seen))

both('an extension that only the settings know is that of a script', {
  files: {
    'rekindle.toml': '[resolve]\nextensions = [".es", ".js"]\n',
    'main.js': `import { part } from './part'\nimport { more } from './more.es'\nObject.assign(window, { seen: [part, more], ready: true })`,
    'part.es': `import { more } from './more'\nexport const part = 'part of ' + more`,
    'more.es': `export const more = 'more'`,
  },
  after: (_, __, seen) => assert.deepEqual(seen, ['part of more', 'more']),
}, (page) => page.evaluate(() => window.seen))

both('a WebAssembly module shares a global with the one that it imports it of', {
  bytes: {
    // (module (global (export "cell") (mut i32) (i32.const 5)) (func (export "read") (result i32) global.get 0))
    'cell.wasm': 'AGFzbQEAAAABBQFgAAF/AwIBAAYGAX8BQQULBw8CBGNlbGwDAARyZWFkAAAKBgEEACMACw==',
    // (module (import "./cell.wasm" "cell" (global (mut i32))) (func (export "bump") …))
    'user.wasm': 'AGFzbQEAAAABBAFgAAACFQELLi9jZWxsLndhc20EY2VsbAN/AQMCAQAHCAEEYnVtcAAACgsBCQAjAEEBaiQACw==',
  },
  files: {
    'main.js': `import * as cell from './cell.wasm'
import { bump } from './user.wasm'
const before = [cell.cell, cell.read()]
bump()
bump()
Object.assign(window, { seen: [before, cell.read(), Object.keys(cell)], ready: true })`,
  },
  after: (_, __, seen) => assert.deepEqual(seen, [[5, 5], 7, ['cell', 'read']]),
}, (page) => page.evaluate(() => window.seen))

both('the mode by each of its names', {
  files: {
    'main.js': `const modes = [process.env.NODE_ENV, globalThis.process.env.NODE_ENV, global.process.env.NODE_ENV]
Object.assign(window, { seen: [typeof modes[0], new Set(modes).size], ready: true })`,
  },
  after: (_, __, seen) => assert.deepEqual(seen, ['string', 1]),
}, (page) => page.evaluate(() => window.seen))

// ---- nothing of hot replacement

test('nothing of hot replacement is left, whatever of its API a page uses', {
  start: false,
  files: {
    'main.ts': `import { helper } from './hot-only'
import { used } from './part'
import './guarded-effects'
const hot = import.meta.hot
const { hot: other } = import.meta
const meta = import.meta
if (meta.hot) console.log('GONE_META', helper())
if ('hot' in import.meta) console.log('GONE_IN', helper())
let state = { n: 1 }
document.getElementById('a')!.textContent = used()
if (import.meta.hot) {
  import.meta.hot.accept()
  import.meta.hot.accept('./part', (m) => console.log('GONE_1', m))
  import.meta.hot.accept(['./part', './hot-only'], ([a]) => console.log('GONE_2', a))
  import.meta.hot.acceptExports(['x'], () => console.log('GONE_3'))
  import.meta.hot.dispose((data) => { data.state = state; data.kept = 'GONE_4' })
  import.meta.hot.prune(() => console.log('GONE_5'))
  import.meta.hot.on('vite:beforeUpdate', () => console.log('GONE_6'))
  import.meta.hot.off('vite:afterUpdate', helper)
  import.meta.hot.send('GONE_7', helper('GONE_8'))
  import.meta.hot.invalidate('GONE_9')
  import.meta.hot.decline()
  state = import.meta.hot.data.state ?? state
  onlyHot('GONE_10')
}
import.meta.hot && onlyHot('GONE_11')
import.meta.hot?.accept(() => onlyHot('GONE_12'))
import.meta['hot']?.on('vite:error', () => onlyHot('GONE_13'))
;(import.meta as any).hot?.dispose(() => onlyHot('GONE_14'))
hot?.accept(() => onlyHot('GONE_15'))
if (hot) onlyHot('GONE_16')
if (typeof import.meta.hot !== 'undefined') onlyHot('GONE_17')
if (!import.meta.hot) document.getElementById('b')!.textContent = 'cold'; else onlyHot('GONE_18')
import.meta.hot ? onlyHot('GONE_19') : (document.getElementById('c')!.textContent = typeof import.meta.hot + String(other))
if (import.meta.hot && location.hash) onlyHot('GONE_20')
function onlyHot(text: string) { console.log('GONE_21', text, state) }`,
    'hot-only.ts': `export function helper(text?: unknown) { console.log('GONE_22', text); return 'GONE_23' }`,
    'part.ts': `export const used = () => 'used'\nif (import.meta.hot) { import.meta.hot.accept(); import.meta.hot.data.x = 'GONE_24' }`,
    'guarded-effects.ts': `import { only } from './hot-only-2'\nif (import.meta.hot) only()\n;(window as any).effect = true`,
    'hot-only-2.ts': `export const only = () => console.log('GONE_25')`,
  },
}, async (app) => {
  for (const flags of [[], ['--no-minify']]) {
    const { code } = await build(app, ...flags)
    assert.equal(code, 0)
    const files = contents(app.path('dist'))
    const text = [...files.values()].join('\n')
    const traces = [
      'import.meta.hot',
      'GONE_',
      '.dispose(',
      '.accept(',
      '.invalidate(',
      '.prune(',
      'acceptExports',
      'decline',
      '@rekindle',
      'vite:beforeUpdate',
      'refresh',
      'WebSocket',
    ]
    for (const trace of traces) assert.ok(!text.includes(trace), `${trace} is in the output with ${flags}:\n${text}`)
    const host = await serve(app.path('dist'))
    const seen = await visit(app, host.url, async (page) => [...(await texts(page)), await page.evaluate(() => window.effect)])
    host.stop()
    assert.deepEqual(seen, ['used', 'cold', 'undefinedundefined', true])
  }
})

// ---- the output

test('several pages share what they share; a lazy chunk brings its sheet; a list of files is written', {
  start: false,
  files: {
    'index.html':
      `<!doctype html><html><head><link rel="icon" href="data:,"></head><body><p id="a"></p><script type="module" src="/a.js"></script></body></html>`,
    'docs/index.html':
      `<!doctype html><html><head><link rel="icon" href="data:,"></head><body><p id="a"></p><script type="module" src="./b.js"></script></body></html>`,
    'a.js':
      `import './first.js'\nimport { shared } from './shared.js'\nshow(shared)\nimport('./lazy.js')\nfunction show(text) { document.getElementById('a').textContent = 'A ' + window.first + text }`,
    'first.js': `window.first = 'first '\nwindow.address = new URL('/robots.txt?x', import.meta.url).href.slice(-17)`,
    'shared.js': `import './shared.css'\nexport const shared = 'shared ' + (window.first ?? 'alone')\nconsole.log(shared)`,
    'shared.css': `#a { color: rgb(1, 2, 3) }`,
    'lazy.js': `import './lazy.css'\nconsole.log(getComputedStyle(document.getElementById('a')).outlineColor)`,
    'lazy.css': `#a { outline-color: rgb(3, 2, 1) }`,
    'docs/b.js': `import { shared } from '../shared.js'\ndocument.getElementById('a').textContent = 'B ' + shared`,
    'public/robots.txt': 'all',
    'public/.well-known/x.txt': 'known',
  },
}, async (app) => {
  const { code, out } = await build(app, '--manifest', '--base', '/app/')
  assert.equal(code, 0)
  assert.match(out, /dist\/index\.html +[\d.]+ kB │ gzip: +[\d.]+ kB/)
  const files = contents(app.path('dist'))
  assert.equal(files.get('robots.txt'), 'all')
  assert.equal(files.get('.well-known/x.txt'), 'known')
  const manifest = JSON.parse(files.get('.vite/manifest.json'))
  assert.equal(manifest['index.html'].isEntry, true)
  assert.match(manifest['index.html'].file, /^assets\/index-[\w-]{8}\.js$/)
  assert.deepEqual(manifest['index.html'].dynamicImports, ['lazy.js'])
  assert.match(manifest['lazy.js'].css[0], /^assets\/lazy-[\w-]{8}\.css$/)
  assert.ok(manifest['docs/index.html'].imports.length > 0)
  const host = await serve(app.path('dist'), '/app/')
  const home = await visit(app, host.url, async (page, logs) => {
    await until('the lazy module', () => assert.equal(logs.length, 2))
    return [await page.textContent('#a'), await color(page, '#a'), logs, await page.evaluate(() => window.address)]
  })
  const docs = await visit(app, `${host.url}docs/`, async (page) => [await page.textContent('#a'), await color(page, '#a')])
  host.stop()
  assert.deepEqual(home, ['A first shared first ', 'rgb(1, 2, 3)', ['shared first ', 'rgb(3, 2, 1)'], '/app/robots.txt?x'])
  assert.deepEqual(docs, ['B shared alone', 'rgb(1, 2, 3)'])
})

test('addresses that are relative work from any folder', {
  start: false,
  files: {
    'docs/index.html':
      `<!doctype html><html><head><link rel="icon" href="data:,"></head><body><p id="a"></p><img src="../big.svg"><script type="module" src="../main.js"></script></body></html>`,
    'main.js': `import './a.css'\nimport big from './big.svg'\nimport('./lazy.js').then((m) => m.run(big))`,
    'lazy.js':
      `import './lazy.css'\nexport const run = async (big) => { document.getElementById('a').textContent = (await fetch(big)).status + getComputedStyle(document.getElementById('a')).color; window.ready = true }`,
    'lazy.css': `#a { color: rgb(1, 1, 1) }`,
    'a.css': `body { background: url(./big.svg) }`,
    'big.svg': `<svg xmlns="http://www.w3.org/2000/svg" width="3" height="3"><!-- ${'x'.repeat(5000)} --></svg>`,
  },
}, async (app) => {
  assert.equal((await build(app, '--base', './')).code, 0)
  const host = await serve(app.path('dist'), '/some/where/')
  const seen = await visit(app, `${host.url}docs/`, async (page) => [
    await page.textContent('#a'),
    await page.evaluate(() => document.images[0].naturalWidth),
    await page.evaluate(async () => (await fetch(getComputedStyle(document.body).backgroundImage.slice(5, -2))).status),
  ], true)
  host.stop()
  assert.deepEqual(seen, ['200rgb(1, 1, 1)', 3, 200])
})

both('scripts of pages run whatever their package says of side effects, in their place', {
  files: {
    'package.json': '{ "name": "app", "type": "module", "sideEffects": false }',
    'index.html':
      `<!doctype html><html><head><link rel="icon" href="data:,"></head><body><script type="module">import './first.js'; console.log('inline')</script>
<script type="module" src="./main.js"></script><script type="module">console.log('last'); window.ready = true</script></body></html>`,
    'first.js': `console.log('first')`,
    'main.js': `import { part } from './part.js'\nimport './main.css'\nconsole.log('main', part, getComputedStyle(document.body).color)`,
    'part.js': `export const part = 'part'`,
    'main.css': `body { color: rgb(1, 2, 3) }`,
  },
}, async (_, logs) => logs)

both('CommonJS finds its surroundings, and may end before its end', {
  files: {
    'main.js': `import early from 'early'
import './guarded.cjs'
import { place } from 'place'
console.log(JSON.stringify([early, place, import.meta.dirname, import.meta.filename]))
window.ready = true`,
    'guarded.cjs': `if (typeof window !== 'undefined') return\nconsole.log('NEVER')`,
    'node_modules/early/package.json': '{ "name": "early", "main": "lib/index.js" }',
    'node_modules/early/lib/index.js':
      `module.exports = { one: 1 }\nif (global.document) { module.exports.early = __filename; return }\nmodule.exports.late = true`,
    'node_modules/place/package.json': '{ "name": "place", "main": "lib/index.js" }',
    'node_modules/place/lib/index.js': `exports.place = [__dirname, __filename, global === globalThis, typeof global, this === exports]`,
  },
}, async (_, logs) => logs)

both('of lazy modules and of JSON only what is read is in the output', {
  flags: ['--no-minify'],
  files: {
    'main.js': `import { k5 } from './large.json'
const { used, default: standard = 'no', none = 'none' } = await import('./one.js')
const seen = [k5, used, standard, none]
seen.push(await import('./two.js').then(({ two }) => two()), await import('./three.js').then((m) => m.three), (await import('./four.js')).four)
seen.push(await import('./broken.js').then(({ never }) => never).catch((error) => error.message))
seen.push(await import('./live.js').then(async (m) => { await m.change(); return m.live }))
seen.push(...(await Promise.all(Object.values(import.meta.glob('./glob-*.js', { import: 'name' })).map((load) => load()))))
console.log(JSON.stringify(seen))
window.ready = true`,
    'one.js': `export const used = 'used'\nexport const unused = 'UNUSED_ONE'\nexport default 'standard'`,
    'two.js': `export const two = () => 'two'\nexport const unused = 'UNUSED_TWO'`,
    'three.js': `export const three = 'three'\nexport const unused = 'UNUSED_THREE'`,
    'four.js': `export const four = 'four'\nexport const unused = 'UNUSED_FOUR'`,
    'glob-a.js': `export const name = 'glob'\nexport const unused = 'UNUSED_GLOB'`,
    'broken.js': `if (window.document) throw new Error('broken')\nexport const never = 1`,
    'live.js': `export let live = 'old'\nexport const change = async () => { live = 'new' }`,
    'large.json': JSON.stringify(Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`k${at}`, `value ${at}`]))),
  },
  after: (_, output) => {
    const text = [...output.values()].join('')
    assert.ok(!text.includes('UNUSED_'), text)
    assert.deepEqual(text.match(/\$j\.k\d+/g), ['$j.k5'])
  },
}, async (_, logs) => logs)

test('sheets as text name their assets from any page, with relative addresses', {
  start: false,
  files: {
    'docs/index.html':
      `<!doctype html><html><head><link rel="icon" href="data:,"></head><body><p id="a"></p><script type="module" src="../src/main.js"></script></body></html>`,
    'src/main.js':
      `import text from './text.css?inline'\nadd(text)\nimport('./lazy.js').then((m) => m.run(add))\nfunction add(text) { document.head.append(Object.assign(document.createElement('style'), { textContent: text })) }`,
    'src/lazy.js':
      `import text from './lazy.css?inline'\nimport sheet from './sheet.css' with { type: 'css' }\nexport const run = (add) => { add(text); document.adoptedStyleSheets = [sheet]; window.ready = true }`,
    'src/text.css': `body { background: url(./big.svg) }`,
    'src/lazy.css': `#a { background: url("./big.svg#part") }`,
    'src/sheet.css': `html { background: url(/free.svg) }`,
    'src/big.svg': `<svg xmlns="http://www.w3.org/2000/svg" width="3" height="3"><!-- ${'x'.repeat(5000)} --></svg>`,
    'public/free.svg': `<svg xmlns="http://www.w3.org/2000/svg"/>`,
  },
}, async (app) => {
  assert.equal((await build(app, '--base', './')).code, 0)
  const host = await serve(app.path('dist'), "/some/it's (here)/".replaceAll(' ', '%20'))
  const seen = await visit(app, `${host.url}docs/`, async (page) =>
    page.evaluate(() =>
      Promise.all(['html', 'body', '#a'].map(async (selector) => {
        const address = getComputedStyle(document.querySelector(selector)).backgroundImage.slice(5, -2)
        return [(await fetch(address)).status, new URL(address).hash]
      }))
    ), true)
  host.stop()
  assert.deepEqual(seen, [[200, ''], [200, ''], [200, '#part']])
})

test('source maps hold what was written, and nothing of the machine that built', {
  start: false,
  files: {
    'index.html': `<!doctype html><html><body>\n<script type="module">import './main.ts'; console.log('inline')</script></body></html>`,
    'main.ts':
      `import { a } from './data.json'\nimport styles, { box } from './box.module.css'\nimport text from './box.module.css?inline'\nimport raw from './note.txt?raw'\nimport Work from './work.ts?worker'\nimport old from 'old'\nnew Work()\nconsole.log(a, styles, box, text, raw, old as string)`,
    'work.ts': `import { a } from './data.json'\npostMessage(a as unknown)`,
    'data.json': `{ "a": { "b": 1 } }`,
    'box.module.css': `.box { color: red }`,
    'note.txt': `a note`,
    'node_modules/old/package.json': `{ "name": "old", "main": "i.js" }`,
    'node_modules/old/i.js': `module.exports = 'old' + __dirname`,
  },
}, async (app) => {
  assert.equal((await build(app, '--sourcemap', '--no-minify')).code, 0)
  const maps = [...contents(app.path('dist'))].filter(([name]) => name.endsWith('.map'))
  const told = new Set()
  for (const [name, text] of maps) {
    assert.ok(!text.includes(app.root), text)
    const map = JSON.parse(text)
    map.sources.forEach((source, at) => {
      const file = path.join(path.dirname(app.path(`dist/${name}`)), source)
      told.add(path.relative(app.root, file))
      assert.equal(map.sourcesContent[at], fs.readFileSync(file, 'utf8'))
    })
  }
  assert.deepEqual([...told].sort(), ['index.html', 'main.ts', 'node_modules/old/i.js', 'work.ts'])
})

test('a mistake is shown as in development, and the old output stays', {
  start: false,
  files: { 'main.ts': `import { good } from './part'\nconsole.log(good)`, 'part.ts': `export const good = 1` },
}, async (app) => {
  assert.equal((await build(app)).code, 0)
  const before = contents(app.path('dist'))
  const broken = async (file, text, ...wanted) => {
    const old = fs.readFileSync(app.path(file), 'utf8')
    app.write(file, text)
    const { code, err } = await build(app)
    assert.equal(code, 1)
    for (const part of wanted) assert.ok(err.includes(part), `${part} in\n${err}`)
    assert.deepEqual(contents(app.path('dist')), before, 'the output is as it was')
    assert.deepEqual(fs.readdirSync(app.root).filter((name) => name.startsWith('.dist')), [], 'nothing lies beside it')
    app.write(file, old)
  }
  await broken('part.ts', `export const good = = 1`, 'part.ts:1:21', '> 1 | export const good = = 1')
  await broken('main.ts', `import './prt'`, 'cannot find `./prt`', 'main.ts:1:8', 'did you mean `./part.ts`?')
  await broken('main.ts', `import { bad } from './part'\nconsole.log(bad)`, '"bad" is not exported by', 'main.ts:1:10', 'help:')
  await broken('main.ts', `import './x.css'`, 'cannot find `./x.css`')
  await broken('main.ts', `type A = 1\nimport part from './part'\nconsole.log(part)`, '"default" is not exported by', 'main.ts:2:8')
  await broken('main.ts', `let x: number = 1\n new Worker(new URL('./none.ts', import.meta.url))`, 'cannot find `./none.ts`', 'main.ts:2:21')
  await broken(
    'main.ts',
    `interface A { a: 1 }\nconst a: number = 1\n;  a = 2`,
    're-assignment of const variable `a`\n',
    'main.ts:3:4',
    '> 3 | ;  a = 2',
  )
  await broken('main.ts', `interface A { a: 1 }\nimport { good } from './part'\n good = 2`, "Cannot assign to import 'good'", 'main.ts:3:2')
  await broken('index.html', `<script type="module" src="/none.ts"></script>`, 'cannot find `/none.ts`', 'index.html:1:28')
  await broken('main.ts', `import.meta.glob(window.x)`, 'import.meta.glob() takes a string literal', 'main.ts:1:18')
  app.write('part.ts', `export const good = = 1`)
  const { code, out } = await build(app, '--json')
  assert.equal(code, 1)
  const told = JSON.parse(out)
  assert.deepEqual([told.ok, told.errors[0].file, told.errors[0].place.line], [false, 'part.ts', 1])
  app.write('part.ts', `export const good = 1`)
  const good = JSON.parse((await build(app, '--json')).out)
  assert.equal(good.ok, true)
  assert.ok(good.build.files.some((file) => file.name === 'index.html' && file.gzip > 0))
})

test('a page that names a file with secrets is a mistake: nothing is written', {
  files: {
    'index.html': '<!doctype html><a href="/notes.txt">notes</a><img src="/server.key"><link rel="icon" href="./.env.local">',
    'notes.txt': 'notes',
    'server.key': 'secret',
    '.env.local': 'SECRET=1',
  },
  start: false,
}, async (app) => {
  const { code, err } = await build(app)
  assert.equal(code, 1)
  for (const name of ['server.key', '.env.local']) {
    assert.match(err, new RegExp(`\`${name}\` looks like a file with secrets, so it is never part of a page`))
  }
  assert.ok(!fs.existsSync(app.path('dist')))
})

test('an output folder that holds something else is not emptied', {
  start: false,
  files: { 'main.js': `import './src/part.js'`, 'src/part.js': `console.log(1)` },
}, async (app) => {
  const outside = fs.mkdtempSync(`${app.root}-out-`)
  fs.writeFileSync(path.join(outside, 'mine.txt'), 'mine')
  const refused = await build(app, '--out-dir', outside)
  assert.deepEqual([refused.code, refused.err.includes('--empty-out-dir')], [1, true])
  assert.deepEqual([...contents(outside).keys()], ['mine.txt'])
  const sources = await build(app, '--out-dir', 'src')
  assert.deepEqual([sources.code, sources.err.includes('holds sources')], [1, true])
  assert.equal((await build(app, '--out-dir', '.')).code, 1)
  assert.ok(fs.existsSync(app.path('src/part.js')))
  assert.equal((await build(app, '--out-dir', outside, '--empty-out-dir')).code, 0)
  assert.ok(!contents(outside).has('mine.txt'))
  app.write('dist/old.txt', 'old')
  assert.equal((await build(app, '--no-empty-out-dir')).code, 0)
  assert.ok(contents(app.path('dist')).has('old.txt'))
  assert.equal((await build(app)).code, 0)
  assert.ok(!contents(app.path('dist')).has('old.txt'))
  fs.rmSync(outside, { recursive: true })
})

test('what git ignores is no page of the build; a mistake in another page says how to leave it out', {
  start: false,
  files: {
    '.gitignore': 'coverage/\n/stats.html\n',
    'index.html': page('/main.js'),
    'about.html': page('/main.js'),
    'stats.html': page('./none.js'),
    'coverage/lcov/index.html': page('./none.js'),
    'main.js': `console.log(1)`,
  },
}, async (app) => {
  assert.equal((await build(app)).code, 0)
  assert.deepEqual([...contents(app.path('dist')).keys()].filter((name) => name.endsWith('.html')), ['about.html', 'index.html'])
  app.write('about.html', page('./none.js'))
  const { code, err } = await build(app)
  assert.equal(code, 1)
  assert.match(err, /about\.html:1:[^]*help: .*if about\.html is no page of the application/)
})

test('a link in the place of the output folder is followed; folders of packages are refused', {
  start: false,
  files: { 'main.js': `console.log(1)` },
}, async (app) => {
  const outside = fs.mkdtempSync(`${app.root}-real-`)
  fs.symlinkSync(outside, app.path('dist'))
  assert.equal((await build(app)).code, 0)
  assert.ok(fs.lstatSync(app.path('dist')).isSymbolicLink())
  assert.ok(contents(outside).has('index.html'))
  const again = await build(app)
  assert.deepEqual([again.code, again.err.includes('outside the project')], [1, true])
  assert.equal((await build(app, '--empty-out-dir')).code, 0)
  for (const folder of ['node_modules', 'node_modules/x', '.git/x']) {
    const refused = await build(app, '--out-dir', folder)
    assert.deepEqual([refused.code, refused.err.includes('which belongs to other tools')], [1, true])
  }
  fs.rmSync(outside, { recursive: true })
})

test('what links and meta elements name stays a file, noscript counts, and what is left as it is is told', {
  start: false,
  files: {
    'index.html':
      `<!doctype html><html><head><title>%VITE_NOPE%</title><link rel="icon" href="./icon.svg"><link rel="manifest" href="./app.webmanifest">
<link rel="modulepreload" href="/main.js"><meta property="og:image" content="./icon.svg"></head><body style="background: url(./icon.svg)">
<noscript><img id="no" src="./big.svg"></noscript><img src="./icon.svg"><script type="module" src="/main.js"></script></body></html>`,
    'main.js': `console.log(1)`,
    'icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'app.webmanifest': '{}',
    'big.svg': `<svg xmlns="http://www.w3.org/2000/svg"><!-- ${'x'.repeat(5000)} --></svg>`,
  },
}, async (app) => {
  const { code, out, err } = await build(app)
  assert.equal(code, 0)
  const text = contents(app.path('dist')).get('index.html')
  assert.match(text, /rel="icon" href="\/assets\/icon-[\w-]{8}\.svg"/)
  assert.match(text, /rel="manifest" href="\/assets\/app-[\w-]{8}\.webmanifest"/)
  assert.match(text, /og:image" content="\/assets\/icon-/)
  assert.match(text, /<noscript><img id="no" src="\/assets\/big-/)
  assert.match(text, /<img src="data:image\/svg/)
  assert.ok(!text.includes('modulepreload'), text)
  assert.match(out + err, /no env file has VITE_NOPE/)
  assert.match(out + err, /url\(\.\/icon\.svg\) in an inline style stays/)
})

test('with an address as base everything is fetched from there', {
  start: false,
  files: {
    'main.js': `import './a.css'\nimport big from './big.svg'\nimport('./lazy.js').then((m) => m.run(big))`,
    'lazy.js':
      `import './lazy.css'\nexport const run = (big) => { document.getElementById('a').textContent = import.meta.env.BASE_URL + ' ' + new URL(big).pathname.replace(/-.*/, '') + ' ' + new URL(import.meta.url).host; window.ready = true }`,
    'lazy.css': `#a { color: rgb(1, 1, 1) }`,
    'a.css': `body { background: url(./big.svg) }`,
    'big.svg': `<svg xmlns="http://www.w3.org/2000/svg" width="3" height="3"><!-- ${'x'.repeat(5000)} --></svg>`,
  },
}, async (app) => {
  const host = await serve(app.path('dist'), '/x/')
  const cdn = host.url.replace('127.0.0.1', 'localhost').replace(/\/$/, '')
  try {
    assert.equal((await build(app, '--base', cdn)).code, 0)
    const files = contents(app.path('dist'))
    assert.ok(files.get('index.html').includes(`src="${cdn}/assets/index-`))
    const sheet = [...files].find(([name]) => /index-.*\.css$/.test(name))[1]
    assert.ok(sheet.includes(`url(${cdn}/assets/big-`), sheet)
    const seen = await visit(app, `${cdn}/`, async (page) => [await page.textContent('#a'), await color(page, '#a')], true)
    assert.deepEqual(seen, [`${cdn}/ /x/assets/big ${new URL(cdn).host}`, 'rgb(1, 1, 1)'])
  } finally {
    host.stop()
  }
})

test('the manifest is as Vite writes it: sheets as inputs, names of inputs, each asset once', {
  start: false,
  files: {
    'vite.config.js':
      `export default { build: { manifest: true, rollupOptions: { input: { 'app/main': 'src/app.js', index: 'index.html', styles: 'src/only.css' } } } }`,
    'index.html':
      `<!doctype html><html><head><link rel="stylesheet" href="./src/linked.css"></head><body><img src="/src/big.svg"><script type="module" src="/src/main.js"></script></body></html>`,
    'src/main.js': `import './main.css'\nimport big from './big.svg'\nimport again from './big.svg?url'\nconsole.log(big, again)`,
    'src/app.js': `import './app.css'\nconsole.log('app')`,
    'src/app.css': `.app { background: url(./big.svg) }`,
    'src/main.css': `.main { color: red }`,
    'src/only.css': `.only { background: url(./big.svg) }`,
    'src/linked.css': `.linked { color: red }`,
    'src/big.svg': `<svg xmlns="http://www.w3.org/2000/svg"><!-- ${'x'.repeat(5000)} --></svg>`,
  },
}, async (app) => {
  assert.equal((await build(app)).code, 0)
  const files = contents(app.path('dist'))
  const manifest = JSON.parse(files.get('.vite/manifest.json').replace(/-[\w-]{8}\./g, '-H.'))
  const assets = ['assets/big-H.svg']
  assert.deepEqual(manifest, {
    'index.html': {
      file: 'assets/index-H.js',
      name: 'index',
      src: 'index.html',
      isEntry: true,
      css: ['assets/linked-H.css', 'assets/index-H.css'],
      assets,
    },
    'src/app.js': { file: 'assets/app/main-H.js', name: 'app/main', src: 'src/app.js', isEntry: true, css: ['assets/main-H.css'], assets },
    'src/big.svg': { file: 'assets/big-H.svg', src: 'src/big.svg' },
    'src/only.css': { file: 'assets/styles-H.css', name: 'styles', names: ['styles.css'], src: 'src/only.css', isEntry: true, assets },
  })
  assert.ok(![...files.keys()].some((name) => /only.*\.js$|styles.*\.js$/.test(name)), 'no empty script')
})

test('a CSS module comes with what uses its names, or with who imports it for its sheet alone', {
  start: false,
  files: {
    'main.js': `import { used } from './barrel.js'
import './alone.module.css'
import {} from '@/named-nothing.module.css'
import 'pkg'
import unused from './unused.module.css'
import('./lazy.module.css').then((names) => { document.body.className = used + names.lazy })
new Worker(new URL('./work.js', import.meta.url), { type: 'module' })`,
    'work.js': `import './of-worker.module.css'\nimport { named } from './named.module.css'\npostMessage(named)`,
    'barrel.js':
      `export { default as used } from './used.js'\nexport { third } from './third.module.css'\nexport * from './star.module.css'\nexport * as space from './space.module.css'`,
    'used.js': `import names from './used.module.scss'\nexport default names.used`,
    'node_modules/pkg/package.json': '{ "name": "pkg", "main": "index.js" }',
    'node_modules/pkg/index.js': `import './in-package.module.css'\nexport const pkg = 1`,
    'node_modules/pkg/in-package.module.css': '.in-package { order: 1 }',
    'tsconfig.json': '{ "compilerOptions": { "allowJs": true, "paths": { "@/*": ["./*"] } } }',
    'used.module.scss': '.used { order: 1 }',
    ...Object.fromEntries(
      ['alone', 'named-nothing', 'unused', 'lazy', 'of-worker', 'named', 'third', 'star', 'space'].map((
        name,
      ) => [`${name}.module.css`, `.${name} { order: 1 }`]),
    ),
  },
}, async (app) => {
  const built = await build(app)
  assert.equal(built.code, 0, built.err)
  const css = [...contents(app.path('dist'))].filter(([name]) => name.endsWith('.css')).map(([, text]) => text).join('\n')
  const names = [...css.matchAll(/\._([a-z-]+)_\w+/g)].map(([, name]) => name).sort()
  assert.deepEqual(names, ['alone', 'in-package', 'lazy', 'named-nothing', 'used'], css)
})

test('a glob leaves out a file that has no address, and says so', {
  start: false,
  files: {
    'main.js': `document.title = JSON.stringify(import.meta.glob('./d/*.js', { eager: true, import: 'default' }))\nimport.meta.hot?.accept()`,
    'd/a?b.js': 'export default 1',
    'd/c#d.js': 'export default 2',
    'd/x.js': 'export default 3',
  },
  skip: process.platform === 'win32' && 'no file has a `?` in its name there',
}, async (app) => {
  const built = await build(app)
  assert.deepEqual([built.code, (built.err + built.out).match(/.*a\?b\.js.*/g)?.length], [0, 1], built.err)
  assert.match(built.err + built.out, /warning: d\/a\?b\.js has a `\?` in its name, where the query of an address begins, and is left out/)
  const shows = (title) => until(title, async () => assert.equal(await app.page.title(), title))
  const before = app.printed.length
  await app.start()
  await app.load()
  await shows('{"./d/c#d.js":2,"./d/x.js":3}')
  assert.equal(app.printed.slice(before).match(/a\?b\.js has a `\?`/g).length, 1)
  app.write('d/a?b.js', 'export default 4')
  app.write('d/x.js', 'export default 5')
  await shows('{"./d/c#d.js":2,"./d/x.js":5}')
  assert.equal(app.printed.slice(before).match(/a\?b\.js has a `\?`/g).length, 1)
})

test('sheets are lowered for a year of the language', {
  start: false,
  files: { 'main.js': `import './a.css'`, 'a.css': `.a { inset: 0; & b { color: red } }` },
}, async (app) => {
  app.write('rekindle.toml', `[build]\ntarget = "es2015"\n`)
  assert.equal((await build(app)).code, 0)
  const css = [...contents(app.path('dist'))].find(([name]) => name.endsWith('.css'))[1]
  assert.ok(css.includes('top:0') && css.includes('.a b{'), css)
})

test('source maps lead back to the sources, licences stay, the mode picks the env files, `vite.config` counts', {
  start: false,
  files: {
    'vite.config.ts': `export default { build: { outDir: 'out', sourcemap: true, assetsDir: 'static' } }`,
    'main.ts': `import './licensed'\nconst text: string = import.meta.env.VITE_X\nimport('./lazy').then((m) => m.run(text))`,
    'lazy.ts': `import './lazy.css'\n\nexport function run(text: string) {\n  throw new Error('from lazy ' + text)\n}`,
    'lazy.css': `p { color: red }`,
    'licensed.js': `/*! (c) Somebody */\nwindow.licensed = 1`,
    '.env.staging': 'VITE_X=staged',
  },
}, async (app) => {
  assert.equal((await build(app, '--mode', 'staging')).code, 0)
  const files = contents(app.path('out'))
  const text = [...files.values()].join('\n')
  assert.ok(text.includes('(c) Somebody') && text.includes('staged'))
  const [name, code] = [...files].find(([name]) => /^static\/lazy-.*\.js$/.test(name))
  assert.ok(code.trimEnd().endsWith(`//# sourceMappingURL=${path.basename(name)}.map`))
  const map = JSON.parse(files.get(`${name}.map`))
  assert.deepEqual(map.sources.map((source) => path.join(path.dirname(app.path(`out/${name}`)), source)), [app.path('lazy.ts')])
  assert.ok(map.sourcesContent[0].includes('text: string'))
  app.remove('out') // Otherwise its page would count as one of the project.
  app.write('rekindle.toml', `[build]\nlegal_comments = "none"\ntarget = "nonsense"\n`)
  const wrong = await build(app)
  assert.deepEqual([wrong.code, wrong.err.includes('rekindle.toml:3:')], [1, true])
  app.write('rekindle.toml', `[build]\nlegal_comments = "none"\ntarget = "es2015"\nout_dir = "dist"\nsourcemap = false\n`)
  app.write('main.ts', `import './licensed'\nconst o = (window as any).o?.x ?? 'none'\nconsole.log(o)`)
  assert.equal((await build(app)).code, 0)
  const lowered = [...contents(app.path('dist')).values()].join('\n')
  assert.ok(!lowered.includes('(c) Somebody') && !lowered.includes('?.') && !lowered.includes('??'), lowered)
})
