"""Where the public files of data sets lie, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class RemoteFile:
    """A file that can be fetched.

    Parameters
    ----------
    name : str
        Its path below the source's address.
    save_as : str
        Its path below the data set's root folder; for an archive, the name that it has until
        it is unpacked.
    md5 : str or None
        Its MD5 digest, as 32 hexadecimal digits; None if none is known.
    size : int or None
        Its size in bytes, where it is known.
    unpack_into : str or None
        Folder below the root folder into which an archive is unpacked.
    members : str or None
        Which members of the archive are taken, as a pattern of the last parts of their path
        (``"stimuli/*.jpg"``); they are put into one folder, under their own names. None takes
        all, with the archive's folders.
    holds : int or None
        Number of files that the archive unpacks to.
    split : str
        Split of the data set that it belongs to, where there are splits.

    Examples
    --------
    >>> file = RemoteFile("val.zip", "images-val.zip", unpack_into="images/val")
    >>> file.target
    'images/val'
    """

    name: str
    save_as: str
    md5: str | None = None
    size: int | None = None
    unpack_into: str | None = None
    members: str | None = None
    holds: int | None = None
    split: str = ""

    @property
    def target(self) -> str:
        """What is there when it has been fetched: a file or a folder, below the root folder."""
        return self.unpack_into or self.save_as


@dataclass(frozen=True)
class Source:
    """The public files of one data set.

    Parameters
    ----------
    base : str
        Address that the files' names follow.
    files : tuple of RemoteFile
    note : str
        What a reader should know: what cannot be fetched, what cannot be verified.

    Examples
    --------
    >>> SALICON.address(SALICON.files[0])
    'https://s3.amazonaws.com/salicon-dataset/2015r1/val.zip'
    >>> SALICON.address(SALICON.files[0], mirror="http://localhost/copy/")
    'http://localhost/copy/val.zip'
    """

    base: str
    files: tuple[RemoteFile, ...]
    note: str = ""

    @property
    def splits(self) -> tuple[str, ...]:
        """Splits that its files belong to, in their order."""
        return tuple(dict.fromkeys(file.split for file in self.files if file.split))

    def address(self, file: RemoteFile, mirror: str | None = None) -> str:
        """Address of a file, here or at a mirror that has the same files below it.

        Parameters
        ----------
        file : RemoteFile
            Of the source.
        mirror : str, optional
            Address that takes the place of the source's own.

        Returns
        -------
        str
        """
        return f"{(mirror or self.base).rstrip('/')}/{PurePosixPath(file.name)}"


def _salicon(split: str, images: int, archive: str, annotations: str) -> tuple[RemoteFile, ...]:
    return (
        RemoteFile(
            f"{split}.zip",
            f"images-{split}.zip",
            archive,
            unpack_into=f"images/{split}",
            members=f"COCO_{split}2014_*.jpg",
            holds=images,
            split=split,
        ),
        RemoteFile(
            f"fixations_{split}2014.json", f"fixations_{split}2014.json", annotations, split=split
        ),
    )


SALICON = Source(
    "https://s3.amazonaws.com/salicon-dataset/2015r1",
    (
        *_salicon(
            "val", 5_000, "62cd6641a5354d3099a693ff90cb6dab", "3224f8cf86ea8d248d93583866b60c5f"
        ),
        *_salicon(
            "train", 10_000, "d549761c16e59b80cd5981373ada5e98", "ab60a090ee31642fbb4aa41f4953b8bd"
        ),
    ),
    "This is the 2015 release: images and mouse samples. The density maps of the CAP6415 study "
    "are the Google Drive file 1YWiwRNHokV2TIUBsNhAeRo1aqz8Iq0In, which has to be fetched by "
    "hand; so are the 2017 release and its maps, from the data set's home page.",
)
"""SALICON's 2015 release."""

OSIE = Source(
    "https://raw.githubusercontent.com/NUS-VIP/predicting-human-gaze-beyond-pixels/master/data",
    (
        RemoteFile("eye/fixations.mat", "fixations.mat", "8efdf6fe66f38b6e70f854c7ff45aa70"),
        *(
            RemoteFile(f"stimuli/{number}.jpg", f"stimuli/{number}.jpg")
            for number in range(1001, 1701)
        ),
    ),
    "The fixations are verified by their checksum. None is known of the 700 images: they are "
    "verified by their number alone; `quickgaze data check osie` opens each of them.",
)
"""OSIE, from its authors' repository."""
