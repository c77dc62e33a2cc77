//! HTML, Markdown and LaTeX, each from a template that is filled in with the report.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, context};

use super::ReportError;
use super::model::Report;
use crate::show::{count, nanos, pps};

const HTML: &str = include_str!("templates/report.html");
const STYLE: &str = include_str!("templates/report.css");
const MARKDOWN: &str = include_str!("templates/report.md");
const LATEX: &str = include_str!("templates/report.tex");

/// One page with everything in it.
pub fn html(report: &Report) -> Result<String, ReportError> {
    let pictures: BTreeMap<&str, &str> =
        report.charts.iter().map(|c| (c.id.as_str(), c.svg.as_str())).collect();
    fill(
        "HTML",
        HTML,
        AutoEscape::Html,
        context! { report => Value::from(Serde(report)), pictures => Value::from(Serde(pictures)), style => STYLE },
    )
}

/// For a repository; pictures are files beside it.
pub fn markdown(report: &Report) -> Result<String, ReportError> {
    fill("Markdown", MARKDOWN, AutoEscape::None, context! { report => Value::from(Serde(report)) })
}

/// For paper; pictures are files beside it.
pub fn latex(report: &Report) -> Result<String, ReportError> {
    fill("LaTeX", LATEX, AutoEscape::None, context! { report => Value::from(Serde(report)) })
}

fn fill(
    format: &'static str,
    template: &str,
    escape: AutoEscape,
    values: Value,
) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(move |_| escape.clone());
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|source| ReportError::Template { format, source })?);
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.add_filter("pps", |value: f64| pps(value));
    environment.add_filter("count", |value: u64| count(value));
    environment.add_filter("nanos", |value: u64| nanos(value));
    environment.add_filter("fixed", |value: f64, decimals: usize| format!("{value:.decimals$}"));
    environment.add_filter("tex", |text: String| tex(&text));
    environment.add_filter("cell", |text: String| cell(&text));
    environment.render_str(template, values).map_err(|source| ReportError::Template { format, source })
}

/// A cell of a Markdown table, or a line of its text.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => safe.push(' '),
            '|' | '\\' | '`' | '*' | '_' | '<' | '[' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Text that LaTeX prints as it is.
fn tex(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => safe.push_str("\\textbackslash{}"),
            '~' => safe.push_str("\\textasciitilde{}"),
            '^' => safe.push_str("\\textasciicircum{}"),
            'µ' => safe.push_str("\\textmu{}"),
            '±' => safe.push_str("\\textpm{}"),
            '≥' => safe.push_str("$\\geq$"),
            '×' => safe.push_str("$\\times$"),
            '−' => safe.push('-'),
            '…' => safe.push_str("\\dots{}"),
            '\n' | '\r' => safe.push(' '),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                safe.push('\\');
                safe.push(c);
            }
            '`' => safe.push_str("\\textasciigrave{}"),
            // Engines of eight bits have no glyph for what is left.
            c if c.is_ascii() => safe.push(c),
            _ => safe.push('?'),
        }
        if matches!(c, '_' | '/') {
            // Where a long name may be broken.
            safe.push_str("\\allowbreak{}");
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_users_is_only_text() {
        assert_eq!(cell("a|b\n*c* <script>"), "a\\|b \\*c\\* \\<script>");
        assert_eq!(tex("50% of a_b\\c"), "50\\% of a\\_\\allowbreak{}b\\textbackslash{}c");
        assert_eq!(tex("12 µs ☃"), "12 \\textmu{}s ?");
    }
}
