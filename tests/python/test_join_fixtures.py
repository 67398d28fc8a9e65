"""What is told of stacks, mosaics, series and band arithmetic is what rasterio and numpy make of the same files."""

import json

import make_join_fixtures
import make_series_fixtures
import pytest


def close(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, str):
        return one == other
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    return abs(one - other) <= 1e-6 * max(1.0, abs(one))


@pytest.mark.parametrize("fixtures", [make_join_fixtures, make_series_fixtures])
def test_the_facts_are_those_of_the_files(fixtures):
    written = json.loads((fixtures.HERE / "expected.json").read_text(encoding="utf-8"))
    assert close(written, fixtures.expected())
