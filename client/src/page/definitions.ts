/**
 * How definitions get into this tab: in the scripts of segments, and as text in a batch, which is compiled here.
 *
 *     $segment('4be1…')('/a.js', …)                      replica.ts says which definitions are the newest
 *     evaluateDefinition('/a.js', '$d("/a.js", …)', 7)   as of batch 7
 */
import { definitionOf } from '../core/definition'
import type { ModuleId } from '../core/messages'
import type { Define, Replica } from '../core/replica'
import { report } from './console'
import { replica } from './parts'
import { addressOf, base, hasDocument } from './settings'
import { noteLines } from './stacks'

/** The `$d` of a script: of a segment with its address, or of a script that says itself as of which batch it is. */
export function $segment(...about: Parameters<Replica['collect']>): Define & { lines(lengths: number[]): void } {
  const [address] = about
  const take = replica.collect(...about)
  const ids: ModuleId[] = []
  const define: Define = (...definition) => {
    ids.push(definition[0])
    take(...definition)
  }
  return Object.assign(define, { lines: (lengths: number[]) => noteLines(address ?? '', ids, lengths) })
}

/** A compiled script that calls `$d`. */
type DefinitionScript = ($d: Define) => void

/** Whether the page's policy may allow `compileOnPage`. Workers have no page. */
let mayCompileOnPage = hasDocument

/**
 * Compiles the text of a definition and takes it in. False if the page's policy forbids that: then the same definition is loaded by
 * an address.
 *
 * A page compiles the text in its own name. DevTools recognize a script by its address and by the origin of whoever brought it,
 * which the scripts of `eval` do not have: after an edit they would go on showing the module's first version. `eval` is used where
 * the policy forbids the better way only.
 */
export function evaluateDefinition(id: ModuleId, code: string, asOf: number): boolean {
  const about = `\n//# sourceURL=${addressOf(id)}\n//# sourceMappingURL=${base}@rekindle/map?id=${encodeURIComponent(id)}`
  const run = (script: DefinitionScript): void => script((...definition) => replica.takeDefinition(definitionOf(...definition), asOf))
  const onPage = mayCompileOnPage ? compileOnPage(`"use strict";return function($d){${code}}${about}`) : null
  if (onPage) return run(onPage), true
  try {
    run((0, eval)(`"use strict";(function($d){${code}})${about}`) as DefinitionScript)
    mayCompileOnPage = false
    return true
  } catch (error) {
    if (!(error instanceof EvalError)) report(error, `the definition of ${id}`)
    return false
  }
}

/**
 * Compiles a text as an event handler of the window, and gives what it returns. Of all ways to compile synchronously this is the
 * only one whose scripts have the page's origin and see no names but those of the window (and `event`, see wrap.rs). The handler is
 * set by an attribute of a `<body>` that is not in the document. Null if the policy forbids it, or if the text cannot be parsed.
 */
function compileOnPage(text: string): DefinitionScript | null {
  const before = globalThis.onlanguagechange
  try {
    document.createElement('body').setAttribute('onlanguagechange', text)
    return (globalThis.onlanguagechange as unknown as (() => DefinitionScript) | null)?.() ?? null
  } catch {
    return null // The policy requires trusted types.
  } finally {
    globalThis.onlanguagechange = before
  }
}
