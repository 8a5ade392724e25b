/**
 * One page load: the real client in a `node:vm` realm, with document, sockets and clock from `World`, through which all
 * requests and messages pass, one delivery at a time.
 *
 * Modules report through globals: `born`, `gone`, `view`, `click`, `told`, `pruned`.
 */
import vm from 'node:vm'
import { Document, documentGlobals, readHtml } from './dom.mjs'

export const ORIGIN = 'http://model.test'

/** The most module copies made within one task; more counts as an endless loop. */
const MOST_AT_ONCE = 500

export class Realm {
  isAlive = true
  faults = []
  /** What the client said on the console. */
  lines = []
  /** By module, its copies that were made and not yet disposed of. */
  copies = new Map()
  views = new Map()
  clicks = new Map()
  /** By module, the copy disposed of last. */
  lastGone = new Map()
  /** By copy, the copy whose data it found. */
  foundBy = new Map()
  /** By module, the length of `lines` when a copy was last seen at a quiet point. */
  seenAt = new Map()
  /** Copies seen at a quiet point. */
  settled = new Set()
  /** Modules of which such a copy was disposed of; the next copy must find its data. */
  left = new Set()
  made = 0
  modules = new Map()
  linking = Promise.resolve()
  listeners = []
  sockets = []

  constructor(world, tab) {
    this.world = world
    this.tab = tab
    this.document = new Document(`${ORIGIN}/index.html`, { changed: (link) => this.loadSheet(link) })
    this.context = vm.createContext(this.globals())
    this.TypeError = vm.runInContext('TypeError', this.context)
  }

  end() {
    this.isAlive = false
    for (const socket of this.sockets) socket.leave()
  }

  // ---- what the page's scripts find

  globals() {
    const { world, tab } = this
    const realm = this
    class WebSocket extends PageSocket {
      constructor(url) {
        super(realm, url)
      }
    }
    return {
      ...documentGlobals(this.document),
      ...this.reports(),
      WebSocket: Object.assign(WebSocket, { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 }),
      $import: async (address) => (await this.import(new URL(address, ORIGIN).href)).namespace,
      URL,
      Blob,
      Event,
      location: { href: `${ORIGIN}/index.html`, origin: ORIGIN, reload: () => world.wantReload(this) },
      sessionStorage: {
        getItem: (key) => tab.storage.get(key) ?? null,
        setItem: (key, value) => void tab.storage.set(key, value),
        removeItem: (key) => void tab.storage.delete(key),
      },
      performance: { now: () => world.now },
      setTimeout: (fn, pause = 0, ...rest) => world.setTimer(this, () => fn(...rest), pause),
      clearTimeout: (timer) => world.clearTimer(timer),
      setInterval: () => 0, // Only pings, every 30 seconds: no phase of a sequence is that long.
      clearInterval: () => {},
      queueMicrotask,
      console: this.console(),
      reportError: (error) => this.lines.push(`uncaught: ${error?.message ?? error}`),
      addEventListener: (type, fn, isCapturing) => void this.listeners.push({ type, fn, isCapturing }),
      fetch: async (address) => {
        const reply = await this.request(new URL(address, ORIGIN).href, 'content')
        return { ok: reply.status === 200, status: reply.status, text: async () => reply.body }
      },
    }
  }

  console() {
    const say = (level) => (...words) => this.lines.push(`${level}: ${words.map((word) => word?.stack ?? String(word)).join(' ')}`)
    return { debug: say('debug'), log: say('log'), info: say('info'), warn: say('warn'), error: say('error') }
  }

  /** What generated modules call. */
  reports() {
    const { world, tab } = this
    const ofCopy = (map, id, copy) => map.get(id)?.copy === copy
    return {
      born: (id, data) => {
        const copy = ++this.made
        if (++world.bornAtOnce > MOST_AT_ONCE) {
          world.endless = `${tab.name}: ${MOST_AT_ONCE} copies were made in one go, the last of them of ${id}: the page would stand still`
          throw new Error(world.endless)
        }
        if (!this.copies.has(id)) this.copies.set(id, new Set())
        this.copies.get(id).add(copy)
        const { last } = data
        this.foundBy.set(copy, last)
        if (last !== undefined && !this.mayFind(id).includes(last)) {
          this.faults.push(`${id} finds the data of copy ${last}, and the last that was disposed of is ${this.lastGone.get(id)}`)
        }
        if (last === undefined && this.left.has(id)) this.faults.push(`${id} finds no data of the copy before`)
        return copy
      },
      gone: (id, copy, data) => {
        if (!this.copies.get(id).delete(copy)) this.faults.push(`a copy of ${id} was disposed of twice`)
        if (ofCopy(this.views, id, copy)) this.views.delete(id)
        for (const [key, click] of this.clicks) if (click.id === id && click.copy === copy) this.clicks.delete(key)
        data.last = copy
        this.lastGone.set(id, copy)
        if (this.settled.has(copy)) this.left.add(id)
      },
      pruned: (id) => {
        this.lastGone.delete(id)
        this.left.delete(id)
      },
      view: (id, copy, show) => void this.views.set(id, { copy, show }),
      click: (key, copy, id, act) => void this.clicks.set(key, { copy, id, act }),
      told: () => {},
    }
  }

