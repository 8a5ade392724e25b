/** CommonJS: when a required module runs, what is picked of a barrel, how importers see `module.exports`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Page } from './page.mjs'

/** A CommonJS module; `run` gets `module`, `exports`, `require` and `log`. */
function commonjs(page, id, deps, run, version = 1) {
  const factory = (module, exports, require) => run({ module, exports, require, log: (line) => page.log.push(line) })
  page.registry.define(id, `${id} v${version}`, deps, 0, { deps, names: [], cjs: true }, factory)
}

const es = (page, id, deps, run, flags) =>
  page.module(id, { deps, run: (module) => run({ ...module, log: (line) => module.log.push(line) }), ...flags })

test('a required module runs at the call, once, and one that is not required not at all', async () => {
  const page = new Page()
  commonjs(page, 'a', ['b', 'never'], ({ require, log }) => (log('a'), require('b'), require('b'), log('end')))
  commonjs(page, 'b', [], ({ log }) => log('b'))
  commonjs(page, 'never', [], ({ log }) => log('never'))
  es(page, 'page', ['a'], ({ log }) => log('page'))
  await page.open('page')
  assert.deepEqual(page.said(), ['a', 'b', 'end', 'page'])
  assert.equal(page.registry.hasStarted('never'), false)
})

test('a module that is only required so far runs when it is imported, with what it imports', async () => {
  const page = new Page()
  commonjs(page, 'a', ['es'], ({ exports, require }) => (exports.later = () => require('es')))
  es(page, 'part', [], ({ log }) => log('part'))
  es(page, 'es', ['part'], ({ log }) => log('es'), { exports: { value: 1 } })
  es(page, 'page', ['a'], ({ log }) => log('page'))
  await page.open('page')
  assert.deepEqual(page.said(), ['page'])
  es(page, 'second', ['es'], ({ log, use }) => log(`second ${use('es').value}`))
  await page.open('second')
  assert.deepEqual(page.said(), ['part', 'es', 'second 1'])
})

test('an ES module that is required runs at the call, and is marked', async () => {
  const page = new Page()
  es(page, 'part', [], ({ log }) => log('part'))
  es(page, 'es', ['part'], ({ log }) => log('es'), { exports: { default: 1, named: 2 } })
  commonjs(page, 'a', ['es'], ({ require, log }) => {
    log('a')
    const { __esModule, default: value, named } = require('es')
    log([__esModule, value, named].join())
    log(String(require('es') === require('es')))
  })
  es(page, 'page', ['a'], () => {})
  await page.open('page')
  assert.deepEqual(page.said(), ['a', 'part', 'es', 'true,1,2', 'true'])
})

test('what awaits at its top level runs before the module that requires it', async () => {
  const page = new Page()
  let release
  const gate = new Promise((done) => (release = done))
  es(page, 'slow', [], async ({ log }) => (await gate, log('slow')), { async: true, exports: { value: 1 } })
  commonjs(page, 'between', ['slow'], ({ exports, require }) => (exports.value = require('slow').value))
  commonjs(page, 'a', ['between'], ({ require, log }) => log(`a ${require('between').value}`))
  es(page, 'page', ['a'], ({ log }) => log('page'))
  const opened = page.open('page')
  release()
  await opened
  assert.deepEqual(page.said(), ['slow', 'a 1', 'page'])
})

test('a module that throws is tried again by the next require', async () => {
  const page = new Page()
  let tries = 0
  commonjs(page, 'moody', [], ({ exports }) => {
    exports.half = true
    if (++tries === 1) throw new Error('no')
    exports.tries = tries
  })
  commonjs(page, 'a', ['moody'], ({ require, log }) => {
    try {
      require('moody')
    } catch (error) {
      log(error.message)
    }
    log(`${require('moody').tries} ${require('moody').half}`)
  })
  es(page, 'page', ['a'], () => {})
  await page.open('page')
  assert.deepEqual(page.said(), ['no', '2 true'])
})

test('an update runs the required module when its new requirer asks for it', async () => {
  const page = new Page()
  const requirer = ({ exports, require, log }) => (log('a'), (exports.value = require('b').value))
  commonjs(page, 'a', ['b'], requirer)
  commonjs(page, 'b', [], ({ exports, log }) => (log('b 1'), (exports.value = 1)))
  es(page, 'page', ['a'], ({ hot, log, use }) => (hot.accept(), log(`page ${use('a').value}`)))
  await page.open('page')
  assert.deepEqual(page.said(), ['a', 'b 1', 'page 1'])
  commonjs(page, 'b', [], ({ exports, log }) => (log('b 2'), (exports.value = 2)), 2)
  await page.update()
  assert.deepEqual(page.said().filter((line) => /^(a|b|page) ?\d?$/.test(line)), ['a', 'b 2', 'page 2'])
  commonjs(page, 'b', [], () => {
    throw new Error('broken')
  }, 3)
  await page.update()
  assert.match(page.failures.join(), /broken/)
  assert.equal(page.registry.instances.get('b').cjs.exports.value, 2)
})

test('importers of a cycle read what was exported after they ran', async () => {
  const page = new Page()
  let read
  commonjs(page, 'c', ['back'], ({ module, require }) => {
    require('back')
    module.exports = { late: 'late' }
  })
  es(page, 'back', ['c'], ({ use }) => (read = () => use('c').late))
  es(page, 'page', ['c'], () => {})
  await page.open('page')
  assert.equal(read(), 'late')
})

test('names picked of a barrel are read where they are declared, also after an update', async () => {
  const page = new Page()
  page.module('one', { exports: { default: 1 } })
  page.module('two', { exports: { value: 2 } })
  const picked = { One: ['one', 'default'], two: ['two', 'value'], all: ['two', '*'] }
  let namespace
  function* factory(setExports) {
    setExports({ passed: () => {} }, (namespaceOf) => (namespace = namespaceOf(0)))
    yield
  }
  page.registry.define('user', 'v1', [picked], 0, { deps: ['barrel'], names: [['One', 'two', 'all']], from: { passed: [0, 'two'] } }, factory)
  let passed
  es(page, 'page', ['user', 'one', 'two'], ({ hot, use }) => (hot.accept(['one', 'two', 'user']), (passed = () => use('user').passed)))
  await page.open('page')
  assert.deepEqual([namespace.One, namespace.two, namespace.all.value, passed()], [1, 2, 2, 2])
  await page.save('two', { exports: { value: 3 } })
  assert.deepEqual([namespace.One, namespace.two, passed()], [1, 3, 3])
  assert.deepEqual([...page.registry.importers.get('one')].sort(), ['page', 'user'])
})

test('default is module.exports, or what a compiled module calls its default', async () => {
  const page = new Page()
  commonjs(
    page,
    'compiled',
    [],
    ({ exports }) => Object.assign(Object.defineProperty(exports, '__esModule', { value: true }), { default: 'd', named: 'n' }),
  )
  const seen = ({ log, use }) => log(`${typeof use('compiled').default} ${use('compiled').named}`)
  es(page, 'as Node', ['compiled'], seen)
  es(page, 'as Babel', ['compiled'], seen, { babel: 1 })
  await page.open('as Node', 'as Babel')
  assert.deepEqual(page.said(), ['object n', 'string n'])
})
