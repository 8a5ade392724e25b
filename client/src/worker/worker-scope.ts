/**
 * The inside of a worker: how its modules' runtime reaches whoever made it.
 *
 *     edit that nothing accepts ─► ask the owner ─► hand back what was not read yet ─► the thread ends
 *
 * Messages that come before somebody listens are kept: a worker whose module does not compile yet, or still waits at
 * a top-level await, gets them once it runs. The owner's half is workers.ts.
 */
import type { OverlayError } from '../page/dom/overlay'
import { takeMarked, transferablesIn, WORKER_MARK, type FromWorker, type RestartAnswer, type RestartRequest, type ToWorker } from './workers'

/** What dedicated and shared workers have in common, as far as it is used here. */
interface Scope extends EventTarget {
  postMessage?(message: unknown, transfer?: Transferable[]): void
  close(): void
}

/** Milliseconds in which pages are expected to answer a shared worker; some may be gone. */
const ANSWER_PATIENCE = 500
/** Milliseconds in which what is said to the server leaves the thread. */
const FLUSH_PATIENCE = 200

/** The scope of the worker we are in; null in a page. */
export function enterWorker(): WorkerScope | null {
  const isWorker = typeof document === 'undefined' && typeof (globalThis as { importScripts?: unknown }).importScripts === 'function'
  return isWorker ? new WorkerScope(globalThis as unknown as Scope) : null
}

export class WorkerScope {
  /** Where the owners are: a dedicated worker has one, a shared one a port for each page. */
  private readonly owners: Owner[] = []
  private state: 'starting' | 'running' | 'leaving' = 'starting'
  /** Events that nobody listens to yet. */
  private held: Event[] = []
  private readonly birth = String(Math.random())
  private readonly isShared: boolean
  private errors: OverlayError[] = []

  constructor(private readonly scope: Scope) {
    this.isShared = typeof scope.postMessage !== 'function'
    // Ours is the first listener, so no other one sees what we stop.
    if (this.isShared) scope.addEventListener('connect', (event) => this.connected(event as MessageEvent))
    else this.owners.push(new Owner(scope.postMessage!.bind(scope)))
    this.owners[0]?.say({ kind: 'started', birth: this.birth })
    if (!this.isShared) scope.addEventListener('message', (event) => this.heard(event as MessageEvent, this.owners[0]!))
    this.noticeListeners(this.isShared ? 'connect' : 'message')
    if (new URL(location.href).searchParams.get('type') === 'classic') makeUpForClassic()
  }

  /** The worker's modules have run, as far as they can: from now on messages are theirs. */
  release(): void {
    if (this.state !== 'starting') return
    this.state = 'running'
    const held = this.held
    this.held = []
    for (const event of held) this.scope.dispatchEvent(copyOf(event as MessageEvent))
  }

  /** What the overlay of the page is to show of this worker; nothing takes it away. */
  show(errors: OverlayError[]): void {
    if (errors.length === 0 && this.errors.length === 0) return
    this.errors = errors
    for (const owner of this.owners) owner.say({ kind: 'errors', errors })
  }

  /** Asks for a new thread in the place of this one. Resolves with what is going to happen. */
  async ask(request: RestartRequest): Promise<RestartAnswer> {
    this.state = 'leaving'
    const answers = this.owners.map((owner) => owner.ask(request))
    const patience = new Promise<RestartAnswer>((done) => setTimeout(() => done('restart'), ANSWER_PATIENCE))
    return this.isShared ? Promise.race([Promise.all(answers).then((all) => all[0] ?? 'restart'), patience]) : answers[0]!
  }

  /** The thread has said all it had to say; `isFlushed` tells whether the server has got it. */
  leave(isFlushed: () => boolean): void {
    const until = performance.now() + FLUSH_PATIENCE
    const step = () => {
      if (!isFlushed() && performance.now() < until) return void setTimeout(step, 5)
      for (const owner of this.owners) owner.say({ kind: 'drained' })
      if (this.isShared) this.scope.close()
    }
    setTimeout(step)
  }

