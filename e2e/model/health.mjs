/**
 * What of a project on disk must be as its sources say, whatever else is wrong with it.
 *
 *     main ─► p1 (throws), s2 ─► p3        s2 and p3 must be: s2 takes their updates. main runs again only with p1.
 */
import fs from 'node:fs'
import path from 'node:path'
import { kindOf } from './project.mjs'

const UNREADABLE = /const = ;|nowhere-/
const IMPORT = /(?:\bfrom|\bimport|@import|new URL\()\s*\(?'(\.[^']+)'/g
const GLOBS = { g: 'src/found/', h: 'src/later/' }

/**
 * Since all was well last: the imports (`from>to`) with which tabs may still run, where each module lay, which there were then, and
 * which have thrown. What such a one was, before it could not be compiled, may be what throws.
 */
export class History {
  edges = new Set()
  places = new Map()
  threw = new Set()

  constructor(known = []) {
    this.known = new Set(known)
  }
}

/** Reads it, and adds what there is now to its history. */
export function readHealth(root, { edges, places, known, threw }) {
  const files = new Map()
  for (const entry of fs.readdirSync(path.join(root, 'src'), { recursive: true, withFileTypes: true })) {
    const file = path.relative(root, path.join(entry.parentPath, entry.name))
    if (entry.isFile() && !file.endsWith('.tmp')) files.set(file, fs.readFileSync(path.join(root, file), 'utf8'))
  }
  const placesOf = (id) => places.get(id) ?? places.set(id, new Set()).get(id)
  for (const file of files.keys()) placesOf(idOf(file)).add(file)
  const modules = new Map()
  const statics = []
  for (const [file, text] of files) {
    const id = idOf(file)
    const targets = [...text.matchAll(IMPORT)].map(([, specifier]) => path.posix.join(path.posix.dirname(file), specifier))
    const isUnreadable = UNREADABLE.test(text) || targets.some((target) => !files.has(target)) || (file.endsWith('.json') && !isJson(text)) || placesOf(id).size > 1
    modules.set(id, { isUnreadable, throws: text.includes('throw new Error('), takesOwn: 'sckl'.includes(kindOf(id)), version: versionOf(id, text) })
    for (const target of targets) edges.add(`${id}>${idOf(target)}`)
    if (modules.get(id).throws) threw.add(id)
    for (const [match, specifier] of text.matchAll(IMPORT)) if (/^(from|import) /.test(match)) statics.push([id, idOf(specifier)])
    const found = GLOBS[kindOf(id)]
    if (found) for (const match of files.keys()) if (match.startsWith(found)) edges.add(`${id}>${idOf(match)}`)
  }
  const isConfigured = isJson(fs.readFileSync(path.join(root, 'tsconfig.json'), 'utf8'))
  return { statics, versions: new Map([...modules].map(([id, { version }]) => [id, version])), ...(isConfigured ? soundOf(modules, edges, known, threw) : { current: [], whole: [] }) }
}

const idOf = (file) => /^[a-z]+\d*/.exec(path.posix.basename(file))[0]

const versionOf = (id, text) => ('cml'.includes(kindOf(id)) ? /\{ order: (\d+)/ : new RegExp(`['"]${id}:(\\d+)['"]`)).exec(text)?.[1]

function isJson(text) {
  try {
    return Boolean(JSON.parse(text))
  } catch {
    return false
  }
}

/**
 * `current`: modules that are good, and nothing that runs again for them, or for what they import, runs a module that throws, or
 * one that a tab may never have had. `whole`: nothing of that ails at all, so that a tab which is opened now shows the same.
 */
function soundOf(modules, edges, known, threw) {
  const [below, above] = [new Map(), new Map()]
  for (const [from, to] of [...edges].map((edge) => edge.split('>'))) {
    below.set(from, [...(below.get(from) ?? []), to])
    above.set(to, [...(above.get(to) ?? []), from])
  }
  const reach = (ids, next) => {
    const reached = new Set(ids)
    for (const id of reached) for (const one of next(id)) reached.add(one)
    return [...reached]
  }
  const belowOf = (ids) => reach(ids, (id) => below.get(id) ?? [])
  const again = (id) => reach([id], (one) => (modules.get(one)?.takesOwn ? [] : (above.get(one) ?? [])))
  const isWell = (id) => modules.has(id) && !modules.get(id).isUnreadable && !modules.get(id).throws
  const canRun = (id) => isWell(id) || (known.has(id) && !threw.has(id))
  const isSound = (can) => (id) => isWell(id) && belowOf([id]).every((dep) => belowOf(again(dep)).every(can))
  return { current: [...modules.keys()].filter(isSound(canRun)), whole: [...modules.keys()].filter(isSound(isWell)) }
}

/** How a tab differs in what is sound. `expected` is a tab that was opened now, and shows what ran before the mistake. */
export function differenceInSound(actual, expected, { statics, versions, current, whole }) {
  const wrong = []
  for (const id of current) {
    const [shown, fresh] = [actual.texts[id], expected.texts[id]]
    const version = versions.get(id)
    if (shown !== undefined && shown !== `${id}:${version}` && !shown.startsWith(`${id}:${version} `)) wrong.push(`shown by ${id}: ${shown}, and its source says ${version}`)
    // Who is imported by none of these may not have come along yet.
    const isNeeded = shown !== undefined || statics.some(([from, to]) => to === id && whole.includes(from) && actual.texts[from] !== undefined)
    if (fresh !== undefined && whole.includes(id) && isNeeded && shown !== fresh && !/pending|silent/.test(fresh)) wrong.push(`shown by ${id}: ${shown ?? 'nothing'}, fresh ${fresh}`)
    if (actual.lives[id] > 1) wrong.push(`${actual.lives[id]} live copies of ${id}`)
    for (const [, order] of actual.sheets.join(' ').matchAll(new RegExp(`\\.${id} \\{ order: (\\d+)`, 'g'))) if (order !== version) wrong.push(`the sheet of ${id} is ${order}, and its source says ${version}`)
  }
  if (actual.title !== expected.title) wrong.push(`"${actual.title}", fresh "${expected.title}"`)
  return wrong.length > 0 ? wrong.join('; ') : undefined
}
