/**
 * Carries a sequence out: a folder, a server on it, a line to it, tabs; after each quiet point every tab is held against
 * one that is opened then.
 *
 *     const world = await World.of(browser, files)
 *     await world.perform({ do: 'save', … })    // throws a `Difference` at a quiet point where one is seen
 */
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, Line } from '../line.mjs'
import { differenceInSound, History, readHealth } from './health.mjs'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const program = process.env.REKINDLE_BIN ?? path.join(repository, 'target/release/rekindle')
const base = fs.readFileSync(new URL('base.js', import.meta.url), 'utf8')

/** Milliseconds within which a tab has to become equal to a fresh one; more where a connection has to be found dead first. */
const PATIENCE = Number(process.env.REKINDLE_PATIENCE_MS ?? 8000)
if (!(PATIENCE > 0)) throw new Error(`REKINDLE_PATIENCE_MS must be a number of milliseconds, not "${process.env.REKINDLE_PATIENCE_MS}"`)
/** What comes on top after a restart and after a half-open connection: pauses between attempts. */
const EXTRA = { start: 4000, freeze: 2000 }
/** Longer than a tab waits for an answer to its ping. */
const PONG = 4500
/** Messages between two quiet points; more of them is a conversation that does not end. */
const MOST_FRAMES = 600

/** What the server takes for its own: a sequence must not depend on what the shell has set. */
const isMeantForServer = (name) => /^(VITE_|REKINDLE_)/i.test(name)

const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

/** A tab shows something else than a fresh one. */
export class Difference extends Error {}

export class World {
  tabs = []
  root
  browser
  port
  line
  context
  printed = ''
  /** Patience that the steps since the last quiet point ask for. */
  extra = 0
  branches = 0
  /** What tabs may still run with, while something is wrong. */
  history = new History()

  static async of(browser, files) {
    const world = new World()
    world.root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-model-')))
    world.browser = browser
    try {
      world.port = await freePort()
      world.line = await Line.to(world.port)
      world.write('rekindle.toml', world.line.settings)
      world.write('public/base.js', base)
      for (const [name, text] of Object.entries(files)) world.write(name, text)
      await world.start()
      world.context = await browser.newContext()
      await world.open({ waits: true })
    } catch (error) {
      await world.close()
      throw error
    }
    return world
  }

