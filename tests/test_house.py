"""The layout's guards: what would break silently if somebody moved a folder."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FIRST_ROWS = r"(196\s+242\s+3\s+881250949|1[|]Toy Story|1\s+24[\s|]+M[\s|]+technician)"
NOT_ROOMS = {"tests", "benchmarks", "docs", "build", "dist"}


def packages() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return project["tool"]["setuptools"]["packages"]


def folders_with_python() -> set[str]:
    found = {"fairloop"}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).parts[:-1]
        if parts and parts[0] not in NOT_ROOMS and not parts[0].startswith("."):
            found.add(".".join(("fairloop", *parts)))
    return found


def run(code: str, cwd: Path, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_standard_library_keeps_its_platform_module_at_the_root() -> None:
    where = run("import platform; platform.system(); print(platform.__file__)", ROOT)
    assert Path(where).parent == Path(sysconfig.get_path("stdlib"))
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_declared_packages_are_the_folders_that_hold_python() -> None:
    assert set(packages()) == folders_with_python()


def test_the_api_imports_neither_recbole_nor_ray_nor_torch() -> None:
    code = (
        "import sys, fairloop.platform.api; print({'recbole', 'ray', 'torch'} & set(sys.modules))"
    )
    assert run(code, ROOT) == "set()"


def test_no_movielens_data_is_tracked() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing is tracked")
    tracked = subprocess.run(
        [
            "git",
            "grep",
            "-lE",
            r"(196\s+242\s+3\s+881250949|u\.data\s|1\|Toy Story)",
            "--",
            ":!tests/test_house.py",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tracked.stdout == ""


@pytest.mark.slow
def test_a_built_wheel_imports_every_room_and_its_templates(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(
        ROOT, source, ignore=shutil.ignore_patterns(".*", "build", "dist", "*.egg-info")
    )
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    done = subprocess.run(build, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, *install], check=True, capture_output=True)

    # `-S` with explicit paths: the dependencies are seen, the editable install is not.
    code = f"""
import importlib, sys
sys.path[:0] = [{str(site)!r}, {sysconfig.get_path("purelib")!r}]
for name in {packages()!r}:
    importlib.import_module(name)
import fairloop, fairloop.platform.cli.main
from pathlib import Path
assert Path(fairloop.__file__).is_relative_to({str(site)!r}), fairloop.__file__
assert list((Path(fairloop.__file__).parent / "platform" / "audit" / "templates").iterdir())
print("imported")
"""
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "imported", done.stderr


def test_the_figures_in_the_readme_are_those_of_the_stored_demo() -> None:
    spec = importlib.util.spec_from_file_location("readme", ROOT / "benchmarks" / "readme.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    demo = json.loads((ROOT / "docs" / "demo.json").read_text())
    readme = (ROOT / "README.md").read_text()
    assert f"{demo['candidates']['metrics']['ndcg@10']:.4f}" in readme
    assert module.with_block(readme, demo) == readme
