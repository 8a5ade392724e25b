/** Messages and addresses that name very many modules: each has a limit, and none may keep an update away. */
import fs from 'node:fs'
import { test } from './harness.mjs'

const HOT = (text) => `show('a', '${text}')\nimport.meta.hot.accept()`
const long = 'a-folder-with-a-name-that-is-as-long-as-those-that-tools-make-'.repeat(3)

/** `count` modules below a folder with a long name, each of which needs `x.js`, and a page that runs them all. */
function widgets(count) {
  const files = {
    'main.js': `import.meta.glob('./${long}/*.js', { eager: true })\nimport './hot.js'`,
    'hot.js': HOT('one'),
    'x.js': 'export const x = 1',
  }
  for (let at = 0; at < count; at++) files[`${long}/widget-${at}.js`] = `import { x } from '../x.js'\nexport default x + ${at}`
  return files
}

test('a tab that holds thousands of broken modules is in step after a restart', { limit: 120_000, files: widgets(3600) }, async (app) => {
  await app.sees('#a', 'one')
  fs.rmSync(app.path('x.js'))
  await app.overlay('cannot find')
  await app.stop('SIGKILL')
  app.write('hot.js', HOT('two'))
  await app.start()
  await app.sees('#a', 'two', 60_000)
  app.write('x.js', 'export const x = 2')
  await app.noOverlay()
  app.write('hot.js', HOT('three'))
  await app.sees('#a', 'three')
})

test('an edit imports hundreds of modules that the page has not loaded', {
  files: { ...icons(600), 'main.js': HOT('one'), 'other.js': all(600), 'other.html': '<script type="module" src="/other.js"></script>' },
}, async (app) => {
  await app.sees('#a', 'one')
  const other = await app.tab({ blank: true })
  await other.load('other.html')
  app.write('main.js', `${all(600)}\n${HOT('two')}`)
  await app.sees('#a', 'two')
  await app.stayed()
})

test('an edit makes thousands of boundaries run again', {
  limit: 120_000,
  files: { ...boundaries(6000), 'main.js': `import.meta.glob('./${long}/*.js', { eager: true })\nimport './hot.js'`, 'hot.js': HOT('one') },
}, async (app) => {
  await app.sees('#b', '0')
  app.write('x.js', 'export const x = 1')
  await app.sees('#b', '1')
  app.write('hot.js', HOT('two'))
  await app.sees('#a', 'two')
  await app.stayed()
  if (app.first.connections > 1) throw new Error('the connection was lost')
})

function icons(count) {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`src/components/icons/icon${at}.js`, `export const icon${at} = ${at}`]))
}

function all(count) {
  return Array.from({ length: count }, (_, at) => `import './src/components/icons/icon${at}.js'`).join('\n')
}

function boundaries(count) {
  const files = { 'x.js': 'export const x = 0' }
  for (let at = 0; at < count; at++) files[`${long}/widget-${at}.js`] = `import { x } from '../x.js'\nshow('b', x)\nimport.meta.hot.accept()`
  return files
}
