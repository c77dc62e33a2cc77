//! What happens to a pod: scheduling, containers, readiness, its end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::kinds::Kind;
use crate::state::{Cluster, Fake};
use crate::store::Store;
use crate::{pod_agent, scheduler, times};

/// Takes care of a new pod.
pub fn adopt(fake: &Fake, pod: &Value) {
    let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default().to_owned();
    tokio::spawn(life(fake.clone(), text("namespace"), text("name"), text("uid")));
}

async fn life(fake: Fake, namespace: String, name: String, uid: String) {
    let pod = Pod { fake: &fake, namespace: &namespace, name: &name, uid: &uid };
    if !pod.schedule().await {
        return;
    }
    sleep(Duration::from_millis(fake.args.ready_delay_ms / 2)).await;
    if !pod.start() {
        return;
    }
    sleep(Duration::from_millis(fake.args.ready_delay_ms.div_ceil(2))).await;
    while fake.args.ready_after_faults && !fake.faults.all().is_empty() {
        sleep(Duration::from_millis(20)).await;
    }
    let is_never_ready = fake.faults.is_never_ready(&name);
    pod.change(|store, pod| match is_never_ready {
        true => unhealthy(store, pod),
        false => set_ready(pod, true),
    });
}

/// One pod, as long as it is this one.
struct Pod<'a> {
    fake: &'a Cluster,
    namespace: &'a str,
    name: &'a str,
    uid: &'a str,
}

impl Pod<'_> {
    fn look(&self, store: &Store) -> Option<Arc<Value>> {
        store.get(Kind::Pod, self.namespace, self.name).filter(|pod| pod["metadata"]["uid"] == *self.uid)
    }

    /// Changes it; nothing where it is gone.
    fn change<T>(&self, act: impl FnOnce(&mut Store, &mut Value) -> T) -> Option<T> {
        let mut store = self.fake.store();
        let mut pod = (*self.look(&store)?).clone();
        let done = act(&mut store, &mut pod);
        store.put(Kind::Pod, pod);
        Some(done)
    }

    /// Waits until there is room for it; false when it is gone first.
    async fn schedule(&self) -> bool {
        loop {
            let mut room = std::pin::pin!(self.fake.room.notified());
            room.as_mut().enable();
            let placed = self.change(|store, pod| {
                let bound = pod["spec"]["nodeName"].as_str().map(str::to_owned);
                match bound.map_or_else(|| scheduler::place(store, pod), Ok) {
                    Ok(node) => bind(store, pod, &node),
                    Err(why) => refuse(store, pod, &why),
                }
            });
            match placed {
                None => return false,
                Some(true) => return true,
                Some(false) => room.await,
            }
        }
    }

    /// Its containers; false where they don't run.
    fn start(&self) -> bool {
        let runs = self.change(|store, pod| {
            let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned();
            if image.contains("missing") {
                wait_for_image(store, pod, &image);
                return false;
            }
            if image.contains("crash") {
                crash(store, pod);
                return false;
            }
            run(store, pod);
            true
        });
        if runs != Some(true) {
            return false;
        }
        let pod = self.look(&self.fake.store());
        if let Some(pod) = pod {
            pod_agent::start(self.fake, &pod);
        }
        true
    }
}

fn bind(store: &mut Store, pod: &mut Value, node: &str) -> bool {
    pod["spec"]["nodeName"] = node.into();
    condition(pod, "PodScheduled", true, None);
    let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default();
    let message = format!("Successfully assigned {}/{} to {node}", text("namespace"), text("name"));
    store.event(pod, "default-scheduler", "Normal", "Scheduled", &message);
    true
}

fn refuse(store: &mut Store, pod: &mut Value, why: &str) -> bool {
    condition(pod, "PodScheduled", false, Some(("Unschedulable", why)));
    store.event(pod, "default-scheduler", "Warning", "FailedScheduling", why);
    false
}

/// It has its node.
pub fn scheduled(pod: &mut Value) {
    condition(pod, "PodScheduled", true, None);
}

/// Sets a condition; its transition time only when it changes.
fn condition(pod: &mut Value, kind: &str, is: bool, why: Option<(&str, &str)>) {
    let status = if is { "True" } else { "False" };
    let conditions = &mut pod["status"]["conditions"];
    if conditions.is_null() {
        *conditions = json!([]);
    }
    let all = conditions.as_array_mut().unwrap();
    let same = |c: &Value| c["type"] == kind && c["status"] == status;
    let since =
        all.iter().find(|c| same(c)).map_or_else(|| times::now().into(), |c| c["lastTransitionTime"].clone());
    all.retain(|c| c["type"] != kind);
    let mut fresh =
        json!({"type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": since});
    if let Some((reason, message)) = why {
        fresh["reason"] = reason.into();
        fresh["message"] = message.into();
    }
    all.push(fresh);
}

