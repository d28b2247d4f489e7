"""The Helm chart: its manifests are valid, the same as last time, and mean what they should; wrong values say what to do."""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent import __version__
from agent.domain.jobs import JobState
from agent.infrastructure.core.config_check import validated
from agent.infrastructure.core.config_environment import from_environment
from agent.infrastructure.core.paths import AppPaths
from scripts import chart
from scripts.chart import CHART, NAMESPACE, ROOT, TESTS, Manifest, Rendered

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="Helm's code is installed for these tests on Linux"),
]
EXAMPLES = chart.examples()
WORKLOADS = ("Deployment", "Job")
MONITORING = CHART.parents[1] / "monitoring"


def changed(name: str, **changes: object) -> dict[str, Any]:
    """The values of an example with others in the places that `a__b` names."""
    values = copy.deepcopy(chart.values_of(name))
    for place, value in changes.items():
        *above, last = place.split("__")
        inner = values
        for each in above:
            inner = inner.setdefault(each, {})
        inner[last] = value
    return values


# What is wrong, and words of the remedy.
REFUSED = {
    "no image": (changed("small", image={}), "push it to your registry"),
    "no name": (changed("small", hosts=[]), "photos.example.org"),
    "a name with https": (changed("small", hosts=["https://photos.example.org"]), "'/hosts/0'"),
    "a typing error": (changed("small", api={"replica": 2}), "additional properties 'replica' not allowed"),
    "an unknown mode": (changed("small", database__mode="mysql"), "'cloudnative', 'external'"),
    "a password in the settings": (changed("small", settings={"server": {"database": "postgresql://a:b@c/d"}}), "existingSecret"),
    "no limits": (changed("small", api={"resources": {"limits": None}}), "'/api/resources'"),
    "no database image": (changed("small", database__cloudnative={}), "pgvector 0.8.4"),
    "no secret of the database": (changed("external-database", database__external__existingSecret=""), "postgresql://user:password@host"),
    "an unreachable database": (changed("external-database", database__external__cidrs=[]), "10.0.5.10/32"),
    "backups nowhere": (changed("full", database__cloudnative__backup__destinationPath=""), "s3://backups"),
    "backups without keys": (changed("full", database__cloudnative__backup__existingSecret=""), "ACCESS_SECRET_KEY"),
    "several pods, one volume": (changed("small", api={"replicas": 2}), "persistence.home.accessMode=ReadWriteMany"),
    "more at least than at most": (changed("full", api__autoscaling={"enabled": True, "minReplicas": 9}), "Raise maxReplicas"),
    "workers without uploads": (changed("external-database", persistence={}), "persistence.uploads.enabled=true"),
    "workers without their key": (changed("external-database", workers__keySecret=""), "workers.keySecret"),
    "scaled by nothing": (changed("full", workers__autoscaling__prometheus=""), "prometheus-operated.monitoring:9090"),
    "scaled by what is not measured": (changed("full", monitoring={}), "monitoring.enabled=true"),
    "a proxy that is not believed": (changed("external-database", proxies=[]), "10.244.0.0/16"),
    "a gateway that checks nothing": (changed("full", gateway__caConfigMap=""), "ca.crt"),
    "a gateway without a gateway": (changed("full", gateway__parentRefs=[]), "[{name: public, namespace: gateways}]"),
    "metrics without a token": (changed("full", monitoring__tokenSecret=""), "long random `token`"),
    "nobody let in": (changed("small", networkPolicy={}), "networkPolicy.ingressFrom"),
    "Prometheus kept out": (changed("full", networkPolicy__metricsFrom=[]), "networkPolicy.metricsFrom"),
}


@pytest.fixture(scope="module")
def all_rendered() -> dict[str, Rendered]:
    values = [*(chart.values_of(name) for name in EXAMPLES), *(values for values, _ in REFUSED.values())]
    return dict(zip([*EXAMPLES, *REFUSED], chart.rendered(values), strict=True))


