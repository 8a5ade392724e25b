/**
 * Very many edits of one module with a tab open: none may be missed, and the memory of server and tab must not grow.
 *
 *     REKINDLE_BIN=target/release/rekindle node e2e/soak.mjs [--edits 10000] [--modules 200]
 *
 * Each edit is waited for until the page shows it. Prints what server and tab hold at the start, after a tenth, after half, and at
 * the end: resident memory of both processes and the JavaScript heap after a collection, in MiB. Ends with 1 if an edit did
 * not come within ten seconds.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'

/** Milliseconds after which an edit is missed. */
const PATIENCE = 10_000

const { values } = parseArgs({ options: { edits: { type: 'string', default: '10000' }, modules: { type: 'string', default: '200' } } })
const edits = Number(values.edits)
const modules = Number(values.modules)

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-soak-'))
const leaf = path.join(root, 'leaf.js')
const textOf = (n) => `export const n = ${n}\nimport.meta.hot.data.timer = n\nseen(n)\nimport.meta.hot.accept()\nimport.meta.hot.dispose(() => {})\n`
fs.writeFileSync(path.join(root, 'index.html'), '<!doctype html><script type="module" src="/main.js"></script>')
fs.writeFileSync(path.join(root, 'main.js'), `import './leaf.js'\n${Array.from({ length: modules }, (_, at) => `import './m${at}.js'\n`).join('')}`)
for (let at = 0; at < modules; at++) fs.writeFileSync(path.join(root, `m${at}.js`), `export const m${at} = ${at}\n`)
fs.writeFileSync(leaf, textOf(0))

const server = spawn(process.env.REKINDLE_BIN, ['dev', root], { stdio: ['ignore', 'pipe', 'inherit'] })
const address = await new Promise((done) => {
  let said = ''
  server.stdout.on('data', (text) => {
    said = (said + text).slice(-4000)
    const found = /http:\/\/localhost:\d+\//.exec(said)
    if (found) done(found[0])
  })
})
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', chromiumSandbox: false })
const page = await browser.newPage()

let waiting = { n: 0, done: (_seen) => {} }
await page.exposeFunction('seen', (n) => n === waiting.n && waiting.done(true))
const shown = (n) =>
  new Promise((done) => {
    waiting = { n, done }
    setTimeout(() => done(false), PATIENCE).unref()
  })
const first = shown(0)
await page.goto(address)
if (!(await first)) throw new Error('the page does not run')

const session = await page.context().newCDPSession(page)
const system = await browser.newBrowserCDPSession()
await session.send('Performance.enable')

const residentOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

async function sample(n) {
  await session.send('HeapProfiler.collectGarbage')
  const { metrics } = await session.send('Performance.getMetrics')
  const heap = metrics.find(({ name }) => name === 'JSHeapUsedSize').value / 2 ** 20
  const { processInfo } = await system.send('SystemInfo.getProcessInfo')
  const tab = Math.max(...processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => residentOf(id)))
  console.log(`${String(n).padStart(6)} edits   server ${residentOf(server.pid).toFixed(1)}   tab ${tab.toFixed(1)}   heap ${heap.toFixed(2)}`)
}

await sample(0)
let missed = 0
let reloads = 0
page.on('framenavigated', () => (reloads += 1))
const took = []
for (let n = 1; n <= edits; n++) {
  const arrives = shown(n)
  const began = performance.now()
  fs.writeFileSync(leaf, textOf(n))
  if (await arrives) took.push(performance.now() - began)
  else missed += 1
  if ([edits / 10, edits / 2, edits].includes(n)) await sample(n)
}
took.sort((a, b) => a - b)
console.log(
  `${edits} edits, ${missed} missed, ${reloads} reloads; from the write to the test's own process: median ${took[took.length >> 1]?.toFixed(1)} ms`,
)
await browser.close()
server.kill()
fs.rmSync(root, { recursive: true, force: true })
process.exitCode = missed > 0 ? 1 : 0
