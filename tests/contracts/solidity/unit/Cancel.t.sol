// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {Status} from "../../../../contracts/src/types/Status.sol";
import {Fixture} from "../base/Fixture.sol";

/// @notice `cancel`: by the seller, before anybody bought.
contract CancelTest is Fixture {
    function testSellerTakesTheListingBack() public {
        ISale sale = _list(WINDOW);
        VM.expectEmit(address(sale));
        emit ISale.Cancelled();
        VM.prank(SELLER);
        sale.cancel();
        _assertStatus(sale, Status.Cancelled);
        VM.assertEq(uint256(VM.load(address(sale), 0)), uint256(Status.Cancelled) << 160, "all else zero");
    }

    function testNobodyElseMay() public {
        ISale sale = _list(WINDOW);
        VM.prank(buyer);
        _expect(abi.encodeWithSelector(ISale.NotSeller.selector, buyer, SELLER));
        sale.cancel();
    }

    function testSoldCannotBeCancelled() public {
        ISale sale = _sold(WINDOW);
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISale.NotListed.selector, Status.Sold));
        sale.cancel();
    }

    function testTheImplementationIsNobodys() public {
        _expect(abi.encodeWithSelector(ISale.NotListed.selector, Status.Cancelled));
        implementation.cancel();
    }
}
