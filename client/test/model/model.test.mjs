/**
 * The model test without a browser: sequences of what happens to projects and tabs, through the real compiler, graph, wire and client.
 * `cargo xtask test --only model`; one seed by hand: see `run.mjs`.
 *
 * A ratchet, as long as not every sequence goes well: `known.txt` lists the seeds that fail, each with what is wrong. A seed that is not
 * in it and fails twice is a failure. `REKINDLE_MODEL_SEQUENCES` runs more than 800 (the aim is 2,000 within three minutes).
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const BLOCK = 100
const SEQUENCES = Number(process.env.REKINDLE_MODEL_SEQUENCES ?? 800)

const program = fileURLToPath(new URL('run.mjs', import.meta.url))
const list = readFileSync(new URL('known.txt', import.meta.url), 'utf8')
const known = new Set([...list.matchAll(/^seed (\d+):/gm)].map(([, seed]) => Number(seed)))

/** Runs seeds; gives those that fail, and what was printed. */
function run(seed, count, ...more) {
  const args = ['--experimental-vm-modules', '--no-warnings', program, '--seed', String(seed), '--count', String(count), ...more]
  return new Promise((done, fail) => {
    execFile(process.execPath, args, { maxBuffer: 1 << 28 }, (_, stdout, stderr) => {
      const text = stdout + stderr
      if (!/^\{"passed":/m.test(text)) return fail(new Error(`it did not come to its end:\n${text}`))
      done({ failed: [...text.matchAll(/^seed (\d+):/gm)].map(([, failed]) => Number(failed)), text })
    })
  })
}

// Each block in a process of its own: realms of ended tabs are given back to the system.
describe('every tab shows what a fresh tab shows', { concurrency: Math.min(2, availableParallelism()) }, () => {
  for (let seed = 1; seed <= SEQUENCES; seed += BLOCK) {
    test(`in the sequences of the seeds ${seed} to ${seed + BLOCK - 1}`, async () => {
      const { failed } = await run(seed, BLOCK, '--no-shrink')
      const again = await Promise.all(failed.filter((one) => !known.has(one)).map((one) => run(one, 1)))
      const news = again.filter((result) => result.failed.length > 0)
      assert.equal(news.length, 0, news.map(({ text }) => text).join('\n'))
    })
  }
})
