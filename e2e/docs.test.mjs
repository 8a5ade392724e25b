/**
 * The documentation does what it says. Every fenced block of README.md, CONTRIBUTING.md and `docs/` has a rule here, or the test fails:
 *
 * - A section with a ```` ```diff FILE ````, a ```` ```text page ```` or another step is a story: its files are written, served and opened, and its steps
 *   are carried out in their order (`steps` below).
 * - ```` ```toml ```` is taken as settings, each command line of ```` ```sh ```` is run, and other code is parsed (`rules` below).
 *
 * Links and anchors have to exist, docs/SUMMARY.md lists every page, and docs/troubleshooting.md has every message of a mistake.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test as nodeTest } from 'node:test'
import { fileURLToPath } from 'node:url'
import typescript from 'typescript-classic'
import { freePort, program, test, until } from './harness.mjs'
import { anchors, parse, sections } from './markdown.mjs'

const repository = fileURLToPath(new URL('..', import.meta.url))
const ONLINE = 'https://github.com/rekindle/rekindle/blob/main/'
const markdown = (folder) =>
  fs.readdirSync(path.join(repository, folder)).filter((name) => name.endsWith('.md')).map((name) => path.posix.join(folder, name))
const book = [...markdown('docs'), ...markdown('docs/internals')]
const pages = new Map(
  ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'SECURITY.md', ...book].map((name) => [name, parse(path.join(repository, name))]),
)
/** Pages whose blocks are for readers of the source. */
const isInternal = (name) => name === 'ARCHITECTURE.md' || name === 'SECURITY.md' || name.startsWith('docs/internals/')

// ---- links

nodeTest('every link of the documentation leads to a page and a heading that exist', () => {
  const broken = []
  for (const [name, items] of pages) {
    for (const { target, line } of items.filter(({ kind }) => kind === 'link')) {
      const isOnline = target.startsWith(ONLINE)
      if (/^[a-z]+:/.test(target) && !isOnline) continue
      const [file, anchor] = (isOnline ? target.slice(ONLINE.length) : target).split('#')
      const to = file === '' ? name : isOnline ? file : path.posix.join(path.posix.dirname(name), file)
      if (!fs.existsSync(path.join(repository, to))) broken.push(`${name}:${line}: there is no ${to}`)
      else if (anchor !== undefined && !anchors(pages.get(to) ?? parse(path.join(repository, to))).includes(anchor)) {
        broken.push(`${name}:${line}: ${to} has no heading for #${anchor}`)
      }
    }
  }
  assert.deepEqual(broken, [])
})

nodeTest('docs/SUMMARY.md lists every page of the book', () => {
  const listed = pages.get('docs/SUMMARY.md').filter(({ kind }) => kind === 'link').map(({ target }) => `docs/${target}`)
  assert.deepEqual(listed.toSorted(), book.filter((name) => name !== 'docs/SUMMARY.md').toSorted())
})

nodeTest('README.md is short', () => {
  assert.ok(fs.readFileSync(path.join(repository, 'README.md'), 'utf8').split('\n').length <= 151, 'README.md has more than 150 lines')
})

// ---- messages

