// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Item} from "./Item.sol";

/// @notice The terms of a sale as they stand, packed, behind the 45 bytes of its ERC-1167 code:
/// seller 20, price 12, window 4, site 4, edition 2, year 2, length of make 1, of model 1, make, model, number.
library Terms {
    /// @dev Bytes of ERC-1167 code before the terms.
    uint256 internal constant PROXY = 45;

    /// @dev Bytes before the texts.
    uint256 private constant HEAD = 46;

    /// @notice Packs an item whose ranges are checked.
    function encode(address seller_, Item calldata item) internal pure returns (bytes memory) {
        bytes memory head = abi.encodePacked(
            seller_,
            uint96(item.price),
            uint32(item.window),
            uint32(item.site),
            uint16(item.edition),
            uint16(item.year),
            uint8(bytes(item.make).length),
            uint8(bytes(item.model).length)
        );
        return abi.encodePacked(head, item.make, item.model, item.number);
    }

    /// @notice The numbers of this clone's terms, in two words, for the accessors below.
    /// @dev OpenZeppelin's `fetchCloneArgs` copies the texts as well; a payment needs none of them.
    function numbers() internal view returns (uint256 first, uint256 second) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            extcodecopy(address(), 0, PROXY, HEAD)
            first := mload(0)
            second := mload(32)
        }
    }

    function seller(uint256 first) internal pure returns (address) {
        return address(uint160(first >> 96));
    }

    function price(uint256 first) internal pure returns (uint256) {
        return uint96(first);
    }

    function window(uint256 second) internal pure returns (uint256) {
        return second >> 224;
    }

    function site(uint256 second) internal pure returns (uint256) {
        return uint32(second >> 192);
    }

    function edition(uint256 second) internal pure returns (uint256) {
        return uint16(second >> 176);
    }

    function year(uint256 second) internal pure returns (uint256) {
        return uint16(second >> 160);
    }

    function make(uint256 second) internal view returns (string memory) {
        return _text(HEAD, _makeLength(second));
    }

    function model(uint256 second) internal view returns (string memory) {
        return _text(HEAD + _makeLength(second), _modelLength(second));
    }

    function number(uint256 second) internal view returns (string memory) {
        uint256 start = HEAD + _makeLength(second) + _modelLength(second);
        return _text(start, address(this).code.length - PROXY - start);
    }

    function _makeLength(uint256 second) private pure returns (uint256) {
        return uint8(second >> 152);
    }

    function _modelLength(uint256 second) private pure returns (uint256) {
        return uint8(second >> 144);
    }

    function _text(uint256 start, uint256 length) private view returns (string memory text) {
        text = new string(length);
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            extcodecopy(address(), add(text, 32), add(PROXY, start), length)
        }
    }
}
