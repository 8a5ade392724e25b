/**
 * The tools of styles that exist only as npm packages: PostCSS with the project's plugins, Tailwind CSS 4, Less,
 * Stylus, and Sass where the built-in compiler does not suffice. They are the project's own.
 *
 *     {"id":1,"tool":"postcss","file":"/app/a.css","css":"…","config":"/app/postcss.config.js"}      on stdin
 *     {"id":1,"ask":0,"language":"css","specifier":"pkg/b.css","from":"/app/a.css"}                  on stdout: what is that?
 *     {"id":1,"answer":0,"path":"/app/node_modules/pkg/b.css"}                                       on stdin
 *     {"id":1,"css":"…","files":["/app/b.css"],"scans":[{"base":"/app/src","pattern":"**"}]}         on stdout
 *
 * One JSON object a line. The server starts this file with `node` when the first style needs it.
 */
import fs from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import readline from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'

refuseOddFiles()

const root = process.argv.at(-1)
const write = process.stdout.write.bind(process.stdout)
const send = (message) => write(`${JSON.stringify(message)}\n`)
// What plugins print is not part of the conversation.
process.stdout.write = process.stderr.write.bind(process.stderr)

const tools = { postcss: runPostcss, tailwind: runTailwind, less: runLess, stylus: runStylus, sass: runSass }
const asked = new Map()
let asks = 0

readline.createInterface({ input: process.stdin }).on('line', take).on('close', () => process.exit())
process.on('uncaughtException', (error) => process.stderr.write(`${error?.stack ?? error}\n`))
process.on('unhandledRejection', (error) => process.stderr.write(`${error?.stack ?? error}\n`))

async function take(line) {
  const job = JSON.parse(line)
  if ('answer' in job) {
    asked.get(job.answer)?.(job.path)
    asked.delete(job.answer)
    return
  }
  const found = { files: new Set(), scans: [], warnings: [] }
  let said
  try {
    refuseOddPackage(path.dirname(job.file))
    said = { css: await tools[job.tool](job, found) }
  } catch (error) {
    said = { error: explain(error, job) }
  }
  send({ id: job.id, ...said, files: [...found.files].filter((file) => path.isAbsolute(file)), scans: found.scans, warnings: found.warnings })
}

/**
 * Reading a named pipe or a device waits, in whatever tool: for whoever reads a file here, such a thing is an error at once. Its
 * name comes back with what was compiled.
 */
function refuseOddFiles() {
  const { readFile, readFileSync } = fs
  const { readFile: readLater } = fs.promises
  fs.readFileSync = (file, ...rest) => {
    const error = oddity(file)
    if (error) throw error
    return readFileSync(file, ...rest)
  }
  fs.readFile = (file, ...rest) => {
    const error = oddity(file)
    if (error) return void process.nextTick(rest.at(-1), error)
    readFile(file, ...rest)
  }
  fs.promises.readFile = async (file, ...rest) => {
    const error = typeof file === 'object' && 'fd' in file ? undefined : oddity(file)
    if (error) throw error
    return readLater(file, ...rest)
  }
  syncBuiltinESMExports()
}

/** The loader of Node reads these by itself. */
function refuseOddPackage(folder) {
  const error = oddity(path.join(folder, 'package.json'))
  if (error) throw error
  const above = path.dirname(folder)
  if (above !== folder) refuseOddPackage(above)
}

function oddity(file) {
  if (typeof file === 'number') return undefined
  const kinds = { isFIFO: 'a named pipe', isSocket: 'a socket', isCharacterDevice: 'a device', isBlockDevice: 'a device' }
  const stat = fs.statSync(file, { throwIfNoEntry: false })
  const kind = stat && Object.keys(kinds).find((is) => stat[is]())
  return kind && Object.assign(new Error(`${file} is ${kinds[kind]}, not a file`), { code: 'EINVAL', path: String(file) })
}

