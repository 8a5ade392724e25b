//! An answer with its headers, and the way it is written: `ETag`s, ranges, and a writer that never holds more than the client
//! is willing to take.

use std::borrow::Cow;
use std::io;
use std::io::{IoSlice, SeekFrom};
use std::time::{Duration, SystemTime};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::files::compressed::CLOCK_DOUBT;
use crate::http::answer::LazyBody;
use crate::http::boxed_body::{BodyError, BoxedBody};
use crate::http::gate::{Head, Method};

/// A client that takes nothing for so long is not there any more.
const STALL_TIME: Duration = Duration::from_secs(60);
/// Two of these belong to each connection on which a file is sent: one that is read, one that waits to be taken.
const FILE_CHUNK: usize = 64 * 1024;
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
/// An answer with its headers, ready to be written.
#[derive(Debug)]
pub struct Reply {
    status: u16,
    headers: Headers,
    content: Content,
}

/// Headers of a reply.
pub(crate) type Headers = Vec<(Cow<'static, str>, String)>;
/// Headers of ours that an answer of another server gets.
pub type OwnHeaders = Vec<(&'static str, String)>;

#[derive(Debug)]
pub(crate) enum Content {
    Pieces(Vec<Bytes>),
    File {
        file: std::fs::File,
        start: u64,
        length: u64,
    },
    /// Of unknown length: sent in chunks.
    Stream(mpsc::UnboundedReceiver<Bytes>),
    /// The same.
    Lazy(LazyBody),
}

impl Content {
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Pieces(pieces) => Some(pieces.iter().map(|piece| piece.len() as u64).sum()),
            Self::File { length, .. } => Some(*length),
            Self::Stream(_) | Self::Lazy(_) => None,
        }
    }

    /// The body of an answer over HTTP/2, made as fast as the client takes it.
    fn into_body(self) -> BoxedBody {
        match self {
            Self::Pieces(pieces) => {
                let frames = pieces.into_iter().map(|piece| Ok(Frame::data(piece)));
                BodyExt::boxed_unsync(StreamBody::new(stream::iter(frames)))
            }
            Self::Stream(receiver) => {
                BodyExt::boxed_unsync(StreamBody::new(stream::unfold(receiver, |mut receiver| async {
                    let piece = receiver.recv().await?;
                    Some((Ok(Frame::data(piece)), receiver))
                })))
            }
            Self::Lazy(made) => {
                let mut next = 0;
                let parts = std::iter::from_fn(move || made.take(&mut next)).flatten();
                BodyExt::boxed_unsync(StreamBody::new(stream::iter(parts.map(|part| Ok(Frame::data(part))))))
            }
            Self::File { file, start, length } => {
                let file = tokio::fs::File::from_std(file);
                let state = FileBody { file, seek: Some(start), left: length };
                BodyExt::boxed_unsync(StreamBody::new(stream::try_unfold(state, FileBody::next)))
            }
        }
    }

    /// The part of it that a range asks for.
    fn cut(self, range: &std::ops::Range<u64>) -> Self {
        let length = range.end - range.start;
        match self {
            Self::File { file, start, .. } => Self::File { file, start: start + range.start, length },
            Self::Pieces(pieces) => Self::Pieces(cut_pieces(pieces, range)),
            Self::Stream(_) | Self::Lazy(_) => self,
        }
    }
}

fn cut_pieces(pieces: Vec<Bytes>, range: &std::ops::Range<u64>) -> Vec<Bytes> {
    let mut offset = 0;
    let cut = pieces.into_iter().map(|piece| {
        let length = piece.len() as u64;
        let within = |at: u64| at.saturating_sub(offset).min(length) as usize;
        let part = piece.slice(within(range.start)..within(range.end));
        offset += length;
        part
    });
    cut.filter(|part| !part.is_empty()).collect()
}

impl Reply {
    pub(crate) fn new(status: u16, headers: Headers, content: Content) -> Self {
        Self { status, headers, content }
    }

