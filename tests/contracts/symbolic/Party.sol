// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Takes ether or refuses it, and signs or does not, as the prover likes.
contract Party {
    bool private _accepts;
    bytes32 private _answer;

    receive() external payable {
        require(_accepts, "no thanks");
    }

    function behave(bool accepts, bytes32 answer) external {
        (_accepts, _answer) = (accepts, answer);
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes32) {
        return _answer;
    }
}
