/** Styles in every language and through every tool: what the page looks like, and what an edit does to it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from './harness.mjs'

const RED = 'rgb(255, 0, 0)'
const GREEN = 'rgb(0, 128, 0)'
const BLUE = 'rgb(0, 0, 255)'
const BLACK = 'rgb(0, 0, 0)'

/** The packages of this folder, as if they were installed in the fixture. */
const PACKAGES = fileURLToPath(new URL('node_modules', import.meta.url))

/** A test whose fixture has some of them; `names` all of them that it uses, dependencies included. */
function testWith(names, title, fixture, body) {
  const own = { ...fixture, start: false, load: false }
  test(title, own, async (app) => {
    for (const name of names) {
      const [from, to = from] = name.split(' as ')
      const link = app.path(path.join('node_modules', to))
      fs.mkdirSync(path.dirname(link), { recursive: true })
      fs.symlinkSync(path.join(PACKAGES, from), link)
    }
    await app.start()
    await app.load()
    await body(app)
  })
}

/** A module that counts its runs: an edit that runs it again would show. */
const COUNTED = `const data = import.meta.hot!.data
data.runs = (data.runs ?? 0) + 1
show('b', data.runs)
import.meta.hot!.accept()`

// ---- Sass

test('scss: partials, load paths, packages, data before each file; an edit of any of them', {
  files: {
    'rekindle.toml': `[css.preprocessor_options.scss]\nadditional_data = "$lead: 7px;\\n"\nload_paths = ["styles"]`,
    'main.ts': `import './look/app.scss'\n${COUNTED}`,
    'look/app.scss':
      `@use 'theme';\n@use 'shared/sizes' as *;\n@use 'kit/colors';\n@import './deep/old';\n#a { color: theme.$accent; margin-left: $gap; padding-left: $lead; border-top-color: colors.$line; &.x { top: 0 } }`,
    'look/_theme.scss': `@forward './palette';`,
    'look/_palette.scss': `$accent: red;`,
    'styles/shared/_sizes.scss': `$gap: 3px;`,
    'look/deep/_old.scss': `#c { background-image: url(dot.png) }`,
    'look/deep/dot.png': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'node_modules/kit/package.json': '{"name":"kit","version":"1.0.0"}',
    'node_modules/kit/_colors.scss': `$line: blue;`,
  },
}, async (app) => {
  await app.looks('#a', 'color', RED)
  await app.looks('#a', 'margin-left', '3px')
  await app.looks('#a', 'padding-left', '7px')
  await app.looks('#a', 'border-top-color', BLUE)
  const address = await app.page.evaluate(() => getComputedStyle(document.querySelector('#c')).backgroundImage)
  assert.match(address, /\/look\/deep\/dot\.png"\)$/)
  await app.edit('look/_palette.scss', 'red', 'green')
  await app.looks('#a', 'color', GREEN)
  await app.edit('styles/shared/_sizes.scss', '3px', '4px')
  await app.looks('#a', 'margin-left', '4px')
  await app.sees('#b', '1')
  await app.stayed()
})

test('scss: a mistake has file, line and frame; a missing partial heals when it appears', {
  files: { 'main.ts': `import './app.scss'`, 'app.scss': `@use 'part';\n#a { color: part.$accent }`, '_part.scss': `$accent: red;` },
}, async (app) => {
  await app.looks('#a', 'color', RED)
  app.write('_part.scss', `$size: 1px;\n$accent: $nowhere;`)
  await app.overlay('_part.scss:2:10')
  await app.overlay('undefined variable')
  app.write('_part.scss', `$accent: green;`)
  await app.looks('#a', 'color', GREEN)
  await app.noOverlay()
  await app.edit('app.scss', `@use 'part';`, `@use 'part'; @use 'other';`)
  await app.overlay('cannot find the stylesheet `other`')
  app.write('_other.scss', `#a { margin-left: 5px }`)
  await app.looks('#a', 'margin-left', '5px')
  await app.noOverlay()
  await app.stayed()
})

test('sass: the indented syntax, ?inline, ?raw, ?url, modules, a linked sheet', {
  files: {
    'index.html':
      `<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="/site.scss"><script>show = (id, text) => { document.getElementById(id).textContent = String(text) }</script><script type="module" src="/main.ts"></script><p id="a"></p><p id="b"></p><p id="c"></p>`,
    'main.ts': `import './app.sass'
import text from './text.scss?inline'
import raw from './text.scss?raw'
import address from './far.scss?url'
import styles from './box.module.scss'
document.querySelector('#c')!.className = styles.title!
show('a', text.replace(/\\s+/g, '') + ' ' + raw)
const link = document.createElement('link')
link.rel = 'stylesheet'
link.href = address
document.head.append(link)`,
    'app.sass': `$accent: red\n#a\n  color: $accent\n`,
    'text.scss': `.x { .y { top: 0 } }`,
    'far.scss': `$gap: 9px; #a { margin-left: $gap }`,
    'site.scss': `@use 'site-part'; #b { color: site-part.$accent }`,
    '_site-part.scss': `$accent: blue;`,
    'box.module.scss': `$accent: green; .title { color: $accent; }`,
  },
}, async (app) => {
  await app.looks('#a', 'color', RED)
  await app.sees('#a', '.x.y{top:0;} .x { .y { top: 0 } }')
  await app.looks('#a', 'margin-left', '9px')
  await app.looks('#b', 'color', BLUE)
  await app.looks('#c', 'color', GREEN)
  await app.edit('_site-part.scss', 'blue', 'green')
  await app.looks('#b', 'color', GREEN)
  await app.edit('box.module.scss', 'green', 'red')
  await app.looks('#c', 'color', RED)
  await app.edit('far.scss', '9px', '8px')
  await app.looks('#a', 'margin-left', '8px')
  await app.stayed()
  assert.deepEqual(app.errors, [])
})

testWith(
  ['sass', 'immutable', 'source-map-js', 'chokidar', '@parcel'],
  "scss: where the built-in compiler does not suffice, the project's own Sass is used",
  {
    files: {
      'package.json': `{"devDependencies":{"sass":"*"}}`,
      'main.ts': `import './app.scss'`,
      'app.scss':
        `@use 'sass:color';\n@use 'part';\n#a { color: color.channel(part.$accent, 'red', $space: rgb) == 255 and red; }\n#a { color: if(color.channel(part.$accent, 'red', $space: rgb) == 255, red, blue) }`,
      '_part.scss': `$accent: red;`,
    },
  },
  async (app) => {
    await app.looks('#a', 'color', RED)
    await app.edit('_part.scss', 'red', 'black')
    await app.looks('#a', 'color', BLUE)
    await app.stayed()
  },
)

/** An address on the page, as a file of the project. */
const backgroundOf = async (app, selector) => {
  const image = await app.page.evaluate((selector) => getComputedStyle(document.querySelector(selector)).backgroundImage, selector)
  return new URL(/url\("(.*)"\)/.exec(image)[1]).pathname
}

const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

for (const compiler of ['the built-in Sass', "the project's own Sass"]) {
  const isOwn = compiler.startsWith('the project')
  testWith(
    isOwn ? ['sass', 'immutable', 'source-map-js', 'chokidar', '@parcel'] : [],
    `scss, ${compiler}: partials of packages and of other folders mean what stands beside them`,
    {
      files: {
        'package.json': isOwn ? `{"devDependencies":{"sass":"*"}}` : '{}',
        'main.ts': `import './app.scss'`,
        // The last rule is too new for the built-in compiler.
        'app.scss': `@use 'kit/scss/vars' as kit;\n@use './deep/er/part';\n${
          isOwn ? `@use 'sass:color';\n#c { color: if(color.channel(red, 'red', $space: rgb) == 255, red, blue) }\n` : ''
        }#a { color: kit.$accent }`,
        'deep/er/_part.scss':
          `@import './plain.css';\n$name: 'dot';\n#b { background-image: url(./dot.png) }\n#c { background-image: url('../icons/#{$name}.png') }`,
        'deep/er/plain.css': `#b { color: green }`,
        'deep/er/dot.png': PIXEL,
        'deep/icons/dot.png': PIXEL,
        'node_modules/kit/package.json': '{"name":"kit","version":"1.0.0"}',
        'node_modules/kit/scss/_vars.scss': `@use 'inner/part' as inner;\n$accent: inner.$accent;`,
        'node_modules/kit/scss/inner/_part.scss': '$accent: red;',
      },
    },
    async (app) => {
      await app.looks('#a', 'color', RED)
      await app.looks('#b', 'color', GREEN)
      assert.equal(await backgroundOf(app, '#b'), '/deep/er/dot.png')
      assert.equal(await backgroundOf(app, '#c'), '/deep/icons/dot.png')
      await app.edit('deep/er/plain.css', 'green', 'blue')
      await app.looks('#b', 'color', BLUE)
      await app.edit('app.scss', `'kit/scss/vars'`, `'kit/scss/nowhere'`)
      await app.overlay('cannot find the stylesheet `kit/scss/nowhere`')
      await app.overlay('app.scss:1:1')
      await app.overlay('beside `app.scss`')
      app.write('node_modules/kit/scss/_nowhere.scss', '$accent: blue;')
      await app.looks('#a', 'color', BLUE)
      await app.noOverlay()
      await app.edit('deep/er/_part.scss', `@import`, `@use './missing';\n@import`)
      await app.overlay('cannot find the stylesheet `./missing`')
      await app.overlay('deep/er/_part.scss:1:1')
      await app.overlay(`@import './plain.css'`)
      app.write('deep/er/_missing.scss', '#a { top: 3px }')
      await app.looks('#a', 'top', '3px')
      await app.stayed()
    },
  )
}

