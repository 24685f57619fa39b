"""Settings: Go's way of writing flags, the environment, the defaults in and outside a pod."""

from __future__ import annotations

import pytest

from reactor import __version__
from reactor.errors import Fatal
from reactor.flags import Answer
from reactor.settings import FLAGS, Settings

POD = {"POD_NAMESPACE": "linkerd-smi", "POD_NAME": "smi-adaptor-0"}
DESK = {"HOME": "/home/dev"}


def refusal(*argv: str, **environ: str) -> str:
    with pytest.raises(Fatal) as caught:
        Settings.from_command_line(argv, environ)
    assert caught.value.code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_flags_of_existing_manifests_are_taken_as_written() -> None:
    settings = Settings.from_command_line(
        [
            "-kubeconfig",
            "/etc/kube",
            "-metrics-addr=:9996",
            "--cluster-domain",
            "example.org",
            "--worker-threads=4",
        ],
        POD,
    )
    assert settings.kubeconfig == "/etc/kube"
    assert settings.metrics_addr == ":9996"
    assert settings.cluster_domain == "example.org"
    assert settings.worker_threads == 4


def test_in_a_pod_it_uses_the_service_account_the_lease_and_tokens() -> None:
    settings = Settings.from_command_line([], POD)
    assert settings.kubeconfig is None
    assert settings.metrics_addr == ":9995"
    assert settings.audit_url == "sqlite:////data/audit.sqlite"
    assert settings.admin_auth == "token"
    assert settings.leader_elect
    assert settings.pod_namespace == "linkerd-smi"
    assert settings.pod_name == "smi-adaptor-0"