  /**
   * The copies whose data a new one may find: the last one disposed of; and, if an update was rolled back since the module was
   * last seen, also the copy whose data that one had found (and so on, up to a copy that was seen), since a rolled-back copy
   * hands nothing on.
   */
  mayFind(id) {
    const possible = [this.lastGone.get(id)]
    const wasPutBack = this.lines.slice(this.seenAt.get(id) ?? 0).some((line) => line.includes('Failed to reload'))
    for (let last = possible[0]; wasPutBack && last !== undefined && !this.settled.has(last);) possible.push(last = this.foundBy.get(last))
    return possible
  }

  // ---- what it asks for

  async request(address, wants) {
    const url = new URL(address)
    const reply = await this.world.request(this, url.pathname, url.search.slice(1), wants)
    if (!reply) throw new this.TypeError('Failed to fetch')
    return reply
  }

  async load() {
    const reply = await this.world.request(this, '/index.html', '', 'page')
    if (!reply || reply.status !== 200) return this.world.noPage(this)
    readHtml(this.document, reply.body)
    this.document.readyState = 'interactive'
    const scripts = this.document.scripts.filter((script) => script.getAttribute('type') === 'module')
    const loaded = scripts.map((script) => this.graph(script.src).then(() => ({ script }), (error) => ({ script, error })))
    // Without the client nothing on the page waits for the server: the load has failed.
    if ((await loaded[0])?.error) return this.world.noPage(this)
    for (const each of loaded) {
      const { script, error } = await each
      if (!error) await this.run(script.src).catch((error) => this.lines.push(`uncaught: ${error?.stack ?? error}`))
      else this.failed(script, error)
    }
    this.document.readyState = 'complete'
  }

  /** Browsers fire `error` at the script element. It does not bubble, so only capturing listeners get it. */
  failed(script, error) {
    this.lines.push(`error: a script of the page did not load: ${error.message}`)
    for (const { type, fn, isCapturing } of this.listeners) if (type === 'error' && isCapturing) fn({ type, target: script })
  }

  async loadSheet(link) {
    if (link.getAttribute('rel') !== 'stylesheet' || !link.href) return
    const { href } = link
    const reply = await this.request(href, 'content').catch(() => null)
    if (link.href !== href || !link.isConnected) return
    if (reply?.status === 200) link.text = reply.body
    link.dispatch(reply?.status === 200 ? 'load' : 'error')
  }

  // ---- modules, as browsers load them

  import(address) {
    return this.graph(address).then(() => this.run(address))
  }

  /** Fetches a script and all that it imports. A failed fetch stays in the module map, as the HTML standard says. */
  async graph(address) {
    const reached = new Set([address])
    const visit = async (url) => {
      const module = await this.script(url)
      const deps = module.dependencySpecifiers.map((specifier) => new URL(specifier, url).href).filter((dep) => !reached.has(dep))
      for (const dep of deps) reached.add(dep)
      await Promise.all(deps.map(visit))
    }
    await visit(address)
  }

  script(url) {
    let script = this.modules.get(url)
    if (!script) this.modules.set(url, script = this.fetchScript(url))
    return script
  }

  async fetchScript(url) {
    const reply = await this.request(url, 'module')
    if (reply.status !== 200) throw new this.TypeError(`Failed to fetch dynamically imported module: ${url} (${reply.status})`)
    return this.compile(url, reply.body)
  }

  compile(url, text) {
    const options = {
      identifier: url,
      context: this.context,
      initializeImportMeta: (meta) => void (meta.url = url),
      importModuleDynamically: async (specifier) => this.import(new URL(specifier, url).href),
    }
    return url.includes('/@rekindle/runtime/') ? runtimeModule(text, options) : new vm.SourceTextModule(text, options)
  }

  async run(address) {
    const module = await this.script(address)
    const linked = this.linking.then(async () => {
      if (module.status === 'unlinked') await module.link((specifier, from) => this.modules.get(new URL(specifier, from.identifier).href))
    })
    this.linking = linked.catch(() => {})
    await linked
    await module.evaluate()
    return module
  }

