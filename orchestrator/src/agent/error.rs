//! What can go wrong between the orchestrator and an agent.

use std::io;
use std::time::Duration;

use traffic::wire;

/// A conversation with an agent that did not come off. Each text names the agent.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Nobody answers there.
    #[error("the agent of {agent} does not answer at {place}: {source}; look whether it still runs")]
    Connect {
        /// The pod.
        agent: String,
        /// Where it was called.
        place: String,
        /// What the connection said.
        source: std::io::Error,
    },
    /// It answers, but not in time.
    #[error(
        "waited {} s for the agent of {agent} to answer {what}; look whether its machine is overloaded",
        limit.as_secs_f64()
    )]
    Timeout {
        /// The pod.
        agent: String,
        /// Method and path.
        what: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The answer broke off.
    #[error("the agent of {agent} broke off its answer to {what}: {reason}")]
    Broken {
        /// The pod.
        agent: String,
        /// Method and path.
        what: String,
        /// What the transport said.
        reason: String,
    },
    /// It refuses; its own sentence says why.
    #[error("{agent}: {message}")]
    Refused {
        /// The pod.
        agent: String,
        /// HTTP status.
        status: u16,
        /// The agent's sentence.
        message: String,
    },
    /// It answers something else than was asked.
    #[error("the agent of {agent} answers {what} with something this orchestrator can't read: {reason}")]
    Unreadable {
        /// The pod.
        agent: String,
        /// Method and path.
        what: String,
        /// What the reader said.
        reason: String,
    },
    /// Another version of the language between them.
    #[error(
        "the agent of {agent} (dataplane {release}) speaks version {theirs} of the protocol and this orchestrator \
         version {}: use binaries or images of the same release",
        wire::VERSION
    )]
    Version {
        /// The pod.
        agent: String,
        /// The agent's release.
        release: String,
        /// The agent's version.
        theirs: u32,
    },
    /// It will never answer again.
    #[error("{agent} is lost: {reason}")]
    Lost {
        /// The pod.
        agent: String,
        /// What became of it.
        reason: String,
    },
    /// A run did not get where it should in time.
    #[error("waited {} s for the run on {agent} to be {awaited}; it is still {state}", limit.as_secs_f64())]
    Stuck {
        /// The pod.
        agent: String,
        /// The state that was waited for.
        awaited: &'static str,
        /// The state it is in.
        state: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The engine said that it failed.
    #[error("{agent}: {error}")]
    RunFailed {
        /// The pod.
        agent: String,
        /// The engine's sentence.
        error: String,
    },
}

impl AgentError {
    /// The pod whose agent it was.
    pub fn agent(&self) -> &str {
        match self {
            AgentError::Connect { agent, .. }
            | AgentError::Timeout { agent, .. }
            | AgentError::Broken { agent, .. }
            | AgentError::Refused { agent, .. }
            | AgentError::Unreadable { agent, .. }
            | AgentError::Version { agent, .. }
            | AgentError::Lost { agent, .. }
            | AgentError::Stuck { agent, .. }
            | AgentError::RunFailed { agent, .. } => agent,
        }
    }

    /// Whether asking again may help: the way to the agent failed, not the agent.
    pub fn is_transient(&self) -> bool {
        match self {
            AgentError::Connect { source, .. } => source.kind() != io::ErrorKind::PermissionDenied,
            AgentError::Timeout { .. } | AgentError::Broken { .. } => true,
            _ => false,
        }
    }
}
