/**
 * From a seed to a sequence: the files at the start, and steps that are data.
 *
 *     { do: 'save', files: { 'src/p3.js': '…', 'src/p4.js': null }, moves: [], how: 'rename' }
 *     { do: 'cut' } · { do: 'save', … } · { do: 'mend' } · { do: 'quiet' }
 *
 * Each step says in full what it does, so that a sequence stays one when steps are taken out of it.
 */
import path from 'node:path'
import { isLazy, kindOf, mayImport, nameOf, Project } from './project.mjs'
import { Random } from './random.mjs'

const FOLDERS = ['src', 'src', 'src/a', 'src/a', 'src/b', 'src/a/deep']

/** What may happen to the files, and how often. */
const MUTATIONS = {
  bump: 22,
  bumpSeveral: 8,
  undo: 6,
  addImport: 7,
  removeImport: 5,
  reorder: 3,
  create: 7,
  remove: 4,
  removeUnderImporters: 3,
  rename: 5,
  renameAndEdit: 4,
  renameAlone: 3,
  renameFolder: 3,
  breakOne: 9,
  mendOne: 8,
  title: 3,
  link: 2,
  env: 3,
  tsconfig: 3,
  retype: 4,
}

/** What may happen besides, and how often, beside 60 for the files. */
const HAPPENINGS = { files: 60, open: 4, reload: 5, close: 2, cut: 6, freeze: 2, kill: 4, back: 2 }

const HOW = { write: 4, truncate: 2, rename: 3, recreate: 2, halves: 1 }

export function makeSequence(seed, ops) {
  const maker = new Maker(new Random(seed))
  return maker.sequence(seed, ops)
}

const moved = (name, from, to) => (name === from || name.startsWith(`${from}/`) ? to + name.slice(from.length) : name)

class Maker {
  numbers
  steps = []
  /** How the line and the server are, as far as the steps say. */
  line = 'fine'
  isDown = false
  tabs = 1
  checkouts = 0

  constructor(random) {
    this.random = random
    this.project = new Project()
  }

  sequence(seed, ops) {
    this.populate()
    const files = this.project.files()
    this.before = files
    const accepts = this.project.accepts
    if (this.random.chance(0.25)) this.steps.push({ do: 'open' })
    else this.quiet()
    for (let op = 0; op < ops; op++) this.happen()
    this.recover()
    this.mendAll()
    this.quiet()
    return { seed, accepts, files, steps: this.steps }
  }

  // ---- the project at the start

  populate() {
    const { project, random } = this
    project.accepts = random.chance(0.8)
    project.add('main', 'src')
    project.modules.get('main').path = 'src/main.js'
    const count = 3 + random.below(7)
    for (let n = 0; n < count; n++) this.newModule()
    if (random.chance(0.35)) this.newWorker()
    if (random.chance(0.3)) this.newGlob()
    if (random.chance(0.35)) this.newLink()
    const modules = project.present.filter(({ id }) => id !== 'main')
    for (const module of modules) if (random.chance(0.55)) this.connect(module)
    for (const module of modules) this.hangIn(module)
  }

  nextNumber(lazy) {
    this.numbers ??= { static: 0, lazy: 50 }
    return lazy ? this.numbers.lazy++ : ++this.numbers.static
  }

  newModule(kind = this.random.weighted({ p: 7, s: 4, e: 2, i: 2, d: 3, x: 2, t: 1, q: 1, c: 4, m: 2, j: 2 })) {
    const isForLater = 'pqis'.includes(kind) && this.random.chance(0.25)
    const module = this.project.add(`${kind}${this.nextNumber(isForLater)}`, this.random.pick(FOLDERS))
    if ('psei'.includes(kind)) module.readsEnv = this.random.chance(0.2)
    return module
  }

  newWorker() {
    const number = this.nextNumber(false)
    const worker = this.project.add(`w${number}`, 'src')
    this.project.add(`k${number}`, 'src')
    if (this.random.chance(0.7)) this.join(worker, this.newModule('q'))
  }

  newGlob() {
    const isLater = this.random.chance(0.5)
    const number = this.nextNumber(false)
    this.project.add(`${isLater ? 'h' : 'g'}${number}`, 'src')
    for (let n = 0; n < 2; n++) this.newMatch(isLater)
  }

  newMatch(isLater) {
    return this.project.add(`q${this.nextNumber(isLater)}`, isLater ? 'src/later' : 'src/found')
  }

