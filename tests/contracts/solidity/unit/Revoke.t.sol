// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {Status} from "../../../../contracts/src/types/Status.sol";
import {Fixture} from "../base/Fixture.sol";

/// @notice `revoke`: every voucher signed so far is dead.
contract RevokeTest is Fixture {
    function testOldVoucherDies() public {
        ISale sale = _sold(WINDOW);
        uint256 expiresAt = START + 1 days;
        bytes memory signature = _voucher(sale, expiresAt);
        VM.expectEmit(address(sale));
        emit ISale.Revoked(buyer, 1);
        VM.prank(buyer);
        sale.revoke();
        VM.assertEq(sale.attempt(), 1, "attempt");
        _assertStatus(sale, Status.Sold);
        VM.prank(device);
        _expect(abi.encodeWithSelector(ISale.InvalidVoucher.selector, buyer, 1, expiresAt));
        sale.release(buyer, expiresAt, signature);
        _release(sale);
        _assertStatus(sale, Status.Releasing);
    }

    function testOnlyTheBuyer() public {
        ISale sale = _sold(WINDOW);
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISale.NotBuyer.selector, SELLER, buyer));
        sale.revoke();
    }

    function testOnlyWhileSold() public {
        ISale sale = _list(WINDOW);
        VM.prank(buyer);
        _expect(abi.encodeWithSelector(ISale.NotSold.selector, Status.Listed));
        sale.revoke();
        _buy(sale);
        _release(sale);
        VM.prank(buyer);
        _expect(abi.encodeWithSelector(ISale.NotSold.selector, Status.Releasing));
        sale.revoke();
    }

    function testStopsAThousandBeforeTheLastAttempt() public {
        ISale sale = _sold(WINDOW);
        uint256 last = 2 ** 24 - 1025;
        _setAttempt(sale, last - 1);
        VM.prank(buyer);
        sale.revoke();
        VM.assertEq(sale.attempt(), last, "reached");
        VM.prank(buyer);
        _expect(abi.encodeWithSelector(ISale.AttemptsExhausted.selector, last));
        sale.revoke();
        VM.assertEq(sale.refundableAt(), START + WINDOW, "nothing carried");
    }
}
