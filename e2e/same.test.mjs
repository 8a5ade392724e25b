/**
 * What a module means is the same in development and in a build, and what the standards or Node say. One page runs all the
 * cases below, on the server and in the build; each module's default export, or what it threw, is what it shows.
 *
 * Left out, since they are not equal: names of functions and classes (minifying changes them), and the order in which modules
 * run beside one that waits at its top level. An assignment that names an import, which cannot but throw, is a mistake in builds.
 * Builds put a constant that is a literal in the place of its name, also where it is read before it is there, and CommonJS has no
 * `arguments` at its top level. A WebAssembly global that changes is read once by scripts of a build.
 */
import assert from 'node:assert/strict'
import { test, until } from './harness.mjs'
import { build, serve } from './output.mjs'

const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'
/** Files that are too large to stand in a script. */
const large = (text) => `${text}<!--${'x'.repeat(5000)}-->`

const wasm = (...sections) =>
  Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flatMap(([kind, ...bytes]) => [kind, bytes.length, ...bytes])])
const letters = (text) => [text.length, ...Buffer.from(text)]
/** `g`, an i32 that can be changed, is 1. */
const WASM_CELL = wasm([6, 1, 0x7f, 1, 0x41, 1, 0x0b], [7, 1, ...letters('g'), 3, 0])
/** `get()` and `set(i32)` of that one. */
const WASM_USER = wasm(
  [1, 2, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7f, 0],
  [2, 1, ...letters('./cell.wasm'), ...letters('g'), 3, 0x7f, 1],
  [3, 2, 0, 1],
  [7, 2, ...letters('get'), 0, 0, ...letters('set'), 0, 1],
  [10, 2, 4, 0, 0x23, 0, 0x0b, 6, 0, 0x20, 0, 0x24, 0, 0x0b],
)

/** A module that shows what a worker answers. */
const answerOf = (address) =>
  `const worker = new Worker(new URL('${address}', import.meta.url), { type: 'module' })
export default await new Promise((done) => { worker.onmessage = ({ data }) => done(data); worker.onerror = () => done('failed'); worker.postMessage('?') })`

