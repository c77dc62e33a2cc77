//! Whether a result answers what is asked now: the same profile, sent as long, in the same place, in the same way.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime};

use traffic::profile::Profile;

use crate::lab::{ClusterRef, Place};
use crate::profile_source::LoadedProfile;
use crate::results::read::TrialHead;
use crate::settings::Settings;

/// Options that a measurement depends on, with the others that mean the same.
const OPTIONS: [(&str, &[&str]); 12] = [
    ("--tx-num-core", &["tx_num_core", "txq"]),
    ("--rx-num-core", &["rx_num_core", "rxq"]),
    ("--burst", &["burst"]),
    ("--txd", &["txd"]),
    ("--rxd", &["rxd"]),
    ("--memory", &["memory"]),
    ("--clock", &["clock"]),
    ("--clock-error-ns", &["clock_error_ns"]),
    ("--path", &["path"]),
    ("--tx-device", &["tx_device"]),
    ("--rx-device", &["rx_device"]),
    ("--sample-interval", &["sample_interval"]),
];

/// What is asked of every trial of an experiment.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Everything but the profile.
    pub settings: &'a Settings,
    lab: &'static str,
    cluster: Option<ClusterRef>,
}

impl<'a> Asked<'a> {
    /// In this place.
    pub fn new(settings: &'a Settings, place: &Place) -> Asked<'a> {
        let (lab, cluster) = match place {
            Place::Local { .. } => ("local", None),
            Place::Kube(kube) => {
                let (context, namespace) = (kube.cluster.context.clone(), kube.cluster.namespace.clone());
                ("kube", Some(ClusterRef { context, namespace }))
            }
        };
        Asked { settings, lab, cluster }
    }

    /// Why a result is not the answer; none where it is.
    pub fn differs(&self, loaded: &LoadedProfile, trial: &TrialHead) -> Option<String> {
        if !is_same(&loaded.profile, &trial.profile) {
            return Some("the profile has changed since".to_owned());
        }
        if let Some(replay) = &loaded.profile.replay
            && fs::metadata(&replay.file).and_then(|meta| meta.modified()).is_ok_and(|at| at > began(trial))
        {
            return Some(format!("the capture {} has changed since", replay.file.display()));
        }
        let duration_s = self.settings.duration_s(&loaded.profile);
        if (duration_s - trial.duration_s).abs() > 1e-6 {
            return Some(format!("it was sent for {} s, and {duration_s} s are asked", trial.duration_s));
        }
        if self.lab != trial.lab || self.cluster != trial.cluster {
            return Some("it was measured in another place".to_owned());
        }
        OPTIONS.iter().find_map(|(flag, keys)| {
            let (then, now) = (value(&trial.options, keys)?, value(&self.settings.options, keys)?);
            let shown = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
            (then != now).then(|| format!("{flag} was {} and is {} now", shown(then), shown(now)))
        })
    }
}

/// The first of `keys` that says something; none where an older release did not write them.
fn value<'o>(options: &'o BTreeMap<String, String>, keys: &[&str]) -> Option<&'o str> {
    let there: Vec<&str> = keys.iter().filter_map(|key| options.get(*key)).map(String::as_str).collect();
    there.iter().find(|text| !text.is_empty()).or(there.first()).copied()
}

fn began(trial: &TrialHead) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(trial.started_unix_ns)
}

/// Equal, but for the last bit of a number that has been through JSON.
fn is_same(now: &Profile, then: &Profile) -> bool {
    let through_json = |profile: &Profile| -> Option<Profile> {
        serde_json::from_slice(&serde_json::to_vec(profile).ok()?).ok()
    };
    now == then
        || through_json(now)
            .is_some_and(|once| once == *then || through_json(&once).is_some_and(|twice| twice == *then))
}
