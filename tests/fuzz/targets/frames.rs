//! Whatever arrives is booked exactly once, and no books overflow.
#![no_main]

use libfuzzer_sys::fuzz_target;
use traffic::account::{Accountant, Expectation, distinct_flows, merge};
use traffic::shard::Shard;
use traffic::stamp;

const TAG: u32 = 0x7a7a_7a7a;

// The input is a list of frames: a length byte, whether to mark it (with the shard and number that follow), and bytes.
fuzz_target!(|data: &[u8]| {
    let flows = 7;
    let expect = Expectation {
        tag: TAG,
        shards: Shard::all(3, flows),
        flows: vec![flows],
        counts: None,
        same_clock: true,
        clock_slack: 9,
        queues: 1,
        per_flow: true,
    };
    let mut books = Accountant::new(&expect);
    let (mut rest, mut frames) = (data, 0u64);
    while let [length, shard, seq, time, tail @ ..] = rest {
        let taken = usize::from(*length).min(tail.len());
        let mut frame = tail[..taken].to_vec();
        if shard & 0x80 != 0
            && let Some(at) = stamp::offset(frame.len(), 0)
        {
            let window = frame[at..].first_chunk_mut().expect("there is room for the mark");
            stamp::write(window, TAG, u16::from(shard & 3), u64::from(*seq) << (time & 47), u64::from(*time));
        }
        books.frame(&frame, u64::from(*seq));
        frames += 1;
        rest = &tail[taken..];
    }
    let (total, _) = merge(&[&books], &expect);
    let foreign = total.foreign();
    assert_eq!(total.received + total.duplicated + total.invalid + total.too_late + foreign, frames);
    assert!(distinct_flows(&[&books], &expect).is_some_and(|seen| seen.len() == 1 && seen[0] <= flows));
    for stream in books.latency() {
        let _ = stream.report("tsc", 1_000_000_000);
    }
});
