"""The command line as a person or a script meets it."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fairloop.platform.cli import main as cli
from fairloop.platform.db import migrate

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command in a home folder; returns exit code, stdout and stderr."""

    def call(*words: str, home: Path = tmp_path / "new-home") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fairloop", *words])
        monkeypatch.setenv("FAIRLOOP_HOME", str(home))
        monkeypatch.chdir(tmp_path)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return call


@pytest.fixture
def stocked(run: Run, stocked_home: tuple[Path, str], tmp_path: Path) -> Run:
    """The same in a copy of a home folder that has candidates."""
    import shutil

    home = Path(shutil.copytree(stocked_home[0], tmp_path / "home"))
    return lambda *words: run(*words, home=home)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """An import file for a small CSV data set with its own column names."""
    rows = [
        f"c{u},s{i},{1 + (u * i) % 5},{1000 + u * 50 + i}" for u in range(40) for i in range(30)
    ]
    (tmp_path / "orders.csv").write_text("customer,sku,stars,at\n" + "\n".join(rows) + "\n")
    products = [f"s{i},Thing {i},{'garden|tools' if i % 2 else 'toys'}" for i in range(30)]
    (tmp_path / "products.csv").write_text("sku,name,kinds\n" + "\n".join(products) + "\n")
    file = tmp_path / "shop.yaml"
    file.write_text(
        "tables:\n  name: shop\n  interactions: orders.csv\n  user: customer\n  item: sku\n"
        "  rating: stars\n  timestamp: at\n  items: products.csv\n  title: name\n  topics: kinds\n"
        "groups:\n  items: [{kind: long_tail, head_share: 0.3}]\n"
    )
    return file


def one_line(error: str) -> str:
    """The one line that an error is, without the progress shown before it."""
    (line,) = [line for line in error.splitlines() if line.startswith("error: ")]
    return line


def test_json_is_one_object_and_nothing_else_on_stdout(stocked: Run) -> None:
    code, out, _ = stocked("recommend", "u1", "--k", "3", "--json")
    assert code == 0
    slate = json.loads(out)
    assert [item["position"] for item in slate["items"]] == [1, 2, 3]
    assert all(item["explanation"]["text"] for item in slate["items"])


def test_a_wish_in_words_is_honoured(stocked: Run) -> None:
    _, out, _ = stocked("recommend", "u1", "--json")
    topic = json.loads(out)["items"][0]["topics"][0]
    code, out, _ = stocked("recommend", "u1", "--k", "3", "--wish", f"no {topic}", "--json")
    assert code == 0
    assert all(topic not in item["topics"] for item in json.loads(out)["items"])


def test_chat_records_each_turn(stocked: Run) -> None:
    code, out, _ = stocked("chat", "u1", "--say", "hello", "--say", "something else", "--json")
    assert code == 0
    assert len(json.loads(out)["turns"]) == 2


def test_audit_json_equals_the_stored_page(stocked: Run, tmp_path: Path) -> None:
    for user in range(1, 40):
        assert stocked("recommend", f"u{user}", "--no-explain", "--json")[0] == 0
    code, out, _ = stocked("audit", "--json", "--html", str(tmp_path / "reports"))
    assert code == 0
    stored = json.loads(out)
    (page,) = (tmp_path / "reports").glob("*.html")
    figures = json.loads((tmp_path / "reports" / f"{stored['id']}.json").read_text())
    assert figures == stored["report"]
    assert figures["verdict"]["headline"] in page.read_text()


def test_importing_tables_with_their_own_column_names(run: Run, shop: Path) -> None:
    code, out, _ = run("data", "import", str(shop), "--json")
    assert code == 0
    assert json.loads(out)["interactions"] == 1200
    code, out, _ = run("data", "show", "--json")
    assert (code, json.loads(out)["item_groups"]) == (0, ["popularity"])


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda text: "customer,sku,stars,at\n", "interactions"),
        (lambda text: text.replace("stars", "points", 1), "stars"),
        (lambda text: text.replace("c0,s1,1,", "c0,s1,nan,", 1), "rating"),
        (lambda text: text.replace("c0,s1,1,", "c0,s1,inf,", 1), "rating"),
    ],
    ids=["empty file", "missing column", "NaN rating", "infinite rating"],
)
def test_bad_files_are_refused_and_leave_nothing(
    run: Run, shop: Path, tmp_path: Path, change: Callable[[str], str], names: str
) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text(change(orders.read_text()))
    code, out, error = run("data", "import", str(shop), "--json")
    assert (code, out) == (2, "")
    assert names in one_line(error)
    assert list((tmp_path / "new-home" / "data").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("recommend", "nobody"), "nobody"),
        (("recommend", "u1", "--k", "5000"), "k="),
        (("chat", "nobody", "--say", "hello"), "nobody"),
        (("audit",), "no recommendation"),
        (("train", "candidates", "--model", "EASY"), "EASE"),
        (("train", "candidates", "--split", "sideways"), "split"),
        (("study", "run", "absent.yaml"), "absent.yaml"),
        (("data", "import", "absent.yaml"), "absent.yaml"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(
    stocked: Run, shop: Path, words: tuple[str, ...], names: str
) -> None:
    if words[0] == "train":
        assert stocked("data", "import", str(shop), "--json")[0] == 0
    code, out, error = stocked(*words, "--json")
    assert (code, out) == (2, "")
    assert names in one_line(error)


def test_an_unreachable_constraint_is_refused_before_training(stocked: Run, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        "constraints:\n  exposure:\n"
        "  - {attribute: popularity, group: long_tail, share: 0.7}\n"
        "  - {attribute: popularity, group: head, share: 0.7}\n"
    )
    code, out, error = stocked("train", "policy", "--config", str(file), "--json")
    assert (code, out) == (2, "")
    assert "long_tail" in one_line(error)


def test_a_database_that_is_not_migrated_names_the_command(run: Run, tmp_path: Path) -> None:
    code, _, error = run("recommend", "u1")
    assert code == 2
    assert "fairloop db upgrade" in one_line(error)
    code, out, _ = run("db", "upgrade", "--json")
    assert (code, json.loads(out)["current"]) == (0, migrate.HEAD)


def test_a_corrupted_artifact_is_refused(
    run: Run, stocked_home: tuple[Path, str], tmp_path: Path
) -> None:
    import shutil

    home = Path(shutil.copytree(stocked_home[0], tmp_path / "home"))
    victim = next(path for path in (home / "candidates").rglob("*.npz"))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(bytes(content))
    code, _, error = run("recommend", "u1", home=home)
    assert code == 2
    assert victim.name in one_line(error)


def test_a_full_disk_leaves_no_half_written_data(
    run: Run, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("db", "upgrade")[0] == 0

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, out, error = run("data", "import", str(shop), "--json")
    assert (code, out) == (2, "")
    assert "disk" in one_line(error)
    assert list((tmp_path / "new-home" / "data").iterdir()) == []


def test_python_dash_m_runs_the_same_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fairloop", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    for command in ("demo", "data", "train", "recommend", "chat", "audit", "study", "serve"):
        assert command in done.stdout


def test_every_command_is_listed_documented_and_has_help(run: Run) -> None:
    folder = Path(cli.__file__).parent
    holds_app = {p.stem for p in folder.glob("*.py") if "\napp = typer" in p.read_text()}
    assert set(cli.COMMANDS) == holds_app - {"main"}
    documented = (folder.parents[1] / "docs" / "commands.md").read_text()
    for name in cli.COMMANDS:
        assert f"`fairloop {name}" in documented
        assert run(name, "--help")[0] == 0
