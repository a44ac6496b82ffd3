"""The contracts themselves: forge's tests, gas, coverage, artifacts, linters, and flaws seeded to be found."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.abi import ARTIFACTS, CONTRACTS, artifact, deployed_code, selectors
from contracts.compile import CompileError, compile_contracts, stale_artifacts, standard_input

ROOT = Path(__file__).resolve().parents[2]
TOOLS = f"{ROOT / '.venv/bin'}:{ROOT / 'node_modules/.bin'}:{os.environ['PATH']}"


def run(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of the checkout to its end."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PATH": TOOLS, "FOUNDRY_DISABLE_NIGHTLY_WARNING": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )


@pytest.mark.slow
def test_forge_finds_nothing_wrong() -> None:
    """Unit, fuzz and invariant tests pass on the code as it is deployed, at the gas that is committed."""
    done = run("forge", "test")
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) tests passed, 0 failed, 0 skipped", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 130, done.stdout


@pytest.mark.long
def test_forge_finds_nothing_wrong_in_the_long_run() -> None:
    """20,000 runs of every fuzz test, 250,000 calls under the invariants."""
    done = run("forge", "test", FOUNDRY_PROFILE="long")
    assert done.returncode == 0, done.stdout + done.stderr
    calls = re.search(r"invariantOfEverySale\(\) \(runs: \d+, calls: (\d+), reverts: 0\)", done.stdout)
    assert calls is not None, done.stdout
    assert int(calls[1]) >= 200_000


@pytest.mark.slow
def test_every_line_and_branch_is_covered(tmp_path: Path) -> None:
    """Coverage of our files is 100 % of lines, functions and branches."""
    report = tmp_path / "lcov.info"
    done = run(
        "forge",
        "coverage",
        "--exclude-tests",
        "--no-match-contract",
        "GasTest|InvariantsTest",
        "--report",
        "lcov",
        "--report-file",
        str(report),
        FOUNDRY_PROFILE="plain",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, dict[str, int]] = {}
    for line in report.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key == "SF":
            counts = found.setdefault(value, {})
        elif key in {"LF", "LH", "FNF", "FNH", "BRF", "BRH"}:
            counts[key] = int(value)
    for name in CONTRACTS:
        assert f"contracts/src/{name}.sol" in found
    for name, counts in found.items():
        for total, hit in (("LF", "LH"), ("FNF", "FNH"), ("BRF", "BRH")):
            assert counts[hit] == counts[total], (name, counts)


@pytest.mark.slow
@pytest.mark.row("B22")
def test_artifacts_reproduce_byte_for_byte() -> None:
    """What is committed is what the sources compile to."""
    assert stale_artifacts() == []


@pytest.mark.slow
def test_forge_tests_the_very_bytes_of_the_artifacts() -> None:
    """Forge's own compilation gives the code that is committed."""
    assert run("forge", "build").returncode == 0
    for name in CONTRACTS:
        built = json.loads((ROOT / f".cache/forge/out/{name}.sol/{name}.json").read_text(encoding="utf-8"))
        assert built["bytecode"]["object"] == artifact(name)["bytecode"]


