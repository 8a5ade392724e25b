/**
 * What happens to a project and its tabs: sequences of steps, drawn from a seed.
 *
 *     { do: 'change', words: [{ text: 'edit m3', ids: ['m3'] }], set: { m3: {…} }, split: 'no', after: { seed: 7, deliveries: 4 } }
 *     { do: 'cut', tab: 0, … }   { do: 'restart', set: {…}, … }   { do: 'open', … }   { do: 'quiet' }
 *
 * A step has the complete new specification of each file it touches, not a difference, so that any step can be left out.
 * `after`: how many deliveries follow, and the seed of their order; -1 delivers until all is quiet.
 */
import { GOOD, makeGlobbed, makeScript, pickAccepted, someWay } from './project.mjs'

export function makeSteps(project, random, count) {
  const drawing = new Drawing(structuredClone(project), random)
  const steps = []
  for (let at = 0; at < count; at++) {
    const step = drawing.step()
    step.after = { seed: random.below(2 ** 31), deliveries: random.chance(0.4) ? -1 : random.below(14) }
    steps.push(step)
    if (step.after.deliveries === -1 && random.chance(0.5)) steps.push({ do: 'quiet' })
  }
  return steps
}

class Drawing {
  isCut = [false, false]
  tabs = 1
  next = 20

  constructor(project, random) {
    this.project = project
    this.random = random
    this.history = new Map(Object.entries(project.files).map(([id, spec]) => [id, [structuredClone(spec)]]))
  }

  step() {
    const { random } = this
    const tab = random.below(this.tabs)
    const kind = random.weighted({
      change: 70,
      cut: this.isCut[tab] ? 0 : 5,
      back: this.isCut[tab] ? 25 : 0,
      restart: 4,
      reload: 4,
      open: this.tabs < 2 ? 4 : 0,
      close: this.tabs > 1 ? 2 : 0,
      click: 6,
    })
    switch (kind) {
      case 'cut':
      case 'back':
        this.isCut[tab] = kind === 'cut'
        return { do: kind, tab }
      case 'open':
        this.tabs++
        this.isCut[1] = false
        return { do: 'open' }
      case 'close':
        this.tabs--
        return { do: 'close' }
      case 'reload':
        return { do: 'reload', tab }
      case 'click':
        return this.click()
      case 'restart':
        return { do: 'restart', ...(random.chance(0.6) ? this.change(2) : { words: [], set: {} }) }
      default:
        return { do: 'change', ...this.change(3), split: random.weighted({ no: 70, before: 15, between: 15 }) }
    }
  }

  click() {
    const keys = this.scripts().flatMap(({ id, uses }) => uses.filter(({ how }) => how === 'click').map(({ to }) => `${id}>${to}`))
    return keys.length > 0 ? { do: 'click', key: this.random.pick(keys) } : { do: 'quiet' }
  }

  // ---- files

  /** One burst of up to `most` edits. */
  change(most) {
    const words = []
    this.set = {}
    const note = (text) => text && words.push({ text, ids: [...this.touched] })
    for (let left = this.random.from(1, most); left > 0; left--) {
      this.touched = new Set()
      note(this.edit())
    }
    if (words.length === 0) note(this.bump(this.random.pick(Object.values(this.project.files))))
    for (const [id, spec] of Object.entries(this.set)) if (spec && this.history.has(id)) this.history.get(id).push(structuredClone(spec))
    return { words, set: structuredClone(this.set) }
  }

  put(spec) {
    this.touched.add(spec.id)
    this.project.files[spec.id] = spec
    this.set[spec.id] = spec
    if (!this.history.has(spec.id)) this.history.set(spec.id, [structuredClone(spec)])
  }

  drop(id) {
    this.touched.add(id)
    delete this.project.files[id]
    this.set[id] = null
  }

  scripts() {
    return Object.values(this.project.files).filter(({ kind }) => kind === 'script')
  }

  edit() {
    const { random } = this
    const files = Object.values(this.project.files)
    const file = structuredClone(random.pick(files))
    const own = this.scripts().filter(({ globbed }) => !globbed)
    const script = structuredClone(random.pick(own))
    const ailing = files.filter(({ health }) => health !== undefined && health !== GOOD)
    const kind = random.weighted({
      bump: 26,
      revert: 8,
      touch: 4,
      break: 7,
      throw: 6,
      mend: ailing.length > 0 ? 25 : 0,
      add: 9,
      take: 7,
      reorder: 5,
      way: 5,
      delete: 4,
      lose: 3,
      create: 6,
      rename: 5,
      glob: files.some(({ globbed }) => globbed) ? 6 : 0,
      page: 2,
    })
    switch (kind) {
      case 'bump':
        return this.bump(file)
      case 'revert':
        return this.revert(file)
      case 'touch':
        this.put(file)
        return `save ${file.id} as it is`
      case 'break':
      case 'throw':
        return this.harm(kind === 'break' ? file : script, kind === 'break' ? 'syntax' : 'throws')
      case 'mend':
        return this.mend(structuredClone(random.pick(ailing)))
      case 'add':
        return this.addUse(script)
      case 'take':
        return this.takeUse(script)
      case 'reorder':
        if (script.uses.length < 2) return null
        script.uses.push(script.uses.shift())
        this.put(script)
        return `reorder the imports of ${script.id}`
      case 'way':
        return this.changeWay(script)
      case 'delete':
        return this.remove(file, true)
      case 'lose':
        return this.remove(file, false)
      case 'create':
        return this.create(script)
      case 'rename':
        return this.rename(script)
      case 'glob':
        return this.globbed()
      case 'page':
        this.touched.add('index.html')
        this.set['index.html'] = ++this.project.pageText
        return 'edit the text of index.html'
    }
  }

