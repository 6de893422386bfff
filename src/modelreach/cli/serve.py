"""`modelreach serve`: a state in the browser, for a team."""

from __future__ import annotations

import click

from modelreach.cli.options import config_option, state_options
from modelreach.model import InputError, MissingExtra

EXAMPLES = """\b
Examples:
  modelreach serve --state state                      (http://127.0.0.1:8765/)
  modelreach serve --state postgresql://db/reach --host 0.0.0.0 --public-host reach.acme.example \\
      --trust-header X-Forwarded-Email --trusted-proxy 10.0.0.7
"""


@click.command("serve", epilog=EXAMPLES)
@state_options
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="0 takes a free one.",
)
@click.option(
    "--public-host", "hosts", multiple=True, metavar="NAME", help="The name people reach it by."
)
@click.option(
    "--trust-header", "header", default="", metavar="NAME", help="Where a proxy says who asks."
)
@click.option(
    "--trusted-proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    help="Who may say so: an address or a network.",
)
@config_option
def command(
    state: str | None,
    blobs: str | None,
    host: str,
    port: int,
    hosts: tuple[str, ...],
    header: str,
    proxies: tuple[str, ...],
    config: str | None,
) -> None:
    """Show a state in the browser: deployments, their reach, drift, findings, and reports.

    Read-only. On this machine alone, unless a proxy that authenticates stands before it and says
    who asks. It needs no right to write to the state, and should have none.
    """
    try:
        import uvicorn

        from modelreach.web import Door, application
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("modelreach"):
            raise
        raise MissingExtra("serve", "`modelreach serve`") from error
    from modelreach.cli.config import load
    from modelreach.cli.gating import Moment
    from modelreach.cli.stored import place_of
    from modelreach.state import open_state

    door = Door.of(hosts, header, proxies)
    door.may_open(host)
    place = place_of(state, blobs, load(config))
    open_state(*place, read_only=True).close()
    app = application(
        lambda: open_state(*place, read_only=True), door, lambda: Moment(None).text[:10]
    )
    settings = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",
    )
    _listen(uvicorn.Server(settings), settings, host)


def _listen(server: object, settings: object, host: str) -> None:
    import socket
    from typing import Any, cast

    serving, given = cast("Any", server), cast("Any", settings)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, given.port), family=family)
    except OSError as error:
        raise InputError(
            f"cannot listen on {host}:{given.port} ({error.strerror or error})",
            place="--port",
            hint="another one: --port 0 takes one that is free",
        ) from None
    with listening:
        port = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"serving on http://{shown}:{port}/   (Ctrl-C ends it)", err=True)
        serving.run(sockets=[listening])
