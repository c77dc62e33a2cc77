use super::*;
use crate::pods::fixtures::{on, settings};
use crate::pods::objects::{built_in as typed, yaml};
use crate::pods::quantity::{Amount, PageSize};
use crate::pods::settings::{DeviceResource, Hugepages, OutputVolume};

fn template(text: &str) -> Template {
    Template { path: "my.yaml".into(), text: text.to_owned(), own: BTreeMap::new() }
}

fn made(template: &Template, settings: &PodSettings) -> Result<(Vec<Object>, Vec<String>), String> {
    let mut notes = Vec::new();
    let objects = template.objects(settings, PodRole::Tx, 0, &on("a", "b"), &mut notes);
    objects.map(|objects| (objects, notes)).map_err(|error| error.to_string())
}

/// Changes of the default settings that make another pod.
fn variants() -> Vec<(&'static str, PodSettings)> {
    let change = |name: &'static str, change: fn(&mut PodSettings)| {
        let mut settings = settings();
        change(&mut settings);
        (name, settings)
    };
    vec![
        change("default", |_| {}),
        change("iface", |s| {
            (s.tx_device, s.resource) = ("iface:eth0".parse().unwrap(), None);
        }),
        change("vdev", |s| {
            (s.tx_device, s.resource) = ("vdev:net_null0,size=64".parse().unwrap(), None);
        }),
        change("sriov", |s| {
            s.resource = Some(DeviceResource { name: "intel.com/sriov".into(), count: 2 });
        }),
        change("small pages", |s| {
            s.hugepages = Some(Hugepages { amount: "512Mi".parse().unwrap(), size: PageSize::Mi2 });
        }),
        change("no pages", |s| s.hugepages = None),
        change("privileged", |s| s.privileged = true),
        change("networks", |s| s.networks = vec!["net-a".into(), "other/net-b".into()]),
        change("memif", |s| s.memif_dir = Some("/run/bench".into())),
        change("tolerations", |s| {
            s.tolerations = vec![crate::cli::pods_values::toleration("dedicated=dpdk:NoSchedule").unwrap()];
            s.node_selector = [("nic".to_owned(), "x710".to_owned())].into();
        }),
        change("account", |s| s.service_account = Some("bench".into())),
        change("any class", |s| s.output = OutputVolume::Claim { class: None, size_gib: 5 }),
        change("odd memory", |s| s.memory = "1500Mi".parse().unwrap()),
    ]
}

#[test]
fn the_built_in_template_makes_the_built_in_pod() {
    for (name, settings) in variants() {
        let ours = typed(&settings, PodRole::Tx, 0, &on("a", "b")).unwrap();
        let (filled, notes) =
            made(&template(&built_in(true)), &settings).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(yaml(&filled).unwrap(), yaml(&ours).unwrap(), "{name}");
        assert!(notes.is_empty());
    }
    let mut without = settings();
    without.output = OutputVolume::EmptyDir;
    let ours = typed(&without, PodRole::Tx, 0, &on("a", "b")).unwrap();
    let (filled, _) = made(&template(&built_in(false)), &without).unwrap();
    assert_eq!(yaml(&filled).unwrap(), yaml(&ours).unwrap());
}

const OLD: &str = include_str!("../../tests/data/old-pod-template.yaml");

#[test]
fn a_template_of_the_old_tool_works() {
    let mut old = template(OLD);
    // Nothing is guessed: the one thing that only the user knows is asked for.
    let error = made(&old, &settings()).unwrap_err();
    assert!(error.contains("my.yaml:73: {{kubeconfig-path}} has no value"), "{error}");
    assert!(error.contains("--set kubeconfig-path=PATH"), "{error}");
    old.own.insert("kubeconfig-path".into(), "/home/capv/.kube".into());
    let (objects, notes) = made(&old, &settings()).unwrap();
    insta::assert_snapshot!("old_template", yaml(&objects).unwrap());
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[1].contains("ClusterRoleBinding sonobuoy-clusterrolebinding is left out"), "{notes:?}");
}

#[test]
fn every_placeholder_without_a_value_is_named_with_its_line() {
    let text = "a: {{pod-name}}\n# {{in-a-comment}}\nb: {{colour}} {{pod_name}}\nc: {{node-name}} {{x\n";
    let mut notes = Vec::new();
    let unpinned = PairNodes::default();
    let error =
        template(text).objects(&settings(), PodRole::Tx, 0, &unpinned, &mut notes).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 4, "{error}");
    assert_eq!(lines[0], "my.yaml:3: {{colour}} is unknown: give it a value with --set colour=VALUE");
    assert!(lines[1].ends_with("--set pod_name=VALUE, or write {{pod-name}}"), "{error}");
    assert!(
        lines[2].starts_with("my.yaml:4: {{node-name}} has no value: the pods are not pinned"),
        "{error}"
    );
    assert_eq!(lines[3], "my.yaml:4: `{{` without `}}`");
}

#[test]
fn old_amounts_that_the_old_placeholders_can_not_say_are_refused() {
    let mut odd = settings();
    odd.memory = "1500Mi".parse().unwrap();
    odd.hugepages = Some(Hugepages { amount: Amount::gib(2), size: PageSize::Mi2 });
    let error = made(&template("m: {{memory-limit}}Gi\nh: {{hugepages-limit}}Gi\n"), &odd).unwrap_err();
    assert!(
        error.contains("my.yaml:1: {{memory-limit}} has no value: -m is no whole number of GiB"),
        "{error}"
    );
    assert!(error.contains("my.yaml:2: {{hugepages-limit}} has no value: --hugepage-size is 2Mi"), "{error}");
}

#[test]
fn a_template_makes_one_pod_of_the_right_name_and_claims_of_its_own() {
    let pod = |name: &str| format!("---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n");
    let claim = |name: &str| {
        format!("---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\n")
    };
    let refused = |text: String| made(&template(&text), &settings()).unwrap_err();
    assert!(refused(pod("other")).contains("the pod is named `other`"));
    assert!(refused(String::new()).contains("it has 0 pods"));
    assert!(refused(pod("tx0") + &pod("tx0")).contains("it has 2 pods"));
    let shared = refused(pod("{{pod-name}}") + &claim("output"));
    assert!(
        shared.contains("the claim is named `output`, which would be the same for several pods"),
        "{shared}"
    );
    assert!(refused("a: [".into()).contains("my.yaml, filled for tx0, is no YAML"));
    let (objects, _) =
        made(&template(&(pod("{{pod-name}}") + &claim("c-{{pod-name}}"))), &settings()).unwrap();
    let kinds: Vec<Kind> = objects.iter().map(|object| object.kind).collect();
    assert_eq!(kinds, [Kind::Claim, Kind::Pod]);
}
