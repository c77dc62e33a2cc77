//! A chart as data.

/// What values of an axis are, and how they are said.
#[derive(Debug, Clone)]
pub enum Axis {
    /// From 0, evenly.
    Linear,
    /// By powers of ten; values are above 0.
    Log,
    /// Nanoseconds by powers of ten, said in the unit that suits.
    LogTime,
    /// Names at 0, 1, 2, …
    Names(Vec<String>),
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A line with a marker at each value.
    Line,
    /// A dashed line without markers: what others are compared with.
    Reference,
    /// Upright bars around their place.
    Bars,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Across.
    pub x: f64,
    /// Up.
    pub y: f64,
    /// The smallest and the largest of several, where there are several.
    pub range: Option<(f64, f64)>,
}

impl Point {
    /// A single value.
    pub fn new(x: f64, y: f64) -> Point {
        Point { x, y, range: None }
    }
}

/// Values that belong together.
#[derive(Debug, Clone)]
pub struct Series {
    /// In the legend.
    pub name: String,
    /// How it is drawn.
    pub kind: Kind,
    /// In order.
    pub points: Vec<Point>,
}

/// A whole chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Of its file.
    pub id: String,
    /// Above it.
    pub title: String,
    /// Below it.
    pub caption: String,
    /// Across, with its unit.
    pub x_label: String,
    /// Up, with its unit.
    pub y_label: String,
    /// Across.
    pub x: Axis,
    /// Up.
    pub y: Axis,
    /// What is drawn.
    pub series: Vec<Series>,
}
