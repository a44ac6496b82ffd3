// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice A registry that may answer anything: what is proved with it holds for every registry.
contract AnyRegistry {
    uint256 private _id;
    uint256 private _site;
    bool private _settles;

    function answer(uint256 id, uint256 site, bool settles_) external {
        (_id, _site, _settles) = (id, site, settles_);
    }

    function isOpen(uint256) external pure returns (bool) {
        return true;
    }

    function activeDevice(address) external view returns (uint256, uint256) {
        return (_id, _site);
    }

    function settles(uint256, address) external view returns (bool) {
        return _settles;
    }
}
