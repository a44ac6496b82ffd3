// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What the rules say about devices, written to be read: a variable a fact, no packing, no signatures.
contract ReferenceRegistry {
    mapping(uint256 id => address) public account;
    mapping(uint256 id => uint256) public site;
    mapping(uint256 id => address) public operator;
    mapping(uint256 id => uint256) public until;
    mapping(uint256 id => bool) public decommissioned;

    function provision(uint256 id, uint256 site_, address operator_, address account_, uint256 until_) external {
        site[id] = site_;
        operator[id] = operator_;
        account[id] = account_;
        until[id] = until_;
    }

    function rotate(uint256 id, address account_, uint256 until_) external {
        account[id] = account_;
        until[id] = until_;
    }

    function decommission(uint256 id) external {
        decommissioned[id] = true;
    }

    function isActive(uint256 id) public view returns (bool) {
        return !decommissioned[id] && block.timestamp < until[id];
    }

    function mayRelease(uint256 id, address who, uint256 site_) external view returns (bool) {
        return who == account[id] && isActive(id) && site[id] == site_;
    }

    function maySettle(uint256 id, address who) external view returns (bool) {
        return isActive(id) ? who == account[id] : who == operator[id];
    }
}
