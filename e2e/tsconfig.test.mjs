/** Edits of tsconfig.json and of .env files: what they concern is compiled anew, and nothing is restarted. */
import assert from 'node:assert/strict'
import { test } from './harness.mjs'

const USER = `import { word } from '@/word'\nshow('a', word)\nimport.meta.hot!.accept()`
const paths = (folder) => JSON.stringify({ compilerOptions: { paths: { '@/*': [`./${folder}/*`] } } })

test('other paths in tsconfig.json lead to other files', {
  files: { 'main.ts': USER, 'tsconfig.json': paths('one'), 'one/word.ts': `export const word = 'one'`, 'two/word.ts': `export const word = 'two'` },
}, async (app) => {
  await app.sees('#a', 'one')
  app.write('tsconfig.json', paths('two'))
  await app.sees('#a', 'two')
  await app.stayed()
})

test('a file that tsconfig.json extends counts', {
  files: {
    'main.ts': USER,
    'tsconfig.json': '{ "extends": "./base.json" }',
    'base.json': paths('one'),
    'one/word.ts': `export const word = 'one'`,
    'two/word.ts': `export const word = 'two'`,
  },
}, async (app) => {
  await app.sees('#a', 'one')
  app.write('base.json', paths('two'))
  await app.sees('#a', 'two')
  await app.stayed()
})

test('paths count for plain JavaScript too', {
  files: {
    'main.js': USER.replace('hot!', 'hot'),
    'tsconfig.json': JSON.stringify({ compilerOptions: { allowJs: true, paths: { '@/*': ['./one/*'] } } }),
    'one/word.ts': `export const word = 'one'`,
    'two/word.ts': `export const word = 'two'`,
  },
}, async (app) => {
  await app.sees('#a', 'one')
  await app.edit('tsconfig.json', './one', './two')
  await app.sees('#a', 'two')
  await app.stayed()
})

test('an option changes how classes are compiled, also in a tsconfig.json that was not there before', {
  files: {
    'main.ts': `class Base { set x(value: number) { (this as any).seen = value } }
class Derived extends Base { x = 1 }
show('a', 'seen' in new Derived())
import.meta.hot!.accept()`,
  },
}, async (app) => {
  await app.sees('#a', 'false')
  app.write('tsconfig.json', '{ "compilerOptions": { "useDefineForClassFields": false } }')
  await app.sees('#a', 'true')
  await app.edit('tsconfig.json', 'false', 'true')
  await app.sees('#a', 'false')
  await app.stayed()
})

test('a path that could not be resolved can be once tsconfig.json appears', {
  load: false,
  files: { 'main.ts': USER, 'one/word.ts': `export const word = 'one'` },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.overlay('@/word')
  app.write('tsconfig.json', paths('one'))
  await tab.sees('#a', 'one')
  await tab.noOverlay()
})

test('an edit of .env reaches only the modules that read the key', {
  files: {
    'main.ts': `import './reader'\nimport './other'`,
    'reader.ts':
      `show('a', import.meta.env.VITE_ONE)\nimport.meta.hot!.data.runs = (import.meta.hot!.data.runs ?? 0) + 1\nshow('b', import.meta.hot!.data.runs)\nimport.meta.hot!.accept()`,
    'other.ts': `show('c', import.meta.env.VITE_TWO)\nimport.meta.hot!.accept()`,
    '.env': 'VITE_ONE=one\nVITE_TWO=two\nVITE_THREE=three\n',
  },
}, async (app) => {
  await app.sees('#a', 'one')
  await app.edit('.env', '=two', '=zwei')
  await app.sees('#c', 'zwei')
  await app.edit('.env', '=three', '=drei')
  await app.edit('.env', '=one', '=eins')
  await app.sees('#a', 'eins')
  assert.equal(await app.text('#b'), '2')
  await app.stayed()
})
