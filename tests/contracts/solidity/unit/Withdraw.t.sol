// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {Status} from "../../../../contracts/src/types/Status.sol";
import {Fixture} from "../base/Fixture.sol";
import {Wallet} from "../base/Wallet.sol";

/// @notice `withdraw`: what a payout could not deliver, to whom its receiver names.
contract WithdrawTest is Fixture {
    address private constant SAFE = address(0x5afe);

    function testTheSellerOnceReleased() public {
        (ISale sale, Wallet seller) = _undeliveredToSeller();
        VM.expectEmit(address(sale));
        emit ISale.Withdrawn(SAFE, PRICE);
        seller.execute(address(sale), 0, abi.encodeCall(ISale.withdraw, (SAFE)));
        VM.assertEq(SAFE.balance, PRICE, "fetched");
        _expect(abi.encodeWithSelector(ISale.NothingToWithdraw.selector, Status.Released, 0));
        seller.execute(address(sale), 0, abi.encodeCall(ISale.withdraw, (SAFE)));
    }

    function testTheBuyerOnceRefunded() public {
        (ISale sale, Wallet wallet) = _soldToWallet();
        wallet.behave(Wallet.Mode.Refuse);
        VM.prank(SELLER);
        sale.refund();
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISale.NotBuyer.selector, SELLER, address(wallet)));
        sale.withdraw(SELLER);
        wallet.execute(address(sale), 0, abi.encodeCall(ISale.withdraw, (SAFE)));
        VM.assertEq(SAFE.balance, PRICE, "fetched");
    }

    function testNobodyElseOnceReleased() public {
        (ISale sale, Wallet seller) = _undeliveredToSeller();
        VM.prank(buyer);
        _expect(abi.encodeWithSelector(ISale.NotSeller.selector, buyer, address(seller)));
        sale.withdraw(buyer);
    }

    function testWhatWasDeliveredIsGone() public {
        ISale sale = _released(WINDOW);
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISale.NothingToWithdraw.selector, Status.Released, 0));
        sale.withdraw(SELLER);
    }

    function testTheEscrowOfARunningSaleIsSafe() public {
        ISale sale = _sold(WINDOW);
        address[2] memory parties = [SELLER, buyer];
        for (uint256 i = 0; i < 4; ++i) {
            if (i == 2) _release(sale);
            VM.prank(parties[i % 2]);
            _expect(
                abi.encodeWithSelector(ISale.NothingToWithdraw.selector, i < 2 ? Status.Sold : Status.Releasing, PRICE)
            );
            sale.withdraw(SAFE);
        }
    }

    function testEtherForcedIntoAnInstantSaleStays() public {
        ISale sale = _released(0);
        VM.deal(address(sale), PRICE);
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISale.NothingToWithdraw.selector, Status.Released, PRICE));
        sale.withdraw(SELLER);
    }

    function testEtherForcedBesidesStays() public {
        (ISale sale, Wallet seller) = _undeliveredToSeller();
        VM.deal(address(sale), PRICE + 7);
        seller.execute(address(sale), 0, abi.encodeCall(ISale.withdraw, (SAFE)));
        VM.assertEq(address(sale).balance, 7, "stays there");
    }

    function testAnAddressThatRefusesLosesNothing() public {
        (ISale sale, Wallet seller) = _undeliveredToSeller();
        _expect(abi.encodeWithSelector(ISale.PayoutRefused.selector, address(seller), PRICE));
        seller.execute(address(sale), 0, abi.encodeCall(ISale.withdraw, (address(seller))));
        VM.assertEq(address(sale).balance, PRICE, "still waits");
    }

    function testReenteringFetchesOnce() public {
        (ISale sale, Wallet seller) = _undeliveredToSeller();
        bytes memory again = abi.encodeCall(ISale.withdraw, (address(seller)));
        seller.reenter(address(sale), again);
        seller.execute(address(sale), 0, again);
        VM.assertEq(seller.reentered(), 0, "refused inside");
        VM.assertEq(address(seller).balance, PRICE, "once");
    }

    function _undeliveredToSeller() private returns (ISale sale, Wallet seller) {
        seller = new Wallet();
        seller.behave(Wallet.Mode.Refuse);
        sale = _listBy(seller, WINDOW);
        _buy(sale);
        _release(sale);
        VM.prank(device);
        sale.complete();
    }
}
