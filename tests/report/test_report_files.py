"""The report's folder: its files, what stands in them, and what it refuses."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import quickgaze as qg
from quickgaze.errors import OptionError, StimulusError
from quickgaze.report import Report, write_report
from quickgaze.report._charts import printable
from quickgaze.report._gallery import rounded, script_json
from quickgaze.report._papers import latex, numeric, vegalite_version
from quickgaze.report.chapters._records import run_facts
from quickgaze.stimuli import Dataset
from quickgaze.stimuli.types import Image
from quickgaze.study import Run
from quickgaze.study.plan import FORMAT


class _Page(HTMLParser):
    """Collects tags with their attributes, and the content of scripts and styles."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.content: list[tuple[str, dict[str, str | None], str]] = []
        self.text = ""
        self._inside = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's own signature
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.content.append((*self.tags[-1], data))
        else:
            self.text += data


@pytest.fixture(scope="session")
def page(report: Report) -> _Page:
    return _Page(report.page)


@pytest.fixture(scope="session")
def gallery(page: _Page) -> dict[str, Any]:
    texts = [text for _, own, text in page.content if own.get("id") == "gallery-data"]
    content: dict[str, Any] = json.loads("".join(texts))
    return content


def test_the_folder_holds_page_pictures_figures_and_tables(report: Report) -> None:
    names = {path.name for path in report.folder.iterdir()}
    assert names == {"index.html", "pictures", "figures", "tables", "report.json"}
    assert report.failures == ()
    assert report.stimuli == 12
    figures = {path.name for path in (report.folder / "figures").iterdir()}
    for stem in ("means-cc", "distribution-kld", "deciles-cc", "orientation", "deep-dive-cc"):
        assert {f"{stem}.svg", f"{stem}.pdf", f"{stem}.png"} <= figures
    assert (report.folder / "figures/means-cc.pdf").read_bytes().startswith(b"%PDF")
    with PIL.Image.open(report.folder / "figures/means-cc.png") as picture:
        assert picture.width > 1200


def test_all_chapters_are_there(page: _Page) -> None:
    anchors = [own["id"] for tag, own in page.tags if tag == "section"]
    assert anchors == [
        "summary",
        "distributions",
        "ranking",
        "orientation",
        "gallery",
        "deep-dive",
        "attributes",
        "comparison",
        "failures",
        "provenance",
    ]


def test_names_appear_as_text(page: _Page, hostile: str) -> None:
    assert hostile in page.text
    assert not any(own.get("src") == "x" for _, own in page.tags)
    assert not [name for _, own in page.tags for name in own if name.startswith("on")]
    assert not [own for _, own in page.tags if "style" in own]
    assert [tag for tag, _ in page.tags if tag == "b"] == []


