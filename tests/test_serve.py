"""The service: the same spans as the tagger alone, each refusal one clear line, nothing kept and nothing lost."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter
from samples import ROOT
from serving import Call, ask, post, process, service
from test_cli import assert_one_line_error, run

from attackspan import formats
from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.eval.bench import service as bench
from attackspan.model.predictor import Tagger
from attackspan.serve.app import LOCAL
from attackspan.serve.batching import Batcher
from attackspan.serve.envelope import HEADERS, PATHS
from attackspan.serve.limits import Limits
from attackspan.serve.messages import Answer, Answers
from attackspan.serve.metrics import Metrics

TEXT = "Rebels attacked a town. Police blamed the Islamic State, and the mayor condemned the bombing."
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [document.text[:1200] for document in formats.read([ROOT / "seeds" / "dev"])][:10]


def raw(content: Any, **headers: str) -> Call:
    return "POST", "/predict", {"content": content, "headers": {**JSON, **headers}}


def document_of(answer: dict[str, Any]) -> Document:
    return Document.from_dict({name: value for name, value in answer.items() if name != "statements"})


class TestPredict:
    def test_a_document_comes_back_with_spans_links_and_statements(self, tagger: Tagger, seed: Document) -> None:
        (response,) = ask(tagger, [post({"id": "x", "title": "t", "source": "s", "date": "d", "text": seed.text})])
        expected = tagger.predict(Document("x", seed.text, title="t", source="s", date="d"))
        assert response.status_code == 200
        assert document_of(response.json()) == expected
        assert len(expected.spans) > 20
        rows = response.json()["statements"]
        assert [row["id"] for row in rows] == [row.id for row in expected.statements()]
        assert rows[0]["parties"]["by"] == ["US"]

    def test_many_come_back_in_order_and_get_numbers_for_ids(self, tagger: Tagger, texts: list[str]) -> None:
        (response,) = ask(tagger, [post({"documents": [{"text": text} for text in texts]})])
        documents = [document_of(answer) for answer in response.json()["documents"]]
        assert documents == list(tagger.predict(texts))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " \n",
            f"👩‍🚒🇮🇶 {TEXT} 💥",
            f"{TEXT}\r\n\u2028{TEXT}",
            f"كركوك {TEXT} e\u0301",
            f"\ud83d {TEXT}",
            f"\0{TEXT}",
        ],
        ids=["empty", "blank", "emoji", "line ends", "scripts", "lone surrogate", "null"],
    )
    def test_offsets_hold_in_any_text(self, tagger: Tagger, text: str) -> None:
        content = json.dumps({"id": "1", "text": text}).encode()  # httpx would refuse the surrogate
        (response,) = ask(tagger, [raw(content)])
        assert document_of(json.loads(response.content)) == tagger.predict(text)

    def test_no_documents_are_no_error(self, tagger: Tagger) -> None:
        (response,) = ask(tagger, [post({"documents": []})])
        assert (response.status_code, response.json()) == (200, {"documents": []})


class TestRefusals:
    @pytest.mark.parametrize(
        ("call", "status", "message"),
        [
            (raw(b""), 400, "not JSON: Expecting value at line 1, column 1"),
            (raw(b'{"text":\n 1,}'), 400, "not JSON: "),
            (raw(b'{"text": NaN}'), 400, "not JSON: NaN is not a JSON number"),
            (raw(b'{"text": "x", "text": "y"}'), 400, "not JSON: the key 'text' stands twice"),
            (post({"text": "x", "y\n" * 9_999: ""}), 422, "unknown key 'y"),
            (raw(b"[" * 100_000), 400, "not JSON: maximum recursion depth exceeded"),
            (raw(b"1" * 5_000), 400, "not JSON: Exceeds the limit"),
            (raw('{"text": "Köln"}'.encode("latin-1")), 400, "not UTF-8 at byte 11: invalid start byte"),
            (raw(b"{}", **{"Content-Type": "text/plain"}), 415, "send JSON, with the header Content-Type"),
            (post([]), 422, "a document is an object with a 'text', not list"),
            (post({"documents": {}}), 422, "'documents' stands alone, and is a list"),
            (post({"documents": [], "text": "x"}), 422, "'documents' stands alone, and is a list"),
            (post({"documents": [{"text": "x"}, {"text": 1}]}), 422, "documents[1]: 'text' cannot be 1"),
            (raw(b'{"text": "x", "spans": [{"id": "a", "label": "\\ud800", "start": 0, "end": 1}]}'), 422,
             "document '1': \\ud800 'a' [0:1] has an unknown label"),
            (post({"documents": [{"text": "x"}] * 65}), 413, "65 documents in one request; send at most 64"),
            (post({"text": "x" * 1_000_000}), 413, "the body has more than 1000000 bytes"),
            (("GET", "/predict", {}), 405, "Method Not Allowed"),
            (("GET", "/nowhere", {}), 404, "Not Found"),
        ],
    )  # fmt: skip
    def test_each_is_one_line(self, tagger: Tagger, call: Call, status: int, message: str) -> None:
        (response,) = ask(tagger, [call])
        assert (response.status_code, list(response.json())) == (status, ["error"])
        assert response.json()["error"].startswith(message)
        assert len(response.json()["error"].splitlines()) == 1
        assert len(response.json()["error"]) < 1000

    @pytest.mark.parametrize(
        "data",
        [{}, {"text": 1}, {"text": True}, {"text": "x", "body": "y"}, {"text": "x", "title": None}, "x",
         {"text": "x", "spans": [{"id": "a", "label": "actor", "start": 0, "end": 9}]}],
    )  # fmt: skip
    def test_what_is_no_document_is_told_in_the_words_of_the_package(self, tagger: Tagger, data: Any) -> None:
        with pytest.raises(AttackspanError) as caught:
            Document.from_dict({"id": "1", **data} if isinstance(data, dict) else data)
        (response,) = ask(tagger, [post(data)])
        assert (response.status_code, response.json()) == (422, {"error": str(caught.value)})

    def test_spans_are_not_dropped_in_silence(self, tagger: Tagger, seed: Document) -> None:
        (response,) = ask(tagger, [post(seed.to_dict())])
        assert response.status_code == 422
        assert "leave out 'spans'" in response.json()["error"]

    def test_a_body_of_unknown_length_is_counted_as_it_comes(self, tagger: Tagger) -> None:
        taken = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal taken
            while True:
                taken += 1
                yield b" " * 1000

        (response,) = ask(tagger, [raw(endless())], Limits(body=5000))
        assert response.status_code == 413
        assert taken < 10

    def test_a_body_that_does_not_come_is_given_up(self, tagger: Tagger) -> None:
        async def stalled() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.Event().wait()

        (response,) = ask(tagger, [raw(stalled())], Limits(patience=0.05))
        assert response.status_code == 408

    def test_a_full_queue_asks_to_come_back(self, tagger: Tagger) -> None:
        responses = ask(tagger, [post({"text": TEXT})] * 5, Limits(queue=2))
        assert sorted(response.status_code for response in responses) == [200, 200, 503, 503, 503]
        refused = next(response for response in responses if response.status_code == 503)
        assert refused.json()["error"].startswith("2 requests are waiting already")
        assert refused.headers["Retry-After"] == "1"

    def test_a_client_has_only_so_many_under_way_and_then_as_many_again(self, tagger: Tagger) -> None:
        async def twice() -> list[list[int]]:
            async with service(tagger, Limits(per_client=3)) as (client, _):
                calls = [[client.post("/predict", json={"text": TEXT}) for _ in range(5)] for _ in range(2)]
                return [sorted([answer.status_code for answer in await asyncio.gather(*some)]) for some in calls]

        assert asyncio.run(twice()) == [[200, 200, 200, 429, 429]] * 2


class TestBatching:
    def test_requests_that_come_together_are_read_together_and_alike(self, tagger: Tagger, texts: list[str]) -> None:
        async def run() -> tuple[list[httpx.Response], str]:
            async with service(tagger, Limits(per_client=99)) as (client, _):
                found = await asyncio.gather(*(client.post("/predict", json={"text": text}) for text in texts))
                return found, (await client.get("/metrics")).text

        responses, figures = asyncio.run(run())
        assert [document_of(response.json()) for response in responses] == [tagger.predict(text) for text in texts]
        assert figure(figures, "attackspan_documents_total") == len(texts)
        assert figure(figures, "attackspan_batch_documents_count") < len(texts) / 2

    def test_many_documents_do_not_hold_up_one(self, tagger: Tagger, texts: list[str]) -> None:
        done: list[str] = []

        async def request(batcher: Batcher, name: str, many: list[str]) -> None:
            found = await batcher.predict([Document(str(number), text) for number, text in enumerate(many)])
            assert [document.text for document in found] == many
            done.append(name)

        async def run() -> None:
            batcher = Batcher(tagger, Limits(batch=1000), Metrics())
            await asyncio.gather(request(batcher, "many", texts), request(batcher, "one", [TEXT]))

        asyncio.run(run())
        assert done == ["one", "many"]

    def test_a_failure_of_the_model_is_said_logged_without_text_and_over(
        self, tagger: Tagger, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Fragile(Tagger):
            def predict(self, texts: Any) -> Any:
                if any("Boom" in document.text for document in texts):
                    raise AttackspanError("Boom in the text")
                return super().predict(texts)

        async def run() -> list[httpx.Response]:
            fragile = Fragile(tagger.session, tagger.tokenizer, tagger.settings)
            async with service(fragile, Limits(batch=1)) as (client, _):
                bad = {"documents": [{"text": "Boom"}, {"text": TEXT}]}
                return [await client.post("/predict", json=data) for data in (bad, {"text": TEXT})]

        first, second = asyncio.run(run())
        assert (first.status_code, second.status_code) == (500, 200)
        assert first.json() == {"error": "the model failed on this; the service's log says where"}
        assert "a batch failed" in caplog.text

    def test_it_stops_once_what_waits_is_answered(self, tagger: Tagger, texts: list[str]) -> None:
        async def run() -> tuple[list[httpx.Response], httpx.Response, httpx.Response]:
            async with service(tagger, Limits(batch=1000)) as (client, batcher):
                early = [asyncio.create_task(client.post("/predict", json={"text": text})) for text in texts[:5]]
                while not batcher.waiting:
                    await asyncio.sleep(0)
                stopped = asyncio.create_task(batcher.drain())
                await asyncio.sleep(0)
                late = await client.post("/predict", json={"text": TEXT})
                health = await client.get("/health")
                await stopped
                assert not batcher.waiting
                return await asyncio.gather(*early), late, health

        early, late, health = asyncio.run(run())
        assert [response.status_code for response in early] == [200] * 5
        assert (late.status_code, late.headers["Retry-After"]) == (503, "5")
        assert (health.status_code, health.json()["status"]) == (503, "stopping")


class TestSafety:
    @pytest.mark.parametrize("path", [*PATHS, "/static/page.js", "/static/../app.py", "/nowhere"])
    def test_every_answer_has_the_headers_and_no_other_site_may_read_it(self, tagger: Tagger, path: str) -> None:
        (response,) = ask(tagger, [("GET", path, {"headers": {"Origin": "https://example.org"}})])
        assert HEADERS.items() <= {name.title(): value for name, value in response.headers.items()}.items()
        assert not [name for name in response.headers if name.startswith("access-control")]
        assert response.status_code == 200 or path in ("/predict", "/static/../app.py", "/nowhere")

    def test_the_policy_lets_nothing_run_that_the_service_does_not_serve(self) -> None:
        policy = HEADERS["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert set(re.findall(r"https?:|data:|blob:|\*", policy)) == set()

    @pytest.mark.parametrize(
        ("host", "status"),
        [("localhost:8000", 200), ("127.0.0.1", 200), ("[::1]:8000", 200), ("news.example.org", 200),
         ("rebound.example.com", 400), ("localhost.example.com", 400), ("", 400)],
    )  # fmt: skip
    def test_only_known_names_are_answered(self, tagger: Tagger, host: str, status: int) -> None:
        call = ("GET", "/health", {"headers": {"Host": host}})
        (response,) = ask(tagger, [call], hosts=(*LOCAL, "News.example.org"))
        assert response.status_code == status

    def test_logs_hold_no_text_whatever_happens(self, tagger: Tagger, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG, "attackspan")
        secret = {"id": "secret", "title": "secret", "text": "secret"}
        calls = [post(secret), post({"secret": 1}), raw(b"secret"), ("GET", "/secret?secret", {}),
                 post({**secret, "spans": []}), ("GET", "/health?secret", {})]  # fmt: skip
        ask(tagger, calls)
        assert "/predict 200" in caplog.text
        assert "other 404" in caplog.text
        assert "secret" not in caplog.text

    def test_metrics_count_requests_documents_and_characters(self, tagger: Tagger) -> None:
        async def run() -> str:
            async with service(tagger) as (client, _):
                await client.post("/predict", json={"documents": [{"text": TEXT}, {"text": "👍"}]})
                await client.post("/predict", json={})
                for path in ("/a", "/b"):
                    await client.get(path)
                return (await client.get("/metrics")).text

        figures = asyncio.run(run())
        assert figure(figures, 'attackspan_requests_total{path="/predict",status="200"}') == 1
        assert figure(figures, 'attackspan_requests_total{path="/predict",status="422"}') == 1
        assert figure(figures, 'attackspan_requests_total{path="other",status="404"}') == 2
        assert figure(figures, 'attackspan_request_seconds_count{path="/predict"}') == 2
        assert figure(figures, "attackspan_documents_total") == 2
        assert figure(figures, "attackspan_characters_total") == len(TEXT) + 1
        assert figure(figures, "attackspan_queue_requests") == 0


class TestDescription:
    def test_its_examples_are_answered_as_it_says(self, tagger: Tagger) -> None:
        (described,) = ask(tagger, [("GET", "/openapi.json", {})])
        body = described.json()["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
        one, many = (example["value"] for example in body["examples"].values())
        first, second = ask(tagger, [post(one), post(many)])
        TypeAdapter(Answer).validate_json(first.content, strict=True, extra="forbid")
        TypeAdapter(Answers).validate_json(second.content, strict=True, extra="forbid")
        assert {"400", "413", "415", "422", "429", "503"} <= described.json()["paths"]["/predict"]["post"][
            "responses"
        ].keys()

    def test_the_schema_is_the_models(self, tagger: Tagger) -> None:
        (response,) = ask(tagger, [("GET", "/schema", {})])
        assert response.json() == tagger.schema.to_dict()


class TestProcess:
    def test_the_example_of_the_documentation_runs_and_sigterm_loses_no_request(self, texts: list[str]) -> None:
        page = (ROOT / "docs" / "service.md").read_text("utf-8")
        (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        with process() as (running, address):
            shown: list[str] = []
            exec(example.replace("http://127.0.0.1:8000", address), {"print": lambda *parts: shown.append(parts[0])})
            assert {"actor", "attack"} <= set(shown)
            long = {"text": " ".join(texts * 2)[:20_000]}
            answers = at_once(address, [{"documents": [long] * 3}] * 3)
            with httpx.Client(base_url=address) as client:
                while figure(client.get("/metrics").text, "attackspan_queue_requests") < 3:
                    pass  # all three are taken, and each has a document that waits
                running.send_signal(signal.SIGTERM)
                while (late := client.post("/predict", json={"text": TEXT})).status_code == 200:
                    pass
            assert late.status_code == 503
            assert [answer.status_code for answer in answers] == [200, 200, 200]
            assert running.wait() in (0, -signal.SIGTERM)
            assert running.stderr
            log = running.stderr.read()
        assert "/predict 503" in log
        assert not any(word in log for word in ("Traceback", "ERROR", TEXT[:20]))

    def test_what_is_too_large_or_malformed_leaves_it_healthy(self) -> None:
        with process("--body", "1000") as (_, address):
            response = httpx.post(f"{address}/predict", json={"text": "x" * 3_000_000})
            assert (response.status_code, list(response.json())) == (413, ["error"])
            port = int(address.rsplit(":", 1)[1])
            body = json.dumps({"text": TEXT}).encode()
            said = bench.healthy(port, 16, body)
            assert said == "16 malformed requests: 6 × 400, 2 × 413, 8 × 422; an article after them: 200"
            some = bench.load(port, [body], 3, 0.5, every=0.1)
        assert not some.errors
        assert 3 <= len(some.seconds) <= 40

    def test_the_bench_compares_with_one_client_alone(self) -> None:
        some = bench.Load(2, 10.0, [0.1] * 15 + [0.3] * 5, [503])
        assert some.row("two", alone=0.1) == "| two | 2 | 20 | 1 | 2.0 | 100 | 300 | 3.0 |"

    def test_wrong_calls_are_one_line_errors(self) -> None:
        with process() as (_, address):
            port = address.rsplit(":", 1)[1]
            assert_one_line_error(run("serve", "--port", port), f"port {port}: Address already in use")
        assert_one_line_error(run("serve", "--port", 0, "--model", "nowhere"), "nowhere: no such folder")
        assert_one_line_error(run("serve", "--allowed-host", "a*b"), "'a*b' is no name")
        assert_one_line_error(run("serve", "--host", "no.such.host.invalid"), "cannot listen on no.such.host.invalid")


def figure(text: str, name: str) -> float:
    """A metric of Prometheus's text format."""
    return next(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(f"{name} "))


def at_once(address: str, bodies: Iterable[object]) -> Iterator[httpx.Response]:
    """Send requests from a thread each; the answers once they are asked for."""
    answers: list[httpx.Response] = []

    def send(body: object) -> None:
        answers.append(httpx.post(f"{address}/predict", json=body, timeout=None))

    threads = [threading.Thread(target=send, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()

    def collect() -> Iterator[httpx.Response]:
        for thread in threads:
            thread.join()
        yield from answers

    return collect()
