"""Packing the functions' code with its dependencies, for the Lambda's platform or for this host, without Docker.

A package is named after a hash of all that goes into it and kept in the cache, so that an unchanged one costs nothing
and needs no network. Its bytecode is compiled here: /var/task is read-only, so without it every cold start compiles.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stacks import interpreters

RECIPE = 2
"""Raise it when this module packs the same input differently."""

GLIBC = ("2_34", "2_28", "2_27", "2_26", "2_17")
"""Amazon Linux 2023 has 2.34. With the oldest alone, pip silently takes old releases of some wheels, none of others."""

WHEEL_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
TASK_ROOT = "/var/task"
WITHOUT_IMAGE_LIBRARIES = (
    *("__init__", "catalogue", "contract"),  # what describes the stages
    *("containment", "image_limits"),  # what the envelope around them imports
    *("labels", "plain_text"),
)
"""Modules of the stages that go into the small package."""
PACKAGES_KEPT = 6
"""Of each name, in the cache: enough to go back and forth between branches and environments."""

NO_BYTECODE = (
    "No Python {version} was found to compile the functions' bytecode with: every cold start will take about 2.5 times "
    "as long. Install Python {version}, or say where it is in {variable}, and synthesize again."
)


class BundlingError(RuntimeError):
    """A package could not be made; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A zip file for Lambda."""

    path: Path
    digest: str
    """Of what went in. The file's own bytes depend on the compiler's mood."""


@dataclass(frozen=True, kw_only=True)
class Packages:
    """What the functions run. `stages` holds the image libraries too, which the others should not have to load.

    A stage that needs no image library runs from `api`.
    """

    api: Package
    stages: Package
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Where the code will run."""

    name: str
    pip_arguments: tuple[str, ...]
    compiler: Path | None
    extra_requirements: tuple[str, ...] = ()
    files: Mapping[str, str] | None = None
    """Executables to add at the root."""
    compression: int = 6
    warnings: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Changes whenever a package made for the platform would."""
        return json.dumps([RECIPE, self.name, self.pip_arguments, str(self.compiler), dict(self.files or {})])


def managed(runtime: str, architecture: str) -> Platform:
    """Describe a managed Python runtime of AWS, such as `python3.13`."""
    version = runtime.removeprefix("python")
    compiler = interpreters.find(version)
    variable = interpreters.override_variable(version)
    warning = NO_BYTECODE.format(version=version, variable=variable)
    machine = WHEEL_MACHINES[architecture]
    tags = [f"manylinux_{glibc}_{machine}" for glibc in GLIBC] + [f"manylinux2014_{machine}"]
    return Platform(
        name=f"{runtime}-{architecture}",
        pip_arguments=(
            *("--python-version", version, "--implementation", "cp"),
            *(argument for tag in tags for argument in ("--platform", tag)),
        ),
        compiler=compiler,
        warnings=() if compiler else (warning,),
    )


def host() -> Platform:
    """Describe this machine, where a `bootstrap` starts this Python, bare, under AWS's own runtime client."""
    # Not the virtual environment's: what the bundle forgot must be missing here as it would be on AWS.
    python = Path(getattr(sys, "_base_executable", sys.executable))
    return Platform(
        name=f"host-{sys.platform}-{os.uname().machine}-{sys.version_info[0]}.{sys.version_info[1]}",
        pip_arguments=(),
        compiler=python,
        extra_requirements=("laptop/requirements-runtime.lock",),
        files={
            "bootstrap": "#!/bin/sh\n"
            'export PYTHONPATH="$LAMBDA_TASK_ROOT" PYTHONDONTWRITEBYTECODE=1\n'
            # Only `make chaos` sets it: a program that ends as the runtime client, with faults in between.
            'if [ -n "$DARKROOM_FAULT_LAYER" ]; then\n'
            f'  exec "{python}" -P -S "$DARKROOM_FAULT_LAYER" "$_HANDLER"\n'
            "fi\n"
            f'exec "{python}" -P -S -m awslambdaric "$_HANDLER"\n'
        },
        compression=1,  # it never leaves the machine
    )


def pack(root: Path, platform: Platform) -> Packages:
    """Make both packages, or take them from the cache below the root. Raises BundlingError."""
    bundler = _Bundler(root, platform)
    return Packages(
        api=bundler.package(
            "api",
            sources=_sources(root, image_libraries=False),
            requirements=("lambdas/requirements.lock", *platform.extra_requirements),
        ),
        stages=bundler.package(
            "stages",
            sources=_sources(root, image_libraries=True),
            requirements=("lambdas/stages/requirements.lock", *platform.extra_requirements),
        ),
        warnings=platform.warnings,
    )


