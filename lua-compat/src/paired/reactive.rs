//! Scripts that measure while they run: latency, and the highest rate without loss. For `dataplane lua`, and for Pktgen
//! 23.10 as far as it has the figures.

use std::fmt::Write as _;

/// What a generated script does once its flows are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GenMode {
    /// Sends, until it is stopped.
    #[default]
    Paired,
    /// Sends for a while at the rate given, and reports the latency's percentiles.
    Latency,
    /// Searches the highest rate without loss by bisection, up to the rate given, and confirms it.
    Converge,
}

impl GenMode {
    /// What stands behind the profile's name in that of its file.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            GenMode::Paired => "",
            GenMode::Latency => "_latency",
            GenMode::Converge => "_converge",
        }
    }
}

/// The receiving port, and frames sent and received since the last `clear`.
const COMMON: &str = r#"
-- Port 0 sends; port 1 receives, or port 0 itself where there is one port whose frames come back.
local rx = pktgen.portCount() > 1 and 1 or 0

local function frames()
    local stats = pktgen.portStats("0," .. rx, "port")
    return stats[0].opackets, stats[rx].ipackets
end
"#;

const LATENCY: &str = r#"
pktgen.latency("0", "on")
local seconds = 10
pktgen.clear("all")
pktgen.start("0")
for second = 1, seconds do
    pktgen.delay(1000)
    local now = pktgen.pktStats(rx)[rx].latency
    printf("%2d s: %d frames, mean %.3f us, p99 %.3f us, max %.3f us\n",
        second, now.num_pkts, now.avg_us, now.p99_us or now.max_us, now.max_us)
end
pktgen.stop("0")
pktgen.delay(500)
local sent, received = frames()
local l = pktgen.pktStats(rx)[rx].latency
printf("latency us: min %.3f mean %.3f max %.3f jitter %.3f\n", l.min_us, l.avg_us, l.max_us, l.jitter_us or 0)
if l.p50_us then
    printf("percentiles us: p50 %.3f p90 %.3f p99 %.3f p99.9 %.3f\n", l.p50_us, l.p90_us, l.p99_us, l.p99_9_us)
end
printf("frames: sent %d received %d measured %d\n", sent, received, l.num_pkts)
"#;

const CONVERGE: &str = r#"
local trial_ms, confirm_ms, steps = 2000, 5000, 10

-- One trial: whether nothing was lost, with how many were sent and received. What the port refused is a loss too.
local function trial(rate, ms)
    pktgen.set("0", "rate", rate)
    pktgen.clear("all")
    pktgen.start("0")
    pktgen.delay(ms)
    pktgen.stop("0")
    pktgen.delay(300)
    local sent, received = frames()
    local failed = pktgen.pktStats("0")[0].tx_failed
    local ok = sent > 0 and received >= sent and failed == 0
    printf("rate %8.4f %%: sent %d received %d refused %d: %s\n", rate, sent, received, failed, ok and "ok" or "loss")
    return ok
end

local low, high = 0, top
if trial(top, trial_ms) then
    low = top
else
    for _ = 1, steps do
        local middle = (low + high) / 2
        if trial(middle, trial_ms) then low = middle else high = middle end
    end
end
-- The rate found has to hold for longer; else the next lower one that was not tried.
local confirmed = false
while low > 0.01 and not confirmed do
    confirmed = trial(low, confirm_ms)
    if not confirmed then low = low * 0.98 end
end
if confirmed then
    printf("converged: %.4f %% of the link without loss, confirmed over %d ms\n", low, confirm_ms)
else
    printf("not converged: frames are lost at every rate\n")
end
"#;

/// The end of a script of this mode, in place of a paired one's.
pub(super) fn tail(mode: GenMode, rate_percent: u32) -> String {
    let mut lua = String::from(COMMON);
    match mode {
        GenMode::Paired => {}
        GenMode::Latency => lua += LATENCY,
        GenMode::Converge => {
            let _ = writeln!(lua, "\nlocal top = {rate_percent}");
            lua += CONVERGE;
        }
    }
    lua += "pktgen.quit()\n";
    lua
}
