// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {Item} from "../../../../contracts/src/types/Item.sol";
import {Status} from "../../../../contracts/src/types/Status.sol";
import {Fixture} from "../base/Fixture.sol";
import {Wallet} from "../base/Wallet.sol";

/// @notice `buy`: the exact price, once.
contract BuyTest is Fixture {
    function testEscrowHoldsThePrice() public {
        ISale sale = _list(WINDOW);
        VM.expectEmit(address(sale));
        emit ISale.Sold(buyer, PRICE);
        _buy(sale);
        _assertStatus(sale, Status.Sold);
        VM.assertEq(address(sale).balance, PRICE, "escrow");
        VM.assertEq(sale.refundableAt(), START + WINDOW, "refundable at");
        VM.assertEq(buyer.balance, 950 ether, "paid");
    }

    function testInstantPaysTheSeller() public {
        ISale sale = _sold(0);
        _assertStatus(sale, Status.Sold);
        VM.assertEq(address(sale).balance, 0, "nothing held");
        VM.assertEq(SELLER.balance, 51 ether, "paid at once");
        VM.assertEq(sale.refundableAt(), 0, "no refund");
    }

    function testSecondBuyIsRefused() public {
        ISale sale = _sold(WINDOW);
        VM.prank(STRANGER);
        _expect(abi.encodeWithSelector(ISale.NotListed.selector, Status.Sold));
        sale.buy{value: PRICE}();
        VM.assertEq(STRANGER.balance, 1000 ether, "keeps the ether");
    }

    function testOneWeiOffIsRefused() public {
        ISale sale = _list(WINDOW);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 sent = PRICE - 1 + 2 * i;
            VM.prank(buyer);
            _expect(abi.encodeWithSelector(ISale.WrongPrice.selector, sent, PRICE));
            sale.buy{value: sent}();
        }
        _assertStatus(sale, Status.Listed);
    }

    function testCancelledCannotBeBought() public {
        ISale sale = _list(WINDOW);
        VM.prank(SELLER);
        sale.cancel();
        VM.prank(buyer);
        _expect(abi.encodeWithSelector(ISale.NotListed.selector, Status.Cancelled));
        sale.buy{value: PRICE}();
    }

    function testTheImplementationCannotBeBought() public {
        _assertStatus(implementation, Status.Cancelled);
        VM.prank(buyer);
        _expect(abi.encodeWithSelector(ISale.NotListed.selector, Status.Cancelled));
        implementation.buy();
    }

    function testInstantSellerThatRefusesSellsNothing() public {
        Wallet seller = new Wallet();
        ISale sale = _listBy(seller, 0);
        Wallet.Mode[3] memory modes = [Wallet.Mode.Refuse, Wallet.Mode.Burn, Wallet.Mode.Bomb];
        for (uint256 i = 0; i < modes.length; ++i) {
            seller.behave(modes[i]);
            VM.prank(buyer);
            _expect(abi.encodeWithSelector(ISale.PayoutRefused.selector, address(seller), PRICE));
            sale.buy{value: PRICE, gas: 1_000_000}();
            _assertStatus(sale, Status.Listed);
        }
        VM.assertEq(buyer.balance, 1000 ether, "keeps the ether");
    }

    function testInstantSellerThatReentersGainsNothing() public {
        Wallet seller = new Wallet();
        ISale sale = _listBy(seller, 0);
        bytes[4] memory calls = [
            abi.encodeCall(ISale.buy, ()),
            abi.encodeCall(ISale.cancel, ()),
            abi.encodeCall(ISale.refund, ()),
            abi.encodeCall(ISale.withdraw, (address(seller)))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            seller.reenter(address(sale), calls[i]);
            sale = i == 0 ? sale : _listBy(seller, 0, i);
            _buy(sale);
            VM.assertEq(seller.reentered(), 0, "refused inside");
            _assertStatus(sale, Status.Sold);
        }
        VM.assertEq(address(seller).balance, 4 * PRICE, "the prices and no more");
    }

    function testDearestAndCheapestGoods() public {
        for (uint256 i = 0; i < 2; ++i) {
            Item memory item = _item(WINDOW);
            item.price = i == 0 ? 1 : type(uint96).max;
            ISale sale = _list(item);
            VM.deal(buyer, item.price);
            VM.prank(buyer);
            sale.buy{value: item.price}();
            VM.assertEq(address(sale).balance, item.price, "held");
        }
    }

    function testEtherWithoutACallIsRefused() public {
        ISale sale = _list(WINDOW);
        address payable[4] memory targets = [
            payable(address(sale)),
            payable(address(implementation)),
            payable(address(factory)),
            payable(address(registry))
        ];
        for (uint256 i = 0; i < targets.length; ++i) {
            VM.prank(STRANGER);
            (bool done, bytes memory answer) = targets[i].call{value: 1}("");
            VM.assertFalse(done, "refused");
            VM.assertEq(answer, abi.encodeWithSelector(ISale.EtherRefused.selector, STRANGER, 1), "in words");
        }
    }

    function testForcedEtherChangesNothing() public {
        ISale sale = _list(WINDOW);
        VM.deal(address(sale), 7);
        _buy(sale);
        _release(sale);
        VM.prank(device);
        sale.complete();
        VM.assertEq(address(sale).balance, 7, "stays there");
        VM.assertEq(SELLER.balance, 51 ether, "the price");
    }

    function testFuzzTheDeadlineIsOneWindowLater(uint40 time, uint32 window) public {
        VM.assume(time < 2 ** 40 - 366 days);
        ISale sale = _list(window % (366 days + 1));
        VM.warp(time);
        _buy(sale);
        VM.assertEq(sale.refundableAt(), sale.window() == 0 ? 0 : time + sale.window(), "refundable at");
    }

    function testFuzzOnlyTheExactPrice(uint96 sent) public {
        ISale sale = _list(WINDOW);
        VM.assume(sent != PRICE);
        VM.deal(buyer, sent);
        VM.prank(buyer);
        _expect(abi.encodeWithSelector(ISale.WrongPrice.selector, uint256(sent), PRICE));
        sale.buy{value: sent}();
    }
}
