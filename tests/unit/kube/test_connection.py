"""Requests over the wire: TLS, errors, and what an answer becomes."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from aiohttp import web

from reactor.errors import Conflict, Expired, Retryable, Terminal
from reactor.kube.connection import MERGE_PATCH, Connection
from reactor.kube.kubeconfig import find

from .certificate import self_signed
from .loopback import kubeconfig, serving


async def echo(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "method": request.method,
            "path": request.path_qs,
            "body": (await request.read()).decode(),
            "headers": dict(request.headers),
            "groups": request.headers.getall("Impersonate-Group", []),
        }
    )


async def collect(connection: Connection, got: list[bytes], *, silence: float = 90.0) -> None:
    async with connection.stream("/watch", silence=silence) as lines:
        async for line in lines:
            got.append(line)


async def test_a_patch_with_bytes_arrives_as_it_was_written(tmp_path: Path) -> None:
    async with (
        serving(echo) as server,
        Connection.from_kubeconfig(
            kubeconfig(tmp_path, server.url, user={"token": "secret\n"}), environ={}
        ) as connection,
    ):
        answer = await connection.request(
            "PATCH",
            "/apis/linkerd.io/v1alpha2/namespaces/n/serviceprofiles/web.n",
            query={"fieldManager": "smi-adaptor"},
            body=b'{"spec":{"x":1e3}}',
            content_type=MERGE_PATCH,
        )
    (request,) = server.requests
    assert answer.status == 200
    assert b'{\\"spec\\":{\\"x\\":1e3}}' in answer.body
    assert request.headers["Content-Type"] == MERGE_PATCH
    assert request.headers["Authorization"] == "Bearer secret"
    assert request.query_string == "fieldManager=smi-adaptor"
    assert request.headers["User-Agent"].startswith("smi-adaptor/")


async def test_every_request_is_observed_with_its_code(tmp_path: Path) -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({}, status=200 if request.method == "GET" else 409)

    async with serving(answer) as server:
        connection = Connection.from_kubeconfig(
            kubeconfig(tmp_path, server.url),
            environ={},
            observed=lambda verb, resource, code, seconds: seen.append((verb, resource, code)),
        )
        async with connection:
            await connection.request("GET", "/x", verb="list", resource="services")
            with pytest.raises(Conflict):
                await connection.request("PATCH", "/x", resource="serviceprofiles")
    assert seen == [("list", "services", "200"), ("patch", "serviceprofiles", "409")]


class TestTls:
    async def test_an_authority_in_the_kubeconfig_is_trusted(self, tmp_path: Path) -> None:
        pair = self_signed()
        data = base64.b64encode(pair.certificate).decode()
        async with serving(echo, pair=pair) as server:
            path = kubeconfig(tmp_path, server.url, cluster={"certificate-authority-data": data})
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                assert (await connection.request("GET", "/livez")).status == 200

    async def test_an_authority_in_a_file_beside_the_kubeconfig_is_trusted(
        self, tmp_path: Path
    ) -> None:
        pair = self_signed()
        (tmp_path / "ca.crt").write_bytes(pair.certificate)
        async with serving(echo, pair=pair) as server:
            path = kubeconfig(tmp_path, server.url, cluster={"certificate-authority": "ca.crt"})
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                assert (await connection.request("GET", "/livez")).status == 200

    async def test_an_unknown_authority_is_refused_and_the_request_never_sent(
        self, tmp_path: Path
    ) -> None:
        data = base64.b64encode(self_signed().certificate).decode()
        async with serving(echo, pair=self_signed()) as server:
            path = kubeconfig(tmp_path, server.url, cluster={"certificate-authority-data": data})
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                with pytest.raises(Retryable, match="certificate verify failed") as caught:
                    await connection.request("PATCH", "/livez")
        assert not caught.value.sent
        assert server.requests == []

    async def test_verification_is_skipped_when_the_kubeconfig_says_so(
        self, tmp_path: Path
    ) -> None:
        async with serving(echo, pair=self_signed("elsewhere")) as server:
            path = kubeconfig(tmp_path, server.url, cluster={"insecure-skip-tls-verify": True})
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                assert (await connection.request("GET", "/livez")).status == 200

    async def test_the_name_in_the_certificate_may_be_given(self, tmp_path: Path) -> None:
        pair = self_signed("kubernetes.default")
        cluster = {
            "certificate-authority-data": base64.b64encode(pair.certificate).decode(),
            "tls-server-name": "kubernetes.default",
        }
        async with serving(echo, pair=pair) as server:
            path = kubeconfig(tmp_path, server.url, cluster=cluster)
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                assert (await connection.request("GET", "/livez")).status == 200

    async def test_a_client_certificate_is_presented(self, tmp_path: Path) -> None:
        server_pair, client_pair = self_signed(), self_signed("adaptor")
        user = {
            "client-certificate-data": base64.b64encode(client_pair.certificate).decode(),
            "client-key-data": base64.b64encode(client_pair.key).decode(),
        }
        cluster = {"certificate-authority-data": base64.b64encode(server_pair.certificate).decode()}
        async with serving(echo, pair=server_pair, clients=client_pair.certificate) as server:
            path = kubeconfig(tmp_path, server.url, cluster=cluster, user=user)
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                assert (await connection.request("GET", "/livez")).status == 200

    async def test_client_certificate_files_that_rotate_are_followed(self, tmp_path: Path) -> None:
        server_pair, first, second = self_signed(), self_signed("one"), self_signed("two")
        now = 0.0
        presented: list[str] = []

        async def note(request: web.Request) -> web.Response:
            assert request.transport is not None
            peer = request.transport.get_extra_info("peercert")
            presented.append(dict(part[0] for part in peer["subject"])["commonName"])
            return web.json_response({})

        def rotate(chain: bytes, key: bytes) -> None:
            (tmp_path / "me.crt").write_bytes(chain)
            (tmp_path / "me.key").write_bytes(key)

        rotate(*first)
        cluster = {"certificate-authority-data": base64.b64encode(server_pair.certificate).decode()}
        user = {"client-certificate": "me.crt", "client-key": "me.key"}
        clients = first.certificate + second.certificate
        async with serving(note, pair=server_pair, clients=clients) as server:
            path = kubeconfig(tmp_path, server.url, cluster=cluster, user=user)
            target = find(path, context=None, environ={}, service_account=tmp_path)
            async with Connection(target=target, environ={}, clock=lambda: now) as connection:
                await connection.request("GET", "/")
                rotate(*second)
                await connection.request("GET", "/")
                now += 31
                await connection.request("GET", "/")
                (tmp_path / "me.key").write_bytes(first.key)  # half a rotation
                now += 31
                await connection.request("GET", "/")
                (tmp_path / "me.key").unlink()
                now += 31
                await connection.request("GET", "/")
        assert presented == ["one", "one", "two", "two", "two"]

    async def test_one_connection_serves_many_requests(self, tmp_path: Path) -> None:
        pair = self_signed()
        ports = set()

        async def note(request: web.Request) -> web.Response:
            assert request.transport is not None
            ports.add(request.transport.get_extra_info("peername")[1])
            return web.json_response({})

        data = base64.b64encode(pair.certificate).decode()
        async with serving(note, pair=pair) as server:
            path = kubeconfig(tmp_path, server.url, cluster={"certificate-authority-data": data})
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                for _ in range(5):
                    await connection.request("POST", "/x", body=b"{}")
        assert len(ports) == 1


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "method", "kind"),
        [
            (409, "POST", Conflict),
            (404, "PATCH", Conflict),
            (404, "DELETE", Conflict),
            (404, "GET", Terminal),
            (404, "POST", Terminal),
            (410, "GET", Expired),
            (403, "POST", Terminal),
            (422, "PATCH", Terminal),
            (302, "GET", Terminal),
            (429, "GET", Retryable),
            (500, "GET", Retryable),
            (503, "PATCH", Retryable),
        ],
    )
    async def test_a_status_becomes_what_the_caller_does_next(
        self, tmp_path: Path, status: int, method: str, kind: type[Exception]
    ) -> None:
        async def answer(request: web.Request) -> web.Response:
            said = {"kind": "Status", "message": "why", "reason": "NotFound" * (status == 404)}
            return web.json_response(said, status=status)

        async with serving(answer) as server:
            path = kubeconfig(tmp_path, server.url)
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                with pytest.raises(kind, match=f"{method} /x: {status} why"):
                    await connection.request(method, "/x")

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    async def test_a_path_that_nothing_serves_says_nothing_of_the_object(
        self, tmp_path: Path, method: str
    ) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.Response(status=404, text="404 page not found\n")

        async with serving(answer) as server:
            path = kubeconfig(tmp_path, server.url)
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                with pytest.raises(Terminal, match="404 page not found"):
                    await connection.request(method, "/x")

    async def test_the_wait_that_the_server_asks_for_is_told(self, tmp_path: Path) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.Response(status=429, headers={"Retry-After": "7"})

        async with serving(answer) as server:
            path = kubeconfig(tmp_path, server.url)
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                with pytest.raises(Retryable) as caught:
                    await connection.request("PATCH", "/x")
        assert (caught.value.after, caught.value.status, caught.value.sent) == (7.0, 429, False)

    @pytest.mark.parametrize(
        ("body", "causes"),
        [
            (
                {
                    "reason": "Forbidden",
                    "details": {"causes": [{"reason": "NamespaceTerminating"}]},
                },
                ("NamespaceTerminating",),
            ),
            (
                {"reason": "NotFound", "details": {"kind": "namespaces", "name": "gone"}},
                ("NamespaceNotFound",),
            ),
        ],
    )
    async def test_a_namespace_that_goes_or_is_gone_can_be_told(
        self, tmp_path: Path, body: dict[str, object], causes: tuple[str, ...]
    ) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.json_response(body, status=403 if body["reason"] == "Forbidden" else 404)

        async with serving(answer) as server:
            path = kubeconfig(tmp_path, server.url)
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                with pytest.raises(Terminal) as caught:
                    await connection.request("POST", "/x", body=b"{}")
        assert caught.value.causes == causes

    async def test_an_answer_that_never_comes_may_have_been_a_write(self, tmp_path: Path) -> None:
        release = asyncio.Event()

        async def hang(request: web.Request) -> web.Response:
            await release.wait()
            return web.Response()

        async with serving(hang) as server:
            path = kubeconfig(tmp_path, server.url)
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                with pytest.raises(Retryable) as caught:
                    await connection.request("PATCH", "/x", body=b"{}", timeout=0.05)
            release.set()
        assert caught.value.sent

    async def test_a_connection_cut_before_the_answer_may_have_been_a_write(
        self, tmp_path: Path
    ) -> None:
        async def cut(request: web.Request) -> web.Response:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        async with serving(cut) as server:
            path = kubeconfig(tmp_path, server.url)
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                with pytest.raises(Retryable) as caught:
                    await connection.request("PATCH", "/x", body=b"{}")
        assert caught.value.sent

    async def test_a_server_that_is_not_there_was_sent_nothing(self, tmp_path: Path) -> None:
        async with serving(echo) as server:
            pass
        path = kubeconfig(tmp_path, server.url)
        async with Connection.from_kubeconfig(path, environ={}) as connection:
            with pytest.raises(Retryable, match=r"127\.0\.0\.1") as caught:
                await connection.request("PATCH", "/x", body=b"{}")
        assert not caught.value.sent


class TestStreams:
    async def test_lines_come_whole_however_they_are_cut(self, tmp_path: Path) -> None:
        long = b"x" * (2 * 2**20 + 17)

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for piece in (b"on", b"e\ntwo\n", b"\n" + long, b"\nlast\n"):
                await response.write(piece)
                await asyncio.sleep(0)
            return response

        async with serving(answer) as server:
            path = kubeconfig(tmp_path, server.url)
            got: list[bytes] = []
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                await collect(connection, got)
        assert got == [b"one", b"two", long, b"last"]

    async def test_half_a_line_at_the_end_is_no_line(self, tmp_path: Path) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b'{"type":"ADDED"}\n{"type":"MOD')
            return response

        got: list[bytes] = []
        async with serving(answer) as server:
            path = kubeconfig(tmp_path, server.url)
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                with pytest.raises(Retryable, match="middle of a line"):
                    await collect(connection, got)
        assert got == [b'{"type":"ADDED"}']

    async def test_a_silent_connection_is_given_up(self, tmp_path: Path) -> None:
        release = asyncio.Event()

        async def silent(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"one\n")
            await release.wait()
            return response

        got: list[bytes] = []
        async with serving(silent) as server:
            path = kubeconfig(tmp_path, server.url)
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                with pytest.raises(Retryable):
                    await collect(connection, got, silence=0.1)
            release.set()
        assert got == [b"one"]

    async def test_leaving_a_stream_closes_its_connection(self, tmp_path: Path) -> None:
        gone = asyncio.Event()

        async def endless(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            try:
                while True:
                    await response.write(b"one\n")
                    await asyncio.sleep(0)
            except OSError:
                gone.set()
            return response

        async with serving(endless) as server:
            path = kubeconfig(tmp_path, server.url)
            async with Connection.from_kubeconfig(path, environ={}) as connection:
                async with connection.stream("/watch") as lines:
                    assert await anext(lines) == b"one"
                async with asyncio.timeout(5):
                    await gone.wait()
