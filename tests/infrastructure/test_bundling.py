"""The packages that the functions run from. Made for real, once: they need the package index only the first time."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lambdas.stages.catalogue import STAGES
from stacks import bundling, interpreters
from stacks.bundling import Package, Packages
from stacks.settings import Settings
from tests.infrastructure.conftest import ROOT

MB = 1_000_000
API_MODULES = ("api", "start_execution", "bury_message", "clean_up", "settle_failed")
HANDLERS = {"api": API_MODULES, "stages": ("run_stage",)}
"""What functions of a package begin with."""
UNCHECKED_HASH = 0b01
"""PEP 552: by a hash of the source, which nobody compares."""

COUNT_COMPILATIONS = """
import json, sys
compiled = []
sys.addaudithook(lambda event, given: event == "compile" and compiled.append(str(given[1])))
import {modules}
print(json.dumps([name for name in compiled if name.startswith({root!r})]))
"""


@pytest.fixture(scope="module")
def for_aws(environments: dict[str, Any]) -> Packages:
    settings = Settings.from_context(environments, "prod")
    return bundling.pack(ROOT, bundling.managed(settings.runtime, settings.architecture))


@pytest.fixture(scope="module")
def for_host() -> Packages:
    return bundling.pack(ROOT, bundling.host())


def test_api_package_leaves_image_libraries_and_stages_out(for_aws: Packages) -> None:
    names = set(_names(for_aws.api))
    assert {f"lambdas/handlers/{module}.py" for module in API_MODULES} <= names
    assert {"lambdas/stages/catalogue.py", "lambdas/stages/contract.py", "lambdas/config.py"} <= names
    assert not [name for name in names if name.startswith(("PIL/", "zxingcpp", "pillow"))]
    assert "lambdas/stages/inspect.py" not in names


def test_api_package_runs_the_stages_that_need_no_image_library(for_host: Packages, tmp_path: Path) -> None:
    _unpack(for_host.api, tmp_path)
    stages = [stage.name for stage in STAGES if not stage.image_libraries]
    program = "; ".join(
        ["import sys", f"sys.path.insert(0, {str(tmp_path)!r})", "import lambdas.handlers.run_stage"]
        + [f"import lambdas.stages.{name}" for name in stages]
        + ["print(*sys.modules)"]
    )
    python = re.search(r'exec "([^"]+)"', (tmp_path / "bootstrap").read_text())
    assert python
    printed = subprocess.run(  # noqa: S603 - our own program
        [python[1], "-I", "-S", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert stages == ["labels"]
    assert not {"PIL", "zxingcpp", "aws_lambda_powertools"} & {name.partition(".")[0] for name in printed.split()}


def test_packages_go_without_the_sdk(for_aws: Packages) -> None:
    for package in (for_aws.api, for_aws.stages):
        assert not [name for name in _names(package) if name.startswith(("boto3/", "botocore/", "s3transfer/"))]


def test_stages_package_holds_every_stage(for_aws: Packages) -> None:
    names = set(_names(for_aws.stages))
    assert "PIL/__init__.py" in names
    for stage in STAGES:
        if (ROOT / "lambdas" / "stages" / f"{stage.name}.py").exists():
            assert f"lambdas/stages/{stage.name}.py" in names


def test_packages_stay_small(for_aws: Packages) -> None:
    # Cold starts fetch and unpack them. Lambda's own limit is 250 MB unpacked.
    assert for_aws.api.path.stat().st_size <= 3 * MB
    assert _unpacked(for_aws.api) < 15 * MB
    assert for_aws.stages.path.stat().st_size <= 10 * MB
    assert _unpacked(for_aws.stages) < 35 * MB


def test_compiled_libraries_are_for_the_function_and_not_for_this_machine(for_aws: Packages) -> None:
    libraries = [name for name in _names(for_aws.stages) if re.search(r"cpython.*\.so$", name)]
    assert libraries
    assert all("cpython-313-aarch64" in name for name in libraries)


def test_bytecode_is_there_and_stays_valid(for_aws: Packages) -> None:
    if for_aws.warnings:
        pytest.skip("this machine has no Python 3.13: the packages go without bytecode")
    for package in (for_aws.api, for_aws.stages):
        with zipfile.ZipFile(package.path) as archive:
            names = set(archive.namelist())
            for name in names:
                if name.endswith(".py"):
                    folder, _, module = name.rpartition("/")
                    compiled = f"{folder}/__pycache__/{module[:-3]}.cpython-313.pyc".lstrip("/")
                    assert compiled in names
                    assert archive.read(compiled)[4] == UNCHECKED_HASH


def test_nothing_names_this_machine(for_aws: Packages) -> None:
    for package in (for_aws.api, for_aws.stages):
        names = _names(package)
        assert not [name for name in names if name.startswith("bin/") or name.endswith(("RECORD", "INSTALLER"))]
        with zipfile.ZipFile(package.path) as archive:
            here = str(ROOT).encode()
            assert not [name for name in names if name.startswith("lambdas/") and here in archive.read(name)]


@pytest.mark.parametrize("package", ["api", "stages"])
def test_host_package_starts_on_its_own_and_compiles_nothing(for_host: Packages, package: str, tmp_path: Path) -> None:
    _unpack(getattr(for_host, package), tmp_path)
    python = re.search(r'exec "([^"]+)"', (tmp_path / "bootstrap").read_text())
    assert python
    assert _compiled_by_importing(tmp_path, Path(python[1]), _modules(tmp_path, HANDLERS[package])) == []


@pytest.mark.parametrize("package", ["api", "stages"])
def test_package_for_aws_compiles_nothing_under_the_python_of_lambda(
    for_aws: Packages, package: str, tmp_path: Path
) -> None:
    python = interpreters.find("3.13")
    if python is None:
        pytest.skip("this machine has no Python 3.13")
    _unpack(getattr(for_aws, package), tmp_path)
    # What is compiled for another processor cannot be imported here; the bytecode of all the rest is looked at.
    modules = [f"lambdas.handlers.{name}" for name in HANDLERS[package]]
    assert _compiled_by_importing(tmp_path, python, modules) == []


def test_counting_compilations_notices_bytecode_that_is_not_valid(for_host: Packages, tmp_path: Path) -> None:
    _unpack(for_host.api, tmp_path)
    for compiled in (tmp_path / "lambdas").rglob("*.pyc"):
        compiled.unlink()
    found = _compiled_by_importing(tmp_path, Path(sys.executable), ["lambdas.config"])
    assert [Path(name).name for name in found] == ["__init__.py", "config.py"]


def _modules(folder: Path, handlers: tuple[str, ...]) -> list[str]:
    """Every module of ours that is in a package: some handlers, the adapters and, where they are, the stages."""
    return sorted(
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in (folder / "lambdas").rglob("*.py")
        if path.name != "__init__.py" and (path.parent.name != "handlers" or path.stem in handlers)
    )


def _compiled_by_importing(folder: Path, python: Path, modules: list[str]) -> list[str]:
    """Import modules in a bare Python that may not write bytecode; return the sources that it had to compile."""
    program = COUNT_COMPILATIONS.format(modules=", ".join(modules), root=str(folder))
    done = subprocess.run(  # noqa: S603 - our own package
        [str(python), "-P", "-S", "-c", program],
        env={
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "POWERTOOLS_SERVICE_NAME": "darkroom",
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    compiled: list[str] = json.loads(done.stdout)
    return compiled


def test_bootstrap_can_be_executed(for_host: Packages) -> None:
    with zipfile.ZipFile(for_host.api.path) as archive:
        assert archive.getinfo("bootstrap").external_attr >> 16 & 0o111
        assert b"-m awslambdaric" in archive.read("bootstrap")


def test_unchanged_package_is_not_made_again(for_host: Packages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundling, "_run", _must_not_run)
    assert bundling.pack(ROOT, bundling.host()) == for_host


@pytest.fixture
def small_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our own sources, with nothing to install."""
    for name in ("one", "two"):
        shutil.copytree(ROOT / "lambdas", tmp_path / name / "lambdas", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(bundling._Bundler, "_install", lambda _self, target, _files: target.mkdir())
    return tmp_path


@pytest.fixture
def plain_platform() -> bundling.Platform:
    return bundling.Platform(name="test", pip_arguments=(), compiler=Path(sys.executable))


def test_same_sources_make_the_same_bytes(small_project: Path, plain_platform: bundling.Platform) -> None:
    one, two = (bundling.pack(small_project / name, plain_platform) for name in ("one", "two"))
    assert one.stages.digest == two.stages.digest
    assert one.stages.path.read_bytes() == two.stages.path.read_bytes()


def test_edit_changes_only_the_packages_that_hold_it(small_project: Path, plain_platform: bundling.Platform) -> None:
    before = bundling.pack(small_project / "one", plain_platform)
    with (small_project / "one" / "lambdas" / "stages" / "inspect.py").open("a") as stage:
        stage.write("\n# An edit.\n")
    after = bundling.pack(small_project / "one", plain_platform)
    assert after.api == before.api
    assert after.stages.digest != before.stages.digest


def test_old_packages_are_forgotten(small_project: Path, plain_platform: bundling.Platform) -> None:
    root = small_project / "one"
    for edit in range(bundling.PACKAGES_KEPT + 2):
        (root / "lambdas" / "config.py").write_text(f"edit = {edit}\n")
        newest = bundling.pack(root, plain_platform)
    kept = list((root / ".cache" / "bundles").glob("api-*.zip"))
    assert len(kept) == bundling.PACKAGES_KEPT
    assert newest.api.path in kept


def test_failing_pip_says_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "lambdas").mkdir()
    (tmp_path / "lambdas" / "requirements.lock").write_text("not a requirement\n")
    platform = bundling.Platform(name="test", pip_arguments=(), compiler=None)
    with pytest.raises(bundling.BundlingError, match=r"pip install said:"):
        bundling.pack(tmp_path, platform)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A package that could be installed: it has a name, a release and nothing in it."""
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        archive.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("demo-1.0.dist-info/RECORD", "")
    return path


@pytest.mark.parametrize(
    ("hashed", "refusal"),
    [("{true}", None), ("0" * 64, "DO NOT MATCH THE HASHES"), ("", "missing from some requirements")],
)
def test_package_is_installed_only_with_the_hash_that_is_written_down(
    hashed: str, refusal: str | None, wheel: Path, tmp_path: Path
) -> None:
    digest = hashed.format(true=hashlib.sha256(wheel.read_bytes()).hexdigest())
    line = f"{wheel.as_uri()} --hash=sha256:{digest}" if digest else wheel.as_uri()
    for folder in (tmp_path / "lambdas", tmp_path / "lambdas" / "stages"):
        folder.mkdir()
        (folder / "requirements.lock").write_text(line + "\n")
    platform = bundling.Platform(name="test", pip_arguments=(), compiler=None)
    if refusal is None:
        assert "demo-1.0.dist-info/METADATA" in _names(bundling.pack(tmp_path, platform).api)
    else:
        with pytest.raises(bundling.BundlingError, match=refusal):
            bundling.pack(tmp_path, platform)


def test_without_a_compiler_the_cost_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "find", lambda _version: None)
    (warning,) = bundling.managed("python3.13", "arm64").warnings
    assert "2.5 times" in warning
    assert "DARKROOM_PYTHON313" in warning


def test_warning_is_shown_at_synthesis(cdk_context: dict[str, Any], empty_packages: Packages) -> None:
    import aws_cdk
    from aws_cdk.assertions import Annotations, Match

    import app

    cdk_app = aws_cdk.App(analytics_reporting=False, context=cdk_context)
    packages = Packages(api=empty_packages.api, stages=empty_packages.stages, warnings=("It will be slow.",))
    stack = app.add_stack(cdk_app, "test", app.settings_of(cdk_app, "dev"), packages)
    Annotations.from_stack(stack).has_warning("*", Match.string_like_regexp("It will be slow"))


def test_interpreter_that_does_not_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "none"))
    monkeypatch.setenv("DARKROOM_PYTHON313", str(shim))
    assert interpreters.find("3.13") is None


def test_interpreter_that_was_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    monkeypatch.setenv(interpreters.override_variable(version), sys.executable)
    assert interpreters.find(version) == Path(sys.executable)


def _must_not_run(_command: list[str]) -> None:
    raise AssertionError("something was installed or compiled")


def _names(package: Package) -> list[str]:
    with zipfile.ZipFile(package.path) as archive:
        return archive.namelist()


def _unpacked(package: Package) -> int:
    with zipfile.ZipFile(package.path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _unpack(package: Package, folder: Path) -> None:
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(folder)
