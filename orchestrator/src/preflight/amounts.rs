//! Amounts of resources as the API server writes them, of pods and of nodes.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

const SUFFIXES: [(&str, f64); 15] = [
    ("Ki", 1024.0),
    ("Mi", 1048576.0),
    ("Gi", 1073741824.0),
    ("Ti", 1099511627776.0),
    ("Pi", 1125899906842624.0),
    ("Ei", 1152921504606846976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];
/// What two amounts that mean the same may differ by.
pub const SLACK: f64 = 1e-6;

/// By resource: CPUs, bytes, devices.
pub type Amounts = BTreeMap<String, f64>;

/// `1500m`, `46868736Ki`, `2Gi`, `1e3`; none for what is no quantity.
pub fn parse(text: &str) -> Option<f64> {
    let plain: Option<f64> = text.parse().ok().filter(|n: &f64| n.is_finite());
    plain.or_else(|| {
        let (suffix, unit) = SUFFIXES.iter().find(|(suffix, _)| text.ends_with(suffix))?;
        let number: f64 = text.strip_suffix(suffix)?.parse().ok()?;
        number.is_finite().then_some(number * unit)
    })
}

/// Those that can be read.
pub fn of_quantities(quantities: Option<&BTreeMap<String, Quantity>>) -> Amounts {
    let all = quantities.into_iter().flatten();
    all.filter_map(|(name, quantity)| Some((name.clone(), parse(&quantity.0)?))).collect()
}

/// `into` and `more` together.
pub fn add(into: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        *into.entry(name.clone()).or_default() += amount;
    }
}

/// `2Gi` of memory, `1.5` CPUs, `4` devices.
pub fn show(resource: &str, amount: f64) -> String {
    const UNITS: [(&str, f64); 3] = [("Gi", 1073741824.0), ("Mi", 1048576.0), ("Ki", 1024.0)];
    if resource == "memory" || resource.starts_with("hugepages-") {
        let unit = UNITS.iter().find(|(_, unit)| amount >= *unit);
        return unit
            .map_or_else(|| decimal(amount), |(name, unit)| format!("{}{name}", decimal(amount / unit)));
    }
    decimal(amount)
}

fn decimal(amount: f64) -> String {
    let text = format!("{amount:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        let cases = [
            ("4", 4.0),
            ("3920m", 3.92),
            ("16Gi", 17179869184.0),
            ("46868736Ki", 46868736.0 * 1024.0),
            ("477303816631", 477303816631.0),
            ("1e3", 1000.0),
            ("2E", 2e18),
            ("1.5Gi", 1610612736.0),
            ("500n", 5e-7),
        ];
        for (text, expected) in cases {
            let read = parse(text).unwrap();
            assert!((read - expected).abs() <= expected * 1e-12, "{text}: {read}");
        }
        for text in ["", "Gi", "x", "1.5.2", "inf", "NaN", "1 Gi"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_shown_in_their_own_unit() {
        assert_eq!(show("hugepages-2Mi", 67108864.0), "64Mi");
        assert_eq!((show("cpu", 1.5).as_str(), show("intel.com/dpdk", 10.0).as_str()), ("1.5", "10"));
        assert_eq!((show("memory", 0.0).as_str(), show("memory", 1610612736.0).as_str()), ("0", "1.5Gi"));
    }
}
