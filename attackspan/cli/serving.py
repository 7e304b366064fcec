"""Commands that serve: serve."""

from __future__ import annotations

import click

from attackspan.cli.support import extra


def _names(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if ":" in name or (name != "*" and "*" in name.removeprefix("*.")):
            raise click.BadParameter(f"{name!r} is no name like news.example.org, *.example.org or *")
    return names


@click.command()
@click.option("--model", help="A checkpoint folder or hub id. Default: the model that ships with attackspan.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for every one.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option(
    "--allowed-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    callback=_names,
    help="A name that clients call this machine by, as in http://NAME:8000; again for each. localhost always is.",
)
@click.option(
    "--body", type=click.IntRange(1), default=1_000_000, show_default=True, help="Bytes of a request at most."
)
@click.option(
    "--documents", type=click.IntRange(1), default=64, show_default=True, help="Documents in a request at most."
)
@click.option("--queue", type=click.IntRange(1), default=64, show_default=True, help="Requests that may wait.")
@click.option("--per-client", type=click.IntRange(1), default=16, show_default=True,
              help="Requests that one address may have under way.")  # fmt: skip
def serve(
    model: str | None,
    host: str,
    port: int,
    hosts: tuple[str, ...],
    body: int,
    documents: int,
    queue: int,
    per_client: int,
) -> None:
    """Serve a model over HTTP: an API, and a page to paste articles into. Keeps nothing of what it reads.

    Stops on Ctrl+C or SIGTERM once what waits is answered. See docs/service.md.
    """
    with extra("serve"):
        from attackspan.serve import server
        from attackspan.serve.app import LOCAL
        from attackspan.serve.limits import Limits
    from attackspan import load
    from attackspan.model.checkpoint import DEFAULT

    limits = Limits(body=body, documents=documents, queue=queue, per_client=per_client)
    with server.listen(host, port) as listening:  # a port that is taken is said before the model is opened
        tagger = load(model or DEFAULT)
        name = f"[{host}]" if ":" in host else host
        click.echo(f"attackspan: serving on http://{name}:{listening.getsockname()[1]}", err=True)
        server.run(tagger, listening, limits, (*LOCAL, name, *hosts))
