//! One search from its beginning, or from where it was cut short, to its end.

use std::path::Path;

use super::extras::{self, Extras};
use super::file::{Entry, Group, SearchFile};
use super::measure::{Bench, Load, clear, work};
use super::{SearchError, show};
use crate::lab::kube::KubeLab;
use crate::lab::local::{LocalLab, LocalPlan};
use crate::lab::{Lab, Place, pair_name};
use crate::results::ResultsError;
use crate::say;
use crate::search::{Ask, Machine};
use crate::settings::Settings;
use crate::trial::Interrupt;

/// Everything that a search is given beside its file.
#[derive(Debug)]
pub struct Session<'a> {
    /// How to measure.
    pub settings: &'a Settings,
    /// Where the pairs are.
    pub place: &'a Place,
    /// Ctrl-C.
    pub interrupt: &'a Interrupt,
    /// Where `result.json` is.
    pub folder: &'a Path,
    /// What is measured beside.
    pub extras: Extras,
}

impl Session<'_> {
    /// Searches with each group of pairs in turn. What was measured is in the file after every trial.
    pub async fn run(&self, file: &mut SearchFile) -> Result<(), SearchError> {
        clear(self.folder)?;
        let result = self.groups(file).await;
        if let Err(SearchError::Interrupted(_)) = &result {
            file.status = "interrupted".to_owned();
        }
        if result.is_ok() {
            file.status = "complete".to_owned();
        }
        file.write(self.folder)?;
        clear(self.folder)?;
        result
    }

    async fn groups(&self, file: &mut SearchFile) -> Result<(), SearchError> {
        for index in 0..file.groups.len() {
            let Some(group) = file.groups.get(index) else { continue };
            let profiles = self.settings.profiles.iter().filter(|(pair, _)| group.pairs.contains(pair));
            let settings = self.settings.with_profiles(profiles.map(|(k, v)| (*k, v.clone())).collect());
            match self.place {
                Place::Local { dataplane, devices } => {
                    let state = |pair: usize| (pair, work(self.folder).join("agents").join(pair_name(pair)));
                    let plan = LocalPlan {
                        dataplane: dataplane.clone(),
                        frame_bytes: settings.frame_bytes_max(),
                        devices: devices.clone(),
                        state_folders: settings.pairs().into_iter().map(state).collect(),
                    };
                    for (_, folder) in &plan.state_folders {
                        std::fs::create_dir_all(folder).map_err(ResultsError::io("creating", folder))?;
                    }
                    let lab = LocalLab::start(&plan).await?;
                    self.interrupt.end_with(lab.pids());
                    let result = self.in_lab(lab, &settings, file, index).await;
                    self.interrupt.end_with(Vec::new());
                    result?;
                }
                Place::Kube(place) => {
                    let lab = KubeLab::connect(place, &settings.pairs()).await?;
                    self.in_lab(lab, &settings, file, index).await?;
                }
            }
        }
        Ok(())
    }

    async fn in_lab<L: Lab>(
        &self,
        lab: L,
        settings: &Settings,
        file: &mut SearchFile,
        index: usize,
    ) -> Result<(), SearchError> {
        let mut bench =
            Bench { lab: &lab, settings, folder: self.folder, interrupt: self.interrupt, is_first: true };
        let mut result = self.search(&mut bench, file, index).await;
        if result.is_ok() {
            result = extras::measure(&self.extras, &mut bench, file, index).await;
        }
        for trouble in lab.teardown().await {
            say::err(trouble);
        }
        result
    }

    async fn search<L: Lab>(
        &self,
        bench: &mut Bench<'_, L>,
        file: &mut SearchFile,
        index: usize,
    ) -> Result<(), SearchError> {
        let mut machine = Machine::new(file.config.clone());
        let Some(group) = file.groups.get(index) else { return Ok(()) };
        self.again(&mut machine, &group.trials)?;
        while let Some(ask) = machine.next() {
            let measured = bench.trial(Load::Rate(ask.load_pps, ask.duration_s)).await?;
            machine.tell(&measured.trial);
            let found = machine.found();
            let Some(group) = file.groups.get_mut(index) else { return Ok(()) };
            group.trials.push(Entry { is_warmup: ask.is_warmup, ..measured });
            group.found = found;
            show::trial(self.settings.output, group, machine.spent_s());
            file.write(self.folder)?;
        }
        if machine.is_out_of_time() {
            say::err(format_args!(
                "{:.0} s of trials are over (--max-time): this is what is known",
                machine.spent_s()
            ));
        }
        if let Some(group) = file.groups.get_mut(index) {
            group.found = machine.found();
        }
        Ok(file.write(self.folder)?)
    }

    /// What was measured before leads to the same place.
    fn again(&self, machine: &mut Machine, trials: &[Entry]) -> Result<(), SearchError> {
        for entry in trials {
            let is_same = |ask: &Ask| {
                (ask.load_pps / entry.trial.load_pps - 1.0).abs() < 1e-9
                    && (ask.duration_s - entry.trial.duration_s).abs() < 1e-9
                    && ask.is_warmup == entry.is_warmup
            };
            if !machine.next().as_ref().is_some_and(is_same) {
                let path = SearchFile::path(self.folder);
                let why = "its trials are not those that this search makes; begin anew".to_owned();
                return Err(SearchError::NotThis { path, why });
            }
            machine.tell(&entry.trial);
        }
        Ok(())
    }
}

/// The lower bound that figures beside are told against: of the goal that bears the most loss, and of the least.
pub fn answers(group: &Group, goals: &[crate::search::Goal]) -> (Option<(String, f64)>, Option<f64>) {
    let known = |index: &usize| group.found.get(*index).and_then(|found| found.lower_pps).is_some();
    let mut order: Vec<usize> = (0..goals.len()).filter(known).collect();
    order.sort_by(|a, b| goals[*a].loss_ratio.total_cmp(&goals[*b].loss_ratio));
    let lower = |index: &usize| group.found.get(*index).and_then(|found| found.lower_pps);
    let most = order.last().and_then(|index| Some((goals.get(*index)?.name.clone(), lower(index)?)));
    (most, order.first().and_then(lower))
}
