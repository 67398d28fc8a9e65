"""Every file of tests/fixtures/geo as a person tries it: either the right value, by the authority that the README there
names, or an error or a notice that says what is wrong and what to do. Never a wrong value without a word."""

import re
from pathlib import Path

import pytest

import geo_cases

# GDAL's programs, which the set-up does not bring: only its library is installed.
PROGRAMS = ["gdalinfo", "ogrinfo", "gdalwarp", "gdal_translate", "gdal_edit", "ogr2ogr", "gdalbuildvrt", "gdaladdo",
            "gdal_rasterize", "gdal_polygonize"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    return geo_cases.walk(tmp_path_factory.mktemp("scratch"))


def lines(seen):
    return [line for line in seen.printed.splitlines() if line.strip()]


def figures(line):
    """The figures of each band that a cell printed."""
    number = r"(-?[0-9.e+-]+|-?inf|NaN)"
    found = re.findall(rf"\[n (\d+) mean {number} std {number} min {number} max {number}\]", line)
    return [tuple(map(float, band)) for band in found]


def labels(seen):
    """The pixels of each label that a cell printed."""
    found = re.search(r"labels \{([^}]*)\}", seen.printed)
    return {int(key): int(value) for key, value in (pair.split(": ") for pair in found[1].split(", "))} if found else None


def close(found, expected, relative=1e-3):
    return abs(found - expected) <= relative * max(1.0, abs(expected))


def mixed_types(seen):
    n, mean, std, *_ = figures(seen.printed)[1]
    return n == 3712 and close(mean, 0.5044) and close(std, 0.2911) and seen.prints("valid 0.90625")


def mosaic_whose_tile_was_replaced(seen):
    return close(figures(lines(seen)[0])[0][1], 50) and close(figures(lines(seen)[1])[0][1], 200)


def nodata_set_later(seen):
    (before, after) = (figures(line)[0] for line in lines(seen))
    return close(before[1], 67.5) and after[0] == 3072 and close(after[1], 90)


def signed_bytes(seen):
    n, mean, _, least, _ = figures(seen.printed)[0]
    return n == 3776 and close(mean, -1.0336) and least == -90 and seen.prints("Int8")


def control_points(seen):
    return seen.says("control point") and labels(seen) in (None, {0: 3257, 1: 839})


def nodata_of_all_bands(seen):
    return labels(seen) == {0: 2140, 1: 1700, 255: 256}


def fourth_band_as_alpha(seen):
    notices = [line for line in seen.report.splitlines() if "alpha" in line]
    # The notice, and after it the way to say otherwise; or all four bands are read.
    return any("; " in notice for notice in notices) or seen.prints("bands 4 valid 1")


def mask_of_0_and_255(seen):
    return labels(seen) == {0: 3396, 1: 700} or (bool(seen.errors) and seen.says("255", "value"))


def codes(seen):
    return seen.says("10", "50", "80", "value|code", ".with_label|meaning|%scene")


def colors(seen):
    return labels(seen) is None and seen.says("3 bands|three bands", "index|indices|one band|color")


def background_as_nodata(background):
    def check(seen):
        return labels(seen)[0] == background if 0 in (labels(seen) or {}) else seen.says("nodata", "background")
    return check


def two_unknown_systems(seen):
    return labels(seen) is None and seen.says("717|10.01|lon_0|central_meridian|longitude of natural origin|differ|not the same")


def esri_name_of_the_system(seen):
    return labels(seen) == {0: 3396, 1: 700}


def two_layers(seen):
    return seen.says("aoi", "buildings", "layer")


def meters_without_crs(seen):
    if labels(seen) and labels(seen).get(1) == 839:
        return seen.says("degrees|meters", "system")
    return labels(seen) is None and seen.says("degrees", "crs(|crs=|system")


def undefined_system(pixels):
    def check(seen):
        if labels(seen) is not None:
            return labels(seen).get(1) == pixels and seen.says("reference system|local|site grid")
        return seen.says("system", ".crs(|crs=")
    return check


def turned_labels(seen):
    return labels(seen) == {1: 2186, 2: 1760, 255: 150}


def mask_without_place(seen):
    if labels(seen) is not None:
        return labels(seen).get(1) == 700 and seen.says("georeference|place|pixel by pixel|same size")
    return seen.says("georeference|no place")


def nothing_there(seen):
    return [line.partition(" rowsum")[0] for line in lines(seen)] == ["labels {0: 4096}", "0"]


def narrow_strip(seen):
    return seen.prints("0 of 100 chips fail")


def validation_without_objects(seen):
    best, last = (float(line.split()[-1]) for line in lines(seen) if "IoU on the training part" in line)
    return best >= last - 0.1


def other_data_type(seen):
    return seen.shows("Byte", "UInt16")


def boxes_from_outlines_and_runs(seen):
    return lines(seen) == ["bbox_null.json tree:(5,6,25,21) car:(30,40,50,48)",
                           "rle_only.json tree:(5,6,25,21) tree:(5,3,7,13)crowd"]


def category_called_background(seen):
    background, null = lines(seen)
    plane = "plane:(5,6,25,21)" in background
    return null == "seg_null.json plane:(5,6,25,21) plane:(1,1,9,9)" and (
        plane or ("ERR" in background and '"background"' in background and "category" in background))


def one_class_of_several(seen):
    # One tree; the car is either left out or counted as a tree, with a word in either case.
    return seen.prints("tree:(5,6,25,21)") and (seen.says("car") or not seen.prints("(30,40,42,49)"))


def boxes_of_another_image(seen):
    return seen.says("plot9.png")


def wrapped_names(seen):
    return seen.prints('["background", "bridge", "plane"]')


def dota_and_geometry_columns(seen):
    dota, crowns = lines(seen)[:2]
    return ("(8,20,30,40)" in dota or "DOTA" in dota) and ("(10,12,30,40)" in crowns or "geometry" in crowns.partition("ERR")[2])


def labelme_and_cvat(seen):
    labelme, cvat = lines(seen)[:2]
    named = lambda line, name: "(10,12,30,40)" in line or name in line.partition("ERR")[2].replace(f'{name.lower()}.', "").lower()  # noqa: E731
    return named(labelme, "labelme") and named(cvat, "cvat")


def antimeridian(seen):
    return labels(seen).get(1) == 800 or seen.says("180|antimeridian")


def containers(seen):
    message, hint = seen.ended[0]
    both = f"{message}\n{hint}"
    return ":ndvi" in both and ":temp" in both and not re.search(r"0\.010? ?[x×] ?0\.010? ?m\b", seen.told)


def text_of_shapefiles(seen):
    return seen.prints('["background", "Gebäude", "Straße"]')


def real_numbers_as_classes(seen):
    return seen.prints('["background", "1", "2"]')


def mask_as_vector(seen):
    return seen.ended and "with_label_raster" in seen.ended[0][1]


def property_of_other_case(seen):
    return seen.prints('["background", "house", "road"]') or seen.says('"Class"|`Class`')


def property_cut_short(seen):
    return seen.prints('["background", "crop", "water"]') or seen.says("landcover_")


def complex_values(seen):
    return seen.says("complex") and (not seen.printed.strip() or close(figures(seen.printed)[0][1], 1.2517) or seen.says("imaginary|amplitude"))


def palette(seen):
    return seen.prints("3 [n") or seen.says("palette|color table|numbers of colors")


def polygon_around_the_world(seen):
    if labels(seen) is not None:
        return labels(seen) == {1: 4096}
    return seen.says("beyond|outside|reach|area of use|cannot be placed|half the world")


CHECKS = {
    "f01-mixed-types": mixed_types,
    "f02-stale-statistics": mosaic_whose_tile_was_replaced,
    "f02-stale-statistics-2": nodata_set_later,
    "f03-int8": signed_bytes,
    "f04-gcp-only": control_points,
    "f05-nodata-any-band": nodata_of_all_bands,
    "f06-nir-as-alpha": fourth_band_as_alpha,
    "f07-mask-255": mask_of_0_and_255,
    "f08-codes": codes,
    "f09-colour-mask": colors,
    "f10-label-nodata-0": background_as_nodata(3396),
    "f10-label-nodata-0-2": background_as_nodata(1341),
    "f11-unknown-crs": two_unknown_systems,
    "f12-same-crs": esri_name_of_the_system,
    "f13-layers": two_layers,
    "f14-geojson-metres": meters_without_crs,
    "f14-geojson-metres-2": meters_without_crs,
    "f15-undefined-crs": undefined_system(839),
    "f15-undefined-crs-2": undefined_system(916),
    "f16-rotated-labels": turned_labels,
    "f17-mask-without-place": mask_without_place,
    "f18-nothing-there": nothing_there,
    "f19-narrow-strip": narrow_strip,
    "f20-empty-validation": validation_without_objects,
    "f21-other-type": other_data_type,
    "f22-coco": boxes_from_outlines_and_runs,
    "f22-coco-2": category_called_background,
    "f23-one-class-of-several": one_class_of_several,
    "f24-other-image": boxes_of_another_image,
    "f25-yolo-names": wrapped_names,
    "f26-formats": dota_and_geometry_columns,
    "f26-formats-2": labelme_and_cvat,
    "f27-antimeridian": antimeridian,
    "f28-containers": containers,
    "f29-shapefile-text": text_of_shapefiles,
    "f29-shapefile-text-2": real_numbers_as_classes,
    "f30-mask-as-vector": mask_as_vector,
    "f32-property-name": property_of_other_case,
    "f32-property-name-2": property_cut_short,
    "f33-complex": complex_values,
    "f33-palette-2": palette,
    "f34-world-polygon": polygon_around_the_world,
}
# Where the right value itself is the whole answer: nothing was left out or assumed.
VALUES_ALONE = {
    "f01-mixed-types", "f02-stale-statistics", "f02-stale-statistics-2", "f03-int8", "f05-nodata-any-band", "f07-mask-255",
    "f10-label-nodata-0", "f10-label-nodata-0-2", "f12-same-crs", "f16-rotated-labels", "f18-nothing-there",
    "f19-narrow-strip", "f20-empty-validation", "f22-coco", "f22-coco-2", "f25-yolo-names", "f26-formats",
    "f26-formats-2", "f27-antimeridian", "f29-shapefile-text", "f29-shapefile-text-2", "f34-world-polygon",
}


@pytest.mark.parametrize("case", geo_cases.names())
def test_a_file_of_an_odd_kind_gives_the_right_value_or_a_word(walked, case):
    seen = walked[case]
    try:
        right = CHECKS[case](seen)
    except (LookupError, TypeError, ValueError) as error:
        right, seen.report = False, f"{seen.report}\n(not what is expected: {error!r})"
    assert right, f"{case}\n{seen}"


@pytest.mark.parametrize("case", geo_cases.names())
def test_no_case_is_silent(walked, case):
    seen = walked[case]
    for message, hint in seen.ended:
        assert hint, f"an error without a next step: {message}"
    spoken = bool(seen.ended) or bool(seen.report) or case in VALUES_ALONE or seen.shows("assumed:|left out:|converted:|note:")
    assert spoken, f"{case}: no word\n{seen}"


def test_every_case_is_walked():
    folders = {path.name for path in geo_cases.CASES.iterdir() if path.is_dir()}
    walked = set(geo_cases.names())
    assert walked == set(CHECKS)
    assert walked <= folders, f"no files: {sorted(walked - folders)}"


def test_no_word_names_a_program_that_is_not_there(walked):
    named = {case: [name for name in PROGRAMS if name in seen.told] for case, seen in walked.items()}
    assert not any(named.values()), {case: names for case, names in named.items() if names}


def test_no_source_names_a_program_that_is_not_there():
    """Hints and help are text in the sources; comments may speak of GDAL's programs."""
    found = []
    for folder in ("src", "boxes", "kernel", "cpu"):
        for path in sorted((ROOT / folder).rglob("*.rs")):
            for number, line in enumerate(path.read_text().splitlines(), start=1):
                code = line.strip()
                if not code.startswith("//") and any(name in code for name in PROGRAMS):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {code}")
    assert not found, "\n".join(found)
