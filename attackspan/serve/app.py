"""The service's doors: predict, schema, health, metrics and the page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from attackspan import __version__
from attackspan.serve import messages
from attackspan.serve.batching import Batcher
from attackspan.serve.clients import Clients
from attackspan.serve.envelope import Envelope
from attackspan.serve.limits import Limits, Refusal

LOCAL = ("localhost", "127.0.0.1", "[::1]")
STATIC = Path(__file__).with_name("static")
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The body is not JSON", "model": messages.Problem},
    413: {"description": "The body is too large, or has too many documents", "model": messages.Problem},
    415: {"description": "The body is not declared as JSON", "model": messages.Problem},
    422: {"description": "A document is not valid", "model": messages.Problem},
    429: {"description": "The client has too many requests under way", "model": messages.Problem},
    503: {"description": "Too many requests wait, or the service is stopping", "model": messages.Problem},
}


def create_app(batcher: Batcher, hosts: Sequence[str] = LOCAL) -> ASGIApp:
    """The service as an ASGI application.

    Args:
        batcher: what labels the documents; its limits and metrics are the service's.
        hosts: the names that a request's ``Host`` may have; a page of another site that points its own name here, to
            read what is meant for us, gets 400.
    """
    limits = batcher.limits
    clients = Clients(limits.per_client)
    app = FastAPI(
        title="attackspan",
        version=__version__,
        description="Labelled spans from news about attacks: who did it, who says so, who condemned what.",
        docs_url=None,  # the pages of these load scripts from elsewhere
        redoc_url=None,
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[name.lower() for name in hosts], www_redirect=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.post(
        "/predict",
        summary="Label one document, or many",
        responses={200: {"model": messages.Answer | messages.Answers}, **_PROBLEMS},
        openapi_extra={"requestBody": messages.REQUEST_BODY},
    )
    async def predict(request: Request) -> Response:
        with clients.turn(request.client.host if request.client else ""):
            documents, many = messages.read(await _body(request, limits), batcher.schema, limits.documents)
            found = await batcher.predict(documents)
        return Response(messages.answer(found, many), media_type="application/json")

    @app.get("/schema", summary="What the model labels: labels, attributes, roles")
    async def schema() -> JSONResponse:
        return JSONResponse(batcher.schema.to_dict())

    @app.get("/health", summary="Whether the service takes requests", responses={503: {"description": "It stops"}})
    async def health() -> JSONResponse:
        status = "stopping" if batcher.stopping else "ok"
        return JSONResponse({"status": status, "version": __version__}, 503 if batcher.stopping else 200)

    @app.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(batcher.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.exception_handler(Refusal)
    async def refuse(_: Request, refusal: Refusal) -> JSONResponse:
        wait = {"Retry-After": str(refusal.wait)} if refusal.wait else None
        return _problem(refusal.status, str(refusal), wait)

    @app.exception_handler(HTTPException)
    async def no_such_path(_: Request, error: HTTPException) -> JSONResponse:
        return _problem(error.status_code, error.detail, error.headers)

    @app.exception_handler(Exception)
    async def failure(_: Request, error: Exception) -> JSONResponse:
        return _problem(500, f"the service failed: {type(error).__name__}; its log says where")

    return Envelope(app, batcher.metrics)


async def _body(request: Request, limits: Limits) -> bytes:
    """A request's body.

    Raises:
        Refusal: it is not declared as JSON (415), which also keeps other sites' forms out; it is too large (413), too
            slow (408) or ends early (400).
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "send JSON, with the header Content-Type: application/json")

    async def collect() -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limits.body:
                raise Refusal(413, f"the body has more than {limits.body} bytes; send fewer or shorter documents")
        return bytes(body)

    try:
        return await asyncio.wait_for(collect(), limits.patience)
    except asyncio.TimeoutError as error:
        raise Refusal(408, f"the body did not arrive within {limits.patience:g} seconds") from error
    except ClientDisconnect as error:
        raise Refusal(400, "the body ended early") from error


def _problem(status: int, message: str, headers: Any = None) -> JSONResponse:
    return JSONResponse({"error": message}, status, headers)