def test_in_a_pod_of_an_old_manifest_it_has_no_lease_but_is_as_safe() -> None:
    settings = Settings.from_command_line([], {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert settings.kubeconfig is None
    assert settings.metrics_addr == ":9995"
    assert settings.admin_auth == "token"
    assert not settings.leader_elect


def test_outside_a_pod_it_uses_the_users_kubeconfig_and_loopback() -> None:
    settings = Settings.from_command_line([], DESK)
    assert settings.kubeconfig == "/home/dev/.kube/config"
    assert settings.metrics_addr == "127.0.0.1:9995"
    assert settings.audit_url == "sqlite:///smi-adaptor-audit.sqlite"
    assert settings.admin_auth == "none"
    assert not settings.leader_elect
    assert settings.pod_namespace is None
    assert settings.pod_name


def test_the_defaults_are_those_of_the_documentation() -> None:
    settings = Settings.from_command_line([], DESK)
    assert settings.cluster_domain == "cluster.local"
    assert settings.worker_threads == 32
    assert settings.audit_retention_age == 30 * 86_400
    assert settings.audit_retention_size == 2**30
    assert settings.orphans == "delete"
    assert settings.log_level == "info"
    assert settings.log_format == "plain"


def test_a_kubeconfig_turns_the_lease_off_until_it_is_asked_for() -> None:
    assert not Settings.from_command_line(["-kubeconfig=k"], POD).leader_elect
    assert Settings.from_command_line(["-kubeconfig=k", "-leader-elect"], POD).leader_elect
    assert not Settings.from_command_line(["--leader-elect=false"], POD).leader_elect


def test_the_kubeconfig_comes_from_the_flag_then_ours_then_kubectls_variable() -> None:
    environ = {**DESK, "KUBECONFIG": "/kubectl:/second", "SMI_ADAPTOR_KUBECONFIG": "/ours"}
    assert Settings.from_command_line(["-kubeconfig=/flag"], environ).kubeconfig == "/flag"
    assert Settings.from_command_line([], environ).kubeconfig == "/ours"
    del environ["SMI_ADAPTOR_KUBECONFIG"]
    assert Settings.from_command_line([], environ).kubeconfig == "/kubectl:/second"


def test_every_flag_has_a_variable_and_the_flag_wins() -> None:
    samples = {
        "kubeconfig": ("/a", "/b"),
        "metrics-addr": ("127.0.0.1:1", "[::1]:2"),
        "cluster-domain": ("a.b", "c.d"),
        "worker-threads": ("1", "2"),
        "audit-url": ("sqlite:////a", "sqlite:////b"),
        "audit-retention-age": ("60.0s", "2m"),
        "audit-retention-size": ("1MiB", "2MiB"),
        "archive-url": ("postgresql://a/b", "postgresql://a/c"),
        "archive-retention-age": ("90d", "91d"),
        "cluster-name": ("eu-1", "eu-2"),
        "orphans": ("clear", "keep"),
        "log-level": ("debug", "error"),
        "log-format": ("json", "plain"),
        "admin-auth": ("token", "none"),
        "leader-elect": ("true", "false"),
    }
    assert samples.keys() == {flag.name for flag in FLAGS.flags}
    for flag in FLAGS.flags:
        variable, given = samples[flag.name]
        environ = {"POD_NAMESPACE": "x", FLAGS.variable(flag): variable}
        base = ["-kubeconfig=/k"] if flag.name != "kubeconfig" else []
        from_variable = Settings.from_command_line(base, environ)
        from_flag = Settings.from_command_line([*base, f"-{flag.name}={given}"], environ)
        alone = Settings.from_command_line([*base, f"-{flag.name}={given}"], POD)
        assert from_variable.recorded()[flag.name] != from_flag.recorded()[flag.name]
        assert alone.recorded()[flag.name] == from_flag.recorded()[flag.name]


def test_an_empty_variable_is_an_unset_one() -> None:
    environ = {**DESK, "SMI_ADAPTOR_ORPHANS": "", "KUBECONFIG": "", "POD_NAMESPACE": ""}
    settings = Settings.from_command_line([], environ)
    assert settings.orphans == "delete"
    assert settings.kubeconfig == "/home/dev/.kube/config"
    assert settings.pod_namespace is None


def test_the_variables_that_kubernetes_makes_for_a_service_are_not_ours() -> None:
    environ = {
        **POD,
        "SMI_ADAPTOR_SERVICE_HOST": "10.0.0.7",
        "SMI_ADAPTOR_PORT_9995_TCP": "tcp://10.0.0.7:9995",
    }
    assert Settings.from_command_line([], environ) == Settings.from_command_line([], POD)


def test_of_a_repeated_flag_the_last_wins() -> None:
    assert Settings.from_command_line(["-orphans=keep", "-orphans", "clear"], DESK).orphans == (
        "clear"
    )


def test_a_misspelt_flag_is_told_which_one_was_meant() -> None:
    assert "unknown flag -clusterdomain, did you mean -cluster-domain?" in refusal(
        "--clusterdomain=x"
    )
    assert "unknown flag -zzz (" in refusal("-zzz")


def test_a_flag_without_its_value_and_a_stray_word_are_refused() -> None:
    assert "flag -kubeconfig needs a value: -kubeconfig=PATH" in refusal("-kubeconfig")
    assert "unexpected argument 'run'" in refusal("run")
    assert "unexpected argument '--'" in refusal("--")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("-orphans=maybe", "-orphans=maybe: write one of delete, clear, keep"),
        ("-worker-threads=0", "whole number from 1"),
        ("-worker-threads=many", "whole number from 1"),
        ("-cluster-domain=Cluster.Local", "DNS name such as cluster.local"),
        ("-cluster-domain=cluster.local.", "DNS name such as cluster.local"),
        ("-cluster-domain=", "DNS name such as cluster.local"),
        ("-metrics-addr=9995", "HOST:PORT or :PORT"),
        ("-metrics-addr=:99999", "a number from 0 to 65535"),
        ("-metrics-addr=::1:9995", "brackets"),
        ("-audit-url=postgresql://db/audit", "only SQLite is supported"),
        ("-audit-url=", "write a path"),
        ("-audit-url=sqlite://", "write a path"),
        ("-audit-retention-age=30", "30d, 12h or 90m"),
        ("-audit-retention-size=1KiB", "1MiB at least"),
        ("-log-level=loud", "debug, info, warn, error, fatal"),
        ("-log-format=xml", "plain, json"),
        ("-admin-auth=basic", "token, none"),
        ("-leader-elect=maybe", "true or false"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_write(given: str, told: str) -> None:
    message = refusal(given)
    assert message.startswith(given + ":")
    assert told in message


def test_a_wrong_value_in_a_variable_names_the_variable() -> None:
    assert refusal(SMI_ADAPTOR_ORPHANS="maybe").startswith("SMI_ADAPTOR_ORPHANS=maybe: write")


def test_no_authentication_goes_with_a_loopback_address_only() -> None:
    assert "-metrics-addr=127.0.0.1:9995" in refusal("-admin-auth=none", "-metrics-addr=:9995")
    assert "whoever reaches :9995" in refusal("-admin-auth=none", **POD)
    for address in ("127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:0"):
        argv = ["-admin-auth=none", f"-metrics-addr={address}"]
        assert Settings.from_command_line(argv, POD).admin_auth == "none"


def test_an_address_that_others_reach_asks_for_a_token_by_itself() -> None:
    assert Settings.from_command_line(["-metrics-addr=:9995"], DESK).admin_auth == "token"


def test_a_lease_needs_a_namespace() -> None:
    assert "POD_NAMESPACE" in refusal("-leader-elect")


def test_an_audit_path_is_as_good_as_a_url() -> None:
    def url(text: str) -> str:
        return Settings.from_command_line([f"-audit-url={text}"], DESK).audit_url

    assert url("/var/log/audit.sqlite") == "sqlite:////var/log/audit.sqlite"
    assert url("audit.sqlite") == "sqlite:///audit.sqlite"
    assert url("sqlite:////a.sqlite") == "sqlite:////a.sqlite"


def test_the_go_adaptors_log_levels_are_understood() -> None:
    for given, meant in {"warning": "warn", "panic": "fatal", "trace": "debug"}.items():
        assert Settings.from_command_line(["-log-level", given], DESK).log_level == meant


@pytest.mark.parametrize("word", ["-h", "-help", "--help"])
def test_help_lists_every_flag_with_its_variable(word: str) -> None:
    with pytest.raises(Answer) as caught:
        Settings.from_command_line(["-orphans=keep", word], {})
    for flag in FLAGS.flags:
        assert f"  -{flag.name}" in str(caught.value)
        assert f"[${FLAGS.variable(flag)}]" in str(caught.value)


def test_version_answers_unless_it_is_false() -> None:
    with pytest.raises(Answer, match=f"^smi-adaptor {__version__}$"):
        Settings.from_command_line(["--version"], {})
    assert Settings.from_command_line(["-version=false"], DESK)


@pytest.mark.parametrize("scheme", ["postgresql+asyncpg", "postgresql", "postgres"])
def test_the_archive_is_a_postgresql_and_its_password_is_shown_nowhere(scheme: str) -> None:
    url = f"{scheme}://me:p%40ss@db.example.org:5433/audit?sslmode=require&password=p%40ss"
    for argv, environ in (
        ([f"-archive-url={url}"], DESK),
        ([], {**DESK, "SMI_ADAPTOR_ARCHIVE_URL": url}),
    ):
        settings = Settings.from_command_line(argv, environ)
        assert settings.archive_url is not None
        assert settings.archive_url.value == url.replace(f"{scheme}:", "postgresql+asyncpg:")
        shown = settings.recorded()["archive-url"]
        assert shown == "postgresql+asyncpg://me:...@db.example.org:5433/audit"
        assert "p%40ss" not in f"{settings!r} {settings}"


def test_without_an_archive_nothing_is_archived() -> None:
    settings = Settings.from_command_line([], DESK)
    assert settings.archive_url is None
    assert settings.recorded()["archive-url"] == ""
    assert settings.archive_retention_age == 365 * 86_400
    assert settings.cluster_name == "default"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:s3cret@db/audit",
        "postgresql://me:s3cret@db",
        "postgresql://me:s3cret@/audit",
        "postgresql://me:s3cret@db:99999/audit",
        "postgresql://me:s3cret@[::1/audit",
        "me:s3cret@db/audit",
    ],
)
def test_a_wrong_archive_url_is_refused_without_being_shown(url: str) -> None:
    said = refusal(f"-archive-url={url}")
    assert "-archive-url=...: write postgresql+asyncpg://USER:PASSWORD@HOST:PORT/DATABASE" in said
    assert "s3cret" not in said
    assert "s3cret" not in refusal(**{**DESK, "SMI_ADAPTOR_ARCHIVE_URL": url})
    assert "s3cret" not in refusal("postgresql://me:s3cret@db/audit")


@pytest.mark.parametrize("name", ["-eu", "eu 1", "eu/1", "x" * 129])
def test_a_cluster_name_is_a_plain_word(name: str) -> None:
    assert "write a name such as eu-1" in refusal(f"-cluster-name={name}")
