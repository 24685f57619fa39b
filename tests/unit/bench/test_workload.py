from __future__ import annotations

import json

from tests.bench import workload
from tests.bench.command import Write
from tests.bench.loader import requests


def test_every_generation_has_weights_that_read_back_as_they_were_written() -> None:
    for generation in range(2000):
        first, second = workload.weights(generation)
        assert first + second == 1000
        assert 1 <= first <= 999


def test_two_generations_in_a_row_never_ask_for_the_same() -> None:
    assert all(workload.weights(n) != workload.weights(n + 1) for n in range(2000))


def test_a_profile_asks_for_what_its_split_asks_for() -> None:
    split = json.loads(workload.split_body(17, 499))
    profile = json.loads(workload.profile_body(17, 499))
    where = workload.namespace(17)
    assert [
        {"authority": f"{b['service']}.{where}.svc.cluster.local", "weight": str(b["weight"])}
        for b in split["spec"]["backends"]
    ] == profile["spec"]["dstOverrides"]
    service = split["spec"]["service"]
    assert profile["metadata"]["name"] == f"{service}.{where}.svc.cluster.local"


def test_every_service_that_a_split_names_is_created() -> None:
    made = {
        (request.path.split("/")[4], json.loads(request.body or b"")["metadata"]["name"])
        for request in requests(Write(action="create services", count=20))
    }
    for index in range(20):
        spec = json.loads(workload.split_body(index, 0))["spec"]
        for name in (spec["service"], *(backend["service"] for backend in spec["backends"])):
            assert (workload.namespace(index), name) in made


def test_profiles_are_written_by_the_adaptors_own_user() -> None:
    sent = list(requests(Write(action="patch splits and profiles", count=3, generation=1)))
    assert [request.admin for request in sent] == [True, False] * 3
