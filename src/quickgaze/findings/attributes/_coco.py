"""What images show, from instance annotations in the format of COCO."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl

from quickgaze.errors import DatasetError
from quickgaze.places import PathLike, readable
from quickgaze.stimuli.files import stem_of_listed

_GROUPS = {"people": "person", "animals": "animal", "food": "food", "vehicles": "vehicle"}
"""Attributes that are yes or no, and their supercategories."""


class _Image(msgspec.Struct, frozen=True):
    id: int
    file_name: str
    height: float
    width: float


class _Annotation(msgspec.Struct, frozen=True):
    image_id: int
    category_id: int
    area: float
    iscrowd: int = 0


class _Category(msgspec.Struct, frozen=True):
    id: int
    name: str
    supercategory: str = "other"


class _File(msgspec.Struct, frozen=True):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def coco_attributes(path: PathLike, *, categories: bool = False) -> pl.DataFrame:
    """Read what images show from COCO's annotations of instances.

    Parameters
    ----------
    path : path-like
        A file such as ``instances_val2014.json``. Outlines are ignored.
    categories : bool
        Whether to give counts and areas for each category (``dog``) beside each supercategory
        (``animal``).

    Returns
    -------
    polars.DataFrame
        A row per image that the file lists, annotated or not, in its order: ``stimulus`` (the
        file's name without its ending); ``objects`` (how many), ``kinds`` (of how many categories),
        ``object_area``; ``people``, ``animals``, ``food`` and ``vehicles`` (yes or no, by
        supercategory); then for each supercategory of the file ``<name>_count`` and
        ``<name>_area``, and, if asked for, the same for each category as ``coco:<name>``. Areas are
        shares of the image's area, in [0, 1]; overlapping objects both count. A crowd, one
        annotation of many objects, is not counted as an object, but its area and its kind are.

    Raises
    ------
    DatasetError
        If the file cannot be read as such, lists an image twice, or annotates images or uses
        categories that it does not list.

    References
    ----------
    .. [1] T.-Y. Lin et al., "Microsoft COCO: common objects in context", ECCV 2014.

    Examples
    --------
    >>> import json, tempfile, pathlib
    >>> content = {"images": [{"id": 1, "file_name": "a.jpg", "height": 10, "width": 20}]}
    >>> content["annotations"] = [{"image_id": 1, "category_id": 18, "area": 50.0, "iscrowd": 0}]
    >>> content["categories"] = [{"id": 18, "name": "dog", "supercategory": "animal"}]
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "instances.json"
    >>> _ = path.write_text(json.dumps(content))
    >>> coco_attributes(path).select("stimulus", "animals", "people", "animal_area").rows()
    [('a', True, False, 0.25)]
    """
    source = Path(path)
    file = _read(source)
    images = _images(file, source)
    annotations = _annotations(file, source)
    known = [category.supercategory for category in file.categories]
    names = {name: pl.col("supercategory") == name for name in known}
    if categories:
        names |= {f"coco:{each.name}": pl.col("category") == each.name for each in file.categories}
    counts_and_areas = (
        column
        for name, chosen in names.items()
        for column in (
            _count(chosen).alias(f"{name}_count"),
            pl.col("area").filter(chosen).sum().alias(f"{name}_area"),
        )
    )
    shown = annotations.group_by("id").agg(
        _count(pl.lit(value=True)).alias("objects"),
        pl.col("category").n_unique().cast(pl.Int64).alias("kinds"),
        pl.col("area").sum().alias("object_area"),
        *((pl.col("supercategory") == name).any().alias(group) for group, name in _GROUPS.items()),
        *counts_and_areas,
    )
    columns = shown.drop("id").columns
    areas = [name for name in columns if name.endswith("_area")]
    return (
        images.join(shown, on="id", how="left", maintain_order="left")
        .with_columns(pl.col(list(_GROUPS)).fill_null(value=False))
        .with_columns(pl.col(columns).exclude(*_GROUPS).fill_null(0))
        .with_columns((pl.col(areas) / pl.col("pixels")).clip(0, 1))
        .select("stimulus", *columns)
    )


def _count(chosen: pl.Expr) -> pl.Expr:
    return (chosen & ~pl.col("crowd")).sum().cast(pl.Int64)


def _read(path: Path) -> _File:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File, strict=False)
    except (OSError, msgspec.MsgspecError) as error:
        raise DatasetError(
            f"{readable(path)} cannot be read as COCO's annotations of instances ({error}); give a "
            "file such as instances_val2014.json, with images, annotations and categories"
        ) from error


def _images(file: _File, path: Path) -> pl.DataFrame:
    images = pl.DataFrame(
        [
            (each.id, stem_of_listed(each.file_name, path), each.height * each.width)
            for each in file.images
        ],
        {"id": pl.Int64, "stimulus": pl.String, "pixels": pl.Float64},
        orient="row",
    )
    for column in ("id", "stimulus"):
        repeated = images.filter(pl.col(column).is_duplicated())
        if repeated.height:
            raise _damaged(path, f"lists several images of {column} {repeated[column][0]!r}")
    flat = images.filter(~(pl.col("pixels") > 0))
    if flat.height:
        raise _damaged(path, f"lists {flat['stimulus'][0]!r} without height or width")
    return images


def _annotations(file: _File, path: Path) -> pl.DataFrame:
    categories = {each.id: each for each in file.categories}
    listed = {each.id for each in file.images}
    rows = []
    for each in file.annotations:
        kind = categories.get(each.category_id)
        if kind is None or each.image_id not in listed:
            what = f"category {each.category_id}" if kind is None else f"image {each.image_id}"
            raise _damaged(path, f"annotates {what}, which it does not list")
        rows.append((each.image_id, kind.name, kind.supercategory, each.area, each.iscrowd != 0))
    schema = {"id": pl.Int64, "category": pl.String, "supercategory": pl.String}
    schema |= {"area": pl.Float64, "crowd": pl.Boolean}
    return pl.DataFrame(rows, schema, orient="row")


def _damaged(path: Path, problem: str) -> DatasetError:
    return DatasetError(
        f"{readable(path)} {problem}; the file is damaged or was put together from several: fetch "
        "it anew"
    )
