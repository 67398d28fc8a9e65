//! State dicts of other libraries into our networks and out of them, with a report of what went where.

use std::collections::{BTreeMap, BTreeSet};

use super::{AnyModule, ModelError, NamedTensors, Task, weights};
use crate::Result;
use crate::display::{Output, Show, escape};

/// A tensor that has another shape in a file than in a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherShape {
    /// Its name in the network.
    pub name: String,
    /// Its shape in the network.
    pub expected: Vec<usize>,
    /// Its shape in the file.
    pub found: Vec<usize>,
}

/// What loading a state dict did: which tensors were used, which kept their values, which had no place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WeightsReport {
    /// The network's name.
    pub network: String,
    /// Tensors of the network that got the file's values, by the network's names.
    pub applied: Vec<String>,
    /// Tensors of the network that the file does not have, by the network's names: they keep their random values.
    pub missing: Vec<String>,
    /// Tensors of the file that the network has no place for, by the file's names.
    pub unused: Vec<String>,
    /// Tensors that both have, in different shapes: the network's keep their random values. A last layer for other classes
    /// is the usual case.
    pub other_shape: Vec<OtherShape>,
    /// The first convolution, if it was made to fit another number of bands, with both numbers.
    pub adapted: Option<(String, [usize; 2])>,
}

/// What of a network a state dict has to hold, in the right shapes. The rest keeps its values where it does not, and the
/// report says so.
#[derive(Clone, Copy, Debug)]
pub(super) enum Strictness<'a> {
    /// The encoder, or everything in a network without one.
    Encoder,
    /// Everything but the layers of these names: those whose sizes depend on the classes.
    AllBut(&'a [&'a str]),
}

impl Strictness<'_> {
    /// Whether a tensor has to be in the file.
    fn requires(self, name: &str, encoder: &[&str]) -> bool {
        let is_in = |parts: &[&str]| parts.iter().any(|part| under(name, part).is_some());
        match self {
            Self::Encoder => encoder.is_empty() || is_in(encoder),
            Self::AllBut(parts) => !is_in(parts),
        }
    }
}

impl WeightsReport {
    /// The differences in the tensors that count, in words.
    fn problems(&self, counts: impl Fn(&str) -> bool) -> Vec<String> {
        let shapes = self
            .other_shape
            .iter()
            .filter(|tensor| counts(&tensor.name));
        let missing = self.missing.iter().filter(|name| counts(name));
        shapes
            .map(
                |OtherShape {
                     name,
                     expected,
                     found,
                 }| {
                    format!("{name} should have the shape {expected:?} and has {found:?}")
                },
            )
            .chain(missing.map(|name| format!("{name} is missing")))
            .collect()
    }
}

fn under<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix)?.strip_prefix('.')
}

impl Show for WeightsReport {
    fn output(&self) -> Output {
        let shapes: Vec<String> = self
            .other_shape
            .iter()
            .map(|tensor| {
                format!(
                    "{} {:?}, not {:?}",
                    tensor.name, tensor.found, tensor.expected
                )
            })
            .collect();
        let mut rows = vec![
            ("applied", self.applied.len(), groups(&self.applied)),
            (
                "missing, kept random",
                self.missing.len(),
                groups(&self.missing),
            ),
            (
                "unused, in the file only",
                self.unused.len(),
                groups(&self.unused),
            ),
            (
                "of another shape, kept random",
                shapes.len(),
                shapes.join(", "),
            ),
        ];
        if let Some((name, [from, to])) = &self.adapted {
            rows.push(("adapted", 1, format!("{name} from {from} to {to} bands")));
        }
        let text: String = rows
            .iter()
            .map(|(what, count, names)| format!("\n{what}: {count} {names}"))
            .collect();
        let html: String = rows
            .iter()
            .map(|(what, count, names)| {
                let names = escape(names);
                format!("<tr><th style=\"text-align:left\">{what}</th><td>{count}</td><td style=\"text-align:left\">{names}</td></tr>")
            })
            .collect();
        Output::styled(
            format!("Weights of {}{text}", self.network),
            format!(
                "<b>Weights of {}</b><table>{html}</table>",
                escape(&self.network)
            ),
        )
    }
}

