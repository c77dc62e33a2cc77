//! Colours and marks that tell series apart on a screen, in black and white, and for colour-blind people.

use plotters::style::RGBColor;

/// Okabe and Ito's colours, the yellow left out: each differs in lightness too.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 0, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// The shape of a series' marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Filled.
    Disc,
    /// Not filled.
    Ring,
    /// Upright.
    Triangle,
    /// Diagonal.
    Cross,
}

/// How series number `n` looks: the colours come round after the marks have changed.
pub fn look(n: usize) -> (RGBColor, Mark) {
    let marks = [Mark::Disc, Mark::Triangle, Mark::Cross, Mark::Ring];
    (COLOURS[n % COLOURS.len()], marks[n % marks.len()])
}
