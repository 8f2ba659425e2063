"""The options of models and studies, each written once.

`SaliencyModel`, `Study`, the command line, its files of options and the report's provenance are
made from these classes. A further field here is a further option of all of them.
"""

from __future__ import annotations

import functools
import inspect
import shlex
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.places import PathLike


class Named(Protocol):
    """Something that can be given where its name can: a `Backbone`, `CamMethod` or `Metric`."""

    @property
    def name(self) -> str:
        """What it is called in the run."""


Form = Literal["one", "repeated", "listed", "pairs"]
"""How the command line takes an option: once, several times, separated by commas, NAME=VALUE."""


@dataclass(frozen=True)
class Option:
    """What is known of an option beside its name, its type for Python and its default.

    `objects` names the classes that Python takes beside names, `flag` is the command line's name
    where it is another one, and `decides` says whether the option decides values.
    """

    help: str
    kind: type
    form: Form = "one"
    objects: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    flag: str = ""
    decides: bool = True


def option(default: Any, text: str, kind: type | None = None, **known: Any) -> Any:
    """Declare an option as a field of a dataclass; `known` are further fields of `Option`."""
    shown = Option(text, kind or type(default), **known)
    return field(default=default, metadata={"option": shown})


def several(axis: str, default: Any = MISSING, note: str = "") -> Any:
    """Declare the values that a study combines of an option of a model, by its name."""
    single = next(each for each in fields(_Place) if each.name == axis)
    known: Option = single.metadata["option"]
    known = replace(known, help=f"{known.help} {note}".strip(), form="repeated", flag=axis)
    default = (single.default,) if default is MISSING else default
    return field(default=default, metadata={"option": known})


@dataclass(frozen=True)
class FeatureOptions:
    """How the levels of a pyramid become features of one map."""

    _: KW_ONLY
    levels: Sequence[str] | None = option(
        None,
        "Levels of the pyramid to use, by name or stride (s16); all by default.",
        str,
        form="repeated",
        flag="level",
    )
    level_scale: str = option(
        "none",
        "How levels are weighed: none takes them as they are, std divides each by its standard "
        "deviation.",
        choices=("none", "std"),
    )
    fusion: str = option(
        "concatenate",
        "How levels are brought together: concatenate joins their channels, mean averages the "
        "maps of the single levels.",
        choices=("concatenate", "mean"),
    )


@dataclass(frozen=True)
class NetworkOptions(FeatureOptions):
    """How a network that is given by name is loaded, and what becomes of its maps."""

    _: KW_ONLY
    rectify: bool = option(True, "Set the negative part of a CAM to 0.")
    weights: str | Path = option(
        "default", "Weights of the network: default, none (random) or a file."
    )
    device: str = option(
        "auto",
        "Where the network computes: auto (a GPU if there is one), cpu, cuda, cuda:1 or mps.",
        decides=False,
    )
    precision: str = option(
        "auto",
        "What the network computes in: auto (fp32), fp32, tf32 or bf16.",
        choices=("auto", "fp32", "tf32", "bf16"),
    )
    readout: str | Path | Named | None = option(
        None,
        "A readout, fitted to gaze, that predicts where people look: a file that quickgaze fit "
        "wrote, or the name of one that comes along (osie). It adds the CAM readout, or the "
        "density of a model.",
        str,
        objects="Readout",
    )
    geometry: str = option(
        "default",
        "How images are resized for the network: default, native, detector, detector-padded or "
        "short:480.",
    )


@dataclass(frozen=True)
class _Place:
    """What tells the maps of one model from each other."""

    backbone: str | Named = option(
        "efficientnet_lite0",
        "The network: a name that `quickgaze backbones` lists, or timm/MODEL for a model of timm.",
        objects="Backbone",
    )
    cam: str | Named = option(
        "eigen",
        "How features become a map: eigen, deviation, activation, a gradient CAM (gradcam, "
        "gradcam++, hirescam, layercam, eigengradcam, scorecam, ablationcam), boxes, readout (with "
        "a readout), or a baseline (center, uniform, spectral_residual).",
        objects="CamMethod",
    )
    grid: str = option(
        "coarsest",
        "Where the levels are brought together: coarsest, finest, a level's name, a stride (s32) "
        "or height x width (30x40).",
    )
    component: int = option(0, "Which principal component, from 0.", minimum=0)
    orientation: str = option(
        "activation",
        "Rule that fixes the sign of a component: activation, extremum, skew, border, lapack or "
        "oracle (which needs the human density, so that a study alone has it).",
    )
    sigma: float = option(
        19.0, "Blur of the saliency map in pixels of the image; 0 is none.", minimum=0
    )


