//! Splits of many scenes: by scene, group, column and area, never with one place on the ground on both sides.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

use super::collection::Member;
use super::error::listed;
use super::footprint::{grouped, overlapping};
use super::{Scenes, ScenesError};
use crate::Result;
use crate::report::Notice;
use crate::scene::{Scene, Split};

/// How scenes are split in two: whole scenes, drawn at random. Scenes that overlap on the ground stay together, so that
/// nothing that is trained on is seen again.
///
/// ```no_run
/// use swath::prelude::*;
/// let scenes = Scenes::table("scenes.csv")?;
/// let (train, valid) = scenes.split(SceneSplit::random(0.8).seed(7).by("city"));
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SceneSplit {
    share: f64,
    seed: u64,
    group: Option<String>,
    overlap: bool,
}

impl SceneSplit {
    /// About this `share` of the scenes, between 0 and 1, and the rest.
    #[must_use]
    #[doc(alias = "random_bbox_assignment")]
    #[doc(alias = "train_test_split")]
    pub const fn random(share: f64) -> Self {
        Self {
            share,
            seed: 0,
            group: None,
            overlap: false,
        }
    }

    /// The seed of the draw (0 by default): the same scenes are split the same on any machine.
    #[must_use]
    #[doc(alias = "random_state")]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Scenes with the same value in this column of their table stay together, such as those of one city or day.
    #[must_use]
    #[doc(alias = "GroupShuffleSplit")]
    pub fn by(mut self, column: impl Into<String>) -> Self {
        self.group = Some(column.into());
        self
    }

    /// Scenes that overlap on the ground may come to different sides: scores are then too good.
    #[must_use]
    pub const fn allow_overlap(mut self) -> Self {
        self.overlap = true;
        self
    }
}

/// The scenes of some of the groups, as many as are nearest to `wanted` and neither none nor all; empty when there is one group.
/// Of several choices with as many scenes, that of the groups that come first.
fn nearest(groups: &[Vec<usize>], wanted: f64) -> Vec<usize> {
    let all: usize = groups.iter().map(Vec::len).sum();
    // For each count of scenes the group by which it was first reached.
    let mut by: Vec<Option<usize>> = vec![None; all + 1];
    let mut reached = vec![false; all + 1];
    reached[0] = true;
    for (number, group) in groups.iter().enumerate() {
        for count in (group.len()..=all).rev() {
            if !reached[count] && reached[count - group.len()] {
                (reached[count], by[count]) = (true, Some(number));
            }
        }
    }
    let counts = (1..all).filter(|&count| reached[count]);
    let apart = |count: &usize| (*count as f64 - wanted).abs();
    let best = counts.min_by(|a, b| apart(a).total_cmp(&apart(b)));
    let mut scenes = Vec::new();
    let mut left = best.unwrap_or(0);
    while let Some(number) = by[left] {
        scenes.extend(&groups[number]);
        left -= groups[number].len();
    }
    scenes
}

impl Scenes {
    /// Splits the scenes in two: those to train on and those to judge by. Scenes that overlap on the ground stay together,
    /// and so do those of one group ([`SceneSplit::by`]); of the groups, in an order that the seed decides, so many are
    /// taken that the share of the scenes is met as closely as they allow.
    ///
    /// # Panics
    /// For a share that does not lie between 0 and 1, a column that no scene has, and when one side would be empty. In a
    /// cell that is an error of the cell like any other; [`Scenes::try_split`] returns it.
    #[must_use]
    #[track_caller]
    #[doc(alias = "train_test_split")]
    #[doc(alias = "random_split")]
    pub fn split(&self, split: impl Borrow<SceneSplit>) -> (Self, Self) {
        match self.try_split(split) {
            Ok(parts) => parts,
            Err(error) => crate::session::end_cell(&error),
        }
    }

    /// [`Scenes::split`] for programs.
    ///
    /// # Errors
    /// [`ScenesError::Setting`] for a share that does not lie between 0 and 1; [`ScenesError::NoSuchValue`] for a column that
    /// no scene has; [`ScenesError::EmptySide`] when the groups leave one side empty.
    pub fn try_split(&self, split: impl Borrow<SceneSplit>) -> Result<(Self, Self)> {
        let split = split.borrow();
        if !(split.share > 0.0 && split.share < 1.0) {
            return Err(ScenesError::Setting {
                what: "the share of the scenes",
                found: split.share.to_string(),
                expected: "between 0 and 1, such as 0.8",
            }
            .into());
        }
        let groups = self.shuffled_groups(split)?;
        let first = nearest(&groups, split.share * self.len() as f64);
        let empty = |side| ScenesError::EmptySide {
            side,
            scenes: self.len(),
            groups: groups.len(),
        };
        if first.is_empty() {
            return Err(empty("to validate on").into());
        }
        let (mut one, mut other) = (self.part(&first, true), self.part(&first, false));
        if let Some(notice) = self.told(&groups, split.overlap) {
            one = one.noting(notice.clone());
            other = other.noting(notice);
        }
        Ok((one, other))
    }

