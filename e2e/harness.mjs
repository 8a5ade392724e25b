/**
 * A browser test is a folder of files, a server on it, a tab that looks at it, and edits:
 *
 *     test('new text, same page', { files: { 'main.ts': `…` } }, async (app) => {
 *       await app.edit('main.ts', 'one', 'two')
 *       await app.sees('#a', 'two')
 *       await app.stayed()
 *     })
 *
 * Every test has its own folder, server and browser context. A fixture without an `index.html` gets a page with `#a`,
 * `#b`, `#c`, a global `show(id, text)`, and its `main.ts`, `main.tsx`, `main.jsx` or `main.js` as the entry. The server is `$REKINDLE_BIN`, or
 * the release build of this repository.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import os from 'node:os'
import path from 'node:path'
import { after, test as nodeTest } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { freePort } from './line.mjs'

const repository = fileURLToPath(new URL('..', import.meta.url))
export { freePort }
export const program = process.env.REKINDLE_BIN ?? path.join(repository, 'target/release/rekindle')
const wished = process.env.REKINDLE_PATIENCE_MS ?? '10000'
if (!/^[1-9]\d{0,8}$/.test(wished)) throw new Error(`REKINDLE_PATIENCE_MS must be a number of milliseconds, not "${wished}"`)
const patience = Number(wished)
// rekindle reads these variables: a test must not depend on what the shell has set.
for (const name of Object.keys(process.env)) if (/^(VITE_|REKINDLE_)/i.test(name)) delete process.env[name]
const limit = 50_000

/** `files` and npm `packages`, or `example` to copy a folder of `examples/`; `start: false` and `load: false` leave server and
 * tab to the body; `limit` is how many milliseconds it may take. */
export function test(title, fixture, body) {
  nodeTest(title, { skip: fixture.skip }, async () => {
    const app = new App(makeFolder(fixture))
    try {
      await within(fixture.limit ?? limit, async () => {
        if (fixture.start !== false) await app.start()
        if (fixture.start !== false && fixture.load !== false) await app.load()
        await body(app)
      })
    } catch (error) {
      error.stack += app.story() // The stack is what the reporter prints.
      throw error
    } finally {
      await app.close()
    }
  })
}

/** Not the runner's own time limit: that one would leave the server and the browser behind. */
async function within(ms, work) {
  let timer
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`the test took more than ${ms / 1000} s`)), ms)
  })
  await Promise.race([work(), late]).finally(() => clearTimeout(timer))
}

function makeFolder({ files = {}, example, packages = [] }) {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-e2e-')))
  if (example) {
    fs.cpSync(path.join(repository, 'examples', example), root, { recursive: true })
    return root
  }
  for (const [name, text] of Object.entries({ 'index.html': page(files), ...files })) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
    fs.writeFileSync(path.join(root, name), text)
  }
  for (const name of packages) install(root, name)
  return root
}

/** Copies a package of this folder's into a fixture: `react`, or `react-18 as react`. */
export function install(root, packageName) {
  const [from, to = from] = packageName.split(' as ')
  const folder = fileURLToPath(new URL(`node_modules/${from}`, import.meta.url))
  fs.cpSync(folder, path.join(root, 'node_modules', to), { recursive: true })
}

