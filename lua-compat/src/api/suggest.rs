//! What a user may have meant by a name that does not exist.

use super::{FUNCTIONS, Table};

/// The error of calling `name` in `table`, which Pktgen does not have.
pub(super) fn unknown(table: Table, name: &str) -> String {
    let near = other_table(table, name).or_else(|| {
        let names = FUNCTIONS.iter().filter(|f| f.table() == table).map(|f| f.name);
        nearest(name, names).map(|near| format!("{}.{near}", table.prefix()))
    });
    let near = near.map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
    format!("{}.{name} is not a Pktgen function{near}", table.prefix())
}

/// The same name in the other table: old scripts say `pktgen.dst_mac` for `pktgen.range.dst_mac`.
fn other_table(table: Table, name: &str) -> Option<String> {
    FUNCTIONS.iter().find(|f| f.table() != table && f.name == name).map(|f| f.full_name())
}

/// The name that differs in the fewest letters, where that is at most a third of them.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.chars().count().min(30) + 1) / 3;
    names.map(|n| (distance(name, n), n)).filter(|(d, _)| *d <= most.max(1)).min().map(|(_, n)| n)
}

/// Letters to change, add or drop to make one of the other; case does not count. Long names are far from all.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 40 {
        return usize::MAX;
    }
    let lower = |s: &str| s.to_ascii_lowercase().chars().collect::<Vec<char>>();
    let (a, b) = (lower(a), lower(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(
            unknown(Table::Top, "set_rang"),
            "pktgen.set_rang is not a Pktgen function (did you mean pktgen.set_range?)"
        );
        assert_eq!(
            unknown(Table::Top, "dst_mac"),
            "pktgen.dst_mac is not a Pktgen function (did you mean pktgen.range.dst_mac?)"
        );
        assert_eq!(unknown(Table::Range, "whatever"), "pktgen.range.whatever is not a Pktgen function");
        assert_eq!(distance("kitten", "Sitting"), 3);
        assert_eq!(nearest(&"x".repeat(100), ["set"].into_iter()), None);
    }
}
