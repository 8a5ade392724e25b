/** What the command says when a setting, a flag or a file is wrong. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import { promisify } from 'node:util'
import { freePort, program, test, until } from './harness.mjs'

const run = (app, ...words) => promisify(execFile)(program, words, { cwd: app.root, env: { ...process.env, NO_COLOR: '1' } }).catch((error) => error)
const bare = { start: false }

test('the port that was wanted is taken: the terminal says so', bare, async (app) => {
  const taken = net.createServer()
  const port = await freePort()
  await new Promise((done) => taken.listen(port, () => done(undefined)))
  const server = spawn(program, ['dev', app.root, '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  let printed = ''
  server.stdout.on('data', (chunk) => (printed += chunk))
  try {
    await until('the line about the port', () => assert.match(printed, new RegExp(`port ${port} is taken, using \\d+`)))
  } finally {
    const over = once(server, 'exit')
    server.kill()
    await over
    taken.close()
  }
})

test('a word that is neither a command nor a folder', bare, async (app) => {
  const { code, stderr } = await run(app, 'doctor')
  assert.equal(code, 1)
  assert.match(stderr, /`doctor` is neither a command nor a folder here/)
  assert.match(stderr, /dev, build, preview, edit and init/)
  assert.match((await run(app, './no/such')).stderr, /there is no folder/)
})

test('an unknown flag is not taken for a folder', bare, async (app) => {
  const { code, stderr } = await run(app, '--prot', '3000')
  assert.equal(code, 2)
  assert.match(stderr, /--port/)
  assert.doesNotMatch(stderr, /as a value/)
  for (const words of [['--frobnicate'], ['dev', '--force'], ['build', '--watch'], ['dev', '.', '-x'], ['preview', '--nothing'], [
    'init',
    '--nothing',
  ]]) {
    const { code, stderr } = await run(app, ...words)
    assert.equal(code, 2)
    assert.match(stderr, new RegExp(`unexpected argument '${words.at(-1)}'`))
    assert.doesNotMatch(stderr, /as a value/)
  }
})

test('--config names a script of Vite, or a file that is not there', {
  ...bare,
  files: { 'conf/dev.mjs': `export default { base: '/below/' }`, 'index.html': '<p id="a">page</p>' },
}, async (app) => {
  assert.match((await run(app, '--config', 'nope.toml')).stderr, /there is no file `[^`]*nope\.toml`/)
  await app.start('--config', 'conf/dev.mjs')
  await app.prints('/below/')
})

test('a folder without a page names what writes one', bare, async (app) => {
  fs.rmSync(app.path('index.html'))
  await app.start()
  await app.prints('rekindle init')
})

const SLOW = {
  files: {
    'index.html':
      '<!doctype html><head><title>mine</title><link rel="icon" href="data:,"></head><body><p id="a">page</p><script type="module" src="/main.js"></script></body>',
    'main.js': `import './big.js'\nimport './next.js'\nimport './a.css'`,
    // So large that its segment is announced while the sheet is still waited for.
    'big.js': `export const big = '${'x'.repeat(600_000)}'`,
    'next.js': 'export const next = 1',
    'a.css': 'p { order: 1 }',
    'postcss.config.js': `export default { plugins: [{ postcssPlugin: 'slow', Once: () => new Promise((done) => setTimeout(done, 6500)) }] }`,
  },
  packages: ['postcss', 'nanoid', 'picocolors', 'source-map-js'],
  load: false,
}

test('what takes long is said in the terminal and on the page, with the file that is waited for', { ...SLOW, start: false }, async (app) => {
  await app.spawn()
  await app.prints('Local:')
  app.url = `http://localhost:${app.port}/`
  const tab = await app.tab({ blank: true })
  const going = tab.page.goto(app.url)
  await until(
    'the page to say what is done',
    async () => assert.match(await tab.text('#rekindle-waiting'), /rekindle is compiling, \d+ of \d+ modules \(a\.css\)/),
  )
  await app.prints(/^\d\d:\d\d:\d\d compiling, \d+ of \d+ modules \(a\.css\), \d/m)
  await going
  await tab.sees('#a', 'page')
  // The waiting page was painted before the real one came, and nothing of it is left.
  assert.ok(await tab.page.evaluate(() => performance.getEntriesByName('first-paint')[0].startTime < 5000))
  assert.deepEqual(
    await tab.page.evaluate(
      () => [
        document.title,
        document.body.children[0].id,
        document.head.querySelectorAll('style').length,
        document.querySelectorAll('body style, body link, #rekindle-waiting, script[src*=waiting]').length,
      ],
    ),
    ['mine', 'a', 1, 0],
  )
})

test('a build that takes long says how far it is', { ...SLOW, start: false }, async (app) => {
  const { stdout } = await run(app, 'build')
  assert.match(stdout, /^\d\d:\d\d:\d\d transforming, \d+ modules, \d/m)
  assert.match(stdout, /built in/)
})

for (const [what, command] of [['the server', []], ['a build', ['build']]]) {
  test(`a vite.config.ts that cannot be parsed ends ${what} with its place`, {
    ...bare,
    files: { 'vite.config.ts': `import { defineConfig } from 'vite'\nexport default defineConfig({ base: '/x/',, })` },
  }, async (app) => {
    const { code, stderr } = await run(app, ...command)
    assert.equal(code, 1)
    assert.match(stderr, /error: [^]*vite\.config\.ts:2:\d+[^]*> 2 \| export default/)
  })
}
