/**
 * Shrinks a failing sequence: leaves out steps, parts of steps, imports and files, as long as it still fails in the same way.
 */

/** `fails(sequence)` tells whether the same is wrong with it. Tries at most `most` sequences. */
export async function shrink(sequence, fails, most = 400) {
  let best = sequence
  let tries = 0
  const attempt = async (candidate) => {
    if (tries++ >= most || !(await fails(candidate))) return false
    best = candidate
    return true
  }
  for (let before = ''; before !== JSON.stringify(best) && tries < most;) {
    before = JSON.stringify(best)
    await withoutSteps(() => best, attempt)
    for (const simpler of [quieter, fewerFiles, unsplit, fewerImports, plainer]) {
      for (const candidate of simpler(best)) await attempt(candidate(best))
    }
  }
  return { sequence: best, tries }
}

/** Leaves out halves of the steps, then quarters, and so on to single steps. */
async function withoutSteps(best, attempt) {
  for (let size = Math.ceil(best().steps.length / 2); size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0) {
    for (let at = best().steps.length - size; at >= 0; at -= size) {
      const { project, steps } = best()
      await attempt({ project, steps: [...steps.slice(0, at), ...steps.slice(at + size)] })
    }
    const { project, steps } = best()
    if (size > 1 && steps.length % size > 0) await attempt({ project, steps: steps.slice(steps.length % size) })
  }
}

const changed = (sequence, change) => {
  const copy = structuredClone(sequence)
  change(copy)
  return copy
}

/** Replaces a partial delivery by none, or by waiting until all is quiet: both are simpler. */
function quieter({ steps }) {
  return steps.flatMap(({ after }, at) =>
    (after && after.deliveries !== -1 ? [-1, 0] : []).map((deliveries) => (now) =>
      changed(now, (copy) => void (copy.steps[at] && copy.steps[at].after && (copy.steps[at].after.deliveries = deliveries)))
    )
  )
}

function fewerFiles({ steps }) {
  return steps.flatMap((step, at) =>
    (step.set && Object.keys(step.set).length > 1 ? Object.keys(step.set) : []).map((id) => (now) =>
      changed(now, (copy) => void delete copy.steps[at].set[id])
    )
  )
}

function unsplit({ steps }) {
  return steps.flatMap((step, at) => (step.split && step.split !== 'no' ? [(now) => changed(now, (copy) => void (copy.steps[at].split = 'no'))] : []))
}

/** Leaves out one import, in the project and in every step. */
function fewerImports({ project, steps }) {
  const pairs = new Set()
  for (const files of [project.files, ...steps.map(({ set }) => set ?? {})]) {
    for (const spec of Object.values(files)) for (const { to } of spec?.uses ?? []) pairs.add(`${spec.id}>${to}`)
  }
  return [...pairs].map((pair) => (now) =>
    changed(now, (copy) =>
      everySpec(copy, (spec) => {
        spec.uses = spec.uses?.filter(({ to }) => `${spec.id}>${to}` !== pair)
        spec.accepted = spec.accepted?.filter((to) => `${spec.id}>${to}` !== pair)
      }))
  )
}

/** Leaves out files, globs, a second entry, linked sheets. */
function plainer({ project }) {
  const candidates = Object.keys(project.files).filter((id) => !project.entries.includes(id) && !project.linked.includes(id)).map((id) => (copy) =>
    void delete copy.project.files[id]
  )
  candidates.push((copy) => everySpec(copy, (spec) => void (spec.glob &&= null)))
  if (project.entries.length > 1) candidates.push((copy) => void copy.project.entries.pop())
  candidates.push((copy) => {
    for (const id of copy.project.linked.splice(0)) delete copy.project.files[id]
  })
  return candidates.map((change) => (now) => changed(now, change))
}

function everySpec({ project, steps }, change) {
  for (const files of [project.files, ...steps.map(({ set }) => set ?? {})]) for (const spec of Object.values(files)) if (spec?.id) change(spec)
}
