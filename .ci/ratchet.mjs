/**
 * Keeps cases of the shared suites from regressing: what has passed once must keep passing. Runs the suites of
 * ../shared on the release build and compares the results with passing.txt:
 *
 *     conformance: 01-self-accept › a module that …     listed, passes     fine
 *     attack: file-017                                  listed, fails      once more alone; fails again: CI fails
 *     fault: rapidSaves                                 passes, unlisted   a hint; --accept lists it
 *
 *     node .ci/ratchet.mjs [--accept] [--suite conformance|attack|fault] [--tests "N passed, N failed"]
 *
 * Prints the sum of `--tests` and the listed cases as its last line. The list is in this repository, the suites are not:
 * where there is no ../shared it says which of them it skips.
 */
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ci = fileURLToPath(new URL('.', import.meta.url))
const repository = path.dirname(path.resolve(ci))
const shared = path.join(repository, '../shared')
const target = path.resolve(repository, process.env.CARGO_TARGET_DIR ?? 'target')
const npm = path.join(target, 'ratchet')
const list = path.join(ci, 'passing.txt')

const minutes = 60_000
// The test run that precedes this takes time as well; with this limit all of CI stays well below 90 minutes.
const deadline = Date.now() + 55 * minutes
// The suites and the server read variables with these prefixes, so those of the developer's shell are removed.
const isForeign = (name) => /^(VITE_|REKINDLE_)/i.test(name)
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name))),
  NO_COLOR: '1',
  REKINDLE_BIN: path.join(target, 'release/rekindle'),
  REKINDLE_TYPES_DIR: path.join(repository, 'packages/rekindle'),
  NPM_DIR: npm,
}

/**
 * A suite prints one line per case. `line` captures its status and name; `alone` gives the arguments that run one case.
 * Lines are read, not a report at the end, so that results so far survive when a suite is stopped at its `limit`.
 */
const suites = [
  {
    name: 'conformance',
    folder: 'conformance',
    command: ['run.mjs', '--server', './servers/rekindle.mjs', '--jobs', '2'],
    // `--grep` takes alternatives separated by `|`, so a name that contains `|` is looked for by the part before it.
    alone: (name) => ['--jobs', '1', '--grep', name.split('|')[0]],
    line: /^(ok  |FAIL) (.+) \([\d.]+ s\)$/,
    limit: 30 * minutes,
  },
  {
    name: 'attack',
    folder: 'attacks',
    command: ['run.mjs', '--server', 'rekindle', '--no-soft', '--verbose'],
    alone: (name) => ['--only', name],
    line: /^(ok  |FAIL) +(\S+)/,
    limit: 10 * minutes,
  },
  {
    name: 'fault',
    folder: 'attacks',
    command: ['faults.mjs', '--server', 'rekindle'],
    alone: (name) => ['--only', name],
    line: /^(ok  |FAIL) (\S+) [\d.]+ s/,
    limit: 15 * minutes,
  },
]

const { values: options } = parseArgs({
  options: { accept: { type: 'boolean' }, suite: { type: 'string', multiple: true }, tests: { type: 'string' } },
})
process.exit(await main())

async function main() {
  const sum = readCounts(options.tests ?? '0 passed, 0 failed')
  const listed = readList()
  const chosen = suites.filter(({ name }) => options.suite?.includes(name) ?? true)
  const isHere = ({ folder }) => fs.existsSync(path.join(shared, folder))
  for (const { name, folder } of chosen.filter((suite) => !isHere(suite))) {
    const cases = listed.filter(({ suite }) => suite === name).length
    console.log(`\nskipped: the ${cases} cases of the suite "${name}" that .ci/passing.txt lists; the suite itself is not in ../shared/${folder}`)
  }
  const present = chosen.filter(isHere)
  if (present.length === 0) return finish(sum)
  try {
    const folder = prepare(new Set(present.map((suite) => suite.folder)))
    try {
      const fresh = []
      for (const suite of present) fresh.push(...(await compare(suite, folder, listed, sum)))
      hint(fresh, listed)
    } finally {
      fs.rmSync(folder, { recursive: true, force: true })
    }
  } catch (error) {
    console.error(`the ratchet could not run: ${error.message}`)
    sum.failed += 1
  }
  return finish(sum)
}

/** Copies the `folders` of suites to one of their own, with the packages they need beside them. */
function prepare(folders) {
  installPackages()
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-ratchet-')))
  for (const name of folders) {
    fs.cpSync(path.join(shared, name), path.join(folder, name), { recursive: true })
  }
  makeWritable(folder)
  for (const name of folders) {
    fs.rmSync(path.join(folder, name, 'node_modules'), { recursive: true, force: true })
    fs.symlinkSync(path.join(npm, 'node_modules'), path.join(folder, name, 'node_modules'), 'junction')
  }
  return folder
}

