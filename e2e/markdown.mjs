/**
 * What a Markdown page says to the tests: headings, fenced blocks, comments and links, in their order.
 *
 *     ```js main.js          →  { kind: 'block', language: 'js', name: 'main.js', text: '…' }
 *     <!-- click: button -->  →  { kind: 'comment', word: 'click', rest: 'button' }
 *
 * The word behind a block's language is a file's name, or says what the block shows; a reader does not see it.
 */
import fs from 'node:fs'

/** Everything of a page that a test may need. `line` is where it begins. */
export function parse(file) {
  const items = []
  let block = null
  for (const [at, line] of fs.readFileSync(file, 'utf8').split('\n').entries()) {
    if (block) {
      if (line.trim() === '```') block = null
      else block.text += `${line.startsWith(block.indent) ? line.slice(block.indent.length) : line.trimStart()}\n`
      continue
    }
    const where = { line: at + 1 }
    const [, indent, language, name] = /^( *)```(\S*) ?(.*)$/.exec(line) ?? []
    if (language !== undefined) {
      items.push(block = { kind: 'block', indent, language, name: name.trim(), text: '', ...where })
      continue
    }
    const [, level, title] = /^(#+) (.+)$/.exec(line) ?? []
    if (level) items.push({ kind: 'heading', level: level.length, text: title, ...where })
    const [, word, rest] = /^<!-- ([a-z-]+): (.+) -->$/.exec(line.trim()) ?? []
    if (word) items.push({ kind: 'comment', word, rest, ...where })
    if (line.startsWith('    ') && !/^\s*(?:[-*|]|\d+\.)/.test(line)) continue
    for (const [, target] of withoutCode(line).matchAll(/\]\(([^)\s]+)\)/g)) items.push({ kind: 'link', target, ...where })
  }
  if (block) throw new Error(`${file}:${block.line}: the block is not closed`)
  return items
}

function withoutCode(line) {
  return line.replace(/(`+)(?:(?!\1).)*\1/g, '')
}

/** The anchors that headings have on GitHub and in mdBook. */
export function anchors(items) {
  const seen = new Map()
  return items.filter(({ kind }) => kind === 'heading').map(({ text }) => {
    const slug = text.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replace(/ /g, '-')
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    return times === 0 ? slug : `${slug}-${times}`
  })
}

/** The parts of a page below each heading of the second level; what stands before the first is `intro`. */
export function sections(items) {
  const parts = [{ title: 'intro', items: [] }]
  for (const item of items) {
    if (item.kind === 'heading' && item.level === 2) parts.push({ title: item.text, items: [] })
    parts.at(-1).items.push(item)
  }
  return parts
}
