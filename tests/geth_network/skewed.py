"""A geth whose Clique has a clock that is off: the same sources, seen through `go build -overlay`.

Go programs ask the kernel's vDSO for the time, where neither libfaketime nor a time namespace reaches the wall clock.
"""

import json
import os
import subprocess
from pathlib import Path

import geth_network
from geth_network.programs import find_program
from geth_network.run_folder import CHECKOUT

MODULE = Path(geth_network.__file__).parent / "build"
CLOCK = Path(__file__).parent / "skew" / "skew.go"
PROGRAM = CHECKOUT / ".cache" / "skewed" / "geth"
CACHE = CHECKOUT / ".cache" / "go"
SOURCES = PROGRAM.parent / "sources"
PACKAGE = "github.com/ethereum/go-ethereum/"


def go(*arguments: str) -> str:
    """Runs go in geth's module, with the caches of scripts/setup, so that one package and the link are done anew."""
    caches = {"GOMODCACHE": str(CACHE / "mod"), "GOCACHE": str(CACHE / "build"), "GOPATH": str(CACHE)}
    environment = {**os.environ, **caches, "CGO_ENABLED": "1", "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local"}
    line = [str(find_program("go", None)), *arguments]
    done = subprocess.run(line, cwd=MODULE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def skewed_geth() -> Path:
    """The program; built unless it is newer than what it is made of."""
    sources = [CLOCK, Path(__file__), MODULE / "go.sum"]
    if PROGRAM.exists() and PROGRAM.stat().st_mtime > max(source.stat().st_mtime for source in sources):
        return PROGRAM
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    flags = ["-trimpath", "-ldflags=-s -w", f"-modfile={linked_module()}", f"-overlay={overlay()}"]
    go("build", *flags, "-o", str(PROGRAM), f"{PACKAGE}cmd/geth")
    return PROGRAM


def linked_module() -> Path:
    """A go.mod that finds geth's sources by a link: an overlay must not reach into Go's module cache."""
    SOURCES.unlink(missing_ok=True)
    SOURCES.symlink_to(go("list", "-m", "-f", "{{.Dir}}", PACKAGE.rstrip("/")))
    description = PROGRAM.parent / "go.mod"
    lines = (MODULE / "go.mod").read_text().splitlines()
    ours = [line for line in lines if not line.startswith(f"replace {PACKAGE.rstrip('/')} ")]
    description.write_text("\n".join([*ours, f"replace {PACKAGE.rstrip('/')} => {SOURCES}\n"]))
    description.with_suffix(".sum").write_text((MODULE / "go.sum").read_text())
    return description


def overlay() -> Path:
    """Clique's file with another clock, and the file of that clock."""
    clique, changed, description = (
        SOURCES / "consensus" / "clique",
        PROGRAM.parent / "clique.go",
        PROGRAM.parent / "overlay.json",
    )
    text = (clique / "clique.go").read_text()
    assert text.count("time.Now()") >= 3
    changed.write_text(text.replace("time.Now()", "skewedNow()"))
    replaced = {str(clique / "clique.go"): str(changed), str(clique / "skew.go"): str(CLOCK)}
    description.write_text(json.dumps({"Replace": replaced}))
    return description


def clock_of(node: str, offset: Path, program: Path) -> str:
    """A script in geth's place: that one node runs the skewed program by the seconds in `offset`, the others geth."""
    plain = find_program("geth", None)
    return (
        "#!/bin/sh\n"
        f'case "$*" in *"/nodes/{node}/"*--mine*)\n'
        f'  CLIQUE_CLOCK_OFFSET_S=$(cat "{offset}") exec "{program}" "$@" ;;\n'
        f'esac\nexec "{plain}" "$@"\n'
    )
