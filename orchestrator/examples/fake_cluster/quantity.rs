//! Amounts of resources.

use serde_json::Value;

/// `500m`, `4`, `2Gi`: thousandths.
pub fn milli(value: &Value) -> i128 {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => return 0,
        other => other.to_string(),
    };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: i128 = match &text[digits.len()..] {
        "m" => 1,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        "Ti" => 1000 << 40,
        _ => 1000,
    };
    match digits.parse::<i128>() {
        Ok(whole) => whole * factor,
        Err(_) => (digits.parse::<f64>().unwrap_or(0.0) * factor as f64) as i128,
    }
}

/// What a pod asks of one resource, over its containers.
pub fn asked(pod: &Value, resource: &str) -> i128 {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    containers.map(|c| milli(&c["resources"]["requests"][resource])).sum()
}

/// All resources that a pod asks something of.
pub fn resources(pod: &Value) -> Vec<String> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let names = containers.filter_map(|c| c["resources"]["requests"].as_object()).flat_map(|r| r.keys());
    let mut names: Vec<String> = names.cloned().collect();
    names.sort();
    names.dedup();
    names
}
