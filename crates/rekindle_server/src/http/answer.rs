//! What the loop answers to a request; the HTTP side turns it into bytes with the headers that every answer carries.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::files::compressed::CompressedFile;
use crate::files::servable::Servable;

/// An answer to one checked request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Full `Content-Type` value.
    pub content_type: &'static str,
    pub body: Body,
    pub cache: Cache,
}

/// The bytes of an answer.
#[derive(Clone, Debug)]
pub enum Body {
    Bytes(Bytes),
    /// Pieces sent one after the other; nothing is copied together.
    Pieces(Vec<Bytes>),
    /// Pieces that come one after the other while the answer is being written; it ends when the sender is dropped.
    Stream(BodyStream),
    /// Pieces that are made when the reader takes them.
    Lazy(LazyBody),
    /// An admitted file, read when it is sent; ranges are honoured. Only a [`Servable`] can be read.
    File(Servable),
    /// The same, compressed if the client takes that, with a tag of its content.
    Compressed(CompressedFile),
    /// There is nothing at this address; the client is sent to another one.
    Elsewhere(String),
}

/// A body whose pieces are made one after the other, so that a reader that does not read holds only what they are made of.
#[derive(Clone)]
pub struct LazyBody(Arc<dyn Fn(usize) -> Option<Vec<Bytes>> + Send + Sync>);

impl std::fmt::Debug for LazyBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LazyBody")
    }
}

impl LazyBody {
    /// `make` gives the parts of the piece with a number, counted from 0, and `None` behind the last piece.
    pub fn new(make: impl Fn(usize) -> Option<Vec<Bytes>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// The pieces from number `next` on, about as many as a reader takes at once; afterwards `next` is the number of the first
    /// one that is left. `None` when there are no more.
    pub(crate) fn take(&self, next: &mut usize) -> Option<Vec<Bytes>> {
        const AT_ONCE: usize = 64 * 1024;
        let (mut parts, mut size) = (Vec::new(), 0);
        while size < AT_ONCE
            && let Some(more) = (self.0)(*next)
        {
            *next += 1;
            size += more.iter().map(Bytes::len).sum::<usize>();
            parts.extend(more);
        }
        (size > 0).then_some(parts)
    }
}

/// The receiving end of a streamed body. An answer has one reader, so a clone takes the stream with it.
#[derive(Clone, Debug)]
pub struct BodyStream(Arc<Mutex<Option<mpsc::UnboundedReceiver<Bytes>>>>);

impl BodyStream {
    pub fn new(receiver: mpsc::UnboundedReceiver<Bytes>) -> Self {
        Self(Arc::new(Mutex::new(Some(receiver))))
    }

    /// The receiver, to whoever asks first.
    pub(crate) fn take(&self) -> Option<mpsc::UnboundedReceiver<Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How long a browser may keep an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// The address names the content: a year, immutable.
    Forever,
    /// Ask again each time; an `ETag` made of the content lets the answer be 304.
    Revalidate,
    /// Never keep.
    No,
}

impl Answer {
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: Body::Bytes(Bytes::from(text.into())),
            cache: Cache::No,
        }
    }

    pub fn ok(content_type: &'static str, body: impl Into<Bytes>, cache: Cache) -> Self {
        Self { status: 200, content_type, body: Body::Bytes(body.into()), cache }
    }
}
