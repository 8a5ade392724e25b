/** What a tab takes in, in whatever order it arrives. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

const { Registry, Replica } = await import(pathToFileURL(process.env.REKINDLE_CLIENT).href)

function started(seq = 3) {
  const registry = new Registry({ metaOf: () => ({}), runtimeOf: () => ({}) })
  const env = {}
  const replica = new Replica(registry, env)
  segment(replica, 's1', { '/a.js': 'a1', '/b.js': 'b1' })
  replica.takeManifest(manifest({ seq, since: seq, segments: ['s1'] }))
  return { registry, replica, env }
}

function manifest(about) {
  return { session: 'one', seq: 0, segments: [], errors: {}, env: {}, ...about }
}

/**
 * A script with definitions arrives: a segment, by its address, or with `null` one that says as of which session and batch they
 * are.
 */
function segment(replica, address, hashes, ...asOf) {
  const define = replica.collect(address, ...asOf)
  for (const [id, hash] of Object.entries(hashes)) define(id, hash, [], 0, { deps: [], names: [] }, () => {})
}

function batch(about) {
  return { type: 'batch', session: 'one', timestamp: 0, definitions: [], deleted: [], errors: {}, fixed: [], links: [], pages: [], ...about }
}

/** A batch with definitions arrives. */
function push({ replica }, about, hashes = {}) {
  const message = batch(about)
  const relation = replica.relate(message)
  if (relation === 'foreign') return relation
  replica.takeStandings(message)
  const meta = { deps: [], names: [] }
  for (const [id, hash] of Object.entries(hashes)) {
    replica.takeDefinition({ id, hash, links: [], globs: [], meta, factory: () => {}, staticDeps: null }, message.seq)
  }
  return relation
}

const held = ({ registry }, id) => registry.definitions.get(id)?.hash
const broken = [{ message: 'broken' }]

test('definitions of a segment wait until a manifest names it', () => {
  const tab = started()
  segment(tab.replica, 's2', { '/c.js': 'c1' })
  assert.equal(held(tab, '/c.js'), undefined)
  tab.replica.takeManifest(manifest({ seq: 3, segments: ['s2'] }))
  assert.equal(held(tab, '/c.js'), 'c1')
})

test('an answer that was overtaken by a batch brings back nothing old', () => {
  const tab = started()
  segment(tab.replica, 's2', { '/a.js': 'a2', '/c.js': 'c1' })
  assert.equal(push(tab, { since: 3, seq: 4 }, { '/a.js': 'a2' }), 'next')
  assert.equal(push(tab, { since: 4, seq: 5 }, { '/a.js': 'a3', '/c.js': 'c2' }), 'next')
  tab.replica.takeManifest(manifest({ seq: 4, segments: ['s2'] }))
  assert.deepEqual([held(tab, '/a.js'), held(tab, '/c.js')], ['a3', 'c2'])
})

test('news is the same in whatever order and however often it arrives', () => {
  const news = [
    (tab) => push(tab, { since: 3, seq: 4, errors: { '/b.js': broken } }, { '/a.js': 'a2' }),
    (tab) => push(tab, { since: 4, seq: 5, fixed: ['/b.js'], deleted: ['/c.js'] }, { '/a.js': 'a1' }),
    (tab) => push(tab, { since: 3, seq: 6 }, { '/a.js': 'a4', '/c.js': 'c2' }),
    (tab) => (segment(tab.replica, null, { '/c.js': 'c1' }, 'one', 4), tab.replica.takeManifest(manifest({ seq: 4 }))),
  ]
  for (const order of orders(news)) {
    const tab = started()
    for (const arrives of [...order, ...order]) arrives(tab)
    const { errors, seq } = tab.replica
    assert.deepEqual([held(tab, '/a.js'), held(tab, '/c.js'), [...errors.keys()], seq], ['a4', 'c2', [], 6])
  }
})

function orders(list) {
  if (list.length < 2) return [list]
  return list.flatMap((first, at) => orders(list.toSpliced(at, 1)).map((rest) => [first, ...rest]))
}

