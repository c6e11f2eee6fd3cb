"""Settings come from FAIRLOOP_* alone, and say what is wrong with them."""

import re
from pathlib import Path

import pytest
from fairloop.errors import InvalidValue
from fairloop.platform import settings as module
from fairloop.platform.home import Home
from fairloop.platform.settings import PREFIX, Settings, load_settings

DOCS = Path(module.__file__).parents[1] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def no_settings_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def documented() -> dict[str, str]:
    rows = re.findall(r"^\| `(FAIRLOOP_\w+)` \| (.*?) \|", DOCS.read_text(), flags=re.MULTILINE)
    return {name: default.strip("`") for name, default in rows}


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert set(documented()) == {PREFIX + name.upper() for name in Settings.model_fields}


def test_the_documented_defaults_are_the_real_ones() -> None:
    for name, field in Settings.model_fields.items():
        if field.default is not None:
            shown = documented()[PREFIX + name.upper()]
            assert shown == re.sub(r"\.0$", "", str(field.default)).replace("False", "false")


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FAIRLOOP_HOME", str(tmp_path))
    monkeypatch.setenv("FAIRLOOP_K", "7")
    settings = load_settings()
    assert settings.k == 7
    assert settings.url == f"sqlite:///{tmp_path / 'fairloop.db'}"
    assert Home.of(settings).database == tmp_path / "fairloop.db"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FAIRLOOP_K", "0", "greater than or equal to 1"),
        ("FAIRLOOP_K", "ten", "integer"),
        ("FAIRLOOP_MODEL_KIND", "gpt", "'none', 'embedded' or 'openai'"),
        ("FAIRLOOP_MODEL_TIMEOUT", "nan", "less than or equal to 600"),
        ("FAIRLOOP_DATABASE_URL", "mysql://host/name", "not supported"),
        ("FAIRLOOP_DATABASE_URL", "no url", "not a database URL"),
        ("FAIRLOOP_TYPO", "1", "no such setting"),
    ],
)
def test_a_bad_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidValue, match=says) as caught:
        load_settings()
    assert caught.value.field == name
    assert "docs/settings.md" in str(caught.value.mend)


def test_a_server_needs_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLOOP_MODEL_KIND", "openai")
    with pytest.raises(InvalidValue, match="FAIRLOOP_MODEL_BASE_URL"):
        load_settings()


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLOOP_MODEL_API_KEY", "sk-hidden")
    monkeypatch.setenv("FAIRLOOP_DATABASE_URL", "postgresql+psycopg://me:hidden@host/name")
    settings = load_settings()
    assert "hidden" not in repr(settings) + settings.model_dump_json()
    monkeypatch.setenv("FAIRLOOP_DATABASE_URL", "mysql://me:hidden@host/name")
    with pytest.raises(InvalidValue) as caught:
        load_settings()
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_home_folder_is_made_only_when_asked(tmp_path: Path) -> None:
    home = Home(tmp_path / "new")
    assert not home.root.exists()
    home.ensure().ensure()
    assert {path.name for path in home.root.iterdir()} == {
        "data",
        "candidates",
        "policies",
        "audits",
        "studies",
    }
