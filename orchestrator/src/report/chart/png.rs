//! A drawn chart as PNG, by resvg and the machine's fonts.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::Drawn;
use crate::report::ReportError;

/// Pixels a unit of the drawing: sharp on paper.
const SCALE: f32 = 2.0;

/// Fonts of this machine, read once a report.
#[derive(Debug, Clone)]
pub struct Fonts(Arc<fontdb::Database>);

impl Fonts {
    /// All that the system has.
    pub fn load() -> Fonts {
        let mut fonts = fontdb::Database::new();
        fonts.load_system_fonts();
        Fonts(Arc::new(fonts))
    }
}

/// The picture's bytes.
pub fn png(drawn: &Drawn, fonts: &Fonts) -> Result<Vec<u8>, ReportError> {
    let failed = |reason: String| ReportError::Draw { chart: drawn.id.clone(), reason };
    // Without one there would be no word in the picture.
    let Some(family) = fonts.0.faces().next().and_then(|face| face.families.first()) else {
        return Err(ReportError::NoFont { chart: drawn.id.clone() });
    };
    let dejavu = fonts.0.faces().flat_map(|face| &face.families).find(|(name, _)| name == "DejaVu Sans");
    let font_family = dejavu.unwrap_or(family).0.clone();
    let options = Options { fontdb: fonts.0.clone(), font_family, ..Options::default() };
    let tree = Tree::from_str(&drawn.svg, &options).map_err(|error| failed(error.to_string()))?;
    let size = tree.size();
    let (width, height) = ((size.width() * SCALE).ceil() as u32, (size.height() * SCALE).ceil() as u32);
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| failed("it has no size".to_owned()))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| failed(error.to_string()))
}
