"""The embedded model's server, run as a process of its own: ``python -P embedded_server.py``.

llama.cpp's server can't be stopped inside a process while it is answering: the call that drops it
never returns. As a child it can be ended at any time, and a crash in native code ends nothing
else. It writes its address to standard output, and ends when its standard input does: so it never
outlives who started it.
"""

import importlib
import os
import sys
from typing import Any

CONTEXT_TOKENS = 4096


def start(weights: str, threads: int) -> Any:
    """Load the model and listen on a free loopback port."""
    xllamacpp: Any = importlib.import_module("xllamacpp")  # a compiled module without types
    params = xllamacpp.CommonParams()
    params.model.path = weights
    params.n_ctx = CONTEXT_TOKENS
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = 0  # its store of past prompts would grow to 8 GiB, and none recurs
    params.ui = False
    params.warmup = False
    params.verbosity = -1
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # any free one
    return xllamacpp.Server(params)


def main() -> None:
    """Serve until standard input ends."""
    weights, threads = sys.argv[1:]
    server = start(weights, int(threads))
    print(server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)  # without dropping the server, which could wait for an answer under way


if __name__ == "__main__":
    main()
