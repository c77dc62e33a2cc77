use serde_json::{Value, json};

use super::*;

fn pod(status: Value) -> Pod {
    serde_json::from_value(json!({"metadata": {"name": "tx0"}, "status": status})).unwrap()
}

fn container(state: Value, more: Value) -> Pod {
    let mut status = json!({"name": "tx0", "image": "r.example/x:1", "imageID": "", "ready": false,
        "restartCount": 0, "state": state});
    status.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    pod(json!({"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"},
        {"type": "PodScheduled", "status": "True"}], "containerStatuses": [status]}))
}

fn waiting(reason: &str, message: &str) -> Option<Trouble> {
    trouble(&container(json!({"waiting": {"reason": reason, "message": message}}), json!({})))
}

fn trouble(pod: &Pod) -> Option<Trouble> {
    match health(pod) {
        Health::Ready => panic!("it is ready"),
        Health::Waiting(trouble) => trouble,
    }
}

#[test]
fn a_pod_is_ready_when_kubernetes_says_so() {
    assert_eq!(health(&pod(json!({"conditions": [{"type": "Ready", "status": "True"}]}))), Health::Ready);
    assert_eq!(health(&pod(json!({"phase": "Pending"}))), Health::Waiting(None));
    assert_eq!(waiting("ContainerCreating", ""), None);
}

#[test]
fn a_pod_that_is_going_or_has_ended_is_never_ready() {
    let mut going = pod(json!({"conditions": [{"type": "Ready", "status": "True"}]}));
    going.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
    assert_eq!(trouble(&going).unwrap().reason, "Terminating");
    let evicted = pod(json!({"phase": "Failed", "reason": "Evicted",
        "message": "The node was low on resource: memory. "}));
    let evicted = trouble(&evicted).unwrap();
    assert_eq!(evicted.text, "the pod has ended: The node was low on resource: memory.");
    assert!(!evicted.may_pass && evicted.reason == "Evicted");
    let topology = pod(json!({"phase": "Failed", "reason": "TopologyAffinityError",
        "message": "Resources cannot be allocated with Topology locality"}));
    assert!(trouble(&topology).unwrap().remedy.contains("one NUMA node"));
}

#[test]
fn pulls_are_given_up_only_when_the_image_can_not_come() {
    let missing = waiting(
        "ErrImagePull",
        "rpc error: code = NotFound desc = failed to pull and unpack image \"r.example/x:1\": failed to resolve \
         reference \"r.example/x:1\": r.example/x:1: not found",
    )
    .unwrap();
    assert!(!missing.may_pass);
    assert!(
        missing.text.starts_with("the image r.example/x:1 can't be pulled: rpc error"),
        "{}",
        missing.text
    );
    assert!(missing.remedy.contains("-i"));
    let busy = waiting("ErrImagePull", "dial tcp 10.0.0.1:443: i/o timeout").unwrap();
    assert!(busy.may_pass);
    // The reason was in the word before; events have it.
    let backing_off = waiting("ImagePullBackOff", "Back-off pulling image \"r.example/x:1\"").unwrap();
    assert_eq!((backing_off.may_pass, backing_off.look), (true, Look::Events));
}

#[test]
fn what_will_not_heal_is_known() {
    let cases = [
        ("InvalidImageName", "Failed to apply default image tag", "is no name of an image"),
        ("ErrImageNeverPull", "Container image is not present with pull policy of Never", "is Never"),
        (
            "CreateContainerConfigError",
            "container has runAsNonRoot and image will run as root",
            "runAsNonRoot",
        ),
        (
            "RunContainerError",
            "exec: \"dataplane\": executable file not found in $PATH",
            "executable file not found",
        ),
    ];
    for (reason, message, text) in cases {
        let trouble = waiting(reason, message).unwrap();
        assert!(trouble.text.contains(text) && !trouble.may_pass, "{reason}: {}", trouble.text);
    }
    assert!(waiting("CreateContainerError", "context deadline exceeded").unwrap().may_pass);
}

#[test]
fn a_crash_says_how_it_ended() {
    let ended = |reason: &str| json!({"restartCount": 2, "lastState": {"terminated": {"exitCode": 137, "reason": reason}}});
    let state = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}});
    let crash = trouble(&container(state.clone(), ended("Error"))).unwrap();
    assert_eq!(crash.text, "the container ends again and again (Error, exit code 137, 2 restarts)");
    assert_eq!((crash.may_pass, crash.look), (false, Look::Log));
    assert!(trouble(&container(state, ended("OOMKilled"))).unwrap().remedy.contains("-m"));
    // Between two starts there is hope.
    let state = json!({"terminated": {"exitCode": 1, "reason": "Error"}});
    assert!(trouble(&container(state, json!({}))).unwrap().may_pass);
    let silent = trouble(&container(json!({"running": {}}), json!({}))).unwrap();
    assert!(silent.may_pass && silent.text.contains("does not answer yet"));
}

#[test]
fn events_add_what_the_pod_does_not_say() {
    let event = |kind: &str, reason: &str, message: &str| -> Event {
        let value = json!({"metadata": {"name": "e"}, "involvedObject": {}, "type": kind, "reason": reason,
            "message": message});
        serde_json::from_value(value).unwrap()
    };
    let said = |reason, message| event_trouble(&event("Warning", reason, message)).unwrap();
    let multus = said(
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: ... cannot find a network-attachment-definition (sriov-a) in \
         namespace (bench)",
    );
    assert!(multus.remedy.contains("--network") && multus.may_pass);
    let class = said("ProvisioningFailed", "storageclass.storage.k8s.io \"fast-disks\" not found");
    assert!(class.remedy.contains("--storage-class") && !class.may_pass);
    assert!(said("ProvisioningFailed", "failed to provision volume: quota").may_pass);
    assert!(!said("Failed", "Failed to pull image \"x\": rpc error: x: not found").may_pass);
    assert!(
        said("FailedMount", "MountVolume.SetUp failed for volume \"hugepage\"")
            .text
            .contains("can't be mounted")
    );
    assert_eq!(event_trouble(&event("Normal", "Pulling", "Pulling image")), None);
    assert_eq!(event_trouble(&event("Warning", "Unhealthy", "Startup probe failed")), None);
}
