/**
 * What the connection brings: it opens, it closes, the server says something.
 *
 *     opened ─► hello ─► batch, welcome or compare: the answer
 *     batch ─► the queue ─► batches.ts
 */
import type { ServerMessage } from '../../core/messages'
import { changedBy, takeBatch } from '../batches'
import { PREFIX, debug } from '../console'
import { traced } from '../errors'
import { hot, registry, replica, rescue, updater } from '../parts'
import { enqueue, newsArrived, newsTaken } from '../queue'
import { reloadUnstartedPage } from '../reload'
import { retryNow } from '../retry'
import { base, hasDocument, home, setToken, socketAt, token } from '../settings'
import { state } from '../state'
import { tryAgain } from './returns'
import { hello, nowInStep, tellVersions } from './server'
import type { SocketEvents } from './socket'

/** Connections so far. */
let connection = 0

export const connectionEvents: SocketEvents = {
  opened(webSocket) {
    if (state.hasFailedToStart) return reloadUnstartedPage()
    updater.failedImports.reconnected()
    tryAgain(() => true)
    enqueue(() => hot.dispatch('vite:ws:connect', { webSocket }))
    connection += 1
    state.isAwaiting = false
    hello()
  },
  closed(webSocket) {
    enqueue(() => hot.dispatch('vite:ws:disconnect', { webSocket }))
    if (hasDocument) console.log(`${PREFIX} server connection lost. Polling for restart...`)
  },
  said(message) {
    if (message.type === 'unreadable') return rescue.settled()
    const { type } = message
    const isNews = type === 'batch' || type === 'welcome' || type === 'compare'
    if (isNews) newsArrived()
    // After a comparison with a new session any live module may have a new definition.
    const changed = type === 'batch' ? changedBy(message) : type === 'compare' ? [...registry.instances.keys()] : []
    const begin = updater.announce(changed)
    const of = connection
    // The news of an earlier connection are part of the answer to the `hello` of this one.
    const isOver = () => isNews && of !== connection
    enqueue(() => {
      begin()
      if (isNews) newsTaken()
      return isOver() ? undefined : handle(message)
    })
  },
}

async function handle(message: ServerMessage): Promise<void> {
  switch (message.type) {
    case 'connected':
      return debug('connected.')
    case 'batch':
      return takeBatch(message)
    case 'custom':
      return hot.dispatch(message.event, message.data)
    case 'traced':
      return traced(message)
    case 'welcome':
      nowInStep()
      return retryNow()
    case 'compare':
      replica.leaveSession()
      return tellVersions()
    case 'pong':
    case 'unreadable':
      return
  }
}

export function socketAddress(): string {
  const scheme = socketAt.protocol ?? (home.protocol === 'https:' ? 'wss' : 'ws')
  const port = socketAt.port ?? (socketAt.host ? '' : home.port)
  const host = `${socketAt.host ?? home.hostname}${port ? `:${port}` : ''}`
  return `${scheme}://${host}${base}${socketAt.path?.replace(/^\/+/, '') ?? '@rekindle/socket'}?token=${token}`
}

/** Takes the token from the server's client script, since a server that was restarted has another one. False if it does not answer. */
export async function refreshToken(): Promise<boolean> {
  try {
    const answer = await fetch(new URL(`${base}@rekindle/client.js`, home), { cache: 'no-store' })
    const found = /token = "([\w-]+)"/.exec(await answer.text())
    if (!answer.ok || !found) return false
    setToken(found[1]!)
    return true
  } catch {
    return false
  }
}
