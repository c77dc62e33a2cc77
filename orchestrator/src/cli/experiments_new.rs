//! `experiments --new` in a cluster: the pods go, and come again as `pods create` makes them.

use anyhow::{Result, anyhow, bail};
use clap::Parser;

use super::args::{Cli, Verb};
use super::experiments_args::ExperimentArgs;
use super::pods;
use super::pods_args::PodsVerb;

/// Deletes the pods that are there and creates as many pairs as were asked for. Both say where and how many, and ask.
pub async fn redeploy(args: &ExperimentArgs) -> Result<()> {
    let Some(pairs) = args.measure.pairs else {
        bail!("--new makes the pods again: say how many pairs, with -n");
    };
    let PodsVerb::Create(create) = typed("create", &create_words(args, pairs))? else {
        bail!("`pods create` is not what it was");
    };
    let PodsVerb::Delete(delete) = typed("delete", &shared_words(args))? else {
        bail!("`pods delete` is not what it was");
    };
    pods::execute_delete(&delete).await?;
    pods::execute_create(&create).await
}

fn typed(verb: &str, words: &[String]) -> Result<PodsVerb> {
    let head = ["orchestrator", "pods", verb].map(str::to_owned);
    match Cli::try_parse_from(head.into_iter().chain(words.iter().cloned())) {
        Ok(Cli { verb: Verb::Pods { verb } }) => Ok(verb),
        Ok(_) => Err(anyhow!("`pods {verb}` is not what it was")),
        Err(error) => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(anyhow!("`pods {verb}` does not take what --pods says: {first}"))
        }
    }
}

fn create_words(args: &ExperimentArgs, pairs: usize) -> Vec<String> {
    let mut words = vec![format!("--pairs={pairs}")];
    words.extend(args.same_node.then(|| "--same-node".to_owned()));
    words.extend(args.pods.iter().map(|option| format!("--{}", option.trim_start_matches('-'))));
    words.extend(shared_words(args));
    words
}

fn shared_words(args: &ExperimentArgs) -> Vec<String> {
    let cluster = &args.measure.cluster;
    let kubeconfig = cluster.kubeconfig.as_ref().map(|path| path.display().to_string());
    let named = [
        ("kubeconfig", kubeconfig),
        ("context", cluster.context.clone()),
        ("namespace", cluster.namespace.clone()),
    ];
    let mut words = vec![format!("--wait-timeout={}", args.wait_timeout)];
    words.extend(named.into_iter().filter_map(|(flag, value)| Some(format!("--{flag}={}", value?))));
    words.extend(args.action.yes.then(|| "--yes".to_owned()));
    words
}