test('a deletion outlives what was true before it', () => {
  const tab = started()
  push(tab, { since: 3, seq: 5, deleted: ['/a.js'] })
  push(tab, { since: 3, seq: 4 }, { '/a.js': 'a2' })
  assert.equal(held(tab, '/a.js'), undefined)
  push(tab, { since: 5, seq: 6 }, { '/a.js': 'a1' })
  assert.equal(held(tab, '/a.js'), 'a1')
})

test('a gap is taken in and does not count as heard', () => {
  const tab = started()
  assert.equal(push(tab, { since: 5, seq: 6 }, { '/a.js': 'a6' }), 'gap')
  assert.deepEqual([held(tab, '/a.js'), tab.replica.seq], ['a6', 3])
  assert.equal(push(tab, { since: 3, seq: 6 }, { '/a.js': 'a6', '/b.js': 'b5' }), 'next')
  assert.deepEqual([held(tab, '/b.js'), tab.replica.seq], ['b5', 6])
})

test('numbers end with their session', () => {
  const tab = started(7)
  push(tab, { since: 7, seq: 9, errors: { '/b.js': broken } }, { '/a.js': 'a9' })
  assert.equal(push(tab, { session: 'two', since: 0, seq: 1 }, { '/a.js': 'x' }), 'foreign')
  assert.equal(tab.replica.takeManifest(manifest({ session: 'two', seq: 1, errors: { '/a.js': broken } })), false)
  assert.equal(push(tab, { session: 'two', seq: 1, fixed: ['/b.js'] }, { '/a.js': 'a0' }), 'whole')
  assert.deepEqual([held(tab, '/a.js'), held(tab, '/b.js'), tab.replica.seq, tab.replica.errors.size], ['a0', 'b1', 1, 0])
  segment(tab.replica, null, { '/a.js': 'a9' }, 'one', 9)
  tab.replica.takeManifest(manifest({ session: 'one', seq: 9 }))
  assert.equal(held(tab, '/a.js'), 'a0')
})

test('nothing is taken in while all is compared, and nothing afterwards that may not have been', () => {
  const tab = started()
  tab.replica.leaveSession()
  segment(tab.replica, 's2', { '/c.js': 'old' })
  assert.equal(tab.replica.takeManifest(manifest({ seq: 3, segments: ['s2'] })), false)
  assert.equal(tab.replica.takeManifest(manifest({ session: 'two', seq: 4, segments: ['s2'] })), false)
  push(tab, { session: 'two', seq: 5 })
  assert.equal(tab.replica.takeManifest(manifest({ session: 'two', seq: 4, segments: ['s2'] })), false)
  assert.equal(held(tab, '/c.js'), undefined)
  assert.equal(tab.replica.takeManifest(manifest({ session: 'two', seq: 5, segments: ['s2'] })), true)
  assert.equal(held(tab, '/c.js'), 'old')
})

test('a page whose text is of another session than its script has all compared before it takes batches', () => {
  const registry = new Registry({ metaOf: () => ({}), runtimeOf: () => ({}) })
  const tab = { registry, replica: new Replica(registry, {}) }
  segment(tab.replica, 's1', { '/a.js': 'a1' })
  tab.replica.takeManifest(manifest({ seq: 2, segments: ['s1'] }))
  assert.equal(tab.replica.isBetween, true)
  assert.equal(push(tab, { since: 2, seq: 3 }, { '/a.js': 'a2' }), 'foreign')
  assert.equal(push(tab, { seq: 3 }, { '/a.js': 'a2' }), 'whole')
  assert.deepEqual([held(tab, '/a.js'), tab.replica.isBetween], ['a2', false])
})

test('env values are those of the newest news', () => {
  const tab = started()
  push(tab, { since: 4, seq: 5, env: { B: 2 } })
  push(tab, { since: 3, seq: 4, env: { A: 1 } })
  assert.deepEqual(tab.env, { B: 2 })
})
