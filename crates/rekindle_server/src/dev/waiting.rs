//! What a page shows while its modules are compiled for the first time.
//!
//! ```text
//! head                         at once
//! </head><body><script …>      after half a second: a line says how far the compiler is
//! preloads                     as segments are sealed
//! styles, <script …?over>      when all is compiled: the line goes, preloads and styles move to the end of the head
//! the page's body
//! ```

use std::time::Instant;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::json::quoted;
use crate::report::WORTH_TELLING;

/// Shows how far the compiler is, in a body that has nothing else yet.
const WAITING_SCRIPT: &str = "\
(() => {
  document.currentScript.remove()
  const line = document.createElement('p')
  line.id = 'rekindle-waiting'
  line.style.cssText = 'font: 14px/1.6 system-ui, sans-serif; margin: 2em; color: #777'
  const show = (text) => (line.textContent = `rekindle is ${text || 'compiling'} \u{2026}`)
  show('')
  document.body.append(line)
  const ask = () => fetch(BASE + '@rekindle/progress').then((answer) => answer.text()).then(show, () => {})
  const timer = setInterval(() => (line.isConnected ? ask() : clearInterval(timer)), 400)
  ask()
})()
";
/// Clears up when all is compiled. What came behind the line stood where the body had begun, and belongs at the end of the head.
const WAITING_IS_OVER: &str = "\
document.currentScript.remove()
document.getElementById('rekindle-waiting')?.remove()
document.head.append(...document.querySelectorAll('body > style[data-vite-dev-id], body > link[href*=\"@rekindle/s/\"]'))
";

/// A page that is being sent while its modules are compiled: its head has gone out.
pub struct PageStream {
    pub sender: mpsc::UnboundedSender<Bytes>,
    pub url: String,
    /// What follows the head.
    pub rest: String,
    pub begun: Instant,
    /// It shows that it waits.
    pub waits: bool,
}

impl PageStream {
    /// Says what the page waits for, if it has waited for a while. A browser paints nothing before the body has begun.
    pub fn show_waiting(&mut self, base: &str, has_policy: bool) {
        // Under a policy the scripts may be forbidden, and what they are to clear up would stay.
        if self.waits || self.begun.elapsed() <= WORTH_TELLING || has_policy {
            return;
        }
        let Some(begin) = end_of_body_tag(&self.rest) else { return };
        self.waits = true;
        let rest = self.rest.split_off(begin);
        let begun = std::mem::replace(&mut self.rest, rest);
        let _ = self.sender.send((begun + &tag(base, "")).into()); // Who asked may have hung up.
    }
}

/// The tag of the script; its query says whether the wait is over.
pub fn tag(base: &str, query: &str) -> String {
    format!("<script src=\"{base}@rekindle/waiting.js{query}\"></script>")
}

/// `/@rekindle/waiting.js`, and with `?over` the one that clears up.
pub fn script(base: &str, query: &str) -> String {
    if query.is_empty() { WAITING_SCRIPT.replace("BASE", &quoted(base)) } else { WAITING_IS_OVER.to_owned() }
}

/// Where the start tag of the body ends in what follows a head; `None` where it does not stand next.
fn end_of_body_tag(rest: &str) -> Option<usize> {
    let tag = rest.trim_start().strip_prefix("</head>")?.trim_start();
    let name = tag.get(..5).filter(|name| name.eq_ignore_ascii_case("<body"))?;
    let mut quote = None;
    for (at, c) in tag[name.len()..].char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '>') => return Some(rest.len() - tag.len() + name.len() + at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_begun_behind_its_start_tag() {
        let after = |rest: &'static str| end_of_body_tag(rest).map(|end| &rest[end..]);
        assert_eq!(after("</head>\n<body><p>"), Some("<p>"));
        assert_eq!(after("</head><BODY class=\"a>b\" data-x='>'>x"), Some("x"));
        assert_eq!(after("</head><!-- --><body>"), None);
        assert_eq!(after("<p>no tags"), None);
        assert_eq!(after("</head><body"), None);
    }
}
