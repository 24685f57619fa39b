"""Kubeconfigs as kubectl reads them, and one clear line for each that can't be used."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from reactor.errors import Fatal
from reactor.kube import kubeconfig as files
from reactor.kube.connection import Connection
from reactor.kube.target import Target

from .certificate import self_signed
from .loopback import kubeconfig


def find(path: str | None = None, *, context: str | None = None, **environ: str) -> Target:
    return files.find(path, context=context, environ=environ, service_account=Path("/nowhere"))


def several(directory: Path, **servers: str) -> list[str]:
    paths = []
    for name, server in servers.items():
        path = directory / name
        path.write_text(
            yaml.safe_dump(
                {
                    "current-context": name,
                    "clusters": [
                        {"name": name, "cluster": {"server": server}},
                        {"name": "shared", "cluster": {"server": f"https://shared-{name}"}},
                    ],
                    "contexts": [
                        {"name": name, "context": {"cluster": name}},
                        {"name": f"{name}-shared", "context": {"cluster": "shared"}},
                    ],
                }
            )
        )
        paths.append(str(path))
    return paths


def test_a_given_path_has_precedence_over_the_environment(tmp_path: Path) -> None:
    one, two = several(tmp_path, one="https://one", two="https://two")
    assert find(two, KUBECONFIG=one).server == "https://two"


def test_of_several_files_the_first_that_says_something_wins(tmp_path: Path) -> None:
    listed = os.pathsep.join(
        [str(tmp_path / "missing"), *several(tmp_path, one="https://one", two="https://two")]
    )
    assert find(KUBECONFIG=listed).server == "https://one"
    assert find(KUBECONFIG=listed, context="two").server == "https://two"
    assert find(KUBECONFIG=listed, context="two-shared").server == "https://shared-one"


@pytest.mark.parametrize(("named", "meant"), [("web", "web"), (None, "default"), ("", "default")])
def test_the_context_says_which_namespace_is_meant(
    tmp_path: Path, named: str | None, meant: str
) -> None:
    (path,) = several(tmp_path, one="https://one")
    document = yaml.safe_load(Path(path).read_text())
    if named is not None:
        document["contexts"][0]["context"]["namespace"] = named
    Path(path).write_text(yaml.safe_dump(document))
    assert find(path).namespace == meant
    assert Connection.from_kubeconfig(path, environ={}).namespace == meant


def test_the_home_directory_is_looked_at_last(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    kubeconfig(tmp_path / ".kube", "https://home")
    assert find(HOME=str(tmp_path)).server == "https://home"


def test_in_a_pod_the_service_account_is_used(tmp_path: Path) -> None:
    authority = self_signed().certificate
    (tmp_path / "token").write_text("t")
    (tmp_path / "ca.crt").write_bytes(authority)
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    target = files.find(None, context=None, environ=environ, service_account=tmp_path)
    assert target.server == "https://[fd00::1]:443"
    assert target.authority == authority
    assert target.user.fields == {"tokenFile": "token"}


def test_in_a_pod_its_own_namespace_is_meant(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(self_signed().certificate)
    (tmp_path / "token").write_text("t")
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}

    def found() -> str:
        target = files.find(None, context=None, environ=environ, service_account=tmp_path)
        return target.namespace

    assert found() == "default"
    (tmp_path / "namespace").write_text("web\n")
    assert found() == "web"


def test_a_pod_without_a_service_account_is_told() -> None:
    with pytest.raises(Fatal, match="automountServiceAccountToken"):
        find(KUBERNETES_SERVICE_HOST="10.0.0.1", KUBERNETES_SERVICE_PORT="443")


def test_nothing_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="no cluster to talk to: give --kubeconfig"):
        find(HOME=str(tmp_path))


BAD_FILES = {
    "clusters: [": "not YAML in line 1",
    "\x00\x01": "not YAML",
    "- a list": "expected a mapping",
    "just words": "expected a mapping",
    "": "current-context is not set",
    "clusters: 5": "clusters must be a list",
    "clusters: [{cluster: {}}]": r"clusters\[0\].name is missing",
    "users: [{name: u, user: 7}]": r"users\[u\].user must be a mapping",
    "{}": "current-context is not set",
    "current-context: nope": "names 'nope', which is not in contexts",
    "{current-context: a, contexts: [{name: a, context: {}}]}": r"contexts\[a\].cluster is missing",
    "{current-context: a, contexts: [{name: a, context: {cluster: c}}]}": (
        r"contexts\[a\].cluster names 'c', which is not there"
    ),
    (
        "{current-context: a, contexts: [{name: a, context: {cluster: c}}],"
        " clusters: [{name: c, cluster: {server: 10.0.0.1}}]}"
    ): r"clusters\[c\].server must be a URL",
    (
        "{current-context: a, contexts: [{name: a, context: {cluster: c, user: them}}],"
        " clusters: [{name: c, cluster: {server: 'http://10.0.0.1'}}]}"
    ): r"contexts\[a\].user names 'them', which is not there",
}


@pytest.mark.parametrize(("content", "line"), BAD_FILES.items())
def test_a_file_that_makes_no_sense_is_one_line(tmp_path: Path, content: str, line: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(Fatal, match=line) as caught:
        find(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match=r"kubeconfig .*/nope: can't read it: No such file"):
        find(str(tmp_path / "nope"))


PEM = base64.b64encode(b"-----BEGIN NOTHING-----").decode()

BAD_CLUSTERS: list[tuple[dict[str, Any], str]] = [
    ({"certificate-authority": "nope.crt"}, "certificate-authority: can't read nope.crt"),
    ({"certificate-authority-data": "%%%"}, "certificate-authority-data isn't base64"),
    ({"certificate-authority-data": "aGk="}, "certificate-authority-data holds no PEM"),
    ({"certificate-authority-data": PEM}, "certificate-authority: no certificates in it"),
    ({"certificate-authority-data": PEM, "insecure-skip-tls-verify": True}, "exclude each other"),
    ({"insecure-skip-tls-verify": "yes"}, "must be true or false"),
    ({"proxy-url": "socks5://here"}, "proxy-url must be an http"),
]

BAD_USERS: list[tuple[dict[str, Any], str]] = [
    ({"tokn": "x"}, "tokn is a field we can't honour"),
    ({"token": "a b"}, "holds characters that no token has"),
    ({"token": 5}, "token must be a string"),
    ({"token": "x", "username": "u"}, "username and token exclude each other"),
    ({"as-groups": ["g"]}, "need `as`"),
    ({"as": "x", "as-groups": "g"}, "as-groups must be a list"),
    ({"exec": {"command": "true"}}, "exec.apiVersion is nothing, expected"),
    ({"auth-provider": {"name": "gcp"}}, "auth-provider.name is 'gcp'"),
    ({"auth-provider": {"name": "oidc"}}, "auth-provider.config is missing"),
    ({"client-certificate": "x.crt", "client-key": "x.key"}, "can't read x.crt"),
    ({"client-certificate-data": PEM}, "client-key is missing"),
    ({"client-certificate-data": PEM, "client-key-data": PEM}, "can't be used"),
]


@pytest.mark.parametrize(("cluster", "line"), BAD_CLUSTERS)
def test_a_cluster_that_cannot_be_used_is_one_line(
    tmp_path: Path, cluster: dict[str, Any], line: str
) -> None:
    path = kubeconfig(tmp_path, "https://there", cluster=cluster)
    with pytest.raises(Fatal, match=line) as caught:
        Connection.from_kubeconfig(path, environ={})
    assert f"kubeconfig {path}: clusters[c]" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("user", "line"), BAD_USERS)
def test_a_user_that_cannot_be_honoured_is_one_line(
    tmp_path: Path, user: dict[str, Any], line: str
) -> None:
    path = kubeconfig(tmp_path, "https://there", user=user)
    with pytest.raises(Fatal, match=line) as caught:
        Connection.from_kubeconfig(path, environ={})
    assert f"kubeconfig {path}: users[u]" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_secret_of_a_kubeconfig_gets_into_an_error(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "https://there", user={"token": "hush hush", "tokn": "hush"})
    with pytest.raises(Fatal) as caught:
        Connection.from_kubeconfig(path, environ={})
    assert "hush" not in str(caught.value)
