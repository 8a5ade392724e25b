/** How the page, or the worker that makes workers, decides about their restarts and shows their errors. */
import { tryLater } from '../page/connection/returns'
import { tellServer } from '../page/connection/server'
import { PREFIX } from '../page/console'
import { refreshOverlay, showErrors } from '../page/errors'
import { hot, isHot, replica, workerScope } from '../page/parts'
import { enqueue } from '../page/queue'
import { ifPageStays, reloadForVerdict, sentenceOf, type ReloadReason } from '../page/reload'
import { workerPolicy } from '../page/settings'
import { state } from '../page/state'
import type { RestartAnswer, RestartRequest, WorkerOwner } from './workers'

export const workerOwner: WorkerOwner = {
  decide: (_, path, request, restart) => decideForWorker(path, request, restart),
  errors(worker, news) {
    if (news.length > 0) state.workerErrors.set(worker, news)
    else if (!state.workerErrors.delete(worker)) return
    refreshOverlay()
    if (news.length > 0) showErrors([])
  },
  restarted(worker, path, { chain, reason }) {
    console.info(`${PREFIX} worker ${path} restarted, because ${reason}: ${chain.join(' → ')}`)
    // Code that has to tell a new thread what it told the first one listens to this.
    void hot.dispatch('rekindle:worker-restart', { path, worker })
  },
  tryLater,
}

/** `restart` is called if the answer is `reload`, and the page is still there after that. */
function decideForWorker(path: string, request: RestartRequest, restart: () => void): RestartAnswer {
  const { chain, hot: isWorkerHot, crashed: isOver } = request
  const keepsPage = isOver || workerPolicy === 'restart' || (workerPolicy === 'auto' && (isWorkerHot || isHot()))
  if (keepsPage && !state.isReloading) return 'restart'
  ifPageStays(restart)
  if (state.isReloading) return 'reload'
  const reason: ReloadReason = { kind: 'worker', path, why: request.reason }
  if (!workerScope) tellServer({ seq: Math.max(replica.seq, request.seq), result: 'reload', boundaries: [], chain, reason: sentenceOf(reason) })
  enqueue(() => reloadForVerdict({ kind: 'reload', chain, reason }))
  return 'reload'
}
