//! Options from a TOML file, and as one. A key is a flag's long name; its value goes the way of what is typed, so that
//! both are checked by the same rules and say the same.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use traffic::fault::{Fault, Faults};

use super::args::{Cli, dashed};
use super::experiments_args::{ACTIONS, ExperimentArgs};
use crate::results::write::write_synced;
use crate::results::{ResultsError, names};

const VERB: &str = "experiments";
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A configuration that can't be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not there, or not to be read.
    #[error(
        "can't read the configuration {}: {source}; `orchestrator experiments --config --config-file FILE` makes one",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is in it makes no sense.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// What is in it and what was typed don't go together.
    #[error("{} and what was typed don't go together: {reason}", path.display())]
    Together {
        /// The file.
        path: PathBuf,
        /// clap's sentence.
        reason: String,
    },
    /// It can't be saved.
    #[error("can't save the configuration {}: {source}", path.display())]
    Save {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can't be saved, for another reason.
    #[error(transparent)]
    Write(#[from] ResultsError),
}

/// Options with where they came from.
#[derive(Debug)]
pub struct Resolved {
    /// All of them.
    pub args: ExperimentArgs,
    matches: ArgMatches,
}

/// `words`, the whole command line, completed by the file that it names. A file that is not there is right only where
/// it is about to be made.
pub fn resolve(words: impl IntoIterator<Item = OsString>) -> Result<Resolved, ConfigError> {
    let words: Vec<OsString> = words.into_iter().map(dashed).collect();
    let typed = parse(&words).unwrap_or_else(|error| error.exit());
    let Some(path) = typed.args.action.config_file.clone() else { return Ok(typed) };
    let text = match read_bounded(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && typed.args.action.config => {
            return Ok(typed);
        }
        Err(source) => return Err(ConfigError::Read { path, source }),
    };
    let wanted = flags(&path.display().to_string(), &text)?;
    let command = command();
    let is_typed = |key: &str| stands(&command, &typed.matches, key);
    let mut all: Vec<OsString> = words.iter().take(2).cloned().collect();
    all.extend(wanted.into_iter().filter(|flag| !is_typed(&flag.key)).flat_map(|flag| flag.words));
    all.extend(words.into_iter().skip(2));
    parse(&all).map_err(|error| ConfigError::Together { path, reason: sentence(&error) })
}

/// Whether `key`, or a flag that excludes it, was typed.
fn stands(command: &Command, typed: &ArgMatches, key: &str) -> bool {
    let by_hand = |arg: &Arg| typed.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let Some(arg) = find(command, key) else { return false };
    by_hand(arg) || exclusive(command, arg).into_iter().any(by_hand)
}

/// The flags that can't be given beside `arg`.
fn exclusive<'c>(command: &'c Command, arg: &Arg) -> Vec<&'c Arg> {
    let mut others = command.get_arg_conflicts_with(arg);
    let excludes_it =
        |other: &&Arg| command.get_arg_conflicts_with(other).iter().any(|a| a.get_id() == arg.get_id());
    others.extend(command.get_arguments().filter(excludes_it));
    others
}

fn parse(words: &[OsString]) -> Result<Resolved, clap::Error> {
    let matches = Cli::command().try_get_matches_from(words)?;
    let Some((VERB, matches)) = matches.subcommand() else {
        return Err(clap::Error::new(clap::error::ErrorKind::InvalidSubcommand));
    };
    let args = ExperimentArgs::from_arg_matches(matches)?;
    Ok(Resolved { args, matches: matches.clone() })
}

fn command() -> Command {
    let mut cli = Cli::command();
    cli.build();
    cli.find_subcommand(VERB).cloned().unwrap_or_default()
}

fn find<'c>(command: &'c Command, key: &str) -> Option<&'c Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(key))
}

fn options(command: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    let named = command.get_arguments().filter_map(|arg| Some((arg.get_long()?, arg)));
    named.filter(|(key, _)| *key != "help" && !ACTIONS.contains(key))
}

/// One key as it would be typed.
#[derive(Debug)]
struct Flag {
    key: String,
    words: Vec<OsString>,
}

