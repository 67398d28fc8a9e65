"""What is told of the crops of real scenes is what rasterio, numpy and shapely find in them."""

import json

import make_scene_fixtures as fixtures


def test_the_facts_are_those_of_the_crops():
    written = json.loads((fixtures.HERE / "expected.json").read_text(encoding="utf-8"))
    assert written["maps"].keys() == fixtures.MAPS.keys() and written["boxes"].keys() == fixtures.BOXES.keys()
    found = fixtures.expected()
    for kind in ("maps", "boxes"):
        for name, facts in written[kind].items():
            for what, value in facts.items():
                assert fixtures.close(value, found[kind][name][what]), f"{name}: {what}"


def test_every_crop_is_small_and_has_its_source_license_and_credit():
    assert not fixtures.too_large()
    readme = (fixtures.HERE / "README.md").read_text(encoding="utf-8")
    for path in fixtures.HERE.iterdir():
        assert path.name == "README.md" or f"`{path.name}`" in readme or f"`{path.stem}.*`" in readme, path.name
    for word in ("CC BY-SA 4.0", "SpaceNet", "CC0", "NEON", "Weecology", "MIT"):
        assert word in readme, word
