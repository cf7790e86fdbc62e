"""Every check of the project, each in an environment of its own; plain `nox` runs them all.

Versions, extras and test requirements are read from pyproject.toml: a new extra with an
adapter of its name gets its session with no edit here.
"""

from __future__ import annotations

import os
import pathlib
import shutil
from collections.abc import Callable

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_external_run = True
nox.options.reuse_existing_virtualenvs = True

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
TEST = nox.project.dependency_groups(PROJECT, "test")
EXTRAS = PROJECT["project"]["optional-dependencies"]
ADAPTERS = [name.replace("_", "-") for name in PROJECT["project"]["entry-points"]["plugbay.adapters"]]

FRAMEWORKS = {"pydantic-ai": "pydantic_ai", "langchain": "langchain", "openai-agents": "agents", "fastmcp": "fastmcp"}
"""The package that each extra brings, and that no other may."""


BESIDE = "4"
"""Tests that run at once: most of them wait, for processes, sockets and disks."""

ROOM = 4 * 2**30
"""Bytes that the databases of many tests may take."""


def _absent(session: nox.Session, extras: list[str]) -> None:
    """Fails if a framework can be imported that is not one of `extras`, or one of `extras` cannot."""
    wanted = {FRAMEWORKS[extra] for extra in extras}
    others = set(FRAMEWORKS.values()) - wanted
    check = (
        "from importlib.util import find_spec as f\n"
        f"there = [name for name in {sorted(others)} if f(name)]\n"
        f"missing = [name for name in {sorted(wanted)} if not f(name)]\n"
        "assert not there and not missing, (there, missing)"
    )
    session.run("python", "-c", check)


def _has_system(session: nox.Session, packages: str, is_there: Callable[[], bool]) -> bool:
    """Whether programs of the system are there, after installing Debian's packages of them where that is possible."""
    if not is_there() and os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        session.run("apt-get", "update", "-q", external=True, silent=True, success_codes=range(256))
        command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages.split()]
        session.run(*command, external=True, silent=True, success_codes=range(256))
    return is_there()


def _with_postgres(session: nox.Session) -> list[str]:
    """What is put before a command so that it has a PostgreSQL; nothing where there is none."""
    if _has_system(session, "postgresql", lambda: any(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))):
        return ["python", "tests/server/postgres.py"]
    session.warn("There is no PostgreSQL, and it cannot be installed from here: its tests are left out.")
    return []


@nox.session(python=PYTHONS)
def core(session: nox.Session) -> None:
    """The core, its connectors, the hosted client and the sandbox, with no agent framework installed."""
    session.install(".", *TEST)
    _absent(session, [])
    session.run("python", "-c", "import plugbay.connectors.zendesk_support, plugbay.connectors.zendesk_talk")
    session.install(".[sandbox,keyring,otel]", *nox.project.dependency_groups(PROJECT, "beside"))
    _absent(session, [])
    elsewhere = [f"--ignore=tests/{room}" for room in ("adapters", "browser", "chaos", "server", "vendor")]
    session.run("pytest", "tests", "-n", BESIDE, *elsewhere, *session.posargs)


@nox.session
@nox.parametrize("extra", ADAPTERS, ids=ADAPTERS)
def adapter(session: nox.Session, extra: str) -> None:
    """One adapter, with its own extra alone."""
    session.install(f".[{extra}]", *TEST)
    _absent(session, [extra])
    session.run("python", "-c", f"import plugbay_adapters.{extra.replace('-', '_')}")
    # The tests also drive the framework's own OpenAI client, and a sandbox to talk to.
    session.install(".[sandbox]", *nox.project.dependency_groups(PROJECT, f"wire-{extra}"))
    _absent(session, [extra])
    session.run("pytest", "tests/adapters", "tests/contract", *session.posargs)


@nox.session
def together(session: nox.Session) -> None:
    """All frameworks in one environment, the examples, and the demo."""
    session.install(".[all]", *TEST)
    _absent(session, ADAPTERS)
    session.run("pytest", "tests/adapters", "tests/contract", "tests/examples", *session.posargs)
    # The demo is offline here, whatever keys the shell has.
    session.run("plugbay", "demo", env={"AGENT_MODEL": None, "OPENAI_API_KEY": None})


