/**
 * A small DOM with what the client uses: elements in a tree, sheets, the overlay's custom element, an HTML reader.
 *
 * `links.changed(element)` is called when a `<link>` of a sheet comes into the document or gets another address.
 */

const VOID = new Set(['meta', 'link', 'br', 'img', 'input', 'base', 'hr'])
const RAW = new Set(['script', 'style', 'title', 'textarea'])

class Node {
  static ELEMENT_NODE = 1
  static COMMENT_NODE = 8
  static DOCUMENT_POSITION_PRECEDING = 2
  static DOCUMENT_POSITION_FOLLOWING = 4
  parentNode = null
  childNodes = []

  constructor(ownerDocument, nodeType) {
    this.ownerDocument = ownerDocument
    this.nodeType = nodeType
  }

  get isConnected() {
    for (let node = this; node; node = node.parentNode) if (node === this.ownerDocument) return true
    return false
  }

  get children() {
    return this.childNodes.filter((node) => node.nodeType === Node.ELEMENT_NODE)
  }

  get textContent() {
    return this.childNodes.map((node) => node.textContent).join('')
  }

  set textContent(text) {
    this.childNodes = []
    if (text !== '') this.append(String(text))
  }

  insert(nodes, at) {
    const made = nodes.map((node) => (node instanceof Node ? node : new Text(this.ownerDocument, node)))
    const before = at === undefined ? null : (this.childNodes[at] ?? null)
    for (const node of made) {
      node.remove()
      const place = before ? this.childNodes.indexOf(before) : this.childNodes.length
      this.childNodes.splice(place, 0, node)
      node.parentNode = this
      for (const inner of [node, ...node.descendants()]) if (inner.localName === 'link' && inner.isConnected) this.ownerDocument.links.changed(inner)
    }
  }

  append(...nodes) {
    this.insert(nodes)
  }

  remove() {
    const siblings = this.parentNode?.childNodes
    if (siblings) siblings.splice(siblings.indexOf(this), 1)
    this.parentNode = null
  }

  after(...nodes) {
    this.parentNode.insert(nodes, this.parentNode.childNodes.indexOf(this) + 1)
  }

  before(...nodes) {
    this.parentNode.insert(nodes, this.parentNode.childNodes.indexOf(this))
  }

  *descendants() {
    for (const node of this.childNodes) {
      yield node
      yield* node.descendants()
    }
  }

  compareDocumentPosition(other) {
    const all = [...this.ownerDocument.descendants()]
    return all.indexOf(other) < all.indexOf(this) ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING
  }

  querySelectorAll(selector) {
    return [...this.descendants()].filter((node) => node instanceof Element && matches(node, selector))
  }

  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null
  }

  isEqualNode(other) {
    return markupOf(this) === markupOf(other)
  }
}

class CharacterData extends Node {
  constructor(ownerDocument, data, nodeType) {
    super(ownerDocument, nodeType)
    this.data = data
  }

  get textContent() {
    return this.nodeType === Node.COMMENT_NODE ? '' : this.data
  }

  set textContent(text) {
    this.data = text
  }

  cloneNode() {
    return new this.constructor(this.ownerDocument, this.data)
  }
}

class Text extends CharacterData {
  constructor(ownerDocument, data) {
    super(ownerDocument, data, 3)
  }
}

class Comment extends CharacterData {
  constructor(ownerDocument, data) {
    super(ownerDocument, data, Node.COMMENT_NODE)
  }
}

class Element extends Node {
  attributes = new Map()
  listeners = []
  namespaceURI = 'http://www.w3.org/1999/xhtml'

  constructor(ownerDocument, localName) {
    super(ownerDocument, Node.ELEMENT_NODE)
    this.localName = localName
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null
  }

  setAttribute(name, value) {
    this.attributes.set(name, String(value))
    if (this.localName === 'link' && this.isConnected) this.ownerDocument.links.changed(this)
  }

  removeAttribute(name) {
    this.attributes.delete(name)
  }

  /** `data-a-b="c"` is `dataset.aB`. */
  get dataset() {
    const named = (name) => name.slice(5).replace(/-(\w)/g, (_, letter) => letter.toUpperCase())
    return Object.fromEntries(
      this.getAttributeNames().filter((name) => name.startsWith('data-')).map((name) => [named(name), this.getAttribute(name)]),
    )
  }

  getAttributeNames() {
    return [...this.attributes.keys()]
  }

  get id() {
    return this.getAttribute('id') ?? ''
  }

  get className() {
    return this.getAttribute('class') ?? ''
  }

  set className(value) {
    this.setAttribute('class', value)
  }

  get outerHTML() {
    return markupOf(this)
  }

  addEventListener(type, fn) {
    this.listeners.push({ type, fn })
  }

  removeEventListener() {}

  dispatch(type) {
    for (const listener of [...this.listeners]) if (listener.type === type) listener.fn({ type })
  }

  attachShadow() {
    return (this.shadowRoot = new Node(this.ownerDocument, 11))
  }

  cloneNode(isDeep = false) {
    const copy = this.ownerDocument.createElement(this.localName)
    for (const [name, value] of this.attributes) copy.attributes.set(name, value)
    if (isDeep) copy.append(...this.childNodes.map((node) => node.cloneNode(true)))
    return copy
  }
}

class HTMLElement extends Element {}

class HTMLStyleElement extends HTMLElement {
  sheet = {}
}

class HTMLLinkElement extends HTMLElement {
  disabled = false

  get relList() {
    const names = (this.getAttribute('rel') ?? '').split(/\s+/)
    return { contains: (name) => names.includes(name) }
  }

  get href() {
    const address = this.getAttribute('href')
    return address === null ? '' : new URL(address, this.ownerDocument.baseURI).href
  }