fn containers(pod: &Value) -> Vec<Value> {
    pod["spec"]["containers"].as_array().cloned().unwrap_or_default()
}

fn statuses(pod: &mut Value, state: &Value, is_ready: bool) {
    let restarts = pod["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap_or(0);
    let one = |container: Value| {
        let runs = state.get("running").is_some();
        json!({"name": container["name"], "image": container["image"], "imageID": "", "ready": is_ready,
               "started": runs, "restartCount": restarts, "state": state, "lastState": {},
               "containerID": if runs { "containerd://0123456789abcdef" } else { "" }})
    };
    pod["status"]["containerStatuses"] = containers(pod).into_iter().map(one).collect();
}

/// A running pod that is not ready yet.
pub fn run(store: &mut Store, pod: &mut Value) {
    let node = pod["spec"]["nodeName"].as_str().and_then(|n| store.get(Kind::Node, "", n));
    let host_ip = node.map_or(Value::Null, |n| n["status"]["addresses"][0]["address"].clone());
    let ip = pod_agent::address(store, pod);
    pod["status"]["phase"] = "Running".into();
    pod["status"]["hostIP"] = host_ip;
    pod["status"]["podIP"] = ip.clone().into();
    pod["status"]["podIPs"] = json!([{ "ip": ip }]);
    pod["status"]["startTime"] = times::now().into();
    condition(pod, "Initialized", true, None);
    let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned();
    let name = pod["spec"]["containers"][0]["name"].as_str().unwrap_or_default().to_owned();
    store.event(
        pod,
        "kubelet",
        "Normal",
        "Pulled",
        &format!("Container image \"{image}\" already present on machine"),
    );
    store.event(pod, "kubelet", "Normal", "Created", &format!("Created container: {name}"));
    store.event(pod, "kubelet", "Normal", "Started", &format!("Started container {name}"));
    statuses(pod, &json!({"running": {"startedAt": times::now()}}), false);
    set_ready(pod, false);
}

pub fn set_ready(pod: &mut Value, is_ready: bool) {
    let names: Vec<String> =
        containers(pod).iter().filter_map(|c| c["name"].as_str()).map(str::to_owned).collect();
    let unready = format!("containers with unready status: [{}]", names.join(" "));
    let why = (!is_ready).then_some(("ContainersNotReady", unready.as_str()));
    condition(pod, "ContainersReady", is_ready, why);
    condition(pod, "Ready", is_ready, why);
    for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
        status["ready"] = is_ready.into();
    }
}

fn unhealthy(store: &mut Store, pod: &Value) {
    let why = "Readiness probe failed: dataplane agent --check: nothing answers at 127.0.0.1:8480";
    store.event(pod, "kubelet", "Warning", "Unhealthy", why);
}

fn wait_for_image(store: &mut Store, pod: &mut Value, image: &str) {
    let failed = format!(
        "failed to pull and unpack image \"{image}\": failed to resolve reference: {image}: not found"
    );
    let why = format!("Back-off pulling image \"{image}\": ErrImagePull: {failed}");
    store.event(pod, "kubelet", "Normal", "Pulling", &format!("Pulling image \"{image}\""));
    store.event(pod, "kubelet", "Warning", "Failed", &format!("Failed to pull image \"{image}\": {failed}"));
    store.event(pod, "kubelet", "Warning", "Failed", "Error: ErrImagePull");
    store.event(pod, "kubelet", "Normal", "BackOff", &format!("Back-off pulling image \"{image}\""));
    store.event(pod, "kubelet", "Warning", "Failed", "Error: ImagePullBackOff");
    condition(pod, "Initialized", true, None);
    statuses(pod, &json!({"waiting": {"reason": "ErrImagePull", "message": failed}}), false);
    set_ready(pod, false);
    store.put(Kind::Pod, pod.clone());
    statuses(pod, &json!({"waiting": {"reason": "ImagePullBackOff", "message": why}}), false);
}

