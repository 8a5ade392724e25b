/**
 * Runs one sequence. At each quiet point every tab is compared with a tab that is opened just then. A failure is a `Mismatch`,
 * or whatever else was thrown.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ailments, fileOf, isWell, makeProject, pageOf, reachable, takesOwnUpdates, textOf, textsOf } from './project.mjs'
import { Random } from './random.mjs'
import { sound } from './sound.mjs'
import { makeSteps, mendAll } from './steps.mjs'
import { World } from './world.mjs'

/** What a tab shows is not what it should show. */
export class Mismatch extends Error {}

export function makeSequence(seed, count) {
  const random = new Random(seed)
  const project = makeProject(random)
  return { project, steps: makeSteps(project, random, count ?? random.from(6, 12)) }
}

/** Runs it; throws what is wrong. Gives numbers about it. */
export async function runSequence(driver, folder, { project, steps }, trace = null) {
  const root = join(folder, `p${++runs}`)
  mkdirSync(root, { recursive: true })
  const run = new Run(new World(driver, root), structuredClone(project), trace)
  try {
    return await run.all(steps)
  } finally {
    run.world.tabs.forEach((tab) => tab.realm.end())
    await driver.tell({ do: 'stop' })
    rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
}

let runs = 0
/** Rejections in page or client that nothing handled. */
const rejected = []
process.on('unhandledRejection', (error) => rejected.push(error))

class Run {
  clicked = new Set()
  /** The server was started while the project was broken, and has not seen it whole since. */
  wasStartedBroken = false
  /** The imports (`from>to`) that have existed since the project was last whole. */
  imports = new Set()
  /** The modules reachable statically at that time. */
  known = new Set()
  /** The modules that have thrown since. */
  threw = new Set()
  /** The ratio of reloads to changes shows how many changes were applied by hot replacement. */
  numbers = { checks: 0, reloads: 0, changes: 0 }

  constructor(world, project, trace) {
    this.world = world
    this.project = project
    this.trace = trace
    if (trace) world.trace = trace
  }

  async all(steps) {
    const { world } = this
    world.write(textsOf(this.project))
    await world.start()
    await world.open('tab 1')
    await world.settle()
    await this.check()
    for (const step of steps) {
      this.trace?.(`── ${inWords(step)}`)
      await this.take(step)
    }
    for (const tab of world.tabs) tab.isCut = false
    this.trace?.('── mend everything')
    await this.change({ ...mendAll(this.project), split: 'no' })
    await world.settle()
    await this.check()
    this.numbers.reloads = world.tabs.reduce((sum, tab) => sum + tab.loads - 1, 0)
    return this.numbers
  }

  async take(step) {
    const { world } = this
    const random = new Random(step.after?.seed ?? 1)
    const tab = world.tabs[Math.min(step.tab ?? 0, world.tabs.length - 1)]
    switch (step.do) {
      case 'change':
        await this.change(step, random)
        break
      case 'restart':
        await world.kill(random)
        await world.deliver(random.below(6), random)
        this.write(step.set)
        await world.start()
        this.wasStartedBroken = ailments(this.project).size > 0
        break
      case 'cut':
        world.cut(tab, random)
        break
      case 'back':
        tab.isCut = false
        break
      case 'reload':
        await world.load(tab)
        break
      case 'open':
        if (world.tabs.length < 2) await world.open('tab 2')
        break
      case 'close':
        if (world.tabs.length > 1) world.close(world.tabs[1])
        break
      case 'click':
        this.clicked.add(step.key)
        for (const { realm } of world.tabs) realm.click([step.key])
        break
      case 'quiet':
        await world.settle(random)
        return this.check()
    }
    if (step.after.deliveries === -1) await world.settle(random)
    else await world.deliver(step.after.deliveries, random)
  }

  // ---- files

  async change({ set, split }, random = new Random(1)) {
    const { world } = this
    this.numbers.changes++
    const names = Object.keys(set)
    const half = names.length > 1 ? random.from(1, names.length - 1) : 1
    const [first, second] = [names.slice(0, half), names.slice(half)]
    const part = (of) => this.write(Object.fromEntries(of.map((name) => [name, set[name]])))
    if (split === 'between') {
      await world.announce(part(first))
      await world.deliver(random.below(10), random)
      return world.announce(part(second))
    }
    const changes = [part(first), part(second)]
    if (split === 'before') {
      await world.announce(changes[0])
      await world.deliver(random.below(10), random)
      return world.announce(changes[1])
    }
    await world.announce({ written: changes.flatMap(({ written }) => written), listed: changes.flatMap(({ listed }) => listed) })
  }

  /** Writes the files as `set` specifies them. */
  write(set) {
    const { project } = this
    const texts = {}
    this.note()
    for (const [id, spec] of Object.entries(set)) {
      if (id === 'index.html') {
        project.pageText = spec
        texts[id] = pageOf(project)
      } else if (spec === null) {
        delete project.files[id]
        texts[fileOf(id)] = null
      } else {
        project.files[id] = structuredClone(spec)
        texts[fileOf(id)] = textOf(project, spec)
      }
    }
    return this.world.write(texts)
  }

  note() {
    const { files } = this.project
    const globbed = Object.values(files).filter((spec) => spec.globbed)
    for (const { id, uses = [], glob, health } of Object.values(files)) {
      if (health === 'throws') this.threw.add(id)
      for (const { to } of uses) this.imports.add(`${id}>${to}`)
      if (glob) { for (const found of globbed) this.imports.add(`${id}>${found.id}`) }
    }
  }

  // ---- what must be true when all is quiet

  async check() {
    const { world } = this
    this.numbers.checks++
    if (ailments(this.project).size === 0) this.wasStartedBroken = false
    const tabs = world.tabs.filter(({ isCut }) => !isCut)
    for (const { realm } of tabs) realm.click(this.clicked)
    await world.settle()
    const fresh = await world.open('fresh tab')
    await world.settle()
    fresh.realm.click(this.clicked)
    await world.settle()
    const wanted = fresh.realm.look()
    const wrong = this.judgeFresh(fresh, wanted)
    for (const tab of tabs) wrong.push(...this.judge(tab, tab.realm.look(), wanted))
    world.close(fresh)
    await world.settle()
    if (/bug of its own/.test(world.report)) wrong.push(`the loop has panicked:\n${world.report}`)
    world.report = ''
    for (const error of rejected.splice(0)) wrong.push(`a promise was rejected, and nobody looked after it: ${error?.stack ?? error}`)
    if (wrong.length > 0) throw new Mismatch(wrong.join('\n'))
    if (ailments(this.project).size === 0 && tabs.length === world.tabs.length) this.allIsWell()
  }

  allIsWell() {
    this.imports.clear()
    this.threw.clear()
    this.known = reachable(this.project, true)
  }

  /** A tab that is opened now shows what the sources say. */
  judgeFresh({ name, realm }, look) {
    if (ailments(this.project).size > 0) return []
    const wrong = look.faults.map((fault) => `${name}: ${fault}`)
    if (look.overlay.length > 0) wrong.push(`${name}: its overlay says ${look.overlay}, and nothing is wrong`)
    for (const id of reachable(this.project, true)) {
      const spec = this.project.files[id]
      if (spec?.kind !== 'script') continue
      const shown = look.views[id]
      if (shown === undefined) wrong.push(`${name}: ${id} does not run\n${realm.lines.filter((line) => /^(uncaught|error)/.test(line)).join('\n')}`)
      else if (!shown.startsWith(`${id}.${spec.version}`)) wrong.push(`${name}: ${id} shows ${shown}, and its source says ${id}.${spec.version}`)
    }
    return wrong
  }

  judge({ name, realm }, look, wanted) {
    const wrong = look.faults.map((fault) => `${name}: ${fault}`)
    const ill = ailments(this.project)
    if (ill.size > 0 && look.overlay.length === 0 && wanted.overlay.length > 0) {
      wrong.push(`${name}: it shows no overlay, a fresh tab: ${wanted.overlay}`)
    }
    if (!this.isComparable(ill, wanted)) return [...wrong, ...this.judgeSound(name, look, wanted)]
    if (ill.size === 0 && look.overlay.length > 0) wrong.push(`${name}: its overlay says ${look.overlay}, and nothing is wrong`)
    if (ill.size > 0 && `${look.overlay.toSorted()}` !== `${wanted.overlay.toSorted()}`) {
      wrong.push(`${name}: its overlay says ${look.overlay}, in a fresh tab ${wanted.overlay}`)
    }
    for (const id of new Set([...Object.keys(look.views), ...Object.keys(wanted.views)])) {
      if (look.views[id] !== wanted.views[id]) wrong.push(`${name}: ${id} shows ${look.views[id]}, a fresh tab ${wanted.views[id]}`)
    }
    for (const id of new Set([...Object.keys(look.live), ...Object.keys(wanted.live)])) {
      if (look.live[id] !== wanted.live[id]) {
        wrong.push(`${name}: ${look.live[id] ?? 0} copies of ${id} are live, in a fresh tab ${wanted.live[id] ?? 0}`)
      }
    }
    wrong.push(...this.judgeSheets(name, look, wanted))
    if (look.text !== wanted.text) wrong.push(`${name}: the page's text is ${look.text}, in a fresh tab ${wanted.text}`)
    if (wrong.length > 0) {
      wrong.push(...realm.lines.filter((line) => /^(uncaught|error)/.test(line)).slice(-3).map((line) => `    ${name} said ${line.slice(0, 300)}`))
    }
    return wrong
  }

  /**
   * Whether a tab can be compared with a fresh one in full. While a module has a syntax error both run its last good version,
   * if this server process has seen one. But a tab opened while a module throws, or a file is missing, has no earlier version
   * to keep, and in it the `import()` of a module with a syntax error is rejected.
   */
  isComparable(ill, wanted) {
    if (ill.size === 0) return true
    const hasStarted = this.project.entries.every((id) => wanted.views[id] !== undefined)
    const here = reachable(this.project, true)
    return !this.wasStartedBroken && hasStarted && [...ill].every(([id, ailment]) => ailment === 'syntax' && here.has(id))
  }

  /** The check while a fresh tab cannot be compared in full: only modules that are unaffected (sound.mjs) are compared. */
  judgeSound(name, look, wanted) {
    const { files } = this.project
    const wrong = []
    this.note()
    const { current, whole } = sound(Object.keys(files), this.imports, {
      isWell: (id) => isWell(this.project, id),
      // The version from before the syntax error counts only if none has thrown since: that one may be what runs.
      wasWell: (id) => this.known.has(id) && !this.threw.has(id),
      takesOwn: (id) => takesOwnUpdates(this.project, id),
    })
    // A module that none of these imports may not be loaded yet.
    const runs = [...whole].filter((id) => files[id].kind === 'script' && look.views[id] !== undefined).map((id) => files[id])
    for (const [id, count] of Object.entries(look.live)) if (count > 1) wrong.push(`${name}: ${count} copies of ${id} are live`)
    for (const id of current) {
      const { kind, version } = files[id]
      const [shown, fresh] = [look.views[id], wanted.views[id]]
      if (kind === 'script' && shown !== undefined && !shown.startsWith(`${id}.${version}`)) {
        wrong.push(`${name}: ${id} shows ${shown}, and its source says ${id}.${version}`)
      }
      const isNeeded = shown !== undefined || runs.some(({ uses }) => uses.some(({ to, how }) => to === id && how !== 'lazy' && how !== 'click'))
      if (kind === 'script' && fresh !== undefined && whole.has(id) && isNeeded && shown !== fresh) {
        wrong.push(`${name}: ${id} shows ${shown}, a fresh tab ${fresh}`)
      }
    }
    for (const [file, text] of [...look.sheets, ...look.links]) {
      const spec = Object.values(files).find((spec) => `/${fileOf(spec.id)}` === file)
      if (spec && current.has(spec.id) && !new RegExp(`--version: ${spec.version}\\b`).test(text)) {
        wrong.push(`${name}: its sheets of ${spec.id} are ${text}, and its source says ${spec.version}`)
      }
    }
    // A thrown error shows only in tabs that ran the module; what the server says of a file shows in all.
    const unsaid = wanted.overlay.filter((text) => !/ throws$/.test(text) && !look.overlay.includes(text))
    if (unsaid.length > 0) wrong.push(`${name}: its overlay says ${look.overlay}, and not ${unsaid}`)
    return wrong
  }

  judgeSheets(name, look, wanted) {
    const wrong = []
    // The place of sheets loaded by `import()` depends on which came first, so only static ones are compared in order.
    const here = new Set([...reachable(this.project, true)].map((id) => `/${fileOf(id)}`))
    const inOrder = ({ sheets }) => sheets.filter(([id]) => here.has(id)).map(([id]) => id).join(' ')
    const texts = ({ sheets, links }) => JSON.stringify([sheets, links].map((list) => [...list].sort()))
    if (texts(look) !== texts(wanted)) wrong.push(`${name}: its sheets are ${texts(look)}, in a fresh tab ${texts(wanted)}`)
    else if (inOrder(look) !== inOrder(wanted)) {
      wrong.push(`${name}: its sheets stand in the order ${inOrder(look)}, in a fresh tab ${inOrder(wanted)}`)
    }
    return wrong
  }
}

export function inWords(step) {
  const said = inShort(step)
  if (!step.after) return said
  return said + (step.after.deliveries === -1 ? '; wait until all is quiet' : `; ${step.after.deliveries} deliveries`)
}

function inShort({ do: what, words, set, split, tab, key }) {
  // Edits that shrinking has removed are not described.
  const edits = (words ?? []).filter(({ ids }) => ids.some((id) => id in set)).map(({ text }) => text)
  if (words && edits.length === 0) edits.push(...Object.keys(set).map((id) => `save ${id}`))
  const isParted = Object.keys(set ?? {}).length > 1
  switch (what) {
    case 'change':
      return `at once: ${edits.join(', ')}${isParted ? ({ before: ' (told in two parts)', between: ' (written in two parts)' }[split] ?? '') : ''}`
    case 'restart':
      return ['kill the server', ...edits, 'start it'].join(', ')
    case 'cut':
      return `cut the connection of tab ${tab + 1}`
    case 'back':
      return `let tab ${tab + 1} connect again`
    case 'reload':
      return `reload tab ${tab + 1}`
    case 'open':
      return 'open a second tab'
    case 'close':
      return 'close the second tab'
    case 'click':
      return `click what makes ${key.replace('>', ' import ')}`
    default:
      return 'wait until all is quiet, and compare'
  }
}
