/**
 * The half of React Fast Refresh that is not part of React: which component is the successor of which, and which of React's roots
 * render again.
 *
 *     register(Label, '/src/Label.tsx Label')     the family "/src/Label.tsx Label": Label
 *     … the module runs again …
 *     register(Label₂, '/src/Label.tsx Label')    its next member
 *     perform()                                   React renders every mounted Label with Label₂;
 *                                                 its state stays if Label₂ uses the hooks that Label used
 *
 * React gives what is needed to the hook that DevTools use as well: `inject` brings the functions of a renderer, and
 * `onCommitFiberRoot` is called for each root. So the project needs no package for this, and every copy of React on the page is
 * served (17 and newer). The interface is React's own: its ReactFiberHotReloading, and the calls that compilers write
 * (`$RefreshReg$`, `$RefreshSig$`).
 */
import type { RefreshRuntime } from './refresh'

/** All components that were registered by one name; `current` is the newest. */
interface Family {
  current: object
}

/** Which hooks a component or a hook calls. */
interface Signature {
  /** The hook calls in its own text. */
  own: string
  /** The state cannot be kept: the source asks for that, or one of the hooks cannot be read. */
  resets: boolean
  hooks: () => unknown[]
  /** `own` together with the calls of its custom hooks, once that was computed. */
  whole?: string
}

type Root = { current: Fiber }
interface Fiber {
  alternate: Fiber | null
  memoizedState: { element?: unknown } | null
}

/** What a renderer of React passes to `inject`, as far as it is used here. */
interface Renderer {
  scheduleRefresh?(root: Root, update: { updatedFamilies: Set<Family>; staleFamilies: Set<Family> }): void
  scheduleRoot?(root: Root, element: unknown): void
  setRefreshHandler?(familyOf: ((type: unknown) => Family | undefined) | null): void
}

interface DevToolsHook {
  renderers: Map<number, Renderer>
  supportsFiber: boolean
  inject(renderer: Renderer): number
  onScheduleFiberRoot?(id: number, root: Root, element: unknown): void
  onCommitFiberRoot(id: number, root: Root, priority: unknown, failed: boolean): void
  onCommitFiberUnmount(id: number, fiber: Fiber): void
}

const FORWARD_REF = Symbol.for('react.forward_ref')
const MEMO = Symbol.for('react.memo')

/** Whether a value can be a component: components are functions or objects. */
function isType(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && value !== null)
}

/** The component inside of `memo(…)` or `forwardRef(…)`, and what is appended to the name of the outer one to name it. */
function wrapped(type: object): [inner: unknown, place: string] | null {
  const { $$typeof, type: inMemo, render } = type as { $$typeof?: symbol; type?: unknown; render?: unknown }
  if ($$typeof === MEMO) return [inMemo, ' memo']
  if ($$typeof === FORWARD_REF) return [render, ' forwardRef']
  return null
}

function isClass(type: unknown): boolean {
  return typeof type === 'function' && !!(type.prototype as { isReactComponent?: object } | undefined)?.isReactComponent
}

export class ReactRefresh implements RefreshRuntime {
  private readonly families = new Map<string, Family>()
  private readonly familyOf = new WeakMap<object, Family>()
  /** The part of `familyOf` that React knows: a successor is an unrelated component for React until it is announced. */
  private readonly announced = new WeakMap<object, Family>()
  private readonly signatures = new WeakMap<object, Signature>()
  /** Successors that React does not know yet. */
  private waiting: [Family, object][] = []

  private readonly renderers = new Map<number, Renderer>()
  private readonly rendererOf = new WeakMap<Root, Renderer>()
  private readonly mounted = new Set<Root>()
  /** Roots that show nothing because a component threw: they are rendered anew. */
  private readonly failed = new Set<Root>()
  private readonly elementOf = new WeakMap<Root, unknown>()

  /** Listens to the hook that React looks for when it starts, and makes that hook if there are no DevTools. */
  constructor(globals: object) {
    const scope = globals as { __REACT_DEVTOOLS_GLOBAL_HOOK__?: DevToolsHook }
    let count = 0
    const hook = (scope.__REACT_DEVTOOLS_GLOBAL_HOOK__ ??= {
      renderers: new Map(),
      supportsFiber: true,
      inject: () => count++,
      onScheduleFiberRoot() {},
      onCommitFiberRoot() {},
      onCommitFiberUnmount() {},
    })
    this.listen(hook)
  }

  private listen(hook: DevToolsHook): void {
    const { inject, onScheduleFiberRoot, onCommitFiberRoot } = hook
    for (const [id, renderer] of hook.renderers) this.note(id, renderer)
    hook.inject = (renderer) => {
      const id = inject.call(hook, renderer)
      this.note(id, renderer)
      return id
    }
    hook.onScheduleFiberRoot = (id, root, element) => {
      this.elementOf.set(root, element)
      onScheduleFiberRoot?.call(hook, id, root, element)
    }
    hook.onCommitFiberRoot = (id, root, priority, failed) => {
      this.committed(id, root, failed)
      onCommitFiberRoot.call(hook, id, root, priority, failed)
    }
  }