@nox.session
def client(session: nox.Session) -> None:
    """An independent Zendesk client against the sandbox."""
    session.install(".[sandbox]", *TEST, *nox.project.dependency_groups(PROJECT, "client"))
    session.run("pytest", "tests/clients", *session.posargs)


@nox.session
def server(session: nox.Session) -> None:
    """The server, on SQLite and on a PostgreSQL of its own, with everything that it speaks to."""
    session.install(".[server,sandbox,fastmcp,otel]", *TEST, *nox.project.dependency_groups(PROJECT, "server"))
    _absent(session, ["fastmcp"])
    # Each test has a server and a database of its own: they run beside each other, and in memory where there is room.
    room = pathlib.Path("/dev/shm")
    quick = {"TMPDIR": str(room)} if room.is_dir() and shutil.disk_usage(room).free > ROOM else {}
    tests = ["tests/server", "tests/docs/test_hosting.py"]
    session.run(*_with_postgres(session), "pytest", *tests, "-n", BESIDE, *session.posargs, env=quick)


@nox.session
def browser(session: nox.Session) -> None:
    """The web page in a headless Chromium."""
    session.install(".[server,sandbox]", *TEST, *nox.project.dependency_groups(PROJECT, "browser"))
    if not _has_system(session, "chromium chromium-driver", lambda: bool(shutil.which("chromedriver"))):
        session.skip("There is no Chromium, and it cannot be installed from here.")
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def vendor(session: nox.Session) -> None:
    """The vendor's published client against the server."""
    session.install(".[server,sandbox]", *TEST, *nox.project.dependency_groups(PROJECT, "vendor"))
    # It leaves connections to the garbage collector, which is no failure of ours.
    lenient = ["-p", "no:unraisableexception", "-W", "ignore"]
    session.run("pytest", "tests/vendor", *lenient, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and the floors that imports may not climb."""
    session.install(".", *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
@nox.parametrize("checker", ["mypy", "pyright"], ids=["mypy", "pyright"])
def typing(session: nox.Session, checker: str) -> None:
    """Types of the library, the adapters, the examples, and of what a user sees."""
    session.install(".[all]", *TEST, *nox.project.dependency_groups(PROJECT, "typing"))
    session.run(checker)
    session.run(checker, "tests/typing/api.py")


@nox.session
def package(session: nox.Session) -> None:
    """Wheel and sdist: built, looked into, and the wheel used from elsewhere."""
    session.install(*TEST, *nox.project.dependency_groups(PROJECT, "package"))
    dist = pathlib.Path(session.create_tmp()) / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(dist), silent=True)
    wheel = next(dist.glob("*.whl"))
    session.run("twine", "check", "--strict", *map(str, dist.iterdir()))
    session.run("check-wheel-contents", str(wheel))
    session.install(f"plugbay[sandbox] @ {wheel.resolve().as_uri()}")
    session.run("pytest", "tests/packaging", env={"PLUGBAY_DIST": str(dist)})
    with session.chdir(session.create_tmp()):
        session.run("plugbay", "tools", "zendesk-support", silent=True)
        session.run("python", "-c", "import plugbay_examples.scene, plugbay_adapters")


@nox.session
def chaos(session: nox.Session) -> None:
    """Random operations under faults, held against a model of the account."""
    session.install(".[sandbox]", *TEST)
    session.run("pytest", "tests/chaos")
    session.run("python", "-m", "chaos", *(session.posargs or ["--operations", "400", "--seconds", "30"]))


@nox.session
def cluster(session: nox.Session) -> None:
    """Three processes of the server on one PostgreSQL, killed under load."""
    session.install(".[server,sandbox]", *TEST)
    if not _with_postgres(session):
        session.skip("There is no PostgreSQL, and it cannot be installed from here.")
    session.run("python", "-m", "chaos.cluster", *(session.posargs or ["--seconds", "30", "--kills", "6"]))


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Figures, ours beside their baselines, in one run."""
    session.install(".[server]", *nox.project.dependency_groups(PROJECT, "benchmarks"))
    session.run("python", "benchmarks/run.py", *session.posargs)