    /// A short plain text, as errors are.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        let mut text = text.into();
        text.push('\n');
        let headers = vec![
            ("content-type".into(), "text/plain; charset=utf-8".into()),
            ("cache-control".into(), "no-store".into()),
        ];
        Self { status, headers, content: Content::Pieces(vec![text.into()]) }
    }

    pub fn redirect(location: String) -> Self {
        Self::text(302, "see the Location header").with("location", location)
    }

    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets a header in place of any other of its name.
    pub fn with_instead(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.with(name.to_owned(), value)
    }

    /// Status and where to go, for tests.
    #[cfg(test)]
    pub fn show(&self) -> String {
        let location = self.headers.iter().find(|(name, _)| name == "location");
        location.map_or_else(|| self.status.to_string(), |(_, location)| format!("{} {location}", self.status))
    }

    pub fn is_script_or_page(&self) -> bool {
        let kind = self.headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, value)| value);
        ["javascript", "json", "html", "text/plain"].iter().any(|word| kind.contains(word))
    }

    /// The part that the client wants, if it wants one. A range that is conditional on a tag counts only for a strong one.
    pub(crate) fn for_range(mut self, head: &Head, tag: Option<&str>) -> Self {
        let Some(length) = self.content.len() else { return self };
        let strong = tag.filter(|tag| !tag.starts_with("W/"));
        let is_current = head.header("if-range").is_none_or(|condition| strong == Some(condition.trim()));
        let wanted = head.header("range").filter(|_| head.method == Method::Get && is_current);
        match wanted.map_or(Range::Whole, |wanted| range_of(wanted, length)) {
            Range::Whole => self,
            Range::Part(range) => {
                self.headers
                    .push(("content-range".into(), format!("bytes {}-{}/{length}", range.start, range.end - 1)));
                Self { status: 206, headers: self.headers, content: self.content.cut(&range) }
            }
            Range::Outside => {
                Self::text(416, "the range is outside the file").with("content-range", format!("bytes */{length}"))
            }
        }
    }

    /// Writes the reply to one request.
    pub async fn write(
        self,
        stream: &mut (impl AsyncWrite + Unpin),
        method: Method,
        keep_alive: bool,
    ) -> io::Result<()> {
        let head = self.head(keep_alive);
        if method == Method::Head || matches!(self.status, 204 | 304) {
            return write_all(stream, vec![head]).await;
        }
        match self.content {
            Content::Pieces(pieces) => write_all(stream, [vec![head], pieces].concat()).await,
            Content::File { file, start, length } => {
                write_all(stream, vec![head]).await?;
                write_file(stream, tokio::fs::File::from_std(file), start, length).await
            }
            Content::Stream(receiver) => {
                write_all(stream, vec![head]).await?;
                write_chunks(stream, receiver).await
            }
            Content::Lazy(made) => {
                write_all(stream, vec![head]).await?;
                let mut next = 0;
                while let Some(parts) = made.take(&mut next) {
                    write_chunk(stream, parts).await?;
                }
                write_all(stream, vec![Bytes::from_static(LAST_CHUNK)]).await
            }
        }
    }

    /// The same for HTTP/2.
    pub fn into_response(self, method: Method) -> http::Response<BoxedBody> {
        let length = self.content.len();
        let is_bare = matches!(self.status, 204 | 304);
        let mut builder = http::Response::builder().status(self.status);
        for (name, value) in &self.headers {
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            builder = builder.header(name.as_ref(), value);
        }
        if let Some(length) = length.filter(|_| !is_bare) {
            builder = builder.header("content-length", length);
        }
        let body = if method == Method::Head || is_bare {
            Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync()
        } else {
            self.content.into_body()
        };
        builder.body(body).unwrap_or_else(|_| {
            // A header of the settings that passed their check and not this one.
            let mut response =
                http::Response::new(Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync());
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
    }

    fn head(&self, keep_alive: bool) -> Bytes {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            // Values come from our own tables, but a line break in one of them would be a second answer.
            head.extend([name.as_ref(), ": "]);
            head.extend(value.chars().filter(|c| !c.is_control()));
            head.push_str("\r\n");
        }
        if !matches!(self.status, 204 | 304) {
            match self.content.len() {
                Some(length) => head.push_str(&format!("content-length: {length}\r\n")),
                None => head.push_str("transfer-encoding: chunked\r\n"),
            }
        }
        head.push_str(if keep_alive { "\r\n" } else { "connection: close\r\n\r\n" });
        head.into()
    }
}