  private connected(event: MessageEvent): void {
    if (!event.isTrusted) return // A connection that was held back.
    const port = event.ports[0]!
    const owner = new Owner(port.postMessage.bind(port))
    this.owners.push(owner)
    port.addEventListener('message', (message) => this.heard(message, owner))
    owner.say({ kind: 'started', birth: this.birth })
    if (this.errors.length > 0) owner.say({ kind: 'errors', errors: this.errors })
    if (this.state === 'starting') this.hold(event)
  }

  private heard(event: MessageEvent, owner: Owner): void {
    const message = takeMarked<ToWorker>(event)
    if (message) return owner.answered(message.answer)
    if (this.state === 'leaving') {
      event.stopImmediatePropagation()
      owner.say({ kind: 'returned', data: event.data }, transferablesIn(event.data, event.ports))
    } else if (this.state === 'starting' && !this.isShared) {
      this.hold(event)
    }
  }

  private hold(event: Event): void {
    event.stopImmediatePropagation()
    this.held.push(event)
  }

  /** A module that waits at its top-level await may wait for a message: whoever listens gets them. */
  private noticeListeners(type: string): void {
    const { scope } = this
    const soon = () => queueMicrotask(() => this.release())
    const listen = scope.addEventListener.bind(scope) as (...parameters: unknown[]) => void
    Object.defineProperty(scope, 'addEventListener', {
      configurable: true,
      writable: true,
      value: (...parameters: unknown[]) => {
        listen(...parameters)
        if (parameters[0] === type) soon()
      },
    })
    const name = `on${type}`
    const native = propertyOf(scope, name)
    if (!native?.set) return
    Object.defineProperty(scope, name, {
      configurable: true,
      enumerable: true,
      get: () => native.get!.call(scope) as unknown,
      set: (listener: unknown) => {
        native.set!.call(scope, listener)
        soon()
      },
    })
  }
}

/** One end of what a worker says to those who made it. */
class Owner {
  private decided: ((answer: RestartAnswer) => void) | null = null

  constructor(private readonly post: (message: unknown, transfer: Transferable[]) => void) {}

  say(message: FromWorker, transfer: Transferable[] = []): void {
    try {
      this.post({ [WORKER_MARK]: message }, transfer)
    } catch (error) {
      console.error('[rekindle] a message to a worker that is being restarted is lost:', error)
    }
  }

  ask(request: RestartRequest): Promise<RestartAnswer> {
    return new Promise((done) => {
      this.decided = done
      this.say({ kind: 'restart?', ...request })
    })
  }

  answered(answer: RestartAnswer): void {
    this.decided?.(answer)
  }
}

function copyOf({ type, data, origin, lastEventId, ports, source }: MessageEvent): MessageEvent {
  return new MessageEvent(type, { data, origin, lastEventId, ports: [...ports], source })
}

function propertyOf(object: object, name: string): PropertyDescriptor | undefined {
  for (let at: object | null = object; at; at = Object.getPrototypeOf(at) as object | null) {
    const property = Object.getOwnPropertyDescriptor(at, name)
    if (property) return property
  }
  return undefined
}

/** Module workers have no `importScripts`; one that was made as a classic worker may use it. */
function makeUpForClassic(): void {
  Object.defineProperty(globalThis, 'importScripts', {
    configurable: true,
    writable: true,
    value: (...addresses: string[]) => {
      for (const address of addresses) {
        const url = new URL(address, location.href).href
        const request = new XMLHttpRequest()
        request.open('GET', url, false)
        request.send()
        if (request.status !== 200) throw new DOMException(`importScripts: ${url} answers ${request.status}`, 'NetworkError')
        ;(0, eval)(`${request.responseText}\n//# sourceURL=${url}`)
      }
    },
  })
}
