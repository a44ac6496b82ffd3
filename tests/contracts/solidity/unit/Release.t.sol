// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {Item} from "../../../../contracts/src/types/Item.sol";
import {Status} from "../../../../contracts/src/types/Status.sol";
import {Fixture} from "../base/Fixture.sol";
import {Wallet} from "../base/Wallet.sol";

/// @notice `release`: the voucher is consumed once, by a device of the site, in time.
contract ReleaseTest is Fixture {
    function testConsumesTheVoucher() public {
        ISale sale = _sold(WINDOW);
        uint256 expiresAt = START + 1 days;
        bytes memory signature = _voucher(sale, expiresAt);
        VM.expectEmit(address(sale));
        emit ISale.Releasing(buyer, deviceId, 0);
        VM.prank(device);
        sale.release(buyer, expiresAt, signature);
        _assertStatus(sale, Status.Releasing);
        VM.assertEq(sale.device(), deviceId, "device");
        VM.prank(device);
        _expect(abi.encodeWithSelector(ISale.NotSold.selector, Status.Releasing));
        sale.release(buyer, expiresAt, signature);
    }

    function testReplayAfterAbortIsRefused() public {
        ISale sale = _sold(WINDOW);
        uint256 expiresAt = START + 1 days;
        bytes memory signature = _voucher(sale, expiresAt);
        VM.prank(device);
        sale.release(buyer, expiresAt, signature);
        VM.prank(device);
        sale.abort();
        _refuse(sale, abi.encodeWithSelector(ISale.InvalidVoucher.selector, buyer, 1, expiresAt), expiresAt, signature);
    }

    function testExpiredAtTheExactSecond() public {
        ISale sale = _sold(WINDOW);
        uint256 expiresAt = START + 100;
        bytes memory signature = _voucher(sale, expiresAt);
        VM.warp(expiresAt);
        _refuse(sale, abi.encodeWithSelector(ISale.VoucherExpired.selector, expiresAt, expiresAt), expiresAt, signature);
        VM.warp(expiresAt - 1);
        VM.prank(device);
        sale.release(buyer, expiresAt, signature);
    }

    function testNothingIsReleasedFromTheDeadlineOn() public {
        ISale sale = _sold(WINDOW);
        uint256 deadline = START + WINDOW;
        bytes memory signature = _voucher(sale, deadline + 100);
        VM.warp(deadline);
        _refuse(
            sale, abi.encodeWithSelector(ISale.DeadlinePassed.selector, deadline, deadline), deadline + 100, signature
        );
        VM.warp(deadline - 1);
        VM.prank(device);
        sale.release(buyer, deadline + 100, signature);
    }

    function testInstantSaleHasNoDeadline() public {
        ISale sale = _sold(0);
        VM.warp(START + 900 days);
        _release(sale);
        _assertStatus(sale, Status.Releasing);
    }

    function testAnotherBuyerIsRefused() public {
        ISale sale = _sold(WINDOW);
        bytes memory signature = _voucher(sale, START + 1 days);
        VM.prank(device);
        _expect(abi.encodeWithSelector(ISale.WrongBuyer.selector, STRANGER, buyer));
        sale.release(STRANGER, START + 1 days, signature);
    }

    function testUnpaidIsRefused() public {
        ISale sale = _list(WINDOW);
        _refuse(sale, abi.encodeWithSelector(ISale.NotSold.selector, Status.Listed), START + 1, "");
    }

    function testWhoIsNoDeviceIsRefused() public {
        ISale sale = _sold(WINDOW);
        bytes memory signature = _voucher(sale, START + 1 days);
        VM.prank(STRANGER);
        _expect(abi.encodeWithSelector(ISale.DeviceNotActive.selector, STRANGER));
        sale.release(buyer, START + 1 days, signature);
    }

    function testDecommissionedDeviceIsRefused() public {
        ISale sale = _sold(WINDOW);
        bytes memory signature = _voucher(sale, START + 1 days);
        _decommission(deviceId);
        _refuse(sale, abi.encodeWithSelector(ISale.DeviceNotActive.selector, device), START + 1 days, signature);
    }

    function testExpiredDeviceIsRefusedAtTheExactSecond() public {
        _rotate(deviceId, DEVICE_KEY, START + 50);
        ISale sale = _sold(WINDOW);
        bytes memory signature = _voucher(sale, START + 1 days);
        VM.warp(START + 50);
        _refuse(sale, abi.encodeWithSelector(ISale.DeviceNotActive.selector, device), START + 1 days, signature);
        VM.warp(START + 49);
        VM.prank(device);
        sale.release(buyer, START + 1 days, signature);
    }

    function testDeviceOfAnotherSiteIsRefused() public {
        VM.prank(OPERATOR);
        uint256 other = registry.openSite("Gate 2");
        _provision(other, 0xd2, until);
        ISale sale = _sold(WINDOW);
        bytes memory signature = _voucher(sale, START + 1 days);
        VM.prank(VM.addr(0xd2));
        _expect(abi.encodeWithSelector(ISale.WrongSite.selector, other, site));
        sale.release(buyer, START + 1 days, signature);
    }

    function testASignatureForAnotherSaleIsRefused() public {
        ISale sale = _sold(WINDOW);
        Item memory item = _item(WINDOW);
        item.edition = 1;
        ISale other = _list(item);
        _buy(other);
        bytes memory signature = _voucher(other, START + 1 days);
        _refuse(
            sale,
            abi.encodeWithSelector(ISale.InvalidVoucher.selector, buyer, 0, START + 1 days),
            START + 1 days,
            signature
        );
    }

    function testASignatureForAnotherChainIsRefused() public {
        ISale sale = _sold(WINDOW);
        uint256 here = block.chainid;
        VM.chainId(here + 1);
        bytes memory signature = _voucher(sale, START + 1 days);
        VM.chainId(here);
        _refuse(
            sale,
            abi.encodeWithSelector(ISale.InvalidVoucher.selector, buyer, 0, START + 1 days),
            START + 1 days,
            signature
        );
    }

    function testAnotherExpiryThanTheSignedOneIsRefused() public {
        ISale sale = _sold(WINDOW);
        bytes memory signature = _voucher(sale, START + 1 days);
        _refuse(
            sale,
            abi.encodeWithSelector(ISale.InvalidVoucher.selector, buyer, 0, START + 2 days),
            START + 2 days,
            signature
        );
    }

    function testMalleatedSignatureIsRefused() public {
        ISale sale = _sold(WINDOW);
        uint256 expiresAt = START + 1 days;
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(BUYER_KEY, sale.voucherDigest(expiresAt));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory other = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        _refuse(sale, abi.encodeWithSelector(ISale.InvalidVoucher.selector, buyer, 0, expiresAt), expiresAt, other);
    }

    function testEveryBitOfTheSignatureMatters() public {
        ISale sale = _sold(WINDOW);
        uint256 expiresAt = START + 1 days;
        bytes memory signature = _voucher(sale, expiresAt);
        bytes memory refusal = abi.encodeWithSelector(ISale.InvalidVoucher.selector, buyer, 0, expiresAt);
        for (uint256 i = 0; i < 65 * 8; ++i) {
            bytes memory flipped = bytes.concat(signature);
            flipped[i / 8] ^= bytes1(uint8(1 << (i % 8)));
            _refuse(sale, refusal, expiresAt, flipped);
        }
    }

    function testFuzzNoOtherSignature(bytes calldata signature) public {
        ISale sale = _sold(WINDOW);
        bytes memory refusal = abi.encodeWithSelector(ISale.InvalidVoucher.selector, buyer, 0, START + 1 days);
        _refuse(sale, refusal, START + 1 days, signature);
    }

    function testAContractWalletSigns() public {
        (ISale sale, Wallet wallet) = _soldToWallet();
        wallet.sign(abi.encode(bytes4(0x1626ba7e)));
        VM.prank(device);
        sale.release(address(wallet), START + 1, "whatever it likes");
        _assertStatus(sale, Status.Releasing);
    }

    function testWhatAContractWalletMustNotAnswer() public {
        (ISale sale, Wallet wallet) = _soldToWallet();
        bytes[5] memory answers = [
            bytes(""),
            hex"1626ba7e",
            abi.encode(bytes4(0xffffffff)),
            abi.encode(uint256(1)),
            abi.encode(bytes32(hex"1626ba7e00000000000000000000000000000000000000000000000000000001"))
        ];
        for (uint256 i = 0; i < answers.length; ++i) {
            wallet.sign(answers[i]);
            VM.prank(device);
            _expect(abi.encodeWithSelector(ISale.InvalidVoucher.selector, address(wallet), 0, START + 1));
            sale.release(address(wallet), START + 1, "");
        }
    }

    function testAttemptAtItsLastValueIsStillBound() public {
        ISale sale = _sold(WINDOW);
        bytes memory old = _voucher(sale, START + 1);
        _setAttempt(sale, type(uint24).max);
        bytes memory refusal = abi.encodeWithSelector(ISale.InvalidVoucher.selector, buyer, type(uint24).max, START + 1);
        _refuse(sale, refusal, START + 1, old);
        _release(sale);
        VM.assertEq(sale.attempt(), type(uint24).max, "kept");
    }

    function testASignatureOfNobodyIsRefused() public {
        ISale sale = _sold(WINDOW);
        bytes memory refusal = abi.encodeWithSelector(ISale.InvalidVoucher.selector, buyer, 0, START + 1);
        _refuse(sale, refusal, START + 1, abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
    }

    function _refuse(ISale sale, bytes memory refusal, uint256 expiresAt, bytes memory signature) private {
        VM.prank(device);
        _expect(refusal);
        sale.release(buyer, expiresAt, signature);
    }
}
