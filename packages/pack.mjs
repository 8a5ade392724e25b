#!/usr/bin/env node
/**
 * Makes the archives of the npm packages: one per platform with the program; `rekindle`, with the launcher and the platform
 * packages as optional dependencies; and `rekindle-vite`, for projects that install it as `vite`. Nothing is uploaded.
 *
 *     node packages/pack.mjs                                   →  target/npm/rekindle-linux-x64-0.1.0.tgz
 *                                                                 target/npm/rekindle-0.1.0.tgz
 *                                                                 target/npm/rekindle-vite-8.0.0.tgz
 *     node packages/pack.mjs --platform darwin-arm64 --only platform --binary target/…/rekindle
 *     node packages/pack.mjs --only main --platforms linux-x64,darwin-arm64
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const repository = fileURLToPath(new URL('..', import.meta.url))
const packages = fileURLToPath(new URL('.', import.meta.url))
const platforms = JSON.parse(fs.readFileSync(path.join(packages, 'platforms.json'), 'utf8'))
const main = JSON.parse(fs.readFileSync(path.join(packages, 'rekindle/package.json'), 'utf8'))
const alias = JSON.parse(fs.readFileSync(path.join(packages, 'rekindle-vite/package.json'), 'utf8'))
const here = `${process.platform}-${process.arch}`

const usage = `node packages/pack.mjs [options]
  --platform NAME     the platform of the program [default: this computer's, ${here}]
  --binary FILE       the program [default: the release build for the platform]
  --platforms A,B     what the main package names [default: those marked as released in platforms.json]
  --only platform     only the platform's package; --only main: only the main one
  --out DIR           where the archives go [default: target/npm]
  --no-strip          leave the program's symbols in it`

try {
  pack(options())
} catch (error) {
  console.error(`error: ${error.message}`)
  process.exitCode = 1
}

function options() {
  const text = /** @type {const} */ ({ type: 'string', multiple: false })
  const flag = /** @type {const} */ ({ type: 'boolean', multiple: false })
  const options = {
    platform: text,
    binary: text,
    platforms: text,
    only: text,
    out: text,
    'no-strip': flag,
    help: { ...flag, short: 'h' },
  }
  const { values } = parseArgs({ options })
  if (values.only && !['platform', 'main'].includes(values.only)) throw new Error('--only is "platform" or "main"')
  return values
}

function pack(values) {
  if (values.help) return console.log(usage)
  checkVersion()
  const out = path.resolve(values.out ?? path.join(repository, 'target/npm'))
  fs.mkdirSync(out, { recursive: true })
  if (values.only !== 'main') packPlatform(known(values.platform ?? here), values, out)
  if (values.only !== 'platform') {
    const named = values.platforms?.split(',').map(known) ?? platforms.filter(({ released }) => released)
    packMain(named, out)
    packAlias(out)
  }
}

function known(name) {
  const platform = platforms.find((platform) => platform.name === name)
  if (!platform) throw new Error(`there is no platform ${name}; there are ${platforms.map(({ name }) => name).join(', ')}`)
  return platform
}

/** The program has its version from the Cargo workspace, the npm package from package.json; the two must be equal. */
function checkVersion() {
  const [, version] = fs.readFileSync(path.join(repository, 'Cargo.toml'), 'utf8').match(/\[workspace\.package\]\s+version = "([^"]+)"/)
  if (version !== main.version) throw new Error(`Cargo.toml says ${version} and packages/rekindle/package.json ${main.version}`)
}

