//! Colors of plots. Plots are drawn in a few sentinel colors that no palette uses; they are replaced by fixed colors
//! for files and `<img>`, or by JupyterLab's theme variables for inline SVG.

use plotters::style::RGBColor;

use crate::display::escape;

/// The ground behind the plot.
pub(super) const GROUND: RGBColor = RGBColor(1, 1, 2);
/// Titles, axis labels.
pub(super) const TEXT: RGBColor = RGBColor(1, 1, 3);
/// Tick labels, notes.
pub(super) const MUTED: RGBColor = RGBColor(1, 1, 4);
/// Grid lines.
pub(super) const GRID: RGBColor = RGBColor(1, 1, 5);
/// Axis lines.
pub(super) const AXIS: RGBColor = RGBColor(1, 1, 6);

/// Sentinel as plotters writes it, the fixed color, the theme's variable.
const SENTINELS: [(&str, &str, &str); 5] = [
    ("#010102", "#FCFCFB", "var(--jp-layout-color0,#FCFCFB)"),
    ("#010103", "#212121", "var(--jp-ui-font-color1,#212121)"),
    ("#010104", "#5F5F5F", "var(--jp-ui-font-color2,#5F5F5F)"),
    ("#010105", "#E4E4E2", "var(--jp-border-color2,#E4E4E2)"),
    ("#010106", "#9A9A98", "var(--jp-border-color1,#9A9A98)"),
];

/// The document in fixed colors on a light ground of its own.
pub(super) fn fixed(svg: &str) -> String {
    SENTINELS
        .iter()
        .fold(svg.to_owned(), |svg, (sentinel, fixed, _)| {
            svg.replace(sentinel, fixed)
        })
}

/// The document in the theme's colors, as an element to put inline into HTML.
pub(super) fn themed(svg: &str, alt: &str) -> String {
    let themed = SENTINELS
        .iter()
        .fold(svg.to_owned(), |svg, (sentinel, _, variable)| {
            svg.replace(sentinel, variable)
        });
    let role = format!(
        "<svg role=\"img\" aria-label=\"{}\" style=\"max-width:100%;height:auto\" ",
        escape(alt)
    );
    themed.replacen("<svg ", &role, 1)
}
