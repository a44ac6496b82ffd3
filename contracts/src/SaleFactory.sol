// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {IDeviceRegistry} from "./interfaces/IDeviceRegistry.sol";
import {ISale} from "./interfaces/ISale.sol";
import {ISaleFactory} from "./interfaces/ISaleFactory.sol";
import {Item} from "./types/Item.sol";
import {Terms} from "./types/Terms.sol";

/// @title Lists goods, a clone of `Sale` an order
contract SaleFactory is ISaleFactory {
    uint256 private constant TEXT_MAX = 64;
    uint256 private constant WINDOW_MAX = 366 days;

    address private immutable IMPLEMENTATION;
    IDeviceRegistry private immutable REGISTRY;

    /// @param sale The implementation; its registry is the factory's.
    constructor(ISale sale) {
        IMPLEMENTATION = address(sale);
        REGISTRY = IDeviceRegistry(sale.registry());
    }

    /// @dev Ether without a call belongs to nobody.
    receive() external payable {
        revert EtherRefused(msg.sender, msg.value);
    }

    /// @inheritdoc ISaleFactory
    function createSale(Item calldata item) external returns (address sale) {
        _checkSite(0, item.site);
        return _create(0, item);
    }

    /// @inheritdoc ISaleFactory
    function createSales(Item[] calldata items) external returns (address[] memory sales) {
        sales = new address[](items.length);
        uint256 open = 0; // the site asked last; 0 is none
        for (uint256 i = 0; i < items.length; ++i) {
            if (items[i].site != open || i == 0) {
                open = items[i].site;
                _checkSite(i, open);
            }
            sales[i] = _create(i, items[i]);
        }
    }

    /// @inheritdoc ISaleFactory
    function isSale(address sale) external view returns (bool) {
        if (sale.code.length < Terms.PROXY) return false;
        return sale == _predict(Clones.fetchCloneArgs(sale));
    }

    /// @inheritdoc ISaleFactory
    function implementation() external view returns (address) {
        return IMPLEMENTATION;
    }

    /// @inheritdoc ISaleFactory
    function registry() external view returns (address) {
        return address(REGISTRY);
    }

    function _create(uint256 index, Item calldata item) private returns (address sale) {
        // Check:
        _checkItem(index, item);

        // Effect:
        bytes memory terms = Terms.encode(msg.sender, item);
        sale = _deploy(index, terms);
        emit Listed(sale, msg.sender, terms);
    }

    /// @dev OpenZeppelin's clone reverts with `FailedDeployment()`, which does not tell what is listed already.
    function _deploy(uint256 index, bytes memory terms) private returns (address sale) {
        bytes memory code = abi.encodePacked(
            hex"61",
            uint16(terms.length + Terms.PROXY),
            hex"3d81600a3d39f3363d3d373d3d3d363d73",
            IMPLEMENTATION,
            hex"5af43d82803e903d91602b57fd5bf3",
            terms
        );
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            sale := create2(0, add(code, 32), mload(code), 0)
        }
        if (sale == address(0)) {
            address expected = _predict(terms);
            if (expected.code.length == 0) revert DeploymentFailed(index);
            revert AlreadyListed(index, expected);
        }
    }

    function _predict(bytes memory terms) private view returns (address) {
        return Clones.predictDeterministicAddressWithImmutableArgs(IMPLEMENTATION, terms, 0);
    }

    function _checkSite(uint256 index, uint256 site) private view {
        if (!REGISTRY.isOpen(site)) revert SiteNotOffered(index, site);
    }

    function _checkItem(uint256 index, Item calldata item) private pure {
        uint256 length = bytes(item.make).length;
        if (length == 0 || length > TEXT_MAX) revert InvalidMake(index, length);
        length = bytes(item.model).length;
        if (length == 0 || length > TEXT_MAX) revert InvalidModel(index, length);
        length = bytes(item.number).length;
        if (length > TEXT_MAX) revert InvalidNumber(index, length);
        if (item.year > type(uint16).max) revert InvalidYear(index, item.year);
        if (item.price == 0 || item.price > type(uint96).max) revert InvalidPrice(index, item.price);
        if (item.window > WINDOW_MAX) revert InvalidWindow(index, item.window);
        if (item.edition > type(uint16).max) revert InvalidEdition(index, item.edition);
    }
}
