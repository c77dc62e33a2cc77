//! Network namespaces joined by veth pairs, gone with their owner.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::process::run;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A namespace of this process.
#[derive(Debug)]
pub struct Netns {
    name: String,
}

impl Netns {
    /// A fresh one, without IPv6, whose neighbour discovery would mix with the test's frames.
    pub fn new(role: &str) -> Netns {
        let name = format!("bench{}-{}-{role}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name]);
        let netns = Netns { name };
        for which in ["all", "default"] {
            let path = format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6");
            // Kernels without IPv6 have no such file.
            run(netns.wrap(Command::new("sh")).args(["-c", &format!("test ! -e {path} || echo 1 > {path}")]));
        }
        netns
    }

    /// The command, to be run inside.
    pub fn wrap(&self, command: Command) -> Command {
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &self.name]).arg(command.get_program()).args(command.get_args());
        inside
    }

    /// Runs `work` in a thread inside: its sockets and the processes it starts are of this namespace.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let file = std::fs::File::open(format!("/run/netns/{}", self.name)).expect("the namespace is there");
        let in_thread = || {
            nix::sched::setns(&file, nix::sched::CloneFlags::CLONE_NEWNET).expect("root may enter it");
            work()
        };
        std::thread::scope(|scope| {
            scope.spawn(in_thread).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// `ip ARGS` inside; must succeed.
    pub fn ip(&self, args: &str) {
        let inside = ["-n", &self.name].into_iter().chain(args.split(' '));
        ip(&inside.collect::<Vec<_>>());
    }

    /// Sets what is at a path below /proc/sys/net.
    pub fn sysctl(&self, path: &str, value: &str) {
        let path = format!("/proc/sys/net/{path}");
        self.inside(|| std::fs::write(&path, value)).unwrap_or_else(|e| panic!("{path}: {e}"));
    }

    /// Brings an interface up or down.
    pub fn set_link(&self, interface: &str, state: &str) {
        ip(&["-n", &self.name, "link", "set", interface, state]);
    }

    /// Sets an interface's MTU.
    pub fn set_mtu(&self, interface: &str, bytes: u16) {
        ip(&["-n", &self.name, "link", "set", interface, "mtu", &bytes.to_string()]);
    }

    /// Makes a veth pair, `here` in this namespace and `there` in the other, both up.
    pub fn join(&self, here: &str, other: &Netns, there: &str) {
        ip(&[
            "link",
            "add",
            here,
            "netns",
            &self.name,
            "type",
            "veth",
            "peer",
            "name",
            there,
            "netns",
            &other.name,
        ]);
        self.set_link(here, "up");
        other.set_link(there, "up");
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        // Interfaces go with it. During a panic another one would hide the first.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

fn ip(args: &[&str]) {
    let done = run(Command::new("ip").args(args));
    assert!(done.status.success(), "ip {}: {}", args.join(" "), done.stderr);
}
