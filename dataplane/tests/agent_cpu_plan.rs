//! Which CPU does what.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use dataplane::inventory::cpus::{CpuError, plan};
use traffic::wire::CoreInfo;

fn core(cpu: u32, numa_node: i32, siblings: &[u32]) -> CoreInfo {
    CoreInfo { cpu, numa_node, siblings: siblings.to_vec() }
}

fn flat(cpus: &[u32]) -> Vec<CoreInfo> {
    cpus.iter().map(|cpu| core(*cpu, 0, &[])).collect()
}

/// Two nodes, two cores each, two threads a core: node 0 has 0,1,4,5 and node 1 has 2,3,6,7; n and n + 4 are
/// one core.
fn two_nodes() -> Vec<CoreInfo> {
    (0..8).map(|cpu| core(cpu, i32::from(cpu % 4 >= 2), &[(cpu + 4) % 8])).collect()
}

#[test]
fn without_wishes_the_first_cpu_is_main_and_all_others_work() {
    let plan = plan(&flat(&[2, 5, 9]), &[], None, -1).unwrap();
    assert_eq!((plan.main, plan.workers, plan.warnings), (2, vec![5, 9], vec![]));
}

#[test]
fn workers_come_from_the_nics_node_and_whole_cores_first() {
    let two = plan(&two_nodes(), &[], Some(1), 1).unwrap();
    assert_eq!((two.main, two.workers, two.warnings), (2, vec![3], vec![]));
    let four = plan(&two_nodes(), &[], Some(4), 1).unwrap();
    assert_eq!(
        (four.main, four.workers),
        (0, vec![2, 3, 6, 7]),
        "the main core leaves the node to the workers"
    );
    assert_eq!(four.warnings.len(), 2, "two pairs of hyperthreads: {:?}", four.warnings);
    let six = plan(&two_nodes(), &[], Some(6), 1).unwrap();
    assert_eq!(&six.workers[..4], [2, 3, 6, 7]);
    assert!(
        six.warnings.iter().any(|text| text.contains("not on the NIC's NUMA node 1")),
        "{:?}",
        six.warnings
    );
}

#[test]
fn lcores_are_taken_as_asked_and_sharing_is_said() {
    let cores = flat(&[0, 1, 2]);
    let asked = plan(&cores, &[1, 2, 0], None, -1).unwrap();
    assert_eq!((asked.main, asked.workers, asked.warnings), (1, vec![2, 0], vec![]));
    let shared = plan(&cores, &[0, 0], None, -1).unwrap();
    assert_eq!((shared.main, shared.workers), (0, vec![0]));
    assert!(
        shared.warnings[0].contains("CPU 0") && shared.warnings[0].contains("mean nothing"),
        "{:?}",
        shared.warnings
    );
    let fewer = plan(&cores, &[0, 1, 2], Some(1), -1).unwrap();
    assert_eq!(fewer.workers, [1]);
    assert!(fewer.warnings[0].contains("CPU 2"), "{:?}", fewer.warnings);
}

#[test]
fn what_can_not_be_done_says_what_can() {
    let text = |cores: &[CoreInfo], lcores: &[u32], workers| {
        plan(cores, lcores, workers, -1).unwrap_err().to_string()
    };
    let one = text(&flat(&[3]), &[], None);
    for hint in ["CPU 3 only", "2 CPUs", "cpu: 2", "--lcores 3,3"] {
        assert!(one.contains(hint), "{hint}: {one}");
    }
    assert_eq!(plan(&flat(&[3]), &[3, 3], None, -1).unwrap().workers, [3], "…and that works");
    let outside = text(&flat(&[0, 1]), &[0, 7], None);
    assert!(outside.contains("lcore 7") && outside.contains("CPUs 0, 1"), "{outside}");
    let many = text(&flat(&[0, 1]), &[], Some(2));
    assert!(many.contains("2 workers") && many.contains("1 workers at most"), "{many}");
    assert!(matches!(plan(&flat(&[0, 1]), &[0, 1], Some(2), -1), Err(CpuError::TooManyWorkers { .. })));
    assert_eq!(plan(&flat(&[0, 1]), &[1], None, -1), Err(CpuError::NoWorker(1)));
    assert_eq!(plan(&flat(&[0, 1]), &[], Some(0), -1), Err(CpuError::ZeroWorkers));
    assert_eq!(plan(&[], &[], None, -1), Err(CpuError::NoCpu));
}
