// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The cheat codes of forge that these tests use; the tests need no library for them.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function prank(address sender) external;
    function deal(address account, uint256 balance) external;
    function warp(uint256 time) external;
    function chainId(uint256 id) external;
    function assume(bool condition) external pure;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function store(address account, bytes32 slot, bytes32 value) external;
    function setNonceUnsafe(address account, uint64 nonce) external;
    function etch(address account, bytes calldata code) external;
    function expectRevert(bytes calldata data) external;
    function expectRevert() external;
    function expectEmit(address emitter) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256);
    function deployCode(string calldata artifact, bytes calldata arguments) external returns (address);
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);

    function assertTrue(bool value, string calldata claim) external pure;
    function assertFalse(bool value, string calldata claim) external pure;
    function assertEq(uint256 left, uint256 right, string calldata claim) external pure;
    function assertEq(address left, address right, string calldata claim) external pure;
    function assertEq(bytes32 left, bytes32 right, string calldata claim) external pure;
    function assertEq(string calldata left, string calldata right, string calldata claim) external pure;
    function assertEq(bytes calldata left, bytes calldata right, string calldata claim) external pure;
    function assertLe(uint256 left, uint256 right, string calldata claim) external pure;
    function assertGe(uint256 left, uint256 right, string calldata claim) external pure;
}
