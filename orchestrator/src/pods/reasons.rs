//! Why a pod is not ready, in plain words, with the next step. Pure: a pod's own status in, sentences out.

use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};

use super::unschedulable;

/// How a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It can be used.
    Ready,
    /// Not yet, and why, where that is known.
    Waiting(Option<Trouble>),
}

/// What keeps a pod from being ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Kubernetes' own word: `Unschedulable`, `ImagePullBackOff`.
    pub reason: String,
    /// What it means, and what Kubernetes says.
    pub text: String,
    /// The next step.
    pub remedy: String,
    /// Whether it may pass without anybody's help.
    pub may_pass: bool,
    /// What else is worth a look.
    pub look: Look,
}

/// Where more is to be learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing more.
    Nowhere,
    /// The pod's events.
    Events,
    /// The events of its claim.
    ClaimEvents,
    /// What its container wrote.
    Log,
}

impl Trouble {
    fn new(reason: &str, text: String, remedy: &str, may_pass: bool, look: Look) -> Trouble {
        Trouble { reason: reason.to_owned(), text, remedy: remedy.to_owned(), may_pass, look }
    }
}

/// How this pod is.
pub fn health(pod: &Pod) -> Health {
    let Some(status) = &pod.status else { return Health::Waiting(None) };
    if pod.metadata.deletion_timestamp.is_some() {
        let text = "it is being deleted".to_owned();
        let remedy = "wait until it is gone (`orchestrator pods delete` waits), then create it again";
        return Health::Waiting(Some(Trouble::new("Terminating", text, remedy, false, Look::Nowhere)));
    }
    let phase = status.phase.as_deref().unwrap_or_default();
    if matches!(phase, "Failed" | "Succeeded") {
        return Health::Waiting(Some(ended(pod, phase)));
    }
    let condition = |kind| status.conditions.iter().flatten().find(|condition| condition.type_ == kind);
    if condition("Ready").is_some_and(|ready| ready.status == "True") {
        return Health::Ready;
    }
    if let Some(scheduled) = condition("PodScheduled").filter(|scheduled| scheduled.status == "False") {
        return Health::Waiting(Some(unschedulable::trouble(
            scheduled.message.as_deref().unwrap_or_default(),
        )));
    }
    let containers = status.container_statuses.iter().flatten();
    Health::Waiting(containers.filter(|container| !container.ready).find_map(container_trouble))
}

/// A pod that will never run again: evicted, or refused by the kubelet.
fn ended(pod: &Pod, phase: &str) -> Trouble {
    let status = pod.status.clone().unwrap_or_default();
    let reason = status.reason.unwrap_or_else(|| phase.to_owned());
    let message = status.message.unwrap_or_default();
    let remedy = match reason.as_str() {
        "Evicted" => {
            "the node ran short of what the message names; free some, delete the pod and create it again"
        }
        "TopologyAffinityError" => {
            "CPUs, hugepages and device are not free on one NUMA node, which the node's topology manager demands: ask \
             for fewer (-c, -g) or free some; then delete the pod and create it again"
        }
        "NodeAffinity" | "NodeShutdown" | "Terminated" => {
            "the node was restarted or shut down: delete the pod and create it again"
        }
        reason if reason.starts_with("OutOf") || reason == "UnexpectedAdmissionError" => {
            "the node had less left than the scheduler believed: delete the pod and create it again"
        }
        _ => "look at it with `kubectl describe pod`; delete it and create it again",
    };
    Trouble::new(&reason, with_message("the pod has ended", &message), remedy, false, Look::Nowhere)
}

fn container_trouble(container: &ContainerStatus) -> Option<Trouble> {
    let state = container.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        return waiting_trouble(container, reason, waiting.message.as_deref().unwrap_or_default());
    }
    if state.running.is_some() {
        let text = "the container runs, but its agent does not answer yet".to_owned();
        let remedy = "the image must be one whose agent speaks with this orchestrator (-i), and have CPU time to start";
        return Some(Trouble::new("NotReady", text, remedy, true, Look::Log));
    }
    // Between two starts.
    Some(crashed(container, "the container ended and is started again", true))
}

