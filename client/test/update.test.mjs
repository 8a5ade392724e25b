/** One update from beginning to end: order, payloads, failures. */
import assert from 'node:assert/strict'
import { afterEach, mock, test } from 'node:test'
import { Page, setBindings } from './page.mjs'

const accepting = ({ hot }) => hot.accept()
const tick = () => new Promise(setImmediate)

/** A module that logs when it runs and when it is disposed of. */
const talking = (name, more = () => {}) => (module) => {
  module.log.push(`${name} runs`)
  module.hot.dispose(() => module.log.push(`${name} disposed`))
  more(module)
}

async function opened(modules, ...entries) {
  const page = new Page()
  for (const [id, module] of Object.entries(modules)) page.module(id, module)
  await page.open(...(entries.length > 0 ? entries : [Object.keys(modules)[0]]))
  page.said()
  return page
}

afterEach(() => {
  mock.timers.reset()
  setBindings('live')
})

// ---- the order of things

test('dispose, new code, callback, log line: between the two events', async () => {
  const page = await opened({ app: { run: talking('old', ({ hot, log }) => hot.accept(() => log.push('told'))) } })
  page.on('vite:beforeUpdate', () => page.log.push('before'))
  page.on('vite:afterUpdate', () => page.log.push('after'))
  const outcome = await page.save('app', { run: talking('new') })
  assert.deepEqual(page.said(), ['before', 'old disposed', 'new runs', 'told', 'hot updated: app', 'after'])
  assert.deepEqual([outcome.result, outcome.boundaries], ['updated', ['app']])
})

test('everything that is replaced is disposed once, before any new code', async () => {
  const page = await opened({
    page: { deps: ['a', 'b'], run: talking('page', accepting) },
    a: { deps: ['util'], run: talking('a') },
    b: { deps: ['util'], run: talking('b') },
    util: { run: talking('util') },
  })
  await page.save('util', { run: talking('new util') })
  const said = page.said()
  assert.deepEqual(said.slice(0, 4).sort(), ['a disposed', 'b disposed', 'page disposed', 'util disposed'])
  assert.deepEqual(said.slice(4), ['new util runs', 'a runs', 'b runs', 'page runs', 'hot updated: page'])
})

test('what disposers return is waited for', async () => {
  const page = await opened({ app: { run: ({ hot, log }) => (hot.accept(), hot.dispose(() => tick().then(() => log.push('gone')))) } })
  await page.save('app', { run: ({ log }) => log.push('new') })
  assert.deepEqual(page.said(), ['gone', 'new', 'hot updated: app'])
})

test('a disposer that throws or rejects is reported and keeps nothing back', async () => {
  const fails = {
    throws: () => {
      throw new Error('threw')
    },
    rejects: () => Promise.reject(new Error('rejected')),
  }
  for (const [how, disposer] of Object.entries(fails)) {
    const page = await opened({ app: { run: ({ hot }) => (hot.accept(), hot.dispose(disposer)) } })
    await page.save('app', { run: ({ log }) => log.push('new') })
    assert.deepEqual(page.said().filter((line) => !line.startsWith('reported')), ['new', 'hot updated: app'], how)
  }
})

test('a disposer that never settles is reported, and the update goes on', async () => {
  const page = await opened({ app: { run: ({ hot }) => (hot.accept(), hot.dispose(() => new Promise(() => {}))) } })
  mock.timers.enable({ apis: ['setTimeout'] })
  const saved = page.save('app', { run: ({ log }) => log.push('new') })
  await tick()
  assert.deepEqual(page.said(), [])
  mock.timers.tick(5000)
  await saved
  assert.match(page.said().join('\n'), /^reported the disposer of app: .*not settled.*\nnew\nhot updated: app$/)
})

test('a disposer is called for one update only', async () => {
  const page = await opened({ app: { run: talking('first', accepting) } })
  await page.save('app', { run: accepting })
  await page.save('app', { run: accepting })
  assert.deepEqual(page.said(), ['first disposed', 'hot updated: app', 'hot updated: app'])
})

test('the last disposer of a copy counts', async () => {
  const page = await opened({
    app: { run: ({ hot, log }) => (hot.accept(), hot.dispose(() => log.push('one')), hot.dispose(() => log.push('two'))) },
  })
  await page.save('app', {})
  assert.deepEqual(page.said(), ['two', 'hot updated: app'])
})

// ---- what is told

test('the payloads are those of Vite', async () => {
  const page = await opened({
    page: { deps: ['self', 'dep'], run: ({ hot }) => hot.accept('dep', () => {}) },
    self: { deps: ['util'], run: accepting },
    dep: { deps: ['util'] },
    util: {},
  })
  const payloads = []
  page.on('vite:beforeUpdate', (payload) => payloads.push(payload))
  page.on('vite:afterUpdate', (payload) => payloads.push(payload))
  await page.save('util', {})
  const entry = (path, acceptedPath) => ({
    type: 'js-update',
    timestamp: 1700000000000,
    path,
    acceptedPath,
    explicitImportRequired: false,
    isWithinCircularImport: false,
  })
  const update = { type: 'update', updates: [entry('self', 'self'), entry('page', 'dep')] }
  assert.deepEqual(payloads, [update, update])
})