function page(files) {
  const entry = ['main.ts', 'main.tsx', 'main.jsx', 'main.js'].find((name) => name in files)
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>test</title>
    <link rel="icon" href="data:,">
    <script>show = (id, text) => { document.getElementById(id).textContent = String(text) }</script>
    ${entry ? `<script type="module" src="/${entry}"></script>` : ''}
  </head>
  <body>
    <p id="a"></p>
    <p id="b"></p>
    <p id="c"></p>
  </body>
</html>
`
}

class App {
  port
  first
  context
  /** What the server printed, all starts together. */
  printed = ''
  tabs = []
  /** Program and arguments in front of the flags; the fixture's folder is where it runs. */
  command = undefined

  constructor(root) {
    this.root = root
  }

  // ---- the server

  async start(...flags) {
    await this.spawn(...flags)
    this.url = `${flags.includes('--https') ? 'https' : 'http'}://localhost:${this.port}/`
    await until('the server to answer', async () => {
      if (this.ended) throw new Stop(`the server ended with ${this.ended.code ?? this.ended.signal}`)
      await answers(this.url)
    })
  }

  /** Starts the program without waiting for an answer. */
  async spawn(...flags) {
    this.port ??= await freePort()
    this.ended = null
    const [command, ...words] = this.command ?? [program, 'dev', this.root]
    const server = spawn(command, [...words, '--port', String(this.port), '--strict-port', ...flags], {
      cwd: this.root,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (this.printed += chunk))
    this.over = new Promise((done) => {
      server.on('error', (error) => done(this.ended = { code: error.message }))
      server.on('close', (code, signal) => done(this.ended = { code, signal }))
    })
    this.server = server
  }

  /**
   * Ends the server; gives back how it went and after how many milliseconds.
   * @param {any} signal
   */
  async stop(signal = 'SIGTERM') {
    const began = performance.now()
    this.server.kill(signal)
    const end = await this.over
    return { ...end, ms: performance.now() - began }
  }

  /** Waits until the server has ended by itself. */
  async ends() {
    await until('the server to end', () => assert.ok(this.ended))
    return this.ended
  }

  async prints(text) {
    await until(`the server to print ${text}`, () => {
      if (!(text instanceof RegExp ? text.test(this.printed) : this.printed.includes(text))) throw new Error('it did not')
    })
  }

  // ---- files

  path(name) {
    return path.join(this.root, name)
  }

  /** Replaces text in a file. Pairs that follow make it the same save. */
  async edit(name, ...pairs) {
    let text = fs.readFileSync(this.path(name), 'utf8')
    for (let at = 0; at < pairs.length; at += 2) {
      assert.ok(text.includes(pairs[at]), `${name} does not hold ${pairs[at]}`)
      text = text.replaceAll(pairs[at], () => pairs[at + 1])
    }
    this.write(name, text)
  }

  write(name, text) {
    fs.mkdirSync(path.dirname(this.path(name)), { recursive: true })
    fs.writeFileSync(this.path(name), text)
  }

  remove(name) {
    fs.rmSync(this.path(name), { recursive: true })
  }

  /** Does `save` and waits until the terminal names the file: the server has taken it in, whatever tabs make of it. */
  async noticed(name, save) {
    const before = this.printed.length
    await save()
    await until(`the terminal to name ${name}`, () => assert.ok(this.printed.slice(before).includes(name)))
  }

  // ---- the first tab; `tab()` opens more

  get page() {
    return this.first.page
  }
  get errors() {
    return this.first.errors
  }

  async load(where = '') {
    this.first ??= await this.tab({ blank: true })
    await this.first.load(where)
  }

  async tab({ blank = false } = {}) {
    this.context ??= await (await browser()).newContext({ ignoreHTTPSErrors: true })
    const tab = new Tab(await this.context.newPage(), this)
    this.tabs.push(tab)
    if (!blank) await tab.load()
    return tab
  }

  story() {
    const tabs = this.tabs.map((tab, at) => [`tab ${at + 1}:`, ...tab.lines.slice(-20)].join('\n  '))
    return `\n${[...tabs, `server:\n${this.printed.slice(-2000)}`].join('\n')}`
  }

  async close() {
    // A request that a route of the test still holds is nobody's mistake; left alone it fails the whole file.
    for (const { page } of this.tabs) await page.unrouteAll({ behavior: 'ignoreErrors' }).catch(() => {})
    await this.context?.unrouteAll({ behavior: 'ignoreErrors' }).catch(() => {})
    await this.context?.close().catch(() => {})
    if (this.server && !this.ended) await this.stop('SIGKILL')
    fs.rmSync(this.root, { recursive: true, force: true, maxRetries: 3 })
  }
}

class Tab {
  /** console.log texts of the fixture. */
  logs = []
  /** Uncaught errors and console.error texts. */
  errors = []
  /** Everything, for the story of a failure. */
  lines = []
  connections = 0

