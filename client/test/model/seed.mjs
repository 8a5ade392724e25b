/** Runs the sequence of one seed; a failing one is shrunk and described as a short list of steps, with the files. */
import { pageOf, textOf, textsOf } from './project.mjs'
import { inWords, makeSequence, runSequence } from './sequence.mjs'
import { shrink } from './shrink.mjs'

export async function runSeed(driver, folder, seed, { ops, trace = false, shrinks = true } = {}) {
  const sequence = makeSequence(seed, ops)
  const failureOf = async (candidate, say = null) => {
    try {
      return { numbers: await runSequence(driver, folder, candidate, say) }
    } catch (error) {
      return { error }
    }
  }
  const { numbers, error } = await failureOf(sequence, trace && !shrinks ? console.log : null)
  if (!error) return { numbers }
  if (!shrinks) return { failure: inFull(seed, ops, sequence, error) }
  const kind = kindOf(error)
  const short = await shrink(sequence, async (candidate) => {
    const { error } = await failureOf(candidate)
    return error !== undefined && kindOf(error) === kind
  })
  const last = await failureOf(short.sequence, trace ? console.log : null)
  return { failure: inFull(seed, ops, short.sequence, last.error ?? error) }
}

function inFull(seed, ops, { project, steps }, error) {
  const text = error.constructor.name === 'Mismatch' || error.constructor.name === 'Restless' ? error.message : error.stack
  const files = Object.entries(textsOf(project)).map(([file, source]) => `--- ${file}\n${source}`)
  const textAfter = (id, spec) => (id === 'index.html' ? pageOf({ ...project, pageText: spec }) : textOf(project, spec))
  const edited = steps.flatMap(({ set }, at) =>
    Object.entries(set ?? {}).map(([id, spec]) => `--- step ${at + 1}: ${id}${spec === null ? ' is deleted' : `\n${textAfter(id, spec)}`}`)
  )
  return [
    `seed ${seed}: ${text}`,
    '',
    ...steps.map((step, at) => `${at + 1}. ${inWords(step)}`),
    `${steps.length + 1}. mend everything, wait until all is quiet, and compare`,
    '',
    ...files,
    ...edited,
    `again: node --experimental-vm-modules client/test/model/run.mjs --seed ${seed}${ops ? ` --ops ${ops}` : ''}`,
  ].join('\n')
}

/** The kind of a failure, without names in it: a shrunk sequence must fail in the same way. */
function kindOf(error) {
  const [first] = error.message.split('\n')
  return `${error.constructor.name} ${
    / copies of | shows | overlay | order | sheets are | twice| data |text is|rejected|panicked|does not run|failed:/.exec(first)?.[0] ?? first
  }`
}