test('callbacks run in the order they were registered, after all new code', async () => {
  const page = await opened({
    page: {
      deps: ['dep'],
      run({ hot, log }) {
        hot.accept('dep', () => log.push('first'))
        hot.accept(['dep'], () => log.push('second'))
        hot.accept('dep', () => log.push('third'))
      },
    },
    dep: {},
  })
  await page.save('dep', { run: ({ log }) => log.push('dep runs') })
  assert.deepEqual(page.said(), ['dep runs', 'first', 'second', 'third', 'hot updated: dep via page'])
})

test('a callback for a list is called once for each, with only its slot filled', async () => {
  const page = await opened({
    page: {
      deps: ['a', 'b'],
      run: ({ hot, log }) => hot.accept(['a', 'b', 'a'], (list) => log.push(list.map((next) => next?.value ?? '-').join(' '))),
    },
    a: { exports: { value: 'a1' } },
    b: { exports: { value: 'b1' } },
  })
  await page.save('a', { exports: { value: 'a2' } }, 'b', { exports: { value: 'b2' } })
  assert.deepEqual(page.said(), ['a2 - a2', 'hot updated: a via page', '- b2 -', 'hot updated: b via page'])
})

test('accept without a callback takes the update all the same', async () => {
  const page = await opened({ page: { deps: { dep: ['value'] }, run: ({ hot }) => hot.accept('dep') }, dep: { exports: { value: 1 } } })
  const { result } = await page.save('dep', { exports: { value: 2 } })
  assert.equal(result, 'updated')
})

test('a callback that throws is reported; the next one is called', async () => {
  const page = await opened({
    app: {
      run: ({ hot, log }) => (hot.accept(() => {
        throw new Error('no')
      }), hot.accept(async () => {
        throw new Error('later')
      }), hot.accept(() => log.push('told'))),
    },
  })
  const after = []
  page.on('vite:afterUpdate', () => after.push('after'))
  await page.save('app', {})
  await tick()
  assert.deepEqual(page.said(), ['reported an accept callback of app: no', 'told', 'hot updated: app', 'reported an accept callback of app: later'])
  assert.deepEqual(after, ['after'])
})

test('the callback of the old copy gets the new one', async () => {
  const page = await opened({ app: { exports: { value: 1 }, run: ({ hot, log }) => hot.accept((next) => log.push(`now ${next.value}`)) } })
  await page.save('app', { exports: { value: 2 }, run: ({ hot, log }) => hot.accept((next) => log.push(`then ${next.value}`)) })
  await page.save('app', { exports: { value: 3 } })
  assert.deepEqual(page.said(), ['now 2', 'hot updated: app', 'then 3', 'hot updated: app'])
})

test('the old copy of a boundary that runs again itself is told about its dependency', async () => {
  const page = await opened({
    page: { deps: ['app'], run: accepting },
    app: { deps: ['dep', 'util'], run: ({ hot, log }) => hot.accept('dep', () => log.push('told')) },
    dep: { deps: ['util'] },
    util: {},
  })
  await page.save('util', {})
  assert.deepEqual(page.said().filter((line) => line === 'told'), ['told'])
})

test('an update that nobody accepts only reloads', async () => {
  const page = await opened({ page: { deps: ['app'], run: talking('page') }, app: { run: talking('app') } })
  page.on('vite:beforeUpdate', () => page.log.push('before'))
  const outcome = await page.save('app', {})
  assert.deepEqual(page.said(), ['reload app → page (nothing accepts app)'])
  assert.deepEqual([outcome.result, outcome.chain], ['reload', ['app', 'page']])
})

test('a definition that is the same as before is no update', async () => {
  const page = await opened({ app: { run: talking('app', accepting) } })
  const { hash, links, meta, factory } = page.registry.definitions.get('app')
  page.registry.define('app', hash, links, 0, meta, factory)
  assert.equal((await page.update()).result, 'nothing')
  assert.deepEqual(page.said(), [])
})

test('a copy that waits at its top-level await makes room for the next one at once, and does not go on', async () => {
  const page = await opened({ page: {} })
  let go
  const wait = () => new Promise((done) => (go = done))
  page.module('slow', {
    waits: true,
    run: function*({ hot, log }) {
      hot.accept()
      hot.dispose(() => log.push('old disposed'))
      yield wait()
      log.push('old goes on')
    },
  })
  const running = page.open('slow')
  await tick()
  await page.save('slow', { run: ({ log }) => log.push('new runs') })
  go()
  await running
  await tick()
  assert.deepEqual(page.said(), ['old disposed', 'new runs', 'hot updated: slow'])
})

test('an importer that waits for a copy which is given up waits for the next one', async () => {
  const page = new Page()
  page.module('page', { deps: { slow: ['value'] }, run: ({ use, log }) => log.push(`page sees ${use('slow').value}`) })
  page.module('slow', {
    waits: true,
    exports: { value: 'old' },
    run: function*({ hot }) {
      hot.accept()
      yield new Promise(() => {})
    },
  })
  const running = page.open('page')
  await tick()
  await page.save('slow', { exports: { value: 'new' }, run: accepting })
  await running
  assert.deepEqual(page.said(), ['hot updated: slow', 'page sees new'])
})

