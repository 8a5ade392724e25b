//! `[preview]` has most keys of `[server]`, and takes from there what it does not say itself.

use std::mem::replace;

use crate::key::Key;
use crate::reader::Reader;
use crate::value::Item;

/// Takes the value of a key that `rekindle.toml` calls `toml` and its source `name`. Gives whether anything of it was stored.
pub(crate) fn read(reader: &mut Reader<'_>, key: &Key, toml: &str, name: &str, item: &Item) -> bool {
    let Some(own) = toml.strip_prefix("preview.").filter(|_| key.is_shared) else {
        return key.read(reader, name, item);
    };
    let preview = reader.config.preview_server();
    let server = replace(&mut reader.config.server, preview);
    let is_stored = key.read(reader, name, item);
    let preview = replace(&mut reader.config.server, server);
    if is_stored {
        reader.config.preview.take(preview, |name| name == own);
    }
    is_stored
}
