"""The notebooks run from top to bottom, on what comes along and on real data."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOKS = ("quick_start", "reproduce_the_study", "which_sign")
VARIABLES = ("QUICKGAZE_SALICON", "QUICKGAZE_OSIE", "QUICKGAZE_CAP6415", "QUICKGAZE_LIMIT")

Execute = Callable[..., str]


def cells(name: str) -> list[dict[str, Any]]:
    return json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


@pytest.fixture
def execute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Execute:
    """Run a notebook in a working folder of its own, and give what its Markdown outputs say."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    # neither the user's settings nor a history file of theirs
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    # a backend that was chosen for the tests draws nothing in a notebook
    monkeypatch.delenv("MPLBACKEND", raising=False)
    # tqdm, which a dependency imports, asks for widgets that only pretty progress bars need
    monkeypatch.setenv("PYTHONWARNINGS", "ignore:IProgress not found")

    def run(name: str, **variables: str | Path) -> str:
        import nbformat  # noqa: PLC0415 - not needed by the quick tests
        from nbclient import NotebookClient  # noqa: PLC0415 - likewise

        for variable, value in variables.items():
            monkeypatch.setenv(variable, str(value))
        work = tmp_path / "work"
        work.mkdir()
        notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
        client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(work)}})
        with warnings.catch_warnings():
            # of event loops and addresses that cannot be used, which is no matter of ours
            warnings.filterwarnings("ignore", module=r"(zmq|jupyter_client|nbclient|ipykernel)\b")
            client.execute()
        assert [each.name for each in work.iterdir()] == [name]
        return said(notebook.cells)

    return run


def said(executed: list[Any]) -> str:
    """Join the Markdown outputs; refuse errors and anything on standard error."""
    texts = []
    for output in (each for cell in executed for each in cell.get("outputs", [])):
        assert output["output_type"] != "error", output
        assert output.get("name") != "stderr", output["text"]
        texts.append(output.get("data", {}).get("text/markdown", ""))
    return "\n".join(texts)


def numbers(pattern: str, text: str) -> list[float]:
    found = re.search(pattern, text)
    assert found, f"{pattern} is not in:\n{text}"
    return [float(each) for each in found.groups()]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_are_committed_without_outputs(name: str) -> None:
    code = [cell for cell in cells(name) if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_name_no_place_of_any_machine(name: str) -> None:
    text = "".join(line for cell in cells(name) for line in cell["source"])
    assert not re.search(r"""["'`(\s](/|~/|[A-Za-z]:\\)\w""", text)


def test_metadata_are_minimal() -> None:
    for name in NOTEBOOKS:
        content = json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))
        assert content["metadata"]["kernelspec"]["name"] == "python3"
        assert set(content["metadata"]) == {"kernelspec", "language_info"}
        assert all(cell["metadata"] == {} for cell in content["cells"])


def test_every_notebook_is_tested() -> None:
    assert sorted(file.stem for file in EXAMPLES.glob("*.ipynb")) == sorted(NOTEBOOKS)


@pytest.mark.slow
def test_quick_start(execute: Execute) -> None:
    text = execute("quick_start")
    assert numbers(r"Over (\d+) stimuli of popout, .* is (-?[\d.]+)\.", text) == [
        12,
        pytest.approx(0.062, abs=0.002),
    ]


@pytest.mark.slow
def test_quick_start_on_salicon(execute: Execute, salicon_examples: Path) -> None:
    text = execute("quick_start", QUICKGAZE_SALICON=salicon_examples)
    assert numbers(r"Over (\d+) stimuli of salicon, .* is (-?[\d.]+)\.", text) == [
        10,
        pytest.approx(0.668, abs=0.002),
    ]


@pytest.mark.slow
def test_reproduce_the_study_on_what_comes_along(execute: Execute) -> None:
    text = execute("reproduce_the_study")
    assert "Over 12 stimuli, the mean raw CC_mask is" in text
    # LAPACK's sign depends on the machine, the others do not
    pattern = r"([\d.]+) with `activation` and ([\d.]+) with the better sign"
    assert numbers(pattern, text) == pytest.approx([0.062, 0.082], abs=0.002)


@pytest.mark.slow
def test_reproduce_the_study_from_its_published_results(
    execute: Execute, cap6415_backup: Path, salicon_examples: Path
) -> None:
    text = execute(
        "reproduce_the_study",
        QUICKGAZE_CAP6415=cap6415_backup,
        QUICKGAZE_SALICON=salicon_examples,
        QUICKGAZE_LIMIT="6",
    )
    assert (
        "Over 5,000 stimuli, the mean raw CC_mask is -0.0017; the deciles go from -0.5145 to "
        "0.6020. 44% of the raw maps correlate negatively with people" in text
    )
    assert "On 6 stimuli of salicon" in text


@pytest.mark.slow
def test_which_sign(execute: Execute) -> None:
    text = execute("which_sign")
    assert numbers(r"the smallest absolute correlation is ([\d.]+)\.", text) == [1.0]
    pattern = r"popout, `activation` inverts ([\d.]+)% .* loses ([\d.]+) of a mean cc of ([\d.]+);"
    assert numbers(pattern, text) == pytest.approx([25.0, 0.019, 0.082], abs=0.002)


@pytest.mark.slow
def test_which_sign_on_real_gaze(
    execute: Execute, salicon_examples: Path, osie_sample: Path
) -> None:
    text = execute("which_sign", QUICKGAZE_SALICON=salicon_examples, QUICKGAZE_OSIE=osie_sample)
    pattern = r"10 stimuli of salicon, `activation` inverts ([\d.]+)% .* a mean cc of ([\d.]+);"
    assert numbers(pattern, text) == pytest.approx([0.0, 0.668], abs=0.002)
    pattern = r"40 stimuli of osie, `activation` inverts ([\d.]+)% .* a mean cc of ([\d.]+);"
    assert numbers(pattern, text) == pytest.approx([2.5, 0.461], abs=0.002)
