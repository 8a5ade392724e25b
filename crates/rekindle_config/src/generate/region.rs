//! Parts of files that are written, between a line in front of them and one behind.

/// Puts `lines` between the line that ends with `begin` and the next one that ends with `end`.
pub(super) fn fill_between(text: &str, begin: &str, end: &str, lines: &[String]) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text.lines();
    let mut is_found = false;
    while let Some(line) = rest.next() {
        filled.push_str(line);
        filled.push('\n');
        if line.trim() == begin && !is_found {
            is_found = true;
            for line in lines {
                filled.push_str(line);
                filled.push('\n');
            }
            let last = rest.find(|line| line.trim() == end).ok_or_else(|| format!("the line `{end}` is missing"))?;
            filled.push_str(last);
            filled.push('\n');
        }
    }
    if is_found { Ok(filled) } else { Err(format!("the line `{begin}` is missing")) }
}
