/**
 * Tries again what waits for definitions that did not arrive, with growing pauses.
 *
 *     /load fails ─► 1 s ─► try ─► 2 s ─► try ─► … 30 s
 */
import { enqueue } from './queue'

/** First and longest pause before definitions that did not arrive are fetched again, in milliseconds. */
const FIRST_RETRY = 1000
const LONGEST_RETRY = 30_000
let retryPause = FIRST_RETRY
let retryTimer: ReturnType<typeof setTimeout> | undefined
let attempt: () => Promise<void> = async () => {}

/** Says what a try is; called once, by the file that knows. */
export function onRetry(next: () => Promise<void>): void {
  attempt = next
}

export function retryLater(): void {
  clearTimeout(retryTimer)
  retryTimer = setTimeout(retryNow, retryPause)
  retryPause = Math.min(retryPause * 2, LONGEST_RETRY)
}

export function retryNow(): void {
  clearTimeout(retryTimer)
  enqueue(() => attempt())
}

/** Definitions have arrived: the next failure is the first again. */
export function resetRetry(): void {
  retryPause = FIRST_RETRY
}
