// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {Item} from "../../../../contracts/src/types/Item.sol";
import {Status} from "../../../../contracts/src/types/Status.sol";
import {Fixture} from "../base/Fixture.sol";
import {Wallet} from "../base/Wallet.sol";

/// @notice `refund`: escrow only; the seller while Sold, the buyer after the deadline.
contract RefundTest is Fixture {
    function testTheBuyerFromTheDeadlineOn() public {
        ISale sale = _sold(WINDOW);
        VM.warp(START + WINDOW - 1);
        VM.prank(buyer);
        _expect(abi.encodeWithSelector(ISale.RefundTooEarly.selector, START + WINDOW, START + WINDOW - 1));
        sale.refund();
        VM.warp(START + WINDOW);
        VM.expectEmit(address(sale));
        emit ISale.Refunded(buyer, PRICE);
        VM.prank(buyer);
        sale.refund();
        _assertStatus(sale, Status.Refunded);
        VM.assertEq(buyer.balance, 1000 ether, "all back");
        VM.assertEq(address(sale).balance, 0, "nothing kept");
    }

    function testTheBuyerOfAReleasingSaleAWeekLater() public {
        ISale sale = _releasing(WINDOW);
        uint256 from = START + WINDOW + 7 days;
        VM.warp(from - 1);
        VM.prank(buyer);
        _expect(abi.encodeWithSelector(ISale.RefundTooEarly.selector, from, from - 1));
        sale.refund();
        VM.warp(from);
        VM.prank(buyer);
        sale.refund();
        _assertStatus(sale, Status.Refunded);
        VM.assertEq(sale.device(), deviceId, "the device that kept silent");
        VM.prank(device);
        _expect(abi.encodeWithSelector(ISale.NotReleasing.selector, Status.Refunded));
        sale.complete();
    }

    function testTheSellerAtAnyTimeWhileSold() public {
        ISale sale = _sold(WINDOW);
        VM.prank(SELLER);
        sale.refund();
        _assertStatus(sale, Status.Refunded);
        VM.assertEq(buyer.balance, 1000 ether, "all back");
        VM.assertEq(SELLER.balance, 1 ether, "nothing gained");
    }

    function testTheSellerNeverRacesAnOpeningDoor() public {
        ISale sale = _releasing(WINDOW);
        VM.warp(START + WINDOW + 100 days);
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISale.NotRefundable.selector, Status.Releasing));
        sale.refund();
    }

    function testWhoIsBothIsTreatedAsBuyerOnceReleasing() public {
        ISale sale = _list(WINDOW);
        VM.deal(SELLER, PRICE);
        VM.prank(SELLER);
        sale.buy{value: PRICE}();
        VM.warp(START + WINDOW);
        VM.prank(SELLER);
        sale.refund();
        VM.assertEq(SELLER.balance, PRICE, "back");
    }

    function testNobodyElse() public {
        ISale sale = _sold(WINDOW);
        VM.warp(START + WINDOW);
        address[3] memory others = [STRANGER, OPERATOR, device];
        for (uint256 i = 0; i < others.length; ++i) {
            VM.prank(others[i]);
            _expect(abi.encodeWithSelector(ISale.NotParty.selector, others[i]));
            sale.refund();
        }
    }

    function testInstantHasNoRefund() public {
        ISale sale = _sold(0);
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISale.NoEscrow.selector));
        sale.refund();
    }

    function testOnlySoldOrReleasing() public {
        ISale sale = _list(WINDOW);
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISale.NotRefundable.selector, Status.Listed));
        sale.refund();
        sale = _releasedOther();
        VM.warp(START + WINDOW + 7 days);
        VM.prank(buyer);
        _expect(abi.encodeWithSelector(ISale.NotRefundable.selector, Status.Released));
        sale.refund();
    }

    function testASecondRefundIsRefused() public {
        ISale sale = _sold(WINDOW);
        VM.prank(SELLER);
        sale.refund();
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISale.NotRefundable.selector, Status.Refunded));
        sale.refund();
    }

    function testABuyerThatRefusesCannotBlock() public {
        (ISale sale, Wallet wallet) = _soldToWallet();
        wallet.behave(Wallet.Mode.Burn);
        VM.expectEmit(address(sale));
        emit ISale.Undelivered(address(wallet), PRICE);
        VM.prank(SELLER);
        sale.refund();
        _assertStatus(sale, Status.Refunded);
        VM.assertEq(address(sale).balance, PRICE, "waits");
    }

    function testABuyerThatReentersGainsNothing() public {
        (ISale sale, Wallet wallet) = _soldToWallet();
        wallet.reenter(address(sale), abi.encodeCall(ISale.withdraw, (address(wallet))));
        VM.prank(SELLER);
        sale.refund();
        VM.assertEq(wallet.reentered(), 0, "refused inside");
        VM.assertEq(address(wallet).balance, PRICE, "once");
    }

    function testAStingySellerCannotMakeAGoodBuyerFail() public {
        (ISale sale, Wallet wallet) = _soldToWallet();
        wallet.behave(Wallet.Mode.NeedsGas);
        VM.prank(SELLER);
        (bool done, bytes memory answer) = address(sale).call{gas: 55_000}(abi.encodeCall(ISale.refund, ()));
        VM.assertFalse(done, "refused");
        VM.assertEq(bytes32(bytes4(answer)), bytes32(ISale.GasTooLow.selector), "in words");
        VM.prank(SELLER);
        sale.refund();
        VM.assertEq(address(wallet).balance, PRICE, "delivered");
    }

    function testFuzzNeverBeforeItsSecond(uint32 wait, bool releasing) public {
        ISale sale = releasing ? _releasing(WINDOW) : _sold(WINDOW);
        uint256 from = START + WINDOW + (releasing ? 7 days : 0);
        uint256 time = START + wait % (2 * WINDOW);
        VM.warp(time);
        VM.prank(buyer);
        if (time < from) _expect(abi.encodeWithSelector(ISale.RefundTooEarly.selector, from, time));
        sale.refund();
        VM.assertEq(buyer.balance, time < from ? 950 ether : 1000 ether, "balance");
    }

    function _releasedOther() private returns (ISale sale) {
        Item memory item = _item(WINDOW);
        item.edition = 1;
        sale = _list(item);
        _buy(sale);
        _release(sale);
        VM.prank(device);
        sale.complete();
    }
}
