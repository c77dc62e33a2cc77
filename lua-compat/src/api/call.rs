//! One call from a script: its arguments, checked and typed.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use mlua::Value;
use traffic::mac::Mac;

use super::Function;
use crate::backend::{Backend, PortOp, Transport};
use crate::ports::PortSet;
use crate::report::Severity;

/// How much of a value an error shows.
const MAX_SHOWN_CHARS: usize = 60;
/// Pktgen's words for on; it takes anything else as off.
const ON: [&str; 3] = ["on", "enable", "start"];
/// The words that mean off when a person writes them.
const OFF: [&str; 3] = ["off", "disable", "stop"];

/// One call. Argument indexes count from 0.
pub(super) struct Call<'a> {
    pub(super) function: &'static Function,
    pub(super) line: u32,
    pub(super) args: &'a [Value],
    pub(super) backend: &'a mut dyn Backend,
}

impl Call<'_> {
    /// An error about argument `index`: which one, what is wanted, and what was given.
    pub(super) fn wrong(&self, index: usize, wanted: &str) -> String {
        let name = self.function.args.and_then(|names| names.get(index)).copied().unwrap_or("value");
        let given = self.args.get(index).map_or_else(|| "nothing".to_owned(), shown);
        format!(
            "{}: argument {} ({name}) must be {wanted}, not {given}",
            self.function.full_name(),
            index + 1
        )
    }

    /// Text; a number becomes text, as everywhere in Lua.
    pub(super) fn text(&self, index: usize) -> Result<String, String> {
        match self.args.get(index) {
            Some(Value::String(text)) => Ok(text.to_string_lossy()),
            Some(Value::Integer(n)) => Ok(n.to_string()),
            // 1.0 is port 1: Lua 5.4 would write it "1.0".
            Some(Value::Number(n)) if n.fract() == 0.0 && n.abs() < 1e15 => Ok(format!("{n:.0}")),
            Some(Value::Number(n)) => Ok(n.to_string()),
            _ => Err(self.wrong(index, "text")),
        }
    }

    /// A number; text that is one counts.
    pub(super) fn number(&self, index: usize) -> Result<f64, String> {
        let number = match self.args.get(index) {
            Some(Value::Integer(n)) => Some(*n as f64),
            Some(Value::Number(n)) => Some(*n),
            Some(Value::String(text)) => text.to_string_lossy().trim().parse().ok(),
            _ => None,
        };
        number.filter(|n| n.is_finite()).ok_or_else(|| self.wrong(index, "a number"))
    }

    /// A whole number within `range`; `name` is what the number is.
    pub(super) fn whole(&self, index: usize, name: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
        let wanted = format!("{name}, a whole number from {} to {}", range.start(), range.end());
        let number = self.number(index).map_err(|_| self.wrong(index, &wanted))?;
        let whole = (number.fract() == 0.0 && number >= 0.0 && number <= *range.end() as f64)
            .then_some(number as u64);
        whole.filter(|n| range.contains(n)).ok_or_else(|| self.wrong(index, &wanted))
    }

    /// The port list, Pktgen's first argument nearly everywhere.
    pub(super) fn ports(&self) -> Result<PortSet, String> {
        let text =
            self.text(0).map_err(|_| self.wrong(0, "a port list such as \"0\", \"0,2-4\" or \"all\""))?;
        text.parse().map_err(|fault| format!("{}: {fault}", self.function.full_name()))
    }

    /// An Ethernet address.
    pub(super) fn mac(&self, index: usize) -> Result<Mac, String> {
        let wanted = "a MAC address such as \"00:50:56:ab:a2:ef\"";
        self.text(index)?.parse().map_err(|_| self.wrong(index, wanted))
    }

    /// An address of IPv4 or IPv6, with or without the length of its network, which no packet carries.
    pub(super) fn any_ip(&self, index: usize) -> Result<IpAddr, String> {
        let wanted = "an IPv4 or IPv6 address such as \"192.168.1.1\", \"192.168.1.1/24\" or \"2001:db8::1\"";
        let wrong = || self.wrong(index, wanted);
        let text = self.text(index).map_err(|_| wrong())?;
        let (address, bits) = text.split_once('/').unwrap_or((&text, "0"));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        bits.parse::<u8>().ok().filter(|b| *b <= most).ok_or_else(wrong)?;
        Ok(address)
    }

    /// A layer-4 protocol.
    pub(super) fn proto(&self, index: usize) -> Result<Transport, String> {
        match self.text(index)?.to_ascii_lowercase().as_str() {
            "udp" => Ok(Transport::Udp),
            "tcp" => Ok(Transport::Tcp),
            "icmp" => Ok(Transport::Icmp),
            _ => Err(self.wrong(index, "\"udp\", \"tcp\" or \"icmp\"")),
        }
    }

    /// On or off, by Pktgen's rule: three words are on, all else is off. A word that means neither gets a
    /// warning.
    pub(super) fn on(&mut self, index: usize) -> Result<bool, String> {
        let word = self.text(index)?;
        let on = ON.contains(&word.as_str());
        if !on && !OFF.contains(&word.as_str()) {
            let name = self.function.full_name();
            self.note(
                Severity::Warning,
                format!("{name}: `{word}` is taken as off, as Pktgen does: write \"on\" or \"off\""),
            );
        }
        Ok(on)
    }

    /// Tells the user something about this line.
    pub(super) fn note(&mut self, severity: Severity, text: String) {
        self.backend.note(self.line, severity, text);
    }

    /// Hands an operation to the backend.
    pub(super) fn apply(&mut self, ports: PortSet, op: PortOp) -> Result<(), String> {
        self.backend.port(self.line, ports, op).map_err(|fault| fault.to_string())
    }
}

/// A value as an error shows it: text in quotes, cut when long.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let text = text.to_string_lossy();
            let cut: String = text.chars().take(MAX_SHOWN_CHARS).collect();
            if cut.len() < text.len() { format!("\"{cut}…\"") } else { format!("\"{cut}\"") }
        }
        Value::Integer(n) => n.to_string(),
        Value::Number(n) => n.to_string(),
        Value::Boolean(b) => b.to_string(),
        other => other.type_name().to_owned(),
    }
}