/** The file behind an import, as the server resolves it; undefined if there is none. */
function resolve(job, language, specifier, from) {
  const ask = asks++
  return new Promise((done) => {
    asked.set(ask, (path) => done(path ?? undefined))
    send({ id: job.id, ask, language, specifier, from })
  })
}

/** An error as message and place; `missing` is the package that is not installed. */
function explain(error, job) {
  const place = { file: error.file ?? error.input?.file ?? error.filename, line: error.line ?? error.lineno, column: error.column }
  if (error.span) {
    place.file = error.span.url ? fileURLToPath(error.span.url) : job.file
    place.line = error.span.start.line + 1
    place.column = error.span.start.column + 1
    if (/find stylesheet/.test(error.sassMessage)) place.rule = error.span.text
  }
  const message = error.reason ?? error.sassMessage ?? error.message ?? String(error)
  return { message: String(message), missing: error.missing, plugin: error.plugin, ...place }
}

class Missing extends Error {
  constructor(name) {
    super(`the package \`${name}\` is not installed`)
    this.missing = name
  }
}

// ---- packages of the project

/** Where a package begins, seen from a folder. */
function resolvePackage(name, from) {
  const require = createRequire(path.join(from, 'noop.js'))
  try {
    return require.resolve(name)
  } catch (error) {
    if (error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED' && !/exports/.test(error.message)) return undefined
  }
  // Only there for `import`.
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = path.join(folder, name, 'package.json')
    if (!fs.existsSync(file)) continue
    const { exports, module, main } = JSON.parse(fs.readFileSync(file, 'utf8'))
    let entry = exports?.['.'] ?? exports
    while (entry && typeof entry === 'object') entry = entry.import ?? entry.node ?? entry.default
    return path.join(folder, name, entry ?? module ?? main ?? 'index.js')
  }
  return undefined
}

async function load(name, ...folders) {
  for (const folder of folders) {
    const entry = resolvePackage(name, folder)
    if (!entry) continue
    const module = await import(pathToFileURL(entry).href)
    return { entry, module, value: module.default ?? module }
  }
  throw new Missing(name)
}

const folderOf = (file) => path.dirname(fs.realpathSync(file))
const textOf = (file) => fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, '')

/** Folders of the packages that the project depends on: from there their own packages are found, also where no other may see them. */
function dependencyFolders() {
  const names = new Set()
  for (let folder = root;; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json')
    const { dependencies, devDependencies } = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {}
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) names.add(path.join(folder, 'node_modules', name))
    if (folder === path.dirname(folder)) break
  }
  return [...names].filter((folder) => fs.existsSync(folder)).map((folder) => fs.realpathSync(folder))
}

// ---- PostCSS

const configs = new Map()

/** Plugins and options of a configuration file, read anew once it was edited. */
function postcssConfig(job) {
  const { mtimeMs } = fs.statSync(job.config)
  const known = configs.get(job.config)
  if (known?.mtimeMs === mtimeMs) return known.value
  const value = readConfig(job, mtimeMs)
  configs.set(job.config, { mtimeMs, value })
  value.catch(() => configs.delete(job.config))
  return value
}

async function readConfig({ config: file, mode }, mtimeMs) {
  const folder = path.dirname(file)
  let config = await configValue(file, mtimeMs)
  if (typeof config === 'function') config = await config({ env: mode, mode, cwd: root, options: {} })
  const { plugins = [], ...options } = config ?? {}
  for (const name of ['parser', 'syntax', 'stringifier']) {
    if (typeof options[name] === 'string') options[name] = (await load(options[name], folder, root)).value
  }
  const list = []
  const entries = Array.isArray(plugins) ? plugins.map((plugin) => (Array.isArray(plugin) ? plugin : [plugin])) : Object.entries(plugins)
  for (const [plugin, settings] of entries) {
    if (!plugin || settings === false) continue
    if (typeof plugin !== 'string') {
      list.push(settings === undefined ? plugin : plugin(settings))
      continue
    }
    const { value } = await load(plugin, folder, root)
    const hasSettings = settings && typeof settings === 'object' && Object.keys(settings).length > 0
    list.push(hasSettings ? value(settings) : value.postcss === true ? value() : typeof value === 'function' ? value() : value)
  }
  return { plugins: list, options }
}

