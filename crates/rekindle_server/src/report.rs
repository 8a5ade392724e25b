//! What there is to tell about a server goes through here, as values (`news.rs`). The terminal shows them (`terminal.rs`).
//!
//! ```text
//! report.tell(News::Fixed { files })  ──►  14:03:22 fixed /src/app.tsx
//! ```

use std::io::Write;
use std::time::Instant;

pub mod news;
pub(crate) mod rounds;
mod terminal;

pub use news::News;
pub use terminal::{WORTH_TELLING, show};

use terminal::Terminal;

/// Where news go. Clones tell the same terminal.
#[derive(Clone)]
pub struct Report {
    terminal: Terminal,
}

impl Report {
    /// Tells the terminal that this program runs in.
    pub fn stdout() -> Self {
        Self { terminal: Terminal::stdout() }
    }

    /// Writes without colours and with a fixed clock.
    pub fn plain(out: impl Write + Send + 'static) -> Self {
        Self { terminal: Terminal::plain(out) }
    }

    /// Tells what has happened. For rekindle's own command: what there is to tell is no interface.
    #[doc(hidden)]
    pub fn tell(&self, news: News) {
        self.terminal.tell(&news);
    }

    /// Tells a sentence that may be good to know.
    pub fn note(&self, text: &str) {
        self.tell(News::Note { text: text.to_owned() });
    }

    /// Tells of something that works, but is probably not what the user means.
    pub fn warn(&self, text: &str) {
        self.tell(News::Warning { file: None, text: text.to_owned() });
    }

    /// Shows that work which began at `began` goes on. It is called often, and says nothing of work that has just begun.
    pub fn working(&self, began: Instant, what: impl FnOnce() -> String) {
        self.terminal.working(began, what);
    }

    /// Removes the line about work, which is done.
    pub fn at_rest(&self) {
        self.terminal.at_rest();
    }
}

#[cfg(test)]
pub mod screen {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    /// What tests read in place of a terminal.
    #[derive(Clone, Default)]
    pub struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Screen {
        pub fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