// ---- Less and Stylus

testWith(['less', 'copy-anything', 'is-what', 'parse-node-version', 'tslib'], 'less: imports, options, edits', {
  files: {
    'rekindle.toml': `[css.preprocessor_options.less]\nglobal_vars = { lead = "7px" }`,
    'main.ts': `import './app.less'\n${COUNTED}`,
    'app.less': `@import 'part';\n#a { color: @accent; padding-left: @lead; }`,
    'part.less': `@accent: red;`,
  },
}, async (app) => {
  await app.looks('#a', 'color', RED)
  await app.looks('#a', 'padding-left', '7px')
  await app.edit('part.less', 'red', 'green')
  await app.looks('#a', 'color', GREEN)
  await app.edit('app.less', '@accent', '@nowhere')
  await app.overlay('app.less:2')
  await app.edit('app.less', '@nowhere', '@accent')
  await app.noOverlay()
  await app.sees('#b', '1')
  await app.stayed()
})

testWith(['less', 'copy-anything', 'is-what', 'parse-node-version', 'tslib'], 'less: addresses in imported files of other folders', {
  files: {
    'rekindle.toml': '[resolve.alias]\n"@" = "/pictures"\n',
    'main.ts': `import './app.less'`,
    'app.less': `@import 'deep/part';`,
    'deep/part.less':
      `@name: 'dot';\n@import './plain.css';\n#a { background-image: url('@/dot.png') }\n#b { background-image: url(./dot.png) }\n#c { background-image: url("icons/@{name}@2x.png") }`,
    'deep/plain.css': `#c { color: green }`,
    'deep/dot.png': PIXEL,
    'deep/icons/dot@2x.png': PIXEL,
    'pictures/dot.png': PIXEL,
  },
}, async (app) => {
  await app.looks('#c', 'color', GREEN)
  assert.equal(await backgroundOf(app, '#a'), '/pictures/dot.png')
  assert.equal(await backgroundOf(app, '#b'), '/deep/dot.png')
  assert.equal(await backgroundOf(app, '#c'), '/deep/icons/dot@2x.png')
})

