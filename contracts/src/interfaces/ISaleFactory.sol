// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Item} from "../types/Item.sol";

/// @title Lists goods, a clone of `Sale` an order
/// @notice A sale's address commits to factory, seller and terms: nothing is stored, and nothing can be listed twice by accident.
interface ISaleFactory {
    /// @notice A new sale; the terms as they stand in its code.
    event Listed(address indexed sale, address indexed seller, bytes terms);

    /// @notice `make` needs 1 to 64 bytes. The index is the item's place in the call.
    error InvalidMake(uint256 index, uint256 length);
    /// @notice `model` needs 1 to 64 bytes.
    error InvalidModel(uint256 index, uint256 length);
    /// @notice `number` takes up to 64 bytes.
    error InvalidNumber(uint256 index, uint256 length);
    /// @notice `year` must be below 2^16.
    error InvalidYear(uint256 index, uint256 year);
    /// @notice `price` must be above 0 and below 2^96.
    error InvalidPrice(uint256 index, uint256 price);
    /// @notice `window` is at most 366 days.
    error InvalidWindow(uint256 index, uint256 window);
    /// @notice `edition` must be below 2^16.
    error InvalidEdition(uint256 index, uint256 edition);
    /// @notice `site` must be an open one.
    error SiteNotOffered(uint256 index, uint256 site);
    /// @notice The seller has listed exactly this before; raise `edition` to list it again.
    error AlreadyListed(uint256 index, address sale);
    /// @notice The clone could not be made, though nothing is listed there: the call is too deep.
    error DeploymentFailed(uint256 index);
    /// @notice The factory takes no ether.
    error EtherRefused(address sender, uint256 amount);

    /// @notice Lists one item for the caller.
    function createSale(Item calldata item) external returns (address sale);

    /// @notice Lists all items for the caller, or none; an error names the index.
    function createSales(Item[] calldata items) external returns (address[] memory sales);

    /// @notice Whether this factory made the sale at this address.
    function isSale(address sale) external view returns (bool);

    /// @notice The contract of which every sale is a clone.
    function implementation() external view returns (address);

    /// @notice The registry that knows the sites.
    function registry() external view returns (address);
}
