//! From the loop's [`Answer`] to a [`Reply`]: opened, checked against what the client has, compressed or cut as it asks.
//!
//! ```text
//! GET /a.js, If-None-Match: "9f…"         →  304
//! GET /a.js, Accept-Encoding: br          →  200, content-encoding: br, etag: W/"9f3c…", vary: Accept-Encoding
//! GET /film.mp4, Range: bytes=0-99        →  206, etag: "77ab…"
//! ```

use std::io;

use crate::files::compressed::{CompressedFile, FileTime};
use crate::files::compression;
use crate::files::servable::OpenFile;
use crate::http::answer::{Answer, Body, Cache};
use crate::http::gate::Head;
use crate::http::reply::{Content, Headers, Reply, entity_tag, holds_tag};

/// The loop's answer to a request: opened, validated against what the client has, and cut to the range it wants.
pub async fn reply_to(head: &Head, answer: Answer) -> Reply {
    let (content, modified) = match answer.body {
        Body::Bytes(bytes) => (Content::Pieces(vec![bytes]), None),
        Body::Pieces(pieces) => (Content::Pieces(pieces), None),
        Body::Stream(arrivals) => match arrivals.take() {
            Some(receiver) => (Content::Stream(receiver), None),
            None => return Reply::text(500, "the page is already being sent"),
        },
        Body::Lazy(made) => (Content::Lazy(made), None),
        Body::Compressed(sent) => return compressed(&sent, answer.status, answer.content_type, head).await,
        Body::Elsewhere(to) => return Reply::redirect(to),
        Body::File(servable) => match servable.open().await {
            Ok(OpenFile { file, length, modified }) => (Content::File { file, start: 0, length }, modified),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Reply::text(404, "the file is gone");
            }
            Err(_) => return Reply::text(500, "the file cannot be read"),
        },
    };
    let mut headers: Headers = vec![
        ("content-type".into(), answer.content_type.to_owned()),
        ("cache-control".into(), cache_control(answer.cache).to_owned()),
    ];
    if answer.status != 200 {
        return Reply::new(answer.status, headers, content);
    }
    if answer.cache == Cache::Revalidate
        && let Some(tag) = entity_tag(&content, modified)
    {
        let known = head.header("if-none-match").is_some_and(|known| holds_tag(known, &tag));
        headers.push(("etag".into(), tag));
        if known {
            return Reply::new(304, headers, Content::Pieces(Vec::new()));
        }
    }
    if content.len().is_some() {
        headers.push(("accept-ranges".into(), "bytes".to_owned()));
    }
    Reply::new(200, headers, content).for_range(head, None)
}

fn cache_control(cache: Cache) -> &'static str {
    match cache {
        Cache::Forever => "max-age=31536000, immutable",
        Cache::Revalidate => "no-cache",
        Cache::No => "no-store",
    }
}

/// The reply with a file that may be compressed.
async fn compressed(sent: &CompressedFile, status: u16, content_type: &str, head: &Head) -> Reply {
    match try_compressed(sent, status, content_type, head).await {
        Ok(reply) => reply,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Reply::text(404, "the file is gone"),
        Err(_) => Reply::text(500, "the file cannot be read"),
    }
}

async fn try_compressed(sent: &CompressedFile, status: u16, content_type: &str, head: &Head) -> io::Result<Reply> {
    let OpenFile { file, length, modified } = sent.file.open().await?;
    let can_shrink =
        compression::is_worth_it(content_type) && (compression::MIN_LENGTH..=compression::MAX_LENGTH).contains(&length);
    let mut headers: Headers =
        vec![("content-type".into(), content_type.to_owned()), ("cache-control".into(), "no-cache".to_owned())];
    if can_shrink {
        headers.push(("vary".into(), "Accept-Encoding".to_owned()));
    }
    // A part is a part of the file as it is.
    let encoding = if can_shrink && head.header("range").is_none() {
        compression::accepted(head.words("accept-encoding"))
    } else {
        None
    };
    let (file, digest) = sent.copies.digest(sent.file.path(), file, FileTime { length, modified }).await?;
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
        let packed = sent.copies.packed(file.try_clone()?, digest, encoding).await?;
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
