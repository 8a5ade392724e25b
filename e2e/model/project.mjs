/**
 * The projects that the model test makes up: modules, what they import, and how that is written down.
 *
 *     p3  plain            s4  accepts itself        e5  accepts its exports     i6  accepts, and hands on
 *     d7  accepts deps     x8  export *              t9  TypeScript with JSX     q2  values only, also for workers
 *     g1  eager glob       h1  lazy glob             k1  makes the worker w1     c2  sheet    m2  CSS module    j2  JSON
 *
 * A module shows its own version, and the versions of what it imports, read when the page is asked. Where an update is
 * sure to run the module again it also shows what it caught when it ran. From 50 on are those that `import()` brings; no
 * sheets there, whose order would be that of arrival. So a page that took all updates shows what a fresh one does.
 */
import path from 'node:path'

const EXTENSIONS = { c: '.css', m: '.module.css', l: '.css', j: '.json', t: '.tsx' }
const nameOf = (id) => id + (EXTENSIONS[id[0]] ?? '.js')
const numberOf = (id) => Number(id.slice(1))

/** Kinds whose value an importer may catch: it runs again, or is told, whenever they are another one. */
const CATCHABLE = 'piqjt'
/** Kinds that a module which accepts its deps accepts. */
const ACCEPTABLE = 'pqj'
const SCRIPTS = 'pseidxtqghkw'
const SHOWING = 'pseidxtghk'

export const isLazy = (id) => numberOf(id) >= 50
export const kindOf = (id) => (id === 'main' ? 'main' : id[0])

/** Whether a module may import another; statically, or with `import()`. */
export function mayImport(from, to, how = 'static') {
  const [a, b] = [kindOf(from), kindOf(to)]
  if (from === to || b === 'main' || b === 'w' || b === 'l') return false
  if (a === 'c' || a === 'l') return b === 'c' && numberOf(from) < numberOf(to) && how === 'static'
  if (a === 'q' || a === 'w') return b === 'q' && numberOf(from) < numberOf(to) && how === 'static'
  if ('mjghk'.includes(a)) return false
  if (how === 'dynamic') return isLazy(to) && 'pqis'.includes(b) && 'mainpsed'.includes(a)
  if (from !== 'main' && isLazy(from)) return isLazy(to) && 'pqisj'.includes(b)
  if (a === 'x') return 'pseiq'.includes(b) && numberOf(from) < numberOf(to)
  if (a === 't') return 'pqj'.includes(b) && numberOf(from) < numberOf(to)
  return true
}

export class Project {
  /** id → module; `main` is the page's entry. */
  modules = new Map()
  counter = 0
  title = 0
  env = 0
  /** Which of two functions JSX becomes; `null` while tsconfig.json is broken. */
  jsx = 'one'
  isTsconfigBroken = false
  accepts = true
  links = []

  add(id, folder = '') {
    const module = {
      id,
      path: path.posix.join(folder, nameOf(id)),
      version: ++this.counter,
      imports: [],
      broken: null,
      isGone: false,
      known: null,
      readsEnv: false,
    }
    this.modules.set(id, module)
    return module
  }

  copy() {
    const { modules, ...rest } = this
    const copy = Object.assign(new Project(), structuredClone(rest))
    copy.modules = structuredClone(modules)
    return copy
  }

  get present() {
    return [...this.modules.values()].filter(({ isGone }) => !isGone)
  }

  /** All files, by path. */
  files() {
    const files = { 'index.html': this.page(), '.env': `VITE_WORD=env${this.env}\n` }
    files['tsconfig.json'] = `{ "compilerOptions": { "jsx": "react", "jsxFactory": "${this.jsx}" } }${this.isTsconfigBroken ? '{' : ''}\n`
    for (const module of this.present) files[module.path] = this.textOf(module)
    return files
  }

