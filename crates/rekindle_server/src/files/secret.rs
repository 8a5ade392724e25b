//! The project's secret: it keys the addresses of segments, so that nobody can guess them and a browser finds them
//! unchanged after a restart.

use std::path::Path;

use rekindle_compile::files::file;

const FILE: &str = "secret";

/// Reads the secret of the cache folder, or makes one. Where nothing can be written it lives as long as the server.
pub fn load_or_make(cache_dir: &Path) -> [u8; 32] {
    if let Ok(known) = file::read(&cache_dir.join(FILE))
        && let Ok(secret) = <[u8; 32]>::try_from(known)
    {
        return secret;
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).expect("the system gives random bytes");
    let _ = std::fs::create_dir_all(cache_dir).and_then(|()| {
        // A cache folder beside the sources is nothing to commit.
        std::fs::write(cache_dir.join(".gitignore"), "*\n")?;
        write_private(&cache_dir.join(FILE), &secret)
    });
    secret
}

/// Writes a file that only its owner can read.
#[cfg(unix)]
pub(crate) fn write_private(path: &Path, secret: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let _ = std::fs::remove_file(path);
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(secret)
}

#[cfg(not(unix))]
pub(crate) fn write_private(path: &Path, secret: &[u8]) -> std::io::Result<()> {
    std::fs::write(path, secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_survives_a_restart() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = load_or_make(&dir.path().join("cache"));
        assert_eq!(load_or_make(&dir.path().join("cache")), first);
        assert_ne!(load_or_make(&dir.path().join("other")), first);
    }

    #[test]
    fn a_damaged_secret_is_made_anew() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join(FILE), "short").expect("written");
        let made = load_or_make(dir.path());
        assert_eq!(load_or_make(dir.path()), made);
    }
}
