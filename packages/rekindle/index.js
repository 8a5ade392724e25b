/**
 * The functions that a configuration of Vite imports. rekindle reads `vite.config.*` without running it; these serve editors,
 * and tools that do run it.
 */
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { parseEnv } from 'node:util'

export const { version } = createRequire(import.meta.url)('./package.json')

/** Returns its argument; it is there so that editors check and complete the configuration. */
export function defineConfig(config) {
  return config
}

/**
 * The variables of `.env`, `.env.local`, `.env.[mode]` and `.env.[mode].local`, and of the environment, whose names have one of
 * the prefixes; the environment takes precedence.
 */
export function loadEnv(mode, folder, prefixes = 'VITE_') {
  if (mode === 'local') throw new Error('"local" cannot be a mode: it would clash with the .env.local file')
  const read = {}
  for (const name of ['.env', '.env.local', `.env.${mode}`, `.env.${mode}.local`]) {
    const file = path.join(folder, name)
    if (folder !== false && isFile(file)) Object.assign(read, parseEnv(fs.readFileSync(file, 'utf8')))
  }
  const value = (name, seen = new Set()) => {
    if (name in process.env) return process.env[name]
    if (!(name in read) || seen.has(name)) return ''
    return expand(read[name], (other) => value(other, new Set(seen).add(name)))
  }
  const wanted = [prefixes].flat()
  const has = (name) => wanted.some((prefix) => name.startsWith(prefix))
  const names = [...Object.keys(read), ...Object.keys(process.env)].filter(has)
  return Object.fromEntries(names.map((name) => [name, value(name)]))
}

/**
 * Whether it is a regular file. Opening a named pipe blocks until something writes to it, and reading a device may never end:
 * what is no regular file is skipped with a warning.
 */
function isFile(file) {
  const found = fs.statSync(file, { throwIfNoEntry: false })
  if (!found || found.isFile()) return found !== undefined
  const kind = found.isDirectory() ? 'a folder' : found.isFIFO() ? 'a named pipe' : found.isSocket() ? 'a socket' : 'a device'
  console.warn(`rekindle: ${file} is ${kind}, not a file, and is left out`)
  return false
}

/** Expands `${NAME}`, `${NAME:-default}` and `$NAME`; a backslash before a reference keeps it literal. */
function expand(text, value) {
  return text.replace(/\\?\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g, (all, braced, otherwise, bare) => {
    if (all.startsWith('\\')) return all.slice(1)
    return value(braced ?? bare) || (otherwise ?? '')
  })
}

/** Merges two configurations: tables key by key, lists by concatenation; otherwise the second value wins, if there is one. */
export function mergeConfig(first, second) {
  if (typeof first === 'function' || typeof second === 'function') {
    throw new Error('mergeConfig takes configurations; call those that are functions first')
  }
  return merge(first, second, '')
}

function merge(first, second, key) {
  if (second === undefined || second === null) return first
  if (first === undefined || first === null) return second
  // Aliases are tried in order, so those of the second configuration, which refines the first, come first.
  if (key === 'resolve.alias' && (Array.isArray(first) || Array.isArray(second))) return [...aliases(second), ...aliases(first)]
  if (Array.isArray(first) || Array.isArray(second)) return [first, second].flat()
  if (!isTable(first) || !isTable(second)) return second
  const below = key === '' ? '' : `${key}.`
  const names = new Set([...Object.keys(first), ...Object.keys(second)])
  return Object.fromEntries([...names].map((name) => [name, merge(first[name], second[name], below + name)]))
}

function aliases(list) {
  return Array.isArray(list) ? list : Object.entries(list).map(([find, replacement]) => ({ find, replacement }))
}

function isTable(value) {
  return typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))
}

/** The path with forward slashes, and with `.` and `..` resolved. */
export function normalizePath(name) {
  return path.posix.normalize(process.platform === 'win32' ? name.replaceAll('\\', '/') : name)
}

function onlyAProgram(name) {
  return () => {
    throw new Error(
      `rekindle has no ${name}() for Node: it is a program, to be started as \`rekindle\`. What calls ${name}() needs Vite itself, or the package rekindle-vite.`,
    )
  }
}

export const build = onlyAProgram('build')
export const createBuilder = onlyAProgram('createBuilder')
export const createServer = onlyAProgram('createServer')
export const loadConfigFromFile = onlyAProgram('loadConfigFromFile')
export const optimizeDeps = onlyAProgram('optimizeDeps')
export const preview = onlyAProgram('preview')
export const resolveConfig = onlyAProgram('resolveConfig')
export const transformWithEsbuild = onlyAProgram('transformWithEsbuild')
export const transformWithOxc = onlyAProgram('transformWithOxc')
