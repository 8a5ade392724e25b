/**
 * The line between browser and server, with a hand on it: a TCP proxy that can be cut, mended, or left hanging.
 *
 *     const line = await Line.to(port)
 *     line.cut()             // connections end, new ones are refused
 *     line.mend()
 *     line.freezeSockets()   // nobody is told that the line is dead
 */
import net from 'node:net'

export class Line {
  server
  #pairs = new Set()
  #refuses = { all: false, sockets: false }
  #listener = net.createServer((browser) => this.#connect(browser))

  /** A line to the server on `port` of this machine. */
  static async to(port) {
    const line = new Line()
    line.server = port
    await new Promise((done, fail) => line.#listener.on('error', fail).listen(0, 'localhost', () => done(undefined)))
    return line
  }

  get url() {
    return `http://localhost:${this.#listener.address().port}/`
  }

  /** What the server has to be told: browsers name the line as the host they want. */
  get settings() {
    return `[server]\nallowed_hosts = ["${new URL(this.url).host}"]\n`
  }

  #connect(browser) {
    if (this.#refuses.all) return browser.destroy()
    const server = net.connect(this.server, 'localhost')
    const pair = { browser, server, isSocket: false, isFrozen: false }
    this.#pairs.add(pair)
    const end = () => {
      if (pair.isFrozen) return
      this.#end(pair)
    }
    for (const stream of [browser, server]) stream.on('error', end).on('close', end)
    browser.on('data', (bytes) => {
      if (/^GET \S*@rekindle\/socket/.test(bytes.toString('latin1'))) pair.isSocket = true
      if (pair.isSocket && this.#refuses.sockets) return this.#end(pair)
      if (!pair.isFrozen) server.write(bytes)
    })
    server.on('data', (bytes) => {
      if (!pair.isFrozen) browser.write(bytes)
    })
  }

  #end(pair) {
    this.#pairs.delete(pair)
    pair.browser.destroy()
    pair.server.destroy()
  }

  /** Every connection ends, and none comes about. */
  cut() {
    this.#refuses.all = true
    for (const pair of this.#pairs) this.#end(pair)
  }

  /** The same for WebSockets alone: pages load, and hear nothing. */
  cutSockets() {
    this.#refuses.sockets = true
    for (const pair of this.#pairs) if (pair.isSocket) this.#end(pair)
  }

  /** Half-open: the WebSockets look open from both ends, and what is sent over them vanishes. Everything else ends; it may be asked for again. */
  freezeSockets() {
    for (const pair of this.#pairs) {
      if (pair.isSocket) pair.isFrozen = true
      else this.#end(pair)
    }
  }

  /** New connections are made again. */
  mend() {
    this.#refuses = { all: false, sockets: false }
  }

  /** What `freezeSockets` left hanging ends, as it does when a machine on the way forgets it. */
  reset() {
    for (const pair of this.#pairs) if (pair.isFrozen) this.#end(pair)
  }

  close() {
    this.cut()
    this.#listener.close()
  }
}

export function freePort() {
  return new Promise((done, fail) => {
    const probe = net.createServer()
    probe.on('error', fail)
    probe.listen(0, 'localhost', () => {
      const { port } = probe.address()
      probe.close(() => done(port))
    })
  })
}
