//! Amounts as Kubernetes writes them; a bare number of memory is GiB, as the old script had it.

use std::fmt;
use std::str::FromStr;

const GIB: u64 = 1 << 30;
const SUFFIXES: [(&str, u64); 8] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", GIB),
    ("Ti", 1 << 40),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
];

/// Memory: `2` (GiB) or `512Mi`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    text: String,
    /// The same in bytes.
    pub bytes: u64,
}

impl Amount {
    /// So many GiB.
    pub fn gib(n: u64) -> Amount {
        Amount { text: format!("{n}Gi"), bytes: n.saturating_mul(GIB) }
    }

    /// The number of GiB, where it is a whole one.
    pub fn whole_gib(&self) -> Option<u64> {
        self.bytes.is_multiple_of(GIB).then_some(self.bytes / GIB)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Amount, String> {
        let fault = || format!("`{text}` is no amount of memory: write a number of GiB (2) or 512Mi, 2Gi");
        let digits = text.chars().take_while(char::is_ascii_digit).count();
        let (number, suffix) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| fault())?;
        if suffix.is_empty() {
            return Ok(Amount::gib(number));
        }
        let (_, unit) = SUFFIXES.iter().find(|(name, _)| *name == suffix).ok_or_else(fault)?;
        let bytes = number.checked_mul(*unit).ok_or_else(fault)?;
        Ok(Amount { text: text.to_owned(), bytes })
    }
}

/// CPUs: `2` or `1500m`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cpu {
    text: String,
    /// Thousandths of a CPU.
    pub millis: u64,
}

impl Cpu {
    /// Whether the static CPU manager gives such a pod CPUs of its own, and enough of them: whole, and two or more.
    pub fn is_exclusive(&self) -> bool {
        self.millis.is_multiple_of(1000) && self.millis >= 2000
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Cpu {
    type Err = String;

    fn from_str(text: &str) -> Result<Cpu, String> {
        let (number, unit) = text.strip_suffix('m').map_or((text, 1000), |n| (n, 1));
        match number.parse::<u64>() {
            Ok(n @ 1..=1_000_000) => Ok(Cpu { text: text.to_owned(), millis: n * unit }),
            _ => Err(format!("`{text}` is no number of CPUs: write 2, or 1500m")),
        }
    }
}

/// Sizes of hugepages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageSize {
    /// 2 MiB.
    Mi2,
    /// 1 GiB.
    Gi1,
}

impl PageSize {
    /// `1Gi`, as in `hugepages-1Gi` and `HugePages-1Gi`.
    pub fn name(self) -> &'static str {
        match self {
            PageSize::Mi2 => "2Mi",
            PageSize::Gi1 => "1Gi",
        }
    }

    /// One page.
    pub fn bytes(self) -> u64 {
        match self {
            PageSize::Mi2 => 2 << 20,
            PageSize::Gi1 => GIB,
        }
    }

    /// The resource that a container asks for.
    pub fn resource(self) -> String {
        format!("hugepages-{}", self.name())
    }

    /// The medium of the volume.
    pub fn medium(self) -> String {
        format!("HugePages-{}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_gib() {
        let amount: Amount = "2".parse().unwrap();
        assert_eq!(
            (amount.to_string().as_str(), amount.bytes, amount.whole_gib()),
            ("2Gi", 2 << 30, Some(2))
        );
        let amount: Amount = "512Mi".parse().unwrap();
        assert_eq!(
            (amount.to_string().as_str(), amount.bytes, amount.whole_gib()),
            ("512Mi", 512 << 20, None)
        );
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "Gi", "-1", "2GB", "1.5", "99999999999Ti", "2 Gi"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
        for text in ["", "m", "0", "-1", "1.5", "2x"] {
            assert!(text.parse::<Cpu>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_whole_cpus_are_exclusive() {
        let exclusive = |text: &str| text.parse::<Cpu>().unwrap().is_exclusive();
        assert!(exclusive("2") && exclusive("2000m"));
        assert!(!exclusive("1") && !exclusive("2500m"));
    }
}
