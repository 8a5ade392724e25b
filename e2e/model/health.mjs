/** What of a project on disk must be as its sources say, whatever else is wrong with it: `sound.mjs`, of the files' texts. */
import fs from 'node:fs'
import path from 'node:path'
import { sound } from '../../client/test/model/sound.mjs'
import { kindOf } from './project.mjs'

const UNREADABLE = /const = ;|nowhere-/
const IMPORT = /(?:\bfrom|\bimport|@import|new URL\()\s*\(?'(\.[^']+)'/g
const GLOBS = { g: 'src/found/', h: 'src/later/' }

/**
 * What has been so since everything was last in order: imports (`from>to`) with which tabs may still run, where each module lay,
 * which modules there were, and which have thrown.
 */
export class History {
  edges = new Set()
  places = new Map()
  threw = new Set()

  /** @param {Iterable<any>} known */
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
    const isUnreadable = UNREADABLE.test(text) || targets.some((target) => !files.has(target) && !files.has(target.replace(/\.js$/, '.ts')))
      || (file.endsWith('.json') && !isJson(text)) || placesOf(id).size > 1
    modules.set(id, { isUnreadable, throws: text.includes('throw new Error('), takesOwn: 'sckl'.includes(kindOf(id)), version: versionOf(id, text) })
    for (const target of targets) edges.add(`${id}>${idOf(target)}`)
    if (modules.get(id).throws) threw.add(id)
    for (const [match, specifier] of text.matchAll(IMPORT)) if (/^(from|import) /.test(match)) statics.push([id, idOf(specifier)])
    const found = GLOBS[kindOf(id)]
    if (found) { for (const match of files.keys()) if (match.startsWith(found)) edges.add(`${id}>${idOf(match)}`) }
  }
  const versions = new Map([...modules].map(([id, { version }]) => [id, version]))
  const isWell = (id) => modules.has(id) && !modules.get(id).isUnreadable && !modules.get(id).throws
  // What a sheet imports is part of its text, which stays as it was while the sheet cannot be compiled.
  const frozen = new Set([...edges].map((edge) => edge.split('>')[0]).filter((id) => isSheet(id) && !isWell(id)))
  for (const id of frozen) for (const [from, to] of [...edges].map((edge) => edge.split('>'))) if (from === id && isSheet(to)) frozen.add(to)
  // While tsconfig.json cannot be read no module is known to be in order.
  const isConfigured = isJson(fs.readFileSync(path.join(root, 'tsconfig.json'), 'utf8'))
  return {
    statics,
    versions,
    frozen,
    ...sound(isConfigured ? [...modules.keys()] : [], edges, {
      isWell,
      // Its last version that compiled may be the one that throws.
      wasWell: (id) => known.has(id) && !threw.has(id),
      takesOwn: (id) => modules.get(id)?.takesOwn,
    }),
  }
}

const isSheet = (id) => 'cml'.includes(kindOf(id))

const idOf = (file) => /^[a-z]+\d*/.exec(path.posix.basename(file))[0]

const versionOf = (id, text) => (isSheet(id) ? /\{ order: (\d+)/ : new RegExp(`['"]${id}:(\\d+)['"]`)).exec(text)?.[1]

function isJson(text) {
  try {
    return Boolean(JSON.parse(text))
  } catch {
    return false
  }
}

/** How a tab differs in what is sound. `expected` is a tab that was opened now, and shows what ran before the mistake. */
export function differenceInSound(actual, expected, { statics, versions, frozen, current, whole }) {
  const wrong = []
  for (const id of current) {
    const [shown, fresh] = [actual.texts[id], expected.texts[id]]
    const version = versions.get(id)
    if (shown !== undefined && shown !== `${id}:${version}` && !shown.startsWith(`${id}:${version} `)) {
      wrong.push(`shown by ${id}: ${shown}, and its source says ${version}`)
    }
    // A module that none of these imports may not be loaded yet.
    const isNeeded = shown !== undefined || statics.some(([from, to]) => to === id && whole.has(from) && actual.texts[from] !== undefined)
    if (fresh !== undefined && whole.has(id) && isNeeded && shown !== fresh && !/pending|silent/.test(fresh)) {
      wrong.push(`shown by ${id}: ${shown ?? 'nothing'}, fresh ${fresh}`)
    }
    if (actual.lives[id] > 1) wrong.push(`${actual.lives[id]} live copies of ${id}`)
    if (!frozen.has(id)) {
      for (const [, order] of actual.sheets.join(' ').matchAll(new RegExp(`\\.${id} \\{ order: (\\d+)`, 'g'))) {
        if (order !== version) wrong.push(`the sheet of ${id} is ${order}, and its source says ${version}`)
      }
    }
  }
  if (actual.title !== expected.title) wrong.push(`"${actual.title}", fresh "${expected.title}"`)
  return wrong.length > 0 ? wrong.join('; ') : undefined
}
