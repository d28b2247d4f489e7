"""Kubernetes: Helm does the work. The chart's hook migrates, and a release that does not become healthy is taken back by Helm itself."""

import json
from pathlib import Path

from scripts.deploying.backend import Check
from scripts.deploying.commands import Done, Runner, expect
from scripts.deploying.environment import ROOT, Environment
from scripts.deploying.failures import Failed
from scripts.deploying.images import pinned
from scripts.deploying.migrations import migrated


class KubernetesBackend:
    """A version is an image with its digest."""

    def __init__(self, environment: Environment, runner: Runner, image: str, *, without_backup: bool = False) -> None:
        self._environment = environment
        self._kubernetes = environment.kubernetes
        self._runner = runner
        self._image = image
        self._without_backup = without_backup

    def current(self) -> str | None:
        return self._image_of(None)

    def former(self) -> str | None:
        number = self._former_revision()
        return self._image_of(number) if number is not None else None

    def version(self) -> str:
        pinned(self._image)
        return self._image

    def preflight(self) -> list[Check]:
        cluster = self._runner.run(["kubectl", "--namespace", self._kubernetes.namespace, "auth", "can-i", "create", "deployments"])
        helm = self._runner.run(["helm", "version", "--short"])
        return [
            Check("Helm", helm.out.strip(), "" if helm.code == 0 else "helm can't be run"),
            Check("cluster", "may deploy", "" if cluster.code == 0 else f"no right to deploy into {self._kubernetes.namespace}"),
        ]

    def build(self, version: str) -> str:
        return "the nodes pull it"

    def check(self, version: str) -> str:
        expect(self._upgrade(version, "--dry-run=server"), "checking the values")
        return "the cluster accepts it"

    def fits(self, version: str) -> str:
        return "the pods of an earlier version refuse a schema that they can't work on; Helm goes back then"

    def backup(self, version: str) -> str:
        if self._without_backup or self.current() is None:
            return "left out, as told" if self._without_backup else "nothing to back up yet"
        expect(self._kubectl("exec", f"deployment/{self._kubernetes.release}-api", "--", "ai-popup", "backup", "now"), "making a backup")
        return "made"

    def migrate(self, version: str) -> str:
        return "by the chart's hook, before the pods are replaced"

    def left(self, version: str) -> int:
        return int(json.loads(expect(self._migrate("--plan", "--expand"), "asking for the migrations"))["left"])

    def contract(self, version: str) -> str:
        return migrated(json.loads(expect(self._migrate(), "taking the contract steps")))

    def switch(self, version: str | None) -> str:
        if version is None:
            expect(self._helm("uninstall", self._kubernetes.release, "--keep-history", "--wait"), "taking the release back")
            return "uninstalled"
        if version == self.current():
            return "is there"
        if version == self.former():
            expect(self._helm("rollback", self._kubernetes.release, str(self._former_revision()), "--wait", *self._limit()), "going back")
            return "rolled back"
        expect(self._upgrade(version, "--atomic", "--wait", *self._limit()), "upgrading the release; Helm took it back")
        return "replaced pod by pod"

    def gate(self, version: str) -> str:
        if (found := self.current()) != version:
            raise Failed(f"{found or 'nothing'} is deployed")
        limit = f"--timeout={round(self._environment.gate_s)}s"
        expect(self._kubectl("rollout", "status", f"deployment/{self._kubernetes.release}-api", limit), "waiting for the pods")
        return "rolled out"

    def retire(self, version: str, former: str | None) -> str:
        return "Helm keeps the history"

    # -- commands ----------------------------------------------------------------------------------------------------------------
    def _upgrade(self, version: str, *more: str) -> Done:
        repository, digest = pinned(version)
        values = [word for each in self._kubernetes.values for word in ("--values", str(_place(each)))]
        image = ["--set-string", f"image.repository={repository}", "--set-string", f"image.digest={digest}"]
        chart = str(_place(self._kubernetes.chart))
        return self._helm("upgrade", self._kubernetes.release, chart, "--install", "--create-namespace", *values, *image, *more)

    def _migrate(self, *words: str) -> Done:
        return self._kubectl("exec", f"deployment/{self._kubernetes.release}-api", "--", "ai-popup", "server", "migrate", "--json", *words)

    def _image_of(self, revision: int | None) -> str | None:
        words = ["get", "values", self._kubernetes.release, "--all", "--output", "json"]
        done = self._helm(*words, *(["--revision", str(revision)] if revision is not None else []))
        if done.code != 0:
            return None
        image = json.loads(done.out).get("image", {})
        return f"{image['repository']}@{image['digest']}" if image.get("repository") and image.get("digest") else None

    def _former_revision(self) -> int | None:
        """Return the newest one that served before the present one."""
        done = self._helm("history", self._kubernetes.release, "--output", "json")
        served = [each["revision"] for each in json.loads(done.out) if each["status"] == "superseded"] if done.code == 0 else []
        return max(served, default=None)

    def _helm(self, *words: str) -> Done:
        return self._runner.run(["helm", *words, "--namespace", self._kubernetes.namespace])

    def _kubectl(self, *words: str) -> Done:
        return self._runner.run(["kubectl", "--namespace", self._kubernetes.namespace, *words])

    def _limit(self) -> list[str]:
        return ["--timeout", f"{round(self._environment.gate_s)}s"]


def _place(path: str) -> Path:
    return Path(path) if Path(path).is_absolute() else ROOT / path