function installPackages() {
  const receipt = path.join(npm, 'node_modules/.installed-lock')
  const lock = fs.readFileSync(path.join(ci, 'package-lock.json'), 'utf8')
  if (fs.existsSync(receipt) && fs.readFileSync(receipt, 'utf8') === lock) return
  fs.mkdirSync(npm, { recursive: true })
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) fs.copyFileSync(path.join(ci, file), path.join(npm, file))
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: npm, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error('npm ci failed')
  fs.writeFileSync(receipt, lock)
}

/** The suites may be read-only and `cpSync` keeps permissions, so the copied folders are made writable. */
function makeWritable(folder) {
  fs.chmodSync(folder, 0o755)
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(path.join(folder, entry.name))
  }
}

/** Runs a suite, adds its listed cases to `sum`, and returns the cases that passed. */
async function compare(suite, folder, listed, sum) {
  console.log(`\n── ratchet: ${suite.name} ──`)
  const results = await run(suite, folder, [], suite.limit)
  const mine = listed.filter((entry) => entry.suite === suite.name)
  const failed = mine.filter(({ name }) => results.get(name) !== true)
  // A failed case is run once more, since it may be flaky. More than 20 failures have another cause, and running each
  // again would take too long.
  const another = failed.length <= 20 ? failed.filter(({ name }) => results.has(name)) : []
  for (const { name } of another) {
    console.log(`once more, alone: ${name}`)
    const again = await run(suite, folder, suite.alone(name), 2 * minutes)
    if (again.get(name)) results.set(name, true)
  }
  const lost = mine.filter(({ name }) => results.get(name) !== true)
  for (const { name } of lost) console.log(`LOST ${suite.name}: ${name}${results.has(name) ? '' : ' (did not run)'}`)
  const passing = [...results].filter(([, passed]) => passed).map(([name]) => ({ suite: suite.name, name }))
  console.log(`${suite.name}: ${passing.length} of ${results.size} pass; of the ${mine.length} listed ${lost.length} do not`)
  sum.passed += mine.length - lost.length
  sum.failed += lost.length
  return passing
}

/** Runs a suite's command; returns a map from the name of a case to whether it passed. */
function run(suite, folder, more, most) {
  const limit = Math.max(0, Math.min(most, deadline - Date.now()))
  const results = new Map()
  // A process group of its own, so that stopping it also kills the servers and browsers it has started.
  const child = spawn(process.execPath, [...suite.command, ...more], {
    cwd: path.join(folder, suite.folder),
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const found = suite.line.exec(line)
    if (found) results.set(found[2], found[1] === 'ok  ')
    if (!found?.[1].startsWith('ok')) console.log(line)
  })
  return new Promise((done) => {
    const timer = setTimeout(() => {
      console.log(`stopped after ${Math.round(limit / 1000)} s`)
      stopGroup(child)
    }, limit)
    child.on('error', (error) => console.error(error.message))
    child.on('close', () => {
      clearTimeout(timer)
      stopGroup(child)
      done(results)
    })
  })
}

function stopGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The process group has ended already.
  }
}

/** Prints the cases that pass without being listed; with `--accept` adds them to passing.txt. */
function hint(passing, listed) {
  const known = new Set(listed.map(spell))
  const fresh = passing.map(spell).filter((line) => !known.has(line))
  if (fresh.length === 0) return
  if (!options.accept) {
    console.log(`\n${fresh.length} pass that .ci/passing.txt does not list (.ci/run --accept adds them):`)
    for (const line of fresh) console.log(`  ${line}`)
    return
  }
  const header = fs.readFileSync(list, 'utf8').split('\n').filter((line) => line.startsWith('#'))
  fs.writeFileSync(list, [...header, ...[...known, ...fresh].sort()].join('\n') + '\n')
  console.log(`\n${fresh.length} more are listed in .ci/passing.txt`)
}

function readList() {
  const lines = fs.readFileSync(list, 'utf8').split('\n')
  return lines.filter((line) => line && !line.startsWith('#')).map((line) => {
    const at = line.indexOf(': ')
    return { suite: line.slice(0, at), name: line.slice(at + 2) }
  })
}

function spell({ suite, name }) {
  return `${suite}: ${name}`
}

function readCounts(text) {
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(text) ?? [text, 0, 1]
  return { passed: Number(passed), failed: Number(failed) }
}

function finish({ passed, failed }) {
  console.log(`\n${passed} passed, ${failed} failed`)
  return failed > 0 || passed === 0 ? 1 : 0
}
