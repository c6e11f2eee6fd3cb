"""``fairloop serve``: the HTTP API."""

from typing import Annotated

import typer
import uvicorn

from ..settings import load_settings
from .output import Json, log, show

app = typer.Typer(add_completion=False)

CLOSING_SECONDS = 5
"""How long open event streams may hold up the end."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=1, max=65535)] = None,
    as_json: Json = False,
) -> None:
    """Serve the recommendation API until interrupted."""
    from ..api.app import create_app  # FastAPI is only paid for by the command that serves

    settings = load_settings()
    address = (host or settings.host, port or settings.port)
    app = create_app(settings)
    url = f"http://{address[0]}:{address[1]}"
    show({"url": url, "docs": f"{url}/docs"}, as_json, lambda out: out.print(f"{url}/docs"))
    log.print("Ctrl-C stops it.")
    uvicorn.run(
        app,
        host=address[0],
        port=address[1],
        log_level="warning",
        timeout_graceful_shutdown=CLOSING_SECONDS,
    )
