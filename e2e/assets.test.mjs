/** Files that are no scripts: every form in which Vite's documentation imports them, and WebAssembly. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from './harness.mjs'

const svg = (title) => `<svg xmlns="http://www.w3.org/2000/svg" width="5" height="5"><title>${title}</title></svg>`

/** `(module (import "./env.js" "log" …) (func (export "add") (param i32 i32) (result i32) …) (global (export "n") i32 (i32.const 7)))` */
const wasm = (n) =>
  Buffer.from([
    0,
    97,
    115,
    109,
    1,
    0,
    0,
    0,
    1,
    11,
    2,
    96,
    1,
    127,
    0,
    96,
    2,
    127,
    127,
    1,
    127,
    2,
    16,
    1,
    8,
    ...Buffer.from('./env.js'),
    3,
    ...Buffer.from('log'),
    0,
    0,
    3,
    2,
    1,
    1,
    6,
    6,
    1,
    127,
    0,
    65,
    n,
    11,
    7,
    11,
    2,
    3,
    ...Buffer.from('add'),
    0,
    1,
    1,
    110,
    3,
    0,
    10,
    9,
    1,
    7,
    0,
    32,
    0,
    32,
    1,
    106,
    11,
  ])

/** The fixture's files are texts; these are not. */
const bytes = (app, name, content) => fs.writeFileSync(app.path(name), content)

test('?init instantiates WebAssembly with the imports it is given; an edit comes through', {
  start: false,
  load: false,
  files: {
    'main.ts': `import init from './add.wasm?init'
import address from './add.wasm?url'
const { exports } = await init({ './env.js': { log: console.log } })
show('a', exports.add(2, 3) + ' ' + exports.n.value)
show('b', new URL(address, location.href).pathname)
import.meta.hot!.accept()`,
  },
}, async (app) => {
  bytes(app, 'add.wasm', wasm(7))
  await app.start()
  await app.load()
  await app.sees('#a', '5 7')
  await app.sees('#b', '/add.wasm')
  bytes(app, 'add.wasm', wasm(8))
  await app.sees('#a', '5 8')
  await app.stayed()
})

test('WebAssembly is imported as a module: its imports are modules, its exports have names', {
  start: false,
  load: false,
  files: {
    'main.ts': `import { add, n } from './add.wasm'
import * as all from './add.wasm'
show('a', add(2, 3) + ' ' + n)
show('b', Object.keys(all).join())
import.meta.hot!.accept()`,
    'env.js': `export const log = (x) => console.log('logged', x)`,
  },
}, async (app) => {
  bytes(app, 'add.wasm', wasm(7))
  await app.start()
  await app.load()
  await app.sees('#a', '5 7')
  await app.sees('#b', 'add,n')
  bytes(app, 'add.wasm', wasm(9))
  await app.sees('#a', '5 9')
  await app.stayed()
  bytes(app, 'add.wasm', 'this is no module')
  await app.overlay('the file is not a WebAssembly module')
  bytes(app, 'add.wasm', wasm(10))
  await app.noOverlay()
  await app.sees('#a', '5 10')
})

test('every query of an asset, alone and together with others', {
  files: {
    'rekindle.toml': '[build]\nassets_inline_limit = 0\n',
    'main.ts': `
import plain from './pic.svg'
import url from './note.md?url'
import scriptUrl from './code.js?url'
import raw from './note.md?raw'
import inline from './pic.svg?inline'
import noInline from './pic.svg?no-inline'
import both from './pic.svg?url&no-inline'
import data, { list } from './data.json'
import jsonRaw from './data.json?raw'
import jsonUrl from './data.json?url'
import css from './look.css?inline'
import cssRaw from './look.css?raw'
import cssUrl from './look.css?url'
const path = (address: string) => address.startsWith('data:') ? address.slice(0, 19) : address
console.log(JSON.stringify([plain, url, scriptUrl, noInline, both, jsonUrl, cssUrl].map(path)))
console.log(JSON.stringify([raw, path(inline), data.list === list, jsonRaw, css.includes('red'), cssRaw]))
const fetched = await Promise.all([url, scriptUrl, jsonUrl, cssUrl].map((address) => fetch(address).then((answer) => answer.text())))
console.log(JSON.stringify(fetched))`,
    'pic.svg': svg('pic'),
    'note.md': '# note',
    'code.js': 'export default 1',
    'data.json': '{"list":[1]}',
    'look.css': 'p { color: red }',
  },
}, async (app) => {
  await app.says(
    JSON.stringify(['/pic.svg', '/note.md', '/code.js', '/pic.svg', '/pic.svg', '/data.json', '/look.css']),
    JSON.stringify(['# note', 'data:image/svg+xml,', true, '{"list":[1]}', true, 'p { color: red }']),
    JSON.stringify(['# note', 'export default 1', '{"list":[1]}', 'p {\n  color: red;\n}\n']),
  )
})

