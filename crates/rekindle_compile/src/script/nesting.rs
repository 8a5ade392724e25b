//! A guard in front of the parser: a stack overflow ends a process and cannot be caught (rule S11), so sources that nest
//! deeper than the compile threads' stacks allow are refused before.

/// Deepest nesting of brackets, and longest chain of operators without a separator, that the threads of
/// [`COMPILE_STACK`] bytes are known to survive, with room to spare. Hand-written code stays below 100, minified bundles below 2,000.
const DEEPEST: u32 = 60_000;

/// Stack of a thread that compiles, in bytes. Only address space until it is used.
pub const COMPILE_STACK: usize = 1 << 30;

/// Offset at which the source becomes too deep, if it does. Strings and comments are not told apart: what a
/// hostile file gains by that is a refusal.
pub fn too_deep(source: &str) -> Option<usize> {
    if source.len() < DEEPEST as usize {
        return None;
    }
    let mut depth = 0u32;
    let mut chain = 0u32;
    for (at, byte) in source.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                chain = 0;
            }
            b'!' | b'~' | b'+' | b'-' | b'=' | b'?' | b':' | b'*' | b'&' | b'|' | b'^' | b'/' | b'<' | b'>' | b'`'
            | b'.' => {
                chain += 1;
            }
            b';' | b',' | b'"' | b'\'' => chain = 0,
            _ => {}
        }
        if depth > DEEPEST || chain > 4 * DEEPEST {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_brackets_are_refused_with_their_place() {
        assert_eq!(too_deep(&"(".repeat(200_000)), Some(DEEPEST as usize));
    }

    #[test]
    fn a_long_flat_file_is_fine() {
        assert_eq!(too_deep(&"const a = [{ b: 1 }];\n".repeat(50_000)), None);
    }
}
