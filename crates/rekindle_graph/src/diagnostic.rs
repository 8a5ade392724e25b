//! What is wrong with the user's source: a place, a sentence, a code frame and advice.
//!
//! The same value feeds the terminal and the error overlay.

use serde::{Deserialize, Serialize};

/// A position in a source: 1-based line and 1-based column, counted in UTF-16 units as browsers and editors do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Place {
    /// The first line is 1.
    pub line: u32,
    /// The first column is 1; counted in UTF-16 units.
    pub column: u32,
}

impl Place {
    /// The place of a byte offset in `source`; an offset past the end gives the end.
    pub fn of_offset(source: &str, offset: usize) -> Self {
        let mut offset = offset.min(source.len());
        while !source.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &source[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.bytes().filter(|&byte| byte == b'\n').count() as u32 + 1,
            column: before[line_start..].encode_utf16().count() as u32 + 1,
        }
    }
}

/// One mistake in one file. `message` has no full stop and no blame; `help` is the advice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Diagnostic {
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The file as the user knows it: relative to the root where it lies inside, absolute elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Where in `file`, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// A few lines of source with a marker below the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
    /// What to do about it, if there is advice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Something is not there that may be there in a moment, when several files are written one after the other.
    #[serde(skip)]
    pub is_missing: bool,
    /// The module's own file is not there any more.
    #[serde(rename = "gone", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_gone: bool,
}

impl Diagnostic {
    /// A mistake with its sentence; file, place and advice can be added.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            file: None,
            place: None,
            frame: None,
            help: None,
            is_missing: false,
            is_gone: false,
        }
    }

    /// The file of a module is not there any more.
    pub fn gone(file: impl Into<String>) -> Self {
        Self { is_missing: true, is_gone: true, ..Self::error("the file no longer exists").in_file(file) }
    }

    /// Says which file it is in, named as the user knows it.
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Marks what names something that is not there.
    pub fn of_missing(mut self) -> Self {
        self.is_missing = true;
        self
    }

    /// Adds the place of a byte offset and the code frame around it; `length` bytes are marked.
    pub fn at(mut self, source: &str, offset: usize, length: usize) -> Self {
        let place = Place::of_offset(source, offset);
        self.frame = Some(code_frame(source, place, source.get(offset..offset + length).unwrap_or("")));
        self.place = Some(place);
        self
    }

    /// Adds advice.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// `file:line:column`, as far as it is known.
    pub fn location(&self) -> Option<String> {
        let file = self.file.as_deref()?;
        Some(match self.place {
            Some(place) => format!("{file}:{}:{}", place.line, place.column),
            None => file.to_owned(),
        })
    }
}

const LINES_AROUND: u32 = 2;
const WIDEST_LINE: usize = 200;
/// Characters in front of the place, where the beginning of its line is left out.
const CONTEXT: usize = 60;

/// The lines around `place`, numbered, with carets below the marked text.
///
/// ```text
///   1 | import './part'
/// > 2 | const v = = 1
///     |           ^
/// ```
pub fn code_frame(source: &str, place: Place, marked: &str) -> String {
    let first = place.line.saturating_sub(LINES_AROUND).max(1);
    let last = place.line + LINES_AROUND;
    let width = last.to_string().len();
    // A line that is longer than a screen is shown from a little before the place.
    let column = place.column as usize;
    let cut = if column > WIDEST_LINE - CONTEXT { column - CONTEXT } else { 0 };
    let (column, mark) = if cut > 0 { (column - cut + 1, "…") } else { (column, "") };
    let mut frame = String::new();
    for (number, text) in (1u32..).zip(source.lines()).skip(first as usize - 1).take((last - first + 1) as usize) {
        let text: String = mark.chars().chain(text.chars().skip(cut)).collect();
        let shown: String = text.chars().take(WIDEST_LINE).collect();
        let sign = if number == place.line { '>' } else { ' ' };
        frame.push_str(&format!("{sign} {number:>width$} | {shown}\n"));
        if number == place.line {
            let room = shown.encode_utf16().count().saturating_sub(column - 1).max(1);
            let carets = marked.lines().next().unwrap_or("").encode_utf16().count().clamp(1, room);
            let indent: String = text.chars().take(column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            frame.push_str(&format!("  {:>width$} | {indent}{}\n", "", "^".repeat(carets)));
        }
    }
    frame.truncate(frame.trim_end().len());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_shown_around_its_place() {
        let source = format!("first\n{}HERE{}\nlast", "a".repeat(5000), "b".repeat(5000));
        let offset = 6 + 5000;
        let frame = Diagnostic::error("x").at(&source, offset, 4).frame.unwrap_or_default();
        let lines: Vec<&str> = frame.lines().collect();
        let at = lines[1].find("HERE").expect("the place is shown");
        assert_eq!(
            lines[2].find("^^^^").map(|caret| lines[2][..caret].chars().count()),
            Some(lines[1][..at].chars().count())
        );
        assert!(lines[1].starts_with("> 2 | \u{2026}aaa") && lines[1].chars().count() < 220, "{frame}");
    }
}
