"""Exports of eye trackers and data sets, by the names of their columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import polars as pl
import pytest

import quickgaze as qg
from quickgaze.errors import DatasetError
from quickgaze.stimuli._gaze_columns import read_columns
from quickgaze.stimuli._gaze_tables import GazeTable, read_gaze_table
from quickgaze.stimuli._known_exports import KNOWN_EXPORTS, plain

Read = Callable[..., GazeTable]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a table and read it back; columns are aligned by blanks in the tests."""

    def written(text: str, columns: str = "", separator: str = ",") -> GazeTable:
        lines = [
            line.strip().replace("  ", "").replace("|", separator) for line in text.split("\n")
        ]
        path = tmp_path / "gaze.csv"
        path.write_text("\n".join(lines).strip("\n"), encoding="utf-8")
        return read_gaze_table(path, read_columns(columns) if columns else None)

    return written


def kind(table: GazeTable) -> tuple[str, str | None, str | None]:
    return table.export, table.units, table.y


PRO_LAB = """
Sensor|Participant name|Recording name|Presented Stimulus name|Presented Media name|\
Eye movement type|Gaze event duration|Eye movement type index|Fixation point X|Fixation point Y
Eye Tracker|P1|Rec1|Eyetracker Calibration|Eyetracker Calibration|Fixation|90|1|1|2
Eye Tracker|P1|Rec1|cat|cat.jpg|Fixation|200|2|512|384
Mouse|P1|Rec1|cat|cat.jpg||||
Eye Tracker|P1|Rec1|cat|cat.jpg|Fixation|200|2|512|384
Eye Tracker|P1|Rec1|cat|cat.jpg|Saccade|40|1||
Eye Tracker|P1|Rec1|cat|cat.jpg|Fixation|310|3|512|384
Eye Tracker|P1|Rec1|||Fixation|310|4|100|100
Eye Tracker|P1|Rec1|dog|dog.jpg|Unclassified|10|1||
Eye Tracker|P1|Rec2|cat|cat.jpg|Fixation|120|2|10|20
Eye Tracker|P2|Rec3|cat|cat.jpg|Fixation|150|2|30|40
"""


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
def test_tobii_pro_lab(read: Read, separator: str) -> None:
    table = read(PRO_LAB, separator=separator)
    assert kind(table) == ("Tobii", "pixels", "down")
    assert table.rows.rows() == [
        ("cat.jpg", "P1", 512, 384, 200),
        ("cat.jpg", "P1", 512, 384, 310),
        ("cat.jpg", "P1", 10, 20, 120),
        ("cat.jpg", "P2", 30, 40, 150),
    ]


def test_tobii_prefers_places_on_the_picture(read: Read) -> None:
    table = read(
        """
        Participant name|Presented Stimulus name|Eye movement type|Eye movement type index|\
Eye movement event duration [ms]|Fixation point X [DACS px]|Fixation point Y [DACS px]|\
Fixation point X [MCS norm]|Fixation point Y [MCS norm]
        P1|cat|Fixation|1|100|960|540|0,5000|0,2500
        P1|cat|Fixation|2|150|960|540||
        """,
        separator="\t",
    )
    assert kind(table) == ("Tobii", "fraction", "down")
    assert table.rows.rows() == [("cat", "P1", 0.5, 0.25, 100), ("cat", "P1", None, None, 150)]


def test_tobii_studio(read: Read) -> None:
    table = read(
        """
        ParticipantName|RecordingName|MediaName|FixationIndex|GazeEventType|GazeEventDuration|\
FixationPointX (MCSpx)|FixationPointY (MCSpx)
        P01|Rec 01|a.png|1|Fixation|250|100|200
        P01|Rec 01|a.png|1|Fixation|250|100|200
        P01|Rec 01|a.png||Saccade|33||
        P01|Rec 01||2|Fixation|250|1|2
        """,
        separator="\t",
    )
    assert kind(table) == ("Tobii", "pixels", "down")
    assert table.rows.rows() == [("a.png", "P01", 100, 200, 250)]


def test_tobii_without_types_and_numbers(read: Read) -> None:
    table = read(
        """
        Participant.name|Presented.Media.name|Fixation.point.X|Fixation.point.Y|Gaze.event.duration
        P1|a|1|2|100
        P1|a|1|2|100
        P1|a|||20
        P1|a|3|2|100
        P1|a|1|2|100
        """
    )
    assert table.rows["x"].to_list() == [1, 3, 1]
    assert table.export == "Tobii"


def test_tobii_without_fixations(read: Read) -> None:
    text = PRO_LAB.replace("Fixation|", "Fixierung|")
    with pytest.raises(DatasetError, match="export of Tobii, but none of its rows is a fixation b"):
        read(text, separator="\t")


