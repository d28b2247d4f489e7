"""Checks the Helm chart of the server: `python scripts/chart.py [--update | --show FILE]`, without a cluster or a `helm`.

Renders the chart with each file of its folder `ci`, by Helm's own code; lints it strictly; validates each manifest against the schemas of
the oldest and the newest Kubernetes, and custom resources against ours of what we use (`tests/packages/server/chart/resources.json`);
compares the manifests with those in `tests/packages/server/chart/golden`. `--update` writes them anew, and the program's version
into Chart.yaml. `--show FILE` prints what the chart makes of a file of values. Installs its packages, by their lock, into
build/charts first.
"""

import argparse
import hashlib
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent import __version__  # noqa: E402
from scripts.setup import uv  # noqa: E402

CHART = ROOT / "installers" / "server" / "helm" / "ai-popup"
TESTS = ROOT / "tests" / "packages" / "server" / "chart"
LOCK = ROOT / "installers/locks/requirements-charts.lock"
PACKAGES = ROOT / "build" / "charts"
RELEASE, NAMESPACE = "photos", "team"
KUBERNETES = ("1.29", "1.37")  # the chart's kubeVersion, and the newest whose schemas the package has
_MARK = "lock.sha256"
_INSTALL_S = 600
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the chart makes of some values: manifests, or why it refuses them. `problems` are those of lint and schemas."""

    manifests: list[Manifest]
    problems: list[str]
    refused: str = ""


def install() -> None:
    """Install the lock file's packages into build/charts, unless they are there."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    mark = PACKAGES / _MARK
    if mark.exists() and mark.read_text(encoding="ascii") == digest:
        return
    python = Path(sys.executable)
    words = ["pip", "install", "--python", str(python), "--require-hashes", "--no-deps", "--target", str(PACKAGES), "-r", str(LOCK)]
    program = python.with_name("uv")
    subprocess.run([str(program), *words], env=uv.settings(python), cwd=uv.folder(), check=True, capture_output=True, timeout=_INSTALL_S)
    mark.write_text(digest, encoding="ascii")


def rendered(cases: Sequence[Mapping[str, Any]], *, upgrade: bool = False, chart: Path = CHART) -> list[Rendered]:
    """Render each case of values. In a process of its own: Helm's library is large, and handles signals itself."""
    install()
    asked = json.dumps({"cases": cases, "upgrade": upgrade, "chart": str(chart)})
    command = [sys.executable, "-P", str(Path(__file__)), "--answer"]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, encoding="utf-8", timeout=_INSTALL_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return [Rendered(**each) for each in json.loads(done.stdout)]


def values_of(name: str) -> dict[str, Any]:
    """Read a file of values from the chart's folder `ci`."""
    return read_yaml(CHART / "ci" / f"{name}.yaml")


def read_yaml(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = _yaml().safe_load(path.read_text(encoding="utf-8"))
    return found


def examples() -> list[str]:
    return sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))


def golden(manifests: Sequence[Manifest]) -> str:
    """Return the manifests as text, without what other files decide: the program's version, alert rules, dashboards."""
    kept = [each for each in manifests if each["kind"] != "PrometheusRule" and not _is_dashboard(each)]
    head = "# Made by `python scripts/chart.py --update`; not to be edited by hand.\n"
    dumped = _yaml().safe_dump_all(kept, sort_keys=True, width=140, allow_unicode=True)
    # The sums and names follow from the rest, and would change with the version.
    dumped = re.sub(r"(checksum/settings: )[0-9a-f]{64}", r"\1…", str(dumped))
    dumped = re.sub(r"(-migrate-)[0-9a-f]{8}", r"\1…", dumped)
    return head + re.sub(rf"(?<![\d.]){re.escape(__version__)}(?![\d.])", "VERSION", dumped)


def _is_dashboard(manifest: Manifest) -> bool:
    return "grafana_dashboard" in manifest["metadata"].get("labels", {})


def _yaml() -> Any:
    _reach()
    return importlib.import_module("yaml")


def _reach() -> None:
    """Make the packages in build/charts importable, after those of the environment."""
    if str(PACKAGES) not in sys.path:
        install()
        sys.path.append(str(PACKAGES))


def _answer() -> None:
    """Render what standard input asks for."""
    _reach()
    asked = json.load(sys.stdin)
    helm = importlib.import_module("helm_python")
    found = []
    with helm.Chart.load(asked["chart"]) as chart:
        for values in asked["cases"]:
            try:
                files = chart.render(
                    values, name=RELEASE, namespace=NAMESPACE, is_install=not asked["upgrade"], is_upgrade=asked["upgrade"], revision=1
                )
            except helm.HelmError as error:
                found.append({"manifests": [], "problems": [], "refused": str(error)})
                continue
            manifests = [each for path, text in files.items() if path.endswith(".yaml") for each in _yaml().safe_load_all(text) if each]
            lint = helm.lint(asked["chart"], values, strict=True)
            problems = [*lint["errors"], *(each["error"] for each in lint["messages"] if each["severity"] > 1)]
            found.append({"manifests": manifests, "problems": [*problems, *_invalid(manifests)]})
    json.dump(found, sys.stdout)


def _invalid(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Yield how manifests differ from their schemas."""
    known = importlib.import_module("kubernetes_validate")
    schemas = importlib.import_module("jsonschema")
    ours = json.loads((TESTS / "resources.json").read_text(encoding="utf-8"))
    for manifest in manifests:
        called = f"{manifest['kind']} {manifest['metadata']['name']}"
        for version in KUBERNETES:
            try:
                known.validate(manifest, version, strict=True)
            except known.SchemaNotFoundError:
                kind = f"{manifest['apiVersion']}/{manifest['kind']}"
                if kind not in ours["$defs"]:
                    yield f"{called}: no schema for {kind}"
                    break
                validator = schemas.Draft202012Validator({"$defs": ours["$defs"], "$ref": f"#/$defs/{kind.replace('/', '~1')}"})
                yield from (f"{called}: {each.json_path}: {each.message}" for each in validator.iter_errors(manifest))
                break
            except known.ValidationError as error:
                yield f"{called} on {version}: {'.'.join(map(str, error.path))}: {error.message}"


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--show", type=Path, metavar="FILE")
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    if asked.answer:
        _answer()
        return 0
    if asked.update:
        described = (CHART / "Chart.yaml").read_text(encoding="utf-8")
        described = re.sub(r'^appVersion: ".*"$', f'appVersion: "{__version__}"', described, flags=re.MULTILINE)
        (CHART / "Chart.yaml").write_text(described, encoding="utf-8", newline="\n")
    values = [read_yaml(asked.show)] if asked.show else [values_of(name) for name in examples()]
    found, failed = rendered(values), False
    for name, each in zip([str(asked.show)] if asked.show else examples(), found, strict=True):
        for problem in (*([each.refused] if each.refused else []), *each.problems):
            print(f"{name}: {problem}", file=sys.stderr)
            failed = True
        if asked.show:
            print(_yaml().safe_dump_all(each.manifests, sort_keys=False, width=140, allow_unicode=True), end="")
            continue
        path, made = TESTS / "golden" / f"{name}.yaml", golden(each.manifests)
        if asked.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made, encoding="utf-8", newline="\n")
        elif not path.exists() or path.read_text(encoding="utf-8") != made:
            print(f"{name}: other manifests than in {path.relative_to(ROOT)}: python scripts/chart.py --update", file=sys.stderr)
            failed = True
        else:
            print(f"{name}: {len(each.manifests)} manifests")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
