"""`lentigo serve`: serve trained models over HTTP, with a web page."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lentigo.cli import predict_options as asked
from lentigo.cli.say import say
from lentigo.notice import NOTICE
from lentigo.stopping import SIGHUP, exit_code

if TYPE_CHECKING:
    from lentigo.config.serving import ServingConfig
    from lentigo.service.worker import Place

_Models = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME=]MODEL...", help="Run folders or model folders; the first answers."
    ),
]
_Host = Annotated[
    str | None,
    typer.Option("--host", help="Address to listen at; by default this machine's own."),
]
_Port = Annotated[
    int | None, typer.Option("--port", help="Port, by default 8000; 0 takes a free one.")
]
_Keys = Annotated[
    Path | None,
    typer.Option("--keys", help="File of hashed API keys; needed for any other address."),
]
_MakeKey = Annotated[
    str | None,
    typer.Option(
        "--make-key",
        metavar="NAME",
        help="Make an API key for NAME, add it hashed to --keys, print it once, and stop.",
    ),
]
_Certificate = Annotated[
    Path | None, typer.Option("--tls-certificate", help="Certificate (PEM), for HTTPS.")
]
_Key = Annotated[Path | None, typer.Option("--tls-key", help="Key of the certificate.")]
_AuditLog = Annotated[
    Path | None,
    typer.Option(
        "--audit-log", help="Add each answer to this SQLite file; else nothing is kept."
    ),
]
_Workers = Annotated[
    int | None,
    typer.Option("--workers", help="Processes that compute, by default 1."),
]
_Queue = Annotated[
    int | None,
    typer.Option("--queue", help="Images under way, beyond which the answer is 503."),
]
_Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change one limit (max_file_mb, body_seconds …); may be repeated.",
    ),
]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def serve_command(
    models: _Models = None,
    host: _Host = None,
    port: _Port = None,
    keys: _Keys = None,
    make_key: _MakeKey = None,
    tls_certificate: _Certificate = None,
    tls_key: _Key = None,
    audit_log: _AuditLog = None,
    engine: asked.Engine = "auto",
    workers: _Workers = None,
    queue: _Queue = None,
    settings: _Settings = None,
) -> None:
    """Serve a model over HTTP, with a page to read lesions with.

    \b
    Example:
        lentigo serve runs/ham
    """
    if make_key is not None:
        _make_key(make_key, keys)
        return
    if not models:
        raise typer.BadParameter("name a run folder or a model folder.")
    flags = {
        "host": host, "port": port, "keys": keys, "tls_certificate": tls_certificate,
        "tls_key": tls_key, "audit_log": audit_log, "engine": engine, "workers": workers,
        "queue": queue,
    }  # fmt: skip
    config = _config(flags, settings or [])
    places = _places(models, engine)
    from lentigo.extras import libraries, require

    for library in libraries("serve"):
        require(library, what="lentigo serve")
    from lentigo.service.server import serve

    if SIGHUP is not None:  # it reloads the models, as soon as they are loaded
        signal.signal(SIGHUP, signal.SIG_IGN)
    try:
        serve(places, config, listening=_listening)
    except KeyboardInterrupt as stop:
        say("Stopped. Every request that was taken was answered.", err=True)
        raise typer.Exit(exit_code(stop)) from None


def _listening(address: str) -> None:
    say(f"Open {address} in a browser. {NOTICE} Ctrl-C ends it.")


def _make_key(name: str, keys: Path | None) -> None:
    if keys is None:
        raise typer.BadParameter("it says whom a key is for; say with --keys where to.")
    from lentigo.output import check_file
    from lentigo.service.keys import make_key

    check_file(keys)
    say(make_key(keys, name))
    say(f"This is the only time it is shown; {keys} holds its digest.", err=True)


def _config(flags: dict[str, Any], settings: list[str]) -> ServingConfig:
    from lentigo.config import parse_settings
    from lentigo.config.serving import ServingConfig

    given = {name: value for name, value in flags.items() if value is not None}
    return ServingConfig(**{**parse_settings(settings), **given})


def _places(models: list[str], engine: str) -> list[Place]:
    """Return the names and folders of the models to load; errors come before loading."""
    from lentigo.errors import ConfigError
    from lentigo.inference.predict import model_folders
    from lentigo.models.description import check_folder
    from lentigo.models.engines import check_engine
    from lentigo.service.worker import Place

    check_engine(engine)
    places = []
    for given in models:
        name, sign, rest = given.partition("=")
        named = bool(sign) and not Path(given).exists()
        folder = Path(rest if named else given).absolute()
        for each in model_folders([folder]):
            check_folder(each)
        found = name if named else re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.name).strip("-.")
        if not _NAME.fullmatch(found):
            raise ConfigError(
                f"{given}: give the model a name of letters, digits, dots and hyphens: "
                "NAME=FOLDER."
            )
        places.append(Place(found, folder))
    if len({(each.name, each.folder) for each in places}) < len(places):
        raise ConfigError("A model was given twice; name each folder once.")
    return places
