//! What an API server can say, in plain words. Each text names the thing, the value and the next step.

use std::time::Duration;

use kube::core::Status;

use super::client::Cluster;
use super::retry::{chain, is_certificate};

/// A conversation with a cluster that did not come off. `what` reads on from "can't".
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Nothing says where the cluster is.
    #[error("no cluster to talk to: {0}; name a kubeconfig with --kubeconfig FILE or $KUBECONFIG")]
    NoKubeconfig(String),
    /// The kubeconfig has no current context.
    #[error("the kubeconfig has no current context: choose one with --context NAME{}", listed(known))]
    NoContext {
        /// Names in the file.
        known: Vec<String>,
    },
    /// The kubeconfig has no such context.
    #[error("the kubeconfig has no context `{context}`{}", listed(known))]
    UnknownContext {
        /// What was asked for.
        context: String,
        /// Names in the file.
        known: Vec<String>,
    },
    /// The kubeconfig or the service account can't be used.
    #[error("the configuration of context {place} can't be used: {reason}; see whether kubectl can use it")]
    Configuration {
        /// The context.
        place: String,
        /// What the reader said.
        reason: String,
    },
    /// Nobody there.
    #[error(
        "can't {what}: the API server {server} (context {context}) can't be reached{}: {reason}; look at the \
         context's address, the network and whether the server runs",
        times(*tries)
    )]
    Unreachable {
        /// What was tried.
        what: String,
        /// Its URL.
        server: String,
        /// The context.
        context: String,
        /// How often it was tried.
        tries: u32,
        /// What the connection said.
        reason: String,
    },
    /// The way is not trusted.
    #[error(
        "can't {what}: no trusted connection to {server} (context {context}): {reason}; see the certificates of \
         this context in the kubeconfig, and the clock of this machine"
    )]
    Certificate {
        /// What was tried.
        what: String,
        /// Its URL.
        server: String,
        /// The context.
        context: String,
        /// What TLS said.
        reason: String,
    },
    /// 401.
    #[error(
        "can't {what}: {server} does not know who asks: the credentials of context {context} are \
         wrong or have expired; log in again"
    )]
    Unauthorized {
        /// What was tried.
        what: String,
        /// Its URL.
        server: String,
        /// The context.
        context: String,
    },
    /// 403 by RBAC.
    #[error(
        "can't {what}: the rights of context {context} don't reach that far: {message}; `orchestrator pods rbac -N \
         {namespace}` prints the Role that is needed, for somebody who may grant it"
    )]
    Forbidden {
        /// What was tried.
        what: String,
        /// The context.
        context: String,
        /// Ours.
        namespace: String,
        /// The server's sentence: verb, resource, namespace.
        message: String,
    },
    /// 403 by an admission plugin.
    #[error("can't {what}: the cluster does not admit it: {message}; {remedy}")]
    NotAdmitted {
        /// What was tried.
        what: String,
        /// The server's sentence.
        message: String,
        /// The next step.
        remedy: &'static str,
    },
    /// 403 in a namespace that is new, or where nobody makes accounts.
    #[error(
        "can't {what}: namespace {namespace} has no service account `default`, which its pods need and the cluster's \
         controller manager makes for every namespace: {message}; see whether `kubectl -n {namespace} get serviceaccount \
         default` finds it by now, else whether the controller manager runs (`kubectl -n kube-system get pods`)"
    )]
    NoAccount {
        /// What was tried.
        what: String,
        /// Ours.
        namespace: String,
        /// The server's sentence.
        message: String,
    },
    /// 404.
    #[error("can't {what}: not found: {message}")]
    NotFound {
        /// What was tried.
        what: String,
        /// The server's sentence.
        message: String,
    },
    /// 409.
    #[error(
        "can't {what}: somebody else has changed it: {message}; nothing of theirs is overwritten: delete it first if \
         it may go"
    )]
    Conflict {
        /// What was tried.
        what: String,
        /// The server's sentence.
        message: String,
    },
    /// 422 and 400.
    #[error("can't {what}: the server finds fault with it: {message}")]
    Invalid {
        /// What was tried.
        what: String,
        /// The server's sentence.
        message: String,
    },
    /// 429 and 5xx, again and again.
    #[error(
        "can't {what}: {server} answered {code} {tries} times, at last: {message}; it is overloaded or broken: look \
         at it and try again"
    )]
    Busy {
        /// What was tried.
        what: String,
        /// Its URL.
        server: String,
        /// HTTP status.
        code: u16,
        /// How often.
        tries: u32,
        /// The server's sentence.
        message: String,
    },
    /// No answer.
    #[error(
        "can't {what}: {server} (context {context}) did not answer within {} s, {tries} times; look whether it is \
         overloaded",
        limit.as_secs()
    )]
    Slow {
        /// What was tried.
        what: String,
        /// Its URL.
        server: String,
        /// The context.
        context: String,
        /// For one answer.
        limit: Duration,
        /// How often.
        tries: u32,
    },
    /// All else.
    #[error("can't {what}: {reason}")]
    Other {
        /// What was tried.
        what: String,
        /// What kube said.
        reason: String,
    },
    /// Nobody to ask.
    #[error("to {what}, say --yes: there is no terminal to ask on")]
    NeedsYes {
        /// What would be done.
        what: String,
    },
    /// Asked, and not wanted.
    #[error("nothing was changed")]
    Declined,
}