test('an update whose top-level await does not settle makes way for the next version', async () => {
  const page = await opened({ page: { deps: ['app'] }, app: { run: talking('one', accepting) } })
  const stuck = page.save('app', {
    waits: true,
    run: function*() {
      yield new Promise(() => {})
    },
  })
  await tick()
  page.updater.announce(['page'])
  await tick()
  assert.deepEqual(page.said(), ['one disposed'], 'another module is no reason')
  page.updater.announce(['app'])
  assert.equal((await stuck).result, 'updated')
  // The new copy hangs before its `accept` call, so those of the copy before count.
  assert.equal((await page.save('app', { run: talking('three', accepting) })).result, 'updated')
  assert.deepEqual(page.said(), ['three runs', 'hot updated: app'])
})

test('callbacks of a module that was left behind follow when it has run', async () => {
  const page = await opened({ app: { run: ({ hot, log }) => hot.accept((next) => log.push(`told ${next.value}`)) } })
  let go
  const slow = page.save('app', {
    waits: true,
    exports: { value: 0 },
    run: function*({ set }) {
      yield new Promise((done) => (go = done))
      set('value', 2)
    },
  })
  await tick()
  page.updater.announce(['app'])
  await slow
  assert.deepEqual(page.said(), [])
  go()
  await tick()
  assert.deepEqual(page.said(), ['told 2', 'hot updated: app'])
})

const hanging = {
  waits: true,
  run: function*() {
    yield new Promise(() => {})
  },
}

test('the fix of a copy that hangs waits for nothing if somebody above takes it', async () => {
  const page = await opened({ page: { deps: ['app'], run: accepting }, app: {} })
  // Timers never fire, so that running out of patience cannot be what ends the wait.
  mock.timers.enable({ apis: ['setTimeout'] })
  for (let n = 0; n < 3; n++) {
    const stuck = page.save('app', hanging)
    await tick()
    page.updater.announce(['app'])()
    await stuck
    page.said()
    await page.save('app', { run: talking('fixed') })
    assert.deepEqual(page.said().slice(0, 1), ['fixed runs'])
  }
})

test('a copy that nobody accepts has a second from its beginning to say that it accepts itself', async () => {
  let go
  const waiting = {
    waits: true,
    run: function*({ hot }) {
      yield new Promise((done) => (go = done))
      hot.accept()
    },
  }
  const page = new Page().module('page', { deps: ['app'] }).module('app', waiting)
  void page.open('page')
  await tick()
  const saved = page.save('app', { run: talking('two', accepting) })
  await tick()
  go()
  assert.equal((await saved).result, 'updated')
  const late = new Page().module('page', { deps: ['app'] }).module('app', hanging)
  void late.open('page')
  await tick()
  late.registry.instances.get('app').waitsSince -= 1000
  mock.timers.enable({ apis: ['setTimeout'] })
  assert.equal((await late.save('app', {})).result, 'reload')
})

for (const [how, dep, gives] of [
  ['that it imports', { exports: { v: 2 } }, true],
  ['that takes its own saves', { run: accepting }, false],
]) {
  test(`news of a module ${how} ${gives ? 'gives up' : 'leaves alone'} a copy that waits`, async () => {
    const page = await opened({ page: { deps: ['app'], run: accepting }, app: { deps: ['dep'], run: accepting }, dep })
    let isOver = false
    void page.save('app', { ...hanging, deps: ['dep'] }).then(() => (isOver = true))
    await tick()
    page.updater.announce(['dep'])
    await tick()
    assert.equal(isOver, gives)
  })
}

test('news that was there before an update waits at a top-level await ends that wait', async () => {
  const page = await opened({ page: { deps: ['a', 'b'] }, a: { run: accepting }, b: { run: accepting } })
  const first = page.save('a', hanging)
  await tick()
  const begin = page.updater.announce(['a'])
  await first
  await page.save('b', hanging) // This save was queued before the news of `a` was handled.
  begin()
  assert.equal((await page.save('a', { run: talking('a3', accepting) })).result, 'updated')
})

test('an invalidation that runs a copy anew which waits is followed at once', async () => {
  const page = await opened({ page: { deps: ['app'], run: accepting }, app: { deps: ['dep'], run: accepting }, dep: { run: accepting } })
  await page.save('dep', { run: accepting })
  const stuck = page.save('app', { ...hanging, deps: ['dep'] })
  await tick()
  page.hotOf('dep').invalidate()
  await stuck
})

test('the update waits for the top-level await of the new code', async () => {
  const page = await opened({ app: { run: ({ hot, log }) => hot.accept((next) => log.push(`told ${next.value}`)) } })
  await page.save('app', { async: true, exports: { value: 0 }, run: async ({ set }) => (await tick(), set('value', 2)) })
  assert.deepEqual(page.said(), ['told 2', 'hot updated: app'])
})

// ---- failures

const failing = {
  run() {
    throw new Error('not today')
  },
}

test('new code that throws: all old copies are live again, and callbacks get undefined', async () => {
  const page = await opened({
    page: { deps: { app: ['value'] }, run: ({ hot, log }) => hot.accept('app', (next) => log.push(`told ${next}`)) },
    app: { deps: { util: ['value'] }, exports: { value: 'old app' }, run: ({ hot, log }) => hot.on('ping', () => log.push('old hears')) },
    util: { exports: { value: 'old util' } },
  })
  const before = new Map(page.registry.instances)
  page.module('app', { deps: ['util'], run: ({ hot, log }) => (hot.on('ping', () => log.push('new hears')), failing.run()) })
  const outcome = await page.save('util', { exports: { value: 'new util' } })
  assert.equal(outcome.result, 'failed')
  assert.deepEqual(page.failures, ['page: not today'])
  assert.deepEqual(new Map(page.registry.instances), before)
  await page.hot.dispatch('ping')
  assert.deepEqual(page.said(), ['told undefined', 'old hears'])
})