fn waiting_trouble(container: &ContainerStatus, reason: &str, message: &str) -> Option<Trouble> {
    let image = &container.image;
    let pull = "name an image that the nodes can pull with -i, load it onto the nodes, or see to the pull secret of the \
                service account";
    let trouble = match reason {
        "ErrImagePull" | "ImagePullBackOff" => {
            let text = with_message(&format!("the image {image} can't be pulled"), message);
            let look = if message.starts_with("Back-off") { Look::Events } else { Look::Nowhere };
            Trouble::new(reason, text, pull, !pull_is_hopeless(message), look)
        }
        "RegistryUnavailable" => {
            let text = with_message(&format!("the registry of {image} does not answer"), message);
            Trouble::new(reason, text, pull, true, Look::Nowhere)
        }
        "InvalidImageName" => {
            let text = format!("`{image}` is no name of an image");
            Trouble::new(reason, text, "correct -i", false, Look::Nowhere)
        }
        "ErrImageNeverPull" => {
            let text = format!("the image {image} is not on the node, and --image-pull-policy is Never");
            Trouble::new(
                reason,
                text,
                "load the image onto the node, or choose another policy",
                false,
                Look::Nowhere,
            )
        }
        "CreateContainerConfigError" => {
            let text = with_message("the container can't be set up", message);
            let remedy =
                "correct what the message names: an option of yours, the image's user, or your template";
            Trouble::new(reason, text, remedy, false, Look::Nowhere)
        }
        "CreateContainerError" | "RunContainerError" => {
            let text = with_message("the container can't be started", message);
            let remedy = "the image must hold the program `dataplane` (-i), and the node must allow what the pod asks for \
                          (--device, --privileged)";
            let may_pass = message.contains("deadline") || message.contains("timeout");
            Trouble::new(reason, text, remedy, may_pass, Look::Nowhere)
        }
        "CrashLoopBackOff" => crashed(container, "the container ends again and again", false),
        // ContainerCreating and PodInitializing are the way of every pod; if it takes long, events say why.
        _ => return None,
    };
    Some(trouble)
}

fn crashed(container: &ContainerStatus, what: &str, may_pass: bool) -> Trouble {
    let ended = |state: Option<&_>| -> Option<k8s_openapi::api::core::v1::ContainerStateTerminated> {
        let state: &k8s_openapi::api::core::v1::ContainerState = state?;
        state.terminated.clone()
    };
    let last = ended(container.state.as_ref()).or_else(|| ended(container.last_state.as_ref()));
    let (why, message, code) =
        last.map_or((None, None, 0), |last| (last.reason, last.message, last.exit_code));
    let why = why.unwrap_or_else(|| "Error".to_owned());
    let text = with_message(
        &format!("{what} ({why}, exit code {code}, {} restarts)", container.restart_count),
        message.as_deref().unwrap_or_default(),
    );
    let remedy = if why == "OOMKilled" {
        "it needs more memory than it may have: give more with -m"
    } else {
        "read its log; the image must be one with a `dataplane` of this release (-i)"
    };
    Trouble::new("CrashLoopBackOff", text, remedy, may_pass, Look::Log)
}

/// Whether pulling again will end the same way.
fn pull_is_hopeless(message: &str) -> bool {
    let message = message.to_lowercase();
    let signs = ["not found", "manifest unknown", "denied", "unauthorized", "no such host", "not exist"];
    signs.iter().any(|sign| message.contains(sign))
}

/// What an event of a pod or of its claim adds; none for those that tell of no trouble.
pub fn event_trouble(event: &Event) -> Option<Trouble> {
    if event.type_.as_deref() != Some("Warning") {
        return None;
    }
    let message = event.message.as_deref().unwrap_or_default();
    let reason = event.reason.as_deref().unwrap_or_default();
    let (what, remedy, may_pass) = match reason {
        "FailedCreatePodSandBox" if message.contains("network-attachment-definition") => (
            "its network can't be attached",
            "--network names a NetworkAttachmentDefinition; see `kubectl get network-attachment-definitions -A`",
            true,
        ),
        "FailedCreatePodSandBox" => (
            "its network can't be set up",
            "look at the CNI plugins of the node; it may pass when the node has just started",
            true,
        ),
        "FailedMount" | "FailedAttachVolume" => (
            "a volume can't be mounted",
            "for `output` see the storage class, or use --output-volume empty-dir; for `hugepage` the node must have \
             pages of --hugepage-size",
            true,
        ),
        "ProvisioningFailed" => {
            let no_class = message.contains("storageclass") && message.contains("not found");
            let remedy = "name a storage class of this cluster with --storage-class (`kubectl get storageclass` lists \
                          them), or do without with --output-volume empty-dir";
            ("there is no volume for its claim", remedy, !no_class)
        }
        "Failed" if message.contains("pull") => (
            "its image can't be pulled",
            "name an image that the nodes can pull with -i, or load it onto the nodes",
            !pull_is_hopeless(message),
        ),
        _ => return None,
    };
    Some(Trouble::new(reason, with_message(what, message), remedy, may_pass, Look::Nowhere))
}

pub(super) fn with_message(text: &str, message: &str) -> String {
    // The kubelet wraps one error in another, with the same words each time.
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if message.is_empty() { text.to_owned() } else { format!("{text}: {message}") }
}

#[cfg(test)]
#[path = "reasons_tests.rs"]
mod tests;
