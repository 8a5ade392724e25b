/**
 * Puts the names of modules into the text of stacks. The engine knows only scripts, and a script holds many modules:
 *
 *     at Counter (http://localhost:5173/@rekindle/s/d991….js:25:5)
 *     at Counter [in /src/counter.tsx] (http://localhost:5173/@rekindle/s/d991….js:25:5)
 *
 * The address stays, since DevTools find the source by it. V8 itself writes additions in brackets, such as the name by which a method
 * was called. Only V8 lets a page write the text (https://v8.dev/docs/stack-trace-api); it asks for it when a stack is read first.
 */
import type { ModuleId } from '../core/messages'

/** The modules of a script, and the line (from 1) on which each begins. */
interface SegmentLines {
  ids: ModuleId[]
  starts: number[]
}

/** By the address of the segment. */
const segmentLines = new Map<string, SegmentLines>()

/** The line of a segment's first definition. */
const FIRST_LINE = 2

/** Notes the lines of a segment that has run: `lengths` are the numbers of lines of its definitions. */
export function noteLines(address: string, ids: ModuleId[], lengths: number[]): void {
  let line = FIRST_LINE
  segmentLines.set(address, { ids, starts: lengths.map((length) => (line += length) - length) })
}

/** The module on a line of a script; null if the script is no segment. */
function moduleAt(url: string, line: number): ModuleId | null {
  const address = /\/@rekindle\/s\/([0-9a-f]+)\.js$/.exec(url)?.[1]
  const { ids, starts } = (address && segmentLines.get(address)) || { ids: [], starts: [] }
  let [first, end] = [0, starts.length]
  while (first < end) {
    const middle = (first + end) >> 1
    if (starts[middle]! <= line) first = middle + 1
    else end = middle
  }
  return ids[first - 1] ?? null
}

/** The members of V8's `CallSite` that are used here. */
interface CallSite {
  getScriptNameOrSourceURL(): string | null | undefined
  getLineNumber(): number | null
  toString(): string
}

function frameText(frame: CallSite): string {
  const text = String(frame)
  const url = frame.getScriptNameOrSourceURL() ?? ''
  const id = moduleAt(url, frame.getLineNumber() ?? 0)
  if (id === null) return text
  const name = `[in ${id.replace(/\(/g, '%28').replace(/\)/g, '%29')}]`
  return text.endsWith(')') ? text.replace(` (${url}`, () => ` ${name} (${url}`) : text.replace(url, () => `<anonymous> ${name} (${url}`) + ')'
}

function stackHead(error: unknown): string {
  try {
    return Error.prototype.toString.call(error)
  } catch {
    return '<error>'
  }
}

/** Makes stacks name modules from now on, unless the page has its own `prepareStackTrace`. */
export function nameModulesInStacks(): void {
  if (!('captureStackTrace' in Error) || 'prepareStackTrace' in Error) return
  const value = (error: unknown, frames: CallSite[]): string => [stackHead(error), ...frames.map((frame) => `    at ${frameText(frame)}`)].join('\n')
  Object.defineProperty(Error, 'prepareStackTrace', { value, configurable: true, writable: true })
}