  newLink() {
    const link = this.project.add(`l${this.nextNumber(false)}`, 'src')
    this.project.links.push(link.id)
    if (this.random.chance(0.4)) this.join(link, this.newModule('c'))
  }

  /** Files that only a pattern finds. */
  isMatch({ path: file }) {
    return /^src\/(found|later)\//.test(file)
  }

  join(from, to, how = 'static') {
    if (from.imports.some(({ id }) => id === to.id)) return false
    if (!mayImport(from.id, to.id, how) || this.isMatch(to)) return false
    from.imports.push({ id: to.id, how })
    return true
  }

  /** Imports from a module to another that is there, at random. */
  connect(from) {
    const how = this.random.chance(0.3) ? 'dynamic' : 'static'
    for (const to of this.random.shuffle(this.project.present)) if (this.join(from, to, how)) return true
    return false
  }

  /** Something imports the module. */
  hangIn(module) {
    if (this.isMatch(module) || this.importersOf(module).length > 0 || 'wl'.includes(kindOf(module.id))) return
    const how = isLazy(module.id) && this.random.chance(0.7) ? 'dynamic' : 'static'
    const main = this.project.modules.get('main')
    const takers = this.random.chance(0.5) ? [main] : this.random.shuffle(this.project.present)
    for (const from of [...takers, main]) if (from.id !== module.id && this.join(from, module, how)) return
    this.join(main, module)
  }

  importersOf(module) {
    return this.project.present.filter(({ imports }) => imports.some(({ id }) => id === module.id))
  }

  // ---- what happens

  happen() {
    const { random } = this
    const kind = random.weighted(HAPPENINGS)
    if (kind === 'files') this.change()
    else this[kind]()
    if (random.chance(0.4) && this.line === 'fine' && !this.isDown) this.quiet()
    else if (random.chance(0.25)) this.recover()
    else if (random.chance(0.6)) this.steps.push({ do: 'pause', ms: random.pick([0, 1, 5, 20, 60, 150, 300]) })
  }

  quiet() {
    if (this.steps.at(-1)?.do !== 'quiet') this.steps.push({ do: 'quiet' })
  }

  open() {
    if (this.tabs >= 3) return this.change()
    this.tabs += 1
    this.steps.push({ do: 'open' })
    this.soon()
  }

  reload() {
    this.steps.push({ do: 'reload', tab: this.random.below(this.tabs) })
    this.soon()
  }

  /** A save while the page loads. */
  soon() {
    if (this.random.chance(0.5)) this.steps.push({ do: 'pause', ms: this.random.below(120) })
    if (this.random.chance(0.8)) this.change()
  }

  close() {
    if (this.tabs < 2) return this.change()
    this.tabs -= 1
    this.steps.push({ do: 'close', tab: this.random.below(this.tabs + 1) })
  }

  cut() {
    if (this.line !== 'fine') return this.recover()
    this.line = 'cut'
    this.steps.push({ do: this.random.chance(0.3) ? 'cutSockets' : 'cut' })
    for (let n = this.random.below(3); n >= 0; n--) this.apart()
    this.recover()
  }

  freeze() {
    if (this.line !== 'fine' || this.isDown) return this.recover()
    this.line = 'frozen'
    this.steps.push({ do: 'freeze' })
    for (let n = this.random.below(3); n >= 0; n--) this.apart()
    this.recover()
  }

  kill() {
    if (this.isDown) return this.recover()
    this.isDown = true
    this.steps.push({ do: 'kill' })
    for (let n = this.random.below(3); n > 0; n--) this.change()
    this.recover()
  }

  /** A save that is a batch of its own on the server. */
  apart() {
    this.change()
    this.steps.push({ do: 'pause', ms: this.random.pick([30, 80, 200]) })
  }

  recover() {
    if (this.isDown) this.steps.push({ do: 'start' })
    if (this.line === 'cut') this.steps.push({ do: 'mend' })
    if (this.line === 'frozen') this.steps.push({ do: this.random.chance(0.3) ? 'wake' : 'reset' })
    this.line = 'fine'
    this.isDown = false
  }

  // ---- changes of the files

  change() {
    const { random } = this
    if (random.chance(0.08)) return this.checkout()
    for (let tries = 0; tries < 20; tries++) {
      if (this[random.weighted(MUTATIONS)]()) return this.save()
    }
  }

