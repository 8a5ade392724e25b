//! Edits of many files that a command announces (`rekindle edit`): what they change is told in one piece at their end.

use std::time::Instant;

use tokio::sync::oneshot;

use super::Loop;
use crate::event::FileBatch;
use crate::programs::leases::{EditAnswer, EditRequest};
use crate::report::News;

impl Loop {
    /// A batch of the watcher. One that ends an announced edit is published whatever gaps it leaves.
    pub(super) fn on_batch(&mut self, batch: FileBatch) {
        let is_released = batch.released;
        self.edits.files = 0;
        let edit = self.project.take(batch, self.seq + 1, &self.watcher);
        self.tell(edit, is_released);
        if !is_released {
            return;
        }
        self.publish_waiting();
        for waiting in std::mem::take(&mut self.edits.awaiting) {
            let _ = waiting.send(()); // It may wait no longer.
        }
        for committer in std::mem::take(&mut self.edits.committers) {
            let _ = committer.send(EditAnswer::Done { files: self.edits.files }); // It may have hung up.
        }
    }

    pub(super) fn on_edit(&mut self, request: EditRequest, asker: oneshot::Sender<EditAnswer>) {
        let (leases, now) = (&mut self.edits.leases, Instant::now());
        let answer = match request {
            EditRequest::Begin { id, lease } => {
                if leases.begin(id, lease, now) {
                    self.watcher.hold();
                    EditAnswer::Open
                } else {
                    EditAnswer::Full
                }
            }
            EditRequest::Commit { id } => match leases.commit(&id) {
                Some(0) => {
                    self.watcher.release();
                    return self.edits.committers.push(asker);
                }
                Some(others) => EditAnswer::Shared { others },
                None => EditAnswer::Unknown,
            },
        };
        let _ = asker.send(answer); // It may have hung up.
    }

    pub(super) fn on_await_edits(&mut self, asker: oneshot::Sender<()>) {
        if self.edits.leases.is_empty() {
            let _ = asker.send(()); // It may wait no longer.
        } else {
            self.edits.awaiting.push(asker);
        }
    }

    /// Ends leases that have run out: nobody waits for a command that was killed.
    pub(super) fn expire_leases(&mut self) {
        for length in self.edits.leases.expire(Instant::now()) {
            self.report.tell(News::EditAbandoned { lease: length });
            if self.edits.leases.is_empty() {
                self.watcher.release();
            }
        }
    }
}
