/**
 * Brings an edit of the page's own HTML into the running document.
 *
 *     <h1>one</h1> <div id="root"></div>   →   <h1>two</h1> <div id="root"></div>
 *     live: the text of h1 changes; what the application has put into #root is not touched
 *
 * Three trees are compared: the old source, the new source, and the live document. A difference between the two sources is applied
 * to the live node that corresponds to the old one. Scripts may have added, moved and changed nodes in between: if a node that
 * differs has no counterpart any more, nothing at all is applied, and the reason is given, so that the page reloads.
 */
import { splitSuffix } from '../../core/query'

/** A difference cannot be applied to the live document; the message says why. */
class UnmappableDifference extends Error {}

/** The most pairs of children that are compared to find which correspond to each other. */
const MOST_PAIRS = 4_000_000

/** Patches the document. Returns the reason if that is impossible, or null when it is done. */
export function patchDocument(before: string, after: string): string | null {
  const old = parsed(before)
  const next = parsed(after)
  const patch = new Patch()
  try {
    checkWhatNeedsAReload(old, next)
    patch.element(old.documentElement, next.documentElement, document.documentElement)
  } catch (error) {
    if (error instanceof UnmappableDifference) return error.message
    throw error
  }
  patch.apply()
  return null
}

/** Parses a source as a browser does that runs scripts: for such a browser the content of `noscript` is text. */
function parsed(html: string): Document {
  return new DOMParser().parseFromString(html.replace(/<noscript\b[^>]*>[\s\S]*?<\/noscript\s*>/gi, '<noscript></noscript>'), 'text/html')
}

/** Some differences always need a reload: scripts have run already, and some elements have an effect only while the page is parsed. */
function checkWhatNeedsAReload(old: Document, next: Document): void {
  const texts = (page: Document, selector: string) => [...page.querySelectorAll(selector)].map((element) => element.outerHTML).join('\n')
  const differ = (selector: string) => texts(old, selector) !== texts(next, selector)
  if (differ('script:not([type="application/ld+json"])')) throw new UnmappableDifference('its scripts have changed')
  if (differ('base')) throw new UnmappableDifference('its <base> has changed')
  if (differ('meta[http-equiv]')) throw new UnmappableDifference('its <meta http-equiv> has changed')
  if (differ('template[shadowrootmode]')) throw new UnmappableDifference('a <template> with a shadow root has changed')
  if (old.compatMode !== next.compatMode) throw new UnmappableDifference('its doctype has changed')
}

class Patch {
  /** What will be done to the live document, once it is known that every difference can be applied. */
  private readonly steps: (() => void)[] = []

  apply(): void {
    for (const step of this.steps) step()
  }

  element(old: Element, next: Element, live: Element): void {
    this.attributes(old, next, live)
    switch (old.localName) {
      case 'noscript':
        return
      case 'title':
        // A script of the page has set the title: that one stays.
        if (live.textContent === old.textContent) this.steps.push(() => (live.textContent = next.textContent))
        return
      case 'textarea':
        return void this.steps.push(() => ((live as HTMLTextAreaElement).defaultValue = next.textContent))
      case 'style':
      case 'script':
        if (old.textContent === next.textContent) return
        if (live.textContent !== old.textContent) throw new UnmappableDifference(`a script has changed ${called(old)}`)
        return void this.steps.push(() => (live.textContent = next.textContent))
      case 'template':
        if (live.localName !== 'template') return
        return this.children(contentOf(old), contentOf(next), contentOf(live), called(old))
      default:
        return this.children(old, next, live, called(old))
    }
  }

  private attributes(old: Element, next: Element, live: Element): void {
    for (const name of new Set([...old.getAttributeNames(), ...next.getAttributeNames()])) {
      const [before, after] = [old.getAttribute(name), next.getAttribute(name)]
      if (before === after) continue
      if (name === 'is') throw new UnmappableDifference(`the "is" attribute of ${called(old)} has changed`)
      const isAsItWas = live.getAttribute(name) === before
      if (name === 'class' && !isAsItWas) this.classes(before, after, live)
      else if (name === 'style' && !isAsItWas) this.declarations(old, next, live)
      else if (after === null) this.steps.push(() => live.removeAttribute(name))
      else this.steps.push(() => live.setAttribute(name, after))
    }
  }

