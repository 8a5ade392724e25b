/** Components take edits: React 18 and 19, Preact, and what stands beside components in a file. */
import assert from 'node:assert/strict'
import { install, test } from './harness.mjs'

const react = ['react', 'react-dom', 'scheduler']
const main = `import { createRoot } from 'react-dom/client'
import App from './App'
console.log('main ran')
createRoot(document.getElementById('a')!).render(<App />)
`
const counter = `import { useState } from 'react'
export default function App() {
  const [n, setN] = useState(0)
  return <button onClick={() => setN(n + 1)}>first {n}</button>
}
`
/** A button that counts its clicks, showing what `expression` says. */
const counting = (imports, expression) =>
  `import { useState } from 'react'
${imports}
console.log('App ran')
export default function App() {
  const [n, setN] = useState(0)
  return <button onClick={() => setN(n + 1)}>{${expression}} {n}</button>
}
`

for (const [version, packages] of [
  ['19', react],
  // React DOM 18 has a scheduler of its own inside.
  ['18', ['react-18 as react', 'react-dom-18 as react-dom', 'js-tokens', 'loose-envify']],
]) {
  test(`React ${version}: an edit of a component keeps its state, with nothing else installed`, {
    packages,
    files: { 'main.tsx': main, 'App.tsx': counter },
  }, async (app) => {
    await app.page.click('button')
    await app.sees('button', 'first 1')
    await app.edit('App.tsx', 'first', 'second')
    await app.sees('button', 'second 1')
    await app.stayed()
    assert.deepEqual(app.errors, [])
  })
}

const rendered17 = `import { render } from 'react-dom'
import App from './App'
render(<App />, document.getElementById('a'))
`
test('React 17: an edit of a component keeps its state, a change of its hooks does not', {
  packages: ['react-17 as react', 'react-dom-17 as react-dom', 'scheduler-17 as scheduler', 'object-assign', 'js-tokens', 'loose-envify'],
  files: { 'main.tsx': rendered17, 'App.tsx': counter },
}, async (app) => {
  await app.page.click('button')
  await app.edit('App.tsx', 'first', 'second')
  await app.sees('button', 'second 1')
  await app.edit('App.tsx', 'const [n', 'useState(1)\n  const [n')
  await app.sees('button', 'second 0')
  await app.stayed()
})

const inHead = (script) => `<!doctype html><script>${script}</script><p id="a"></p><script type="module" src="/main.tsx"></script>`

test('beside DevTools, which hear of everything as before', {
  packages: react,
  files: {
    'index.html': inHead(`
      heard = []
      __REACT_DEVTOOLS_GLOBAL_HOOK__ = {
        renderers: new Map(),
        supportsFiber: true,
        inject(renderer) { this.renderers.set(7, renderer); heard.push('inject'); return 7 },
        onScheduleFiberRoot(id) { heard.push('schedule ' + id) },
        onCommitFiberRoot(id) { heard.push('commit ' + id) },
        onCommitFiberUnmount() {},
      }`),
    'main.tsx': main,
    'App.tsx': counter,
  },
}, async (app) => {
  await app.page.click('button')
  await app.edit('App.tsx', 'first', 'second')
  await app.sees('button', 'second 1')
  await app.stayed()
  const heard = await app.page.evaluate(() => [...new Set(window.heard)])
  assert.deepEqual(heard.sort(), ['commit 7', 'inject', 'schedule 7'])
})

test('a page that keeps React from DevTools is reloaded by an edit', {
  packages: react,
  files: {
    'index.html': inHead(
      '__REACT_DEVTOOLS_GLOBAL_HOOK__ = { isDisabled: true, renderers: new Map(), inject() {}, supportsFiber: true, onCommitFiberRoot() {} }',
    ),
    'main.tsx': main,
    'App.tsx': counter,
  },
}, async (app) => {
  await app.sees('button', 'first 0')
  await app.edit('App.tsx', 'first', 'second')
  await app.reloaded()
  await app.sees('button', 'second 0')
})

