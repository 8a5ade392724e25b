//! The loop's handle on the watching thread.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::SystemTime;

use super::message::{Backend, Handler, Message, Report};
use super::notes::Notes;
use super::thread::WatchThread;
use crate::event::Inbox;
use rekindle_config::WatchConfig;

/// A handle on the watching thread; dropping it ends the thread. Every method returns at once.
pub struct Watcher {
    mailbox: Sender<Message>,
}

impl Watcher {
    /// Starts the thread for the project in `root`. Never fails: where the system gives no events, the files are looked at
    /// in turn and `report` says so in one line.
    pub fn start(
        root: PathBuf,
        config: &WatchConfig,
        inbox: Inbox,
        report: Arc<dyn Fn(String) + Send + Sync>,
    ) -> Watcher {
        Self::start_with(root, config, inbox, report, |handler| Ok(Box::new(notify::recommended_watcher(handler)?)))
    }

    /// The same with another source of events, for tests.
    pub(super) fn start_with(
        root: PathBuf,
        config: &WatchConfig,
        inbox: Inbox,
        report: Report,
        backend: impl FnOnce(Handler) -> notify::Result<Backend> + Send + 'static,
    ) -> Watcher {
        let (mailbox, messages) = channel();
        let config = config.clone();
        let own_mailbox = mailbox.clone();
        std::thread::Builder::new()
            .name("rekindle-watch".into())
            .spawn(move || WatchThread::new(root, &config, inbox, report, own_mailbox, backend).run(&messages))
            .expect("a process that starts can start one more thread");
        Watcher { mailbox }
    }

    /// Watches files whose content matters. A file that does not exist is announced when it appears. Names in a batch
    /// are the ones given here, whatever links they pass through. Naming a file again costs nothing.
    ///
    /// Read first, watch afterwards, within a second: a file that changed during the last second before this call
    /// is announced once, in case the reader saw the text before.
    pub fn watch_files(&self, files: impl IntoIterator<Item = PathBuf>) {
        self.watch_files_read_since(files, SystemTime::now());
    }

    /// The same for files that were read at some time after `since`, which may be longer ago.
    pub fn watch_files_read_since(&self, files: impl IntoIterator<Item = PathBuf>, since: SystemTime) {
        let files: Vec<PathBuf> = files.into_iter().collect();
        if !files.is_empty() {
            self.send(Message::WatchFiles(files, since));
        }
    }

    /// Watches folders whose listing matters: where an import was not found, what a glob or `public/` lists. What is
    /// created, removed or renamed inside makes a batch, with the folder in `folders`. Subfolders are not included: one
    /// that appears is announced in `folders` together with the files inside it; whoever cares for the whole tree lists it
    /// again then and watches what it finds. A folder that does not exist is announced when it appears.
    pub fn watch_folders(&self, folders: impl IntoIterator<Item = PathBuf>) {
        let folders: Vec<PathBuf> = folders.into_iter().collect();
        if !folders.is_empty() {
            self.send(Message::WatchFolders(folders));
        }
    }

    pub fn unwatch_files(&self, files: impl IntoIterator<Item = PathBuf>) {
        self.send(Message::UnwatchFiles(files.into_iter().collect()));
    }

    /// Keeps news back until [`Watcher::release`].
    pub fn hold(&self) {
        self.send(Message::Hold);
    }

    /// Ends [`Watcher::hold`]: all that happened before this call comes in one batch, with `released` set. There is one
    /// also when nothing happened.
    pub fn release(&self) {
        self.send(Message::Release);
    }

    /// Asks for [`Event::Quiet`] once no file has changed for a moment and no burst is under way.
    pub fn await_quiet(&self) {
        self.send(Message::AwaitQuiet);
    }

    /// A watcher without a thread: it only takes down what it is asked to watch. For tests that say themselves what changed.
    pub(crate) fn taking_notes() -> (Watcher, Notes) {
        let (mailbox, messages) = channel();
        (Watcher { mailbox }, Notes::of(messages))
    }

    pub(super) fn send(&self, message: Message) {
        // The thread ends before its handle only when the loop is gone; nobody is left to be told.
        let _ = self.mailbox.send(message);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.send(Message::Stop);
    }
}
