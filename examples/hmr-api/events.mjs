/**
 * The server's side of the page's custom events.
 *
 *     in:  {"event":"greet:hello","data":{"name":"Ada"},"client":7}
 *     out: {"event":"greet:answer","data":{…},"client":7}     to that tab
 *          {"event":"greet:seen","data":{…}}                    to every tab
 */
import { createInterface } from 'node:readline'

let greeted = 0

for await (const line of createInterface({ input: process.stdin })) {
  const { event, data, client } = JSON.parse(line)
  if (event !== 'greet:hello') continue
  greeted += 1
  send({ event: 'greet:answer', data: { text: `Hello ${data.name}, you are number ${greeted}` }, client })
  send({ event: 'greet:seen', data: { name: data.name, greeted } })
}

function send(message) {
  process.stdout.write(JSON.stringify(message) + '\n')
}
