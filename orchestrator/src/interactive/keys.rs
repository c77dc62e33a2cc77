//! What keys mean.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// All senders so many thousandths of their profile's rate faster, or slower.
    Rate(i32),
    /// This moment is to be found again in the results.
    Mark,
    /// End this trial and keep what was measured.
    Stop,
    /// The same, and end the program behind it.
    Quit,
    /// Show the cores of the pair so many rows further down.
    Select(i32),
}

/// For the foot of the screen.
pub const HELP: &str = "+ - rate 5 %   > < rate 25 %   m mark   s stop   q quit   ↑ ↓ pair";

/// What a key means, if anything.
pub fn action(key: KeyEvent) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    // In raw mode Ctrl-C is a key like others.
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return matches!(key.code, KeyCode::Char('c' | 'C')).then_some(Action::Quit);
    }
    match key.code {
        KeyCode::Char('+' | '=') => Some(Action::Rate(50)),
        KeyCode::Char('-' | '_') => Some(Action::Rate(-50)),
        KeyCode::Char('>' | '.') | KeyCode::PageUp => Some(Action::Rate(250)),
        KeyCode::Char('<' | ',') | KeyCode::PageDown => Some(Action::Rate(-250)),
        KeyCode::Char('m' | 'M') => Some(Action::Mark),
        KeyCode::Char('s' | 'S') => Some(Action::Stop),
        KeyCode::Char('q' | 'Q') => Some(Action::Quit),
        KeyCode::Up | KeyCode::Char('k') => Some(Action::Select(-1)),
        KeyCode::Down | KeyCode::Char('j') => Some(Action::Select(1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_c_quits_and_other_control_keys_do_nothing() {
        let key = |c, modifiers| action(KeyEvent::new(KeyCode::Char(c), modifiers));
        assert_eq!(key('c', KeyModifiers::CONTROL), Some(Action::Quit));
        assert_eq!(key('s', KeyModifiers::CONTROL), None);
        assert_eq!(key('s', KeyModifiers::NONE), Some(Action::Stop));
        assert_eq!(key('+', KeyModifiers::SHIFT), Some(Action::Rate(50)));
        assert_eq!(key('c', KeyModifiers::NONE), None);
    }
}
