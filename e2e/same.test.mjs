/**
 * What a module means is the same in development and in a build, and what the standards or Node say. One page runs all the
 * cases below, on the server and in the build; each module's default export, or what it threw, is what it shows.
 *
 * Left out, since they are not equal: names of functions and classes (minifying changes them), the order in which modules
 * run beside one that waits at its top level, and what namespaces inherit (README, Limits).
 */
import assert from 'node:assert/strict'
import { test, until } from './harness.mjs'
import { build, serve } from './output.mjs'

const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'
/** Files that are too large to stand in a script. */
const large = (text) => `${text}<!--${'x'.repeat(5000)}-->`

/** A module that shows what a worker answers. */
const answerOf = (address) => `const worker = new Worker(new URL('${address}', import.meta.url), { type: 'module' })
export default await new Promise((done) => { worker.onmessage = ({ data }) => done(data); worker.onerror = () => done('failed'); worker.postMessage('?') })`

/** Name: the module, the files it needs, and what it has to show. */
const CASES = {
  'require of JSON gives its value': {
    code: `import keys from 'tables'\nexport default keys`,
    files: {
      'node_modules/tables/package.json': '{ "name": "tables", "main": "index.js" }',
      'node_modules/tables/index.js': `const table = require('./table.json')\nmodule.exports = [Object.keys(table), table['b-c'], table.default, Array.isArray(require('./list.json')), require('./odd.json').__proto__]`,
      'node_modules/tables/table.json': '{ "a": 1, "b-c": 2 }',
      'node_modules/tables/list.json': '[1, 2]',
      'node_modules/tables/odd.json': '{ "__proto__": "own" }',
    },
    shows: [['a', 'b-c'], 2, null, true, 'own'],
  },
  'an import of JSON gives a module': {
    code: `import * as all from './data.json'\nimport data, { a } from './data.json'\nexport default [Object.keys(all).sort(), data['b-c'], a]`,
    files: { 'data.json': '{ "a": 1, "b-c": 2 }' },
    shows: [['a', 'default'], 2, 1],
  },
  'a worker without ./ is beside its maker': {
    code: answerOf('beside.js'),
    files: { 'beside.js': `onmessage = () => postMessage('beside')` },
    shows: 'beside',
  },
  'a worker by the path of a package': {
    code: answerOf('wpkg/worker.js'),
    files: { 'node_modules/wpkg/package.json': '{ "name": "wpkg" }', 'node_modules/wpkg/worker.js': `import { name } from './name.js'\nonmessage = () => postMessage(name)`, 'node_modules/wpkg/name.js': `export const name = 'of a package'` },
    shows: 'of a package',
  },
  'a worker by an alias': {
    code: answerOf('@/aliased.js'),
    files: { 'aliased.js': `onmessage = () => postMessage('aliased')` },
    shows: 'aliased',
  },
  'an alias whose folder ends with a slash': {
    code: `import { lib } from '@/lib/a.js'\nexport default lib`,
    files: { 'lib/a.js': `export const lib = 'lib'` },
    shows: 'lib',
  },
  'the address of a file with a space, percent-encoded': {
    code: `const address = new URL('./d/a%20b.svg', import.meta.url)\nexport default (await (await fetch(address)).text()).slice(0, 4)`,
    files: { 'd/a b.svg': large(SVG) },
    shows: '<svg',
  },
  'the address of a file in a style, percent-encoded': {
    code: `import './encoded.css'
const p = document.body.appendChild(document.createElement('p'))
p.className = 'encoded'
const text = async (name) => (await (await fetch(/url\\("(.*)"\\)/.exec(getComputedStyle(p)[name])[1])).text()).slice(0, 4)
export default [await text('backgroundImage'), await text('listStyleImage')]`,
    files: { 'encoded.css': `.encoded { background-image: url(./d/%C3%BC.svg); list-style-image: url('./d/x%23y.svg') }`, 'd/ü.svg': large(SVG), 'd/x#y.svg': large(SVG) },
    shows: ['<svg', '<svg'],
  },
  'what follows :global keeps its name': {
    code: `import styles from './scoped.module.css'
const outside = document.body.appendChild(document.createElement('p'))
outside.className = 'kept'
const inside = outside.appendChild(document.createElement('b'))
inside.className = styles.own
export default [Object.keys(styles), getComputedStyle(outside).order, getComputedStyle(inside).order]`,
    files: { 'scoped.module.css': `:global .kept { order: 7 }\n:global { .kept .none { order: 1 } }\n:global .kept :local .own { order: 8 }` },
    shows: [['own'], '7', '8'],
  },
}

const nameOf = (at) => `cases/case${at}.js`
const list = Object.entries(CASES)
const files = {
  'index.html': '<!doctype html><head><link rel="icon" href="data:,"></head><body><script type="module" src="/main.js"></script></body>',
  'vite.config.js': `export default { resolve: { alias: { '@': import.meta.dirname + '/cases/' } } }`,
  'main.js': `const json = (value) => JSON.parse(JSON.stringify(value ?? null))
globalThis.seen = {}
const run = async (name, load) => { seen[name] = await load().then((module) => json(module.default), (error) => 'threw ' + error) }
${list.map(([name], at) => `await run(${JSON.stringify(name)}, () => import('./${nameOf(at)}'))`).join('\n')}
globalThis.ready = true`,
}
for (const [at, [, { code, files: more }]] of list.entries()) {
  files[nameOf(at)] = code
  for (const [name, text] of Object.entries(more ?? {})) files[name.startsWith('node_modules/') ? name : `cases/${name}`] = text
}

async function look(app, url) {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(url)
  await until('all cases to have run', () => tab.page.evaluate(() => { if (!window.ready) throw new Error(JSON.stringify(window.seen)) }), 20_000)
  return tab.page.evaluate(() => window.seen)
}

test('all cases show the same in development and in the build', { files, load: false, limit: 120_000 }, async (app) => {
  const expected = Object.fromEntries(list.map(([name, { shows }]) => [name, shows]))
  assert.deepEqual(await look(app, app.url), expected, 'in development')
  const { code, err } = await build(app)
  assert.equal(code, 0, err)
  const host = await serve(app.path('dist'))
  assert.deepEqual(await look(app, host.url), expected, 'in the build')
  host.stop()
})
