/** `rekindle init`: what it writes runs, takes edits and type-checks. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { program, test, until } from './harness.mjs'

const run = promisify(execFile)
const compiler = fileURLToPath(new URL('node_modules/typescript', import.meta.url))
const kit = fileURLToPath(new URL('../packages/rekindle', import.meta.url))

const empty = (title, fixture, body) => {
  test(title, { ...fixture, files: { 'index.html': '' }, start: false, load: false }, async (app) => {
    app.remove('index.html')
    await body(app)
  })
}

empty('plain TypeScript runs without any package, and an edit keeps the count', {}, async (app) => {
  const { stdout } = await init(app, '--template', 'typescript')
  assert.match(stdout, /wrote src\/main\.ts[^]*Next:\n\n {4}rekindle dev/)
  assert.ok(!fs.existsSync(app.path('node_modules')))
  await app.start()
  await app.load()
  await app.page.click('button')
  await app.sees('button', 'count is 1')
  await app.edit('src/counter.ts', `'Hello'`, `'Good day'`)
  await app.sees('h1', 'Good day')
  await app.sees('button', 'count is 1')
  await app.edit('src/style.css', 'text-align: center', 'text-align: right')
  await app.looks('#app', 'text-align', 'right')
  await app.stayed()
  assert.deepEqual(app.errors, [])
  await checksTypes(app)
})

empty('React keeps its state, with the packages that package.json names', { packages: ['react', 'react-dom', 'scheduler'] }, async (app) => {
  const { stdout } = await init(app, '--template', 'react', '--yes')
  assert.match(stdout, /npm install\n {4}rekindle dev/)
  const { dependencies, devDependencies } = JSON.parse(fs.readFileSync(app.path('package.json'), 'utf8'))
  assert.deepEqual(Object.keys({ ...dependencies, ...devDependencies }).sort(), [
    '@types/react',
    '@types/react-dom',
    'react',
    'react-dom',
    'typescript',
  ])
  await app.start()
  await app.load()
  await app.page.click('button')
  await app.sees('button', 'count is 1')
  await app.edit('src/App.tsx', 'Hello', 'Good day')
  await app.sees('h1', 'Good day')
  await app.sees('button', 'count is 1')
  await app.stayed()
  assert.deepEqual(app.errors, [])
})

test('an existing project is shown what it lacks; nothing is touched without --yes, and no file that is there ever', {
  files: { 'src/main.ts': `document.body.append('mine')`, 'package.json': '{ "name": "mine" }' },
  start: false,
}, async (app) => {
  app.remove('index.html')
  const refused = await init(app).catch((error) => error)
  assert.equal(refused.code, 2)
  assert.match(refused.stdout, /index\.html +\d+ lines/)
  assert.match(refused.stderr, /pass --yes/)
  assert.deepEqual(fs.readdirSync(app.root).sort(), ['package.json', 'src'])
  const { stdout } = await init(app, '--yes')
  assert.match(stdout, /package\.json was not changed/)
  assert.deepEqual(fs.readdirSync(app.root).sort(), ['.gitignore', 'index.html', 'package.json', 'src', 'tsconfig.json'])
  assert.equal(fs.readFileSync(app.path('package.json'), 'utf8'), '{ "name": "mine" }')
  await app.start()
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await until('the page to run its entry', async () => assert.match(await tab.text('body'), /mine/))
})

empty('with nobody to ask it says what to pass', {}, async (app) => {
  const refused = await init(app).catch((error) => error)
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /--template typescript or --template react/)
  assert.deepEqual(fs.readdirSync(app.root), [])
})

function init(app, ...flags) {
  const running = run(program, ['init', ...flags], { cwd: app.root })
  running.child.stdin.end()
  return running
}

/** What a project may use that has only the types that were written. */
const USES_TYPES = `
import picture from './a.gif'
import photo from './a.jpeg'
import font from './a.woff2'
import film from './a.mp4'
import './a.less'
import init from './a.wasm?init'
import type {} from 'rekindle/types/customEvent.d.ts'

declare module 'rekindle/types/customEvent.d.ts' {
  interface CustomEventMap { 'chat:line': { from: string } }
}

export const texts: string[] = [picture, photo, font, film, import.meta.dirname, import.meta.filename]
export const instance: Promise<WebAssembly.Instance> = init()
export const pages: Record<string, { title: string }> = import.meta.glob<{ title: string }>('./pages/*.ts', { eager: true })
import.meta.hot?.on('chat:line', ({ from }) => from.trim())
import.meta.hot?.on('vite:beforeUpdate', ({ updates }) => updates[0]?.acceptedPath.trim())
// @ts-expect-error it has no such member
import.meta.hot?.on('chat:line', ({ to }) => to)
`

/** With the types that were written, and with those of the npm package in their place. */
async function checksTypes(app) {
  app.write('src/uses-types.ts', USES_TYPES)
  await compiles(app)
  app.remove('src/rekindle-env.d.ts')
  app.write('tsconfig.json', fs.readFileSync(app.path('tsconfig.json'), 'utf8').replace('"types": []', '"types": ["rekindle/client"]'))
  fs.mkdirSync(app.path('node_modules'), { recursive: true })
  fs.symlinkSync(kit, app.path('node_modules/rekindle'), 'junction')
  await compiles(app)
}

async function compiles(app) {
  const { bin } = JSON.parse(fs.readFileSync(path.join(compiler, 'package.json'), 'utf8'))
  const { stdout } = await run(process.execPath, [path.join(compiler, bin.tsc), '-p', app.root]).catch((error) => error)
  assert.equal(stdout, '')
}
