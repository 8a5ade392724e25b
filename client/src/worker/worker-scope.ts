/**
 * The inside of a worker: how the runtime in it reaches the owner, which is the page or worker that has made it.
 *
 *     edit that nothing accepts ─► ask the owner ─► return messages that were not handled yet ─► the thread ends
 *
 * Messages that arrive before the worker's modules listen are kept: a worker whose module does not compile yet, or still waits at
 * a top-level await, gets them once it runs. The owner's half is workers.ts.
 */
import { isClassicWorker } from '../core/query'
import type { OverlayError } from '../page/dom/overlay'
import { takeMarked, transferablesIn, WORKER_MARK, type OwnerMessage, type RestartAnswer, type RestartRequest, type WorkerMessage } from './workers'

/** The global object of dedicated and shared workers, as far as it is used here. */
interface Scope extends EventTarget {
  postMessage?(message: unknown, transfer?: Transferable[]): void
  close(): void
}

/** Milliseconds in which the owners of a shared worker are expected to answer. Some of them may be closed. */
const ANSWER_PATIENCE = 500
/** Milliseconds that the thread waits at its end for messages to the server to be sent. */
const FLUSH_PATIENCE = 200

/** The scope of the worker that this script runs in; null in a page. */
export function enterWorker(): WorkerScope | null {
  const isWorker = typeof document === 'undefined' && typeof (globalThis as { importScripts?: unknown }).importScripts === 'function'
  return isWorker ? new WorkerScope(globalThis as unknown as Scope) : null
}

export class WorkerScope {
  /** A dedicated worker has one owner, a shared worker one for each page. */
  private readonly owners: Owner[] = []
  private state: 'starting' | 'running' | 'leaving' = 'starting'
  /** Events that arrived before the worker's modules listen. */
  private held: Event[] = []
  private readonly birth = String(Math.random())
  private readonly isShared: boolean
  private errors: OverlayError[] = []

  constructor(private readonly scope: Scope) {
    this.isShared = typeof scope.postMessage !== 'function'
    // This is the first listener, so it can stop events before any other listener gets them.
    if (this.isShared) scope.addEventListener('connect', (event) => this.connected(event as MessageEvent))
    else this.owners.push(new Owner(scope.postMessage!.bind(scope)))
    this.owners[0]?.say({ kind: 'started', birth: this.birth })
    if (!this.isShared) scope.addEventListener('message', (event) => this.heard(event as MessageEvent, this.owners[0]!))
    this.noticeListeners(this.isShared ? 'connect' : 'message')
    if (isClassicWorker(new URL(location.href))) makeUpForClassic()
  }

  /** The worker's modules have run, as far as they can: from now on they get messages. */
  release(): void {
    if (this.state !== 'starting') return
    this.state = 'running'
    const held = this.held
    this.held = []
    for (const event of held) this.scope.dispatchEvent(copyOf(event as MessageEvent))
  }

  /** Sends the errors of this worker to the overlay of the page. An empty list removes them. */
  show(errors: OverlayError[]): void {
    if (errors.length === 0 && this.errors.length === 0) return
    this.errors = errors
    for (const owner of this.owners) owner.say({ kind: 'errors', errors })
  }

  /** Asks the owner for a new thread in the place of this one. Resolves with the owner's decision. */
  async ask(request: RestartRequest): Promise<RestartAnswer> {
    this.state = 'leaving'
    const answers = this.owners.map((owner) => owner.ask(request))
    const patience = new Promise<RestartAnswer>((done) => setTimeout(() => done('restart'), ANSWER_PATIENCE))
    return this.isShared ? Promise.race([Promise.all(answers).then((all) => all[0] ?? 'restart'), patience]) : answers[0]!
  }

  /** Ends the thread once its messages to the server have been sent, which `isFlushed` says. */
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
    if (!event.isTrusted) return // The copy of a connection that was kept, which `release` dispatches.
    const port = event.ports[0]!
    const owner = new Owner(port.postMessage.bind(port))
    this.owners.push(owner)
    port.addEventListener('message', (message) => this.heard(message, owner))
    owner.say({ kind: 'started', birth: this.birth })
    if (this.errors.length > 0) owner.say({ kind: 'errors', errors: this.errors })
    if (this.state === 'starting') this.hold(event)
  }

  private heard(event: MessageEvent, owner: Owner): void {
    const message = takeMarked<OwnerMessage>(event)
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

  /** Releases kept messages as soon as a module listens: it may wait for one of them at its top-level await. */
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

/** The connection of a worker to one of its owners. */
class Owner {
  private decided: ((answer: RestartAnswer) => void) | null = null

  constructor(private readonly post: (message: unknown, transfer: Transferable[]) => void) {}

  say(message: WorkerMessage, transfer: Transferable[] = []): void {
    try {
      this.post({ [WORKER_MARK]: message }, transfer)
    } catch (error) {
      console.error('[rekindle] a message to a worker that is being restarted was lost:', error)
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

/** Defines `importScripts`, which module workers do not have, for a worker that was made as a classic one. */
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
