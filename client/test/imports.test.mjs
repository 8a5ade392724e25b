/** `import()`s that failed, and what makes their modules run again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

const { FailedImports, Registry } = await import(pathToFileURL(process.env.REKINDLE_CLIENT).href)

/** A page whose /app.js called `import('/lazy.js')`, which imports /part.js; the import failed. */
function withFailedImport({ broken = [], wasCut = false } = {}) {
  const registry = new Registry({ metaOf: () => ({}), runtimeOf: () => ({}) })
  const define = (id, version, links = []) => {
    const meta = { deps: links, names: links.map(() => []) }
    registry.define(id, `${id} ${version}`, links, 0, meta, function*(setExports) {
      setExports({}, () => {})
      yield
    })
  }
  define('/app.js', 1)
  registry.entries.add('/app.js')
  registry.run(['/app.js'])
  const isBroken = new Set(broken)
  const failed = new FailedImports(registry, (id) => isBroken.has(id))
  const importer = registry.instances.get('/app.js')
  if (!isBroken.has('/lazy.js')) define('/lazy.js', 1, ['/part.js'])
  if (!isBroken.has('/part.js')) define('/part.js', 1)
  failed.note('/lazy.js', importer, wasCut)
  return { registry, define, failed, importer, isBroken }
}

test('while nothing of what it needs has changed, it would fail again', () => {
  const { registry, failed } = withFailedImport()
  assert.deepEqual([failed.isDue, failed.retry(), registry.stale.size], [false, [], 0])
})

test('a new version of something that it needs makes the importer due', () => {
  const { registry, define, failed } = withFailedImport()
  define('/part.js', 2)
  assert.deepEqual([failed.isDue, failed.retry()], [true, ['/lazy.js']])
  assert.deepEqual([[...registry.stale], failed.isDue], [['/app.js'], false])
})

test('so does the end of an error, with the text of before', () => {
  const { registry, define, failed, isBroken } = withFailedImport({ broken: ['/lazy.js'] })
  assert.equal(failed.isDue, false)
  isBroken.delete('/lazy.js')
  assert.equal(failed.isDue, true)
  define('/lazy.js', 1)
  failed.retry()
  assert.deepEqual([...registry.stale], ['/app.js'])
})

test('a change that leaves something broken does not', () => {
  const { registry, define, failed } = withFailedImport({ broken: ['/part.js'] })
  define('/lazy.js', 2, ['/part.js'])
  assert.deepEqual([failed.retry(), registry.stale.size, failed.isDue], [['/lazy.js'], 0, false])
})

test('what the server did not answer may be asked for when it is there again', () => {
  const { registry, failed } = withFailedImport({ wasCut: true })
  assert.equal(failed.isDue, false)
  failed.reconnected()
  failed.retry()
  assert.deepEqual([...registry.stale], ['/app.js'])
})

test('a copy that was replaced waits for nothing', () => {
  const { registry, failed } = withFailedImport()
  assert.equal(failed.needs('/part.js'), true)
  registry.run(['/app.js'], new Set(['/app.js']))
  assert.equal(failed.needs('/part.js'), false)
  assert.deepEqual(failed.forgetReplaced(), ['/lazy.js'])
})

test('a copy that is due stays so when it is put back', () => {
  const { registry, define, failed, importer } = withFailedImport()
  define('/lazy.js', 2)
  failed.retry()
  registry.run(['/app.js'], new Set(['/app.js']))
  assert.equal(registry.stale.size, 0)
  registry.install(importer)
  assert.deepEqual([...registry.stale], ['/app.js'])
})
