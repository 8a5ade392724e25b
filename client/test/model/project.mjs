/**
 * The projects of the model test: each file's specification as data, and the text generated from it.
 *
 *     { id: 'm3', kind: 'script', accept: 'none', version: 4, uses: [{ to: 'h5', how: 'named' }], … }
 *       →  import { v as v_h5 } from './h5.js' …
 *
 * The first letter of a name says what a file is (`KINDS`), so that the text of an importer follows from the importer alone. A
 * module must show the same in a tab that took updates and in one opened just now. So everything is shown by functions that
 * read live bindings when they are called (`view`, `v`). The exception is `c`, a value computed when the module runs, from the
 * values of those imports whose changes always run it again.
 */

const KINDS = {
  m: { kind: 'script', file: (id) => `${id}.js` },
  /** Accepts its own updates, so its importers run again only if it invalidates. */
  h: { kind: 'script', isHot: true, file: (id) => `${id}.js` },
  t: { kind: 'script', isTyped: true, file: (id) => `${id}.ts` },
  g: { kind: 'script', file: (id) => `g/${id}.js` },
  s: { kind: 'css', file: (id) => `${id}.css` },
  k: { kind: 'cssm', file: (id) => `${id}.module.css` },
  j: { kind: 'json', file: (id) => `${id}.json` },
}
const kindOf = (id) => KINDS[id[0]]
export const GOOD = 'good'

/** A project before anything happens to it. */
export function makeProject(random) {
  const isCyclic = random.chance(0.3)
  const project = { isCyclic, entries: [], linked: random.chance(0.3) ? ['site'] : [], pageText: 1, files: {} }
  const scripts = random.from(3, 7)
  const others = []
  const add = (spec) => (project.files[spec.id] = spec)
  for (let at = 1; at <= random.below(3); at++) others.push(add({ id: `s${at}`, kind: 'css', version: 1 }))
  if (random.chance(0.4)) others.push(add({ id: 'k1', kind: 'cssm', version: 1, names: 1 }))
  if (random.chance(0.4)) others.push(add({ id: 'j1', kind: 'json', version: 1, health: GOOD }))
  for (const id of project.linked) add({ id, kind: 'css', version: 1 })
  const all = []
  for (let at = 0; at < scripts; at++) all.push(add(makeScript(at, at, random)))
  project.entries.push(all[0].id)
  if (random.chance(0.2) && scripts > 3) project.entries.push(all[1].id)
  for (const spec of all) {
    for (const to of all) {
      const isForward = to.rank > spec.rank
      if (to === spec || (!isForward && !(isCyclic && random.chance(0.12)))) continue
      // Each module imports the next one, so that all are reachable; other imports are drawn, so most have one or two
      // importers.
      if (isForward && to.rank !== spec.rank + 1 && !random.chance(0.3)) continue
      spec.uses.push({ to: to.id, how: someWay(random) })
    }
    for (const to of others) if (random.chance(0.35)) spec.uses.push({ to: to.id, how: 'other' })
    spec.uses = random.shuffled(spec.uses)
    pickAccepted(spec, random)
  }
  if (random.chance(0.3)) {
    const host = random.pick(all)
    host.glob = random.pick(['eager', 'lazy'])
    for (let at = 1; at <= random.from(1, 2); at++) add(makeGlobbed(`g${at}`))
  }
  return project
}

export function makeScript(number, rank, random) {
  const accept = random.weighted({ none: 40, self: 25, callback: 8, deps: 12, exports: 8, invalidate: 7 })
  const isHot = accept === 'self' || accept === 'callback' || accept === 'invalidate'
  const id = `${isHot ? 'h' : random.chance(0.2) ? 't' : 'm'}${number}`
  return { id, kind: 'script', rank, accept, accepted: [], version: 1, uses: [], glob: null, health: GOOD }
}

/** One of the files that a glob finds. */
export function makeGlobbed(id) {
  return { id, kind: 'script', rank: 99, accept: 'none', accepted: [], version: 1, uses: [], glob: null, health: GOOD, globbed: true }
}