  /** Scripts have changed the classes of the live element: only those that the edit adds or removes are changed. */
  private classes(before: string | null, after: string | null, live: Element): void {
    const words = (text: string | null) => (text ?? '').split(/\s+/).filter(Boolean)
    const [gone, come] = [words(before), words(after)]
    this.steps.push(() => {
      live.classList.remove(...gone.filter((word) => !come.includes(word)))
      live.classList.add(...come.filter((word) => !gone.includes(word)))
    })
  }

  /** Scripts have changed the `style` attribute of the live element: only the declarations that the edit changes are. */
  private declarations(old: Element, next: Element, live: Element): void {
    const [before, after, now] = [old, next, live].map((element) => (element as HTMLElement).style) as [
      CSSStyleDeclaration,
      CSSStyleDeclaration,
      CSSStyleDeclaration,
    ]
    this.steps.push(() => {
      for (const name of before) if (!after.getPropertyValue(name)) now.removeProperty(name)
      for (const name of after) {
        if (after.getPropertyValue(name) !== before.getPropertyValue(name)) {
          now.setProperty(name, after.getPropertyValue(name), after.getPropertyPriority(name))
        }
      }
    })
  }

  /** Compares the children of an element; `name` is what messages call that element. */
  private children(old: ParentNode, next: ParentNode, live: ParentNode, name: string): void {
    const [olds, nexts, lives] = [[...old.childNodes], [...next.childNodes], [...live.childNodes]]
    if (olds.length === nexts.length && olds.every((node, at) => isSame(node, nexts[at]!))) return
    const toLive = align(olds, lives, likeLive)
    const toNext = align(olds, nexts, likeNext)
    const isOwned = toLive.size === 0 && lives.some((node) => !isBlank(node))
    if (isOwned) throw new UnmappableDifference(`a script has changed what is in ${name}`)
    for (const node of olds) this.change(node, toNext.get(node), toLive.get(node), name)
    this.insert(nexts, new Map([...toNext].map(([from, to]) => [to, toLive.get(from)])), live)
  }

  /** Changes or removes the live counterpart of one node of the old source. */
  private change(node: ChildNode, next: ChildNode | undefined, live: ChildNode | undefined, parent: string): void {
    if (next && (node === next || isSame(node, next))) return
    if (!live) {
      if (isBlank(node) || node.nodeType === Node.COMMENT_NODE) return
      throw new UnmappableDifference(`a script has changed ${node instanceof Text ? `what is in ${parent}` : called(node as Element)}`)
    }
    if (!next) {
      if (node.nodeType === Node.ELEMENT_NODE && !isUntouched(node as Element, live as Element)) {
        throw new UnmappableDifference(`a script has changed what is in ${called(node as Element)}, which was removed from the page`)
      }
      this.steps.push(() => live.remove())
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      this.element(node as Element, next as Element, live as Element)
    } else {
      this.steps.push(() => ((live as CharacterData).data = (next as CharacterData).data))
    }
  }

  /** Inserts new nodes beside the live counterparts of their neighbours in the source. */
  private insert(nexts: ChildNode[], lives: Map<ChildNode, ChildNode | undefined>, parent: ParentNode): void {
    let before: ChildNode | undefined
    nexts.forEach((node, at) => {
      if (lives.has(node)) {
        before = lives.get(node) ?? before
        return
      }
      const made = document.importNode(node, true) as ChildNode
      const left = before
      const right = nexts.slice(at + 1).map((one) => lives.get(one)).find((one) => one !== undefined)
      this.steps.push(() => {
        if (left) left.after(made)
        else if (right) right.before(made)
        else parent.append(made)
      })
      before = made
    })
  }
}

/** Whether scripts have left the content of an element as it was. Its attributes may have changed. */
function isUntouched(old: Element, live: Element): boolean {
  return old.localName === 'noscript'
    || (live.textContent === old.textContent && live.querySelectorAll('*').length === old.querySelectorAll('*').length)
}

function contentOf(template: Element): ParentNode {
  return (template as HTMLTemplateElement).content
}

/** Compares nodes with the content of templates, which is not among their children, so that `isEqualNode` does not see it. */
function isSame(one: Node, other: Node): boolean {
  return one.isEqualNode(other) && templatesIn(one) === templatesIn(other)
}

