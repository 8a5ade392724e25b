/**
 * Tests whose tab comes over a line that can be cut (`line.mjs`); files and terminal do not.
 *
 *     lineTest('a tab that was away …', { files }, async (app, line) => {
 *       line.cut()
 *       await app.noticed('a.js', () => app.edit('a.js', '1', '2'))
 *       line.mend()
 *       await app.sees('#a', '2')
 *     })
 */
import { test } from './harness.mjs'
import { freePort, Line } from './line.mjs'

/** A test whose tab comes over a line. */
export function lineTest(title, fixture, body) {
  test(title, { ...fixture, start: false }, async (app) => {
    app.port = await freePort()
    const line = await Line.to(app.port)
    app.write('rekindle.toml', line.settings)
    try {
      await app.start()
      app.url = line.url
      if (fixture.load !== false) await app.load()
      await body(app, line)
    } finally {
      line.close()
    }
  })
}

/** Kills the server without warning and starts it on the same port; `meanwhile` happens while it is away. */
export async function restart(app, meanwhile = () => {}) {
  const { url } = app
  await app.stop('SIGKILL')
  await meanwhile()
  await app.start()
  app.url = url
}
