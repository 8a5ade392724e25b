//! A file of a finished build on its way out: a tag of its content, compressed or in part, as the client likes it.
//!
//! ```text
//! GET /assets/a.js, Accept-Encoding: br   →  200, content-encoding: br, etag: W/"9f3c…", vary: Accept-Encoding
//! GET /assets/a.js, If-None-Match: …      →  304
//! GET /film.mp4, Range: bytes=0-99        →  206, etag: "77ab…"
//! ```

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::compression::{self, Encoding};
use crate::gate::Head;
use crate::reply::{CLOCK_DOUBT, Content, Headers, Reply, entity_tag, holds_tag};
use crate::servable::{Opened, Servable};

/// A tag of larger ones is made of length and time: reading them first would keep the client waiting.
const DIGEST_LIMIT: u64 = 256 << 20;
/// Compressed copies that are kept, all together.
const KEPT: usize = 64 << 20;

/// A file of a build, and what is known of such files.
#[derive(Clone, Debug)]
pub struct Hosted {
    pub file: Servable,
    pub shelf: Arc<Shelf>,
}

/// What was worked out once: digests of files and their compressed copies.
#[derive(Debug)]
pub struct Shelf {
    digests: Mutex<HashMap<PathBuf, (Facts, String)>>,
    packed: Mutex<HashMap<(String, Encoding), Bytes>>,
    /// As much of the hard work at a time as the machine has cores.
    workers: Semaphore,
}

/// A file with the same facts holds the same, if the time of its change is well past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    length: u64,
    modified: Option<SystemTime>,
}

impl Facts {
    fn are_settled(self) -> bool {
        self.modified.and_then(|modified| modified.elapsed().ok()).is_some_and(|age| age > CLOCK_DOUBT)
    }
}

impl Default for Shelf {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self { digests: Mutex::default(), packed: Mutex::default(), workers: Semaphore::new(cores) }
    }
}

impl Hosted {
    pub(crate) async fn reply(&self, status: u16, content_type: &str, head: &Head) -> Reply {
        match self.try_reply(status, content_type, head).await {
            Ok(reply) => reply,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Reply::text(404, "the file is gone"),
            Err(_) => Reply::text(500, "the file cannot be read"),
        }
    }

    async fn try_reply(&self, status: u16, content_type: &str, head: &Head) -> io::Result<Reply> {
        let Opened { file, length, modified } = self.file.open().await?;
        let can_shrink = compression::is_worth_it(content_type)
            && (compression::MIN_LENGTH..=compression::MAX_LENGTH).contains(&length);
        let mut headers: Headers =
            vec![("content-type".into(), content_type.to_owned()), ("cache-control".into(), "no-cache".to_owned())];
        if can_shrink {
            headers.push(("vary".into(), "Accept-Encoding".to_owned()));
        }
        // A part is a part of the file as it is.
        let encoding = match can_shrink && head.header("range").is_none() {
            true => compression::accepted(head.words("accept-encoding")),
            false => None,
        };
        let (file, digest) = self.shelf.digest(self.file.path(), file, Facts { length, modified }).await?;
        let content = Content::File { file, start: 0, length };
        let tag = match &digest {
            // Compressed it is the same in meaning and not byte by byte: that is what weak tags are for.
            Some(digest) if encoding.is_some() => Some(format!("W/\"{digest}\"")),
            Some(digest) => Some(format!("\"{digest}\"")),
            None => entity_tag(&content, modified),
        };
        if let Some(tag) = tag.clone().filter(|_| status == 200) {
            let is_known = head.header("if-none-match").is_some_and(|known| holds_tag(known, &tag));
            headers.push(("etag".into(), tag));
            if is_known {
                return Ok(Reply::new(304, headers, Content::Pieces(Vec::new())));
            }
        }
        let Content::File { file, .. } = &content else { return Ok(Reply::new(status, headers, content)) };
        if let (Some(encoding), Some(digest)) = (encoding, digest) {
            let packed = self.shelf.packed(file.try_clone()?, digest, encoding).await?;
            if (packed.len() as u64) < length {
                headers.push(("content-encoding".into(), encoding.name().to_owned()));
                return Ok(Reply::new(status, headers, Content::Pieces(vec![packed])));
            }
        }
        if status != 200 {
            return Ok(Reply::new(status, headers, content));
        }
        headers.push(("accept-ranges".into(), "bytes".to_owned()));
        Ok(Reply::new(200, headers, content).for_range(head, tag.as_deref()))
    }
}

impl Shelf {
    /// The digest of a file's content; the file comes back at its beginning.
    async fn digest(&self, path: &Path, file: File, facts: Facts) -> io::Result<(File, Option<String>)> {
        if facts.length > DIGEST_LIMIT {
            return Ok((file, None));
        }
        let known = self.digests.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some((_, digest)) = known.filter(|(then, _)| *then == facts) {
            return Ok((file, Some(digest)));
        }
        // Asked before the file is read: one that is written right after that has another time.
        let is_settled = facts.are_settled();
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
            digests.insert(path.to_owned(), (facts, digest.clone()));
        }
        Ok((file, Some(digest)))
    }

    async fn packed(&self, file: File, digest: String, encoding: Encoding) -> io::Result<Bytes> {
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

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
        let _turn = self.workers.acquire().await.map_err(io::Error::other)?;
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
    }
}
