/**
 * The model test through server and Chromium: random projects and random sequences of what happens to them.
 *
 *     node e2e/model/run.mjs                           60 sequences, seeds 1 to 60
 *     node e2e/model/run.mjs --seed 17 --count 1       one of them
 *     node e2e/model/run.mjs --count 1000 --jobs 2     many
 *     node e2e/model/run.mjs --replay FILE             what a failure has left
 *
 *     --ops N       what happens in each, besides the end (12)      --shrink S    seconds for making a failure short (120)
 *     --out FOLDER  where failures and summary.json go (target/model)
 *
 * The end is 0 if all tabs were always right, 1 otherwise. A browser that crashes is started again, with the sequence.
 */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { makeSequence } from './sequence.mjs'
import { shrink } from './shrink.mjs'
import { story } from './story.mjs'
import { Difference, World } from './world.mjs'

/** The run was interrupted: sequences that are under way are stopped, and no other begins. */
let stopped = false

/** One sequence may take this long, whatever it waits for. */
const LONGEST = 180_000

class Browser {
  async get() {
    if (!this.browser?.isConnected()) {
      this.browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        chromiumSandbox: false,
        args: ['--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
      })
    }
    return this.browser
  }

  async close() {
    await this.browser?.close().catch(() => {})
  }
}

/** Carries a sequence out. Returns the difference that was seen, with what everybody said, or nothing. */
async function carryOut(browsers, { files, steps }, tries = 3) {
  const browser = await browsers.get()
  let world
  let timer
  const late = new Promise((_, fail) => (timer = setTimeout(() => fail(new Difference(`the sequence took more than ${LONGEST / 1000} s`)), LONGEST)))
  try {
    return await Promise.race([late, through()])
  } catch (error) {
    if (stopped) return undefined
    if (!browser.isConnected() && tries > 1) return carryOut(browsers, { files, steps }, tries - 1)
    throw error
  } finally {
    clearTimeout(timer)
    await world?.close()
  }

  async function through() {
    let at = -1
    try {
      world = await World.of(browser, files)
      for (at = 0; at < steps.length; at++) await world.perform(steps[at])
    } catch (error) {
      if (!(error instanceof Difference)) throw error
      return { step: at, text: error.message, story: world?.story() ?? '' }
    }
  }
}

/** One seed: nothing if it went well; else the failure, as short as time allows. */
async function runSeed(browsers, seed, options) {
  const sequence = makeSequence(seed, options.ops)
  const difference = await carryOut(browsers, sequence)
  if (!difference) return undefined
  const cut = { ...sequence, steps: sequence.steps.slice(0, difference.step + 1), difference }
  const until = Date.now() + options.shrink * 1000
  const short = options.shrink > 0 ? await shrink(cut, (candidate) => carryOut(browsers, candidate), { until }) : cut
  return { ...short, stepsBefore: sequence.steps.length }
}

/** Runs the seeds on `jobs` browsers at once; tells of each failure, and gives all of them. */
export async function run(options) {
  const seeds = Array.from({ length: options.count }, (_, n) => options.seed + n)
  const summary = { seeds: [seeds[0], seeds.at(-1)], ops: options.ops, done: 0, failed: [], broke: [], seconds: 0 }
  const began = Date.now()
  const workers = Array.from({ length: Math.min(options.jobs, seeds.length) }, async () => {
    const browsers = new Browser()
    for (let seed; !stopped && (seed = seeds.shift()) !== undefined;) {
      try {
        const failure = await runSeed(browsers, seed, options)
        if (failure) summary.failed.push(keep(failure, options))
      } catch (error) {
        if (stopped) break
        const text = String(error.stack ?? error).split('\n').slice(0, 12).join('\n') // Errors of browsers are long.
        summary.broke.push({ seed, error: text })
        options.say(`seed ${seed} could not be carried out: ${text}`)
        await browsers.close()
      }
      if (stopped) break
      summary.done += 1
      summary.seconds = Math.round((Date.now() - began) / 1000)
      options.progress(summary)
      save(summary, options)
    }
    await browsers.close()
  })
  await Promise.all(workers)
  return summary
}

function save(summary, { out }) {
  fs.mkdirSync(out, { recursive: true })
  fs.writeFileSync(path.join(out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
}

function keep(failure, { out, say }) {
  fs.mkdirSync(out, { recursive: true })
  const file = path.join(out, `seed-${failure.seed}.json`)
  fs.writeFileSync(file, `${JSON.stringify(failure, null, 2)}\n`)
  const text = story(failure, failure.difference.text)
  fs.writeFileSync(path.join(out, `seed-${failure.seed}.txt`), `${text}\n\n${failure.difference.story}\n`)
  say(
    `${'─'.repeat(80)}\n${text}\n\n${failure.steps.length} steps, of ${failure.stepsBefore}; again: node e2e/model/run.mjs --replay ${
      path.relative('.', file)
    }\n`,
  )
  return { seed: failure.seed, steps: failure.steps.length, difference: failure.difference.text }
}

export const defaults = {
  seed: 1,
  count: 60,
  ops: 12,
  jobs: 2,
  shrink: 120,
  out: fileURLToPath(new URL('../../target/model', import.meta.url)),
  say: (text) => console.log(text),
  progress: () => {},
}

function progress({ done, failed, broke, seconds }, count) {
  const line = `${done} of ${count} sequences, ${failed.length} failed${
    broke.length > 0 ? `, ${broke.length} could not be carried out` : ''
  }, ${seconds} s`
  if (process.stdout.isTTY) process.stdout.write(`\r${line}  ${done === count ? '\n' : ''}`)
  else if (done % 20 === 0 || done === count) console.log(line)
}

async function replay(file) {
  const sequence = JSON.parse(fs.readFileSync(file, 'utf8'))
  const browsers = new Browser()
  const difference = await carryOut(browsers, sequence).finally(() => browsers.close())
  console.log(difference ? `${story(sequence, difference.text)}\n\n${difference.story}` : 'all tabs are right')
  process.exitCode = difference ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // The browser goes with the signal, and so do the sequences that are under way.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      stopped = true
      console.log(`ended by ${signal}`)
    })
  }
  const names = ['seed', 'count', 'ops', 'jobs', 'shrink', 'out', 'replay']
  const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) })
  const given = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, name === 'out' || name === 'replay' ? value : Number(value)]))
  if (given.replay) await replay(given.replay)
  else {
    const options = { ...defaults, ...given }
    const { failed, broke } = await run({ ...options, progress: (summary) => progress(summary, options.count) })
    process.exitCode = stopped || failed.length + broke.length > 0 ? 1 : 0
  }
}
