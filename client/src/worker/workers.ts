/**
 * `Worker` and `SharedWorker` as pages get them: what a worker of ours runs can be restarted behind the object.
 *
 *     const worker = new Worker('/src/count.ts?worker_file')     an edit that nothing in it accepts:
 *     worker.postMessage('hi')                                   a new thread, the same object, its listeners, its messages
 *
 * The object is a real `Worker` (of a subclass), and runs the first thread itself; later threads stand behind it. Workers whose
 * addresses have no `worker_file` are left to the browser.
 *
 * The page and its workers exchange messages that are marked with `rekindle:worker`; the code of neither side sees them:
 *
 *     worker → owner    started     the thread runs: what was posted until then was kept, and is sent now
 *     worker → owner    restart?    no module accepts an edit, or the worker has stopped at an error: the owner decides
 *     owner → worker    answer      everything that was posted before has arrived
 *     worker → owner    returned    a message that came too late for this thread, and is passed to the next one
 *     worker → owner    drained     no message is left: the thread can end
 *     worker → owner    errors      what the overlay is to show
 */
import { isWorkerAddress, markClassicWorker } from '../core/query'
import type { OverlayError } from '../page/dom/overlay'

/** The property that marks a message as one of the runtime. */
export const WORKER_MARK = 'rekindle:worker'
/** Milliseconds that the restart of a busy worker waits for its answer. */
const DRAIN_PATIENCE = 2000
/**
 * How often a shared worker is connected to until the new thread answers, and milliseconds between two tries: while the old thread
 * answers, and while none does.
 */
const RECONNECTS = 40
const BETWEEN_RECONNECTS = 50
const UNTIL_RECONNECT = 300

/** Why a worker wants to be restarted. */
export interface RestartRequest {
  chain: string[]
  reason: string
  /** Some module in the worker accepts updates. */
  hot: boolean
  /** The worker has stopped at an error: this thread is of no use any more. */
  crashed: boolean
  /** The number of the batch that led to it. */
  seq: number
}

export type RestartAnswer = 'restart' | 'reload'

export type WorkerMessage =
  | ({ kind: 'restart?' } & RestartRequest)
  | { kind: 'returned'; data: unknown }
  | { kind: 'drained' }
  | { kind: 'errors'; errors: OverlayError[] }
  | { kind: 'started'; birth: string }

export type OwnerMessage = { kind: 'answer'; answer: RestartAnswer }

/** What workers need of the page, or of the worker, that has made them. */
export interface WorkerOwner {
  /** The answer to a worker. If it is `reload` and the page stays, `restart` is called. */
  decide(worker: object, path: string, request: RestartRequest, restart: () => void): RestartAnswer
  /** Replaces the errors of a worker. */
  errors(worker: object, errors: OverlayError[]): void
  restarted(worker: object, path: string, request: RestartRequest): void
  /** The scripts of the worker at `address`, whose module is `path`, could not be loaded: calls `again` once they may be. */
  tryLater(path: string, address: string, again: () => void): void
}

/** The message of the runtime in an event, or null. Other listeners do not get the event then. */
export function takeMarked<T>(event: MessageEvent): T | null {
  const data = event.data as Record<string, unknown> | null
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, WORKER_MARK)) return null
  event.stopImmediatePropagation()
  return data[WORKER_MARK] as T
}

/** Replaces the browser's classes `Worker` and `SharedWorker`, where they exist. */
export function installWorkers(owner: WorkerOwner): void {
  const scope = globalThis as Record<string, unknown>
  if (typeof Worker !== 'undefined') scope.Worker = named(hotWorkerClass(Worker, owner), 'Worker')
  if (typeof SharedWorker !== 'undefined') scope.SharedWorker = named(hotSharedWorkerClass(SharedWorker, owner), 'SharedWorker')
}

function named<T extends object>(made: T, name: string): T {
  Object.defineProperty(made, 'name', { value: name, configurable: true })
  return made
}