def _sources(root: Path, *, image_libraries: bool) -> tuple[Path, ...]:
    """List the modules of a package. Without image libraries, only those of the stages come along that need none."""
    stages = root / "lambdas" / "stages"
    without = {stages / f"{name}.py" for name in WITHOUT_IMAGE_LIBRARIES}
    modules = sorted((root / "lambdas").rglob("*.py"))
    return tuple(path for path in modules if image_libraries or not path.is_relative_to(stages) or path in without)


class _Bundler:
    """One platform's packages and their dependencies, in the cache."""

    def __init__(self, root: Path, platform: Platform) -> None:
        self._root = root
        self._platform = platform
        self._cache = root / ".cache" / "bundles"
        self._cache.mkdir(parents=True, exist_ok=True)

    def package(self, name: str, *, sources: tuple[Path, ...], requirements: tuple[str, ...]) -> Package:
        digest = self._digest([*sources, *(self._root / file for file in requirements)])
        path = self._cache / f"{name}-{self._platform.name}-{digest[:16]}.zip"
        if path.exists():
            path.touch()
        else:
            self._make(path, sources, self._dependencies(requirements))
            self._forget_older_than(path, name)
        return Package(path=path, digest=digest)

    def _make(self, path: Path, sources: tuple[Path, ...], dependencies: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self._cache) as folder:
            code = Path(folder) / "code"
            for source in sources:
                target = code / source.relative_to(self._root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            for file, text in (self._platform.files or {}).items():
                (code / file).write_text(text)
                (code / file).chmod(0o755)
            self._compile(code)
            _write_zip(Path(folder) / "package.zip", [code, dependencies], compression=self._platform.compression)
            (Path(folder) / "package.zip").replace(path)

    def _dependencies(self, requirements: tuple[str, ...]) -> Path:
        """Install once for each set of pins: an edit of our own code does not come here."""
        files = [self._root / file for file in requirements]
        path = self._cache / f"dependencies-{self._platform.name}-{self._digest(files)[:16]}"
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=self._cache) as folder:
                installed = Path(folder) / "dependencies"
                self._install(installed, files)
                _prune(installed)
                self._compile(installed)
                installed.rename(path)
        return path

    def _install(self, target: Path, files: Iterable[Path]) -> None:
        pins = [argument for file in files for argument in ("--requirement", str(file))]
        options = [
            "--quiet",
            "--no-compile",
            "--only-binary=:all:",
            "--require-hashes",
            "--disable-pip-version-check",
            "--target",
            str(target),
        ]
        _run([sys.executable, "-m", "pip", "install", *options, *self._platform.pip_arguments, *pins])

    def _compile(self, folder: Path) -> None:
        """Unchecked: CDK and zip files reset the dates by which ordinary bytecode is found to be stale."""
        if self._platform.compiler is None:
            return
        options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", TASK_ROOT]
        _run([str(self._platform.compiler), "-m", "compileall", *options, str(folder)])

    def _digest(self, files: Iterable[Path]) -> str:
        digest = hashlib.sha256(self._platform.key.encode())
        for file in files:
            digest.update(f"\0{file.relative_to(self._root).as_posix()}\0".encode())
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def _forget_older_than(self, newest: Path, name: str) -> None:
        packages = sorted(self._cache.glob(f"{name}-*.zip"), key=lambda file: file.stat().st_mtime, reverse=True)
        for package in packages[PACKAGES_KEPT:]:
            if package != newest:
                package.unlink(missing_ok=True)


def _prune(folder: Path) -> None:
    """Drop what never runs, and what names this machine. `METADATA` stays: packages ask for their own version."""
    shutil.rmtree(folder / "bin", ignore_errors=True)  # scripts that begin with the path of this Python
    for pattern in (
        "*.dist-info/RECORD",
        "*.dist-info/INSTALLER",
        "*.dist-info/REQUESTED",
        "**/*.pyi",
    ):
        for file in list(folder.glob(pattern)):
            file.unlink()


def _write_zip(path: Path, folders: Iterable[Path], *, compression: int) -> None:
    """Write files in one order and with one date, so that equal contents make equal zips."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=compression) as archive:
        for name, file in sorted(_named_files(folders)):
            entry = zipfile.ZipInfo(name)  # dated 1980
            entry.create_system = 3  # Unix, which has an executable bit
            entry.external_attr = (0o100755 if os.access(file, os.X_OK) else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes(), compresslevel=compression)


def _named_files(folders: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    for folder in folders:
        for file in filter(Path.is_file, folder.rglob("*")):
            yield file.relative_to(folder).as_posix(), file


def _run(command: list[str]) -> None:
    """Run pip or the compiler. Raises BundlingError with the last of what it said."""
    # A fixed hash seed: sets inside bytecode are then always written in the same order.
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PIP_ROOT_USER_ACTION": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise BundlingError(f"The functions could not be packed; {' '.join(command[1:4])} said:\n{said}")