test('two roots, a portal, and one root that is unmounted', {
  packages: react,
  files: {
    'main.tsx': `import { createRoot } from 'react-dom/client'
import App from './App'
for (const id of ['a', 'b']) createRoot(document.getElementById(id)!).render(<App />)
const gone = createRoot(document.getElementById('c')!)
gone.render(<App />)
setTimeout(() => gone.unmount(), 50)
`,
    'App.tsx': `import { useState } from 'react'
import { createPortal } from 'react-dom'
const Inner = () => <i>first</i>
export default function App() {
  const [n, setN] = useState(0)
  return <button onClick={() => setN(n + 1)}>{n} <Inner />{createPortal(<Inner />, document.body)}</button>
}
`,
  },
}, async (app) => {
  await app.sees('#c', '')
  await app.page.click('#a button')
  await app.edit('App.tsx', 'first', 'second')
  await app.sees('#a', '1 second')
  await app.sees('#b', '0 second')
  const texts = await app.page.evaluate(() => [...document.querySelectorAll('i')].map((one) => one.textContent))
  assert.deepEqual(texts, Array(4).fill('second'))
  assert.deepEqual(app.errors, [])
})

test('components in memo and forwardRef, and hooks of another file', {
  packages: react,
  files: {
    'main.tsx': main,
    'useCount.ts': `import { useState } from 'react'\nexport function useCount() {\n  return useState(0)\n}\n`,
    'App.tsx': `import { forwardRef, memo } from 'react'
import { useCount } from './useCount'
const Text = memo(() => <i>first</i>)
const Button = forwardRef<HTMLButtonElement>((_, ref) => {
  const [n, setN] = useCount()
  return <button ref={ref} onClick={() => setN(n + 1)}><Text /> {n}</button>
})
export default memo(() => <Button />)
`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.edit('App.tsx', 'first', 'second')
  await app.sees('button', 'second 1')
  await app.edit('useCount.ts', 'useState(0)', 'useState(5)')
  await app.edit('App.tsx', 'second', 'third')
  await app.sees('button', 'third 5')
  await app.stayed()
})

test('a page of another server that begins with the preamble of Vite’s plugin', {
  packages: react,
  files: {
    'index.html': `<!doctype html><link rel="icon" href="data:,"><p id="a"></p>
      <script type="module">
        import RefreshRuntime from '/@react-refresh'
        RefreshRuntime.injectIntoGlobalHook(window)
        window.$RefreshReg$ = () => {}
        window.$RefreshSig$ = () => (type) => type
        window.__vite_plugin_react_preamble_installed__ = true
      </script>
      <script type="module" src="/main.tsx"></script>`,
    'main.tsx': main,
    'App.tsx': counter,
  },
}, async (app) => {
  await app.page.click('button')
  await app.edit('App.tsx', 'first', 'second')
  await app.sees('button', 'second 1')
  await app.stayed()
  assert.deepEqual(app.errors, [])
})

test('a constant beside a component: an edit of the component is the component’s alone', {
  packages: react,
  files: {
    'main.tsx': main,
    'App.tsx': counting(`import { Label, options } from './Label'`, '<><Label /> {options.size}</>'),
    'Label.tsx': `export const options = { size: 5 }\nexport const Label = () => <i>one</i>\n`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('button', 'one 5 1')
  await app.edit('Label.tsx', 'one', 'two')
  await app.sees('button', 'two 5 1')
  await app.edit('Label.tsx', 'size: 5', 'size: 6')
  await app.sees('button', 'two 6 1')
  await app.stayed()
  assert.deepEqual(app.first.logs.filter((line) => line === 'App ran').length, 2, 'App runs again for the constant only')
})

test('a constant made of another file’s: its importers see the new one', {
  packages: react,
  files: {
    'main.tsx': main,
    'App.tsx': counting(`import { Label, twice } from './Label'`, '<><Label /> {twice}</>'),
    'Label.tsx': `import { size } from './size'\nexport const twice = size * 2\nexport const Label = () => <i>one</i>\n`,
    'size.ts': `export const size = 5\n`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('button', 'one 10 1')
  await app.edit('size.ts', '5', '6')
  await app.sees('button', 'one 12 1')
  await app.stayed()
})

test('a context survives edits that do not touch it, so what is below its provider keeps its state', {
  packages: react,
  files: {
    'main.tsx': main,
    'App.tsx':
      `import { Theme, Panel } from './theme'\nimport Inner from './Inner'\nexport default () => <Theme.Provider value="dark"><Panel /><Inner /></Theme.Provider>\n`,
    'theme.tsx': `import { createContext } from 'react'\nexport const Theme = createContext('light')\nexport const Panel = () => <b>panel</b>\n`,
    'Inner.tsx':
      `import { useContext, useState } from 'react'\nimport { Theme } from './theme'\nexport default function Inner() { const [n, setN] = useState(0); return <button onClick={() => setN(n + 1)}>{useContext(Theme)} {n}</button> }\n`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('button', 'dark 1')
  await app.edit('theme.tsx', '<b>panel', '<b>PANEL')
  await app.sees('b', 'PANEL')
  await app.sees('button', 'dark 1')
  // A module that is no boundary is run again with its importers; the context is still the same.
  app.write(
    'theme.tsx',
    `import { createContext } from 'react'\nexport const Theme = createContext('light')\nexport const Panel = () => <b>third</b>\nexport const more = 1\n`,
  )
  await app.sees('b', 'third')
  await app.sees('button', 'dark 1')
  await app.stayed()
})

test('a context in a file of its own survives an edit of a helper beside it', {
  packages: react,
  files: {
    'main.tsx': main,
    'App.tsx':
      `import { Theme } from './theme'\nimport Inner from './Inner'\nexport default () => <Theme.Provider value="dark"><Inner /></Theme.Provider>\n`,
    'theme.ts':
      `import { createContext } from 'react'\nexport const Theme = createContext('light')\nexport const shout = (text: string) => text + '!'\n`,
    'Inner.tsx':
      `import { useContext, useState } from 'react'\nimport { Theme, shout } from './theme'\nexport default function Inner() { const [n, setN] = useState(0); return <button onClick={() => setN(n + 1)}>{shout(useContext(Theme))} {n}</button> }\n`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('button', 'dark! 1')
  await app.edit('theme.ts', `'!'`, `'?'`)
  await app.sees('button', 'dark? 1')
  await app.stayed()
})

test('a change of hooks starts only that component afresh', {
  packages: react,
  files: {
    'main.tsx': main,
    'App.tsx': counting(`import { Label } from './Label'`, '<Label />'),
    'Label.tsx':
      `import { useState } from 'react'\nexport function Label() {\n  const [own] = useState(() => Math.random())\n  return <i title={String(own)}>one</i>\n}\n`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('button', 'one 1')
  const own = await app.page.getAttribute('i', 'title')
  await app.edit('Label.tsx', 'one', 'two')
  await app.sees('button', 'two 1')
  assert.equal(await app.page.getAttribute('i', 'title'), own)
  await app.edit('Label.tsx', 'const [own]', `const [word] = useState('three')\n  const [own]`, '>two<', '>{word}<')
  await app.sees('button', 'three 1')
  assert.notEqual(await app.page.getAttribute('i', 'title'), own)
  await app.stayed()
})

test('@refresh reset starts the component afresh on every edit', {
  packages: react,
  files: { 'main.tsx': main, 'App.tsx': `// @refresh reset\n${counter}` },
}, async (app) => {
  await app.page.click('button')
  await app.sees('button', 'first 1')
  await app.edit('App.tsx', 'first', 'second')
  await app.sees('button', 'second 0')
  await app.stayed()
})

test('a class component takes an edit and starts afresh', {
  packages: react,
  files: {
    'main.tsx': main,
    'App.tsx': counting(`import { Label } from './Label'`, '<Label />'),
    'Label.tsx': `import { Component } from 'react'\nexport class Label extends Component { render() { return <i>one</i> } }\n`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('button', 'one 1')
  await app.edit('Label.tsx', '>one<', '>two<')
  await app.sees('button', 'two 1')
  await app.stayed()
})

test('an error while rendering is shown, and the fix brings the page back', {
  packages: react,
  files: { 'main.tsx': main, 'App.tsx': counter },
}, async (app) => {
  await app.sees('button', 'first 0')
  await app.edit('App.tsx', 'return <button', `throw new Error('render trouble')\n  return <button`)
  await app.overlay('render trouble')
  await app.overlay('App.tsx:4')
  await app.edit('App.tsx', `throw new Error('render trouble')\n  `, '', 'first', 'mended')
  await app.sees('button', /^mended/)
  await app.noOverlay()
  await app.stayed()
})

test('an error while rendering for the first time is shown, and the fix brings the page up', {
  packages: react,
  files: { 'main.tsx': main, 'App.tsx': counter.replace('return <button', `throw new Error('first trouble')\n  return <button`) },
}, async (app) => {
  await app.overlay('first trouble')
  await app.edit('App.tsx', `throw new Error('first trouble')\n  `, '')
  await app.sees('button', 'first 0')
  await app.noOverlay()
})

test('an error boundary is left again after the fix', {
  packages: react,
  files: {
    'main.tsx': main,
    'App.tsx': `import { Component, useState, type ReactNode } from 'react'
import { Label } from './Label'
class Boundary extends Component<{ children: ReactNode }> {
  state = { failed: false }
  static getDerivedStateFromError() { return { failed: true } }
  render() { return this.state.failed ? <i>caught</i> : this.props.children }
}
export default function App() {
  const [n, setN] = useState(0)
  return <><button onClick={() => setN(n + 1)}>{n}</button><Boundary><Label /></Boundary></>
}`,
    'Label.tsx': `export const Label = () => <i>one</i>\n`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('i', 'one')
  await app.edit('Label.tsx', '<i>one</i>', `{ throw new Error('x') }`)
  await app.sees('i', 'caught')
  app.write('Label.tsx', `export const Label = () => <i>two</i>\n`)
  await app.sees('i', 'two')
  await app.sees('button', '1')
  await app.stayed()
})

test('a component that a call makes, and one that is loaded when it is needed', {
  packages: react,
  files: {
    'main.tsx': main,
    'App.tsx': `import { lazy, Suspense, useState } from 'react'
import Wrapped from './Wrapped'
const Page = lazy(() => import('./Page'))
export default function App() {
  const [n, setN] = useState(0)
  return <><button onClick={() => setN(n + 1)}>{n}</button><Wrapped /><Suspense><Page /></Suspense></>
}`,
    'Wrapped.tsx':
      `const bold = (View: () => any) => function Bold() { return <b><View /></b> }\nconst View = () => <>one</>\nexport default bold(View)\n`,
    'Page.tsx': `export default function Page() { return <i>page one</i> }\n`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('i', 'page one')
  await app.edit('Page.tsx', 'page one', 'page two')
  await app.sees('i', 'page two')
  await app.edit('Wrapped.tsx', 'one', 'two')
  await app.sees('b', 'two')
  await app.sees('button', '1')
  await app.stayed()
})

test('an update that fails leaves the components as they were, and the next one takes', {
  packages: react,
  files: { 'main.tsx': main, 'App.tsx': counter },
}, async (app) => {
  await app.page.click('button')
  await app.edit('App.tsx', 'first', 'second', 'export default', `if (!globalThis.ready) throw new Error('not ready')\nexport default`)
  await app.overlay('not ready')
  await app.page.evaluate(() => document.querySelector('button').click())
  await app.sees('button', 'first 2')
  await app.edit('App.tsx', `if (!globalThis.ready) throw new Error('not ready')\n`, '')
  await app.sees('button', 'second 2')
  await app.noOverlay()
  await app.stayed()
})

test('an edit of a hook that a component file exports beside the component reaches who uses it', {
  packages: react,
  files: {
    'main.tsx': main,
    'App.tsx': counting(`import { Label, useWord } from './Label'`, '<><Label /> {useWord()}</>'),
    'Label.tsx': `import { useMemo } from 'react'\nexport const useWord = () => useMemo(() => 'word', [])\nexport const Label = () => <i>one</i>\n`,
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('button', 'one word 1')
  await app.edit('Label.tsx', `'word'`, `'hook'`)
  await app.sees('button', /^one hook/)
  await app.stayed()
})

test('React that is installed while the server runs: the page comes up, and components keep their state', {
  load: false,
  files: { 'main.tsx': main, 'App.tsx': counter },
}, async (app) => {
  const tab = await app.tab({ blank: true })
  await tab.page.goto(app.url)
  await tab.overlay('npm install react')
  for (const name of react) install(app.root, name)
  await tab.sees('button', 'first 0')
  await app.prints('pages reload')
  await tab.sees('button', 'first 0')
  await tab.page.click('button')
  await app.edit('App.tsx', 'first', 'second')
  await tab.sees('button', 'second 1')
})

test('a refresh runtime that is installed while the server runs counts from then on', {
  packages: ['preact'],
  files: {
    'main.jsx': `import { render } from 'preact'\nimport App from './App'\nrender(<App />, document.getElementById('a'))\n`,
    'App.jsx': counter.replace(`'react'`, `'preact/hooks'`),
  },
}, async (app) => {
  await app.sees('button', 'first 0')
  for (const name of ['@prefresh/core', '@prefresh/utils']) install(app.root, name)
  await app.prints('pages reload')
  await app.sees('button', 'first 0')
  await app.page.click('button')
  await app.edit('App.jsx', 'first', 'second')
  await app.sees('button', 'second 1')
})

test('without its refresh runtime the terminal says what to install', {
  packages: ['preact'],
  files: { 'main.jsx': `import { render } from 'preact'\nrender(<b>x</b>, document.getElementById('a'))\n` },
}, async (app) => {
  await app.sees('b', 'x')
  await app.prints('npm install -D @prefresh/core @prefresh/utils')
})

test('Preact: an edit of a component keeps its state, a change of its hooks does not', {
  packages: ['preact', '@prefresh/core', '@prefresh/utils'],
  files: {
    'main.jsx': `import { render } from 'preact'\nimport App from './App'\nrender(<App />, document.getElementById('a'))\n`,
    'App.jsx': counter.replace(`'react'`, `'preact/hooks'`),
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('button', 'first 1')
  await app.edit('App.jsx', 'first', 'second')
  await app.sees('button', 'second 1')
  await app.edit('App.jsx', 'const [n', `const [word] = useState('third')\n  const [n`, 'second', '{word}')
  await app.sees('button', 'third 0')
  await app.stayed()
})

test('Preact: an error thrown while rendering shows over the page, and goes with its fix', {
  packages: ['preact', '@prefresh/core', '@prefresh/utils'],
  files: {
    'main.jsx': `import { render } from 'preact'\nimport App from './App'\nrender(<App />, document.getElementById('a'))\n`,
    'App.jsx': counter.replace(`'react'`, `'preact/hooks'`),
  },
}, async (app) => {
  await app.page.click('button')
  await app.sees('button', 'first 1')
  await app.edit('App.jsx', '  return', `  throw new Error('while rendering')\n  return`)
  await app.overlay('while rendering')
  await app.edit('App.jsx', `  throw new Error('while rendering')\n`, '')
  await app.noOverlay()
  await app.sees('button', /^first/)
  await app.stayed()
})
