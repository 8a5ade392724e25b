/**
 * Everything between the tabs and the loop: network, clock and files. Messages in transit wait in queues, called lanes (one for
 * each direction of a socket, one for each request); `step` delivers the first message of a lane that the seed chooses. In
 * `settle` the clock advances only while nothing is in transit; `deliver` sometimes lets it advance earlier.
 */
import { mkdirSync, rmSync, writeFileSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Realm } from './realm.mjs'

/** Virtual milliseconds without a delivery after which all is quiet; longer than any wait of the client. */
const QUIET = 12_000
/**
 * Virtual milliseconds after which `settle` returns while some tab cannot connect: such a tab retries each second and never
 * becomes quiet.
 */
const PATIENCE = 3000
/** Virtual milliseconds after which a run that is not quiet fails. */
const LONGEST = 120_000
/** The most deliveries in one `settle`; more means that server and tabs talk without end. */
const MOST_DELIVERIES = 1500

/** The system did not become quiet. */
export class Restless extends Error {}

const nextTask = () => new Promise((done) => setImmediate(done))

export class Tab {
  storage = new Map()
  realm = null
  /** Its connection is cut, and new ones are refused until the step `back`. */
  isCut = false
  /** It shows the browser's error page: the server was down when it loaded. */
  isLost = false
  loads = 0

  constructor(name) {
    this.name = name
  }
}

export class World {
  now = 0
  timers = []
  lanes = new Map()
  cache = new Map()
  links = new Map()
  tabs = []
  isUp = false
  starts = 0
  counter = 0
  report = ''
  /** Copies made in this task. */
  bornAtOnce = 0
  /** The failure, if there are too many. */
  endless = ''
  /** Called with each message, for replaying a failure. */
  trace = null

  constructor(driver, root) {
    this.driver = driver
    this.root = root
  }

  /** Waits for the next task, so that all microtasks of the tabs have run. */
  async turn() {
    this.bornAtOnce = 0
    await nextTask()
    if (this.endless) throw new Restless(this.endless)
  }

  async tell(step) {
    const answer = await this.driver.tell(step)
    this.report += answer.report ?? ''
    for (const [id, text] of answer.words ?? []) {
      const link = this.links.get(id)
      if (!link) continue
      if (text === null) this.post(link.down, link.realm, () => this.drop(link))
      else this.post(link.down, link.realm, () => this.hear(link, text))
    }
    return answer
  }

  // ---- lanes

  post(lane, realm, run) {
    if (!this.lanes.has(lane)) this.lanes.set(lane, [])
    this.lanes.get(lane).push({ realm, run })
  }

  isIdle() {
    return this.lanes.size === 0
  }

  /** Delivers what is first in some lane. */
  async step(random) {
    const names = [...this.lanes.keys()]
    const name = random ? random.pick(names) : names[0]
    const lane = this.lanes.get(name)
    const { realm, run } = lane.shift()
    if (lane.length === 0) this.lanes.delete(name)
    if (realm && !realm.isAlive && !name.startsWith('up')) return
    await run()
    await this.turn()
    while (await this.passTime(this.now));
  }

  /** Delivers up to `count` messages; sometimes lets time pass first. */
  async deliver(count, random) {
    for (let done = 0; done < count; done++) {
      if (this.isIdle() || random.chance(0.15)) await this.passTime(this.now + 300)
      if (!this.isIdle()) await this.step(random)
    }
  }

  /** Delivers all, and lets time pass until nothing more happens. */
  async settle(random = null) {
    let limit = this.now + QUIET
    // A tab that cannot connect retries for ever.
    const isWhole = this.isUp && this.tabs.every(({ isCut }) => !isCut)
    const end = this.now + (isWhole ? LONGEST : PATIENCE)
    await this.turn()
    for (let done = 0;;) {
      if (this.now > end) {
        if (!isWhole) return
        throw new Restless(`it does not become quiet: after ${LONGEST / 1000} s something still goes on`)
      }
      if (!this.isIdle()) {
        if (++done > MOST_DELIVERIES) throw new Restless(`it does not become quiet: after ${MOST_DELIVERIES} deliveries more are on their way`)
        await this.step(random)
        limit = this.now + QUIET
      } else if (!(await this.passTime(limit))) {
        return
      }
    }
  }

  // ---- the clock

  setTimer(realm, run, pause) {
    const timer = { realm, run, at: this.now + Math.max(0, Number(pause) || 0), number: ++this.counter }
    this.timers.push(timer)
    return timer
  }

  clearTimer(timer) {
    const at = this.timers.indexOf(timer)
    if (at >= 0) this.timers.splice(at, 1)
  }

  /** Runs the next timer that is due by `limit`. False if there is none. */
  async passTime(limit) {
    this.timers = this.timers.filter(({ realm }) => realm.isAlive)
    const due = this.timers.filter(({ at }) => at <= limit).sort((a, b) => a.at - b.at || a.number - b.number)[0]
    if (!due) return false
    this.clearTimer(due)
    this.now = Math.max(this.now, due.at)
    due.run()
    await this.turn()
    return true
  }

