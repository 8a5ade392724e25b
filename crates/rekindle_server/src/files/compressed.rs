//! Keeps the digests and compressed copies of files, so that each is made once.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::files::compression::Encoding;
use crate::files::servable::Servable;

/// Two saves within one tick of the disk's clock look the same, so what is known of a file counts for its content only when
/// the time of its change is well past.
pub(crate) const CLOCK_DOUBT: Duration = Duration::from_secs(2);
/// The tag of a larger file is made of length and time: reading all of it first would keep the client waiting.
const DIGEST_LIMIT: u64 = 256 << 20;
/// Compressed copies that are kept, all together.
const KEPT: usize = 64 << 20;

/// A file that is sent compressed where the client takes that, and what is known of such files.
#[derive(Clone, Debug)]
pub struct CompressedFile {
    pub file: Servable,
    pub copies: Arc<CompressedCopies>,
}

/// Digests of files and their compressed copies, each made once.
#[derive(Debug)]
pub struct CompressedCopies {
    digests: Mutex<HashMap<PathBuf, (FileTime, String)>>,
    packed: Mutex<HashMap<(String, Encoding), Bytes>>,
    /// Limits the compressing and hashing that goes on at a time to the number of cores.
    workers: Semaphore,
}

/// Length of a file, and when it was changed. If both are unchanged and the change is older than [`CLOCK_DOUBT`], so is the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileTime {
    pub length: u64,
    pub modified: Option<SystemTime>,
}

impl FileTime {
    fn is_settled(self) -> bool {
        self.modified.and_then(|modified| modified.elapsed().ok()).is_some_and(|age| age > CLOCK_DOUBT)
    }
}

impl Default for CompressedCopies {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self { digests: Mutex::default(), packed: Mutex::default(), workers: Semaphore::new(cores) }
    }
}

impl CompressedCopies {
    /// The digest of a file's content; the file comes back at its beginning.
    pub(crate) async fn digest(&self, path: &Path, file: File, time: FileTime) -> io::Result<(File, Option<String>)> {
        if time.length > DIGEST_LIMIT {
            return Ok((file, None));
        }
        let known = self.digests.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some((_, digest)) = known.filter(|(then, _)| *then == time) {
            return Ok((file, Some(digest)));
        }
        // This is asked before the file is read: a file that is written during the reading gets another time.
        let is_settled = time.is_settled();
        let (file, digest) = self
            .work(move || {
                let mut file = file;
                let mut hasher = blake3::Hasher::new();
                hasher.update_reader(&mut file)?;
                file.rewind()?;
                Ok((file, hasher.finalize().to_hex()[..32].to_owned()))
            })
            .await?;
        if is_settled {
            let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
            digests.insert(path.to_owned(), (time, digest.clone()));
        }
        Ok((file, Some(digest)))
    }

    /// A compressed copy of a file whose content has a digest.
    pub(crate) async fn packed(&self, file: File, digest: String, encoding: Encoding) -> io::Result<Bytes> {
        let key = (digest, encoding);
        if let Some(known) = self.packed.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let work = move || {
            let mut file = file;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            // The handle is shared with the one that sends the file as it is.
            file.rewind()?;
            encoding.compress(&bytes).map(Bytes::from)
        };
        let packed = self.work(work).await?;
        let mut kept = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.values().map(Bytes::len).sum::<usize>() + packed.len() > KEPT {
            kept.clear();
        }
        kept.insert(key, packed.clone());
        Ok(packed)
    }

    /// Does something that takes time, beside the requests.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
        let _turn = self.workers.acquire().await.map_err(io::Error::other)?;
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
    }
}
