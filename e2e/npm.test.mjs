/**
 * The npm packages as a project gets them: packed, installed into an empty folder, started through the launcher. Where npm
 * cannot be reached, the tests that install fail and say so.
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before } from 'node:test'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { freePort, program, test, until } from './harness.mjs'

const run = promisify(execFile)
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx'
const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-npm-')))
const platform = `${process.platform}-${process.arch}`
const { version } = JSON.parse(fs.readFileSync(new URL('../packages/rekindle/package.json', import.meta.url), 'utf8'))
const main = path.join(folder, `rekindle-${version}.tgz`)
const alias = JSON.parse(fs.readFileSync(new URL('../packages/rekindle-vite/package.json', import.meta.url), 'utf8'))
const asVite = path.join(folder, `rekindle-vite-${alias.version}.tgz`)
const ours = path.join(folder, `rekindle-${platform}-${version}.tgz`)

before(async () => {
  const script = fileURLToPath(new URL('../packages/pack.mjs', import.meta.url))
  await run(process.execPath, [script, '--binary', program, '--platforms', platform, '--out', folder])
})
after(() => fs.rmSync(folder, { recursive: true, force: true }))

const REACT = {
  'index.html':
    '<!doctype html><title>app</title><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/main.jsx"></script>',
  'main.jsx':
    `import { createRoot } from 'react-dom/client'\nimport { App } from './app'\ncreateRoot(document.getElementById('root')).render(<App />)`,
  'app.jsx': `import { useState } from 'react'
export function App() {
  const [count, setCount] = useState(0)
  return <><h1>one</h1><button onClick={() => setCount(count + 1)}>{count}</button></>
}`,
}
const react = { react: '^19.2.0', 'react-dom': '^19.2.0' }
const bin = (app, name) => app.path(`node_modules/.bin/${name}${process.platform === 'win32' ? '.cmd' : ''}`)

/** A project that depends on the packed archives; `isVite`: also under the name of Vite; `manager`: the package manager, if not npm. */
const installed = (title, { files = {}, isVite = false, dependencies = {}, scripts = {}, flags = [], manager = undefined }, body) => {
  test(title, { files, start: false, load: false, limit: 150_000 }, async (app) => {
    const packages = {
      ...dependencies,
      ...(isVite && { vite: `file:${asVite}` }),
      rekindle: `file:${main}`,
      [`@rekindle/${platform}`]: `file:${ours}`,
    }
    // So that no registry is asked for packages that are not published yet.
    const own = { rekindle: packages.rekindle, [`@rekindle/${platform}`]: packages[`@rekindle/${platform}`] }
    // Yarn asks for every package of every system; this one, which a tool of Vitest wants on Windows, is not to be had everywhere.
    const others = manager && { resolutions: { ...own, 'napi-windows-process-start-time': 'npm:is-number@^7.0.0' }, pnpm: { overrides: own } }
    app.write('package.json', JSON.stringify({ name: 'app', private: true, type: 'module', scripts, dependencies: packages, ...others }))
    if (manager) {
      await run(npx, ['--yes', `--package=${manager.package}`, manager.name, 'install'], { cwd: app.root, env: { ...process.env, ...manager.env } })
    } else await run(npm, ['install', '--no-audit', '--no-fund', '--prefer-offline', ...flags], { cwd: app.root })
    await body(app)
  })
}

installed(
  'npx rekindle runs, serves a page, and React keeps its state with nothing else installed',
  { files: REACT, dependencies: react },
  async (app) => {
    const { stdout } = await run(npx, ['rekindle', '--version'], { cwd: app.root })
    assert.equal(stdout.trim(), `rekindle ${version}`)
    app.command = [bin(app, 'rekindle'), 'dev']
    await keepsItsState(app)
    const end = await app.stop('SIGTERM')
    assert.deepEqual([end.code, end.signal], [0, null], 'the signal reached the program, which ended by itself')
    const isFree = () => until('the port to be free', async () => assert.ok(await fetch(app.url).then(() => false, () => true)))
    await isFree()
    await app.start()
    await app.stop('SIGKILL')
    await isFree()
  },
)

