"""From a shard of stimuli to the rows of its tables. Every engine uses this one worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice

from quickgaze.backbones import Backbone
from quickgaze.bounds import GazePool
from quickgaze.cams import CAMS, Cam, CamInput, CamOptions
from quickgaze.saliency import as_batch
from quickgaze.stimuli.types import Size, Stimulus
from quickgaze.study.inputs import Failure, Gaze, GazeReader, Inputs, read_ahead, read_size
from quickgaze.study.plan import CamKey, Settings, cam_keys
from quickgaze.study.precomputed import PrecomputedMaps
from quickgaze.study.scoring import score_bounds, score_cam
from quickgaze.study.tables import Row, ShardTables


@dataclass(frozen=True, eq=False)
class ImageCam:
    """The CAM of one image.

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


class Worker:
    """Computes shards: one forward pass per image and backbone serves all variants.

    Parameters
    ----------
    settings : Settings
        What to compute.
    backbones : sequence of Backbone
        Loaded, in the order of the settings.
    batch_size : int
        How many equally large images go through a network together; it changes no value
        beyond float rounding.
    maps : sequence of PrecomputedMaps
        Maps of other models, scored beside those of the backbones. They lie on disk already
        and are not repeated in the table of maps.
    pool : GazePool, optional
        The gaze of the whole data set, where bounds or metrics need it.
    """

    def __init__(
        self,
        settings: Settings,
        backbones: Sequence[Backbone],
        batch_size: int,
        maps: Sequence[PrecomputedMaps] = (),
        pool: GazePool | None = None,
    ) -> None:
        self.settings = settings
        self.backbones = backbones
        self.batch_size = batch_size
        self.maps = maps
        self.pool = pool
        self.reader = GazeReader(settings.density_sigma, pool, settings.metrics)

    def compute(
        self, stimuli: Sequence[Stimulus], done: Callable[[int], None] = lambda _: None
    ) -> ShardTables:
        """Compute all rows of some stimuli.

        Parameters
        ----------
        stimuli : sequence of Stimulus
            With ids that differ.
        done : callable, optional
            Told how many more stimuli are done, now and then.

        Returns
        -------
        ShardTables
            Rows in the order of `stimuli`. Each stimulus has scores or a failure, never both.
        """
        rows: dict[str, ShardTables] = {}
        for batch in self._read_batches(stimuli):
            for item in batch:
                if isinstance(item, Failure):
                    rows[item.stimulus] = ShardTables([], [], [item.row()], [])
            rows.update(self._compute_batch([item for item in batch if isinstance(item, Inputs)]))
            done(len(batch))
        ordered = [rows[stimulus.id] for stimulus in stimuli]
        return ShardTables(
            *(
                [row for tables in ordered for row in getattr(tables, table)]
                for table in ("maps", "scores", "failures", "undefined", "bounds")
            )
        )

    def _read_batches(self, stimuli: Sequence[Stimulus]) -> Iterator[list[Inputs | Failure]]:
        by_size: dict[Size, list[Stimulus]] = {}
        failed: list[Inputs | Failure] = []
        for stimulus in stimuli:
            size = read_size(stimulus)
            if isinstance(size, Failure):
                failed.append(size)
            else:
                by_size.setdefault(size, []).append(stimulus)
        if failed:
            yield failed
        for alike in by_size.values():
            inputs = read_ahead(alike, self.reader, 2 * self.batch_size)
            while batch := list(islice(inputs, self.batch_size)):
                yield batch

    def _compute_batch(self, batch: Sequence[Inputs]) -> dict[str, ShardTables]:
        if not batch:
            return {}
        try:
            cams = self._cams(batch)
        except Exception as error:  # noqa: BLE001 - found out whose fault it is below
            if len(batch) == 1:
                failure = Failure.of(batch[0].stimulus, "cam", error)
                return {failure.stimulus: ShardTables([], [], [failure.row()], [])}
            rows: dict[str, ShardTables] = {}
            for inputs in batch:
                rows.update(self._compute_batch([inputs]))
            return rows
        return {
            inputs.stimulus: self._tables(inputs, own)
            for inputs, own in zip(batch, cams, strict=True)
        }

    def _cams(self, batch: Sequence[Inputs]) -> list[list[ImageCam]]:
        """CAMs of each image of a batch."""
        settings = self.settings
        # First, because a map that is missing is found out before a network has run for nothing.
        precomputed = [self._precomputed(inputs) for inputs in batch]
        images = as_batch([inputs.image for inputs in batch])
        cams: list[list[ImageCam]] = [[] for _ in batch]
        for backbone in self.backbones:
            given = CamInput(backbone, images)
            for key in cam_keys(settings, backbone.name):
                options = CamOptions(
                    key.grid,
                    key.component,
                    settings.levels,
                    settings.level_scale,
                    settings.fusion,
                )
                cam = CAMS[key.cam].compute(given, options)
                for index, own in enumerate(cams):
                    own.append(ImageCam(key, cam.image(index)))
        return [own + read for own, read in zip(cams, precomputed, strict=True)]

    def _precomputed(self, inputs: Inputs) -> list[ImageCam]:
        size = (inputs.image.shape[0], inputs.image.shape[1])
        return [
            ImageCam(maps.key, maps.cam(inputs.stimulus, size), kept=False) for maps in self.maps
        ]

    def _tables(self, inputs: Inputs, cams: Sequence[ImageCam]) -> ShardTables:
        """All rows of one image whose CAMs are known."""
        size = (inputs.image.shape[0], inputs.image.shape[1])
        maps = [item.row(inputs.stimulus, size) for item in cams if item.kept]
        failure = inputs.gaze if isinstance(inputs.gaze, Failure) else None
        scores: list[Row] = []
        undefined: list[Row] = []
        bounds: list[Row] = []
        if isinstance(inputs.gaze, Gaze):
            try:
                people = score_bounds(inputs.stimulus, size, inputs.gaze, self.settings, self.pool)
                bounds, undefined = people.scores, people.undefined
                for item in cams:
                    scored = score_cam(item.key, item.cam, size, inputs.gaze, self.settings)
                    scores += [{"stimulus": inputs.stimulus, **row} for row in scored.scores]
                    undefined += [{"stimulus": inputs.stimulus, **row} for row in scored.undefined]
            except Exception as error:  # noqa: BLE001 - one bad stimulus never ends a run
                failure = Failure.of(inputs.stimulus, "score", error)
        if failure is not None:
            return ShardTables(maps, [], [failure.row()], [])
        return ShardTables(maps, scores, [], undefined, bounds)