@dataclass(frozen=True)
class ModelOptions(NetworkOptions, _Place):
    """What a `SaliencyModel` is given."""

    _: KW_ONLY
    batch_size: int = option(
        8,
        "How many images of the same size go through the network together.",
        minimum=1,
        decides=False,
    )


@dataclass(frozen=True)
class _Axes:
    """What a study combines, each with each."""

    backbones: Sequence[str | Named] | None = several(
        "backbone",
        None,
        "By default efficientnet_lite0; none where all CAMs are baselines, or maps are given and "
        "no CAM.",
    )
    cams: Sequence[str | Named] | None = several("cam", None, "By default eigen.")
    grids: Sequence[str] = several("grid")
    orientations: Sequence[str] | None = several(
        "orientation", None, "All by default, which costs no more than two."
    )
    sigmas: Sequence[float] = several("sigma")
    metrics: Sequence[str | Named] | None = option(
        None,
        "Metrics to compute: names that `quickgaze metrics` lists; by default the usual ones of "
        "the convention.",
        str,
        form="listed",
        objects="Metric",
    )


def _again(owner: type, name: str, default: Any = MISSING) -> Any:
    """Declare an option of another class once more, with a default of its own."""
    known = next(each for each in fields(owner) if each.name == name)
    default = known.default if default is MISSING else default
    return field(default=default, metadata=known.metadata)


@dataclass(frozen=True)
class FitOptions:
    """What a readout is fitted with, beside its data set."""

    backbone: str | Named = _again(_Place, "backbone")
    _: KW_ONLY
    levels: Sequence[str] | None = _again(FeatureOptions, "levels")
    grid: str = _again(_Place, "grid", "s16")
    hidden: int = option(
        16, "How many hidden units the readout has; 0 for a linear one.", minimum=0
    )
    folds: int = option(
        10,
        "In how many parts the images are split; the maps of each are made by a readout fitted to "
        "the others. 0 fits the final readout alone, without a test.",
        minimum=0,
    )
    seed: int = option(0, "Seed of all that is drawn at random.", minimum=0)
    shuffle: bool = option(
        False,
        "As a control, fit to the gaze on other images of the data set: it should score as the "
        "centre bias does.",
    )
    licence: str = option("", "Licence of the data, which is kept with the readout.")
    weights: str | Path = _again(NetworkOptions, "weights")
    device: str = _again(NetworkOptions, "device")
    precision: str = _again(NetworkOptions, "precision")
    geometry: str = _again(NetworkOptions, "geometry")


@dataclass(frozen=True)
class StudyOptions(NetworkOptions, _Axes):
    """What a `Study` is given beside its data set."""

    _: KW_ONLY
    components: Sequence[int] = several("component")
    convention: str = option(
        "tuebingen",
        "Whose definitions the metrics follow: tuebingen, mit, salicon or cap6415.",
    )
    density_sigma: float | None = option(
        None,
        "Blur of fixations in pixels where the data set provides no density; by default the one "
        "that its authors use.",
        float,
        minimum=0,
    )
    shard_size: int = option(
        64,
        "How many stimuli are computed and kept together; a crash loses no more.",
        minimum=1,
        decides=False,
    )
    maps: Mapping[str, PathLike] | None = option(
        None,
        "Maps of other models to score too, by the model's name: a folder of grey images or .npy "
        "files named like the stimuli and of their sizes, or an HDF5 file. They are scored as they "
        "are, under every sigma, with the name as backbone and the cam precomputed.",
        str,
        form="pairs",
    )
    bounds: Sequence[str] | None = option(
        None,
        "Baselines and ceilings to hold the scores against: uniform, center, center_bias, "
        "shuffled, one_observer, split_half, gold_standard, or none; by default all that the data "
        "set has the gaze for.",
        str,
        form="listed",
    )
    draws: int = option(
        5,
        "How many observers, and splits into halves, the ceilings of a stimulus are averaged over.",
        minimum=1,
    )
    seed: int = option(
        0,
        "Seed of everything that is drawn at random: observers, halves, and pixels in the metrics "
        "that draw.",
        minimum=0,
    )