  bump(spec) {
    const edited = structuredClone(spec)
    edited.version = this.next++
    if (edited.kind === 'cssm' && this.random.chance(0.5)) edited.names++
    this.put(edited)
    return `edit ${edited.id}`
  }

  revert({ id }) {
    const before = structuredClone(this.random.pick(this.history.get(id)))
    before.uses = before.uses?.filter(({ to }) => this.project.files[to])
    before.accepted = before.accepted?.filter((to) => this.project.files[to])
    this.put(before)
    return `save ${id} as it was before`
  }

  harm(spec, health) {
    if (spec.health === undefined) return null
    spec.health = health
    if (this.random.chance(0.5)) spec.version = this.next++
    this.put(spec)
    return health === 'syntax' ? `break ${spec.id}` : `make ${spec.id} throw`
  }

  mend(spec) {
    spec.health = GOOD
    const isNew = this.random.chance(0.5)
    if (isNew) spec.version = this.next++
    this.put(spec)
    return `mend ${spec.id}${isNew ? ' with another text' : ''}`
  }

  canUse(spec, to) {
    if (to.id === spec.id || spec.globbed || to.globbed || spec.uses.some((use) => use.to === to.id)) return false
    return to.kind !== 'script' || to.rank > spec.rank || (this.project.isCyclic && this.random.chance(0.2))
  }

  addUse(spec) {
    const possible = Object.values(this.project.files).filter((to) => this.canUse(spec, to))
    if (possible.length === 0) return null
    const to = this.random.pick(possible)
    const how = to.kind === 'script' ? someWay(this.random) : 'other'
    spec.uses.splice(this.random.below(spec.uses.length + 1), 0, { to: to.id, how })
    this.put(spec)
    return `${spec.id} imports ${to.id} (${how})`
  }

  takeUse(spec) {
    if (spec.uses.length === 0) return null
    const [gone] = spec.uses.splice(this.random.below(spec.uses.length), 1)
    spec.accepted = spec.accepted.filter((id) => id !== gone.to)
    this.put(spec)
    return `${spec.id} imports ${gone.to} no more`
  }

  changeWay(spec) {
    const use = this.random.pick(spec.uses.filter(({ how }) => how !== 'other'))
    if (!use) return null
    use.how = someWay(this.random)
    spec.accepted = spec.accepted.filter((id) => id !== use.to || use.how === 'named' || use.how === 'namespace')
    this.put(spec)
    return `${spec.id} imports ${use.to} in another way (${use.how})`
  }

  /** Deletes a file; with `isClean` also its imports elsewhere. */
  remove({ id }, isClean) {
    if (this.project.entries.includes(id) || this.project.linked.includes(id)) return null
    this.drop(id)
    if (isClean) { for (const spec of this.usersOf(id)) this.withoutUse(spec, id) }
    return isClean ? `delete ${id} and its imports` : `delete the file of ${id}`
  }

  usersOf(id) {
    return this.scripts().filter(({ uses }) => uses.some(({ to }) => to === id))
  }

  withoutUse(spec, id) {
    const edited = structuredClone(spec)
    edited.uses = edited.uses.filter(({ to }) => to !== id)
    edited.accepted = edited.accepted.filter((to) => to !== id)
    this.put(edited)
  }

  create(host) {
    const number = this.next++
    const rank = host.rank + 0.5
    const kind = this.random.weighted({ script: 6, css: 2, json: 1 })
    const spec = kind === 'script' ? makeScript(number, rank, this.random) : { id: `${kind === 'css' ? 's' : 'j'}${number}`, kind, version: 1 }
    if (kind === 'json') spec.health = GOOD
    if (kind === 'script') {
      for (const to of Object.values(this.project.files)) {
        if (this.canUse(spec, to) && this.random.chance(0.2)) {
          spec.uses.push({ to: to.id, how: to.kind === 'script' ? someWay(this.random) : 'other' })
        }
      }
      pickAccepted(spec, this.random)
    }
    this.put(spec)
    host.uses.push({ to: spec.id, how: kind === 'script' ? someWay(this.random) : 'other' })
    this.put(host)
    return `create ${spec.id}, imported by ${host.id}`
  }

  rename(spec) {
    if (this.project.entries.includes(spec.id)) return null
    const before = spec.id
    const number = this.next++
    this.drop(before)
    spec.id = `${before[0]}${number}`
    this.put(spec)
    for (const user of this.usersOf(before)) {
      const edited = structuredClone(user)
      for (const use of edited.uses) if (use.to === before) use.to = spec.id
      edited.accepted = edited.accepted.map((id) => (id === before ? spec.id : id))
      this.put(edited)
    }
    return `rename ${before} to ${spec.id}`
  }

  globbed() {
    const there = Object.values(this.project.files).filter(({ globbed }) => globbed)
    if (there.length > 1 && this.random.chance(0.5)) {
      const { id } = this.random.pick(there)
      this.drop(id)
      return `delete ${id} from the globbed folder`
    }
    const spec = makeGlobbed(`g${this.next++}`)
    this.put(spec)
    return `create ${spec.id} in the globbed folder`
  }
}

/** Repairs every broken file and removes imports of missing ones. Returns a change as in a step. */
export function mendAll(project) {
  const set = {}
  for (const spec of Object.values(project.files)) {
    const edited = structuredClone(spec)
    if (edited.health !== undefined) edited.health = GOOD
    const isThere = (id) => project.files[id] !== undefined
    edited.uses = edited.uses?.filter(({ to }) => isThere(to))
    edited.accepted = edited.accepted?.filter(isThere)
    if (JSON.stringify(edited) !== JSON.stringify(spec)) set[spec.id] = edited
  }
  return { set }
}