pub(crate) fn entity_tag(content: &Content, modified: Option<SystemTime>) -> Option<String> {
    match content {
        Content::Pieces(pieces) => {
            let mut hasher = blake3::Hasher::new();
            pieces.iter().for_each(|piece| {
                hasher.update(piece);
            });
            Some(format!("W/\"{}\"", &hasher.finalize().to_hex()[..32]))
        }
        Content::Stream(_) | Content::Lazy(_) => None,
        Content::File { length, .. } => {
            let modified = modified?;
            let is_settled = modified.elapsed().is_ok_and(|age| age > CLOCK_DOUBT);
            let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            is_settled.then(|| format!("W/\"{:x}-{length:x}\"", since.as_nanos()))
        }
    }
}

pub(crate) fn holds_tag(list: &str, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    list.trim() == "*" || list.split(',').any(|item| opaque(item) == opaque(tag))
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    Part(std::ops::Range<u64>),
    Outside,
}

/// One range of bytes; anything else (several ranges, other units, nonsense) is answered with the whole.
fn range_of(header: &str, length: u64) -> Range {
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-')) else {
        return Range::Whole;
    };
    let (start, end) = match (number(first), number(last)) {
        (None, Some(suffix)) if first.is_empty() => (length.saturating_sub(suffix), length),
        (Some(start), None) if last.is_empty() => (start, length),
        (Some(start), Some(last)) if start <= last => (start, last.saturating_add(1).min(length)),
        _ => return Range::Whole,
    };
    if start < end { Range::Part(start..end) } else { Range::Outside }
}

