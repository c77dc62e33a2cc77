//! Did you mean …?

/// The known key that `written` most probably stands for.
pub(super) fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    // Comparing a megabyte of key with every known one would take seconds.
    if written.len() > 40 {
        return None;
    }
    let plain = |key: &str| key.to_lowercase().replace(['-', '_', ' '], "");
    let word = plain(written);
    let typo = known
        .iter()
        .map(|key| (strsim::damerau_levenshtein(&word, &plain(key)), *key))
        .filter(|(distance, key)| *distance <= (key.len() / 3).max(1))
        .min();
    let part = |key: &&&str| word.len() >= 3 && (plain(key).contains(&word) || word.contains(&plain(key)));
    typo.map(|(_, key)| key).or_else(|| known.iter().find(part).copied())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_a_stranger_is_not() {
        let known = ["name", "frame_size", "ethernet", "ipv4", "udp", "tcp", "payload"];
        for (written, meant) in [
            ("frame_sise", "frame_size"),
            ("Frame-Size", "frame_size"),
            ("size", "frame_size"),
            ("upd", "udp"),
            ("ip4", "ipv4"),
        ] {
            assert_eq!(nearest(written, &known), Some(meant), "{written}");
        }
        assert_eq!(nearest("vlan", &known), None);
        assert_eq!(nearest(&"x".repeat(1 << 20), &known), None);
    }
}
