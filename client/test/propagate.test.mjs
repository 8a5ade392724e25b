/** How far an edit spreads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inWords, Page, propagate } from './page.mjs'

const accepting = ({ hot }) => hot.accept()
const takes = (...deps) => ({ deps, run: ({ hot }) => hot.accept(deps, () => {}) })

/** A page from lines like `page -> app list`; `run` by module name. */
async function pageOf(text, runs = {}) {
  const page = new Page()
  const lines = text.split(';').map((line) => line.trim().split(/ *-> */))
  const modules = new Map()
  for (const [id, deps = ''] of lines) modules.set(id, deps.split(' ').filter(Boolean))
  for (const deps of [...modules.values()]) for (const dep of deps) if (!modules.has(dep)) modules.set(dep, [])
  for (const [id, deps] of modules) page.module(id, { deps, run: runs[id], ...(typeof runs[id] === 'object' && runs[id]) })
  return page.open(lines[0][0])
}

async function check(text, runs, changed, expected) {
  const page = await pageOf(text, runs)
  assert.equal(page.verdict(...changed.split(' ')), expected)
}

test('a module that accepts itself stops its own update', () =>
  check('page -> app; app -> button', { button: accepting }, 'button', 'button · reruns button'))

test('an update goes up to the first who accepts itself, and all between run again', () =>
  check('page -> app; app -> list; list -> row', { app: accepting }, 'row', 'app · reruns row list app'))

test('an importer that accepts the dependency is a boundary and does not run again', () =>
  check('page -> theme', { page: takes('theme') }, 'theme', 'theme via page · reruns theme'))

test('what lies between a change and an accepted dependency runs again', () =>
  check('page -> theme; theme -> colours', { page: takes('theme') }, 'colours', 'theme via page · reruns colours theme'))

test('an update that nobody accepts reloads, with the whole chain as its reason', () =>
  check('page -> app; app -> theme', {}, 'theme', 'reload: theme → app → page'))

test('one path without a boundary is enough for a reload', () =>
  check('page -> app footer; app -> theme; footer -> theme', { app: accepting }, 'theme', 'reload: theme → footer → page'))

test('every path has its own boundary', () =>
  check('page -> app footer; app -> theme; footer -> theme', { app: accepting, footer: accepting }, 'theme', 'app, footer · reruns theme app footer'))

test('an entry in a cycle is no dead end if an importer that was edited with it accepts', () =>
  check('page -> app; app -> page', { app: accepting }, 'page app', 'app · reruns page app'))

test('an entry in a cycle that nobody accepts is one', () => check('page -> app; app -> page', {}, 'page app', 'reload: page'))

test('an entry that accepts itself is a boundary', () => check('page -> app', { page: accepting }, 'app', 'page · reruns app page'))

test('a module the page has not run changes nothing', async () => {
  const page = await pageOf('page -> app')
  page.module('elsewhere')
  assert.equal(page.verdict('elsewhere'), 'nothing')
})

test('a cycle below a boundary ends', () => check('page -> a; a -> b; b -> a', { page: accepting }, 'b', 'page · reruns b a page'))

test('a cycle that only an entry reaches, and nobody accepts in, reloads', () => check('page -> a; a -> b; b -> a', {}, 'b', 'reload: b → a → page'))

test('an entry in a cycle is a dead end too', () => check('page -> a; a -> page', {}, 'a', 'reload: a → page'))

test('a module that imports itself is no importer of itself', () => check('page -> a; a -> a', { page: accepting }, 'a', 'page · reruns a page'))

test('several changes share one walk', () =>
  check('page -> a b; a -> util; b -> util', { a: accepting, b: accepting }, 'util a b', 'a, b · reruns util a b'))

test('an accept call that did not run does not count', () =>
  check('page -> app', { app: ({ hot }) => false && hot.accept() }, 'app', 'reload: app → page'))

test('an accepted dependency that nothing imports is not reached', () =>
  check('page -> app', { page: { deps: ['app'], run: ({ hot }) => hot.accept('other', () => {}) } }, 'app', 'reload: app → page'))