  async close() {
    await this.context?.close().catch(() => {})
    this.line?.close()
    await this.kill()
    fs.rmSync(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }

  // ---- the server

  async start() {
    if (this.server) return
    const flags = ['dev', this.root, '--port', String(this.port), '--strict-port']
    const shell = Object.entries(process.env).filter(([name]) => !isMeantForServer(name))
    const env = { ...Object.fromEntries(shell), NO_COLOR: '1' }
    const server = spawn(program, flags, { cwd: this.root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (this.printed += chunk))
    this.server = server
    server.over = new Promise((done) => server.on('close', (code, signal) => done(code ?? signal)))
    server.over.then((how) => {
      if (this.server === server && !server.isKilled) this.died = `the server ended with ${how}`
    })
    for (const end = Date.now() + 20_000;; await sleep(15)) {
      if (this.died) throw new Difference(this.died)
      if (await fetch(`http://localhost:${this.port}/`, { headers: { accept: 'text/html' } }).then((answer) => answer.text(), () => null)) return
      if (Date.now() > end) throw new Difference('the server does not answer')
    }
  }

  async kill() {
    const { server } = this
    if (!server) return
    this.server = undefined
    server.isKilled = true
    server.kill('SIGKILL')
    await server.over
  }

  // ---- files

  at(name) {
    return path.join(this.root, name)
  }

  write(name, text) {
    fs.mkdirSync(path.dirname(this.at(name)), { recursive: true })
    fs.writeFileSync(this.at(name), text)
  }

  async save({ files, moves, how, gap, apart }) {
    for (const [from, to] of moves) {
      if (!fs.existsSync(this.at(from)) || fs.existsSync(this.at(to))) continue
      fs.mkdirSync(path.dirname(this.at(to)), { recursive: true })
      fs.renameSync(this.at(from), this.at(to))
    }
    for (const [name, text] of Object.entries(files)) {
      if (text === null) fs.rmSync(this.at(name), { force: true })
      else await this.saveOne(name, text, how, gap)
      if (apart > 0) await sleep(apart)
    }
  }

  async saveOne(name, text, how, gap) {
    const file = this.at(name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    if (how === 'rename') {
      fs.writeFileSync(`${file}.tmp`, text)
      return fs.renameSync(`${file}.tmp`, file)
    }
    if (how === 'truncate') fs.writeFileSync(file, '')
    if (how === 'recreate') fs.rmSync(file, { force: true })
    if (how === 'halves') fs.writeFileSync(file, text.slice(0, text.length / 2))
    if (how !== 'write' && gap > 0) await sleep(gap)
    fs.writeFileSync(file, text)
  }

  git(...words) {
    const settings = ['user.name=t', 'user.email=t@example.com', 'commit.gpgsign=false', 'core.hooksPath=/dev/null', 'gc.auto=0'].flatMap((
      one,
    ) => ['-c', one])
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
    return execFileSync('git', [...settings, ...words], { cwd: this.root, stdio: 'pipe', env, encoding: 'utf8' })
  }

  /** Commits what there is, and checks a branch out on which these files are others; made without touching the files here. */
  checkout({ files }) {
    if (!fs.existsSync(this.at('.git'))) this.git('init', '--quiet')
    this.git('add', '--all')
    this.git('commit', '--quiet', '--allow-empty', '--message', 'before')
    const here = this.git('rev-parse', 'HEAD').trim()
    const away = fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-branch-'))
    const branch = `branch${++this.branches}`
    try {
      this.git('worktree', 'add', '--quiet', '-b', branch, away, here)
      for (const [name, text] of Object.entries(files)) {
        const file = path.join(away, name)
        if (text === null) fs.rmSync(file, { force: true })
        else {
          fs.mkdirSync(path.dirname(file), { recursive: true })
          fs.writeFileSync(file, text)
        }
      }
      this.git('-C', away, 'add', '--all')
      this.git('-C', away, 'commit', '--quiet', '--allow-empty', '--message', branch)
      this.git('worktree', 'remove', '--force', away)
    } finally {
      fs.rmSync(away, { recursive: true, force: true })
    }
    this.git('checkout', '--quiet', branch)
  }

  // ---- tabs

  /** Opens a tab over the line; without `waits` it may still be loading when the next step comes. */
  async open({ waits = false } = {}) {
    const tab = await this.newTab(this.line.url)
    this.tabs.push(tab)
    const going = tab.page.goto(tab.url).catch(() => {})
    if (waits) await going
  }

  async newTab(url) {
    const page = await this.context.newPage()
    const tab = { page, url, lines: [], frames: 0, errors: 0 }
    page.on('console', (message) => tab.lines.push(message.text()))
    page.on('pageerror', (error) => {
      tab.errors += 1
      tab.lines.push(`uncaught ${error.message}`)
    })
    page.on('framenavigated', () => tab.lines.push('(the page was loaded)'))
    page.on('websocket', (socket) => socket.on('framereceived', () => (tab.frames += 1)))
    page.on('dialog', (dialog) => void dialog.accept().catch(() => {}))
    return tab
  }

  // ---- steps

  async perform(step) {
    this.extra = Math.max(this.extra, EXTRA[step.do] ?? 0)
    const tab = this.tabs[step.tab % Math.max(1, this.tabs.length)]
    if (step.do === 'save' || step.do === 'checkout') readHealth(this.root, this.history)
    switch (step.do) {
      case 'save':
        return this.save(step)
      case 'checkout':
        return this.checkout(step)
      case 'pause':
        return sleep(step.ms)
      case 'open':
        return this.open()
      case 'reload':
        return void tab?.page.reload().catch(() => {})
      case 'close':
        if (this.tabs.length > 1 && tab) await this.tabs.splice(this.tabs.indexOf(tab), 1)[0].page.close()
        return
      case 'cut':
        return this.line.cut()
      case 'cutSockets':
        return this.line.cutSockets()
      case 'mend':
        return this.line.mend()
      case 'freeze':
        return this.line.freezeSockets()
      case 'reset':
        return this.line.reset()
      case 'wake':
        return this.wake()
      case 'kill':
        return this.kill()
      case 'start':
        return this.start()
      case 'quiet':
        return this.quiet()
      default:
        throw new Error(`no step is called ${step.do}`)
    }
  }

  /** Somebody looks at the tabs: they try their connections out. */
  async wake() {
    this.isAwake = true
    for (const { page } of this.tabs) await soon(page.evaluate(() => void document.dispatchEvent(new Event('visibilitychange'))))
  }

  // ---- the comparison

  async quiet() {
    await this.start()
    this.line.mend()
    if (this.isAwake) await sleep(PONG) // Tabs find a dead connection out by themselves; workers, which nobody looks at, only after half a minute.
    this.line.reset()
    await this.retryForBrowser()
    const end = Date.now() + PATIENCE + this.extra
    this.health = readHealth(this.root, this.history)
    let difference
    do {
      const fresh = await this.openFresh()
      try {
        difference = await this.compare(fresh, Math.min(end, Date.now() + 2500))
      } finally {
        await fresh.page.close()
      }
      if (this.died) throw new Difference(this.died)
      await this.retryForBrowser()
    } while (difference && Date.now() < end)
    this.isAwake = false
    this.extra = 0
    if (difference) throw new Difference(difference)
    this.checkFrames()
    const { whole, versions } = this.health
    if (whole.size === versions.size) this.history = new History(whole)
  }

  /**
   * A tab on the browser's own error page, or whose first script did not come, is the browser's, which tries again by
   * itself, or the person's who sees it; here they do so now.
   */
  async retryForBrowser() {
    for (const { page, url } of this.tabs) {
      const isLost = await soon(
        page.evaluate(() => /^(chrome-error|about):/.test(location.href) || (document.readyState === 'complete' && !window.read)),
      )
      if (isLost) await soon(page.goto(url), 8000)
    }
  }

  /** Not over the line: whatever happens to that one, this is what the server would tell anybody. */
  async openFresh() {
    const tab = await this.newTab(`http://localhost:${this.port}/`)
    await tab.page.goto(tab.url)
    let before
    for (const end = Date.now() + 3000; Date.now() < end; await sleep(40)) {
      const state = await readTab(tab)
      const text = JSON.stringify(state)
      if (state?.whole && text === before && !/pending|silent/.test(text)) break
      before = text
    }
    return tab
  }

  /** Reads until all tabs are as the fresh one is. Returns what is different at `end`, or nothing. */
  async compare(fresh, end) {
    for (let wait = 20;; wait = Math.min(wait * 1.5, 200)) {
      const expected = await readTab(fresh)
      const differences = []
      for (const [at, tab] of this.tabs.entries()) {
        const found = difference(await readTab(tab), expected, fresh, this.health)
        if (found) differences.push(`tab ${at + 1}: ${found}`)
      }
      if (differences.length === 0) return undefined
      if (Date.now() > end) return differences.join('\n')
      await sleep(wait)
    }
  }

  checkFrames() {
    for (const [at, tab] of this.tabs.entries()) {
      if (tab.frames > MOST_FRAMES) throw new Difference(`tab ${at + 1} was sent ${tab.frames} messages since the last quiet point`)
      tab.frames = 0
    }
  }

  /** What the tabs and the terminal said last. */
  story() {
    const tabs = this.tabs.map(({ lines }, at) => [`tab ${at + 1}:`, ...lines.slice(-30)].join('\n  '))
    return [...tabs, `server:\n${this.printed.slice(-3000)}`].join('\n')
  }
}

/** What comes of a promise, or nothing if it fails or takes long: pages reload under our hands. */
function soon(promise, ms = 2000) {
  let timer
  const late = new Promise((done) => (timer = setTimeout(done, ms)))
  return Promise.race([promise.catch(() => undefined), late]).finally(() => clearTimeout(timer))
}

/** Longer than a busy computer needs, and longer than a worker stays silent. */
const readTab = ({ page }) => soon(page.evaluate(() => window.read?.()), 8000)

/** How a tab is different from a fresh one. While that one is broken, what counts is that both say the same of it. */
function difference(actual, expected, fresh, health) {
  if (!expected) return 'the fresh tab cannot be read'
  if (!actual) return 'it cannot be read'
  if (actual.anomalies.length > 0) return actual.anomalies.join('; ')
  if (expected.overlay) {
    // Which error is thrown depends on what ran before; and a tab with old code may show more.
    const mistakes = expected.overlay.filter((message) => !/^\w*Error: /.test(message))
    const lacks = actual.overlay ? mistakes.filter((message) => !actual.overlay.includes(message)) : expected.overlay
    return lacks.length > 0 || !actual.overlay
      ? `no overlay, where a fresh tab has: ${lacks.join(' · ')}`
      : differenceInSound(actual, expected, health)
  }
  const isBroken = fresh.errors > 0 || Object.values(expected.texts).some((text) => text.includes('failed'))
  if (isBroken) return differenceInSound(actual, expected, health)
  const found = []
  if (actual.overlay) found.push(`an overlay, where a fresh tab has none: ${actual.overlay.join(' · ')}`)
  for (const part of ['texts', 'lives']) found.push(...entriesThatDiffer(part, actual[part], expected[part]))
  for (const [id, count] of Object.entries(expected.lives)) if (count !== 1) found.push(`a fresh tab has ${count} copies of ${id}`)
  if (JSON.stringify(actual.sheets) !== JSON.stringify(expected.sheets)) {
    found.push(`sheets ${JSON.stringify(actual.sheets)}, fresh ${JSON.stringify(expected.sheets)}`)
  }
  if (actual.title !== expected.title) found.push(`"${actual.title}", fresh "${expected.title}"`)
  return found.length > 0 ? found.join('; ') : undefined
}

function entriesThatDiffer(part, actual, expected) {
  const ids = [...new Set([...Object.keys(actual), ...Object.keys(expected)])]
  const what = part === 'lives' ? 'live copies of' : 'shown by'
  return ids.filter((id) => actual[id] !== expected[id]).map((id) => `${what} ${id}: ${actual[id] ?? 'nothing'}, fresh ${expected[id] ?? 'nothing'}`)
}
