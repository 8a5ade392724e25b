/** What the developer sees of a mistake, and what that does to the page below. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test, until } from './harness.mjs'

const HOT = `show('a', 'one')\nimport.meta.hot.accept()`
const inOverlay = (app, read) => app.page.evaluate(`(${read})(document.querySelector('rekindle-error-overlay').shadowRoot)`)

test('it stands above the application’s own dialog, which stays open and has the focus again', {
  files: {
    'main.js':
      `document.body.insertAdjacentHTML('beforeend', '<dialog id="own"><input id="field"></dialog>')\nown.showModal()\nfield.focus()\n${HOT}`,
  },
}, async (app) => {
  await app.edit('main.js', `'one'`, `'one' oops(`)
  await app.overlay('main.js:4')
  const on = await app.page.evaluate(() => document.elementFromPoint(innerWidth / 2, 80)?.localName)
  assert.equal(on, 'rekindle-error-overlay')
  // The overlay keeps clicks from the page below.
  for (let at = 0; at < 6; at++) {
    await app.page.keyboard.press('Tab')
    assert.notEqual(await app.page.evaluate(() => document.activeElement?.id), 'field')
  }
  await app.page.keyboard.press('Escape')
  await app.noOverlay()
  assert.deepEqual(await app.page.evaluate(() => [window.own.open, document.activeElement.id]), [true, 'field'])
})

test('it is dressed where the page’s policy forbids inline styles', {
  files: {
    'index.html':
      '<!doctype html><meta http-equiv="content-security-policy" content="default-src \'self\'; script-src \'self\' \'unsafe-eval\'; connect-src *"><link rel="icon" href="data:,"><p id="a"></p><script type="module" src="/main.js"></script>',
    'main.js': `document.querySelector('#a').textContent = 'one'\nimport.meta.hot.accept()`,
  },
}, async (app) => {
  await app.edit('main.js', `'one'`, `'one' oops(`)
  await app.overlay('main.js')
  assert.equal(await inOverlay(app, (root) => getComputedStyle(root.querySelector('dialog')).position), 'fixed')
  assert.notEqual(await inOverlay(app, (root) => getComputedStyle(root.querySelector('.window')).boxShadow), 'none')
})

test('of several mistakes one is shown, and the others by a button or a key', {
  files: { 'main.js': `import './x.js'\nimport './y.js'\n${HOT}`, 'x.js': 'export {}', 'y.js': 'export {}' },
}, async (app) => {
  app.write('x.js', 'const = 1')
  await app.overlay('x.js')
  app.write('y.js', 'const = 2')
  await app.overlay('2 of 2'.replace('2 of', '1 of'))
  const shown = () =>
    inOverlay(
      app,
      (root) => [...root.querySelectorAll('section')].filter(({ hidden }) => !hidden).map((section) => section.querySelector('.file').textContent),
    )
  const [first] = await shown()
  await app.page.keyboard.press('ArrowRight')
  const [second, ...more] = await shown()
  assert.deepEqual([first, second].sort(), ['x.js:1:7', 'y.js:1:7'])
  assert.deepEqual(more, [])
  app.write('x.js', 'export {}')
  app.write('y.js', 'export {}')
  await app.noOverlay()
})

test('a click without an editor says why nothing opens; a button closes it, another copies the error', {
  files: { 'main.js': HOT },
}, async (app) => {
  await app.edit('main.js', `'one'`, `'one' oops(`)
  await app.overlay('main.js:1')
  await app.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await app.page.locator('rekindle-error-overlay').getByRole('button', { name: 'copy the error as text' }).click()
  assert.match(await app.page.evaluate(() => navigator.clipboard.readText()), /main\.js:1:17[^]*oops/)
  await app.page.locator('rekindle-error-overlay .file').click()
  await until('the reason', async () => assert.match(await app.first.overlayText(), /LAUNCH_EDITOR/))
  await app.page.locator('rekindle-error-overlay').getByRole('button', { name: 'close' }).click()
  await app.noOverlay()
})

test('it is light where the system is', { files: { 'main.js': HOT } }, async (app) => {
  const back = () => inOverlay(app, (root) => getComputedStyle(root.querySelector('.window')).backgroundColor)
  await app.page.emulateMedia({ colorScheme: 'light' })
  await app.edit('main.js', `'one'`, `'one' oops(`)
  await app.overlay('main.js')
  assert.equal(await back(), 'rgb(255, 255, 255)')
  await app.page.emulateMedia({ colorScheme: 'dark' })
  assert.equal(await back(), 'rgb(23, 24, 28)')
})

test('frames of packages are folded, and generated places are not shown while the sources are looked up', {
  files: {
    'main.ts':
      `import { each } from 'listing'\nexport const go = (): void => each(() => {\n  throw new Error('late')\n})\nif (import.meta.hot!.data.again) go()\nimport.meta.hot!.data.again = true\nshow('a', 'one')\nimport.meta.hot!.accept()`,
    'node_modules/listing/package.json': '{ "name": "listing", "type": "module", "main": "index.js" }',
    'node_modules/listing/index.js': 'export function each(call) {\n  return [1].forEach(() => call())\n}',
  },
}, async (app) => {
  await app.sees('#a', 'one')
  await app.page.evaluate(() => {
    window.texts = []
    const look = () => {
      const text = document.querySelector('rekindle-error-overlay')?.shadowRoot.textContent
      if (text) window.texts.push(text)
      requestAnimationFrame(look)
    }
    look()
  })
  fs.appendFileSync(app.path('main.ts'), '\n')
  await app.overlay('main.ts:3:9')
  await until('the folded frames', async () => assert.match(await app.first.overlayText(), /\d frames? of packages/))
  const generated = await app.page.evaluate(() => window.texts.filter((text) => /http:\/\/localhost/.test(text)))
  assert.deepEqual(generated, [])
})
