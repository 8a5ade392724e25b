/**
 * Real npm packages, compared with Vite: one small page per package, loaded with cold caches, with warm caches, and by a
 * reload.
 *
 *     node bench/packages.mjs [--rounds 3] [--only d3,monaco-editor] [--dir folder] [--ports 5901]
 *
 * Installs the packages by npm into a temporary folder (or `--dir`, which is used again). The server is
 * `$REKINDLE_BIN`, or the release build of this repository; the browser `$CHROMIUM`.
 *
 *   cold    no cache of the server, new browser: from starting the server to the page being done
 *   warm    the server starts again with its cache, and the browser has its own
 *   reload  the server keeps running and the open page is reloaded
 *
 * Requests and bytes are those of the cold load. Times are medians of the rounds; each round measures one server after the
 * other.
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('..', import.meta.url))
const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : process.argv[at + 1]
}
const rounds = Number(option('rounds', 3))
const only = option('only')?.split(',')
const firstPort = Number(option('ports', 5901))
const program = process.env.REKINDLE_BIN ?? path.join(repository, 'target/release/rekindle')

const REACT = `import { createRoot } from 'react-dom/client'\n`
const render = (jsx) => `createRoot(document.getElementById('app')).render(${jsx})\n`

/**
 * For each package: the names that npm installs, and the source of a page that uses it. The page calls `show(ok)`,
 * which sets `data-done` on the body, or throws if `ok` is false.
 */
const PAGES = {
  'lodash-es': [
    ['lodash-es'],
    `import { chunk, groupBy, debounce } from 'lodash-es'
debounce(() => {}, 10)
show(chunk([1, 2, 3], 2).length + Object.keys(groupBy(['a', 'bb'], 'length')).length === 4)`,
  ],
  'date-fns': [
    ['date-fns'],
    `import { addDays, format } from 'date-fns'
show(format(addDays(new Date(2026, 0, 1), 1), 'yyyy-MM-dd') === '2026-01-02')`,
  ],
  three: [
    ['three'],
    `import { BoxGeometry, Mesh, MeshBasicMaterial, Scene, Vector3 } from 'three'
import { OrbitControls } from 'three/addons/controls/OrbitControls.js'
const scene = new Scene()
scene.add(new Mesh(new BoxGeometry(1, 2, 3), new MeshBasicMaterial()))
show(new Vector3(3, 4, 0).length() === 5 && scene.children.length === 1 && typeof OrbitControls === 'function')`,
  ],
  '@mui/material, icons': [
    ['@mui/material', '@mui/icons-material', '@emotion/react', '@emotion/styled', 'react', 'react-dom'],
    `${REACT}import { useEffect } from 'react'
import { Button, Dialog, Stack, TextField } from '@mui/material'
import { AccessAlarm, Delete, Menu } from '@mui/icons-material'
function App() {
  useEffect(() => show(document.querySelectorAll('svg').length === 3 && document.querySelector('button') !== null), [])
  return <Stack><AccessAlarm /><Delete /><Menu /><Button variant="contained">Save</Button><TextField label="Name" /><Dialog open={false}>no</Dialog></Stack>
}
${render('<App />')}`,
  ],
  rxjs: [
    ['rxjs'],
    `import { filter, from, map, toArray } from 'rxjs'
from([1, 2, 3]).pipe(filter((n) => n > 1), map((n) => n * 2), toArray()).subscribe((all) => show(all.join() === '4,6'))`,
  ],
  d3: [
    ['d3'],
    `import * as d3 from 'd3'
d3.select('#app').append('svg').append('path').attr('d', d3.line()([[0, 0], [10, 20]]))
show(d3.scaleLinear([0, 10], [0, 100])(5) === 50 && document.querySelector('path').getAttribute('d') === 'M0,0L10,20')`,
  ],
  '@tanstack/react-query': [
    ['@tanstack/react-query', 'react', 'react-dom'],
    `${REACT}import { useEffect } from 'react'
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
function Part() {
  const { data } = useQuery({ queryKey: ['a'], queryFn: async () => 'fetched' })
  useEffect(() => { if (data) show(data === 'fetched') }, [data])
  return <p>{data}</p>
}
${render('<QueryClientProvider client={new QueryClient()}><Part /></QueryClientProvider>')}`,
  ],
  zustand: [
    ['zustand', 'react', 'react-dom'],
    `${REACT}import { useEffect } from 'react'
import { create } from 'zustand'
const useCount = create((set) => ({ count: 1, up: () => set(({ count }) => ({ count: count + 1 })) }))
function App() {
  const { count, up } = useCount()
  useEffect(() => { if (count === 1) up(); else show(count === 2) }, [count])
  return <p>{count}</p>
}
${render('<App />')}`,
  ],
  'react-router': [
    ['react-router', 'react', 'react-dom'],
    `${REACT}import { useEffect } from 'react'
import { createMemoryRouter, Link, RouterProvider, useLocation } from 'react-router'
function Page() {
  const { pathname } = useLocation()
  useEffect(() => show(pathname === '/here' && document.querySelector('a') !== null), [])
  return <Link to="/there">there</Link>
}
const router = createMemoryRouter([{ path: '/here', Component: Page }], { initialEntries: ['/here'] })
${render('<RouterProvider router={router} />')}`,
  ],
  'framer-motion': [
    ['framer-motion', 'react', 'react-dom'],
    `${REACT}import { useEffect } from 'react'
import { AnimatePresence, motion } from 'framer-motion'
function App() {
  useEffect(() => show(document.querySelector('b') !== null), [])
  return <AnimatePresence><motion.b animate={{ x: 10 }}>moves</motion.b></AnimatePresence>
}
${render('<App />')}`,
  ],
  'monaco-editor': [
    ['monaco-editor'],
    `import * as monaco from 'monaco-editor'
const idle = URL.createObjectURL(new Blob(['']))
self.MonacoEnvironment = { getWorker: () => new Worker(idle) }
const app = document.body.appendChild(document.createElement('div'))
app.style.height = '200px'
const editor = monaco.editor.create(app, { value: 'const answer = 42', language: 'plaintext' })
show(editor.getValue().length === 17 && app.querySelector('.view-lines') !== null)`,
  ],
}
const MORE = ['vite@8', 'playwright-core']