async function configValue(file, mtimeMs) {
  const name = path.basename(file)
  const text = () => fs.readFileSync(file, 'utf8')
  if (name === 'package.json') return JSON.parse(text()).postcss
  if (name.endsWith('.json')) return JSON.parse(text())
  if (name === '.postcssrc' || /\.ya?ml$/.test(name)) {
    if (text().trimStart().startsWith('{')) return JSON.parse(text())
    return (await load('yaml', path.dirname(file), root)).module.parse(text())
  }
  const require = createRequire(file)
  delete require.cache[file]
  try {
    const module = await import(`${pathToFileURL(file).href}?t=${mtimeMs}`)
    return module.default ?? module
  } catch (error) {
    if (!/\.[cm]?ts$/.test(name)) throw error
    // Node below 22.18 does not take TypeScript.
    const jiti = await load('jiti', path.dirname(file), root).catch(() => null)
    if (!jiti) throw Object.assign(new Error(`this Node cannot read ${name}: use Node 22.18 or newer, or npm install -D jiti`), { file })
    const module = await jiti.module.createJiti(file, { moduleCache: false }).import(file)
    return module.default ?? module
  }
}

/** What went into a stylesheet when its plugins last came to their end: an edit of one of these may mend what fails now. */
const lastFound = new Map()

async function runPostcss(job, found) {
  try {
    const css = await postcssOf(job, found)
    lastFound.set(job.file, { files: [...found.files], scans: [...found.scans] })
    return css
  } catch (error) {
    const { files, scans } = lastFound.get(job.file) ?? { files: [], scans: [] }
    for (const file of [...files, ...mayMend(job, error)]) found.files.add(file)
    found.scans.push(...scans)
    throw error
  }
}

/** Plugins that fail do not say what they have read: configurations, files that the sheet names, and those of the error. */
function mayMend(job, error) {
  const folders = [root, path.dirname(job.config ?? root)]
  const configs = folders.flatMap((folder) =>
    fs.readdirSync(folder).filter((name) => /\.config\.[cm]?[jt]s$/.test(name)).map((name) => path.join(folder, name))
  )
  const named = [...job.css.matchAll(/@(?:config|plugin|reference|import)\s+["'](\.[^"']+)["']/g)].map(([, file]) =>
    path.resolve(path.dirname(job.file), file)
  )
  const stack = [...String(error.stack ?? '').matchAll(/(\/[^\s:()]+\.[cm]?[jt]sx?):\d+/g)].map(([, file]) => file)
  return [...configs, ...named, ...stack].filter((file) => !/[\\/]node_modules[\\/]/.test(file))
}