  // ---- what can be seen

  /** What the page shows, once all is quiet. */
  look() {
    const views = {}
    for (const [id, { show }] of this.views) {
      try {
        views[id] = show()
      } catch (error) {
        views[id] = `throws ${error?.message ?? error}`
      }
    }
    const live = {}
    for (const [id, copies] of this.copies) {
      if (copies.size > 0) live[id] = copies.size
      for (const copy of copies) this.settled.add(copy)
      if (copies.size > 0) this.seenAt.set(id, this.lines.length)
    }
    const sheets = this.document.querySelectorAll('style[data-vite-dev-id]').map((
      style,
    ) => [style.getAttribute('data-vite-dev-id'), style.textContent])
    const links = this.document.querySelectorAll('link[rel="stylesheet"]').map((link) => [new URL(link.href).pathname, link.text ?? 'not loaded'])
    const text = this.document.querySelector('p')?.textContent
    return { views, live, sheets, links, text, overlay: this.overlay(), faults: [...this.faults, ...this.ownFaults()] }
  }

  overlay() {
    const shown = this.document.querySelector('rekindle-error-overlay')
    const sections = shown ? [...shown.shadowRoot.descendants()].filter(({ localName }) => localName === 'section') : []
    const part = (section, name) => [...section.descendants()].find(({ className }) => className === name)?.textContent
    return sections.map((section) => [part(section, 'file')?.replace(/:.*/, ''), part(section, 'message')].filter(Boolean).join(': '))
  }

  /** Errors of the client itself. Failures because the server is away, and updates that failed, are none. */
  ownFaults() {
    return this.lines.filter((line) => /^error: \[rekindle\] .* failed:/.test(line) && !/Failed to (reload|fetch)/.test(line))
  }

  click(keys) {
    for (const key of keys) this.clicks.get(key)?.act()
  }
}

/** By the client's text: a script that returns the client as a function, and the source of the module around it. */
const clients = new Map()

/**
 * All realms share one script with the client's body as a function: V8 keeps compiled functions per script, and would compile a
 * module anew for each realm. The module around it has the client's imports and exports, and passes in `import()` and
 * `import.meta`.
 */
function runtimeModule(text, options) {
  if (!clients.has(text)) clients.set(text, asScript(text, options.identifier))
  const { script, around } = clients.get(text)
  options.context.$client = script.runInContext(options.context)
  return new vm.SourceTextModule(around, options)
}

function asScript(text, filename) {
  const [first, imported] = /^import\s*\{([^}]*)\}\s*from\s*"[^"]*";/.exec(text)
  const exported = [...text.matchAll(/^export (?:async )?(?:function|class|const) ([\w$]+)|^export \{(.*)\};?$/gm)].map(([, name, names]) =>
    name ?? names
  ).join(', ')
  const body = text.slice(first.length).replace(/^export \{.*$/gm, '').replace(/^export /gm, '')
  const inside = body.replace(/(?<!async )\bimport\(/g, '$import(').replaceAll('import.meta', '$meta')
  return {
    script: new vm.Script(`'use strict';(function ({ ${imported} }, $meta) {${inside}\nreturn { ${exported} } })`, { filename }),
    around: `${first}\nexport const { ${exported} } = $client({ ${imported} }, import.meta)`,
  }
}

/** The page's end of a WebSocket. */
class PageSocket {
  readyState = 0
  listeners = []
  /** Characters that were sent and not yet delivered. */
  waiting = 0

  constructor(realm, address) {
    this.realm = realm
    realm.sockets.push(this)
    this.link = realm.world.connect(this, new URL(address).searchParams.get('token'))
  }

  get bufferedAmount() {
    return this.waiting
  }

  addEventListener(type, fn) {
    this.listeners.push({ type, fn })
  }

  dispatchEvent(event) {
    for (const { type, fn } of [...this.listeners]) if (type === event.type && this.realm.isAlive) fn(event)
  }

  send(text) {
    if (this.readyState !== 1) return
    this.waiting += text.length
    this.realm.world.say(this, text)
  }

  close() {
    if (this.readyState < 2) this.leave()
  }

  leave() {
    if (this.readyState === 3) return
    this.readyState = 3
    this.realm.world.leave(this)
  }

  // ---- called by the world

  opened() {
    if (this.readyState !== 0) return
    this.readyState = 1
    this.dispatchEvent({ type: 'open' })
  }

  heard(data) {
    if (this.readyState === 1) this.dispatchEvent({ type: 'message', data })
  }

  closed() {
    if (this.readyState === 3) return
    this.readyState = 3
    this.dispatchEvent({ type: 'close' })
  }
}