installed('in the place of Vite: scripts, its flags and its configuration', {
  isVite: true,
  // A plugin that requires Vite 8.
  dependencies: { ...react, '@vitejs/plugin-react': '^6.0.0' },
  scripts: { dev: 'vite', version: 'vite --version', built: 'vite preview --outDir built' },
  files: {
    ...REACT,
    'vite.config.js':
      `import { defineConfig, loadEnv } from 'vite'\nexport default defineConfig(({ mode }) => ({ base: '/app/', define: { MODE: JSON.stringify(loadEnv(mode, '.').VITE_A ?? mode) } }))`,
    'built/index.html': '<!doctype html><p>built</p>',
  },
}, async (app) => {
  assert.match((await run(npm, ['run', '--silent', 'version'], { cwd: app.root })).stdout, new RegExp(`rekindle ${version}`))
  // The configuration can be run by other tools.
  const config = `const { default: of } = await import('./vite.config.js'); console.log(of({ mode: 'x' }).base)`
  assert.equal((await run(process.execPath, ['--input-type=module', '-e', config], { cwd: app.root })).stdout.trim(), '/app/')

  app.command = [bin(app, 'vite')]
  app.port = await freePort()
  await app.spawn('--strictPort', '--clearScreen', 'false', '--host', '127.0.0.1')
  app.url = `http://127.0.0.1:${app.port}/app/`
  await keepsItsState(app, { isStarted: true })
  await app.stop()

  // A script of package.json, in a group of its own so that all of it can be ended.
  const port = await freePort()
  const script = spawn(npm, ['run', 'built', '--', '--port', String(port), '--strictPort'], { cwd: app.root, detached: true, stdio: 'ignore' })
  try {
    await until('the preview to answer', async () => {
      const answer = await fetch(`http://localhost:${port}/app/`, { headers: { accept: 'text/html' } })
      assert.match(await answer.text(), /built/)
    })
  } finally {
    process.kill(-script.pid, 'SIGTERM')
  }

  const refused = await run(bin(app, 'vite'), ['build', '--ssr', 'src/x.ts'], { cwd: app.root }).catch((error) => error)
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /rekindle has no --ssr/)
})

installed('a build through the name of Vite, and its preview', { isVite: true, dependencies: react, files: REACT }, async (app) => {
  await run(bin(app, 'vite'), ['build', '--outDir', 'out', '--emptyOutDir'], { cwd: app.root })
  assert.ok(fs.existsSync(app.path('out/index.html')))
  app.command = [bin(app, 'vite'), 'preview', '--outDir', 'out']
  await app.start()
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.sees('h1', 'one')
  assert.deepEqual(tab.errors, [])
})

const TESTED = {
  'sum.js': 'export const sum = (a, b) => a + b',
  'sum.test.js': `import { expect, test } from 'vitest'\nimport { sum } from './sum'\ntest('sums', () => expect(sum(1, 2)).toBe(3))`,
  'vite.config.js':
    `import { defineConfig } from 'vite'\nimport react from '@vitejs/plugin-react'\nexport default defineConfig({ plugins: [react()] })`,
}
const tools = { vitest: '^4.0.0', '@vitejs/plugin-react': '^6.0.0' }

installed('Vitest runs where rekindle has the name of Vite, and the command is rekindle', {
  isVite: true,
  dependencies: { ...react, ...tools },
  files: { ...REACT, ...TESTED },
}, async (app) => {
  assert.match((await run(npx, ['vitest', 'run'], { cwd: app.root })).stdout, /1 passed/)
  assert.match((await run(npx, ['vite', '--version'], { cwd: app.root })).stdout, /rekindle/)
  app.command = [bin(app, 'vite')]
  await keepsItsState(app)
})

installed('beside Vite itself: each has its own command, and Vitest runs', {
  dependencies: { ...react, ...tools, vite: '^8.0.0' },
  files: { ...REACT, ...TESTED },
}, async (app) => {
  assert.match((await run(npx, ['vitest', 'run'], { cwd: app.root })).stdout, /1 passed/)
  assert.match((await run(npx, ['vite', '--version'], { cwd: app.root })).stdout, /^vite\/8/)
  assert.match((await run(npx, ['rekindle', '--version'], { cwd: app.root })).stdout, /^rekindle/)
})

