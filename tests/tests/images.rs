//! What the files of the images say of each other. The images are checked where they are built (`make images`).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use bench_tests::bin;

const DOCKERFILES: [&str; 2] = ["images/dataplane.Dockerfile", "images/orchestrator.Dockerfile"];

fn read(name: &str) -> String {
    std::fs::read_to_string(bin::repository().join(name)).unwrap()
}

/// The packages that a Dockerfile installs.
fn packages(dockerfile: &str) -> Vec<String> {
    let text = read(dockerfile).replace("\\\n", " ");
    let lists =
        text.lines().filter_map(|line| line.split_once("/images/packages.lock ")).map(|(_, list)| list);
    let names = lists.flat_map(|list| list.split("&&").next().unwrap_or_default().split_whitespace());
    names.map(str::to_owned).collect()
}

/// `librte-net-mlx5-25` is the driver `net_mlx5`.
fn driver(package: &str) -> Option<String> {
    let name = package.strip_prefix("librte-")?.strip_suffix("25")?;
    Some(name.trim_end_matches('-').replace('-', "_"))
}

#[test]
fn every_package_is_locked() {
    let lock = read("images/packages.lock");
    let locked: BTreeSet<&str> = lock.lines().filter_map(|line| line.split(' ').next()).collect();
    for dockerfile in DOCKERFILES {
        let names = packages(dockerfile);
        assert!(names.iter().any(|name| name == "gcc"), "{dockerfile}: {names:?}");
        for name in names {
            assert!(locked.contains(name.as_str()), "{name} of {dockerfile} is not in images/packages.lock");
        }
    }
}

#[test]
fn the_drivers_that_are_installed_are_those_that_are_checked_and_documented() {
    let drivers: BTreeSet<String> =
        packages(DOCKERFILES[0]).iter().filter_map(|package| driver(package)).collect();
    let check = read("images/check");
    let list = check.split_once("DRIVERS = \"\"\"").unwrap().1.split_once("\"\"\"").unwrap().0;
    // What drivers share comes with them.
    let checked: BTreeSet<String> =
        list.split_whitespace().filter(|name| !name.starts_with("common_")).map(str::to_owned).collect();
    assert_eq!(drivers, checked);
    let readme = read("images/README.md");
    let section = readme.split_once("**Drivers.**").unwrap().1.split_once("**User.**").unwrap().0;
    let told: BTreeSet<&str> = section.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    for name in drivers {
        let short = name.split_once('_').unwrap().1;
        assert!(told.contains(short), "images/README.md does not name {short}");
    }
}

#[test]
fn both_images_are_of_one_debian_and_a_rust_that_is_new_enough() {
    let argument = |file: &str, name: &str| {
        let start = format!("ARG {name}=");
        read(file).lines().find_map(|line| line.strip_prefix(start.as_str()).map(str::to_owned)).unwrap()
    };
    let [base, rust] = ["BASE", "RUST_IMAGE"].map(|name| {
        let [one, other] = DOCKERFILES.map(|file| argument(file, name));
        assert_eq!(one, other);
        one
    });
    assert!(base.contains("13") && rust.contains("trixie"), "{base} {rust}: both are Debian 13");
    let minor = |version: &str| version.split('.').nth(1).unwrap().parse::<u32>().unwrap();
    let tag = rust.split_once(':').unwrap().1.split('-').next().unwrap().to_owned();
    let cargo = read("Cargo.toml");
    let wanted = cargo.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    assert!(minor(&tag) >= minor(wanted.trim_matches('"')), "{tag} is older than {wanted}");
}
