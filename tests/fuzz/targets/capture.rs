//! Any bytes are a capture or a fault; what is read can be rewritten, divided and walked through.
#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use traffic::profile::Stop;
use traffic::profile::replay::{Replay, Rewrite, Split, Timing, Truncated};
use traffic::replay::{Capture, Cursor, ReplayPlan};
use traffic::units::Rate;

fuzz_target!(|data: &[u8]| {
    let rewrite = Rewrite {
        src_ip: Some([10, 1, 2, 3].into()),
        dst_ip6: Some(1.into()),
        dst_port: Some(7),
        vlan_id: Some(9),
        ..Rewrite::default()
    };
    let replay = Replay {
        file: PathBuf::from("fuzz"),
        timing: Timing::Factor(0.5),
        loops: 2,
        limit_frames: Some(1000),
        truncated: Truncated::Pad,
        split: Split::Symmetric,
        rewrite,
    };
    let Ok(capture) = Capture::read(data, data.len() as u64, &replay) else { return };
    let frames = capture.frames().len() as u64;
    let Ok(plan) = ReplayPlan::compile(capture, &replay, Rate::Max, Stop::Never) else { return };
    let parts = plan.parts(3, 1_000_000_000, plan.requested_pps(0));
    let mut sent = 0;
    for part in &parts {
        let mut cursor = Cursor::new(part, plan.capture.bytes());
        while cursor.left() > 0 {
            assert!(cursor.ahead().next().is_some_and(|frame| frame.len() >= 14));
            cursor.advance(1);
            sent += 1;
        }
    }
    assert_eq!(sent, 2 * frames);
});
