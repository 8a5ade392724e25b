/** `import()`s at once of modules that the server has not compiled yet: all of them load, and no address is refused. */
import assert from 'node:assert/strict'
import { test } from './harness.mjs'

/** `count` routes in `folder`, each with a part of its own and one that all share. */
function routes(count, folder = 'routes') {
  const files = { [`${folder}/shared.js`]: 'export const one = 1' }
  for (let n = 0; n < count; n++) {
    files[`${folder}/part${n}.js`] = `export const part = 1`
    files[`${folder}/r${n}.js`] =
      `import { part } from './part${n}.js'\nimport { one } from './shared.js'\nimport './r${n}.css'\nexport const loaded = part * one`
    files[`${folder}/r${n}.css`] = `.r${n} { color: red }`
  }
  return files
}

/** Imports all of them at once and reports how many came, and what the first that did not had to say. */
const loading = (count, tell, folder = './routes') =>
  `const all = [${Array.from({ length: count }, (_, n) => `import('${folder}/r${n}.js')`).join(', ')}]
Promise.allSettled(all).then((ends) => {
  const failed = ends.find(({ status }) => status === 'rejected')
  ;${tell}(failed ? String(failed.reason) : ends.filter(({ value }) => value.loaded === 1).length + ' loaded')
})`

const inPage = `((text) => show('a', text))`

/** What the server refused, from now on. */
function refusals(tab) {
  const refused = []
  tab.page.on('response', (response) => {
    if (response.status() >= 400) refused.push(`${response.status()} ${new URL(response.url()).pathname}`)
  })
  return refused
}

async function allLoad(app, tab, refused, count) {
  await tab.sees('#a', `${count} loaded`, 20_000)
  assert.deepEqual(refused, [])
  assert.equal(await tab.overlayText(), null)
}

for (const count of [5, 10, 100]) {
  test(`${count} lazy routes at once, on a server that has just started`, {
    files: { 'main.js': loading(count, inPage), ...routes(count) },
    load: false,
  }, async (app) => {
    const tab = await app.tab({ blank: true })
    const refused = refusals(tab)
    await tab.page.goto(app.url)
    await allLoad(app, tab, refused, count)
  })
}

test('thirty matches of a lazy glob at once', {
  files: {
    'main.js':
      `const all = Object.values(import.meta.glob('./routes/r*.js'))\nPromise.all(all.map((load) => load())).then((ends) => show('a', ends.length + ' loaded'), (error) => show('a', error))`,
    ...routes(30),
  },
  load: false,
}, async (app) => {
  const tab = await app.tab({ blank: true })
  const refused = refusals(tab)
  await tab.page.goto(app.url)
  await allLoad(app, tab, refused, 30)
})

test('twenty lazy routes at once in a worker', {
  files: {
    'main.js':
      `const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })\nworker.onmessage = ({ data }) => show('a', data)`,
    'worker.js': loading(20, 'postMessage'),
    ...Object.fromEntries(Object.entries(routes(20)).map(([name, text]) => [name, text.replace(/import '.*css'\n/, '')])),
  },
  load: false,
}, async (app) => {
  const tab = await app.tab({ blank: true })
  const refused = refusals(tab)
  await tab.page.goto(app.url)
  await allLoad(app, tab, refused, 20)
})

test('ten lazy routes in the page and ten in its worker, at once', {
  files: {
    'main.js':
      `const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })\nworker.onmessage = ({ data }) => show('b', data)\n${
        loading(10, inPage)
      }`,
    'worker.js': loading(10, 'postMessage', './more'),
    ...routes(10),
    ...Object.fromEntries(Object.entries(routes(10, 'more')).map(([name, text]) => [name, text.replace(/import '.*css'\n/, '')])),
  },
  load: false,
}, async (app) => {
  const tab = await app.tab({ blank: true })
  const refused = refusals(tab)
  await tab.page.goto(app.url)
  await allLoad(app, tab, refused, 10)
  await tab.sees('#b', '10 loaded')
})

test('ten routes that a hot edit names for the first time, and an edit of one of them while they load', {
  files: { 'main.js': `show('a', 'none')\nimport.meta.hot.accept()`, ...routes(10) },
}, async (app) => {
  const refused = refusals(app.first)
  app.write('main.js', `${loading(10, inPage)}\nimport.meta.hot.accept()`)
  await allLoad(app, app.first, refused, 10)
  await app.stayed()
  app.write('routes/r3.js', `export const loaded = 1\nimport.meta.hot.accept()\nshow('b', 'edited')`)
  await app.sees('#b', 'edited')
})

test('edits go on while thirty lazy routes load', {
  files: { 'main.js': `import './typed.js'\n${loading(30, inPage)}`, 'typed.js': `show('b', 0)\nimport.meta.hot.accept()`, ...routes(30) },
  load: false,
}, async (app) => {
  let n = 0
  const typing = setInterval(() => app.write('typed.js', `show('b', ${++n})\nimport.meta.hot.accept()`), 30)
  try {
    const tab = await app.tab({ blank: true })
    const refused = refusals(tab)
    await tab.page.goto(app.url)
    await allLoad(app, tab, refused, 30)
    clearInterval(typing)
    await tab.sees('#b', String(n))
  } finally {
    clearInterval(typing)
  }
})

test('ten frames of a page, each with ten lazy routes, at once', {
  files: {
    'index.html': `<!doctype html><head><link rel="icon" href="data:,"></head><body><p id="a"></p><script>
let [done, failed] = [0, '']
onmessage = ({ data }) => { if (data === '10 loaded') done += 1; else failed = data; document.getElementById('a').textContent = failed || done + ' frames' }
</script>${Array.from({ length: 10 }, (_, n) => `<iframe src="/frame.html?${n}"></iframe>`).join('')}</body>`,
    'frame.html': `<!doctype html><head><link rel="icon" href="data:,"></head><body><script type="module" src="/frame.js"></script></body>`,
    'frame.js': loading(10, '((text) => parent.postMessage(text))'),
    ...routes(10),
  },
  load: false,
}, async (app) => {
  const tab = await app.tab({ blank: true })
  const refused = refusals(tab)
  await tab.page.goto(app.url)
  await tab.sees('#a', '10 frames', 20_000)
  assert.deepEqual(refused, [])
})

test('ten tabs at once, each with ten lazy routes of its own', {
  files: {
    'main.js':
      `const which = location.search.slice(1)\nconst all = Object.entries(import.meta.glob('./routes/r*.js')).filter(([name]) => Number(/\\d+/.exec(name)) % 10 === Number(which))\nPromise.all(all.map(([, load]) => load())).then((ends) => show('a', ends.length + ' loaded'), (error) => show('a', error))`,
    ...routes(100),
  },
  load: false,
}, async (app) => {
  const tabs = []
  for (let n = 0; n < 10; n++) tabs.push(await app.tab({ blank: true }))
  const refused = tabs.map(refusals)
  await Promise.all(tabs.map((tab, n) => tab.page.goto(new URL(`/?${n}`, app.url).href)))
  for (const tab of tabs) await tab.sees('#a', '10 loaded', 20_000)
  assert.deepEqual(refused.flat(), [])
})
