/** Addresses and specifiers that come to mean another file: open tabs then run and show what a new tab would. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test, until } from './harness.mjs'

const ACCEPTS = '\nimport.meta.hot.accept()'
const shows = (text, id = 'a') => `document.getElementById('${id}').textContent = ${text}${ACCEPTS}`
const page = (script, body = '') =>
  `<!doctype html><html><head><link rel="icon" href="data:,"></head><body><p id="a"></p><p id="b"></p>${body}<script type="module" src="${script}"></script></body></html>`
const skip = process.platform === 'win32' && 'links need rights there'

/** A link in one step, as `ln -sfn` and deployments do it. */
function link(app, name, target) {
  fs.symlinkSync(target, app.path(`${name}.new`))
  fs.renameSync(app.path(`${name}.new`), app.path(name))
}

/** Starts with a link in place, and sees what it leads to. */
async function begin(app, name, target, text) {
  link(app, name, target)
  await app.start()
  await app.load()
  await app.sees('#a', text)
}

/** Ends the server, and starts another one behind the same tabs. */
async function restart(app, meanwhile) {
  const { url } = app
  await app.stop('SIGKILL')
  meanwhile()
  await app.start()
  app.url = url
}

// ---- a page's script

test('the script of a page is renamed to TypeScript, and edited', { files: { 'main.js': shows(`'one'`) } }, async (app) => {
  await app.sees('#a', 'one')
  fs.renameSync(app.path('main.js'), app.path('main.ts'))
  await app.reloaded()
  app.write('main.ts', shows(`'two' as string`))
  await app.sees('#a', 'two')
  await app.noOverlay()
  await app.stayed()
})

test('the same while the server is away', { files: { 'main.js': shows(`'one'`) } }, async (app) => {
  await app.sees('#a', 'one')
  await restart(app, () => {
    app.remove('main.js')
    app.write('main.ts', shows(`'two' as string`))
  })
  await app.sees('#a', 'two')
  await app.noOverlay()
})

test('the second script of a page goes, and comes back as another kind of file', {
  files: {
    'index.html': page('/main.js', '<script type="module" src="/second.js"></script>'),
    'main.js': shows(`'main'`),
    'second.js': shows(`'one'`, 'b'),
  },
}, async (app) => {
  await app.sees('#b', 'one')
  app.remove('second.js')
  await app.overlay('second.js')
  await app.stayed()
  app.write('second.tsx', shows(`'two' as string`, 'b'))
  await app.sees('#b', 'two')
  await app.noOverlay()
})

test('a script that was missing when the page was loaded comes as TypeScript', { files: { 'index.html': page('/main.js') } }, async (app) => {
  await app.overlay('main.js')
  app.write('main.ts', shows(`'one' as string`))
  await app.sees('#a', 'one')
  await app.noOverlay()
})

for (const script of ['/src/main.js', './src/main', '/src']) {
  const [file, nearer] =
    { '/src/main.js': ['src/main.ts', 'src/main.js'], './src/main': ['src/main.ts', 'src/main.mjs'], '/src': ['src/index.ts', 'src.js'] }[script]
  test(`a file that comes before the one of src="${script}" takes its place`, {
    files: { 'index.html': page(script), [file]: shows(`'far' as string`) },
  }, async (app) => {
    await app.sees('#a', 'far')
    app.write(nearer, shows(`'near'`))
    await app.sees('#a', 'near')
    app.write(nearer, shows(`'nearer'`))
    await app.sees('#a', 'nearer')
    app.remove(nearer)
    await app.sees('#a', 'far')
    await app.noOverlay()
  })
}

test('the script of a page is a link, which is turned, also while the server is away', {
  files: { 'index.html': page('/src/main.js'), 'v1.js': shows(`'one'`), 'v2.js': shows(`'two'`), 'src/other.js': '' },
  start: false,
  skip,
}, async (app) => {
  await begin(app, 'src/main.js', '../v1.js', 'one')
  link(app, 'src/main.js', '../v2.js')
  await app.sees('#a', 'two')
  await app.edit('v2.js', 'two', 'three')
  await app.sees('#a', 'three')
  await restart(app, () => link(app, 'src/main.js', '../v1.js'))
  await app.sees('#a', 'one')
  await app.noOverlay()
})

test('a script that goes for a while and comes back as it was keeps the page', { files: { 'main.js': shows(`'one'`) } }, async (app) => {
  await app.sees('#a', 'one')
  app.remove('main.js')
  await app.overlay('main.js')
  app.write('main.js', shows(`'two'`))
  await app.sees('#a', 'two')
  await app.noOverlay()
  await app.stayed()
})