async fn write_file(
    stream: &mut (impl AsyncWrite + Unpin),
    mut file: tokio::fs::File,
    start: u64,
    length: u64,
) -> io::Result<()> {
    if start > 0 {
        file.seek(SeekFrom::Start(start)).await?;
    }
    file.set_max_buf_size(FILE_CHUNK);
    let mut file = file.take(length);
    let mut sent = 0;
    while sent < length {
        let mut chunk = BytesMut::with_capacity(FILE_CHUNK);
        let count = file.read_buf(&mut chunk).await?;
        if count == 0 {
            // The file shrank while it was sent. The promised length cannot be kept, so the connection must end.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        sent += count as u64;
        write_all(stream, vec![chunk.freeze()]).await?;
    }
    Ok(())
}

/// A file that is sent over HTTP/2.
struct FileBody {
    file: tokio::fs::File,
    seek: Option<u64>,
    left: u64,
}

impl FileBody {
    async fn next(mut self) -> Result<Option<(Frame<Bytes>, Self)>, BodyError> {
        if let Some(start) = self.seek.take() {
            self.file.seek(SeekFrom::Start(start)).await?;
            self.file.set_max_buf_size(FILE_CHUNK);
        }
        if self.left == 0 {
            return Ok(None);
        }
        let mut chunk = BytesMut::with_capacity(FILE_CHUNK.min(self.left as usize));
        let count = (&mut self.file).take(self.left).read_buf(&mut chunk).await?;
        if count == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        self.left -= count as u64;
        Ok(Some((Frame::data(chunk.freeze()), self)))
    }
}

/// Each piece as one chunk (RFC 9112 section 7.1), as it arrives.
async fn write_chunks(
    stream: &mut (impl AsyncWrite + Unpin),
    mut receiver: mpsc::UnboundedReceiver<Bytes>,
) -> io::Result<()> {
    while let Some(piece) = receiver.recv().await {
        if piece.is_empty() {
            continue; // An empty chunk would be the last one.
        }
        write_chunk(stream, vec![piece]).await?;
    }
    write_all(stream, vec![Bytes::from_static(LAST_CHUNK)]).await
}

async fn write_chunk(stream: &mut (impl AsyncWrite + Unpin), parts: Vec<Bytes>) -> io::Result<()> {
    let size = parts.iter().map(Bytes::len).sum::<usize>();
    let (before, after) = (Bytes::from(format!("{size:x}\r\n")), Bytes::from_static(b"\r\n"));
    write_all(stream, [vec![before], parts, vec![after]].concat()).await
}

/// Writes some pieces without copying them together. Waits as long as the client keeps taking.
pub async fn write_all(stream: &mut (impl AsyncWrite + Unpin), pieces: Vec<Bytes>) -> io::Result<()> {
    let mut pieces = std::collections::VecDeque::from(pieces);
    loop {
        while pieces.front().is_some_and(Bytes::is_empty) {
            pieces.pop_front();
        }
        if pieces.is_empty() {
            return stream.flush().await;
        }
        let slices: Vec<IoSlice> = pieces.iter().take(64).map(|piece| IoSlice::new(piece)).collect();
        let mut written = timeout(STALL_TIME, stream.write_vectored(&slices)).await??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        for piece in &mut pieces {
            let part = written.min(piece.len());
            piece.advance(part);
            written -= part;
        }
    }
}

pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        302 => "Found",
        307 => "Temporary Redirect",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_understood() {
        assert_eq!(range_of("bytes=0-5", 10), Range::Part(0..6));
        assert_eq!(range_of("bytes=5-", 10), Range::Part(5..10));
        assert_eq!(range_of("bytes=-3", 10), Range::Part(7..10));
        assert_eq!(range_of("bytes=-30", 10), Range::Part(0..10));
        assert_eq!(range_of("bytes=9-99", 10), Range::Part(9..10));
        assert_eq!(range_of("bytes=0-18446744073709551615", 10), Range::Part(0..10));
        for outside in ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=99-100"] {
            assert_eq!(range_of(outside, 10), Range::Outside, "{outside}");
        }
        for whole in [
            "",
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "lines=0-1",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(range_of(whole, 10), Range::Whole, "{whole}");
        }
        assert_eq!(range_of("bytes=0-", 0), Range::Outside);
    }

    #[test]
    fn a_range_may_span_pieces() {
        let pieces = || ["abc", "", "def", "ghi"].map(Bytes::from_static_str).to_vec();
        let cut = |range| cut_pieces(pieces(), &range).concat();
        assert_eq!(cut(0..9), b"abcdefghi");
        assert_eq!(cut(1..2), b"b");
        assert_eq!(cut(2..7), b"cdefg");
        assert_eq!(cut(8..9), b"i");
    }

    #[test]
    fn tags_are_compared_weakly() {
        assert!(holds_tag("W/\"a\"", "W/\"a\""));
        assert!(holds_tag("\"b\", \"a\"", "W/\"a\""));
        assert!(holds_tag("*", "W/\"a\""));
        assert!(!holds_tag("\"b\"", "W/\"a\""));
    }

    #[test]
    fn a_header_cannot_hold_a_second_line() {
        let head = Reply::redirect("/a\r\nset-cookie: x".into()).head(true);
        assert!(!head.windows(12).any(|window| window == b"\r\nset-cookie"));
    }

    trait FromStaticStr {
        fn from_static_str(text: &'static str) -> Self;
    }
    impl FromStaticStr for Bytes {
        fn from_static_str(text: &'static str) -> Self {
            Self::from_static(text.as_bytes())
        }
    }
}
