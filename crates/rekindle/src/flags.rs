//! The command line: `rekindle [dev] [root] [flags]`, `rekindle build`, `rekindle preview`, `rekindle edit`,
//! `rekindle init`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rekindle_config::generate::help;
use rekindle_server::leases::LONGEST;

/// A development server that puts your edits on the running page without losing its state.
///
/// `rekindle` alone serves the current folder, like `rekindle dev`. Settings that should last belong in `rekindle.toml`
/// beside `index.html`; a flag wins over the file.
#[derive(Debug, Parser)]
// Of a flag that a script gives and the command line behind it gives again, the later counts.
#[command(name = "rekindle", version, args_conflicts_with_subcommands = true, args_override_self = true)]
pub struct Flags {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    dev: DevFlags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a project and update the open pages on every save
    #[command(alias = "serve", args_override_self = true)]
    Dev(DevFlags),
    /// Build a project for production: a folder that any web server can serve
    #[command(args_override_self = true)]
    Build(BuildFlags),
    /// Serve the finished build as a static host would
    #[command(args_override_self = true)]
    Preview(PreviewFlags),
    /// Run a command and make all that it changes one update of the running server
    ///
    /// For scripts and tools that write many files: open pages hear nothing until the command has ended, and then get all
    /// changes at once. Without a running server the command runs anyway. Its exit code is passed on.
    Edit(EditFlags),
    /// Create a small project, or add what an existing one lacks
    Init(InitFlags),
    /// Write the browser runtime to a file, for its tests
    #[command(hide = true)]
    Client {
        /// The file to write
        out: PathBuf,
        /// The last of the client's source files to take in, such as core/registry.ts [default: all]
        #[arg(long)]
        only: Option<String>,
    },
}

/// Flags of `rekindle dev`. `None` leaves the matter to `rekindle.toml`, and that to the default.
#[derive(Clone, Debug, Default, Args)]
pub struct DevFlags {
    /// Project folder, the one with index.html [default: the current folder]
    pub root: Option<PathBuf>,
    #[arg(long, short, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..), help = help("server.port"))]
    pub port: Option<u16>,
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "0.0.0.0", help = help("server.host"))]
    pub host: Option<String>,
    #[arg(long, help = help("server.https"))]
    pub https: bool,
    #[arg(long, help = help("server.strict_port"))]
    pub strict_port: bool,
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "/", help = help("server.open"))]
    pub open: Option<String>,
    /// Settings file [default: rekindle.toml in the project folder]
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[arg(long, value_name = "PATH", help = help("base"))]
    pub base: Option<String>,
    #[arg(long, short, value_name = "MODE", help = help("mode"))]
    pub mode: Option<String>,
    /// Vite configuration to read instead of the project's
    #[arg(long, value_name = "FILE", hide = true)]
    pub vite_config: Option<PathBuf>,
}

/// Flags of `rekindle preview`.
#[derive(Clone, Debug, Default, Args)]
pub struct PreviewFlags {
    /// Project folder [default: the current folder]
    pub root: Option<PathBuf>,
    #[arg(long, value_name = "DIR", help = help("build.out_dir"))]
    pub out_dir: Option<PathBuf>,
    #[arg(long, short, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..), help = help("preview.port"))]
    pub port: Option<u16>,
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "0.0.0.0", help = help("server.host"))]
    pub host: Option<String>,
    #[arg(long, help = help("server.https"))]
    pub https: bool,
    #[arg(long, help = help("server.strict_port"))]
    pub strict_port: bool,
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "/", help = help("server.open"))]
    pub open: Option<String>,
    /// Settings file [default: rekindle.toml in the project folder]
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[arg(long, value_name = "PATH", help = help("base"))]
    pub base: Option<String>,
    #[arg(long, short, value_name = "MODE", help = help("mode"))]
    pub mode: Option<String>,
    /// Vite configuration to read instead of the project's
    #[arg(long, value_name = "FILE", hide = true)]
    pub vite_config: Option<PathBuf>,
}

/// Flags of `rekindle edit`.
#[derive(Clone, Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "rekindle edit [OPTIONS] [ROOT] -- <COMMAND>...\n       rekindle edit begin [--lease <TIME>] [ROOT]\n       rekindle edit commit <ID> [ROOT]"
)]
pub struct EditFlags {
    #[command(subcommand)]
    pub step: Option<EditStep>,
    /// Project folder [default: the nearest one with a running server, from the current folder upwards]
    pub root: Option<PathBuf>,
    /// How long the server waits if this command is killed
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = lease)]
    pub lease: Duration,
    /// The command and its arguments; it runs in the current folder
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// The two ends of an edit, for scripts that are not a single command.
#[derive(Clone, Debug, Subcommand)]
pub enum EditStep {
    /// Hold updates back from now on, and print a name for `commit`
    Begin {
        /// Project folder [default: as above]
        root: Option<PathBuf>,
        /// How long the server waits for `commit`; then the update goes out, and the terminal says so
        #[arg(long, value_name = "TIME", default_value = "30s", value_parser = lease)]
        lease: Duration,
    },
    /// Let the update go out
    Commit {
        /// What `begin` printed
        #[arg(value_parser = edit_id)]
        id: String,
        /// Project folder [default: as above]
        root: Option<PathBuf>,
    },
}