def test_microseconds(read: Read) -> None:
    table = read(
        """
        Participant name|Media name|Fixation point X|Fixation point Y|Gaze event duration [µs]
        P1|a|1|2|100000
        """
    )
    assert table.rows["duration"].to_list() == [100]


GAZEPOINT = """
MEDIA_ID|MEDIA_NAME|CNT|TIME(2024/01/01)|FPOGX|FPOGY|FPOGS|FPOGD|FPOGID|FPOGV|USER|
0|a.jpg|1|0.1|0.50|0.60|0.0|0.10|1|1|U1|
0|a.jpg|2|0.2|0.52|0.61|0.0|0.20|1|1|U1|
0|a.jpg|3|0.3|0.90|0.90|0.0|0.30|1|0|U1|
0|a.jpg|4|0.4|0.10|0.20|0.3|0.15|2|1|U1|
1|b.jpg|5|0.5|0.10|0.20|0.3|0.25|2|1|U1|
0|a.jpg|1|0.1|0.70|0.80|0.0|0.05|2|1|U2|
"""


def test_gazepoint(read: Read) -> None:
    table = read(GAZEPOINT)
    assert kind(table) == ("Gazepoint", "fraction", "down")
    assert table.rows.columns == ["stimulus", "observer", "x", "y", "duration"]
    assert table.rows.rows() == [
        ("a.jpg", "U1", 0.52, 0.61, 200),
        ("a.jpg", "U1", 0.1, 0.2, 150),
        ("b.jpg", "U1", 0.1, 0.2, 250),
        ("a.jpg", "U2", 0.7, 0.8, 50),
    ]


def test_gazepoint_by_named_columns(read: Read) -> None:
    named = read(GAZEPOINT, "x=FPOGX,y=FPOGY,stimulus=MEDIA_NAME,observer=USER")
    assert named.rows.equals(read(GAZEPOINT).rows)
    assert kind(named) == ("Gazepoint", "fraction", "down")
    other = read(GAZEPOINT, "stimulus=MEDIA_ID")
    assert other.rows["stimulus"].to_list() == ["0", "0", "1", "0"]
    own = read(GAZEPOINT, "x=FPOGY,y=FPOGX,stimulus=MEDIA_NAME,observer=USER")
    assert kind(own) == ("", None, None), "these are no longer the export's points"
    assert own.rows.height == 6
    assert own.rows.columns == ["stimulus", "observer", "x", "y"]


def test_gazepoint_twice_seen(read: Read) -> None:
    """Numbers start anew with each recording, so equal ones may be two fixations."""
    table = read(
        """
        MEDIA_NAME|FPOGX|FPOGY|FPOGD|FPOGID|FPOGV|USER
        a|0.1|0.1|0.1|1|1|U
        b|0.2|0.2|0.1|2|1|U
        a|0.3|0.3|0.1|1|1|U
        """
    )
    assert table.rows["x"].to_list() == [0.1, 0.2, 0.3]


def test_gazepoint_with_places_on_another_image(read: Read) -> None:
    table = read(
        """
        SESSION_ID|DICOM_ID|FPOGX|FPOGY|FPOGD|FPOGID|FPOGV|X_ORIGINAL|Y_ORIGINAL
        1|1a3f|0.45|0.33|0.7|2|1|1250|900
        """
    )
    assert kind(table) == ("EGD-CXR", "pixels", "down")
    assert table.rows.rows() == [("1a3f", "1", 1250, 900, 700)]


def test_gazepoint_best_points(read: Read) -> None:
    table = read("MEDIA_NAME|TIME|FPOGD|BPOGX|BPOGY|BPOGV|USER\na|1|0.2|0.3|0.4|1|u\na|2|0|9|9|0|u")
    assert kind(table) == ("Gazepoint", "fraction", "down")
    assert table.rows.rows() == [("a", "u", 0.3, 0.4, 200)]


def test_pupil(read: Read) -> None:
    text = """
        id|start_timestamp|duration|start_frame_index|norm_pos_x|norm_pos_y|confidence|image|subject
        1|10.5|180.5|3|0.25|0.75|0.9|a|s1
        2|11.5|120|9|0.5|1.25|0.9|a|s1
        """
    table = read(text)
    assert kind(table) == ("Pupil", "fraction", "up")
    assert table.rows.rows() == [("a", "s1", 0.25, 0.75, 180.5), ("a", "s1", 0.5, 1.25, 120)]


def test_pupil_on_a_surface(read: Read) -> None:
    table = read(
        """
        world_index|fixation_id|duration|norm_pos_x|norm_pos_y|on_surf|stimulus|observer
        1|7|200|0.1|0.2|False|a|s1
        2|7|200|0.3|0.4|True|a|s1
        3|7|200|0.5|0.6|True|a|s1
        4|8|100|0.7|0.8|True|a|s1
        4|7|100|0.7|0.9|True|a|s2
        """
    )
    assert table.rows["x"].to_list() == [0.3, 0.7, 0.7]
    assert kind(table) == ("Pupil", "fraction", "up")


