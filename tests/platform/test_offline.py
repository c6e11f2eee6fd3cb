"""Without a network: a fresh process answers a first turn, and the embedded model words it."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import House

FIRST_TURN_SECONDS = 5.0

GUARD = '''
"""Refuses every connection and name but those of this machine."""
import ipaddress, os, socket

def is_here(address):
    if not isinstance(address, tuple):
        return True  # a Unix socket
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"

def guarded(name):
    real = getattr(socket.socket, name)
    def call(self, *args):
        address = args[-1]
        if not is_here(address):
            with open(os.environ["BLOCKED"], "a") as log:
                log.write(f"{name} {address}\\n")
            raise OSError(f"no network: {address}")
        return real(self, *args)
    setattr(socket.socket, name, call)

for name in ("connect", "connect_ex", "sendto"):
    guarded(name)

real_lookup = socket.getaddrinfo
def lookup(host, *args, **kwargs):
    if host is not None and not is_here((host if isinstance(host, str) else host.decode(),)):
        with open(os.environ["BLOCKED"], "a") as log:
            log.write(f"lookup {host}\\n")
        raise socket.gaierror(f"no network: {host}")
    return real_lookup(host, *args, **kwargs)
socket.getaddrinfo = lookup
'''


def environment(house: "House", folder: Path) -> dict[str, str]:
    (folder / "sitecustomize.py").write_text(GUARD)
    (folder / "blocked").touch()
    return os.environ | {
        "PYTHONPATH": str(folder),
        "BLOCKED": str(folder / "blocked"),
        "FAIRLOOP_HOME": str(house.home.root),
        "FAIRLOOP_MODEL_KIND": "embedded",
        "FAIRLOOP_K": "2",
        # As on a user's machine; the tests' own limits on threads stay.
        "PYTHONDONTWRITEBYTECODE": "",
    }


def first_turn(command: list[str], env: dict[str, str]) -> tuple[float, str]:
    """Seconds until the answer stands on stdout, and all that was printed."""
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        seconds = time.perf_counter() - started
        rest, _ = process.communicate(timeout=100)
    assert process.returncode == 0, first + rest
    return seconds, first + rest


def chat() -> list[str]:
    return [sys.executable, "-m", "fairloop", "chat", "u1", "--say", "no Topic 1"]


def test_the_guard_guards(tmp_path: Path, house: "House") -> None:
    code = (
        "import socket\n"
        "for address in ('192.0.2.1', 'example.org', '::ffff:192.0.2.1'):\n"
        "    try: socket.create_connection((address, 80), 1)\n"
        "    except OSError as error: print(error)\n"
    )
    env = environment(house, tmp_path)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stdout.count("no network") == 3, done.stdout + done.stderr


@pytest.mark.model
def test_a_fresh_process_answers_its_first_turn_with_every_socket_but_loopback_blocked(
    house: "House", tmp_path: Path
) -> None:
    pytest.importorskip("xllamacpp", reason="the extra 'local' is not installed")
    env = environment(house, tmp_path)
    tried: list[float] = []
    while len(tried) < 3 and min(tried, default=99.0) > FIRST_TURN_SECONDS:
        seconds, told = first_turn(chat(), env)  # again where the machine was busy with others
        tried.append(seconds)
        assert told.count("(model)") == 2, told
    assert min(tried) < FIRST_TURN_SECONDS, tried
    assert (tmp_path / "blocked").read_text() == "", "it tried to reach something"


def _own_network() -> list[str] | None:
    """A command prefix that gives a process a network of its own: loopback and nothing else."""
    prefix = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return None
    works = subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    return prefix if works else None


@pytest.mark.model
@pytest.mark.slow
def test_the_same_in_a_network_of_its_own(house: "House", tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="the extra 'local' is not installed")
    prefix = _own_network()
    if prefix is None:
        pytest.skip("this system does not let a user make a network namespace")
    _, told = first_turn([*prefix, *chat()], environment(house, tmp_path))
    assert told.count("(model)") == 2, told