const HTML = `<!doctype html><html><head><link rel="icon" href="data:,"><title>packages</title>
<script>show = (ok) => { if (!ok) throw new Error('the page shows something else'); performance.mark('done'); document.body.dataset.done = 'yes' }</script></head>
<body><div id="app"></div><script type="module" src="/main.jsx"></script></body></html>`

const work = option('dir', fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-packages-')))
const pages = Object.entries(PAGES).filter(([name]) => !only || only.includes(name))
await install()
const { chromium } = createRequire(path.join(work, 'package.json'))('playwright-core')

const SERVERS = {
  rekindle: { command: program, args: (port) => ['dev', work, '--port', port, '--strict-port'], cache: 'node_modules/.rekindle' },
  vite: {
    command: process.execPath,
    args: (port) => [path.join(work, 'node_modules/vite/bin/vite.js'), work, '--port', port, '--strictPort'],
    cache: 'node_modules/.vite',
  },
}

async function install() {
  fs.mkdirSync(work, { recursive: true })
  const wanted = [...new Set([...pages.flatMap(([, [names]]) => names), ...MORE])]
  const missing = wanted.filter((name) => !fs.existsSync(path.join(work, 'node_modules', name.replace(/(.)@.*/, '$1'))))
  if (missing.length === 0) return
  const manifest = path.join(work, 'package.json')
  if (!fs.existsSync(manifest)) fs.writeFileSync(manifest, JSON.stringify({ name: 'packages', private: true, type: 'module' }))
  const npm = spawn('npm', ['install', '--no-audit', '--no-fund', '--save', ...missing], { cwd: work, stdio: 'inherit' })
  const status = await new Promise((done) => npm.on('close', done))
  if (status !== 0) throw new Error(`npm install ended with ${status}`)
}

async function started({ command, args }, port) {
  const child = spawn(command, args(String(port)), { cwd: work, stdio: 'ignore', env: { ...process.env, NO_COLOR: '1' } })
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`)
    const answer = await fetch(`http://localhost:${port}/@vite/client`, { method: 'GET' }).catch(() => null)
    if (answer) return child
    await new Promise((done) => setTimeout(done, 5))
  }
}

