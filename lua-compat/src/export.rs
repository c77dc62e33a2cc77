//! From a profile to a Pktgen script.
