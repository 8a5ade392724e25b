//! Names of keys in the spellings of other tools, and the name that was probably meant.

/// `strict_port` from `strictPort`, the spelling of other tools, and from `strict-port`.
pub fn snake_case(key: &str) -> String {
    let mut snake = String::new();
    for c in key.chars() {
        match c {
            '-' => snake.push('_'),
            c if c.is_uppercase() => {
                if !snake.is_empty() && !snake.ends_with(['_', '.']) {
                    snake.push('_');
                }
                snake.extend(c.to_lowercase());
            }
            c => snake.push(c),
        }
    }
    snake
}

/// `global_vars` → `globalVars`
pub(crate) fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut out, word| {
        let mut chars = word.chars();
        out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(chars.as_str());
        out
    })
}

/// The one of `names` that is spelled almost like `text`.
pub(crate) fn nearest<'n>(text: &str, names: &[&'n str]) -> Option<&'n str> {
    let distance = |name: &str| strsim::damerau_levenshtein(&text.to_lowercase().replace('-', "_"), name);
    let nearest = names.iter().copied().min_by_key(|name| distance(name))?;
    (distance(nearest) <= (nearest.len() / 3).max(1)).then_some(nearest)
}

/// The key that was probably meant.
pub(crate) fn meant<'n>(key: &str, names: &[&'n str]) -> Option<&'n str> {
    let wanted = snake_case(key);
    names.iter().copied().find(|name| *name == wanted).or_else(|| nearest(&wanted, names))
}
