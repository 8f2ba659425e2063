"""COCO's annotations, on a file written by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from quickgaze.errors import DatasetError
from quickgaze.findings import coco_attributes

CONTENT: dict[str, Any] = {
    "info": {"year": 2014},
    "images": [
        {"id": 7, "file_name": "COCO_val2014_000000000007.jpg", "height": 10, "width": 20},
        {"id": 3, "file_name": "COCO_val2014_000000000003.jpg", "height": 100, "width": 100},
        {"id": 5, "file_name": "COCO_val2014_000000000005.jpg", "height": 10, "width": 10},
    ],
    "annotations": [
        {
            "id": 1,
            "image_id": 7,
            "category_id": 1,
            "area": 20.0,
            "iscrowd": 0,
            "segmentation": [[1]],
        },
        {
            "id": 2,
            "image_id": 7,
            "category_id": 1,
            "area": 30.0,
            "iscrowd": 0,
            "bbox": [0, 0, 1, 1],
        },
        {"id": 3, "image_id": 7, "category_id": 18, "area": 40.0, "iscrowd": 0},
        {"id": 4, "image_id": 7, "category_id": 17, "area": 10.0, "iscrowd": 0},
        {"id": 5, "image_id": 3, "category_id": 1, "area": 2500.0, "iscrowd": 1},
        {"id": 6, "image_id": 3, "category_id": 53, "area": 9000.0, "iscrowd": 0},
    ],
    "categories": [
        {"id": 1, "name": "person", "supercategory": "person"},
        {"id": 17, "name": "cat", "supercategory": "animal"},
        {"id": 18, "name": "dog", "supercategory": "animal"},
        {"id": 53, "name": "apple", "supercategory": "food"},
    ],
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(**changed: Any) -> Path:
        path = tmp_path / "instances.json"
        path.write_text(json.dumps({**CONTENT, **changed}))
        return path

    return written


def test_counts_areas_and_yes_or_no(write: Write) -> None:
    table = coco_attributes(write())
    first, second, third = table.iter_rows(named=True)
    assert first == {
        "stimulus": "COCO_val2014_000000000007",
        "objects": 4,
        "kinds": 3,
        "object_area": 0.5,
        "people": True,
        "animals": True,
        "food": False,
        "vehicles": False,
        "person_count": 2,
        "person_area": 0.25,
        "animal_count": 2,
        "animal_area": 0.25,
        "food_count": 0,
        "food_area": 0.0,
    }
    # a crowd is no object, but it is there; areas that overlap end at the whole image
    assert (second["people"], second["person_count"], second["person_area"]) == (True, 0, 0.25)
    assert (second["objects"], second["kinds"], second["object_area"]) == (1, 2, 1.0)
    assert not any(value for name, value in third.items() if name != "stimulus")
    assert table.null_count().sum_horizontal().item() == 0


def test_categories_where_they_are_asked_for(write: Write) -> None:
    table = coco_attributes(write(), categories=True)
    assert table["coco:dog_count"].to_list() == [1, 0, 0]
    assert table["coco:cat_area"].to_list() == [0.05, 0, 0]
    assert table["coco:person_count"].to_list() == [2, 0, 0]
    assert table.columns[:8] == coco_attributes(write()).columns[:8]


def test_a_file_without_annotations(write: Write) -> None:
    table = coco_attributes(write(annotations=[]))
    assert table["objects"].to_list() == [0, 0, 0]
    assert table["people"].dtype == pl.Boolean
    assert not table["people"].any()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"images": CONTENT["images"][:1] * 2}, "several images of id 7"),
        ({"images": CONTENT["images"][:1]}, "annotates image 3, which it does not list"),
        ({"categories": CONTENT["categories"][:1]}, "annotates category 18"),
        ({"categories": None}, "cannot be read as COCO's annotations"),
        ({"images": [{**CONTENT["images"][0], "height": 0}], "annotations": []}, "without height"),
        (
            {"images": [{**CONTENT["images"][0], "file_name": "../../x.jpg"}], "annotations": []},
            "not the name of a file inside",
        ),
    ],
)
def test_files_that_cannot_be_used(write: Write, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        coco_attributes(write(**changed))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        coco_attributes(tmp_path / "instances.json")