  page() {
    const links = this.links.filter((id) => !this.modules.get(id).isGone).map((id) =>
      `<link rel="stylesheet" href="/${this.modules.get(id).path}">\n`
    )
    return `<!doctype html>
<head>
<link rel="icon" href="data:,">
${links.join('')}<script src="/base.js"></script>
</head>
<body>
<h1>title ${this.title}</h1>
<script type="module" src="/src/main.js"></script>
</body>
`
  }

  /** Whether static imports lead from a module to another. */
  reaches(from, id) {
    const seen = new Set([from.id])
    for (const one of seen) {
      if (one === id) return true
      for (const { id: next, how } of this.modules.get(one)?.imports ?? []) if (how === 'static') seen.add(next)
    }
    return false
  }

  /** How `from` names `to`: by the path under which importers know it. */
  specifier(from, to) {
    const module = this.modules.get(to)
    const relative = path.posix.relative(path.posix.dirname(from.path), (module.known ?? module.path).replace(/\.ts$/, '.js'))
    return relative.startsWith('.') ? relative : `./${relative}`
  }

  textOf(module) {
    const kind = kindOf(module.id)
    if (kind === 'j') return module.broken ? '{ "v": ' : `{ "v": "${module.id}:${module.version}" }\n`
    if ('cml'.includes(kind)) return this.sheet(module, kind)
    return this.script(module, kind)
  }

  sheet(module, kind) {
    const lines = module.imports.map(({ id }) => `@import '${this.specifier(module, id)}';`)
    if (module.broken) lines.unshift(`@import './nowhere-${module.id}.css';`)
    lines.push(`.${kind === 'm' ? 'box' : module.id} { order: ${module.version} }`)
    if (kind === 'm' && module.version % 3 === 0) lines.push('.more { order: 1 }')
    return `${lines.join('\n')}\n`
  }

  script(module, kind) {
    const { id, version, broken } = module
    const out = { imports: [], body: [], lazy: [], caught: [], accepted: [] }
    if (broken === 'missing') out.imports.push(`import './nowhere-${id}.js'`)
    for (const { id: to, how } of module.imports) this.importLine(module, kind, this.modules.get(to), how, out)
    if (broken === 'throw') out.body.push(`throw new Error('${id} throws')`)
    if (kind === 'main') out.body.push(`const main = 'main:${version}'`)
    else if (kind !== 'w') out.body.push(`export const ${id} = '${id}:${version}'`)
    this.special(module, kind, out)
    if (module.readsEnv) out.lazy.push('import.meta.env.VITE_WORD')
    if (out.caught.length > 0) out.body.push(`const caught = [${out.caught.join(', ')}]`)
    const shown = [kind === 'w' ? `'${id}:${version}'` : id, ...(out.caught.length > 0 ? ['...caught'] : []), ...out.lazy]
    const text = `[${shown.join(', ')}].join(' ')`
    if (kind === 'w') out.body.push(`onmessage = ({ data }) => postMessage([data, ${text}])`)
    else if ('main' === kind || SHOWING.includes(kind)) {
      out.body.push(`show('${id}', () => ${text}, import.meta.hot${kind === 'k' ? ', dismiss' : ''})`)
    }
    out.body.push(...this.acceptCalls(module, kind, out))
    if (broken === 'late') out.body.push(`throw new Error('${id} throws late')`)
    if (broken === 'syntax') out.body.push('const = ;')
    return `${[...out.imports, ...out.body].join('\n')}\n`
  }

