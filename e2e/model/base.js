/**
 * What every page of the model test has: modules show a text, which is worked out when it is read, through their imports.
 *
 *     show('p1', () => `p1:3 ${p2}`, import.meta.hot)
 *
 * Each copy of a module that runs counts as live until it is disposed of.
 */
;(() => {
  const shown = new Map()
  const lives = {}
  const workers = new Map()
  const anomalies = []
  let asked = 0

  const waiting = new Map()

  /** Of one module; of two while a file is renamed, when the new one runs before the old one goes. */
  const copiesOf = (id) => {
    if (!shown.has(id)) shown.set(id, [])
    return shown.get(id)
  }

  window.show = (id, text, hot, cleanUp) => {
    const copy = { text }
    let isLive = true
    copiesOf(id).push(copy)
    lives[id] = (lives[id] ?? 0) + 1
    const { data } = hot
    if (data.handedOn !== undefined && data.handedOn !== data.runs) anomalies.push(`${id}: hot.data is not what its disposer was given`)
    data.runs = (data.runs ?? 0) + 1
    hot.dispose((handed) => {
      if (!isLive) anomalies.push(`${id}: a copy was disposed of twice`)
      isLive = false
      lives[id] -= 1
      copiesOf(id).splice(copiesOf(id).indexOf(copy), 1)
      handed.handedOn = handed.runs
      cleanUp?.()
    })
    hot.prune(() => {
      if (isLive) anomalies.push(`${id}: pruned before it was disposed of`)
    })
  }

  /** A worker that answers `[question, text]`; gives the function that takes it out again. */
  window.hire = (id, worker) => {
    workers.set(id, worker)
    worker.addEventListener('message', ({ data: [question, text] }) => {
      waiting.get(question)?.(text)
      waiting.delete(question)
    })
    return () => {
      if (workers.get(id) === worker) workers.delete(id)
      worker.terminate()
    }
  }

  const ask = (worker) => {
    const question = ++asked
    worker.postMessage(question)
    return new Promise((done) => {
      waiting.set(question, done)
      setTimeout(() => done('silent'), 1500)
    })
  }

  const textOf = (text) => {
    try {
      return String(text())
    } catch (error) {
      return `${error}`
    }
  }

  /** A sheet as it counts: its rules, without what was imported from elsewhere or the text around them. */
  const rulesOf = (sheet) => {
    try {
      return [...sheet.cssRules].map(({ cssText }) => cssText).join(' ')
    } catch {
      return 'unreadable'
    }
  }

  window.read = async () => {
    const texts = {}
    for (const id of [...shown.keys()].sort()) if (copiesOf(id).length > 0) texts[id] = textOf(copiesOf(id).at(-1).text)
    for (const [id, worker] of workers) texts[id] = await ask(worker)
    const overlay = document.querySelector('rekindle-error-overlay')
    return {
      texts,
      lives: Object.fromEntries(Object.entries(lives).filter(([, count]) => count !== 0).sort(([a], [b]) => (a < b ? -1 : 1))),
      sheets: [...document.styleSheets].map(rulesOf),
      title: document.querySelector('h1')?.textContent ?? null,
      overlay: overlay && [...overlay.shadowRoot.querySelectorAll('.message')].map(({ textContent }) => textContent),
      anomalies,
      whole: document.readyState === 'complete',
    }
  }
})()
