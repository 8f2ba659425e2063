"""Every option is written once, and all that takes options is made of it."""

from __future__ import annotations

import inspect
import json
import os
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import quickgaze as qg
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.options import ModelOptions, StudyOptions, check, command_words, options_of
from quickgaze.study._settings import Settings

NEW = """
    patience: float = option(0.5, "How long the reader waits, in seconds.", minimum=0)
"""
USED = """
import inspect, json, sys
import quickgaze as qg
from quickgaze.cli import main
from quickgaze.report.chapters._records import run_facts

assert inspect.signature(qg.Study).parameters["patience"].default == 0.5
assert "patience : float\\n    How long the reader waits, in seconds." in qg.Study.__doc__
study = qg.Study(qg.load_dataset("popout", n=1, size=(120, 160)), metrics=["cc"], patience=2.0)
run = study.run(sys.argv[1] + "/python", progress=False)
print(run.plan["settings"]["patience"], run_facts(run)["setting: patience"])
print(run_facts(run)["command"])
sys.argv[1:] = ["run", "--config", sys.argv[1] + "/study.toml", "--out", sys.argv[1] + "/config"]
try:
    main()
except SystemExit as finished:
    assert not finished.code
"""
CONFIG = """
dataset = "popout"
option = ["n=1", "size=[120, 160]"]
metrics = ["cc"]
patience = 3.0
"""


def _called(source: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(source), "COLUMNS": "200"}
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_further_option_is_one_edit(tmp_path: Path) -> None:
    source = tmp_path / "src"
    shutil.copytree(Path(qg.__file__).parent, source / "quickgaze")
    module = source / "quickgaze" / "options.py"
    before = '        "that draw.",\n        minimum=0,\n    )\n'
    text = module.read_text()
    assert text.count(before) == 1
    module.write_text(text.replace(before, before + NEW))
    (tmp_path / "study.toml").write_text(CONFIG)
    shown = _called(source, "-c", "from quickgaze.cli import main; main()", "run", "--help")
    assert "--patience" in shown
    assert "How long the reader waits, in seconds." in shown
    stored, command = _called(source, "-c", USED, str(tmp_path)).splitlines()[:2]
    assert stored == "2.0 2.0"
    assert "--patience 2" in command
    plan = json.loads((tmp_path / "config" / "plan.json").read_text())
    assert plan["settings"]["patience"] == 3.0


def test_python_and_the_command_line_take_the_same_options() -> None:
    for made, options in ((qg.Study, StudyOptions), (qg.SaliencyModel, ModelOptions)):
        parameters = dict(inspect.signature(made).parameters)
        parameters.pop("dataset", None)
        assert list(parameters) == [each.name for each in fields(options)]
        for each, known in options_of(options):
            assert parameters[each.name].default == each.default
            assert known.help.endswith((".", "?"))
            assert f"\n{each.name} : " in made.__doc__


def test_help_names_the_choices() -> None:
    for each, known in options_of(StudyOptions):
        assert all(choice in known.help for choice in known.choices), each.name


def test_what_is_not_offered_or_too_small_is_refused() -> None:
    check(StudyOptions(components=[0, 3], density_sigma=None))
    with pytest.raises(UnknownNameError, match="unknown level scale 'sdt'; did you mean 'std'"):
        check(StudyOptions(level_scale="sdt"))
    with pytest.raises(OptionError, match="component is -1; give at least 0"):
        check(StudyOptions(components=[0, -1]))
    with pytest.raises(OptionError, match="draws is 0; give at least 1"):
        check(StudyOptions(draws=0))


def test_a_class_that_narrows_a_type_keeps_the_option() -> None:
    with pytest.raises(OptionError, match="component is -1"):
        check(Settings(components=(-1,)))
    assert {each.name for each, _ in options_of(Settings)} == {
        each.name for each, _ in options_of(StudyOptions)
    }


def test_settings_are_written_as_a_command() -> None:
    words = command_words(StudyOptions(sigmas=[0.0, 7.5], rectify=False, maps={"a b": "maps/"}))
    assert words == (
        "--grid coarsest --sigma 0 --sigma 7.5 --no-rectify --component 0 --maps 'a b=maps/'"
    )
    assert "--bounds none --seed 2" in command_words(StudyOptions(bounds=[], seed=2))
    assert "--metrics cc,nss" in command_words(StudyOptions(metrics=["cc", "nss"]))
