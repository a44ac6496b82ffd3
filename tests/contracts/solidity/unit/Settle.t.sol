// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {Status} from "../../../../contracts/src/types/Status.sol";
import {Fixture} from "../base/Fixture.sol";
import {Wallet} from "../base/Wallet.sol";

/// @notice `complete` and `abort`: by the device that released; by its operator once it is not active.
contract SettleTest is Fixture {
    function testCompletePaysTheEscrowOut() public {
        ISale sale = _releasing(WINDOW);
        VM.expectEmit(address(sale));
        emit ISale.Released(deviceId);
        VM.prank(device);
        sale.complete();
        _assertStatus(sale, Status.Released);
        VM.assertEq(SELLER.balance, 51 ether, "paid");
        VM.assertEq(address(sale).balance, 0, "nothing kept");
        VM.assertEq(sale.device(), deviceId, "device kept");
    }

    function testCompleteOfAnInstantSalePaysNothing() public {
        ISale sale = _releasing(0);
        VM.deal(address(sale), PRICE);
        VM.prank(device);
        sale.complete();
        VM.assertEq(SELLER.balance, 51 ether, "paid once, by buy");
        VM.assertEq(address(sale).balance, PRICE, "forced ether stays");
    }

    function testAbortLetsTheBuyerTryAgain() public {
        ISale sale = _releasing(WINDOW);
        VM.expectEmit(address(sale));
        emit ISale.Aborted(deviceId, 1);
        VM.prank(device);
        sale.abort();
        _assertStatus(sale, Status.Sold);
        VM.assertEq(sale.attempt(), 1, "attempt");
        VM.assertEq(sale.device(), 0, "no device");
        VM.assertEq(sale.refundableAt(), START + WINDOW, "deadline kept");
        VM.assertTrue(sale.verifyOwnership(buyer), "owned");
        _release(sale);
        VM.prank(device);
        sale.complete();
        _assertStatus(sale, Status.Released);
    }

    function testOnlyWhileReleasing() public {
        ISale sale = _sold(WINDOW);
        VM.prank(device);
        _expect(abi.encodeWithSelector(ISale.NotReleasing.selector, Status.Sold));
        sale.complete();
        VM.prank(device);
        _expect(abi.encodeWithSelector(ISale.NotReleasing.selector, Status.Sold));
        sale.abort();
        _release(sale);
        VM.prank(device);
        sale.complete();
        VM.prank(device);
        _expect(abi.encodeWithSelector(ISale.NotReleasing.selector, Status.Released));
        sale.complete();
    }

    function testNobodyElseWhileTheDeviceIsActive() public {
        _provision(site, 0xd2, until);
        address[5] memory others = [SELLER, buyer, OPERATOR, STRANGER, VM.addr(0xd2)];
        ISale sale = _releasing(WINDOW);
        for (uint256 i = 0; i < others.length; ++i) {
            VM.prank(others[i]);
            _expect(abi.encodeWithSelector(ISale.NotSettler.selector, others[i], deviceId));
            sale.complete();
            VM.prank(others[i]);
            _expect(abi.encodeWithSelector(ISale.NotSettler.selector, others[i], deviceId));
            sale.abort();
        }
    }

    function testTheOperatorOnceTheDeviceIsDecommissioned() public {
        ISale sale = _releasing(WINDOW);
        _decommission(deviceId);
        VM.prank(device);
        _expect(abi.encodeWithSelector(ISale.NotSettler.selector, device, deviceId));
        sale.complete();
        VM.prank(STRANGER);
        _expect(abi.encodeWithSelector(ISale.NotSettler.selector, STRANGER, deviceId));
        sale.complete();
        VM.prank(OPERATOR);
        sale.complete();
        _assertStatus(sale, Status.Released);
    }

    function testTheOperatorOnceTheDeviceIsExpiredToTheSecond() public {
        _rotate(deviceId, DEVICE_KEY, START + 50);
        ISale sale = _releasing(WINDOW);
        VM.warp(START + 49);
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(ISale.NotSettler.selector, OPERATOR, deviceId));
        sale.abort();
        VM.warp(START + 50);
        VM.prank(device);
        _expect(abi.encodeWithSelector(ISale.NotSettler.selector, device, deviceId));
        sale.abort();
        VM.prank(OPERATOR);
        sale.abort();
        _assertStatus(sale, Status.Sold);
    }

    function testTheSameDeviceUnderANewKey() public {
        ISale sale = _releasing(WINDOW);
        _rotate(deviceId, 0xd2, until);
        VM.prank(device);
        _expect(abi.encodeWithSelector(ISale.NotSettler.selector, device, deviceId));
        sale.complete();
        VM.prank(VM.addr(0xd2));
        sale.complete();
        _assertStatus(sale, Status.Released);
    }

    function testAbortRevertsAtTheLastAttempt() public {
        ISale sale = _releasing(WINDOW);
        _setAttempt(sale, type(uint24).max - 1);
        VM.prank(device);
        sale.abort();
        VM.assertEq(sale.attempt(), type(uint24).max, "reached");
        VM.assertEq(sale.refundableAt(), START + WINDOW, "nothing carried");
        _release(sale);
        VM.prank(device);
        _expect(abi.encodeWithSelector(ISale.AttemptsExhausted.selector, type(uint24).max));
        sale.abort();
        VM.prank(device);
        sale.complete();
    }

    function testASellerCannotBlockCompletion() public {
        Wallet.Mode[3] memory modes = [Wallet.Mode.Refuse, Wallet.Mode.Burn, Wallet.Mode.Bomb];
        for (uint256 i = 0; i < modes.length; ++i) {
            Wallet seller = new Wallet();
            seller.behave(modes[i]);
            ISale sale = _listBy(seller, WINDOW);
            _buy(sale);
            _release(sale);
            VM.expectEmit(address(sale));
            emit ISale.Undelivered(address(seller), PRICE);
            VM.prank(device);
            uint256 before = gasleft();
            sale.complete{gas: 220_000}();
            VM.assertLe(before - gasleft(), 130_000, "burns no more than a payout grants");
            _assertStatus(sale, Status.Released);
            VM.assertEq(address(sale).balance, PRICE, "waits");
        }
    }

    function testASellerThatReentersGainsNothing() public {
        Wallet seller = new Wallet();
        bytes[3] memory calls = [
            abi.encodeCall(ISale.withdraw, (address(seller))),
            abi.encodeCall(ISale.refund, ()),
            abi.encodeCall(ISale.complete, ())
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            ISale sale = _listBy(seller, WINDOW, i);
            seller.reenter(address(sale), calls[i]);
            _buy(sale);
            _release(sale);
            VM.prank(device);
            sale.complete();
            VM.assertEq(seller.reentered(), 0, "refused inside");
            VM.assertEq(address(seller).balance, PRICE * (i + 1), "once");
        }
    }

    function testAStingyCallerCannotMakeAGoodSellerFail() public {
        Wallet seller = new Wallet();
        seller.behave(Wallet.Mode.NeedsGas);
        uint256 failed;
        for (uint256 gas = 30_000; gas < 180_000; gas += 500) {
            ISale sale = _listBy(seller, WINDOW, gas);
            VM.deal(buyer, PRICE);
            _buy(sale);
            _release(sale);
            VM.prank(device);
            try sale.complete{gas: gas}() {
                VM.assertEq(address(sale).balance, 0, "delivered");
            } catch {
                ++failed;
                _assertStatus(sale, Status.Releasing);
            }
        }
        VM.assertGe(failed, 50, "too little gas does nothing at all");
    }

    function testTooLittleGasSaysSo() public {
        Wallet seller = new Wallet();
        seller.behave(Wallet.Mode.NeedsGas);
        ISale sale = _listBy(seller, WINDOW);
        _buy(sale);
        _release(sale);
        VM.prank(device);
        (bool done, bytes memory answer) = address(sale).call{gas: 55_000}(abi.encodeCall(ISale.complete, ()));
        VM.assertFalse(done, "refused");
        VM.assertEq(bytes32(bytes4(answer)), bytes32(ISale.GasTooLow.selector), "in words");
    }
}
