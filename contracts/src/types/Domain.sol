// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The EIP-712 domain of every contract here: `Lading`, version `1`, this chain, this contract.
library Domain {
    bytes32 private constant TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME = keccak256("Lading");
    bytes32 private constant VERSION = keccak256("1");

    function separator() internal view returns (bytes32) {
        return keccak256(abi.encode(TYPEHASH, NAME, VERSION, block.chainid, address(this)));
    }
}