  // ---- requests

  request(realm, path, query, wants) {
    const key = `${path}?${query}`
    const lane = `request ${++this.counter}`
    return new Promise((done) => {
      const answer = (reply) => this.post(lane, realm, () => done(reply))
      const kept = this.cache.get(key)
      if (kept) return answer(kept)
      this.post(lane, realm, async () => {
        if (!this.isUp) return answer(null)
        const reply = await this.tell({ do: 'request', path: decodeURI(path), query, wants })
        this.trace?.(`${realm.tab.name} GET ${key} → ${reply.status}`)
        if (reply.immutable && reply.status === 200) this.cache.set(key, reply)
        answer(reply)
      })
    })
  }

  // ---- sockets

  connect(socket, token) {
    const number = ++this.counter
    const link = { number, socket, realm: socket.realm, isOpen: false, up: `up ${number}`, down: `down ${number}` }
    this.post(link.up, socket.realm, async () => {
      if (!this.isUp || socket.realm.tab.isCut || token !== this.token) return this.drop(link)
      this.links.set(number, link)
      link.isOpen = true
      this.post(link.down, link.realm, () => socket.opened())
      await this.tell({ do: 'connect', tab: number })
    })
    return link
  }

  say({ link, realm }, text) {
    this.post(link.up, realm, async () => {
      link.socket.waiting -= text.length
      if (!link.isOpen) return
      this.trace?.(`${realm.tab.name} ► ${text}`)
      await this.tell({ do: 'say', tab: link.number, text })
    })
  }

  hear(link, text) {
    this.trace?.(`${link.realm.tab.name} ◄ ${text}`)
    link.socket.heard(text)
  }

  /** The page has closed it, or is gone. */
  leave({ link, realm }) {
    if (link) this.post(link.up, realm, () => this.part(link))
  }

  /** The loop learns that a tab is gone. */
  async part(link) {
    if (!link.isOpen) return
    link.isOpen = false
    this.links.delete(link.number)
    if (this.isUp) await this.tell({ do: 'gone', tab: link.number })
  }

  /** The tab learns that its connection is over. */
  drop(link) {
    this.links.delete(link.number)
    link.isOpen = false
    this.post(`closing ${link.number}`, link.realm, () => link.socket.closed())
  }

  /** Breaks the connection: in each direction only a random number of the first messages in transit arrive. */
  sever(link, random) {
    for (const name of [link.up, link.down]) {
      const lane = this.lanes.get(name)
      if (!lane) continue
      lane.length = random.below(lane.length + 1)
      if (lane.length === 0) this.lanes.delete(name)
    }
    this.post(link.down, link.realm, () => link.socket.closed())
    this.post(link.up, link.realm, () => this.part(link))
  }

  cut(tab, random) {
    tab.isCut = true
    for (const link of [...this.links.values()]) if (link.realm.tab === tab) this.sever(link, random)
  }

  // ---- the server

  async start() {
    this.token = `token${++this.starts}`
    await this.tell({ do: 'start', root: this.root, token: this.token })
    this.isUp = true
    for (const tab of this.tabs) if (tab.isLost) await this.load(tab)
  }

  async kill(random) {
    this.isUp = false
    for (const link of [...this.links.values()]) {
      this.sever(link, random)
      this.links.delete(link.number)
      link.isOpen = false
    }
    await this.tell({ do: 'stop' })
  }

  // ---- tabs

  async open(name) {
    const tab = new Tab(name)
    this.tabs.push(tab)
    await this.load(tab)
    return tab
  }

  async load(tab) {
    tab.realm?.end()
    tab.isLost = false
    tab.loads++
    tab.realm = new Realm(this, tab)
    void tab.realm.load()
    await this.turn()
  }

  close(tab) {
    tab.realm?.end()
    this.tabs.splice(this.tabs.indexOf(tab), 1)
  }

  wantReload(realm) {
    this.post(`reload ${++this.counter}`, realm, () => this.load(realm.tab))
  }

  /** The browser's error page. The page is loaded again at once if the server is up, otherwise when it starts. */
  noPage(realm) {
    realm.end()
    if (this.isUp) this.post(`reload ${++this.counter}`, null, () => realm.tab.realm === realm && this.load(realm.tab))
    else realm.tab.isLost = true
  }

  // ---- files

  /** Makes the folder hold `texts`, a map from file to text, or null for what is not there. Gives what changed. */
  write(texts) {
    const changes = { written: [], listed: [] }
    for (const [file, text] of Object.entries(texts)) {
      const path = join(this.root, file)
      const isThere = existsSync(path)
      if (text === null) {
        if (isThere) rmSync(path)
        else continue
      } else {
        if (mkdirSync(dirname(path), { recursive: true })) changes.listed.push(dirname(file))
        writeFileSync(path, text)
      }
      changes[isThere && text !== null ? 'written' : 'listed'].push(file)
    }
    return changes
  }

  async announce(changes) {
    if (this.isUp && changes.written.length + changes.listed.length > 0) await this.tell({ do: 'files', ...changes })
  }
}
