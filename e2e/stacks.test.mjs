/** The text of `error.stack` names modules, as logs, error reporters and tests expect. */
import assert from 'node:assert/strict'
import { test } from './harness.mjs'

const THROWING = (n) => `export const fail = () => { try { Unknown${n} } catch (error) { return error.stack } }\nimport.meta.hot?.accept()`

const files = {
  'main.js': `import { fail } from './(group)/fail.ts'
import { Failing } from './pkg.js'
import './app.css'
import named from 'named'
window.stacks = () => ({ fail: fail(), method: new Failing().stack(), named: named(), top: window.top_ })
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
worker.onmessage = ({ data }) => { window.ofWorker = data }
import.meta.hot.accept('./(group)/fail.ts', () => {})`,
  'pkg.js':
    `// A line\n\nwindow.top_ = new Error('top').stack\nexport class Failing { stack() { return [1].map(() => new TypeError('of a method').stack)[0] } }`,
  '(group)/fail.ts': THROWING(1),
  'app.css': 'p { order: 1 }',
  'worker.js': `import { inWorker } from './in-worker.js'\npostMessage(inWorker())`,
  'in-worker.js': `export const inWorker = () => new Error('worker').stack`,
  'node_modules/named/index.js': `module.exports = function named() { return new Error('of a package').stack }`,
}

test('stacks name modules: functions, methods, the top level, packages, workers, and after an edit', { files }, async (app) => {
  const { page } = app.first
  await page.waitForFunction(() => window.ofWorker)
  const { fail, method, named, top } = await page.evaluate(() => window.stacks())
  const ofWorker = await page.evaluate(() => window.ofWorker)
  assert.match(
    fail,
    /^ReferenceError: Unknown1 is not defined\n    at fail \[in \/%28group%29\/fail\.ts\] \(http:[^()]+\/@rekindle\/s\/[0-9a-f]+\.js:\d+:\d+\)\n/,
  )
  assert.match(fail, /\n    at (window|Window)\.stacks \[in \/main\.js\] \(/)
  assert.match(
    method,
    /^TypeError: of a method\n    at .*\[in \/pkg\.js\] \(.*\n    at Array\.map \(<anonymous>\)\n    at Failing\.stack \[in \/pkg\.js\] \(/,
  )
  assert.match(named, /    at named \[in \/node_modules\/named\/index\.js\] \(/)
  assert.match(top, /^Error: top\n    at .*\[in \/pkg\.js\] \(http/)
  assert.match(ofWorker, /    at inWorker \[in \/in-worker\.js\] \(/)
  await app.mark()
  app.write('(group)/fail.ts', `\n\n${THROWING(2)}`)
  await page.waitForFunction(() => window.stacks().fail.includes('Unknown2'))
  assert.match((await page.evaluate(() => window.stacks())).fail, /\n    at fail \([^ ]*fail\.ts/)
  await app.stayed()
})

test('a page that writes stacks itself goes on doing so', {
  files: {
    'main.js': `const before = Error.prepareStackTrace
Error.prepareStackTrace = (error, frames) => frames.length > 0 && typeof frames[0].getLineNumber
const own = new Error('x').stack
Error.prepareStackTrace = before
window.seen = [own, new Error('y').stack.includes('[in /main.js]'), Object.keys(Error).includes('prepareStackTrace')]
const thrown = Object.create(null)
Error.captureStackTrace(thrown)
window.seen.push(thrown.stack.split('\\n')[0])`,
  },
}, async (app) => {
  assert.deepEqual(await app.first.page.evaluate(() => window.seen), ['function', true, false, 'Error'])
})