function templatesIn(node: Node): string {
  if (!(node instanceof Element)) return ''
  const inner = [...node.querySelectorAll('template')]
  return (node.localName === 'template' ? [node, ...inner] : inner).map((template) => template.innerHTML).join('\n')
}

function isBlank(node: Node): boolean {
  return node instanceof Text && node.data.trim() === ''
}

/** `<div id="root">` */
function called(element: Element): string {
  return `<${element.localName}${element.id ? ` id="${element.id}"` : ''}>`
}

/** How similar a live node is to a node of the old source. 0: they cannot correspond to each other. */
function likeLive(old: Node, live: Node): number {
  if (old.nodeType !== live.nodeType) return 0
  if (old instanceof CharacterData) return old.data !== (live as CharacterData).data ? 0 : isBlank(old) ? 1 : 3
  if (old.nodeType !== Node.ELEMENT_NODE) return 1
  return likeness(old as Element, live as Element)
}

/** The same for a node of the new source, in which texts may have been edited. */
function likeNext(old: Node, next: Node): number {
  if (old instanceof Text && next instanceof Text && !isBlank(old) && !isBlank(next) && old.data !== next.data) return 1.5
  return likeLive(old, next)
}

function likeness(one: Element, other: Element): number {
  if (one.localName !== other.localName || one.namespaceURI !== other.namespaceURI) return 0
  if (isSame(one, other)) return 12
  if (one.id !== other.id && (one.id !== '' || other.id !== '')) return 0
  const key = keyOf(one)
  if (key !== null) return key === keyOf(other) ? 6 : 0
  const same = (read: (element: Element) => unknown) => (read(one) === read(other) ? 1 : 0)
  return 2 + 4 * Number(one.id !== '') + same((element) => element.getAttribute('class')) + 2 * same((element) => element.textContent)
}

/** What identifies elements of the head, which have neither text nor id. */
function keyOf(element: Element): string | null {
  const read = (...names: string[]) => names.map((name) => element.getAttribute(name) ?? '').join(' ')
  switch (element.localName) {
    case 'meta':
      return read('charset', 'name', 'property', 'media', 'itemprop')
    case 'link':
      return `${read('rel', 'sizes', 'media')} ${element.getAttribute('rel') === 'stylesheet' ? splitSuffix(read('href'))[0] : ''}`
    case 'script':
      return read('src', 'type')
    default:
      return null
  }
}

/** Pairs the nodes of two lists, in order, so that the sum of their similarities is as high as possible. */
function align(from: ChildNode[], to: ChildNode[], like: (one: Node, other: Node) => number): Map<ChildNode, ChildNode> {
  const pairs = new Map<ChildNode, ChildNode>()
  let start = 0
  while (start < from.length && start < to.length && isSame(from[start]!, to[start]!)) pairs.set(from[start]!, to[start++]!)
  let [fromEnd, toEnd] = [from.length, to.length]
  while (fromEnd > start && toEnd > start && isSame(from[fromEnd - 1]!, to[toEnd - 1]!)) pairs.set(from[--fromEnd]!, to[--toEnd]!)
  const [rows, columns] = [fromEnd - start, toEnd - start]
  if (rows * columns > MOST_PAIRS) throw new UnmappableDifference('too much of it has changed')
  // best[row][column] is the highest sum for the nodes from `row` and `column` on.
  const best = Array.from({ length: rows + 1 }, () => new Float64Array(columns + 1))
  const likes = Array.from(
    { length: rows },
    (_, row) => Float64Array.from({ length: columns }, (_, column) => like(from[start + row]!, to[start + column]!)),
  )
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      const paired = likes[row]![column]! > 0 ? likes[row]![column]! + best[row + 1]![column + 1]! : 0
      best[row]![column] = Math.max(paired, best[row + 1]![column]!, best[row]![column + 1]!)
    }
  }
  for (let row = 0, column = 0; row < rows && column < columns;) {
    const here = best[row]![column]!
    const look = likes[row]![column]!
    if (look > 0 && here === look + best[row + 1]![column + 1]!) pairs.set(from[start + row++]!, to[start + column++]!)
    else if (here === best[row + 1]![column]!) row++
    else column++
  }
  return pairs
}
