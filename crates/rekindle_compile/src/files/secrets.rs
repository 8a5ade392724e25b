//! Names that look like secrets: such files are never served, whoever asks for or imports them (rule S4).

use std::path::Path;

/// What to do where something imports such a file.
pub const ADVICE: &str =
    "move what the page needs to another file, or to a variable that pages may read (`env_prefix`, VITE_ by default)";

/// Whether a path has a name that is never served, whoever asks or imports it. Give the path relative to the folder
/// it was found in: a project may live below a folder with an odd name.
pub fn is_secret_name(path: &Path) -> bool {
    path.components().any(|part| is_secret_part(&part.as_os_str().to_string_lossy().to_lowercase()))
}

fn is_secret_part(name: &str) -> bool {
    const NAMES: [&str; 23] = [
        ".git",
        ".rekindle",
        ".hg",
        ".svn",
        ".ssh",
        ".aws",
        ".azure",
        ".gnupg",
        ".kube",
        ".docker",
        ".netrc",
        "_netrc",
        ".npmrc",
        ".yarnrc",
        ".yarnrc.yml",
        ".pypirc",
        ".pgpass",
        ".my.cnf",
        ".htpasswd",
        ".htaccess",
        ".git-credentials",
        ".vault-token",
        ".dockercfg",
    ];
    const KEYS: [&str; 5] = ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ed448"];
    const ENDINGS: [&str; 13] =
        ["pem", "key", "crt", "cer", "der", "csr", "p8", "p12", "pfx", "jks", "keystore", "ppk", "kdbx"];
    // Backups of a secret are the secret: `.npmrc~`, `server.pem.bak`.
    let name = name.trim_end_matches('~');
    let name =
        [".bak", ".old", ".orig", ".save", ".swp"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    name.starts_with(".env") || NAMES.contains(&name) || KEYS.contains(&name) || ENDINGS.contains(&ending)
}

/// The part of `path` that counts: below the root, or below the folder that the root and the file have in common.
pub fn holds_secrets(path: &Path, root: &Path) -> bool {
    let shared = path.components().zip(root.components()).take_while(|(a, b)| a == b).count();
    is_secret_name(&path.components().skip(shared).collect::<std::path::PathBuf>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_the_project_counts() {
        let root = Path::new("/home/me/.ssh/app");
        assert!(!holds_secrets(Path::new("/home/me/.ssh/app/src/main.js"), root));
        assert!(holds_secrets(Path::new("/home/me/.ssh/app/src/.env"), root));
        assert!(holds_secrets(Path::new("/home/me/.aws/key.js"), root));
    }
}