  private note(id: number, renderer: Renderer): void {
    if (renderer.scheduleRefresh && renderer.setRefreshHandler) this.renderers.set(id, renderer)
  }

  /** Keeps track of which roots show something. */
  private committed(id: number, root: Root, failed: boolean): void {
    const renderer = this.renderers.get(id)
    if (!renderer) return
    this.rendererOf.set(root, renderer)
    const shows = (fiber: Fiber | null) => fiber?.memoizedState?.element != null
    if (shows(root.current)) {
      this.mounted.add(root)
      this.failed.delete(root)
      return
    }
    this.mounted.delete(root)
    if (failed) this.failed.add(root)
    else this.failed.delete(root)
  }

  /** Without a renderer there is nothing to refresh. A page that disables DevTools has none here. */
  isAttached(): boolean {
    return this.renderers.size > 0
  }

  register(type: unknown, id: string): void {
    if (!isType(type) || this.familyOf.has(type)) return
    let family = this.families.get(id)
    if (family) this.waiting.push([family, type])
    else this.families.set(id, family = { current: type })
    this.familyOf.set(type, family)
    const inner = wrapped(type)
    if (inner) this.register(inner[0], id + inner[1])
  }

  signature(): (...parameters: never[]) => unknown {
    let first: unknown
    let isAsked = false
    return ((...[type, own, resets, hooks]: [unknown?, string?, boolean?, (() => unknown[])?]) => {
      if (own !== undefined) {
        first ??= type
        if (isType(type)) this.signatures.set(type, { own, resets: !!resets, hooks: hooks ?? (() => []) })
        return type
      }
      // The component is being rendered, so all hooks that it names can be read by now.
      if (!isAsked && isType(first)) this.wholeOf(this.signatures.get(first))
      isAsked = true
      return undefined
    }) as (...parameters: never[]) => unknown
  }

  private wholeOf(signature: Signature | undefined): string | undefined {
    if (!signature || signature.whole !== undefined) return signature?.whole
    // A hook that calls itself is not followed twice.
    signature.whole = signature.own
    const parts = [signature.own]
    for (const hook of this.hooksOf(signature)) {
      if (typeof hook !== 'function') {
        signature.resets = true
        break
      }
      // A hook of a package has no signature, and is assumed not to change.
      const known = this.signatures.get(hook)
      const part = this.wholeOf(known)
      if (part !== undefined) parts.push(part)
      signature.resets ||= known?.resets ?? false
    }
    return (signature.whole = parts.join('\n---\n'))
  }

  private hooksOf(signature: Signature): unknown[] {
    try {
      return signature.hooks()
    } catch {
      // A hook is named that is not defined yet, or not any more.
      signature.resets = true
      return []
    }
  }

  isComponent(value: unknown): boolean {
    if (typeof value === 'object' && value !== null) return wrapped(value) !== null
    if (typeof value !== 'function') return false
    if (isClass(value)) return true
    const prototype = value.prototype as object | undefined
    const isPlain = !prototype
      || (Object.getPrototypeOf(prototype) === Object.prototype && Object.getOwnPropertyNames(prototype).every((name) => name === 'constructor'))
    const name: unknown = value.name || (value as { displayName?: unknown }).displayName
    return isPlain && typeof name === 'string' && /^[A-Z]/.test(name)
  }

  perform(): void {
    const updatedFamilies = new Set<Family>()
    const staleFamilies = new Set<Family>()
    for (const [family, type] of this.waiting.splice(0)) {
      const before = family.current
      const keeps = this.keepsState(before, type)
      family.current = type
      for (const member of [before, type]) this.announced.set(member, family)
      ;(keeps ? updatedFamilies : staleFamilies).add(family)
    }
    for (const family of staleFamilies) updatedFamilies.delete(family)
    if (updatedFamilies.size + staleFamilies.size === 0) return

    const familyOf = (type: unknown) => (isType(type) ? this.announced.get(type) : undefined)
    for (const renderer of this.renderers.values()) renderer.setRefreshHandler!(familyOf)
    // Rendering may mount and unmount roots, so each loop goes over a copy of the roots that there are now.
    const errors: unknown[] = []
    const attempt = (render: () => void) => {
      try {
        render()
      } catch (error) {
        errors.push(error)
      }
    }
    for (const root of [...this.failed]) {
      if (this.failed.has(root) && this.elementOf.has(root)) attempt(() => this.rendererOf.get(root)!.scheduleRoot!(root, this.elementOf.get(root)))
    }
    for (const root of [...this.mounted]) {
      if (this.mounted.has(root)) attempt(() => this.rendererOf.get(root)!.scheduleRefresh!(root, { updatedFamilies, staleFamilies }))
    }
    if (errors.length > 0) throw errors[0]
  }

  /** Whether the state of a mounted `before` can be kept for `now`. */
  private keepsState(before: object, now: object): boolean {
    if (isClass(before) || isClass(now)) return false
    const [was, is] = [this.signatures.get(before), this.signatures.get(now)]
    if (!was && !is) return true
    return !!was && !!is && this.wholeOf(was) === this.wholeOf(is) && !is.resets
  }
}