async function postcssOf(job, found) {
  if (job.config) found.files.add(job.config)
  const from = job.config ? path.dirname(job.config) : root
  // Who uses PostCSS need not depend on it: a plugin does.
  const { module, value } = await load('postcss', from, root).catch(() => load('postcss', ...dependencyFolders()))
  const postcss = module.default ?? value
  const { plugins, options } = job.config ? await postcssConfig(job) : { plugins: [], options: {} }
  const configured = options.parser ?? options.syntax
  const sugarss = () => load('sugarss', from, root).then(({ value }) => value)
  const parserOf = async (file) => {
    const parser = configured ?? (file.endsWith('.sss') ? await sugarss() : postcss)
    return parser.parse ?? parser
  }
  const inline = { postcssPlugin: 'rekindle-import', Once: (root) => inlineImports(root, job, found, parserOf) }
  const processor = postcss([inline, ...plugins, rebaseUrls(job.file)])
  let result
  try {
    const parser = options.syntax && !options.parser ? undefined : await parserOf(job.file)
    // What is written in SugarSS comes out as CSS.
    result = await processor.process(job.css, { ...options, parser, from: job.file, to: job.file, map: false })
  } catch (error) {
    throw /tailwind/.test(error.plugin) ? placed(error, job) : error
  }
  const css = result.css
  for (const message of result.messages) {
    if (message.type === 'dependency' || message.type === 'missing-dependency') found.files.add(path.resolve(message.file))
    if (message.type === 'dir-dependency' || message.type === 'context-dependency') {
      const base = path.resolve(message.dir ?? message.file)
      found.scans.push({ base, pattern: message.glob ?? '**/*' })
      for (const file of filesIn(base)) found.files.add(file)
    }
    if (message.type === 'warning') {
      const file = message.node?.source?.input?.file ?? job.file
      found.warnings.push({ message: message.text, plugin: message.plugin, file, line: message.line, column: message.column })
    }
  }
  found.files.delete(job.file)
  return css
}

/** Files of a folder that a plugin names as a whole are watched up to this many. */
const MOST_FILES = 5000

function filesIn(folder) {
  const files = []
  const folders = [folder]
  for (let next; files.length < MOST_FILES && (next = folders.pop());) {
    const entries = fs.existsSync(next) ? fs.readdirSync(next, { withFileTypes: true }) : []
    for (const entry of entries) {
      if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue
      const file = path.join(next, entry.name)
      if (entry.isDirectory()) folders.push(file)
      else files.push(file)
    }
  }
  return files
}