/** Name: the module, the files it needs (`/` begins at the project), and what it has to show. */
const CASES = {
  'require of JSON gives its value': {
    code: `import keys from 'tables'\nexport default keys`,
    files: {
      'node_modules/tables/package.json': '{ "name": "tables", "main": "index.js" }',
      'node_modules/tables/index.js':
        `const table = require('./table.json')\nmodule.exports = [Object.keys(table), table['b-c'], table.default, Array.isArray(require('./list.json')), require('./odd.json').__proto__]`,
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
    files: {
      'node_modules/wpkg/package.json': '{ "name": "wpkg" }',
      'node_modules/wpkg/worker.js': `import { name } from './name.js'\nonmessage = () => postMessage(name)`,
      'node_modules/wpkg/name.js': `export const name = 'of a package'`,
    },
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
    files: {
      'encoded.css': `.encoded { background-image: url(./d/%C3%BC.svg); list-style-image: url('./d/x%23y.svg') }`,
      'd/ü.svg': large(SVG),
      'd/x#y.svg': large(SVG),
    },
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
  'a namespace inherits from nothing': {
    code: `import * as ns from './names.js'
const { getPrototypeOf, prototype } = Object
export default ['toString' in ns, getPrototypeOf(ns), prototype.toString.call(ns), Object.keys(ns), 'a' in ns, Object.isExtensible(ns)]`,
    files: { 'names.js': 'export const b = 1\nexport const a = 2' },
    shows: [false, null, '[object Module]', ['a', 'b'], true, false],
  },
  'a namespace of a module that is imported later': {
    code: `const ns = await import('./later.js')\nexport default ['toString' in ns, Object.keys(ns), ns.default]`,
    files: { 'later.js': 'export const b = 1\nexport const a = 2\nexport default 3' },
    shows: [false, ['a', 'b', 'default'], 3],
  },
  'bindings are live, also through an index and a cycle': {
    code: `import { count, up, first } from './live/index.js'\nconst before = count\nup()\nexport default [before, count, first()]`,
    files: {
      'live/index.js': `export * from './count.js'\nexport { first } from './cycle-a.js'`,
      'live/count.js': 'export let count = 1\nexport const up = () => { count += 1 }',
      'live/cycle-a.js': `import { second } from './cycle-b.js'\nexport const first = () => second() + name\nconst name = 'a'`,
      'live/cycle-b.js': `import { first } from './cycle-a.js'\nexport function second() { return typeof first + ' ' }`,
    },
    shows: [1, 2, 'function a'],
  },
  'what is read before it is there throws a ReferenceError': {
    code: `import { early } from './early/a.js'\nexport default early`,
    files: {
      'early/a.js': `import { look } from './b.js'\nexport const value = [1]\nexport const early = look`,
      'early/b.js': `import { value } from './a.js'\nlet seen\ntry { seen = value } catch (error) { seen = error.name }\nexport const look = seen`,
    },
    shows: 'ReferenceError',
  },
  'two stars with the same name export it not at all': {
    code: `import * as all from './stars.js'\nexport default Object.keys(all)`,
    files: {
      'stars.js': `export * from './star-a.js'\nexport * from './star-b.js'`,
      'star-a.js': 'export const a = 1, both = 1',
      'star-b.js': 'export const b = 1, both = 2',
    },
    shows: ['a', 'b'],
  },
  'this is undefined in a module, and exports in CommonJS': {
    code: `import seen from 'this-of'\nexport default [typeof this, seen]`,
    files: { 'node_modules/this-of/index.js': 'module.exports = [this === module.exports, typeof this]' },
    shows: ['undefined', [true, 'object']],
  },
  'the default of CommonJS that was compiled from a module': {
    code: `import value, { named } from 'compiled'\nimport * as all from 'compiled'\nexport default [value, named, Object.keys(all).sort()]`,
    files: {
      'node_modules/compiled/index.js':
        `Object.defineProperty(exports, '__esModule', { value: true })\nexports.default = 'default'\nexports.named = 'named'`,
    },
    shows: ['default', 'named', ['default', 'named']],
  },
  'the default of any other CommonJS is all of it': {
    code: `import value, { named } from 'plain-cjs'\nexport default [Object.keys(value), named]`,
    files: { 'node_modules/plain-cjs/index.js': `module.exports = { named: 'named', other: 1 }` },
    shows: [['named', 'other'], 'named'],
  },
  'CommonJS that is required when it is needed, in a cycle, and once': {
    code: `import cycle from 'cycle'\nexport default cycle`,
    files: {
      'node_modules/cycle/package.json': '{ "name": "cycle", "main": "a.js" }',
      'node_modules/cycle/a.js':
        `exports.early = 1\nconst b = require('./b')\nexports.late = [b.seen, require('./b') === b, require('./c.cjs').count, require('./c.cjs').count]`,
      'node_modules/cycle/b.js': `exports.seen = Object.keys(require('./a'))`,
      'node_modules/cycle/c.cjs': `globalThis.cycleRuns = (globalThis.cycleRuns ?? 0) + 1\nexports.count = globalThis.cycleRuns`,
    },
    shows: { early: 1, late: [['early'], true, 1, 1] },
  },
  'require of what is not there throws as in Node': {
    code: `import seen from 'optional'\nexport default seen`,
    files: {
      'node_modules/optional/index.js':
        `let seen\ntry { require('not-installed') } catch (error) { seen = [error.code, error instanceof Error, error.message.split('\\n')[0].includes('not-installed')] }\nmodule.exports = seen`,
    },
    shows: ['MODULE_NOT_FOUND', true, true],
  },
  'a .cts file is a module where it is written as one': {
    code: `import { typed } from './typed.cts'\nexport default typed`,
    files: { 'typed.cts': `export const typed: string = 'typed'` },
    shows: 'typed',
  },
  'enums, namespaces, parameter properties and fields of TypeScript': {
    code: `import seen from './typescript.ts'\nexport default seen`,
    files: {
      'typescript.ts': `enum Colour { Red, Green = 5, Blue }
const enum Size { S = 's' }
namespace Inner { export const a = 1; export namespace Deep { export const b = a + 1 } }
class Point { declare z: number; w?: number; constructor(readonly x: number, private y = 2) {} sum() { return this.x + this.y } }
const point = new Point(1)
export default [Colour.Blue, Colour[5], Size.S, Inner.Deep.b, point.sum(), 'z' in point, 'w' in point] satisfies unknown[]`,
    },
    shows: [6, 'Green', 's', 2, 3, false, true],
  },
  'globs: eager, with a name, a query, and a base': {
    code: `const eager = import.meta.glob('./globbed/*.js', { eager: true, import: 'default' })
const raw = import.meta.glob('./globbed/a.*', { query: '?raw', import: 'default', eager: true })
const lazy = import.meta.glob(['./globbed/**/*.js', '!**/b.js'])
const based = import.meta.glob('./*.js', { base: './globbed' })
export default [eager, Object.values(raw), Object.keys(lazy), (await lazy['./globbed/deep/c.js']()).default, Object.keys(based)]`,
    files: { 'globbed/a.js': `export default 'a'`, 'globbed/b.js': `export default 'b'`, 'globbed/deep/c.js': `export default 'c'` },
    shows: [{ './globbed/a.js': 'a', './globbed/b.js': 'b' }, [`export default 'a'`], ['./globbed/a.js', './globbed/deep/c.js'], 'c', [
      './a.js',
      './b.js',
    ]],
  },
  'a glob by a name of the imports map': {
    code: `const found = import.meta.glob('#mapped/*.js', { eager: true, import: 'default' })\nexport default Object.values(found)`,
    files: { 'mapped/a.js': `export default 'mapped'` },
    shows: ['mapped'],
  },
  'an alias to a folder whose name is a pattern': {
    code:
      `import direct from 'odd/a.js'\nconst found = import.meta.glob('odd/*.js', { eager: true, import: 'default' })\nexport default [direct, Object.values(found)]`,
    files: { '[x]/a.js': `export default 'odd'` },
    shows: ['odd', ['odd']],
  },
  'import() of templates: two holes, the own folder, an alias': {
    code: `const load = (name, extension) => import(\`./pages/\${name}.\${extension}\`)
const own = (name) => import(\`../cases/\${name}.own.js\`)
const aliased = (name) => import(\`@/pages/\${name}.js\`)
const none = await load('none', 'js').catch((error) => error instanceof Error)
export default [(await load('a', 'js')).default, (await load('b', 'ts')).default, (await own('x')).default, (await aliased('a')).default, none]`,
    files: { 'pages/a.js': `export default 'a'`, 'pages/b.ts': `export default 'b' as string`, 'x.own.js': `export default 'own'` },
    shows: ['a', 'b', 'own', 'a', true],
  },
  'an import by an absolute path from the project, and one with a query of its own': {
    code:
      `import { lib } from '/cases/lib/a.js'\nimport other from './counted.js?two'\nimport one from './counted.js'\nexport default [lib, one !== other]`,
    files: { 'lib/a.js': `export const lib = 'lib'`, 'counted.js': 'export default {}' },
    shows: ['lib', true],
  },
  'an extension that the settings name': {
    code: `import value from './named'\nexport default value`,
    files: { 'named.es': `export default 'es'` },
    shows: 'es',
  },
  'JSON with an attribute, as text, and by its address': {
    code:
      `import data from './attributed.json' with { type: 'json' }\nimport text from './attributed.json?raw'\nimport address from './attributed.json?url'\nexport default [data, text, await (await fetch(address)).json()]`,
    files: { 'attributed.json': '{ "a": [1] }' },
    shows: [{ a: [1] }, '{ "a": [1] }', { a: [1] }],
  },
  'an address with a query, of a file that stands in the code': {
    code:
      `const address = new URL('./small.svg?v=1', import.meta.url)\nimport imported from './small.svg?v=1'\nexport default [(await (await fetch(address)).text()).slice(0, 4), (await (await fetch(imported)).text()).slice(0, 4)]`,
    files: { 'small.svg': SVG },
    shows: ['<svg', '<svg'],
  },
  'a file of public/ by its address is what it says': {
    code:
      `import script from '/plain.js?url'\nimport module from '/plain.mjs?url'\nimport typed from '/plain.ts?url'\nimport jsx from '/plain.jsx?url'\nimport sheet from '/plain.css?url'\nimport nested from '/nested/plain.scss?url'
const addresses = [script, module, typed, jsx, sheet, nested]
export default [addresses.map((address) => new URL(address, location.href).pathname), await Promise.all(addresses.map(async (address) => (await fetch(address)).text()))]`,
    files: {
      '/public/plain.js': 'const plain: number = 1',
      '/public/plain.mjs': 'import "./x.mjs"',
      '/public/plain.ts': 'const typed: number = 1',
      '/public/plain.jsx': 'const jsx = <p/>',
      '/public/plain.css': 'p  { order:1 }',
      '/public/nested/plain.scss': '$a: 1',
    },
    shows: [['/plain.js', '/plain.mjs', '/plain.ts', '/plain.jsx', '/plain.css', '/nested/plain.scss'], [
      'const plain: number = 1',
      'import "./x.mjs"',
      'const typed: number = 1',
      'const jsx = <p/>',
      'p  { order:1 }',
      '$a: 1',
    ]],
  },
  'what is local within what is global': {
    code: `import styles from './local.module.scss'
const outer = document.body.appendChild(document.createElement('p'))
outer.className = 'outer-global'
const inner = outer.appendChild(document.createElement('i'))
inner.className = styles.first + ' ' + styles.second
export default [Object.keys(styles).sort(), getComputedStyle(inner).order, getComputedStyle(inner).flexGrow]`,
    files: {
      'local.module.scss':
        ':global .outer-global :local(.first) { order: 5 }\n:global { .outer-global > :local(.second):not(.none) { flex-grow: 6 } }',
    },
    shows: [['first', 'second'], '5', '6'],
  },
  'a sheet is imported by an address that is percent-encoded': {
    code: `import './encoded-imports.css'
const p = document.body.appendChild(document.createElement('p'))
p.className = 'encoded-import'
export default [getComputedStyle(p).order, getComputedStyle(p).flexGrow]`,
    files: {
      'encoded-imports.css': `@import './d/a%20sheet.css';\n@import url(./d/a%23sheet.css);`,
      'd/a sheet.css': '.encoded-import { order: 3 }',
      'd/a#sheet.css': '.encoded-import { flex-grow: 4 }',
    },
    shows: ['3', '4'],
  },
  'CommonJS as TypeScript writes it': {
    code: `import made from './made.cts'\nimport { inner } from './made.cts'\nexport default [made.x, inner]`,
    files: {
      'made.cts':
        `import other = require('./other.cjs')\ninterface Made { x: number }\nconst made: Made = { x: 3 }\nexport = Object.assign(made, { inner: other.name as string })`,
      'other.cjs': `exports.name = 'other'`,
    },
    shows: [3, 'other'],
  },
  'members of require': {
    code: `import seen from 'looks'\nexport default seen`,
    files: {
      'node_modules/looks/package.json': '{ "name": "looks", "main": "index.js" }',
      'node_modules/looks/index.js':
        `let code\ntry { require.resolve('not-there-at-all') } catch (error) { code = error.code }\nrequire('./there.js')\nmodule.exports = [code, typeof require.resolve, typeof require.resolve('./there.js'), typeof require.cache, require.main === module, (function (require) { return require.resolve })({ resolve: 'own' })]`,
      'node_modules/looks/there.js': 'exports.a = 1',
    },
    shows: ['MODULE_NOT_FOUND', 'function', 'string', 'object', false, 'own'],
  },
  'what is declared twice in TypeScript and once in JavaScript, or may be': {
    code: `import twice from './twice.ts'\nexport default twice`,
    files: {
      'twice.ts':
        `type T = 1\ntype T = 2\ninterface Y {}\ntype Y = 1\nclass A {\n  x: number = 1\n  x: string = 'two'\n  m(): number { return 1 }\n  m() { return 2 }\n  get g() { return 1 }\n  get g() { return 2 }\n}\nconst a = new A()\nexport default [a.x, a.m(), a.g] as (T | Y | string | number)[]`,
    },
    shows: ['two', 2, 2],
  },
  'replaced names, also as members of the global object': {
    code:
      `export default [KEY, typeof process.env.NODE_ENV, typeof globalThis.process.env.NODE_ENV, typeof global.process.env.NODE_ENV, typeof __DEEP__.b, __DEEP__.b.c, { KEY: 1 }, ((KEY) => KEY)(2)]`,
    shows: ['key', 'string', 'string', 'string', 'object', 3, { KEY: 1 }, 2],
  },
  'a CSS module as text has its names': {
    code:
      `import styles from './scoped-text.module.css'\nimport text from './scoped-text.module.css?inline'\nexport default text.includes('.' + styles.own)`,
    files: { 'scoped-text.module.css': '.own { order: 1 }' },
    shows: true,
  },
  'sheets apply in the order of their imports, and what is composed comes with its names': {
    code: `import './order/first.css'\nimport './order/second.css'\nimport styles from './order/composed.module.css'
const p = document.body.appendChild(document.createElement('p'))
p.className = 'ordered ' + styles.own
export default [getComputedStyle(p).order, getComputedStyle(p).flexGrow, getComputedStyle(p).flexShrink, styles.own.split(' ').length]`,
    files: {
      'order/first.css': '.ordered { order: 1 }',
      'order/second.css': '.ordered { order: 2 }',
      'order/composed.module.css': `.own { composes: base from './base.module.css'; flex-shrink: 4 }`,
      'order/base.module.css': '.base { flex-grow: 3; flex-shrink: 9 }',
    },
    shows: ['2', '3', '4', 2],
  },
  'mistakes in sheets that browsers forgive': {
    code: `import './forgiven.css'
const p = document.body.appendChild(document.createElement('p'))
p.className = 'forgiven'
export default [getComputedStyle(p).order, getComputedStyle(p).flexGrow]`,
    files: {
      'forgiven.css':
        `.forgiven { background: url(data:image/svg+xml,<svg xmlns='x'/>); order: 6 }\n}\n.none { background: url(a b.png) }\n.forgiven { flex-grow: 2 }`,
    },
    shows: ['6', '2'],
  },
  'Sass of other folders, with partials and a sheet': {
    code: `import './sass/main.scss'
const p = document.body.appendChild(document.createElement('p'))
p.className = 'sassy'
export default [getComputedStyle(p).order, getComputedStyle(p).flexGrow]`,
    files: {
      'sass/main.scss': `@use './parts/vars' as *;\n@use 'themed/scss/more';\n.sassy { order: $order }`,
      'sass/parts/_vars.scss': '$order: 5;',
      'node_modules/themed/package.json': '{ "name": "themed" }',
      'node_modules/themed/scss/_more.scss': '.sassy { flex-grow: 7 }',
    },
    shows: ['5', '7'],
  },
  'a module that throws does so for everyone, with the same error': {
    code:
      `const first = await import('./throwing.js').catch((error) => error)\nconst second = await import('./throwing.js').catch((error) => error)\nexport default [first.message, first === second]`,
    files: { 'throwing.js': `throw new Error('as it should')` },
    shows: ['as it should', true],
  },
  'a module that is imported in two ways runs once': {
    code: `import './once.js'\nawait import('./once.js')\nexport default globalThis.runs`,
    files: { 'once.js': 'globalThis.runs = (globalThis.runs ?? 0) + 1' },
    shows: 1,
  },
  'strict mode: what is written to a namespace, an import of a constant, or an unknown name throws': {
    code: `import * as ns from './lib/a.js'
const tried = (run) => { try { run(); return 'nothing' } catch (error) { return error.name } }
export default [ns, ns].map((it, at) => tried(() => { if (at) it.lib = 1; else delete it.lib })).concat(tried(() => { unknownName = 1 }))`,
    shows: ['TypeError', 'TypeError', 'ReferenceError'],
  },
  'a worker with a name and a classic worker with importScripts': {
    code: `const named = new Worker(new URL('./named-worker.js', import.meta.url), { type: 'module', name: 'bee' })
const classic = new Worker(new URL('./classic-worker.js', import.meta.url))
const answer = (worker) => new Promise((done) => { worker.onmessage = ({ data }) => done(data); worker.onerror = ({ message }) => done(message); worker.postMessage('?') })
export default [await answer(named), await answer(classic)]`,
    files: {
      'named-worker.js': `import { lib } from './lib/a.js'\nonmessage = () => postMessage([name, lib])`,
      'classic-worker.js': `onmessage = () => postMessage(typeof importScripts)`,
    },
    shows: [['bee', 'lib'], 'function'],
  },
  'a WebAssembly module that shares a global with another one': {
    code: `import { get, set } from './wasm/use.wasm'\nset(7)\nexport default get()`,
    files: { 'wasm/use.wasm': WASM_USER, 'wasm/cell.wasm': WASM_CELL },
    shows: 7,
  },
}

const nameOf = (at) => `cases/case${at}.js`
const list = Object.entries(CASES)
const files = {
  'index.html': '<!doctype html><head><link rel="icon" href="data:,"></head><body><script type="module" src="/main.js"></script></body>',
  'vite.config.js': `export default {
  resolve: { alias: { '@': import.meta.dirname + '/cases/', odd: import.meta.dirname + '/cases/[x]' }, extensions: ['.js', '.ts', '.es'] },
  define: { KEY: '"key"', __DEEP__: { b: { c: 3 } } },
}`,
  'package.json': JSON.stringify({ imports: { '#mapped/*': './cases/mapped/*' } }),
  'main.js': `const json = (value) => JSON.parse(JSON.stringify(value ?? null))
globalThis.seen = {}
const run = async (name, load) => { seen[name] = await load().then((module) => json(module.default), (error) => 'threw ' + error) }
${list.map(([name], at) => `await run(${JSON.stringify(name)}, () => import('./${nameOf(at)}'))`).join('\n')}
globalThis.ready = true`,
}
for (const [at, [, { code, files: more }]] of list.entries()) {
  files[nameOf(at)] = code
  for (const [name, text] of Object.entries(more ?? {})) {
    files[name.startsWith('node_modules/') ? name : name.startsWith('/') ? name.slice(1) : `cases/${name}`] = text
  }
}

async function look(app, url) {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(url)
  await until('all cases to have run', () =>
    tab.page.evaluate(() => {
      if (!window.ready) throw new Error(JSON.stringify(window.seen))
    }), 20_000)
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