impl ClusterError {
    /// What kube said, in our words; `tries` is how often the call was made.
    pub fn of(cluster: &Cluster, what: &str, tries: u32, error: kube::Error) -> ClusterError {
        let (what, server, context) = (what.to_owned(), cluster.server.clone(), cluster.context.clone());
        match error {
            kube::Error::Api(status) => of_status(cluster, what, tries, *status),
            kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => {
                let reason = reason(&error);
                if is_certificate(&reason) {
                    ClusterError::Certificate { what, server, context, reason }
                } else {
                    ClusterError::Unreachable { what, server, context, tries, reason }
                }
            }
            error => ClusterError::Other { what, reason: reason(&error) },
        }
    }

    /// No answer in time.
    pub fn slow(cluster: &Cluster, what: &str, tries: u32, limit: Duration) -> ClusterError {
        ClusterError::Slow {
            what: what.to_owned(),
            server: cluster.server.clone(),
            context: cluster.context.clone(),
            limit,
            tries,
        }
    }
}

fn of_status(cluster: &Cluster, what: String, tries: u32, status: Status) -> ClusterError {
    let Status { code, message, .. } = status;
    let (server, context) = (cluster.server.clone(), cluster.context.clone());
    match code {
        401 => ClusterError::Unauthorized { what, server, context },
        // Credentials that a server can't make out are those of anybody.
        403 if message.contains("\"system:anonymous\"") => {
            ClusterError::Unauthorized { what, server, context }
        }
        403 if lacks_account(&message) => {
            ClusterError::NoAccount { what, namespace: cluster.namespace.clone(), message }
        }
        403 => match admission_remedy(&message) {
            Some(remedy) => ClusterError::NotAdmitted { what, message, remedy },
            None => {
                let namespace = cluster.namespace.clone();
                ClusterError::Forbidden { what, context, namespace, message }
            }
        },
        404 => ClusterError::NotFound { what, message },
        409 => ClusterError::Conflict { what, message: one_line(&message) },
        400 | 422 => ClusterError::Invalid { what, message },
        429 | 500..=599 => ClusterError::Busy { what, server, code, tries, message },
        _ => ClusterError::Other { what, reason: format!("{code} {message}") },
    }
}

/// The account that every namespace has; others are for whoever names them in a template to make.
fn lacks_account(message: &str) -> bool {
    message.contains("error looking up service account")
        && message.contains("serviceaccount \"default\" not found")
}

/// 403 is also what admission plugins say; no Role helps against those.
fn admission_remedy(message: &str) -> Option<&'static str> {
    if message.contains("exceeded quota") || message.contains("failed quota") {
        Some("ask for fewer pairs or less per pod, or have the namespace's ResourceQuota raised")
    } else if message.contains("violates PodSecurity") {
        Some(
            "choose another namespace with -N, or have this one labelled \
             pod-security.kubernetes.io/enforce=privileged (DPDK pods need IPC_LOCK, which the baseline level bars)",
        )
    } else if message.contains("error looking up service account") {
        Some("make the service account that the template names, or leave it out of the template")
    } else if message.contains("being terminated") {
        Some("wait until the namespace is gone, or choose another with -N")
    } else if message.contains("cannot ") && message.contains("resource ") {
        None
    } else {
        Some("ask who runs the cluster which policy that is")
    }
}

/// The list of a conflict's fields, each once, on the line of its headline.
fn one_line(message: &str) -> String {
    let mut lines: Vec<&str> = message.lines().map(|line| line.trim_start_matches("- ").trim()).collect();
    lines.dedup();
    let (head, fields) = lines.split_at(lines.len().min(1));
    [head.join(" "), fields.join(", ")].join(" ").trim().to_owned()
}

fn reason(error: &kube::Error) -> String {
    match error {
        kube::Error::Service(cause) => chain(cause.as_ref()),
        error => chain(error),
    }
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; it has: {}", known.join(", ")) }
}

fn times(tries: u32) -> String {
    if tries > 1 { format!(" ({tries} times tried)") } else { String::new() }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