const IMPORT = /^(?:url\(\s*(?:"([^"]*)"|'([^']*)'|([^)\s]*))\s*\)|"([^"]*)"|'([^']*)')\s*(.*)$/s
/** Words behind `@import` that only Tailwind understands. */
const TAILWIND = /\b(source|theme|prefix)\(|\b(important|reference)\b/

/** Puts the text of imported files in the place of their `@import`, so that plugins see it as part of the sheet. */
async function inlineImports(root, job, found, parserOf) {
  const walk = async (container, file, chain) => {
    for (const node of [...container.nodes]) {
      const belongsToHead = node.type === 'comment' || (node.type === 'atrule' && (node.name === 'charset' || (node.name === 'layer' && !node.nodes)))
      if (belongsToHead) continue
      if (node.type !== 'atrule' || node.name.toLowerCase() !== 'import') return
      const match = IMPORT.exec(node.params)
      const specifier = match?.slice(1, 6).find((part) => part !== undefined)
      if (!specifier || /^([a-z][a-z+.-]*:|\/\/)/i.test(specifier) || TAILWIND.test(match[6])) continue
      // Its own plugin does that better.
      if (/^tailwindcss(\/|$)/.test(specifier)) continue
      const target = await resolve(job, 'css', specifier, file)
      if (!target) {
        found.files.add(path.resolve(path.dirname(file), specifier))
        throw node.error(`cannot find \`${specifier}\``, { word: specifier })
      }
      if (chain.includes(target)) {
        node.remove()
        continue
      }
      found.files.add(target)
      const parse = await parserOf(target)
      const inner = parse(textOf(target), { from: target })
      await walk(inner, target, [...chain, target])
      inner.walkAtRules('charset', (rule) => rule.remove())
      node.replaceWith(wrapped(match[6], inner.nodes, node))
    }
  }
  await walk(root, job.file, [job.file])
}

/** `layer(a) supports(b) screen` as rules around the nodes. */
function wrapped(conditions, nodes, rule) {
  let rest = conditions.trim()
  const parts = []
  const layer = /^layer(?:\(([^)]*)\))?(?=\s|$)/i.exec(rest)
  if (layer) {
    parts.push(['layer', layer[1]?.trim() ?? ''])
    rest = rest.slice(layer[0].length).trim()
  }
  if (/^supports\(/i.test(rest)) {
    const end = closing(rest, 8)
    const inner = rest.slice(9, end).trim()
    parts.push(['supports', /^(\(|not\b|selector\()/i.test(inner) ? inner : `(${inner})`])
    rest = rest.slice(end + 1).trim()
  }
  if (rest) parts.push(['media', rest])
  const AtRule = rule.constructor
  for (const [name, params] of parts) {
    const outer = new AtRule({ name, params, source: rule.source, nodes: [] })
    outer.append(nodes)
    nodes = [outer]
  }
  return nodes
}

function closing(text, open) {
  let depth = 0
  for (let at = open; at < text.length; at++) {
    if (text[at] === '(') depth++
    if (text[at] === ')' && --depth === 0) return at
  }
  return text.length
}

/** Addresses in imported sheets mean what stands beside those. */
function rebaseUrls(main) {
  const folder = path.dirname(main)
  return {
    postcssPlugin: 'rekindle-url',
    OnceExit(root) {
      root.walkDecls((declaration) => {
        const file = declaration.source?.input?.file
        if (!file || path.dirname(file) === folder || !/url\(|image-set\(/i.test(declaration.value)) return
        declaration.value = declaration.value.replace(/url\(\s*(["']?)([^"')\s]+)\1\s*\)/gi, (whole, quote, url) => {
          const [name] = url.split(/[?#]/)
          if (!name || /^([a-z][a-z+.-]*:|\/|#|~)/i.test(url)) return whole
          const target = path.resolve(path.dirname(file), name)
          if (!fs.existsSync(target) || fs.existsSync(path.resolve(folder, name))) return whole
          const way = path.relative(folder, target).replaceAll('\\', '/')
          return `url(${quote}${way.startsWith('.') ? way : `./${way}`}${url.slice(name.length)}${quote})`
        })
      })
    },
  }
}

// ---- Tailwind CSS 4

/** Compilers by stylesheet. They are kept: finding the classes of one edited file again is cheap, beginning anew is not. */
const tailwinds = new Map()

function runTailwind(job, found) {
  const known = tailwinds.get(job.file) ?? { turn: Promise.resolve() }
  tailwinds.set(job.file, known)
  // One after the other: they share the compiler.
  const turn = known.turn.then(() => tailwind(job, found, known))
  known.turn = turn.catch(() => {})
  return turn
}

async function tailwind(job, found, known) {
  if (known.css !== job.css || !known.compiler || (await haveChanged(known.built))) {
    try {
      await beginTailwind(job, found, known)
    } catch (error) {
      known.compiler = undefined
      throw placed(error, job)
    }
  }
  const { compiler, scanner, node, built } = known
  const { Features } = node
  for (const file of built.keys()) found.files.add(file)
  const works = Features.AtApply | Features.JsPluginCompat | Features.ThemeFunction | Features.Utilities | (Features.Variants ?? 0)
  if (!(compiler.features & works)) return null
  if (compiler.features & Features.Utilities) {
    for (const candidate of scanner.scan()) known.candidates.add(candidate)
    for (const file of scanner.files) found.files.add(file)
    for (const { base, pattern } of scanner.globs) if (pattern[0] !== '!') found.scans.push({ base, pattern })
  }
  found.files.delete(job.file)
  try {
    return compiler.build([...known.candidates])
  } catch (error) {
    throw placed(error, job)
  }
}

async function beginTailwind(job, found, known) {
  const { node, oxide } = await tailwindPackages()
  if (known.built) await forgetModules([...known.built.keys()])
  const built = new Map()
  const note = (file) => {
    found.files.add(file)
    built.set(file, fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs)
  }
  const compiler = await node.compile(job.css, {
    base: path.dirname(job.file),
    from: job.file,
    shouldRewriteUrls: true,
    onDependency: note,
    customCssResolver: (specifier, base) => resolve(job, 'css', specifier, path.join(base, 'noop.css')),
  })
  // Tailwind 4.0 calls them globs.
  const sources = compiler.root === 'none'
    ? []
    : compiler.root === null
    ? [{ base: root, pattern: '**/*', negated: false }]
    : [{ ...compiler.root, negated: false }]
  Object.assign(known, {
    css: job.css,
    built,
    compiler,
    node,
    candidates: new Set(),
    scanner: new oxide.Scanner({ sources: sources.concat(compiler.sources ?? compiler.globs) }),
  })
}

async function haveChanged(built) {
  return [...built].some(([file, mtimeMs]) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs !== mtimeMs)
}

async function forgetModules(files) {
  const { clearRequireCache } = await tailwindPackages()
  clearRequireCache?.(files)
}

let packages
/** `@tailwindcss/node` and `@tailwindcss/oxide`, which come with Tailwind's own integrations. */
function tailwindPackages() {
  packages ??= (async () => {
    const folders = [root]
    for (const name of ['@tailwindcss/vite', '@tailwindcss/postcss']) {
      const entry = resolvePackage(name, root)
      if (entry) folders.push(folderOf(entry))
    }
    const node = await load('@tailwindcss/node', ...folders)
    const oxide = await load('@tailwindcss/oxide', folderOf(node.entry), ...folders)
    const cache = await load('@tailwindcss/node/require-cache', ...folders).catch(() => undefined)
    return {
      node: node.module.compile ? node.module : node.value,
      oxide: oxide.value.Scanner ? oxide.value : oxide.module,
      clearRequireCache: cache?.module.clearRequireCache,
    }
  })()
  packages.catch(() => (packages = undefined))
  return packages
}

/** Tailwind's errors name what is wrong but not always where: the first place where it stands. */
function placed(error, job) {
  const isPlaced = error.line && !(error.line === 1 && error.column === 1)
  if (isPlaced || error.missing) return error
  const [, name] = /`([^`]+)`/.exec(error.message ?? '') ?? []
  const at = name ? job.css.indexOf(name) : -1
  if (at < 0) return error
  const before = job.css.slice(0, at).split('\n')
  return Object.assign(error, { file: job.file, line: before.length, column: before.at(-1).length + 1 })
}

// ---- Less, Stylus, Sass

/** Makes `url(./dot.svg)` and `@import './plain.css'` in an imported file mean what stands beside that file. */
function rebased(text, file, main) {
  const folder = path.dirname(file)
  if (folder === path.dirname(main)) return text
  return text.replace(/(\burl\(\s*["']?|@import\s+["'])([^"')\s;]+)/gi, (whole, head, url) => {
    const isRelative = !/^([a-z][a-z+.-]*:|[/#~@$])/i.test(url)
    if (!isRelative || (head[0] === '@' && !url.endsWith('.css'))) return whole
    // Of `./icons/@{name}.svg` the folder is known.
    const end = url.search(/[@#]\{/)
    const name = end < 0 ? url.split(/[?#]/)[0] : url.slice(0, url.lastIndexOf('/', end) + 1)
    if (!name || !(name.startsWith('.') || fs.existsSync(path.resolve(folder, name)))) return whole
    const way = path.relative(path.dirname(main), path.resolve(folder, name)).replaceAll('\\', '/')
    return `${head}${way.startsWith('.') ? way : `./${way}`}${name.endsWith('/') ? '/' : ''}${url.slice(name.length)}`
  })
}

async function runLess(job, found) {
  const { value: less } = await load('less', root)
  class Imports extends less.FileManager {
    supports() {
      return true
    }
    supportsSync() {
      return false
    }
    async loadFile(name, folder, options, environment) {
      const from = path.join(folder || path.dirname(job.file), 'noop.less')
      const target = await resolve(job, 'less', name, from)
      if (!target) {
        if (!/^([a-z][a-z+.-]*:|\/\/)/i.test(name)) found.files.add(path.resolve(path.dirname(from), /\.\w+$/.test(name) ? name : `${name}.less`))
        const loaded = await super.loadFile(name, folder, options, environment)
        return { ...loaded, contents: rebased(loaded.contents, path.resolve(loaded.filename), job.file) }
      }
      found.files.add(target)
      return { filename: target, contents: rebased(textOf(target), target, job.file) }
    }
  }
  const plugins = [...(job.options.plugins ?? []), { install: (_, manager) => manager.addFileManager(new Imports()), minVersion: [3, 0, 0] }]
  try {
    const result = await less.render(job.css, { ...job.options, paths: job.loadPaths, filename: job.file, plugins })
    for (const file of result.imports) found.files.add(path.resolve(file))
    return result.css
  } catch (error) {
    // It writes global variables as one line before the file.
    const above = error.filename === job.file && job.options.globalVars ? 1 : 0
    throw Object.assign(new Error(error.message), { file: error.filename, line: error.line - above, column: error.column + 1 })
  }
}

async function runStylus(job, found) {
  const { value: stylus } = await load('stylus', root)
  const { define = {}, ...options } = job.options
  const style = stylus(job.css, { ...options, filename: job.file, paths: [...job.loadPaths, path.join(root, 'node_modules')] })
  for (const [name, value] of Object.entries(define)) style.define(name, value)
  try {
    const css = style.render()
    for (const file of style.deps()) found.files.add(path.resolve(file))
    return css
  } catch (error) {
    // The first line is the place, then a frame; the sentence is the last one.
    const [, file, line, column] = /^(.*?):(\d+):(\d+)/.exec(error.message) ?? []
    const sentences = error.message.split('\n').map((line) => line.trim()).filter((line) =>
      line && !/^(\d+\||-+\^|at )/.test(line) && !/:\d+:\d+$/.test(line)
    )
    throw Object.assign(new Error(sentences.at(0) ?? error.message), {
      file: file ?? job.file,
      line: Number(line) || undefined,
      column: Number(column) || undefined,
    })
  }
}

async function runSass(job, found) {
  const { module, value } = await load('sass-embedded', root).catch(() => load('sass', root))
  const sass = module.compileStringAsync ? module : value
  const importer = {
    /** First an address that Sass has made itself, relative to the importing file; then the specifier. */
    async canonicalize(specifier, { containingUrl, fromImport }) {
      const from = containingUrl?.protocol === 'file:' ? fileURLToPath(containingUrl) : job.file
      const name = specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier
      const target = await resolve(job, fromImport ? 'sass-import' : 'sass', name, from)
      if (target) return pathToFileURL(target)
      found.files.add(path.resolve(path.dirname(from), path.extname(name) ? name : `${name}.scss`))
      return null
    },
    load(url) {
      const file = fileURLToPath(url)
      found.files.add(file) // Sass names what it has read only if all goes well.
      const syntax = { '.sass': 'indented', '.css': 'css' }[path.extname(file)] ?? 'scss'
      return { contents: rebased(textOf(file), file, job.file), syntax, sourceMapUrl: url }
    },
  }
  const logger = {
    warn(message, { span, deprecation }) {
      if (deprecation) return // Vite's users know them, and each would come for every file.
      found.warnings.push({
        message,
        file: span?.url ? fileURLToPath(span.url) : job.file,
        line: span && span.start.line + 1,
        column: span && span.start.column + 1,
      })
    },
  }
  const syntax = job.file.endsWith('.sass') ? 'indented' : 'scss'
  const result = await sass.compileStringAsync(job.css, {
    ...job.options,
    syntax,
    url: pathToFileURL(job.file),
    importer,
    importers: [importer],
    logger,
    sourceMap: false,
  })
  found.files.delete(job.file)
  return result.css
}
