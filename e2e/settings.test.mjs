/** Settings that reach the page: define, aliases, Vite's configuration, and edits of all these while pages are open. */
import assert from 'node:assert/strict'
import http from 'node:http'
import { freePort, test } from './harness.mjs'

test('define and aliases, from rekindle.toml', {
  files: {
    'rekindle.toml': `
[define]
__VERSION__ = '"1.0"'
__CONFIG__ = { list = [1, 2] }
"process.env.API" = '"http://api"'
"import.meta.env.VITE_X" = '"defined"'
[resolve]
alias = { "@" = "/src", "~deep" = "./src/deep" }
`,
    'main.ts': `import { name } from '@/name'
import { deep } from '~deep/deep'
declare const __VERSION__: string, __CONFIG__: { list: number[] }, process: { env: Record<string, string> }
show('a', [name, deep, __VERSION__, __CONFIG__.list.length, process.env.API, import.meta.env.VITE_X, import.meta.env['VITE_X']].join(' '))
import.meta.hot!.accept()`,
    'src/name.ts': `export const name = 'name'`,
    'src/deep/deep.ts': `export const deep = 'deep'`,
  },
}, async (app) => {
  await app.sees('#a', 'name deep 1.0 2 http://api defined defined')
  assert.equal(await app.page.evaluate(() => document.title), 'test')
})

test('an edit of rekindle.toml reaches the open page without a reload', {
  files: {
    'rekindle.toml': `define = { __WORD__ = '"one"' }\n`,
    'main.ts': `declare const __WORD__: string
const data = import.meta.hot!.data
show('a', __WORD__)
show('b', (data.runs = (data.runs ?? 0) + 1))
import.meta.hot!.accept()`,
  },
}, async (app) => {
  await app.sees('#a', 'one')
  await app.edit('rekindle.toml', 'one', 'two')
  await app.sees('#a', 'two')
  await app.sees('#b', '2')
  await app.stayed()
  await app.prints('rekindle.toml changed, restarting the server')
  // A mistake is shown, and the old settings stay in force.
  await app.edit('rekindle.toml', 'define', 'defnie')
  await app.prints('did you mean `define`?')
  await app.edit('main.ts', `show('a', __WORD__)`, `show('a', __WORD__ + '!')`)
  await app.sees('#a', 'two!')
  await app.edit('rekindle.toml', 'defnie', 'define', 'two', 'three')
  await app.sees('#a', 'three!')
  await app.stayed()
})

test('a project with only a configuration of Vite', {
  files: {
    'package.json': `{ "version": "2.0.0" }`,
    '.env': `BACKEND=http://localhost:9\n`,
    'vite.config.ts': `import { defineConfig, loadEnv } from 'vite'
import react from '@vitejs/plugin-react'
import { VitePWA } from 'vite-plugin-pwa'
import { fileURLToPath, URL } from 'node:url'
import pkg from './package.json'
export default defineConfig(({ mode }) => {
  const env = loadEnv(mode, process.cwd(), '')
  return {
    plugins: [react(), VitePWA()],
    resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
    define: { __VERSION__: JSON.stringify(pkg.version) },
    server: { proxy: { '/api': { target: env.BACKEND, rewrite: (path) => path.replace(/^\\/api/, '') } } },
    css: compute(),
  }
})`,
    'main.ts': `import { name } from '@/name'
declare const __VERSION__: string
show('a', name + ' ' + __VERSION__)
import.meta.hot!.accept()`,
    'src/name.ts': `export const name = 'name'`,
  },
}, async (app) => {
  await app.sees('#a', 'name 2.0.0')
  await app.prints(/taken +resolve\.alias, define, server\.proxy\n/)
  await app.prints(/built in +@vitejs\/plugin-react\n/)
  await app.prints(/not supported yet +vite-plugin-pwa\n/)
  await app.prints(/not understood +css \(line 13\)\n/)
  assert.equal(await app.page.evaluate(() => fetch('/api/x').then((answer) => answer.status)), 502)
  await app.edit('package.json', '2.0.0', '2.1.0')
  await app.sees('#a', 'name 2.1.0')
  await app.stayed()
})

test('pages and modules of server.warmup are compiled before anybody asks for them', {
  load: false,
  files: {
    'rekindle.toml': `[server]\nwarmup = ["admin.html", "./src/late.ts", "src/none.ts"]\n`,
    'main.ts': `show('a', 'one')`,
    'admin.html': `<!doctype html><script type="module" src="/src/admin.ts"></script>`,
    'src/admin.ts': `const = 1`,
    'src/late.ts': `import './later'`,
    'src/later.ts': `let = = 2`,
  },
}, async (app) => {
  await app.prints('src/admin.ts:1:')
  await app.prints('src/later.ts:1:')
  await app.prints('`server.warmup`: there is no page and no module `src/none.ts` in the project')
})

test('headers of the settings are on every answer', {
  files: {
    'main.ts': ``,
    'rekindle.toml': `[server.headers]\nCross-Origin-Opener-Policy = "same-origin"\nCross-Origin-Embedder-Policy = "require-corp"\n`,
  },
}, async (app) => {
  assert.equal(await app.page.evaluate(() => crossOriginIsolated), true)
})

test('with cors another origin reads answers and is not told the token', {
  files: { 'main.ts': `show('a', 'one')`, 'rekindle.toml': `[server]\ncors = true\n`, 'public/data.json': '{"a":1}' },
}, async (app) => {
  const other = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p id="a"></p>'))
  const port = await freePort()
  await new Promise((done) => other.listen(port, 'localhost', () => done(undefined)))
  try {
    const page = await app.context.newPage()
    await page.goto(`http://localhost:${port}/`)
    const seen = await page.evaluate(async (url) => ({
      data: await fetch(`${url}data.json`).then((answer) => answer.json()),
      token: /token = "([^"]*)"/.exec(await fetch(`${url}@rekindle/client.js`).then((answer) => answer.text()))[1],
    }), app.url)
    assert.deepEqual(seen, { data: { a: 1 }, token: '' })
  } finally {
    other.close()
  }
})

test('a page of another server connects to where its client came from', {
  start: false,
  files: { 'main.ts': `show('a', 'one')\nimport.meta.hot!.accept()` },
}, async (app) => {
  const port = await freePort()
  app.port = await freePort()
  const page = `<p id="a"></p><p id="b"></p><script>show = (id, text) => { document.getElementById(id).textContent = text }</script>
<script type="module" src="http://localhost:${app.port}/main.ts"></script>`
  const other = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end(page))
  await new Promise((done) => other.listen(port, 'localhost', () => done(undefined)))
  app.write('rekindle.toml', `[server]\nallowed_origins = ["http://localhost:${port}"]\n`)
  try {
    await app.start()
    await app.load(`http://localhost:${port}/`)
    await app.sees('#a', 'one')
    await app.edit('main.ts', 'one', 'two')
    await app.sees('#a', 'two')
    await app.stayed()
  } finally {
    other.close()
  }
})

test('the socket may have an address of its own', {
  files: { 'main.ts': `show('a', 'one')\nimport.meta.hot!.accept()`, 'rekindle.toml': `[hmr]\npath = "hmr/socket"\nprotocol = "ws"\n` },
}, async (app) => {
  await app.edit('main.ts', 'one', 'two')
  await app.sees('#a', 'two')
  await app.stayed()
})