crate::show_in_cells!(WeightsReport);

/// Names by their first two parts, with how many there are of each: `encoder.layer1 (40)`.
fn groups(names: &[String]) -> String {
    let mut counts = BTreeMap::new();
    for name in names {
        let end = name
            .match_indices('.')
            .nth(1)
            .map_or(name.len(), |(at, _)| at);
        *counts.entry(&name[..end]).or_insert(0) += 1;
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|(name, count)| format!("{name} ({count})"))
        .collect();
    parts.join(", ")
}

/// Loads a state dict into a network, by name.
///
/// Understood are our own names, torchvision's (also of a plain ResNet, and of feature pyramids before version 0.13),
/// `efficientnet_lite_pytorch`'s, and those of `segmentation_models_pytorch`'s U-Net (which TorchGeo's U-Nets have; its
/// ResNets are named as torchvision's). A first convolution for another number of bands is adapted
/// ([`weights::adapt_bands`]).
///
/// The encoder must be there completely; what the rest lacks keeps its values and is reported.
///
/// # Errors
/// [`ModelError::Mismatch`] when a tensor of the encoder is missing or has another shape, with the first names; for a
/// network without an encoder, when any tensor is. The network is unchanged then.
pub fn load_state_dict<T: Task>(
    network: &mut T::Network,
    name: &str,
    file: &NamedTensors,
) -> Result<WeightsReport> {
    load_state_dict_with::<T>(network, name, file, Strictness::Encoder)
}

/// [`load_state_dict`] with another idea of what the file has to hold.
pub(super) fn load_state_dict_with<T: Task>(
    network: &mut T::Network,
    name: &str,
    file: &NamedTensors,
    strictness: Strictness<'_>,
) -> Result<WeightsReport> {
    let prefixes = network.encoder_prefixes();
    let mut tensors = network.named_tensors();
    let mut report = WeightsReport {
        network: name.to_owned(),
        applied: Vec::new(),
        missing: Vec::new(),
        unused: Vec::new(),
        other_shape: Vec::new(),
        adapted: None,
    };
    let mut seen = BTreeSet::new();
    for (theirs, data) in file {
        let place = candidates(theirs, &prefixes)
            .into_iter()
            .find(|candidate| tensors.contains_key(candidate) && !seen.contains(candidate));
        let Some((place, tensor)) = place.and_then(|place| {
            let tensor = tensors.get_mut(&place)?;
            Some((place, tensor))
        }) else {
            report.unused.push(theirs.clone());
            continue;
        };
        seen.insert(place.clone());
        let (expected, found) = (tensor.shape().to_vec(), data.shape().to_vec());
        if expected == found {
            *tensor = data.clone();
            report.applied.push(place);
        } else if is_first_convolution(&place, &prefixes) && differ_in_bands(&expected, &found) {
            let reason = |reason| ModelError::Mismatch {
                network: name.to_owned(),
                reason,
            };
            *tensor = weights::adapt_bands(data, expected[1]).map_err(reason)?;
            report.adapted = Some((place.clone(), [found[1], expected[1]]));
            report.applied.push(place);
        } else {
            report.other_shape.push(OtherShape {
                name: place,
                expected,
                found,
            });
        }
    }
    report.missing = tensors
        .keys()
        .filter(|name| !seen.contains(*name))
        .cloned()
        .collect();
    let problems = report.problems(|name| strictness.requires(name, &prefixes));
    if !problems.is_empty() {
        return Err(ModelError::mismatch(name, &problems).into());
    }
    network.load_tensors(&tensors)?;
    Ok(report)
}

fn is_first_convolution(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| {
        matches!(
            under(name, prefix),
            Some("conv1.weight" | "conv_stem.weight")
        )
    })
}

fn differ_in_bands(expected: &[usize], found: &[usize]) -> bool {
    match (expected, found) {
        (&[a, _, b, c], &[x, bands, y, z]) => [a, b, c] == [x, y, z] && bands > 0,
        _ => false,
    }
}

