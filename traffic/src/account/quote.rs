//! Errors that quote what was sent.

/// Whether it is an ICMP or ICMPv6 error (RFC 792, RFC 4443), by its headers alone; VLAN tags are none that kernels
/// send them with.
pub fn is_icmp_error(frame: &[u8]) -> bool {
    let Some((head, packet)) = frame.split_at_checked(14) else { return false };
    let at = |offset: usize| packet.get(offset).copied();
    match [head[12], head[13]] {
        [0x08, 0x00] if at(9) == Some(1) => {
            let words = usize::from(at(0).unwrap_or_default() & 0xf);
            // Unreachable, source quench, redirect, time exceeded, parameter problem.
            matches!(at(4 * words), Some(3 | 4 | 5 | 11 | 12))
        }
        [0x86, 0xdd] if at(6) == Some(58) => at(40).is_some_and(|kind| kind < 128),
        _ => false,
    }
}
