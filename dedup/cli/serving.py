"""The command ``serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dedup.cli.examples import examples
from dedup.cli.options import CONFIG, FIELDS, QUIET, RULES, VERBOSE, combine_options, port_option, resolve_options
from dedup.cli.terminal import flush_stdout, write_stdout
from dedup.cli.values import Size


@click.command(short_help="Answer over HTTP whether an article is new.", epilog=examples("serve"))
@click.argument("place", metavar="INDEX")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where to listen.  [default: this machine only]")
@port_option(8644)
@click.option(
    "--token-file", type=click.Path(path_type=Path), metavar="FILE", help="Read the token there.  [default: a new one]"
)
@click.option("--max-request", type=Size(), default="4M", metavar="SIZE", help="Largest request.  [default: 4M]")
@combine_options(CONFIG, *RULES, *FIELDS)
@QUIET
@VERBOSE
def serve(
    place: str, host: str, port: int, token_file: Path | None, max_request: int, quiet: bool, **options: Any
) -> None:
    """Serve an index over HTTP: POST /query, /add and /remove; /openapi.json describes them.

    INDEX is a folder, which is created when absent, or the address of a Redis or Valkey server. Address and token are
    printed on standard output; requests carry the token as "Authorization: Bearer TOKEN". Ctrl-C ends the server.
    """
    resolved = resolve_options(options)
    from dedup.errors import SettingsError  # noqa: PLC0415
    from dedup.service.serving import serve_index  # noqa: PLC0415

    token = None
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise SettingsError(f"{token_file}: cannot be read ({error}); name a file with a token") from None
        if not token.isascii() or not token.isprintable() or not token:
            raise SettingsError(f"{token_file}: holds no token; write one line of letters and digits into it")

    def announce(address: str, secret: str) -> None:
        write_stdout(f"{address}\n" if token_file else f"{address}  token: {secret}\n")
        flush_stdout()
        if not quiet:
            click.echo(f"dedup: serving {place}; Ctrl-C ends it", err=True)

    serve_index(place, resolved.settings, host=host, port=port, token=token, largest=max_request, announce=announce)
