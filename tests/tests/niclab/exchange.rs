//! Frames from one NIC to another, both ours: what every such run has to keep.

use bench_tests::niclab::{Guest, profile};
use traffic::wire::{Ready, Summary};

/// Frames a second: far below what the slowest emulated NIC can do.
pub const RATE: &str = "5kpps";

/// A run between two NICs.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// NICs of the lab.
    pub from: &'a str,
    /// NICs of the lab.
    pub to: &'a str,
    /// Frames.
    pub count: u64,
    /// With FCS.
    pub frame_bytes: u16,
    /// More lines of the stream.
    pub stream: &'a str,
    /// More options of the sender.
    pub tx: &'a str,
    /// More options of the receiver.
    pub rx: &'a str,
}

impl<'a> Exchange<'a> {
    /// Of 4000 frames of 64 bytes.
    pub fn new(from: &'a str, to: &'a str) -> Exchange<'a> {
        Exchange {
            from,
            to,
            count: 4000,
            frame_bytes: 64,
            stream: "",
            tx: "--lcores 0,0",
            rx: "--lcores 1,1",
        }
    }

    /// Sends, receives, and holds every counter to every other: sent = received, of our cores, both NICs, the books.
    pub fn run(self, guest: &Guest) -> [(Ready, Summary); 2] {
        let Exchange { from, to, count, frame_bytes, stream, tx, rx } = self;
        let said = guest.run(&format!(
            "take {from} {to} || exit\n{}\
             behind rx rx {to} {rx} -p /tmp/p.toml --duration 60 || {{ end rx; exit 1; }}\n\
             dp tx {from} {tx} -p /tmp/p.toml --rate {RATE} --count {count} --output json >/tmp/tx.json 2>/tmp/tx.err\n\
             show tx /tmp/tx.json; show tx.err /tmp/tx.err; end rx",
            profile(from, to, frame_bytes, stream)
        ));
        let (sender, receiver) = (said.outcome("tx"), said.outcome("rx"));
        let (sent, received) = (&sender.1, &receiver.1);
        let cores = |summary: &Summary| {
            let cores = &summary.totals.cores;
            [cores.iter().map(|c| c.tx_packets).sum::<u64>(), cores.iter().map(|c| c.rx_packets).sum()]
        };
        assert_eq!(cores(sent)[0], count, "our cores' count of what was sent: {sent:?}");
        assert_eq!(sent.totals.port.opackets, count, "the sending NIC's own count");
        let books = received.totals.account.as_ref().unwrap();
        assert_eq!((books.received, books.lost), (count, 0), "{books:?}");
        assert_eq!((books.reordered, books.duplicated, books.invalid), (0, 0, 0), "{books:?}");
        assert_eq!(
            cores(received)[1],
            received.totals.port.ipackets,
            "our cores' count is the receiving NIC's"
        );
        assert_eq!((sent.mbufs_missing, received.mbufs_missing), (0, 0));
        assert_eq!(received.stream_flows, [100], "every flow arrived");
        [sender, receiver]
    }
}
