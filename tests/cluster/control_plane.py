"""A real etcd and kube-apiserver on loopback ports, for as long as a test needs them."""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster import binaries
from tests.cluster.certificates import write_certificates
from tests.cluster.ports import free_port
from tests.cluster.process import Child, Keeper

ADMIN, ADAPTOR, STRANGER = "admin", "smi-adaptor", "stranger"
_READY_SECONDS = 60.0


class ControlPlane:
    """Starts and stops the parts; synchronous, so that no event loop owns a process.

    RBAC is on. Three users have a token and a kubeconfig: `admin` may do all, `smi-adaptor` has
    the rights that tests bind to it, `stranger` has none.
    """

    def __init__(
        self,
        directory: Path,
        *,
        controller_manager: bool = False,
        fsync: bool = False,
        data_dir: Path | None = None,
        apiserver_args: Sequence[str] = (),
    ) -> None:
        self.directory = directory
        self.apiserver_args = list(apiserver_args)
        self.tokens = {user: secrets.token_hex(16) for user in (ADMIN, ADAPTOR, STRANGER)}
        self._controller_manager = controller_manager
        self._fsync = fsync
        self._data_dir = data_dir if data_dir is not None else directory / "etcd"
        self._etcd_port = free_port()
        self._port = free_port()
        self._keeper: Keeper | None = None
        self._children: dict[str, Child] = {}

    @property
    def url(self) -> str:
        """The API server's base URL."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def etcd_url(self) -> str:
        """etcd's client URL, without TLS."""
        return f"http://127.0.0.1:{self._etcd_port}"

    @property
    def ca_file(self) -> Path:
        """The authority that signed the API server's certificate."""
        return self.directory / "ca.crt"

    @property
    def admin_kubeconfig(self) -> Path:
        """A user of group system:masters."""
        return self.directory / "kubeconfig"

    @property
    def adaptor_kubeconfig(self) -> Path:
        """The user `smi-adaptor`."""
        return self.directory / "adaptor.kubeconfig"

    @property
    def stranger_kubeconfig(self) -> Path:
        """A user without any rights."""
        return self.directory / "stranger.kubeconfig"

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by program name."""
        return {name: child.pid for name, child in self._children.items()}

    def start(self) -> None:
        """Starts everything and returns when it is ready. Raises binaries.Unavailable."""
        programs = [binaries.ETCD, binaries.KUBE_APISERVER]
        if self._controller_manager:
            programs.append(binaries.KUBE_CONTROLLER_MANAGER)
        binaries.ensure(*programs)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._data_dir.chmod(0o700)
        write_certificates(self.directory)
        self._write_tokens()
        for user, path in (
            (ADMIN, self.admin_kubeconfig),
            (ADAPTOR, self.adaptor_kubeconfig),
            (STRANGER, self.stranger_kubeconfig),
        ):
            self.write_kubeconfig(path, self.tokens[user])
        self._keeper = Keeper()
        try:
            # Together: the API server waits for etcd by itself.
            self._start_etcd()
            self.start_apiserver()
            if self._controller_manager:
                self._start_controller_manager()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends everything, the last started first."""
        # Without etcd the others would spend their grace on waiting for it; what keeps no data
        # needs none.
        broken = not all(child.running() for child in self._children.values())
        for name in reversed(list(self._children)):
            self._children.pop(name).stop(kill=broken or not self._fsync)
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def check(self) -> None:
        """Raises RuntimeError, with the end of its log, when a part has ended by itself."""
        for child in self._children.values():
            child.check()

    def start_apiserver(self) -> None:
        """Starts the API server (again: same port, same data) and waits until it is ready."""
        child = self._spawn(
            binaries.KUBE_APISERVER,
            f"--etcd-servers={self.etcd_url}",
            f"--secure-port={self._port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--cert-dir={self.directory}",
            f"--tls-cert-file={self.directory / 'server.crt'}",
            f"--tls-private-key-file={self.directory / 'server.key'}",
            f"--service-account-key-file={self.directory / 'service-accounts.key'}",
            f"--service-account-signing-key-file={self.directory / 'service-accounts.key'}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            "--service-cluster-ip-range=10.96.0.0/12",
            f"--token-auth-file={self.directory / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",
            *self.apiserver_args,
        )
        child.await_ready(self._ready, timeout=_READY_SECONDS)

    def stop_apiserver(self, *, kill: bool = False) -> None:
        """Ends the API server alone: politely, or as a crash."""
        self._children.pop("kube-apiserver").stop(kill=kill)

    def restart_apiserver(self, *, kill: bool = True) -> None:
        """A crash by default: a polite end waits for the watches of others."""
        self.stop_apiserver(kill=kill)
        self.start_apiserver()

    def forget_history(self) -> None:
        """Compacts etcd and restarts the API server, whose cache would still know the history.

        Afterwards a watch from an older version, or the next chunk of an older list, is 410.
        """
        self.stop_apiserver(kill=True)
        answer = self._etcd("/v3/kv/range", {"key": base64.b64encode(b"\0").decode()})
        self._etcd(
            "/v3/kv/compaction", {"revision": answer["header"]["revision"], "physical": True}
        )
        self.start_apiserver()

    def write_kubeconfig(self, path: Path, token: str) -> None:
        """A kubeconfig for this API server and that token."""
        ca = base64.b64encode(self.ca_file.read_bytes()).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "tests",
            "clusters": [
                {
                    "name": "tests",
                    "cluster": {"server": self.url, "certificate-authority-data": ca},
                }
            ],
            "users": [{"name": "tests", "user": {"token": token}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        }
        path.touch(mode=0o600)
        # JSON is YAML, and needs no library here.
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start_etcd(self) -> None:
        peer = f"http://127.0.0.1:{free_port()}"
        arguments = [
            f"--data-dir={self._data_dir}",
            f"--listen-client-urls={self.etcd_url}",
            f"--advertise-client-urls={self.etcd_url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--log-level=warn",
        ]
        if not self._fsync:
            arguments.append("--unsafe-no-fsync")
        self._spawn(binaries.ETCD, *arguments)

    def _start_controller_manager(self) -> None:
        self._spawn(
            binaries.KUBE_CONTROLLER_MANAGER,
            f"--kubeconfig={self.admin_kubeconfig}",
            f"--authentication-kubeconfig={self.admin_kubeconfig}",
            f"--authorization-kubeconfig={self.admin_kubeconfig}",
            f"--service-account-private-key-file={self.directory / 'service-accounts.key'}",
            f"--root-ca-file={self.ca_file}",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
            f"--cert-dir={self.directory}",
            "--leader-elect=false",
        )

    def _spawn(self, program: binaries.Program, *arguments: str) -> Child:
        if self._keeper is None:
            raise RuntimeError("the control plane is not started")
        child = Child(
            name=program.name,
            command=[str(binaries.path_of(program)), *arguments],
            log=self.directory / f"{program.name}.log",
            keeper=self._keeper,
            # Collecting garbage would be a quarter of what a start costs.
            environment={"GOGC": "400"},
        )
        self._children[program.name] = child
        return child

    def _ready(self) -> bool:
        self._children["etcd"].check()
        request = urllib.request.Request(
            f"{self.url}/readyz", headers={"Authorization": f"Bearer {self.tokens[ADMIN]}"}
        )
        context = ssl.create_default_context(cafile=self.ca_file)
        try:
            with urllib.request.urlopen(request, timeout=5.0, context=context) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _etcd(self, path: str, body: dict[str, object]) -> dict[str, dict[str, str]]:
        request = urllib.request.Request(self.etcd_url + path, data=json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10.0) as answer:
            decoded: dict[str, dict[str, str]] = json.load(answer)
            return decoded

    def _write_tokens(self) -> None:
        groups = {ADMIN: ',"system:masters"'}
        lines = [
            f"{token},{user},{user}{groups.get(user, '')}\n" for user, token in self.tokens.items()
        ]
        path = self.directory / "tokens.csv"
        path.touch(mode=0o600)
        path.write_text("".join(lines), encoding="utf-8")