testWith(['stylus', '@adobe', 'debug', 'ms', 'glob', 'sax', 'source-map'], 'stylus: imports and edits', {
  files: { 'main.ts': `import './app.styl'`, 'app.styl': `@import 'part'\n#a\n  color accent\n`, 'part.styl': `accent = red\n` },
}, async (app) => {
  await app.looks('#a', 'color', RED)
  await app.edit('part.styl', 'red', 'green')
  await app.looks('#a', 'color', GREEN)
  await app.stayed()
})

test('a language whose package is missing says what to install', {
  load: false,
  files: { 'main.ts': `import './app.less'`, 'app.less': `#a { color: red }` },
}, async (app) => {
  await fetch(app.url, { headers: { accept: 'text/html' } }).then((answer) => answer.text())
  await app.prints('Less files need the package `less`, which is not installed')
  await app.prints('npm install -D less')
})

// ---- PostCSS

const POSTCSS = ['postcss', 'nanoid', 'picocolors', 'source-map-js']
const SWAP = `export default { postcssPlugin: 'swap', Declaration(node) { if (node.value === 'accent') node.value = 'red' } }`

testWith(POSTCSS, 'postcss: a configuration in the project runs over every sheet', {
  files: {
    'postcss.config.mjs': `import swap from './swap.mjs'\nexport default { plugins: [swap] }`,
    'swap.mjs': SWAP,
    'main.ts':
      `import './app.css'\nimport './more.scss'\nimport styles from './box.module.css'\ndocument.querySelector('#c')!.className = styles.title!\n${COUNTED}`,
    'app.css': `@import './parts/inner.css' screen;\n@import 'kit';\n#a { margin-left: 1px }`,
    'parts/inner.css': `#a { color: accent; background-image: url(./dot.png) }`,
    'parts/dot.png': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'node_modules/kit/package.json': '{"name":"kit","version":"1.0.0","style":"kit.css"}',
    'node_modules/kit/kit.css': `#a { border-top-color: accent }`,
    'more.scss': `$a: accent; #b { color: $a }`,
    'box.module.css': `.title { color: accent }`,
  },
}, async (app) => {
  await app.looks('#a', 'color', RED)
  await app.looks('#a', 'border-top-color', RED)
  await app.looks('#b', 'color', RED)
  await app.looks('#c', 'color', RED)
  const address = await app.page.evaluate(() => getComputedStyle(document.querySelector('#a')).backgroundImage)
  assert.match(address, /\/parts\/dot\.png"\)$/)
  await app.edit('parts/inner.css', 'accent', 'green')
  await app.looks('#a', 'color', GREEN)
  // The configuration itself: all sheets are compiled anew.
  await app.edit(
    'postcss.config.mjs',
    'plugins: [swap]',
    `plugins: [{ ...swap, Declaration(node) { if (node.value === 'accent') node.value = 'blue' } }]`,
  )
  await app.looks('#b', 'color', BLUE)
  await app.sees('#b', '1')
  await app.stayed()
})

testWith(POSTCSS, 'postcss: a mistake of a plugin, files and folders that it names', {
  files: {
    'postcss.config.cjs': `const fs = require('fs')
module.exports = { plugins: [{ postcssPlugin: 'words', Once(root, { result, Declaration }) {
  result.messages.push({ type: 'dir-dependency', dir: __dirname + '/words', glob: '**/*.txt' })
  root.walkRules((rule) => {
    if (rule.selector === '#bad') throw rule.error('no such word', { plugin: 'words' })
    const words = fs.readdirSync(__dirname + '/words').map((name) => name + fs.readFileSync(__dirname + '/words/' + name, 'utf8'))
    rule.append({ prop: '--words', value: words.join('-') })
  })
} }] }`,
    'words/one.txt': '',
    'main.ts': `import './app.css'`,
    'app.css': `#a { color: red }`,
  },
}, async (app) => {
  await app.looks('#a', '--words', 'one.txt')
  app.write('words/two.txt', '2')
  await app.looks('#a', '--words', 'one.txt-two.txt2')
  app.write('words/one.txt', '1')
  await app.looks('#a', '--words', 'one.txt1-two.txt2')
  app.write('words/two.txt', '22')
  await app.looks('#a', '--words', 'one.txt1-two.txt22')
  await app.edit('app.css', '#a', '\n#bad')
  await app.overlay('no such word')
  await app.overlay('app.css:2:1')
  await app.edit('app.css', '#bad', '#a')
  await app.noOverlay()
  await app.stayed()
})

testWith(POSTCSS, 'postcss: what a plugin had read is looked at again after it failed', {
  files: {
    'postcss.config.cjs': `const fs = require('fs')
module.exports = { plugins: [{ postcssPlugin: 'words', Once(root, { result }) {
  const file = __dirname + '/words.txt', word = fs.readFileSync(file, 'utf8')
  if (word === 'bad') throw new Error('no such word')
  result.messages.push({ type: 'dependency', file })
  root.walkRules((rule) => rule.append({ prop: '--word', value: word }))
} }] }`,
    'words.txt': 'one',
    'main.ts': `import './app.css'`,
    'app.css': `#a { color: red }`,
  },
}, async (app) => {
  await app.looks('#a', '--word', 'one')
  app.write('words.txt', 'bad')
  await app.overlay('no such word')
  app.write('words.txt', 'two')
  await app.noOverlay()
  await app.looks('#a', '--word', 'two')
  await app.stayed()
})

testWith([...POSTCSS, 'sugarss'], 'postcss: sheets in SugarSS and in CSS beside and inside each other', {
  files: {
    'postcss.config.mjs': 'export default { plugins: [] }',
    'main.ts': `import './a.sss'\nimport './b.css'`,
    'a.sss': `@import './part.css'\n@import './part.sss'\n#a\n  color: red`,
    'b.css': `@import './part.sss';\n#b { color: green }`,
    'part.sss': `#a\n  top: 3px`,
    'part.css': `#b { top: 4px }`,
  },
}, async (app) => {
  await app.looks('#a', 'color', RED)
  await app.looks('#b', 'color', GREEN)
  await app.looks('#a', 'top', '3px')
  await app.looks('#b', 'top', '4px')
  await app.edit('part.sss', '3px', '5px')
  await app.looks('#a', 'top', '5px')
  await app.edit('b.css', 'green', 'blue')
  await app.looks('#b', 'color', BLUE)
  await app.noOverlay()
})

test("postcss: the package need not be the project's, a plugin brings it", {
  files: {
    'package.json': '{"devDependencies":{"swap":"*"}}',
    'postcss.config.cjs': `module.exports = { plugins: { swap: {} } }`,
    'node_modules/swap/package.json': '{"name":"swap","version":"1.0.0","main":"main.js"}',
    'node_modules/swap/main.js':
      `module.exports = () => ({ postcssPlugin: 'swap', Declaration(node) { if (node.value === 'accent') node.value = 'red' } })\nmodule.exports.postcss = true`,
    'node_modules/swap/node_modules/postcss/package.json': '{"name":"postcss","version":"8.0.0","main":"main.js"}',
    'node_modules/swap/node_modules/postcss/main.js': `module.exports = require(${JSON.stringify(path.join(PACKAGES, 'postcss'))})`,
    'main.ts': `import './app.css'`,
    'app.css': `#a { color: accent }`,
  },
}, async (app) => {
  await app.looks('#a', 'color', RED)
})

test('postcss: a configuration without the package says what to install', {
  load: false,
  files: { 'postcss.config.mjs': 'export default {}', 'main.ts': `import './app.css'`, 'app.css': `#a { color: red }` },
}, async (app) => {
  await fetch(app.url, { headers: { accept: 'text/html' } }).then((answer) => answer.text())
  await app.prints('the package `postcss` is not installed')
})

// ---- Tailwind

for (const named of [
  { 'package.json': `{"devDependencies":{"tailwindcss":"^4","@tailwindcss/vite":"^4"}}` },
  { 'vite.config.ts': `import tailwind from '@tailwindcss/vite'\nexport default { plugins: [tailwind()] }` },
]) {
  testWith(
    ['tailwindcss', '@tailwindcss'],
    `tailwind, named in ${Object.keys(named)}: a component that uses a new class updates itself and the styles in one batch`,
    {
      files: {
        ...named,
        'main.ts': `import './app.css'
  import './box'
  import.meta.hot!.on('vite:beforeUpdate', ({ updates }: any) => console.log(updates.map((update: any) => update.path).sort().join(' ')))`,
        'app.css': `@import "tailwindcss";\n@import "./theme.css";\n.card { @apply text-accent }`,
        'theme.css': `@theme { --color-accent: #ff0000 }`,
        'box.ts':
          `const box = document.querySelector('#a')!\nbox.className = 'card'\nconst data = import.meta.hot!.data\nshow('b', (data.runs = (data.runs ?? 0) + 1))\nimport.meta.hot!.accept()`,
      },
    },
    async (app) => {
      await app.looks('#a', 'color', RED)
      await app.edit('box.ts', `'card'`, `'card ml-[13px]'`)
      await app.looks('#a', 'margin-left', '13px')
      await app.sees('#b', '2')
      await app.says('/app.css /box.ts')
      // No new class: only the component changes.
      await app.edit('box.ts', `'card ml-[13px]'`, `'ml-[13px] card'`)
      await app.sees('#b', '3')
      await app.says('/app.css /box.ts', '/box.ts')
      await app.edit('theme.css', '#ff0000', '#0000ff')
      await app.looks('#a', 'color', BLUE)
      // A file that is new.
      app.write('extra.ts', `document.querySelector('#c')!.className = 'pl-[17px]'`)
      await app.edit('box.ts', `const box`, `import './extra'\nconst box`)
      await app.looks('#c', 'padding-left', '17px')
      app.write('parts/deep/more.ts', `document.querySelector('#c')!.className = 'pl-[19px]'`)
      await app.edit('box.ts', `import './extra'`, `import './extra'\nimport './parts/deep/more'`)
      await app.looks('#c', 'padding-left', '19px')
      await app.edit('app.css', 'text-accent', 'text-nowhere')
      await app.overlay('text-nowhere')
      await app.edit('app.css', 'text-nowhere', 'text-accent')
      await app.noOverlay()
      await app.stayed()
    },
  )
}

testWith(['tailwind-postcss-4.0 as @tailwindcss/postcss', 'tailwind-postcss-4.0/node_modules/tailwindcss as tailwindcss'], 'tailwind 4.0', {
  files: {
    'package.json': `{"devDependencies":{"tailwindcss":"4.0.17","@tailwindcss/vite":"4.0.17"}}`,
    '.gitignore': 'node_modules\n',
    'main.ts': `import './app.css'\nimport './box'`,
    'app.css': `@import "tailwindcss";\n@theme { --color-accent: #ff0000 }`,
    'box.ts': `document.querySelector('#a')!.className = 'text-accent'\nimport.meta.hot!.accept()`,
  },
}, async (app) => {
  await app.looks('#a', 'color', RED)
  await app.edit('box.ts', `'text-accent'`, `'text-accent ml-[13px]'`)
  await app.looks('#a', 'margin-left', '13px')
  await app.stayed()
})

// ---- CSS

test('what a browser skips in a sheet stops no page, and is said in the terminal', {
  files: {
    'main.ts': `import './app.css'\nimport './box.module.css'\nimport 'kit/style.css'\nshow('a', 'up')`,
    'app.css': `#a { color: red; background: url(data:image/svg+xml;utf8,<svg xmlns='x'/>); top: 1px }
#a { left: 2px; background: url(a b.png) }
#b { content: 'open;
  bottom: 1px }
}
#nobody { color: red }
#b { color: green }`,
    'box.module.css': `.box { top: 0 } }\n.gone { top: 0 }\n:global(#c) { color: blue }`,
    'node_modules/kit/package.json': '{"name":"kit","version":"1.0.0"}',
    'node_modules/kit/style.css': `#c { top: 7px }\n}\n#nobody { top: 1px }`,
  },
}, async (app) => {
  await app.sees('#a', 'up')
  await app.looks('#a', 'color', RED)
  await app.looks('#a', 'top', '1px')
  await app.looks('#a', 'left', '2px')
  await app.looks('#b', 'color', GREEN)
  await app.looks('#c', 'color', BLUE)
  await app.looks('#c', 'top', '7px')
  await app.noOverlay()
  await app.prints('app.css:1')
  await app.prints('app.css:5:1')
  assert.equal(app.printed.split('app.css:5:1').length, 2)
})

test('css modules: ?inline gives the text with the names of its classes', {
  files: {
    'main.ts':
      `import names from './box.module.css'\nimport text from './box.module.css?inline'\nshow('a', [text.includes('.' + names.box), /\\.box\\b/.test(text)].join())`,
    'box.module.css': '.box { color: red }',
  },
}, async (app) => {
  await app.sees('#a', 'true,false')
})

test('css modules: :export hands values to scripts; classes may be reserved words', {
  files: {
    'main.ts': `import vars, { primary } from './vars.module.scss'\nimport * as all from './plain.module.css'
show('a', [primary, vars['big-gap'], typeof vars.box, Object.keys(vars)].join())
show('b', [all.small, typeof all.delete, Object.keys(all).sort()].join())\nimport.meta.hot!.accept()`,
    'vars.module.scss': `$primary: #f00;\n:export { primary: $primary; big-gap: 4px }\n.box { color: $primary }`,
    'plain.module.css': `:export { small: 12px }\n.delete { color: red }`,
  },
}, async (app) => {
  await app.sees('#a', '#f00,4px,string,box,primary,big-gap')
  await app.sees('#b', '12px,string,default,delete,small')
  await app.edit('vars.module.scss', '#f00', '#0f0')
  await app.sees('#a', /^#0f0,/)
  await app.stayed()
})

test('css modules: conventions and patterns of names', {
  files: {
    'rekindle.toml': `[css.modules]\nlocals_convention = "camelCaseOnly"\ngenerate_scoped_name = "[name]__[local]__[hash:base64:5]"`,
    'main.ts':
      `import styles, { bigBox } from './box.module.css'\nshow('a', Object.keys(styles).join() + ' ' + bigBox)\ndocument.querySelector('#b')!.className = bigBox`,
    'box.module.css':
      `.big-box { color: red; animation: spin 1s }\n.big-box:not(.off):is(.big-box) { margin-left: 2px }\n@keyframes spin { to { top: 0 } }`,
  },
}, async (app) => {
  await app.sees('#a', /^bigBox,off,spin box-module__big-box__\w{5}$/)
  await app.looks('#b', 'color', RED)
  await app.looks('#b', 'margin-left', '2px')
  assert.match(await app.page.evaluate(() => getComputedStyle(document.querySelector('#b')).animationName), /^box-module__spin__\w{5}$/)
})

test('css modules: a class map that stays the same swaps the sheet only, also in Sass', {
  files: {
    'main.ts': `import styles from './box.module.scss'\ndocument.querySelector('#a')!.className = styles.title!\n${COUNTED}`,
    'box.module.scss': `.title { color: red }`,
  },
}, async (app) => {
  await app.edit('box.module.scss', 'red', 'green')
  await app.looks('#a', 'color', GREEN)
  await app.sees('#b', '1')
  await app.stayed()
})

test('syntax is lowered for the browsers that the project names, and only then', {
  files: {
    'package.json': `{"browserslist":["chrome 80"]}`,
    'main.ts': `import text from './app.css?inline'\nshow('a', text)\nimport.meta.hot!.accept()`,
    'app.css': `.a { .b & { inset: 0 } }`,
  },
}, async (app) => {
  await app.sees('#a', /^\.b \.a \{[^]*top: 0;[^]*\}/)
  await app.edit('package.json', 'chrome 80', 'chrome 140')
  await app.sees('#a', /\.b & \{\s*inset: 0;/)
})

test('source maps of sheets, where they are wanted', {
  files: {
    'rekindle.toml': `[css]\ndev_sourcemap = true`,
    'main.ts': `import text from './app.css?inline'\nimport './app.css'\nshow('a', text.split('base64,')[1]!.split(' ')[0])`,
    'app.css': `@import './inner.css';\n#a { color: red }`,
    'inner.css': `#b { color: red }`,
  },
}, async (app) => {
  await app.looks('#b', 'color', RED)
  const map = JSON.parse(Buffer.from(await app.text('#a'), 'base64').toString())
  assert.deepEqual(map.sources.map((name) => name.replace(/^\//, '')).sort(), ['app.css', 'inner.css'])
  assert.ok(map.sourcesContent.includes('#b { color: red }'))
})

test('what a browser skips in a sheet is said once in the terminal', {
  files: { 'main.ts': `import './app.css'`, 'app.css': `#a { color: red; *zoom: 1 }` },
}, async (app) => {
  await app.looks('#a', 'color', RED)
  await app.prints(/warning: .*\n\s+--> app\.css:1/)
  await app.edit('app.css', 'red', 'green')
  await app.looks('#a', 'color', GREEN)
  assert.equal(app.printed.split('warning:').length, 2)
})

test('@import of packages, by their style field and condition, with ~ and with url()', {
  files: {
    'main.ts': `import './app.css'`,
    'app.css': `@import "one";\n@import url("two/extra");\n@import "~three/three.css";`,
    'node_modules/one/package.json': '{"name":"one","exports":{".":{"style":"./one.css","default":"./one.js"}}}',
    'node_modules/one/one.css': `#a { color: red }`,
    'node_modules/two/package.json': '{"name":"two","main":"two.js"}',
    'node_modules/two/extra.css': `#b { color: red }`,
    'node_modules/three/package.json': '{"name":"three"}',
    'node_modules/three/three.css': `#c { color: red }`,
  },
}, async (app) => {
  for (const id of ['#a', '#b', '#c']) await app.looks(id, 'color', RED)
  await app.edit('node_modules/one/one.css', 'red', 'green')
  await app.looks('#a', 'color', GREEN)
  await app.stayed()
})

// ---- order and first paint

test('the order of the sheets is that of the imports, also of imports that an edit adds or moves', {
  files: {
    'main.ts': `import './a.css'\nimport './c.css'\nimport.meta.hot!.accept()`,
    'a.css': `#a { color: red }`,
    'b.css': `#a { color: blue; margin-left: 1px }`,
    'c.css': `#a { color: green }`,
  },
}, async (app) => {
  const order = () =>
    app.page.evaluate(() => [...document.querySelectorAll('style[data-vite-dev-id]')].map((style) => style.dataset.viteDevId).join())
  await app.looks('#a', 'color', GREEN)
  await app.edit('main.ts', `import './c.css'`, `import './b.css'\nimport './c.css'`)
  await app.looks('#a', 'margin-left', '1px')
  await app.looks('#a', 'color', GREEN)
  assert.equal(await order(), '/a.css,/b.css,/c.css')
  await app.edit('main.ts', `import './b.css'\nimport './c.css'`, `import './c.css'\nimport './b.css'`)
  await app.looks('#a', 'color', BLUE)
  assert.equal(await order(), '/a.css,/c.css,/b.css')
  await app.stayed()
})

test('sheets of lazily loaded modules come behind those of the page, in the order of their loading', {
  files: {
    'main.ts': `import './a.css'\nObject.assign(window, { one: () => import('./one'), two: () => import('./two') })\nimport.meta.hot!.accept()`,
    'one.ts': `import './shared.css'\nimport './one.css'`,
    'two.ts': `import './shared.css'\nimport './two.css'`,
    'a.css': `#a { color: red }`,
    'b.css': `#b { color: red }`,
    'shared.css': `#a { color: blue }`,
    'one.css': `#a { margin-left: 1px }`,
    'two.css': `#a { margin-left: 2px }`,
  },
}, async (app) => {
  const order = () =>
    app.page.evaluate(() => [...document.querySelectorAll('style[data-vite-dev-id]')].map((style) => style.dataset.viteDevId).join())
  await app.page.evaluate(() => window.two())
  await app.looks('#a', 'margin-left', '2px')
  await app.page.evaluate(() => window.one())
  await app.looks('#a', 'margin-left', '1px')
  assert.equal(await order(), '/a.css,/shared.css,/two.css,/one.css')
  await app.edit('main.ts', `import './a.css'`, `import './a.css'\nimport './b.css'`)
  await app.looks('#b', 'color', RED)
  assert.equal(await order(), '/a.css,/b.css,/shared.css,/two.css,/one.css')
  await app.edit('one.css', '1px', '3px')
  await app.looks('#a', 'margin-left', '3px')
  await app.stayed()
})

test('nothing that the page renders is seen without its styles, on load or on an update', {
  load: false,
  files: {
    'main.ts': `import './app.css'\nimport './look.scss'
const seen = ((window as any).seen = new Set<string>())
const box = document.querySelector<HTMLElement>('#a')!
box.textContent = 'rendered'
const look = () => { const style = getComputedStyle(box); seen.add(style.color + ' ' + style.marginLeft); requestAnimationFrame(look) }
look()`,
    'app.css': `#a { color: red }`,
    'look.scss': `$gap: 4px; #a { margin-left: $gap }`,
  },
}, async (app) => {
  await app.load()
  await app.edit('app.css', 'red', 'green')
  await app.looks('#a', 'color', GREEN)
  await app.edit('look.scss', '4px', '5px')
  await app.looks('#a', 'margin-left', '5px')
  const seen = await app.page.evaluate(() => [...window.seen])
  assert.ok(seen.includes(`${RED} 4px`) && !seen.some((look) => look.startsWith(BLACK) || look.endsWith(' 0px')), seen.join(' | '))
})

test('what stands in the page is styled before a script runs; the modules take the sheets over', {
  load: false,
  files: {
    'index.html': `<!doctype html><html><head><title>t</title><style>#a { margin-left: 1px; padding-left: 1px }</style></head>
<body><p id="a">static</p><div id="root"></div><script type="module" src="/main.ts"></script></body></html>`,
    'main.ts': `import './app.css'\nimport classes from './box.module.css'\nimport './last.scss'\nimport.meta.hot.accept()
document.getElementById('root')!.className = classes.box!
const load = () => import('./lazy')\nif (location.search) void load()
if (location.hash) require('./never.css')`,
    'lazy.ts': `import './lazy.css'`,
    'app.css': `#a { color: red; margin-left: 2px; background: url(./dot.png) } /* </style><b>no</b> */ #a::after { content: '</Style>' }`,
    'box.module.css': `.box { margin-left: 3px }\n:global(#a) { margin-left: 4px }`,
    'last.scss': `$gap: 5px; #a { margin-left: $gap }`,
    'lazy.css': `#a { color: blue }`,
    'dot.png': 'x'.repeat(5000),
  },
}, async (app) => {
  const look = () =>
    app.page.evaluate(() => {
      const style = getComputedStyle(document.querySelector('#a'))
      return [
        style.color,
        style.marginLeft,
        style.paddingLeft,
        style.backgroundImage.replace(location.origin, ''),
        getComputedStyle(document.querySelector('#a'), '::after').content,
      ].join(' ')
    })
  const sheets = () => app.page.evaluate(() => [...document.querySelectorAll('[data-vite-dev-id]')].map((style) => style.dataset.viteDevId).join())
  const styled = `${RED} 5px 1px url("/dot.png") "</Style>"`
  const all = '/app.css,/box.module.css,/last.scss'
  app.first = await app.tab({ blank: true })
  for (const time of ['cold', 'again']) {
    await app.page.route('**/@rekindle/page.js?*', (route) => route.abort())
    await app.page.goto(app.url)
    assert.equal(await look(), styled, time)
    assert.equal(await sheets(), all)
    assert.equal(await app.page.evaluate(() => document.querySelectorAll('b').length), 0)
    await app.page.unroute('**/@rekindle/page.js?*')
  }
  await app.page.goto(app.url)
  await app.page.waitForFunction(() => document.getElementById('root').className)
  assert.equal(await look(), styled)
  assert.equal(await sheets(), all)
  await app.edit('app.css', 'red', 'green')
  await app.looks('#a', 'color', GREEN)
  assert.equal(await sheets(), all)
  await app.edit('main.ts', "import './last.scss'", '')
  await app.looks('#a', 'margin-left', '4px')
  assert.equal(await sheets(), '/app.css,/box.module.css')
})

test('a policy about styles is kept: the page has none in its text', {
  load: false,
  files: {
    'rekindle.toml': `[server.headers]\nContent-Security-Policy = "style-src 'nonce-n1'"\n`,
    'index.html': `<!doctype html><html><head><title>t</title><meta property="csp-nonce" nonce="n1"></head>
<body><p id="a">static</p><script type="module" src="/main.ts"></script></body></html>`,
    'main.ts': `import './app.css'`,
    'app.css': `#a { color: red }`,
  },
}, async (app) => {
  await app.load()
  await app.looks('#a', 'color', RED)
  assert.equal(await app.page.evaluate(() => document.querySelectorAll('style').length), 1)
})

for (const [extension, ...packages] of [['less', 'less'], ['styl', 'stylus', '@adobe', 'debug', 'ms', 'glob', 'sax', 'source-map']]) {
  testWith(packages, `${extension}: a pipe where a file is expected is named, and everything else is served`, {
    files: {
      'main.js': `import './a.${extension}'\nshow('a', 'runs')\nimport.meta.hot.accept()`,
      [`a.${extension}`]: `@import './part.${extension}';\n#a { color: rgb(1, 1, 1) }`,
      [`part.${extension}`]: '#b { color: rgb(1, 1, 1) }',
      'other.html': '<p id="c">other</p>',
    },
  }, async (app) => {
    const part = `part.${extension}`
    await app.sees('#a', 'runs')
    app.remove(part)
    execFileSync('mkfifo', [app.path(part)])
    await app.overlay(part)
    const tab = await app.tab({ blank: true })
    await tab.page.goto(new URL('other.html', app.url).href)
    await tab.sees('#c', 'other')
    app.remove(part)
    app.write(part, '#b { color: rgb(2, 2, 2) }')
    await app.looks('#b', 'color', 'rgb(2, 2, 2)')
  })
}
