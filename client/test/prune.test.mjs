/** What leaves the page when nothing imports it any more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Page } from './page.mjs'

const accepting = ({ hot }) => hot.accept()
const tick = () => new Promise(setImmediate)

const leaving = (name) => ({ hot, log }) => {
  log.push(`${name} runs with ${JSON.stringify(hot.data)}`)
  hot.data.of = name
  hot.dispose(() => log.push(`${name} disposed`))
  hot.prune((data) => log.push(`${name} pruned with ${JSON.stringify(data)}`))
  hot.on('ping', () => log.push(`${name} hears`))
}

async function opened(modules) {
  const page = new Page()
  for (const [id, module] of Object.entries(modules)) page.module(id, module)
  await page.open(Object.keys(modules)[0])
  await tick()
  page.said()
  return page
}

test('a module nobody imports any more goes, with all that only it imported', async () => {
  const page = await opened({
    page: { deps: ['room', 'shared'], run: accepting },
    room: { deps: ['lamp', 'shared'] },
    lamp: { deps: ['bulb'] },
    bulb: {},
    shared: {},
  })
  const pruned = []
  page.on('vite:beforePrune', (payload) => pruned.push(payload))
  await page.save('page', { deps: ['shared'], run: accepting })
  assert.deepEqual(pruned, [{ type: 'prune', paths: ['room', 'lamp', 'bulb'] }])
  assert.deepEqual(['page', 'room', 'lamp', 'bulb', 'shared'].filter((id) => page.isLive(id)), ['page', 'shared'])
})

test('first all disposers, then all prune handlers, then the data is gone', async () => {
  const page = await opened({
    page: { deps: ['room'], run: accepting },
    room: { deps: ['lamp'], run: leaving('room') },
    lamp: { run: leaving('lamp') },
  })
  page.on('vite:afterUpdate', () => page.log.push('after'))
  page.on('vite:beforePrune', () => page.log.push('before'))
  const old = page.hotOf('room')
  await page.save('page', { run: accepting })
  assert.deepEqual(page.said(), [
    'hot updated: page',
    'after',
    'before',
    'room disposed',
    'lamp disposed',
    'room pruned with {"of":"room"}',
    'lamp pruned with {"of":"lamp"}',
  ])
  assert.equal(old.data, undefined)
})

test('a pruned module hears nothing, and starts anew when it is back', async () => {
  const page = await opened({ page: { deps: ['room'], run: accepting }, room: { run: leaving('room') } })
  await page.save('page', { run: accepting })
  page.said()
  await page.hot.dispatch('ping')
  assert.deepEqual(page.said(), [])
  await page.save('page', { deps: ['room'], run: accepting })
  await page.hot.dispatch('ping')
  assert.deepEqual(page.said(), ['room runs with {}', 'hot updated: page', 'room hears'])
})

test('a failing disposer or prune handler is reported and keeps nothing back', async () => {
  const page = await opened({
    page: { deps: ['a', 'b'], run: accepting },
    a: {
      run: ({ hot }) => (hot.dispose(() => {
        throw new Error('no')
      }), hot.prune(() => Promise.reject(new Error('never')))),
    },
    b: { run: leaving('b') },
  })
  await page.save('page', { run: accepting })
  assert.deepEqual(page.said().slice(1), [
    'reported the disposer of a: no',
    'b disposed',
    'b pruned with {"of":"b"}',
    'reported the prune handler of a: never',
  ])
  assert.deepEqual([page.isLive('a'), page.isLive('b')], [false, false])
})

test('a cycle that nothing imports any more goes', async () => {
  const page = await opened({ page: { deps: ['a'], run: accepting }, a: { deps: ['b'] }, b: { deps: ['a'] } })
  await page.save('page', { run: accepting })
  assert.deepEqual([page.isLive('a'), page.isLive('b')], [false, false])
})

test('what another module imports stays, and so do entries', async () => {
  const page = await opened({ page: { deps: ['other', 'b'], run: accepting }, other: { deps: ['b'], run: accepting }, b: {} })
  page.registry.entries.add('other')
  await page.save('page', { run: accepting })
  assert.deepEqual([page.isLive('other'), page.isLive('b')], [true, true])
})

test('nothing is pruned by an update that failed', async () => {
  const page = await opened({ page: { deps: ['room'], run: accepting }, room: { run: leaving('room') } })
  await page.save('page', {
    run() {
      throw new Error('no')
    },
  })
  assert.equal(page.isLive('room'), true)
})

test('what an import() brought in stays while the new code could import it too', async () => {
  const page = new Page()
  page.module('lazy').module('page', { dynamic: ['lazy'], run: ({ hot, load }) => (hot.accept(), void load('lazy')) })
  await page.open('page')
  await tick()
  await page.save('page', { dynamic: ['lazy'], run: accepting })
  assert.equal(page.isLive('lazy'), true)
  await page.save('page', { run: accepting })
  assert.equal(page.isLive('lazy'), false)
})

test('what was imported with a computed specifier stays while there is one', async () => {
  const page = new Page()
  page.module('lazy').module('page', { computed: true, run: ({ hot, load }) => (hot.accept(), void load('lazy')) })
  await page.open('page')
  await tick()
  await page.save('page', { computed: true, run: accepting })
  assert.equal(page.isLive('lazy'), true)
  await page.save('page', { run: accepting })
  assert.equal(page.isLive('lazy'), false)
})
