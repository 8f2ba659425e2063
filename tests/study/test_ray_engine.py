"""The Ray engine, on real local clusters."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

import quickgaze as qg
from quickgaze.errors import OptionError, RunError
from quickgaze.stimuli import Dataset
from quickgaze.study import Run
from quickgaze.study._ray_engine import share_of
from quickgaze.study._tables import TABLES

pytestmark = [
    pytest.mark.slow,
    # Ray's own, on importing and on shutting down
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def assert_same_tables(first: Run, second: Run) -> None:
    """Up to the rounding of sums that other numbers of threads add up in another order."""
    for table in TABLES:
        frames = [getattr(run, table)() for run in (first, second)]
        assert_frame_equal(*frames, rel_tol=1e-4, abs_tol=1e-4)


def study(dataset: Dataset, **options: object) -> qg.Study:
    return qg.Study(dataset, device="cpu", **{"metrics": ["cc", "auc"], **options})


@pytest.mark.parametrize(
    ("nodes", "actors", "cpus"),
    [([{"CPU": 2.0}], 1, 1.0), ([{"CPU": 16.0}, {"CPU": 8.0}], 2, 7.0), ([{"CPU": 1.0}], 1, 0.5)],
)
def test_every_machine_keeps_room_for_reading(
    nodes: list[dict[str, float]], actors: int, cpus: float
) -> None:
    share = share_of(nodes)
    assert (share.actors, share.cpus, share.gpus) == (actors, cpus, 0)
    assert share.cpus < min(node["CPU"] for node in nodes)


def test_a_cluster_without_processors() -> None:
    with pytest.raises(OptionError, match="no processors"):
        share_of([{"memory": 1.0}])


def test_ray_and_local_give_equal_tables_on_displays(tmp_path: Path) -> None:
    displays = qg.load_dataset("popout", n=120, size=(96, 128), set_size=12)
    options = {"shard_size": 16}
    local = study(displays, **options).run(tmp_path / "local", progress=False)
    ray = study(displays, **options).run(tmp_path / "ray", engine="ray", progress=False)
    assert ray.complete
    assert ray.scores().height == 120 * 6
    assert_same_tables(local, ray)


def test_ray_and_local_give_equal_tables_on_photographs(
    salicon_examples: Path, tmp_path: Path
) -> None:
    dataset = qg.load_dataset("salicon", salicon_examples)
    bounds = ["center_bias", "split_half"]
    options = {"metrics": None, "shard_size": 4, "draws": 1, "bounds": bounds}
    local = study(dataset, **options).run(tmp_path / "local", progress=False)
    ray = study(dataset, **options).run(tmp_path / "ray", engine="ray", progress=False)
    assert_same_tables(local, ray)


def test_a_lost_machine_costs_no_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - slow to import

    displays = qg.load_dataset("popout", n=160, size=(96, 128), set_size=12)
    options = {"shard_size": 4}
    local = study(displays, **options).run(tmp_path / "local", progress=False)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    lost = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()
    kept_before: list[int] = []

    def lose() -> None:
        shards = tmp_path / "ray" / "shards"
        while len(list(shards.glob("part-*.json"))) < 6:
            time.sleep(0.02)
        kept_before.append(len(list(shards.glob("part-*.json"))))
        cluster.remove_node(lost, allow_graceful=False)

    watcher = threading.Thread(target=lose)
    watcher.start()
    try:
        ray = study(displays, **options).run(
            tmp_path / "ray", engine="ray", address=cluster.address, progress=False
        )
    finally:
        watcher.join()
        cluster.shutdown()
    with capsys.disabled():
        print(f"\n  a machine of two was lost after {kept_before[0]} of 40 shards; none is missing")
    assert kept_before[0] < 40
    assert_same_tables(local, ray)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 server of this process, with a bucket."""
    import boto3  # noqa: PLC0415 - slow to import
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", endpoint),
    ):
        monkeypatch.setenv(name, value)
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="runs")
    yield "s3://runs"
    server.stop()


def test_a_run_on_an_object_store_is_the_same(bucket: str, tmp_path: Path) -> None:
    displays = qg.load_dataset("popout", n=12, size=(96, 128), set_size=12)
    options = {"shard_size": 4}
    local = study(displays, **options).run(tmp_path / "local", progress=False)
    remote = study(displays, **options).run(f"{bucket}/local", progress=False)
    assert remote.place == f"{bucket}/local"
    assert_same_tables(local, remote)
    ray = study(displays, **options).run(f"{bucket}/ray", engine="ray", progress=False)
    assert_same_tables(local, qg.open_run(f"{bucket}/ray"))
    assert ray.manifest["complete"]
    with pytest.raises(RunError, match="another study"):
        study(displays, metrics=["cc"]).run(f"{bucket}/ray", progress=False)


def test_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    displays = qg.load_dataset("popout", n=2, size=(96, 128), set_size=12)
    os.environ.pop("RAY_ADDRESS", None)
    with pytest.raises(OptionError, match="cannot be reached"):
        study(displays).run(tmp_path / "run", engine="ray", address="127.0.0.1:1", progress=False)
