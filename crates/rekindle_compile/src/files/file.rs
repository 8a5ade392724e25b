//! Reads files of the project: real ones, and nothing that could keep the reader waiting.
//!
//! Opening a named pipe waits for its other end, reading a device may never end, and either of them may stand where a
//! file is expected. All files that a project names, or that a rule expects at a certain name, are read here.
//!
//! Most programs empty a file before they write it. Whoever reads it at that moment gets nothing or a part, and a part of
//! a module is often a module: one that accepts no updates, so that the page would reload. A file is therefore read until
//! it holds still.
//!
//! ```text
//! mkfifo .env.local    ──►  Err("it is a named pipe, not a file"), at once
//! echo … > a.ts        ──►  the old text or the new one
//! ```

use std::fs::{File, FileType, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::Duration;
use std::{fs, io, thread};

/// How often, and how far apart, a file that is being written is read again.
const READS: u32 = 80;
const BETWEEN_READS: Duration = Duration::from_millis(4);
/// How long an empty file counts as one that is about to be written.
const FRESH: Duration = Duration::from_millis(250);
/// And how often it is looked at in any case, unless it is older than that: a machine that stood still for a moment lets the
/// writer go on meanwhile.
const LOOKS_AT_EMPTY: u32 = 15;
const OLD: Duration = Duration::from_secs(10);
/// Two writes within one tick of the file system's clock carry the same time.
const CLOCK_TICK: Duration = Duration::from_millis(20);

/// Opens a file for reading.
///
/// # Errors
/// Those of [`File::open`]; and what is there is no file.
pub fn open(path: &Path) -> io::Result<File> {
    // Looked at before it is opened, because opening some devices does something, and afterwards, because it may have
    // become something else meanwhile.
    demand_file(fs::metadata(path)?.file_type())?;
    let file = open_without_waiting(path)?;
    demand_file(file.metadata()?.file_type())?;
    Ok(file)
}

/// The content of a file, never empty or a part of it because it is being written: it is read again until it holds still.
/// A file that never does, such as a log, is taken as it is after a third of a second.
///
/// # Errors
/// Those of [`fs::read`]; and what is there is no file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut last = None;
    for look in 0..READS {
        let Reading { bytes, is_whole, age } = read_once(path)?;
        let may_be_written = bytes.is_empty() && (age < FRESH || (age < OLD && look < LOOKS_AT_EMPTY));
        if !is_whole || may_be_written {
            thread::sleep(BETWEEN_READS);
        } else if age > CLOCK_TICK || last.as_ref() == Some(&bytes) {
            return Ok(bytes);
        }
        last = Some(bytes);
    }
    Ok(read_once(path)?.bytes)
}

struct Reading {
    bytes: Vec<u8>,
    /// Its length and time stayed the same while it was read. Of a file that was written just now that proves nothing.
    is_whole: bool,
    /// Time since the last change.
    age: Duration,
}

fn read_once(path: &Path) -> io::Result<Reading> {
    let mut file = open(path)?;
    let before = file.metadata()?;
    let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0).saturating_add(1));
    file.read_to_end(&mut bytes)?;
    let after = fs::metadata(path)?;
    let modified = after.modified().ok();
    let is_whole =
        bytes.len() as u64 == after.len() && before.len() == after.len() && before.modified().ok() == modified;
    // A time in the future counts as now.
    let age = modified.map_or(OLD, |at| at.elapsed().unwrap_or_default());
    Ok(Reading { bytes, is_whole, age })
}

/// The content of a file in UTF-8.
///
/// # Errors
/// Those of [`fs::read_to_string`]; and what is there is no file.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

/// What stands where a file is expected, if that is neither a file nor a folder nor nothing: `a named pipe`.
pub fn oddity(path: &Path) -> Option<&'static str> {
    fs::metadata(path).ok().and_then(|facts| name_of(facts.file_type()))
}

/// Whether a file has no address, since its name has a `?` in it, where the query of an address begins.
pub(crate) fn holds_query(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains('?'))
}

fn demand_file(kind: FileType) -> io::Result<()> {
    match name_of(kind) {
        _ if kind.is_file() => Ok(()),
        Some(name) => Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {name}, not a file"))),
        None => Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder, not a file")),
    }
}

#[cfg(unix)]
pub(crate) fn name_of(kind: FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        _ if kind.is_file() || kind.is_dir() => None,
        _ if kind.is_fifo() => Some("a named pipe"),
        _ if kind.is_socket() => Some("a socket"),
        _ => Some("a device"),
    }
}

#[cfg(not(unix))]
pub(crate) fn name_of(kind: FileType) -> Option<&'static str> {
    (!kind.is_file() && !kind.is_dir()).then_some("a device")
}

#[cfg(unix)]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// A named pipe, for tests.
#[cfg(all(test, unix))]
pub(crate) fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo {}", path.display());
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_being_written_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.ts");
        let text = |version: u32| format!("show('a', {version})\nimport.meta.hot!.accept()");
        fs::write(&path, text(0)).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for version in (0..12).cycle() {
                    fs::write(&path, text(version)).unwrap();
                    // More often than anybody saves; between two saves the file is whole for a moment.
                    thread::sleep(Duration::from_micros(300));
                    if done.load(std::sync::atomic::Ordering::Relaxed) {
                        return;
                    }
                }
            });
            let whole: Vec<String> = (0..12).map(text).collect();
            let parts: Vec<String> =
                (0..2000).map(|_| read_text(&path).unwrap()).filter(|text| !whole.contains(text)).collect();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(parts, Vec::<String>::new());
        });
    }

    #[test]
    fn an_empty_file_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.ts");
        fs::write(&path, "").unwrap();
        assert_eq!(read(&path).unwrap(), b"");
    }

    #[test]
    fn a_writer_that_was_held_up_with_the_whole_machine_can_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.ts");
        let emptied = File::create(&path).unwrap();
        // As if the machine had stood still in between.
        emptied.set_modified(std::time::SystemTime::now() - 4 * FRESH).unwrap();
        let writer = thread::spawn(move || {
            thread::sleep(3 * BETWEEN_READS);
            io::Write::write_all(&mut &emptied, b"whole").unwrap();
        });
        assert_eq!(read(&path).unwrap(), b"whole");
        writer.join().unwrap();
    }

    #[test]
    fn a_file_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        fs::write(&path, "größe").unwrap();
        assert_eq!(read_text(&path).unwrap(), "größe");
        assert_eq!(oddity(&path), None);
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn what_is_no_file_is_named_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        make_pipe(&pipe);
        let socket = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = dir.path().join("zero");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for (path, message) in [
            (pipe.as_path(), "it is a named pipe, not a file"),
            (&socket, "it is a socket, not a file"),
            (&link, "it is a device, not a file"),
            (dir.path(), "it is a folder, not a file"),
        ] {
            assert_eq!(read(path).unwrap_err().to_string(), message);
        }
        assert_eq!(oddity(dir.path()), None);
        assert_eq!(read(&dir.path().join("nothing")).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_pipe_in_the_place_of_a_file_that_was_looked_at_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        make_pipe(&pipe);
        let file = open_without_waiting(&pipe).unwrap();
        assert!(demand_file(file.metadata().unwrap().file_type()).is_err());
    }
}
