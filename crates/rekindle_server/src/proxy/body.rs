//! Bodies of requests, read for the routes that take one: those of `server.proxy`. As strict as the gate, since a body that
//! two parsers end at different places hides a second request.
//!
//! ```text
//! Content-Length: 5⏎⏎ hello                  →  "hello"
//! Transfer-Encoding: chunked⏎⏎ 5⏎hello⏎0⏎⏎   →  "hello"
//! 5;x=y⏎…   05 ⏎…   5\nhello   0⏎X: y⏎⏎      →  refused, and the connection ends
//! ```

use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::time::{Instant, timeout_at};

use crate::http::gate::{Framing, Gate, IDLE_TIME};

/// Digits of a chunk's size.
const SIZE_DIGITS: usize = 8;

/// Where in a body the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// So many bytes of the body, and then its end.
    Plain(u64),
    Size,
    /// So many bytes of a chunk.
    Chunk(u64),
    /// The line's end behind a chunk.
    AfterChunk,
    /// The empty line behind the last chunk.
    AfterLast,
    End,
}

/// Why a body could not be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    Malformed(&'static str),
    /// The client is gone, or silent for too long.
    Gone,
}

/// Reads one body off a connection, and not a byte behind it.
#[derive(Debug)]
pub struct BodyReader {
    at: Position,
}

impl BodyReader {
    pub fn new(framing: Framing) -> Self {
        let at = match framing {
            Framing::Empty | Framing::Length(0) => Position::End,
            Framing::Length(length) => Position::Plain(length),
            Framing::Chunked => Position::Size,
        };
        Self { at }
    }

    /// The next part of the body; `None` behind its end.
    pub async fn next(
        &mut self,
        gate: &mut Gate,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Option<Result<Bytes, BodyFault>> {
        loop {
            match self.take(gate) {
                Ok(Some(part)) => return Some(Ok(part)),
                Ok(None) if self.at == Position::End => return None,
                Ok(None) => {}
                Err(reason) => return Some(Err(BodyFault::Malformed(reason))),
            }
            match timeout_at(Instant::now() + IDLE_TIME, gate.read(stream)).await {
                Ok(Ok(1..)) => {}
                _ => return Some(Err(BodyFault::Gone)),
            }
        }
    }

    /// What of the bytes at hand belongs to the body; `None` when more are needed, or it has ended.
    fn take(&mut self, gate: &mut Gate) -> Result<Option<Bytes>, &'static str> {
        loop {
            match self.at {
                Position::End => return Ok(None),
                Position::Plain(left) | Position::Chunk(left) => {
                    let count = (gate.waiting().len() as u64).min(left);
                    if count == 0 {
                        return Ok(None);
                    }
                    self.at = match (self.at, left - count) {
                        (Position::Plain(_), 0) => Position::End,
                        (Position::Plain(_), left) => Position::Plain(left),
                        (_, 0) => Position::AfterChunk,
                        (_, left) => Position::Chunk(left),
                    };
                    return Ok(Some(gate.take(count as usize)));
                }
                Position::Size => match chunk_size(gate.waiting())? {
                    None => return Ok(None),
                    Some((length, size)) => {
                        gate.take(length);
                        self.at = if size == 0 { Position::AfterLast } else { Position::Chunk(size) };
                    }
                },
                Position::AfterChunk | Position::AfterLast => match gate.waiting() {
                    [] | [b'\r'] => return Ok(None),
                    [b'\r', b'\n', ..] => {
                        gate.take(2);
                        self.at = if self.at == Position::AfterLast { Position::End } else { Position::Size };
                    }
                    _ if self.at == Position::AfterLast => return Err("trailers are not supported"),
                    _ => return Err("a chunk is longer than it says"),
                },
            }
        }
    }
}

/// `1f⏎` → 4 bytes that say 31; `None` while the line is not complete.
fn chunk_size(line: &[u8]) -> Result<Option<(usize, u64)>, &'static str> {
    const WRONG: &str = "the size of a chunk is malformed";
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    match (digits, &line[digits..]) {
        (0, [_, ..]) | (SIZE_DIGITS.., [b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]) => Err(WRONG),
        (9.., _) => Err(WRONG),
        (_, [] | [b'\r']) => Ok(None),
        (_, [b'\r', b'\n', ..]) => {
            let text = std::str::from_utf8(&line[..digits]).map_err(|_| WRONG)?;
            Ok(Some((digits + 2, u64::from_str_radix(text, 16).map_err(|_| WRONG)?)))
        }
        _ => Err(WRONG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read as the body, and what stays for the next request.
    async fn read(framing: Framing, bytes: &[u8], at_once: usize) -> String {
        let (mut client, mut server) = tokio::io::duplex(at_once);
        let bytes = bytes.to_vec();
        let sender = tokio::spawn(async move {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut client, &bytes).await;
        });
        let (mut gate, mut body, mut read) = (Gate::default(), BodyReader::new(framing), Vec::new());
        let end = loop {
            match body.next(&mut gate, &mut server).await {
                None => break String::new(),
                Some(Ok(part)) => read.extend_from_slice(&part),
                Some(Err(broken)) => break format!(" {broken:?}"),
            }
        };
        drop(server);
        sender.await.unwrap();
        format!("{}|{}{end}", read.escape_ascii(), gate.waiting().escape_ascii())
    }

    #[tokio::test]
    async fn a_body_ends_where_it_says() {
        for at_once in [1, 3, 4096] {
            let rest = if at_once == 4096 { "GET" } else { "" };
            assert!(read(Framing::Length(5), b"helloGET", at_once).await.starts_with("hello|"), "{at_once}");
            let chunked = b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nGET";
            assert!(read(Framing::Chunked, chunked, at_once).await.starts_with("hello!|"), "{at_once}");
            assert!(read(Framing::Chunked, chunked, at_once).await.ends_with(rest), "{at_once}");
        }
        assert_eq!(read(Framing::Chunked, b"0\r\n\r\n", 64).await, "|");
        assert_eq!(read(Framing::Empty, b"GET", 64).await, "|");
    }

    #[tokio::test]
    async fn a_body_with_two_readings_is_refused() {
        for bytes in [
            &b"5\nhello\r\n0\r\n\r\n"[..],
            b"5;a=b\r\nhello\r\n0\r\n\r\n",
            b" 5\r\nhello\r\n0\r\n\r\n",
            b"5 \r\nhello\r\n0\r\n\r\n",
            b"+5\r\nhello\r\n0\r\n\r\n",
            b"0x5\r\nhello\r\n0\r\n\r\n",
            b"-1\r\n",
            b"\r\n",
            b"g\r\n",
            b"ffffffffffffffff\r\n",
            b"000000005\r\nhello",
            b"5\rXhello",
            b"0\r\nX: y\r\n\r\n",
            b"0\r\n\n",
        ] {
            assert!(read(Framing::Chunked, bytes, 4096).await.contains("Malformed"), "{}", bytes.escape_ascii());
        }
        assert!(read(Framing::Chunked, b"5\r\nhelloX\r\n", 4096).await.contains("longer than it says"));
        assert_eq!(read(Framing::Length(5), b"hel", 4096).await, "hel| Gone");
    }
}
