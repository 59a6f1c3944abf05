"""Numbers of what stays whole, where only names tell it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.surroundings import set_numbers


def test_sets_are_numbered_by_village_and_name_as_texts() -> None:
    """Village 10 before village 2, within one by name: plans of before keep their order."""
    table = pd.DataFrame(
        {
            "compound": ["", "", "", "", "", "花园"],
            "group": ["二组", "一组", "一组", "一组", "", "一组"],
            "village": [2, 10, 2, 10, 2, 2],
            "x": 0.5,
            "y": 0.5,
        }
    ).astype({"compound": object, "group": object})
    none = gpd.GeoDataFrame({"set_id": [], "kind": [], "name": []}, geometry=[], crs=4549)
    number, sets = set_numbers(table, none, pd.DataFrame(none[["kind", "name"]]))
    assert number.tolist() == [3, 1, 2, 1, -1, 0]
    assert sets["kind"].tolist() == ["compound", "group", "group", "group"]
    assert sets["name"].tolist() == ["花园", "一组", "一组", "二组"]


def test_an_outline_wins_over_a_name_and_compounds_over_groups() -> None:
    table = pd.DataFrame(
        {"compound": ["", ""], "group": ["一组", "一组"], "village": [0, 0], "x": [1.0, 9.0],
         "y": [1.0, 9.0]}
    )  # fmt: skip
    shapes = [shapely.box(0, 0, 5, 5), shapely.box(0, 0, 20, 20)]
    wholes = gpd.GeoDataFrame(
        {"set_id": [0, 1], "kind": ["compound", "group"], "name": ["花园", "二组"]},
        geometry=shapes, crs=4549,
    )  # fmt: skip
    number, sets = set_numbers(table, wholes, pd.DataFrame(wholes[["kind", "name"]]))
    assert np.array_equal(number, [0, 1])
    assert len(sets) == 2