  importLine(module, kind, target, how, out) {
    const specifier = this.specifier(module, target.id)
    const [to, targetKind] = [target.id, kindOf(target.id)]
    if (kind === 'x') return out.imports.push(`export * from '${specifier}'`)
    if (how === 'dynamic') {
      out.body.push(
        `let lazy_${to} = 'pending'\nimport('${specifier}').then((next) => { lazy_${to} = ${
          'pqi'.includes(targetKind) ? `next.${to}` : `'there'`
        } }, () => { lazy_${to} = 'failed' })`,
      )
      return out.lazy.push(`lazy_${to}`)
    }
    if ('cl'.includes(targetKind)) return out.imports.push(`import '${specifier}'`)
    if (targetKind === 'm') {
      out.imports.push(`import ${to} from '${specifier}'`)
      return out.lazy.push(`Object.keys(${to}).length`)
    }
    if (targetKind === 'j') out.imports.push(`import ${to} from '${specifier}'`)
    else if (targetKind === 'x') {
      const star = this.modules.get(target.imports[0]?.id)
      if (!star || star.id === module.id) return out.imports.push(`import { ${to} } from '${specifier}'`), out.lazy.push(to)
      out.imports.push(`import { ${to}, ${star.id} as ${to}_${star.id} } from '${specifier}'`)
      return out.lazy.push(to, `${to}_${star.id}`)
    } else out.imports.push(`import { ${to} } from '${specifier}'`)
    const value = targetKind === 'j' ? `${to}.v` : to
    const isLater = kind === 'main' || (numberOf(module.id) < numberOf(to) && !this.reaches(target, module.id))
    if (kind === 'd' && ACCEPTABLE.includes(targetKind) && isLater) return out.accepted.push({ specifier, to, targetKind, value })
    // In a cycle the module that runs first would catch nothing, and which one runs first depends on the page's history.
    if (CATCHABLE.includes(targetKind) && isLater && kindOf(module.id) !== 'x') out.caught.push(value)
    else out.lazy.push(value)
  }

  special({ id }, kind, out) {
    if (kind === 'd' && out.accepted.length > 0) {
      out.body.push(`const told = { ${out.accepted.map(({ to, value }) => `${to}: ${value}`).join(', ')} }`)
      out.lazy.push(...out.accepted.map(({ to }) => `told.${to}`))
    }
    if (kind === 't') {
      out.body.push(`const one = (tag: string) => 'one ' + tag\nconst two = (tag: string) => 'two ' + tag`)
      out.lazy.push('<b />')
    }
    if (kind === 'g') {
      out.body.push(`const found = import.meta.glob('./found/*.js', { eager: true })`)
      out.caught.push(`...Object.keys(found).map((name) => name + '=' + Object.values(found[name]).join())`)
    }
    if (kind === 'h') {
      out.body.push(`const matches = import.meta.glob('./later/*.js')
let all = 'pending'
Promise.all(Object.values(matches).map((load) => load())).then((list) => { all = list.map((one) => Object.values(one).join()).join() }, () => { all = 'failed' })`)
      out.lazy.push('Object.keys(matches).join()', 'all')
    }
    if (kind === 'k') {
      const worker = this.modules.get(`w${id.slice(1)}`)
      out.body.push(
        `const dismiss = hire('${worker.id}', new Worker(new URL('${
          this.specifier(this.modules.get(id), worker.id)
        }', import.meta.url), { type: 'module' }))`,
      )
    }
  }

  acceptCalls({ id }, kind, { accepted }) {
    if (kind === 's' || kind === 'k' || (kind === 'main' && this.accepts)) return ['import.meta.hot.accept()']
    if (kind === 'e') return [`import.meta.hot.acceptExports(['${id}'], () => {})`]
    if (kind === 'i') return ['import.meta.hot.accept(() => import.meta.hot.invalidate())']
    if (kind !== 'd' || accepted.length === 0) return []
    const value = ({ to, targetKind }, next) => (targetKind === 'j' ? `${next}.default.v` : `${next}.${to}`)
    if (numberOf(id) % 2 === 0) {
      return accepted.map((dep) => `import.meta.hot.accept('${dep.specifier}', (next) => { if (next) told.${dep.to} = ${value(dep, 'next')} })`)
    }
    const list = accepted.map(({ specifier }) => `'${specifier}'`).join(', ')
    const take = accepted.map((dep, at) => `if (all[${at}]) told.${dep.to} = ${value(dep, `all[${at}]`)}`).join('; ')
    return [`import.meta.hot.accept([${list}], (all) => { ${take} })`]
  }

  isScript(id) {
    return id === 'main' || SCRIPTS.includes(id[0])
  }
}

export { nameOf }
