//! The training of a project file. A key that is not there leaves the library's own default, by not being said.

use swath_cli::project::{LossWord, OptimizerWord, PrecisionWord, Project, ScheduleWord};

use crate::models::Precision;
use crate::train::{FitOptions, Loss, Optimizer, Schedule};

/// Passes over all chips, where the file says neither epochs nor steps: as `%fit` has it.
const EPOCHS: usize = 10;

/// Calls a method of the builder for every key that is there.
macro_rules! given {
    ($options:ident, $section:ident: $($key:ident => $method:ident),+ $(,)?) => {
        $(if let Some(value) = $section.$key.clone() {
            $options = $options.$method(value);
        })+
    };
}

/// How the model is trained.
pub(super) fn options(project: &Project) -> FitOptions {
    let fit = &project.fit;
    let mut options = match (fit.steps, fit.epochs) {
        (Some(steps), _) => FitOptions::steps(steps),
        (None, epochs) => FitOptions::epochs(epochs.unwrap_or(EPOCHS)),
    };
    given!(options, fit:
        batch => batch,
        accumulate => accumulate,
        learning_rate => lr,
        weight_decay => weight_decay,
        class_weights => class_weights,
        clip_norm => clip_norm,
        ema => ema,
        patience => patience,
        seed => seed,
        freeze_encoder => freeze_encoder,
        encoder_lr_scale => encoder_lr_scale,
        workers => workers,
        validation_share => validation_share,
        any_values => any_values,
    );
    if let Some(word) = fit.optimizer {
        let momentum = fit.momentum.unwrap_or(0.9);
        options = options.optimizer(match word {
            OptimizerWord::AdamW => Optimizer::adamw(),
            OptimizerWord::Sgd => Optimizer::sgd(momentum),
            OptimizerWord::Nesterov => Optimizer::sgd(momentum).nesterov(),
        });
    }
    if fit.schedule.is_some() || fit.warm_up.is_some() {
        let schedule = match fit.schedule.unwrap_or(ScheduleWord::OneCycle) {
            ScheduleWord::OneCycle => Schedule::one_cycle(),
            ScheduleWord::Cosine => Schedule::cosine(),
            ScheduleWord::Poly => Schedule::poly(fit.power.unwrap_or(0.9)),
            ScheduleWord::Plateau => {
                Schedule::plateau(fit.factor.unwrap_or(0.5), fit.plateau_patience.unwrap_or(2))
            }
            ScheduleWord::Constant => Schedule::constant(),
        };
        options = options.schedule(match fit.warm_up {
            Some(share) => schedule.warm_up(share),
            None => schedule,
        });
    }
    if let Some(word) = fit.loss {
        options = options.loss(match word {
            LossWord::Sum => Loss::Sum,
            LossWord::CrossEntropy => Loss::CrossEntropy,
            LossWord::Dice => Loss::Dice,
            LossWord::Focal => match fit.gamma {
                Some(gamma) => Loss::Focal { gamma },
                None => Loss::focal(),
            },
            LossWord::Lovasz => Loss::Lovasz,
            LossWord::LovaszSum => Loss::LovaszSum,
        });
    }
    if let Some(word) = fit.precision {
        options = options.precision(match word {
            PrecisionWord::F32 => Precision::F32,
            PrecisionWord::Bf16 => Precision::Bf16,
        });
    }
    options
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use swath_cli::project::{FitSection, Section as _, Usual};

    use super::*;

    const LEAST: &str =
        "[scenes]\nfiles = \"a.tif\"\n[labels]\nfile = \"b.geojson\"\nclass = \"house\"\n[fit]\n";

    fn of(lines: &str) -> FitOptions {
        let text = format!("{LEAST}{lines}");
        match Project::parse(Path::new("p.toml"), &text, &[]) {
            Ok(project) => options(&project),
            Err(problems) => panic!("{problems}"),
        }
    }

    /// What the file says of a default is what the library does where nothing is said.
    #[test]
    fn the_defaults_of_the_file_are_those_of_the_library() {
        let plain = FitOptions::epochs(EPOCHS);
        assert_eq!(of(""), plain);
        // Keys of one schedule or optimizer are read with it, and a default that the architecture has comes from there.
        let with = |name: &str| match name {
            "momentum" => "optimizer = \"sgd\"\n",
            "power" => "schedule = \"poly\"\n",
            "factor" | "plateau_patience" => "schedule = \"plateau\"\n",
            "gamma" => "loss = \"focal\"\n",
            _ => "",
        };
        // Choices of which the library keeps whether they were made: the same is done for both.
        let kept = ["loss", "freeze_encoder", "encoder_lr_scale"];
        let mut looked_at = 0;
        for key in FitSection::KEYS {
            let Usual::Default(value) = key.usual else {
                continue;
            };
            let name = key.name();
            let said = of(&format!("{}{name} = {value}\n", with(name)));
            if !kept.contains(&name) {
                assert_eq!(said, of(with(name)), "{name} = {value}");
            }
            looked_at += 1;
        }
        assert!(looked_at > 14, "{looked_at}");
    }

    /// Every choice of the builder has a key.
    #[test]
    fn everything_that_a_training_can_be_told_stands_in_the_file() {
        let shown = format!("{:?}", FitOptions::epochs(1));
        let fields = shown.trim_start_matches("FitOptions { ").split(", ");
        // `length` is epochs or steps; who resumes and who is quiet is the command's.
        let of_command = ["length", "resume", "quiet"];
        let mut fields: Vec<&str> = fields
            .filter_map(|field| field.split_once(": ").map(|(name, _)| name))
            .collect();
        fields.retain(|name| !of_command.contains(name) && !["warm_up", "gamma"].contains(name));
        assert!(fields.len() > 15, "{fields:?}");
        for name in fields {
            assert!(
                FitSection::KEYS.iter().any(|key| key.is_called(name)),
                "{name}"
            );
        }
    }

    #[test]
    fn every_word_becomes_what_it_says() {
        let built = of(
            "steps = 40\nbatch_size = 8\naccumulate = 2\noptimizer = \"nesterov\"\nmomentum = 0.8\nlr = 1e-2\n\
             schedule = \"plateau\"\nfactor = 0.25\nplateau_patience = 1\nwarm_up = 0.1\nweight_decay = 0\nloss = \"focal\"\n\
             gamma = 1.5\nclass_weights = [0.1, 1]\nclip_norm = inf\nema = 0.99\nprecision = \"bf16\"\npatience = 3\nseed = 7\n\
             freeze_encoder = true\nencoder_lr_scale = 0.1\nworkers = 2\nvalidation_share = 1\nany_values = true\n",
        );
        let written = FitOptions::steps(40)
            .batch(8)
            .accumulate(2)
            .optimizer(Optimizer::sgd(0.8).nesterov())
            .lr(1e-2)
            .schedule(Schedule::plateau(0.25, 1).warm_up(0.1))
            .weight_decay(0.0)
            .loss(Loss::Focal { gamma: 1.5 })
            .class_weights([0.1, 1.0])
            .clip_norm(f64::INFINITY)
            .ema(0.99)
            .precision(Precision::Bf16)
            .patience(3)
            .seed(7)
            .freeze_encoder(true)
            .encoder_lr_scale(0.1)
            .workers(2)
            .validation_share(1.0)
            .any_values(true);
        assert_eq!(built, written);
        for (word, schedule) in [
            ("one-cycle", Schedule::one_cycle()),
            ("cosine", Schedule::cosine()),
            ("poly", Schedule::poly(0.9)),
            ("constant", Schedule::constant()),
        ] {
            let built = of(&format!("schedule = \"{word}\"\n"));
            assert_eq!(built, FitOptions::epochs(EPOCHS).schedule(schedule));
        }
        for (word, loss) in [
            ("sum", Loss::Sum),
            ("cross-entropy", Loss::CrossEntropy),
            ("dice", Loss::Dice),
            ("focal", Loss::focal()),
            ("lovasz", Loss::Lovasz),
            ("lovasz-sum", Loss::LovaszSum),
        ] {
            let built = of(&format!("loss = \"{word}\"\n"));
            assert_eq!(built, FitOptions::epochs(EPOCHS).loss(loss));
        }
    }
}