test('copies that ran in an update which was put back are disposed of, each once', async () => {
  let live = 0
  const counts = {
    deps: ['dep'],
    run({ hot }) {
      live++
      hot.dispose(() => void live--)
    },
  }
  const throws = {
    deps: ['dep'],
    run({ use }) {
      if (use('dep').value > 1) throw new Error('too much')
    },
  }
  const page = await opened({ page: { deps: ['x', 'y'], run: accepting }, x: counts, y: throws, dep: { exports: { value: 1 } } })
  for (const value of [2, 3, 4]) {
    assert.equal((await page.save('dep', { exports: { value } })).result, 'failed')
    assert.equal(live, 1, 'the old copy of x is at work again')
    assert.deepEqual(page.registry.instances.get('x').definition, page.registry.definitions.get('x'))
    assert.equal(page.registry.instances.get('dep').namespace.value, 1)
  }
  await page.save('dep', { exports: { value: 1 } })
  assert.equal(live, 1)
  await page.save('dep', { exports: { value: 0 } })
  assert.equal(live, 1)
})

test('callbacks that hand updates on have nothing to hand on when an update is put back', async () => {
  const handing = (run = () => {}) => ({
    deps: ['lower'],
    run: (tools) => (tools.hot.accept(() => tools.hot.invalidate()), tools.hot.dispose(() => {}), run(tools)),
  })
  const page = await opened({ main: { deps: ['upper'], run: accepting }, upper: handing(), lower: { run: accepting } })
  await page.save('upper', handing())
  const outcome = await page.save(
    'upper',
    handing(() => {
      throw new Error('not today')
    }),
  )
  assert.equal(outcome.result, 'failed')
  assert.equal((await page.save('upper', handing())).result, 'updated')
})

test('the error of an update that failed goes with the import that led there', async () => {
  const page = await opened({ page: { deps: ['app'], run: accepting }, app: { deps: ['lost'] }, lost: { run: accepting } })
  await page.save('lost', failing)
  assert.deepEqual(page.failures, ['lost: not today'])
  await page.save('app', {})
  assert.deepEqual(page.failures, [])
})

test('a copy that throws is disposed of as far as it came, and its listeners are silent', async () => {
  const page = await opened({ app: { run: accepting } })
  await page.save('app', {
    run({ hot, log }) {
      hot.on('ping', () => log.push('heard'))
      hot.dispose(() => log.push('half disposed'))
      throw new Error('not today')
    },
  })
  await page.hot.dispatch('ping')
  assert.deepEqual(page.said(), ['half disposed'])
})

const told = (name) => ({ hot, log }) => hot.accept((next) => log.push(`${name} told ${next ? 'of its next' : 'nothing'}`))

test('what has nothing to do with the module that throws is updated, in the same save and in later ones', async () => {
  const page = await opened({
    main: { deps: ['a', 'b', 'c'], run: accepting },
    a: { run: talking('a', told('a')) },
    b: { run: talking('b', told('b')) },
    c: { run: talking('c', told('c')) },
  })
  const outcome = await page.save('a', { run: talking('a2', told('a2')) }, 'b', { run: talking('b2', told('b2')) }, 'c', failing)
  assert.equal(outcome.result, 'failed')
  assert.deepEqual(page.failures, ['c: not today'])
  const said = page.said()
  assert.deepEqual(
    said.filter((line) => /told/.test(line)),
    ['c told nothing', 'c told of its next', 'a told of its next', 'b told of its next'],
    'c is started again in between',
  )
  assert.deepEqual(said.slice(-4), ['a told of its next', 'hot updated: a', 'b told of its next', 'hot updated: b'])
  assert.equal((await page.save('a', { run: talking('a3', told('a3')) })).result, 'updated')
  assert.deepEqual(page.said(), ['a2 disposed', 'a3 runs', 'a2 told of its next', 'hot updated: a'])
  assert.deepEqual(page.failures, ['c: not today'])
  await page.save('c', { run: talking('c2', told('c2')) })
  assert.deepEqual(page.said(), ['c disposed', 'c2 runs', 'c told of its next', 'hot updated: c'])
  assert.deepEqual(page.failures, [])
})

test('a module that imports what is not exported holds back no other', async () => {
  const page = await opened({
    main: { deps: ['a', 'b'], run: accepting },
    a: { run: talking('a', accepting) },
    b: { run: talking('b', accepting) },
    lib: { exports: { there: 1 } },
  })
  assert.equal((await page.save('b', { deps: { lib: ['nowhere'] } }, 'a', { run: talking('a2', accepting) })).result, 'failed')
  assert.deepEqual(page.said(), ['b disposed', 'a disposed', 'b runs', 'a2 runs', 'hot updated: a'])
  assert.equal(page.failures.length, 1)
})

