// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What a seller lists. Numbers are `uint256`, so that one too large is a custom error and no silent cut.
/// @param make Maker's name, 1 to 64 bytes.
/// @param model Model's name, 1 to 64 bytes.
/// @param number Serial number, 0 to 64 bytes.
/// @param year Year of make, below 2^16.
/// @param price In wei, above 0 and below 2^96.
/// @param window Seconds of escrow after `buy`, at most 366 days; 0 pays the seller at once.
/// @param site Where the goods are collected: an open site of the `DeviceRegistry`.
/// @param edition Tells the same goods apart when they are listed again, below 2^16; 0 first.
struct Item {
    string make;
    string model;
    string number;
    uint256 year;
    uint256 price;
    uint256 window;
    uint256 site;
    uint256 edition;
}
