//! Which `Content-Type` an answer has: of our own scripts and pages, and of files by their names.

use mime_guess::from_path;
use rekindle_compile::kind::is_script;
use rekindle_graph::ModuleUrl;

/// Scripts, of the project and of our own.
pub const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Pages.
pub const HTML: &str = "text/html; charset=utf-8";

/// The `Content-Type` of a file, by its name.
pub fn content_type(path: &str) -> &'static str {
    if is_script(&ModuleUrl::new(path)) {
        return SCRIPT; // `.ts` is a kind of video elsewhere.
    }
    let guess = from_path(path).first_raw();
    match guess {
        Some("text/html") => HTML,
        Some("text/javascript" | "application/javascript") => SCRIPT,
        Some("text/css") => "text/css; charset=utf-8",
        Some("text/plain") => "text/plain; charset=utf-8",
        Some("image/svg+xml") => "image/svg+xml",
        Some(other) => other,
        None => "application/octet-stream",
    }
}