/// `500ms`, `30s`, `2m`; a number alone means seconds.
fn lease(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" | "" => 1000,
        "m" | "min" => 60_000,
        _ => return Err("write it as 500ms, 30s or 2m".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "write it as 500ms, 30s or 2m".to_owned())?;
    let lease = Duration::from_millis(number.saturating_mul(unit));
    if lease.is_zero() || lease > LONGEST {
        Err("it must be more than nothing and 10 minutes at most; it is renewed while a command runs".to_owned())
    } else {
        Ok(lease)
    }
}

fn edit_id(text: &str) -> Result<String, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(text.to_owned())
    } else {
        Err("it must be what `rekindle edit begin` printed".to_owned())
    }
}

/// Flags of `rekindle init`.
#[derive(Clone, Debug, Default, Args)]
pub struct InitFlags {
    /// Project folder, created if it does not exist [default: the current folder]
    pub root: Option<PathBuf>,
    /// What kind of project to create
    #[arg(long, short, value_enum, value_name = "NAME")]
    pub template: Option<Template>,
    /// Write what is missing without asking
    #[arg(long, short)]
    pub yes: bool,
}

/// A small project that `rekindle init` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Plain TypeScript, no packages needed
    #[value(alias = "ts", alias = "vanilla-ts", alias = "vanilla")]
    Typescript,
    /// React with TypeScript
    #[value(alias = "react-ts")]
    React,
}

/// Flags of `rekindle build`. `None` leaves the matter to `rekindle.toml`, and that to the default.
#[derive(Clone, Debug, Default, Args)]
pub struct BuildFlags {
    /// Project folder, the one with index.html [default: the current folder]
    pub root: Option<PathBuf>,
    #[arg(long, value_name = "DIR", help = help("build.out_dir"))]
    pub out_dir: Option<PathBuf>,
    #[arg(long, short, value_name = "MODE", help = help("mode"))]
    pub mode: Option<String>,
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help = help("build.minify"))]
    minify: Option<String>,
    /// Do not minify
    #[arg(long, conflicts_with = "minify")]
    no_minify: bool,
    #[arg(long, value_name = "KIND", num_args = 0..=1, default_missing_value = "true", require_equals = true, help = help("build.sourcemap"))]
    pub sourcemap: Option<String>,
    #[arg(long, value_name = "PATH", help = help("base"))]
    pub base: Option<String>,
    #[arg(long = "empty-out-dir", visible_alias = "emptyOutDir", help = help("build.empty_out_dir"))]
    pub empty_out_dir: bool,
    /// Keep what is already in the output folder
    #[arg(long, conflicts_with = "empty_out_dir")]
    pub no_empty_out_dir: bool,
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "true", require_equals = true, help = help("build.manifest"))]
    pub manifest: Option<String>,
    /// Settings file [default: rekindle.toml in the project folder]
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the result, or the errors, as JSON
    #[arg(long)]
    pub json: bool,
    // What Vite's command line has besides; `rekindle.toml` is the place for it.
    #[arg(long, hide = true, conflicts_with = "sourcemap")]
    pub no_sourcemap: bool,
    #[arg(long, hide = true, conflicts_with = "manifest")]
    pub no_manifest: bool,
    #[arg(long, value_name = "TARGET", hide = true, help = help("build.target"))]
    pub target: Option<String>,
    #[arg(long, value_name = "DIR", hide = true, help = help("build.assets_dir"))]
    pub assets_dir: Option<String>,
    #[arg(long, value_name = "BYTES", hide = true, help = help("build.assets_inline_limit"))]
    pub assets_inline_limit: Option<u64>,
    /// Vite configuration to read instead of the project's
    #[arg(long, value_name = "FILE", hide = true)]
    pub vite_config: Option<PathBuf>,
}

impl BuildFlags {
    /// What the flags say about minifying, if anything. Names of minifiers count as yes.
    pub fn minify(&self) -> Option<bool> {
        match (self.no_minify, self.minify.as_deref()) {
            (true, _) => Some(false),
            (false, given) => given.map(|given| given != "false"),
        }
    }
}

