//! What an engine says on standard error: kept in `engine.log`, its last lines at hand for error messages;
//! and what the agent itself says there.

use std::collections::VecDeque;
use std::io::Write;

use super::limits::{LOG_TAIL_LINE_CHARS, LOG_TAIL_LINES};
use super::store::Appender;

/// Says something on the agent's standard error, where somebody may or may not listen any more.
pub fn note(text: &str) {
    // A closed standard error (the orchestrator is gone) must not end the agent.
    let _ = writeln!(std::io::stderr(), "agent: {text}");
}

/// One engine's log.
#[derive(Debug)]
pub struct EngineLog {
    file: Appender,
    tail: VecDeque<String>,
    /// Lines that are not in the file.
    left_out: u64,
}

impl EngineLog {
    /// Empty.
    pub fn new(file: Appender) -> EngineLog {
        EngineLog { file, tail: VecDeque::new(), left_out: 0 }
    }

    /// One line of the engine's own.
    pub async fn line(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        // A panicking EAL says why, and then where in many lines, which would push the reason out of the tail.
        if !text.trim().is_empty() && !is_stack_frame(&text) {
            self.tail.push_back(text.trim_end().chars().take(LOG_TAIL_LINE_CHARS).collect());
            if self.tail.len() > LOG_TAIL_LINES {
                self.tail.pop_front();
            }
        }
        self.write(bytes).await;
    }

    /// A remark of the agent's, which is no part of the tail.
    pub async fn remark(&mut self, text: &str) {
        self.write(format!("[agent] {text}").as_bytes()).await;
    }

    async fn write(&mut self, bytes: &[u8]) {
        if !self.file.line(bytes).await {
            self.left_out += 1;
        }
    }

    /// The last lines, for an error message; none when the engine said nothing.
    pub fn tail(&self) -> Option<String> {
        (!self.tail.is_empty()).then(|| self.tail.iter().map(String::as_str).collect::<Vec<_>>().join("\n  "))
    }

    /// Says in the file how much is missing from it.
    pub async fn close(&mut self) {
        let Some(fault) = self.file.fault() else { return };
        let remark = format!("[agent] {} later lines are left out: {fault}", self.left_out);
        self.file.last_line(&remark).await;
    }
}

/// `12: /lib/x86_64-linux-gnu/librte_eal.so.23 (rte_eal_init+0x57e) [7f7d7affd1be]`
fn is_stack_frame(line: &str) -> bool {
    let Some((number, place)) = line.trim().split_once(": ") else { return false };
    number.parse::<u32>().is_ok() && place.starts_with('/') && place.ends_with(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_panic_was_does_not_push_out_why() {
        assert!(is_stack_frame(
            "15: /lib/x86_64-linux-gnu/librte_eal.so.23 (rte_eal_init+0x57e) [7f7d7affd1be]"
        ));
        assert!(!is_stack_frame("Cannot initialize tailq: UIO_RESOURCE_LIST"));
        assert!(!is_stack_frame("7: no such device"));
    }
}
