// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What `release` reads of a device: one slot.
/// @param site Where it opens.
/// @param until From this second on it is expired; 0 when decommissioned, or rotated to another address.
/// @param id Its number, kept for ever: an address that has held an id is refused for any other.
/// @param operator Who runs the site.
struct Device {
    uint32 site;
    uint40 until;
    uint24 id;
    address operator;
}