const MANAGERS = [
  { name: 'pnpm', package: 'pnpm@10' },
  {
    name: 'yarn',
    package: '@yarnpkg/cli-dist@4',
    env: { YARN_NODE_LINKER: 'node-modules', YARN_ENABLE_IMMUTABLE_INSTALLS: 'false', YARN_ENABLE_GLOBAL_CACHE: 'true' },
  },
]
for (const manager of MANAGERS) {
  const local = async (app, name, ...args) => (await run(bin(app, name), args, { cwd: app.root })).stdout
  installed(`installed by ${manager.name}, in the place of Vite: Vitest runs`, {
    manager,
    isVite: true,
    dependencies: { ...react, ...tools },
    files: { ...REACT, ...TESTED },
  }, async (app) => {
    assert.match(await local(app, 'vitest', 'run'), /1 passed/)
    assert.match(await local(app, 'vite', '--version'), /rekindle/)
    app.command = [bin(app, 'vite')]
    await keepsItsState(app)
  })
  installed(`installed by ${manager.name}, beside Vite: Vitest runs`, {
    manager,
    dependencies: { ...react, ...tools, vite: '^8.0.0' },
    files: { ...REACT, ...TESTED },
  }, async (app) => {
    assert.match(await local(app, 'vitest', 'run'), /1 passed/)
    assert.match(await local(app, 'vite', '--version'), /^vite\/8/)
    app.command = [bin(app, 'rekindle'), 'dev']
    await keepsItsState(app)
  })
}

installed('where each package sees only its own dependencies, as with pnpm', {
  files: REACT,
  dependencies: react,
  flags: ['--install-strategy=linked'],
}, async (app) => {
  assert.ok(!fs.existsSync(app.path('node_modules/react-refresh')), 'the layout is another one')
  app.command = [bin(app, 'rekindle'), 'dev']
  await keepsItsState(app)
})

test('without its platform package the launcher says what to do, and for which computers there are programs', { start: false }, async (app) => {
  const launcher = await unpacked(app)
  const missing = await run(process.execPath, [launcher, 'dev'], { cwd: app.root }).catch((error) => error)
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, new RegExp(`the package @rekindle/${platform} is missing.*\n.*--omit=optional`))

  app.write('other.cjs', `Object.defineProperty(process, 'platform', { value: 'sunos' }); Object.defineProperty(process, 'arch', { value: 'mips' })`)
  const unknown = await run(process.execPath, ['--require', app.path('other.cjs'), launcher], { cwd: app.root }).catch((error) => error)
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, new RegExp(`no program for this computer \\(sunos mips\\)[^]*There are programs for: ${platform}`))
})

test(
  'the launcher ends as the program does',
  { start: false, skip: process.platform === 'win32' && 'there are no signals to end by' },
  async (app) => {
    const launcher = await unpacked(app)
    const program = (text) => {
      fs.writeFileSync(app.path('program'), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
      const env = { ...process.env, REKINDLE_BINARY: app.path('program') }
      return run(process.execPath, [launcher, 'a b', '--x=*'], { env }).catch((error) => error)
    }
    assert.equal((await program('echo "$1|$2|$REKINDLE_NPM_PACKAGE"')).stdout, `a b|--x=*|${path.dirname(path.dirname(launcher))}\n`)
    assert.equal((await program('exit 7')).code, 7)
    assert.equal((await program('kill -TERM $$')).signal, 'SIGTERM')
    assert.equal((await program('kill -KILL $$')).signal, 'SIGKILL')
  },
)

/** The main package without any other, as `--omit=optional` leaves it; gives back its launcher. */
async function unpacked(app) {
  const place = app.path('node_modules/rekindle')
  fs.mkdirSync(place, { recursive: true })
  await run('tar', ['-xzf', main, '--strip-components=1', '-C', place])
  return path.join(place, 'bin/rekindle.js')
}

async function keepsItsState(app, { isStarted = false } = {}) {
  if (!isStarted) await app.start()
  else await until('the server to answer', () => fetch(app.url))
  await app.load()
  await app.page.click('button')
  await app.sees('button', '1')
  await app.edit('app.jsx', 'one', 'two')
  await app.sees('h1', 'two')
  await app.sees('button', '1')
  await app.stayed()
  assert.deepEqual(app.errors, [])
}