// ---- links on the way to a file

for (const [way, specifier, name] of [['beside the importer', './l.js', 'src/l.js'], ['in a folder', './parts/l.js', 'src/parts/l.js'], [
  'by an alias',
  '@/parts/l.js',
  'src/parts/l.js',
]]) {
  test(`an imported file is a link ${way}, which is turned, taken away and made again`, {
    files: {
      'rekindle.toml': '[resolve.alias]\n"@" = "./src"\n',
      'index.html': page('/src/main.js'),
      'src/main.js': `import { v } from '${specifier}'\n${shows('v')}`,
      'lib/v1.js': `export const v = 'one'`,
      'lib/v2.js': `export const v = 'two'`,
      'src/parts/other.js': '',
    },
    start: false,
    skip,
  }, async (app) => {
    const up = name.split('/').slice(1).map(() => '..').join('/')
    await begin(app, name, `${up}/lib/v1.js`, 'one')
    link(app, name, `${up}/lib/v2.js`)
    await app.sees('#a', 'two')
    app.write('lib/v2.js', `export const v = 'three'`)
    await app.sees('#a', 'three')
    app.remove(name)
    await app.overlay('l.js')
    link(app, name, `${up}/lib/v1.js`)
    await app.sees('#a', 'one')
    await app.noOverlay()
    await app.stayed()
  })
}

test('a folder on the way is a link, which is turned', {
  files: {
    'index.html': page('/src/main.js'),
    'src/main.js': `import { v } from './now/v.js'\nimport.meta.glob('./now/*.txt')\n${shows('v')}`,
    'lib/1/v.js': `export const v = 'one'`,
    'lib/2/v.js': `export const v = 'two'`,
  },
  start: false,
  skip,
}, async (app) => {
  await begin(app, 'src/now', '../lib/1', 'one')
  link(app, 'src/now', '../lib/2')
  await app.sees('#a', 'two')
  app.write('lib/2/v.js', `export const v = 'three'`)
  await app.sees('#a', 'three')
  await app.noOverlay()
  await app.stayed()
})

test('sheets, pictures and what sheets import are links, which are turned', {
  files: {
    'index.html': page('/src/main.js', '<link rel="stylesheet" href="/src/linked.css">'),
    'src/main.js':
      `import './imports.css'\nimport './sassy.scss'\nimport address from './picture.svg'\ndocument.getElementById('b').textContent = (await (await fetch(address)).text()).slice(0, 10)${ACCEPTS}`,
    'src/imports.css': `@import './inner.css';`,
    'src/sassy.scss': `@use './part';`,
    ...Object.fromEntries(['1', '2'].flatMap((n) => [
      [`lib/linked${n}.css`, `#a { order: ${n} }`],
      [`lib/inner${n}.css`, `#a { flex-grow: ${n} }`],
      [`lib/part${n}.scss`, `#a { flex-shrink: ${n}${n} }`],
      [`lib/picture${n}.svg`, `<svg id="${n}" xmlns="http://www.w3.org/2000/svg"><!--${'x'.repeat(9000)}--></svg>`],
    ])),
  },
  start: false,
  skip,
}, async (app) => {
  const turn = (n) => {
    for (const [name, target] of [['linked.css', `linked${n}.css`], ['inner.css', `inner${n}.css`], ['_part.scss', `part${n}.scss`], [
      'picture.svg',
      `picture${n}.svg`,
    ]]) link(app, `src/${name}`, `../lib/${target}`)
  }
  const looks = async (n) => {
    await app.looks('#a', 'order', n)
    await app.looks('#a', 'flex-grow', n)
    await app.looks('#a', 'flex-shrink', n + n)
    await app.sees('#b', `<svg id="${n}`)
  }
  turn('1')
  await app.start()
  await app.load()
  await looks('1')
  turn('2')
  await looks('2')
  app.write('lib/linked2.css', '#a { order: 7 }')
  app.write('lib/inner2.css', '#a { flex-grow: 7 }')
  app.write('lib/part2.scss', '#a { flex-shrink: 7 }')
  await app.looks('#a', 'order', '7')
  await app.looks('#a', 'flex-grow', '7')
  await app.looks('#a', 'flex-shrink', '7')
  await app.noOverlay()
})

// ---- files that come before others

