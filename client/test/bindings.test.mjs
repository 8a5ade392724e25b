/** What importers read after an update of a module they import. */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { Page, setBindings } from './page.mjs'

const value = (value) => ({ exports: { value } })
afterEach(() => setBindings('live'))

/** `page` takes updates of what it imports, and reads `value` of `dep` when asked. */
async function opened(modules, dep, name = 'value') {
  const page = new Page()
  for (const [id, module] of Object.entries(modules)) page.module(id, module)
  let read
  const accepted = Object.keys(modules)
  page.module('page', { deps: [dep], run: ({ hot, use }) => (hot.accept(accepted), (read = () => use(dep)[name])) })
  await page.open('page')
  return { page, read: () => read() }
}

test('an importer reads the new export, and did not run again', async () => {
  const { page, read } = await opened({ dep: value(1) }, 'dep')
  const instance = page.registry.instances.get('page')
  await page.save('dep', value(2))
  assert.equal(read(), 2)
  assert.equal(page.registry.instances.get('page'), instance)
})

test('frozen bindings keep what was imported', async () => {
  setBindings('frozen')
  const { page, read } = await opened({ dep: value(1) }, 'dep')
  await page.save('dep', value(2))
  assert.equal(read(), 1)
})

test('an export that changes later is read as it is then', async () => {
  let set
  const { read } = await opened({ dep: { exports: { value: 1 }, run: (module) => (set = module.set) } }, 'dep')
  set('value', 7)
  assert.equal(read(), 7)
})

/**
 * Ways in which `middle` passes on the exports of `dep`. Only `dep` accepts itself, so its update stops there and importers are
 * merely linked again.
 */
const through = {
  'export … from': { from: { value: ['dep', 'value'] } },
  'export … as … from': { from: { value: ['dep', 'other'] } },
  'export *': { stars: ['dep'] },
}

for (const [how, passing] of Object.entries(through)) {
  test(`importers read through ${how}`, async () => {
    const both = (number) => ({ exports: { value: number, other: number }, run: ({ hot }) => hot.accept() })
    const { page, read } = await opened({
      dep: both(1),
      middle: passing,
      outer: passing.stars ? { stars: ['middle'] } : { from: { value: ['middle', 'value'] } },
    }, 'outer')
    assert.equal(read(), 1)
    await page.save('dep', both(2))
    assert.equal(read(), 2)
  })
}

test('importers read through export * as', async () => {
  const accepting = (number) => ({ exports: { value: number }, run: ({ hot }) => hot.accept() })
  const { page, read } = await opened({ dep: accepting(1), middle: { from: { all: ['dep', '*'] } } }, 'middle', 'all')
  await page.save('dep', accepting(2))
  assert.equal(read().value, 2)
})

test('a name that came along is read through export *', async () => {
  const accepting = (exports) => ({ exports, run: ({ hot }) => hot.accept() })
  const { page, read } = await opened({ dep: accepting({ value: 1 }), middle: { stars: ['dep'] } }, 'middle', 'fresh')
  assert.equal(read(), undefined)
  await page.save('dep', accepting({ value: 1, fresh: 'here' }))
  assert.equal(read(), 'here')
})

test('a callback sees the new value through its import too', async () => {
  const page = new Page()
  const seen = []
  page.module('dep', value(1))
  page.module('page', { deps: ['dep'], run: ({ hot, use }) => hot.accept('dep', (next) => seen.push([next.value, use('dep').value])) })
  await page.open('page')
  await page.save('dep', value(2))
  assert.deepEqual(seen, [[2, 2]])
})

test('a failed update leaves what importers read', async () => {
  const { page, read } = await opened({ dep: value(1) }, 'dep')
  await page.save('dep', {
    exports: { value: 2 },
    run() {
      throw new Error('no')
    },
  })
  assert.equal(read(), 1)
})

test('import() gives the copy that is live', async () => {
  const { page } = await opened({ dep: { exports: { value: 1 }, run: ({ hot }) => hot.accept() } }, 'dep')
  await page.save('dep', value(2))
  const importer = page.registry.instances.get('page')
  assert.equal((await page.load('dep', importer)).value, 2)
})

test('a star that brings the same name from two places brings neither', async () => {
  const page = new Page()
  page.module('a', value(1)).module('b', value(2)).module('all', { stars: ['a', 'b'] })
  page.module('page', { deps: { all: ['value'] } })
  await assert.rejects(async () => page.open('page'), /`value`, imported by page, is exported by more than one module behind `export \*` of all/)
})

test('namespaces are sealed, sorted and tagged', async () => {
  const page = await new Page().module('dep', { exports: { b: 1, a: 2 } }).open('dep')
  const { namespace } = page.registry.instances.get('dep')
  assert.deepEqual(Object.keys(namespace), ['a', 'b'])
  assert.equal(Object.prototype.toString.call(namespace), '[object Module]')
  assert.throws(() => {
    namespace.a = 3
  }, TypeError)
  assert.throws(() => {
    namespace.c = 3
  }, TypeError)
  assert.equal(Object.getPrototypeOf(namespace), null)
})
