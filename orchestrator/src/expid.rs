//! The id of a trial: 8 hex digits, which are also the tag in its frames.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};

/// One trial's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExpId(u32);

impl ExpId {
    /// A fresh one from the kernel's random numbers.
    pub fn random() -> io::Result<ExpId> {
        let mut bytes = [0; 4];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(ExpId(u32::from_be_bytes(bytes)))
    }

    /// The tag that the frames of pair `index` carry: its own, so that a frame which a switch floods to another pair
    /// of the same trial is foreign there.
    pub fn tag(self, index: usize) -> u32 {
        self.0.wrapping_add(index as u32)
    }

    /// The tag of its warm-up, so that a late warm-up frame is foreign to the trial.
    pub fn warmup_tag(self, index: usize) -> u32 {
        !self.tag(index)
    }
}

impl fmt::Display for ExpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl TryFrom<String> for ExpId {
    type Error = String;
    fn try_from(text: String) -> Result<ExpId, String> {
        if text.len() != 8 {
            return Err(format!("experiment id `{text}` is not 8 hex digits"));
        }
        u32::from_str_radix(&text, 16).map(ExpId).map_err(|e| format!("experiment id `{text}`: {e}"))
    }
}

impl From<ExpId> for String {
    fn from(id: ExpId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_digits_that_read_back() {
        let id = ExpId(0x00ab_cdef);
        assert_eq!(id.to_string(), "00abcdef");
        assert_eq!(ExpId::try_from(id.to_string()), Ok(id));
        assert!(ExpId::try_from("xyz".to_owned()).is_err());
        assert_ne!(ExpId::random().unwrap(), ExpId::random().unwrap());
    }
}