export function someWay(random) {
  return random.weighted({ named: 45, namespace: 12, side: 8, star: 12, from: 8, lazy: 10, click: 5 })
}

/** Chooses what `accept('./dep.js')` names: modules that are imported statically, by names or as a namespace. */
export function pickAccepted(spec, random) {
  if (spec.accept !== 'deps') return
  const possible = spec.uses.filter(({ how }) => how === 'named' || how === 'namespace').map(({ to }) => to)
  spec.accepted = possible.filter(() => random.chance(0.6))
}

export function fileOf(id) {
  return kindOf(id).file(id)
}

/** All files with their texts. */
export function textsOf(project) {
  const texts = { 'index.html': pageOf(project) }
  for (const spec of Object.values(project.files)) texts[fileOf(spec.id)] = textOf(project, spec)
  return texts
}

export function pageOf({ entries, linked, pageText }) {
  const links = linked.map((id) => `<link rel="stylesheet" href="/${id}.css">`)
  const scripts = entries.map((id) => `<script type="module" src="/${fileOf(id)}"></script>`)
  return `<!doctype html>\n<html>\n<head><title>model</title>${links.join('')}</head>\n<body>\n<p id="text">${pageText}</p>\n${
    scripts.join('\n')
  }\n</body>\n</html>\n`
}

export function textOf(project, spec) {
  switch (spec.kind) {
    case 'css':
      return `.${spec.id} { --version: ${spec.version} }\n`
    case 'cssm':
      return `.a { --version: ${spec.version} }\n${spec.names > 1 ? `.b${spec.names} { top: 0 }\n` : ''}`
    case 'json':
      return spec.health === GOOD ? `{ "v": ${spec.version} }\n` : `{ "v": \n`
    default:
      return scriptOf(project, spec)
  }
}

function scriptOf(project, spec) {
  const { id, version } = spec
  const [imports, body, views, lazies, eager] = [[], [], [], [], []]
  for (const { to, how } of spec.uses) importOf(project, spec, to, how, { imports, body, views, lazies, eager })
  if (spec.glob) globOf(spec, { body, views })
  const label = `'${id}.${version}'`
  const lines = [
    ...imports,
    `const n = born('${id}', import.meta.hot.data)`,
    `import.meta.hot.dispose((data) => gone('${id}', n, data))`,
    `import.meta.hot.prune(() => pruned('${id}'))`,
    ...acceptsOf(spec),
    `export const x_${id} = () => ${label}`,
    `export function v(d) { return d > 2 ? '' : ${label}${lazies.length > 0 ? ` + '(' + ${lazies.join(` + ' ' + `)} + ')'` : ''} }`,
    `export const c = ${[label, ...eager].join(` + ' ' + `)}`,
    ...body,
    `view('${id}', n, () => [c, v(0)${views.map((view) => `, ${view}`).join('')}].join(' · '))`,
  ]
  if (kindOf(id).isTyped) lines.push(`type Unused = { ${id}: string }`)
  if (spec.health === 'throws') lines.push(`throw new Error('${id} throws')`)
  if (spec.health === 'syntax') lines.push('}}}')
  return lines.join('\n') + '\n'
}