test('an importer waits for a module that throws, and runs with what that is once it is mended', async () => {
  const page = await opened({
    main: { deps: ['app'], run: accepting },
    app: { deps: ['part'], run: accepting },
    part: { exports: { value: 'old' }, run: accepting },
  })
  const app = { deps: ['part'], exports: {}, run: ({ use, log, hot }) => (hot.accept(), log.push(`app2 with ${use('part').value}`)) }
  await page.save('app', app, 'part', failing)
  assert.deepEqual(page.failures, ['app,part: not today'])
  page.said()
  await page.save('part', { exports: { value: 'new' }, run: accepting })
  assert.deepEqual(page.said(), ['app2 with new', 'hot updated: app', 'hot updated: part'])
})

test('each error stands until its own module is mended', async () => {
  const page = await opened({ main: { deps: ['a', 'b', 'c'], run: accepting }, a: { run: accepting }, b: { run: accepting }, c: { run: accepting } })
  const throwing = (text) => ({
    run() {
      throw new Error(text)
    },
  })
  await page.save('a', throwing('bad a'))
  await page.save('b', throwing('bad b'))
  assert.deepEqual(page.failures, ['a: bad a', 'b: bad b'])
  await page.save('c', { run: accepting })
  assert.deepEqual(page.failures, ['a: bad a', 'b: bad b'])
  await page.save('b', { run: accepting })
  assert.deepEqual(page.failures, ['a: bad a'])
  await page.save('a', { run: accepting })
  assert.deepEqual(page.failures, [])
})

test('of two modules of one save that throw each has its error, and the third goes through', async () => {
  const page = await opened({
    main: { deps: ['a', 'b', 'c'], run: accepting },
    a: { run: accepting },
    b: { run: accepting },
    c: { run: talking('c', accepting) },
  })
  const throwing = (text) => ({
    run() {
      throw new Error(text)
    },
  })
  await page.save('a', throwing('bad a'), 'b', throwing('bad b'), 'c', { run: talking('c2', accepting) })
  assert.deepEqual(page.failures, ['a: bad a', 'b: bad b'])
  assert.equal(page.said().at(-1), 'hot updated: c')
  await page.save('a', { run: accepting })
  assert.deepEqual(page.failures, ['b: bad b'])
})

test('what copies hand on that are put back is for nobody', async () => {
  const keeping = (name) => ({
    run({ hot, log }) {
      log.push(`${name} finds ${hot.data.from}`)
      hot.accept()
      hot.dispose((data) => void (data.from = name))
    },
  })
  const page = await opened({ main: { deps: ['b', 'a'], run: accepting }, b: keeping('b'), a: { run: accepting } })
  await page.save('b', keeping('b2'), 'a', failing)
  assert.deepEqual(page.said().filter((line) => line.includes('finds')), ['b2 finds b', 'b2 finds b'])
})

test('what a copy throws after it was left behind stands until that copy is replaced', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const page = await opened({ main: { deps: ['a', 'b'], run: accepting }, a: { run: accepting }, b: { run: accepting } })
  let fail
  const saving = page.save('a', { async: true, run: ({ hot }) => (hot.accept(), new Promise((_, reject) => (fail = reject))) })
  for (let turn = 0; turn < 20; turn++) await tick()
  mock.timers.tick(10_000)
  await saving
  fail(new Error('too late'))
  await tick()
  assert.deepEqual(page.failures, ['a: too late'])
  await page.save('b', { run: accepting })
  assert.deepEqual(page.failures, ['a: too late'])
  await page.save('a', { run: accepting })
  assert.deepEqual(page.failures, [])
})

test('what runs again for the same importer is put back with what throws', async () => {
  const page = await opened({ main: { deps: ['a', 'b'], run: accepting }, a: { run: talking('a') }, b: {} })
  assert.equal((await page.save('a', { run: talking('a2') }, 'b', failing)).result, 'failed')
  assert.equal(page.registry.instances.get('a').definition === page.registry.definitions.get('a'), false)
  page.said()
  await page.save('b', {})
  assert.deepEqual(page.said(), ['a disposed', 'a2 runs', 'hot updated: main'])
})

// ---- what is gone or does not arrive

test('a module that is gone is not run again, and holds nothing up that needs it no more', async () => {
  const page = await opened({
    main: { deps: ['x'], run: talking('main', accepting) },
    x: { deps: ['y'], run: talking('x') },
    y: { run: talking('y') },
  })
  page.registry.forget('x')
  page.module('z', { deps: ['y'], run: talking('z') })
  const outcome = await page.save('y', { run: talking('y2') }, 'main', { deps: ['z'], run: talking('main2', accepting) })
  assert.equal(outcome.result, 'updated')
  assert.deepEqual(page.said(), ['y disposed', 'main disposed', 'y2 runs', 'z runs', 'main2 runs', 'hot updated: main', 'x disposed'])
  assert.equal(page.isLive('x'), false)
})

test('what needs a definition that is not there waits, and the rest of the batch goes through', async () => {
  const page = await opened({
    main: { deps: ['app', 'other'], run: accepting },
    app: { run: talking('app', accepting) },
    other: { run: talking('other', accepting) },
  })
  await page.save('app', { deps: ['nowhere'], run: talking('app2', accepting) }, 'other', { run: talking('other2', accepting) })
  assert.deepEqual(page.said(), ['other disposed', 'other2 runs', 'hot updated: other'])
  assert.equal(page.updater.isWaiting, true)
  await page.save('nowhere', { run: talking('nowhere') })
  assert.deepEqual(page.said(), ['app disposed', 'nowhere runs', 'app2 runs', 'hot updated: app'])
  assert.equal(page.updater.isWaiting, false)
})

