//! What two numbers have in common: how cycles of different lengths meet.

/// The greatest common divisor; of zero and a number, the number.
pub fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The least common multiple of two numbers above zero; `None` beyond 2^64.
pub fn lcm(a: u64, b: u64) -> Option<u64> {
    (a / gcd(a, b)).checked_mul(b)
}
