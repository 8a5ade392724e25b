/**
 * Makes a failing sequence short: takes steps out, then files out of steps, then the roundabout ways of saving, as long
 * as it still fails. What depends on time may not fail each time, so each candidate has two tries.
 */
export async function shrink(sequence, fails, { until, tries = 2, note = (_best) => {} }) {
  let best = sequence
  const attempt = async (candidate) => {
    for (let n = 0; n < tries && Date.now() < until; n++) {
      const difference = await fails(candidate)
      if (difference) {
        best = { ...candidate, difference }
        note(best)
        return true
      }
    }
    return false
  }

  for (let size = Math.ceil(best.steps.length / 2); size >= 1 && Date.now() < until; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = best.steps.length - size; at > -size && Date.now() < until; at -= size) {
      const from = Math.max(0, at)
      const steps = best.steps.filter((_, nth) => nth < from || nth >= from + size)
      if (steps.length < best.steps.length && steps.length > 0) await attempt({ ...best, steps: atEndQuiet(steps) })
    }
  }
  for (const candidate of simpler(best)) {
    if (Date.now() > until) break
    await attempt(candidate(best) ?? best)
  }
  return best
}

/** Tabs are compared at quiet points, so a sequence has to end with one. */
function atEndQuiet(steps) {
  return steps.at(-1).do === 'quiet' ? steps : [...steps, { do: 'quiet' }]
}

/** Changes of one step each, from a sequence to a plainer one; by position, since earlier ones may have changed it. */
function* simpler({ steps }) {
  for (const [at, step] of steps.entries()) {
    if (step.do !== 'save' && step.do !== 'checkout') continue
    for (const name of Object.keys(step.files)) {
      yield (best) => replaceStep(best, at, ({ files: { [name]: _, ...files }, ...rest }) => ({ ...rest, files }))
    }
    if (step.do === 'checkout') {
      yield (best) => replaceStep(best, at, ({ files }) => ({ do: 'save', files, moves: [], how: 'write', gap: 0, apart: 0 }))
    } else if (step.how !== 'write' || step.apart > 0) yield (best) => replaceStep(best, at, (one) => ({ ...one, how: 'write', gap: 0, apart: 0 }))
  }
}

function replaceStep(best, at, change) {
  return { ...best, steps: best.steps.map((step, nth) => (nth === at ? change(step) : step)) }
}
