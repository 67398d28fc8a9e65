//! What a model has seen in training is said where it is scored.

use swath::chips::Chips;
use swath::predict::PredictOptions;
use swath::samples;
use swath::scene::Split;
use swath::train::{FitOptions, Segmenter};
use swath::{Result, display::Show as _};

use super::model;

#[test]
fn a_score_on_what_was_trained_on_says_so_with_the_share_after_loading_too() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = samples::town_in(folder.path(), 1, 128)?
        .scene()?
        .only(["building"])?;
    let (train, valid) = scene.split(Split::columns(0.75));
    let chips = train.chips(Chips::random(4, 32).seed(1))?;
    let fit = FitOptions::steps(2).quiet(true);
    let run = model(scene.classes()).fit(&chips, &valid, &fit)?;
    let path = folder.path().join("town.swath");
    let quiet = || PredictOptions::new().quiet(true);
    for model in [run.best().clone(), {
        run.best().save(&path)?;
        Segmenter::load_as(&path, run.best().architecture().clone())?
    }] {
        let map = model.predict_with(&scene, quiet())?;
        let whole = map.evaluate(&scene)?;
        assert!(
            whole.report().mentions("75 % of the area"),
            "{}",
            whole.report()
        );
        assert!(whole.output().text.contains("trained on"));
        let text = map.errors(&scene)?.output().text + &map.worst(&scene, 1)?.output().text;
        assert_eq!(text.matches("trained on").count(), 2, "{text}");
        let seen = map.evaluate(&train)?;
        assert!(
            seen.report().mentions("all of the area"),
            "{}",
            seen.report()
        );
        assert!(map.evaluate(&valid)?.report().is_empty());
        // The same place in another file is another image.
        let other = samples::town_in(folder.path(), 2, 128)?
            .scene()?
            .only(["building"])?;
        let elsewhere = model.predict_with(&other, quiet())?.evaluate(&other)?;
        assert!(elsewhere.report().is_empty(), "{}", elsewhere.report());
    }
    // A model that goes on from these weights has seen both parts.
    let chips = valid.chips(Chips::random(4, 32).seed(1))?;
    let more = run.best().fit(&chips, &train, &fit)?;
    let scores = more
        .best()
        .predict_with(&scene, quiet())?
        .evaluate(&scene)?;
    assert!(
        scores.report().mentions("all of the area"),
        "{}",
        scores.report()
    );
    Ok(())
}