  set href(address) {
    this.setAttribute('href', address)
  }
}

class HTMLScriptElement extends HTMLElement {
  get src() {
    const address = this.getAttribute('src')
    return address === null ? '' : new URL(address, this.ownerDocument.baseURI).href
  }
}

class HTMLDialogElement extends HTMLElement {
  open = false

  showModal() {
    this.open = true
  }

  close() {
    this.open = false
  }
}

class CSSStyleSheet {
  replaceSync() {}
}

const CLASSES = { dialog: HTMLDialogElement, style: HTMLStyleElement, link: HTMLLinkElement, script: HTMLScriptElement }

export class Document extends Node {
  readyState = 'loading'
  compatMode = 'CSS1Compat'
  visibilityState = 'visible'

  constructor(baseURI, links = { changed() {} }) {
    super(null, 9)
    this.ownerDocument = this
    this.baseURI = baseURI
    this.links = links
  }

  get documentElement() {
    return this.children[0]
  }

  get head() {
    return this.documentElement.children.find(({ localName }) => localName === 'head')
  }

  get body() {
    return this.documentElement.children.find(({ localName }) => localName === 'body')
  }

  get scripts() {
    return this.querySelectorAll('script')
  }

  createElement(name) {
    return new (CLASSES[name] ?? HTMLElement)(this, name)
  }

  importNode(node, isDeep) {
    if (!(node instanceof Element)) return new node.constructor(this, node.data)
    const copy = this.createElement(node.localName)
    for (const [name, value] of node.attributes) copy.attributes.set(name, value)
    if (isDeep) copy.append(...node.childNodes.map((child) => this.importNode(child, true)))
    return copy
  }

  addEventListener() {}
  removeEventListener() {}
}

/** Reads `html` into an empty document: tags, attributes in quotes or without, comments, raw text. */
export function readHtml(document, html) {
  const open = [document]
  const top = () => open.at(-1)
  const tokens =
    /<!--([\s\S]*?)-->|<!doctype[^>]*>|<\/([\w-]+)\s*>|<([\w-]+)((?:\s+[^\s=>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+))?)*)\s*\/?>|[^<]+|</gi
  for (let token; (token = tokens.exec(html));) {
    const [text, comment, closed, name, attributes] = token
    if (comment !== undefined) top().append(new Comment(document, comment))
    else if (closed) {
      const at = open.findLastIndex(({ localName }) => localName === closed.toLowerCase())
      if (at > 0) open.length = at
    } else if (name) {
      const element = document.createElement(name.toLowerCase())
      for (const [, key, , double, single, bare] of attributes.matchAll(/([^\s=]+)(\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+)))?/g)) {
        element.attributes.set(key.toLowerCase(), unescaped(double ?? single ?? bare ?? ''))
      }
      if (RAW.has(element.localName)) {
        const end = html.indexOf(`</${name}`, tokens.lastIndex)
        const raw = html.slice(tokens.lastIndex, end)
        if (raw !== '') element.append(raw)
        tokens.lastIndex = html.indexOf('>', end) + 1
      }
      top().append(element)
      if (!RAW.has(element.localName) && !VOID.has(element.localName)) open.push(element)
    } else if (!/^<!doctype/i.test(text) && top() !== document) {
      top().append(unescaped(text))
    }
  }
  return document
}

function unescaped(text) {
  return text.replace(/&(lt|gt|quot|amp|#39);/g, (_, name) => ({ lt: '<', gt: '>', quot: '"', amp: '&', '#39': "'" })[name])
}

function markupOf(node) {
  if (node.nodeType === Node.COMMENT_NODE) return `<!--${node.data}-->`
  if (node instanceof CharacterData) return node.data
  const inner = node.childNodes.map(markupOf).join('')
  if (!(node instanceof Element)) return inner
  return `<${node.localName}${[...node.attributes].map(([name, value]) => ` ${name}="${value}"`).join('')}>${inner}</${node.localName}>`
}

/** Whether an element matches a list of selectors of the form `tag[name][name="value"][name~=value]:not(…)`. */
function matches(element, selector) {
  return selector.split(/,\s*/).some((one) => {
    const rest = one.replace(/^[\w-]+/, '')
    const tag = one.slice(0, one.length - rest.length)
    if (tag && tag !== element.localName) return false
    const parts = [...rest.matchAll(/(:not\()?\[([\w-]+)(?:(~?=)"?([^"\]]*)"?)?\]\)?/g)]
    return parts.every(([, not, name, how, value]) => {
      const own = element.getAttribute(name)
      const fits = own !== null && (!how || (how === '=' ? own === value : own.split(/\s+/).includes(value)))
      return not ? !fits : fits
    })
  })
}

/** The globals of a page that have to do with its document. */
export function documentGlobals(document) {
  const names = new Map()
  const customElements = {
    define: (name, made) => void names.set(name, made),
    get: (name) => names.get(name),
  }
  // A custom element is made by `new Class()`; its tag name is the one under which the class is registered.
  const OwnElement = class extends HTMLElement {
    constructor() {
      super(document, [...names].find(([, made]) => made === new.target)?.[0] ?? 'unknown-element')
    }
  }
  Object.defineProperty(OwnElement, Symbol.hasInstance, { value: (value) => value instanceof HTMLElement })
  class DOMParser {
    parseFromString(html) {
      return readHtml(new Document(document.baseURI), html)
    }
  }
  return {
    document,
    customElements,
    CSSStyleSheet,
    DOMParser,
    HTMLElement: OwnElement,
    HTMLStyleElement,
    HTMLLinkElement,
    HTMLScriptElement,
    Node,
    Element,
    Text,
    CharacterData,
  }
}
