//! What the values of pods' flags may be.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Toleration;

/// `-r`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceName {
    /// `none`.
    None,
    /// `dpdk`: intel.com/dpdk, `-d` of it.
    Dpdk,
    /// `sriov`: intel.com/sriov, `-v` of it.
    Sriov,
    /// `vendor.com/name`, `-d` of it.
    Named(String),
}

/// `dpdk`, `sriov`, `none` or `vendor.com/name`.
pub fn resource(text: &str) -> Result<ResourceName, String> {
    match text {
        "none" | "0" => Ok(ResourceName::None),
        "dpdk" => Ok(ResourceName::Dpdk),
        "sriov" => Ok(ResourceName::Sriov),
        _ => match text.split_once('/') {
            Some((domain, name)) if is_domain(domain) && is_name(name) => {
                Ok(ResourceName::Named(text.to_owned()))
            }
            _ => Err(format!(
                "`{text}` is no resource of a device plugin: write dpdk, sriov, vendor.com/name or none"
            )),
        },
    }
}

/// `key=value`, for nodes.
pub fn selector(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if is_key(key) && (value.is_empty() || is_name(value)) => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err(format!("`{text}` is no label: write key=value")),
    }
}

/// `NAME=VALUE`, for placeholders.
pub fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` sets nothing: write NAME=VALUE, for the placeholder {{{{NAME}}}}")),
    }
}

/// `key[=value][:Effect]`.
pub fn toleration(text: &str) -> Result<Toleration, String> {
    let fault = || {
        format!(
            "`{text}` is no toleration: write key, key=value, key:NoSchedule or key=value:NoSchedule (the effects are \
             NoSchedule, PreferNoSchedule and NoExecute)"
        )
    };
    let (taint, effect) = match text.rsplit_once(':') {
        Some((taint, effect @ ("NoSchedule" | "PreferNoSchedule" | "NoExecute"))) => {
            (taint, Some(effect.to_owned()))
        }
        Some(_) => return Err(fault()),
        None => (text, None),
    };
    let (key, value) = taint.split_once('=').map_or((taint, None), |(key, value)| (key, Some(value)));
    if !is_key(key) || value.is_some_and(|value| !value.is_empty() && !is_name(value)) {
        return Err(fault());
    }
    let operator = if value.is_some() { "Equal" } else { "Exists" };
    Ok(Toleration {
        key: Some(key.to_owned()),
        operator: Some(operator.to_owned()),
        value: value.map(str::to_owned),
        effect,
        toleration_seconds: None,
    })
}

/// Pairs of names and values by name; the last of a name counts.
pub fn map(pairs: &[(String, String)]) -> BTreeMap<String, String> {
    pairs.iter().cloned().collect()
}

/// `name` or `domain/name`.
fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_domain(domain) && is_name(name),
        None => is_name(text),
    }
}

fn is_domain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    ends_well(text) && text.len() <= 253 && text.chars().all(plain)
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    ends_well(text) && text.len() <= 63 && text.chars().all(plain)
}

fn ends_well(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_old_words_or_full_names() {
        assert_eq!(resource("dpdk"), Ok(ResourceName::Dpdk));
        assert_eq!(resource("0"), Ok(ResourceName::None));
        assert_eq!(resource("mellanox.com/cx5_vf"), Ok(ResourceName::Named("mellanox.com/cx5_vf".into())));
        for text in ["", "vf", "a/b/c", "/x", "A.com/x", "a.com/"] {
            assert!(resource(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tolerations_are_as_kubectl_writes_taints() {
        let read = |text: &str| {
            let t = toleration(text)?;
            Ok::<_, String>((t.key.unwrap_or_default(), t.operator.unwrap_or_default(), t.value, t.effect))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("a.b/c"), Ok(("a.b/c".into(), "Exists".into(), None, None)));
        assert_eq!(
            read("dedicated=dpdk:NoSchedule"),
            Ok(("dedicated".into(), "Equal".into(), some("dpdk"), some("NoSchedule")))
        );
        assert_eq!(read("x=:NoExecute"), Ok(("x".into(), "Equal".into(), some(""), some("NoExecute"))));
        for text in ["", "=x", "a:b", "a b", "a=b c:NoSchedule", ":NoSchedule"] {
            assert!(toleration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn labels_are_checked() {
        assert_eq!(selector("a.b/c=d"), Ok(("a.b/c".into(), "d".into())));
        assert!(selector("a").is_err() && selector("a b=c").is_err() && selector("=c").is_err());
        assert_eq!(setting("x=a=b"), Ok(("x".into(), "a=b".into())));
    }
}