test('a live module that is gone stays as it is where it is still imported', async () => {
  const page = await opened({ main: { deps: ['x'], run: accepting }, x: { deps: ['y'], run: talking('x') }, y: { run: talking('y') } })
  page.registry.forget('x')
  assert.equal((await page.save('y', { run: talking('y2') })).result, 'updated')
  assert.deepEqual(page.said(), ['y disposed', 'y2 runs', 'hot updated: main'])
  await page.save('x', { deps: ['y'], run: talking('x2') })
  assert.deepEqual(page.said(), ['x disposed', 'x2 runs', 'hot updated: main'])
})

test('a module that was gone when what it imports was updated runs when it is back, also if it is as it was', async () => {
  const runs = talking('x', accepting)
  const page = await opened({ main: { deps: ['x', 'y'], run: talking('main', accepting) }, x: { deps: ['y'], run: runs }, y: { run: talking('y') } })
  const asItWas = page.registry.definitions.get('x')
  page.registry.forget('x')
  await page.save('y', { run: talking('y2') })
  assert.deepEqual(page.said(), ['y disposed', 'main disposed', 'y2 runs', 'main runs', 'hot updated: main'])
  page.registry.take(asItWas)
  assert.equal((await page.save()).result, 'updated')
  assert.deepEqual(page.said(), ['x disposed', 'x runs', 'hot updated: x'])
})

test('a reload that was cancelled is asked for again only when its module is edited again', async () => {
  const page = await opened({ page: { deps: ['plain', 'hot'] }, plain: {}, hot: { run: accepting } })
  assert.equal((await page.save('plain', {})).result, 'reload')
  assert.equal((await page.save('hot', { run: accepting })).result, 'updated')
  assert.equal((await page.save('plain', {})).result, 'reload')
})

test('a reload that was cancelled leaves alone what called for it; the rest of the save is applied, and nobody is asked twice', async () => {
  const page = await opened({
    page: { deps: ['plain', 'shared', 'hot', 'other'] },
    plain: {},
    shared: {},
    hot: { deps: ['shared'], run: talking('hot', accepting) },
    other: { run: talking('other', accepting) },
  })
  page.module('plain', {}).module('shared', {}).module('hot', { deps: ['shared'], run: talking('hot2', accepting) }).module('other', {
    run: talking('other2', accepting),
  })
  const outcome = await page.updater.update(['/linked.css?direct'], 0)
  assert.deepEqual([outcome.result, outcome.boundaries], ['updated', ['hot', 'other', '/linked.css']])
  const said = page.said()
  assert.match(said[0], /^reload /)
  assert.deepEqual(said.filter((line) => line.startsWith('reload')).length, 1)
  assert.ok(said.includes('hot2 runs') && said.includes('other2 runs') && said.includes('swapped /linked.css?direct'), said.join())
  assert.deepEqual([...page.registry.stale], ['plain', 'shared'])
  assert.equal((await page.update()).result, 'nothing')
})

test('an update to a page that was to reload and has stayed does not ask for a reload', async () => {
  const page = await opened({ page: { deps: ['plain', 'hot'] }, plain: {}, hot: { run: talking('hot', accepting) } })
  page.module('plain', {}).module('hot', { run: talking('hot2', accepting) })
  assert.equal((await page.updater.update([], 0, true)).result, 'updated')
  assert.deepEqual(page.said(), ['hot disposed', 'hot2 runs', 'hot updated: hot'])
})

test('a list callback gets a list of undefined when the new code threw', async () => {
  const page = await opened({
    page: { deps: ['a', 'b'], run: ({ hot, log }) => hot.accept(['a', 'b'], (list) => log.push(JSON.stringify(list))) },
    a: {},
    b: {},
  })
  await page.save('a', failing)
  assert.deepEqual(page.said(), ['[null,null]'])
})

test('the next good save goes on from there', async () => {
  const page = await opened({ app: { run: talking('one', accepting) } })
  await page.save('app', failing)
  // What it let go (timers, listeners) is started again: the page goes on with the old code.
  assert.deepEqual(page.said(), ['one disposed', 'one runs'])
  await page.save('app', { run: talking('three', accepting) })
  assert.deepEqual(page.said(), ['one disposed', 'three runs', 'hot updated: app'])
  assert.deepEqual(page.failures, [])
  await page.save('app', {})
  assert.deepEqual(page.said(), ['three disposed', 'hot updated: app'])
})

test('a fix of what the failing module imports starts it again', async () => {
  const page = await opened({
    page: { deps: ['app'], run: accepting },
    app: { deps: ['limit'], run: accepting },
    limit: { exports: { value: 1 }, run: accepting },
  })
  const checks = {
    deps: ['limit'],
    run({ hot, log, use }) {
      if (use('limit').value < 2) throw new Error('too small')
      log.push('app is up')
      hot.accept()
    },
  }
  await page.save('app', checks)
  assert.deepEqual(page.failures, ['app: too small'])
  await page.save('limit', { exports: { value: 2 }, run: accepting })
  assert.ok(page.said().includes('app is up'))
  assert.deepEqual(page.failures, [])
})

