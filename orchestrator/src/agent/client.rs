//! One agent's API, typed. Every call has a time limit; reads are asked again when the way to the agent broke.

use std::net::IpAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout};
use traffic::wire::{Health, Inventory, NextHop, RunSpec, RunState, RunStatus, Sample, VERSION};

use super::connect::{Connect, Silence};
use super::error::AgentError;
use super::pool::{Connection, Pool};

/// What an agent takes to ask its neighbours.
const NEXT_HOP_WAIT: Duration = Duration::from_secs(5);
/// The limit of an ordinary call; long polls get their waiting time on top.
const CALL_LIMIT: Duration = Duration::from_secs(5);
/// An answer larger than this is a fault, not data: 10,000 samples of 64 workers are below it.
const ANSWER_LIMIT_BYTES: usize = 256 << 20;
/// How often is asked again what may be asked twice, with pauses that double: 3 s in all.
const ATTEMPTS: u32 = 6;
/// Pause before asking again, so that a restarting proxy is not hammered.
pub const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// A long poll's turn: short enough that a lost connection shows soon.
const POLL_WAIT: Duration = Duration::from_secs(5);

/// Speaks HTTP/1.1 to one agent.
#[derive(Debug)]
pub struct AgentClient {
    /// The pod's name, for messages.
    pod: String,
    way: Box<dyn Connect>,
    pool: Pool,
}

/// A run at its agent.
#[derive(Debug, Clone, Copy)]
pub struct RunRef<'a> {
    /// Where it runs.
    pub agent: &'a AgentClient,
    /// Its id.
    pub id: &'a str,
}

impl AgentClient {
    /// A client of the agent of `pod`.
    pub fn new(pod: &str, way: Box<dyn Connect>) -> AgentClient {
        AgentClient { pod: pod.to_owned(), way, pool: Pool::default() }
    }

    /// What is known about why nobody answers there.
    pub async fn silence(&self) -> Silence {
        self.way.silence().await
    }

    /// The pod's name.
    pub fn pod(&self) -> &str {
        &self.pod
    }

    /// First contact: refuses an agent of another protocol version.
    pub async fn greet(&self) -> Result<Health, AgentError> {
        let health: Health = self.read("/healthz", Duration::ZERO).await?;
        if health.version == VERSION {
            return Ok(health);
        }
        Err(AgentError::Version { agent: self.pod.clone(), release: health.release, theirs: health.version })
    }

    /// What the agent's machine has.
    pub async fn inventory(&self) -> Result<Inventory, AgentError> {
        self.read("/v1/inventory", Duration::ZERO).await
    }

    /// Where frames to `to` have to go by `interface`; asking the neighbours takes the agent seconds at most.
    pub async fn next_hop(&self, to: IpAddr, interface: &str) -> Result<NextHop, AgentError> {
        self.read(&format!("/v1/next-hop?to={to}&interface={interface}"), NEXT_HOP_WAIT).await
    }

    /// Begins the preparation of a run. Where an answer was lost on its way, the run may be there: it is looked for
    /// before it is asked for again.
    pub async fn prepare(&self, spec: &RunSpec) -> Result<RunStatus, AgentError> {
        let body = to_json(&self.pod, spec)?;
        let mut pauses = pauses();
        loop {
            let lost = match self.call(Method::POST, "/v1/runs", body.clone(), CALL_LIMIT).await {
                Err(error) if error.is_transient() => error,
                answer => return answer,
            };
            let Some(pause) = pauses.next() else { return Err(lost) };
            sleep(pause).await;
            match self.run(&spec.id).status_within("", Duration::ZERO).await {
                Err(AgentError::Refused { status: 404, .. }) => {}
                Err(error) if error.is_transient() => return Err(error),
                answer => return answer,
            }
        }
    }

    /// The run `id` at this agent.
    pub fn run<'a>(&'a self, id: &'a str) -> RunRef<'a> {
        RunRef { agent: self, id }
    }

    /// A `GET`, asked again when the way broke.
    async fn read<T: DeserializeOwned>(&self, path: &str, wait: Duration) -> Result<T, AgentError> {
        let bytes = self.read_bytes(path, wait).await?;
        self.parse(&format!("GET {path}"), &bytes)
    }