def test_the_policy_allows_what_stands_there_and_nothing_else(page: _Page) -> None:
    (policy,) = (
        own["content"] or ""
        for tag, own in page.tags
        if tag == "meta" and own.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    scripts = [text for tag, own, text in page.content if tag == "script" and not own]
    styles = [text for tag, _, text in page.content if tag == "style"]
    assert (len(scripts), len(styles)) == (5, 1)
    for text in (*scripts, *styles):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_nothing_is_asked_of_a_network(page: _Page) -> None:
    for _, own in page.tags:
        for name in ("src", "href", "srcset", "action"):
            assert not re.match(r"(?:[a-z]+:)?//", own.get(name) or "")


def test_the_data_of_the_page_are_the_runs(
    gallery: dict[str, Any], run: Run, displays: Dataset
) -> None:
    assert gallery["stimuli"] == [stimulus.id for stimulus in displays]
    assert [metric["higher"] for metric in gallery["metrics"]] == [True, False]
    assert len(gallery["variants"]) == 6
    first = gallery["variants"][0]
    own = run.scores().filter(pl.col("grid") == "coarsest", pl.col("orientation") == "activation")
    np.testing.assert_allclose(first["scores"]["cc"], own["cc"].to_numpy(), rtol=1e-3)
    kinds = {each["name"]: each["kind"] for each in gallery["attributes"]}
    assert kinds["animals"] == "yes/no"
    assert kinds["brightness"] == "number"
    assert kinds["scene"] == "text"
    # What the data set itself knows of its displays.
    assert kinds["kind"] == "text"


def test_files_are_called_by_number(report: Report) -> None:
    files = [path for path in (report.folder / "pictures").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {f"{number:04d}.webp" for number in range(1, 13)}
    assert not list(report.folder.parent.glob("passwd*"))


def test_tables_hold_all_numbers(report: Report, run: Run) -> None:
    table = pl.read_csv(report.folder / "tables" / "means-cc.csv")
    own = run.scores().filter(pl.col("grid") == "s16", pl.col("orientation") == "lapack")
    row = table.filter(pl.col("grid") == "s16", pl.col("orientation") == "lapack")
    assert row["mean"].item() == pytest.approx(own["cc"].mean())
    ranked = pl.read_csv(report.folder / "tables" / "ranking-cc-most.csv")
    assert ranked["score"][0] == pytest.approx(
        run.scores().filter(pl.col("orientation") == "activation", grid="coarsest")["cc"].max()
    )


def test_latex_is_escaped() -> None:
    view = pl.DataFrame({"id": [r"50%_of$#&~^\{}<x>"], "n": ["1.5"]})
    text = latex(view, "A & B", "name")
    assert r"\caption{A \& B}" in text
    assert r"\begin{tabular}{lr}" in text
    row = text.split("\\midrule\n")[1].split("\n")[0]
    assert row == (
        r"50\%\_of\$\#\&\textasciitilde{}\textasciicircum{}\textbackslash{}\{\}"
        r"\textless{}x\textgreater{} & 1.5 \\"
    )


@given(
    st.recursive(st.none() | st.text() | st.floats(allow_nan=False, allow_infinity=False), st.lists)
)
def test_json_survives_a_script_element(content: object) -> None:
    text = script_json(content)
    assert json.loads(text) == content
    assert not set(text) & set("<>&\u2028\u2029")
    text.encode()


def test_json_holds_half_surrogates_as_escapes() -> None:
    text = script_json(["caf\udce9"])
    assert text.encode() == b'["caf\\udce9"]'
    assert json.loads(text) == ["caf\udce9"]


def test_a_link_to_a_report_stays_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")
    for title in ("One", "Another"):
        write_report(
            run, tmp_path / "link", title=title, papers=False, progress=False, overwrite=True
        )
    assert (tmp_path / "link").is_symlink()
    assert "Another" in (tmp_path / "home" / "index.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "link"]


def test_a_report_is_replaced_only_when_asked(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "report"
    options: dict[str, Any] = {"papers": False, "pictures": False, "resamples": 100}
    write_report(run, out, progress=False, **options)
    with pytest.raises(OptionError, match="there already"):
        write_report(run, out, progress=False, **options)
    write_report(run, out, title="Anew", overwrite=True, progress=False, **options)
    assert "<title>Anew</title>" in (out / "index.html").read_text(encoding="utf-8")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    with pytest.raises(OptionError, match="something other than a report"):
        write_report(run, mine, overwrite=True, progress=False, **options)
    assert (mine / "thesis.tex").read_text() == "years of work"
    with pytest.raises(OptionError, match="lies in the run folder"):
        write_report(run, run.path / "report", progress=False, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "report"]


def test_options_that_cannot_be_used_leave_nothing(
    run: Run, displays: Dataset, tmp_path: Path
) -> None:
    strangers = replace(displays, stimuli=(replace(displays[0], id="stranger"),))
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"metric": "nss"}, "unknown metric of the runs 'nss'"),
        ({"variant": {"orientation": "skew"}}, "unknown orientation of the run"),
        ({"dataset": strangers}, "has none of the stimuli"),
        ({"dataset": displays, "images": tmp_path}, "not both"),
        ({"images": tmp_path}, "no file is named like a stimulus of the runs"),
        ({"image_statistics": True}, "need the photographs"),
        ({"picture_size": 8}, "at least 32"),
        ({"deep_dive": -1}, "0 for none"),
        (
            {"attributes": [pl.DataFrame({"stimulus": ["?"], "a": [1]})]},
            "is about a stimulus of the run",
        ),
    ]
    for options, message in wrong:
        with pytest.raises(OptionError, match=re.escape(message)):
            write_report(run, tmp_path / "report", progress=False, **options)
    with pytest.raises(OptionError, match="no run"):
        write_report([], tmp_path / "report")
    assert list(tmp_path.iterdir()) == []


class _Broken:
    """A photograph that cannot be read."""

    def read(self) -> Image:
        raise StimulusError("the disk has a scratch")

    def size(self) -> tuple[int, int]:
        raise StimulusError("the disk has a scratch")

    def fingerprint(self) -> str:
        return "broken"


def test_one_bad_picture_never_ends_a_report(run: Run, displays: Dataset, tmp_path: Path) -> None:
    broken = (replace(displays[0], source=_Broken()), *displays.stimuli[1:])
    report = write_report(
        run,
        tmp_path / "report",
        dataset=replace(displays, stimuli=broken),
        papers=False,
        resamples=100,
        progress=False,
    )
    assert {name for name, _ in report.failures} == {displays[0].id}
    text = _Page(report.page).text
    assert "the disk has a scratch" in text
    assert "1 of 12 checked stimuli have changed since" in text
    assert not (report.folder / "pictures/image/0001.webp").exists()
    assert (report.folder / "pictures/image/0002.webp").exists()
    # The run has kept its map, which needs no photograph.
    assert list((report.folder / "pictures/map").glob("*/0001.webp"))


def test_what_is_missing_is_said(write_run: Callable[..., Run], tmp_path: Path) -> None:
    keys = {"backbone": "net", "cam": "eigen", "grid": "s32", "component": 0}
    keys |= {"orientation": "activation", "sigma": 0.0, "convention": "tuebingen"}
    scores = [{"stimulus": f"s{place}", **keys, "cc": place / 4} for place in range(3)]
    scores[0]["cc"] = float("nan")
    undefined = [{"stimulus": "s0", **keys, "metric": "cc", "reason": "a constant human map"}]
    failures = [{"stimulus": "s9", "stage": "image", "error": "StimulusError", "message": "gone"}]
    plan = {
        "format": FORMAT,
        "settings": {"metrics": ["cc"], "convention": "tuebingen"},
        "dataset": {"name": "made"},
        "stimuli": ["s0", "s1", "s2", "s9"],
    }
    run = write_run(
        tmp_path / "run", ["cc"], plan, scores=scores, undefined=undefined, failures=failures
    )
    report = write_report(run, tmp_path / "report", resamples=100, progress=False)
    page = _Page(report.page)
    for words in (
        "It needs a run with the metric cc and the orientations",
        "give --grid several times",
        "give --attributes FILE",
        "There is only one variant",
        "There are no pictures",
        "a constant human map",
        "gone",
        "is not complete",
        "2 images with a score; an interval needs 10",
    ):
        assert words in page.text
    assert report.stimuli == 4
    assert not (report.folder / "pictures").exists()


def test_an_import_gets_its_pictures_from_folders(tmp_path: Path) -> None:
    scores = {"CC_mask": 0.5, "CC_standard": 0.25}
    names = ["cat", "dog"]
    content = {name: [f"{name}.jpg", f"{name}.png", [scores, scores]] for name in names}
    np.save(tmp_path / "backup.npy", np.array(content, dtype=object))
    run = qg.study.import_cap6415(tmp_path / "backup.npy", tmp_path / "run")
    for folder in ("images", "maps"):
        (tmp_path / folder).mkdir()
    PIL.Image.fromarray(np.full((60, 80, 3), 200, np.uint8)).save(tmp_path / "images/cat.jpg")
    grey = np.zeros((60, 80), np.uint8)
    grey[20:40, 20:40] = 255
    PIL.Image.fromarray(grey).save(tmp_path / "maps/cat.png")
    report = write_report(
        run,
        tmp_path / "report",
        images=tmp_path / "images",
        maps=tmp_path / "maps",
        papers=False,
        resamples=100,
        progress=False,
    )
    files = sorted(str(path.relative_to(report.folder)) for path in report.folder.rglob("*.webp"))
    assert files == ["pictures/density/0001.webp", "pictures/image/0001.webp"]
    assert "imported: sha256" in _Page(report.page).text


def test_stimuli_of_two_data_sets_are_kept_apart(
    write_run: Callable[..., Run], tmp_path: Path
) -> None:
    keys = {"backbone": "net", "cam": "eigen", "grid": "s32", "component": 0}
    keys |= {"orientation": "activation", "sigma": 0.0, "convention": "tuebingen"}
    runs = []
    for name, cc in (("one", 0.25), ("other", 0.75)):
        plan = {
            "format": FORMAT,
            "settings": {"metrics": ["cc"], "convention": "tuebingen"},
            "dataset": {"name": name},
            "stimuli": ["1001"],
        }
        scores = [{"stimulus": "1001", **keys, "cc": cc}]
        runs.append(write_run(tmp_path / name, ["cc"], plan, scores=scores))
    report = write_report(runs, tmp_path / "report", papers=False, resamples=100, progress=False)
    page = _Page(report.page)
    (text,) = (text for _, own, text in page.content if own.get("id") == "gallery-data")
    data = json.loads(text)
    assert data["stimuli"] == ["one/1001", "other/1001"]
    assert [variant["scores"]["cc"] for variant in data["variants"]] == [[0.25, None], [None, 0.75]]
    assert "are of different data sets" in page.text


def test_provenance_tells_how_to_compute_it_again(run: Run, page: _Page) -> None:
    facts = run_facts(run)
    assert facts["command"].startswith("quickgaze run --dataset popout --backbone efficient")
    assert "--orientation lapack" in facts["command"]
    (weights,) = run.plan.weights_hashes.values()
    for words in (weights, facts["command"], run.plan.dataset.fingerprint, "version: torch"):
        assert words in page.text


def test_a_report_links_to_its_page_in_a_notebook(report: Report) -> None:
    assert f'href="{report.page.resolve().as_uri()}"' in report._repr_html_()


def test_csv_of_names_reads_back(report: Report, hostile: str) -> None:
    text = (report.folder / "tables/deep-dive-cc.csv").read_text(encoding="utf-8")
    assert hostile in {row["stimulus"] for row in csv.DictReader(io.StringIO(text))}


def test_the_command_names_what_differs_from_the_defaults(
    write_run: Callable[..., Run], tmp_path: Path
) -> None:
    settings = {"grids": ["s16"], "metrics": ["cc"], "seed": 0, "level_scale": "std"}
    plan = {
        "format": FORMAT,
        "settings": settings,
        "dataset": {"name": "osie"},
        "stimuli": ["1001"],
    }
    run = write_run(tmp_path / "run", ["cc"], plan)
    command = run_facts(run)["command"]
    assert command.startswith("quickgaze run --dataset osie --root ROOT --grid s16")
    assert "--level-scale std" in command
    assert "--metrics cc" in command
    assert "--seed" not in command
    assert command.endswith(" --out RUN")


def test_latex_keeps_what_is_special_in_it() -> None:
    table = latex(pl.DataFrame({"rule": ["a_b"], "cc ↑": ["0.5"]}), "Means.", "means")
    assert (
        table
        == r"""\begin{table}
\centering
\caption{Means.}
\label{tab:means}
\begin{tabular}{lr}
\toprule
rule & cc $\uparrow$ \\
\midrule
a\_b & 0.5 \\
\bottomrule
\end{tabular}
\end{table}
"""
    )


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["0.5 [0.1, 0.9]", "1,200", "—", "< 0.001", "5 %"], True),
        (["0.5", "COCO_1"], False),
        (["—"], False),
    ],
)
def test_columns_of_numbers_are_told_from_texts(texts: list[str], expected: bool) -> None:
    assert numeric(pl.Series(texts)) is expected


def test_texts_cannot_leave_their_script() -> None:
    assert script_json(["</script>", "a\u2028b", "\ud800"]) == (
        '["\\u003c/script\\u003e","a\\u2028b","\\ud800"]'
    )


def test_numbers_in_the_page_are_short() -> None:
    assert [rounded(value) for value in (0.123456, float("nan"), None)] == [0.1235, None, None]


def test_charts_print_no_line_ends() -> None:
    assert printable(pl.DataFrame({"name": ["one\u2028two"]})).item() == "one two"


def test_vega_lite_has_a_version_of_two_parts() -> None:
    assert vegalite_version().count(".") == 1
