//! CPUs of this process, as `--lcores` wants them.

/// Numbers of the CPUs that this process may run on.
pub fn allowed() -> Vec<u32> {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let list = status.lines().find_map(|l| l.strip_prefix("Cpus_allowed_list:")).expect("a list of CPUs");
    let number = |text: &str| text.trim().parse::<u32>().expect("a CPU's number");
    let ranges = list.trim().split(',').map(|r| r.split_once('-').unwrap_or((r, r)));
    ranges.flat_map(|(first, last)| number(first)..=number(last)).collect()
}

/// `--lcores` of a sender with so many workers: main on the first CPU, workers on the second, shared when more.
pub fn tx(workers: usize) -> String {
    let cpus = allowed();
    line(cpus[0], *cpus.get(1).unwrap_or(&cpus[0]), workers)
}

/// `--lcores` of a receiver: the sender's the other way round, so that one worker each has a CPU.
pub fn rx(workers: usize) -> String {
    let cpus = allowed();
    line(*cpus.get(1).unwrap_or(&cpus[0]), cpus[0], workers)
}

fn line(main: u32, worker: u32, workers: usize) -> String {
    let all = std::iter::once(main).chain(std::iter::repeat_n(worker, workers));
    all.map(|cpu| cpu.to_string()).collect::<Vec<_>>().join(",")
}
