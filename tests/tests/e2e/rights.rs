//! What `pods rbac` prints is enough for a whole day, and each right of it is needed by name.

use std::process::Command;

use bench_tests::kube::{Kube, assert_is_whole};
use bench_tests::process::run;
use bench_tests::wait;

/// Whom the printed rights are for.
const ACCOUNT: &str = "dpdk-k8s-bench";

/// A user with nothing but what those rights give.
struct User<'a> {
    kube: &'a Kube,
    kubeconfig: std::path::PathBuf,
}

impl User<'_> {
    /// A service account's token, as a kubeconfig.
    fn new(kube: &Kube) -> User<'_> {
        let secret = wait::until("the account's token", || {
            let name = kube.kubectl(&["get", "serviceaccount", ACCOUNT, "-o", "jsonpath={.secrets[0].name}"]);
            (!name.is_empty()).then_some(name)
        });
        let token =
            kube.kubectl(&["get", "secret", &secret, "-o", "go-template={{.data.token | base64decode}}"]);
        // The administrator's, with another user.
        let text = std::fs::read_to_string(kube.kubeconfig()).unwrap();
        let users = text.lines().find(|line| line.starts_with("users:")).unwrap();
        let other = format!("users: [{{name: admin, user: {{token: {token}}}}}]");
        let text = text.replace(users, &other);
        let kubeconfig = kube.folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, text).unwrap();
        User { kube, kubeconfig }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = self.kube.orchestrator(line);
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    fn ok(&self, line: &str) {
        let done = run(&mut self.command(line));
        assert!(done.status.success(), "{line}: {}\n{}", done.stdout, done.stderr);
    }

    fn denied(&self, line: &str, what: &str) {
        let done = run(&mut self.command(line));
        assert_eq!(done.status.code(), Some(1), "{line}: {}", done.stdout);
        assert!(done.stderr.contains(what) && done.stderr.contains("pods rbac"), "{line}: {}", done.stderr);
    }
}

/// Grants the printed rights, all but one; gives the file.
fn grant(kube: &Kube, lacking: Option<&str>) -> String {
    let mut text = kube.ok("pods rbac");
    if let Some(right) = lacking {
        let line = format!("- {right}\n");
        assert!(text.contains(&line), "{line} is in {text}");
        text = text.replace(&line, "- pods/nothing\n");
    }
    kube.write("role.yaml", &text);
    let file = kube.folder.path().join("role.yaml").display().to_string();
    kube.kubectl(&["apply", "-f", &file]);
    file
}

#[test]
fn the_printed_role_is_enough_and_one_right_fewer_is_named() {
    let kube = Kube::new("rights");
    grant(&kube, None);
    let user = User::new(&kube);
    user.ok(&kube.create_line("-n 1 -s -r dpdk --device iface:eth0"));
    user.ok("pods list");
    user.ok("preflight");
    user.ok("flows generate --flows 20 --pkt-size 128 --rate 1");
    let line = "run --profile profile_20_flows_pkt_size_128B_1_rate_s.lua --duration 2 --warmup-duration 1";
    user.ok(line);
    assert_is_whole(&kube.results()[0].1);
    let file = grant(&kube, Some("pods/portforward"));
    user.denied(line, "pods/portforward");
    kube.delete();
    kube.kubectl(&["delete", "rolebinding", ACCOUNT]);
    user.denied("pods list", "pods");
    kube.kubectl(&["delete", "-f", &file, "--ignore-not-found"]);
}