const ended = (child) => new Promise((done) => (child.on('close', done), child.kill('SIGTERM')))

async function opened(context, url, problems) {
  const page = await context.newPage()
  const network = { requests: 0, bytes: 0 }
  const cdp = await context.newCDPSession(page)
  await cdp.send('Network.enable')
  cdp.on('Network.requestWillBeSent', ({ request }) => (network.requests += request.url.startsWith('http') ? 1 : 0))
  cdp.on('Network.loadingFinished', ({ encodedDataLength }) => (network.bytes += encodedDataLength))
  page.on('pageerror', (error) => problems.add(error.message))
  page.on('console', (message) => message.type() === 'error' && problems.add(message.text()))
  await page.goto(url, { waitUntil: 'commit' })
  await done(page)
  return { page, network }
}

const done = (page) => page.waitForFunction(() => document.body?.dataset.done === 'yes', null, { timeout: 90_000, polling: 'raf' })

async function memoryOf(child) {
  const status = await fs.promises.readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

async function measure(server, port) {
  fs.rmSync(path.join(work, server.cache), { recursive: true, force: true })
  const problems = new Set()
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    chromiumSandbox: false,
    args: ['--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
  const context = await browser.newContext()
  const url = `http://localhost:${port}/`
  try {
    const blank = await context.newPage() // An open blank page, so that starting the browser is not measured.
    let began = performance.now()
    let child = await started(server, port)
    const first = await opened(context, url, problems)
    const cold = performance.now() - began
    await first.page.waitForTimeout(300)
    const network = { ...first.network }
    const memory = await memoryOf(child)
    await first.page.close()
    await ended(child)
    began = performance.now()
    child = await started(server, port)
    const second = await opened(context, url, problems)
    const warm = performance.now() - began
    await second.page.waitForTimeout(300)
    began = performance.now()
    await second.page.reload({ waitUntil: 'commit' })
    await done(second.page)
    const reload = performance.now() - began
    await ended(child)
    await blank.close()
    return { cold, warm, reload, memory, ...network, problems: [...problems] }
  } finally {
    await browser.close()
  }
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]
const rows = []
for (const [name, [, source]] of pages) {
  fs.writeFileSync(path.join(work, 'index.html'), HTML)
  fs.writeFileSync(path.join(work, 'main.jsx'), source)
  const runs = { rekindle: [], vite: [] }
  for (let round = 0; round < rounds; round += 1) {
    for (const [which, server] of Object.entries(SERVERS)) {
      try {
        runs[which].push(await measure(server, firstPort + round))
      } catch (error) {
        console.error(`${name} on ${which}: ${error.message}`)
      }
    }
  }
  const of = (which, key) => (runs[which].length > 0 ? Math.round(median(runs[which].map((run) => run[key]))) : NaN)
  const pair = (key, shown = (value) => value.toLocaleString('en')) => `${shown(of('rekindle', key))} / ${shown(of('vite', key))}`
  const row = `| ${name} | ${pair('cold')} | ${pair('warm')} | ${pair('reload')} | ${pair('requests')} | ${
    pair('bytes', (value) => Math.round(value / 1000).toLocaleString('en'))
  } | ${pair('memory')} |`
  console.error(row)
  rows.push(row)
  for (const [which, list] of Object.entries(runs)) {
    for (const problem of new Set(list.flatMap((run) => run.problems))) console.error(`  ${which}: ${problem}`)
  }
}
console.log(`
rekindle / Vite ${
  JSON.parse(fs.readFileSync(path.join(work, 'node_modules/vite/package.json'))).version
}, medians of ${rounds} rounds; load of the machine at the end ${os.loadavg()[0].toFixed(1)} of ${os.cpus().length}

| page | cold start, ms | warm start, ms | reload, ms | requests | kB | server's peak memory, MB |
|---|---|---|---|---|---|---|
${rows.join('\n')}`)
if (!option('dir')) fs.rmSync(work, { recursive: true, force: true })