  /** What the mutations since the last save made of the files, beyond `moves`. */
  difference(moves = []) {
    const after = this.project.files()
    let before = this.before
    for (const [from, to] of moves) before = Object.fromEntries(Object.entries(before).map(([name, text]) => [moved(name, from, to), text]))
    const files = {}
    for (const [name, text] of Object.entries(after)) if (before[name] !== text) files[name] = text
    for (const name of Object.keys(before)) if (!(name in after)) files[name] = null
    this.before = after
    return files
  }

  save() {
    const moves = this.moves ?? []
    this.moves = []
    const files = this.difference(moves)
    if (Object.keys(files).length === 0 && moves.length === 0) return
    const names = this.random.shuffle(Object.keys(files))
    const how = this.random.weighted(HOW)
    // One after the other, as a person or a slow tool saves them, or all in one go.
    const apart = names.length > 1 && this.random.chance(0.25) ? this.random.pick([2, 30, 200]) : 0
    const step = {
      do: 'save',
      moves,
      files: Object.fromEntries(names.map((name) => [name, files[name]])),
      how,
      gap: how === 'write' || how === 'rename' ? 0 : this.random.pick([0, 3, 20, 60, 120]),
      apart,
    }
    this.steps.push(step)
  }

  checkout() {
    this.branchBefore = this.project.copy()
    for (let n = 1 + this.random.below(4), tries = 0; n > 0 && tries < 30; tries++) if (this[this.random.weighted(MUTATIONS)]()) n -= 1
    this.moves = []
    const files = this.difference()
    if (Object.keys(files).length > 0) this.steps.push({ do: 'checkout', branch: `branch${++this.checkouts}`, files })
  }

  /** git goes back to the branch before; what was saved since stays on the other one. */
  back() {
    if (!this.branchBefore) return this.change()
    const { counter } = this.project
    ;[this.project, this.branchBefore] = [this.branchBefore, this.project.copy()]
    this.project.counter = counter
    const files = this.difference()
    if (Object.keys(files).length > 0) this.steps.push({ do: 'checkout', branch: `branch${++this.checkouts}`, files })
  }

  some(filter = (_module) => true) {
    const all = this.project.present.filter(filter)
    return all.length > 0 ? this.random.pick(all) : undefined
  }

  renew(module) {
    module.earlier = module.version
    module.version = ++this.project.counter
    return true
  }

  bump() {
    return this.renew(this.some())
  }

  bumpSeveral() {
    for (const module of this.random.shuffle(this.project.present).slice(0, 2 + this.random.below(3))) this.renew(module)
    return true
  }

  undo() {
    const module = this.some(({ earlier }) => earlier !== undefined)
    if (!module) return false
    ;[module.version, module.earlier] = [module.earlier, module.version]
    return true
  }

  addImport() {
    return this.connect(this.some())
  }

  removeImport() {
    const module = this.some(({ imports }) => imports.length > 0)
    if (!module) return false
    module.imports.splice(this.random.below(module.imports.length), 1)
    return true
  }

  reorder() {
    const module = this.some(({ imports }) => imports.length > 1)
    if (!module) return false
    module.imports = this.random.shuffle(module.imports)
    return true
  }

  create() {
    const hasGlob = (kind) => this.project.present.some(({ id }) => kindOf(id) === kind)
    const kind = this.random.weighted({ module: 8, found: hasGlob('g') ? 4 : 0, later: hasGlob('h') ? 4 : 0, worker: 1, link: 1 })
    if (kind === 'worker') {
      this.newWorker()
      for (const module of this.project.present) this.hangIn(module)
    } else if (kind === 'link') this.newLink()
    else if (kind !== 'module') this.newMatch(kind === 'later')
    else {
      const module = this.newModule()
      if (this.random.chance(0.5)) this.connect(module)
      this.hangIn(module)
    }
    return true
  }

  /** One that can go: not the entry, not a worker with its owner still there. */
  removable() {
    return this.some(({ id }) => id !== 'main' && kindOf(id) !== 'w' && kindOf(id) !== 'l')
  }

  remove() {
    const module = this.removable()
    if (!module) return false
    module.isGone = true
    for (const importer of this.importersOf(module)) importer.imports = importer.imports.filter(({ id }) => id !== module.id)
    return true
  }

  removeUnderImporters() {
    const module = this.removable()
    if (!module) return false
    module.isGone = true
    return true
  }