/// The names under which a network may have a tensor of a file, likeliest first.
fn candidates(theirs: &str, prefixes: &[&str]) -> Vec<String> {
    let plain: Vec<&str> = theirs
        .split('.')
        .map(|part| part.trim_start_matches('_'))
        .collect();
    let plain = plain.join(".");
    let plain = plain.strip_prefix("module.").unwrap_or(&plain);
    let mut names = vec![plain.to_owned()];
    names.extend(from_unet(plain));
    names.extend(from_old_pyramid(plain));
    for parent in ["backbone.body.", "backbone.", "encoder.", ""] {
        if let Some(rest) = plain.strip_prefix(parent) {
            names.extend(prefixes.iter().map(|prefix| format!("{prefix}.{rest}")));
        }
    }
    names
}

/// `decoder.blocks.0.conv1.0.weight` of `segmentation_models_pytorch` is our `decoder.0.conv1.weight`; its number 1 is
/// the norm after it.
fn from_unet(name: &str) -> Option<String> {
    if let Some(rest) = name.strip_prefix("segmentation_head.0.") {
        return Some(format!("head.{rest}"));
    }
    let parts: Vec<&str> = name.strip_prefix("decoder.blocks.")?.split('.').collect();
    match parts[..] {
        [block, conv @ ("conv1" | "conv2"), "0", tensor] => {
            Some(format!("decoder.{block}.{conv}.{tensor}"))
        }
        [block, conv @ ("conv1" | "conv2"), "1", tensor] => {
            let norm = conv.replace("conv", "bn");
            Some(format!("decoder.{block}.{norm}.{tensor}"))
        }
        _ => None,
    }
}

/// `fpn.inner_blocks.0.weight` became `fpn.inner_blocks.0.0.weight` in torchvision 0.13; its published COCO weights have the
/// old names.
fn from_old_pyramid(name: &str) -> Option<String> {
    let (before, after) = ["inner_blocks.", "layer_blocks."].iter().find_map(|part| {
        name.split_once(part)
            .map(|(before, after)| (format!("{before}{part}"), after))
    })?;
    let (block, tensor) = after.split_once('.')?;
    (!tensor.contains('.')).then(|| format!("{before}{block}.0.{tensor}"))
}

/// A network's tensors under the names that PyTorch's libraries have for them: torchvision's are ours already, and a U-Net
/// (`decoder.{i}.conv1`, `head`) gets those of `segmentation_models_pytorch`, an image classifier (`encoder`, `fc`) those of the
/// plain ResNet.
pub(crate) fn pytorch_names(tensors: &NamedTensors) -> NamedTensors {
    let is_unet = tensors.contains_key("decoder.0.conv1.weight");
    // An image classifier on a ResNet is the plain ResNet there.
    let parts = [
        "fc.weight",
        "encoder.conv1.weight",
        "encoder.layer1.0.conv1.weight",
    ];
    let is_resnet = parts.iter().all(|part| tensors.contains_key(*part));
    tensors
        .iter()
        .map(|(name, data)| {
            let theirs = match is_resnet {
                true => name.strip_prefix("encoder.").map(str::to_owned),
                false => is_unet.then(|| to_unet(name)).flatten(),
            };
            (theirs.unwrap_or_else(|| name.clone()), data.clone())
        })
        .collect()
}

fn to_unet(name: &str) -> Option<String> {
    if let Some(rest) = name.strip_prefix("head.") {
        return Some(format!("segmentation_head.0.{rest}"));
    }
    let parts: Vec<&str> = name.strip_prefix("decoder.")?.split('.').collect();
    let [block, layer, tensor] = parts[..] else {
        return None;
    };
    let number = layer.strip_prefix("conv").map(|number| (number, 0));
    let (number, place) = number.or_else(|| layer.strip_prefix("bn").map(|number| (number, 1)))?;
    Some(format!(
        "decoder.blocks.{block}.conv{number}.{place}.{tensor}"
    ))
}

#[cfg(test)]
mod tests;