def test_pupil_cloud(read: Read) -> None:
    table = read(
        """
        section id|recording id|fixation id|start timestamp [ns]|duration [ms]|\
fixation detected in reference image|fixation x [px]|fixation y [px]|image
        s|r1|1|1600000000000000000|210|True|640.5|480.25|a.png
        s|r1|2|1600000000000000000|210|False|||a.png
        s|r2|1|1600000000000000000|150|True|1|2|a.png
        """
    )
    assert kind(table) == ("Pupil Cloud", "pixels", "down")
    assert table.rows.rows() == [("a.png", "r1", 640.5, 480.25, 210), ("a.png", "r2", 1, 2, 150)]


def test_pupil_cloud_surface(read: Read) -> None:
    table = read(
        """
        recording id|fixation id|duration [ms]|fixation detected on surface|\
fixation x [normalized]|fixation y [normalized]|stimulus
        r1|1|210|true|0.5|0.25|a
        """
    )
    assert kind(table) == ("Pupil Cloud", "fraction", "down")
    assert table.rows.rows() == [("a", "r1", 0.5, 0.25, 210)]


def test_eyelink(read: Read) -> None:
    table = read(
        """
        RECORDING_SESSION_LABEL|TRIAL_INDEX|CURRENT_FIX_INDEX|CURRENT_FIX_X|CURRENT_FIX_Y|\
CURRENT_FIX_DURATION|NEXT_SAC_AMPLITUDE|image
        s01|1|1|512,30|384,10|232|.|tabby.jpg
        s01|1|2|.|.|100|3,2|tabby.jpg
        """,
        separator="\t",
    )
    assert kind(table) == ("EyeLink Data Viewer", "pixels", "down")
    assert table.rows.rows() == [
        ("tabby.jpg", "s01", 512.3, 384.1, 232),
        ("tabby.jpg", "s01", None, None, 100),
    ]


def test_bids(read: Read) -> None:
    table = read(
        """
        participant_id|onset|duration|stim_file|x_coordinate|y_coordinate|pupil_size
        sub-01|0.5|0.2|cats/a.png|512|n/a|3
        """,
        separator="\t",
    )
    assert kind(table) == ("BIDS", None, None)
    assert table.rows.rows() == [("cats/a.png", "sub-01", 512, None, 200)]


def test_reflacx(read: Read) -> None:
    text = """
        id|dicom_id|timestamp_start_fixation|timestamp_end_fixation|x_position|y_position
        P102R1|1a3f|0.25|0.5|405|420
        P102R1|1a3f|1|NA|405|
        """
    table = read(text)
    assert kind(table) == ("REFLACX", "pixels", "down")
    assert table.rows.rows() == [
        ("1a3f", "P102R1", 405, 420, 250),
        ("1a3f", "P102R1", 405, None, None),
    ]
    with_reader = read(text.replace("id|dicom_id", "reader|image"))
    assert with_reader.rows.rows() == table.rows.rows()


@pytest.mark.parametrize("columns", ["x_position,y_position", "x_coordinate,y_coordinate"])
def test_names_that_anybody_may_use(read: Read, columns: str) -> None:
    x, y = columns.split(",")
    text = f"stimulus,observer,{x},{y},duration\na,1,2,3,200\n"
    with pytest.raises(DatasetError, match=f"lacks the columns x, y; .*columns=x={x},y={y}$"):
        read(text)
    table = read(text, f"x={x},y={y}")
    assert table.rows.rows() == [("a", "1", 2, 3, 200)], "in milliseconds"
    assert table.export == ""


def test_plain_columns_come_first(read: Read) -> None:
    table = read(
        "stimulus,observer,x,y,FPOGX,FPOGY,FPOGID,FPOGV\na,1,2,3,.1,.2,1,1\na,1,4,5,0,0,1,0"
    )
    assert table.export == ""
    assert table.rows["x"].to_list() == [2, 4]


def test_columns_that_were_added_come_first(read: Read) -> None:
    table = read("stimulus,MEDIA_NAME,observer,USER,FPOGX,FPOGY\na,M,o,,0.1,0.2\n")
    assert table.rows.rows() == [("a", "o", 0.1, 0.2)]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("FPOGX,FPOGY,FPOGD", "of Gazepoint: export it with MEDIA_NAME and USER, add the columns,"),
        ("norm_pos_x,norm_pos_y,image", "lacks the column observer; .* an export of Pupil: "),
        ("CURRENT_FIX_X,CURRENT_FIX_Y,RECORDING_SESSION_LABEL", "lacks the column stimulus; .*Eye"),
        ("Fixation point X,Fixation point Y,Participant name", "with Presented Media name, add"),
        ("fixation x [px],fixation y [px],recording id", "export of Pupil Cloud: "),
        ("x_position,y_position,timestamp_start_fixation", "REFLACX: export it with dicom_id and"),
    ],
)
def test_exports_without_stimulus_or_observer(read: Read, header: str, words: str) -> None:
    with pytest.raises(DatasetError, match=rf"{words}.* name the columns with columns=") as caught:
        read(f"{header}\n1,2,3\n")
    assert "lacks the column" in str(caught.value)