  constructor(page, app) {
    this.page = page
    this.app = app
    page.on('pageerror', (error) => this.note(this.errors, `uncaught ${error.message}`))
    page.on('console', (message) => {
      const text = message.text()
      if (/^\[(rekindle|vite)\] connected\.$/.test(text)) this.connections += 1
      if (message.type() === 'error') return this.note(this.errors, text)
      if (message.type() === 'log' && !/^\[(rekindle|vite)\]/.test(text)) return this.note(this.logs, text)
      this.lines.push(text)
    })
  }

  note(list, text) {
    list.push(text)
    this.lines.push(text)
  }

  /** Opens the page and waits until it is connected. */
  async load(where = '') {
    const before = this.connections
    await this.page.goto(new URL(where, this.app.url).href)
    await this.connected(before)
    await this.mark()
  }

  /** Waits for a connection later than the first `before`. */
  async connected(before) {
    await until('the page to be connected', () => assert.ok(this.connections > before))
  }

  /** Leaves something in the document that a reload would wipe out. */
  async mark() {
    this.connectionsAtMark = this.connections
    await this.page.evaluate(() => void (window.marked = true))
  }

  async stayed() {
    assert.equal(await this.page.evaluate(() => window.marked), true, 'the page was reloaded')
  }

  async reloaded() {
    await until('a reload', async () => assert.ok(await this.page.evaluate(() => !window.marked && document.readyState === 'complete')))
    await this.connected(this.connectionsAtMark)
    await this.mark()
  }

  async sees(selector, text, ms = patience) {
    await until(`${selector} to read ${text}`, async () => matches(await this.text(selector), text), ms)
  }

  text(selector) {
    return this.page.evaluate((selector) => document.querySelector(selector)?.textContent ?? null, selector)
  }

  async looks(selector, property, value) {
    await until(`${selector} to have ${property}: ${value}`, async () => {
      const read = ([selector, property]) => getComputedStyle(document.querySelector(selector)).getPropertyValue(property)
      assert.equal(await this.page.evaluate(read, [selector, property]), value)
    })
  }

  /** Waits until these texts were logged, in this order; others may lie between. */
  async says(...texts) {
    await until(`the page to say ${texts.join(' · ')}`, () => {
      let at = 0
      for (const text of this.logs) if (at < texts.length && matchesQuietly(text, texts[at])) at += 1
      assert.equal(at, texts.length, `it said ${this.logs.join(' · ')}`)
    })
  }

  async overlay(text) {
    await until(`an overlay with ${text}`, async () => assert.ok((await this.overlayText())?.includes(text)))
  }

  async noOverlay() {
    await until('the overlay to go', async () => assert.equal(await this.overlayText(), null))
  }

  overlayText() {
    return this.page.evaluate(() => {
      const overlay = document.querySelector('rekindle-error-overlay, rekindle-overlay, vite-error-overlay')
      return overlay ? (overlay.shadowRoot ?? overlay).textContent : null
    })
  }
}

for (const name of ['connected', 'mark', 'stayed', 'reloaded', 'sees', 'text', 'looks', 'says', 'overlay', 'noOverlay']) {
  App.prototype[name] = function(...args) {
    return this.first[name](...args)
  }
}

/** Ends a wait at once, since what it waits for can no longer happen. */
class Stop extends Error {}

/** Tries `probe` until it does not throw; gives up after `ms`. */
export async function until(what, probe, ms = patience) {
  const end = Date.now() + ms
  for (;;) {
    try {
      return await probe()
    } catch (error) {
      if (error instanceof Stop) throw error
      if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}: ${error.message}`)
    }
    await new Promise((done) => setTimeout(done, 20))
  }
}

function matches(actual, expected) {
  if (expected instanceof RegExp) assert.match(actual ?? '', expected)
  else assert.equal(actual, expected)
}

function matchesQuietly(actual, expected) {
  return expected instanceof RegExp ? expected.test(actual) : actual === expected
}

/** Whether a server is there; who signed its certificate does not matter. */
function answers(url) {
  const client = url.startsWith('https') ? https : http
  return new Promise((done, fail) => {
    const request = client.get(url, { rejectUnauthorized: false, headers: { accept: 'text/html' } }, (answer) => {
      answer.resume().on('end', done).on('error', fail)
    })
    request.on('error', fail)
  })
}

let launched
function browser() {
  launched ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    chromiumSandbox: false,
    args: ['--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  return launched
}
after(async () => (await launched)?.close())
