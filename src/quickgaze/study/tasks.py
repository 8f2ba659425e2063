"""What is done for one stimulus away from the device: reading its image, scoring its CAMs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from quickgaze.bounds import GazePool
from quickgaze.cams import Cam
from quickgaze.errors import StimulusError
from quickgaze.stimuli.types import Image, Size, Stimulus
from quickgaze.study.inputs import Failure, GazeReader
from quickgaze.study.plan import CamKey, Settings
from quickgaze.study.precomputed import PrecomputedMaps
from quickgaze.study.scoring import score_bounds, score_cam
from quickgaze.study.tables import Row, ShardTables


@dataclass(frozen=True, eq=False)
class ImageCam:
    """The CAM of one image, on the CPU.

    Parameters
    ----------
    key : CamKey
    cam : Cam
        A batch of one.
    kept : bool
        Whether it goes into the table of maps.
    """

    key: CamKey
    cam: Cam
    kept: bool = True

    def row(self, stimulus: str, size: Size) -> Row:
        """Give the CAM as a row of the table of maps."""
        return {
            "stimulus": stimulus,
            **asdict(self.key),
            "image_height": size[0],
            "image_width": size[1],
            "height": self.cam.grid[0],
            "width": self.cam.grid[1],
            "projection": self.cam.projection[0].flatten().tolist(),
            "explained_variance": self.cam.explained_variance.item(),
            **{f"evidence_{rule}": value.item() for rule, value in self.cam.evidence.items()},
        }


@dataclass(frozen=True, eq=False)
class StimulusTasks:
    """Everything that helpers do; can be sent to other processes.

    Parameters
    ----------
    settings : Settings
    maps : sequence of PrecomputedMaps
        Maps of other models, scored beside those of the backbones.
    pool : GazePool, optional
        The gaze of the whole data set, where bounds or metrics need it.
    """

    settings: Settings
    maps: Sequence[PrecomputedMaps] = ()
    pool: GazePool | None = None

    def image(self, stimulus: Stimulus, fingerprint: str | None) -> Image | Failure:
        """Read the image of a stimulus, or say why that is not possible.

        Parameters
        ----------
        stimulus : Stimulus
        fingerprint : str or None
            Of the stimulus as it was planned; another one is a failure.
        """
        try:
            image = stimulus.image()
            if fingerprint is not None and stimulus.fingerprint() != fingerprint:
                return Failure.of(stimulus.id, "image", StimulusError(_CHANGED))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one image stays with it
            return Failure.of(stimulus.id, "image", error)
        return image

    def rows(self, stimulus: Stimulus, size: Size, cams: Sequence[ImageCam]) -> ShardTables:
        """All rows of one image whose CAMs are known.

        Parameters
        ----------
        stimulus : Stimulus
        size : (int, int)
            Height and width of its image.
        cams : sequence of ImageCam

        Returns
        -------
        ShardTables
            With scores or a failure, never both.
        """
        name, stage = stimulus.id, "cam"
        maps = [item.row(name, size) for item in cams if item.kept]
        try:
            every = [*cams, *self._precomputed(name, size)]
            stage = "gaze"
            reader = GazeReader(self.settings.density_sigma, self.pool, self.settings.metrics)
            gaze = reader.read(stimulus, size)
            stage = "score"
            found = [score_bounds(name, size, gaze, self.settings, self.pool)]
            found += [score_cam(item.key, item.cam, size, gaze, self.settings) for item in every]
        except Exception as error:  # noqa: BLE001 - one bad stimulus never ends a run
            return ShardTables(maps, [], [Failure.of(name, stage, error).row()], [])
        bounds, *scored = found
        return ShardTables(
            maps,
            [{"stimulus": name, **row} for rows in scored for row in rows.scores],
            [],
            [{"stimulus": name, **row} for rows in found for row in rows.undefined],
            [{"stimulus": name, **row} for row in bounds.scores],
        )

    def _precomputed(self, stimulus: str, size: Size) -> list[ImageCam]:
        return [ImageCam(maps.key, maps.cam(stimulus, size), kept=False) for maps in self.maps]


_CHANGED = (
    "the stimulus has changed since the run began; put back what was there, or begin a new run"
)