fn crash(store: &mut Store, pod: &mut Value) {
    run(store, pod);
    let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default();
    let container = pod["spec"]["containers"][0]["name"].as_str().unwrap_or_default();
    let who = format!("container={container} pod={}_{}({})", text("name"), text("namespace"), text("uid"));
    let why = format!("back-off 20s restarting failed {who}");
    store.event(
        pod,
        "kubelet",
        "Warning",
        "BackOff",
        &format!(
            "Back-off restarting failed container {container} in pod {}_{}({})",
            text("name"),
            text("namespace"),
            text("uid")
        ),
    );
    statuses(pod, &json!({"waiting": {"reason": "CrashLoopBackOff", "message": why}}), false);
    for status in pod["status"]["containerStatuses"].as_array_mut().unwrap() {
        status["restartCount"] = 2.into();
        status["lastState"] = json!({"terminated": {"exitCode": 1, "reason": "Error",
            "startedAt": times::now(), "finishedAt": times::now()}});
    }
    set_ready(pod, false);
}

/// Ends a pod that was told to, after what its containers take.
pub fn end(fake: &Fake, pod: &Value) {
    let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default().to_owned();
    let (namespace, name, uid) = (text("namespace"), text("name"), text("uid"));
    let fake = fake.clone();
    tokio::spawn(async move {
        sleep(Duration::from_millis(fake.args.delete_delay_ms)).await;
        let pod = Pod { fake: &fake, namespace: &namespace, name: &name, uid: &uid };
        if pod.look(&fake.store()).is_some() {
            remove(&fake, &namespace, &name, &uid);
        }
    });
}

/// The end of a pod: its streams are cut, its claims may go, its room is free.
pub fn remove(fake: &Cluster, namespace: &str, name: &str, uid: &str) {
    let mut store = fake.store();
    store.remove(Kind::Pod, namespace, name);
    let claims: Vec<Arc<Value>> = store.list(Kind::Claim, Some(namespace));
    for claim in claims.iter().filter(|c| !c["metadata"]["deletionTimestamp"].is_null()) {
        let claim_name = claim["metadata"]["name"].as_str().unwrap();
        if !is_in_use(&store, namespace, claim_name) {
            store.remove(Kind::Claim, namespace, claim_name);
        }
    }
    drop(store);
    fake.owners().forget(&(Kind::Pod, namespace.to_owned(), name.to_owned()));
    fake.remove_agent(uid);
    fake.room.notify_waiters();
}

/// Whether a pod has this claim for a volume.
pub fn is_in_use(store: &Store, namespace: &str, claim: &str) -> bool {
    let uses = |pod: &Arc<Value>| {
        let volumes = pod["spec"]["volumes"].as_array();
        volumes.into_iter().flatten().any(|v| v["persistentVolumeClaim"]["claimName"] == *claim)
    };
    store.list(Kind::Pod, Some(namespace)).iter().any(uses)
}

/// The kubelet needs what the pod takes: the pod ends, and stays to tell why.
pub fn evict(fake: &Cluster, namespace: &str, name: &str) {
    let mut store = fake.store();
    let Some(pod) = store.get(Kind::Pod, namespace, name) else { return };
    let mut pod = (*pod).clone();
    let why = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. ";
    store.event(&pod, "kubelet", "Warning", "Evicted", why);
    pod["status"]["phase"] = "Failed".into();
    pod["status"]["reason"] = "Evicted".into();
    pod["status"]["message"] = why.into();
    let ended = json!({"terminated": {"exitCode": 137, "reason": "Error",
        "startedAt": times::now(), "finishedAt": times::now()}});
    statuses(&mut pod, &ended, false);
    set_ready(&mut pod, false);
    let uid = pod["metadata"]["uid"].as_str().unwrap().to_owned();
    store.put(Kind::Pod, pod);
    drop(store);
    fake.remove_agent(&uid);
    fake.room.notify_waiters();
}

/// The container ends and is started again; what the agent has on disk is kept.
pub async fn restart(fake: &Fake, namespace: &str, name: &str) {
    let Some(pod) = fake.store().get(Kind::Pod, namespace, name) else { return };
    let uid = pod["metadata"]["uid"].as_str().unwrap().to_owned();
    let one = Pod { fake, namespace, name, uid: &uid };
    one.change(|_, pod| {
        for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
            status["restartCount"] = (status["restartCount"].as_u64().unwrap_or(0) + 1).into();
            status["lastState"] = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled",
                "startedAt": times::now(), "finishedAt": times::now()}});
        }
        set_ready(pod, false);
    });
    let agent = fake.agent(&uid);
    fake.remove_agent(&uid);
    sleep(Duration::from_millis(fake.args.ready_delay_ms)).await;
    if let Some(agent) = agent {
        agent.agent.restart();
        fake.add_agent(&uid, agent.agent);
    }
    one.change(|_, pod| set_ready(pod, true));
}
