/**
 * The connection to the server: one WebSocket on the page's own origin.
 *
 * When it is lost it is opened again: soon at first, then every second, and at once when the browser wakes up, goes online or
 * shows the tab. Nothing is lost meanwhile. Messages of the page wait here, and the server repeats what the tab has missed when
 * the tab says which batch it has heard last.
 */
import type { ClientMessage, ServerMessage } from '../../core/messages'

export interface SocketEvents {
  opened(socket: WebSocket): void
  closed(socket: WebSocket): void
  said(message: ServerMessage): void
}

/** First and longest pause between two attempts, in milliseconds. */
const FIRST_PAUSE = 60
const LONGEST_PAUSE = 1000
/** Milliseconds between two pings, and in which the server is expected to answer one. */
const PING_EVERY = 30_000
const PING_PATIENCE = 4000

export class Socket {
  private socket: WebSocket | null = null
  private readonly waiting: string[] = []
  private pause = FIRST_PAUSE
  private timer: ReturnType<typeof setTimeout> | undefined
  private pongTimer: ReturnType<typeof setTimeout> | undefined
  private wasOpen = false
  private leaving = false

  /** The address to connect to, and what is done with the connection; null as long as nothing connects. */
  private way: { address: () => string; refresh: () => Promise<boolean>; events: SocketEvents } | null = null

  /** Connects now, and whenever the connection is lost. `refresh` says whether the server answers, and learns its present token. */
  connect(address: () => string, refresh: () => Promise<boolean>, events: SocketEvents): void {
    this.way = { address, refresh, events }
    this.open()
    const wake = () => this.wake()
    globalThis.addEventListener?.('online', wake)
    globalThis.addEventListener?.('pageshow', wake)
    globalThis.addEventListener?.('pagehide', () => (this.leaving = true))
    if (typeof document !== 'undefined') document.addEventListener('visibilitychange', wake)
    setInterval(() => this.ping(), PING_EVERY)
  }

  get isOpen(): boolean {
    return this.socket?.readyState === WebSocket.OPEN
  }

  /** Whether everything that was sent has left the browser. */
  get isFlushed(): boolean {
    return (this.socket?.bufferedAmount ?? 0) === 0
  }

  /** Sends now, or as soon as there is a connection; in order. */
  send(message: ClientMessage): void {
    const text = JSON.stringify(message)
    if (this.isOpen) this.socket!.send(text)
    else if (this.way) this.waiting.push(text)
  }

  /** Sends only if the connection is open: for messages that the next `hello` makes unnecessary. */
  sendNow(message: ClientMessage): void {
    if (this.isOpen) this.socket!.send(JSON.stringify(message))
  }

  private end(): void {
    this.socket?.close()
    this.socket?.dispatchEvent(new Event('close'))
  }

  private open(): void {
    const { address, events } = this.way!
    const socket = new WebSocket(address(), 'rekindle')
    this.socket = socket
    socket.addEventListener('open', () => {
      this.wasOpen = true
      this.pause = FIRST_PAUSE
      events.opened(socket)
      for (const text of this.waiting.splice(0)) socket.send(text)
    })
    socket.addEventListener('message', ({ data }) => {
      clearTimeout(this.pongTimer)
      this.pongTimer = undefined
      events.said(JSON.parse(String(data)) as ServerMessage)
    })
    socket.addEventListener('close', () => {
      if (this.socket !== socket) return
      this.socket = null
      clearTimeout(this.pongTimer)
      if (this.wasOpen && !this.leaving) events.closed(socket)
      this.wasOpen = false
      this.later()
    })
  }

  private later(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.retry(), this.pause)
    this.pause = Math.min(this.pause * 1.6, LONGEST_PAUSE)
  }

  private async retry(): Promise<void> {
    if (this.socket) return
    // A server that was restarted has a new token. Asking for it also shows whether the server answers at all.
    if (await this.way!.refresh()) this.open()
    else this.later()
  }

  private wake(): void {
    this.leaving = false
    if (typeof document !== 'undefined' && document.visibilityState === 'hidden') return
    if (this.socket) return this.ping()
    this.pause = FIRST_PAUSE
    this.later()
  }

  /** Sends a ping: a connection that was cut by a sleeping computer or a proxy seems open until something is sent. */
  private ping(): void {
    if (!this.isOpen) return
    this.sendNow({ type: 'ping' })
    this.pongTimer ??= setTimeout(() => {
      this.pongTimer = undefined
      this.end()
    }, PING_PATIENCE)
  }
}