/// Every key of a file, or all that is wrong with it.
fn flags(file: &str, text: &str) -> Result<Vec<Flag>, Faults> {
    let line_of = |at: usize| text.get(..at).map_or(0, |before| before.matches('\n').count() as u32 + 1);
    let fail = |faults| Faults { source_name: file.to_owned(), faults };
    let root = DeTable::parse(text).map_err(|e| {
        let line = e.span().map_or(0, |span| line_of(span.start));
        let message = format!("not valid TOML: {}", e.message().replace('\n', ": "));
        fail(vec![Fault { line, path: String::new(), message }])
    })?;
    let command = command();
    let (mut flags, mut faults, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (key, value) in root.into_inner() {
        let line = line_of(key.span().start);
        let written = key.into_inner().into_owned();
        let name = written.replace('_', "-");
        let flag = match seen.insert(name.clone()) {
            true => flag(&command, &name, value),
            false => Err("is there twice, with _ and with -".to_owned()),
        };
        match flag {
            Ok(flag) => flags.push(flag),
            Err(message) => faults.push(Fault { line, path: written, message }),
        }
    }
    faults.sort_by_key(|fault| fault.line);
    if faults.is_empty() { Ok(flags) } else { Err(fail(faults)) }
}

fn flag(command: &Command, key: &str, value: Spanned<DeValue<'_>>) -> Result<Flag, String> {
    if ACTIONS.contains(&key) {
        return Err(format!("says what to do now: type it (--{key})"));
    }
    let arg = find(command, key).filter(|_| key != "help");
    let Some(arg) = arg else { return Err(unknown(key)) };
    let values = match value.into_inner() {
        DeValue::Array(items) if matches!(arg.get_action(), ArgAction::Append) => {
            items.into_iter().map(|item| scalar(item.into_inner())).collect::<Result<Vec<_>, _>>()?
        }
        DeValue::Array(_) => return Err("takes one value, not a list".to_owned()),
        value => vec![scalar(value)?],
    };
    if values.is_empty() && !arg.get_default_values().is_empty() {
        return Err("needs at least one value".to_owned());
    }
    let words: Vec<OsString> = match (arg.get_action(), values.as_slice()) {
        (ArgAction::SetTrue, [value]) if value == "true" => vec![format!("--{key}").into()],
        (ArgAction::SetTrue, [value]) if value == "false" => Vec::new(),
        (ArgAction::SetTrue, _) => return Err("is true or false".to_owned()),
        _ => values.iter().map(|value| format!("--{key}={value}").into()).collect(),
    };
    let alone: Vec<OsString> =
        ["orchestrator".into(), VERB.into()].into_iter().chain(words.clone()).collect();
    parse(&alone).map_err(|error| sentence(&error))?;
    Ok(Flag { key: key.to_owned(), words })
}

fn scalar(value: DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.into_owned()),
        DeValue::Boolean(value) => Ok(value.to_string()),
        DeValue::Integer(n) => match i128::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => Ok(n.to_string()),
            Err(_) => Err(format!("{} is no number that an option takes", n.as_str())),
        },
        DeValue::Float(x) => Ok(x.as_str().to_owned()),
        DeValue::Datetime(_) => Err("is a date, which no option takes".to_owned()),
        DeValue::Array(_) | DeValue::Table(_) => Err("is no plain value".to_owned()),
    }
}

fn unknown(key: &str) -> String {
    let words = ["orchestrator".to_owned(), VERB.to_owned(), format!("--{key}")].map(OsString::from);
    let near = parse(&words).err().and_then(|error| match error.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(flag)) => Some(flag.trim_start_matches('-').to_owned()),
        _ => None,
    });
    let near = near.filter(|near| !ACTIONS.contains(&near.as_str()));
    let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    format!("there is no such option{near}")
}

/// clap's own sentence, without what is around it.
fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines = text.lines().take_while(|line| !line.starts_with("Usage:")).map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

fn read_bounded(path: &Path) -> io::Result<String> {
    // Opening a pipe could wait for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

impl Resolved {
    /// Every option with its value and what it means; one that has none stands in a comment.
    pub fn to_toml(&self) -> String {
        let command = command();
        let mut text = String::from(
            "# dpdk-k8s-bench: orchestrator experiments --config-file THIS; what is typed comes first\n",
        );
        for (key, arg) in options(&command) {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let value = self.value(arg);
            let given =
                |a: &Arg| self.matches.value_source(a.get_id().as_str()) != Some(ValueSource::DefaultValue);
            let is_excluded = exclusive(&command, arg)
                .into_iter()
                .any(|a| given(a) && self.matches.value_source(a.get_id().as_str()).is_some() && !given(arg));
            let line = match value {
                Some(value) if is_excluded => format!("# {key} = {value}"),
                Some(value) => format!("{key} = {value}"),
                None => format!("# {key} ="),
            };
            // Writing to a String can't fail.
            let _ = write!(text, "\n# {}\n{line}\n", help.replace('\n', " "));
        }
        text
    }

    fn value(&self, arg: &Arg) -> Option<String> {
        let raw = self.matches.get_raw(arg.get_id().as_str());
        let mut values = raw.into_iter().flatten().map(|value| literal(&value.to_string_lossy()));
        match arg.get_action() {
            ArgAction::Append => Some(format!("[{}]", values.collect::<Vec<_>>().join(", "))),
            _ => values.next(),
        }
    }

    /// Writes it to `path`, whole or not at all. A file that says something else is kept beside it; its new name is the
    /// answer.
    pub fn save(&self, path: &Path) -> Result<Option<PathBuf>, ConfigError> {
        let text = self.to_toml();
        let kept = match fs::read(path) {
            Ok(old) if old == text.as_bytes() => return Ok(None),
            Ok(_) => Some(keep(path)?),
            Err(_) => None,
        };
        let fresh = beside(path, ".partial");
        write_synced(&fresh, text.as_bytes())?;
        fs::rename(&fresh, path).map_err(|source| ConfigError::Save { path: path.to_owned(), source })?;
        Ok(kept)
    }
}

/// A second name for the file at `path`, which nothing has yet.
fn keep(path: &Path) -> Result<PathBuf, ConfigError> {
    let stamp = names::now_stamp()?;
    let save = |source| ConfigError::Save { path: path.to_owned(), source };
    for n in 1..100 {
        let to =
            beside(path, &format!(".backup-{stamp}{}", if n == 1 { String::new() } else { format!("-{n}") }));
        match fs::hard_link(path, &to) {
            Ok(()) => return Ok(to),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(save(source)),
        }
    }
    Err(save(io::Error::other("there are a hundred backups of this second")))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// As TOML writes it; a number only where it reads back as the same text.
fn literal(text: &str) -> String {
    let is_number = text.parse::<i64>().is_ok_and(|n| n.to_string() == text)
        || text.parse::<f64>().is_ok_and(|x| x.is_finite() && text.contains('.') && x.to_string() == text);
    match is_number || text == "true" || text == "false" {
        true => text.to_owned(),
        false => toml::Value::String(text.to_owned()).to_string(),
    }
}
