//! The examples at the end of each command's help. A test parses every line of them.

macro_rules! examples {
    ($($name:ident: [$($line:literal),+ $(,)?] $($note:literal)?;)*) => {
        $(pub(crate) const $name: &str = concat!("Examples:", $("\n  ", $line),+ $(, "\n\n", $note)?);)*
        /// All of them.
        #[cfg(test)]
        const ALL: &[&str] = &[$($name),*];
    };
}

examples! {
    INFO: [
        "swath info scene.tif",
        "swath info scene.tif --statistics --aoi city.gpkg",
        "swath info east.tif west.tif --json --labels buildings.geojson --class building",
        "swath info landcover.tif --values",
    ];
    DEVICES: [
        "swath devices",
        "swath devices --json",
    ] "`SWATH_DEVICE`, or `--device` of a command, chooses another one than the first GPU.";
    INIT: [
        "swath init houses.toml",
        "swath init houses.toml --from train.ipynb",
    ] "Nothing of the notebook is run. What cannot be read without running it is named in the file, with the cell's number.";
    TRAIN: [
        "swath train houses.toml",
        "swath train houses.toml --set fit.epochs=3 --set chips.count=40",
        "swath train houses.toml --check",
        "swath train houses.toml --json-lines > houses.log",
    ] "Exit codes: 0 done, 1 failed, 2 the command line or the project file was not understood, 75 stopped by SIGTERM, SIGUSR1\n\
       or SIGINT: where training was under way a checkpoint was written, and the same command goes on from it.";
    RUN: [
        "swath run train.ipynb",
        "swath run train.ipynb -p epochs=20 -p rate=1e-3 -o out/train.ipynb",
        "swath run report.ipynb --in-place --keep-going",
    ] "Exit codes: 0 every cell ran, 1 a cell failed or a file cannot be used, 2 not understood, 3 the kernel ended by itself,\n\
       130, 143 and 138 stopped by SIGINT, SIGTERM and SIGUSR1: the cell was interrupted, and the outputs so far are saved.";
    PREDICT: [
        "swath predict buildings.swath scene.tif -o map",
        "swath predict buildings.swath scene.tif -o map --labels buildings.geojson --class building",
        "swath predict buildings.swath east.tif west.tif -o maps --tta flips --min-area 12 --formats gpkg",
        "swath predict buildings.swath scene.tif -o map --outlines right-angles --min-area 12 --scores f16",
        "swath predict crops.swath s2 -o map --series --mask SCL:0,1,3,8,9,10 --between 2023-04-01,2023-09-30",
        "swath predict a.swath scene.tif -o map --also b.swath --also c.swath --device cuda",
        "swath predict trees.swath scene.tif -o trees --threshold 0.3 --fusion weighted",
    ];
    EVALUATE: [
        "swath evaluate map/labels.tif scene.tif --labels buildings.geojson --class building",
        "swath evaluate map/labels.tif scene.tif --label-raster truth.tif --values 10:tree,50:built,255:ignore",
        "swath evaluate trees/boxes.gpkg scene.tif --labels trees.xml --threshold 0.5",
        "swath evaluate cells scene.tif --labels buildings.geojson --class building --cells object:0.5",
        "swath evaluate trees.swath scene.tif --labels trees.xml --json scores.json",
    ] "Saved boxes are those above the threshold of that time: average precision asks for all of them,\n\
       as `swath predict --threshold 0` saves them.";
    PROPERTIES: ["swath properties buildings.gpkg", "swath properties city.gpkg --layer buildings"];
    SUBMIT: [
        "swath submit predict buildings.swath tiles -o maps --gres gpu:1 --time 2:00:00 --mem 32G --tasks 12",
        "swath submit train houses.toml --gres gpu:1 --time 4:00:00 --mem 32G",
        "swath submit run report.ipynb -p year=2024 --time 1:00:00 --follow",
        "swath submit predict buildings.swath tiles -o maps --dry-run",
        "swath submit evaluate buildings.swath test --labels labels --class building --partition gpu --follow",
    ] "The same command again, once the first has ended, submits only what is missing. While that waits or runs, it submits all of it.";
    DATA_LIST: ["swath data list"];
    DATA_INFO: ["swath data info landcover-ai"];
    DATA_FETCH: ["swath data fetch banepa", "swath data fetch eurosat-rgb"]
        "A download that was interrupted goes on where it stopped.";
    DATA_MIRROR: [
        "swath data mirror /project/shared/swath",
        "swath data mirror /project/shared/swath landcover-ai torchvision/resnet50",
    ] "Users set SWATH_MIRROR to the folder, and SWATH_OFFLINE=1 where there is no network.";
    DATA_SEARCH: [
        "swath data search sentinel-2-l2a --bbox 85.48,27.59,85.56,27.66 --from 2024-01-01 --to 2024-03-31 --max-clouds 10 -o found.json",
        "swath data search naip --api planetary-computer --bbox -105.3,39.9,-105.2,40.1 --from 2021-01-01 -o naip.json",
    ];
    SAMPLE_TOWN: ["swath sample town --out town", "swath sample town --out town --size 512 --seed 7"];
    INSTALL: [
        "swath install",
        "swath install --sys-prefix",
        "swath install --prefix /opt/jupyter --with-cargo --env SWATH_CACHE /data/swath",
        "/opt/jupyter/bin/swath install --user --spec-only",
    ];
    UNINSTALL: ["swath uninstall", "swath uninstall --prefix /opt/jupyter"];
    DOCTOR: ["swath doctor", "swath doctor --json", "swath doctor --as-other-user"]
        "It exits with 1 when something that is needed is missing.";
    NOTEBOOKS: ["swath notebooks", "swath notebooks course --with-outputs"];
    KERNEL: ["swath kernel -f connection.json"];
    COMPLETIONS: [
        "swath completions bash > ~/.local/share/bash-completion/completions/swath",
        "swath completions zsh > ~/.zfunc/_swath",
        "swath completions fish > ~/.config/fish/completions/swath.fish",
    ];
    MAN: ["swath man | man -l -", "swath man --out ~/.local/share/man/man1"];
}

#[cfg(test)]
mod tests {
    use super::ALL;

    /// Words of a line as a shell would split them: no example needs more than spaces.
    fn words(line: &str) -> Vec<&str> {
        let line = line.split(['|', '>']).next().unwrap_or(line);
        line.split_whitespace().collect()
    }

    #[test]
    fn every_example_is_a_command_line() {
        let mut parsed = 0;
        for line in ALL.iter().flat_map(|text| text.lines()) {
            if line.trim_start().starts_with("swath ") {
                crate::parse(words(line)).unwrap_or_else(|mistake| panic!("{line}\n{mistake}"));
                parsed += 1;
            }
        }
        assert!(parsed > 25, "{parsed}");
    }
}
