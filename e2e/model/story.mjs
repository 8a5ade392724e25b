/** A sequence in words, for the person who reads a failure. */

export function story({ seed, files, steps }, difference) {
  const lines = [`seed ${seed}`, '', 'Files:']
  for (const [name, text] of Object.entries(files)) lines.push(...block(name, text))
  lines.push('', 'Steps, with the page open:')
  const now = { ...files }
  steps.forEach((step, at) =>
    lines.push(...told(step, now).map((line, nth) => (nth === 0 ? `${String(at + 1).padStart(3)}. ${line}` : `     ${line}`)))
  )
  lines.push('', 'Then:', ...difference.split('\n').map((line) => `  ${line}`))
  return lines.join('\n')
}

function block(name, text) {
  return [`  ${name}`, ...text.trimEnd().split('\n').map((line) => `    | ${line}`)]
}

const HOW = {
  write: () => 'save',
  truncate: (gap) => `save, emptied ${gap} ms before,`,
  rename: () => 'save, by a new file that is renamed over it,',
  recreate: (gap) => `save, deleted ${gap} ms before,`,
  halves: (gap) => `save, the first half ${gap} ms before,`,
}

const PLAIN = {
  open: 'open another tab, without waiting for it',
  cut: 'cut the line',
  cutSockets: 'cut the WebSockets and refuse new ones',
  mend: 'mend the line',
  freeze: 'leave the WebSockets half-open',
  reset: 'end the half-open WebSockets',
  wake: 'look at the tabs (visibilitychange)',
  kill: 'kill -9 the server',
  start: 'start the server again',
  quiet: 'wait until all tabs are as a fresh one',
}

/** One step; `now` is brought from the texts before it to those after. */
function told(step, now) {
  switch (step.do) {
    case 'save':
      return savedFiles(step, now)
    case 'checkout':
      return ['git checkout of a branch where', ...changes(step.files, now)]
    case 'pause':
      return [`wait ${step.ms} ms`]
    case 'reload':
      return [`reload tab ${step.tab + 1}, without waiting for it`]
    case 'close':
      return [`close tab ${step.tab + 1}`]
    default:
      return [PLAIN[step.do]]
  }
}

function savedFiles({ files, moves, how, gap, apart }, now) {
  for (const [from, to] of moves) {
    for (const name of Object.keys(now)) {
      if (name !== from && !name.startsWith(`${from}/`)) continue
      now[to + name.slice(from.length)] = now[name]
      delete now[name]
    }
  }
  const first = [HOW[how](gap), ...(apart > 0 && Object.keys(files).length > 1 ? [`one by one, ${apart} ms between them`] : [])].join(' ')
  return [...moves.map(([from, to]) => `mv ${from} ${to}`), ...(Object.keys(files).length > 0 ? [first, ...changes(files, now)] : [])]
}

function changes(files, now) {
  return Object.entries(files).flatMap(([name, text]) => {
    const before = now[name]
    now[name] = text
    if (text === null) return [`  ${name}: deleted`]
    return before == null ? block(name, text) : changedLines(name, before, text)
  })
}

/** The lines that went and came; order alone is shown in full. */
function changedLines(name, before, after) {
  const [old, young] = [before, after].map((text) => text.trimEnd().split('\n'))
  const lines = [
    ...old.filter((line) => !young.includes(line)).map((line) => `    - ${line}`),
    ...young.filter((line) => !old.includes(line)).map((line) => `    + ${line}`),
  ]
  return lines.length > 0 ? [`  ${name}`, ...lines] : block(name, after)
}
