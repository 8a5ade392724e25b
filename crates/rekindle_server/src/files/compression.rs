//! Compression of answers: what the client takes, what is worth it, and the work itself.
//!
//! ```text
//! Accept-Encoding: gzip, deflate, br       →  brotli
//! Accept-Encoding: gzip;q=1, br;q=0.5      →  gzip
//! text/css → worth it;  image/png → not, it is compressed already
//! ```

use std::io;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Smaller ones fit into one packet as they are.
pub const MIN_LENGTH: u64 = 1024;
/// Larger ones are sent as they are.
pub const MAX_LENGTH: u64 = 32 << 20;
/// The quality, of 11, that hosts use which compress while they answer.
const BROTLI_QUALITY: i32 = 5;
const BROTLI_WINDOW: i32 = 22;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// As headers spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    pub fn compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut packed = Vec::with_capacity(bytes.len() / 3);
        match self {
            Self::Brotli => {
                let params = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW,
                    size_hint: bytes.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut &*bytes, &mut packed, &params)?;
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(&mut packed, Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()?;
            }
        }
        Ok(packed)
    }
}

/// The best encoding among the items of an `Accept-Encoding` header; brotli wins a draw.
pub fn accepted<'h>(items: impl Iterator<Item = &'h str>) -> Option<Encoding> {
    let (mut brotli, mut gzip, mut rest) = (None, None, 0.0);
    for item in items {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        // A weight that cannot be read counts as a refusal.
        let weight = weight.map_or(1.0, |weight| weight.trim().parse::<f32>().unwrap_or(0.0));
        match name.as_str() {
            "br" => brotli = Some(weight),
            "gzip" | "x-gzip" => gzip = Some(weight),
            "*" => rest = weight,
            _ => {}
        }
    }
    let (brotli, gzip) = (brotli.unwrap_or(rest), gzip.unwrap_or(rest));
    match (brotli > 0.0 && brotli >= gzip, gzip > 0.0) {
        (true, _) => Some(Encoding::Brotli),
        (false, true) => Some(Encoding::Gzip),
        (false, false) => None,
    }
}

/// Whether files of a type become smaller.
pub fn is_worth_it(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    const KINDS: [&str; 12] = [
        "application/javascript",
        "application/json",
        "application/xml",
        "application/wasm",
        "application/rtf",
        "application/vnd.ms-fontobject",
        "font/otf",
        "font/ttf",
        "image/bmp",
        "image/svg+xml",
        "image/x-icon",
        "image/vnd.microsoft.icon",
    ];
    kind.starts_with("text/") || kind.ends_with("+json") || kind.ends_with("+xml") || KINDS.contains(&kind)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_client_chooses_and_brotli_wins_a_draw() {
        let of = |header: &str| accepted(header.split(',')).map(Encoding::name);
        assert_eq!(of("gzip, deflate, br, zstd"), Some("br"));
        assert_eq!(of("gzip"), Some("gzip"));
        assert_eq!(of("br;q=0.2, gzip;q=0.9"), Some("gzip"));
        assert_eq!(of("BR ; q=1.0"), Some("br"));
        assert_eq!(of("*"), Some("br"));
        assert_eq!(of("*;q=0.5, br;q=0"), Some("gzip"));
        for none in ["", "identity", "deflate", "br;q=0, gzip;q=0", "br;q=x", "brotli"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_compressed_already_is_left_alone() {
        for kind in ["text/html; charset=utf-8", "application/manifest+json", "image/svg+xml", "application/wasm"] {
            assert!(is_worth_it(kind), "{kind}");
        }
        for kind in ["image/png", "font/woff2", "video/mp4", "application/zip", "application/octet-stream"] {
            assert!(!is_worth_it(kind), "{kind}");
        }
    }

    #[test]
    fn what_was_compressed_reads_the_same() {
        let text = "const answer = 42\n".repeat(500);
        let gzip = Encoding::Gzip.compress(text.as_bytes()).unwrap();
        let mut read = String::new();
        flate2::read::GzDecoder::new(&*gzip).read_to_string(&mut read).unwrap();
        assert!(read == text && gzip.len() < 300);
        let packed = Encoding::Brotli.compress(text.as_bytes()).unwrap();
        let mut read = Vec::new();
        brotli::BrotliDecompress(&mut &*packed, &mut read).unwrap();
        assert!(read == text.as_bytes() && packed.len() < 300);
    }
}
