"""A one-page overview of images and their maps that opens from disk, without any network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined


@dataclass(frozen=True)
class Panel:
    """One picture of a card.

    Parameters
    ----------
    label : str
        What it shows: ``"image"``, ``"map"``, ``"density"``.
    file : str
        Path of the picture, relative to the page.

    Examples
    --------
    >>> Panel("image", "pictures/cat-image.jpg").file
    'pictures/cat-image.jpg'
    """

    label: str
    file: str


@dataclass(frozen=True)
class Card:
    """One stimulus: its pictures side by side.

    Parameters
    ----------
    title : str
        The stimulus's id or name.
    caption : str
        What there is to say of it.
    panels : sequence of Panel

    Examples
    --------
    >>> card = Card("cat", "cc 0.62", [Panel("image", "pictures/cat-image.jpg")])
    >>> [panel.label for panel in card.panels]
    ['image']
    """

    title: str
    caption: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Parameters
    ----------
    title : str
    text : str
        What is to be seen, in a sentence or two.
    cards : sequence of Card
    columns : sequence of str
        Headings of a table above the cards; none by default.
    rows : sequence of sequence of str
        Its cells.

    Examples
    --------
    >>> section = Section("Rules", "Means.", columns=("rule", "cc"), rows=[("activation", "0.45")])
    >>> section.cards
    ()
    """

    title: str
    text: str
    cards: Sequence[Card] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


def write_overview(folder: Path, title: str, text: str, sections: Sequence[Section]) -> Path:
    """Write the page.

    Parameters
    ----------
    folder : Path
        Where it goes, with the pictures that its cards name.
    title : str
    text : str
        What the page shows, in a sentence or two.
    sections : sequence of Section

    Returns
    -------
    Path
        The page. Whatever stands in names and texts appears as text.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_overview(Path(folder), "Cats", "Where?", [Section("One", "A < B")])
    ...     page.name, "A &lt; B" in page.read_text(encoding="utf-8")
    ('index.html', True)
    """
    environment = Environment(
        loader=PackageLoader("quickgaze.report"), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("overview.html.j2").render(
        title=title, text=text, sections=sections
    )
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8", errors="replace")
    return path
