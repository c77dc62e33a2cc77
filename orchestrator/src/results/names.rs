//! Names of result files, and the times in them.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::ResultsError;
use crate::expid::ExpId;

const FILE_TIME: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]_[hour][minute][second]");
const LINE_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// What an npz file's name says.
#[derive(Debug, Clone, Copy)]
pub struct NpzName<'a> {
    /// The trial.
    pub expid: ExpId,
    /// `tx0`, `rx0`.
    pub pod: &'a str,
    /// `tx` or `rx`.
    pub role: &'a str,
    /// Workers' CPUs of the sender: `1`, `1-3`.
    pub tx_cores: &'a str,
    /// Workers' CPUs of the receiver.
    pub rx_cores: &'a str,
    /// The profile's name.
    pub profile: &'a str,
    /// The trial's start.
    pub started_unix_ns: u64,
}

impl NpzName<'_> {
    /// `{expid}_{pod}_{role}_txcores_{tx}_rxcores_{rx}_spec_{profile}_{YYYYmmdd_HHMMSS}.npz`.
    pub fn file_name(&self) -> Result<String, ResultsError> {
        let time = utc(self.started_unix_ns)?
            .format(FILE_TIME)
            .map_err(|_| ResultsError::Time(self.started_unix_ns))?;
        // A profile's name may come from a file; a slash in it must not leave the folder.
        let profile = self.profile.replace(['/', '\0'], "_");
        Ok(format!(
            "{}_{}_{}_txcores_{}_rxcores_{}_spec_{profile}_{time}.npz",
            self.expid, self.pod, self.role, self.tx_cores, self.rx_cores
        ))
    }
}

/// `2025-03-21T05:17:53`, UTC.
pub fn line_time(unix_ns: u64) -> Result<String, ResultsError> {
    utc(unix_ns)?.format(LINE_TIME).map_err(|_| ResultsError::Time(unix_ns))
}

/// Now, as it stands in file names: `20250321_051753`, UTC.
pub fn now_stamp() -> Result<String, ResultsError> {
    let now = OffsetDateTime::now_utc();
    let unix_ns = u64::try_from(now.unix_timestamp_nanos()).unwrap_or_default();
    now.format(FILE_TIME).map_err(|_| ResultsError::Time(unix_ns))
}

fn utc(unix_ns: u64) -> Result<OffsetDateTime, ResultsError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ns)).map_err(|_| ResultsError::Time(unix_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_old_system() {
        let name = NpzName {
            expid: ExpId::try_from("0badcafe".to_owned()).unwrap(),
            pod: "tx0",
            role: "tx",
            tx_cores: "1-3",
            rx_cores: "4",
            profile: "profile_100_flows_pkt_size_64B_100_rate_s",
            started_unix_ns: 1_742_534_273_000_000_000,
        };
        assert_eq!(
            name.file_name().unwrap(),
            "0badcafe_tx0_tx_txcores_1-3_rxcores_4_spec_profile_100_flows_pkt_size_64B_100_rate_s_20250321_051753.npz"
        );
        assert_eq!(line_time(1_742_534_273_999_999_999).unwrap(), "2025-03-21T05:17:53");
    }
}
