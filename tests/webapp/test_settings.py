"""What is not set is derived from what the other parts say of themselves."""

import json

from webapp.settings import SMALLEST_CONSORTIUM, Settings


def test_a_transaction_is_settled_after_as_many_blocks_as_there_are_sealers(tmp_path, monkeypatch):
    """The running chain tells, else its folder; a person's own number wins; a chain elsewhere counts as small."""
    monkeypatch.setenv("LADING_HOME", str(tmp_path))
    monkeypatch.delenv("LADING_CONFIG", raising=False)
    chain = tmp_path / "chain"
    chain.mkdir()
    assert Settings(home=tmp_path).confirmations == SMALLEST_CONSORTIUM
    (chain / "network.json").write_text(json.dumps({"sealers": ["0x1"] * 5}))
    assert Settings(home=tmp_path).confirmations == 5
    (chain / "ready.json").write_text(json.dumps({"sealers": ["0x1"] * 7}))
    assert Settings(home=tmp_path).confirmations == 7
    assert Settings(home=tmp_path, confirmations=2).confirmations == 2
    (tmp_path / "own.toml").write_text("[web]\nconfirmations = 4\n")
    monkeypatch.setenv("LADING_CONFIG", str(tmp_path / "own.toml"))
    assert Settings(home=tmp_path).confirmations == 4
