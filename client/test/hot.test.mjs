/** `import.meta.hot` itself: arguments, data, events. */
import assert from 'node:assert/strict'
import { afterEach, mock, test } from 'node:test'
import { Page } from './page.mjs'

const accepting = ({ hot }) => hot.accept()
const tick = () => new Promise(setImmediate)
afterEach(() => mock.timers.reset())

/** A page of one module, and its `hot`. */
async function opened(run = accepting, more = {}) {
  const page = await new Page().module('app', { run, ...more }).open('app')
  page.said()
  return { page, hot: page.hotOf('app') }
}

// ---- accept

test('accept takes nothing, a function or anything falsy for the module itself', async () => {
  for (const first of [undefined, null, false, 0, '', () => {}]) {
    const { page } = await opened(({ hot }) => hot.accept(first, () => {}))
    assert.equal(page.verdict('app'), 'app · reruns app', String(first))
  }
})

test('accept with anything else throws', async () => {
  const { hot } = await opened()
  for (const wrong of [{}, 1, true, Symbol('x')]) {
    assert.throws(() => hot.accept(wrong), { name: 'Error', message: 'invalid hot.accept() usage.' })
  }
})

test('a dependency that is not known is accepted without effect', async () => {
  const { page } = await opened(({ hot }) => hot.accept(['nowhere', './else'], () => {}))
  assert.equal(page.verdict('app'), 'reload: app')
})

test('decline does nothing', async () => {
  const { page } = await opened(({ hot }) => (hot.accept(), hot.decline()))
  assert.equal(page.verdict('app'), 'app · reruns app')
})

test('all methods work without their object, and return nothing', async () => {
  const { hot } = await opened()
  const { accept, acceptExports, dispose, prune, invalidate, decline, on, off, send } = hot
  const fn = () => {}
  const results = [accept(fn), accept('x', fn), acceptExports('x', fn), dispose(fn), prune(fn), decline(), on('x', fn), off('x', fn), send('x')]
  assert.deepEqual(new Set([...results, invalidate()]), new Set([undefined]))
})

// ---- data

test('data is one object, handed from copy to copy and to the disposer', async () => {
  const seen = []
  const { page, hot } = await opened((
    { hot },
  ) => (seen.push(hot.data), (hot.data.runs = 1), hot.accept(), hot.dispose((data) => (seen.push(data), (data.left = 'here')))))
  await page.save('app', { run: ({ hot }) => (seen.push(hot.data), hot.accept()) })
  assert.equal(new Set([...seen, hot.data]).size, 1)
  assert.deepEqual(seen[0], { runs: 1, left: 'here' })
})

test('data is not shared between modules', async () => {
  const page = new Page()
  page.module('b', { run: ({ hot }) => (hot.data.of = 'b') })
  page.module('a', { deps: ['b'], run: ({ hot }) => (hot.data.of = 'a') })
  await page.open('a')
  assert.deepEqual([page.hotOf('a').data.of, page.hotOf('b').data.of], ['a', 'b'])
})

test('data cannot be assigned', async () => {
  const { hot } = await opened()
  assert.throws(() => {
    hot.data = {}
  }, TypeError)
})

// ---- events

test('listeners are called in order with one argument, and waited for', async () => {
  const { page } = await opened(({ hot, log }) => {
    hot.on('news', async (...got) => (await tick(), log.push(`one ${JSON.stringify(got)}`)))
    hot.on('news', () => log.push('two'))
    hot.on('other', () => log.push('other'))
  })
  await page.hot.dispatch('news', { text: 'hello' })
  assert.deepEqual(page.said(), ['two', 'one [{"text":"hello"}]'])
})

test('the same function twice is called twice, and off removes both', async () => {
  let heard = 0
  const listener = () => heard++
  const { page, hot } = await opened(({ hot }) => (hot.on('news', listener), hot.on('news', listener)))
  await page.hot.dispatch('news')
  assert.equal(heard, 2)
  hot.off('news', listener)
  hot.off('nothing of the kind', listener)
  await page.hot.dispatch('news')
  assert.equal(heard, 2)
})

test('off removes what another module has added', async () => {
  let heard = 0
  const listener = () => heard++
  const page = new Page()
  page.module('b', { run: ({ hot }) => hot.on('news', listener) })
  page.module('a', { deps: ['b'], run: ({ hot }) => hot.off('news', listener) })
  await page.open('a')
  await page.hot.dispatch('news')
  assert.equal(heard, 0)
})

test('off during a dispatch is for the next one', async () => {
  const { page } = await opened(({ hot, log }) => {
    const second = () => log.push('second')
    hot.on('news', () => hot.off('news', second))
    hot.on('news', second)
  })
  await page.hot.dispatch('news')
  await page.hot.dispatch('news')
  assert.deepEqual(page.said(), ['second'])
})

test('a replaced module is not listened to any more', async () => {
  const { page } = await opened(({ hot, log }) => (hot.accept(), hot.on('news', () => log.push('old'))))
  await page.save('app', { run: ({ hot, log }) => hot.on('news', () => log.push('new')) })
  page.said()
  await page.hot.dispatch('news')
  assert.deepEqual(page.said(), ['new'])
})

test('new code without import.meta.hot leaves no listener and no disposer of the old behind', async () => {
  const { page } = await opened(({ hot, log }) => (hot.accept(), hot.on('news', () => log.push('old'))))
  page.module('app')
  const { factory } = page.registry.definitions.get('app')
  page.registry.definitions.get('app').factory = function*(setExports) {
    yield* factory(setExports, {}, {})
  }
  await page.update()
  page.said()
  await page.hot.dispatch('news')
  assert.deepEqual(page.said(), [])
})

test('a listener that throws or rejects is reported, and the others are called', async () => {
  const { page } = await opened(({ hot, log }) => {
    hot.on('news', () => {
      throw new Error('threw')
    })
    hot.on('news', () => Promise.reject(new Error('rejected')))
    hot.on('news', () => log.push('heard'))
  })
  await page.hot.dispatch('news')
  assert.deepEqual(page.said(), ['reported a listener of news in app: threw', 'heard', 'reported a listener of news in app: rejected'])
})

test('a throwing vite:beforeUpdate listener does not keep the update back', async () => {
  const { page } = await opened(({ hot }) => (hot.accept(), hot.on('vite:beforeUpdate', () => {
    throw new Error('threw')
  })))
  assert.equal((await page.save('app', {})).result, 'updated')
})

test('a listener that never settles is reported, and waited for once only', async () => {
  const { page } = await opened(({ hot }) => hot.on('news', () => new Promise(() => {})))
  mock.timers.enable({ apis: ['setTimeout'] })
  const dispatched = page.hot.dispatch('news')
  await tick()
  mock.timers.tick(5000)
  await dispatched
  assert.match(page.said().join('\n'), /^reported a listener of news in app: .*has not settled for 5 s/)
  await page.hot.dispatch('news')
})

test('send passes event and data on', async () => {
  const { page, hot } = await opened()
  hot.send('question', { of: 'life' })
  hot.send('nothing')
  assert.deepEqual(page.said(), ['sent question {"of":"life"}', 'sent nothing undefined'])
})
