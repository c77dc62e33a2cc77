//! The program under other names: `kubectl-dpdkbench`, so that `kubectl dpdkbench …` works, and
//! `kubectl_complete-dpdkbench`, which kubectl asks for completions of that.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use clap::{Arg, Command, CommandFactory};

use super::args::Cli;
use crate::say;

const PLUGIN: &str = "kubectl-dpdkbench";
const COMPLETER: &str = "kubectl_complete-dpdkbench";

/// kubectl's own: what is offered is all there is, or files may follow.
const NO_FILES: u32 = 4;
const FILES_TOO: u32 = 0;

fn called_as(words: &[OsString], name: &str) -> bool {
    words.first().is_some_and(|word| Path::new(word).file_name() == Some(OsStr::new(name)))
}

/// The command under the name that users know it by.
pub fn command(words: &[OsString]) -> Command {
    let command = Cli::command();
    if called_as(words, PLUGIN) { command.bin_name("kubectl dpdkbench") } else { command }
}

/// Answers kubectl, if it is kubectl that asks.
pub fn complete(words: &[OsString]) -> Option<ExitCode> {
    if !called_as(words, COMPLETER) {
        return None;
    }
    let words: Vec<String> = words.iter().skip(1).map(|w| w.to_string_lossy().into_owned()).collect();
    let (offers, directive) = offers(&words);
    for offer in offers {
        drop(say::out(offer));
    }
    drop(say::out(format_args!(":{directive}")));
    Some(ExitCode::SUCCESS)
}

/// What may stand for the last of `words`, and whether files may too.
fn offers(words: &[String]) -> (Vec<String>, u32) {
    let mut cli = Cli::command();
    cli.build();
    let (last, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let mut command = &cli;
    for word in before {
        command = command.find_subcommand(word).unwrap_or(command);
    }
    let starting = |all: Vec<String>| all.into_iter().filter(|o| o.starts_with(last)).collect::<Vec<_>>();
    if let Some(flag) = before.last().and_then(|word| flag(command, word)) {
        let values = starting(values(flag));
        let directive = if values.is_empty() { FILES_TOO } else { NO_FILES };
        return (values, directive);
    }
    if last.starts_with('-') {
        let flags = command.get_arguments().filter_map(|arg| Some(format!("--{}", arg.get_long()?)));
        return (starting(flags.collect()), NO_FILES);
    }
    let verbs = starting(command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect());
    let directive = if command.has_subcommands() { NO_FILES } else { FILES_TOO };
    (verbs, directive)
}

/// The flag that waits for a value in the next word.
fn flag<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let is_it = |arg: &&Arg| {
        arg.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long))
            || arg.get_short().is_some_and(|short| word == format!("-{short}"))
    };
    command.get_arguments().find(is_it).filter(|arg| arg.get_action().takes_values())
}

fn values(arg: &Arg) -> Vec<String> {
    arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> (Vec<String>, u32) {
        offers(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn kubectl_is_offered_verbs_flags_and_values() {
        let (verbs, directive) = offered("");
        assert!(verbs.contains(&"experiments".to_owned()) && verbs.contains(&"run".to_owned()));
        assert_eq!(directive, NO_FILES);
        assert_eq!(offered("exp").0, ["experiments"]);
        assert_eq!(offered("flows g").0, ["generate"]);
        assert!(offered("experiments --ret").0.contains(&"--retries".to_owned()));
        assert_eq!(offered("run --output j"), (vec!["json".to_owned()], NO_FILES));
        assert_eq!(offered("run --profile x"), (Vec::new(), FILES_TOO));
    }

    #[test]
    fn usage_names_what_was_typed() {
        let usage = |name: &str| {
            let words = [name, "run"].map(OsString::from).to_vec();
            command(&words).try_get_matches_from(&words).unwrap_err().to_string()
        };
        assert!(
            usage("/x/kubectl-dpdkbench").contains("Usage: kubectl dpdkbench run"),
            "{}",
            usage("kubectl-dpdkbench")
        );
        assert!(usage("/x/orchestrator").contains("Usage: orchestrator run"));
    }
}
