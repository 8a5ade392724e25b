//! Files that are written from the table of settings are up to date.

use std::fs;
use std::path::Path;

use rekindle_config::generate::FILES;

/// `cargo xtask settings` runs this test with this variable, and then it writes what it would compare.
const WRITE: &str = "REKINDLE_WRITE_SETTINGS";

#[test]
fn files_that_are_written_from_the_table_of_settings_are_up_to_date() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    for file in FILES {
        let path = repository.join(file.path);
        let present = fs::read_to_string(&path).unwrap_or_default();
        let text = file.text(&present).unwrap_or_else(|why| panic!("{}: {why}", file.path));
        if std::env::var_os(WRITE).is_some() {
            fs::write(&path, text).unwrap();
        } else {
            assert!(present == text, "{} is out of date: run `cargo xtask settings`", file.path);
        }
    }
}
