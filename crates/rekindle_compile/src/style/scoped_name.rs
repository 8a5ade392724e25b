//! Names of CSS modules by a pattern, as `css.modules.generate_scoped_name` gives it.
//!
//! ```text
//! [name]__[local]___[hash:base64:5]    .title of src/box.module.css    box-module__title___x7Fq2
//! ```

use base64::Engine;

/// The name of `local` in the file that the user knows as `file` (with slashes).
pub(super) fn scoped_name(pattern: &str, file: &str, local: &str, hash_prefix: &str) -> String {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(open) = rest.find('[') {
        out.push_str(&rest[..open]);
        let Some(length) = rest[open..].find(']') else { break };
        let token = &rest[open + 1..open + length];
        match token {
            "name" => out.push_str(stem),
            "local" => out.push_str(local),
            "folder" => out.push_str(folder.rsplit('/').next().unwrap_or_default()),
            "path" => out.push_str(folder),
            "ext" => out.push_str(extension),
            _ => match hash_of(token, &format!("{hash_prefix}{file}\0{local}")) {
                Some(hash) => out.push_str(&hash),
                None => out.push_str(&rest[open..=open + length]),
            },
        }
        rest = &rest[open + length + 1..];
    }
    out.push_str(rest);
    as_identifier(&out)
}

/// `hash`, `hash:base64:5`, `hash:8`, `md5:hash:hex:6`, `contenthash`: the digest's kind is not looked at.
fn hash_of(token: &str, text: &str) -> Option<String> {
    let parts: Vec<&str> = token.split(':').collect();
    let at = parts.iter().position(|part| matches!(*part, "hash" | "contenthash"))?;
    let digest = blake3::hash(text.as_bytes());
    let is_base64 = parts[at..].iter().any(|part| part.starts_with("base"));
    let length = parts[at + 1..].iter().find_map(|part| part.parse::<usize>().ok());
    let text = if is_base64 {
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(digest.as_bytes()).replace(['+', '/'], "")
    } else {
        digest.to_hex().to_string()
    };
    let length = length.unwrap_or(if is_base64 { 8 } else { 20 }).clamp(1, text.len());
    Some(text[..length].to_owned())
}

fn as_identifier(text: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || c as u32 >= 0xa0;
    let name: String = text.chars().map(|c| if is_allowed(c) { c } else { '-' }).collect();
    let after_dash = name.strip_prefix('-').unwrap_or(&name);
    let begins_badly =
        after_dash.starts_with(|c: char| c.is_ascii_digit()) || name.starts_with("--") || name.is_empty();
    if begins_badly { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_pattern_is_filled_in() {
        let name = |pattern| scoped_name(pattern, "src/ui/box.module.css", "title", "");
        assert_eq!(name("[name]__[local]"), "box-module__title");
        assert_eq!(name("[path]/[folder]-[local].[ext]"), "src-ui-ui-title-css");
        assert_eq!(name("[local]_[hash:base64:5]").len(), "title_".len() + 5);
        assert_eq!(name("[md5:hash:hex:6]").trim_start_matches('_').len(), 6);
        assert_eq!(name("1[local]"), "_1title");
        assert_eq!(name("[local][what]"), "title-what-");
        assert_ne!(name("[hash]"), scoped_name("[hash]", "src/ui/box.module.css", "other", ""));
    }
}