test('a module that fails does not hold back a save that has nothing to do with it', async () => {
  const page = await opened({ page: { deps: ['broken', 'other'] }, broken: { run: accepting }, other: { run: accepting } })
  let tries = 0
  await page.save('broken', {
    run() {
      tries++
      throw new Error('not today')
    },
  })
  const outcome = await page.save('other', { run: talking('other', accepting) })
  assert.equal(outcome.result, 'updated')
  assert.deepEqual(page.said(), ['other runs', 'hot updated: other'])
  assert.deepEqual([tries, page.failures], [1, ['broken: not today']])
})

test('a module that throws does not hold back the edit by which nothing imports it any more', async () => {
  const throwing = {
    deps: ['app'],
    run: ({ hot }) => {
      hot.accept()
      throw new Error('no')
    },
  }
  const page = await opened({ page: { deps: ['app'], run: accepting }, app: { deps: ['part'] }, part: { deps: ['app'], run: accepting } })
  assert.equal((await page.save('part', throwing)).result, 'failed')
  const { result } = await page.save('app', {})
  assert.deepEqual([result, page.isLive('part'), page.failures], ['updated', false, []])
})

test('a missing export is found before anything has run, and rolled back', async () => {
  const page = await opened({ page: { deps: { dep: ['value'] }, run: talking('page', accepting) }, dep: { exports: { value: 1 } } })
  const outcome = await page.save('dep', { exports: { other: 2 }, run: ({ log }) => log.push('dep runs') })
  assert.match(outcome.error, /`value`, imported by page, is not exported by dep/)
  assert.deepEqual(page.said(), ['page disposed', 'page runs'])
  assert.equal(page.registry.instances.get('page').state, 'evaluated')
})

test('modules that came along with a failed update go again, and start anew with the next', async () => {
  const page = await opened({ page: { run: accepting } })
  page.module('fresh', { run: ({ hot, log }) => (log.push('fresh runs'), hot.on('ping', () => log.push('fresh hears')), hot.data.left = true) })
  await page.save('page', { deps: ['fresh'], ...failing })
  assert.equal(page.isLive('fresh'), false)
  await page.hot.dispatch('ping')
  assert.deepEqual(page.said(), ['fresh runs'])
  page.module('fresh', { run: ({ hot, log }) => log.push(`fresh with ${JSON.stringify(hot.data)}`) })
  await page.save('page', { deps: ['fresh'], run: accepting })
  assert.deepEqual(page.said(), ['fresh with {}', 'hot updated: page'])
})

test('an asynchronous failure is rolled back too, and what was still running cannot come back', async () => {
  const page = await opened({
    page: { deps: ['fails', 'late'], run: accepting },
    late: { deps: ['slow'], run: ({ log }) => log.push('late runs') },
    fails: {},
    slow: { exports: { value: 1 } },
  })
  let go
  const slow = { async: true, exports: { value: 2 }, run: async ({ log }) => (await new Promise((done) => (go = done)), log.push('slow done')) }
  const saved = page.save('slow', slow, 'fails', {
    async: true,
    run: async () => {
      throw new Error('not today')
    },
  })
  await tick()
  await tick()
  go()
  assert.equal((await saved).result, 'failed')
  await tick()
  assert.deepEqual(page.said(), ['slow done'])
  assert.equal(page.registry.instances.get('slow').namespace.value, 1)
  assert.equal(page.registry.instances.get('page').state, 'evaluated')
})

test('a module that failed to link does not count as run', async () => {
  const page = await opened({ page: {} })
  page.module('lazy', { deps: { dep: ['missing'] } }).module('dep', {})
  await assert.rejects(async () => page.registry.run(['lazy']), /is not exported by dep/)
  assert.deepEqual([page.isLive('lazy'), page.isLive('dep')], [false, false])
  await assert.rejects(async () => page.registry.run(['lazy']), /is not exported by dep/)
})

test('thrown values that are no errors fail the update too', async () => {
  for (const value of [undefined, null, 'text', 0]) {
    const page = await opened({ app: { run: accepting } })
    assert.equal(
      (await page.save('app', {
        run() {
          throw value
        },
      })).result,
      'failed',
      String(value),
    )
  }
})

// ---- invalidate

const invalidating = (message) => ({ hot }) => hot.accept(() => hot.invalidate(message))

test('invalidate hands the update to the importers, between events of its own', async () => {
  const page = await opened({ page: { deps: ['size'], run: talking('page', accepting) }, size: { run: invalidating('too large') } })
  const seen = []
  page.on(
    'vite:beforeUpdate',
    ({ updates }) => page.log.push('before') && seen.push(updates.map(({ path, firstInvalidatedBy }) => [path, firstInvalidatedBy])),
  )
  page.on('vite:afterUpdate', () => page.log.push('after'))
  const outcome = await page.save('size', { run: ({ log }) => log.push('size runs') })
  assert.deepEqual(page.said(), [
    'before',
    'size runs',
    'invalidate size, first size: too large',
    'hot updated: size',
    'after',
    'before',
    'page disposed',
    'page runs',
    'hot updated: page',
    'after',
  ])
  assert.deepEqual(seen, [[['size', undefined]], [['page', 'size']]])
  assert.deepEqual(outcome.boundaries, ['size', 'page'])
})

