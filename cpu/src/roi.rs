//! Regions cut out of feature maps by weighted sums of pixels (RoIAlign).

use rayon::prelude::*;

/// Which pixels make up the regions, and how much each counts.
///
/// A bin's value is the sum over its `taps` rows and `taps` columns of row weight times column weight times pixel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regions {
    /// Images, channels, height and width of the feature map.
    pub shape: [usize; 4],
    /// Bins of a region in each direction.
    pub bins: usize,
    /// Rows (and columns) that a bin sums.
    pub taps: usize,
    /// The image of each region.
    pub images: Vec<u32>,
    /// Row and weight, `bins * taps` of each region.
    pub rows: Vec<(u32, f32)>,
    /// Column and weight, `bins * taps` of each region.
    pub columns: Vec<(u32, f32)>,
}

impl Regions {
    /// The number of regions.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there is no region.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Position in the plane and weight of every pixel of a region: bin by bin, `taps * taps` each.
    fn pixels(&self, region: usize) -> Vec<(u32, f32)> {
        let width = self.shape[3] as u32;
        let side = self.bins * self.taps;
        let rows = &self.rows[region * side..][..side];
        let columns = &self.columns[region * side..][..side];
        let mut pixels = Vec::with_capacity(side * side);
        for rows in rows.chunks_exact(self.taps) {
            for columns in columns.chunks_exact(self.taps) {
                for &(row, by_row) in rows {
                    pixels.extend(
                        columns
                            .iter()
                            .map(|&(column, by_column)| (row * width + column, by_row * by_column)),
                    );
                }
            }
        }
        pixels
    }
}

/// `[regions, channels, bins, bins]`.
pub fn forward(regions: &Regions, features: &[f32]) -> Vec<f32> {
    let [_, channels, height, width] = regions.shape;
    let (plane, bins) = (height * width, regions.bins * regions.bins);
    let mut output = vec![0.0; regions.len() * channels * bins];
    if output.is_empty() {
        return output;
    }
    output
        .par_chunks_exact_mut(channels * bins)
        .enumerate()
        .for_each(|(region, output)| {
            let pixels = regions.pixels(region);
            let image = &features[regions.images[region] as usize * channels * plane..];
            for (output, plane) in output.chunks_exact_mut(bins).zip(image.chunks_exact(plane)) {
                let groups = pixels.chunks_exact(regions.taps * regions.taps);
                for (value, group) in output.iter_mut().zip(groups) {
                    *value = group
                        .iter()
                        .map(|&(position, weight)| weight * plane[position as usize])
                        .sum();
                }
            }
        });
    output
}

/// The gradient of the features, `[n, channels, h, w]`, from that of the output. The same on every run: each plane is
/// summed by one thread.
pub fn gradient(regions: &Regions, gradient: &[f32]) -> Vec<f32> {
    let [images, channels, height, width] = regions.shape;
    let (plane, bins) = (height * width, regions.bins * regions.bins);
    let pixels: Vec<Vec<(u32, f32)>> = (0..regions.len())
        .into_par_iter()
        .map(|region| regions.pixels(region))
        .collect();
    let mut of_image = vec![Vec::new(); images];
    for (region, &image) in regions.images.iter().enumerate() {
        of_image[image as usize].push(region);
    }
    let mut output = vec![0.0; images * channels * plane];
    if output.is_empty() {
        return output;
    }
    output
        .par_chunks_exact_mut(plane)
        .enumerate()
        .for_each(|(index, output)| {
            let (image, channel) = (index / channels, index % channels);
            for &region in &of_image[image] {
                let gradient = &gradient[(region * channels + channel) * bins..][..bins];
                let groups = pixels[region].chunks_exact(regions.taps * regions.taps);
                for (&gradient, group) in gradient.iter().zip(groups) {
                    for &(position, weight) in group {
                        output[position as usize] += weight * gradient;
                    }
                }
            }
        });
    output
}