function packPlatform(platform, { binary, 'no-strip': unstripped }, out) {
  const extension = platform.os === 'win32' ? '.exe' : ''
  const program = path.resolve(binary ?? builtFor(platform, extension))
  if (!fs.existsSync(program)) throw new Error(`there is no program ${program}; build it: cargo build --release --package rekindle`)
  const folder = fresh(path.join(out, platform.name))
  const target = path.join(folder, 'bin', `rekindle${extension}`)
  fs.mkdirSync(path.dirname(target))
  fs.copyFileSync(program, target)
  if (!unstripped) strip(target, platform)
  fs.chmodSync(target, 0o755)
  if (platform.name === here) {
    const said = execFileSync(target, ['--version'], { encoding: 'utf8' }).trim()
    if (said !== `rekindle ${main.version}`) throw new Error(`${program} is "${said}" and not rekindle ${main.version}`)
  }
  const { name, os, cpu, libc } = platform
  write(folder, 'package.json', {
    name: `@rekindle/${name}`,
    version: main.version,
    description: `The program of rekindle for ${name}`,
    license: main.license,
    author: main.author,
    repository: { ...main.repository, directory: 'packages' },
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    files: ['bin'],
    // Yarn Plug'n'Play has to unpack this package: the system cannot run a program inside a zip archive.
    preferUnplugged: true,
  })
  fs.writeFileSync(
    path.join(folder, 'README.md'),
    `The program of [rekindle](https://www.npmjs.com/package/rekindle) for ${name}. Install \`rekindle\`, which brings it along.\n`,
  )
  finish(folder, out)
}

/** Removes the program's symbols, which nobody reads and which add half to its size. */
function strip(file, platform) {
  if (platform.os === 'win32') return // On Windows, symbols are in a separate file.
  const tools = platform.os === 'darwin' ? [['strip', '-x']] : [['strip', '--strip-all'], ['llvm-strip', '--strip-all']]
  for (const [tool, flag] of tools) {
    try {
      return execFileSync(tool, [flag, file], { stdio: 'ignore' })
    } catch {
      // The tool is not installed, or does not know this executable format.
    }
  }
  console.warn(`note: no tool was found that strips a program of ${platform.name}, so it keeps its symbols`)
}

function builtFor({ name, target }, extension) {
  const folder = path.join(repository, process.env.CARGO_TARGET_DIR ?? 'target')
  return path.join(folder, name === here ? '' : target, 'release', `rekindle${extension}`)
}

function packMain(named, out) {
  const folder = fresh(path.join(out, 'rekindle'))
  for (const file of ['README.md', ...main.files]) {
    fs.cpSync(path.join(packages, 'rekindle', file), path.join(folder, file), { recursive: true })
  }
  // Exactly this version: launcher and program belong together.
  const optionalDependencies = Object.fromEntries(named.map(({ name }) => [`@rekindle/${name}`, main.version]))
  write(folder, 'package.json', { ...main, optionalDependencies })
  finish(folder, out)
}

/**
 * The declarations are copied from `rekindle`, not re-exported: `declare module 'vite/…'` augments a file of the package that
 * it names, so they have to be in this package.
 */
function packAlias(out) {
  const folder = fresh(path.join(out, 'rekindle-vite'))
  const shared = ['client.d.ts', 'types']
  for (const file of ['README.md', ...alias.files]) {
    const from = shared.includes(file) ? 'rekindle' : 'rekindle-vite'
    fs.cpSync(path.join(packages, from, file), path.join(folder, file), { recursive: true })
  }
  write(folder, 'package.json', { ...alias, dependencies: { ...alias.dependencies, rekindle: main.version } })
  finish(folder, out)
}

function finish(folder, out) {
  fs.copyFileSync(path.join(repository, 'LICENSE'), path.join(folder, 'LICENSE'))
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const said = execFileSync(npm, ['pack', '--json', '--ignore-scripts', '--pack-destination', out], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  })
  const parsed = JSON.parse(said)
  const [{ filename, size, unpackedSize }] = Array.isArray(parsed) ? parsed : Object.values(parsed)
  // Depending on its version, npm names the archive of a scoped package `@scope/name` or `scope-name`.
  console.log(`${path.join(out, filename.replace('@', '').replace('/', '-'))}  ${megabytes(size)}, ${megabytes(unpackedSize)} unpacked`)
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(bytes < 1e5 ? 3 : 1)} MB`
}

function fresh(folder) {
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(folder, { recursive: true })
  return folder
}

function write(folder, name, value) {
  fs.writeFileSync(path.join(folder, name), `${JSON.stringify(value, null, 2)}\n`)
}
