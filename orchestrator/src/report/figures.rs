//! What a link can carry.

use crate::results::stored::Stored;

/// What throughput is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Gbit/s; none: what the ports said.
    pub speed_gbps: Option<f64>,
    /// Bytes of link time that a frame costs beyond itself and its FCS: preamble, delimiter, gap.
    pub overhead_bytes: u32,
}

impl Line {
    /// The link of a result in Gbit/s: as given, or the slower end's by its driver; none where nobody knows.
    pub fn gbps(&self, stored: &Stored) -> Option<f64> {
        let outcome = &stored.judged.outcome;
        let ends = [&outcome.tx, &outcome.rx].into_iter().filter_map(|side| side.ready.as_ref());
        let slower = ends.map(|ready| ready.link_mbps).filter(|mbps| *mbps > 0).min();
        self.speed_gbps.or(slower.map(|mbps| f64::from(mbps) / 1000.0))
    }

    /// Frames a second of `frame_bytes` (with FCS) that a link of `gbps` carries (RFC 2544 appendix B).
    pub fn pps(&self, gbps: f64, frame_bytes: f64) -> f64 {
        gbps * 1e9 / ((frame_bytes + f64::from(self.overhead_bytes)) * 8.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups::tests::stored;

    #[test]
    fn line_rate_is_that_of_the_rfc() {
        let line = Line { speed_gbps: None, overhead_bytes: 20 };
        assert_eq!(line.pps(10.0, 64.0).round(), 14_880_952.0);
        assert_eq!(line.pps(1.0, 1518.0).round(), 81_274.0);
        let slow = stored(|o| {
            o.tx.ready.as_mut().unwrap().link_mbps = 40_000;
            o.rx.ready.as_mut().unwrap().link_mbps = 10_000;
        });
        assert_eq!(line.gbps(&slow), Some(10.0));
        let unknown = stored(|o| {
            o.tx.ready.as_mut().unwrap().link_mbps = 0;
            o.rx.ready.as_mut().unwrap().link_mbps = 0;
        });
        assert_eq!(line.gbps(&unknown), None);
        assert_eq!(Line { speed_gbps: Some(25.0), ..line }.gbps(&unknown), Some(25.0));
    }
}
