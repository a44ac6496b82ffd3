// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The plain design to compare with: one full contract a sale, its item in storage, paid at once, no release.
contract PlainSale {
    string public make;
    string public model;
    uint256 public year;
    uint256 public price;
    bool public isSold;
    address public owner;
    address public buyer;

    constructor(string memory make_, string memory model_, uint256 year_, uint256 price_) {
        make = make_;
        model = model_;
        year = year_;
        price = price_;
        owner = msg.sender;
    }

    function buy() external payable {
        require(!isSold, "sold");
        require(msg.value == price, "wrong price");
        isSold = true;
        buyer = msg.sender;
        payable(owner).transfer(msg.value);
    }

    function verifyOwnership(address claimed) external view returns (bool) {
        return isSold && buyer == claimed;
    }

    function getItem() external view returns (string memory, string memory, uint256, uint256, bool, address, address) {
        return (make, model, year, price, isSold, owner, buyer);
    }
}