T = TypeVar("T")
S = TypeVar("S")
D = TypeVar("D", bound=Callable[..., Any])
P = ParamSpec("P")


def options_of(given: Any) -> Iterator[tuple[Field[Any], Option]]:
    """Give the fields of a class of options, or of an object of it, that are options.

    A class that narrows the type of an option keeps the rest of it.
    """
    kind = given if isinstance(given, type) else type(given)
    for each in fields(kind):
        for base in kind.__mro__:
            declared = getattr(base, "__dataclass_fields__", {}).get(each.name, each)
            if "option" in declared.metadata:
                yield declared, declared.metadata["option"]
                break


def choices(name: str) -> tuple[str, ...]:
    """Give the values that an option of a study may have."""
    return next(known.choices for each, known in options_of(StudyOptions) if each.name == name)


def check(given: Any) -> None:
    """Refuse a value that is not among the choices of its option, or below its minimum."""
    for each, known in options_of(given):
        value = getattr(given, each.name)
        for single in value if known.form == "repeated" and value is not None else (value,):
            if known.choices and single not in known.choices:
                raise unknown_name(each.name.replace("_", " "), str(single), known.choices)
            if known.minimum is not None and single is not None and single < known.minimum:
                raise OptionError(
                    f"{known.flag or each.name} is {single}; give at least {known.minimum:g}"
                )


def keywords(given: Any) -> dict[str, Any]:
    """Give options as keyword arguments."""
    return {each.name: getattr(given, each.name) for each, _ in options_of(given)}


def takes(
    options: Callable[P, T],
) -> Callable[[Callable[[S, T], None]], Callable[Concatenate[S, P], None]]:
    """Let a constructor take each field of a class of options as an argument of its own."""

    def decorate(init: Callable[[S, T], None]) -> Callable[Concatenate[S, P], None]:
        def separate(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
            init(self, options(*args, **kwargs))

        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        signature = inspect.signature(options)
        parameters = [own, *signature.parameters.values()]
        separate.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=parameters, return_annotation=None
        )
        functools.update_wrapper(separate, init)
        return separate

    return decorate


def documented(options: type) -> Callable[[D], D]:
    """Write the options where the docstring of a class or function says ``{options}``."""

    def decorate(documented: D) -> D:
        entries = "\n".join(_entry(each, known) for each, known in options_of(options))
        text = inspect.cleandoc(documented.__doc__ or "")
        documented.__doc__ = text.replace("{options}", entries)
        return documented

    return decorate


def _entry(each: Field[Any], known: Option) -> str:
    """Describe an option as numpydoc does."""
    name = " or ".join(filter(None, [known.kind.__name__, known.objects]))
    if known.choices:
        name = "{" + ", ".join(f'"{choice}"' for choice in known.choices) + "}"
    if known.form != "one":
        name = f"mapping of str to {name}" if known.form == "pairs" else f"sequence of {name}"
    optional = ", optional" if each.default is None else ""
    return (
        f"{each.name} : {name}{optional}\n{textwrap.indent(textwrap.fill(known.help, 92), '    ')}"
    )


def command_words(settings: StudyOptions) -> str:
    """Write the options of settings as a user would give them to ``quickgaze run``.

    What a study combines is always written, anything else where it is not the default.
    """
    words: list[str] = []
    for each, known in options_of(StudyOptions):
        value = getattr(settings, each.name)
        flag = "--" + (known.flag or each.name).replace("_", "-")
        if not known.decides or value is None or (known.form == "one" and value == each.default):
            continue
        if known.kind is bool:
            words.append(flag if value else flag.replace("--", "--no-", 1))
        elif known.form == "listed":
            words += [flag, ",".join(value) or "none"]
        elif known.form == "pairs":
            words += [word for name, place in value.items() for word in (flag, f"{name}={place}")]
        else:
            values = value if known.form == "repeated" else [value]
            words += [word for single in values for word in (flag, _plain(single))]
    return shlex.join(words)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
