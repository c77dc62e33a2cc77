//! Numbers for the eye.

use traffic::units::si;

/// Packets a second in the unit that suits: `850 pps`, `1.5 kpps`, `14.88 Mpps`.
pub fn pps(rate: f64) -> String {
    si(rate, "pps")
}

/// A count with thousands set apart: `1,488,095`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Nanoseconds in the unit that suits: `850 ns`, `12.3 µs`, `4.56 ms`.
pub fn nanos(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.1} µs", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", ns as f64 / 1e6),
        _ => format!("{:.2} s", ns as f64 / 1e9),
    }
}

/// A time in the units that suit: `12 s`, `3 min 20 s`, `2 h 5 min`.
pub fn seconds(s: f64) -> String {
    let whole = s.max(0.0).round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, min, s) => format!("{min} min {s} s"),
        (h, min, _) => format!("{h} h {min} min"),
    }
}

/// CPUs as ranges: `1`, `1-3`, `1-3,5`; each once.
pub fn cpu_list(cpus: &[u32]) -> String {
    let mut sorted = cpus.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for cpu in sorted {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == cpu => *last = cpu,
            _ => ranges.push((cpu, cpu)),
        }
    }
    let texts: Vec<String> =
        ranges.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") }).collect();
    texts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([count(0), count(999), count(1_488_095)], ["0", "999", "1,488,095"]);
        assert_eq!([pps(850.0), pps(1500.0), pps(14_880_952.0)], ["850 pps", "1.5 kpps", "14.88 Mpps"]);
        assert_eq!([nanos(850), nanos(12_340), nanos(4_560_000)], ["850 ns", "12.3 µs", "4.56 ms"]);
        assert_eq!([seconds(12.4), seconds(200.0), seconds(7500.0)], ["12 s", "3 min 20 s", "2 h 5 min"]);
        assert_eq!([cpu_list(&[1]), cpu_list(&[3, 1, 2, 5, 5]), cpu_list(&[])], ["1", "1-3,5", ""]);
    }
}
