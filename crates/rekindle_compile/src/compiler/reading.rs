//! Reads the files of modules; what is wrong with one is a diagnostic.

use rekindle_graph::{Diagnostic, FilePath};

use super::Compiler;
use crate::files::file;

impl Compiler {
    pub(crate) fn read(&self, file: &FilePath) -> Result<Vec<u8>, Vec<Diagnostic>> {
        file::read(file.as_path()).map_err(|error| vec![self.unreadable(file, &error)])
    }

    pub(crate) fn read_text(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
        let text = self.read_text_as_is(file)?;
        Ok(match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        })
    }

    pub(crate) fn read_text_as_is(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
        String::from_utf8(self.read(file)?).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            let valid = String::from_utf8_lossy(&error.as_bytes()[..offset]).into_owned();
            vec![
                Diagnostic::error(format!("the file is not valid UTF-8 at byte {offset}"))
                    .in_file(self.display(file.as_path()))
                    .at(&valid, offset, 0)
                    .with_help("save it as UTF-8"),
            ]
        })
    }

    pub(super) fn unreadable(&self, file: &FilePath, error: &std::io::Error) -> Diagnostic {
        let name = self.display(file.as_path());
        match error.kind() {
            std::io::ErrorKind::NotFound => Diagnostic::gone(name),
            _ => Diagnostic::error(format!("the file cannot be read: {error}")).in_file(name),
        }
    }
}