  move(module, to) {
    this.moves ??= []
    if (module.path === to || this.project.present.some(({ path: taken }) => taken === to)) return false
    this.moves.push([module.path, to])
    module.path = to
    return true
  }

  newPath(module) {
    const folder = this.isMatch(module) ? path.posix.dirname(module.path) : this.random.pick(FOLDERS)
    const name = nameOf(module.id)
    return path.posix.join(folder, this.random.chance(0.5) ? name : name.replace('.', `_${this.random.below(3)}.`))
  }

  movable() {
    return this.some(({ id }) => id !== 'main' && !'ghl'.includes(kindOf(id)))
  }

  rename() {
    const module = this.movable()
    if (!module) return false
    module.known = null
    return this.move(module, this.newPath(module))
  }

  renameAndEdit() {
    const module = this.movable()
    if (!module || !this.rename()) return false
    for (const { id } of module.imports) this.renew(this.project.modules.get(id))
    return true
  }

  /** Importers go on naming the old place, until all is mended. */
  renameAlone() {
    const module = this.movable()
    if (!module) return false
    const before = module.known ?? module.path
    if (!this.move(module, this.newPath(module))) return false
    module.known = before
    return true
  }

  /** A script becomes TypeScript, or JavaScript again: its name, as others have it, means the other file. */
  retype() {
    const module = this.some(({ path: file }) => /\.[jt]s$/.test(file) && !this.isMatch({ path: file }))
    return Boolean(module) && this.move(module, module.path.replace(/[jt]s$/, (ending) => (ending === 'js' ? 'ts' : 'js')))
  }

  renameFolder() {
    const module = this.some(({ path: file }) => /^src\/[abcd]\//.test(file))
    if (!module) return false
    const [, from] = /^src\/([abcd])\//.exec(module.path)
    const to = this.random.pick(['a', 'b', 'c', 'd'].filter((name) => name !== from))
    if (this.project.present.some(({ path: file }) => file.startsWith(`src/${to}/`))) return false
    this.moves ??= []
    this.moves.push([`src/${from}`, `src/${to}`])
    for (const one of this.project.present) if (one.path.startsWith(`src/${from}/`)) one.path = one.path.replace(`src/${from}/`, `src/${to}/`)
    return true
  }

  breakOne() {
    const module = this.some(({ id }) => !'l'.includes(kindOf(id)))
    if (!module) return false
    module.broken = this.project.isScript(module.id) ? this.random.pick(['syntax', 'throw', 'late', 'missing']) : 'broken'
    if (kindOf(module.id) === 'q' && module.broken === 'late') module.broken = 'throw'
    if (this.random.chance(0.3)) this.renew(module)
    return true
  }

  mendOne() {
    const module = this.some(({ broken, known }) => broken || known)
    if (!module) return this.revive()
    module.broken = null
    module.known = null
    return true
  }

  /** A file that is gone comes back, where importers have waited for it. */
  revive() {
    const gone = [...this.project.modules.values()].filter((module) => module.isGone && this.importersOf(module).length > 0)
    if (gone.length === 0) return false
    const module = this.random.pick(gone)
    if (this.project.present.some(({ path: taken }) => taken === module.path)) return false
    module.isGone = false
    return true
  }

  title() {
    this.project.title += 1
    return true
  }

  link() {
    const { project, random } = this
    const sheets = project.present.filter(({ id }) => kindOf(id) === 'l')
    if (sheets.length === 0) return false
    const { id } = random.pick(sheets)
    if (project.links.includes(id)) project.links = project.links.filter((one) => one !== id)
    else project.links.push(id)
    return true
  }

  env() {
    this.project.env += 1
    return true
  }

  tsconfig() {
    const { project } = this
    if (this.random.chance(0.3)) project.isTsconfigBroken = !project.isTsconfigBroken
    else project.jsx = project.jsx === 'one' ? 'two' : 'one'
    return true
  }

  // ---- the end

  mendAll() {
    const { project } = this
    project.isTsconfigBroken = false
    for (const module of project.present) Object.assign(module, { broken: null, known: null })
    for (const module of project.present) module.imports = module.imports.filter(({ id }) => !project.modules.get(id).isGone)
    // A worker's owner that lost its worker, and stars that name nothing now, are written anew by this.
    this.moves = []
    this.save()
  }
}
