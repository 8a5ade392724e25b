/** Names of modules with their queries: where they are split, and what is made of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

const query = await import(pathToFileURL(process.env.REKINDLE_CLIENT).href)

test('a name ends where its query begins, and a specifier also where its fragment does', () => {
  assert.deepEqual(query.splitQuery('/a.ts?v=1?2'), ['/a.ts', 'v=1?2'])
  assert.deepEqual(query.splitQuery('/a.ts'), ['/a.ts', undefined])
  assert.equal(query.pathOf('/a #1.ts?raw'), '/a #1.ts')
  assert.deepEqual(query.splitSuffix('./a.svg?v=2#icon'), ['./a.svg', '?v=2#icon'])
  assert.deepEqual(query.splitSuffix('./a.svg#icon?v=2'), ['./a.svg', '#icon?v=2'])
})

test('what follows an address joins its query, and leaves one alone that is its content', () => {
  assert.equal(query.withSuffix('/a.svg?t=1', '?v=2#icon'), '/a.svg?t=1&v=2#icon')
  assert.equal(query.withSuffix('/a.svg', '?v=2'), '/a.svg?v=2')
  assert.equal(query.withSuffix('data:,a', '?v=2#icon'), 'data:,a#icon')
})

test('the sheet of a link is told from others, and has a name for users', () => {
  const sheet = query.linkedSheet('/site.css')
  assert.deepEqual([sheet, query.isLinkedSheet(sheet), query.isLinkedSheet('/site.css')], ['/site.css?direct', true, false])
  assert.equal(query.withoutDirect(sheet), '/site.css')
  const address = new URL('http://x/site.css?v=1&direct')
  query.renewLinkAddress(address, 7)
  assert.equal(address.search, '?v=1&t=7')
})

test('the script of a worker says which kind of worker it starts', () => {
  const address = new URL(query.workerAddress('http://x/count.ts'))
  assert.deepEqual([query.isWorkerAddress(address), query.isClassicWorker(address)], [true, false])
  query.markClassicWorker(address)
  assert.deepEqual([query.isWorkerAddress(address), query.isClassicWorker(address)], [true, true])
  assert.equal(query.isWorkerAddress(new URL('http://x/count.ts?worker')), false)
})