def test_the_compiler_wrapper_answers_like_a_native_one() -> None:
    """`--version` for py-solc-x, standard JSON with and without the folders' options, an error for the rest."""
    solc = str(ROOT / ".cache/solc/solc-v0.8.30")
    assert "Version: 0.8.30+commit.73712a01" in run(solc, "--version").stdout
    source = {"A.sol": {"content": "// SPDX-License-Identifier: UNLICENSED\npragma solidity 0.8.30; contract A {}"}}
    given = json.dumps({"language": "Solidity", "sources": source, "settings": {}})
    done = subprocess.run(
        [solc, "--standard-json", "--base-path", ".", "--allow-paths=.,contracts"],
        input=given,
        env={**os.environ, "PATH": TOOLS},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "errors" not in json.loads(done.stdout)
    refused = run(solc, "--combined-json", "abi")
    assert refused.returncode == 1
    assert "unknown option --combined-json" in refused.stderr


@pytest.mark.slow
def test_a_source_that_does_not_compile_is_said_so() -> None:
    """The compiler's own words reach the person."""
    broken = standard_input()
    broken["sources"]["contracts/src/Sale.sol"]["content"] += "contract Broken { uint }"
    with pytest.raises(CompileError, match="Expected identifier"):
        compile_contracts(broken)


def test_a_missing_compiler_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the compiler the message names where it is looked for."""
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path))
    with pytest.raises(CompileError, match=r"no solc-v0\.8\.30"):
        compile_contracts(standard_input())


def test_slot_0_is_the_only_one_and_laid_out_as_agreed() -> None:
    """The compiler's own layout: buyer 160 bits, status 8, attempt 24, refundableAt 40, device 24, from the low end."""
    layout = artifact("Sale")["storageLayout"]
    assert [(each["label"], each["slot"]) for each in layout["storage"]] == [("_state", "0")]
    kind = layout["types"][layout["storage"][0]["type"]]
    assert kind["numberOfBytes"] == "32"
    fields = [(each["label"], each["offset"], each["slot"], each["type"]) for each in kind["members"]]
    assert [(label, offset, slot) for label, offset, slot, _ in fields] == [
        ("buyer", 0, "0"),
        ("status", 20, "0"),
        ("attempt", 21, "0"),
        ("refundableAt", 24, "0"),
        ("device", 29, "0"),
    ]
    sizes = [layout["types"][each[3]]["numberOfBytes"] for each in fields]
    assert sizes == ["20", "1", "3", "5", "3"]


def test_what_release_reads_of_a_device_is_one_slot() -> None:
    """Site 32 bits, until 40, id 24, operator 160."""
    layout = artifact("DeviceRegistry")["storageLayout"]
    device = next(kind for name, kind in layout["types"].items() if name.startswith("t_struct(Device)"))
    assert device["numberOfBytes"] == "32"
    assert [(each["label"], each["offset"]) for each in device["members"]] == [
        ("site", 0),
        ("until", 4),
        ("id", 9),
        ("operator", 12),
    ]


def test_deployed_code_carries_its_immutables() -> None:
    """An immutable address stands at each of its places."""
    registry = "0x" + "12" * 20
    code = deployed_code("Sale", {"REGISTRY": registry})
    places = artifact("Sale")["immutableReferences"]["REGISTRY"]
    assert code.count(bytes.fromhex("12" * 20)) == len(places) > 0


def test_selectors_are_the_published_ones() -> None:
    """Known selectors, by signature; a struct is spelled out."""
    found = selectors("Sale")
    assert found["buy()"] == "0xa6f2ae3a"
    assert found["verifyOwnership(address)"] == "0x2cc9c151"
    listed = next(one for one in selectors() if one.startswith("createSale("))
    assert re.fullmatch(r"createSale\(\((string|uint256)(,(string|uint256))+\)\)", listed)
    assert selectors().keys() > found.keys()


def test_commands_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m contracts selectors` prints what `selectors()` returns; an unknown contract is wrong usage."""
    from contracts.__main__ import main

    assert main(["selectors", "Sale", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == selectors("Sale")
    assert main(["selectors", "Purchase"]) == 2
    assert "no contract Purchase" in capsys.readouterr().err


def test_the_sources_are_formatted_and_linted() -> None:
    """`forge fmt` and solhint have nothing to say."""
    for command in (
        ("forge", "fmt", "--check"),
        ("solhint", "--disc", "--noPoster", "-w", "0", "contracts/src/**/*.sol"),
    ):
        done = run(*command)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_proofs_about_money_and_vouchers_hold() -> None:
    """For every state, caller, second and registry: who buys, releases, completes, refunds, withdraws; what moves."""
    done = run("scripts/audit", "halmos", "--short")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Symbolic test result: 5 passed; 0 failed" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("tool", ["halmos", "mutation"])
def test_the_audit_finds_nothing_unexplained(tool: str) -> None:
    """Every proof holds, and no mutant survives without an explanation."""
    done = run("scripts/audit", tool)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_the_proofs_find_a_voucher_that_is_bound_to_no_attempt(tmp_path: Path) -> None:
    """They compute its hash themselves."""
    shutil.copytree(ROOT / "contracts/src", tmp_path / "src")
    source = tmp_path / "src/Sale.sol"
    bound = "abi.encode(PICKUP_TYPEHASH, buyer_, attempt_, expiresAt)"
    code = source.read_text(encoding="utf-8")
    assert bound in code
    source.write_text(code.replace(bound, bound.replace("attempt_", "attempt_ * 0")), encoding="utf-8")
    done = run("scripts/audit", "halmos", "--short", "--sources", str(tmp_path / "src"))
    assert done.returncode == 1
    assert "Symbolic test result: 4 passed; 1 failed" in done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the sources and their tests, to break."""
    folder = tmp_path_factory.mktemp("flaws")
    for part in ("contracts/src", "tests/contracts/solidity"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "foundry.toml", folder)
    (folder / ".cache").mkdir()
    (folder / ".cache/solc").symlink_to(ROOT / ".cache/solc")
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    yield folder
    shutil.rmtree(folder)


PAYOUT = """            (uint256 first,) = Terms.numbers();
            _payOut(Terms.seller(first), Terms.price(first));
"""
EFFECT = """        // Effect:
        _store(state.withStatus(Status.Released));
        emit Released(state.device());
"""
FLAWS = {
    "reentrancy: paid before the status changes": (EFFECT, "", PAYOUT, PAYOUT + EFFECT),
    "a check is missing: anybody's device completes": ("        _checkSettler(state);\n", ""),
    "a check is missing: any price buys": ("if (msg.value != Terms.price(first))", "if (false)"),
    "a check is missing: an expired voucher releases": ("if (block.timestamp >= expiresAt)", "if (false)"),
    "off by one: refundable a second early": ("if (block.timestamp < from)", "if (block.timestamp + 1 < from)"),
    "the attempt is not bound": ("_digest(buyer_, state.attempt(), expiresAt)", "_digest(buyer_, 0, expiresAt)"),
}


@pytest.mark.slow
@pytest.mark.row("T3")
@pytest.mark.parametrize("flaw", [next(iter(FLAWS)), pytest.param("*", marks=pytest.mark.long)])
def test_a_seeded_flaw_is_found(copy: Path, flaw: str) -> None:
    """With a known flaw written into the contract, forge fails; without it, it passes."""
    source = copy / "contracts/src/Sale.sol"
    sound = source.read_text(encoding="utf-8")
    names = list(FLAWS) if flaw == "*" else [flaw]
    for name in names:
        flawed = sound
        for old, new in zip(FLAWS[name][::2], FLAWS[name][1::2], strict=True):
            assert old in flawed, name
            flawed = flawed.replace(old, new)
        source.write_text(flawed, encoding="utf-8")
        done = run("forge", "test", "--no-match-contract", "GasTest|Invariants", cwd=copy, FOUNDRY_PROFILE="plain")
        source.write_text(sound, encoding="utf-8")
        assert "Compiler run failed" not in done.stdout, done.stdout
        assert done.returncode == 1, f"{name}: not found"
        assert "[FAIL" in done.stdout
    assert json.loads((ARTIFACTS / "input.json").read_text())["sources"]["contracts/src/Sale.sol"]["content"] == sound


PLAIN_PAYOUT = PAYOUT.replace(
    "_payOut(Terms.seller(first), Terms.price(first));",
    """(bool paid,) = Terms.seller(first).call{value: Terms.price(first)}("");
            if (paid) _state.status = Status.Released;""",
)


@pytest.mark.slow
@pytest.mark.row("T3")
def test_slither_finds_a_seeded_reentrancy(tmp_path: Path) -> None:
    """The command by which `scripts/check` finds nothing names a payment that comes before the status is written."""
    shutil.copytree(ROOT / "contracts/src", tmp_path / "src")
    source = tmp_path / "src/Sale.sol"
    code = source.read_text(encoding="utf-8")
    source.write_text(code.replace(EFFECT, "").replace(PAYOUT, PLAIN_PAYOUT), encoding="utf-8")
    done = run("scripts/audit", "slither", "--sources", str(tmp_path / "src"))
    assert done.returncode == 1
    assert "Reentrancy in Sale.complete()" in done.stderr