test('new URL() with a template finds the files it can mean; an edit of one comes through', {
  files: {
    'main.ts': `const address = (name: string) => new URL(\`./pics/\${name}.svg\`, import.meta.url)
const title = async (name: string) => (await fetch(address(name)).then((answer) => answer.text())).match(/<title>(.*)<\\/title>/)![1]
show('a', await title('one') + ' ' + await title('two'))
show('b', address('three').pathname)
show('c', new URL(\`./pics/\${'one'}.svg?x=1#y\`, import.meta.url).href.replace(/^data:[^#]*/, 'its content '))
import.meta.hot!.accept()`,
    'pics/one.svg': svg('first'),
    'pics/two.svg': svg('second'),
  },
}, async (app) => {
  await app.sees('#a', 'first second')
  await app.sees('#b', '/pics/three.svg')
  await app.sees('#c', 'its content #y')
  app.write('pics/two.svg', svg('2nd'))
  await app.sees('#a', 'first 2nd')
  await app.stayed()
})

test('addresses in the page, below a base', {
  start: false,
  load: false,
  files: {
    'rekindle.toml': '[build]\nassets_inline_limit = 0\n',
    'index.html': `<!doctype html><html><head><title>x</title>
<link rel="icon" href="./pic.svg"><link rel="apple-touch-icon" href="/pic.svg"><meta property="og:image" content="./pic.svg"><meta name="twitter:image" content="/open.svg">
</head><body>
<img id="a" src="./pic.svg" srcset="./pic.svg 1x, pic2.svg 2x"><picture><source id="b" srcset="./pic.svg"><img src="/pic.svg"></picture>
<video id="c" src="./film.mp4" poster="./pic.svg"></video><svg><use id="d" href="./pic.svg#part"></use><image id="e" xlink:href="./pic.svg"></image></svg>
<object id="f" data="./pic.svg"></object><img id="g" src="/open.svg"><img id="h" vite-ignore src="./left.svg">
<script type="module" src="./main.js"></script></body></html>`,
    'main.js':
      `import open from '/open.svg'\nimport pic from './pic.svg'\nconsole.log(open + ' ' + pic + ' ' + import.meta.env.BASE_URL + ' ' + new URL('./pic.svg', import.meta.url).pathname)
console.log([new URL('/open.svg?x', import.meta.url).href.slice(-15), new URL('/pic.svg', import.meta.url).pathname, new URL('/', import.meta.url).pathname, new URL('/none.svg', import.meta.url).pathname].join(' '))`,
    'pic.svg': svg('pic'),
    'pic2.svg': svg('pic2'),
    'film.mp4': 'film',
    'public/open.svg': svg('open'),
  },
}, async (app) => {
  await app.start('--base', '/app/')
  await app.load('/app/')
  await app.says('/app/open.svg /app/pic.svg /app/ /app/pic.svg', '/app/open.svg?x /app/pic.svg / /none.svg')
  const read = (selector, name) => app.page.getAttribute(selector, name)
  assert.deepEqual(
    [
      await read('[rel=icon]', 'href'),
      await read('[rel=apple-touch-icon]', 'href'),
      await read('[property]', 'content'),
      await read('[name="twitter:image"]', 'content'),
      await read('#a', 'src'),
      await read('#a', 'srcset'),
      await read('#b', 'srcset'),
      await read('#c', 'src'),
      await read('#c', 'poster'),
      await read('#d', 'href'),
      await read('#e', 'xlink:href'),
      await read('#f', 'data'),
      await read('#g', 'src'),
      await read('#h', 'src'),
    ],
    [
      '/app/pic.svg',
      '/app/pic.svg',
      '/app/pic.svg',
      '/app/open.svg',
      '/app/pic.svg',
      '/app/pic.svg 1x, /app/pic2.svg 2x',
      '/app/pic.svg',
      '/app/film.mp4',
      '/app/pic.svg',
      '/app/pic.svg#part',
      '/app/pic.svg',
      '/app/pic.svg',
      '/app/open.svg',
      './left.svg',
    ],
  )
})

test('import() with variables, in the forms that are documented', {
  files: {
    'main.ts': `
const say = async (promise: Promise<any>) => promise.then((m) => m.default, (error) => error.message)
const [file, folder] = ['one', 'sub']
console.log(await say(import(\`./parts/\${file}.js\`)))
console.log(await say(import(\`./parts/\${folder}/\${file}.js\`)))
console.log(await say(import(\`./parts/\${file}.js?raw\`)))
console.log(await say(import('./parts/' + file + '.js')))
console.log(await say(import(\`./parts/\${'none'}.js\`)))`,
    'parts/one.js': `export default 'part one'`,
    'parts/sub/one.js': `export default 'sub one'`,
  },
}, async (app) => {
  await app.says('part one', 'sub one', "export default 'part one'", 'part one', /none\.js/)
})