/** Address, options and path of a worker that runs modules of this server; null for any other. */
function hotAddress(url: string | URL, options: WorkerOptions | undefined): [string, WorkerOptions, string] | null {
  let address: URL
  try {
    address = new URL(url, location.href)
  } catch {
    return null // The browser reports the invalid address.
  }
  if (address.origin !== location.origin || !isWorkerAddress(address)) return null
  // All of them run as module workers. For one that the page makes as a classic worker, worker-scope.ts provides `importScripts`.
  if (options?.type !== 'module') markClassicWorker(address)
  return [address.href, { ...options, type: 'module' }, decodeURI(address.pathname)]
}

function hotWorkerClass(Native: typeof Worker, owner: WorkerOwner): typeof Worker {
  return class extends Native {
    readonly #made: [string, WorkerOptions, string] | null
    /** The thread behind the object, once the first one has been replaced. */
    #later: Worker | null = null
    /** Messages that were posted while the thread starts or is being restarted; null while it runs. */
    #queue: [unknown, Transferable[]][] | null = null
    #returned: [unknown, Transferable[]][] = []
    #request: RestartRequest | null = null
    /** The page is about to reload for the worker. If it stays, the worker is restarted. */
    #awaitsPage = false
    #timer: ReturnType<typeof setTimeout> | undefined
    #isStarting = true
    #ended = false

    constructor(url: string | URL, options?: WorkerOptions) {
      const made = hotAddress(url, options)
      super(made ? made[0] : url, made ? made[1] : options)
      this.#made = made
      if (!made) return
      this.#queue = []
      super.addEventListener('message', (event) => this.#hear(event as MessageEvent))
      super.addEventListener('error', (event) => this.#later || this.#failed(event))
    }

    override postMessage(message: unknown, transfer?: Transferable[] | StructuredSerializeOptions): void {
      if (!this.#queue) return this.#post(message, transfer)
      // The message is copied at once, because the caller may change it before the new thread runs.
      const list = Array.isArray(transfer) ? transfer : transfer?.transfer
      const copy = structuredClone(message, { transfer: list })
      this.#queue.push([copy, transferablesIn(copy)])
    }

    override terminate(): void {
      this.#ended = true
      this.#queue = null
      this.#end()
      if (this.#made) owner.errors(this, [])
    }

    #post(message: unknown, transfer?: Transferable[] | StructuredSerializeOptions): void {
      const options = Array.isArray(transfer) ? { transfer } : transfer
      if (this.#later) this.#later.postMessage(message, options)
      else super.postMessage(message, options)
    }

    #end(): void {
      clearTimeout(this.#timer)
      if (this.#later) this.#later.terminate()
      else super.terminate()
    }

    #hear(event: MessageEvent): void {
      const message = takeMarked<WorkerMessage>(event)
      if (!message || this.#ended) return
      switch (message.kind) {
        case 'started':
          return this.#started()
        case 'restart?':
          return this.#answer(message)
        case 'returned':
          return void this.#returned.push([message.data, transferablesIn(message.data, event.ports)])
        case 'drained':
          return this.#awaitsPage ? undefined : this.#replace()
        case 'errors':
          return owner.errors(this, message.errors)
      }
    }

    #answer(request: RestartRequest): void {
      if (this.#queue) return
      const answer = owner.decide(this, this.#made![2], request, () => this.#replace())
      this.#post({ [WORKER_MARK]: { kind: 'answer', answer } satisfies OwnerMessage })
      this.#request = request
      this.#queue = []
      this.#awaitsPage = answer === 'reload'
      if (!this.#awaitsPage) this.#timer = setTimeout(() => this.#replace(), DRAIN_PATIENCE)
    }

    #started(): void {
      this.#isStarting = false
      const waiting = this.#queue ?? []
      this.#queue = null
      for (const [message, transfer] of waiting) this.#post(message, transfer)
    }

    /** The scripts of the worker could not be loaded: the server was away, or there was no such file. */
    #failed(event: Event): void {
      const isLoad = this.#isStarting && !(event instanceof ErrorEvent)
      if (isLoad) owner.tryLater(this.#made![2], this.#made![0], () => this.#isStarting && !this.#ended && this.#begin())
    }

    #replace(): void {
      if (!this.#queue || this.#ended) return
      this.#queue.unshift(...this.#returned)
      this.#returned = []
      this.#begin()
      owner.restarted(this, this.#made![2], this.#request!)
    }

    #begin(): void {
      this.#end()
      this.#isStarting = true
      owner.errors(this, [])
      const [address, options] = this.#made!
      const later = new Native(address, options)
      this.#later = later
      for (const type of ['message', 'messageerror']) {
        later.addEventListener(type, (event) => {
          this.#hear(event as MessageEvent)
          // `stopImmediatePropagation` sets `cancelBubble`: `#hear` has taken a message of the runtime.
          if (!event.cancelBubble) this.dispatchEvent(copyOfMessage(event as MessageEvent))
        })
      }
      later.addEventListener('error', (event) => {
        if (this.#later === later) this.#failed(event)
        this.#passError(event)
      })
    }

    #passError(event: Event): void {
      if (!this.dispatchEvent(copyOfError(event))) event.preventDefault()
    }
  }
}

function copyOfMessage({ type, data, origin, lastEventId, ports }: MessageEvent): MessageEvent {
  return new MessageEvent(type, { data, origin, lastEventId, ports: [...ports] })
}

function copyOfError(event: Event): Event {
  if (!(event instanceof ErrorEvent)) return new Event(event.type, { cancelable: true })
  const { message, filename, lineno, colno, error } = event
  return new ErrorEvent('error', { message, filename, lineno, colno, error, cancelable: true })
}

function hotSharedWorkerClass(Native: typeof SharedWorker, owner: WorkerOwner): typeof SharedWorker {
  return class extends Native {
    /** The page has the first port, this class the second. Null for workers that the browser runs alone. */
    readonly #channel: MessageChannel | null = null
    readonly #made: [string, WorkerOptions, string] | null
    /** The port of the thread that runs now. */
    #inner!: MessagePort
    #queue: [unknown, Transferable[]][] | null = null
    #returned: [unknown, Transferable[]][] = []
    #request: RestartRequest | null = null
    /** The page is about to reload for the worker. If it stays, the worker is restarted. */
    #awaitsPage = false
    /** Identifies that thread. */
    #birth = ''
    #attempts = 0
    #timer: ReturnType<typeof setTimeout> | undefined

    constructor(url: string | URL, options?: string | WorkerOptions) {
      const given = typeof options === 'string' ? { name: options } : options
      const made = hotAddress(url, given)
      super(made ? made[0] : url, made ? made[1] : options)
      this.#made = made
      if (!made) return
      this.#queue = []
      this.#channel = new MessageChannel()
      this.#channel.port2.onmessage = ({ data, ports }) => this.#send(data, transferablesIn(data, ports))
      this.#attach(super.port)
      super.addEventListener('error', (event) => this.#failed(event))
    }

    override get port(): MessagePort {
      return this.#channel ? this.#channel.port1 : super.port
    }

    #send(data: unknown, transfer: Transferable[]): void {
      if (this.#queue) this.#queue.push([data, transfer])
      else this.#inner.postMessage(data, transfer)
    }

    #attach(port: MessagePort): void {
      this.#inner = port
      port.onmessage = (event: MessageEvent) => {
        const message = takeMarked<WorkerMessage>(event)
        if (message) this.#hear(message, event, port)
        else if (port === this.#inner) this.#channel!.port2.postMessage(event.data, transferablesIn(event.data, event.ports))
      }
    }

    #hear(message: WorkerMessage, event: MessageEvent, port: MessagePort): void {
      switch (message.kind) {
        case 'restart?':
          return this.#answer(message)
        case 'returned':
          return void this.#returned.push([message.data, transferablesIn(message.data, event.ports)])
        case 'drained':
          return this.#awaitsPage ? undefined : this.#reconnect()
        case 'errors':
          return owner.errors(this, message.errors)
        case 'started':
          return this.#arrived(message.birth, port)
      }
    }

    #answer(request: RestartRequest): void {
      if (this.#queue) return
      const answer = owner.decide(this, this.#made![2], request, () => this.#reconnect())
      this.#inner.postMessage({ [WORKER_MARK]: { kind: 'answer', answer } satisfies OwnerMessage })
      this.#request = request
      this.#queue = []
      this.#attempts = 0
      this.#awaitsPage = answer === 'reload'
      if (!this.#awaitsPage) this.#timer = setTimeout(() => this.#reconnect(), DRAIN_PATIENCE)
    }

    /** The scripts of the worker could not be loaded: the server was away, or there was no such file. */
    #failed(event: Event): void {
      if (!this.#queue || event instanceof ErrorEvent) return
      this.#attempts = 0
      owner.tryLater(this.#made![2], this.#made![0], () => this.#queue && this.#reconnect())
    }

    /** Connects again until a new thread answers: the browser may still give a connection to the thread that is about to end. */
    #reconnect(): void {
      clearTimeout(this.#timer)
      if (this.#attempts++ > RECONNECTS) return
      const [address, options] = this.#made!
      const later = new Native(address, options)
      later.addEventListener('error', (event) => {
        if (later.port === this.#inner) this.#failed(event)
        this.dispatchEvent(copyOfError(event))
      })
      this.#attach(later.port)
      // Each try that reaches the new thread is a connection to it. Trying too soon would make two connections.
      this.#timer = setTimeout(() => this.#reconnect(), UNTIL_RECONNECT * this.#attempts)
    }

    #arrived(birth: string, port: MessagePort): void {
      if (!this.#queue) return void (this.#birth = birth)
      if (port !== this.#inner) return
      clearTimeout(this.#timer)
      if (birth === this.#birth) return void (this.#timer = setTimeout(() => this.#reconnect(), BETWEEN_RECONNECTS))
      this.#birth = birth
      const waiting = [...this.#returned, ...this.#queue]
      this.#queue = null
      this.#returned = []
      owner.errors(this, [])
      for (const [data, transfer] of waiting) this.#inner.postMessage(data, transfer)
      if (this.#request) owner.restarted(this, this.#made![2], this.#request)
    }
  }
}

/** Classes whose objects are transferred with a message. For buffers this saves a copy; the others cannot be copied. */
const TRANSFERABLE = [
  'ArrayBuffer',
  'MessagePort',
  'ReadableStream',
  'WritableStream',
  'TransformStream',
  'OffscreenCanvas',
  'ImageBitmap',
  'VideoFrame',
  'AudioData',
  'RTCDataChannel',
  'MediaStreamTrack',
]

/** The objects in a received message that are to be transferred when it is sent on. Nobody else uses them. */
export function transferablesIn(data: unknown, ports: readonly MessagePort[] = []): Transferable[] {
  const found = new Set<unknown>(ports)
  const classes = TRANSFERABLE.map((name) => (globalThis as Record<string, unknown>)[name]).filter((one) =>
    typeof one === 'function'
  ) as (new() => object)[]
  const seen = new Set<object>()
  const queue: unknown[] = [data]
  for (const value of queue) {
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    if (classes.some((one) => value instanceof one)) found.add(value)
    else if (ArrayBuffer.isView(value)) queue.push(value.buffer)
    else if (value instanceof Map) { for (const pair of value) queue.push(...pair) }
    else if (value instanceof Set || Array.isArray(value)) { for (const one of value) queue.push(one) }
    else if (Object.getPrototypeOf(value) === Object.prototype) { for (const one of Object.values(value)) queue.push(one) }
  }
  const isShared = (one: unknown) => typeof SharedArrayBuffer !== 'undefined' && one instanceof SharedArrayBuffer
  return [...found].filter((one) => !isShared(one)) as Transferable[]
}
