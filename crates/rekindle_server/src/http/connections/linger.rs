//! The end of a connection, made so that its last answer arrives.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// How long a connection stays open for reading after its last answer, see [`linger`].
const LINGER: Duration = Duration::from_secs(1);

/// Ends a connection so that its last answer arrives: closing while the client still sends would make the system
/// throw away what the client has not read.
pub(crate) async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut scrap = [0; 4096];
    let _ = timeout(LINGER, async {
        stream.shutdown().await.ok()?;
        while stream.read(&mut scrap).await.ok()? > 0 {}
        Some(())
    })
    .await;
}