test('assets_include makes files of more kinds assets', {
  start: false,
  load: false,
  files: {
    'rekindle.toml': 'assets_include = ["**/*.gltf", "data/*.json"]\n',
    'main.ts':
      `import scene from './scene.gltf'\nimport data from './data/big.json'\nimport other from './other.json'\nshow('a', scene + ' ' + data + ' ' + other.n)`,
    'scene.gltf': '{}',
    'data/big.json': '{}',
    'other.json': '{"n":1}',
  },
}, async (app) => {
  await app.start()
  await app.load()
  await app.sees('#a', '/scene.gltf /data/big.json 1')
})

test('an address of TypeScript runs: as a worklet, a worker and an import', {
  files: {
    'main.ts': `import address from './gain.ts?url'
import once from './once.ts?url'
const context = new OfflineAudioContext(1, 1000, 44100)
await context.audioWorklet.addModule(address)
show('a', new AudioWorkletNode(context, 'gain').parameters.has('level') ? 'a worklet' : 'none')
new Worker(once).onmessage = ({ data }) => show('b', data)
const module = await import(once)
show('c', module.name + ' ' + (await fetch(address)).headers.get('content-type'))`,
    'gain.ts': `import { levels } from './levels'
declare const AudioWorkletProcessor: any, registerProcessor: any
class Gain extends AudioWorkletProcessor {
  static get parameterDescriptors(): object[] { return levels }
  process(): boolean { return false }
}
registerProcessor('gain', Gain)`,
    'levels.ts': `export const levels: { name: string }[] = [{ name: 'level' }]`,
    'once.ts':
      `import { levels } from './levels'\nexport const name: string = levels[0]!.name\nif (typeof window === 'undefined') postMessage(name + ' of ' + typeof self)`,
  },
}, async (app) => {
  await app.sees('#a', 'a worklet')
  await app.sees('#b', 'level of object')
  await app.sees('#c', 'level text/javascript; charset=utf-8')
  assert.deepEqual(app.errors, [])
})

const inlined = (title) =>
  `url("data:image/svg+xml,%3csvg%20xmlns='http://www.w3.org/2000/svg'%20width='5'%20height='5'%3e%3ctitle%3e${title}%3c/title%3e%3c/svg%3e")`

test('a small SVG is part of what imports it, and follows its edits', {
  files: {
    'main.ts': `import small from './small.svg'
import file from './small.svg?no-inline'
import big from './big.svg'
import './style.css'
show('a', [small.slice(0, 18), file, big])
show('b', decodeURIComponent(small).includes('<title>two') ? 'two' : 'one')
import.meta.hot!.accept()`,
    'style.css': '#a { background: url(./small.svg) } #b { background: url(./small.svg#part) }',
    'small.svg': svg('one'),
    'big.svg': svg('x'.repeat(5000)),
  },
}, async (app) => {
  await app.sees('#a', 'data:image/svg+xml,/small.svg,/big.svg')
  await app.looks('#a', 'background-image', inlined('one'))
  const part = await app.page.evaluate(() => getComputedStyle(document.querySelector('#b')).backgroundImage)
  assert.match(part, /small\.svg#part"\)$/)
  await app.edit('small.svg', 'one', 'two')
  await app.sees('#b', 'two')
  await app.looks('#a', 'background-image', inlined('two'))
  await app.stayed()
})

test('globs and computed imports begin with an alias; files that appear count', {
  files: {
    'rekindle.toml': '[resolve.alias]\n"@" = "/src"\n',
    'tsconfig.json': '{ "compilerOptions": { "paths": { "~/*": ["./src/*"] } } }',
    'main.ts': `const name = 'one'
show('a', [(await import(\`@/pages/\${name}.ts\`)).default, (await import('~/pages/' + name + '.ts')).default])
show('b', [Object.keys(import.meta.glob('@/pages/*.ts')), Object.values(import.meta.glob('~/pages/*.ts', { eager: true, import: 'default' }))])
import.meta.hot!.accept()`,
    'src/pages/one.ts': `export default 1`,
  },
}, async (app) => {
  await app.sees('#a', '1,1')
  await app.sees('#b', '/src/pages/one.ts,1')
  fs.writeFileSync(app.path('src/pages/two.ts'), 'export default 2')
  await app.sees('#b', '/src/pages/one.ts,/src/pages/two.ts,1,2')
  await app.stayed()
})

test('@import of a file of public/ is inlined', {
  files: { 'main.ts': `import './style.css'`, 'style.css': '@import "/shared.css";', 'public/shared.css': '#a { color: rgb(7, 7, 7) }' },
}, async (app) => app.looks('#a', 'color', 'rgb(7, 7, 7)'))
