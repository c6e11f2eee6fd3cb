"""Databases for the platform's tests: SQLite in a file, and a private PostgreSQL cluster."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from fairloop.agents.gate import Verdict
from fairloop.agents.policy import static_policy
from fairloop.agents.report import EvaluationReport, Interval, PolicyFigures
from fairloop.agents.storage import PolicyManifest, save_policy
from fairloop.agents.targets import default_constraints
from fairloop.candidates.artifact import load_candidates, save_candidates
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.platform.db import migrate
from fairloop.platform.db.engine import Database, open_database
from fairloop.platform.home import Home
from fairloop.platform.recommender import Recommender, open_recommender
from fairloop.platform.registry import adopt_candidates
from fairloop.platform.settings import Settings
from fairloop.rerankers.features import feature_names, observation_names

POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)


def _binary(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(installed[0]) if installed else shutil.which(name)


def _unprivileged() -> tuple[list[str], int] | None:
    """How to run as somebody other than root, since initdb refuses root; None if impossible."""
    if os.getuid() != 0:
        return [], os.getuid()
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        return None
    runuser = shutil.which("runuser")
    return None if runuser is None else ([runuser, "-u", "postgres", "--"], account.pw_uid)


def _unavailable(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"CI must test PostgreSQL: {reason}")
    pytest.skip(reason)  # on a machine without PostgreSQL; never in CI


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Folder of the socket of a PostgreSQL server of our own, gone after the tests."""
    initdb, pg_ctl, account = _binary("initdb"), _binary("pg_ctl"), _unprivileged()
    if initdb is None or pg_ctl is None:
        _unavailable("initdb and pg_ctl are not installed")
    if account is None:
        _unavailable("running as root without a postgres account to start the server as")
    assert initdb and pg_ctl and account
    prefix, uid = account
    folder = Path(tempfile.mkdtemp(prefix="fl-pg-"))  # short: a socket's path has 107 characters
    os.chown(folder, uid, -1)
    data = str(folder / "data")

    def call(*command: str) -> None:
        subprocess.run([*prefix, *command], check=True, capture_output=True, cwd=folder)

    try:
        call(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        call(pg_ctl, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield str(folder)
        call(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def new_postgres_url(postgres_server: str) -> Callable[..., str]:
    """Makes a database in the server, empty or a copy of another, and returns its URL."""
    number = count()

    def url(name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={postgres_server}"

    def make(template: str = "template0") -> str:
        name = f"test_{next(number)}"
        engine = sa.create_engine(url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        engine.dispose()
        return url(name)

    return make


@pytest.fixture(scope="session")
def migrated_postgres(new_postgres_url: Callable[..., str]) -> str:
    """Name of a migrated database to copy."""
    url = new_postgres_url()
    migrate.upgrade(url)
    return str(sa.make_url(url).database)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    file = tmp_path_factory.mktemp("migrated") / "fairloop.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", POSTGRES])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without any table, once for each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fairloop.db'}"
    return request.getfixturevalue("new_postgres_url")()


@pytest.fixture(params=["sqlite", POSTGRES])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database, once for each kind of database."""
    if request.param == "sqlite":
        url = _copied(request.getfixturevalue("migrated_sqlite"), tmp_path)
    else:
        make = request.getfixturevalue("new_postgres_url")
        url = make(template=request.getfixturevalue("migrated_postgres"))
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database."""
    opened = open_database(_copied(migrated_sqlite, tmp_path))
    yield opened
    opened.close()


def _copied(file: Path, folder: Path) -> str:
    return f"sqlite:///{shutil.copy(file, folder / 'fairloop.db')}"


@dataclass(frozen=True)
class House:
    """A home folder with deployed candidates and an open database."""

    settings: Settings
    home: Home
    database: Database
    version: str

    def recommender(self, **settings: object) -> Recommender:
        """A recommender of what is deployed now."""
        changed = Settings.model_validate(self.settings.model_dump() | settings)
        return open_recommender(changed, self.database)

    def store_policy(
        self,
        weights: dict[str, float] | None = None,
        *,
        passed: bool = True,
        candidates: str | None = None,
        reach: float = 0.0,
    ) -> str:
        """Store a policy of static weights, 1 on the base score and those given; its version.

        With a ``reach`` its controller can move them.
        """
        served = load_candidates(self.home.candidate_set(self.version))
        limits = default_constraints(served)
        names = feature_names(limits)
        by_name = {"base": 1.0} | (weights or {})
        assert set(by_name) <= {*names, "diversity"}
        policy = static_policy(
            np.array([by_name.get(name, 0.0) for name in (*names, "diversity")]),
            limits,
            names,
            observation_names(served.catalogue.topic_names, limits),
        )
        policy = replace(policy, reach=np.full(policy.n_actions, reach, np.float32))
        manifest = PolicyManifest(
            name="static",
            slate_size=10,
            constraints=limits,
            feature_names=policy.feature_names,
            observation_names=policy.observation_names,
            n_hidden=0,
            lineage={"candidates": self.version if candidates is None else candidates},
            config={},
            curve=(),
            report=_report(),
            verdict=Verdict(passed=passed, headline="As told.", reasons=(), figures={"ratio": 1.1}),
        )
        return save_policy(policy, manifest, self.home.policies).name

    def rows(self, table: type) -> int:
        """Rows of a table."""
        with self.database.reading() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _report() -> EvaluationReport:
    one = Interval(value=1.0, low=1.0, high=1.0)
    figures = PolicyFigures(
        name="static",
        kind="learned",
        parameters={},
        simulator_steps=0,
        engagement=one,
        engagement_ratio=one,
        slates=one,
        retained=one,
        constraints=(),
        ndcg=None,
    )
    return EvaluationReport(
        n_users=1,
        seeds=(0,),
        slate_size=10,
        confidence=0.95,
        n_bootstrap=1,
        published="static",
        best_baseline=None,
        policies=(figures,),
    )


@pytest.fixture(scope="session")
def stocked_home(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A home folder with candidates in it, to copy; with their version."""
    root = tmp_path_factory.mktemp("home")
    home = Home(root).ensure()
    shutil.copy(migrated_sqlite, home.database)
    version = save_candidates(synthetic_candidates(), home.candidates).name
    database = open_database(f"sqlite:///{home.database}")
    adopt_candidates(database, home, version)
    database.close()
    return root, version


@pytest.fixture
def house(stocked_home: tuple[Path, str], tmp_path: Path) -> Iterator[House]:
    """A home folder of one's own, with candidates deployed and nothing recorded."""
    original, version = stocked_home
    root = Path(shutil.copytree(original, tmp_path / "home"))
    settings = Settings(home=root)
    database = open_database(settings.url)
    yield House(settings, Home.of(settings), database, version)
    database.close()


@dataclass(frozen=True)
class ModelServer:
    """A language model's server in a process of its own, and how to tell it what to do."""

    port: int
    process: "subprocess.Popen[str]"

    @property
    def url(self) -> str:
        """Without a path."""
        return f"http://127.0.0.1:{self.port}"

    def tell(self, *steps: dict[str, Any]) -> None:
        """What to do with each request from now on; see ``model_server.py``."""
        told = urllib.request.Request(
            f"{self.url}/script", json.dumps(steps).encode(), method="PUT"
        )
        urllib.request.urlopen(told, timeout=10).close()

    def asked(self) -> list[dict[str, Any]]:
        """The requests since it was told."""
        with urllib.request.urlopen(f"{self.url}/asked", timeout=10) as answer:
            return json.load(answer)


def _model_server(port: int = 0) -> ModelServer:
    script = Path(__file__).with_name("model_server.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(port)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return ModelServer(int(process.stdout.readline()), process)


@pytest.fixture(scope="session")
def one_model_server() -> Iterator[ModelServer]:
    """One process for all tests."""
    server = _model_server()
    yield server
    with server.process:
        server.process.kill()


@pytest.fixture
def server(one_model_server: ModelServer) -> ModelServer:
    """A model's server that answers as it should until it is told otherwise."""
    one_model_server.tell({"do": "answer"})
    return one_model_server


@pytest.fixture
def start_model_server() -> Iterator[Callable[[int], ModelServer]]:
    """Starts further ones, on given ports."""
    started: list[ModelServer] = []

    def start(port: int) -> ModelServer:
        started.append(_model_server(port))
        return started[-1]

    yield start
    for one in started:
        with one.process:
            one.process.kill()
