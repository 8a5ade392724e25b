/**
 * Size of the browser runtime, and what a page pays for it at its start:
 *
 *     node e2e/measure-client.mjs [rounds]
 *
 * The server is `$REKINDLE_BIN`, or the release build of this repository. Times are Chromium's own trace events of the
 * client script, in a new browser context each round, so that nothing is cached; medians.
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'

const rounds = Number(process.argv[2] ?? 15)
const repository = fileURLToPath(new URL('..', import.meta.url))
const program = process.env.REKINDLE_BIN ?? path.join(repository, 'target/release/rekindle')

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-measure-'))
fs.writeFileSync(path.join(root, 'index.html'), '<!doctype html><link rel=icon href=data:,><script type=module src=/main.js></script>')
fs.writeFileSync(path.join(root, 'main.js'), 'window.up = true')
const port = await freePort()
const server = spawn(program, ['dev', root, '--port', String(port), '--strict-port'], { stdio: 'ignore' })
const url = `http://localhost:${port}/`
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  chromiumSandbox: false,
  args: ['--disable-gpu'],
})
try {
  for (let tries = 0; !(await fetch(url).catch(() => null)) && tries < 100; tries++) await new Promise((done) => setTimeout(done, 50))
  const [address] = /runtime\/\w+\.js/.exec(await (await fetch(`${url}@rekindle/client.js`)).text())
  const script = Buffer.from(await (await fetch(`${url}@rekindle/${address}`)).arrayBuffer())
  console.log(`size: ${script.length} bytes, ${gzipSync(script).length} with gzip`)
  const times = []
  for (let round = 0; round < rounds; round++) times.push(await oneStart())
  for (const what of Object.keys(times[0])) console.log(`${what}: ${median(times.map((time) => time[what])).toFixed(2)} ms`)
  console.log(`${browser.version()}, ${os.cpus().length} × ${os.cpus()[0].model}, ${rounds} rounds`)
} finally {
  await browser.close()
  server.kill()
  fs.rmSync(root, { recursive: true, force: true })
}

async function oneStart() {
  const context = await browser.newContext()
  const page = await context.newPage()
  await browser.startTracing(page, { categories: ['devtools.timeline', 'v8'] })
  await page.goto(url)
  await page.waitForFunction(() => window.up)
  const { traceEvents } = JSON.parse(String(await browser.stopTracing()))
  await context.close()
  const took = (name, is) => traceEvents.filter((event) => event.name === name).find(is).dur / 1000
  const isClient = ({ args }) => args.data.url.includes('/@rekindle/runtime/')
  return {
    'parse and compile, on a thread beside the page': took('v8.parseOnBackground', isClient),
    'run, on the main thread': took('v8.evaluateModule', () => true), // It is the page's first module.
  }
}

function freePort() {
  return new Promise((done) => {
    const probe = net.createServer().listen(0, 'localhost', () => {
      const { port } = probe.address()
      probe.close(() => done(port))
    })
  })
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
