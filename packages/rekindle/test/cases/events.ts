import type { CustomEventMap, CustomEventName, InferCustomEventPayload } from 'vite/types/customEvent.d.ts'
import type { HotPayload } from 'vite/types/hmrPayload.d.ts'

const hot = import.meta.hot!

hot.on('vite:beforeUpdate', ({ type, updates }) => {
  const update: 'update' = type
  for (const { type, path, acceptedPath, timestamp } of updates) {
    const kind: 'js-update' | 'css-update' = type
    const all: [string, string, number] = [path, acceptedPath, timestamp]
    void [kind, all]
  }
  void update
})
hot.on('vite:beforePrune', ({ paths }) => paths.map((path) => path.length))
hot.on('vite:beforeFullReload', ({ path }) => path?.length)
hot.on('vite:invalidate', ({ path, message, firstInvalidatedBy }) => path + firstInvalidatedBy + (message?.length ?? 0))
hot.on('vite:error', ({ err }) => [err.message.length, err.loc?.line.toFixed(), err.frame?.length, err.anything])
hot.on('vite:ws:disconnect', ({ webSocket }) => webSocket.close())
hot.on('vite:client:connect', (nothing) => {
  const none: undefined = nothing
  void none
})

// Declared in custom.d.ts.
hot.send('chat:line', { from: 'me', text: 'hello' })
hot.send('chat:leave')
hot.on('chat:line', ({ from, text }) => from.length + text.length)
hot.off('chat:line', (line: CustomEventMap['chat:line']) => line.from)

// An undeclared event takes any payload.
hot.on('some:name', (payload) => payload.any.thing)
hot.send('some:name', { any: 'thing' })
const name: CustomEventName = 'some:name'
const payload: InferCustomEventPayload<'chat:line'> = { from: '', text: '' }
void [name, payload]

function told(payload: HotPayload): string {
  switch (payload.type) {
    case 'update':
      return payload.updates.map((update) => update.path).join()
    case 'prune':
      return payload.paths.join()
    case 'custom':
      return payload.event
    case 'error':
      return payload.err.stack
    case 'full-reload':
      return payload.path ?? ''
    case 'bundled-dev-update':
      return payload.url + payload.changedIds.join() + payload.seq
    case 'connected':
    case 'ping':
      return payload.type
  }
}
void told

// @ts-expect-error text is missing
hot.send('chat:line', { from: 'me' })
// @ts-expect-error text is a string
hot.send('chat:line', { from: 'me', text: 1 })
// @ts-expect-error no such member
hot.on('chat:line', ({ colour }) => colour)
// @ts-expect-error no such member
hot.on('vite:afterUpdate', ({ paths }) => paths)
// @ts-expect-error `loc` may be undefined
hot.on('vite:error', ({ err }) => err.loc.line)
// @ts-expect-error a listener is needed
hot.on('chat:line')
