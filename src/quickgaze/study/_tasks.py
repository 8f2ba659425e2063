"""What is done for one stimulus away from the device: reading its image, scoring its CAMs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from quickgaze.bounds import GazePool
from quickgaze.errors import StimulusError
from quickgaze.stimuli.points import Points
from quickgaze.stimuli.types import Image, Size, Stimulus
from quickgaze.study._inputs import Failure, Gaze, read_gaze
from quickgaze.study._known_bounds import KnownBounds
from quickgaze.study._precomputed import PrecomputedMaps
from quickgaze.study._scoring import score_bounds, score_map
from quickgaze.study._settings import Settings
from quickgaze.study._tables import Row, ShardTables
from quickgaze.study.stored import StoredMap
from quickgaze.study.variants import CamKey


@dataclass(frozen=True, eq=False)
class StimulusTasks:
    """Everything that helpers do; can be sent to other processes.

    `only` holds options of scoring that single CAMs have in place of the study's, `known` scores
    of bounds that need not be computed again.
    """

    settings: Settings
    maps: Sequence[PrecomputedMaps] = ()
    pool: GazePool | None = None
    only: Mapping[CamKey, Mapping[str, Any]] = field(default_factory=dict)
    known: KnownBounds | None = None

    def image(self, stimulus: Stimulus, fingerprint: str | None) -> Image | Failure:
        """Read the image of a stimulus, or say why that is not possible."""
        try:
            image = stimulus.image()
            if fingerprint is not None and stimulus.fingerprint() != fingerprint:
                return Failure.of(stimulus.id, "image", StimulusError(_CHANGED))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one image stays with it
            return Failure.of(stimulus.id, "image", error)
        return image

    def rows(self, stimulus: Stimulus, size: Size, cams: Sequence[StoredMap]) -> ShardTables:
        """All rows of one image whose CAMs are known: with scores or a failure, never both."""
        name, settings, stage = stimulus.id, self.settings, "cam"
        points: list[Row] = []
        try:
            every = [*cams, *(other.map_of(name, size) for other in self.maps)]
            stage = "gaze"
            gaze = read_gaze(stimulus, size, settings, self.pool)
            if gaze.fixations is not None:
                points = [{"stimulus": name, **asdict(Points.of(gaze.fixations, size))}]
            stage = "score"
            tables = self._bounds(name, size, gaze)
            for each in every:
                tables.extend(score_map(each, gaze, self._settings_of(each.key)))
        except Exception as error:  # noqa: BLE001 - one bad stimulus never ends a run
            tables = ShardTables(failures=[Failure.of(name, stage, error).row()])
        tables.maps.extend(each.row() for each in cams)
        tables.points.extend(points)
        return tables

    def _bounds(self, stimulus: str, size: Size, gaze: Gaze) -> ShardTables:
        known, settings = self.known, self.settings
        if known is None or not known.has(stimulus, settings.bounds):
            return score_bounds(stimulus, size, gaze, settings, self.pool)
        lacking = tuple(name for name in settings.metrics if name not in known.metrics)
        further = ShardTables()
        if lacking:
            asked = replace(settings, metrics=lacking)
            further = score_bounds(stimulus, size, gaze, asked, self.pool)
        return known.beside(stimulus, further, settings.metrics)

    def _settings_of(self, key: CamKey) -> Settings:
        return replace(self.settings, **self.only[key]) if key in self.only else self.settings


_CHANGED = (
    "the stimulus has changed since the run began; put back what was there, or begin a new run"
)
