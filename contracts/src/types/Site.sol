// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice A door or a group of doors where goods are collected.
/// @param operator Who opened it.
/// @param open Whether it takes new listings and new devices.
/// @param name What buyers see before they pay.
struct Site {
    address operator;
    bool open;
    string name;
}
