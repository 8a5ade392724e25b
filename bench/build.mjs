/**
 * Builds the generated React application with rekindle and with Vite, in turn, and compares time and size of the output.
 *
 *     node bench/build.mjs --generator ../shared/bench/generate.mjs --packages FOLDER [--n 5000] [--rounds 3]
 *
 * FOLDER has a `node_modules` with vite, @vitejs/plugin-react, react and react-dom; it is copied, not written to.
 * `--program` names rekindle [default: the release build of this repository]. `--keep` keeps the generated applications
 * and prints their folder.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import zlib from 'node:zlib'

const repository = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    n: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '3' },
    generator: { type: 'string', default: path.join(repository, '../shared/bench/generate.mjs') },
    packages: { type: 'string' },
    program: { type: 'string', default: path.join(repository, 'target/release/rekindle') },
    keep: { type: 'boolean' },
  },
})
if (!options.packages) throw new Error('--packages: a folder whose node_modules has vite, @vitejs/plugin-react, react, react-dom')

const { writeApp } = await import(pathToFileURL(path.resolve(options.generator)))
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-bench-build-'))
try {
  const vite = makeApp('vite')
  const rekindle = makeApp('rekindle')
  fs.writeFileSync(path.join(vite, 'vite.config.js'), `import react from '@vitejs/plugin-react'\nexport default { plugins: [react()] }\n`)
  const tools = [
    { name: 'rekindle', root: rekindle, command: [path.resolve(options.program), 'build', rekindle] },
    { name: 'vite', root: vite, command: [process.execPath, path.join(vite, 'node_modules/vite/bin/vite.js'), 'build', vite] },
  ]
  const runs = Object.fromEntries(tools.map(({ name }) => [name, []]))
  const load = []
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const tool of round % 2 ? [...tools].reverse() : tools) {
      load.push(os.loadavg()[0])
      runs[tool.name].push(timed(tool))
    }
  }
  const rows = tools.map(({ name, root }) => ({ name, ...median(runs[name]), ...size(path.join(root, 'dist')) }))
  console.log(
    `${options.n} modules, ${options.rounds} rounds, ${os.cpus().length} processors, load before each run ${
      load.map((value) => value.toFixed(1)).join(' ')
    }\n`,
  )
  console.log('| | wall, s | CPU, s | files | output, kB | scripts, kB | sheets, kB | gzip, kB |')
  console.log('|---|---|---|---|---|---|---|---|')
  for (const row of rows) {
    console.log(
      `| ${row.name} | ${row.wall.toFixed(2)} | ${row.cpu.toFixed(2)} | ${row.files} | ${kB(row.all)} | ${kB(row.js)} | ${kB(row.css)} | ${
        kB(row.gzip)
      } |`,
    )
  }
  const [ours, theirs] = rows
  const ratio = (key) => (ours[key] / theirs[key]).toFixed(3)
  console.log(`| ratio | ${ratio('wall')} | ${ratio('cpu')} | | ${ratio('all')} | ${ratio('js')} | ${ratio('css')} | ${ratio('gzip')} |`)
} finally {
  if (options.keep) console.log(folder)
  else fs.rmSync(folder, { recursive: true, force: true })
}

function makeApp(name) {
  const root = path.join(folder, name)
  writeApp(root, { n: Number(options.n), variant: 'react' })
  fs.writeFileSync(path.join(root, 'package.json'), JSON.stringify({ name: 'bench-app', private: true, type: 'module' }))
  fs.cpSync(path.join(options.packages, 'node_modules'), path.join(root, 'node_modules'), { recursive: true, verbatimSymlinks: true })
  return root
}

/** Wall-clock and CPU time of a run, measured by bash's `time`. */
function timed({ name, root, command }) {
  fs.rmSync(path.join(root, 'dist'), { recursive: true, force: true })
  const script = `TIMEFORMAT='%R %U %S'; time "$@" >/dev/null`
  const { stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...command], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${name} failed:\n${stderr}`)
  const [wall, user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number)
  return { wall, cpu: user + system }
}

function median(runs) {
  const middle = (key) => runs.map((run) => run[key]).sort((a, b) => a - b)[Math.floor(runs.length / 2)]
  return { wall: middle('wall'), cpu: middle('cpu') }
}

function size(dist) {
  const sum = { files: 0, all: 0, js: 0, css: 0, gzip: 0 }
  for (const entry of fs.readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const bytes = fs.readFileSync(path.join(entry.parentPath ?? entry.path, entry.name))
    sum.files++
    sum.all += bytes.length
    sum.gzip += zlib.gzipSync(bytes).length
    if (entry.name.endsWith('.js')) sum.js += bytes.length
    if (entry.name.endsWith('.css')) sum.css += bytes.length
  }
  return sum
}

function kB(bytes) {
  return (bytes / 1000).toFixed(1)
}
