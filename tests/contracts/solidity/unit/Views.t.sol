// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {Item} from "../../../../contracts/src/types/Item.sol";
import {Status} from "../../../../contracts/src/types/Status.sol";
import {Fixture} from "../base/Fixture.sol";

/// @notice What anyone may read.
contract ViewsTest is Fixture {
    function testGetItemInItsFixedOrder() public {
        ISale sale = _sold(WINDOW);
        (
            string memory make,
            string memory model,
            uint256 year,
            uint256 price,
            bool sold,
            address owner,
            address buyer_
        ) = sale.getItem();
        VM.assertEq(make, "Nimbus", "make");
        VM.assertEq(model, "alpha", "model");
        VM.assertEq(year, 2019, "year");
        VM.assertEq(price, PRICE, "price");
        VM.assertTrue(sold, "sold");
        VM.assertEq(owner, SELLER, "owner");
        VM.assertEq(buyer_, buyer, "buyer");
    }

    function testTheOtherTerms() public {
        Item memory item = _item(WINDOW);
        item.edition = 3;
        ISale sale = _list(item);
        VM.assertEq(sale.number(), "4AA6", "number");
        VM.assertEq(sale.site(), site, "site");
        VM.assertEq(sale.edition(), 3, "edition");
        VM.assertEq(sale.window(), WINDOW, "window");
        VM.assertEq(sale.registry(), address(registry), "registry");
    }

    function testSoldAndOwnedFollowTheStatus() public {
        ISale sale = _list(WINDOW);
        _check(sale, Status.Listed, false, false);
        _buy(sale);
        _check(sale, Status.Sold, true, true);
        _release(sale);
        _check(sale, Status.Releasing, true, false);
        VM.prank(device);
        sale.complete();
        _check(sale, Status.Released, true, false);
    }

    function testNeitherSoldNorOwnedOnceRefundedOrCancelled() public {
        ISale sale = _sold(WINDOW);
        VM.prank(SELLER);
        sale.refund();
        _check(sale, Status.Refunded, false, false);
        Item memory item = _item(WINDOW);
        item.edition = 1;
        sale = _list(item);
        VM.prank(SELLER);
        sale.cancel();
        _check(sale, Status.Cancelled, false, false);
    }

    function testOwnedByTheBuyerOnly() public {
        ISale sale = _sold(WINDOW);
        VM.assertFalse(sale.verifyOwnership(STRANGER), "stranger");
        VM.assertFalse(sale.verifyOwnership(SELLER), "seller");
        VM.assertFalse(sale.verifyOwnership(address(0)), "nobody");
    }

    function testAListingIsOwnedByNobody() public {
        VM.assertFalse(_list(WINDOW).verifyOwnership(address(0)), "nobody");
    }

    function testTheDigestIsPlainTypedData() public {
        ISale sale = _sold(WINDOW);
        VM.prank(buyer);
        sale.revoke();
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Lading"),
                keccak256("1"),
                block.chainid,
                address(sale)
            )
        );
        bytes32 pickup = keccak256(
            abi.encode(
                keccak256("Pickup(address buyer,uint256 attempt,uint256 expiresAt)"), buyer, uint256(1), uint256(77)
            )
        );
        VM.assertEq(sale.voucherDigest(77), keccak256(abi.encodePacked(hex"1901", domain, pickup)), "digest");
    }

    function testTheSlotHoldsEveryFieldInItsPlace() public {
        ISale sale = _sold(WINDOW);
        VM.prank(buyer);
        sale.revoke();
        _release(sale);
        uint256 expected =
            uint160(buyer) | uint256(Status.Releasing) << 160 | 1 << 168 | (START + WINDOW) << 192 | deviceId << 232;
        VM.assertEq(uint256(VM.load(address(sale), 0)), expected, "slot 0");
        VM.assertEq(uint256(VM.load(address(sale), bytes32(uint256(1)))), 0, "the only one");
    }

    function _check(ISale sale, Status status, bool sold, bool owned) private view {
        _assertStatus(sale, status);
        VM.assertEq(sale.isSold() ? 1 : 0, sold ? 1 : 0, "sold");
        VM.assertEq(sale.verifyOwnership(buyer) ? 1 : 0, owned ? 1 : 0, "owned");
    }
}