/** @type {[string, string, object, object][]} */
const FIRST = [
  ['a script without its extension', './x', { 'src/x.ts': `export const v: string = 'far'` }, { 'src/x.mjs': `export const v = 'near'` }],
  ['a script by the extension of another', './x.js', { 'src/x.ts': `export const v: string = 'far'` }, { 'src/x.js': `export const v = 'near'` }],
  ['a folder', './x', { 'src/x/index.ts': `export const v: string = 'far'` }, { 'src/x.ts': `export const v: string = 'near'` }],
  ['JSON', './x', { 'src/x.json': '{ "v": "far" }' }, { 'src/x.js': `export const v = 'near'` }],
  ['the second folder of an alias', '@/x', { 'second/x.ts': `export const v: string = 'far'` }, { 'first/x.ts': `export const v: string = 'near'` }],
]
for (const [what, specifier, far, near] of FIRST) {
  test(`what comes before ${what} takes its place, and gives it back`, {
    files: {
      'index.html': page('/src/main.ts'),
      'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./first/*", "./second/*"] } } }',
      'src/main.ts': `import { v } from '${specifier}'\nimport('./lazy').then((lazy) => { document.getElementById('b').textContent = lazy.v })\n${
        shows('v')
      }`,
      'src/lazy.ts': `export { v } from '${specifier}'`,
      ...far,
    },
  }, async (app) => {
    await app.sees('#a', 'far')
    await app.sees('#b', 'far')
    const [[name, text]] = Object.entries(near)
    app.write(name, text)
    await app.sees('#a', 'near')
    await app.sees('#b', 'near')
    app.write(name, text.replace('near', 'nearer'))
    await app.sees('#a', 'nearer')
    app.remove(name)
    await app.sees('#a', 'far')
    await app.noOverlay()
    await app.stayed()
  })
}

test('what comes before a worker, and before files that sheets import, takes their place', {
  files: {
    'rekindle.toml': '[css.preprocessor_options.scss]\nload_paths = ["first", "second"]\n',
    'main.js':
      `import './all.css'\nimport './sassy.scss'\nconst worker = new Worker(new URL('./work.js', import.meta.url), { type: 'module' })\nworker.onmessage = ({ data }) => (document.getElementById('a').textContent = data)\nimport.meta.hot.accept()\nimport.meta.hot.dispose(() => worker.terminate())`,
    'work.ts': `postMessage('far' as string)`,
    'all.css': `@import 'theme/a.css';`,
    'node_modules/theme/package.json': '{ "name": "theme" }',
    'node_modules/theme/a.css': '#a { order: 1 }',
    'sassy.scss': `@use 'part';`,
    'first/other.txt': '',
    'second/_part.scss': '#a { flex-grow: 1 }',
  },
}, async (app) => {
  await app.sees('#a', 'far')
  await app.looks('#a', 'order', '1')
  await app.looks('#a', 'flex-grow', '1')
  app.write('work.js', `postMessage('near')`)
  app.write('theme/a.css', '#a { order: 2 }')
  app.write('first/_part.scss', '#a { flex-grow: 2 }')
  await app.sees('#a', 'near')
  await app.looks('#a', 'order', '2')
  await app.looks('#a', 'flex-grow', '2')
  await app.stayed()
})

test('a package.json that is nearer says what names mean', {
  files: {
    'index.html': page('/src/main.js'),
    'package.json': '{ "imports": { "#v": "./one.js" } }',
    'one.js': `export const v = 'one'`,
    'src/two.js': `export const v = 'two'`,
    'src/main.js': `import { v } from '#v'\n${shows('v')}`,
  },
}, async (app) => {
  await app.sees('#a', 'one')
  app.write('src/package.json', '{ "imports": { "#v": "./two.js" } }')
  await app.sees('#a', 'two')
  app.remove('src/package.json')
  await app.sees('#a', 'one')
  await app.noOverlay()
})

// ---- packages that are links

