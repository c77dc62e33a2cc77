//! What a profile may say about the time between frames.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the gaps between frames are spread around the rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Gap {
    /// All alike.
    #[default]
    Constant,
    /// Exponential, as of independent senders; repeatable.
    Poisson,
    /// So many frames at once every so often; the rate follows from it.
    #[serde(untagged)]
    Burst {
        /// Frames a burst.
        #[schemars(range(min = 1, max = 1_000_000))]
        burst: u32,
        /// Seconds from one burst's first frame to the next one's.
        every_s: f64,
    },
}

impl Gap {
    /// Frames a second in the long run, for a profile's rate of `pps`: bursts have a rate of their own.
    pub fn mean_pps(&self, pps: Option<f64>) -> Option<f64> {
        match *self {
            Gap::Constant | Gap::Poisson => pps,
            Gap::Burst { burst, every_s } => Some(f64::from(burst) / every_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_notation_is_a_word_or_a_burst() {
        let bursts = Gap::Burst { burst: 10, every_s: 0.5 };
        for (text, gap) in [
            ("\"constant\"", Gap::Constant),
            ("\"poisson\"", Gap::Poisson),
            ("{\"burst\":10,\"every_s\":0.5}", bursts),
        ] {
            assert_eq!(serde_json::from_str::<Gap>(text).unwrap(), gap);
            assert_eq!(serde_json::to_string(&gap).unwrap(), text);
        }
        for text in ["\"uniform\"", "{\"burst\":10}", "{\"burst\":10,\"every_s\":1,\"x\":1}"] {
            assert!(serde_json::from_str::<Gap>(text).is_err(), "{text}");
        }
        assert_eq!([bursts.mean_pps(Some(1e6)), Gap::Poisson.mean_pps(Some(1e6))], [Some(20.0), Some(1e6)]);
    }
}
