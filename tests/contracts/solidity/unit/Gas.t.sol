// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {Item} from "../../../../contracts/src/types/Item.sol";
import {Fixture} from "../base/Fixture.sol";

/// @notice What each transaction costs, all in: forge runs every call as a transaction of its own.
/// forge-config: default.isolate = true
contract GasTest is Fixture {
    string private constant GROUP = "lading";

    function setUp() public override {
        super.setUp();
        // Real parties have used the chain before.
        VM.deal(device, 1 ether);
        VM.deal(OPERATOR, 1 ether);
    }

    function testGasCreate() public {
        _list(WINDOW);
        _within("create", 89_000);
    }

    function testGasCreateBatchOf50() public {
        Item[] memory items = new Item[](50);
        for (uint256 i = 0; i < items.length; ++i) {
            items[i] = _item(WINDOW);
            items[i].edition = i;
        }
        VM.prank(SELLER);
        factory.createSales(items);
        _within("create, batch of 50", 63_500 * 50);
    }

    function testGasEscrowLife() public {
        ISale sale = _list(WINDOW);
        uint256 sum = _within("create", 89_000);
        _buy(sale);
        sum += _within("buy into escrow", 48_000);
        sum += _releaseGas(sale);
        VM.prank(device);
        sale.complete();
        sum += _within("complete with payout", 45_600);
        VM.assertLe(sum, 226_500, "whole life in escrow");
    }

    function testGasInstantLife() public {
        ISale sale = _list(0);
        uint256 sum = VM.snapshotGasLastCall(GROUP, "create, instant");
        _buy(sale);
        sum += _within("buy with instant payout", 57_300);
        sum += _releaseGas(sale);
        VM.prank(device);
        sale.complete();
        sum += _within("complete without payout", 36_300);
        VM.assertLe(sum, 226_500, "whole instant life");
    }

    function testGasVerifyOwnership() public {
        ISale sale = _sold(WINDOW);
        (bool done,) = address(sale).call(abi.encodeCall(sale.verifyOwnership, (buyer)));
        VM.assertTrue(done, "answers");
        _within("verifyOwnership", 26_500);
    }

    function testGasOthers() public {
        ISale sale = _sold(WINDOW);
        VM.prank(buyer);
        sale.revoke();
        VM.snapshotGasLastCall(GROUP, "revoke");
        _release(sale);
        VM.prank(device);
        sale.abort();
        VM.snapshotGasLastCall(GROUP, "abort");
        VM.prank(SELLER);
        sale.refund();
        VM.snapshotGasLastCall(GROUP, "refund");
        Item memory item = _item(0);
        item.edition = 1;
        sale = _list(item);
        VM.prank(SELLER);
        sale.cancel();
        VM.snapshotGasLastCall(GROUP, "cancel");
        _provision(site, 0xabc, until);
        VM.snapshotGasLastCall(GROUP, "provision");
        _rotate(deviceId, 0xabd, until);
        VM.snapshotGasLastCall(GROUP, "rotate");
        _decommission(deviceId);
        VM.snapshotGasLastCall(GROUP, "decommission");
    }

    function _releaseGas(ISale sale) private returns (uint256) {
        _release(sale);
        return _within("release", 44_300);
    }

    function _within(string memory name, uint256 target) private returns (uint256 gas) {
        gas = VM.snapshotGasLastCall(GROUP, name);
        VM.assertLe(gas, target, name);
    }
}