/// What the command line asks for.
#[derive(Clone, Debug)]
pub enum Task {
    Dev(DevFlags),
    Build(BuildFlags),
    Preview(PreviewFlags),
    Edit(EditFlags),
    Init(InitFlags),
    /// Write the browser runtime, up to the source file `only`, to `out`.
    Client {
        out: PathBuf,
        only: Option<String>,
    },
}

impl Flags {
    /// The task to run; without a subcommand that is `dev`.
    pub fn task(self) -> Task {
        match self.command {
            Some(Command::Dev(flags)) => Task::Dev(flags),
            Some(Command::Build(flags)) => Task::Build(flags),
            Some(Command::Preview(flags)) => Task::Preview(flags),
            Some(Command::Edit(flags)) => Task::Edit(flags),
            Some(Command::Init(flags)) => Task::Init(flags),
            Some(Command::Client { out, only }) => Task::Client { out, only },
            None => Task::Dev(self.dev),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn dev(line: &str) -> DevFlags {
        match Flags::try_parse_from(line.split_whitespace()).unwrap().task() {
            Task::Dev(flags) => flags,
            other => panic!("{line} is {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn dev_may_be_left_out() {
        for line in ["rekindle app --port 3000 --open", "rekindle dev app --port 3000 --open"] {
            let flags = dev(line);
            assert_eq!((flags.root, flags.port, flags.open), (Some("app".into()), Some(3000), Some("/".into())));
        }
        assert_eq!(dev("rekindle").root, None);
    }

    #[test]
    fn of_a_flag_that_is_given_twice_the_later_counts() {
        for command in ["rekindle", "rekindle dev"] {
            let flags = dev(&format!("{command} --port 1 --strict-port --port 2 --strict-port --host --host 10.0.0.7"));
            assert_eq!((flags.port, flags.strict_port, flags.host.as_deref()), (Some(2), true, Some("10.0.0.7")));
        }
    }

    #[test]
    fn a_template_goes_by_its_usual_names_too() {
        let template = |name: &str| {
            let flags = Flags::try_parse_from(["rekindle", "init", "app", "--template", name]).ok()?;
            match flags.task() {
                Task::Init(flags) => flags.template,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(template("typescript"), Some(Template::Typescript));
        assert_eq!(template("vanilla-ts"), Some(Template::Typescript));
        assert_eq!(template("react"), Some(Template::React));
        assert_eq!(template("vue"), None);
    }

    #[test]
    fn host_takes_an_address_or_none() {
        assert_eq!(dev("rekindle --host").host.as_deref(), Some("0.0.0.0"));
        assert_eq!(dev("rekindle --host 10.0.0.7 app").host.as_deref(), Some("10.0.0.7"));
        assert_eq!(dev("rekindle").host, None);
    }

    #[test]
    fn an_edit_is_a_command_or_one_of_its_ends() {
        let edit = |line: &str| match Flags::try_parse_from(line.split_whitespace()).map(Flags::task) {
            Ok(Task::Edit(flags)) => Some(flags),
            Ok(other) => panic!("{line} is {other:?}"),
            Err(_) => None,
        };
        let flags = edit("rekindle edit app --lease 2m -- npm run begin --x -- y").unwrap();
        assert_eq!(
            (flags.root, flags.lease, flags.step.is_none()),
            (Some("app".into()), Duration::from_secs(120), true)
        );
        assert_eq!(flags.command, ["npm", "run", "begin", "--x", "--", "y"]);
        assert_eq!(edit("rekindle edit -- begin").unwrap().command, ["begin"]);
        let begun = |line: &str| match edit(line)?.step? {
            EditStep::Begin { root, lease } => Some((root, lease.as_millis())),
            EditStep::Commit { .. } => None,
        };
        assert_eq!(begun("rekindle edit begin app --lease 500ms"), Some((Some("app".into()), 500)));
        assert_eq!(begun("rekindle edit begin"), Some((None, 30_000)));
        let committed = |line: &str| match edit(line)?.step? {
            EditStep::Commit { id, root } => Some((id, root)),
            EditStep::Begin { .. } => None,
        };
        assert_eq!(committed("rekindle edit commit ab12 app"), Some(("ab12".into(), Some("app".into()))));
        for refused in
            ["", "app", "app echo", "--lease 0 -- x", "--lease 11m -- x", "begin --lease soon", "commit", "commit a/b"]
        {
            assert!(edit(&format!("rekindle edit {refused}")).is_none(), "{refused}");
        }
    }

    #[test]
    fn a_port_out_of_range_is_refused() {
        assert!(Flags::try_parse_from(["rekindle", "--port", "70000"]).is_err());
        assert!(Flags::try_parse_from(["rekindle", "--port", "0"]).is_err());
    }
}
