/**
 * Messages are handled one after the other. Whatever waits for something on behalf of one gives up soon, so that the next can follow.
 *
 *     batch 7   fetches definitions …            the server does not answer
 *     batch 8   arrives: batch 7 waits no longer
 */
import { report } from './console'

/** Milliseconds that an update waits for definitions, and that a load waits for the connection. */
export const LOAD_PATIENCE = 10_000

let queue: Promise<void> = Promise.resolve()
/** Messages with news of modules that wait for their turn. */
let newsInQueue = 0
/** Ends the wait of the message that is being handled. */
let hurry: (() => void) | null = null

/** Runs a step when all steps before it are done. */
export function enqueue(step: () => Promise<void> | void): void {
  queue = queue.then(step).catch((error: unknown) => report(error, 'a message of the server'))
}

/** A message with news of modules was put into the queue. */
export function newsArrived(): void {
  newsInQueue += 1
  hurry?.()
}

/** The turn of such a message has come. */
export function newsTaken(): void {
  newsInQueue -= 1
}

/** Waits for something that an update needs. `over`: it takes too long, or the next news are there. Throws what the work throws. */
export async function inTime(work: Promise<void>): Promise<'here' | 'over'> {
  const over = new Promise<'over'>((done) => {
    hurry = () => done('over')
    setTimeout(hurry, LOAD_PATIENCE)
    if (newsInQueue > 0) hurry()
  })
  try {
    return await Promise.race([work.then(() => 'here' as const), over])
  } finally {
    hurry = null
  }
}