function importOf(project, spec, to, how, { imports, body, views, lazies, eager }) {
  const file = `./${fileOf(to)}`
  const { kind, isHot } = kindOf(to)
  if (kind !== 'script') {
    imports.push(kind === 'css' ? `import '${file}'` : `import ${to} from '${file}'`)
    if (kind === 'cssm') views.push(`Object.keys(${to}).join()`)
    if (kind === 'json') eager.push(`${to}.v`)
    return
  }
  // Whether every change of it runs this module again.
  const cold = !isHot && !spec.accepted.includes(to)
  switch (how) {
    case 'named': {
      const takesValue = cold && !project.isCyclic
      imports.push(`import { v as v_${to}${takesValue ? `, c as c_${to}` : ''} } from '${file}'`)
      lazies.push(`v_${to}(d + 1)`)
      if (takesValue) eager.push(`c_${to}`)
      return
    }
    case 'namespace':
      imports.push(`import * as n_${to} from '${file}'`)
      lazies.push(`n_${to}.v(d + 1)`)
      views.push(`Object.keys(n_${to}).join()`)
      return
    case 'side':
      return void imports.push(`import '${file}'`)
    case 'star':
      return void imports.push(`export * from '${file}'`)
    case 'from':
      return void imports.push(`export { x_${to} } from '${file}'`)
    case 'lazy':
    case 'click': {
      const arrived = `import('${file}').then((m) => (h_${to} = m), () => (h_${to} = 'failed'))`
      body.push(`let h_${to}`)
      body.push(how === 'lazy' ? arrived : `click('${spec.id}>${to}', n, '${spec.id}', () => ${arrived})`)
      // A namespace belongs to its copy of the module. If an update of the module does not run this one again, the namespace
      // keeps the old values, so only its presence is shown.
      views.push(`'${to}: ' + (h_${to}?.v ? ${cold ? `h_${to}.v(1)` : `'there'`} : h_${to} ?? 'not yet')`)
    }
  }
}

function globOf({ glob }, { body, views }) {
  if (glob === 'eager') {
    body.push(`const globbed = import.meta.glob('./g/*.js', { eager: true })`)
    views.push(`Object.keys(globbed).map((path) => path + globbed[path].v(0)).join()`)
  } else {
    body.push(`const globbed = import.meta.glob('./g/*.js')`, `const found = {}`)
    body.push(`for (const path in globbed) globbed[path]().then((m) => (found[path] = m), () => (found[path] = 'failed'))`)
    views.push(`Object.keys(globbed).map((path) => path + (found[path]?.v ? found[path].v(0) : found[path] ?? 'not yet')).join()`)
  }
}

function acceptsOf({ id, accept, accepted }) {
  switch (accept) {
    case 'self':
      return ['import.meta.hot.accept()']
    case 'callback':
      return [`import.meta.hot.accept((next) => told('${id}', next))`]
    case 'invalidate':
      return ['import.meta.hot.accept(() => import.meta.hot.invalidate())']
    case 'exports':
      return [`import.meta.hot.acceptExports(['v', 'x_${id}'])`]
    case 'deps':
      return accepted.map((dep) => `import.meta.hot.accept('./${fileOf(dep)}', (next) => told('${dep}', next))`)
    default:
      return []
  }
}

/** Modules that a page reaches; `statically`: not through `import()`. */
export function reachable(project, statically = false) {
  const reached = new Set([...project.entries, ...project.linked])
  for (const id of reached) {
    const spec = project.files[id]
    for (const { to, how } of spec?.uses ?? []) if (!statically || (how !== 'lazy' && how !== 'click')) reached.add(to)
    if (spec?.glob && !(statically && spec.glob === 'lazy')) {
      for (const { id, globbed } of Object.values(project.files)) if (globbed) reached.add(id)
    }
  }
  return reached
}

/** What keeps a page from running its current sources, by module: 'missing', 'syntax' or 'throws'. */
export function ailments(project) {
  const found = new Map()
  for (const id of reachable(project)) {
    const spec = project.files[id]
    if (!spec) found.set(id, 'missing')
    else if (spec.health !== undefined && spec.health !== GOOD) found.set(id, spec.health)
  }
  return found
}

/** Whether a module's file exists and is good, and the files exist that it imports: without them it cannot be compiled. */
export function isWell({ files }, id) {
  return files[id] !== undefined && (files[id].health ?? GOOD) === GOOD && (files[id].uses ?? []).every(({ to }) => files[to])
}

/** Whether a module stops its own updates, so that importers do not run again. */
export function takesOwnUpdates({ files }, id) {
  return ['self', 'callback'].includes(files[id]?.accept) || kindOf(id).kind === 'css'
}
