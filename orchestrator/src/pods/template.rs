//! Pods from a text with placeholders: our own, which `pods template` prints, or the user's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::manifest::claim_name;
use super::objects::{Kind, Object, adopt};
use super::placeholders::{Filling, fillings};
use super::placement::PairNodes;
use super::settings::PodSettings;
use crate::cluster::labels::{PodRole, pod_name};

const BUILT_IN: &str = include_str!("template.yaml");

/// The built-in template, with its claim or without.
pub fn built_in(with_claim: bool) -> String {
    match BUILT_IN.split("---\n").collect::<Vec<_>>().as_slice() {
        [head, _, pod] if !with_claim => [*head, *pod].join("---\n"),
        _ => BUILT_IN.to_owned(),
    }
}

/// A template as it was read.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// The user's own placeholders.
    pub own: BTreeMap<String, String>,
}

/// A template that makes no pod.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Not there.
    #[error("can't read the template {path}: {reason}")]
    Unreadable {
        /// What was named.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Placeholders without a text; all of them.
    #[error("{}", .0.join("\n"))]
    Placeholders(Vec<String>),
    /// No YAML once it is filled.
    #[error("{path}, filled for {pod}, is no YAML: {reason}")]
    Yaml {
        /// The template.
        path: PathBuf,
        /// For which pod.
        pod: String,
        /// What the reader said.
        reason: String,
    },
    /// Something else than one pod of the right name.
    #[error("{path}: {what}")]
    Shape {
        /// The template.
        path: PathBuf,
        /// What is wrong, and what is right.
        what: String,
    },
}

impl Template {
    /// Reads a user's template.
    pub fn read(path: &Path, own: BTreeMap<String, String>) -> Result<Template, TemplateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|reason| TemplateError::Unreadable { path: path.to_owned(), reason })?;
        Ok(Template { path: path.to_owned(), text, own })
    }

    /// Claim and pod of one end; what the template holds beside those is left out, and named in `notes`.
    pub fn objects(
        &self,
        settings: &PodSettings,
        role: PodRole,
        pair: usize,
        nodes: &PairNodes,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Object>, TemplateError> {
        let filled = self.fill(&fillings(settings, role, pair, nodes, &self.own))?;
        let name = pod_name(role, pair);
        let documents: Vec<Value> = serde_saphyr::from_multiple(&filled).map_err(|error| {
            TemplateError::Yaml { path: self.path.clone(), pod: name.clone(), reason: error.to_string() }
        })?;
        let mut objects = Vec::new();
        for value in documents.into_iter().filter(|value| !value.is_null()) {
            if let Some(mut object) = self.object(value, notes) {
                adopt(&mut object, settings, role, pair);
                objects.push(object);
            }
        }
        self.check(&objects, role, pair)?;
        objects.sort_by_key(|object| object.kind);
        Ok(objects)
    }

    /// The text with every placeholder filled, or all those that can't be.
    fn fill(&self, fillings: &BTreeMap<String, Filling>) -> Result<String, TemplateError> {
        let mut faults = Vec::new();
        let mut filled = String::new();
        for (n, line) in (1..).zip(self.text.lines()) {
            if line.trim_start().starts_with('#') {
                continue;
            }
            let mut place = |fault: String| faults.push(format!("{}:{n}: {fault}", self.path.display()));
            let text = fill_line(line, fillings, &mut place);
            // A placeholder alone on its line may stand for no line at all.
            if !text.trim().is_empty() || line.trim().is_empty() {
                filled.push_str(&text);
                filled.push('\n');
            }
        }
        if faults.is_empty() { Ok(filled) } else { Err(TemplateError::Placeholders(faults)) }
    }

    fn object(&self, value: Value, notes: &mut Vec<String>) -> Option<Object> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, name) = (text(&value["kind"]), text(&value["metadata"]["name"]));
        match (kind.as_str(), value["apiVersion"].as_str()) {
            ("Pod", Some("v1")) => Some(Object { kind: Kind::Pod, name, value }),
            ("PersistentVolumeClaim", Some("v1")) => Some(Object { kind: Kind::Claim, name, value }),
            _ => {
                let note = format!(
                    "{}: {kind} {name} is left out: only pods and claims are made here; apply it yourself if you \
                     want it",
                    self.path.display()
                );
                if !notes.contains(&note) {
                    notes.push(note);
                }
                None
            }
        }
    }

    /// One pod with the name by which all else finds it, and claims that no other pod has.
    fn check(&self, objects: &[Object], role: PodRole, pair: usize) -> Result<(), TemplateError> {
        let shape = |what: String| Err(TemplateError::Shape { path: self.path.clone(), what });
        let wanted = pod_name(role, pair);
        let pods: Vec<&Object> = objects.iter().filter(|object| object.kind == Kind::Pod).collect();
        match pods.as_slice() {
            [pod] if pod.name == wanted => {}
            [pod] => {
                return shape(format!("the pod is named `{}`: write `name: {{{{pod-name}}}}`", pod.name));
            }
            pods => {
                return shape(format!("it has {} pods, and makes one for each end of each pair", pods.len()));
            }
        }
        match objects.iter().find(|object| !object.name.contains(&wanted)) {
            Some(object) => shape(format!(
                "the {} is named `{}`, which would be the same for several pods: write {{{{pod-name}}}} in its name, as \
                 in {}",
                object.kind.word(),
                object.name,
                claim_name(role, pair)
            )),
            None => Ok(()),
        }
    }
}

fn fill_line(line: &str, fillings: &BTreeMap<String, Filling>, fault: &mut dyn FnMut(String)) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            fault("`{{` without `}}`".to_owned());
            return text;
        };
        match fillings.get(name.trim()) {
            Some(Ok(filling)) => text.push_str(filling),
            Some(Err(reason)) => fault(format!("{{{{{name}}}}} has no value: {reason}")),
            None => fault(format!(
                "{{{{{name}}}}} is unknown: give it a value with --set {name}=VALUE{}",
                nearest(name, fillings)
            )),
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// `, or write {{pod-name}}`, when something known is spelt nearly so.
fn nearest(name: &str, fillings: &BTreeMap<String, Filling>) -> String {
    let alike = |known: &&String| known.replace('-', "_") == name.replace('-', "_") || known.contains(name);
    fillings.keys().find(alike).map_or_else(String::new, |known| format!(", or write {{{{{known}}}}}"))
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