    /// Splits the scenes in `folds` parts and gives, for each of them, the others to train on and itself to judge by
    /// (k-fold cross-validation). Groups and overlapping scenes stay together as in [`Scenes::split`]; the share of the
    /// split does not matter.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scenes = Scenes::open("tiles")?.with_labels("labels", "class")?;
    /// for (train, valid) in scenes.folds(5, SceneSplit::random(0.8).seed(1))? {
    ///     println!("{} and {}", train.len(), valid.len());
    /// }
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Scenes::try_split`]; [`ScenesError::EmptySide`] with fewer groups than folds.
    #[doc(alias = "KFold")]
    #[doc(alias = "k_fold")]
    #[doc(alias = "cross_validate")]
    pub fn folds(&self, folds: usize, split: impl Borrow<SceneSplit>) -> Result<Vec<(Self, Self)>> {
        let split = split.borrow();
        if folds < 2 {
            return Err(ScenesError::Setting {
                what: "the number of folds",
                found: folds.to_string(),
                expected: "at least 2",
            }
            .into());
        }
        let mut groups = self.shuffled_groups(split)?;
        if groups.len() < folds {
            return Err(ScenesError::EmptySide {
                side: "to validate on in some fold",
                scenes: self.len(),
                groups: groups.len(),
            }
            .into());
        }
        let notice = self.told(&groups, split.overlap);
        // The largest groups first, each to the smallest fold (scikit-learn's GroupKFold); equals in the seed's order.
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let mut parts: Vec<Vec<usize>> = vec![Vec::new(); folds];
        for group in groups {
            if let Some(smallest) = parts.iter_mut().min_by_key(|part| part.len()) {
                smallest.extend(group);
            }
        }
        let noting = |scenes: Self| match &notice {
            Some(notice) => scenes.noting(notice.clone()),
            None => scenes,
        };
        let pairs = parts.iter().map(|part| {
            (
                noting(self.part(part, false)),
                noting(self.part(part, true)),
            )
        });
        Ok(pairs.collect())
    }

    /// The scenes by their value in a column of their table, such as `split`. Values whose scenes overlap on the ground are
    /// told in the report of each part.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let parts = Scenes::table("scenes.csv")?.split_column("split")?;
    /// for (value, scenes) in &parts {
    ///     println!("{value}: {} scenes", scenes.len());
    /// }
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ScenesError::NoSuchValue`] when no scene has this column.
    pub fn split_column(&self, column: &str) -> Result<BTreeMap<String, Self>> {
        let value = |member: &Member| member.columns.get(column).cloned();
        let values: Vec<Option<String>> = self.inner.members.iter().map(value).collect();
        let mut named: Vec<String> = values.iter().flatten().cloned().collect();
        named.sort_unstable();
        named.dedup();
        if named.is_empty() {
            let there = self.columns().into_iter().map(str::to_owned).collect();
            return Err(self.no_such("column", column, there));
        }
        let scenes: Vec<&Scene> = self.iter().collect();
        let crossing: Vec<(usize, usize)> = overlapping(&scenes)?
            .into_iter()
            .filter(|&(a, b)| values[a] != values[b])
            .collect();
        let without = values.iter().filter(|value| value.is_none()).count();
        let parts = named.into_iter().map(|name| {
            let is = |index: usize| values[index].as_ref() == Some(&name);
            let mut part = self.with_members(self.some(|index, _| is(index)));
            let seen = crossing.iter().filter(|&&(a, b)| is(a) || is(b)).count();
            if seen > 0 {
                part = part.noting(
                    Notice::noted(format!(
                        "{seen} pairs of scenes overlap on the ground and have different values of {column:?}: scores on one of \
                         them are better than those of new imagery will be"
                    ))
                    .about(name.clone())
                    .count(seen)
                    .next("`scenes.split(SceneSplit::random(0.8))` keeps such scenes together"),
                );
            }
            if without > 0 {
                let text = format!("{without} of {} scenes have no value of {column:?}", self.len());
                part = part.noting(Notice::left_out(text).count(without));
            }
            (name, part)
        });
        Ok(parts.collect())
    }

    /// Cuts every scene in two ([`Scene::split`]): the first parts and the second parts. Scenes that overlap on the ground
    /// would put one place on both sides, and are an error.
    ///
    /// # Errors
    /// [`crate::scene::SceneError::SplitShare`] and [`crate::scene::SceneError::SplitPlace`];
    /// [`ScenesError::Broken`] with the scenes whose first part overlaps with the second part of another one.
    pub fn split_area(&self, split: Split) -> Result<(Self, Self)> {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for member in &self.inner.members {
            let (one, other) = member.scene.try_split(split)?;
            for (parts, scene) in [(&mut first, one), (&mut second, other)] {
                parts.push(Member {
                    scene,
                    ..member.clone()
                });
            }
        }
        let both: Vec<&Scene> = first
            .iter()
            .chain(&second)
            .map(|member| &member.scene)
            .collect();
        let half = first.len();
        let leaks: Vec<(usize, usize)> = overlapping(&both)?
            .into_iter()
            .filter(|&(a, b)| a < half && b >= half)
            .collect();
        if !leaks.is_empty() {
            let failed = leaks.into_iter().map(|(a, b)| {
                let (one, other) = (&first[a].name, &second[b - half].name);
                (
                    one.clone(),
                    format!("its first part lies on the second part of {other}"),
                )
            });
            return Err(ScenesError::Broken {
                failed: failed.collect(),
                of: half,
                done: "split by area",
                skip: None,
                first_hint: Some(
                    "tiles of one area become one scene by `Scene::mosaic(files)?`, which is split by area; other scenes are split \
                     whole: `scenes.split(SceneSplit::random(0.8))`"
                        .to_owned(),
                ),
            }
            .into());
        }
        Ok((self.with_members(first), self.with_members(second)))
    }

    /// Numbers of the scenes by groups that stay together, in an order that the seed decides.
    fn shuffled_groups(&self, split: &SceneSplit) -> Result<Vec<Vec<usize>>> {
        let mut together = Vec::new();
        if !split.overlap {
            let scenes: Vec<&Scene> = self.iter().collect();
            together.extend(overlapping(&scenes)?);
        }
        if let Some(column) = &split.group {
            let mut first = BTreeMap::new();
            for (index, member) in self.inner.members.iter().enumerate() {
                if let Some(value) = member.columns.get(column) {
                    let &mut leader = first.entry(value).or_insert(index);
                    together.push((leader, index));
                }
            }
            if first.is_empty() {
                let there = self.columns().into_iter().map(str::to_owned).collect();
                return Err(self.no_such("column", column, there));
            }
        }
        let mut by_leader = BTreeMap::<usize, Vec<usize>>::new();
        for (index, leader) in grouped(self.len(), together.into_iter())
            .into_iter()
            .enumerate()
        {
            by_leader.entry(leader).or_default().push(index);
        }
        let mut groups: Vec<Vec<usize>> = by_leader.into_values().collect();
        groups.shuffle(&mut Pcg64Mcg::seed_from_u64(split.seed));
        Ok(groups)
    }

    /// What a split says of scenes that are kept together.
    fn told(&self, groups: &[Vec<usize>], overlap: bool) -> Option<Notice> {
        let joined: Vec<&Vec<usize>> = groups.iter().filter(|group| group.len() > 1).collect();
        if joined.is_empty() || overlap {
            return None;
        }
        let scenes: usize = joined.iter().map(|group| group.len()).sum();
        let names = joined.iter().filter_map(|group| {
            let first = self.inner.members.get(*group.first()?)?;
            Some(format!("{} and {} more", first.name, group.len() - 1))
        });
        let text = format!(
            "{scenes} of {} scenes overlap on the ground or are of one group and stay together: {}",
            self.len(),
            listed(names)
        );
        Some(Notice::noted(text).count(scenes))
    }

    /// The scenes of these numbers, or all others.
    fn part(&self, numbers: &[usize], inside: bool) -> Self {
        self.with_members(self.some(|index, _| numbers.contains(&index) == inside))
    }

    pub(crate) fn noting(&self, notice: Notice) -> Self {
        let mut report = self.inner.report.clone();
        report.push(notice);
        Self::new(self.inner.members.clone(), report, self.inner.skip_broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(sizes: &[usize]) -> Vec<Vec<usize>> {
        let mut next = 0..;
        sizes
            .iter()
            .map(|&size| next.by_ref().take(size).collect())
            .collect()
    }

    #[test]
    fn the_share_is_met_as_closely_as_groups_allow_and_no_side_is_empty() {
        for (sizes, wanted, found) in [
            (&[40, 160][..], 160.0, 160),
            (&[1, 1, 1, 1, 1, 1], 5.94, 5),
            (&[3, 3], 6.0, 3),
            (&[5, 2, 4], 6.0, 6),
            (&[7], 3.0, 0),
            (&[1, 1, 1], 0.1, 1),
        ] {
            let chosen = nearest(&groups(sizes), wanted);
            assert_eq!(chosen.len(), found, "{sizes:?}");
            let different: std::collections::BTreeSet<_> = chosen.iter().collect();
            assert_eq!(different.len(), found);
        }
    }
}
