'use strict'
/**
 * Starts the program of the platform package and stands in for it: same input and output, signals passed on, same exit code.
 *
 *     rekindle --port 3000   →   node_modules/@rekindle/linux-x64/bin/rekindle --port 3000
 *
 * Where Node has `process.execve` the program replaces the Node process; otherwise the launcher waits for it. `REKINDLE_BINARY`
 * names another program.
 */
const path = require('node:path')

exports.launch = function launch(leading) {
  const program = process.env.REKINDLE_BINARY || find()
  if (!program) return
  const words = [...leading, ...process.argv.slice(2)]
  // Tells the program that it was started through the npm package, which `rekindle init` takes into account.
  process.env.REKINDLE_NPM_PACKAGE = path.dirname(__dirname)
  const node = /** @type {any} */ (process) // `execve` is newer than the oldest Node that this runs with.
  if (process.platform !== 'win32' && typeof node.execve === 'function' && mayRun(program)) {
    node.execve(program, [program, ...words])
  }
  start(program, words)
}

/** Finds the program. For Linux there are two packages, for glibc and for musl, and a package manager may have installed both. */
function find() {
  const name = `@rekindle/${process.platform}-${process.arch}`
  const names = process.platform === 'linux' ? [name, `${name}-musl`] : [name]
  const found = names.map(programOf).filter(Boolean)
  if (found.length > 1) return hasGlibc() ? found[0] : found[1]
  return found[0] ?? complain(names)
}

function programOf(name) {
  try {
    const folder = path.dirname(require.resolve(`${name}/package.json`))
    return path.join(folder, 'bin', process.platform === 'win32' ? 'rekindle.exe' : 'rekindle')
  } catch {
    return undefined
  }
}

function hasGlibc() {
  // `getReport` is slow, so it is only called where both are installed.
  const report = /** @type {any} */ (process.report?.getReport())
  return Boolean(report?.header.glibcVersionRuntime)
}

/** Whether the program is executable. Copying or unpacking a package can lose that permission, so it is restored if possible. */
function mayRun(program) {
  const fs = require('node:fs')
  try {
    fs.accessSync(program, fs.constants.X_OK)
    return true
  } catch {
    try {
      fs.chmodSync(program, 0o755)
      return true
    } catch {
      return false
    }
  }
}

function start(program, words) {
  const { spawn } = require('node:child_process')
  if (process.platform !== 'win32' && !mayRun(program)) return fail(program, 'it may not be run')
  // The program watches this process and ends when the launcher was killed.
  process.env.REKINDLE_LAUNCHER = String(process.pid)
  const child = spawn(program, words, { stdio: 'inherit' })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGBREAK']
  const passOn = (signal) => child.kill(signal)
  for (const signal of signals) {
    try {
      process.on(signal, passOn)
    } catch {
      // The operating system does not support this signal.
    }
  }
  child.on('error', (error) => fail(program, error.message))
  child.on('exit', (code, signal) => {
    if (!signal) return void (process.exitCode = code)
    // Ends by the same signal, so that the shell sees what ended the program.
    for (const name of signals) process.removeListener(name, passOn)
    process.kill(process.pid, signal)
  })
}

function fail(program, reason) {
  console.error(`rekindle: cannot start ${program}: ${reason}`)
  process.exitCode = 1
}

/**
 * Says which package is missing and what to do.
 * @param {string[]} names
 */
function complain([name]) {
  const known = Object.keys(/** @type {any} */ (require('../package.json')).optionalDependencies ?? {})
  const computer = `${process.platform} ${process.arch}`
  const others = known.filter(programOf)
  const lines = known.some((one) => one.startsWith(name))
    ? [
      `rekindle: its program for this computer (${computer}) is not installed; the package ${name} is missing.`,
      ...(others.length > 0
        ? [`  There is ${others.join(', ')}: node_modules seems to come from another computer.`]
        : ['  Optional packages were left out, as --omit=optional does, or node_modules comes from another computer.']),
      '  Remove node_modules and install again on this one, with optional packages.',
    ]
    : [
      `rekindle: there is no program for this computer (${computer}).`,
      `  There are programs for: ${known.map((one) => one.replace('@rekindle/', '')).join(', ') || 'none'}.`,
      '  Elsewhere build it from its source with cargo, and name the program in the variable REKINDLE_BINARY.',
    ]
  console.error(lines.join('\n'))
  process.exitCode = 1
}