def test_an_export_without_fixations_names_what_it_has(read: Read) -> None:
    header = "Participant name|Presented Media name|Gaze point X|Gaze point Y"
    words = "lacks the columns stimulus, observer, x, y; .*observer=Participant name,x=Gaze point X"
    with pytest.raises(DatasetError, match=words):
        read(f"{header}\nP|a|1|2\n")


def test_rows_that_are_left_out_may_hold_anything(read: Read) -> None:
    text = PRO_LAB.replace("Saccade|40|1||", "Saccade|40|1|left|up")
    assert read(text).rows.height == 4


def test_exports_in_parquet(tmp_path: Path) -> None:
    table = pl.DataFrame({"MEDIA_NAME": ["a", "a"], "USER": [1, 1], "FPOGID": [1, 2]})
    table = table.with_columns(
        FPOGX=0.5, FPOGY=pl.Series([0.25, 0.75]), FPOGV=pl.Series([True, False])
    )
    table.write_parquet(tmp_path / "gaze.parquet")
    assert read_gaze_table(tmp_path / "gaze.parquet").rows.rows() == [("a", "1", 0.5, 0.25)]


def test_no_two_exports_share_their_points() -> None:
    points = [plain(each.x) for export in KNOWN_EXPORTS for each in export.points]
    assert len(points) == len(set(points))


@pytest.mark.parametrize(
    ("header", "row", "point"),
    [
        ("MEDIA_NAME,USER,FPOGX,FPOGY,FPOGD,FPOGID,FPOGV", "a.png,1,0.25,0.25,0.3,1,1", [2, 1.5]),
        ("image,subject,norm_pos_x,norm_pos_y,duration", "a,1,0.25,0.25,300", [2, 4.5]),
        ("stimulus,observer,fixation x [px],fixation y [px],duration [ms]", "a,1,2,1,300", [2, 1]),
    ],
)
def test_the_folder_takes_units_and_direction_from_exports(
    tmp_path: Path, header: str, row: str, point: list[float]
) -> None:
    PIL.Image.new("RGB", (8, 6)).save(tmp_path / "a.png")
    (tmp_path / "fixations.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    origin = {} if "norm" in header or "FPOGX" in header else {"origin": 0}
    (stimulus,) = qg.load_dataset("folder", root=tmp_path, **origin)
    assert stimulus.fixations is not None
    np.testing.assert_allclose(stimulus.fixations.points, [point])
    assert stimulus.fixations.duration is not None
    assert stimulus.fixations.duration.tolist() == [300]


def test_named_columns_on_the_folder(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (8, 6)).save(tmp_path / "a.png")
    (tmp_path / "fixations.tsv").write_text("Bild\tPerson\tX;px\tY;px\na\t1\t2,5\t3\n")
    columns = "x=X;px,y=Y;px,stimulus=Bild,observer=Person"
    (stimulus,) = qg.load_dataset("folder", root=tmp_path, origin=0, columns=columns)
    assert stimulus.fixations is not None
    assert stimulus.fixations.points.tolist() == [[2.5, 3]]


@pytest.mark.parametrize(
    ("header", "row", "of_screen"),
    [
        ("MEDIA_NAME,USER,FPOGX,FPOGY,FPOGID,FPOGV", "a.png,1,0.25,0.25,1,1", True),
        ("image,RECORDING_SESSION_LABEL,CURRENT_FIX_X,CURRENT_FIX_Y", "a.png,1,2,2", True),
        ("image,subject,norm_pos_x,norm_pos_y", "a,1,0.25,0.25", False),
        ("stimulus,observer,x,y", "a,1,2,2", False),
    ],
)
def test_places_on_a_screen_of_unknown_size_are_pointed_out(
    tmp_path: Path, header: str, row: str, of_screen: bool
) -> None:
    PIL.Image.new("RGB", (8, 6)).save(tmp_path / "a.png")
    (tmp_path / "fixations.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    origin = {} if "norm" in header or "FPOGX" in header else {"origin": 0}
    notes = qg.load_dataset("folder", root=tmp_path, **origin).notes
    assert any("holds places on a screen" in note for note in notes) is of_screen
    assert qg.load_dataset("folder", root=tmp_path, **origin, screen="80x60").notes == ()
