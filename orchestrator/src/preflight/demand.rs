//! What one pod asks of its node: as it was made, or as `pods create` would make it.

use k8s_openapi::api::core::v1::{Container, Pod};

use super::amounts::{Amounts, add, of_quantities};
use crate::pods::quantity::{Amount, Cpu, PageSize};
use crate::pods::settings::DeviceResource;

/// What the user says of pods to come; what is not said is as existing pods have it, else as `pods create` does.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// `-c`.
    pub cpu: Option<Cpu>,
    /// `-m`.
    pub memory: Option<Amount>,
    /// `-g`; 0 is none.
    pub hugepages: Option<Amount>,
    /// `--hugepage-size`.
    pub page_size: Option<PageSize>,
    /// `-r`, `-d`, `-v`: what they come to; the inner none is no device.
    pub resource: Option<Option<DeviceResource>>,
}

const CPUS: f64 = 2.0;
const GIB: u64 = 1 << 30;

/// Requests of a pod as the scheduler counts them, without the rare overhead of runtime classes.
pub fn of_pod(pod: &Pod) -> Amounts {
    let Some(spec) = &pod.spec else { return Amounts::new() };
    let requests = |container: &Container| {
        let resources = container.resources.as_ref();
        of_quantities(resources.and_then(|r| r.requests.as_ref().or(r.limits.as_ref())))
    };
    let mut all = Amounts::new();
    for container in &spec.containers {
        add(&mut all, &requests(container));
    }
    for container in spec.init_containers.iter().flatten() {
        for (name, amount) in requests(container) {
            let most = all.entry(name).or_default();
            *most = most.max(amount);
        }
    }
    all
}

/// Of a pod to come. `like` is one that is there already; `default` is the device resource where nothing is said.
pub fn to_come(wish: &Wish, like: Option<&Amounts>, default: Option<&DeviceResource>) -> Amounts {
    let is_device = |name: &str| name.contains('/');
    let is_pages = |name: &str| name.starts_with("hugepages-");
    let mut all = like.cloned().unwrap_or_default();
    match &wish.cpu {
        Some(cpu) => drop(all.insert("cpu".to_owned(), cpu.millis as f64 / 1000.0)),
        None => drop(all.entry("cpu".to_owned()).or_insert(CPUS)),
    }
    match &wish.memory {
        Some(memory) => drop(all.insert("memory".to_owned(), memory.bytes as f64)),
        None => drop(all.entry("memory".to_owned()).or_insert((2 * GIB) as f64)),
    }
    if like.is_none() || wish.hugepages.is_some() || wish.page_size.is_some() {
        let there = all.iter().find(|(name, _)| is_pages(name)).map(|(_, amount)| *amount);
        let bytes = wish.hugepages.as_ref().map_or(there.unwrap_or((2 * GIB) as f64), |a| a.bytes as f64);
        all.retain(|name, _| !is_pages(name));
        if bytes > 0.0 {
            all.insert(wish.page_size.unwrap_or(PageSize::Gi1).resource(), bytes);
        }
    }
    let resource = match (&wish.resource, like) {
        (Some(wished), _) => wished.as_ref(),
        (None, Some(_)) => return all,
        (None, None) => default,
    };
    all.retain(|name, _| !is_device(name));
    if let Some(resource) = resource {
        all.insert(resource.name.clone(), f64::from(resource.count));
    }
    all
}
