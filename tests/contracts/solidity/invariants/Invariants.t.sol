// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {Status} from "../../../../contracts/src/types/Status.sol";
import {Vm} from "../base/Vm.sol";
import {ReferenceSale} from "../reference/ReferenceSale.sol";
import {Market} from "./Market.sol";

/// @notice What holds after every step, whoever did what and when.
contract InvariantsTest {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    Market private _market;

    function setUp() public {
        _market = new Market();
    }

    /// @dev forge asks whom to call.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_market);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0].addr = address(_market);
        targets[0].selectors = _actions();
    }

    /// @notice Of every sale, those that ended included.
    function invariantOfEverySale() public view {
        for (uint256 i = 0; i < _market.count(); ++i) {
            (ISale sale, ReferenceSale twin) = (_market.sales(i), _market.references(i));
            _checkFacts(sale, twin);
            _checkMoney(sale, twin);
        }
        VM.assertLe(_market.mostConsumed(), 1, "a voucher is consumed at most once");
    }

    /// @notice The market is no empty one: a fixed random walk sees every act done, and every one refused.
    function testTheMarketSeesEverything() public {
        bytes4[] memory actions = _actions();
        for (uint256 i = 0; i < 1500; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            bytes4 action = actions[seed % actions.length];
            (bool done,) =
                address(_market).call(abi.encodePacked(action, seed >> 8, seed >> 16, seed >> 24, seed >> 32));
            VM.assertTrue(done, "the rules say otherwise");
        }
        string[8] memory names = ["buy", "cancel", "revoke", "release", "complete", "abort", "refund", "withdraw"];
        for (uint256 i = 0; i < names.length; ++i) {
            VM.assertGe(_market.done(names[i]), 1, string.concat(names[i], " done"));
            VM.assertGe(_market.tried(names[i]) - _market.done(names[i]), 1, string.concat(names[i], " refused"));
        }
        VM.assertGe(_market.done("refund by the seller"), 1, "refund by the seller");
    }

    /// @dev Contract and reference tell the same.
    function _checkFacts(ISale sale, ReferenceSale twin) private view {
        Status status = twin.status();
        bool expected = status == Status.Sold || status == Status.Releasing || status == Status.Released;
        VM.assertEq(uint256(sale.status()), uint256(status), "status");
        (,,,, bool sold, address owner, address buyer) = sale.getItem();
        VM.assertEq(buyer, twin.buyer(), "buyer");
        VM.assertEq(owner, twin.SELLER(), "owner");
        VM.assertEq(sold ? 1 : 0, expected ? 1 : 0, "sold");
        VM.assertEq(sale.isSold() ? 1 : 0, expected ? 1 : 0, "is sold");
        VM.assertEq(sale.verifyOwnership(buyer) ? 1 : 0, status == Status.Sold ? 1 : 0, "ownership");
        VM.assertEq(sale.attempt(), twin.attempt(), "attempt");
        VM.assertEq(sale.refundableAt(), twin.refundableAt(), "refundableAt");
        VM.assertEq(sale.device(), twin.device(), "device");
    }

    /// @dev Money in is money out and money held; escrow is covered; never both a payout and a refund.
    function _checkMoney(ISale sale, ReferenceSale twin) private view {
        bool running = twin.status() == Status.Sold || twin.status() == Status.Releasing;
        if (running && !twin.isInstant()) VM.assertGe(address(sale).balance, twin.PRICE(), "escrow");
        uint256 left = address(sale).balance - _market.forced(sale);
        VM.assertEq(_market.paidIn(sale), _market.paidOut(sale) + left, "in and out");
        VM.assertLe(_market.paidOut(sale), twin.PRICE(), "paid once");
        VM.assertFalse(_market.everReleased(sale) && _market.everRefunded(sale), "never both statuses");
        VM.assertTrue(twin.paidToSeller() == 0 || twin.paidToBuyer() == 0, "never both payments");
    }

    /// @dev What leads on is tried more often than what ends.
    function _actions() private pure returns (bytes4[] memory actions) {
        actions = new bytes4[](16);
        actions[0] = actions[1] = Market.buy.selector;
        actions[2] = actions[3] = Market.release.selector;
        actions[4] = actions[5] = Market.complete.selector;
        actions[6] = Market.abort.selector;
        actions[7] = Market.revoke.selector;
        actions[8] = Market.refund.selector;
        actions[9] = Market.withdraw.selector;
        actions[10] = Market.cancel.selector;
        actions[11] = Market.wait_.selector;
        actions[12] = Market.turn.selector;
        actions[13] = Market.force.selector;
        actions[14] = Market.operate.selector;
        actions[15] = Market.restock.selector;
    }
}

struct FuzzSelector {
    address addr;
    bytes4[] selectors;
}