@pytest.fixture(params=EXAMPLES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def manifests(name: str, all_rendered: dict[str, Rendered]) -> list[Manifest]:
    return all_rendered[name].manifests


def of_kind(manifests: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def pods(manifests: Sequence[Manifest]) -> dict[str, Manifest]:
    """The templates of pods, by component."""
    found = [each["spec"]["template"] for each in of_kind(manifests, *WORKLOADS)]
    return {each["metadata"]["labels"]["app.kubernetes.io/component"]: each for each in found}


def containers(pod: Manifest) -> Iterator[Manifest]:
    yield from pod["spec"].get("initContainers", [])
    yield from pod["spec"]["containers"]


def settings_of(manifests: Sequence[Manifest]) -> dict[str, str]:
    [found] = [each for each in of_kind(manifests, "ConfigMap") if each["metadata"]["name"].endswith("-settings")]
    return dict(found["data"])


# -- valid, and the same as last time ----------------------------------------------------------------------------------------------
def test_an_example_is_valid_and_unchanged(name: str, all_rendered: dict[str, Rendered]) -> None:
    found = all_rendered[name]
    assert (found.refused, found.problems) == ("", [])
    expected = (TESTS / "golden" / f"{name}.yaml").read_text(encoding="utf-8")
    assert chart.golden(found.manifests) == expected, "python scripts/chart.py --update, and look at the difference"


def test_the_chart_has_the_programs_version() -> None:
    assert chart.read_yaml(CHART / "Chart.yaml")["appVersion"] == __version__


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_values_say_what_to_do(case: str, all_rendered: dict[str, Rendered]) -> None:
    assert all_rendered[case].manifests == []
    assert REFUSED[case][1] in all_rendered[case].refused


# -- what pods may do --------------------------------------------------------------------------------------------------------------
def test_no_container_has_rights_or_resources_without_end(manifests: list[Manifest]) -> None:
    for pod in pods(manifests).values():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert not any("hostPath" in volume for volume in spec["volumes"])
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
            }
            assert container["resources"]["limits"].keys() == container["resources"]["requests"].keys() == {"cpu", "memory"}
    for database in of_kind(manifests, "Cluster"):
        assert database["spec"]["resources"]["limits"].keys() == {"cpu", "memory"}


def test_what_serves_is_probed_on_the_operations_port(manifests: list[Manifest]) -> None:
    for deployment in of_kind(manifests, "Deployment"):
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        assert {"name": "operations", "containerPort": 9464} in container["ports"]
        probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
        # What restarts a pod never asks the database.
        assert probes == {
            "startup": {"path": "/live", "port": "operations"},
            "liveness": {"path": "/live", "port": "operations"},
            "readiness": {"path": "/ready", "port": "operations"},
        }


def test_a_pod_ends_after_it_has_drained(manifests: list[Manifest]) -> None:
    settings = settings_of(manifests)
    delay, drain = (int(settings[f"AI_POPUP__SERVER__{name}"]) for name in ("DRAIN_DELAY_S", "DRAIN_S"))
    found = pods(manifests)
    assert delay > 0, "balancers notice late that a pod ends"
    assert found["api"]["spec"]["terminationGracePeriodSeconds"] > delay + drain
    if "worker" in found:
        assert found["worker"]["spec"]["terminationGracePeriodSeconds"] > drain


def test_secrets_are_files_that_the_program_alone_reads(manifests: list[Manifest]) -> None:
    settings = settings_of(manifests)
    assert not any("postgresql://" in value for value in settings.values())
    secret = re.compile("DATABASE|PASSWORD|SECRET|TOKEN|PRIVATE_KEY")
    assert all(json.loads(value).startswith("/run/secrets/ai-popup/") for name, value in settings.items() if secret.search(name))
    assert of_kind(manifests, "Secret") == [], "all come from outside"
    for pod in pods(manifests).values():
        for container in containers(pod):
            for variable in container.get("env", []):
                assert variable.get("valueFrom", {"fieldRef": {"fieldPath": "metadata.name"}}) == {
                    "fieldRef": {"fieldPath": "metadata.name"}
                }
                assert not secret.search(variable["name"]) or variable["name"].endswith("_FILE")
        for volume in pod["spec"]["volumes"]:
            if "secret" in volume:
                assert volume["secret"]["defaultMode"] == 0o440


def test_what_decodes_photos_in_a_pod_of_its_own_has_neither_the_librarys_key_nor_a_photo_to_change(manifests: list[Manifest]) -> None:
    if "worker" not in (found := pods(manifests)):
        assert int(settings_of(manifests)["AI_POPUP__SERVER__WORKERS"]) > 0, "someone has to do the work"
        return
    worker = found["worker"]["spec"]
    homes = [v["name"] for v in worker["volumes"] if v.get("persistentVolumeClaim", {}).get("claimName", "").endswith("-home")]
    mounts = {mount["name"]: mount for mount in worker["containers"][0]["volumeMounts"]}
    assert not mounts.keys() & {*homes, "key", "tls"}
    assert all(mount.get("readOnly") for place, mount in mounts.items() if place not in ("local", "tmp"))
    api = {mount["name"]: mount["mountPath"] for mount in found["api"]["spec"]["containers"][0]["volumeMounts"]}
    shared = [place for place in mounts if place == "uploads" or place.startswith("photos-")]
    assert shared and all(mounts[place]["mountPath"] == api[place] for place in shared), "a path means the same in both"
    assert settings_of(manifests)["AI_POPUP__SERVER__WORKERS"] == "0"


# -- who is chosen by what ---------------------------------------------------------------------------------------------------------
def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    plain = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    assert all(each["operator"] == "In" for each in selector.get("matchExpressions", []))
    return plain and all(labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", []))


def test_selectors_choose_the_pods_that_they_mean(manifests: list[Manifest]) -> None:
    labels = {component: pod["metadata"]["labels"] for component, pod in pods(manifests).items()}

    def chosen(selector: Mapping[str, Any]) -> list[str]:
        return [component for component, each in labels.items() if matches(selector, each)]

    for each in of_kind(manifests, *WORKLOADS, "PodDisruptionBudget", "Service", "HorizontalPodAutoscaler", "ScaledObject"):
        component, spec = each["metadata"]["labels"]["app.kubernetes.io/component"], each["spec"]
        match each["kind"]:
            case "Deployment" | "PodDisruptionBudget":
                assert chosen(spec["selector"]) == [component]
            case "Service":
                assert chosen({"matchLabels": spec["selector"]}) == [component]
            case "HorizontalPodAutoscaler" | "ScaledObject":
                [target] = [it for it in of_kind(manifests, "Deployment") if it["metadata"]["name"] == spec["scaleTargetRef"]["name"]]
                assert target["metadata"]["labels"]["app.kubernetes.io/component"] == component
                assert "replicas" not in target["spec"], "two would set one number"
    for monitor in of_kind(manifests, "ServiceMonitor"):
        services = [it for it in of_kind(manifests, "Service") if matches(monitor["spec"]["selector"], it["metadata"]["labels"])]
        assert len(services) == len(labels) - 1, "each component but the migration"
        ports = {port["name"] for it in services for port in it["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports


@pytest.mark.parametrize(
    ("example", "changes", "address"),
    [
        ("small", {}, "https://photos.example.org"),
        ("small", {"service__port": 8443}, "https://photos.example.org:8443"),
        ("external-database", {"service": {"port": 8443}}, "https://photos.example.org"),  # the ingress has 443
    ],
)
def test_links_lead_to_where_people_reach_the_server(example: str, changes: dict[str, Any], address: str) -> None:
    [found] = chart.rendered([changed(example, **changes)])
    assert json.loads(settings_of(found.manifests)["AI_POPUP__SERVER__ADDRESS"]) == address


def test_a_single_pod_neither_blocks_its_node_nor_shares_its_volume(all_rendered: dict[str, Rendered]) -> None:
    small, full = all_rendered["small"].manifests, all_rendered["full"].manifests
    [alone] = of_kind(small, "Deployment")
    assert alone["spec"]["strategy"] == {"type": "Recreate"} and of_kind(small, "PodDisruptionBudget") == []
    [api] = [each for each in of_kind(full, "Deployment") if each["metadata"]["name"].endswith("-api")]
    assert api["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert {each["spec"]["sessionAffinity"] for each in of_kind(full, "Service") if "sessionAffinity" in each["spec"]} == {"None"}


# -- who reaches whom --------------------------------------------------------------------------------------------------------------
class Network:
    """Network policies at work, as far as the chart uses them. A peer is a pod's labels, or a namespace's name."""

    def __init__(self, manifests: Sequence[Manifest]) -> None:
        self._policies = [each["spec"] for each in of_kind(manifests, "NetworkPolicy")]
        self.pods = {component: dict(pod["metadata"]["labels"]) for component, pod in pods(manifests).items()}
        ports = [port for pod in pods(manifests).values() for each in containers(pod) for port in each.get("ports", [])]
        self._named = {port["name"]: port["containerPort"] for port in ports}
        for database in of_kind(manifests, "Cluster"):
            self.pods["database"] = {"cnpg.io/cluster": database["metadata"]["name"]}

    def enters(self, source: str, target: str, port: int) -> bool:
        return self._allowed("Ingress", self.pods[target], source, port)

    def leaves(self, source: str, target: str, port: int) -> bool:
        return self._allowed("Egress", self.pods[source], target, port)

    def reaches(self, source: str, target: str, port: int) -> bool:
        return self.leaves(source, target, port) and self.enters(source, target, port)

    def _allowed(self, way: str, labels: Mapping[str, str], other: str, port: int) -> bool:
        found = [each for each in self._policies if way in each["policyTypes"] and matches(each["podSelector"], labels)]
        rules = [rule for each in found for rule in each.get(way.lower(), [])]
        return not found or any(self._fits(rule, "from" if way == "Ingress" else "to", other, port) for rule in rules)

    def _fits(self, rule: Mapping[str, Any], side: str, other: str, port: int) -> bool:
        ports = {self._named.get(each["port"], each["port"]) for each in rule["ports"]}
        return port in ports and any(self._is(peer, other) for peer in rule[side])

    def _is(self, peer: Mapping[str, Any], other: str) -> bool:
        if "ipBlock" in peer:
            return other == str(peer["ipBlock"]["cidr"])
        if "namespaceSelector" in peer:
            return other not in self.pods and matches(peer["namespaceSelector"], {"kubernetes.io/metadata.name": other})
        return other in self.pods and matches(peer["podSelector"], self.pods[other])


def test_pods_reach_their_database_and_little_else(all_rendered: dict[str, Rendered]) -> None:
    network = Network(all_rendered["full"].manifests)
    for component in ("api", "worker", "migrate"):
        assert network.reaches(component, "database", 5432)
        assert network.leaves(component, "kube-system", 53)
        assert not network.leaves(component, "elsewhere", 443)
        assert not any(network.enters("elsewhere", component, port) for port in (8443, 9464, 5432))
    assert network.enters("gateways", "api", 8443) and not network.enters("gateways", "api", 9464)
    for component in ("api", "worker"):
        assert network.enters("monitoring", component, 9464) and not network.enters("monitoring", component, 8443)
    assert not network.enters("gateways", "worker", 9464) and not network.enters("worker", "api", 8443)
    assert network.leaves("api", "0.0.0.0/0", 443) and not network.leaves("migrate", "0.0.0.0/0", 443)
    assert not network.enters("elsewhere", "database", 5432) and not network.enters("gateways", "database", 5432)
    assert network.enters("cnpg-system", "database", 8000) and network.reaches("database", "database", 5432)
    assert network.enters("monitoring", "database", 9187) and not network.enters("monitoring", "database", 5432)


def test_an_external_database_is_reached_at_its_address(all_rendered: dict[str, Rendered]) -> None:
    network = Network(all_rendered["external-database"].manifests)
    for component in ("api", "worker", "migrate"):
        assert network.leaves(component, "10.0.5.11/32", 5432) and not network.leaves(component, "10.0.5.11/32", 22)
    assert network.leaves("api", "10.0.6.25/32", 587) and network.enters("traefik", "api", 8443)


# -- scaling, migrations, monitoring -----------------------------------------------------------------------------------------------
def test_workers_are_scaled_by_the_photos_that_wait_in_this_namespace(all_rendered: dict[str, Rendered]) -> None:
    [scaled] = of_kind(all_rendered["full"].manifests, "ScaledObject")
    [trigger] = scaled["spec"]["triggers"]
    assert trigger["type"] == "prometheus", "the PostgreSQL trigger leaks connections"
    assert f'namespace="{NAMESPACE}"' in trigger["metadata"]["query"] and trigger["metadata"]["query"].startswith("max(")
    assert trigger["metadata"]["ignoreNullValues"] == "false", "a lost Prometheus must not look like an empty queue"


def test_the_schema_is_migrated_before_an_upgrade_and_beside_an_installation(all_rendered: dict[str, Rendered]) -> None:
    [upgraded] = chart.rendered([chart.values_of("full")], upgrade=True)
    hooks = [each["metadata"].get("annotations", {}).get("helm.sh/hook") for each in of_kind(upgraded.manifests, "Job")]
    assert (hooks, upgraded.problems) == (["pre-upgrade"], [])
    [job] = of_kind(all_rendered["full"].manifests, "Job")
    assert "annotations" not in job["metadata"], "a hook would wait for the database that comes after it"
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["server", "migrate", "--expand"]
    assert settings_of(upgraded.manifests)["AI_POPUP__SERVER__MIGRATE"] == '"never"'


def test_rules_and_dashboards_are_those_of_the_monitoring(all_rendered: dict[str, Rendered]) -> None:
    manifests = all_rendered["full"].manifests
    expected = [group for path in sorted(MONITORING.glob("rules/*.yml")) for group in chart.read_yaml(path)["groups"]]
    assert [group for each in of_kind(manifests, "PrometheusRule") for group in each["spec"]["groups"]] == expected
    dashboards = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in MONITORING.glob("dashboards/*.json")}
    shown = [each["data"] for each in of_kind(manifests, "ConfigMap") if "grafana_dashboard" in each["metadata"]["labels"]]
    assert {file: json.loads(text) for data in shown for file, text in data.items()} == dashboards


def test_the_data_outlive_the_release(manifests: list[Manifest]) -> None:
    kept = of_kind(manifests, "PersistentVolumeClaim", "Cluster")
    assert kept and all(each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for each in kept)


def test_the_home_that_a_pod_links_is_one_that_the_program_takes(tmp_path: Path, all_rendered: dict[str, Rendered]) -> None:
    local, volume = tmp_path / "local", tmp_path / "volume"
    for folder in (local, volume):
        folder.mkdir()
        folder.chmod(0o2777)  # as Kubernetes mounts them
    script = pods(all_rendered["full"].manifests)["api"]["spec"]["initContainers"][0]["command"][-1]
    script = script.replace("/srv/home", str(volume)).replace("/var/lib/ai-popup", str(local))
    for _ in range(2):  # a restarted pod finds its links
        subprocess.run(["/bin/sh", "-ec", script], check=True)
    paths = AppPaths.find({"AI_POPUP_HOME": str(local)}).create()
    (paths.data / "written").write_text("kept")
    assert (volume / "data" / "written").read_text() == "kept"
    assert {path.name for path in volume.iterdir()} == {"config", "data"} and paths.logs.parent == local


def test_every_setting_is_one_that_the_program_knows(manifests: list[Manifest]) -> None:
    validated(from_environment(settings_of(manifests)))


def test_the_figure_that_scales_workers_is_one_that_the_server_tells(all_rendered: dict[str, Rendered]) -> None:
    [scaled] = of_kind(all_rendered["full"].manifests, "ScaledObject")
    [figure, state] = re.findall(r"max\((\w+)\{.*state=\"(\w+)\"\}\)", scaled["spec"]["triggers"][0]["metadata"]["query"])[0]
    told = (ROOT / "agent" / "app" / "metrics.py").read_text(encoding="utf-8")
    assert f'"{figure}"' in told and state in {each.value for each in JobState}


def test_a_worker_waits_for_its_key_and_gets_no_other_but_those_of_buckets(tmp_path: Path, all_rendered: dict[str, Rendered]) -> None:
    keys, local = tmp_path / "volume" / "config" / "keys", tmp_path / "local"
    script = pods(all_rendered["full"].manifests)["worker"]["spec"]["initContainers"][0]["command"][-1]
    script = script.replace("/srv/key", str(tmp_path / "volume")).replace("/var/lib/ai-popup", str(local)).replace("sleep 5", "sleep 0.1")
    waiting = subprocess.Popen(["/bin/sh", "-ec", script], stdout=subprocess.PIPE, text=True)
    assert waiting.stdout is not None
    assert "waiting for worker.key" in waiting.stdout.readline()
    keys.mkdir(parents=True)
    for name in ("5eed.key", "bucket-1.key", "new"):
        (keys / name).write_text(name)
    (keys / "new").rename(keys / "worker.key")
    waiting.communicate()
    assert waiting.returncode == 0
    given = local / "config" / "keys"
    assert sorted(path.name for path in given.iterdir()) == ["bucket-1.key", "worker.key"]
    assert {path.stat().st_mode & 0o077 for path in (given, *given.iterdir())} == {0}