test('invalidate reaches an importer that accepts the module', async () => {
  const page = await opened({
    page: { deps: ['size'], run: ({ hot, log }) => hot.accept('size', (next) => log.push(`told ${next.value}`)) },
    size: { exports: { value: 1 }, run: invalidating() },
  })
  await page.save('size', { exports: { value: 2 }, run: ({ log }) => log.push('size runs') })
  assert.deepEqual(page.said(), ['size runs', 'invalidate size, first size', 'hot updated: size', 'told 2', 'hot updated: size via page'])
})

test('two modules of one save that hand their updates on, one importing the other, keep the page', async () => {
  const handing = (...talk) => ({ run: ({ hot, log }) => (log.push(...talk), hot.accept(() => hot.invalidate())) })
  const page = await opened({ main: { deps: ['upper'], run: accepting }, upper: { deps: ['lower'], ...handing() }, lower: handing() })
  const outcome = await page.save('upper', { deps: ['lower'], ...handing('upper runs') }, 'lower', handing('lower runs'))
  assert.equal(outcome.result, 'updated')
  assert.deepEqual(page.said().filter((line) => line.startsWith('reload')), [])
})

test('modules of a cycle that hand on what they were handed reload', async () => {
  const handing = (deps) => ({ deps, run: ({ hot }) => hot.accept(() => hot.invalidate()) })
  const page = await opened({ main: { deps: ['g'], run: accepting }, g: handing(['leaf', 'h']), h: handing(['g']), leaf: handing([]) })
  const outcome = await page.save('leaf', handing([]))
  assert.deepEqual([outcome.result, outcome.reason], ['reload', { kind: 'circular-invalidate' }])
})

test('who is invalidated further up names who began', async () => {
  const page = await opened({
    page: { deps: ['middle'], run: accepting },
    middle: { deps: ['leaf'], run: invalidating() },
    leaf: { run: invalidating() },
  })
  await page.save('leaf', { run: accepting })
  const told = page.said().filter((line) => line.startsWith('invalidate'))
  assert.deepEqual(told, ['invalidate leaf, first leaf', 'invalidate middle, first leaf'])
})

test('invalidate at the top level of new code begins an update after this one', async () => {
  const page = await opened({ page: { deps: ['size'], run: talking('page', accepting) }, size: { run: accepting } })
  page.on('vite:afterUpdate', () => page.log.push('after'))
  await page.save('size', { run: ({ hot }) => (hot.accept(), hot.invalidate()) })
  assert.deepEqual(page.said(), [
    'invalidate size, first size',
    'hot updated: size',
    'after',
    'page disposed',
    'page runs',
    'hot updated: page',
    'after',
  ])
})

test('invalidate while the page loads is only told', async () => {
  const page = await opened({ page: { deps: ['size'], run: accepting }, size: { run: ({ hot }) => hot.invalidate() } })
  assert.equal((await page.update()).result, 'nothing')
})

test('invalidating twice in one update counts once', async () => {
  const page = await opened({
    page: { deps: ['size'], run: talking('page', accepting) },
    size: { run: ({ hot }) => hot.accept(() => (hot.invalidate(), hot.invalidate())) },
  })
  await page.save('size', { run: accepting })
  assert.deepEqual(page.said().filter((line) => line.startsWith('page ') || line.startsWith('reload')), ['page disposed', 'page runs'])
})

test('an entry that invalidates reloads', async () => {
  const page = await opened({ page: { run: invalidating() } })
  const outcome = await page.save('page', {})
  assert.equal(outcome.result, 'reload')
})

test('modules of a cycle that hand an update to each other reload', async () => {
  const page = await opened({
    page: { deps: ['a'], run: accepting },
    a: { deps: ['b'], run: invalidating() },
    b: { deps: ['a'], run: invalidating() },
  })
  const outcome = await page.save('a', { deps: ['b'], run: invalidating() })
  assert.deepEqual([outcome.result, outcome.reason], ['reload', { kind: 'circular-invalidate' }])
})

test('a cycle that the first invalidation is not part of ends in a reload as well', async () => {
  const page = await opened({
    page: { deps: ['b'] },
    b: { deps: ['c'], run: invalidating() },
    c: { deps: ['b', 'a'], run: invalidating() },
    a: { run: invalidating() },
  })
  const outcome = await page.save('a', { run: accepting })
  assert.equal(outcome.result, 'reload')
})

test('invalidate between two saves is followed at once', async () => {
  const page = await opened({ page: { deps: ['size'], run: talking('page', accepting) }, size: { run: accepting } })
  await page.save('size', { run: accepting })
  page.said()
  page.hotOf('size').invalidate()
  await page.updater.followInvalidations(1)
  assert.deepEqual(page.said(), ['invalidate size, first size', 'page disposed', 'page runs', 'hot updated: page'])
  page.hotOf('size').invalidate()
  await page.updater.followInvalidations(2)
  assert.deepEqual(page.said(), ['invalidate size, first size'], 'nothing has been updated since')
})

// ---- links

test('sheets of links are swapped in the same update', async () => {
  const page = await opened({ app: { run: accepting } })
  const payloads = []
  page.on('vite:afterUpdate', ({ updates }) => payloads.push(...updates.map(({ type, path, acceptedPath }) => [type, path, acceptedPath])))
  const outcome = await page.updater.update(['/site.css?direct'], 1)
  assert.deepEqual(page.said(), ['swapped /site.css?direct'])
  assert.deepEqual([outcome.result, outcome.boundaries, payloads.length], ['updated', ['/site.css'], 1])
})