    async fn read_bytes(&self, path: &str, wait: Duration) -> Result<Bytes, AgentError> {
        let mut pauses = pauses();
        loop {
            match self.exchange(Method::GET, path, Bytes::new(), CALL_LIMIT + wait).await {
                Err(error) if error.is_transient() => match pauses.next() {
                    Some(pause) => sleep(pause).await,
                    None => return Err(error),
                },
                answer => return answer,
            }
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        limit: Duration,
    ) -> Result<T, AgentError> {
        let what = format!("{method} {path}");
        let bytes = self.exchange(method, path, body, limit).await?;
        self.parse(&what, &bytes)
    }

    fn parse<T: DeserializeOwned>(&self, what: &str, bytes: &[u8]) -> Result<T, AgentError> {
        serde_json::from_slice(bytes).map_err(|e| AgentError::Unreadable {
            agent: self.pod.clone(),
            what: what.to_owned(),
            reason: e.to_string(),
        })
    }

    /// One request on a stream of its own, within `limit`.
    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        limit: Duration,
    ) -> Result<Bytes, AgentError> {
        let what = format!("{method} {path}");
        match timeout(limit, self.exchange_unbounded(method, path, body, &what)).await {
            Ok(answer) => answer,
            Err(_) => Err(AgentError::Timeout { agent: self.pod.clone(), what, limit }),
        }
    }

    async fn exchange_unbounded(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        what: &str,
    ) -> Result<Bytes, AgentError> {
        let broken =
            |reason: String| AgentError::Broken { agent: self.pod.clone(), what: what.to_owned(), reason };
        let request = || {
            Request::builder()
                .method(method.clone())
                .uri(path)
                .header("host", "agent")
                .header("content-type", "application/json")
                .body(Full::new(body.clone()))
                .map_err(|e| broken(e.to_string()))
        };
        let (connection, response) = self.answered(request, &method, broken).await?;
        let status = response.status();
        let bytes = Limited::new(response.into_body(), ANSWER_LIMIT_BYTES)
            .collect()
            .await
            .map_err(|e| broken(e.to_string()))?
            .to_bytes();
        self.pool.give(connection);
        if status.is_success() { Ok(bytes) } else { Err(self.refusal(status, &bytes)) }
    }

    /// Sends a request on a kept connection, or on a new one where none is kept or the kept one turns out to be closed.
    async fn answered(
        &self,
        request: impl Fn() -> Result<Request<Full<Bytes>>, AgentError>,
        method: &Method,
        broken: impl Fn(String) -> AgentError,
    ) -> Result<(Connection, Response<Incoming>), AgentError> {
        while let Some(mut kept) = self.pool.take() {
            match kept.sender.try_send_request(request()?).await {
                Ok(response) => return Ok((kept, response)),
                Err(mut error) => {
                    // Nothing was sent, or what was sent may be sent twice.
                    let may_repeat = error.take_message().is_some() || *method == Method::GET;
                    if !may_repeat {
                        return Err(broken(error.into_error().to_string()));
                    }
                }
            }
        }
        let stream = self.way.connect().await.map_err(|source| AgentError::Connect {
            agent: self.pod.clone(),
            place: self.way.place(),
            source,
        })?;
        let mut fresh = Connection::over(stream).await.map_err(|e| broken(e.to_string()))?;
        let response = fresh.sender.send_request(request()?).await.map_err(|e| broken(e.to_string()))?;
        Ok((fresh, response))
    }

    /// The agent's own sentence, or what came instead.
    fn refusal(&self, status: StatusCode, body: &[u8]) -> AgentError {
        let sentence = serde_json::from_slice::<serde_json::Value>(body)
            .ok()
            .and_then(|v| v.get("error").and_then(|e| e.as_str().map(str::to_owned)))
            .unwrap_or_else(|| format!("HTTP {status}: {}", String::from_utf8_lossy(body)));
        AgentError::Refused { agent: self.pod.clone(), status: status.as_u16(), message: sentence }
    }
}