test('importers through import() count once it has run', async () => {
  const page = new Page()
  page.module('lazy')
  page.module('page', { dynamic: ['lazy'], run: ({ hot, load }) => (hot.accept(), void load('lazy')) })
  await page.open('page')
  await new Promise(setImmediate)
  assert.equal(page.verdict('lazy'), 'page · reruns lazy page')
})

test('a chain of 20,000 importers is walked without recursion', async () => {
  const length = 20_000
  const page = new Page()
  for (let at = 0; at < length; at++) page.module(`m${at}`, { deps: at + 1 < length ? [`m${at + 1}`] : [], run: at === 0 ? accepting : undefined })
  await page.open('m0')
  const { kind, rerun } = propagate(page.registry, page.hot, page.refresh, [`m${length - 1}`])
  assert.deepEqual([kind, rerun.size], ['accepted', length])
})

// ---- accepted exports

const partial = (exports, accepted) => ({ exports, run: ({ hot }) => hot.acceptExports(accepted) })

/** `app` imports the names `imported` of `part`, which calls `acceptExports(accepted)`. */
async function checkPartial(accepted, imported, expected) {
  const page = new Page()
  page.module('part', partial({ name: 1, size: 2 }, accepted))
  page.module('app', { deps: { part: imported } })
  page.module('page', { deps: ['app'], run: accepting })
  await page.open('page')
  assert.equal(page.verdict('part'), expected)
}

test('importers of accepted exports only are left alone', () => checkPartial(['name'], ['name'], 'part · reruns part'))

test('importers of other exports take the update too', () => checkPartial(['name'], ['name', 'size'], 'part, page · reruns part app page'))

test('an importer of the whole namespace takes the update too', () => checkPartial(['name'], ['*'], 'part, page · reruns part app page'))

test('a module that accepts all its exports accepts itself', () => checkPartial(['name', 'size'], ['*'], 'part · reruns part'))

test('an import for side effects only uses no export', () => checkPartial('name', [], 'part · reruns part'))

test('names accepted in several calls add up', async () => {
  const page = new Page()
  const run = ({ hot }) => (hot.acceptExports('name'), hot.acceptExports(['size']))
  page.module('part', { exports: { name: 1, size: 2 }, run })
  page.module('page', { deps: { part: ['name', 'size'] } })
  await page.open('page')
  assert.equal(page.verdict('part'), 'part · reruns part')
})

test('a module that accepts some exports and that nobody imports is a boundary', async () => {
  const page = await new Page().module('page', partial({ name: 1, size: 2 }, 'name')).open('page')
  assert.equal(page.verdict('page'), 'page · reruns page')
})

// ---- invalidation

test('an invalidation starts at the importers, and the module itself does not run again', async () => {
  const page = await pageOf('page -> app; app -> size', { size: accepting, page: accepting })
  const from = { from: 'size', first: 'size' }
  assert.equal(inWords(propagate(page.registry, page.hot, page.refresh, [], from)), 'page · reruns app page')
})

test('an importer that accepts the invalidating module is its boundary', async () => {
  const page = await pageOf('page -> size', { size: accepting, page: { deps: ['size'], run: ({ hot }) => hot.accept('size', () => {}) } })
  assert.equal(inWords(propagate(page.registry, page.hot, page.refresh, [], { from: 'size', first: 'size' })), 'size via page · reruns ')
})

test('an entry that invalidates reloads', async () => {
  const page = await pageOf('page -> app', { page: accepting })
  assert.equal(inWords(propagate(page.registry, page.hot, page.refresh, [], { from: 'page', first: 'page' })), 'reload: page')
})

test('an invalidation that comes back to who began it reloads', async () => {
  const page = await pageOf('page -> a; a -> b; b -> a', { a: accepting, b: accepting })
  const verdict = propagate(page.registry, page.hot, page.refresh, [], { from: 'b', first: 'a' })
  assert.deepEqual([verdict.kind, verdict.reason], ['reload', { kind: 'circular-invalidate' }])
})