test('a linked package is turned, edited, taken away and installed', {
  files: {
    'main.js': `import { v } from 'lib'\n${shows('v')}`,
    ...Object.fromEntries(
      ['1', '2'].flatMap((
        n,
      ) => [[`stores/lib@${n}/package.json`, `{ "name": "lib", "version": "${n}.0.0", "type": "module", "main": "index.js" }`], [
        `stores/lib@${n}/index.js`,
        `export const v = 'lib ${n}'`,
      ]]),
    ),
    'node_modules/other/package.json': '{ "name": "other" }',
  },
  start: false,
  skip,
}, async (app) => {
  await begin(app, 'node_modules/lib', '../stores/lib@1', 'lib 1')
  link(app, 'node_modules/lib', '../stores/lib@2')
  await app.sees('#a', 'lib 2')
  app.write('stores/lib@2/index.js', `export const v = 'lib 2, edited'`)
  await app.sees('#a', 'lib 2, edited')
  app.remove('node_modules/lib')
  await app.overlay('lib')
  app.write('node_modules/lib/package.json', '{ "name": "lib", "type": "module", "main": "index.js" }')
  app.write('node_modules/lib/index.js', `export const v = 'installed'`)
  await app.sees('#a', 'installed')
  await app.noOverlay()
})

// ---- public files

test('a linked sheet moves to public/ and back, and so does a picture', {
  files: {
    'index.html': page('/main.js', '<link rel="stylesheet" href="/s.css"><img id="i" src="/p.svg">'),
    'main.js': shows(`'main'`),
    'public/p.svg': `<svg xmlns="http://www.w3.org/2000/svg" width="10"><!--${'x'.repeat(9000)}--></svg>`,
    's.css': '#a { order: 1 }',
  },
}, async (app) => {
  await app.looks('#a', 'order', '1')
  app.remove('s.css')
  app.write('public/s.css', '#a { order: 2 }')
  await app.looks('#a', 'order', '2')
  app.write('s.css', '#a { order: 3 }')
  app.remove('public/s.css')
  await app.looks('#a', 'order', '3')
  app.write('s.css', '#a { order: 4 }')
  await app.looks('#a', 'order', '4')
  fs.renameSync(app.path('public/p.svg'), app.path('p.svg'))
  await new Promise((done) => setTimeout(done, 300))
  await app.edit('p.svg', 'width="10"', 'width="30"')
  await until('the picture', async () => assert.equal(await app.page.evaluate(() => document.getElementById('i').naturalWidth), 30))
  await app.noOverlay()
})

// ---- pages

for (const [from, to] of [['about/index.html', 'about.html'], ['about.html', 'about/index.html']]) {
  test(`the page at /about moves from ${from} to ${to}`, {
    files: { 'main.js': shows(`'one'`), [from]: page('/main.js', '<i id="c">old</i>') },
    load: false,
  }, async (app) => {
    await app.load('/about')
    await app.sees('#a', 'one')
    fs.mkdirSync(app.path('about'), { recursive: true })
    fs.renameSync(app.path(from), app.path(to))
    await app.edit('main.js', 'one', 'two')
    await app.sees('#a', 'two')
    await app.noOverlay()
    await app.stayed()
    app.write(to, page('/main.js', '<i id="c">new</i>'))
    await app.sees('#c', 'new')
    await restart(app, () => fs.renameSync(app.path(to), app.path(from)))
    await app.edit(from, 'new', 'newer')
    await app.sees('#c', 'newer')
    await app.noOverlay()
  })
}

// ---- workers that nobody ends

const MAKES = (file) =>
  `const worker = new Worker(new URL('${file}', import.meta.url), { type: 'module' })\nworker.onmessage = ({ data }) => (document.getElementById('a').textContent = data)${ACCEPTS}`

test(
  'a worker that its maker has not ended goes with what named it',
  { files: { 'main.js': MAKES('./work.js'), 'work.js': `postMessage('one')` } },
  async (app) => {
    await app.sees('#a', 'one')
    app.remove('work.js')
    app.write('main.js', shows(`'none'`))
    await app.sees('#a', 'none')
    await app.noOverlay()
    await new Promise((done) => setTimeout(done, 500))
    await app.noOverlay()
  },
)

test('a worker is renamed to TypeScript', { files: { 'main.js': MAKES('./work.js'), 'work.js': `postMessage('one')` } }, async (app) => {
  await app.sees('#a', 'one')
  fs.renameSync(app.path('work.js'), app.path('work.ts'))
  app.write('work.ts', `postMessage('two' as string)`)
  await app.sees('#a', 'two')
  await app.noOverlay()
})

test('a worker whose file goes while its maker names it is an error of the maker, and comes back', {
  files: { 'main.js': MAKES('./work.js'), 'work.js': `postMessage('one')` },
}, async (app) => {
  await app.sees('#a', 'one')
  app.remove('work.js')
  await app.overlay('work.js')
  app.write('work.js', `postMessage('two')`)
  await app.sees('#a', 'two')
  await app.noOverlay()
})