impl RunRef<'_> {
    /// Where the run is, asked with patience: answers early when it is in one of `states` or over.
    pub async fn status_within(&self, states: &str, wait: Duration) -> Result<RunStatus, AgentError> {
        let path = format!("/v1/runs/{}?wait_ms={}&state={states}", self.id, wait.as_millis());
        self.agent.read(&path, wait).await
    }

    /// As [`Self::status_within`], asked once.
    pub async fn status_once(&self, states: &str, wait: Duration) -> Result<RunStatus, AgentError> {
        let path = format!("/v1/runs/{}?wait_ms={}&state={states}", self.id, wait.as_millis());
        self.agent.call(Method::GET, &path, Bytes::new(), CALL_LIMIT + wait).await
    }

    /// Waits until the run is ready to start; a failed preparation is the engine's own error.
    pub async fn wait_ready(&self, limit: Duration) -> Result<RunStatus, AgentError> {
        let until = Instant::now() + limit;
        loop {
            let wait = POLL_WAIT.min(until.saturating_duration_since(Instant::now()));
            let status = self.status_within("ready", wait).await?;
            match status.state {
                RunState::Ready | RunState::Running => return Ok(status),
                RunState::Failed => return Err(self.failed(status)),
                _ if Instant::now() >= until => return Err(self.stuck("ready", &status, limit)),
                _ => {}
            }
        }
    }

    /// Begins to send or to count.
    pub async fn start(&self) -> Result<RunStatus, AgentError> {
        self.post_idempotent("start").await
    }

    /// Ends it: a sender at once, a receiver after its drain. Asked once: who follows a run asks again, and asks in
    /// between why nobody answers.
    pub async fn stop(&self) -> Result<RunStatus, AgentError> {
        let path = format!("/v1/runs/{}/stop", self.id);
        self.agent.call(Method::POST, &path, Bytes::new(), CALL_LIMIT).await
    }

    /// Has a sender go on at so many thousandths of its profile's rate.
    pub async fn set_rate(&self, per_mille: u32) -> Result<RunStatus, AgentError> {
        self.post_idempotent(&format!("rate?per_mille={per_mille}")).await
    }

    /// Samples from number `from` on, waiting up to `wait` for the first of them.
    pub async fn samples(&self, from: u64, wait: Duration) -> Result<Vec<Sample>, AgentError> {
        const MAX: u32 = 1000;
        let path = format!("/v1/runs/{}/samples?from={from}&wait_ms={}&max={MAX}", self.id, wait.as_millis());
        let bytes = self.agent.exchange(Method::GET, &path, Bytes::new(), CALL_LIMIT + wait).await?;
        bytes
            .split(|b| *b == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| self.agent.parse(&format!("GET {path}"), line))
            .collect()
    }

    /// Ends the run if need be and forgets it, files too.
    pub async fn delete(&self) -> Result<(), AgentError> {
        let path = format!("/v1/runs/{}", self.id);
        // The agent may have to stop an engine first, which it bounds itself.
        self.agent.exchange(Method::DELETE, &path, Bytes::new(), CALL_LIMIT * 3).await.map(|_| ())
    }

    /// `start` and `stop` may be said twice, so they may be asked again.
    async fn post_idempotent(&self, verb: &str) -> Result<RunStatus, AgentError> {
        let path = format!("/v1/runs/{}/{verb}", self.id);
        let mut pauses = pauses();
        loop {
            match self.agent.call(Method::POST, &path, Bytes::new(), CALL_LIMIT).await {
                Err(error) if error.is_transient() => match pauses.next() {
                    Some(pause) => sleep(pause).await,
                    None => return Err(error),
                },
                answer => return answer,
            }
        }
    }

    fn failed(&self, status: RunStatus) -> AgentError {
        AgentError::RunFailed {
            agent: self.agent.pod.clone(),
            error: status.error.unwrap_or_else(|| "the engine failed without saying why".into()),
        }
    }

    fn stuck(&self, awaited: &'static str, status: &RunStatus, limit: Duration) -> AgentError {
        AgentError::Stuck {
            agent: self.agent.pod.clone(),
            awaited,
            state: format!("{:?}", status.state).to_lowercase(),
            limit,
        }
    }
}

fn to_json<T: Serialize>(pod: &str, value: &T) -> Result<Bytes, AgentError> {
    serde_json::to_vec(value).map(Bytes::from).map_err(|e| AgentError::Unreadable {
        agent: pod.to_owned(),
        what: "its own run spec".into(),
        reason: e.to_string(),
    })
}

/// The pauses between attempts.
pub fn pauses() -> impl Iterator<Item = Duration> {
    (1..ATTEMPTS).map(|n| RETRY_PAUSE * (1 << (n - 1)))
}