/** All string literals of the program and of the browser runtime, as they are shown. */
const sources = ['crates', 'client/src'].flatMap((folder) => {
  const files = fs.readdirSync(path.join(repository, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(rs|ts|mjs)$/.test(name) && !/test/.test(name)
  )
  return files.map((name) => fs.readFileSync(path.join(repository, folder, name), 'utf8').replace(/\\\n\s*/g, '').replace(/\\(["'`])/g, '$1'))
})

nodeTest('docs/troubleshooting.md has the messages that the program has', () => {
  const text = fs.readFileSync(path.join(repository, 'docs/troubleshooting.md'), 'utf8').replace(/\n\s+/g, ' ')
  const messages = [...text.matchAll(/\*\*(.+?)\*\*/g)].map(([, message]) => message)
  const all = sources.join('\n')
  const unknown = messages.filter((message) => !message.split('…').every((part) => part.trim().length < 4 || all.includes(part.trim())))
  assert.deepEqual(unknown, [], 'no source has these messages any more')
})

nodeTest('every mistake that the program can report is explained in docs/troubleshooting.md', () => {
  const text = fs.readFileSync(path.join(repository, 'docs/troubleshooting.md'), 'utf8').replace(/\s+/g, ' ')
  const missing = new Set()
  for (const source of sources) {
    const code = source.split('#[cfg(test)]')[0]
    for (const [, message] of code.matchAll(/(?:Diagnostic::error\(\s*(?:format!\(\s*)?|#\[error\()"((?:[^"\n])+)"/g)) {
      const parts = message.split(/`?\{[^}]*\}`?/).map((part) => part.trim()).filter((part) => part.length > 3)
      if (!parts.every((part) => text.includes(part))) missing.add(message)
    }
  }
  assert.deepEqual([...missing], [], 'docs/troubleshooting.md says nothing of these')
})

// ---- stories

/** What a section does, in the order of its text. Each gets the story's app and the block or comment. */
const steps = {
  async 'diff'(story, { name, text }) {
    const [file, then] = name.split(' ')
    const side = (sign) =>
      text.split('\n').filter((line) => line !== '' && (line[0] === ' ' || line[0] === sign)).map((line) => line.slice(1)).join('\n')
    await story.app.edit(file, side('-'), side('+'))
    if (then === 'reloads') await story.app.reloaded()
    if (then === 'broken') await until('an overlay', async () => assert.ok(await story.app.first.overlayText()))
  },
  async 'text page'({ app }, { text }) {
    await until(`the page to show ${text}`, async () => assert.ok((await shown(app)).includes(squeezed(text)), `it shows ${await shown(app)}`))
  },
  async 'text console'({ app }, { text }) {
    await until(`the console to say ${text}`, () => assert.ok(app.first.lines.some((line) => line.includes(text.trim()))))
  },
  async 'text terminal'({ app }, { text }) {
    await app.prints(pattern(text))
  },
  async 'page'(story, { rest }) {
    await steps['text page'](story, { text: rest })
  },
  async 'page-without'({ app }, { rest }) {
    await until(`the page to be without ${rest}`, async () => assert.ok(!(await shown(app)).includes(rest)))
  },
  async 'click'({ app }, { rest }) {
    await app.page.click(rest)
  },
  async 'looks'({ app }, { rest }) {
    const [selector, property, ...value] = rest.split(' ')
    await app.looks(selector, property, value.join(' '))
  },
}
/** What a section needs before it is served. */
const preparations = {
  packages: ({ app }, { rest }) =>
    rest.split(' ').forEach((name) => linkTo(app.path(`node_modules/${name}`), path.join(repository, 'e2e/node_modules', name))),
  root: (story, { rest }) => (story.app.command = [program, 'dev', story.app.path(rest)]),
  link({ app }, { rest }) {
    const [link, target] = rest.split(' -> ')
    linkTo(app.path(link), app.path(target))
  },
}

function linkTo(link, target) {
  assert.ok(fs.existsSync(target), `there is no ${target}`)
  fs.mkdirSync(path.dirname(link), { recursive: true })
  fs.symlinkSync(target, link)
}

/** What can be read on the page, in elements with a shadow root too. */
async function shown(app) {
  const texts = await app.page.evaluate(
    () => [document.body.innerText, ...[...document.querySelectorAll('*')].map(({ shadowRoot }) => shadowRoot?.textContent ?? '')],
  )
  return squeezed(texts.join(' '))
}
const squeezed = (text) => text.replace(/\s+/g, ' ').trim()

/** What a text of the terminal must look like: the time, how long things took, sizes, digests in names and the port may be others. */
function pattern(text) {
  /** @type {[RegExp, string | undefined][]} */
  const variable = [
    [/\s+/, String.raw`\s+`],
    [/\d\d:\d\d:\d\d/, String.raw`\d\d:\d\d:\d\d`],
    [/\d+(?:\.\d+)? m?s\b/, String.raw`[\d.]+ m?s`],
    [/\d+(?:\.\d+)? kB/, String.raw`[\d.]+ kB`],
    [/-[\w-]{8}\./, String.raw`-[\w-]{8}\.`],
    [/:\d{4}\//, String.raw`:\d+/`],
    [/[.*+?^${}()|[\]\\]/, undefined],
  ]
  const any = new RegExp(variable.map(([found]) => found.source).join('|'), 'g')
  const loosened = (part) => variable.find(([found]) => new RegExp(`^(?:${found.source})$`).test(part))[1] ?? `\\${part}`
  return new RegExp(text.trim().replace(any, loosened))
}

const isFile = ({ kind, language, name }) => kind === 'block' && !['diff', 'text', 'sh'].includes(language) && name !== ''
const stepOf = (item) => steps[item.kind === 'block' ? [item.language, item.language === 'text' && item.name].filter(Boolean).join(' ') : item.word]

describe('stories', { concurrency: 3 }, () => {
  for (const [name, items] of pages) {
    if (isInternal(name)) continue
    const [intro, ...parts] = sections(items)
    for (const section of parts) {
      if (!section.items.some(stepOf)) continue
      test(`${name}, “${section.title}”`, { files: {}, start: false, load: false, limit: 30_000 }, async (app) => {
        const story = { app }
        let isOpen = false
        for (const item of [...intro.items.filter(isFile), ...section.items]) {
          // Settings below an open page are taken by themselves, like those of a section without a story.
          if (isFile(item)) {
            if (!isOpen || item.language !== 'toml') app.write(item.name, item.text)
          } else if (preparations[item.word]) preparations[item.word](story, item)
          else if (stepOf(item)) {
            if (!isOpen) await app.start()
            if (!isOpen) await app.load()
            isOpen = true
            try {
              await stepOf(item)(story, item)
            } catch (error) {
              throw new Error(`${name}:${item.line}: ${error.message}`, { cause: error })
            }
          }
        }
        await app.stayed()
        if (!section.items.some(({ name }) => name?.endsWith(' broken'))) assert.deepEqual(app.errors, [], 'errors in the console')
      })
    }
  }
})

// ---- blocks that stand alone

/** Languages of files that other programs read. The commands of rekindle in them are checked all the same. */
const OF_OTHERS = { yaml: 'a workflow of GitHub', nginx: 'settings of nginx', ini: 'variables, read by a story', txt: 'text, read by a story' }
/** Commands that are not run, with the reason. */
/** @type {[RegExp, string][]} */
const NOT_RUN = [
  [/^cargo (install|xtask|build|test|fmt|clippy)\b/, 'it builds the program, or is what runs this test'],
  [/^(npm|npx|pnpm|yarn) /, 'it asks a registry for packages'],
  [/^docker /, 'it needs Docker; the command of rekindle in it is run'],
  [/^cp dist/, 'it copies a file of a build'],
  [/^(\.ci\/run|node e2e\/|mdbook )/, 'it is for those who change rekindle, and runs for long'],
]

const rules = {
  toml: (block) => (block.name === '' || block.name === 'rekindle.toml' ? acceptsSettings(block) : runs(ours(block.text))),
  sh: (block) => runs(ours(block.text)),
  yaml: (block) => runs(ours(block.text)),
  json: ({ text }) => void text.trim().split(/\n(?=\{)/).forEach((value) => JSON.parse(value)),
  js: parses,
  ts: parses,
  jsx: parses,
  tsx: parses,
  html: ({ text }) => assert.match(text, /<[a-z!]/),
  css: ({ text }) => assert.equal(text.split('{').length, text.split('}').length),
  rust: isInDocComment,
  'text banner': bannerIs,
  'text build': buildPrints,
  'text example': isShownInAStory,
}
for (const language of [
  'scss',
  'less',
  'svg',
  'diff',
  'text page',
  'text console',
  'text terminal',
  ...Object.keys(OF_OTHERS).filter((language) => language !== 'yaml'),
]) {
  rules[language] = () => {} // Files and steps of stories; see the test below for those that belong to none.
}

nodeTest('every block of the documentation has a rule, and files and steps stand in a story', () => {
  const without = []
  for (const [name, items] of pages) {
    if (isInternal(name)) continue
    // Files in front of the first heading are those of every story of the page.
    const hasStories = sections(items).slice(1).some((section) => section.items.some(stepOf))
    for (const { title, items: inSection } of sections(items)) {
      const isStory = title !== 'intro' && inSection.some(stepOf)
      for (const { kind, word, line } of inSection) {
        if (kind === 'comment' && !steps[word] && !preparations[word] && word !== 'settings') without.push(`${name}:${line}: ${word}`)
      }
      for (const block of inSection.filter(({ kind }) => kind === 'block')) {
        const needsStory = ['scss', 'less', 'svg', 'txt', 'ini', 'jsx', 'css', 'html'].includes(block.language) && block.name !== ''
        if (!ruleOf(block) || (stepOf(block) && !isStory) || (needsStory && !isStory && (title !== 'intro' || !hasStories))) {
          without.push(`${name}:${block.line}: ${block.language} ${block.name}`)
        }
      }
    }
  }
  assert.deepEqual(without, [])
})

function ruleOf({ language, name }) {
  return rules[language === 'text' ? `text ${name}` : language]
}

for (const [name, items] of pages) {
  if (isInternal(name)) continue
  nodeTest(`${name}: settings are taken, commands run, code can be parsed`, { timeout: 60_000 }, async () => {
    for (const block of items.filter((item) => item.kind === 'block' && ruleOf(item))) {
      try {
        await ruleOf(block)(block)
      } catch (error) {
        throw new Error(`${name}:${block.line}: ${error.message}`, { cause: error })
      }
    }
  })
}

/** Whether TypeScript finds nothing wrong with how it is written. */
function parses({ language, text }) {
  const { diagnostics } = typescript.transpileModule(text, {
    reportDiagnostics: true,
    fileName: `block.${language === 'ts' ? 'ts' : 'tsx'}`,
    compilerOptions: {
      module: typescript.ModuleKind.ESNext,
      target: typescript.ScriptTarget.ESNext,
      jsx: typescript.JsxEmit.Preserve,
      allowJs: true,
    },
  })
  assert.deepEqual(diagnostics.map(({ messageText }) => typescript.flattenDiagnosticMessageText(messageText, '\n')), [])
}

/** An example in Rust is one that `cargo test --doc` compiles. */
function isInDocComment({ text }) {
  const folder = path.join(repository, 'crates/rekindle/src')
  const comments = fs.readdirSync(folder).filter((name) => name.endsWith('.rs')).map((name) => fs.readFileSync(path.join(folder, name), 'utf8'))
  const examples = comments.join('\n').split('\n').map((line) => line.replace(/^\s*\/\/[/!] ?/, '')).filter((line) => !/^# /.test(line)).join('\n')
  assert.ok(examples.includes(text.trim()), 'no doc comment of crates/rekindle/src has this example')
}

async function acceptsSettings({ text }) {
  const folder = project({ 'rekindle.toml': text })
  const { code, printed } = await rekindle(['dev', '--port', String(await freePort())], folder)
  // The example's certificate does not exist.
  if (/key\.pem/.test(text)) return assert.match(printed, /cert\.pem of server\.https cannot be read/)
  assert.equal(code, 'ready', printed)
  assert.doesNotMatch(printed, /error|unknown key/, printed)
}

/** An example of what the terminal shows, whose lines stories of the book bring about. */
function isShownInAStory({ text }) {
  const lines = [...pages.values()].flat().filter(({ language, name }) => language === 'text' && name === 'terminal').flatMap((block) =>
    block.text.split('\n')
  )
  assert.deepEqual(text.split('\n').filter((line) => !lines.includes(line)), [])
}

async function bannerIs({ text }) {
  const { printed } = await rekindle(['--port', String(await freePort())], project({}))
  assert.match(printed, pattern(text))
}

async function buildPrints({ text }) {
  const folder = emptyFolder()
  await rekindle(['init', '--template', 'typescript'], folder)
  const { code, printed } = await rekindle(['build'], folder)
  assert.equal(code, 0, printed)
  assert.match(printed, pattern(text))
}

/**
 * What `rekindle` is called with in a text: `rekindle …`, `npx rekindle …`, `$(rekindle …)`, `"rekindle …"`, and what `cargo run -- …` hands on.
 * A line that is none of these has to be in `NOT_RUN`, or to belong to a settings file.
 */
function ours(text) {
  const commands = []
  for (const line of text.split('\n').map((line) => line.trim().replace(/(?:^|\s+)#.*$/, '')).filter(Boolean)) {
    const cargo = /^cargo run --release -- (.*)$/.exec(line)
    const [, before, rest] = /^(.*?)(?:npx )?\brekindle(?=[\s")]|$)(.*)$/.exec(line) ?? []
    const isOurs = rest !== undefined && !NOT_RUN[0][0].test(line)
    if (cargo) commands.push(cargo[1])
    else if (isOurs) commands.push(before.endsWith('$(') ? rest.split(')')[0] : before.endsWith('"') ? rest.split('"')[0] : rest)
    else assert.ok(NOT_RUN.some(([start]) => start.test(line)) || IN_SETTINGS.test(line), `there is no rule for the command: ${line}`)
  }
  return commands
}
/** A line of a workflow or of a settings file. */
const IN_SETTINGS = /^(?:- )?[\w-]+:|^\w+ = |^\[\[?\w+\]\]?$/

async function runs(commands) {
  if (commands.length === 0) return
  const folder = project({ 'path/to/project/index.html': PAGE, 'apps/shop/index.html': PAGE, 'my-app/index.html': PAGE })
  if (commands.some((command) => command.includes('examples/'))) {
    fs.cpSync(path.join(repository, 'examples'), path.join(folder, 'examples'), { recursive: true })
  }
  for (const command of commands) {
    const words = command.split(/\s+/).filter(Boolean).map((word) => word.replace(/^"|"$/g, ''))
    const free = ['--port', String(await freePort())]
    const serves = !['build', 'init', 'edit', 'help'].includes(words[0]) && !words.some((word) => /^(-h|--help|-V|--version)$/.test(word))
    if (words[0] === 'preview') assert.equal((await rekindle(['build'], folder)).code, 0)
    // What the command runs is not ours, and an id is one that a server gave.
    if (words[0] === 'edit' && words.includes('--')) words.splice(words.indexOf('--') + 1, Infinity, 'true')
    const id = words.indexOf('$id')
    if (id !== -1) words[id] = '1a2b3c'
    if (words[0] === 'init') fs.mkdirSync(path.join(folder, 'new'), { recursive: true })
    const { code, printed } = await rekindle([...words, ...(serves ? free : [])], words[0] === 'init' ? path.join(folder, 'new') : folder)
    // Without a server an edit has nobody to tell; flags that do not exist end with 2.
    if (words[0] === 'edit') assert.notEqual(code, 2, printed)
    else assert.equal(code, serves ? 'ready' : 0, `rekindle ${command.trim()}: ${printed}`)
  }
}

const PAGE = '<!doctype html><title>page</title><p>page</p>'

const folders = []
after(() => folders.forEach((folder) => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 })))

function emptyFolder() {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rekindle-docs-')))
  folders.push(folder)
  return folder
}

function project(files) {
  const folder = emptyFolder()
  for (const [name, text] of Object.entries({ 'index.html': PAGE, ...files })) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  return folder
}

/** Runs the program until it ends, or until a server is ready, which is ended then. */
function rekindle(words, folder) {
  const child = spawn(program, words, { cwd: folder, env: { ...process.env, NO_COLOR: '1', BROWSER: 'none' }, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  let isReady = false
  const hear = (chunk) => {
    printed += chunk
    if (isReady || !/^ {2}(Local|Network): /m.test(printed)) return
    isReady = true
    // A line more may follow.
    setTimeout(() => child.kill('SIGTERM'), 50)
  }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', hear)
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (code) => done({ code: isReady ? 'ready' : code, printed }))
  })
}
